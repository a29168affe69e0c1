"""A Kafka broker on this machine for demonstrations and tests: one node, KRaft, a Java process on free ports, its jars from the cache."""

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
from importlib import resources
from pathlib import Path
from typing import Self

from flink_masking.errors import JobError
from flink_masking.jars import Artifact, JarCache
from flink_masking.java import java_home

PATIENCE = 300
"""Seconds without a new line in the log after which a starting broker counts as stuck; it is up in four on an idle machine."""
_STARTED = b"Kafka Server started"
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


def end_with_the_parent() -> None:
    """Have the system end the broker when the process that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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


def free_ports(count: int) -> list[int]:
    """Distinct ports that no process listens on, outside the range that Linux gives to outgoing connections (32768 and above).

    Raises:
        JobError: there are not enough of them.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(range(15_000, 32_000), 1_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("localhost", port))
            found.append(port)
        if len(found) == count:
            return found
    raise JobError("no port between 15000 and 32000 is free on this machine. Hint: end what listens there")


class LocalBroker:
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
        """Process id of the running broker."""
        if self._process is None:
            raise JobError("the broker is not running. Hint: call start() first")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it on the data that there is, and wait until it serves.

        Raises:
            JobError: Java or a jar is missing, or the broker ends or does nothing any more before it serves.
        """
        if self._process is not None:
            raise JobError("the broker is running already. Hint: call stop() first")
        settings = self.directory / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._server_properties().items()))
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        if not (self.directory / "data" / "meta.properties").exists():
            identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            if self._run("kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "--config", str(settings)).wait() != 0:
                raise JobError(f"the broker's storage cannot be formatted. Hint: {self._last_words()}")
        before = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._run("kafka.Kafka", str(settings))
        try:
            self._wait(before)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut it down in order, or kill it where that takes too long; the data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it by SIGKILL, as the loss of its machine would; the data stays."""
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
        """Stop it; a temporary directory of its own is removed."""
        self.stop()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)

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
        """Start a Java program of the broker's class path in a process group of its own."""
        program = [str(java_home() / "bin" / "java"), *self._java, f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}",
                   "-cp", class_path(), *command]  # fmt: skip
        with self.log.open("ab") as log:
            return subprocess.Popen(
                program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.directory,
                preexec_fn=end_with_the_parent)

    def _wait(self, before: int) -> None:
        """Wait until the log contains, after its first `before` bytes, the line of a started broker.

        Raises:
            JobError: the process has ended, or has not written a line for `PATIENCE` seconds.
        """
        seen, since = before, time.monotonic()
        while True:
            ended = self._process is None or self._process.poll() is not None
            with self.log.open("rb") as log:
                log.seek(before)
                text = log.read()
            if _STARTED in text:
                return
            if ended:
                raise JobError(f"the broker has ended. Hint: see {self.log}:\n{self._last_words()}")
            if before + len(text) != seen:
                seen, since = before + len(text), time.monotonic()
            if time.monotonic() - since > PATIENCE:
                raise JobError(f"the broker does not start. Hint: see {self.log}:\n{self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
