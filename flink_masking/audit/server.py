"""Serves a log's public files on loopback."""

import re
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from flink_masking.errors import InputError

_PUBLIC = re.compile(r"/(checkpoint|tile/(\d{1,2}|entries)(/x\d{3})*/\d{3}(\.p/\d{1,3})?)")
"""What is served: never leaf hashes, events of other files or the sealer's state."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of a log's public files."""

    protocol_version = "HTTP/1.1"

    def __init__(self, log: Path, *arguments: object) -> None:
        self._log = log
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a file."""
        data = (self._log / self.path[1:]).read_bytes() if self._there() else None
        self.send_response(HTTPStatus.OK if data is not None else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if self.path == "/checkpoint" else "application/octet-stream")
        self.send_header("Cache-Control", "no-store" if self.path == "/checkpoint" or data is None else "max-age=31536000, immutable")
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        if self.command == "GET" and data:
            self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _there(self) -> bool:
        return _PUBLIC.fullmatch(self.path) is not None and (self._log / self.path[1:]).is_file()


def server(log: Path, port: int) -> ThreadingHTTPServer:
    """A server of a log's public files, bound to loopback; the caller runs and closes it.

    Args:
        log: its directory.
        port: 0: a free one.

    Raises:
        InputError: there is no log, or the port is taken.
    """
    if not (log / "checkpoint").is_file():
        raise InputError(f"{log}: there is no checkpoint. Hint: give the log's directory")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, log))
    except OSError as error:
        raise InputError(f"port {port}: {error.strerror}. Hint: --port 0 takes a free one") from None
