"""Bundles of records between Flink and a Python worker, without the two waits that Beam's worker puts into each.

Flink hands a worker a bundle (up to a tenth of a second of records) and waits for its end before it reads on, so every millisecond that
a worker idles at a bundle's end, all idle. Both waits are without a setting in Beam 2.61 and PyFlink 2.3.0, to which the dependency is
pinned; what takes their place touches nothing but when bytes move.
"""

import threading
from collections.abc import Callable
from typing import Any

from apache_beam.runners.worker import statesampler


def never_sample() -> None:
    """From now on, no thread of this process samples what its bundles spend their time on.

    Beam joins that thread at the end of each bundle, in the midst of a sleep that grows with the bundle: a tenth of all time was measured.
    PyFlink shows its samples nowhere. May be called again.
    """
    statesampler.StateSampler.start = _start
    statesampler.StateSampler.stop = _stop


def _start(sampler: Any) -> None:
    sampler.tracked_thread = threading.current_thread()
    statesampler.set_current_tracker(sampler)
    sampler.started = True


def _stop(sampler: Any) -> None:
    statesampler.set_current_tracker(None)
    sampler.finished = True


def senders() -> list[Callable[[], None]]:
    """What to call in a batch, for its results to leave as soon as they are written.

    PyFlink's output streams send when they hold 10 MB, or after the tick of a thread that each of them has, once a second; a call here is
    such a tick. Without it Flink begins with a bundle's results when the worker has nothing left to do.
    """
    ticks: list[Any] = [getattr(thread, "_function", None) for thread in threading.enumerate()]
    return [tick for tick in ticks if getattr(tick, "__name__", "") == "notify_flush"]
