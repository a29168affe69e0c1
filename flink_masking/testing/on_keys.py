"""Laws on keys: which are asked for, what depends on them, and the inverse mask."""

import base64
import pickle
import unicodedata

from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import Params, RuleContext
from flink_masking.techniques.masks import Values
from flink_masking.testing.rule import REFUSED, Rule, asked_ring, keep_to, outcome
from flink_masking.testing.samples import SERIES, batch, mixed, texts
from flink_masking.vault.memory import MemoryVault

_SECRET = "SECRET-7f3a"


def purposes(rule: Rule) -> None:
    """Exactly the promised keys are derived, for the promised domain; another ring gives other results where any are."""
    if rule.technique.action is not None:
        keep_to(not rule.promises.purposes and rule.promises.domain is None, "purposes: an action needs no keys")
        return
    ring = asked_ring()
    site = rule.site(ring=ring)
    for values in _samples(rule):
        rule.results(values, site=site)
    if rule.promises.reversible:
        rule.back(site)
    keep_to(ring.asked == rule.promises.keys, f"purposes and domain: {sorted(ring.asked)} are derived")
    keep_to(bool(rule.promises.purposes) == (rule.promises.domain is not None), "domain: named where keys are derived, and only there")
    fresh = [rule.results(values, site=rule.site(ring=KeyRing.new(), vault=MemoryVault())) for values in _samples(rule)]
    if rule.promises.deterministic:
        same = fresh == [rule.results(values, site=rule.site(vault=MemoryVault())) for values in _samples(rule)]
        keep_to(same != bool(rule.promises.purposes), "purposes: another key ring gives other results")


def reversible(rule: Rule) -> None:
    """A key holder gets every value back that was taken (text in NFC), exactly where that is promised."""
    if rule.technique.action is not None:
        return
    if not rule.promises.reversible:
        keep_to(not hasattr(_implementation(rule), "unmake"), "reversible: there is an inverse mask that is not promised")
        return
    mask, back, taken = rule.mask(), rule.back(), 0
    for values in [*mixed(rule.technique.inputs), *_samples(rule)]:
        taken += _round_trip(values, outcome(mask, values), back)
    keep_to(taken > 0, "reversible: no value was taken")


def needs_vault(rule: Rule) -> None:
    """What is kept in a vault decides on results, exactly where that is promised; the inverse mask is refused without one."""
    if rule.technique.action is not None or not rule.promises.deterministic:
        return
    vaults = MemoryVault(), MemoryVault()
    one, other = ([rule.results(values, site=rule.site(vault=vault)) for values in _samples(rule)] for vault in vaults)
    keep_to((one == other) != rule.promises.needs_vault, "needs_vault")
    if rule.promises.needs_vault and rule.promises.reversible:
        site = rule.site()
        try:
            rule.technique.unmake(rule.params, RuleContext(site.facts, site.keys, site.read))
        except PolicyError:
            return
        keep_to(False, "needs_vault: there is an inverse mask without one")


def key_version(rule: Rule) -> None:
    """Results follow the key version where keys are derived and no vault is needed, and open by themselves where they carry it."""
    if rule.technique.action is not None or not (rule.promises.deterministic or rule.promises.reversible):
        keep_to(not rule.promises.carries_key_version, "carries_key_version: a result that nobody opens")
        return
    vault, later = MemoryVault(), rule.ring.rotated()
    before, after = rule.site(vault=vault), rule.site(ring=later, vault=vault)
    made = [rule.results(values, site=before) for values in _samples(rule)]
    if rule.promises.deterministic:
        again = [rule.results(values, site=after) for values in _samples(rule)]
        keep_to((made == again) != rule.promises.follows_key_version, "needs_vault, purposes: another key version gives other results")
    if rule.promises.reversible and rule.promises.follows_key_version:
        back, opened = rule.back(after), []
        for values, new in zip(_samples(rule), made, strict=True):
            known = [k for k, text in enumerate(new) if text != REFUSED]
            again = outcome(back, texts([new[k] for k in known]))
            opened += [_text(text) == values.text[k].as_py() for k, text in zip(known, again, strict=True)]
        keep_to(all(opened) == rule.promises.carries_key_version, "carries_key_version")
    else:
        keep_to(not rule.promises.carries_key_version, "carries_key_version: there is none")


def bound_to_field(rule: Rule) -> None:
    """Equal values of two fields have two results, of which neither opens as the other's, exactly where that is promised."""
    if rule.technique.action is not None or rule.promises.moves_with or not (rule.promises.deterministic or rule.promises.reversible):
        return
    here, there = rule.site("field"), rule.site("another")
    made = [rule.results(values, site=here) for values in _samples(rule)]
    if rule.promises.deterministic:
        same = made == [rule.results(values, site=there) for values in _samples(rule)]
        keep_to(same != rule.promises.bound_to_field, "bound_to_field")
    if rule.promises.reversible:
        back = rule.back(there)
        again = [outcome(back, texts([text for text in new if text != REFUSED])) for new in made]
        refused = any(text == REFUSED for some in again for text in some)
        keep_to(refused == rule.promises.bound_to_field, "bound_to_field: it opens as another field's")


def needs_a_named_subject(rule: Rule) -> None:
    """A policy without a subject is refused exactly where one is needed."""
    try:
        rule.technique.make(rule.params, rule.site(has_subject=False))
    except PolicyError:
        keep_to(rule.promises.needs_subject, "needs_subject: a policy without one is refused")
        return
    keep_to(not rule.promises.needs_subject, "needs_subject: a policy without one is taken")


def no_key_is_pickled(rule: Rule) -> None:
    """Pickling a mask is refused, or what comes out holds no byte of a key."""
    if rule.technique.action is not None:
        return
    mask = rule.mask()
    try:
        data = pickle.dumps(mask)
    except Exception:
        return  # refused
    for purpose, domain in rule.promises.keys:
        key = rule.ring.derive(purpose, domain).secret()
        keep_to(not any(form in data for form in (key, key.hex().encode(), base64.b64encode(key))), "no key is pickled")


def errors_show_no_value(rule: Rule) -> None:
    """A parameter of a wrong type or name is refused with its name and without its value."""
    params = rule.technique.params
    keep_to(issubclass(params, Params), "parameters are a subclass of Params")
    for name in (*(field.alias or name for name, field in params.model_fields.items()), "no_such_parameter"):
        try:
            params.model_validate({name: {_SECRET: [_SECRET]}})
        except ValidationError as error:
            keep_to(name in str(error) and _SECRET not in str(error), f"an error names the parameter {name}, and shows no value")
            continue
        keep_to(False, f"parameter {name} takes anything")


def _implementation(rule: Rule) -> object:
    from importlib import import_module

    return import_module(rule.technique.implementation)


def _round_trip(values: Values, made: list[object], back: object) -> int:
    known = [k for k, new in enumerate(made) if new != REFUSED]
    results = batch([(Kind.STRING, made[k]) for k in known])  # type: ignore[misc]
    for k, again in zip(known, outcome(back, results), strict=True):  # type: ignore[arg-type]
        old = values.text[k].as_py()
        keep_to(_text(again) in (old, old and unicodedata.normalize("NFC", old)), "reversible")
    return sum(bool(values.text[k].as_py()) for k in known)


def _text(new: object) -> object:
    return new.decode() if isinstance(new, bytes) else new


def _samples(rule: Rule) -> list[Values]:
    return [batch([(kind, text) for text in some[:64]]) for kind, some in SERIES if kind in rule.technique.inputs]
