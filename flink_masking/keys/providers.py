"""Where key rings come from: an address (URI) whose scheme names the provider."""

import base64
import os
from urllib.parse import unquote

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.ring import KeyRing

LATER = ("vault", "aws-kms", "gcp-kms", "azure-kv")


def open_ring(uri: str) -> KeyRing:
    """The key ring at an address.

    Args:
        uri: ``file:///absolute/path``, ``file://relative/path`` (a key ring file that only its owner can read), or ``env://NAME`` (an
            environment variable that holds the file's JSON, or the base64 of it).

    Raises:
        KeyRingError: a scheme that is unknown or not available yet, no such file or variable, a file that others can read, or
            contents that are no key ring. The message names the address, never content.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        raise KeyRingError("a key ring's address starts with file:// or env://. Hint: for a file write file:///path/to/keys.json")
    if scheme in LATER:
        raise KeyRingError(f"{scheme}:// key rings are not available yet. Hint: use file:// or env://")
    if scheme not in _PROVIDERS:
        raise KeyRingError(f"no provider of key rings has this scheme. Hint: known are {', '.join(f'{name}://' for name in _PROVIDERS)}")
    if not rest:
        raise KeyRingError(f"{uri}: the address names nothing. Hint: write file:///path/to/keys.json or env://NAME")
    return _PROVIDERS[scheme](rest)


def _file(rest: str) -> KeyRing:
    return files.read(unquote(rest))


def _environment(name: str) -> KeyRing:
    where, text = f"env://{name}", os.environ.get(name)
    if text is None:
        raise KeyRingError(f"{where}: the variable is not set. Hint: set it in the job's and in its workers' environment")
    data = text.strip().encode(errors="surrogateescape")
    if not data.startswith(b"{"):
        try:
            data = base64.b64decode(data, validate=True)
        except ValueError:
            data = b""  # `parse` says that it is no key ring, without the text
    return KeyRing.parse(data, where)


_PROVIDERS = {"file": _file, "env": _environment}
