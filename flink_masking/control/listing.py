"""What lies at a source, for people: each document with its times, signers and state."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flink_masking.control.bodies import AlertsBody, GrantBody, PolicyBody, RevocationBody
from flink_masking.control.documents import body_of, mark, verified
from flink_masking.control.envelope import Signed, parse
from flink_masking.control.instants import instant
from flink_masking.control.make import now
from flink_masking.control.trust import Trust
from flink_masking.errors import ControlError


@dataclass(frozen=True)
class Row:
    """One document.

    Attributes:
        id: of the document, or the beginning of its digest.
        kind: of the document; empty where it is no envelope.
        stream: likewise.
        version: of a policy or trust file.
        begins: ms since 1970, or None.
        ends: likewise.
        state: ``pending``, ``in effect``, ``expired``, ``revoked``, ``overtaken`` or ``refused: …``.
        signers: owners who count.
    """

    id: str
    kind: str
    state: str
    stream: str = ""
    version: int | None = None
    begins: int | None = None
    ends: int | None = None
    signers: tuple[str, ...] = ()

    def cells(self) -> list[str]:
        """The row as text: id, kind, stream, version, from, to, state, signers."""
        times = ["" if at is None else instant(at) for at in (self.begins, self.ends)]
        version = "" if self.version is None else str(self.version)
        return [self.id, self.kind, self.stream, version, *times, self.state, ", ".join(self.signers)]

    def body(self) -> dict[str, Any]:
        """The row as JSON values."""
        names = ("id", "kind", "stream", "version", "from", "to", "state", "signers")
        return {**dict(zip(names, self.cells(), strict=True)), "version": self.version, "signers": list(self.signers)}


def parsed(found: Sequence[bytes]) -> list[Signed]:
    """The envelopes among these; what is none is passed over."""
    made = []
    for data in found:
        with suppress(ControlError):
            made.append(parse(data))
    return made


def highest_version(found: Sequence[Signed], trust: Trust, kind: str, stream: str) -> int:
    """The highest version of a kind and stream among the documents that verify; 0 where there is none."""
    versions = [0]
    for signed in found:
        with suppress(ControlError):
            if signed.kind == kind and (body := verified(signed, trust).body).stream == stream:
                versions.append(getattr(body, "version", 0))
    return max(versions)


def latest_trust(anchor: bytes, found: Sequence[bytes]) -> Trust:
    """The trust file in force: the deployment's, or the last of its successors among these documents.

    Raises:
        ControlError: the deployment's is none.
    """
    trust, again = Trust.anchor(anchor), True
    while again:
        again = False
        for signed in parsed(found):
            if signed.kind == "trust" and signed.digest != trust.signed.digest:
                with suppress(ControlError):
                    trust, again = trust.successor(signed), True
    return trust


def rows(found: Sequence[bytes], trust: Trust) -> list[Row]:
    """One row for each document, by id."""
    at, made, ended = now(), [], set[str]()
    highest = dict[tuple[str, str], int]()
    for signed in parsed(found):
        with suppress(ControlError):
            body = verified(signed, trust).body
            if isinstance(body, RevocationBody):
                ended.add(mark(body.target, body.of))
            elif isinstance(body, PolicyBody | AlertsBody) and body.effective_at <= at:
                highest[signed.kind, body.stream] = max(highest.get((signed.kind, body.stream), 0), body.version)
    for data in found:
        try:
            signed = parse(data)
        except ControlError as error:
            made.append(Row("", "", f"refused: {error}"))
            continue
        if signed.kind == "trust":
            made.append(_trust(signed, trust))
            continue
        try:
            document = verified(signed, trust)
        except ControlError as error:
            made.append(Row(_id(signed), signed.kind, f"refused: {error}"))
            continue
        body = document.body
        ends = body.expires_at if isinstance(body, GrantBody) else None
        version = body.version if isinstance(body, PolicyBody | AlertsBody) else None
        state = "pending" if at < body.effective_at else "in effect"
        if ends is not None and ends <= at:
            state = "expired"
        elif document.mark in ended:
            state = "revoked"
        elif version is not None and version < highest.get((signed.kind, body.stream), 0):
            state = "overtaken"
        made.append(Row(document.id, signed.kind, state, body.stream, version, body.effective_at, ends, tuple(sorted(document.signers))))
    return sorted(made, key=lambda row: row.id)


def _trust(signed: Signed, trust: Trust) -> Row:
    import json

    version = json.loads(signed.payload).get("version")
    state = "in effect" if signed.digest == trust.signed.digest else "overtaken" if isinstance(version, int) and version < trust.version \
        else "refused: not signed by the root role of the version before and its own"
    return Row(f"trust-{version}", "trust", state, version=version if isinstance(version, int) else None)


def _id(signed: Signed) -> str:
    try:
        return body_of(signed).id
    except ControlError:
        return signed.digest[:16]
