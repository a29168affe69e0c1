"""Whether the workers of a job run with all patches of PyFlink, Beam and pyarrow (`flink_masking.flink.compat`)."""

from flink_masking.flink_rest.health import Check, RestEndpoint, find_job
from flink_masking.flink_rest.key_checks import largest
from flink_masking.telemetry.metrics import SCOPE

_MISSING = f"{SCOPE}.compat_patches_missing"


def patches_check(rest: RestEndpoint, job: str | None) -> Check:
    """Read the workers' metric. A missing patch is reported and fails nothing: the job is right and slower.

    Args:
        rest: Flink's REST endpoint.
        job: id or name; None for the only job that has not ended.

    Raises:
        JobError: the endpoint does not answer, or there is not exactly one such job.
    """
    job = find_job(rest, job)
    missing = max((largest(rest, job, step["id"], _MISSING) for step in rest.get(f"/jobs/{job}")["vertices"]), default=0)
    text = f"{missing} missing in a worker, which is slower without; its log names them" if missing else "none missing"
    return Check("patches", True, text)
