"""What a job is told before it starts, by a real broker through Kafka's own client."""

import sys

import pytest
import yaml
from broker import Broker
from waiting import run as run_program

from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import completed
from flink_masking.errors import JobError
from flink_masking.jars import CONNECTORS, JarCache, cache_directory
from flink_masking.java import java_home

pytestmark = pytest.mark.flink
PATIENT, WAIT = 120_000, 6_000
"""Milliseconds for a broker that answers, however busy the machine is, and for one that is not there."""
POLICY = """\
version: 1
stream: orders
fields: {id: {class: identifier}}
segments:
  masked: {view: masked, rules: {id: {technique: pseudonym, domain: id}}}
"""


@pytest.fixture(scope="module")
def connector(kafka_jars, tmp_path_factory):
    """The connector's jar, with the environment that PyFlink's gateway starts in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java_home()))
        patch.setenv("FLINK_LOG_DIR", str(tmp_path_factory.mktemp("log")))
        yield [JarCache().resolve(CONNECTORS["kafka"])]


def written(servers, raw, masked, source=(), sink=(), **others):
    """A deployment with one masked segment, as it stands in a file."""
    kafka = {"connector": "kafka", "properties.bootstrap.servers": servers}
    files = {name: {"connector": "blackhole"} for name in ("audit", "quarantine")}
    sinks = {"masked": {**kafka, "topic": masked, **dict(sink)}, **files}
    return {"source": {**kafka, "topic": raw, **dict(source)}, "sinks": sinks, "keys": "env://NONE", **others}


@pytest.fixture
def ask(connector):
    """Runs the preflight of a deployment and returns what it says, on whichever way."""
    from flink_masking.kafka.preflight import preflight

    def run(*arguments, wait=PATIENT, **options):
        try:
            return preflight(completed(Deployment(**written(*arguments, **options)), "orders"), connector, wait)
        except JobError as error:
            return str(error)

    return run


def test_topics_that_are_there_pass(broker, topic, ask):
    """An empty raw topic and a topic for the segment are all that a job needs, whatever guarantee it gives."""
    raw, masked = topic("raw"), topic("masked", 2)
    said = [f"source: {raw} can be read", f"sinks.masked: {masked} can be written"]
    assert ask(broker.bootstrap, raw, masked) == said
    assert ask(broker.bootstrap, raw, masked, sink={"sink.delivery-guarantee": "at-least-once"}) == said
    assert [] == broker.consume(masked, isolation="read_uncommitted")


def test_a_pattern_needs_a_topic_that_fits(broker, topic, ask):
    """A source of topics by pattern reads those that are there, and is told when there are none."""
    raw, masked = topic("shop"), topic("masked")
    by_pattern = {"topic": "", "topic-pattern": "shop-[0-9]+"}
    assert ask(broker.bootstrap, "", masked, source=by_pattern)[0] == f"source: {raw} can be read"
    assert "no topic that the job's user may see fits" in ask(broker.bootstrap, "", masked, source=by_pattern | {"topic-pattern": "x.*"})


def test_a_missing_topic_is_named(broker, topic, ask):
    """Raw topic or segment's topic: the line names table and topic, and says to create it."""
    raw, masked = topic("raw"), topic("masked")
    assert ask(broker.bootstrap, "no-such", masked) == (
        "source: topic no-such does not exist. Hint: create it, or correct topic: in the deployment")
    assert ask(broker.bootstrap, raw, "no-such").startswith("sinks.masked: topic no-such does not exist, and the broker")
    assert ask(broker.bootstrap, raw, "no such").startswith("sinks.masked: 'no such' is no name of a topic")


def test_a_broker_that_makes_topics_may_be_left_to_it(kafka_jars, ask, tmp_path):
    """Where the broker says that it makes topics on first use, a segment's topic may be missing; the raw one may not."""
    with Broker(tmp_path, {"auto.create.topics.enable": "true"}) as own:
        own.topic("raw")
        assert ask(own.bootstrap, "raw", "later")[1] == "sinks.masked: later can be written (later will be made by the broker)"
        assert ask(own.bootstrap, "nothing", "later").startswith("source: topic nothing does not exist")


def test_transactions_must_fit_the_brokers_limit(broker, topic, ask):
    """A transaction time-out above the broker's maximum is told with its value before a record is read."""
    options = {"properties.transaction.timeout.ms": 900_001}
    said = ask(broker.bootstrap, topic("raw"), topic("masked"), sink=options)
    assert said.startswith("sinks.masked: transactions may take 900001 ms, which is more than the broker allows. Hint: lower")
    at_least_once = options | {"sink.delivery-guarantee": "at-least-once"}
    assert len(ask(broker.bootstrap, topic("raw"), topic("masked"), sink=at_least_once)) == 2


def test_a_broker_that_does_not_answer_is_told(ask):
    """An address where nobody listens, one that no name service knows, and none at all: each in one line."""
    nobody, nowhere = (ask(address, "raw", "masked", wait=WAIT) for address in ("localhost:1", "nowhere.invalid:9092"))
    assert nobody.startswith("source: Kafka at localhost:1: it cannot be reached, or does not answer in 6 s")
    assert nowhere.startswith("source: Kafka at nowhere.invalid:9092: the address is not known here")
    assert ask("", "raw", "masked").startswith("source: no broker is named")


@pytest.mark.parametrize(("options", "fault"), [
    ({"properties.security.protocol": "SASL_PLAINTEXT", "properties.sasl.mechanism": "SCRAM-SHA-256",
      "properties.sasl.jaas.config": "Some.Module hush"}, "the login module cannot be used"),
    ({"properties.security.protocol": "SSL", "properties.ssl.truststore.location": "/hush", "properties.ssl.truststore.password": "hush"},
     "a store of keys or certificates cannot be opened"),
    ({"properties.security.protocol": "hush"}, "the client does not take its settings"),
])  # fmt: skip
def test_settings_that_no_client_takes_are_told_without_their_values(broker, topic, ask, options, fault):
    """What is wrong is named by its setting; no value of a setting is shown."""
    said = ask(broker.bootstrap, topic("raw"), topic("masked"), sink=options)
    assert said.startswith(f"sinks.masked: Kafka at {broker.bootstrap}: {fault}. Hint: ")
    assert "hush" not in said


@pytest.fixture
def job(tmp_path, key_uri):
    """Submits a deployment by the main job, which must fail, and returns the last lines that it says."""

    def run(*arguments, **options):
        policy, deployment = tmp_path / "policy.yaml", tmp_path / "deployment.yaml"
        policy.write_text(POLICY)
        deployment.write_text(yaml.safe_dump(written(*arguments, **options) | {"keys": key_uri}))
        command = [sys.executable, "-P", "-m", "jobs.fan_out", "--policy", policy, "--deployment", deployment]
        done = run_program(command)
        assert done.code == 1, done.err
        assert "Traceback" not in done.err
        return done.err.splitlines()[-2:]

    return run


def test_the_main_job_asks_before_it_starts(broker, topic, connector, job):
    """A job whose raw topic is missing is not submitted: one line says why, and a hint what to do."""
    said = job(broker.bootstrap, "no-such", topic("masked"))
    assert said == ["error: source: topic no-such does not exist.", "Hint: create it, or correct topic: in the deployment"]


def test_a_jar_that_cannot_be_had_is_told_before_java_starts(job, monkeypatch):
    """Without the connector's jar and without a network the job ends with the coordinates and the place where the file belongs."""
    monkeypatch.setenv("FLINK_MASKING_MAVEN_REPOSITORY", "http://localhost:1")
    coordinates = "org.apache.flink:flink-sql-connector-kafka:0"  # a release that no cache has
    error, hint = job("localhost:1", "raw", "masked", jars=[f"{coordinates}@sha256:{'0' * 64}"])
    assert error.startswith(f"error: jar {coordinates} cannot be fetched with jgo (http://localhost:1: ")
    place = "org/apache/flink/flink-sql-connector-kafka/0/flink-sql-connector-kafka-0.jar"
    assert hint.endswith(f" in FLINK_MASKING_MAVEN_REPOSITORY, or put the jar to {cache_directory() / place}")
