"""Addresses of token vaults: what may stand in them, what their references stand for, and whether they ask for TLS."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote

from flink_masking.addresses.endpoints import is_loopback
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import REFERENCE, value_of
from flink_masking.errors import InputError, VaultError

ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
"""Values of sslmode under which libpq sends nothing in clear."""
NO_VAULT = "no token vault is there. Hint: name the one that the records were masked with: --vault, or vault: in the deployment"
UNENCRYPTED = ("PostgreSQL on another machine without TLS: sslmode is below require. Hint: end the address with "
               "?sslmode=verify-full&sslrootcert=/path/ca.pem, by which the server is authenticated, too")
"""What is wrong with an address that `unencrypted` finds."""
_POSTGRESQL = "postgresql://"


def check_address(address: str) -> str:
    """The address itself, where it may become part of a job graph, a SQL script or a command line.

    Args:
        address: of a token vault, references not yet resolved.

    Raises:
        VaultError: it holds a password, or refers to a file by a relative name; the message repeats nothing of it.
    """
    if holds_password(address):
        raise VaultError("the vault's address holds a password, which would be kept or shown with it (job graph, script, process list). "
                         "Hint: leave it out, and set PGPASSFILE or use a service file, or write postgresql://user:${file:/path}@host/db; "
                         "the file is read by the job and its workers")
    for kind, what in REFERENCE.findall(address):
        if kind == "file" and not Path(what).is_absolute():
            raise VaultError("the vault's address refers to a file by a relative name, and workers run in other directories. Hint: "
                             "${file:/absolute/path}")
    return address


def resolved(address: str, environment: Mapping[str, str]) -> str:
    """The address with its references replaced, for the process that opens the vault; never kept.

    References stand in addresses of PostgreSQL, where their values are escaped, or for an address as a whole.

    Args:
        address: as written.
        environment: the environment variables.

    Raises:
        VaultError: a variable or file is not there, or holds no text.
    """
    def value(match: re.Match[str]) -> str:
        try:
            return value_of("the vault's address", match[1], match[2], Path("/"), environment)
        except InputError as error:
            failure = VaultError(str(error))
        raise failure

    if whole := REFERENCE.fullmatch(address):
        return value(whole)
    if not address.startswith(_POSTGRESQL):
        return address
    return REFERENCE.sub(lambda match: quote(value(match), safe=""), address)


def unencrypted(address: str) -> bool:
    """Whether an address lets tokens and sealed values cross a network in clear: PostgreSQL on another machine, sslmode below require.

    An address without a host is this machine's socket; one that is a reference as a whole tells nothing before it is opened.

    Args:
        address: as written, or resolved.
    """
    if not address.startswith(_POSTGRESQL):
        return False
    rest = REFERENCE.sub("-", address.removeprefix(_POSTGRESQL))
    place, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if options.get("sslmode") in ENCRYPTED or options.get("ssl") == "true":
        return False
    named = ",".join([place.partition("/")[0].rpartition("@")[2], options.get("host", ""), options.get("hostaddr", "")])
    hosts = [host for host in named.split(",") if host]
    return "service" in options if not hosts else not all(map(is_loopback, hosts))
