"""How many records of each grant the workers of a job have claimed, over restarts: written before a record is shown.

A worker claims some records of its share at a time, so that it writes seldom. What it had claimed and not used when it ended stays claimed:
fewer records are shown after a restart than the grant allows, never more. The file tells since when it is complete. A grant that took
effect before is not known to be unused, and nothing more is claimed of it.
"""

import json
from dataclasses import dataclass
from typing import Any

from flink_masking.control.sealed_file import SealedFile, Seals
from flink_masking.control.sources.local import local_path
from flink_masking.errors import ControlError

FORMAT = 1
SUFFIX = ".grants"
"""Behind the address in ``control.state``."""
PIECES = 20
"""Into how many claims a share is divided: what a restart costs of it at most is one of them."""
PATIENCE = 2.0
"""Seconds for which another worker's claim is waited for: records wait, too."""
KEPT = 86_400_000
"""Ms for which the claims of a grant are kept after its end: clocks differ."""


@dataclass(frozen=True)
class Claim:
    """Of which grant a worker claims records, as which worker.

    Attributes:
        grant: id.
        effective_at: of the grant, ms since 1970.
        expires_at: likewise.
        most: how many records all workers may show together.
        share: how many this worker may.
        worker: the worker and how many there are, such as ``0/2``.
    """

    grant: str
    effective_at: int
    expires_at: int
    most: int
    share: int
    worker: str


class Ledger:
    """The file beside the one at ``control.state``; safe with several processes at once."""

    def __init__(self, address: str, stream: str, seals: Seals) -> None:
        """Keep the address; nothing is read yet.

        Args:
            address: ``file:///file``, of ``control.state``.
            stream: what the file is bound to besides.
            seals: encrypts and decrypts it.
        """
        path = local_path(address)
        self._file = SealedFile(path.with_name(path.name + SUFFIX), f"{stream}{SUFFIX}".encode(), seals,
                                "grants that are in effect have then to be requested again")

    def begin(self, now: int) -> None:
        """Make the file where there is none: what is claimed from now on stands in it.

        Args:
            now: ms since 1970.

        Raises:
            ControlUnavailableError: it cannot be read or written.
            ControlError: it was not written by this job.
        """
        self._begun(now)

    def left(self, claim: Claim, now: int) -> int:
        """How many records a worker may still claim; begins the file where there is none, as `begin`.

        Args:
            claim: of which grant, as which worker.
            now: ms since 1970.

        Raises:
            ControlUnavailableError: the file cannot be read or written.
            ControlError: it was not written by this job, or the grant took effect before it was begun.
        """
        return _left(self._begun(now), claim)

    def claim(self, claim: Claim, wanted: int, now: int) -> int:
        """Claim records before they are shown.

        Args:
            claim: of which grant, as which worker.
            wanted: how many are needed now; a piece of the share is claimed where that is more.
            now: ms since 1970.

        Returns:
            How many were claimed, 0 where nothing is left: they are this process's alone.

        Raises:
            ControlUnavailableError: the file cannot be read or written.
            ControlError: it was not written by this job, or the grant took effect before it was begun.
        """
        with self._file.locked(PATIENCE):
            body = self._read(now)
            claimed = min(max(wanted, -(-claim.share // PIECES)), _left(body, claim))
            if claimed > 0:
                grants = body["grants"]
                entry = grants.setdefault(claim.grant, {"until": claim.expires_at, "workers": {}})
                entry["workers"][claim.worker] = entry["workers"].get(claim.worker, 0) + claimed
                body["grants"] = {name: one for name, one in grants.items() if now < one["until"] + KEPT}
                self._write(body)
        return max(0, claimed)

    def _begun(self, now: int) -> dict[str, Any]:
        """What is in the file, as `_read`; it is locked only where there is none."""
        data = self._file.read()
        if data is not None:
            return self._parsed(data)
        with self._file.locked(PATIENCE):
            return self._read(now)

    def _read(self, now: int) -> dict[str, Any]:
        """What is in the file; one is begun where there is none."""
        data = self._file.read()
        if data is not None:
            return self._parsed(data)
        body = {"format": FORMAT, "since": now, "grants": {}}
        self._write(body)
        return body

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(data)
            if body["format"] == FORMAT:
                return body
        except (ValueError, KeyError, TypeError):
            pass
        raise self._file.foreign()

    def _write(self, body: dict[str, Any]) -> None:
        self._file.write(json.dumps(body).encode())


def _left(body: dict[str, Any], claim: Claim) -> int:
    if claim.effective_at < body["since"]:
        raise _younger()
    workers = body["grants"].get(claim.grant, {}).get("workers", {})
    return int(min(claim.share - workers.get(claim.worker, 0), claim.most - sum(workers.values())))


def _younger() -> ControlError:
    return ControlError("it took effect before this job began to keep how many records were opened. Hint: request it again")
