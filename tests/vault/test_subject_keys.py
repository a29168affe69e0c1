"""Data keys of subjects: one for each, the same for everybody who asks, and gone for ever once destroyed."""

import pickle
import threading
from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.errors import KeyRingError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import encrypt, encrypt_deterministic
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.vault.base import LOOKUP, SEALED
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault
from flink_masking.vault.subject_keys import SubjectKeys, rewrap
from flink_masking.vault.subjects import Erased, Erasure, Mark

RING = KeyRing.new()
BOTH = [pytest.param(module.TECHNIQUE, id=module.TECHNIQUE.name) for module in (encrypt, encrypt_deterministic)]


def keys_of(vault, subjects, ring=RING, domain="d", renew=False):
    """The data key of each subject as bytes, None where there is none."""
    found = SubjectKeys(vault, ring, domain, renew).made(pa.array(subjects, pa.string()))
    return [key.tobytes() if there else None for key, there in zip(found.keys, found.there, strict=True)]


def erase(vault, *subjects, domain="d", ring=RING):
    """What an erasure of subjects did."""
    hashes = SubjectKeys(vault, ring, domain).of(pa.array(subjects))
    done = vault.subjects.erase(Erasure("events", (), {domain: tuple(row.tobytes() for row in hashes)}, 1))
    vault.keys.clear()
    return done


def masked(technique, vault, texts, subjects, back=False, ring=RING, erasure=None, stream="s"):
    """What a mask of a rule with per_subject makes of texts; None where it refuses."""
    maker = technique.unmake if back else technique.make
    context = RuleContext(FieldFacts("field"), ring, str, vault=vault, stream=stream, erasure=erasure)
    mask = maker(technique.params(domain="d", per_subject=True), context)
    kinds = np.full(len(texts), Kind.STRING, np.int32)
    made = mask(Values(pa.array(texts, pa.string()), kinds, np.arange(len(texts), dtype=np.int32)),
                Context(bytes(32), None if subjects is None else pa.array(subjects, pa.string())))
    made.values.validate(full=True)
    refused = np.zeros(len(texts), bool) if made.refused is None else made.refused
    return [None if no else text for no, text in zip(refused, made.values.to_pylist(), strict=True)]


def test_a_subject_has_one_key(reopen):
    """A subject has the same key in every batch, row and vault object; two subjects and two domains have two; nobody has none."""
    first = keys_of(reopen(), ["a", "b", "a", None, ""])
    assert first[0] == first[2] and len({*first[:2]}) == 2 and first[3:] == [None, None]
    assert keys_of(reopen(), ["b", "a", "c"])[:2] == [first[1], first[0]]
    assert keys_of(reopen(), ["a"], domain="e") != first[:1]


def test_many_keys_are_made_at_once(reopen):
    """A batch larger than what one statement takes gets its keys whole, and again from the vault the same ones."""
    subjects = [f"subject {k}" for k in range(10_000)]
    made = keys_of(reopen(), subjects)
    assert len(set(made)) == len(subjects)
    assert keys_of(reopen(), subjects) == made
    assert reopen().subjects.sizes("d") == (10_000, 0)


def test_the_first_of_two_writers_wins(reopen):
    """Writers that make keys for the same subjects at once, from one vault object or several, use the same ones."""
    vaults, results = [reopen(), reopen()], {}

    def work(k):
        vault = vaults[k % 2]
        results[k] = [keys_of(vault, [f"{n}" for n in range(b, b + 50)]) for b in (range(0, 200, 25) if k < 3 else range(175, -1, -25))]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(result == results[0] for k, result in results.items() if k < 3)
    assert all(result[::-1] == results[0] for k, result in results.items() if k >= 3)


def test_what_is_destroyed_stays_destroyed(reopen):
    """An erased subject has no key and gets none, one who never had one neither; erasing again changes nothing, others keep theirs."""
    before = keys_of(reopen(), ["a", "b"])
    assert erase(reopen(), "a", "never") == Erased(keys=1, tombstones=1)
    assert erase(reopen(), "a", "never") == Erased()
    assert keys_of(reopen(), ["a", "b", "never"]) == [None, before[1], None]
    assert reopen().subjects.sizes("d") == (1, 2)


def test_who_comes_again_begins_anew(reopen):
    """Where erased subjects may come again, they get a fresh key, the same for everybody; the old one is gone."""
    before = keys_of(reopen(), ["a", "b"])
    erase(reopen(), "a")
    again = keys_of(reopen(), ["a", "b"], renew=True)
    assert again[0] not in (None, before[0]) and again[1] == before[1]
    assert keys_of(reopen(), ["a"], renew=True) == again[:1] == keys_of(reopen(), ["a"])


def test_rotation_needs_no_new_values(reopen):
    """After a rotation and `rewrap`, done twice, keys and hashes are the same, the old version can be destroyed, and tombstones stay."""
    before = keys_of(reopen(), ["a", "b", "c"])
    erase(reopen(), "c")
    ring = RING.rotated()
    assert rewrap(reopen(), ring, batch=1) == {"d": 2}
    assert rewrap(reopen(), ring, batch=1) == {"d": 0}
    later = ring.disabled(1)
    vault = reopen()
    vault.keys.clear()
    assert keys_of(vault, ["a", "b", "c"], later) == [*before[:2], None]


def test_another_key_ring_is_noticed(reopen):
    """A domain whose subjects were hashed with one key ring is refused with another."""
    keys_of(reopen(), ["a"])
    with pytest.raises(KeyRingError, match="another key ring"):
        keys_of(reopen(), ["a"], KeyRing.new())


def test_a_wrapped_key_is_bound_to_its_subject():
    """A wrapped key that was put in the place of another subject's does not open, and the error names nobody."""
    vault = MemoryVault()
    keys_of(vault, ["SECRET-1", "SECRET-2"])
    vault.keys.clear()
    held = vault.subjects._keys
    one, two = held
    held[one], held[two] = held[two], held[one]
    with pytest.raises(VaultError, match=r"does not open\. Hint") as caught:
        keys_of(vault, ["SECRET-1"])
    assert "SECRET" not in str(caught.value)


def test_neither_subject_nor_destroyed_key_is_left(tmp_path):
    """The vault's files hold no subject in clear, and no wrapped key any more once it was destroyed."""
    vault = open_vault(f"sqlite://{tmp_path}/vault.db")
    keys_of(vault, ["SECRET-7f3a", "other"])
    hashes = pa.array([row.tobytes() for row in SubjectKeys(vault, RING, "d").of(pa.array(["SECRET-7f3a", "other"]))], LOOKUP)
    gone, stays = (wrapped[20:40] for wrapped in vault.subjects.keys("d", hashes, None).to_pylist())

    def held():
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert gone in held() and stays in held() and b"SECRET-7f3a" not in held()
    erase(vault, "SECRET-7f3a")
    assert gone not in held() and stays in held()


def test_keys_are_not_pickled():
    """Neither the keys of subjects nor the cache of a vault leave their process."""
    vault = MemoryVault()
    for what in (SubjectKeys(vault, RING, "d"), vault.keys):
        with pytest.raises(TypeError):
            pickle.dumps(what)


def test_a_bounded_cache_forgets_and_asks_again():
    """More subjects than the cache holds have their keys all the same."""
    from flink_masking.vault.cache import TokenCache

    vault = MemoryVault(cache=TokenCache(8))
    subjects = [f"{k}" for k in range(500)]
    assert keys_of(vault, subjects) == keys_of(vault, subjects)
    assert vault.keys.entries == 8


def test_proposals_of_the_loser_are_not_used(reopen):
    """What a second writer proposes for a subject with a key is ignored, in the same call as a new one."""
    store = reopen().subjects
    store.secret("d", b"secret")
    assert store.secret("d", b"another") == b"secret"
    assert store.keys("d", lookup(1), pa.array([b"first"], SEALED)).to_pylist() == [b"first"]
    assert store.keys("d", lookup(2, 1), pa.array([b"new", b"late"], SEALED)).to_pylist() == [b"new", b"first"]
    assert store.keys("d", lookup(1, 3), None).to_pylist() == [b"first", None]
    assert store.secrets() == {"d": b"secret"}


def test_erasures_are_told_in_order(reopen):
    """Who was erased since a point is told for each stream, each subject once."""
    store = reopen().subjects
    one, two = Mark(1, b"1" * 16), Mark(2, b"2" * 16)
    store.erase(Erasure("events", (one,), {}, 1))
    marks, point = store.erased("events", 0)
    assert marks == [one]
    store.erase(Erasure("other", (two,), {}, 2))
    store.erase(Erasure("events", (one, two), {}, 3))
    marks, later = store.erased("events", point)
    assert marks == [two]
    assert store.erased("events", later) == ([], later)


def lookup(*numbers):
    """Lookups of numbers."""
    return pa.array([number.to_bytes(16, "big") for number in numbers], LOOKUP)


@pytest.mark.parametrize("technique", BOTH)
def test_values_open_until_their_subject_is_erased(technique):
    """Values come back as they were; after an erasure those of the erased subjects do not open, and all others do."""
    numbers, vault = count(), MemoryVault()
    people = st.integers(0, 5)

    @given(st.lists(st.tuples(st.none() | st.text(max_size=40), people)), st.sets(people))
    @settings(max_examples=60)
    def law(rows, erased):
        run = next(numbers)
        texts, subjects = [text for text, _ in rows], [f"{run}-{person}" for _, person in rows]
        made = masked(technique, vault, texts, subjects)
        vault.keys.clear()
        assert masked(technique, vault, made, None, back=True) == texts
        if erased:
            erase(vault, *(f"{run}-{person}" for person in erased))
        opened = masked(technique, vault, made, None, back=True)
        assert opened == [None if text and person in erased else text for text, person in rows]
        later = masked(technique, vault, texts, subjects)
        assert all((new is None) == bool(text and person in erased) for new, (text, person) in zip(later, rows, strict=True) if text)

    law()


@pytest.mark.parametrize("technique", BOTH)
def test_a_value_shows_neither_subject_nor_that_two_are_ones(technique):
    """Two values of a subject have no byte of it in common, but for form and version; equal ones are equal where that is promised."""
    import base64

    vault = MemoryVault()
    texts = masked(technique, vault, ["value one", "value two", "value one"], ["a", "a", "b"])
    hashes = SubjectKeys(vault, RING, "d").of(pa.array(["a"])).tobytes()
    raw = [base64.urlsafe_b64decode(text[4:] + "=" * (-len(text[4:]) % 4)) for text in texts]
    assert raw[0][:5] == raw[1][:5] == bytes([raw[0][0], 0, 0, 0, 1])
    assert len({one[5:21] for one in raw}) == 3
    assert not any(hashes in one for one in raw)


@pytest.mark.parametrize("technique", BOTH)
def test_a_value_without_a_subject_is_refused(technique):
    """What belongs to nobody has no key: it is refused; null and empty texts stay."""
    assert masked(technique, MemoryVault(), ["x", "y", "z", None, ""], ["a", None, "", None, None]) [1:] == [None, None, None, ""]


@pytest.mark.parametrize("technique", BOTH)
def test_any_change_is_noticed(technique):
    """A value of which one character was changed does not open, nor one of another field's stream."""
    vault = MemoryVault()
    text, = masked(technique, vault, ["some value"], ["a"])
    for place in range(4, len(text)):
        other = text[:place] + ("B" if text[place] == "A" else "A") + text[place + 1 :]
        assert masked(technique, vault, [other], None, back=True) == [None]
    assert masked(technique, vault, [text], None, back=True, stream="t") == [None]
