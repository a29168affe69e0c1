"""Digests of granted views: nobody tests guesses of what a grant has opened, and holders of the key ring trace the records."""

import base64
import json

import pytest
from granted_jobs import policy_of, record
from sealed_logs import SIGNER, sealed

from flink_masking.audit.digests import read_leaves
from flink_masking.audit.stores import Directory
from flink_masking.audit.trace import check_proof, trace
from flink_masking.audit.verify import verify
from flink_masking.crypto.merkle import leaf_hash, root_by_path
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

DIGESTS = ("stream: s\n", "stream: s\naudit: {sink: audit, digests: true}\n")


@pytest.fixture
def digested(job):
    """Makes a job whose policy asks for digests."""
    return lambda **options: job(policy_of(change=DIGESTS), **options)


def told(piece, view="debug"):
    """All hashes that a batch tells of a view: its root, and the leaves beside it."""
    found = [base64.b64decode(json.loads(piece.audit)["segments"][view]["root"])]
    for line in piece.leaves:
        _, leaves = read_leaves(line)[2].get(view, (0, b""))
        found += [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    return set(found)


def lines(*pieces):
    """What batches write to the audit."""
    return [line for piece in pieces for line in (piece.audit, *piece.leaves)]


@pytest.mark.parametrize("numbers", [[7], [7, 8, 9], range(40)])
def test_no_guess_of_an_opened_field_can_be_tested(digested, numbers):
    """Who reads the masked view and the audit, and guesses the one field that a grant has opened, finds no hash that confirms the guess."""
    made = digested()
    made.grant([f"p{number}" for number in numbers], fields={"ssn": None})
    piece = made([record(number) for number in numbers])
    known = told(piece)
    for opened in piece.views["debug"].to_pylist():
        body = json.loads(opened)
        guesses = [opened.replace(body["ssn"].encode(), b"%09d" % guess) for guess in range(50)]
        assert opened in guesses and not known & {leaf_hash(guess) for guess in guesses}


def test_the_same_record_in_two_batches(digested):
    """A record that a grant opens twice has another hash each time, so nobody learns that two opened values are equal."""
    made = digested()
    made.grant(["p0"])
    one, two = made([record(0)]), made([record(0)])
    assert one.views["debug"] == two.views["debug"] and not told(one) & told(two)


@pytest.mark.parametrize("count", [1, 3, 1_002])
def test_a_granted_record_is_traced_with_the_key_ring(digested, tmp_path, count):
    """With the key ring each record is found with its grant, and its proof stands alone; with another ring nothing is found, and without
    one an error says what is missing."""
    made = digested()
    name = made.grant(where={"region": "us"})
    pieces = [made([record(number) for number in range(3)]), made([record(number, region="us") for number in range(min(count, 1_000))])]
    log = Directory(sealed(tmp_path / "log", lines(*pieces)))
    opened = pieces[1].views["debug"].to_pylist()
    for at in {0, len(opened) // 2, len(opened) - 1}:
        [sent] = trace(log, "debug", opened[at], made.ring.rotated())
        assert (sent.index, sent.done["grants"]) == (at, {name: len(opened)})
        assert check_proof(sent.proof, opened[at], [SIGNER.verifier])[0] == sent.event
    with pytest.raises(InputError, match=r"needs the key ring. Hint: --keys"):
        trace(log, "debug", opened[0])
    assert trace(log, "debug", opened[0], KeyRing.new()) == [] == trace(log, "debug", record(0), made.ring)
    assert trace(log, "support", pieces[1].views["support"].to_pylist()[0]) and verify(log, [SIGNER.verifier], ring=made.ring).faults == []


def test_a_salt_proves_no_other_record(digested, tmp_path):
    """A proof of a granted record with another salt, a longer one or none is refused, and so is one of a masked record that is given a
    salt: part of a record could be passed off as a salt."""
    made = digested()
    made.grant(["p0"])
    piece = made([record(0), record(1)])
    log = Directory(sealed(tmp_path / "log", lines(piece)))
    opened, masked = piece.views["debug"][0].as_py(), piece.views["support"][0].as_py()
    proof = json.loads(trace(log, "debug", opened, made.ring)[0].proof)
    salt = base64.b64decode(proof["record"]["salt"])
    for other, shown in ((None, opened), (salt[:31], opened), (salt + opened[:1], opened[1:]), (salt[:31], salt[31:] + opened),
                         (bytes(32), opened), (b"", salt + opened)):
        changed = {**proof, "record": {name: value for name, value in proof["record"].items() if name != "salt"}}
        if other is not None:
            changed["record"]["salt"] = base64.b64encode(other).decode()
        with pytest.raises(InputError, match=r"not a proof|not in the batch"):
            check_proof(json.dumps(changed).encode(), shown, [SIGNER.verifier])
    proof = json.loads(trace(log, "support", masked)[0].proof)
    proof["record"]["salt"] = base64.b64encode(masked[:32]).decode()
    with pytest.raises(InputError, match="not a proof"):
        check_proof(json.dumps(proof).encode(), masked[32:], [SIGNER.verifier])


def test_logs_of_earlier_releases(digested, tmp_path):
    """Granted views whose events tell of no salt are traced as they were written, by the record alone."""
    made = digested()
    piece = made([record(0)])
    event = json.loads(piece.audit)
    opened = b'{"ssn":"000000000"}'
    event["segments"]["debug"] = {"released": 1, "fields": {}, "root": base64.b64encode(leaf_hash(opened)).decode(), "grants": {"g": 1}}
    log = Directory(sealed(tmp_path / "log", [json.dumps(event).encode()]))
    [sent] = trace(log, "debug", opened)
    assert sent.done["grants"] == {"g": 1} and check_proof(sent.proof, opened, [SIGNER.verifier])
    assert root_by_path(leaf_hash(opened), 0, 1, []) == leaf_hash(opened)
