"""``flink-masking audit``: from a key to a proof that stands alone."""

import json
import threading
import urllib.error
import urllib.request

import jsonschema
import pytest
from control_documents import NOW, Signers
from granted_jobs import Job, policy_of, record
from sealed_logs import RING, SIGNER, batches, sealed

from flink_masking.audit.events import is_leaves
from flink_masking.audit.server import server
from flink_masking.engine.quarantine import QuarantineWriter


@pytest.fixture
def log(tmp_path, cli):
    """A log that the commands have made: its directory, public key, released records and events."""
    released, lines = batches(3, 5)
    (tmp_path / "run" / "audit").mkdir(parents=True)
    (tmp_path / "run" / "audit" / "part-0").write_bytes(b"".join(line + b"\n" for line in lines))
    key = cli("audit", "key", tmp_path / "log.key", "--name", "audit.example.com/orders").out.strip()
    done = cli("audit", "seal", tmp_path / "run", "--log", tmp_path / "log", "--key", tmp_path / "log.key", "--once")
    assert done.code == 0 and "sealed 3 entries" in done.out
    (tmp_path / "ring.json").write_bytes(RING.dump())
    (tmp_path / "ring.json").chmod(0o600)
    return tmp_path / "log", key, released, lines


def test_verify_says_what_there_is(cli, log, tmp_path):
    """A sound log is described, its checkpoint kept on request, and later logs are held against it."""
    folder, key, _, _ = log
    done = cli("audit", "verify", folder, "--key", key, "--keys", f"file://{tmp_path / 'ring.json'}", "--save", tmp_path / "kept")
    assert done.code == 0 and "3 entries, 1 chain; events: 3 protect" in done.out and done.err == ""
    (tmp_path / "vkey").write_text(key)
    assert cli("audit", "verify", folder, "--key", tmp_path / "vkey", "--since", tmp_path / "kept").code == 0


def test_verify_ends_with_one_where_something_was_changed(cli, log):
    """A changed entry is named, and the command fails."""
    folder, key, _, _ = log
    path = folder / "tile/entries/000.p/3"
    path.write_bytes(path.read_bytes().replace(b'"records":5', b'"records":6', 1))
    done = cli("audit", "verify", folder, "--key", key)
    assert done.code == 1 and "fault:" in done.err and "does not follow" in done.err and "Hint:" in done.err


def test_progress_has_a_total(cli, log, tmp_path, terminal):
    """On a terminal, sealing, verifying and tracing show the time that remains, by bytes, entries and files."""
    folder, key, released, _ = log
    again = "audit", "seal", tmp_path / "run", "--log", tmp_path / "other", "--key", tmp_path / "log.key", "--once"
    for command, labels in ((again, ["Sealing"]), (("audit", "verify", folder, "--key", key), ["Verifying"]),
                            (("audit", "trace", folder, released[7].decode(), "--view", "support"), ["Searching", "Reading the log"])):
        assert cli(*command).code == 0
        shown = terminal()
        assert all(label in shown for label in labels) and " left" in shown, shown
        assert "100%" not in shown


def test_trace_and_proof(cli, log, tmp_path):
    """A record is traced to policy and rules, and its proof needs neither log nor ring."""
    folder, key, released, lines = log
    (tmp_path / "record").write_bytes(released[7] + b"\n")
    done = cli("audit", "trace", folder, tmp_path / "record", "--view", "support", "--proof", tmp_path / "proof.json", "--key", key)
    digest = json.loads(lines[0])["policy_digest"]
    assert done.code == 0
    for text in ("entry 1, record 3 of 5", "stream orders, policy version 4", digest, "email: partial", "n: keep", "no grant"):
        assert text in done.out
    assert cli("audit", "proof", tmp_path / "proof.json", released[7].decode(), "--key", key).code == 0
    assert cli("audit", "proof", tmp_path / "proof.json", released[8].decode(), "--key", key).code == 1
    missing = cli("audit", "trace", folder, '{"n": -1}', "--view", "support")
    assert missing.code == 1 and "no batch" in missing.err


def test_a_granted_record_is_traced_with_the_key_ring(cli, tmp_path):
    """A record of a granted view is found with --keys and not without, and its proof needs no ring."""
    job = Job(Signers(), policy_of(change=("stream: s\n", "stream: s\naudit: {sink: audit, digests: true}\n")), now=NOW)
    name = job.grant(["p0"])
    piece = job([record(0), record(1)])
    (tmp_path / "ring.json").write_bytes(job.ring.dump())
    (tmp_path / "ring.json").chmod(0o600)
    folder, opened = sealed(tmp_path / "log", [piece.audit, *piece.leaves]), piece.views["debug"][0].as_py().decode()
    without = cli("audit", "trace", folder, opened, "--view", "debug")
    assert without.code == 1 and "needs the key ring" in without.err and "--keys" in without.err
    done = cli("audit", "trace", folder, opened, "--view", "debug", "--keys", f"file://{tmp_path / 'ring.json'}", "--proof",
               tmp_path / "proof.json")
    assert done.code == 0 and name in done.out
    assert cli("audit", "proof", tmp_path / "proof.json", opened, "--key", str(SIGNER.verifier)).code == 0


def test_a_log_is_sealed_further(cli, log, tmp_path):
    """What commands and runs add later is sealed behind, once."""
    folder, key, _, _ = log
    with (tmp_path / "run" / "audit" / "part-1").open("wb") as opened:
        opened.write(b"".join(line + b"\n" for line in batches(2)[1]) + b'{"half')
    for expected in ("sealed 5 entries", ""):
        done = cli("audit", "seal", tmp_path / "run", "--log", folder, "--key", tmp_path / "log.key", "--once")
        assert done.code == 0 and expected in done.out
    assert cli("audit", "verify", folder, "--key", key).code == 0


def test_what_was_sealed_is_json(cli, log, tmp_path):
    """With --once and --json, one document tells what is new in the log; nothing new is told, too, and a source that is missing."""
    seal = "audit", "seal", tmp_path / "run", "--log", log[0], "--key", tmp_path / "log.key"
    again = tmp_path / "run" / "audit" / "part-1"
    again.write_bytes(batches(2)[1][0] + b"\n")
    told = json.loads(cli(*seal, "--once", "--json").out)
    assert told["log"] == str(log[0]) and told["sealed"] + told["sealed_before"] == 1 and told["entries"] == 3 + told["sealed"]
    assert json.loads(cli(*seal, "--once", "--json").out) == {**told, "sealed": 0, "sealed_before": 0}
    assert f"nothing new to seal, {told['entries']} entries" in cli(*seal, "--once").out
    missing = cli("audit", "seal", tmp_path / "none", *seal[3:], "--once", "--json")
    assert (missing.code, json.loads(missing.out)["error"]["message"]) == (1, f"{tmp_path}/none: there is no such file or directory.")
    assert json.loads(cli(*seal, "--json").out)["error"]["exit_code"] == 2


def test_seal_takes_log_and_key_from_a_deployment(cli, log, tmp_path):
    """A deployment with a section audit says where the log is."""
    (tmp_path / "deployment.yaml").write_text(f"""
source: {{connector: filesystem, path: 'file:///nowhere'}}
sinks: {{audit: {{connector: filesystem, path: 'file://{tmp_path}/run/audit'}}}}
keys: file:///nowhere
audit: {{log: '{tmp_path}/other', key: '{tmp_path}/log.key', seal_every: 1s}}
""")
    assert "sealed 3 entries" in cli("audit", "seal", tmp_path / "deployment.yaml", "--once").out
    assert cli("audit", "verify", tmp_path / "other", "--key", log[1]).code == 0
    (tmp_path / "deployment.yaml").write_text("source: {}\nsinks: {}\nkeys: k\naudit: {logs: x}\n")
    done = cli("audit", "seal", tmp_path / "deployment.yaml")
    assert done.code == 1 and "did you mean 'log'" in done.err


def test_commands_write_to_the_log_of_their_deployment(cli, log, tmp_path):
    """What a command opens is noted in the deployment's audit, or the one given, before it is opened, and sealed with the rest."""
    folder, key, _, _ = log
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "part-0").write_bytes(QuarantineWriter(RING, "orders").entry(b"SECRET", "malformed", None, None, 0) + b"\n")
    (tmp_path / "deployment.yaml").write_text(f"""
source: {{connector: filesystem, path: 'file:///nowhere'}}
sinks:
  audit: {{connector: filesystem, path: 'file://{tmp_path}/run/audit'}}
  quarantine: {{connector: filesystem, path: 'file://{tmp_path}/quarantine'}}
keys: file://{tmp_path}/ring.json
audit: {{log: '{folder}', key: '{tmp_path}/log.key'}}
""")
    show = ["quarantine", "show", tmp_path / "deployment.yaml", "--reveal", "--keys", f"file://{tmp_path}/ring.json", "--actor", "jdoe",
            "--purpose", "ticket 1"]
    assert "SECRET" in cli(*show).out
    assert "sealed 5 entries" in cli("audit", "seal", tmp_path / "deployment.yaml", "--once").out
    done = cli("audit", "verify", folder, "--key", key, "--keys", f"file://{tmp_path}/ring.json")
    assert done.code == 0 and "2 chains; events: 3 protect, 2 reveal" in done.out
    (tmp_path / "other").mkdir()
    assert cli(*show, "--audit", tmp_path / "other").code == 0 and len(list((tmp_path / "other").iterdir())) == 1
    blocked = tmp_path / "run" / "audit" / "commands.jsonl"
    blocked.write_bytes(blocked.read_bytes() + b'{"half')
    refused = cli(*show)
    assert refused.code == 1 and "SECRET" not in refused.out


def test_serve_gives_the_public_files_and_nothing_else(log, cli, tmp_path):
    """Checkpoint, tiles and entries are served, and verified from there; leaf hashes and the sealer's state are not."""
    folder, key, _, _ = log
    with server(folder, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}"
        assert cli("audit", "verify", address, "--key", key).code == 0
        for path in ("leaves/000000001.jsonl", ".sealer/state", "tile/../.sealer/state", "tile/entries/../../.sealer/state", ""):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{address}/{path}")
        running.shutdown()


def test_the_schema_fits_events(cli):
    """The printed JSON Schema accepts events and refuses one without its link."""
    validator = jsonschema.Draft202012Validator(json.loads(cli("audit", "schema").out))
    event = json.loads(next(line for line in batches(1)[1] if not is_leaves(line)))
    validator.validate(event)
    del event["previous"]
    assert not validator.is_valid(event)


def test_keys_are_private_and_not_overwritten(cli, tmp_path):
    """The signing key's file is for its owner only, and a second key takes another file."""
    assert cli("audit", "key", tmp_path / "k", "--name", "a").code == 0 and (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert cli("audit", "key", tmp_path / "k", "--name", "a").code == 1 and cli("audit", "key", tmp_path / "k2", "--name", "a b").code == 1


def test_an_identity_signs_a_log(cli, log, tmp_path):
    """The key of an identity signs under the log's name, by option or deployment; its passphrase and a name are needed."""
    (tmp_path / "words").write_text("correct horse battery staple\n")
    (tmp_path / "words").chmod(0o600)
    person = tmp_path / "sealer.key"
    assert cli("identity", "new", person, "--owner", "sealer", "--passphrase-file", tmp_path / "words").code == 0
    before = person.read_bytes()
    key = cli("audit", "key", person, "--name", "audit.example.com/orders").out.strip()
    assert key.startswith("audit.example.com/orders+") and person.read_bytes() == before
    seal = ("audit", "seal", tmp_path / "run", "--log", tmp_path / "signed", "--key", person, "--once")
    nameless = cli(*seal, "--passphrase-file", tmp_path / "words")
    assert nameless.code == 1 and "the log's name" in nameless.err and "--name" in nameless.err
    done = cli(*seal, "--passphrase-file", tmp_path / "words", "--name", "audit.example.com/orders")
    assert done.code == 0, done.err
    assert cli("audit", "verify", tmp_path / "signed", "--key", key).code == 0
    assert cli("audit", "verify", tmp_path / "signed", "--key", log[1]).code != 0
    (tmp_path / "deployment.yaml").write_text(f"""\
source: {{connector: datagen}}
sinks: {{audit: {{connector: filesystem, path: 'file://{tmp_path}/run/audit'}}}}
keys: file://{tmp_path}/ring.json
audit: {{log: '{tmp_path}/again', key: '{person}', name: audit.example.com/orders, passphrase_file: '{tmp_path}/words'}}
""")
    done = cli("audit", "seal", tmp_path / "deployment.yaml", "--once")
    assert done.code == 0, done.err
    assert cli("audit", "verify", tmp_path / "again", "--key", key).code == 0
    (tmp_path / "words").write_text("another passphrase\n")
    refused = cli("audit", "seal", tmp_path / "deployment.yaml", "--once")
    assert refused.code != 0 and "the passphrase does not open it" in refused.err
    other = cli("audit", "seal", tmp_path / "run", "--log", tmp_path / "log", "--key", tmp_path / "log.key", "--once", "--name", "x")
    assert other.code != 0 and "the key of the log audit.example.com/orders" in other.err
