"""Tombstones: records without a value, which delete a key in a topic that keeps the newest record of each."""

from collections.abc import Mapping, Sequence

from flink_masking.addresses.endpoints import kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError, JobError
from flink_masking.flink.gateway import java_array, virtual_machine
from flink_masking.flink.jars import job_jars
from flink_masking.kafka.client import TIMEOUT, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import denied, refusal
from flink_masking.kafka.quarantine import settings_of


def send(deployment: Deployment, sink: str, keys: Sequence[bytes], timeout: int = TIMEOUT) -> None:
    """Send a tombstone for each key to a sink's topic, as the job's user, and wait until all of them are acknowledged.

    The partition of a key is that of Kafka's default partitioner, which Flink's upsert-kafka connector uses.

    Args:
        deployment: tells where the topic is.
        sink: its name.
        keys: as the topic has them.
        timeout: milliseconds that a broker gets to answer.

    Raises:
        InputError: the sink names no topic.
        JobError: Kafka cannot be reached, or the topic may not be written.
    """
    place, options = f"sinks.{sink}", deployment.sinks[sink]
    endpoint = kafka_endpoint(options)
    if endpoint is None or len(endpoint.topics) != 1 or not endpoint.servers:
        raise InputError(f"{place}: it names no topic and brokers. Hint: topic: NAME, properties.bootstrap.servers: \"host:9092\"")
    clients, settings = KafkaClients(job_jars(deployment)), settings_of(options)
    try:
        _write(clients, settings, endpoint.topics[0], keys, timeout)
    except KafkaClientError as error:
        failure: JobError = refusal(place, endpoint.servers, error, timeout, settings)
        if error.has("TopicAuthorizationException"):
            failure = denied(place, f"topic {endpoint.topics[0]} may not be written", f"WRITE on topic {endpoint.topics[0]}")
    else:
        return
    raise failure


def _write(clients: KafkaClients, settings: Mapping[str, str], topic: str, keys: Sequence[bytes], timeout: int) -> None:
    serializer = clients.name("common.serialization.ByteArraySerializer")
    whole = {**settings, "key.serializer": serializer, "value.serializer": serializer, "acks": "all", "max.block.ms": str(timeout)}

    def action() -> None:
        jvm = virtual_machine()
        producer = clients.new("clients.producer.KafkaProducer", [clients.java("java.util.Properties")], [clients.properties(whole)])
        kinds = java_array(jvm.Class, [clients.java(name) for name in ("java.lang.String", "java.lang.Object", "java.lang.Object")])
        record = clients.load("clients.producer.ProducerRecord").getConstructor(kinds)
        try:
            sent = [producer.send(record.newInstance(java_array(jvm.Object, [topic, key, None]))) for key in keys]
            producer.flush()
            for answer in sent:
                answer.get()
        finally:
            producer.close(jvm.java.time.Duration.ZERO)

    clients.call(action)
