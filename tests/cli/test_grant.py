"""The command grant, and commands that need a grant."""

import base64
import json

import pytest
from controlled import deployment, identities, with_key
from granted_jobs import POLICY

from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector

TEXT = POLICY.format(version=1, may_show="email: {technique: partial, keep_last: 12}, ssn: keep", most=100)
BACK = """\
version: 1
stream: s
reverse: {requires_grant: true, max_duration: 2h}
fields: {id: {class: identifier}, name: {class: direct, type: person, optional: true}}
segments: {claims: {view: masked, rules: {id: {technique: pseudonym, domain: d}, name: {technique: encrypt, domain: n}}}}
"""


@pytest.fixture
def place(cli, tmp_path, monkeypatch):
    """A directory with identities, a trust file, a key ring, a deployment and two policies."""
    monkeypatch.chdir(tmp_path)
    identities(cli, tmp_path, "approver=ann", "approver=bob")
    assert cli("keys", "new", "keys.json").code == 0
    assert cli("keys", "add", "keys.json").code == 0
    deployment(tmp_path, ["support"], control=f", state: 'file://{tmp_path}/state'")
    (tmp_path / "policy.yaml").write_text(TEXT)
    (tmp_path / "back.yaml").write_text(BACK)
    return tmp_path


def signed(cli, owner, *arguments):
    """Run a command that signs."""
    return cli(*arguments, *with_key(owner))


def request(cli, place, *more, policy="policy.yaml", segment="debug", requester="carl", output="g.json"):
    """Ask for a grant."""
    return cli("grant", "request", policy, "--segment", segment, "--for", "30min", "--reason", "ticket", "--requester", requester,
               "--output", output, "--keys", f"file://{place}/keys.json", *more)


def approved(cli, place, *more, **options):
    """Ask for a grant, approve and publish it; returns its id."""
    done = request(cli, place, *more, **options)
    assert done.code == 0, done.err
    done = signed(cli, "ann", "grant", "approve", "g.json", "--yes")
    assert done.code == 0, done.err
    done = cli("grant", "publish", "g.json", "deployment.yaml")
    assert done.code == 0, done.err
    return done.out.split()[1]


def test_requested_approved_published_listed_revoked(cli, place):
    """A grant goes from a request to a listed document and ends by a revocation; no subject stands in it in clear."""
    name = approved(cli, place, "--fields", "email,ssn", "--subject", "CUST12345", "--where", "region=eu", "--max-records", "5")
    written = [place / "g.json", *(place / "control").iterdir()]
    assert len(written) == 2 and not any("CUST12345" in one.read_text() for one in written)
    (row,) = [json.loads(line) for line in cli("grant", "list", "deployment.yaml", "--json").out.splitlines()]
    assert (row["id"], row["state"], row["segment"], row["fields"], row["subjects"], row["signers"]) == (
        name, "in effect", "debug", ["email", "ssn"], 1, ["ann"])
    shown = cli("grant", "show", "g.json", "--policy", "policy.yaml")
    assert shown.code == 0 and "requester: carl" in shown.out
    assert signed(cli, "bob", "grant", "revoke", name, "deployment.yaml", "--reason", "over").code == 0
    assert name in cli("grant", "list", "deployment.yaml", "--state", "revoked").out.replace("\n", "") or json.loads(
        cli("grant", "list", "deployment.yaml", "--state", "revoked", "--json").out)["id"] == name


def test_who_has_requested_cannot_approve(cli, place):
    """The requester's signature is refused, and without another one nothing is published."""
    assert request(cli, place, "--fields", "ssn", "--where", "region=eu", requester="ann").code == 0
    refused = signed(cli, "ann", "grant", "approve", "g.json", "--yes")
    assert refused.code == 1 and "ann has requested it" in refused.err
    assert cli("grant", "publish", "g.json", "deployment.yaml").code == 1
    assert cli("control", "sign", "g.json", "--as", "ann.key", "--passphrase-file", "words").code == 0
    assert cli("grant", "publish", "g.json", "deployment.yaml").code == 1


@pytest.mark.parametrize(("arguments", "told"), [
    (["--fields", "region", "--where", "region=eu"], "not under may_show"),
    (["--fields", "ssn"], "neither subjects nor a predicate"),
    (["--fields-as", "email=keep", "--where", "region=eu"], "may show more"),
    (["--fields", "ssn", "--where", "none=1"], "not a declared field"),
    (["--fields", "ssn", "--where", "region=eu", "--max-records", "101"], "max_records is above"),
])
def test_a_request_is_checked_against_the_policy(cli, place, arguments, told):
    """What the policy does not allow is refused before anybody is asked."""
    done = request(cli, place, *arguments)
    assert done.code == 1 and told in done.err and not (place / "g.json").exists()


def masked(place):
    """Records of the reversible segment in a file, and the quarantine of a batch in a directory."""
    from flink_masking.keys.providers import open_ring

    ring = open_ring(f"file://{place}/keys.json")
    result = Protector(PolicySource("back.yaml", BACK), ring).protect([b'{"id":"a","name":"Ada"}', b'{"id":"b","name":"Bob"}', b"broken"])
    (place / "claims.jsonl").write_bytes(b"".join(line + b"\n" for line in result.views["claims"].to_pylist() if line))
    (place / "quarantine").mkdir()
    (place / "quarantine" / "part.jsonl").write_bytes(b"".join(line + b"\n" for _, line in result.quarantine))


def unmask(cli, place, output, *more, actor="carl"):
    """Unmask the records."""
    return cli("unmask", "back.yaml", "--segment", "claims", "--input", "claims.jsonl", "--output", output, "--keys",
               f"file://{place}/keys.json", "--actor", actor, "--purpose", "ticket", *more)


def test_unmask_and_rekey_need_a_grant(cli, place):
    """Without a grant of the actor's in force nothing is opened, and the audit tells the attempt; with one, the audit names it."""
    masked(place)
    for more in ((), ("--grants", "deployment.yaml")):
        done = unmask(cli, place, "out.jsonl", *more)
        assert done.code == 1 and "grant" in done.err and not (place / "out.jsonl").exists()
    tried = [json.loads(line) for line in (place / "out.jsonl.audit.jsonl").read_text().splitlines()]
    assert [(one["outcome"], one.get("grant")) for one in tried] == [("begun", None), ("failed", None)] * 2
    name = approved(cli, place, "--reverse", "--fields", "name", policy="back.yaml", segment="claims")
    done = unmask(cli, place, "out.jsonl", "--grants", "deployment.yaml")
    assert done.code == 0, done.err
    assert [json.loads(line)["name"] for line in (place / "out.jsonl").read_text().splitlines()] == ["Ada", "Bob"]
    last = json.loads((place / "out.jsonl.audit.jsonl").read_text().splitlines()[-1])
    assert (last["outcome"], last["grant"]) == ("done", name)
    other = unmask(cli, place, "other.jsonl", "--grants", "deployment.yaml", actor="mallory")
    assert other.code == 1 and "somebody else has requested it" in other.err
    rekey = ("rekey", "back.yaml", "--segment", "claims", "--input", "claims.jsonl", "--keys", f"file://{place}/keys.json",
             "--from-version", "1", "--to-version", "2", "--actor", "carl", "--grants", "deployment.yaml", "--output")
    rekeyed = cli(*rekey, "first.jsonl")
    assert rekeyed.code == 0, rekeyed.err
    assert signed(cli, "bob", "grant", "revoke", name, "deployment.yaml", "--reason", "over").code == 0
    assert unmask(cli, place, "again.jsonl", "--grants", "deployment.yaml").code == 1
    rekeyed = cli(*rekey, "second.jsonl")
    assert rekeyed.code == 1 and "no grant in force" in rekeyed.err and not (place / "second.jsonl").exists()


def test_a_source_that_is_away_or_lies_opens_nothing(cli, place):
    """Where the source of grants is away, or holds a forged or half a grant, nothing is opened, and the error says why; with the
    whole grant it is."""
    masked(place)
    approved(cli, place, "--reverse", "--fields", "name", policy="back.yaml", segment="claims")
    [grant] = (place / "control").iterdir()
    whole = grant.read_text()
    (place / "control").rename(place / "gone")
    done = unmask(cli, place, "out.jsonl", "--grants", "deployment.yaml")
    assert done.code == 1 and "grants cannot be seen" in done.err and "cannot be read" in done.err
    (place / "gone").rename(place / "control")
    body = json.loads(whole)
    told = json.loads(base64.b64decode(body["payload"])) | {"reason": "another"}
    forged = json.dumps(body | {"payload": base64.b64encode(json.dumps(told).encode()).decode()})
    for text in (whole[: len(whole) // 2], forged):
        grant.write_text(text)
        done = unmask(cli, place, "out.jsonl", "--grants", "deployment.yaml")
        assert done.code == 1 and "no grant in force" in done.err
    assert not (place / "out.jsonl").exists()
    grant.write_text(whole)
    assert unmask(cli, place, "out.jsonl", "--grants", "deployment.yaml").code == 0


def test_max_records_of_a_reverse_grant(cli, place):
    """A file with more records than the grant allows is not written."""
    masked(place)
    approved(cli, place, "--reverse", "--max-records", "1", policy="back.yaml", segment="claims")
    done = unmask(cli, place, "out.jsonl", "--grants", "deployment.yaml")
    assert done.code == 1 and "is for 1 records" in done.err and not (place / "out.jsonl").exists()


def test_records_in_quarantine_need_a_grant(cli, place):
    """The entries say that they need one, and do not open without it, or when that is taken out of them."""
    masked(place)
    show = ("quarantine", "show", "quarantine", "--keys", f"file://{place}/keys.json", "--reveal", "--actor", "carl", "--purpose", "p")
    done = cli(*show)
    assert done.code == 1 and "grant is needed" in done.err and "broken" not in done.out
    name = approved(cli, place, "--reverse", policy="back.yaml", segment="quarantine")
    done = cli(*show, "--grants", "deployment.yaml")
    assert done.code == 0 and "broken" in done.out, done.err
    events = [json.loads(line) for line in (place / "quarantine.audit.jsonl").read_text().splitlines()]
    assert [one.get("grant") for one in events if one["event"] == "reveal"] == [None, None, name, name]
    file = place / "quarantine" / "part.jsonl"
    entry = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in entry.items() if key != "approvals"}) + "\n")
    done = cli(*show)
    assert done.code == 1 and "broken" not in done.out


def test_unmasker_needs_a_grant(cli, place):
    """The Python API asks for the same grant, names it in its audit, and stops at its limit and at its end."""
    from flink_masking import Unmasker
    from flink_masking.deployment.model import Deployment
    from flink_masking.errors import ControlError

    masked(place)
    records = (place / "claims.jsonl").read_bytes().splitlines()
    control = Deployment.read(place / "deployment.yaml").control_options

    def unmasker(actor="carl", control=control):
        return Unmasker("back.yaml", "claims", f"file://{place}/keys.json", actor=actor, purpose="p", audit="u.jsonl", control=control)

    for one in (unmasker(), unmasker(control=None)):
        with pytest.raises(ControlError), one:
            pass
    name = approved(cli, place, "--reverse", "--max-records", "3", policy="back.yaml", segment="claims")
    with pytest.raises(ControlError, match="is for 3 records"), unmasker() as opened:
        assert [json.loads(line)["name"] for line in opened.unmask(records).to_pylist()] == ["Ada", "Bob"]
        opened.unmask(records)
    with pytest.raises(ControlError, match="somebody else"), unmasker("mallory"):
        pass
    events = [json.loads(line) for line in (place / "u.jsonl").read_text().splitlines()]
    assert [one.get("grant") for one in events] == [None] * 4 + [name] * 2 + [None] * 2


def test_expiring_records_in_quarantine_need_a_grant_too(cli, place):
    """With keys of days, too, entries need the grant that they name."""
    from flink_masking.engine.quarantine import QuarantineReader, read_entries
    from flink_masking.errors import ControlError
    from flink_masking.keys.providers import open_ring
    from flink_masking.vault.providers import open_vault

    ring, vault = open_ring(f"file://{place}/keys.json"), open_vault(f"sqlite:///{place}/vault.db")
    text = BACK.replace("stream: s", "stream: s\nquarantine: {keep: 1d}")
    lines = [line for _, line in Protector(PolicySource("p", text), ring, vault).protect([b"broken"]).quarantine]
    (entry,) = read_entries(iter(lines))
    with pytest.raises(ControlError, match="grant"):
        QuarantineReader(ring, vault).payload(entry)
    assert QuarantineReader(ring, vault, allowed=lambda entry: True).payload(entry) == b"broken"
