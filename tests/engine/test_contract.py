"""Values that break their field's contract: gone by the rule's on_error, or with their record; nested, in arrays, under every technique."""

import orjson
import pytest

from flink_masking.records.column import binary_column
from flink_masking.tools.preview import hidden

HEAD = """\
version: 1
stream: s
subject: id
{extra}fields:
  id: {{class: identifier}}
  mail: {{class: direct, type: email}}
  amount: {{class: measure, type: number, bounds: [0, 300], scale: 2}}
  at: {{class: plain, type: datetime}}
  flag: {{class: plain, type: boolean}}
  deep.list[*].day: {{class: plain, type: date}}
  deep.code: {{class: plain, pattern: "[A-Z][0-9]+"}}
segments:
"""
MASKED = "  m:\n    view: masked\n    rules: {rules}\n"
POISON = [("amount", "4111 1111 1111 1111"), ("amount", 4111111111111111), ("amount", 12.3456789), ("at", "John Doe, 12 Main St"),
          ("mail", "a@example.com, john.doe@example.com; SSN 078-05-1120"), ("flag", "John Doe"), ("flag", 1)]  # fmt: skip


def policy(rules, extra=""):
    """A policy with one masked segment."""
    return HEAD.format(extra=extra) + MASKED.format(rules=rules)


def shown(run, text, *records):
    """The records of the view; None where one is in quarantine."""
    return [line and orjson.loads(line) for line in run(text, [orjson.dumps(record) for record in records]).view("m")]


@pytest.mark.parametrize(("field", "value"), POISON)
@pytest.mark.parametrize(("on_error", "left"), [("redact", {"***"}), ("nullify", {None}), ("drop", set())])
def test_a_kept_value_goes_by_on_error(run, field, value, on_error, left):
    """keep, as a default for every field, shows what keeps the contract byte for byte, and redacts, nullifies or drops the rest."""
    good = {"id": "a", "mail": "a@b.com", "amount": 12.5, "at": "2024-03-15T10:00:00Z", "flag": True}
    rules = f'{{"*": {{technique: keep, on_error: {on_error}}}}}'
    one, two = shown(run, policy(rules), {**good, field: value}, good)
    assert ({one[field]} if field in one else set()) == left
    assert {**one, field: 0} == {**good, field: 0} and two == good


def test_on_error_quarantine_and_strict_reject_the_record(run):
    """A rule's on_error, or contract: strict for every shown field, sends the record to quarantine, with the path and no value."""
    records = [{"id": "a", "amount": 4111111111111111}, {"id": "b", "amount": 1}]
    done = run(policy("{id: keep, amount: {technique: keep, on_error: quarantine}}"), [orjson.dumps(record) for record in records])
    assert done.reasons == {0: ("refused_value", "amount")} and done.view("m")[0] is None
    strict = policy("{id: keep, amount: keep}", "contract: strict\n")
    done = run(strict, [orjson.dumps(record) for record in [*records, {"id": "c", "at": "John"}]])
    assert done.reasons == {0: ("contract", "amount")} and orjson.loads(done.view("m")[2]) == {"id": "c"}
    assert not any(b"4111" in line for piece in done.pieces for _, line in piece.quarantine)


def test_decimals_of_floating_point_are_kept_unless_the_contract_is_strict(run):
    """A number may have six decimals whatever its scale; under contract: strict it has no more than its scale."""
    record = [b'{"id":"a","amount":12.345678}']
    assert run(policy("{amount: keep}"), record).view("m") == [b'{"amount":12.345678}']
    assert run(policy("{amount: keep}", "contract: strict\n"), record).reasons == {0: ("contract", "amount")}


def test_nested_values_one_by_one(run):
    """Under arrays, below a parent that is kept whole, and where the text is escaped, each value is judged by itself."""
    record = {"id": "a", "deep": {"list": [{"day": "2024-01-01"}, {"day": "John"}, {"day": None}, {"day": ""}], "code": "A1"}}
    for rules in ("{deep: keep}", '{"*": keep}', '{"deep.list[*].day": keep, deep.code: keep}'):
        (view,) = shown(run, policy(rules), record)
        assert view["deep"] == {"list": [{"day": "2024-01-01"}, {"day": "***"}, {"day": None}, {"day": ""}], "code": "A1"}
    escaped = rb'{"deep":{"code":"\u0041\u0031","list":[{"day":"\u0032024-01-01"}]}}'
    done = run(policy("{deep: keep}"), [escaped, rb'{"deep":{"code":"J\u006fhn"}}'])
    assert done.view("m") == [escaped, b'{"deep":{"code":"***"}}']


@pytest.mark.parametrize("rule", [
    "{technique: partial, keep_after: '@'}", "{technique: pseudonym, domain: d}", "{technique: encrypt, domain: d}",
    "{technique: fpe, domain: d, format: email}", "{technique: generalize, prefix: 3}", "{technique: substitute, as: email}",
    "{technique: shuffle, min_distinct: 2}",
])  # fmt: skip
def test_no_technique_sees_what_breaks_the_contract(run, rule):
    """Whatever is made of good values, a bad one is redacted; shuffle hands it to no other record."""
    records = [{"id": f"p{k}", "mail": f"user{k}.name{k * 7919}@example.com"} for k in range(20)]
    records[7]["mail"] = "a@example.com, john.doe@example.com; SSN 078-05-1120"
    views = shown(run, policy(f"{{id: keep, mail: {rule}}}"), *records)
    assert [view["mail"] == "***" for view in views] == [k == 7 for k in range(20)]
    assert b"078" not in orjson.dumps(views)


def test_what_partial_hides_whole_needs_no_other_text(run):
    """A text with no more characters than partial keeps is hidden whole by partial itself; a longer one that does not fit is redacted."""
    rule = "{id: keep, mail: {technique: partial, keep_last: 4, keep_separators: true}}"
    views = shown(run, policy(rule), {"id": "a", "mail": "12"}, {"id": "b", "mail": "12345"}, {"id": "c", "mail": "ann@example.com"})
    assert ["**", "***", "***@******e.com"] == [view["mail"] for view in views]


def test_the_audit_counts_what_was_refused(run):
    """A kept field with a contract has its values and refusals in the audit."""
    done = run(policy("{id: keep, amount: keep}"), [b'{"id":"a","amount":1}', b'{"id":"a","amount":999}', b'{"id":"a"}'])
    fields = done.audit[0]["segments"]["m"]["fields"]
    assert fields["amount"] == {"technique": "keep", "values": 2, "refused": 1} and fields["id"] == {"technique": "keep"}


def test_a_released_value_is_redacted_and_counts_as_one(run):
    """An anonymized view shows no released value that breaks its contract; such values are one and the same to l-diversity."""
    text = """version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, domain: [0, 120]}
  sick: {class: sensitive, pattern: "[A-Z][0-9]{2}"}
segments:
  g: {view: anonymized, k: 2, l_diversity: {field: sick, l: 2}, quasi_identifiers: [age], release: [sick], max_buffer: 10}
"""
    good = [{"id": f"p{k}", "age": 30, "sick": "A10" if k % 2 else "B20"} for k in range(4)]
    lines = run(text, [orjson.dumps({**good[0], "sick": "John Doe"}), *map(orjson.dumps, good[1:])]).released["g"]
    assert sorted(orjson.loads(line)["sick"] for line in lines) == ["***", "A10", "A10", "B20"]
    assert run(text, [orjson.dumps({**record, "sick": f"John {k}"}) for k, record in enumerate(good)]).released["g"] == []


def test_a_preview_shows_no_raw_value_that_breaks_the_contract(planned):
    """On the side before, plain fields and measures are shown so far as they keep their contract."""
    plan = planned(policy("{amount: keep, at: keep}"))
    records = [b'{"id":"a","amount":12.5,"at":"John Doe"}', b'{"amount":"4111 1111 1111 1111","at":"2024-03-15"}']
    lines, _, _ = hidden(plan, binary_column(records))
    assert lines.to_pylist() == ['{"id":"‹identifier›","amount":12.5,"at":"***"}'.encode(), b'{"amount":"***","at":"2024-03-15"}']
