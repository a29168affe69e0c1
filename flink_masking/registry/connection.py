"""One registry over HTTP: TLS, login, time-outs; every failure is told apart into what may pass by itself and what may not."""

import base64
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from flink_masking.errors import InputError, RegistryError, RegistryUnavailableError
from flink_masking.patience import STATUSES, persist
from flink_masking.registry.options import RegistryOptions

LARGEST = 16 << 20
"""Bytes of an answer."""
_JSON = "application/vnd.schemaregistry.v1+json, application/json;q=0.9, */*;q=0.1"


class Answer(NamedTuple):
    """An answer below 500.

    Attributes:
        status: HTTP status.
        body: its bytes.
    """

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A login must not follow a redirect to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


class Connection:
    """A registry's address at work; logins are resolved here and never shown."""

    def __init__(self, options: RegistryOptions, patience: float = 0.0) -> None:
        """Read logins and certificates; nothing is sent yet.

        Args:
            options: of the registry.
            patience: seconds for which each request is repeated while the registry is away.

        Raises:
            RegistryError: a reference leads nowhere, or a certificate cannot be read.
        """
        self._options, self._base, self._patience = options, options.url.rstrip("/"), patience
        self._headers = {"Accept": _JSON, "User-Agent": "flink-masking"}
        try:
            token, password = (options.secret(name, os.environ) for name in ("token", "password"))
        except InputError as error:
            raise RegistryError(str(error)) from None
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        elif password is not None:
            self._headers["Authorization"] = "Basic " + base64.b64encode(f"{options.user}:{password}".encode()).decode()
        if any(not text.isprintable() or not text.isascii() for text in self._headers.values()):
            raise RegistryError("registry.token: it holds a line break or another character that no header takes. Hint: the file holds "
                                "nothing but the token")
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if self._base.startswith("https://"):
            handlers.append(urllib.request.HTTPSHandler(context=_tls(options)))
        self._opener = urllib.request.build_opener(*handlers)

    def __reduce__(self) -> str:
        """Refuse to be pickled: it holds logins."""
        raise TypeError("an open registry does not travel between processes. Hint: send RegistryOptions")

    def ask(self, method: str, path: str, body: Any = None, media: str = "application/vnd.schemaregistry.v1+json") -> Answer:
        """Send a request, which may be repeated: registering what is there changes nothing.

        Args:
            method: of HTTP.
            path: below the registry's address, escaped.
            body: sent as JSON unless None.
            media: type of the body.

        Raises:
            RegistryUnavailableError: no answer, or one that says to come back later.
            RegistryError: the certificate does not hold, the login is refused, the address redirects elsewhere, or the answer is too large.
        """
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"], data = media, json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        return persist(lambda: self._answer(request), lambda error: isinstance(error, RegistryUnavailableError), self._patience)

    def _answer(self, request: urllib.request.Request) -> Answer:
        """The answer to a request; for the errors see `ask`."""
        shown = self._options.shown
        try:
            try:
                with self._opener.open(request, timeout=self._options.timeout) as answer:
                    status, content = answer.status, self._body(answer)
            except urllib.error.HTTPError as error:
                with error:
                    status, content = error.code, self._body(error.fp) if error.code < 500 else b""
        except (OSError, ValueError, EOFError) as error:
            raise self._failed(error) from None
        except Exception as error:  # http.client: an answer cut short, or none of HTTP
            raise RegistryUnavailableError(f"registry {shown}: the answer is not HTTP ({type(error).__name__}). Hint: see whether a "
                                           "registry listens there") from None
        if status in STATUSES:
            raise RegistryUnavailableError(f"registry {shown}: HTTP {status}. Hint: see the registry's log; the same call may "
                                           "succeed later")
        if status in (401, 403):
            raise RegistryError(f"registry {shown}: the login is refused (HTTP {status}). Hint: user and password, token, or certificate "
                                "and key under registry: in the deployment")
        if 300 <= status < 400:
            raise RegistryError(f"registry {shown}: the address redirects elsewhere (HTTP {status}), and logins are not sent on. Hint: "
                                "name the registry itself")
        if len(content) > LARGEST:
            raise RegistryError(f"registry {shown}: an answer of more than {LARGEST >> 20} MiB. Hint: see whether a registry listens there")
        return Answer(status, content)

    def _body(self, answer: Any) -> bytes:
        """What follows the headers, as far as it is looked at.

        Raises:
            TimeoutError: it takes longer than an answer may, however often a part of it comes.
            EOFError: the connection ends before it is whole.
        """
        until, content = time.monotonic() + self._options.timeout, bytearray()
        while len(content) <= LARGEST and (part := answer.read1(1 << 16)):
            content += part
            if time.monotonic() > until:
                raise TimeoutError
        if len(content) <= LARGEST and answer.length:
            raise EOFError
        return bytes(content)

    def _failed(self, error: Exception) -> RegistryError:
        """The error of a request without an answer."""
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        shown = self._options.shown
        if isinstance(reason, ssl.SSLCertVerificationError):
            return RegistryError(f"registry {shown}: its certificate does not hold ({reason.verify_message}). Hint: registry.ca names the "
                                 "authority, and the address must have the name in the certificate")
        if isinstance(reason, ssl.SSLError) and "ALERT" in (reason.reason or ""):
            return RegistryError(f"registry {shown}: it ends the TLS handshake ({reason.reason}). Hint: registry.certificate and "
                                 "registry.key, where the server asks for a client's certificate")
        what = "no answer in time" if isinstance(reason, TimeoutError) else getattr(reason, "strerror", None) or type(reason).__name__
        return RegistryUnavailableError(f"registry {shown}: it cannot be reached ({what}). Hint: registry.url, the network, and the server")


def _tls(options: RegistryOptions) -> ssl.SSLContext:
    named = options.ca
    try:
        context = ssl.create_default_context(cafile=options.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if options.certificate is not None:
            named = f"{options.certificate}, {options.key}" if options.key else options.certificate
            context.load_cert_chain(options.certificate, options.key, password="")
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or type(error).__name__
        raise RegistryError(f"registry: {named} cannot be used for TLS ({what}). Hint: PEM files, a key without a passphrase") from None
    return context
