"""The releases that a job was submitted with, compared with those of each worker that runs it.

A function of a job is pickled by the client and unpickled by the workers, which may have another installation. Between releases the fields
of a class, the layout of packets and the meaning of a rule may differ; a worker that goes on all the same would fail in the midst of a
batch, or produce what nobody has tested. So it refuses, before anything else of the function is unpickled.
"""

import pickle
import sys
from collections.abc import Mapping
from typing import Any

import cloudpickle

from flink_masking import __version__
from flink_masking.errors import JobError

_PARTS = {"flink-masking": None, "PyFlink": None, "pyarrow": 2, "Python": 2}
"""How many parts of a release must be equal, None: all. Patches of pyarrow and Python keep formats; a minor of either need not."""


def installed() -> dict[str, str]:
    """The releases of this process that a job depends on."""
    import pyarrow
    import pyflink.version

    return {"flink-masking": __version__, "PyFlink": pyflink.version.__version__, "pyarrow": pyarrow.__version__,
            "Python": ".".join(map(str, sys.version_info[:3]))}  # fmt: skip


def require_same(client: Mapping[str, str]) -> None:
    """Compare the client's releases with those of this process.

    Args:
        client: what `installed` said where the job was submitted.

    Raises:
        JobError: they do not fit each other; names both, and what to do.
    """
    here = installed()
    others = [f"{name} {client.get(name, '(unknown)')} there and {here[name]} here" for name, parts in _PARTS.items()
              if client.get(name, "").split(".")[:parts] != here[name].split(".")[:parts]]  # fmt: skip
    if others:
        raise JobError(f"this worker has other releases than the client that submitted the job: {', '.join(others)}. Hint: let the workers "
                       "run the client's installation (flink-masking package, flink run -pyarch ARCHIVE), or install the same on both")


class VersionChecked:
    """A function whose copy on a worker is only made where the releases are those of the client."""

    def __reduce__(self) -> tuple[Any, ...]:
        """The releases first, and the function itself as bytes that are not read before these are compared."""
        return _restored, (installed(), cloudpickle.dumps((type(self), self.__dict__)))


def _restored(client: Mapping[str, str], body: bytes) -> Any:
    require_same(client)
    kind, members = pickle.loads(body)
    made = object.__new__(kind)
    made.__dict__.update(members)
    return made
