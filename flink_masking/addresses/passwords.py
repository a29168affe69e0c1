"""Detects passwords in addresses in every spelling, so that none reaches a job graph, a SQL script or a command line.

A deployment, a job, a SQL session and the command line hold addresses of vaults and key rings, and all of them are kept or shown somewhere:
in checkpoints, Flink's web interface, history servers, process lists. An address names where a password is, and never holds one.
"""

import re
from urllib.parse import unquote

from flink_masking.addresses.references import REFERENCE

PATHS = ("file://", "env://", "sqlite://")
"""Beginnings of addresses that are a path or a name to the end."""
_GIVEN = "\0"
"""Stands for a reference."""
_ROUNDS = 8
"""How often percent escapes are resolved: more than anybody nests them."""
_NAMES = "password|passwd|passphrase|pwd|scram_client_key|scram_server_key|oauth_client_secret"
_OPTION = re.compile(rf"(?<![a-z0-9_])(?:ssl_?)?(?:{_NAMES})\s*=\s*([^&\s;]*)", re.IGNORECASE)
_HOST = r"(?:\[[^\]]*\]|[^:/@,\[\]]*)(?::\d*)?"
_HOSTS = re.compile(rf"{_HOST}(?:,{_HOST})*/")
"""Hosts with ports up to the path, in which an @ is a character like any other."""


def holds_password(address: str) -> bool:
    """Whether an address of a vault or key ring holds a password in clear.

    Found are ``scheme://user:password@host``, the options ``password``, ``sslpassword`` and their like, and libpq's keyword form, whatever
    the case and however percent escapes hide them. A reference (``${file:/path}``, ``${env:NAME}``) that is the whole password is none.

    Args:
        address: as written.
    """
    if address.startswith(PATHS):
        return False
    text = REFERENCE.sub(_GIVEN, address.replace(_GIVEN, ""))
    for _ in range(_ROUNDS):
        if _in_options(text) or _in_user(text):
            return True
        if (decoded := unquote(text)) == text:
            return False
        text = decoded
    return True


def _in_options(text: str) -> bool:
    return any(value != _GIVEN for value in _OPTION.findall(text))


def _in_user(text: str) -> bool:
    """What stands between ``://`` and ``@``, of an address within an option, too."""
    starts = [match.end() for match in re.finditer("://", text)] or [0]
    for start in starts:
        before, at, _ = text[start:].partition("@")
        _, colon, password = before.partition(":")
        if at and colon and password != _GIVEN and not _HOSTS.match(before):
            return True
    return False
