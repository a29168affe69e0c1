"""A Kafka broker on this machine for demonstrations and tests: one node, KRaft, a Java process on free ports, its jars from the cache."""

import base64
import os
import time
import uuid
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from flink_masking.errors import JobError
from flink_masking.jars import Artifact, JarCache
from flink_masking.kafka.local_server import LocalServer
from flink_masking.ports import free_ports

_STARTED = b"Kafka Server started"
_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c: %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def class_path(offline: bool = False) -> str:
    """The broker's class path; its jars are fetched into the cache.

    Args:
        offline: never use the network.

    Raises:
        JobError: a jar is neither in the cache nor can it be fetched.
    """
    cache = JarCache(offline=offline)
    lines = resources.files("flink_masking.kafka").joinpath("broker_jars.txt").read_text().splitlines()
    return os.pathsep.join(str(cache.resolve(Artifact.parse(line))) for line in lines if line and not line.startswith("#"))


class LocalBroker(LocalServer):
    """A broker with a listener PLAINTEXT on loopback, and more listeners on demand.

    Ports and data stay the same over `stop`, `kill` and `restart`. With an authorizer, name ``User:ANONYMOUS`` in ``super.users``: it is
    the principal of the PLAINTEXT listener.
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
        super().__init__("broker", directory, [*java])
        self._protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {}), "CONTROLLER": "PLAINTEXT"}
        self._ports = dict(zip(self._protocols, free_ports(len(self._protocols)), strict=True))
        if port is not None:
            self._ports["PLAINTEXT"] = port
        self._properties = dict(properties or {})

    @property
    def bootstrap(self) -> str:
        """Address of the PLAINTEXT listener."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """Address of a listener, ``localhost:port``."""
        return f"localhost:{self._ports[listener]}"

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

    def _program(self) -> list[str]:
        """The broker, on the data that there is; without any, its storage is formatted first."""
        settings = self.directory / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._server_properties().items()))
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        common = [f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}", "-cp", class_path()]
        if not (self.directory / "data" / "meta.properties").exists():
            identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            formatted = [*common, "kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "--config", str(settings)]
            if self._run(formatted).wait() != 0:
                raise JobError(f"the broker's storage cannot be formatted. Hint: {self._last_words()}")
        return [*common, "kafka.Kafka", str(settings)]

    def _serves(self, logged: int) -> bool:
        with self.log.open("rb") as log:
            log.seek(logged)
            return _STARTED in log.read()
