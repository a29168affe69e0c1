"""Inverse functions of SQL under a policy that asks for grants."""

import json
import logging
import time

import pyarrow as pa
import pytest
import yaml
from control_documents import Signers

from flink_masking.control.instants import new_id
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import ControlError, InputError
from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.sql.call import Call
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import ACTOR, GRANTS, KEYS, POLICY, PURPOSE, VAULT, Session

RULES = ("id: {technique: encrypt, domain: name}, ssn: {technique: tokenize, domain: ssn}, "
         "card: {technique: fpe, domain: pan, alphabet: digits}")
TEXT = f"""\
version: 1
stream: s
reverse: {{requires_grant: true, max_duration: 2h}}
fields:
  id: {{class: identifier}}
  ssn: {{class: direct}}
  card: {{class: direct}}
segments:
  claims: {{view: masked, rules: {{{RULES}}}}}
"""


def now():
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


class Sql:
    """A session of carl's, its control documents, and values that were protected in it."""

    def __init__(self, place, keys):
        """Write policy, trust file and deployment."""
        self.place, self.signers = place, Signers()
        (place / "control").mkdir()
        (place / "policy.yaml").write_text(TEXT)
        (place / "trust.json").write_bytes(self.signers.trust())
        (place / "deployment.yaml").write_text(yaml.safe_dump({
            "source": {"connector": "datagen"}, "sinks": {}, "keys": keys,
            "control": {"source": (place / "control").as_uri(), "trust": "trust.json", "refresh": "1ms"}}))
        self.given = {KEYS: keys, VAULT: f"sqlite://{place}/vault.db", POLICY: f"{place}/policy.yaml", ACTOR: "carl", PURPOSE: "why",
                      GRANTS: f"{place}/deployment.yaml"}
        self.ring = open_ring(keys)

    def open(self, name, place=(1, 0), **changed):
        """A function as a worker has it."""
        given = {**self.given, **changed}
        return Call(FUNCTIONS[name], Session(lambda key, default: given.get(key, default)), lambda n: b"x" * n, place)

    def __call__(self, name, values, *arguments, call=None):
        """The results of a call."""
        return (call or self.open(name))(pa.array(values, pa.string()), *arguments).to_pylist()

    def grant(self, at=None, segment="sql", **options):
        """Publish a grant of kind reverse; returns its id."""
        at = at or now() - 1
        name = new_id(at)
        document = self.signers.grant(id=name, issued_at=at, kind="reverse", segment=segment,
                                      **{"requester": "carl", "expires_at": at + 3_600_000, **options})
        (self.place / "control" / f"{name}.json").write_bytes(document)
        return name


@pytest.fixture
def sql(tmp_path, key_uri):
    """A session."""
    return Sql(tmp_path, key_uri)


BACK = [("encrypt", "decrypt", ("name",)), ("tokenize", "detokenize", ("ssn",)), ("fpe_encrypt", "fpe_decrypt", ("pan", "0123456789")),
        ("mask", "unmask", ("{technique: tokenize, domain: ssn}",))]


@pytest.mark.parametrize(("there", "back", "arguments"), BACK)
def test_nothing_is_opened_without_a_grant(sql, caplog, there, back, arguments):
    """Each inverse function refuses a batch without a grant, which is written down, and opens it with one, whose id is."""
    made = sql(there, ["12345678", None], *arguments)
    with caplog.at_level(logging.WARNING, "flink_masking.audit"):
        with pytest.raises(ControlError, match="no grant in force allows this for sql"):
            sql(back, made, *arguments)
        name = sql.grant()
        assert sql(back, made, *arguments) == ["12345678", None]
    refused, done = [json.loads(one.getMessage()) for one in caplog.records if one.name == "flink_masking.audit"]
    assert (refused["actor"], refused["count"], refused["opened"]) == ("carl", 1, 0) and "no grant in force" in refused["refused"]
    assert (done["grant"], done["opened"], "refused" in done) == (name, 1, False)


@pytest.mark.parametrize("options", [
    {"requester": "dora"}, {"segment": "claims"}, {"segment": "quarantine"}, {"by": ("carl",)}, {"expires_at": "late"}, {"at": "later"},
    {"expires_at": "too long"}, {"fields": {"ssn": None}}, {"fields": {"none": None}}, {"where": {"ssn": "1"}}, {"max_records": 1},
    {"stream": "other"},
])  # fmt: skip
def test_grants_that_do_not_fit(sql, options):
    """A grant of somebody else, for something else, unsigned, over, not yet begun, or for less than the call opens is none."""
    begun = now() + 60_000 if options.pop("at", None) else now() - 10_000
    if ends := options.pop("expires_at", None):
        options["expires_at"] = begun + (5_000 if ends == "late" else 7_200_001)
    sql.grant(at=begun, **options)
    made = sql("encrypt", ["a", "b"], "name")
    with pytest.raises(ControlError, match="no grant in force"):
        sql("decrypt", made, "name")


def test_fields_limit_what_is_opened(sql):
    """A grant for a field allows the functions and domains of that field's rules, and no others, whatever path a call names."""
    sql.grant(fields={"ssn": None})
    assert sql("detokenize", sql("tokenize", ["1"], "ssn"), "ssn") == ["1"]
    for name, arguments in (("decrypt", ("name",)), ("fpe_decrypt", ("ssn", "0123456789")), ("detokenize", ("other",)),
                            ("unmask", ("{technique: encrypt, domain: name}", "ssn", "s"))):
        with pytest.raises(ControlError, match="for other fields"):
            sql(name, ["123456"], *arguments)


def test_a_query_that_runs_ends_with_its_grant(sql):
    """Max_records holds over the batches of a call, divided by workers; a revocation ends a call that is open."""
    made = sql("encrypt", ["a", "b", None], "name")
    name = sql.grant(max_records=7)
    for worker, most in ((0, 2), (1, 1)):
        call = sql.open("decrypt", (2, worker))
        assert [sql("decrypt", made, "name", call=call) for _ in range(most)] == [["a", "b", None]] * most
        with pytest.raises(ControlError, match="it is for 7 values"):
            sql("decrypt", made, "name", call=call)
    call = sql.open("decrypt")
    assert sql("decrypt", made, "name", call=call) == ["a", "b", None]
    (sql.place / "control" / "revocation.json").write_bytes(sql.signers.revocation(name, issued_at=now()))
    time.sleep(0.01)
    with pytest.raises(ControlError, match="no grant in force"):
        sql("decrypt", made, "name", call=call)


def test_sessions_that_say_too_little(sql):
    """Grants are asked for as soon as the policy is named; a session that names grants and no policy is refused, and so is one whose
    policy cannot be read; without both nothing is asked, and masking never is."""
    with pytest.raises(ControlError, match="does not say where grants are"):
        sql.open("decrypt", **{GRANTS: ""})
    with pytest.raises(InputError, match="names grants and no policy"):
        sql.open("decrypt", **{POLICY: ""})
    with pytest.raises(InputError):
        sql.open("decrypt", **{POLICY: f"{sql.place}/none.yaml"})
    made = sql("encrypt", ["a"], "name", call=sql.open("encrypt", **{GRANTS: ""}))
    assert sql("decrypt", made, "name", call=sql.open("decrypt", **{GRANTS: "", POLICY: ""})) == ["a"]
    (sql.place / "policy.yaml").write_text(TEXT.replace("requires_grant: true", "requires_grant: false"))
    assert sql("decrypt", made, "name") == ["a"]


def test_no_segment_is_called_sql():
    """Where grants are asked for, a segment of that name would be taken for SQL's functions."""
    with pytest.raises(PolicyFaults, match="name 'sql' for the inverse functions"):
        load(PolicySource("policy.yaml", TEXT.replace("claims:", "sql:")))
