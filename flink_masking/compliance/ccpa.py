"""CCPA as amended by the CPRA (Cal. Civ. Code 1798.100 ff.), as far as a policy is evidence for it."""

from flink_masking.compliance import kinds
from flink_masking.compliance.kinds import fields_of
from flink_masking.compliance.model import Evidence, Framework, Point
from flink_masking.compliance.questions import IDENTIFYING, budgets, defaults, erasable, of_classes, protected, undeclared
from flink_masking.compliance.separation import separated
from flink_masking.compliance.subject import PolicyViews

_SENSITIVE = (kinds.SSN, kinds.LICENCE, kinds.ACCOUNT, kinds.CARD, kinds.CODE, kinds.BODY)
"""Kinds of 1798.140(ae) that fields can be known by; class sensitive and places to the point besides."""
_FIGURES = "figures with noise of differential privacy, groups from a threshold or a public list"


def points(views: PolicyViews) -> list[Point]:
    """The sections' points."""
    return [
        Point("1798.100(c)", "collection and sharing no more than necessary", tuple(defaults(views)),
              "what is necessary for the disclosed purpose is outside this tool"),
        Point("1798.100(d)", "agreements with those who receive data", (), "contracts are outside this tool"),
        Point("1798.105", "deletion on request", tuple(erasable(views)), "what was sold, shared or copied before is outside this tool"),
        Point("1798.110, 1798.130", "requests to know", (), "the raw source answers them; views do not"),
        Point("1798.121, 1798.140(ae)", "sensitive personal information is limited", tuple(_sensitive(views)),
              "numbers, accounts, biometrics, precise places and fields of class sensitive"),
        Point("1798.140(aa)", "pseudonymised: not attributable without additional information",
              tuple(protected([*of_classes(views, *IDENTIFYING), *undeclared(views)])),
              "key ring and vault are that information; who holds them is outside this tool"),
        Point("1798.140(b)", "aggregate consumer information", tuple(budgets(views, _FIGURES)),
              "groups of people, not linkable to one of them"),
        Point("1798.140(m)", "deidentified: cannot reasonably be linked", tuple(separated(views)) if views.of_view("anonymized") else (),
              "the public commitment and the contracts of 1798.140(m)(2), (3) are outside this tool"),
        Point("1798.150", "unencrypted and unredacted data in a breach", tuple(_breach(views)),
              "an e-mail address with a password counts, too; the raw source and its storage are outside this tool"),
    ]


def _sensitive(views: PolicyViews) -> list[Evidence]:
    places = [path for path, field in views.fields.items() if field.type == "geo" or field.role == "sensitive"]
    found = []
    for one in [*views.of(list(dict.fromkeys([*fields_of(views, *_SENSITIVE), *places]))), *undeclared(views)]:
        clear = one.exact and one.by_record
        told = "nothing of the value leaves" if one.hidden else f"leaves as {one.tell()}"
        found.append(one.evidence(not clear, "leaves as it came, record by record" if clear else told))
    return found


def _breach(views: PolicyViews) -> list[Evidence]:
    return protected([*views.of(fields_of(views, *_SENSITIVE)), *undeclared(views)], parts=True)


FRAMEWORK = Framework("ccpa", "CCPA as amended by the CPRA, Cal. Civ. Code 1798.100 ff.", points,
                      "Whether a business is covered, and what was disclosed to consumers, is outside this tool.")
