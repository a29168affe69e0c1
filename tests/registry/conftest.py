"""A real schema registry for the tests of this folder, one for the whole run; and a server that answers as a test says."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from registries import apicurio

from flink_masking.kafka.local_registry import LocalRegistry


@pytest.fixture(scope="session")
def running() -> Iterator[LocalRegistry]:
    """Apicurio Registry."""
    yield from apicurio()


Responder = Callable[[str, dict[str, str]], tuple[int, bytes]]


class Answering:
    """An HTTP server on loopback that answers what a test says: path and headers → status and body.

    Attributes:
        requests: paths that were asked for.
        url: its address.
    """

    def __init__(self, respond: Responder, tls: object = None) -> None:
        """Start it."""
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                status, body = respond(self.path, dict(self.headers))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.requests = asked
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)  # type: ignore[attr-defined]
        self.url = f"http{'s' if tls else ''}://localhost:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    """Starts servers of a test."""
    started: list[Answering] = []

    def start(respond: Responder, tls: object = None) -> Answering:
        started.append(Answering(respond, tls))
        return started[-1]

    yield start
    for server in started:
        server.close()
