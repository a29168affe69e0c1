"""Addresses of key rings and token vaults, as options of commands."""

from pathlib import Path
from typing import Annotated

import typer

Vault = Annotated[
    str | None,
    typer.Option(
        "--vault",
        metavar="ADDRESS",
        help="Token vault: sqlite:///path or postgresql://user@host/db. For rules that tokenize; beside the key ring's file unless given.",
        show_default=False,
    ),
]
LOCAL = ("file", "sqlite")
"""Schemes whose address is a path on this machine."""


def absolute(address: str) -> str:
    """A relative path made absolute: Flink's workers run in another directory."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}://{Path(rest).resolve()}" if scheme in LOCAL and separator and rest else address


def vault_address(vault: str | None, keys: str, made: bool = False) -> str:
    """The address of the token vault: the one given, or a SQLite file beside the key ring's, ``keys.json`` → ``keys.vault.db``.

    Args:
        vault: as given, or None.
        keys: address of the key ring.
        made: the file beside the key ring must be there already.

    Raises:
        InputError: none is given, and there is no file to put one beside, or nothing beside it.
    """
    from urllib.parse import unquote

    from flink_masking.errors import InputError

    if vault is not None:
        return absolute(vault)
    scheme, _, rest = keys.partition("://")
    if scheme != "file" or not rest:
        raise InputError("the policy keeps tokens in a vault, and none is named. Hint: --vault sqlite:///path/to/vault.db")
    path = Path(rest).resolve()
    path = path.with_name(f"{path.stem}.vault.db")
    if made and not Path(unquote(str(path))).exists():
        raise InputError(f"{path}: no token vault is there. Hint: name the one that the records were masked with by --vault")
    return f"sqlite://{path}"
