"""The settings that a stateful segment's state depends on: policies with equal shapes can restore each other's savepoints."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment

Shape = Mapping[str, Any]
"""Names from the policy to JSON values."""
DOMAINS = "domains"
"""The member that stands for domains, hierarchies and prefixes of quasi-identifiers: a digest, since they can be long."""
PREFIX = "flink-masking-shape:"


def state_shapes(loaded: LoadedPolicy) -> dict[str, Shape]:
    """The shape of each stateful segment's state, by the segment's name.

    What may change between two jobs is not part of it: rules of masked segments, epsilon and delta, public lists of groups, delays and
    the size of buffers. It holds names and numbers from the policy, no data and no key.
    """
    shapes: dict[str, Shape] = {}
    for name, segment in loaded.policy.segments.items():
        if isinstance(segment, AnonymizedSegment):
            shapes[name] = _json({**_anonymized(segment, loaded), **_format(loaded)})
        elif isinstance(segment, AggregatedSegment):
            shapes[name] = _json({**_aggregated(name, segment, loaded), **_format(loaded)})
    return shapes


def _format(loaded: LoadedPolicy) -> dict[str, Any]:
    """The format in which state keeps groups and released values; left out where it is JSON, as it always was."""
    return {} if loaded.policy.format == "json" else {"format": loaded.policy.format}


def _anonymized(segment: AnonymizedSegment, loaded: LoadedPolicy) -> dict[str, Any]:
    signatures = [loaded.dimension(path, segment.categories).signature for path in segment.quasi_identifiers]
    shape: dict[str, Any] = {"view": segment.view, "subject": loaded.policy.subject, "shards": segment.shards, "mode": segment.mode,
                             "quasi_identifiers": segment.quasi_identifiers,
                             DOMAINS: hashlib.sha256("\n".join(signatures).encode()).hexdigest()[:16]}
    if segment.mode == "zero_delay":
        return {**shape, "k": segment.k, "release": segment.release}
    models = {"l_diversity": segment.diversities, "t_closeness": segment.closenesses, "alpha_k": segment.alphas}
    dumped = {kind: [rule.model_dump(mode="json", exclude_none=True) for rule in rules] for kind, rules in models.items()}
    folded = [path for path in segment.sensitive if loaded.policy.fields[path].compare == "folded"]  # left out where there is none
    return {**shape, "algorithm": segment.algorithm, **dumped, **({"compared folded": folded} if folded else {})}


def _aggregated(name: str, segment: AggregatedSegment, loaded: LoadedPolicy) -> dict[str, Any]:
    spec = loaded.aggregate(name)
    groups = [{key.field: key.parameters} if key.parameters else key.field for key in segment.group_by]
    measures = {measure.name: [measure.low, measure.high, measure.scale] for measure in spec.measures}
    return {"view": segment.view, "subject": loaded.policy.subject, "shards": segment.shards,
            "window": segment.window.model_dump(mode="json", exclude_none=True), "group_by": groups,
            "max_groups_per_subject": spec.max_groups_per_subject, "max_records_per_group": spec.max_records_per_group,
            "measures": measures, "squares": spec.squared, "bins": spec.binned}


def _json(shape: dict[str, Any]) -> Shape:
    """As it comes back from JSON, so that shapes can be compared."""
    found: Shape = orjson.loads(orjson.dumps(shape))
    return found


def differences(before: Mapping[str, Shape], after: Mapping[str, Shape]) -> list[str]:
    """What the state of a job with shapes `before` cannot follow, a phrase each; segments that only one of them has are left out.

    Returns:
        Such as ``segment 'partners': quasi_identifiers changed from ["age","zip"] to ["age"]``.
    """
    found = []
    for name in (name for name in before if name in after):
        old, new = before[name], after[name]
        if old.get("view") != new.get("view"):
            found.append(_changed(name, "view", old, new))
            continue
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) == new.get(key):
                continue
            if key != DOMAINS:
                found.append(_changed(name, key, old, new))
            elif old.get("quasi_identifiers") == new.get("quasi_identifiers"):
                found.append(f"segment '{name}': the domain, hierarchy or prefix of a quasi-identifier changed")
    return found


def _changed(name: str, key: str, old: Shape, new: Shape) -> str:
    before, after = (orjson.dumps(shape.get(key)).decode() for shape in (old, new))
    return f"segment '{name}': {key} changed from {_cut(before)} to {_cut(after)}"


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"


def encode(name: str, shape: Shape) -> str:
    """A segment's shape as one text, for the uid of an operator."""
    return PREFIX + orjson.dumps({"segment": name, "shape": shape}, option=orjson.OPT_SORT_KEYS).decode()


def decode(texts: list[str]) -> dict[str, Shape]:
    """The shapes among these texts, by segment; whatever is none of them, or of a later form, is ignored."""
    shapes: dict[str, Shape] = {}
    for text in texts:
        if text.startswith(PREFIX):
            try:
                body = orjson.loads(text.removeprefix(PREFIX))
                shapes[str(body["segment"])] = dict(body["shape"])
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                continue
    return shapes
