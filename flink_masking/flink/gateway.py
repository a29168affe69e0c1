"""The Java virtual machine of this process, for the modules that call Java classes which PyFlink does not wrap."""

from collections.abc import Sequence
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import to_jarray

__all__ = ["Py4JError", "Py4JJavaError", "java_array", "virtual_machine"]


def virtual_machine() -> Any:
    """py4j's view of the virtual machine; it is started if there is none yet."""
    return get_gateway().jvm


def java_array(kind: Any, items: Sequence[Any]) -> Any:
    """A Java array.

    Args:
        kind: class of its elements, as py4j shows it.
        items: its elements.
    """
    return to_jarray(kind, list(items))
