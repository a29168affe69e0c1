"""Whether a running job can read its control documents, and takes them: by its metrics."""

from flink_masking.flink_rest.health import Check, RestEndpoint
from flink_masking.telemetry.metrics import SCOPE

LIMIT = 300_000
"""Default limit for an unreadable source, ms."""
_UNREADABLE, _REFUSED = f".{SCOPE}.control_unreadable_seconds", f".{SCOPE}.control_documents_refused"


def control_check(rest: RestEndpoint, job: str, limit: int = LIMIT) -> list[Check]:
    """Look at the metrics of the job's workers; nothing of a job that takes no control documents.

    Args:
        rest: Flink's REST endpoint.
        job: its id.
        limit: milliseconds for which the source may be unreadable.

    Raises:
        JobError: the endpoint does not answer.
    """
    seconds, refused = rest.maxima(job, _UNREADABLE), rest.maxima(job, _REFUSED)
    if not seconds:
        return []
    longest, most = round(max(seconds)), round(max(refused, default=0))
    said = [f"the source could not be read for {longest} s (at most {limit / 1000:g} s)"] if longest else []
    said += [f"{most} refused at the source; audit and log say why"] if most else []
    return [Check("control", longest * 1000 <= limit and not most, "; ".join(said) or "readable, none refused")]
