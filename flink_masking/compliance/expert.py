"""HIPAA Expert Determination: the figures that an expert asks for, promised by the policy and measured on what was released."""

from flink_masking.compliance.model import Evidence, Figure, Framework, Point
from flink_masking.compliance.questions import IDENTIFYING, budgets, measured, of_classes, protected, undeclared, verified
from flink_masking.compliance.separation import separated
from flink_masking.compliance.subject import PolicyViews
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.verify.passed_on import outside

_ID = "164.514(b)(1)"
_RISKS = ("prosecutor, highest", "prosecutor, average", "journalist, highest", "marketer")


def points(views: PolicyViews) -> list[Point]:
    """What an expert looks at; the determination itself is the expert's."""
    return [
        Point(f"{_ID}(i)", "the risk is very small, by generally accepted methods", (),
              "a person with knowledge and experience of such methods decides; the figures below are for them"),
        Point(f"{_ID} direct identifiers", "no view shows a direct identifier",
              tuple(protected([*of_classes(views, *IDENTIFYING), *undeclared(views)])),
              "names, numbers, addresses, free text; keys, headers and undeclared members can hold any of them"),
        Point(f"{_ID} quasi-identifiers", "a bound on how few people share what a view shows", tuple(_quasi(views)),
              "a bound holds for the quasi-identifiers that the policy names; which fields an adversary knows is the expert's to say"),
        Point(f"{_ID} sensitive values", "a class does not tell a sensitive value", tuple(_sensitive(views)),
              "l-diversity, t-closeness and (α, k)-anonymity"),
        Point(f"{_ID} aggregates", "figures do not tell whether somebody is in them", tuple(_aggregates(views)), "differential privacy"),
        Point(f"{_ID} joins", "views together tell no more", tuple(separated(views)),
              "other data that a reader has is outside this tool"),
        Point(f"{_ID} measured", "promises measured on what was released", tuple(_measured(views)),
              "" if views.reports else "nothing was measured: --raw and --released do"),
        Point(f"{_ID}(ii)", "methods and results are documented", (),
              "the expert writes it; 'flink-masking report' and 'verify --json' give the figures"),
    ]


def figures(views: PolicyViews) -> list[Figure]:
    """The figures of every anonymized and aggregated view."""
    found = []
    for name in views.segments:
        segment = views.loaded.policy.segments[name]
        measured = views.reports[name].figures if name in views.reports else {}
        if isinstance(segment, AnonymizedSegment):
            risk = measured.get("risk", {})
            bound = name in views.reports and any("upper bound" in note for note in views.reports[name].notes)
            for one in _RISKS:
                promised = f"≤ {1 / segment.k:.3g}" if one.startswith("prosecutor") and segment.mode == "buffered" else ""
                found.append(Figure(name, f"risk, {one}", promised, risk.get(one), bound))
            found.append(Figure(name, "suppressed", "", measured.get("suppression", {}).get("share")))
            found.append(Figure(name, "loss", "", measured.get("loss", {}).get("all")))
        elif isinstance(segment, AggregatedSegment):
            spec = views.loaded.aggregate(name)
            found.append(Figure(name, "epsilon per person and window", f"{segment.privacy.epsilon:g}"))
            life = segment.privacy.lifetime_epsilon
            found.append(Figure(name, "epsilon per person, lifetime", "" if life is None else f"≤ {life:g}"))
            found.append(Figure(name, "delta", f"{segment.privacy.delta:g}"))
            found.append(Figure(name, "people behind a row", "public groups" if spec.groups is not None else f"≥ {spec.threshold} noisy"))
    return found


def _quasi(views: PolicyViews) -> list[Evidence]:
    found = []
    for one in of_classes(views, "quasi"):
        segment = views.loaded.policy.segments[one.segment]
        if one.hidden:
            found.append(one.evidence(True, "nothing of the value leaves"))
        elif isinstance(segment, AnonymizedSegment):
            whole = segment.mode == "buffered" and one.path in segment.quasi_identifiers
            found.append(one.evidence(whole, f"at least {segment.k} people share it" if whole else
                                      "released by value: combinations of values are not bounded"))
        elif isinstance(segment, AggregatedSegment):
            found.append(one.evidence(True, "groups of many people, with noise"))
        else:
            found.append(one.evidence(one.stand_in, "a stand-in" if one.stand_in else
                                      f"leaves as {one.tell()}, and nothing bounds how few people share it; use an anonymized view"))
    return found


def _sensitive(views: PolicyViews) -> list[Evidence]:
    found = []
    for name in views.of_view("anonymized"):
        segment = views.loaded.policy.segments[name]
        assert isinstance(segment, AnonymizedSegment)
        for path in segment.release:
            if views.fields[path].role == "sensitive":
                kept = path in segment.sensitive
                found.append(Evidence(name, path, "l_diversity, t_closeness or alpha_k" if kept else "released", kept,
                                      "a class has well represented values" if kept else
                                      "a class may show one value only; add l_diversity or t_closeness"))
    return found


def _aggregates(views: PolicyViews) -> list[Evidence]:
    found = budgets(views, "per person and window")
    for name, segment in views.aggregated.items():
        life = segment.privacy.lifetime_epsilon
        found.append(Evidence(name, "privacy.lifetime_epsilon", "none" if life is None else f"{life:g}", life is not None,
                              "a bound on the sum over all windows" if life is not None else
                              "windows add up without a bound; set lifetime_epsilon"))
    return found


def _measured(views: PolicyViews) -> list[Evidence]:
    found = []
    for name, report in measured(views):
        if report is None or not report.promises:
            found.append(Evidence(name, "verify", "no report" if report is None else "0 promises", *verified(report)))
            continue
        for promise in map(outside, report.promises):
            told = "; ".join(part for part in (promise.found, promise.note) if part)
            found.append(Evidence(name, promise.name, promise.promised, promise.verdict == "held", f"{promise.verdict}: {told}"))
    return found


FRAMEWORK = Framework(
    "hipaa-expert", "HIPAA Expert Determination, 45 CFR 164.514(b)(1)", points,
    "Figures for an expert. Whether a risk is very small depends on who receives the data and what else is available to them.", figures)
