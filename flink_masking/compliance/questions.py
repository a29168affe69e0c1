"""Questions that several frameworks ask."""

from collections.abc import Iterable

from flink_masking.compliance.model import Evidence
from flink_masking.compliance.subject import BY_RECORD, UNDECLARED, PolicyViews, Showing
from flink_masking.policy.segments import MaskedSegment

IDENTIFYING = ("identifier", "direct", "free_text")
"""Classes of fields that can say who a person is."""


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
        elif one.parted and one.promises.passes and one.promises.lasting and not parts:
            found.append(one.evidence(False, "a part that tells people apart leaves as it came; keep less of it, or use a stand-in"))
        else:
            found.append(one.evidence(True, f"leaves as {one.tell()}"))
    return found


def _text(one: Showing) -> bool:
    """Whether text of any kind is looked through, rather than a value of a known form cut."""
    return one.path == UNDECLARED if one.field is None else one.field.role == "free_text"


def defaults(views: PolicyViews) -> list[Evidence]:
    """What becomes of data that nobody has decided about: undeclared members, fields without a rule."""
    policy = views.loaded.policy
    found = [setting("unknown_fields", policy.unknown_fields, policy.unknown_fields != "scan",
                     "undeclared members leave after detection; quarantine, drop or redact let none leave"
                     if policy.unknown_fields == "scan" else "undeclared members reach no view")]
    for name in views.of_view(*BY_RECORD):
        segment = policy.segments[name]
        assert isinstance(segment, MaskedSegment)
        others = [one for one in views.showings if one.segment == name and one.rule is not None and "*" in segment.rules
                  and one.path not in segment.rules and one.exact]
        if others:
            found += [one.evidence(False, "shown by the rule \"*\"; write \"*\": drop, and a rule for each field that is meant")
                      for one in others]
        else:
            found.append(Evidence(name, '"*"', "drop", True, "a field without a rule of its own is not shown"))
    return found


def undeclared(views: PolicyViews) -> list[Showing]:
    """What views show of parts that no field declares: keys and headers of Kafka records, undeclared members, keys of open objects."""
    return [one for one in views.showings if one.field is None]


def erasable(views: PolicyViews) -> list[Evidence]:
    """Whether what a view keeps of a person can be made unreadable: nothing kept, or kept by a vault under the person's key or token."""
    found, loaded = [], views.loaded
    for one in of_classes(views, *IDENTIFYING):
        promised = one.promises
        if one.hidden or not one.by_record:
            continue
        if one.exact:
            found.append(one.evidence(False, "leaves as it came: no command takes it back from readers"))
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


def separated(views: PolicyViews) -> list[Evidence]:
    """Whether readers of one view can join it with another."""
    policy = views.loaded.policy
    if len(views.segments) < 2:
        return [setting("segments", ", ".join(views.segments), True, "one view only")]
    if views.joins is not None:
        alone = sum(join.singled_out for join in views.joins)
        return [setting("segments", ", ".join(views.segments), alone == 0, f"{len(views.joins)} joins tried on the released views: "
                        f"{alone:,} people singled out")]
    if policy.isolation == "strict":
        return [setting("isolation", "strict", True, "no two views share a key domain, and no principal reads two of them")]
    together = [name for name in views.segments if name not in policy.held_apart]
    return [setting("held_apart", ", ".join(policy.held_apart) or "none", len(together) < 2,
                    "no reader of these views reads another one" if len(together) < 2 else
                    f"one reader may read {', '.join(together)}; isolation: strict or held_apart rules that out")]
