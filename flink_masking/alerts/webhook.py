"""CloudEvents over HTTP, signed as Standard Webhooks (https://www.standardwebhooks.com): its libraries verify them."""

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from flink_masking.alerts.alert import CONTENT_TYPE
from flink_masking.alerts.refusal import SendError
from flink_masking.alerts.targets import WebhookTarget, resolved
from flink_masking.errors import InputError

SHORTEST = 24
"""Bytes of a secret."""
PASSING = frozenset({408, 425, 429})
"""HTTP statuses below 500 of a receiver that may take the same alert later."""
_PREFIX = "whsec_"


def signature(secret: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """The header ``Webhook-Signature``: version and base64 of HMAC-SHA-256 over id, seconds since 1970 and body, joined by full stops."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An alert must not follow a redirect to another host, or to one without TLS."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


class WebhookSender:
    """An address that takes alerts."""

    def __init__(self, name: str, target: WebhookTarget, folder: Path) -> None:
        """Read the secret; nothing is sent yet.

        Args:
            name: of the target, for errors.
            target: address and time-out.
            folder: what relative file names are relative to.

        Raises:
            InputError: the secret or the certificates cannot be used.
        """
        self._target, self._secret = target, _key(name, resolved(f"targets.{name}.secret", target.secret, folder))
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects(), urllib.request.ProxyHandler()]
        if target.webhook.startswith("https://"):
            try:
                context = ssl.create_default_context(cafile=None if target.ca is None else str(folder / target.ca))
            except (OSError, ssl.SSLError):
                raise InputError(f"targets.{name}.ca: cannot be used for TLS. Hint: a PEM file with certificates of authorities") from None
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def send(self, event: bytes, rule: str) -> None:
        """See `Sender.send`."""
        identifier, now = str(json.loads(event)["id"]), int(time.time())
        headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "flink-masking", "Webhook-Id": identifier, "Webhook-Timestamp": str(now),
                   "Webhook-Signature": signature(self._secret, identifier, now, event)}
        request = urllib.request.Request(self._target.webhook, event, headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._target.timeout / 1000):
                return
        except urllib.error.HTTPError as error:
            with error:
                raise SendError(f"HTTP {error.code}", error.code >= 500 or error.code in PASSING) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SendError(getattr(reason, "strerror", None) or type(reason).__name__) from None

    def close(self) -> None:
        """Nothing is held."""


def _key(name: str, text: str) -> bytes:
    """The secret's bytes: base64 behind ``whsec_``, or the text itself."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else text.encode()
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST:
        raise InputError(f"targets.{name}.secret: no secret, or one of less than {SHORTEST} bytes. Hint: (printf whsec_; openssl rand "
                         "-base64 32) > FILE")
    return key
