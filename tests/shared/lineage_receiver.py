"""An HTTP server on loopback that keeps the lineage events sent to it."""

import contextlib
import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Receiver:
    """Attributes: `events`, as they came; `logins`, the headers Authorization; `status` of the answers."""

    def __init__(self, status: int = 201) -> None:
        """Start it."""
        self.events: list[dict[str, Any]] = []
        self.logins: list[str | None] = []
        self.status = status
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                receiver.logins.append(self.headers.get("Authorization"))
                receiver.events.append(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which the client sends events here."""
        return {"OPENLINEAGE__TRANSPORT__TYPE": "http", "OPENLINEAGE__TRANSPORT__URL": f"http://127.0.0.1:{self._server.server_port}",
                "OPENLINEAGE__TRANSPORT__RETRY": '{"total": 0}'}

    def kinds(self, job: str) -> list[str]:
        """Kinds of the events of a job, in the order in which they came."""
        return [event["eventType"] for event in self.events if event["job"]["name"] == job]

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def receiving(status: int = 201) -> Iterator[Receiver]:
    """A receiver that is stopped at the end."""
    receiver = Receiver(status)
    try:
        yield receiver
    finally:
        receiver.close()
