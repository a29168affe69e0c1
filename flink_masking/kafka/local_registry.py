"""A schema registry on this machine for demonstrations and tests: Apicurio Registry in memory, a Java process on loopback."""

import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from flink_masking.jars import Artifact, JarCache
from flink_masking.kafka.local_server import LocalServer
from flink_masking.ports import free_ports

APICURIO = Artifact("io.apicurio", "apicurio-registry-app", "3.0.9", "2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43",
                    "tar.gz", "all")  # fmt: skip
"""The last release line that runs on Java 17."""
CONFLUENT = "/apis/ccompat/v7"
"""Where it has the Confluent API."""


class LocalRegistry(LocalServer):
    """A registry that forgets everything when it ends. Port and settings stay the same over `stop` and `start`."""

    def __init__(self, port: int | None = None, settings: tuple[str, ...] = (), java: tuple[str, ...] = ("-Xmx256m", "-XX:+UseSerialGC",
                 "-XX:TieredStopAtLevel=1")) -> None:
        """Not started yet.

        Args:
            port: a free one unless given.
            settings: further system properties, ``name=value``.
            java: options of the Java virtual machine.
        """
        super().__init__("registry", None, java)
        self._port, self._management = free_ports(2)
        self._port = port or self._port
        self._settings = settings

    @property
    def address(self) -> str:
        """Of the server: what ``api: apicurio`` takes."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Of its Confluent API."""
        return self.address + CONFLUENT

    def stop(self) -> None:
        """End it at once; what it held is gone, so there is nothing to shut down in order."""
        self.kill()

    def _program(self) -> list[str]:
        listen = [f"quarkus.http.host=127.0.0.1 quarkus.http.port={self._port} quarkus.management.host=127.0.0.1",
                  f"quarkus.management.port={self._management} apicurio.storage.kind=sql apicurio.storage.sql.kind=h2"]
        return [*(f"-D{setting}" for setting in (*" ".join(listen).split(), *self._settings)), "-jar", str(self._unpacked())]

    def _unpacked(self) -> Path:
        """The program, unpacked from its archive."""
        found = list(self.directory.glob("*-runner.jar"))
        if not found:
            with tarfile.open(JarCache().resolve(APICURIO)) as archive:
                archive.extractall(self.directory, filter="data")
            found = list(self.directory.glob("*-runner.jar"))
        return found[0]

    def _serves(self, logged: int) -> bool:
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/subjects", timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True
