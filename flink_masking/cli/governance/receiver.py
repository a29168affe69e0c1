"""A webhook on loopback that takes alerts and checks their signatures."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
from typing import Any, NamedTuple, Self

_TOLERANCE = 300
"""Seconds by which a timestamp may be off; Standard Webhooks recommends five minutes."""


class Request(NamedTuple):
    """A request as it came.

    Attributes:
        identifier: header ``Webhook-Id``.
        timestamp: header ``Webhook-Timestamp``, seconds since 1970.
        signature: header ``Webhook-Signature``.
        body: a CloudEvent in JSON.
    """

    identifier: str
    timestamp: str
    signature: str
    body: bytes


class Receiver:
    """An HTTP server that keeps the alerts with a valid signature, each id once, and refuses all others with 401.

    Attributes:
        alerts: data of the CloudEvents taken, in the order in which they came.
        requests: the requests that brought them.
        refused: number of requests without a valid signature.
    """

    def __init__(self, secret: bytes) -> None:
        """Listen on a free port of loopback; served once entered.

        Args:
            secret: that the sender signs with.
        """
        self.alerts: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.refused = 0
        receiver, known = self, set[str]()
        self._secret = secret

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                identifier, timestamp, signature = (self.headers.get(f"Webhook-{name}", "") for name in ("Id", "Timestamp", "Signature"))
                request = Request(identifier, timestamp, signature, self.rfile.read(length))
                valid = receiver.verifies(request)
                if not valid:
                    receiver.refused += 1
                elif request.identifier not in known:
                    known.add(request.identifier)
                    receiver.requests.append(request)
                    receiver.alerts.append(json.loads(request.body)["data"])
                self.send_response(204 if valid else 401)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Where alerts are sent to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    def verifies(self, request: Request) -> bool:
        """Whether the signature is that of Standard Webhooks under the secret, and the timestamp is of now."""
        signed = f"{request.identifier}.{request.timestamp}.".encode() + request.body
        wanted = "v1," + base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest()).decode()
        recent = request.timestamp.isdigit() and abs(time.time() - int(request.timestamp)) <= _TOLERANCE
        return recent and any(hmac.compare_digest(one, wanted) for one in request.signature.split())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
