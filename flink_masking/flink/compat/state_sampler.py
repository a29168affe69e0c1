"""Beam's sampling of what a bundle spends its time on, turned off.

Beam joins the sampling thread at the end of each bundle, in the midst of a sleep that grows with the bundle: a tenth of all time was
measured, in which Flink, which waits for the end of the bundle, idles too. PyFlink shows the samples nowhere, and Beam has no setting.
"""

import threading
from typing import Any

from flink_masking.flink.compat.patch import Patch, require_source

_METHODS = {"__init__": "f0453e08ecc9dbf1", "start": "23b371cd22f18d57", "stop": "6d446d02e6f67035",
            "stop_if_still_running": "7a911f31921949f2"}  # fmt: skip
"""What the patch knows of Beam's sampler, with the digests of their sources."""


def _install() -> None:
    from apache_beam.runners.worker import statesampler

    sampler = statesampler.StateSampler
    if sampler.start is _start and sampler.stop is _stop:
        return
    for method, digest in _METHODS.items():
        require_source(getattr(sampler, method), digest)
    sampler.start, sampler.stop = _start, _stop


def _start(sampler: Any) -> None:
    from apache_beam.runners.worker import statesampler

    sampler.tracked_thread = threading.current_thread()
    statesampler.set_current_tracker(sampler)
    sampler.started = True


def _stop(sampler: Any) -> None:
    from apache_beam.runners.worker import statesampler

    statesampler.set_current_tracker(None)
    sampler.finished = True


STATE_SAMPLER = Patch("state-sampler", "a bundle ends up to 0.2 s later", _install)
