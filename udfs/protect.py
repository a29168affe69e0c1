"""``protect(payload)`` for Flink SQL: a raw record to a row with one view a masked segment.

    from udfs.protect import register
    register(t_env, "policy.yaml", "file:///secrets/keys.json")
    t_env.execute_sql("INSERT INTO analytics SELECT r.view0 FROM (SELECT protect(payload) AS r FROM raw)")
"""

from pathlib import Path

from pyflink.table import TableEnvironment
from pyflink.table.udf import udf

from flink_masking.operators.job_source import JobSource
from flink_masking.operators.protect import ProtectFunction, result_type
from flink_masking.policy.source import PolicySource


def register(environment: TableEnvironment, policy: str | Path, keys: str, name: str = "protect") -> dict[str, str]:
    """Register Protect for a policy as a temporary system function.

    Args:
        environment: where SQL runs; its settings should carry those of `flink_masking.operators.settings`.
        policy: path of the policy file, read here and carried to the workers.
        keys: address of the key ring, opened on the workers.
        name: the function's name.

    Returns:
        For each masked segment the column of the row that holds its view.

    Raises:
        PolicyFaults: the policy has faults.
        KeyRingError: the key ring cannot be opened.
    """
    source = JobSource(PolicySource.read(Path(policy)), keys)
    plan = source.plan()
    function = udf(ProtectFunction(source), result_type=result_type(plan), func_type="pandas", deterministic=False, name=name)
    environment.create_temporary_system_function(name, function)
    return {segment.name: f"view{i}" for i, segment in enumerate(plan.masked)}
