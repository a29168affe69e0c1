"""Least privilege derived from a policy, a deployment and principals, and how it is printed."""

import json
import shlex

import pytest
import yaml

from flink_masking.access.acls import Acl, derive
from flink_masking.access.commands import commands
from flink_masking.access.difference import difference
from flink_masking.access.principals import read_principals
from flink_masking.access.strimzi import kafka_users
from flink_masking.deployment.model import Deployment
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError, JobError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
fields: {customer: {class: identifier}}
segments:
  one: {view: masked, rules: {customer: {technique: pseudonym, domain: a}}}
  two: {view: masked, rules: {customer: {technique: pseudonym, domain: b}}}
"""
B = {"connector": "kafka", "properties.bootstrap.servers": "b:9092"}
PRINCIPALS = "job: User:job\nsegments: {one: User:analytics, two: [User:dev, 'User:CN=qa,O=x']}\naudit: {principals: User:aud, group: a-}\n"


@pytest.fixture(scope="module")
def policy():
    """A policy of two masked segments."""
    return load(PolicySource("p", POLICY)).policy


@pytest.fixture
def deployment():
    """Make a deployment in Kafka; keyword arguments replace tables."""

    def make(**tables):
        source = {**B, "topic": "raw", "properties.group.id": "job", "properties.enable.auto.commit": False}
        sinks = {name: {**B, "topic": f"t-{name}", "sink.delivery-guarantee": "exactly-once", "sink.transactional-id-prefix": f"tx-{name}"}
                 for name in ("one", "two", "audit", "quarantine")}
        return Deployment(source=tables.pop("source", source), sinks=sinks | tables, keys="k")

    return make


@pytest.fixture
def access(policy, deployment, tmp_path):
    """Derive for the policy, a deployment made of tables, and principals as text."""

    def make(principals=PRINCIPALS, idempotent_write=False, **tables):
        path = tmp_path / "principals.yaml"
        path.write_text(principals)
        return derive(policy, deployment(**tables), read_principals(path, policy).principals, idempotent_write)

    return make


def test_least_privilege(access):
    """The job reads the raw topic and writes the outputs, each audience reads its own topic in groups of its own; that is all."""
    (cluster,) = access().clusters
    granted = {(a.principal, a.operation, a.resource, a.name, a.pattern) for a in cluster.acls}
    outputs = ("one", "two", "audit", "quarantine")
    expected = {("User:job", o, kind, name, "literal") for kind, name in (("topic", "raw"), ("group", "job")) for o in ("read", "describe")}
    expected |= {("User:job", o, "topic", f"t-{name}", "literal") for name in outputs for o in ("write", "describe")}
    expected |= {("User:job", o, "transactional_id", f"tx-{name}-", "prefixed") for name in outputs for o in ("write", "describe")}
    audiences = [("analytics", "t-one", "analytics-"), ("dev", "t-two", "dev-"), ("CN=qa,O=x", "t-two", "qa-"), ("aud", "t-audit", "a-")]
    for who, topic, group in audiences:
        expected |= {(f"User:{who}", o, "topic", topic, "literal") for o in ("read", "describe")}
        expected |= {(f"User:{who}", o, "group", group, "prefixed") for o in ("read", "describe")}
    assert expected == granted and len(cluster.acls) == len(granted)
    assert all(acl.host == "*" and acl.permission == "allow" for acl in cluster.acls)


def test_what_the_job_adds_by_itself_is_granted(access):
    """Where the deployment names neither consumer group nor transactions, the ones that the job takes then are granted."""
    tables = {name: {**B, "topic": name} for name in ("source", "one", "two", "audit", "quarantine")}
    (cluster,) = access(**tables).clusters
    assert {acl.name for acl in cluster.acls if acl.principal == "User:job" and acl.resource == "group"} == {"flink-masking-orders"}
    prefixes = {acl.name for acl in cluster.acls if acl.resource == "transactional_id"}
    assert prefixes == {"orders-one-", "orders-two-", "orders-audit-", "orders-quarantine-"}
    (cluster,) = access(**tables | {n: {**B, "topic": n, "sink.delivery-guarantee": "none"} for n in tables if n != "source"}).clusters
    assert not [acl for acl in cluster.acls if acl.resource == "transactional_id"]


def test_idempotent_writes_are_granted_on_demand(access):
    """Only where brokers are old the job is given the right on the whole cluster, once."""
    extra = set(access(idempotent_write=True).clusters[0].acls) - set(access().clusters[0].acls)
    assert extra == {Acl("User:job", "cluster", "kafka-cluster", "literal", "idempotent_write")}


def test_what_is_not_in_kafka_is_noted(access):
    """A table elsewhere gets no entry and a note; so does a segment that nobody reads."""
    found = access("job: User:job\n", one={"connector": "filesystem", "path": "file:///o"})
    assert {acl.name for acl in found.clusters[0].acls if acl.resource == "topic"} == {"raw", "t-two", "t-audit", "t-quarantine"}
    assert found.notes == ("sinks.one is not in Kafka: its own system controls access",
                           "the principals file names no reader of two")


def test_every_cluster_has_its_own_entries(access):
    """Tables without a bootstrap server in common are of different clusters, each with its own properties."""
    far = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "far:9092"}
    near, other = access(one=far, two={**B, "topic": "x", "properties.bootstrap.servers": "B:9092,c:1"}).clusters
    assert (near.servers, other.servers) == ("b:9092", "far:9092")
    assert {acl.name for acl in other.acls} == {"t", "orders-one-", "analytics-"} and {"raw", "x"} < {acl.name for acl in near.acls}
    assert {"bootstrap.servers": "b:9092", "group.id": "job", "enable.auto.commit": "false"}.items() <= near.properties.items()


def test_properties_are_not_shown(access):
    """The properties of a cluster, which may hold a password, are not in its repr."""
    source = {**B, "topic": "raw", "properties.sasl.jaas.config": "password=SECRET"}
    assert "SECRET" not in repr(access(source=source))


@pytest.mark.parametrize(
    ("tables", "said"),
    [({"source": {**B, "topic-pattern": "raw.*"}}, "source names its topics by a pattern"), ({"one": dict(B)}, "sinks.one has no topic"),
     ({"one": {"connector": "kafka", "topic": "t"}}, "sinks.one has no properties.bootstrap.servers"),
     ({"source": {**B, "topic": "raw", "properties.group.id": "analytics-7"}}, "consumer group analytics-7 begins with analytics-")],
)  # fmt: skip
def test_a_deployment_that_cannot_be_granted_is_refused(access, tables, said):
    """What Kafka's access control cannot express is an error with a hint."""
    with pytest.raises(InputError, match=r"Hint: ") as caught:
        access(**tables)
    assert said in str(caught.value)


def test_two_segments_on_one_topic_are_refused(access):
    """Segments that share a topic cannot have audiences of their own."""
    with pytest.raises(JobError, match=r"sinks\.one and sinks\.two are both the topic same"):
        access(one={**B, "topic": "same"}, two={**B, "topic": "same"})


def test_a_deployment_without_kafka_is_refused(access):
    """There must be something in Kafka."""
    elsewhere = {name: {"connector": "filesystem", "path": f"file:///{name}"} for name in ("source", "one", "two", "audit", "quarantine")}
    with pytest.raises(InputError, match="nothing in Kafka"):
        access(**elsewhere)


def test_commands_say_the_same(access):
    """The printed commands, read as a shell does, grant exactly the entries."""
    found = access(idempotent_write=True)
    granted = set()
    for line in commands(found, "my admin.properties").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[:6] == ["kafka-acls.sh", "--bootstrap-server", "b:9092", "--command-config", "my admin.properties", "--add"]
        options = dict(zip(words[6::2], words[7::2], strict=False))
        kind = next(k for k in ("topic", "group", "transactional-id", "cluster") if f"--{k}" in words)
        pattern = options.get("--resource-pattern-type", "literal")
        for operation in (words[i + 1] for i, word in enumerate(words) if word == "--operation"):
            name = "kafka-cluster" if kind == "cluster" else options[f"--{kind}"]
            short = "idempotent_write" if operation == "IdempotentWrite" else operation.lower()
            granted.add(Acl(options["--allow-principal"], kind.replace("-", "_"), name, pattern, short))
    assert granted == set(found.clusters[0].acls)


def test_strimzi_users_say_the_same(access):
    """The KafkaUser resources grant exactly the entries, and certificates and passwords are told apart by the principal."""
    found = access(PRINCIPALS.replace("CN=qa,O=x", "CN=qa"), idempotent_write=True)
    users = list(yaml.safe_load_all(kafka_users(found, "main", "streams")))
    granted = set()
    for user in users:
        assert (user["apiVersion"], user["kind"]) == ("kafka.strimzi.io/v1beta2", "KafkaUser")
        assert user["metadata"]["labels"] == {"strimzi.io/cluster": "main"} and user["metadata"]["namespace"] == "streams"
        tls = user["spec"]["authentication"]["type"] == "tls"
        principal = f"User:{'CN=' if tls else ''}{user['metadata']['name']}"
        for rule in user["spec"]["authorization"]["acls"]:
            what = rule["resource"]
            kind = "transactional_id" if what["type"] == "transactionalId" else what["type"]
            pattern = "prefixed" if what.get("patternType") == "prefix" else "literal"
            for operation in rule["operations"]:
                short = "idempotent_write" if operation == "IdempotentWrite" else operation.lower()
                granted.add(Acl(principal, kind, what.get("name", "kafka-cluster"), pattern, short, rule["host"]))
    assert granted == set(found.clusters[0].acls)
    assert {u["metadata"]["name"]: u["spec"]["authentication"]["type"] for u in users} == {
        "job": "scram-sha-512", "analytics": "scram-sha-512", "dev": "scram-sha-512", "qa": "tls", "aud": "scram-sha-512"}


def test_what_cannot_be_a_kafka_user_is_refused(access):
    """A principal whose name is no resource name, and tables in two clusters, are errors with a hint."""
    with pytest.raises(InputError, match=r"User:CN=qa,O=x cannot be a KafkaUser\. Hint: "):
        kafka_users(access(), "main")
    far = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "far:9092"}
    with pytest.raises(InputError, match=r"in 2 Kafka clusters"):
        kafka_users(access(one=far), "main")


def test_the_difference_to_a_cluster(access):
    """Entries are missing, present, or foreign: for a topic of the stream, for one of its principals, or a denial; others do not count."""
    wanted = access().clusters[0].acls
    strangers = [Acl("User:x", "topic", "raw", "literal", "read"), Acl("User:*", "topic", "*", "literal", "read"),
                 Acl("User:y", "topic", "t-", "prefixed", "read"), Acl("User:dev", "topic", "elsewhere", "literal", "read"),
                 wanted[0]._replace(permission="deny"), wanted[0]._replace(host="10.0.0.1")]
    unrelated = [Acl("User:x", "topic", "other", "literal", "read"), Acl("User:x", "group", "job", "literal", "read"),
                 Acl("User:x", "topic", "ra", "literal", "read"), Acl("User:x", "topic", "raws", "prefixed", "read")]
    found = difference(wanted, [*wanted[:3], *strangers, *unrelated])
    assert (found.present, found.missing, set(found.foreign)) == (wanted[:3], wanted[3:], set(strangers))
    assert difference(wanted, wanted) == ((), wanted, ())


BAD = ["*", ".", "..", "a b", "a/b", "ümlaut", "a*", "x" * 250, "a\u0000b", "a:b"]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("option", ["topic", "properties.group.id", "sink.transactional-id-prefix"])
def test_only_names_of_kafka_are_granted(access, option, name):
    """A topic, group or transactional id is one that Kafka takes: * would be every one of them."""
    if option == "topic":
        tables = {"two": {**B, "topic": f"good;{name}"}}
    elif option == "properties.group.id":
        tables = {"source": {**B, "topic": "raw", option: name}}
    else:
        tables = {"two": {**B, "topic": "two", option: name, "sink.delivery-guarantee": "exactly-once"}}
    with pytest.raises(InputError, match=rf"{'source' if 'group' in option else 'sinks.two'}\.{option} .*(no name for Kafka|every name)"):
        access(**tables)


@pytest.mark.parametrize("name", [*BAD, "User:*"])
def test_only_groups_of_kafka_are_granted(access, name):
    """The prefix of a consumer group is one that Kafka takes."""
    with pytest.raises(PolicyFaults, match=r"no name for Kafka|every name|must"):
        access(f"job: User:job\nsegments: {{one: {{principals: User:a, group: {json.dumps(name)}}}}}\n")


@pytest.mark.parametrize("principal", ["User:*", "User:CN=*,O=x", "User:a b"])
def test_principals_that_make_no_group_say_so(access, principal):
    """A principal whose name cannot begin a consumer group needs one in the file; nobody is everybody."""
    with pytest.raises(PolicyFaults, match=r"is a wildcard|makes no consumer group"):
        access(f"job: User:job\nsegments: {{one: '{principal}'}}\n")
    if principal != "User:*":
        access(f"job: User:job\nsegments: {{one: {{principals: '{principal}', group: a-}}}}\n")


@pytest.mark.parametrize("group", ["fm-a", "a", "x.y"])
def test_prefixes_of_groups_end_in_a_delimiter(access, group):
    """A prefix without a delimiter at its end would cover groups of others that begin with it."""
    with pytest.raises(PolicyFaults, match=f"'{group}' does not end in a delimiter"):
        access(f"job: User:job\nsegments: {{one: {{principals: User:a, group: {group}}}}}\n")
    for end in "-._":
        access(f"job: User:job\nsegments: {{one: {{principals: User:a, group: {group}{end}}}}}\n")


def test_prefixes_of_transactions_end_in_a_delimiter(access):
    """Flink puts a - behind the prefix of a sink's transactions, and so does the entry: tx-a covers no transaction of tx-ab."""
    exactly = {"sink.delivery-guarantee": "exactly-once"}
    tables = {"one": {**B, "topic": "one", **exactly, "sink.transactional-id-prefix": "tx-a"},
              "two": {**B, "topic": "two", **exactly, "sink.transactional-id-prefix": "tx-ab."}}
    prefixes = {acl.name for acl in access(**tables).clusters[0].acls if acl.resource == "transactional_id"}
    assert {"tx-a-", "tx-ab."} < prefixes
    assert all(name[-1] in "-._" for name in prefixes)


def test_a_granted_topic_is_for_its_own_readers(deployment, tmp_path):
    """Readers of the masked segment get nothing on the topic of the granted view that is made of it; without readers nobody but the job."""
    granted = "  two: {view: granted, of: one, may_show: {customer: keep}, max_duration: 1h, max_records: 5}\n"
    policy = load(PolicySource("p", POLICY.partition("  two:")[0] + granted)).policy
    found = {}
    for readers in ("{one: User:analytics}", "{one: User:analytics, two: User:support}"):
        (tmp_path / "p.yaml").write_text(f"job: User:job\nsegments: {readers}\n")
        access = derive(policy, deployment(), read_principals(tmp_path / "p.yaml", policy).principals, False)
        found[readers] = {acl.principal for cluster in access.clusters for acl in cluster.acls if acl.name == "t-two"}
    assert list(found.values()) == [{"User:job"}, {"User:job", "User:support"}]
