"""Access control on a real broker: what `flink-masking acl --apply` grants, and that nobody can do anything else."""

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, NewTopic, ResourcePatternType, ResourceType
from secured import SCRAM
from waiting import CLIENT_S

pytestmark = pytest.mark.flink
TOPICS = ("raw", "analytics", "partners", "audit", "quarantine")
REFUSED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED,
           KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED}
EVERYTHING = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)

@pytest.fixture(scope="module")
def applied(secured):
    """What the command said: compared, applied, applied again, compared again; an administrator signs on as Kafka's own tools do."""
    properties = secured.java("admin", SCRAM)
    config = secured.folder / "admin.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    admin = secured.broker.admin()
    for done in admin.delete_acls([EVERYTHING]).values():
        done.result(CLIENT_S)
    secured.broker.produce("raw", [b'{"customer":"c1","amount":5}'])
    secured.broker.produce("analytics", [b"{}"])
    command = secured.acl("User:job", secured.deployment("job", secured.java("job")))
    return secured.commands(*([*command, f"--command-config={config}", way] for way in ("--dry-run", "--apply", "--apply", "--dry-run")))


def refused(action):
    """Whether the broker refuses an action for lack of a right."""
    try:
        action()
    except KafkaException as error:
        assert error.args[0].code() in REFUSED, error
        return True
    return False


def may_read(secured, user, topic):
    """Whether a user gets the records of a topic."""
    group = {"group.id": "job-group" if user == "job" else f"{user}-reader"}
    return not refused(lambda: secured.broker.consume(topic, config=secured.client(user) | group))


def may_write(secured, user, topic):
    """Whether a user's record gets into a topic."""
    return not refused(lambda: secured.broker.produce(topic, [b"{}"], secured.client(user)))


def may_use_group(secured, user, group):
    """Whether a user may look into a consumer group; those who may join it and commit may do that, too."""
    admin = secured.admin(user)
    return not refused(lambda: admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(CLIENT_S))


def may_begin(secured, user, transaction):
    """Whether a user may write under a transactional id."""
    producer = Producer({**secured.client(user), "transactional.id": transaction, "log_level": 0})
    return not refused(lambda: producer.init_transactions(CLIENT_S))


def test_the_command_grants_what_is_missing_and_says_so(secured, applied):
    """Entries are shown as missing, then added, then there: applying twice changes nothing, and no password is printed."""
    assert [done.code for done in applied] == [0, 0, 0, 0], applied
    before, first, second, after = ([line for line in done.out.splitlines() if line[:2] in ("+ ", "  ")] for done in applied)
    assert before == first and {line[0] for line in first} == {"+"} and "+ User:analyst may read topic analytics" in first
    assert second == after and {line[0] for line in second} == {" "}
    assert sorted(line[2:] for line in second) == sorted(line[2:] for line in first)
    assert [found for done in applied for found in secured.leaks(done.out + done.err)] == []


def test_the_broker_holds_exactly_these_entries(secured, applied):
    """What the broker lists is what was printed, no entry more."""
    admin = secured.broker.admin()
    found = admin.describe_acls(EVERYTHING).result(CLIENT_S)
    assert len(found) == len([line for line in applied[2].out.splitlines() if line.startswith("  ")])
    assert {entry.principal for entry in found} == {"User:job", "User:analyst", "User:partner", "User:officer"}
    assert {(entry.name, entry.operation) for entry in found if entry.principal == "User:analyst"} == {
        (name, operation) for name in ("analytics", "analyst-") for operation in (AclOperation.READ, AclOperation.DESCRIBE)}


@pytest.mark.parametrize(("user", "topics"), [("analyst", {"analytics"}), ("partner", {"partners"}), ("officer", {"quarantine"}),
                                              ("job", {"raw"}), ("stranger", set())])
def test_each_reads_its_own_topic_only(secured, applied, user, topics):
    """An audience reads its segment and is refused the raw topic and every other one; the job reads the raw topic alone."""
    assert {topic for topic in TOPICS if may_read(secured, user, topic)} == topics


@pytest.mark.parametrize("user", ["analyst", "partner", "officer", "stranger"])
def test_nobody_but_the_job_writes(secured, applied, user):
    """No audience may write to any topic, not even its own, or begin one of the job's transactions."""
    assert not any(may_write(secured, user, topic) for topic in TOPICS)
    assert not may_begin(secured, user, "orders-analytics-0")


def test_the_job_writes_what_it_makes(secured, applied):
    """The job may write every output, not the raw topic, and under transactional ids of its prefixes only."""
    assert {topic for topic in TOPICS if may_write(secured, "job", topic)} == set(TOPICS) - {"raw"}
    assert may_begin(secured, "job", "orders-analytics-7") and not may_begin(secured, "job", "others-7")


def test_consumer_groups_are_apart(secured, applied):
    """Readers use groups of their own prefix; the job's group is nobody else's."""
    assert may_use_group(secured, "analyst", "analyst-dashboard") and may_use_group(secured, "job", "job-group")
    assert not any(may_use_group(secured, "analyst", group) for group in ("job-group", "partner-x", "analyst"))


def test_an_unknown_principal_is_refused_everything(secured, applied):
    """A user with a password and no entry sees no topic, uses no group, makes no topic and does not look after access."""
    admin = secured.admin("stranger")
    assert set(admin.list_topics(timeout=CLIENT_S).topics) == set()
    assert not may_use_group(secured, "stranger", "stranger-")
    assert refused(lambda: admin.create_topics([NewTopic("new", 1, 1)])["new"].result(CLIENT_S))
    who = ("User:stranger", "*", AclOperation.READ, AclPermissionType.ALLOW)
    mine = AclBinding(ResourceType.TOPIC, "raw", ResourcePatternType.LITERAL, *who)
    assert refused(lambda: admin.create_acls([mine])[mine].result(CLIENT_S))


def test_what_the_command_finds_beside_its_own(secured, applied, broker):
    """What opens a topic to somebody else is a warning; who may not look after access, and where there is none, is told in one line."""
    who = ("User:stranger", "*", AclOperation.READ, AclPermissionType.ALLOW)
    extra = AclBinding(ResourceType.TOPIC, "ra", ResourcePatternType.PREFIXED, *who)
    admin = secured.broker.admin()
    admin.create_acls([extra])[extra].result(CLIENT_S)
    command = secured.acl("User:job", secured.folder / "job.yaml")
    everybodys = secured.acl("User:job", secured.deployment("open", {"bootstrap.servers": broker.bootstrap}))
    try:
        config = f"--command-config={secured.folder / 'admin.properties'}"
        found, own, opened = secured.commands([*command, "--dry-run", config], [*command, "--apply"], [*everybodys, "--apply"])
    finally:
        for done in admin.delete_acls([AclBindingFilter(ResourceType.TOPIC, "ra", ResourcePatternType.PREFIXED, *who)]).values():
            done.result(CLIENT_S)
    assert (found.code, own.code, opened.code) == (0, 1, 1)
    assert found.err == "warning: not of this policy, not changed: User:stranger may read topic beginning with ra\n"
    assert own.err.startswith("error: the deployment: Kafka at ") and "this principal may not manage access control.\nHint: " in own.err
    assert "the cluster has no access control, so everybody may read everything.\nHint: " in opened.err
    assert secured.leaks("".join(done.out + done.err for done in (found, own, opened))) == []
