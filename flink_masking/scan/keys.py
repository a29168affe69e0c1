"""Keys that are data: of what type they are, what they join with, and the rule that a proposal has for them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from flink_masking.detect import TYPES, Detectors
from flink_masking.records.paths import Wild, format_path, parse_path
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.choices import Choice
from flink_masking.scan.names import domain_of
from flink_masking.scan.report import PathReport
from flink_masking.scan.treatments import treatment

_CATEGORY = {type_.name: type_.category for type_ in TYPES}


def hashes_of(keys: Sequence[str]) -> np.ndarray:
    """The hashes that these texts have as values, uint64."""
    data, starts, ends = _columns(keys)
    hashes, shapes = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint8)
    kernels.describe(data, starts, ends, np.zeros(len(keys), np.uint8), hashes, shapes)
    return hashes


def key_type(keys: Sequence[str], detectors: Detectors) -> str:
    """The type that most keys are as a whole; "" for none."""
    data, starts, ends = _columns(keys)
    found = detectors.find(data, starts, ends)
    whole = (found.starts == starts[found.values]) & (found.ends == ends[found.values])
    counts = Counter(found.types[whole].tolist())
    type_, times = counts.most_common(1)[0] if counts else (0, 0)
    return TYPES[type_].name if times >= 0.8 * len(keys) else ""


def _columns(keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    raw = [key.encode("utf-8", "replace") for key in keys]
    edges = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    return np.frombuffer(b"".join(raw) or b" ", np.uint8), edges[:-1], edges[1:]


def key_rules(choices: Sequence[Choice], paths: Mapping[str, PathReport]) -> dict[str, tuple[str, str]]:
    """The rule for the keys of each map of which a member is shown, in YAML, and why; by the path that ends in ``*``."""
    rules = {choice.path: choice.rule for choice in choices if choice.rule is not None}
    found: dict[str, tuple[str, str]] = {}
    for path in rules:
        steps = parse_path(path)
        for k, step in enumerate(steps, 1):
            name = format_path(steps[:k])
            if step is Wild.KEY and name not in found:
                report = paths.get(name)
                if report is not None:
                    found[name] = _rule(report, rules)
    return found


def _rule(report: PathReport, rules: Mapping[str, str]) -> tuple[str, str]:
    same = rules.get(report.key_of, "")
    count = f"{report.keys:,} different keys"
    if "pseudonym" in same and "within" not in same:
        return same, f"{count}; they are values of {report.key_of}, and join with it"
    typed = treatment(report.key, _CATEGORY[report.key], None, True).rule if report.key else None
    if typed is not None and "pseudonym" in typed:
        return typed, f"{count}, {report.key}"
    domain = domain_of(report.path.replace("*", "key"))
    return f"{{technique: pseudonym, domain: {domain}}}", f"{count}; plain where they say nothing of a person"
