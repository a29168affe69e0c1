"""A technique for a part of a text: what stays, what is refused, and what is promised of the whole."""

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.promises import Shows
from flink_masking.techniques.within import Part, within
from flink_masking.techniques.within_pattern import cut_at_group
from flink_masking.testing import laws

RING = KeyRing.new()
SITE = RuleContext(FieldFacts("field", kind="email"), RING, lambda name: "")


def results(technique, parts, params, texts, kinds=None):
    """What becomes of each text; ``...`` where it is refused."""
    made = within(registry.get(technique), [Part(**part) for part in parts])
    values = Values(pa.array(texts, pa.string()), np.array(kinds or [Kind.NULL if t is None else Kind.STRING for t in texts], np.int32),
                    np.arange(len(texts), dtype=np.int32))
    masked = made.make(made.params.model_validate(params), SITE)(values, Context(bytes(32)))
    refused = np.zeros(len(texts), bool) if masked.refused is None else masked.refused
    return [... if no else text for no, text in zip(refused.tolist(), masked.values.to_pylist(), strict=True)]


@pytest.mark.parametrize(("part", "texts", "expected"), [
    ({"prefix": "Patient/"}, ["Patient/17", "Patient/", "patient/17", "Patients/1", "17", "", None],
     ["Patient/***", "Patient/", ..., ..., ..., "", None]),
    ({"prefix": "é:"}, ["é:ü:17", "e:17"], ["é:***", ...]),
    ({"after": "@"}, ["a@b@c", "@b", "ab", "a@"], ["a@***", "@***", ..., "a@"]),
    ({"after": "::"}, ["x::y", "x:y", "a::b::c"], ["x::***", ..., "a::***"]),
    ({"before": "@"}, ["a@b@c", "a@", "ab", "@b"], ["***@c", "***@", ..., "@b"]),
    ({"pattern": r"urn:(?:oid|uuid):([^;]+)(?:;v=\d+)?"}, ["urn:oid:17", "urn:uuid:a;v=3", "urn:x:17", " urn:oid:17", "urn:oid:17;v=a"],
     ["urn:oid:***", "urn:uuid:***;v=3", ..., ..., ...]),
    ({"pattern": "(?is)a(.*)Z"}, ["A\nbz", "b"], ["A***z", ...]),
    ({"pattern": r"[()|[:alpha:]\]]*\(([0-9]+)\)"}, ["(a]|(17)", "17"], ["(a]|(***)", ...]),
])  # fmt: skip
def test_the_rest_stays_and_other_forms_are_refused(part, texts, expected):
    """The part is replaced, the rest stays to the letter, a text without the form is refused, null and empty texts stay."""
    assert expected == results("redact", [part], {}, texts)


def test_of_several_forms_the_first_counts():
    """A text is cut by the first form that it has; one that has none is refused, whatever stands beside it."""
    forms = [{"prefix": "Patient/"}, {"pattern": "urn:uuid:(.+)"}, {"after": "|"}]
    assert ["urn:uuid:***", ..., "Patient/***", "a|***", "", "Patient/***"] == results(
        "redact", forms, {}, ["urn:uuid:a|b", "none", "Patient/a|b", "a|b", "", "Patient/x"])


def test_the_part_has_the_stand_in_of_the_whole_field():
    """A pseudonym of the part is that of the same text in a field by itself, in the same domain."""
    technique = registry.get("pseudonym")
    params = technique.params(domain="patient")
    values = Values(pa.array(["17", "ü"]), np.zeros(2, np.int32), np.arange(2, dtype=np.int32))
    whole = technique.make(params, SITE)(values, Context(bytes(32))).values.to_pylist()
    found = results("pseudonym", [{"prefix": "Patient/"}], {"domain": "patient"}, ["Patient/17", "Patient/ü"])
    assert [f"Patient/{one}" for one in whole] == found


def test_what_the_technique_refuses_of_the_part_is_refused():
    """Where the technique cannot take the part the value is refused, and no other; other kinds than text are refused."""
    params = {"domain": "d", "alphabet": "digits"}
    found = results("fpe", [{"prefix": "n:"}], params, ["n:1234567", "n:abc", "n:7654321", "x", "17", None],
                    [Kind.STRING, Kind.STRING, Kind.ENCODED, Kind.STRING, Kind.NUMBER, Kind.NULL])
    assert [True, False, True, False, False, False] == [isinstance(one, str) and one.startswith("n:") and len(one) == 9 for one in found]
    assert [..., ..., ..., None] == [found[1], *found[3:]]


@pytest.mark.parametrize(("parts", "shows", "injective", "reversible"), [
    ([{"prefix": "a"}], Shows.NOTHING, True, True), ([{"after": "a"}], Shows.PART, True, True), ([{"before": "a"}], Shows.PART, True, True),
    ([{"pattern": "a(.*)"}], Shows.PART, False, False), ([{"prefix": "a"}, {"prefix": "b"}], Shows.NOTHING, True, True),
    ([{"prefix": "ab"}, {"prefix": "a"}], Shows.NOTHING, False, False), ([{"prefix": "a"}, {"after": "b"}], Shows.PART, False, False),
])  # fmt: skip
def test_promises_hold_of_the_whole_text(parts, shows, injective, reversible):
    """What stays is a part that is shown; texts stay apart, and come back, where the part can be found again."""
    technique = within(registry.get("encrypt_deterministic"), [Part(**part) for part in parts])
    promises = technique.promises(technique.params(domain="d"))
    assert (shows, injective, reversible) == (promises.shows, promises.injective, promises.reversible)
    assert promises.stands_for_a_person and not promises.erases and promises.lasting
    if reversible:
        texts = [f"{part[0]}x a b @" for part in ({**p}.popitem()[1] for p in parts)]
        values = Values(pa.array(texts), np.zeros(len(texts), np.int32), np.arange(len(texts), dtype=np.int32))
        params = technique.params(domain="d")
        masked = technique.make(params, SITE)(values, Context(bytes(32)))
        back = technique.unmake(params, SITE)(values._replace(text=masked.values), Context(bytes(32)))
        assert back.refused is None and back.values.to_pylist() == texts != masked.values.to_pylist()
        assert all(technique.output(params).contains(text) for text in masked.values.to_pylist())
    else:
        with pytest.raises(PolicyError, match="not reversible"):
            technique.unmake(technique.params(domain="d"), SITE)


@pytest.mark.parametrize("pattern", [
    "", "a", "(a)|b", "(a)(b)", "((a))", "(?:(a))", "(a)?", "(a){2}", "(?P<x>a)", r"\Q(\E(a)", "a(?i)(b)", "(?i:(b))", "(a",
    r"\(a\)", "[(a)]",
])  # fmt: skip
def test_a_pattern_has_one_group_at_one_place(pattern):
    """A pattern whose part is not the same piece of every match is refused, with a hint."""
    with pytest.raises(ValueError, match="pattern" if pattern else "at least 1"):
        Part(pattern=pattern)


@pytest.mark.parametrize("pattern", ["a(b", "a(b)c(?=d)", r"a(b)\1", "a([b)"])
def test_a_pattern_that_re2_does_not_take(pattern):
    """What is no regular expression of RE2, which works in linear time, is refused when the policy is checked."""
    with pytest.raises((PolicyError, ValueError), match="pattern"):
        technique = within(registry.get("redact"), [Part(pattern=pattern)])
        technique.check(technique.params(), SITE)


def test_cutting_keeps_every_character():
    """The three pieces of a pattern and the brackets of its group are the pattern."""
    for pattern in ("(a)", "a(b)c", r"[\])(](?:x|y)+\((z[^)]|w)\)$", "(?i)a(b)"):
        cut = cut_at_group(pattern)
        assert f"{cut.head}({cut.group}){cut.tail}" == pattern


@pytest.mark.parametrize(("technique", "params", "word"), [
    ("keep", {}, "whole values"), ("drop", {}, "whole values"), ("nullify", {}, "no text"), ("shuffle", {"group": ["field", "b"]}, "moves"),
])  # fmt: skip
def test_techniques_that_are_none_for_a_part(technique, params, word):
    """What leaves no text, or moves whole values, is refused."""
    with pytest.raises(PolicyError, match=word):
        made = within(registry.get(technique), [Part(prefix="a")])
        made.check(made.params.model_validate(params), SITE)


def test_a_hostile_text_takes_linear_time():
    """A megabyte that nearly fits a pattern, and one of separators, is decided in less than a second."""
    import time

    parts = [{"pattern": "(?:a*)*:([^:]*):b"}, {"after": "::"}, {"before": ";"}]
    results("redact", parts, {}, ["a:", "é"])  # machine code is loaded by the first call
    start = time.process_time()
    results("redact", parts, {}, ["a" * 1_000_000, "a:" * 500_000, "é" * 400_000])
    assert time.process_time() - start < 1


@pytest.mark.parametrize("law", [
    law for name in ("redact", "partial", "pseudonym", "substitute")
    for law in laws(within(registry.get(name), [Part(prefix="a"), Part(pattern="(?s)(.*)")])) if law.example == 0
], ids=str)  # fmt: skip
def test_laws_hold_of_a_part(law):
    """What is promised of a technique for a part of a text is kept."""
    law()
