"""Alerts to a Kafka topic, by librdkafka (extra ``control-kafka``)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flink_masking.alerts.alert import CONTENT_TYPE
from flink_masking.alerts.refusal import SendError
from flink_masking.alerts.targets import KafkaTarget, resolved
from flink_masking.errors import InputError

TIMEOUT_S = 10.0


class KafkaSender:
    """A producer; an alert counts as taken when the brokers have it."""

    def __init__(self, name: str, target: KafkaTarget, folder: Path, timeout: float = TIMEOUT_S) -> None:
        """Read logins; nothing is connected yet.

        Args:
            name: of the target, for errors.
            target: topic and settings.
            folder: what relative file names are relative to.
            timeout: seconds that the brokers get for an alert.

        Raises:
            InputError: the client is not installed, or an option cannot be used.
        """
        try:
            import confluent_kafka
        except ImportError:
            raise InputError(f"targets.{name}.kafka: a topic needs the Kafka client. Hint: pip install 'flink-masking[control-kafka]'"
                             ) from None
        settings = {option.removeprefix("properties."): resolved(f"targets.{name}.kafka", str(value), folder)
                    for option, value in target.kafka.items() if option.startswith("properties.")}
        self._topic, self._error, self._timeout = str(target.kafka["topic"]), confluent_kafka.KafkaException, timeout
        whole = {**settings, "acks": "all", "enable.idempotence": True, "log_level": 0, "message.timeout.ms": int(timeout * 1000),
                 "linger.ms": 0}
        self._make: Callable[[], Any] = lambda: confluent_kafka.Producer(whole)
        try:
            self._producer = self._make()
        except self._error:
            raise InputError(f"targets.{name}.kafka: the client does not take these options. Hint: properties.… as for librdkafka"
                             ) from None

    def send(self, event: bytes, rule: str) -> None:
        """See `Sender.send`."""
        failed: list[Any] = []
        try:
            self._producer.produce(self._topic, event, rule, headers={"content-type": CONTENT_TYPE},
                                   on_delivery=lambda error, _: failed.append(error))
            self._producer.flush(self._timeout + 1)
        except self._error as error:
            failed = [error.args[0]]
        except BufferError as error:
            raise SendError(f"Kafka: {type(error).__name__}") from None
        if not failed:
            raise SendError("Kafka: no answer")
        if failed[0] is not None:
            if failed[0].fatal():  # as where the brokers no longer know this producer: it sends nothing any more, and another one does
                self._producer.purge()
                self._producer = self._make()
            raise SendError(f"Kafka: {failed[0].name()}")

    def close(self) -> None:
        """Give up what the client holds."""
        self._producer.purge()
