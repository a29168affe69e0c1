"""Whether a running job can read its key ring and its token vault: by its metrics, and by what it failed for last."""

import re
from typing import Any

from flink_masking.flink_rest.health import Check, RestEndpoint
from flink_masking.telemetry.metrics import SCOPE

LIMIT = 300_000
"""Default limit for unreadable keys or vault, ms: a ring is checked every 30 s."""
_RING, _VAULT = f".{SCOPE}.keys_unreadable_seconds", f".{SCOPE}.vault_unreadable_seconds"
_FAILURE = re.compile(r"flink_masking\.errors\.(KeyRing|Vault)(?:Unavailable)?Error")
_WHAT = {"KeyRing": "key ring", "Vault": "token vault"}


def keys_check(rest: RestEndpoint, job: str, limit: int = LIMIT) -> Check:
    """Look at the metrics of the job's workers and at its last failure.

    A vault that is away holds the batch up, so that no metric comes; when its patience ends the job fails, which is what is seen then. A
    key ring that cannot be read keeps a job from starting again, which is seen likewise.

    Args:
        rest: Flink's REST endpoint.
        job: its id.
        limit: milliseconds for which keys or vault may be unreadable; a failure counts for as long.

    Raises:
        JobError: the endpoint does not answer.
    """
    ring, vault = (max(map(round, rest.maxima(job, name)), default=0) for name in (_RING, _VAULT))
    now, failure = rest.get(f"/jobs/{job}")["now"], _failure(rest.get(f"/jobs/{job}/exceptions"))
    if failure is not None and now - failure[1] <= limit:
        ago = (now - failure[1]) / 1000
        return Check("keys", False, f"the job failed because of its {_WHAT[failure[0]]} {ago:.0f} s ago; see the JobManager's log")
    said = [f"the {what} could not be read for {seconds} s" for what, seconds in (("key ring", ring), ("token vault", vault)) if seconds]
    text = f"{'; '.join(said)} (at most {limit / 1000:g} s)" if said else "readable"
    return Check("keys", max(ring, vault) * 1000 <= limit, text)


def _failure(exceptions: Any) -> tuple[str, int] | None:
    """What failed (``KeyRing`` or ``Vault``) and the time (ms since 1970) of the job's last failure, where keys or vault were its cause."""
    entries = exceptions.get("exceptionHistory", {}).get("entries", [])
    if not entries:
        return None
    last = max(entries, key=lambda entry: int(entry["timestamp"]))
    named = _FAILURE.findall(str(last.get("stacktrace", "")))
    return (named[-1], int(last["timestamp"])) if named else None
