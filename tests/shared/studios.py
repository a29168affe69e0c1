"""The command `flink-masking studio`, running, as one opens it."""

import http.client
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

COMMAND = "import sys; from flink_masking.cli import main; sys.argv = ['flink-masking', *sys.argv[1:]]; main()"


class RunningStudio:
    """A studio of its own process.

    Attributes:
        address: that it has printed, which opens it once.
        written: what it has written to its standard streams so far.
    """

    def __init__(self, folder: Path, *arguments: object) -> None:
        """Start it in a folder.

        Args:
            folder: that it runs in.
            arguments: of the command.
        """
        self._process = subprocess.Popen([sys.executable, "-P", "-c", COMMAND, "studio", *map(str, arguments)], cwd=folder, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.written: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.written.append(line)
            if line.startswith("http://"):
                break
        else:
            raise AssertionError("".join(self.written))
        self.address = self.written[-1].strip()
        self._reader = threading.Thread(target=lambda: self.written.extend(self._process.stdout or ()), daemon=True)
        self._reader.start()
        self.host = urlsplit(self.address).netloc
        self._headers: dict[str, str] = {}
        self.path = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._reader.join(60)

    def enter(self) -> None:
        """Open the address as a browser does."""
        status, headers, _ = self.ask("GET", f"/?{urlsplit(self.address).query}")
        assert status == 303
        self.path = headers["location"].rstrip("/")
        self._headers = {"cookie": headers["set-cookie"].partition(";")[0], "origin": f"http://{self.host}"}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request; status, headers and body of the answer."""
        connection = http.client.HTTPConnection(self.host, timeout=300)
        try:
            connection.request(method, path, body, {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def post(self, name: str, body: Any) -> tuple[int, Any]:
        """Send JSON; status, and the values of the answer, line by line where it is an answer to an edit."""
        status, _, text = self.ask("POST", f"{self.path}/{name}", json.dumps(body).encode(), content_type="application/json")
        return status, [json.loads(line) for line in text.splitlines()] if name == "answer" else json.loads(text)

    def get(self, name: str) -> tuple[int, bytes]:
        """Ask for something below the session's path."""
        status, _, body = self.ask("GET", f"{self.path}/{name}")
        return status, body
