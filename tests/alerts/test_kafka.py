"""Alerts to Kafka, with librdkafka's broker inside the process."""

import json

import confluent_kafka
import pytest
from waiting import CLIENT_S, until

from flink_masking.alerts.kafka import KafkaSender
from flink_masking.alerts.refusal import SendError
from flink_masking.alerts.targets import KafkaTarget
from flink_masking.errors import InputError


def test_a_topic_gets_cloud_events_under_the_name_of_the_rule(tmp_path):
    """Value, key and content type are those of CloudEvents' binding to Kafka in structured mode."""
    cluster = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored", "log_level": 0})
    (broker,) = cluster.list_topics(timeout=CLIENT_S).brokers.values()
    server = f"{broker.host}:{broker.port}"
    sender = KafkaSender("bus", KafkaTarget(kafka={"topic": "alerts", "properties.bootstrap.servers": server}), tmp_path)
    sender.send(b'{"specversion":"1.0"}', "refusals")
    sender.close()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": server, "group.id": "soc", "auto.offset.reset": "earliest", "log_level": 0})
    consumer.subscribe(["alerts"])
    found = []

    def polled():
        message = consumer.poll(1)
        found.extend([message] if message is not None and message.error() is None else [])
        return bool(found)

    until("the alert comes", polled, pause=0)
    (message,) = found
    assert (message.key(), json.loads(message.value())) == (b"refusals", {"specversion": "1.0"})
    assert message.headers() == [("content-type", b"application/cloudevents+json")]
    consumer.close()


def test_a_broker_that_is_away_is_tried_again(tmp_path):
    """An alert that no broker has taken in time is no alert that was sent."""
    sender = KafkaSender("bus", KafkaTarget(kafka={"topic": "alerts", "properties.bootstrap.servers": "127.0.0.1:1"}), tmp_path, 0.3)
    with pytest.raises(SendError, match="Kafka") as caught:
        sender.send(b"{}", "refusals")
    assert caught.value.again
    sender.close()


class Fenced(confluent_kafka.Producer):
    """The client, whose first instance is in the state that an idempotent producer does not leave again."""

    made = 0

    def __init__(self, settings):
        """See `confluent_kafka.Producer`."""
        super().__init__(settings)
        Fenced.made += 1
        self.fatal = Fenced.made == 1

    def produce(self, *arguments, **options):
        """See `confluent_kafka.Producer`."""
        if self.fatal:
            raise confluent_kafka.KafkaException(confluent_kafka.KafkaError(confluent_kafka.KafkaError._FATAL, "out of order", True))
        super().produce(*arguments, **options)


def test_a_producer_that_brokers_no_longer_know_is_replaced(tmp_path, monkeypatch):
    """The alert is not sent, and the same alert is sent the next time, by another producer."""
    monkeypatch.setattr(confluent_kafka, "Producer", Fenced)
    settings = {"properties.bootstrap.servers": "127.0.0.1:1", "properties.test.mock.num.brokers": 1}
    sender = KafkaSender("bus", KafkaTarget(kafka={"topic": "alerts", **settings}), tmp_path)
    with pytest.raises(SendError, match="Kafka: _FATAL") as caught:
        sender.send(b"{}", "refusals")
    assert caught.value.again
    sender.send(b"{}", "refusals")
    sender.close()
    assert Fenced.made == 2


def test_options_that_the_client_does_not_take_are_refused(tmp_path):
    """What is wrong is told before anything is sent, without values."""
    target = KafkaTarget(kafka={"topic": "alerts", "properties.bootstrap.servers": "127.0.0.1:1", "properties.no.such": "hunter2"})
    with pytest.raises(InputError, match="Hint") as caught:
        KafkaSender("bus", target, tmp_path)
    assert "hunter2" not in str(caught.value)
