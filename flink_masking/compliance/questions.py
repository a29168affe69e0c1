"""Questions that several frameworks ask."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flink_masking.compliance.model import Evidence
from flink_masking.compliance.probe import results
from flink_masking.compliance.subject import BY_RECORD, TIMESTAMP, UNDECLARED, PolicyViews, Showing
from flink_masking.policy.segments import MaskedSegment

if TYPE_CHECKING:
    from flink_masking.verify.report import Report

IDENTIFYING = ("identifier", "direct", "free_text")
"""Classes of fields that can say who a person is."""
_ORDINARY = ("K48213077", "7Q-1134-XB", "zed81340")
"""Values in which nothing is detected."""


def setting(place: str, rule: str, met: bool, note: str) -> Evidence:
    """Evidence about the policy as a whole."""
    return Evidence("", place, rule, met, note)


def of_classes(views: PolicyViews, *roles: str) -> list[Showing]:
    """What views show of the fields of some classes."""
    return [one for one in views.showings if one.field is not None and one.field.role in roles]


def protected(showings: Iterable[Showing], parts: bool = False) -> list[Evidence]:
    """Of identifying fields: met where a view shows nothing, a stand-in or less than the value; open where values leave as they came.

    Args:
        showings: of the fields.
        parts: whether a part that tells people apart, such as the last four digits, is enough protection.
    """
    found = []
    for one in showings:
        if one.exact:
            found.append(one.evidence(False, "leaves as it came; use a technique that replaces the value, or drop it"))
        elif one.promises.passes and not one.parted and one.promises.shows.value == "nothing":
            found.append(one.evidence(False, "values leave as they came, in records of other people; use a stand-in, or drop it"))
        elif one.hidden:
            found.append(one.evidence(True, "nothing of the value leaves"))
        elif one.promises.parts or (one.parted and one.promises.passes and _text(one)):
            found.append(one.evidence(True, "what is detected in the text is replaced; what detection does not find stays "
                                            "('flink-masking leaks' looks for it)"))
        elif one.parted and one.promises.passes and _stays(one):
            found.append(one.evidence(False, "only what is detected in a value is replaced, any other leaves as it came; replace the whole "
                                             "value, or drop it"))
        elif one.parted and one.promises.passes and one.promises.lasting and not parts:
            found.append(one.evidence(False, "a part that tells people apart leaves as it came; keep less of it, or use a stand-in"))
        else:
            found.append(one.evidence(True, f"leaves as {one.tell()}"))
    return found


def _text(one: Showing) -> bool:
    """Whether text of any kind is looked through, rather than a value of a known form cut."""
    return one.path == UNDECLARED if one.field is None else one.field.role == "free_text"


def _stays(one: Showing) -> bool:
    """Whether the rule leaves a value in which nothing is detected as it came."""
    made = results(one, _ORDINARY)
    return made is not None and any(result == value for value, result in zip(_ORDINARY, made, strict=True))


def unknown(views: PolicyViews) -> list[Evidence]:
    """What becomes of undeclared members."""
    policy = views.loaded.policy
    scanned = policy.unknown_fields == "scan"
    leaves = [one.segment for one in views.showings if one.path == UNDECLARED and not one.hidden]
    return [setting("unknown_fields", policy.unknown_fields, not leaves,
                    f"undeclared members leave in {', '.join(leaves)} after detection; quarantine, drop or redact let none leave"
                    if leaves else "every view drops undeclared members" if scanned else "undeclared members reach no view")]


def defaults(views: PolicyViews) -> list[Evidence]:
    """What becomes of data that nobody has decided about: undeclared members, fields without a rule."""
    policy = views.loaded.policy
    found = unknown(views)
    for name in views.of_view(*BY_RECORD):
        segment = policy.segments[name]
        assert isinstance(segment, MaskedSegment)
        others = [one for one in views.showings if one.segment == name and one.field is not None and one.rule is not None
                  and "*" in segment.rules and one.path not in segment.rules and one.exact]
        if others:
            found += [one.evidence(False, "shown by the rule \"*\"; write \"*\": drop, and a rule for each field that is meant")
                      for one in others]
        else:
            found.append(Evidence(name, '"*"', "drop", True, "a field without a rule of its own is not shown"))
    return found


def undeclared(views: PolicyViews) -> list[Showing]:
    """What views show of parts that no field declares: keys and headers of Kafka records, undeclared members, keys of open objects.

    Any of them can hold what says who a person is. The time that Kafka keeps beside a record is not among them.
    """
    return [one for one in views.showings if one.field is None and one.path != TIMESTAMP]


def erasable(views: PolicyViews) -> list[Evidence]:
    """Whether what a view keeps of a person can be made unreadable: nothing kept, or kept by a vault under the person's key or token."""
    found, loaded = [], views.loaded
    for one in (*of_classes(views, *IDENTIFYING), *undeclared(views)):
        promised = one.promises
        if one.hidden or not one.by_record:
            continue
        if one.exact:
            found.append(one.evidence(False, "leaves as it came: no command takes it back from readers"))
        elif promised.needs_vault and one.field is None and one.path != UNDECLARED:
            found.append(one.evidence(False, "the vault does not note whose tokens those of keys and headers are; drop them"))
        elif promised.needs_vault and (promised.needs_subject or loaded.policy.erasure is not None):
            found.append(one.evidence(True, "'flink-masking erase' destroys the person's key or token in the vault"))
        elif promised.needs_vault:
            found.append(one.evidence(False, "the vault does not know whose tokens these are; add erasure: {later: drop} to the policy"))
        elif one.keyed and (promised.lasting or promised.reversible):
            found.append(one.evidence(False, "can be made again from the value for as long as the key ring has the key; use a technique "
                                             "with a vault and erasure, or drop the field"))
        else:
            found.append(one.evidence(True, "nothing that a key or vault leads back to"))
    if not found:
        found.append(setting("segments", "all", True, "no view keeps anything of an identifying field"))
    if loaded.erasable:
        later = loaded.policy.erasure.later if loaded.policy.erasure is not None else "not said"
        found.append(setting("erasure.later", later, loaded.policy.erasure is not None,
                             "what becomes of records of an erased person that come later"))
    return found


def budgets(views: PolicyViews, note: str) -> list[Evidence]:
    """Epsilon and delta of each aggregated view."""
    return [Evidence(name, "privacy", f"epsilon: {one.privacy.epsilon:g}, delta: {one.privacy.delta:g}", True, note)
            for name, one in views.aggregated.items()]


def measured(views: PolicyViews) -> list[tuple[str, "Report | None"]]:
    """Of each view that promises groups or figures, what was measured; None where it was not. Empty where nothing was measured at all."""
    return [(name, views.reports.get(name)) for name in views.of_view("anonymized", "aggregated")] if views.reports else []


def verified(report: "Report | None") -> tuple[bool, str]:
    """Whether what was measured shows that a view keeps its promises, and what was found: of a part of a stream, much is not decided."""
    if report is None:
        return False, "not measured: nothing of it is there, or it cannot be read"
    undecided = sum(promise.verdict == "open" for promise in report.promises)
    if report.broken:
        return False, "a promise is broken; 'flink-masking verify' says which"
    if undecided or not report.promises:
        return False, f"no promise is broken, and {undecided} of {len(report.promises)} could not be decided" if report.promises else (
            "no promise could be decided")
    return True, "every promise is kept"
