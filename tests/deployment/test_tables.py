"""The tables of a job: what Kafka's parts need, the defaults for Kafka, and what a deployment cannot do."""

import re

import pytest

from flink_masking.addresses.endpoints import kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import Tables, completed
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.record import Transport
from flink_masking.errors import JobError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.sql.script import job
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 3
stream: events
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  at: {class: plain, type: datetime}
segments:
  one:
    view: masked
    rules: {at: keep}
RECORD
"""
SUMS = """\
  sums:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {n: count}
    privacy: {epsilon: 100, delta: 0.1}
"""
KEY = "{key: {technique: pseudonym, domain: d}}"


def plan(record=None, more=""):
    """A compiled policy, with that block."""
    text = POLICY.replace("RECORD", f"    record: {record}" if record else "") + more
    return compile_plan(load(PolicySource("policy.yaml", text)), KeyRing.ephemeral(), MemoryVault())


def kafka(topic, **more):
    """Options of a table in Kafka."""
    return {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": "b:9092", **more}


def files(name):
    """Options of a table in files."""
    return {"connector": "filesystem", "path": f"file:///{name}"}


def deployment(source=None, one=None, **more):
    """All in Kafka, but for what is given."""
    sinks = {"one": one or kafka("one"), **{name: kafka(name) for name in ("audit", "quarantine", *more.pop("names", ()))}}
    return Deployment(source=source or kafka("raw"), sinks=sinks, keys="env://K", **more)


def test_files_have_one_column():
    """Without Kafka there is the payload and the line, and nothing else crosses."""
    sinks = {name: files(name) for name in ("one", "sums", "audit", "quarantine")}
    tables = Tables(plan(more=SUMS), Deployment(source=files("raw"), sinks=sinks, keys="k"), clocked=True)
    assert tables.source() == ("CREATE TEMPORARY TABLE flink_masking_source (payload BYTES) WITH ('format' = 'raw', 'connector' = "
                               "'filesystem', 'path' = 'file:///raw')")
    assert "(line BYTES) WITH" in tables.sink("one")
    assert tables.queries.protected(["view0"]) == "SELECT flink_masking_protect_view0(payload) AS view0 FROM flink_masking_source"
    assert tables.insert("one").endswith("SELECT view0 FROM flink_masking_protected WHERE view0 IS NOT NULL")
    assert "headers" not in tables.queries.lines("sums", "v") and not tables.transport.record and not tables.settings


def test_documents_are_cut_before_protect():
    """A table function makes rows of a document's records, each with the document's key; an upsert would keep the last alone."""
    text = POLICY.replace("stream: events", "stream: events\neach: Records[*]")
    text = text.replace("RECORD", f"    record: {KEY[:-1]}, headers: {{t: keep}}}}")
    found = compile_plan(load(PolicySource("policy.yaml", text)), KeyRing.ephemeral())
    queries = Tables(found, deployment(), clocked=True).queries
    assert queries.computes and queries.raw() == (
        "SELECT `each` AS argument0, `key` AS argument1, `headers`['t'] AS argument2 FROM flink_masking_source, "
        "LATERAL TABLE(flink_masking_elements(payload)) AS e(`each`)")
    with pytest.raises(JobError, match=r"all records of a document have its key\. Hint: connector: kafka"):
        Tables(found, deployment(one={**kafka("one"), "connector": "upsert-kafka"}), clocked=True)


def test_csv_is_a_message_in_kafka_and_no_line_of_a_file():
    """The tables of CSV are those of JSON, as Flink sees bytes only; a file source of Flink's, which cuts cells apart, is refused."""
    text = POLICY.replace("stream: events\n", "stream: events\nformat: csv\ncolumns: [id, at]\n")

    def cells(record, folded=False):
        return compile_plan(load(PolicySource("policy.yaml", text.replace("RECORD", record), folded=folded)), KeyRing.ephemeral())

    one, other = (Tables(found, deployment(), clocked=True) for found in (cells(f"    record: {KEY}"), plan(KEY)))
    assert [one.source(), *map(one.sink, one.deployment.sinks)] == [other.source(), *map(other.sink, other.deployment.sinks)]
    statements = [re.sub(r"x'\w+'", "", tables.insert(name)) for tables in (one, other) for name in ("one", "audit", "quarantine")]
    assert statements[:3] == statements[3:]
    written = Deployment(source=files("raw"), sinks={name: files(name) for name in ("one", "audit", "quarantine")}, keys="k")
    with pytest.raises(JobError, match=r"source: Flink's file source ends a record at every line break.*Hint: flink-masking run"):
        Tables(cells(""), written, clocked=True)
    assert "(line BYTES) WITH" in Tables(cells("", folded=True), written, clocked=True).sink("one")


def test_avro_asks_for_the_header_with_the_schema():
    """The header that names a record's schema is read along, and goes to every function; files of Flink's hold no such records."""
    text = POLICY.replace("stream: events\n", "stream: events\nformat: avro\nframing: confluent\n").replace("RECORD", "")
    found = compile_plan(load(PolicySource("policy.yaml", text)), KeyRing.ephemeral())
    tables = Tables(found, deployment(), clocked=True)
    assert "`headers` MAP<STRING, BYTES> METADATA VIRTUAL" in tables.source()
    assert "(payload, `headers`['__value_schema_id']) AS view0" in tables.queries.protected(["view0"])
    assert Transport.decode(tables.transport.encode()) == tables.transport
    with pytest.raises(JobError, match=r"sinks.one: Flink's file sink puts a line break behind each record.*Hint: "):
        Tables(found, deployment(one=files("one")), clocked=True)


def test_only_parts_that_rules_name_are_read():
    """The source has a column for the key, the headers and the timestamp where a rule asks for them, and the partition for event time."""
    source = Tables(plan(), deployment(), clocked=True).source()
    assert re.search(r"\((.*)\) WITH", source)[1] == "payload BYTES"
    tables = Tables(plan("{headers: {a'b: keep}, timestamp: keep}"), deployment(), clocked=True)
    assert "`headers` MAP<STRING, BYTES> METADATA VIRTUAL, `timestamp` TIMESTAMP_LTZ(3) METADATA VIRTUAL" in tables.source()
    assert "`key`" not in tables.source() and "`partition`" not in tables.source()
    assert "(payload, `headers`['a''b']) AS view0, `timestamp` FROM" in tables.queries.protected(["view0"])
    assert "CASE WHEN header0_0 IS NOT NULL THEN 'a''b' END, header0_0], `timestamp` FROM" in tables.insert("one")
    assert tables.queries.computes and tables.queries.raw() == (
        "SELECT payload AS argument0, `headers`['a''b'] AS argument1, `timestamp` FROM flink_masking_source")
    assert tables.queries.protected(["view0", "audit"], computed=True) == (
        "SELECT flink_masking_protect_view0(argument0, argument1) AS view0, flink_masking_protect_audit(argument0, argument1) AS audit, "
        "`timestamp` FROM flink_masking_raw")
    timed = Tables(plan(KEY, SUMS), deployment(names=("sums",)), clocked=True)
    assert not timed.queries.computes
    assert "`key` BYTES, `partition` INT METADATA VIRTUAL, `timestamp` TIMESTAMP_LTZ(3)" in timed.source()
    assert "'key.fields' = 'key'" in timed.source()
    assert "(payload, `partition`, `timestamp`, `key`) AS view0 FROM" in timed.queries.protected(["view0"])
    assert "`partition`" not in Tables(plan(KEY, SUMS), deployment(names=("sums",)), clocked=False).source()


@pytest.mark.parametrize("topics", [{"topic": "a;b"}, {"topic": None, "topic-pattern": "raw.*"}])
def test_partitions_of_several_topics_are_told_apart(topics):
    """Of one topic the partition's number is enough; of several, the topic's name is part of what Protect is told."""
    options = {name: value for name, value in (kafka("raw") | topics).items() if value is not None}
    tables = Tables(plan(more=SUMS), deployment(source=options, names=("sums",)), clocked=True)
    assert "`topic` STRING METADATA VIRTUAL" in tables.source()
    assert "(payload, ABS(MOD(HASH_CODE(`topic`), 2000000)) * 1000 + `partition`, `timestamp`)" in tables.queries.protected(["view0"])
    one = Tables(plan(more=SUMS), deployment(names=("sums",)), clocked=True)
    assert "`topic`" not in one.source() + one.queries.protected(["view0"])


def test_rows_of_several_people_tell_the_policy_and_nothing_of_a_record():
    """An aggregated segment's table has headers for the policy's version and digest, no key and no timestamp; audit has nothing at all."""
    tables = Tables(plan(KEY, SUMS), deployment(names=("sums",)), clocked=True)
    assert re.search(r"\((.*)\) WITH", tables.sink("sums"))[1] == "line BYTES, `headers` MAP<STRING, BYTES> METADATA"
    made = tables.queries.lines("sums", "v")
    assert "'policy_version'" in made and "'policy_digest'" in made and "key_version" not in made
    assert "(line BYTES) WITH" in tables.sink("audit") and "(line BYTES) WITH" in tables.sink("quarantine")


def test_an_upsert_segment_has_its_key_for_primary_key():
    """The protected key is the primary key, and a record without a value passes."""
    tables = Tables(plan(KEY), deployment(one=kafka("one") | {"connector": "upsert-kafka"}), clocked=True)
    made = tables.sink("one")
    assert "`key` BYTES NOT NULL" in made and "PRIMARY KEY (`key`) NOT ENFORCED" in made
    assert "'key.format' = 'raw'" in made and "'value.format' = 'raw'" in made and "'key.fields'" not in made
    assert tables.insert("one").endswith("WHERE key0 IS NOT NULL") and tables.transport.upserts == ("one",)


def test_kafka_defaults_stand_under_what_is_written():
    """Exactly once, read committed, stable and distinct transactional ids; whatever a deployment says of it wins."""
    made = completed(deployment(), "events")
    assert made.source["properties.isolation.level"] == "read_committed" and made.source["properties.group.id"] == "flink-masking-events"
    assert {kafka_endpoint(options).transactions for options in made.sinks.values()} == {"events-one", "events-audit", "events-quarantine"}
    assert all(int(options["properties.transaction.timeout.ms"]) < 15 * 60_000 for options in made.sinks.values())
    own = {"sink.delivery-guarantee": "at-least-once"}
    source = {"properties.isolation.level": "read_uncommitted", "properties.group.id": "g", "properties.auto.offset.reset": "latest"}
    written = deployment(kafka("raw") | source, kafka("one") | own)
    assert (completed(written, "events").source, completed(written, "events").sinks["one"]) == (written.source, written.sinks["one"])
    prefixed = deployment(one=kafka("one") | {"sink.transactional-id-prefix": "mine", "properties.transaction.timeout.ms": 5_000})
    assert completed(prefixed, "events").sinks["one"].items() >= prefixed.sinks["one"].items()
    plain = Deployment(source=files("raw"), sinks={"one": files("one")}, keys="k")
    assert completed(plain, "events") == plain


def test_records_keep_to_what_a_producer_sends():
    """The limit of a segment follows its producer's, a little lower; so does that of a quarantine line."""
    transport = Tables(plan(), deployment(one=kafka("one") | {"properties.max.request.size": 5_000_000}), clocked=True).transport
    assert 4_990_000 < transport.limits["one"] < 5_000_000 and transport.quarantine == 1_048_576
    with pytest.raises(JobError, match=r"max\.request\.size of a sink is no whole number"):
        Tables(plan(), deployment(one=kafka("one") | {"properties.max.request.size": "5 MB"}), clocked=True)


UPSERT = kafka("one") | {"connector": "upsert-kafka"}


@pytest.mark.parametrize(("record", "given", "words"), [
    (KEY, {"source": files("raw")}, r"segments\.one\.record: .* the deployment's source is not Kafka"),
    ("{timestamp: keep}", {"one": files("one")}, r"segments\.one\.record: .* have no place in the segment's sink"),
    (None, {"one": UPSERT}, r"sinks\.one: upsert-kafka needs a key, and the policy drops it"),
    ("{timestamp: keep}", {"one": UPSERT}, r"sinks\.one: upsert-kafka needs a key, and the policy drops it"),
    ("{key: {technique: encrypt, domain: d}}", {"one": UPSERT}, r"upsert-kafka .*'encrypt' maps a key to a different value each time"),
    ("{key: {technique: partial, keep_last: 2}}", {"one": UPSERT}, "'partial' with these parameters can map two keys to one value"),
    ("{key: redact}", {"one": UPSERT}, "'redact' with these parameters can map two keys to one value"),
    ("{key: {technique: generalize, prefix: 3}}", {"one": UPSERT}, "'generalize' with these parameters can map two keys to one value"),
    ("{key: {technique: substitute, as: user_name}}", {"one": UPSERT}, "'substitute' with these parameters can map two keys to one value"),
    ("{key: {technique: pseudonym, domain: d, length: 8}}", {"one": UPSERT}, "'pseudonym' with these.*Hint: pseudonym"),
    ("{key: {technique: pseudonym, domain: d, encoding: hex, length: 23}}", {"one": UPSERT}, "'pseudonym' with"),
    (KEY, {"source": kafka("raw") | {"connector": "upsert-kafka"}}, "source: upsert-kafka emits a changelog"),
])  # fmt: skip
def test_what_a_deployment_cannot_do(record, given, words):
    """Policy and deployment that do not fit are refused before anything starts, with what to do."""
    with pytest.raises(JobError, match=words) as caught:
        Tables(plan(record), deployment(**given), clocked=True)
    assert "Hint: " in str(caught.value)


def test_an_upsert_segment_keeps_the_order_of_its_keys():
    """A segment whose records are shuffled is refused for upsert-kafka, where the last record of a key is the one that stays."""
    shuffled = load(PolicySource("policy.yaml", POLICY.replace("RECORD", f"    order: shuffled\n    record: {KEY}")))
    compiled = compile_plan(shuffled, KeyRing.ephemeral())
    assert Tables(compiled, deployment(), clocked=True).transport.upserts == ()
    with pytest.raises(JobError, match=r"sinks\.one: upsert-kafka keeps the newest record of each key, and .* shuffled. Hint: "):
        Tables(compiled, deployment(one=UPSERT), clocked=True)


@pytest.mark.parametrize("technique", ["keep", "{technique: encrypt_deterministic, domain: d}", "{technique: tokenize, domain: d}",
                                       "{technique: pseudonym, domain: d, encoding: hex, length: 24}",
                                       "{technique: fpe, domain: d, alphabet: alphanumeric}"])
def test_keys_that_tell_people_apart_will_do(technique):
    """Deterministic techniques that keep two keys apart are fit for an upsert segment."""
    assert Tables(plan(f"{{key: {technique}}}"), deployment(one=UPSERT), clocked=True).transport.upserts == ("one",)


@pytest.mark.parametrize("name", ["audit", "sums"])
def test_upsert_is_for_masked_segments(name):
    """Audit, quarantine and rows of several people have no key."""
    made = deployment(names=("sums",))
    made.sinks[name]["connector"] = "upsert-kafka"
    with pytest.raises(JobError, match=rf"sinks\.{name}: upsert-kafka needs a key, which only masked segments have"):
        Tables(plan(more=SUMS), made, clocked=True)


def test_a_script_has_the_statements_of_the_main_job():
    """Tables and inserts of the SQL script are those of the main job, keys and headers among them; it knows the topics as the job does."""
    given = deployment(one=UPSERT, names=("sums",))
    both = plan("{key: {technique: pseudonym, domain: d}, headers: {trace: keep, agent: redact}, timestamp: keep}", SUMS)
    tables, script = Tables(both, given, clocked=False), job(both, "/policy.yaml", given, {}, wait=False)
    names = ("one", "audit", "quarantine")
    for statement in (tables.source(), *map(tables.sink, names), *map(tables.insert, names)):
        assert f"{statement};" in script.splitlines()
    columns = {"view0": "view0", "key0": "part0", "header0_0": "part1", "header0_1": "part2", "key_version": "key_version"}
    for name, field in columns.items():
        assert f"FUNCTION flink_masking_protect_{name} AS 'udfs.views_1_3_{field}' LANGUAGE PYTHON;" in script
        assert re.search(rf"flink_masking_protect_{name}\(payload, .*?\) AS {name}\b", script)
    assert "'execution.checkpointing.interval' = '10000ms'" in script and "'table.exec.sink.upsert-materialize' = 'NONE'" in script
    assert f"flink-masking.transport: ''{tables.transport.encode()}''" in script


CHANGES = """\
version: 1
stream: events
record: {envelope: debezium, key: [id]}
fields:
  id: {class: identifier}
segments:
  one:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}}
"""


def changes():
    """The plan of a policy for changes of rows."""
    return compile_plan(load(PolicySource("policy.yaml", CHANGES)), KeyRing.ephemeral())


def test_the_key_of_a_changed_row_is_the_key_of_an_upsert_segment():
    """The columns of the key that the envelope names make the primary key, without a rule of the segment's own."""
    tables = Tables(changes(), deployment(one=UPSERT), clocked=False)
    assert "`key` BYTES" in tables.source() and "PRIMARY KEY (`key`)" in tables.sink("one")


def test_files_of_changes_have_no_keys():
    """From files to files the key that follows from the envelope is omitted; from files to Kafka it is missed."""
    tables = Tables(changes(), deployment(files("raw"), files("one")), clocked=False)
    assert "key" not in tables.source() + tables.sink("one") + tables.insert("one")
    with pytest.raises(JobError, match="not Kafka"):
        Tables(changes(), deployment(files("raw")), clocked=False)


def test_digests_ask_for_offsets():
    """With digests the source has partition and offset, and the topic where there may be several; without, none of them."""
    def tables(**source):
        return Tables(plan(), deployment().model_copy(update={"source": {**deployment().source, **source}}), clocked=False, digests=True)

    one, several = tables(), tables(topic="raw;more")
    assert "`offset` BIGINT METADATA VIRTUAL" in one.source() and "`topic`" not in one.source() and one.transport.topic == "raw"
    assert "`topic` STRING METADATA VIRTUAL" in several.source() and several.transport.topic == ""
    assert "`partition`, `offset`) AS view0" in one.queries.protected(["view0"])
    assert "`partition`, `offset`, `topic`) AS view0" in several.queries.protected(["view0"])
    assert "`offset`" not in Tables(plan(), deployment(), clocked=False).source()
