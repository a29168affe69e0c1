"""Rings that hold some domains only."""

import base64
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from flink_masking.crypto.hkdf import subkey
from flink_masking.errors import KeyRingError
from flink_masking.keys.document import EXPORTED_BYTES
from flink_masking.keys.ring import KeyHandle, KeyRing
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.registry import TECHNIQUES, examples, purposes
from flink_masking.vault.memory import MemoryVault


@pytest.fixture(scope="module")
def ring():
    """Versions 1 (destroyed), 2 (disabled), 3 (enabled) and 4 (primary)."""
    return KeyRing.new().added().added().added().promoted(4).destroyed(1).disabled(2)


@pytest.fixture(scope="module")
def part(ring):
    """The ring's keys of two domains, written and read again."""
    return KeyRing.parse(ring.export(["customer", "card", "customer"], purposes()).dump(), "part.json")


@pytest.mark.parametrize("purpose", purposes())
@pytest.mark.parametrize("length", [1, 16, 32, EXPORTED_BYTES])
def test_an_export_gives_the_same_keys(ring, part, purpose, length):
    """Every purpose of an exported domain has the keys of the whole ring, at every length and version, in a handle as always."""
    for version in (None, 3, 4):
        handle = part.derive(purpose, "customer", version, length)
        assert type(handle) is KeyHandle
        assert (handle.version, handle.secret()) == (version or 4, ring.derive(purpose, "customer", version, length).secret())


@pytest.mark.parametrize(("purpose", "domain"), [("pseudonym", "phone"), ("fpe", "Customer"), ("quarantine", "events"), ("pseudonym", "")])
def test_other_domains_are_not_held(part, purpose, domain):
    """Asking for another domain is an error that names it and a way out, and nothing of what the ring holds."""
    with pytest.raises(KeyRingError) as caught:
        part.derive(purpose, domain)
    assert str(caught.value) == f"the key ring does not hold the keys of {domain}. Hint: ask its owner to export --domain {domain}"


def test_no_longer_keys_than_exported(part):
    """A key that is longer than an exported one is refused, not stretched."""
    with pytest.raises(KeyRingError, match="does not hold"):
        part.derive("pseudonym", "customer", length=EXPORTED_BYTES + 1)


def test_states_go_along(ring, part):
    """An export knows every version; disabled and destroyed ones hold nothing in it and say why."""
    assert part.facts() == ring.facts()
    assert (part.primary, part.versions, part.domains) == (4, (3, 4), ("card", "customer"))
    for version, why in ((1, "was destroyed on"), (2, "is disabled")):
        with pytest.raises(KeyRingError, match=why):
            part.derive("fpe", "card", version)


def test_no_root_is_in_an_export(ring, part):
    """The file of an export has neither roots nor keys of disabled and destroyed versions."""
    roots = [entry["root"] for entry in json.loads(ring.dump())["versions"] if "root" in entry]
    text = part.dump().decode()
    assert len(roots) == 3 and not any(root in text for root in roots)
    assert ["keys" in entry for entry in json.loads(text)["versions"]] == [False, False, True, True]


def test_an_export_is_narrowed_and_never_widened(ring, part):
    """Of an export fewer domains can be exported, with the same keys; one that it lacks cannot."""
    card = part.export(["card"], purposes())
    assert card.domains == ("card",)
    assert card.derive("fpe", "card").secret() == ring.derive("fpe", "card").secret()
    with pytest.raises(KeyRingError, match="keys of phone"):
        part.export(["card", "phone"], purposes())
    with pytest.raises(KeyRingError, match="keys of customer"):
        card.derive("fpe", "customer")


@pytest.mark.parametrize("step", [
    KeyRing.added, KeyRing.rotated, lambda r: r.promoted(3), lambda r: r.disabled(3), lambda r: r.enabled(2), lambda r: r.destroyed(3),
])
def test_an_export_is_not_changed(part, step):
    """Versions are added, promoted, disabled, enabled and destroyed where the roots are."""
    with pytest.raises(KeyRingError, match=r"some domains only and is not changed.*Hint"):
        step(part)


@pytest.mark.parametrize("domains", [[], [""], ["a", ""]])
def test_an_export_names_domains(ring, domains):
    """An export of nothing, or of an empty name, is refused."""
    with pytest.raises(KeyRingError, match="at least one domain"):
        ring.export(domains, purposes())


def test_keys_are_those_of_hkdf():
    """An exported key is HKDF's for its purpose, domain and version: a longer output begins with the shorter one."""
    whole = KeyRing.new()
    root = bytes(json.loads(whole.dump())["versions"][0]["root"], "ascii")
    made = whole.export(["d"], purposes()).derive("encrypt", "d", length=32).secret()
    assert made == subkey(base64.b64decode(root), "encrypt", "d", 1, 32)


class Watching(KeyRing):
    """Notes what is derived."""

    __slots__ = ("asked",)

    def derive(self, purpose, domain, version=None, length=32):
        """Derive, and note it."""
        self.asked.append((purpose, domain, length))
        return super().derive(purpose, domain, version, length)


@pytest.mark.parametrize("technique", [t for t in TECHNIQUES.values() if any(kept.purposes for kept in examples(t))], ids=lambda t: t.name)
def test_every_key_of_a_technique_can_be_exported(technique):
    """Whatever a technique derives for its domain is among the purposes that are exported, and not longer than an exported key."""
    for example in technique.examples:
        ring = Watching.new()
        ring.asked = []
        params = technique.params(**example)
        site = RuleContext(FieldFacts("field"), ring, lambda name: "", vault=MemoryVault())
        technique.make(params, site)
        if technique.promises(params).reversible:
            technique.unmake(params, site)
        promised = technique.promises(params)
        assert {(purpose, domain) for purpose, domain, _ in ring.asked} <= promised.keys
        for purpose, _, length in ring.asked:
            assert purpose in purposes()
            assert length <= EXPORTED_BYTES


@pytest.mark.parametrize("package", ["techniques", "vault"])
def test_every_purpose_in_the_sources_can_be_exported(package):
    """Keys that are derived late, in a vault or for a sealer, are of purposes that are exported, too."""
    folder = files("flink_masking") / package
    text = "".join(path.read_text() for path in Path(str(folder)).rglob("*.py")) if folder.is_dir() else ""
    named = re.findall(r'(?:\.derive\(|\bSealer\([\w.]+, )\s*"([^"]+)"', text)
    assert set(named) <= set(purposes())
