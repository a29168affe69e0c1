"""A web server on loopback that answers by count: each request gets the next of the answers that a test says."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT, RESET = "cut", "reset"
"""Half of an answer; a connection that is reset before any of it."""


class Answers:
    """What a server answers, and what it was asked.

    Attributes:
        next: what the next requests get: a status, `CUT`, `RESET`, or a body; where none is left, `then`.
        then: what all others get.
        asked: paths in the order of requests.
        url: address.
    """

    def __init__(self, then: Any) -> None:
        """Answer `then` for now."""
        self.next, self.then, self.asked, self.url = list[Any](), then, list[str](), ""
        self.lock = threading.Lock()

    def of(self, path: str) -> Any:
        """The answer of one request."""
        with self.lock:
            self.asked.append(path)
            found = self.next.pop(0) if self.next else self.then
        return found(path) if callable(found) else found


class _Handler(BaseHTTPRequestHandler):
    answers: Answers

    def do_GET(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.answers.of(self.path)
        self.close_connection = True
        if answer == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        cut = isinstance(answer, tuple) and answer[0] == CUT
        status, body = (200, answer[1] if cut else answer) if not isinstance(answer, int) else (answer, b'{"why": "by the test"}')
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a test ends."""


@contextlib.contextmanager
def answering(then: Any, first: Sequence[Any] = ()) -> Iterator[Answers]:
    """A server that runs within.

    Args:
        then: a status, bytes, or a function of the path that gives either.
        first: what the first requests get.
    """
    answers = Answers(then)
    answers.next = list(first)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"answers": answers}))
    answers.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
