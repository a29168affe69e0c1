"""Every technique keeps its promises, and a technique with one wrong promise breaks a law."""

from dataclasses import fields, replace

import pytest

from flink_masking.techniques.promises import WHATEVER, Bounds, Promises, Shows
from flink_masking.techniques.registry import OWN
from flink_masking.testing import BrokenPromise, laws
from flink_masking.testing.laws import LAWS
from flink_masking.testing.rule import Rule

LIES = [
    ("keep", {}, "shows", Shows.NOTHING), ("drop", {}, "lasting", True),
    ("partial", {"keep_last": 4}, "shows", Shows.NOTHING), ("date_shift", {"max_days": 30}, "shows", Shows.COARSER),
    ("pseudonym", {"domain": "d"}, "deterministic", False), ("perturb", {"absolute": 10}, "deterministic", True),
    ("pseudonym", {"domain": "d"}, "lasting", False), ("perturb", {"absolute": 10}, "lasting", True),
    ("shuffle", {}, "row_local", True),
    ("pseudonym", {"domain": "d", "length": 2}, "injective", True), ("encrypt", {"domain": "d"}, "injective", False),
    ("redact", {}, "reversible", True), ("encrypt", {"domain": "d"}, "reversible", False),
    ("partial", {"keep_last": 4}, "passes", False), ("shuffle", {"min_distinct": 2}, "passes", False),
    ("partial", {"keep_last": 1}, "hides", 3), ("pseudonym", {"domain": "d"}, "hides", WHATEVER),
    ("partial", {"keep_first": 1}, "prefix", 2), ("fpe", {"domain": "d", "alphabet": "digits"}, "prefix", 2),
    ("redact", {}, "always_null", True), ("nullify", {}, "always_null", False),
    ("redact", {}, "result", "kind"), ("generalize", {"width": 10}, "result", "same"),
    ("perturb", {"absolute": 10}, "bounds", None), ("perturb", {"absolute": 10}, "bounds", Bounds("numbers", 1)),
    ("generalize", {"date": "month"}, "bounds", Bounds("numbers")), ("date_shift", {"max_days": 30}, "bounds", Bounds("dates", 3)),
    ("date_shift", {"max_days": 30}, "needs_subject", False), ("redact", {}, "needs_subject", True),
    ("tokenize", {"domain": "d"}, "needs_vault", False), ("pseudonym", {"domain": "d"}, "needs_vault", True),
    ("pseudonym", {"domain": "d", "algorithm": "cmac"}, "purposes", ("pseudonym",)), ("pseudonym", {"domain": "d"}, "purposes", ()),
    ("pseudonym", {"domain": "d"}, "domain", "another"), ("pseudonym", {"domain": "d"}, "domain", None),
    ("fpe", {"domain": "d", "format": "ssn"}, "carries_key_version", True), ("encrypt", {"domain": "d"}, "carries_key_version", False),
    ("encrypt_deterministic", {"domain": "d"}, "bound_to_field", False), ("encrypt", {"domain": "d"}, "bound_to_field", False),
    ("pseudonym", {"domain": "d"}, "bound_to_field", True),
    ("fpe", {"domain": "d", "alphabet": "aábcdefghiíjklmnoóprstuúvyžéč"}, "composes", False),
    ("pseudonym", {"domain": "d"}, "composes", True),
    ("shuffle", {"group": ("field", "another")}, "moves_with", ()), ("redact", {}, "stands_in", True),
    ("redact_text", {"entities": {"EMAIL": {"technique": "pseudonym", "domain": "d"}, "DATE": {"technique": "date_shift", "max_days": 9}},
                     "minimum": 20}, "parts", ()),
]  # fmt: skip


@pytest.mark.parametrize("law", [law for technique in OWN.values() for law in laws(technique)], ids=str)
def test_every_technique_keeps_the_laws(law):
    """Each promise of each technique holds for each example of its parameters."""
    law()


@pytest.mark.parametrize(("name", "example", "promise", "lie"), LIES, ids=[f"{name}-{promise}-{lie}" for name, _, promise, lie in LIES])
def test_a_wrong_promise_breaks_a_law(name, example, promise, lie):
    """A technique that promises one thing else than it does breaks a law, which it keeps with all else as it is."""
    honest = replace(OWN[name], examples=(example,))
    lying = replace(honest, promises=lambda params: replace(honest.promises(params), **{promise: lie}))
    with pytest.raises(BrokenPromise):
        for law in laws(lying):
            law()
    LAWS[law.name](Rule(honest, example))  # the one that was broken


def test_every_promise_has_been_broken():
    """No promise is left out of the wrong ones above."""
    assert {field.name for field in fields(Promises)} == {promise for *_, promise, _ in LIES}
