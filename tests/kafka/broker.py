"""A Kafka broker of a run's own: one node, KRaft, a Java process on free ports; ``python broker.py`` starts one for people."""

import argparse
import base64
import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from flink_masking.errors import FlinkMaskingError
from flink_masking.jars import Artifact, JarCache
from flink_masking.java import java_home

START_TIMEOUT = 60
"""Seconds; a broker is up in four on an idle machine."""
_JARS = Path(__file__).with_name("jars.txt")
_QUIET = {"log_level": 0, "socket.connection.setup.timeout.ms": 5000}
_PR_SET_PDEATHSIG = 1
_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c: %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def _end_with_the_parent() -> None:
    """A run that is killed leaves no broker behind, where the system can see to that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Record(NamedTuple):
    """A record as it goes to a topic and comes from it."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None
    partition: int | None = None
    offset: int | None = None


def class_path(offline: bool = False) -> str:
    """The broker's class path, its jars fetched into the cache.

    Raises:
        JobError: a jar cannot be had.
    """
    cache = JarCache(offline=offline)
    lines = _JARS.read_text().splitlines()
    return os.pathsep.join(str(cache.resolve(Artifact.parse(line))) for line in lines if line and not line.startswith("#"))


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different, and none that the system gives to outgoing connections (Linux: 32768 and above)."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(15_000, 32_000), 1_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("localhost", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no port is free on this machine")


class Broker:
    """A broker with a listener PLAINTEXT for the tests' own use, and more listeners on demand.

    Ports and data stay the same over `stop`, `kill` and `restart`. With an authorizer, name ``User:ANONYMOUS`` in ``super.users``: that is
    who speaks on PLAINTEXT.
    """

    def __init__(self, directory: Path | None = None, properties: Mapping[str, str] | None = None,
                 listeners: Mapping[str, str] | None = None, port: int | None = None,
                 java: Iterable[str] = ("-Xmx512m", "-XX:+UseSerialGC")) -> None:
        """Not started yet.

        Args:
            directory: for data, ``server.properties`` and ``broker.log``; a temporary one unless given, removed by `close`.
            properties: of the server, on top of the defaults.
            listeners: further listeners, name → security protocol, such as ``{"SECURE": "SASL_SSL"}``; each gets a free port.
            port: of the PLAINTEXT listener; a free one unless given.
            java: options of the Java virtual machine.
        """
        self._own = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="kafka-")) if directory is None else directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self._protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {}), "CONTROLLER": "PLAINTEXT"}
        self._ports = dict(zip(self._protocols, free_ports(len(self._protocols)), strict=True))
        if port is not None:
            self._ports["PLAINTEXT"] = port
        self._properties = dict(properties or {})
        self._java = list(java)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = self.directory / "broker.log"

    @property
    def bootstrap(self) -> str:
        """Address of the PLAINTEXT listener."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """Address of a listener, ``localhost:port``."""
        return f"localhost:{self._ports[listener]}"

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, on what data there is, and wait until it answers."""
        assert self._process is None, "the broker is running"
        settings = self.directory / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._server_properties().items()))
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        if not (self.directory / "data" / "meta.properties").exists():
            identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            done = self._run("kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "--config", str(settings))
            if done.wait(START_TIMEOUT) != 0:
                raise RuntimeError(f"the broker's storage could not be formatted:\n{self._last_words()}")
        self._process = self._run("kafka.Kafka", str(settings))
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut it down in order; the data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it as a machine that dies does (SIGKILL); the data stays."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self, kill: bool = False, pause: float = 0.0, properties: Mapping[str, str] | None = None) -> None:
        """Stop (or kill) it and start it on the same data and ports.

        Args:
            kill: SIGKILL instead of an orderly shutdown.
            pause: seconds without a broker.
            properties: changed for the new start, on top of the present ones.
        """
        if kill:
            self.kill()
        else:
            self.stop()
        self._properties.update(properties or {})
        time.sleep(pause)
        self.start()

    def close(self) -> None:
        """Stop it, and remove the data that it made itself."""
        self.stop()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)

    def admin(self) -> AdminClient:
        """A client for topics, users and ACLs, over PLAINTEXT."""
        return AdminClient({**_QUIET, "bootstrap.servers": self.bootstrap})

    def topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Make a topic and return its name once producers and consumers can see it."""
        admin = self.admin()
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin.create_topics([new])[name].result(30)
        deadline = time.monotonic() + 30
        while len(admin.list_topics(name, timeout=10).topics[name].partitions) < partitions:
            assert time.monotonic() < deadline, f"topic {name} does not appear"
            time.sleep(0.05)
        return name

    def produce(self, topic: str, records: Iterable[Record | bytes], config: Mapping[str, str] | None = None) -> None:
        """Send records and wait until all of them are acknowledged.

        Args:
            topic: where to.
            records: values alone, or with key, headers, timestamp (ms) and partition.
            config: of the producer, on top of the defaults; ``bootstrap.servers`` and security for another listener.

        Raises:
            KafkaException: the broker has refused a record, or not acknowledged it in time.
        """
        failed: list[KafkaError] = []
        defaults = {**_QUIET, "bootstrap.servers": self.bootstrap, "linger.ms": "5", "message.timeout.ms": "30000"}
        producer = Producer({**defaults, **(config or {})})
        for given in records:
            record = given if isinstance(given, Record) else Record(given)
            while True:
                try:
                    producer.produce(
                        topic, record.value, record.key, -1 if record.partition is None else record.partition,
                        on_delivery=lambda error, _: failed.append(error) if error else None,
                        timestamp=record.timestamp or 0, headers=list(record.headers) or None)
                    break
                except BufferError:
                    producer.poll(0.05)
            producer.poll(0)
        left = producer.flush(60)
        if failed:
            raise KafkaException(failed[0])
        assert left == 0, f"{left} records were not acknowledged"

    def consume(self, topic: str, isolation: str = "read_committed", at_least: int = 0, timeout: float = 60.0,
                config: Mapping[str, str] | None = None) -> list[Record]:
        """Read a topic from its beginning to its present end, partition by partition in order.

        Args:
            topic: where from.
            isolation: ``read_committed`` sees nothing of open and aborted transactions; ``read_uncommitted`` sees all.
            at_least: do not stop at the end before this many records have come.
            timeout: seconds, in all.
            config: of the consumer, on top of the defaults.

        Raises:
            KafkaException: the broker has refused to serve.
            TimeoutError: the end, or the number of records, was not reached in time.
        """
        consumer = Consumer({
            **_QUIET, "bootstrap.servers": self.bootstrap, "group.id": f"test-{uuid.uuid4()}", "isolation.level": isolation,
            "enable.auto.commit": "false", "enable.partition.eof": "true", "auto.offset.reset": "earliest", **(config or {}),
        })  # fmt: skip
        records: list[Record] = []
        ended: set[int] = set()
        deadline = time.monotonic() + timeout
        try:
            found = consumer.list_topics(topic, timeout=10).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            consumer.assign([TopicPartition(topic, number, 0) for number in found.partitions])
            while len(ended) < len(found.partitions) or len(records) < at_least:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic}: {len(records)} records, {len(ended)} of {len(found.partitions)} partitions at their end")
                for message in consumer.consume(1000, 0.1):
                    error = message.error()
                    if error is None:
                        ended.discard(message.partition())
                        records.append(Record(
                            message.value(), message.key(), tuple(message.headers() or ()), message.timestamp()[1], message.partition(),
                            message.offset()))  # fmt: skip
                    elif error.code() == KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def _server_properties(self) -> dict[str, str]:
        names = ",".join(f"{name}://localhost:{port}" for name, port in self._ports.items())
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{self.address('CONTROLLER')}",
            "controller.listener.names": "CONTROLLER",
            "listeners": names,
            "advertised.listeners": ",".join(part for part in names.split(",") if not part.startswith("CONTROLLER:")),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in self._protocols.items()),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.directory / "data"),
            # A broker that was killed comes back once its old session has run out.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            **self._properties,
        }

    def _run(self, *command: str) -> "subprocess.Popen[bytes]":
        """A Java program of the broker's, in a process group of its own."""
        program = [str(java_home() / "bin" / "java"), *self._java, f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}",
                   "-cp", class_path(), *command]  # fmt: skip
        with self.log.open("ab") as log:
            return subprocess.Popen(
                program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.directory,
                preexec_fn=_end_with_the_parent)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the broker has ended:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the broker does not answer:\n{self._last_words()}")
            try:
                socket.create_connection(("localhost", self._ports["PLAINTEXT"]), 1).close()
                if self.admin().list_topics(timeout=2).brokers:
                    return
            except (OSError, KafkaException):
                time.sleep(0.1)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])


def main() -> None:
    """Run a broker in the foreground until it is interrupted."""
    parser = argparse.ArgumentParser(description="A Kafka broker for trying things out: no security, topics made on first use.")
    parser.add_argument("--port", type=int, default=9092, help="a free one is taken where this one is in use")
    parser.add_argument("--data", type=Path, help="directory that keeps the data; none is kept unless given")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", options.port))
        except OSError:
            [options.port] = free_ports(1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Broker(options.data, {"auto.create.topics.enable": "true"}, port=options.port) as broker:
            print(f"Kafka at {broker.bootstrap}, data and log in {broker.directory}. Ctrl-C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("stopped")
    except (FlinkMaskingError, RuntimeError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
