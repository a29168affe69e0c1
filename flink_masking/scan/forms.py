"""The part of a text that a rule is for, as a policy writes it: ``within: {prefix: "Patient/"}``."""

import json
import re

from flink_masking.scan.report import PathReport

MOST = 6
"""Forms of a path's texts, at most."""
FEWEST = 3
"""Different values for each form, at least: with fewer the form is as likely to be the data."""
_META = re.compile(r"([\\.+*?()|\[\]{}^$])")


def within(report: PathReport) -> str | None:
    """The value of ``within`` for a path, in YAML; None where its texts have no form in common."""
    frames = report.frames
    if not frames or len(frames) > MOST or report.distinct < FEWEST * len(frames):
        return None
    if not any(frame.before or frame.after for frame in frames):
        return None
    parts = []
    for frame in sorted(frames, key=lambda one: (-len(one.before), one.before)):  # a prefix of another one comes behind it
        if not frame.after:
            parts.append(f"{{prefix: {json.dumps(frame.before)}}}")
        elif not frame.before:
            parts.append(f"{{before: {json.dumps(frame.after)}}}")
        else:
            pattern = _literal(frame.before) + f"([^{_literal(frame.after[0])}]+)" + _literal(frame.after)
            parts.append(f"{{pattern: {json.dumps(pattern)}}}")
    return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"


def _literal(text: str) -> str:
    """A text as a regular expression."""
    return _META.sub(r"\\\1", text)
