"""Resolves references ``${env:NAME}`` and ``${file:/path}`` in the options of a deployment."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from flink_masking.errors import InputError

LARGEST = 1_048_576
"""Bytes that a file may have at most: certificates, keys and passwords are far smaller."""
PROVIDERS = "properties.config.providers"
"""The option by which Kafka clients resolve references of the same form themselves."""
REFERENCE = re.compile(r"\$\{(env|file):([^}]*)\}")
"""``${env:NAME}`` and ``${file:/path}``: kind and name."""
_Value = TypeVar("_Value")


def resolve(
    options: Mapping[str, _Value], folder: Path, environment: Mapping[str, str], found: Callable[[str], None]
) -> dict[str, _Value | str]:
    """Replace every reference in options by its value.

    Where an option ``properties.config.providers`` names ``env`` or ``file``, references of that kind in ``properties.*`` belong to the
    Kafka clients and stay as they are.

    Args:
        options: of one table, or the Flink settings; values other than text have no references.
        folder: what relative file names are relative to.
        environment: the environment variables.
        found: called with every text that was inserted, so that callers can keep it out of messages.

    Raises:
        InputError: a variable or file is not there, or a file is no text; it names the option and the reference, never a value.
    """
    theirs = {name.strip() for name in str(options.get(PROVIDERS, "")).split(",")}

    def one(name: str, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            kind, what = match[1], match[2]
            if kind in theirs and name.startswith("properties."):
                return match[0]
            text = value_of(name, kind, what, folder, environment)
            found(text)
            return text

        return REFERENCE.sub(value, text)

    return {name: one(name, value) if isinstance(value, str) else value for name, value in options.items()}


def value_of(option: str, kind: str, what: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Resolve one reference.

    Args:
        option: the option or address that it stands in, for errors.
        kind: ``env`` or ``file``.
        what: name of the variable or file.
        folder: what relative file names are relative to.
        environment: the environment variables.

    Raises:
        InputError: the variable or file is not there, or the file is no text.
    """
    return _variable(option, what, environment) if kind == "env" else _file(option, what, folder)


def _variable(option: str, name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise InputError(f"{option}: the environment variable {name} is not set. Hint: set it where the job is submitted (a "
                         "vault's: on the workers, too), or name a file: ${file:/path}")
    return environment[name]


def _file(option: str, name: str, folder: Path) -> str:
    """The contents of a file without the line end that editors put last."""
    path = folder / name
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise InputError(f"{option}: {name} cannot be read ({error.strerror}). Hint: ${{file:/path}} names a file with nothing but the "
                         "value") from None
    except UnicodeDecodeError:
        raise InputError(f"{option}: {name} is not text. Hint: binary stores (PKCS12, JKS) are named by their path, without "
                         "${file:…}") from None
    if len(data) > LARGEST:
        raise InputError(f"{option}: {name} is larger than {LARGEST} bytes. Hint: ${{file:/path}} names a file with nothing but the value")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise InputError(f"{option}: {name} is empty. Hint: ${{file:/path}} names a file with nothing but the value")
    return text
