"""Writes a proposal as YAML, a comment beside each choice."""

import re
from dataclasses import replace

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


def write(report: Report, stream: str, opaque: set[str], untyped: set[str], keys: bool = True, each: str = "",
          changes: Changes | None = None, key: tuple[str, ...] = (), loose: bool = False, framing: str = "") -> str:
    """The text of a policy.

    Args:
        report: of the sample.
        stream: name of the stream.
        opaque: paths that take anything.
        untyped: paths without a type.
        keys: show members of objects whose keys are data, under rules for these keys.
        each: path of an array's elements in documents, which are the records of the report; "" where records were read as they are.
        changes: the envelopes that the report's records, which are rows, stand in; None where they stand alone.
        key: columns that the envelopes name as the table's key.
        loose: the envelopes have members that the library does not know.
        framing: of records that name their schema in front; "" for others.
    """
    if FORMATS[report.format].single:
        return _of_lines(report, stream)
    paths = {path.path: path for path in report.paths}
    of_type = {path: domain for path, one in paths.items() if (domain := domain_of_type(one)) is not None}
    several = {path for path, one in paths.items() if mixed(one, weighty(one))}
    choices, open_record = choose(paths, opaque, untyped, domains(report.paths, of_type, several), keys)
    what = f"records of format {report.format}" if changes is None else f"rows in changes of {changes.envelope}"
    if changes is not None and SHAPES[changes.envelope].texts:
        choices = [replace(choice, unit="") for choice in choices]
    lines = [
        f"# Proposed by flink-masking scan from {report.readable:,} {what}. Counts are of that sample.",
        "# A person decides where a line says decide: and reads the others. Next: flink-masking check, then flink-masking preview.",
        "version: 1", f"stream: {stream}", f"format: {report.format}",
        *([f"framing: {framing}  # the schemas are those of the deployment's registry"] if framing else []),
        *([f"each: {quoted(each)}  # a file's documents hold nothing but this array; in a stream, omit it: records come one by one"]
          if each else []),
        *(_record(changes, key) if changes is not None else [*_subject(choices, paths), *_event_time(choices, paths)]), "", "fields:",
    ]  # fmt: skip
    lines += _beside([(f"  {quoted(c.path)}: {_declaration(c)}", _said(c)) for c in choices])
    if not choices:
        lines = [*lines[:-1], "fields:", "  id: {class: plain}  # decide: the sample has no field that a path can name"]
    if loose:
        lines.append("unknown_fields: drop  # decide: the envelopes have members that are neither of the row nor known metadata")
    elif open_record:
        lines.append("unknown_fields: drop  # decide: the keys of the record itself vary like data, and no path can name them")
    else:
        lines.append("unknown_fields: quarantine  # a member that the sample did not have is looked at before anybody receives it")
    order = [] if changes is not None else ["    order: shuffled  # line 17 of two views is not the same record"]
    lines += ["", "segments:", f"  masked-{stream}:", "    view: masked", *order, "    rules:"]
    lines += _beside([(f"      {quoted(c.path)}: {c.rule}", _ruled(c)) for c in choices if c.rule is not None])
    lines.append('      "*": drop  # every other declared field')
    if masked := key_rules(choices, paths):
        lines += ["    keys:  # the keys of these objects are data", *_beside([
            (f"      {quoted(path)}: {rule}", f"decide: {because}") for path, (rule, because) in masked.items()])]  # fmt: skip
    return "\n".join(lines) + "\n"


def _record(changes: Changes, key: tuple[str, ...]) -> list[str]:
    """The section of the envelope."""
    wrapped = ", wrapped: true" if changes.wrapped else ""
    named = f"key: [{', '.join(map(quoted, key))}]" if key else "key: […]"
    return [f"record: {{envelope: {changes.envelope}{wrapped}}}  # paths of fields are those of the row, in each image of it",
            _one_line(f"# decide: {named}, the columns that are the key in Kafka; without it records leave without a key")]


def _of_lines(report: Report, stream: str) -> str:
    """The policy for records that are one text each."""
    found = ", ".join(f"{one.type} in {one.values:,}" for path in report.paths for one in path.found)
    lines = [
        f"# Proposed by flink-masking scan from {report.readable:,} records of format {report.format}. Counts are of that sample.",
        "# A person decides where a line says decide: and reads the others. Next: flink-masking check, then flink-masking preview.",
        "version: 1", f"stream: {stream}", f"format: {report.format}", "", "fields:",
        f"  {TEXT}: {{class: free_text}}  # a record is this field; {_one_line(found) or 'nothing was found'}",
        "", "segments:", f"  masked-{stream}:", "    view: masked",
        "    order: shuffled  # line 17 of two views is not the same record", "    rules:",
        f"      {TEXT}: redact_text  # decide: what is not detected is shown; redact shows nothing",
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


def _subject(choices: list[Choice], paths: dict[str, PathReport]) -> list[str]:
    """A commented line that names who records may be about."""
    able = [c for c in choices if c.rule is not None and "pseudonym" in c.rule and "within" not in c.rule
            and all(isinstance(step, str) for step in parse_path(c.path)) and not names.EVENT.search(names.named(c.path))]
    recurs = {c.path: sum(c.path in [one.path for one in (*p.equals, *p.contains)] for p in paths.values()) for c in able}
    able.sort(key=lambda c: (not names.PEOPLE.search(c.path), -paths[c.path].share, c.role != "identifier", -recurs[c.path],
                             len(parse_path(c.path))))
    if not able:
        return ["# subject: …  # decide: which field says whom a record is about, if one does"]
    return [_one_line(f"# subject: {quoted(able[0].path)}  # decide: which field says whom a record is about; anonymized and aggregated "
                      "views count people by it")]


def _event_time(choices: list[Choice], paths: dict[str, PathReport]) -> list[str]:
    times = [c for c in choices if (c.type == "datetime" or c.unit) and all(isinstance(step, str) for step in parse_path(c.path))]
    times.sort(key=lambda c: (-paths[c.path].share, not names.TIME.search(names.named(c.path)), len(parse_path(c.path))))
    return [_one_line(f"# event_time: {{field: {quoted(times[0].path)}}}  # decide: needed by aggregated views")] if times else []
