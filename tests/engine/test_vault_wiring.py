"""Where tokens go: policies that make some need a vault, whoever compiles them, and nothing else opens one."""

import pickle

import pytest

from flink_masking.deployment.model import Deployment
from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.errors import KeyRingError, VaultError
from flink_masking.flink.job_source import JobSource
from flink_masking.keys.files import create
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  ssn: {class: direct}
  card: {class: direct}
  age: {class: quasi, domain: [0, 120]}
segments:
  tokens:
    view: masked
    rules: {id: {technique: tokenize, domain: id}, ssn: {technique: tokenize, domain: ssn, format: digits}}
  cards:
    view: masked
    key_versions: true
    rules: {card: {technique: fpe, domain: pan, format: card, keep_first: 6}}
  groups: {view: anonymized, k: 2, quasi_identifiers: [age]}
"""
RECORD = b'{"id":"a","ssn":"123-45-6789","card":"4111111111111111","age":3}'


def loaded(text=POLICY):
    """The policy."""
    return load(PolicySource("policy.yaml", text))


def test_a_policy_that_makes_tokens_needs_a_vault(ring):
    """Without a vault it is loaded and checked, and not compiled; the error names segment and field."""
    policy = loaded()
    assert policy.tokenised == ("tokens: id", "tokens: ssn")
    with pytest.raises(VaultError, match=r"tokens: id: .*none is named.*--vault"):
        compile_plan(policy, ring)
    with pytest.raises(VaultError, match="none is named"):
        Protector(policy, ring)
    assert compile_plan(policy, ring, MemoryVault()).masked[0].name == "tokens"


def test_keyed_operators_need_no_vault(ring):
    """The stateful segments alone are compiled without one."""
    plan = compile_plan(loaded(), ring, masked_segments=False)
    assert plan.masked == () and [s.name for s in plan.stateful] == ["groups"]


def test_tokens_are_those_of_the_vault(tmp_path, ring):
    """Two Protectors with one vault give one token for one value; another vault gives another."""
    def tokens(name, close=False):
        return Protector(loaded(), ring, f"sqlite://{tmp_path}/{name}").protect([RECORD, RECORD]).views["tokens"].to_pylist()

    first, again, other = tokens("one.db"), tokens("one.db"), tokens("two.db")
    assert first[0] == first[1] == again[0] != other[0]
    assert b"123-45-6789" not in first[0] + b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_a_vault_that_fails_lets_nothing_through(tmp_path, ring):
    """A batch that cannot get its tokens is an error without a value, and no view of it exists."""
    vault = open_vault(f"sqlite://{tmp_path}/one.db")
    protector = Protector(loaded(), ring, vault)
    vault.close()
    with pytest.raises(VaultError) as raised:
        protector.protect([RECORD])
    assert "123" not in str(raised.value)


def test_a_vault_of_another_key_ring_is_refused(tmp_path, ring, other_ring):
    """Tokens that could never be opened are not made."""
    Protector(loaded(), ring, f"sqlite://{tmp_path}/one.db").protect([RECORD])
    with pytest.raises(KeyRingError, match="another key ring"):
        Protector(loaded(), other_ring, f"sqlite://{tmp_path}/one.db").protect([RECORD])


def test_a_job_carries_addresses(tmp_path):
    """What is shipped to workers is small text; opening it anew finds vault and keys, and a job without a vault does not start."""
    create(tmp_path / "keys.json")
    source = JobSource(PolicySource("policy.yaml", POLICY), f"file://{tmp_path}/keys.json", f"sqlite://{tmp_path}/vault.db")
    shipped = pickle.dumps(source)
    assert not (tmp_path / "vault.db").exists() and len(shipped) < 2_000
    assert len(pickle.loads(shipped).plan().masked) == 2 and (tmp_path / "vault.db").exists()
    without = JobSource(source.policy, source.keys)
    assert without.open_vault() is None
    with pytest.raises(VaultError, match="none is named"):
        without.plan()
    assert len(without.stateful_plan(KeyRing.new()).stateful) == 1
    with pytest.raises(VaultError):
        JobSource(source.policy, source.keys, f"sqlite://{tmp_path}/no/such/vault.db").plan()


@pytest.mark.parametrize("address", ["postgresql://u:geheim@h/d", "postgresql://u@h/d?sslmode=require&password=geheim"])
def test_no_password_becomes_part_of_a_job_graph(address):
    """An address that holds a password is refused, and not repeated; one with a user is taken."""
    source = PolicySource("policy.yaml", POLICY)
    with pytest.raises(VaultError, match="holds a password") as raised:
        JobSource(source, "env://KEYS", address)
    assert "geheim" not in str(raised.value)
    assert JobSource(source, "env://KEYS", "postgresql://u@h:5432/d").vault is not None


def test_a_deployment_names_the_vault_and_the_interval(tmp_path):
    """vault, key_refresh and vault_patience are read from the deployment; all may be left away."""
    path = tmp_path / "deployment.yaml"
    path.write_text("source: {}\nsinks: {}\nkeys: k\n")
    read = Deployment.read(path)
    assert (read.vault, read.key_refresh, read.vault_patience) == (None, 30_000, 30_000)
    path.write_text("source: {}\nsinks: {}\nkeys: k\nvault: postgresql://v\nkey_refresh: 5min\nvault_patience: 2s\n")
    read = Deployment.read(path)
    assert (read.vault, read.key_refresh, read.vault_patience) == ("postgresql://v", 300_000, 2_000)


def test_key_versions_stand_beside_fpe_values(ring):
    """A segment that asks for them ends each record with the key version of its fpe fields; other segments are as they were."""
    views = Protector(loaded(), ring.rotated(), MemoryVault()).protect([RECORD, b'{"id":"b","ssn":"","card":null,"age":4}']).views
    assert views["cards"][0].as_py().endswith(b'","_key_versions":{"card":2}}')
    assert views["cards"][1].as_py() == b'{"card":null,"_key_versions":{"card":2}}'
    assert b"_key_versions" not in b"".join(views["tokens"].to_pylist())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("age: {class", "_key_versions: {class: plain}\n  age: {class"), "is declared as a field"),
        (("age: {class", '_key_versions.x: {class: plain}\n  age: {class'), "is declared as a field"),
        (("stream: s", "stream: s\nunknown_fields: redact"), "does not go together"),
        (("key_versions: true", "key_versions: 1"), "key_versions"),
    ],
)
def test_key_versions_never_stand_twice(change, said):
    """A policy in which another member could have the name is refused."""
    with pytest.raises(PolicyFaults) as raised:
        loaded(POLICY.replace(*change))
    assert said in str(raised.value)


def test_an_undeclared_member_of_the_name_does_not_stay(ring):
    """A raw record that brings its own _key_versions is quarantined, or loses it."""
    evil = RECORD[:-1] + b',"_key_versions":{"card":9}}'
    result = Protector(loaded(), ring, MemoryVault()).protect([evil])
    assert result.views["cards"].to_pylist() == [None] and len(result.quarantine) == 1
    dropping = Protector(loaded(POLICY.replace("stream: s", "stream: s\nunknown_fields: drop")), ring, MemoryVault()).protect([evil])
    assert dropping.views["cards"][0].as_py().count(b"_key_versions") == 1


def test_key_versions_without_fpe_are_pointed_out():
    """Asking for key versions where there are none is a warning."""
    text = POLICY.replace("{technique: fpe, domain: pan, format: card, keep_first: 6}", "keep")
    assert any("need a key version beside them" in fault.message for fault in loaded(text).warnings)
