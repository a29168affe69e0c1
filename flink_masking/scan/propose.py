"""Writes a proposal as YAML, a comment beside each choice."""

import re

import yaml

from flink_masking.records.paths import Wild, parse_path
from flink_masking.scan.choices import Choice, choose, domain_of_type, slug
from flink_masking.scan.report import PathReport, Report

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[\*\])*")
_WIDEST = 60


def write(report: Report, stream: str, opaque: set[str], untyped: set[str]) -> str:
    """The text of a policy.

    Args:
        report: of the sample.
        stream: name of the stream.
        opaque: paths that take anything.
        untyped: paths without a type.
    """
    paths = {path.path: path for path in report.paths}
    domains = _domains(report)
    choices, open_record = choose(paths, opaque, untyped, domains)
    lines = [
        f"# Proposed by flink-masking scan from {report.readable:,} records of format {report.format}. Counts are of that sample.",
        "# A person decides where a line says decide: and reads the others. Next: flink-masking check, then flink-masking preview.",
        "version: 1", f"stream: {stream}", f"format: {report.format}",
        *_subject(choices, paths), *_event_time(choices), "", "fields:",
    ]  # fmt: skip
    lines += _beside([(f"  {quoted(c.path)}: {_declaration(c)}", _said(c)) for c in choices])
    if not choices:
        lines = [*lines[:-1], "fields:", "  id: {class: plain}  # decide: the sample has no field that a path can name"]
    if open_record:
        lines.append("unknown_fields: drop  # decide: the keys of the record itself vary like data, and no path can name them")
    else:
        lines.append("unknown_fields: quarantine  # a member that the sample did not have is looked at before anybody receives it")
    lines += ["", "segments:", f"  masked-{stream}:", "    view: masked",
              "    order: shuffled  # line 17 of two views is not the same record", "    rules:"]  # fmt: skip
    lines += _beside([(f"      {quoted(c.path)}: {c.rule}", _ruled(c)) for c in choices if c.rule is not None])
    lines.append('      "*": drop  # every other declared field')
    return "\n".join(lines) + "\n"


def stream_name(name: str) -> str:
    """A stream's name made of a file's."""
    stem = re.sub(r"(?:\.(?:jsonl?|ndjson|csv|gz|zst|txt))+$", "", name)
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:100] or "records"


def quoted(path: str) -> str:
    """A path as a key in YAML."""
    if _PLAIN.fullmatch(path) and yaml.safe_load(path) == path:
        return path
    return yaml.dump(path, default_style='"', allow_unicode=True, width=1_000_000).strip()


def _declaration(choice: Choice) -> str:
    return f"{{class: {choice.role}}}" if choice.type is None else f"{{class: {choice.role}, type: {choice.type}}}"


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
    able = [c for c in choices if c.role == "identifier" and not any(isinstance(step, Wild) for step in parse_path(c.path))]
    able.sort(key=lambda c: (-sum(c.path in [one.path for one in (*p.equals, *p.contains)] for p in paths.values()), -paths[c.path].share,
                             len(parse_path(c.path))))
    if not able:
        return ["# subject: …  # decide: which field says whom a record is about, if one does"]
    return [_one_line(f"# subject: {quoted(able[0].path)}  # decide: which field says whom a record is about; anonymized and aggregated "
                      "views count people by it")]


def _event_time(choices: list[Choice]) -> list[str]:
    times = [c.path for c in choices if c.type == "datetime" and not any(isinstance(step, Wild) for step in parse_path(c.path))]
    return [_one_line(f"# event_time: {{field: {quoted(times[0])}}}  # decide: needed by aggregated views")] if times else []


def _domains(report: Report) -> dict[str, str]:
    """For each path whose values are those of another path, or part of it, the name of their common key domain."""
    above: dict[str, str] = {}

    def root(path: str) -> str:
        while above.get(path, path) != path:
            path = above[path]
        return path

    named: set[str] = set()
    for path in report.paths:
        for one in path.equals:
            above[root(path.path)] = root(one.path)
            named |= {path.path, one.path}
        named |= {one.path for one in path.contains}
    names: dict[str, str] = {}
    for path in report.paths:  # a type's own domain goes before that of a path, so that other fields and texts join, too
        if path.path in named and (domain := domain_of_type(path)) is not None:
            names.setdefault(root(path.path), domain)
    return {path: names.get(root(path)) or slug(root(path).replace("[*]", "").replace("*", "key")) for path in named}
