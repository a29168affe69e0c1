"""A receiver of alerts on this machine, for tests."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waiting import CLIENT_S

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Receiver:
    """A server that keeps what it gets and answers as it is told; `gate` holds answers back while it is cleared."""

    def __init__(self, port=0):
        """Begin to listen."""
        self.got, self.answers, self.gate, self.changed = [], [], threading.Event(), threading.Condition()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.changed:
                    status = outer.answers.pop(0) if outer.answers else 204
                    outer.got.append((status, dict(self.headers), body))
                    outer.changed.notify_all()
                outer.gate.wait()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def taken(self):
        """Bodies that were accepted."""
        return [json.loads(body) for status, _, body in self.got if status < 300]

    def wait(self, count):
        """Wait until so many requests have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, CLIENT_S)

    def close(self):
        """Listen no more."""
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
