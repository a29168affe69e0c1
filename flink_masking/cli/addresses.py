"""Addresses of key rings and token vaults, as options of commands."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote, unquote, unquote_plus

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
OTHERS = ("env", "postgresql")
"""Schemes whose address holds no path of a key ring's."""
PATHS = ("ca", "token_file")
"""Options of key rings' addresses that are paths."""


def absolute(address: str) -> str:
    """Relative paths made absolute: Flink's workers run in another directory.

    Args:
        address: of a key ring or a vault: the path of ``file://`` and ``sqlite://``, and, of an address with options, those of
            `PATHS` and of the ring that ``ring=`` names. An address that cannot be read stays as it is: opening it tells.
    """
    scheme, separator, rest = address.partition("://")
    if scheme in LOCAL:
        return f"{scheme}://{_resolved(rest)}" if separator and rest else address
    whole, hash_, field = rest.partition("#")
    name, mark, query = whole.partition("?")
    if scheme in OTHERS or not mark:
        return address
    pairs = (pair.partition("=") for pair in query.split("&"))
    options = "&".join(f"{option}{equals}{_option(option, value)}" for option, equals, value in pairs)
    return f"{scheme}://{name}?{options}{hash_}{field}"


def _resolved(path: str) -> str:
    """The absolute path for one that stands in an address, where percent escapes are resolved."""
    return str(Path(unquote(path)).resolve()).replace("%", "%25")


def _option(name: str, value: str) -> str:
    """An option's value as it is written, with the paths in it absolute."""
    given = unquote_plus(value)
    found = absolute(given) if name == "ring" else str(Path(given).resolve()) if name in PATHS and given else given
    return value if found == given else quote(found, safe=":/")


def named_vault(vault: str) -> str:
    """The address given as ``--vault``, checked; a server on another machine without TLS is a warning.

    Raises:
        VaultError: it holds a password, which other users see in the list of processes.
    """
    from flink_masking.cli.console import show_warnings
    from flink_masking.vault.address import UNENCRYPTED, check_address, unencrypted

    if unencrypted(check_address(vault)):
        show_warnings("--vault", [UNENCRYPTED])
    return vault


def vault_address(vault: str | None, keys: str, made: bool = False) -> str:
    """The address of the token vault: the one given, or a SQLite file beside the key ring's, ``keys.json`` → ``keys.vault.db``.

    Args:
        vault: as given, or None.
        keys: address of the key ring.
        made: the file beside the key ring must exist.

    Raises:
        VaultError: the address holds a password, which other users see in the list of processes.
        InputError: none is given, and there is no file to put one beside, or nothing beside it.
    """
    from flink_masking.errors import InputError
    from flink_masking.vault.address import NO_VAULT

    if vault is not None:
        return absolute(named_vault(vault))
    scheme, _, rest = keys.partition("://")
    if scheme != "file" or not rest:
        raise InputError("the policy keeps tokens in a vault, and none is named. Hint: --vault sqlite:///path/to/vault.db")
    path = Path(_resolved(rest))
    path = path.with_name(f"{path.stem}.vault.db")
    if made and not Path(unquote(str(path))).exists():
        raise InputError(f"{path}: {NO_VAULT}")
    return f"sqlite://{path}"
