"""Asks an ASGI application in this process, as a server would."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What the application answered.

    Attributes:
        status: of HTTP.
        headers: by name in lower case; of several the last.
        body: all of it.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def ask(application: Any, method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Answer:
    """Send a request and read the whole answer."""
    place, _, query = path.partition("?")
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": place,
             "raw_path": place.encode(), "query_string": query.encode(), "root_path": "",
             "headers": [(name.lower().encode(), value.encode()) for name, value in headers], "client": ("127.0.0.1", 1), "server": None}
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        message = next(messages, None)
        if message is None:
            await asyncio.sleep(3600)
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await application(scope, receive, send)

    asyncio.run(run())
    start = sent[0]
    told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], told, b"".join(one.get("body", b"") for one in sent[1:]))
