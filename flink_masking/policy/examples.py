"""Examples for the reference of the grammar and for hints, by definition and key; ``*`` stands for every definition."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_RULE = {"technique": "partial", "keep_last": 4}
_PRIVACY = {"epsilon": 1.0, "delta": 1e-9}

EXAMPLES: Mapping[tuple[str, str], Any] = MappingProxyType({
    ("Policy", "version"): 1,
    ("Policy", "stream"): "customer-events",
    ("Policy", "format"): "csv",
    ("Policy", "columns"): ["id", "email", "amount"],
    ("Policy", "each"): "Records[*]",
    ("Policy", "subject"): "customerId",
    ("Policy", "event_time"): {"field": "timestamp", "max_out_of_orderness": "5s"},
    ("Policy", "fields"): {"email": {"class": "direct", "type": "email"}},
    ("Policy", "segments"): {"analytics": {"view": "masked", "rules": {"email": "redact"}}},
    ("Policy", "audit"): {"sink": "audit-events"},
    ("Policy", "shared_domains"): ["customer"],
    ("Policy", "held_apart"): ["analytics", "partners"],
    ("Policy", "privacy"): {"lifetime_epsilon": 100.0},
    ("Field", "class"): "direct",
    ("Field", "type"): "email",
    ("Field", "optional"): False,
    ("Field", "domain"): [0, 120],
    ("Field", "hierarchy"): "hierarchies/us_city.csv",
    ("Field", "prefix"): 5,
    ("Field", "values"): ["GET", "POST"],
    ("Field", "pattern"): "[A-Z]{2}[0-9]{6}",
    ("Field", "bounds"): [0, 1000],
    ("Field", "scale"): 2,
    ("Field", "unit"): "ms",
    ("Field", "derive"): {"age_on": "2024-12-31"},
    ("Derive", "age_on"): "2024-12-31",
    ("Derive", "date"): "hour_of_day",
    ("Derive", "domain"): [0, 100],
    ("EventTime", "field"): "timestamp",
    ("EventTime", "unit"): "ns",
    ("EventTime", "max_out_of_orderness"): "5s",
    ("EventTime", "max_ahead"): "1min",
    ("Audit", "sink"): "audit-events",
    ("MaskedSegment", "rules"): {"email": _RULE, "*": "drop"},
    ("MaskedSegment", "unknown_fields"): {"technique": "redact_text", "deny": ["Project Falcon"]},
    ("MaskedSegment", "key_versions"): True,
    ("MaskedSegment", "record"): {"key": {"technique": "pseudonym", "domain": "customer"}, "timestamp": "keep"},
    ("MaskedSegment", "keys"): {"attrs.*": "plain"},
    ("RecordParts", "key"): {"technique": "pseudonym", "domain": "customer"},
    ("RecordParts", "headers"): {"trace": "keep"},
    ("RecordParts", "key_type"): "uuid",
    ("RecordParts", "header_types"): {"trace": "uuid"},
    ("Part", "prefix"): "Patient/",
    ("Part", "after"): "|",
    ("Part", "before"): "@",
    ("Part", "pattern"): "/home/([^/]+)/.*",
    ("*", "within"): {"prefix": "Patient/"},
    ("AnonymizedSegment", "k"): 5,
    ("AnonymizedSegment", "l_diversity"): {"field": "diagnosis", "l": 2},
    ("AnonymizedSegment", "t_closeness"): {"field": "diagnosis", "t": 0.3},
    ("AnonymizedSegment", "alpha_k"): {"field": "diagnosis", "alpha": 0.5},
    ("AnonymizedSegment", "quasi_identifiers"): ["age", "zip"],
    ("AnonymizedSegment", "release"): ["diagnosis"],
    ("AnonymizedSegment", "max_delay"): "10s",
    ("AnonymizedSegment", "max_buffer"): 20_000,
    ("AnonymizedSegment", "window"): "10min",
    ("*", "shards"): 4,
    ("AnonymizedSegment", "max_releases"): {"per": "1h", "count": 10},
    ("Diversity", "field"): "diagnosis",
    ("Diversity", "l"): 2,
    ("Diversity", "c"): 2.0,
    ("Closeness", "field"): "diagnosis",
    ("Closeness", "t"): 0.3,
    ("Closeness", "hierarchy"): "hierarchies/diagnosis.csv",
    ("Closeness", "values"): ["low", "medium", "high"],
    ("Closeness", "bins"): 10,
    ("Closeness", "reference"): {"flu": 0.7, "asthma": 0.3},
    ("Alpha", "field"): "diagnosis",
    ("Alpha", "alpha"): 0.5,
    ("Alpha", "values"): ["hiv"],
    ("MaxReleases", "per"): "1h",
    ("MaxReleases", "count"): 10,
    ("AggregatedSegment", "window"): {"tumbling": "1min"},
    ("AggregatedSegment", "group_by"): [{"zip": {"prefix": 3}}],
    ("AggregatedSegment", "metrics"): {"orders": "count", "spend": {"sum": "amount"}},
    ("AggregatedSegment", "privacy"): _PRIVACY,
    ("AggregatedSegment", "clip"): True,
    ("Window", "tumbling"): "1min",
    ("Window", "hopping"): {"size": "1h", "every": "10min"},
    ("Hopping", "size"): "1h",
    ("Hopping", "every"): "10min",
    ("Privacy", "epsilon"): 1.0,
    ("Privacy", "delta"): 1e-9,
    ("Privacy", "max_groups_per_subject"): 2,
    ("Privacy", "max_records_per_group"): 3,
    ("*", "lifetime_epsilon"): 100.0,
    ("technique_redact_text", "entities"): {"EMAIL": {"technique": "pseudonym", "domain": "email"}, "IP_ADDRESS": "keep"},
    ("technique_redact_text", "allow"): ["info@example.com"],
    ("technique_redact_text", "deny"): ["Project Falcon"],
    ("technique_redact_text", "minimum"): 70,
    ("technique_redact_text", "unknown_names"): "mask",
    ("technique_fpe", "max_length"): 16,
    ("technique_generalize", "subnet_v6"): 56,
    ("technique_generalize", "low_label"): "minor",
    ("technique_shuffle", "group"): ["age", "zip"],
})  # fmt: skip


def inline(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{inline(key)}: {inline(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, str):
        plain = value and value.replace("_", "").replace("-", "").replace("/", "").replace(".", "").isalnum() and not value[0].isdigit()
        duration = value[:1].isdigit() and value.isalnum() and not value.isdigit()
        return value if plain or duration else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
