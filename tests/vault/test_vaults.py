"""The laws of a vault, for every kind of it."""

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import pyarrow as pa
import pytest
from waiting import CLIENT_S

from flink_masking.errors import KeyRingError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.techniques.tokenize.forms import digits, uuids
from flink_masking.vault.base import LOOKUP, SEALED, Enrolment
from flink_masking.vault.cache import TokenCache
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault
from flink_masking.vault.tokenizer import Tokenizer

RING = KeyRing.new()
WRITERS = Path(__file__).with_name("writers.py")


def lookup(*numbers):
    """Lookups of numbers."""
    return pa.array([number.to_bytes(16, "big") for number in numbers], LOOKUP)


def sealed(*texts):
    """Anything in the place of sealed values."""
    return pa.array([text.encode() for text in texts], SEALED)


def enrolled(vault, *domains):
    """The vault, with domains."""
    for domain in domains:
        vault.enrol(domain, Enrolment(1, b"p"))
    return vault


def tokens(vault, numbers, proposals, domain="d"):
    """Tokens of numbers, sealed as the proposals' names."""
    return vault.tokens(domain, lookup(*numbers), sealed(*proposals), pa.array(proposals)).to_pylist()


def test_the_first_token_stands(reopen):
    """A value without a token gets the one proposed, and keeps it whatever is proposed later, also in a vault opened anew."""
    assert tokens(enrolled(reopen(), "d"), [1, 2], ["a", "b"]) == ["a", "b"]
    assert tokens(enrolled(reopen(), "d"), [2, 3, 1], ["x", "c", "y"]) == ["b", "c", "a"]


def test_a_token_stands_once_in_its_domain(reopen):
    """A proposal that is another value's token is not taken, neither in the same call nor later; another domain may have it."""
    vault = enrolled(reopen(), "d", "e")
    first = tokens(vault, [1, 2], ["a", "a"])
    assert sorted(first, key=str) == [None, "a"]
    assert tokens(vault, [3], ["a"]) == [None]
    assert tokens(vault, [1, 2], ["a", "b"], "e") == ["a", "b"]
    assert tokens(vault, [1], ["c"]) == [first[0] or "c"]


def test_values_come_back_by_token_and_domain(reopen):
    """A token leads to the sealed value that came with it, in its domain alone; an unknown one, whatever its text, to null."""
    vault = enrolled(reopen(), "d", "e")
    tokens(vault, [1, 2], ["a", "é"])
    asked = pa.array(["é", "zz", "", "a", "nul\0", "x" * 10_000])
    assert vault.values("d", asked).to_pylist() == ["é".encode(), None, None, b"a", None, None]
    assert vault.values("e", asked).null_count == vault.values("nobody", asked).null_count == len(asked)


def test_large_batches_go_in_one_call(reopen):
    """A batch larger than what one statement takes is written and read whole."""
    vault = enrolled(reopen(), "d")
    names = [f"t{k}" for k in range(10_000)]
    assert tokens(vault, range(10_000), names) == names
    assert tokens(vault, range(10_001), [*(["x"] * 10_000), "new"]) == [*names, "new"]
    assert vault.values("d", pa.array(names)).to_pylist() == [name.encode() for name in names]


def test_a_domain_is_enrolled_once(reopen):
    """The first enrolment of a domain stands; without any, there are no tokens."""
    vault = reopen()
    with pytest.raises(VaultError, match="not enrolled"):
        tokens(vault, [1], ["a"])
    assert vault.enrol("d", Enrolment(3, b"first")) == Enrolment(3, b"first")
    assert reopen().enrol("d", Enrolment(4, b"second")) == Enrolment(3, b"first")


def test_threads_agree(reopen):
    """Threads that ask for tokens of the same values at once get the same ones, from one vault object or from several."""
    vaults, results = [reopen(), reopen()], {}

    def work(k):
        tokenizer = Tokenizer(vaults[k % 2], RING, "d", "uuid", uuids)
        results[k] = [tokenizer.tokens(pa.array([f"{n}" for n in range(b, b + 50)])).to_pylist() for b in range(0, 200, 25)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(result == results[0] for result in results.values())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_agree(kind, request, tmp_path, key_uri):
    """Processes that make the first tokens of the same values at once, in different orders, get the same ones, all different."""
    uri = f"sqlite://{tmp_path}/vault.db" if kind == "sqlite" else request.getfixturevalue("server").database()
    command = [sys.executable, "-P", str(WRITERS), uri, key_uri]
    workers = [subprocess.Popen([*command, str(k)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for k in range(2)]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 2
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    made = [json.loads(worker.communicate(timeout=CLIENT_S)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert made[0] == made[1]
    assert len(made[0]) == len(set(made[0].values())) == 2 * 1_350


def test_an_open_vault_stays_in_its_process(reopen):
    """A vault is neither pickled nor copied, says nothing of itself, and refuses to work in a process that was forked off."""
    vault = reopen()
    for refuse in (pickle.dumps, cloudpickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            refuse(vault)
    assert repr(vault) == f"<{type(vault).__name__}>"
    vault._process += 1  # as a fork sees it
    with pytest.raises(VaultError, match="opened in another process"):
        vault.enrol("d", Enrolment(1, b""))


def test_no_clear_value_is_kept(tmp_path):
    """Neither the vault's files nor its cache hold a value, in whatever spelling; they hold its token."""
    vault = open_vault(f"sqlite://{tmp_path}/vault.db")
    token = Tokenizer(vault, RING, "d", "uuid", uuids).tokens(pa.array(["SECRET-7f3a"]))[0].as_py()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir()) + vault.cache._tokens.tobytes() + vault.cache._keys.tobytes()
    assert token.encode() in held
    assert b"SECRET-7f3a" not in held
    assert b"SECRET-7f3a".hex().encode() not in held


def test_rotation_changes_no_token(reopen):
    """After a rotation of keys a value has the token that it had, and tokens of before and after lead back."""
    before = Tokenizer(reopen(), RING, "d", "uuid", uuids).tokens(pa.array(["x"])).to_pylist()
    after = Tokenizer(reopen(), RING.rotated(), "d", "uuid", uuids)
    both = after.tokens(pa.array(["x", "y"]))
    assert both[0].as_py() == before[0]
    assert after.values(both).to_pylist() == ["x", "y"]


def test_another_key_ring_is_noticed(reopen):
    """A domain that was filled with one key ring is not filled with another; nor can the other open what it holds."""
    made = Tokenizer(reopen(), RING, "d", "uuid", uuids).tokens(pa.array(["x"]))
    other = Tokenizer(reopen(), KeyRing.new(), "d", "uuid", uuids)
    with pytest.raises(KeyRingError, match="another key ring"):
        other.tokens(pa.array(["y"]))
    assert other.values(made).to_pylist() == [None]


def test_a_sealed_value_is_bound_to_its_token():
    """A sealed value that was moved beside another token, or into another domain, does not open."""
    vault = MemoryVault()
    tokenizer = Tokenizer(vault, RING, "d", "uuid", uuids)
    one, two = tokenizer.tokens(pa.array(["x", "y"])).to_pylist()
    vault._sealed["d", one], vault._sealed["e", two] = vault._sealed["d", two], vault._sealed["d", two]
    assert tokenizer.values(pa.array([one, two])).to_pylist() == [None, "y"]
    assert Tokenizer(vault, RING, "e", "uuid", uuids).values(pa.array([two])).to_pylist() == [None]


def test_taken_proposals_are_made_again(reopen):
    """Where many proposals are taken, fresh ones are made until every value has a token of its own."""
    calls = []

    def scarce(values):
        calls.append(len(values))
        return pa.array([f"{b % 64}" for b in os.urandom(len(values))])

    made = Tokenizer(reopen(), RING, "d", "scarce", scarce).tokens(pa.array([f"v{k}" for k in range(40)])).to_pylist()
    assert len(set(made)) == 40
    assert len(calls) > 1 and calls == sorted(calls, reverse=True)


def test_tokens_that_run_out_are_an_error(reopen):
    """When no free token is found, the batch fails with a hint and without a value; those that have one keep it."""
    tokenizer = Tokenizer(reopen(), RING, "d", "only one", lambda values: pa.array(["t"] * len(values)))
    assert tokenizer.tokens(pa.array(["SECRET"])).to_pylist() == ["t"]
    with pytest.raises(VaultError, match=r"run out in the domain 'd'\. Hint") as caught:
        tokenizer.tokens(pa.array(["SECRET", "SECRET2"]))
    assert "SECRET" not in str(caught.value)
    assert tokenizer.tokens(pa.array(["SECRET"])).to_pylist() == ["t"]


def test_forms_of_a_domain_have_tokens_of_their_own(reopen):
    """The same value in two forms of a domain has two tokens, each of its form, and both lead back."""
    vault = reopen()
    one, two = (Tokenizer(vault, RING, "d", form, make) for form, make in (("uuid", uuids), ("digits any", digits("any"))))
    made = one.tokens(pa.array(["123456789"])), two.tokens(pa.array(["123456789"]))
    assert [len(token[0].as_py()) for token in made] == [36, 9]
    assert one.values(pa.concat_arrays(made)).to_pylist() == ["123456789"] * 2


@pytest.mark.parametrize("entries", [1, 8, 100, 5_000])
def test_a_cache_of_any_size_changes_nothing(entries):
    """Whatever fits into the cache, the tokens are those of the vault."""
    vault = MemoryVault(cache=TokenCache(entries))
    tokenizer = Tokenizer(vault, RING, "d", "uuid", uuids)
    texts = pa.array([None if k % 50 == 7 else "" if k % 50 == 8 else f"v{k % 700}" for k in range(2_000)])
    first = tokenizer.tokens(texts).to_pylist()
    assert first == tokenizer.tokens(texts).to_pylist()
    assert first == tokenizer.tokens(texts.slice(0, 900)).to_pylist() + tokenizer.tokens(texts.slice(900)).to_pylist()
    held = {text: token for text, token in zip(texts.to_pylist(), first, strict=True) if text}
    assert len(set(held.values())) == len(held) == len(vault._tokens)
    assert (first[7], first[8]) == (None, "")
    assert vault.cache.entries >= entries


def test_the_cache_asks_no_vault():
    """Values met lately cost no call of the vault; those pushed out by others cost one."""
    vault = MemoryVault(cache=TokenCache(8))
    tokenizer = Tokenizer(vault, RING, "d", "uuid", uuids)
    kept = tokenizer.tokens(pa.array(["x"])).to_pylist()
    standing, vault._tokens = vault._tokens, {}
    assert tokenizer.tokens(pa.array(["x", "x"])).to_pylist() == kept * 2
    assert vault._tokens == {}
    vault._tokens = standing
    tokenizer.tokens(pa.array([f"v{k}" for k in range(8)]))
    vault._tokens = {}
    vault._sealed = {}
    assert tokenizer.tokens(pa.array(["x"])).to_pylist() != kept


def test_long_tokens_pass_the_cache_by():
    """A token too long for the cache comes from the vault each time, and is right."""
    tokenizer = Tokenizer(MemoryVault(), RING, "d", "digits any", digits("any"))
    texts = pa.array(["1" * 48, "2" * 49, "3" * 1_000])
    made = tokenizer.tokens(texts).to_pylist()
    assert [len(token) for token in made] == [48, 49, 1_000]
    assert tokenizer.tokens(texts).to_pylist() == made
