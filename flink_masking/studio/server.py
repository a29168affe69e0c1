"""The studio's server: its page, answers to edits, and the file. It listens on loopback only, and logs nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flink_masking.errors import FlinkMaskingError, InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.studio.answers import Answers, Window
from flink_masking.studio.completion import complete
from flink_masking.studio.file import LARGEST, ConflictError, PolicyFile
from flink_masking.studio.guard import HOST, Guard, Receive, Scope, Send
from flink_masking.studio.internal import message_of
from flink_masking.studio.proposals import Proposals
from flink_masking.studio.sample import Sample
from flink_masking.studio.worker import Worker

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import Route
except ImportError:
    raise InputError("the studio needs Starlette and Uvicorn, which are not installed. Hint: pip install 'flink-masking[studio]'") from None

BODY = 4 * LARGEST
"""Bytes of a request, at most: a policy as JSON, every character of it escaped."""
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain", ".svg": "image/svg+xml"}
T = TypeVar("T", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Edit(_Body):
    """A text, and what of its views is looked at."""

    text: str
    segment: str | None = None
    start: Annotated[int, Field(ge=0, le=1 << 31)] = 0
    raw: bool = False
    refused: bool = False
    page: Annotated[str, Field(max_length=64)] = ""
    number: Annotated[int, Field(ge=0, le=1 << 53)] = 0

    @property
    def window(self) -> Window:
        """Of the views."""
        return Window(self.segment, self.start, self.raw, self.refused)


class Place(_Body):
    """A place in a text."""

    text: str
    line: Annotated[int, Field(ge=1)]
    column: Annotated[int, Field(ge=0)]


class Accepted(_Body):
    """Proposals that are accepted."""

    accepted: list[str]


class Saved(_Body):
    """A text for the file, and the digest of the file that it was made from."""

    text: str
    digest: str


class Studio:
    """What the page asks for.

    Attributes:
        file: the policy's.
    """

    def __init__(self, file: PolicyFile, sample: Sample, ring: KeyRing, show_raw: bool = False) -> None:
        """Keep what answers are made of.

        Args:
            file: the policy's, which need not exist yet.
            sample: the records.
            ring: the key ring.
            show_raw: whether personal values are shown from the beginning.
        """
        self.file, self._sample, self._show_raw = file, sample, show_raw
        self._answers, self._proposals, self._worker = Answers(file, sample, ring), Proposals(sample), Worker()
        self._files = {one.name: one for one in resources.files(__package__).joinpath("page").iterdir() if one.is_file()}
        self.nonce = ""

    def warm_up(self) -> None:
        """Apply the policy before the page asks: what is loaded and compiled for the first time takes seconds."""
        self._worker.begin(self._first)

    def application(self) -> Starlette:
        """The routes, below the session's path."""
        made = Starlette(routes=[
            Route("/", self._index), Route("/page/{name}", self._asset), Route("/start", self._start),
            Route("/proposals", self._listed), Route("/digest", self._digest),
            *(Route(f"/{name}", one, methods=["POST"]) for name, one in {
                "answer": self._answer, "view": self._view, "complete": self._complete, "propose": self._propose,
                "save": self._save}.items()),
        ], exception_handlers={Exception: _unforeseen, FlinkMaskingError: _expected})
        made.router.redirect_slashes = False  # it knows no path in front of its own
        return made

    def _first(self) -> None:
        text, _ = self.file.read()
        for _ in self._answers.to(text or self._proposals.policy(()), Window()):
            pass

    async def _index(self, _: Request) -> Response:
        page = self._files["index.html"].read_text("utf-8").replace("{nonce}", self.nonce)
        return Response(page, media_type="text/html; charset=utf-8")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        kind = KINDS.get(name[name.rfind("."):])
        if name not in self._files or kind is None:
            return Response("there is no such file\n", 404, media_type="text/plain")
        return Response(self._files[name].read_bytes(), media_type=f"{kind}; charset=utf-8")

    async def _start(self, _: Request) -> Response:
        text, digest = await asyncio.to_thread(self.file.read)
        return _json({"file": self.file.name, "text": text, "digest": digest, "new": not digest, "sample": self._sample.name,
                      "show_raw": self._show_raw})

    async def _digest(self, _: Request) -> Response:
        return _json({"digest": await asyncio.to_thread(self.file.digest)})

    async def _listed(self, _: Request) -> Response:
        return _json(await self._worker.run(self._proposals.listed))

    async def _answer(self, request: Request) -> Response:
        asked = await _read(request, Edit)
        parts = self._worker.parts(asked.page, asked.number, self._answers.to(asked.text, asked.window))

        async def lines() -> AsyncIterator[bytes]:
            async for part in parts:
                yield _dumped(part) + b"\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def _view(self, request: Request) -> Response:
        asked = await _read(request, Edit)
        return _json(await self._worker.run(lambda: self._answers.view(asked.text, asked.window)))

    async def _complete(self, request: Request) -> Response:
        asked = await _read(request, Place)
        if len(asked.text) > LARGEST:
            return _json({"length": 0, "options": []})
        found = await self._worker.run(lambda: complete(asked.text, asked.line, asked.column, self._proposals.declarations()))
        return _json({"length": found.length, "options": [one._asdict() for one in found.options]})

    async def _propose(self, request: Request) -> Response:
        asked = await _read(request, Accepted)
        return _json({"text": await self._worker.run(lambda: self._proposals.policy(asked.accepted))})

    async def _save(self, request: Request) -> Response:
        asked = await _read(request, Saved)
        return _json({"digest": await asyncio.to_thread(self.file.save, asked.text, asked.digest)})


class _Refused(FlinkMaskingError):
    """A request that the page never sends."""


def serve(studio: Studio, port: int, opened: Callable[[str], Callable[[], None]]) -> None:
    """Listen on loopback until the process is interrupted.

    Args:
        studio: that answers.
        port: 0 for a free one.
        opened: called with the address, once the port is there; gives what is called when the address has been used.

    Raises:
        InputError: the port is in use.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(128)  # before the address is told, which may be opened at once
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror}. Hint: omit it for a free port") from None
        guard = Guard(_quiet(studio.application()), listening.getsockname()[1])
        studio.nonce = guard.nonce
        settings = uvicorn.Config(guard, log_config=None, access_log=False, server_header=False, date_header=False, ws="none",
                                  lifespan="off", http="h11", loop="asyncio", timeout_graceful_shutdown=1)
        guard.used = opened(guard.address)
        studio.warm_up()
        uvicorn.Server(settings).run(sockets=[listening])


def _quiet(application: Starlette) -> Callable[[Scope, Receive, Send], Any]:
    """The application without what Starlette raises again for the server's log: it may quote a record."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await application(scope, receive, send)
        except Exception as error:
            raise RuntimeError(message_of(error)) from None

    return called


async def _read(request: Request, kind: type[T]) -> T:
    """The body of a request."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused("the body is no JSON")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            raise _Refused(f"more than {BODY:,} bytes")
    try:
        return kind.model_validate_json(bytes(body))
    except ValidationError as error:
        raise _Refused(f"the body has {error.error_count()} faults") from None


async def _expected(_: Request, error: Exception) -> Response:
    status = 409 if isinstance(error, ConflictError) else 400 if isinstance(error, _Refused) else 422
    return _json({"error": message_of(error)}, status)


async def _unforeseen(_: Request, error: Exception) -> Response:
    return _json({"error": message_of(error)}, 500)


def _json(value: Any, status: int = 200) -> Response:
    return Response(_dumped(value), status, media_type="application/json")


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
