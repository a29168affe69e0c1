"""Whether the workers of a job run with all patches of PyFlink, Beam and pyarrow (`flink_masking.flink.compat`)."""

from flink_masking.flink_rest.health import Check, RestEndpoint
from flink_masking.telemetry.metrics import SCOPE

_MISSING = f".{SCOPE}.compat_patches_missing"


def patches_check(rest: RestEndpoint, job: str) -> Check:
    """Read the workers' metric. A missing patch is reported and fails nothing: the job is right and slower.

    `job` is its id. Raises JobError if the endpoint does not answer.
    """
    missing = max(rest.maxima(job, _MISSING), default=0)
    text = f"{missing:.0f} missing in a worker, which is slower without; its log names them" if missing else "none missing"
    return Check("patches", True, text)
