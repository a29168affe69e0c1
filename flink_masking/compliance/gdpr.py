"""GDPR, Articles 5, 17, 25, 30 and 32, as far as a policy is evidence for them."""

from flink_masking.compliance.model import Evidence, Framework, Point
from flink_masking.compliance.questions import (
    IDENTIFYING,
    defaults,
    erasable,
    measured,
    of_classes,
    protected,
    setting,
    undeclared,
    verified,
)
from flink_masking.compliance.separation import separated
from flink_masking.compliance.subject import PolicyViews


def points(views: PolicyViews) -> list[Point]:
    """The articles' points."""
    return [
        Point("Art. 5(1)(a)", "lawfulness, fairness, transparency", (), "legal bases and notices are outside this tool"),
        Point("Art. 5(1)(b)", "purpose limitation: a view for each purpose", tuple(separated(views)),
              "the purposes, and whether readers keep to them, are outside this tool"),
        Point("Art. 5(1)(c)", "data minimisation: a view shows what its readers need", tuple(_minimal(views)),
              "which fields readers need is outside this tool; what leaves as it came is listed"),
        Point("Art. 5(1)(d)", "accuracy", tuple(_accurate(views)), "whether values are true and current is outside this tool"),
        Point("Art. 5(1)(e)", "storage limitation", tuple(_stored(views)),
              "the policy decides about quarantine and tokens; how long source, views and audit are kept is set there"),
        Point("Art. 5(1)(f)", "integrity and confidentiality", (), "asked under Art. 32"),
        Point("Art. 5(2)", "accountability: what was done can be shown", tuple(_audited(views)),
              "'flink-masking audit seal' makes the events a log that others can verify"),
        Point("Art. 17", "erasure of a person", tuple(erasable(views)),
              "what readers have copied, and the raw source, are outside this tool"),
        Point("Art. 25(1)", "protection by design: identifying fields are replaced", tuple(protected([
            *of_classes(views, *IDENTIFYING), *undeclared(views)])),
              "the state of the art and the risk are weighed by people"),
        Point("Art. 25(2)", "protection by default: nothing leaves that nobody decided about", tuple(defaults(views)), ""),
        Point("Art. 30", "records of processing", tuple(_records(views)),
              "controller, purposes, transfers and time limits (Art. 30(1)(a), (b), (e), (f)) are outside this tool"),
        Point("Art. 32(1)(a)", "pseudonymisation and encryption", tuple(_pseudonymised(views)),
              "who holds key ring and vault, apart from the readers of views, is outside this tool"),
        Point("Art. 32(1)(b), (c)", "confidentiality, integrity, availability of systems", (),
              "access to topics ('flink-masking acl'), transport and recovery are set in the deployment"),
        Point("Art. 32(1)(d)", "regular testing of effectiveness", tuple(_tested(views)),
              "" if views.reports else "nothing was measured: --raw and --released do; 'verify', 'policy test' and 'leaks' run in CI"),
    ]


def _minimal(views: PolicyViews) -> list[Evidence]:
    found = []
    for one in (*of_classes(views, "quasi", "sensitive", *IDENTIFYING), *undeclared(views)):
        if one.exact and one.by_record:
            what = "not declared" if one.field is None else f"class {one.field.role}"
            found.append(one.evidence(False, f"{what}, leaves as it came; make it coarser, put a stand-in in its place, or use a view of "
                                             "groups"))
    for name in views.segments:
        told = [one for one in views.showings if one.segment == name and one.field is not None]
        left = len({one.path for one in told if not one.hidden})
        found.append(Evidence(name, "fields", f"{left} of {len({one.path for one in told})} shown", True, "the others do not leave"))
    return found


def _accurate(views: PolicyViews) -> list[Evidence]:
    checked = sum(path in views.loaded.contracts for path in views.fields)
    return [setting("contract", views.loaded.policy.contract, True, f"{checked} of {len(views.fields)} fields have a declaration that "
                    "values are checked by; a value that breaks it is shown in no view")] if checked else []


def _stored(views: PolicyViews) -> list[Evidence]:
    quarantine = views.loaded.policy.quarantine
    kept = "not set" if quarantine is None else f"{quarantine.keep / 86_400_000:g} days"
    found = [setting("quarantine.keep", kept, quarantine is not None,
                     "refused records can be opened for as long as the key ring opens them; set quarantine: {keep: 30d}"
                     if quarantine is None else "then the key of their day is destroyed")]
    if (days := views.loaded.policy.token_days) is not None:
        found.append(setting("vault.keep", f"{days} days", True, "tokens not used for as long are destroyed with their values"))
    return found


def _audited(views: PolicyViews) -> list[Evidence]:
    audit = views.loaded.policy.audit
    return [setting("audit.sink", "none" if audit is None else audit.sink, audit is not None,
                    "no audit events are written; set audit: {sink: audit-events}" if audit is None else
                    "an event for each batch: policy, rules, counts" + (", digests of what was released" if audit.digests else ""))]


def _records(views: PolicyViews) -> list[Evidence]:
    policy = views.loaded.policy
    roles = {role: sum(field.role == role for field in views.fields.values()) for role in
             dict.fromkeys(field.role for field in views.fields.values())}
    return [
        setting("fields", f"{len(views.fields)} declared", True,
                "Art. 30(1)(c), categories of data: " + ", ".join(f"{count} {role}" for role, count in roles.items())),
        setting("segments", "1 view" if len(views.segments) == 1 else f"{len(views.segments)} views", True,
                f"Art. 30(1)(d), recipients by view: {', '.join(views.segments)}"),
        setting("version", f"{policy.stream} {policy.version}", True, "Art. 30(1)(g), description of measures: this policy, by version"),
    ]


def _pseudonymised(views: PolicyViews) -> list[Evidence]:
    found = protected([one for one in (*of_classes(views, *IDENTIFYING), *undeclared(views)) if not one.hidden])
    found.append(setting("quarantine", "encrypted", True, "refused records are encrypted as a whole, whatever the policy says"))
    return found


def _tested(views: PolicyViews) -> list[Evidence]:
    return [Evidence(name, "verify", "no report" if report is None else f"{len(report.promises)} promises", *verified(report))
            for name, report in measured(views)]


FRAMEWORK = Framework("gdpr", "GDPR, Articles 5, 17, 25, 30, 32", points,
                      "Pseudonymised data stay personal data (Recital 26); only views of groups can be anonymous, and only by an "
                      "assessment of who receives them.")
