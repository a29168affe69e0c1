"""Results of a worker, sent as soon as they are written.

PyFlink's output streams send when they hold 10 MB, or after the tick of a thread that each of them has, once a second. A call of what
`senders` finds is such a tick. Without it Flink begins with a bundle's results only when the worker has nothing left to do.
"""

import threading
from collections.abc import Callable
from typing import Any

from flink_masking.flink.compat.patch import Mismatch, Patch, applied, require_source, revoke
from flink_masking.flink.compat.worker import is_worker

_TICK = "notify_flush"


def _install() -> None:
    from pyflink.fn_execution.beam import beam_stream_fast
    from pyflink.fn_execution.utils.operation_utils import PeriodicThread

    require_source(PeriodicThread, "e21eb20844887903")
    if not callable(getattr(beam_stream_fast.BeamTimeBasedOutputStream, _TICK, None)):
        raise Mismatch(f"PyFlink's output streams have no {_TICK}")


OUTPUT_STREAMS = Patch("output-streams", "results leave a worker up to a second later", _install)


def senders() -> list[Callable[[], None]]:
    """What to call in each batch, for the results of earlier ones to leave; call this in the first batch, when the streams are there.

    Returns:
        One function for each output stream of this process; none where the patch is not applied.
    """
    if not applied(OUTPUT_STREAMS):
        return []
    ticks: list[Any] = [getattr(thread, "_function", None) for thread in threading.enumerate()]
    found = [tick for tick in ticks if getattr(tick, "__name__", "") == _TICK]
    if not found and is_worker():
        revoke(OUTPUT_STREAMS, "no output stream of this worker has a thread that ticks")
    return found
