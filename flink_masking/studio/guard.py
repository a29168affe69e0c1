"""Who may talk to the studio: the browser that opened its address, from the studio's own page, and nobody else."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
COOKIE = "flink-masking-studio"
SAFE = frozenset({"GET", "HEAD"})
_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
_HEADERS = {
    "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
_USED = "This address was used before, or is not the one that was printed.\nHint: start flink-masking studio again\n"


class Guard:
    """An ASGI application in front of another one.

    The address that is printed holds a token, which is taken once and gives a session cookie. The session's pages lie below a random path,
    and the cookie is sent for that path only: other servers on this machine, whose ports a browser does not tell apart, never see it.
    A page of another origin is refused by the headers Host (DNS rebinding), Origin and Sec-Fetch-Site, whatever cookie it brings. The one
    request that may come from elsewhere is to open the address in a tab, token and all: so does the file of --open.

    Attributes:
        origin: scheme, host and port.
        path: below which the session's pages are, without a slash at the end.
        nonce: of styles that the page's own script adds.
        used: called when the token has been taken.
    """

    def __init__(self, application: Application, port: int) -> None:
        """Draw token, session and path.

        Args:
            application: that is reached through the guard only.
            port: that the server listens on.
        """
        self._application, self._host = application, f"{HOST}:{port}"
        self.origin, self.path, self.nonce = f"http://{self._host}", f"/{secrets.token_hex(8)}", secrets.token_urlsafe(16)
        self.used: Callable[[], None] = lambda: None
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._added = [(name.encode(), value.encode()) for name, value in {
            **_HEADERS, "content-security-policy": _POLICY.format(nonce=self.nonce)}.items()]

    @property
    def address(self) -> str:
        """What opens the studio, once."""
        return f"{self.origin}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what comes from the session's page."""
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is served")
        refused = self._foreign(scope)
        if refused is None and scope["path"] == "/":
            await self._enter(scope, send)
            return
        if refused is None and not (scope["path"].startswith(f"{self.path}/") and self._known(scope)):
            refused = "there is no session here. Hint: open the address that flink-masking studio has printed"
        if refused is not None:
            await self._tell(send, 403, refused + "\n")
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._added]
            await send(message)

        await self._application({**scope, "root_path": "", "path": scope["path"].removeprefix(self.path)}, receive, guarded)

    def _foreign(self, scope: Scope) -> str | None:
        """Why a request is none of the studio's own page; None where it is one."""
        if _values(scope, b"host") != [self._host]:
            return "this is not the host of the studio"
        origins, sites = _values(scope, b"origin"), _values(scope, b"sec-fetch-site")
        if origins != [self.origin] and (origins or scope["method"] not in SAFE):
            return "this is not the origin of the studio"
        if any(site not in ("same-origin", "none") for site in sites) and not _opens(scope):
            return "a page of another site asks"
        return None

    def _known(self, scope: Scope) -> bool:
        """Whether the request brings the session's cookie."""
        cookies = [one.strip().partition("=") for header in _values(scope, b"cookie") for one in header.split(";")]
        return any(name == COOKIE and hmac.compare_digest(value.encode(), self._session.encode()) for name, _, value in cookies)

    async def _enter(self, scope: Scope, send: Send) -> None:
        """Take the token, once."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if scope["method"] != "GET" or self._token is None or len(given) != 1 or not hmac.compare_digest(
                given[0].encode(), self._token.encode()):
            await self._tell(send, 403, _USED)
            return
        self._token = None
        self.used()
        cookie = (b"set-cookie", f"{COOKIE}={self._session}; Path={self.path}; HttpOnly; SameSite=Strict".encode())
        if _opens(scope):  # the strict cookie is not sent where a page of elsewhere is redirected, but from this page on
            await self._tell(send, 200, f'<!doctype html><meta http-equiv="refresh" content="0; url={self.path}/">', [cookie], "html")
        else:
            await self._tell(send, 303, "", [(b"location", f"{self.path}/".encode()), cookie])

    async def _tell(self, send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None, kind: str = "plain",
                    ) -> None:
        body = text.encode()
        kept = [(b"content-type", f"text/{kind}; charset=utf-8".encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": [*kept, *(headers or []), *self._added]})
        await send({"type": "http.response.body", "body": body})


def _opens(scope: Scope) -> bool:
    """Whether a page or file of elsewhere opens the address as a whole tab: not in a frame, and not by a script."""
    told = [_values(scope, name) for name in (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"origin")]
    return scope["method"] == "GET" and scope["path"] == "/" and told == [["cross-site"], ["navigate"], ["document"], []]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
