"""One thread that does all work of a studio, and the rule that the newest edit goes first."""

import asyncio
import contextlib
import queue
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
PAGES = 64
"""Open pages whose newest edit is known."""


class Worker:
    """Runs work in a thread of its own, one thing at a time, in the order that it was asked for.

    The thread does not keep the process from ending: work that is at hand is given up, since nobody waits for its result any more.
    """

    def __init__(self) -> None:
        """Start the thread."""
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._newest: OrderedDict[str, int] = OrderedDict()
        threading.Thread(target=self._loop, name="studio", daemon=True).start()

    def begin(self, work: Callable[[], T]) -> "Future[T]":
        """Do some work; nobody has to wait for it."""
        done: Future[T] = Future()
        self._work.put((work, done))
        return done

    async def run(self, work: Callable[[], T]) -> T:
        """The result of some work."""
        return await asyncio.wrap_future(self.begin(work))

    async def parts(self, page: str, number: int, made: Iterator[T]) -> AsyncIterator[T]:
        """The parts of an answer, until there is a newer edit of the same page.

        Args:
            page: that asks.
            number: of its edit; the highest is the newest.
            made: makes the parts, each when it is asked for.
        """
        self._newest[page] = max(number, self._newest.pop(page, number))
        while len(self._newest) > PAGES:
            self._newest.popitem(last=False)
        while self._newest.get(page, number) <= number:
            part = await self.run(lambda: next(made, None))
            if part is None:
                return
            yield part

    def _loop(self) -> None:
        while True:
            work, done = self._work.get()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except BaseException as error:
                done.set_exception(error)
                continue
            with contextlib.suppress(RuntimeError):  # the loop that waited has ended
                done.set_result(result)
