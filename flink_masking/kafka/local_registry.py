"""A schema registry on this machine for demonstrations and tests: Apicurio Registry in memory, a Java process on loopback."""

import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from flink_masking.errors import JobError
from flink_masking.jars import Artifact, JarCache
from flink_masking.java import java_home
from flink_masking.kafka.local_broker import end_with_the_parent, free_ports

APICURIO = Artifact("io.apicurio", "apicurio-registry-app", "3.0.9", "2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43",
                    "tar.gz", "all")  # fmt: skip
"""The last release line that runs on Java 17."""
PATIENCE = 300
"""Seconds without a new line in the log after which a starting registry counts as stuck; it is up in six on an idle machine."""
CONFLUENT = "/apis/ccompat/v7"
"""Where it has the Confluent API."""


class LocalRegistry:
    """A registry that forgets everything when it ends. Port and settings stay the same over `stop` and `start`."""

    def __init__(self, port: int | None = None, settings: tuple[str, ...] = (), java: tuple[str, ...] = ("-Xmx256m", "-XX:+UseSerialGC",
                 "-XX:TieredStopAtLevel=1")) -> None:
        """Not started yet.

        Args:
            port: a free one unless given.
            settings: further system properties, ``name=value``.
            java: options of the Java virtual machine.
        """
        self.directory = Path(tempfile.mkdtemp(prefix="registry-"))
        self._port, self._management = free_ports(2)
        self._port = port or self._port
        self._settings, self._java = settings, java
        self._process: subprocess.Popen[bytes] | None = None
        self.log = self.directory / "registry.log"

    @property
    def address(self) -> str:
        """Of the server: what ``api: apicurio`` takes."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Of its Confluent API."""
        return self.address + CONFLUENT

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, empty, and wait until it serves.

        Raises:
            JobError: Java or the archive is missing, or it ends or does nothing any more before it serves.
        """
        if self._process is not None:
            raise JobError("the registry is running already. Hint: call stop() first")
        program = self._unpacked()
        listen = [f"quarkus.http.host=127.0.0.1 quarkus.http.port={self._port} quarkus.management.host=127.0.0.1",
                  f"quarkus.management.port={self._management} apicurio.storage.kind=sql apicurio.storage.sql.kind=h2"]
        options = [f"-D{setting}" for setting in (*" ".join(listen).split(), *self._settings)]
        command = [str(java_home() / "bin" / "java"), *self._java, *options, "-jar", str(program)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                             cwd=self.directory, preexec_fn=end_with_the_parent)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; what it held is gone."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it and remove its directory."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _unpacked(self) -> Path:
        """The program, unpacked from its archive."""
        found = list(self.directory.glob("*-runner.jar"))
        if not found:
            with tarfile.open(JarCache().resolve(APICURIO)) as archive:
                archive.extractall(self.directory, filter="data")
            found = list(self.directory.glob("*-runner.jar"))
        return found[0]

    def _wait(self) -> None:
        seen, since = -1, time.monotonic()
        while True:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/subjects", timeout=5).close()
            except (urllib.error.URLError, OSError):
                pass
            else:
                return
            if self._process is None or self._process.poll() is not None:
                raise JobError(f"the registry has ended. Hint: see {self.log}:\n{self._last_words()}")
            if (size := self.log.stat().st_size) != seen:
                seen, since = size, time.monotonic()
            if time.monotonic() - since > PATIENCE:
                raise JobError(f"the registry does not start. Hint: see {self.log}:\n{self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
