"""Reads the principals file: the principal that runs the job and the readers of each segment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, BeforeValidator, ValidationError

from flink_masking.access.names import DELIMITERS, unusable
from flink_masking.documents.document import Document, cut
from flink_masking.documents.document import Path as Place
from flink_masking.documents.faults import Fault, PolicyFaults, did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import InputError
from flink_masking.policy.fields import Model, Name
from flink_masking.policy.files import read_text
from flink_masking.policy.model import Policy
from flink_masking.policy.structure import faults_of

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9]*:[^\s:](?:[^\x00-\x1f\x7f]*\S)?")
_COMMON_NAME = re.compile(r"(?:^|,)\s*CN=([^,+]+)")


def _principal(text: str) -> str:
    name = text.partition(":")[2]
    if not _FORM.fullmatch(text):
        raise ValueError("is not a principal. Hint: such as User:analytics, or User:CN=analytics,O=Example for a certificate")
    if name == "*" or name.upper() == "ANONYMOUS":
        raise ValueError("is a wildcard for all users. Hint: name each principal; all others are refused")
    return text


Principal = Annotated[str, AfterValidator(_principal)]


def _reader(value: Any) -> Any:
    if isinstance(value, str | list):
        value = {"principals": value}
    if not isinstance(value, Mapping):
        raise ValueError("must be a principal or a list of them. Hint: User:analytics, or {principals: User:analytics, group: analytics-}")
    if unknown := [key for key in value if key not in ("principals", "group")]:
        raise ValueError(f"has an unknown key '{cut(str(unknown[0]))}'. Hint: known keys: principals, group")
    named = value.get("principals")
    if named == []:
        raise ValueError("must not be empty. Hint: omit outputs without readers")
    return {**value, "principals": [named]} if isinstance(named, str) else value


class Readers(Model):
    """The readers of one topic.

    Attributes:
        principals: as Kafka names them, ``User:analytics``.
        group: what the names of their consumer groups begin with; None: the name of each principal and ``-``.
    """

    principals: tuple[Principal, ...]
    group: Name | None = None

    def group_prefix(self, principal: str) -> str:
        """What the consumer groups of one of the principals begin with."""
        if self.group is not None:
            return self.group
        name = principal.partition(":")[2]
        found = _COMMON_NAME.search(name)
        return f"{found[1] if found else name}-"


_Readers = Annotated[Readers, BeforeValidator(_reader)]


class Principals(Model):
    """The principals of a stream.

    Attributes:
        job: runs the main job.
        segments: by segment of the policy, who reads it; a segment that is not named is read by nobody.
        audit: who reads the audit events, if anybody.
        quarantine: who reads the quarantine, if anybody; its records are encrypted.
    """

    job: Principal
    segments: dict[Name, _Readers] = pydantic.Field(default_factory=dict)
    audit: _Readers | None = None
    quarantine: _Readers | None = None

    def readers(self) -> Iterator[tuple[str, Place, Readers]]:
        """Output, place in the file, and readers, for each output that somebody reads."""
        for name, readers in self.segments.items():
            yield name, ("segments", name), readers
        for name, found in (("audit", self.audit), ("quarantine", self.quarantine)):
            if found is not None:
                yield name, (name,), found


@dataclass(frozen=True)
class LoadedPrincipals:
    """Principals that fit a policy.

    Attributes:
        principals: the model.
        warnings: what is allowed and seldom meant.
    """

    principals: Principals
    warnings: list[Fault]


def read_principals(path: Path, policy: Policy) -> LoadedPrincipals:
    """Read a principals file and check it against the policy.

    Raises:
        InputError: the file cannot be read.
        PolicyFaults: with every fault, each at its line and column: broken YAML, an unknown key or segment, no principal, the job among the
            readers, consumer groups that overlap, a principal that reads a segment under `held_apart` and another one, and, where
            isolation is strict, a principal that reads any two segments.
    """
    try:
        text = read_text(path)
    except InputError as error:
        raise InputError(f"{path}: the principals cannot be read ({error}). Hint: pass a YAML file with --principals") from None
    document = Document(str(path), text)
    try:
        principals = Principals.model_validate(document.value)
    except ValidationError as error:
        raise PolicyFaults(str(path), faults_of(error, document, (), Principals)) from None
    findings = Findings(document)
    _check(principals, policy, findings)
    if findings.errors:
        raise PolicyFaults(str(path), findings.errors)
    return LoadedPrincipals(principals, findings.warnings)


def _check(principals: Principals, policy: Policy, findings: Findings) -> None:
    reads: dict[str, list[str]] = {}
    for name, place, readers in principals.readers():
        if place[0] == "segments" and name not in policy.segments:
            hint = did_you_mean(name, policy.segments, "segments")
            findings.error(place, f"'{cut(name)}' is not a segment of the policy", hint, at_key=True)
        for number, principal in enumerate(readers.principals):
            loc = (*place, "principals", number)
            if principal == principals.job:
                findings.error(loc, f"'{cut(principal)}' runs the job, which reads the raw stream", "readers have principals of their own")
            elif others := [other for other in reads.get(principal, ()) if other != name]:
                apart = [other for other in others if _held_apart(name, other, policy)]
                message = f"'{cut(principal)}' reads '{cut(name)}' and '{cut((apart or others)[0])}', so it can put them together"
                hint = "give each segment a principal of its own"
                if apart:
                    message += ", which 'held_apart' in the policy rules out"
                    hint += ", or change the policy: without held_apart, flink-masking check says what the two reveal together"
                (findings.error if apart or policy.isolation == "strict" else findings.warn)(loc, message, hint)
            reads.setdefault(principal, []).append(name)
    _check_groups(principals, findings)


def _held_apart(one: str, other: str, policy: Policy) -> bool:
    """Whether the policy says that nobody reads these two outputs together, of which warnings of its check were left out."""
    return one in policy.segments and other in policy.segments and (one in policy.held_apart or other in policy.held_apart)


def _check_groups(principals: Principals, findings: Findings) -> None:
    """Whoever may use a prefix of consumer groups can commit offsets for every group under it."""
    for _, place, readers in principals.readers():
        for number, principal in enumerate(readers.principals):
            prefix = readers.group_prefix(principal)
            named = readers.group is not None
            loc = (*place, "group") if named else (*place, "principals", number)
            if wrong := unusable(prefix):
                what = "" if named else f"'{cut(principal)}' makes no consumer group: its prefix "
                findings.error(loc, f"{what}{wrong}", "{principals: …, group: prefix-} of letters, digits, '.', '_' and '-'")
            elif not prefix.endswith(DELIMITERS):
                message = f"'{cut(prefix)}' does not end in a delimiter, so it covers '{cut(prefix)}x-…', too"
                findings.error(loc, message, f"write {cut(prefix)}-")
            if named:
                break
    prefixes = [(readers.group_prefix(principal), principal, place)
                for _, place, readers in principals.readers() for principal in readers.principals]
    for (one, first, _), (other, second, place) in combinations(prefixes, 2):
        if first != second and one != other and (one.startswith(other) or other.startswith(one)):
            message = f"the consumer groups '{cut(other)}…' of '{cut(second)}' and '{cut(one)}…' of '{cut(first)}' overlap"
            findings.error((*place, "group"), message, "{principals: …, group: prefix-} with prefixes of which none begins another")
