"""A bundle by HTTPS; asked for with its ETag, so that an unchanged one costs no transfer."""

import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from typing import Any

from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.base import TOTAL
from flink_masking.control.sources.bundle import unpack
from flink_masking.errors import ControlError, ControlUnavailableError
from flink_masking.patience import http_may_pass, persist

_CHUNK = 1 << 20
AGAIN_S = 1.0
"""Seconds for which one look asks again; the next look follows soon, and who waits for one waits no longer."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token must not follow a redirect to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


class HttpSource:
    """A bundle at an address. It is written by whatever writes the server's files, not from here.

    Attributes:
        skew_s: by how many seconds the server's clock was ahead of this one at the last answer; None before.
    """

    def __init__(self, options: ControlOptions) -> None:
        """Read certificates; nothing is sent yet.

        Raises:
            ControlError: a certificate cannot be read.
        """
        self._options, self._tag, self.skew_s = options, "", None
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if options.source.startswith("https://"):
            try:
                context = ssl.create_default_context(cafile=options.ca)
                if options.certificate is not None:
                    context.load_cert_chain(options.certificate, options.key, password="")
            except (OSError, ValueError):
                raise ControlError("control.ca, certificate or key: cannot be used for TLS. Hint: PEM files, a key without a "
                                   "passphrase") from None
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    skew_s: float | None

    def read(self) -> list[bytes] | None:
        """See `Source.read`."""
        headers = {"User-Agent": "flink-masking"}
        if self._tag:
            headers["If-None-Match"] = self._tag
        if self._options.token is not None:
            headers["Authorization"] = f"Bearer {self._options.secret('token', self._options.token, os.environ)}"
        request, shown = urllib.request.Request(self._options.source, headers=headers), self._options.shown
        try:
            found = persist(lambda: self._answer(request), _may_pass, min(AGAIN_S, self._options.timeout / 1000))
        except urllib.error.HTTPError as error:
            kind = ControlError if error.code in (301, 302, 303, 307, 308, 401, 403) else ControlUnavailableError
            raise kind(f"{shown}: HTTP {error.code}. Hint: control.source names the bundle itself; logins are not sent on") from None
        except (ControlError, MemoryError):
            raise
        except Exception as error:  # urllib and http.client: refused, cut off, timed out, none of HTTP
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise ControlError(f"{shown}: its certificate does not hold ({reason.verify_message}). Hint: control.ca names the "
                                   "authority") from None
            told = "the answer is cut off" if isinstance(reason, http.client.IncompleteRead) else (
                getattr(reason, "strerror", None) or type(reason).__name__)
            raise ControlUnavailableError(f"{shown}: no whole answer ({told}). Hint: see the server and the network; control.timeout"
                                          ) from None
        if found is None:
            return None
        documents, self._tag = found
        return documents

    def _answer(self, request: urllib.request.Request) -> tuple[list[bytes], str] | None:
        """The documents and their ETag; None where nothing has changed."""
        try:
            with self._opener.open(request, timeout=self._options.timeout / 1000) as answer:
                self._compare_clocks(answer.headers.get("Date"))
                return unpack(self._body(answer)), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 304 and self._tag:
                self._compare_clocks(error.headers.get("Date"))
                return None
            raise

    def _body(self, answer: Any) -> bytes:
        """The answer, within the time-out as a whole, however slowly it comes."""
        until, read = time.monotonic() + self._options.timeout / 1000, bytearray()
        while chunk := answer.read1(_CHUNK):
            read += chunk
            if len(read) > TOTAL:
                raise ControlError(f"{self._options.shown}: larger than {TOTAL >> 20} MiB. Hint: see what the address serves")
            if time.monotonic() > until:
                raise TimeoutError
        length = answer.headers.get("Content-Length")
        if length is not None and length.isdigit() and int(length) != len(read):
            raise http.client.IncompleteRead(bytes(read[:0]), int(length))
        return bytes(read)

    def _compare_clocks(self, date: str | None) -> None:
        try:
            self.skew_s = parsedate_to_datetime(date or "").timestamp() - time.time()
        except ValueError:
            self.skew_s = None

    def publish(self, name: str, data: bytes) -> None:
        """Refuse: a web server is not written to from here."""
        raise ControlError(f"{self._options.shown}: is read only. Hint: flink-masking control publish --to file:///….jsonl, the bundle "
                           "that the server serves")

    def close(self) -> None:
        """Nothing to release."""


def _may_pass(error: Exception) -> bool:
    """Whether a repeated question may be answered: also where a bundle is cut off at the server, which is about to replace it."""
    return http_may_pass(error) or isinstance(error, ControlUnavailableError)
