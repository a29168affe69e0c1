"""Where token vaults are: an address (URI) whose scheme names the kind."""

import os
from urllib.parse import unquote

from flink_masking.errors import VaultError
from flink_masking.patience import SECONDS
from flink_masking.vault.address import NO_VAULT, UNENCRYPTED, resolved, unencrypted
from flink_masking.vault.base import Vault
from flink_masking.vault.cache import ENTRIES, TokenCache
from flink_masking.vault.sqlite import SqliteVault

SCHEMES = ("sqlite", "postgresql")


def open_vault(uri: str, *, patience: float = SECONDS, entries: int = ENTRIES, require_tls: bool = False,
               existing: bool = False) -> Vault:
    """Open the token vault at an address; in a worker's ``open()``, because an open vault does not travel between processes.

    Args:
        uri: ``sqlite:///absolute/path`` or ``sqlite://relative/path`` (a file on a local disk, made when it is not there
            unless `existing`), or
            ``postgresql://user@host:5432/database`` (needs the extra ``postgres``), in which ``${file:/path}`` and ``${env:NAME}`` are
            replaced here; either may also be the whole address.
        patience: seconds for which a vault that is busy or away is waited for, at each call.
        entries: tokens that the cache in front of it holds.
        require_tls: refuse a PostgreSQL server on another machine that is not spoken to over TLS.
        existing: make no vault: for callers that open, wrap or destroy what is in one, for whom an empty one is a mistyped address.

    Raises:
        VaultError: an unknown scheme, a reference that leads nowhere, no TLS where it is required, the vault cannot be opened, or there
            is none and `existing`; the message never holds a password.
    """
    uri = resolved(uri, os.environ)
    scheme, separator, rest = uri.partition("://")
    if not separator or not rest:
        raise VaultError("a token vault's address starts with sqlite:// or postgresql://. Hint: for a file write sqlite:///path/to/vault.db")
    cache = TokenCache(entries)
    if scheme == "sqlite":
        if existing and not os.path.exists(unquote(rest)):
            raise VaultError(f"{unquote(rest)}: {NO_VAULT}")
        return SqliteVault(unquote(rest), patience=patience, cache=cache)
    if scheme == "postgresql":
        if require_tls and unencrypted(uri):
            raise VaultError(f"the vault is {UNENCRYPTED}")
        return _postgres(uri, patience, cache, require_tls, existing)
    raise VaultError(f"no token vault has this scheme. Hint: known are {', '.join(f'{name}://' for name in SCHEMES)}")


def _postgres(uri: str, patience: float, cache: TokenCache, require_tls: bool, existing: bool) -> Vault:
    """The module is imported here alone, because psycopg is an extra."""
    try:
        from flink_masking.vault.postgres import PostgresVault
    except ImportError:
        raise VaultError("postgresql:// vaults need psycopg. Hint: pip install 'flink-masking[postgres]'") from None
    return PostgresVault(uri, patience=patience, cache=cache, require_tls=require_tls, existing=existing)
