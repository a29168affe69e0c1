"""What a sound policy gives to the engine: its source, rules, groups, facts and warnings."""

import pickle
from decimal import Decimal

import pytest

from flink_masking.anonymity.dimensions import HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


def names(rules):
    """Path → technique's name."""
    return {path: rule.technique.name for path, rule in rules.items()}


def test_the_reference_policy_is_sound(reference):
    """The reference policy has neither faults nor warnings."""
    assert load(reference).warnings == []


def test_the_default_drops_whole_parents(reference):
    """Fields without a rule are dropped, by their topmost parent where no part of it has a rule."""
    assert names(load(reference).rules("masked-customer-events")) == {
        "customerId": "pseudonym", "email": "partial", "ssn": "partial", "card.number": "partial", "city": "generalize",
        "purchaseAmount": "keep", "timestamp": "keep",
        "card.brand": "drop", "contacts": "drop", "profile": "drop", "age": "drop", "zip": "drop", "location": "drop",
        "diagnosis": "drop", "notes": "drop",
    }  # fmt: skip


def test_a_missing_default_is_drop(changed, reference):
    """Leaving ``"*"`` out is the same as ``"*": drop``."""
    without = changed(('      "*": drop\n', ""))
    assert without.rules("masked-customer-events") == load(reference).rules("masked-customer-events")


def test_another_default_is_put_on_each_field(changed):
    """A default that does not drop is for every declared field without a rule."""
    found = names(changed(('"*": drop', '"*": redact')).rules("masked-customer-events"))
    assert found["contacts[*].phone"] == found["contacts[*].kind"] == found["card.brand"] == found["profile"] == "redact"
    assert "contacts" not in found and "card" not in found


def test_a_rule_for_a_parent_covers_what_is_below(changed):
    """Fields below a ruled parent have no entry, at any depth."""
    found = names(changed(("      card.number: {technique: partial, keep_last: 4, keep_separators: true, mask: x, on_error: quarantine}\n",
                           "      card: redact\n      contacts[*]: nullify\n")).rules("masked-customer-events"))  # fmt: skip
    assert found["card"] == "redact" and found["contacts[*]"] == "nullify"
    assert not {"card.number", "card.brand", "contacts", "contacts[*].phone"} & set(found)


def test_every_field_is_covered_by_one_rule(changed):
    """Whatever the default, each declared field has exactly one entry: its own, or that of a parent."""
    for default in ("drop", "redact"):
        loaded = changed(('"*": drop', f'"*": {default}'))
        rules = loaded.rules("masked-customer-events")
        for path in loaded.policy.fields:
            covering = [rule for rule in rules if path == rule or path.startswith((rule + ".", rule + "["))]
            assert len(covering) == 1, path


def test_a_part_of_a_json_field_can_have_its_own_rule(changed):
    """Where a part of a json field has a rule, the rest of the field is not dropped over its head."""
    declared = ("  profile:  ", "  profile.name: {class: direct}\n  profile.age: {class: quasi}\n  profile:  ")
    found = names(changed(declared, ("      city:", "      profile.age: redact\n      city:")).rules("masked-customer-events"))
    assert found["profile.age"] == "redact" and found["profile.name"] == "drop" and "profile" not in found


def test_a_parent_can_be_written_in_any_spelling(changed):
    """Rules find fields whatever their quoting; entries have the spelling of the declaration."""
    assert names(changed(("      city:", "      '\"city\"':")).rules("masked-customer-events"))["city"] == "generalize"


def test_rules_carry_checked_parameters(reference):
    """Parameters are those of the technique, defaults and `on_error` included."""
    rule = load(reference).rules("masked-customer-events")["card.number"]
    assert (rule.params.keep_last, rule.params.mask, rule.params.on_error) == (4, "x", "quarantine")


def test_fields_can_move_together(changed):
    """Fields of one shuffle group are accepted where each has the rule."""
    both = "".join(f"      {path}: {{technique: shuffle, group: [age, zip]}}\n" for path in ("age", "zip"))
    found = names(changed(("      city:", both + "      city:")).rules("masked-customer-events"))
    assert found["age"] == found["zip"] == "shuffle"


def test_groups_are_rules_in_order(reference):
    """``generalize: n`` is a prefix on text; other parameters are those of generalize."""
    zip_, city = load(reference).groups("aggregated-customer-metrics")
    assert (zip_.path, zip_.technique.name, zip_.params.prefix) == ("zip", "generalize", 3)
    assert (city.path, city.params.level) == ("city", 2)


@pytest.mark.parametrize(
    ("key", "technique", "width"), [("{age: {generalize: 10}}", "generalize", Decimal(10)), ("diagnosis", "keep", None)]
)
def test_a_group_by_number_or_as_it_is(changed, key, technique, width):
    """``generalize: n`` is a width on numbers; a field name alone groups by the value itself."""
    rule = changed(("{zip: {generalize: 3}}", key)).groups("aggregated-customer-metrics")[0]
    assert rule.technique.name == technique and getattr(rule.params, "width", None) == width


def test_a_group_by_place(changed):
    """A field of type geo can be grouped by its geohash."""
    rule = changed(("{zip: {generalize: 3}}", "{location: {geohash: 4}}")).groups("aggregated-customer-metrics")[0]
    assert rule.params.geohash == 4


def test_dimensions_of_quasi_identifiers(reference):
    """Each way of generalising has its dimension."""
    loaded = load(reference)
    kinds = [type(loaded.dimension(path)) for path in ("age", "zip", "city")]
    assert kinds == [NumberDimension, PrefixDimension, HierarchyDimension]


def test_what_an_aggregated_segment_promises(reference):
    """Bounds are counted in units of the scale, metrics share their measure."""
    spec = load(reference).aggregate("aggregated-customer-metrics")
    assert (spec.window_ms, spec.epsilon, spec.delta) == (60_000, 1.0, 1e-9)
    assert [(m.name, m.low, m.high, m.scale) for m in spec.measures] == [("purchaseAmount", 0, 100_000, 2)]
    assert [metric.measure for metric in spec.metrics] == [None, None, 0, 0]


def test_facts_of_fields(reference):
    """Techniques learn type, domain, hierarchy and scale of a field; of a parent only its path."""
    loaded = load(reference)
    assert loaded.facts("age").domain == (0, 120)
    assert loaded.facts("email").kind == "email"
    assert loaded.facts("purchaseAmount").scale == 2
    assert loaded.facts("city").hierarchy is loaded.hierarchies["hierarchies/us_city.csv"]
    assert loaded.facts("card").kind is None
    with pytest.raises(PolicyError, match="not a declared field"):
        loaded.facts("nothing")
    assert loaded.rule_context("age", KeyRing.ephemeral()).has_subject


def test_defaults_of_the_grammar(changed):
    """What is left out has the value that the grammar gives."""
    loaded = changed(("format: json\n", ""), ("unknown_fields: quarantine\n", ""), ("    max_delay: 30s\n    max_buffer: 5000\n", ""))
    segment = loaded.policy.segments["anonymized-customer-events"]
    assert (loaded.policy.format, loaded.policy.unknown_fields) == ("json", "quarantine")
    assert (segment.max_delay, segment.max_buffer, segment.algorithm, segment.mode, segment.shards) == (
        30_000, 5_000, "slide_grow", "buffered", 1,
    )  # fmt: skip


def test_a_source_travels_with_its_files(reference):
    """A pickled source loads without the file system, with the same digest."""
    copy = pickle.loads(pickle.dumps(reference))
    assert copy == reference and copy.digest == reference.digest
    assert load(copy).policy == load(reference).policy


def test_the_digest_covers_text_and_files(reference):
    """The digest changes with the text and with a file, and not with the name."""
    files = {name: text + "\n" for name, text in reference.files.items()}
    others = [PolicySource("x", reference.text + " ", reference.files), PolicySource("x", reference.text, files)]
    assert len({reference.digest, *(other.digest for other in others)}) == 3
    assert PolicySource("x", reference.text, reference.files).digest == reference.digest


WARNINGS = [
    (
        "customerId: {technique: pseudonym, domain: customer}",
        "customerId: §keep",
        "'customerId' is of class identifier and is kept in clear",
    ),
    ("      city:", "      notes: §keep\n      city:", "'notes' is of class free_text and is kept in clear"),
    ("domain: customer}", "domain: customer, length: 8}", "8 digits of base62 keep 47 bits"),
    ("    k: 5", "    k: §4", "a k of 4 protects little"),
    ("epsilon: 1.0", "epsilon: §3.5", "an epsilon of 3.5 promises little"),
    ("type: email", "type: §emial", "'emial' is not a known type and changes nothing"),
]


@pytest.mark.parametrize(("old", "new", "message"), WARNINGS, ids=[new[:30] for _, new, _ in WARNINGS])
def test_a_warning_at_its_place(changed, reference, old, new, message):
    """What is allowed and seldom meant is a warning with its line; the policy can be used."""
    (warning,) = changed((old, new.replace("§", ""))).warnings
    marked = reference.text.replace(old, new, 1).partition("§")
    assert warning.message.startswith(message) and warning.severity == "warning"
    if marked[1]:
        assert (warning.line, warning.column) == (marked[0].count("\n") + 1, len(marked[0]) - marked[0].rfind("\n"))


def test_keeping_a_parent_warns_of_what_it_holds(changed):
    """A rule keep on a parent warns of each identifying field below."""
    found = changed(("      city:", "      contacts: keep\n      city:")).warnings
    assert [warning.message for warning in found] == ["'contacts[*].phone' is of class direct and is kept in clear"]


def test_more_than_ten_quasi_identifiers_warn(changed):
    """Many quasi-identifiers lose almost everything, which is said."""
    fields = "".join(f"  q{n}: {{class: quasi, prefix: 2}}\n" for n in range(9))
    many = ", ".join(f"q{n}" for n in range(9))
    found = changed(("  notes:  ", fields + "  notes:  "), ("[age, zip, city]", f"[age, zip, {many}]")).warnings
    names = "'age', 'zip', 'q0', 'q1', 'q2' and 6 more"
    assert [warning.message for warning in found] == [f"11 quasi-identifiers lose almost everything: {names}"]
