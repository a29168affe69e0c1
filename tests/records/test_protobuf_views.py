"""Protobuf records through a policy: framings, registry, faults with their position, and what views hold."""

import base64
import json

import pyarrow as pa
import pytest
from google.protobuf import message_factory

from flink_masking import KeyRing, Protector
from flink_masking.errors import InputError, PolicyError, RegistryError, RegistryUnavailableError
from flink_masking.policy.source import PolicySource
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.edits import DROP, KEEP, Replace
from flink_masking.records.protobuf.schemas import messages
from flink_masking.records.trie import Paths
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

COMMON = 'syntax = "proto3"; package ex; message Address { string street = 1; string city = 2; }'
ORDERS = """syntax = "proto3"; package ex; import "common.proto"; import "confluent/meta.proto";
message Note { string text = 1; }
message Order {
  message Customer { string name = 1; string email = 2 [(confluent.field_meta) = {tags: "PII"}]; Address address = 3; sint32 age = 4; }
  enum State { NEW = 0; PAID = 1; }
  string id = 1; int64 ts = 2; Customer customer = 3; double amount = 4; repeated string phones = 5; map<string, string> attrs = 6;
  State state = 7; oneof pay { string card = 8; string iban = 9; } bytes blob = 10; repeated int32 scores = 11;
}
"""
REFERENCES = {"common.proto": COMMON}
FIELDS = """
fields:
  id: {class: identifier, optional: false}
  ts: {class: plain, type: number}
  customer.name: {class: direct}
  customer.email: {class: direct}
  customer.address.street: {class: direct}
  customer.address.city: {class: quasi}
  customer.age: {class: quasi, type: integer}
  amount: {class: plain, type: number, optional: false}
  "phones[*]": {class: direct}
  "attrs.*": {class: sensitive}
  attrs.email: {class: direct}
  state: {class: plain}
  card: {class: direct}
  iban: {class: direct}
  blob: {class: sensitive}
  "scores[*]": {class: plain, type: integer}
"""
RULES = """
segments:
  support:
    view: masked
    keys: {"attrs.*": plain}
    rules:
      id: keep
      ts: keep
      customer.name: {technique: redact}
      customer.email: {technique: partial, keep_first: 1, keep_after: "@"}
      customer.address.street: drop
      customer.address.city: keep
      customer.age: nullify
      amount: keep
      "phones[*]": {technique: partial, keep_last: 2}
      "attrs.*": {technique: redact}
      attrs.email: drop
      state: keep
      card: {technique: partial, keep_last: 4}
      iban: drop
      blob: drop
      "scores[*]": keep
"""


def policy(head="framing: confluent", rules=RULES, files=None):
    """A policy of orders."""
    return PolicySource("policy.yaml", f"version: 1\nstream: orders\nformat: protobuf\n{head}\n{FIELDS}{rules}", files or {})


@pytest.fixture(scope="module")
def order():
    """Makes an order's message."""
    kind = message_factory.GetMessageClass(messages(ORDERS, tuple(REFERENCES.items())).named("Order"))

    def make(**fields):
        made = kind(**fields)
        made.customer.name, made.customer.email, made.customer.age = "Jörg Müller", "jm@example.com", 41
        made.customer.address.street, made.customer.address.city = "Hauptstraße 1", "Köln"
        made.attrs["email"], made.attrs["note"] = "jm@example.com", "calls often"
        return made

    make.kind = kind
    return make


SCHEMAS = KnownSchemas({SchemaId("id", 7): Schema(ORDERS, "PROTOBUF", REFERENCES), SchemaId("content", 7): Schema(ORDERS, "", REFERENCES),
                        SchemaId("global", 7): Schema(ORDERS, "", REFERENCES), SchemaId("id", 8): Schema("{}", "AVRO"),
                        SchemaId("id", 9): Schema("syntax = broken", "PROTOBUF")})  # fmt: skip
CONFLUENT = b"\0\0\0\0\7\2\2"


def shown(view, kind, prefix=CONFLUENT):
    """The message of a view's record, whose framing is as it came."""
    assert view.startswith(prefix)
    return kind.FromString(view[len(prefix) :])


@pytest.mark.parametrize("framing, prefix", [
    ("confluent", b"\0\0\0\0\7\2\2"), ("apicurio4", b"\0\0\0\0\7\x07\n\5Order"), ("apicurio8", b"\0" + bytes(7) + b"\7\x07\n\5Order"),
])
def test_a_framing_leads_to_the_message_and_stays(order, framing, prefix):
    """Confluent's index path and Apicurio's Ref name the message; imports come along; the view has the same framing."""
    record = order(id="o-1", amount=9.5, phones=["0221 1234", "+49 30 99"], card="4111222233334444", scores=[1, 300, -5], state=1)
    result = Protector(policy(f"framing: {framing}"), KeyRing.ephemeral(), registry=SCHEMAS).protect([prefix + record.SerializeToString()])
    assert result.quarantine == []
    made = shown(result.views["support"][0].as_py(), order.kind, prefix)
    want = order(id="o-1", amount=9.5, phones=["*******34", "*******99"], card="************4444", scores=[1, 300, -5], state=1)
    want.customer.name, want.customer.email = "***", "j***@example.com"
    want.customer.address.ClearField("street")
    want.customer.ClearField("age")
    del want.attrs["email"]
    want.attrs["note"] = "***"
    assert (made.phones[0][-2:], made.card[-4:], made.customer.email) == ("34", "4444", "j***@example.com")
    for field in ("phones", "card"):
        want.ClearField(field), made.ClearField(field)
    assert made == want


def test_the_first_message_is_a_single_zero(order):
    """The index path [0] is one byte, and a message of another type is no order."""
    protector = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS)
    result = protector.protect([b"\0\0\0\0\7\0" + b"\n\4text"])
    assert [json.loads(line)["reason"] for _, line in result.quarantine] == ["unknown_field"]


@pytest.mark.parametrize("record, reason, position", [
    (b"", "malformed", 0), (b"\1", "malformed", 1), (b"\2", "malformed", 0), (b"\0\0\0", "malformed", 3), (b"\0\0\0\0\7", "malformed", 5),
    (b"\0\0\0\0\7\2\3", "malformed", 6), (b"\0\0\0\0\7\x50", "malformed", 5), (b"\0\0\0\0\5\2\2", "unknown_schema", 0),
    (b"\0\0\0\0\7\2\x20", "unknown_schema", 0), (b"\0\0\0\0\x08\2\2", "unknown_schema", 0), (b"\0\0\0\0\x09\2\2", "unknown_schema", 0),
    (CONFLUENT + b"\n\2a", "malformed", 7), (CONFLUENT + b"\n\1a\xff", "malformed", 10), (CONFLUENT + b"\n\1\xff", "malformed", 9),
    (CONFLUENT + b"\x0c", "malformed", 7), (CONFLUENT + b"\x0b", "malformed", 8), (CONFLUENT + b"\0\0", "malformed", 7),
    (CONFLUENT + b"\x10" + b"\xff" * 11, "malformed", 7), (CONFLUENT + b"\x2a\1", "malformed", 7),
    (CONFLUENT + b"\x1a\2\n\5", "malformed", 9), (CONFLUENT + b"\x32\4\x12\0\n\0", "malformed", 11),
])
def test_what_is_malformed_goes_to_quarantine_with_its_position(record, reason, position):
    """Framing, tags, lengths, varints, groups, UTF-8 and entries of maps: each fault has a place, and its neighbours pass."""
    good = CONFLUENT + b"\n\1a"
    result = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS).protect([good, record, good])
    [(row, line)] = result.quarantine
    found = json.loads(line)
    assert (row, found["reason"], found["position"]) == (1, reason, position)
    assert [view is None for view in result.views["support"].to_pylist()] == [False, True, False]


@pytest.mark.parametrize("extra, path", [(b"\xf8\6\1", "?"), (b"\x1a\4\n\0\x78\1", "customer.?"),
                                         (b"\x1a\5\x1a\3\x22\1x", "customer.address.?"),
                                         (b"\x08\1", "?")])
def test_undeclared_fields_are_denied_or_dropped(order, extra, path):
    """A field that no schema or policy knows, at any depth, sends the record to quarantine, or is removed with all lengths around it."""
    record = order(id="o").SerializeToString() + extra
    [(_, line)] = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS).protect([CONFLUENT + record]).quarantine
    assert (json.loads(line)["reason"], json.loads(line)["path"]) == ("unknown_field", path)
    protector = Protector(policy("framing: confluent\nunknown_fields: drop"), KeyRing.ephemeral(), registry=SCHEMAS)
    result = protector.protect([CONFLUENT + record])
    made = shown(result.views["support"][0].as_py(), order.kind)
    size = made.ByteSize()
    made.DiscardUnknownFields()
    assert made.ByteSize() == size


def test_fields_of_the_schema_that_the_policy_forgot_are_listed(order):
    """The quarantine tells every one of them by its name in the schema, and never a key of a map or a value."""
    forgot = FIELDS.replace("  customer.email: {class: direct}\n", "  customer.e_mail: {class: direct}\n")
    forgot = forgot.replace("  attrs.email: {class: direct}\n", "")
    rules = RULES.replace("customer.email:", "customer.e_mail:").replace("      attrs.email: drop\n", "")
    text = policy(rules=rules).text.replace(FIELDS, forgot)
    [(_, line)] = Protector(PolicySource("p.yaml", text), KeyRing.ephemeral(), registry=SCHEMAS).protect(
        [CONFLUENT + order(id="o").SerializeToString()]).quarantine
    entry = json.loads(line)
    assert entry["reason"] == "unknown_field" and "customer.email" in json.dumps(entry)
    assert b"jm@" not in line


def test_an_entry_without_a_value_is_dropped_like_others(order):
    """A map's entry of which only the key is on the wire has the default as its value, by whose rule its key goes, too."""
    record = CONFLUENT + b"\n\1a" + b"\x32\5\n\3key"
    [view] = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS).protect([record]).views["support"].to_pylist()
    assert dict(shown(view, order.kind).attrs) == {"key": ""}
    rules = RULES.replace('"attrs.*": {technique: redact}', '"attrs.*": drop').replace('    keys: {"attrs.*": plain}\n', "")
    [view] = Protector(policy(rules=rules), KeyRing.ephemeral(), registry=SCHEMAS).protect([record]).views["support"].to_pylist()
    assert view == CONFLUENT + b"\n\1a"


def test_every_occurrence_is_masked(order):
    """A singular field that comes several times, which readers take the last of, gives none of its values away."""
    parts = [order.kind(id="o", card=f"411122223333444{n}") for n in range(3)]
    record = b"".join(part.SerializeToString() for part in parts)
    [view] = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS).protect([CONFLUENT + record]).views["support"].to_pylist()
    assert view.count(b"\x42") == 3 and b"4111" not in view
    assert shown(view, order.kind).card.endswith("4442")


def test_defaults_that_are_not_on_the_wire_are_values_of_required_fields(order):
    """A required field without presence is its default where it is not sent, and can be replaced; an optional one is just not there."""
    result = Protector(policy(), KeyRing.ephemeral(), registry=SCHEMAS).protect([CONFLUENT + b"\x10\5"])
    assert result.quarantine == [] and result.views["support"].to_pylist() == [CONFLUENT + b"\x10\5"]
    paths = Paths(["id", "amount", "card", "customer.name"])
    codec = codec_for("protobuf", Layout(framing="confluent", schemas=SCHEMAS, required=frozenset({"id", "amount"})))
    table = codec.scan(pa.array([CONFLUENT + b"\x1a\3\n\1x", CONFLUENT + b"\n\1a"]), paths)
    assert [table.values(path).text.to_pylist() for path in paths.names] == [["", "a"], ["0", "0"], [], ["x"]]
    edits = {"id": Replace(pa.scalar("new")), "amount": Replace(pa.array(["1.5", None])), "card": KEEP, "customer.name": DROP}
    one, two = (shown(view, order.kind) for view in table.splice(edits).to_pylist())
    assert (one.id, one.amount, one.customer.name, two.id, two.amount) == ("new", 1.5, "", "new", 0.0)


def test_a_value_that_the_field_cannot_hold_sends_the_record_to_quarantine(order):
    """What stands in place of a number that breaks its contract is never written as a number, and the number never left as it was."""
    rules, source = RULES.replace("customer.age: nullify", "customer.age: keep"), policy()
    text = source.text.replace(RULES, rules).replace("customer.age: {class: quasi, type: integer}",
                                                     "customer.age: {class: quasi, type: integer, domain: [0, 30]}")
    [(_, line)] = Protector(PolicySource("policy.yaml", text), KeyRing.ephemeral(), registry=SCHEMAS).protect(
        [CONFLUENT + order(id="o", ts=1_700_000_000).SerializeToString()]).quarantine
    assert (json.loads(line)["reason"], json.loads(line)["path"]) == ("unwritable_value", "customer.age")


def test_text_in_place_of_a_number_needs_a_schema_of_its_own(order):
    """A view whose schema differs is refused before anything is written where nothing gives its schema an identifier."""
    rules = RULES.replace("ts: keep", "ts: {technique: pseudonym, domain: times}")
    with pytest.raises(RegistryError, match="has no identifier"):
        Protector(policy(rules=rules), KeyRing.ephemeral(), registry=SCHEMAS).protect(
            [CONFLUENT + order(id="o", ts=1_700_000_000).SerializeToString()])


def test_records_without_framing_have_the_schema_of_a_file(order):
    """A .proto file or a descriptor in the policy's folder; the message is named where there are several."""
    descriptors = base64.b64encode(messages(ORDERS, tuple(REFERENCES.items())).serialized).decode()
    source = policy("schema: orders.desc\nmessage: ex.Order", files={"orders.desc": descriptors})
    record = order(id="o-1", card="4111222233334444")
    made = shown(Protector(source, KeyRing.ephemeral()).protect([record.SerializeToString()]).views["support"][0].as_py(), order.kind, b"")
    assert made.id == "o-1" and made.card.endswith("4444") and not made.card.startswith("4111")


@pytest.mark.parametrize("head, files, said", [
    ("framing: single_object", {}, "no such framing"),
    ("framing: none", {}, "do not tell their schema"),
    ("schema: o.proto", {"o.proto": "syntax = "}, "cannot be compiled"),
    ("schema: o.proto", {"o.proto": 'syntax="proto3"; message A {} message B {}'}, "no such message, or several"),
    ("schema: o.proto", {"o.proto": 'syntax="proto3"; message A { string id = 1; string more = 2; }'},
     "'more' of the schema is not declared"),
    ("schema: o.proto", {"o.proto": 'syntax="proto3"; message A { string id = 1; }'}, "the schema has no field 'amount'"),
    ("schema: o.proto", {"o.proto": 'syntax="proto3"; message A { message B { int32 x = 1; } B id = 1; }'}, "'id' is of another kind"),
    ("schema: o.proto", {"o.proto": 'syntax="proto2"; message A { required string id = 1; required double amount = 2; '
                                    'repeated E phones = 3; enum E { X = 0; } }'}, "repeated values of an enum of proto2"),
])  # fmt: skip
def test_check_finds_what_does_not_fit(head, files, said):
    """A framing that there is not, and a schema that fields or rules do not fit, are faults of the policy."""
    with pytest.raises((PolicyError, InputError), match=said):
        Protector(policy(head, files=files), KeyRing.ephemeral())


class Away:
    """A registry that is away."""

    def schema(self, identifier):
        """Never there."""
        raise RegistryUnavailableError("registry: away")


def test_a_registry_that_is_away_fails_the_batch_and_quarantines_nothing(order):
    """An id that cannot be asked for is no id that does not exist: the batch fails, to be tried again."""
    protector = Protector(policy(), KeyRing.ephemeral(), registry=Away())
    with pytest.raises(RegistryUnavailableError):
        protector.protect([CONFLUENT + order(id="o").SerializeToString()])


def test_schemas_of_several_versions_lie_in_one_batch(order):
    """A field that is text in one version of the schema and a number in the next is masked in both."""
    old = 'syntax = "proto3"; package ex; message Order { string id = 1; double amount = 4; string card = 8; }'
    new = 'syntax = "proto3"; package ex; message Order { string id = 1; double amount = 4; int64 card = 8; string iban = 9; }'
    schemas = KnownSchemas({SchemaId("id", 1): Schema(old, "PROTOBUF"), SchemaId("id", 2): Schema(new, "PROTOBUF")})
    one = message_factory.GetMessageClass(messages(old, ()).named("Order"))(id="a", card="41112222")
    two = message_factory.GetMessageClass(messages(new, ()).named("Order"))(id="b", card=41112222)
    rules = RULES.replace("card: {technique: partial, keep_last: 4}", "card: nullify")
    result = Protector(policy(rules=rules), KeyRing.ephemeral(), registry=schemas).protect(
        [b"\0\0\0\0\1\0" + one.SerializeToString(), b"\0\0\0\0\2\0" + two.SerializeToString()] * 3)
    assert result.quarantine == []
    assert result.views["support"].to_pylist() == [b"\0\0\0\0\1\0\n\1a", b"\0\0\0\0\2\0\n\1b"] * 3
