"""Contradictions between the parts of a policy, each at the line and column of the part to change."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

QUASI = "[age, zip, city]"
RELEASE = "release: [diagnosis"
FAULTS = [
    # fields
    ([("  email:  ", "  §em[ail:  ")], "path 'em[ail'", "card.number"),
    ([("  notes:  ", "  §\"*\":  ")], "'*' would declare every field", "unknown_fields"),
    ([("  notes:  ", "  notes: {class: plain}\n  §'\"notes\"':  ")], "'\"notes\"' is the same field as 'notes'", "once"),
    ([("  card.brand: ", "  §card: {class: plain}\n  card.brand: ")], "'card' holds 'card.number', so it is no single value", "omit"),
    ([("  card.brand: ", "  §card[*]: ")], "'card[*]' and 'card.number' contradict each other", "array or object"),
    ([("[0, 120]", "§[120, 0]")], "the domain of 'age' is not a low and a higher value", "two numbers"),
    ([("[0, 120]", "§[Oslo, Rome]")], "the domain of 'age' is not a low and a higher value", "generalised by a hierarchy"),
    ([("[0, 120]", "§[0, high]")], "the domain of 'age' is not a low and a higher value", "two numbers"),
    ([("prefix: 5", "prefix: 5, domain: [0, 9]"), ("prefix: 5", "prefix: §5")], "'zip' has domain and prefix", "one way"),
    ([("class: measure", "class: plain"), ("bounds: [", "bounds: §[")], "bounds are for class measure", "domain"),
    ([("[0, 1000]", "§[5, 5]")], "the bounds of 'purchaseAmount' are not a low and a higher value", "[0, 1000]"),
    ([("[0, 1000]", "§[0.001, 10]")], "the bounds of 'purchaseAmount' have more than 2 decimals", "scale"),
    ([("[0, 1000]", "§[0, 1e15]")], "the bounds of 'purchaseAmount' are too large for its scale", "15 digits"),
    ([("hierarchies/us_city.csv", "§nowhere.csv")], "nowhere.csv: the file did not come with the policy", "relative"),
    # subject, event time
    ([("subject: customerId", "subject: §customrId")], "'customrId' is not a declared field", "did you mean 'customerId'?"),
    ([("subject: customerId", "subject: §card")], "'card' holds other fields", "card.number"),
    ([("subject: customerId", "subject: §contacts[*].phone")], "'contacts[*].phone' has several values in a record", "outside arrays"),
    ([("subject: customerId", "subject: §profile")], "'profile' is of type json, not one value", "text or a number"),
    ([("subject: customerId", "subject: §'\"customerId\"'")], "'\"customerId\"' is spelt otherwise under 'fields'", "write customerId"),
    ([("field: timestamp", "field: §email")], "'email' is of type email, not a time", "datetime"),
    # segments
    ([("  masked-c", "  §.masked-c")], "'.masked-customer-events' cannot name a topic and a directory", "letters"),
    ([("  masked-customer-events", "  §quarantine")], "'quarantine' is the name of another output", "otherwise"),
    ([("  masked-customer-events", "  §audit-events")], "'audit-events' is the name of another output", "otherwise"),
    # masked
    ([("      city:", "      §ctiy:")], "'ctiy' is not a declared field", "did you mean 'city'?"),
    ([("  email:  ", "  emial:  "), ("      email:", "      §email:")], "'email' is not a declared field",
     "did you mean 'emial'? If 'email' is right, correct 'emial' under 'fields'"),
    ([("      city:", "      §ci[ty:")], "path 'ci[ty'", "card.number"),
    ([("      city:", "      card: drop\n      city:"), ("      card.number", "      §card.number")],
     "'card.number' is covered by the rule for 'card'", "object or array"),
    ([("      city:", "      §'\"email\"': drop\n      city:")], "'\"email\"' is the same field as 'email'", "one rule"),
    ([("level: 1}", "level: 9}"), ("city: {t", "city: §{t")], "city: level 9 of hierarchy does not exist", "levels 1 to 3"),
    ([("      city:", "      zip: {technique: shuffle, group: §[zip, age]}\n      age: shuffle\n      city:")],
     "'zip' is to move together with 'age', which has no such rule", "same rule"),
    ([("subject: customerId\n", ""), ("timestamp: keep", "timestamp: §{technique: date_shift, max_days: 3}")],
     "date_shift moves the dates of a person, and the policy names no subject", "subject"),
    # anonymized
    ([(QUASI, "[age, §email]")], "'email' is of class direct, not quasi", "class quasi"),
    ([(QUASI, "[age, §agee]")], "'agee' is not a declared field", "did you mean 'age'?"),
    ([(QUASI, "[age, zip, §age]")], "'age' is a duplicate", ""),
    ([(QUASI, "[age, §'contacts[*].kind']")], "'contacts[*].kind' has several values", "outside arrays"),
    ([(", domain: [0, 120]", ""), (QUASI, "[§age, zip]")], "'age' does not say how it is generalised", "domain, hierarchy, prefix"),
    ([("{class: quasi, domain: [0, 120]}", "{class: quasi, type: city}"), (QUASI, "[§age, zip]")],
     "'age' does not say how it is generalised", "give it a hierarchy"),
    ([("prefix: 5", "prefix: §9")], "prefix: not between 1 and 8 characters", "prefix: 5"),
    ([("[0, 120]", "§[0, 1.5]")], "domain: a bound has more decimals than scale", "scale"),
    ([(RELEASE, "release: [§customerId, diagnosis")], "'customerId' is the subject and cannot be released", "linkable"),
    ([(RELEASE, "release: [§email, diagnosis")], "'email' is of class direct and cannot be released", "who the person is"),
    ([(RELEASE, "release: [§age, diagnosis")], "'age' is of class quasi and cannot be released", "generalised"),
    ([(RELEASE, "release: [§notes, diagnosis")], "'notes' is of class free_text and cannot be released", "name people"),
    ([(RELEASE, "release: [§timestamp, diagnosis")], "'timestamp' is the event time and cannot be released", "time"),
    ([(RELEASE, "release: [§'contacts[*].kind', diagnosis")], "'contacts[*].kind' has several values", "outside arrays"),
    ([(RELEASE, "release: [diagnosis, §diagnosis")], "'diagnosis' is a duplicate", ""),
    ([("field: diagnosis", "field: §zip")], "'zip' is of class quasi, not sensitive", "class sensitive"),
    ([("l: 2", "l: §6")], "'l' must be at most k, 5", "values"),
    ([("max_buffer: 5000", "max_buffer: §1000000")], "'max_buffer' takes about", "at most"),
    ([("max_buffer: 5000", "max_buffer: §4")], "'max_buffer' must be at least k, 5", "never holds"),
    ([("max_delay", "t_closeness: {field: §zip, t: 0.2}\n    max_delay")], "'zip' is of class quasi, not sensitive", "class sensitive"),
    ([("max_delay", "t_closeness: §{field: diagnosis, t: 0.2, distance: ordered}\n    max_delay")], "t_closeness: the ordered distance",
     "values: [low"),
    ([("max_delay", "t_closeness: §{field: diagnosis, t: 0.2, distance: hierarchical}\n    max_delay")], "t_closeness: the hierarchical",
     "hierarchy: "),
    ([("max_delay", "t_closeness: {field: diagnosis, t: 0.2, hierarchy: §no.csv}\n    max_delay")], "no.csv: the file did not come", ""),
    ([("max_delay", "t_closeness: {field: diagnosis, t: 0.2, reference: §often}\n    max_delay")], "'reference' must be 'running'", "flu"),
    ([("max_delay", "t_closeness: §{field: diagnosis, t: 0.2, reference: {flu: 0.7, cold: 0.7}}\n    max_delay")],
     "reference: shares", "1"),
    ([("max_delay", "alpha_k: {field: diagnosis, alpha: §0.1}\n    max_delay")], "'alpha' must be at least 1/k, 1/5", "share 1/k"),
    ([("{field: diagnosis, l: 2}", "§{field: diagnosis, l: 2, kind: recursive}")], "'l_diversity' needs 'c' with kind recursive", "c: 2.0"),
    ([("{field: diagnosis, l: 2}", "[{field: diagnosis, l: 2}, {field: §zip, l: 2}]")], "'zip' is of class quasi, not sensitive", ""),
    ([("{field: diagnosis, l: 2}", "[{field: diagnosis, l: 2}, {field: diagnosis, §lll: 2, l: 3}]")], "unknown key 'lll'",
     "known keys: field, l"),
    ([("{field: diagnosis, l: 2}", "{field: diagnosis, l: 2, kind: §log}")], "'kind' has no such choice", "distinct"),
    ([("max_delay", "mode: zero_delay\n    max_delay"), ("l_diversity: {f", "§l_diversity: {f")], "'l_diversity' is about groups",
     "buffered"),
    ([("max_delay", "mode: zero_delay\n    algorithm: §mondrian\n    max_delay")], "mode zero_delay forms no groups", "omit"),
    # aggregated
    ([("event_time: {field: timestamp, max_out_of_orderness: 5s}\n", ""), ("  aggregated-", "  §aggregated-")],
     "'event_time' is missing", "event_time: {field"),
    ([("{tumbling: 1min}", "{hopping: {size: 1h, every: §7min}}")], "a window's size is no multiple of it", "every: 10min"),
    ([("{tumbling: 1min}", "{hopping: {size: 1h, every: §1s}}")], "a record would lie in 3,600 windows", "1,000 windows"),
    ([("{tumbling: 1min}", "{§session: 5min}")], "session windows cannot be private", "hopping"),
    ([("{zip: {generalize: 3}}", "§{zip: {}, ssn: {}}")], "'group_by' must name one field", "width"),
    ([("{zip: {generalize: 3}}", "§customerId")], "'customerId' is of class identifier and cannot be grouped by", "many people"),
    ([("{zip: {generalize: 3}}", "{email: §{prefix: 1}}")], "'email' is of class direct and cannot be grouped by", "many people"),
    ([("{city: {level: 2}}", "{zip: {prefix: 2}}"), (", {zip: {p", ", §{zip: {p")], "'zip' is already in the row", "group_by"),
    ([("{city: {level: 2}}", "{city: {level: §0}}")], "'level' must be at least 1", ""),
    ([("{city: {level: 2}}", "{city: {§levl: 2}}")], "unknown key 'levl'", "level"),
    ([("{city: {level: 2}}", "{timestamp: {generalize: §2}}")], "'timestamp' is of type datetime", "date: hour"),
    ([("{zip: {generalize: 3}}", "§{zip: {generalize: 3}}"), ("{city: {level: 2}}", "{city: {level: 2, groups: [West]}}")],
     "'zip' has no public list of groups, and other fields have", "or none"),
    ([("[{zip: {generalize: 3}}, {city: {level: 2}}]", "[§{city: {level: 2, groups: [West, West]}}]")],
     "a group of 'city' is a duplicate", ""),
    ([("[{zip: {generalize: 3}}, {city: {level: 2}}]", "[§{city: {level: 2, groups: [[West]]}}]")],
     "the groups of 'city' must be texts", ""),
    ([("[{zip: {generalize: 3}}, {city: {level: 2}}]", "[§{city: {level: 2, groups: []}}]")], "the groups of 'city' must be texts", ""),
    ([("{city: {level: 2}}", "§location")], "'location' is of type geo, not one value", ""),
    ([("{sum: purchaseAmount}", "{sum: §age}")], "'age' is of class quasi, not measure", "class measure"),
    ([("{sum: purchaseAmount}", "{variance: §age}")], "'age' is of class quasi, not measure", "class measure"),
    ([("{sum: purchaseAmount}", "§{histogram: {field: purchaseAmount}}")], "'spend': 'histogram' needs field and bins", "bins: [0, 10"),
    ([("{sum: purchaseAmount}", "§{histogram: {field: purchaseAmount, bins: [5, 5]}}")],
     "'spend': 'bins' of 'histogram' must be two or more edges that ascend", "bins: [0, 10"),
    ([("{sum: purchaseAmount}", "§{histogram: {field: purchaseAmount, bins: [a, b]}}")],
     "'spend': 'bins' of 'histogram' must be a list of numbers", "bins: [0, 10"),
    ([("{sum: purchaseAmount}", "§{quantiles: {field: purchaseAmount, bins: [0, 5], of: [1.5]}}")],
     "'spend': 'of' of 'quantiles' must be different shares from 0 to 1", "of: [0.5"),
    ([("{sum: purchaseAmount}", "{histogram: {field: §age, bins: [0, 5]}}")], "'age' is of class quasi, not measure", "class measure"),
    ([("{sum: purchaseAmount}", "{histogram: {field: purchaseAmount, bins: §[0, 5000]}}")], "the bins reach beyond the bounds", "clipped"),
    ([("{sum: purchaseAmount}", "{histogram: {field: purchaseAmount, bins: §[0, 0.001]}}")],
     "an edge of the bins is finer than the 2 decimals", "scale"),
    ([("spend:     {", "§zip: {")], "'zip' is already in the row", "otherwise"),
    ([("orders:    c", "§epsilon: c")], "'epsilon' is already in the row", "otherwise"),
    ([("epsilon: 1.0", "epsilon: 1.0, mechanism: §poisson")], "'mechanism' has no such choice", "gaussian"),
    ([("lifetime_epsilon: 100.0", "lifetime_epsilon: §0.9")], "a lifetime_epsilon of 0.9 does not reach for one window", "1 or more"),
    ([("{tumbling: 1min}", "{hopping: {size: 1h, every: 10min}}"), ("lifetime_epsilon: 100.0", "lifetime_epsilon: §5")],
     "a lifetime_epsilon of 5 does not reach for the 6 windows that each record lies in", "6 or more"),
    ([("max_records_per_group: 3", "max_records_per_group: 1000000000000000"), ("    privacy", "    §privacy")],
     "aggregated view: one subject can change a sum", "privacy"),
    # formats
    ([("format: json", "format: §debezium-json")], "format debezium-json is not available yet", "use json"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message", "hint"), FAULTS, ids=[changes[0][1][:40] for changes, *_ in FAULTS])
def test_a_contradiction_at_its_place(faults, changes, message, hint):
    """A contradiction is found at the line and column of the part to change, with a hint."""
    found, place = faults(*changes)
    assert place in [(fault.line, fault.column) for fault in found]
    fault = next(fault for fault in found if (fault.line, fault.column) == place)
    assert fault.message.startswith(message)
    assert hint in fault.hint + fault.message


def test_people_are_counted_only_with_a_subject(faults):
    """Without a subject both the anonymized and the aggregated segment are refused."""
    found, _ = faults(("subject: customerId\n", ""))
    assert [fault.message.partition(":")[0] for fault in found] == ["'subject' is missing"] * 2


def test_a_measure_needs_bounds_only_where_it_is_added_up(changed, faults):
    """Bounds of a measure are asked for by metrics, not by the declaration."""
    found, place = faults((", bounds: [0, 1000]", ""), ("{sum: purchaseAmount}", "{sum: §purchaseAmount}"))
    assert place in [(fault.line, fault.column) for fault in found]
    assert {fault.message for fault in found} == {"'purchaseAmount' has no bounds"}
    assert changed((", bounds: [0, 1000]", ""), ("      spend:     {sum: purchaseAmount}\n      mean_spend: {mean: purchaseAmount}\n", ""))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the hierarchy is empty"),
        ("a;b;*\nc;*", "lines have 2 to 3 cells"),
        ("x" * 200_000, "not a CSV file"),
        ("a;x;*\na;y;*", "two different parents"),
    ],
)
def test_a_broken_hierarchy_is_a_fault_of_the_field(reference, text, reason):
    """What is wrong with a hierarchy file is reported where the policy names it."""
    name = "hierarchies/us_city.csv"
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", reference.text, {name: text}))
    line = next(number for number, row in enumerate(reference.text.splitlines(), 1) if name in row)
    assert caught.value.faults[0].line == line
    assert reason in caught.value.faults[0].message


def test_a_file_that_cannot_be_read_is_a_fault_with_its_reason(tmp_path, reference):
    """A missing hierarchy, or one that is no text, is reported by `load` at the place where it is named."""
    (tmp_path / "p.yaml").write_text(reference.text)
    (tmp_path / "hierarchies").mkdir()
    with pytest.raises(PolicyFaults, match="there is no such file"):
        load(PolicySource.read(tmp_path / "p.yaml"))
    (tmp_path / "hierarchies/us_city.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyFaults, match="the file is not UTF-8 text"):
        load(PolicySource.read(tmp_path / "p.yaml"))


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_policy_that_cannot_be_read(tmp_path, name):
    """A policy that is not there, or is a directory, is an input error."""
    with pytest.raises(InputError, match="Hint"):
        PolicySource.read(tmp_path / name)
