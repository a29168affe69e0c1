"""Writes a proposal as YAML, a comment beside each choice."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import yaml

from flink_masking.policy.envelope import SHAPES
from flink_masking.records.codec import FORMATS, TEXT
from flink_masking.records.paths import parse_path
from flink_masking.scan import names
from flink_masking.scan.changes import Changes
from flink_masking.scan.choices import Choice, choose, domain_of_type
from flink_masking.scan.domains import domains
from flink_masking.scan.keys import key_rules
from flink_masking.scan.report import PathReport, Report
from flink_masking.scan.treated import mixed
from flink_masking.scan.weight import weighty

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[\*\])*")
_WIDEST = 60


@dataclass(frozen=True)
class Draft:
    """What a policy is written of.

    Attributes:
        report: of the sample.
        stream: name of the stream.
        choices: what is proposed for each field.
        subject: the field that records may be about, "" for none.
        event_time: the field that may say when an event was, "" for none.
        open_record: whether records have members that no path can declare.
        each: path of an array's elements in documents, which are the records of the report; "" where records were read as they are.
        changes: the envelopes that the report's records, which are rows, stand in; None where they stand alone.
        key: columns that the envelopes name as the table's key.
        loose: the envelopes have members that the library does not know.
        framing: of records that name their schema in front; "" for others.
    """

    report: Report = field(repr=False)
    stream: str
    choices: tuple[Choice, ...]
    subject: str = ""
    event_time: str = ""
    open_record: bool = False
    each: str = ""
    changes: Changes | None = None
    key: tuple[str, ...] = ()
    loose: bool = False
    framing: str = ""

    def text(self, refused: Collection[str] = (), decided: Collection[str] = ()) -> str:
        """The policy.

        Args:
            refused: paths whose rule is not wanted: these fields are declared, and dropped.
            decided: of ``subject`` and ``event_time`` those that are accepted; others are comments.
        """
        if FORMATS[self.report.format].single:
            return _of_lines(self, refused)
        choices = [replace(one, rule=None) if one.path in refused else one for one in self.choices]
        paths = {path.path: path for path in self.report.paths}
        changes, stream = self.changes, self.stream
        what = f"records of format {self.report.format}" if changes is None else f"rows in changes of {changes.envelope}"
        lines = [
            f"# Proposed by flink-masking scan from {self.report.readable:,} {what}. Counts are of that sample.",
            "# A person decides where a line says decide: and reads the others. Next: flink-masking check, then flink-masking preview.",
            "version: 1", f"stream: {stream}", f"format: {self.report.format}",
            *([f"framing: {self.framing}  # the schemas are those of the deployment's registry"] if self.framing else []),
            *([f"each: {quoted(self.each)}  # a file's documents hold nothing but this array; in a stream, omit it: records come one by "
               "one"] if self.each else []),
            *(_record(changes, self.key) if changes is not None else _stream(self, decided)), "", "fields:",
        ]  # fmt: skip
        lines += _beside([(f"  {quoted(c.path)}: {_declaration(c)}", _said(c)) for c in choices])
        if not choices:
            lines = [*lines[:-1], "fields:", "  id: {class: plain}  # decide: the sample has no field that a path can name"]
        if self.loose:
            lines.append("unknown_fields: drop  # decide: the envelopes have members that are neither of the row nor known metadata")
        elif self.open_record:
            lines.append("unknown_fields: drop  # decide: the keys of the record itself vary like data, and no path can name them")
        else:
            lines.append("unknown_fields: quarantine  # a member that the sample did not have is looked at before anybody receives it")
        order = [] if changes is not None else ["    order: shuffled  # within a batch, line 17 of two views is not the same record"]
        lines += ["", "segments:", f"  masked-{stream}:", "    view: masked", *order, "    rules:"]
        lines += _beside([(f"      {quoted(c.path)}: {c.rule}", _ruled(c)) for c in choices if c.rule is not None])
        lines.append('      "*": drop  # every other declared field')
        if masked := key_rules(choices, paths):
            lines += ["    keys:  # the keys of these objects are data", *_beside([
                (f"      {quoted(path)}: {rule}", f"decide: {because}") for path, (rule, because) in masked.items()])]  # fmt: skip
        return "\n".join(lines) + "\n"


def draft(report: Report, stream: str, opaque: set[str], untyped: set[str], keys: bool = True, each: str = "",
          changes: Changes | None = None, key: tuple[str, ...] = (), loose: bool = False, framing: str = "") -> Draft:
    """Choose for every field.

    Args:
        report: of the sample.
        stream: name of the stream.
        opaque: paths that take anything.
        untyped: paths without a type.
        keys: show members of objects whose keys are data, under rules for these keys.
        each: see `Draft`, as all further ones.
        changes: the envelopes.
        key: their key.
        loose: whether they have further members.
        framing: of the records.
    """
    if FORMATS[report.format].single:
        shown = "what is not detected is shown; redact shows nothing"
        return Draft(report, stream, (Choice(TEXT, "free_text", None, "redact_text", _found_in_lines(report), shown),))
    paths = {path.path: path for path in report.paths}
    of_type = {path: domain for path, one in paths.items() if (domain := domain_of_type(one)) is not None}
    several = {path for path, one in paths.items() if mixed(one, weighty(one))}
    choices, open_record = choose(paths, opaque, untyped, domains(report.paths, of_type, several), keys)
    if changes is not None and SHAPES[changes.envelope].texts:
        choices = [replace(choice, unit="") for choice in choices]
    return Draft(report, stream, tuple(choices), _subject(choices, paths), _event_time(choices, paths), open_record, each, changes, key,
                 loose, framing)


def _record(changes: Changes, key: tuple[str, ...]) -> list[str]:
    """The section of the envelope."""
    wrapped = ", wrapped: true" if changes.wrapped else ""
    named = f"key: [{', '.join(map(quoted, key))}]" if key else "key: […]"
    return [f"record: {{envelope: {changes.envelope}{wrapped}}}  # paths of fields are those of the row, in each image of it",
            _one_line(f"# decide: {named}, the columns that are the key in Kafka; without it records leave without a key")]


def _found_in_lines(report: Report) -> str:
    found = ", ".join(f"{one.type} in {one.values:,}" for path in report.paths for one in path.found)
    return _one_line(found) or "nothing was found"


def _of_lines(draft: Draft, refused: Collection[str]) -> str:
    """The policy for records that are one text each."""
    report, stream = draft.report, draft.stream
    rule = "redact  # nothing of a text is shown" if TEXT in refused else (
        "redact_text  # decide: what is not detected is shown; redact shows nothing")
    lines = [
        f"# Proposed by flink-masking scan from {report.readable:,} records of format {report.format}. Counts are of that sample.",
        "# A person decides where a line says decide: and reads the others. Next: flink-masking check, then flink-masking preview.",
        "version: 1", f"stream: {stream}", f"format: {report.format}", "", "fields:",
        f"  {TEXT}: {{class: free_text}}  # a record is this field; {draft.choices[0].because}",
        "", "segments:", f"  masked-{stream}:", "    view: masked",
        "    order: shuffled  # within a batch, line 17 of two views is not the same record", "    rules:",
        f"      {TEXT}: {rule}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def stream_name(name: str) -> str:
    """A stream's name made of a file's."""
    stem = re.sub(r"(?:\.(?:jsonl?|ndjson|csv|gz|zst|txt|log))+$", "", name)
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:100] or "records"


def quoted(path: str) -> str:
    """A path as a key in YAML."""
    if _PLAIN.fullmatch(path) and yaml.safe_load(path) == path:
        return path
    return yaml.dump(path, default_style='"', allow_unicode=True, width=1_000_000).strip()


def _declaration(choice: Choice) -> str:
    return "{" + ", ".join([f"class: {choice.role}", *([f"type: {choice.type}"] if choice.type else []),
                            *([f"unit: {choice.unit}"] if choice.unit else [])]) + "}"


def _said(choice: Choice) -> str:
    text = choice.because
    if choice.decide:
        text = f"decide: {choice.decide} ({text})" if text else f"decide: {choice.decide}"
    return _one_line(text)


def _ruled(choice: Choice) -> str:
    """Why a rule is proposed, in words that need no table."""
    rule = choice.rule or ""
    if rule == "keep":
        return "shown: nothing was found, and it repeats or measures"
    if rule == "redact":
        return "only that there was a text is shown"
    if "within" in rule:
        return "the part that identifies joins with the same values elsewhere; what stands around it is shown"
    if "pseudonym" in rule:
        return "joins and counts stay possible, the value does not come back"
    return "coarser" + (f"; decide: {choice.decide}" if choice.decide else "")


def _one_line(text: str) -> str:
    """A comment without what would end it."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _beside(lines: list[tuple[str, str]]) -> list[str]:
    width = min(_WIDEST, max((len(line) for line, _ in lines), default=0))
    return [f"{line:<{width}}  # {comment}" for line, comment in lines]


def _stream(draft: Draft, decided: Collection[str]) -> list[str]:
    """Lines that say whom a record is about and when it was, as comments where nobody has accepted them."""
    subject = f"subject: {quoted(draft.subject) if draft.subject else '…'}"
    who = ("decide: which field says whom a record is about; anonymized and aggregated views count people by it" if draft.subject else
           "decide: which field says whom a record is about, if one does")
    accepted = "subject" in decided and draft.subject
    lines = [_one_line(f"{'' if accepted else '# '}{subject}  # {who}")]
    if draft.event_time:
        time = f"event_time: {{field: {quoted(draft.event_time)}}}"
        lines.append(_one_line(f"{'' if 'event_time' in decided else '# '}{time}  # decide: needed by aggregated views"))
    return lines


def _subject(choices: list[Choice], paths: dict[str, PathReport]) -> str:
    """The field that records may be about, "" for none."""
    able = [c for c in choices if c.rule is not None and "pseudonym" in c.rule and "within" not in c.rule
            and all(isinstance(step, str) for step in parse_path(c.path)) and not names.EVENT.search(names.named(c.path))]
    recurs = {c.path: sum(c.path in [one.path for one in (*p.equals, *p.contains)] for p in paths.values()) for c in able}
    able.sort(key=lambda c: (not names.PEOPLE.search(c.path), -paths[c.path].share, c.role != "identifier", -recurs[c.path],
                             len(parse_path(c.path))))
    return able[0].path if able else ""


def _event_time(choices: list[Choice], paths: dict[str, PathReport]) -> str:
    """The field that may say when an event was, "" for none."""
    times = [c for c in choices if (c.type == "datetime" or c.unit) and all(isinstance(step, str) for step in parse_path(c.path))]
    times.sort(key=lambda c: (-paths[c.path].share, not names.TIME.search(names.named(c.path)), len(parse_path(c.path))))
    return times[0].path if times else ""
