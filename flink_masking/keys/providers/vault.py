"""``vault://``: a ring's JSON as a field of a secret in HashiCorp Vault's KV engine, version 2.

``vault://HOST[:PORT]/MOUNT/data/PATH[?options][#FIELD]``: the path as in Vault's API; the field is ``ring`` where none is given, its
value the ring's JSON (as text or as an object) or the base64 of it. The token needs ``read`` on ``MOUNT/data/PATH``.

Options: ``namespace=`` (or VAULT_NAMESPACE), ``ca=`` a file of certificates to trust (or VAULT_CACERT), ``token_file=`` a file with the
token, read for every call so that a renewed one is used; else VAULT_TOKEN; else ``~/.vault-token``; ``tls=off`` for an agent on this
machine, refused for any other host; ``signer=`` as for every provider but files and variables.
"""

import json
import os
from pathlib import Path
from typing import Any

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.address import Address, is_safe_endpoint
from flink_masking.keys.providers.attempt import WAIT_S, Failure, attempt, by_name, missing_sdk
from flink_masking.keys.providers.stored import unarmoured

OPTIONS = {"namespace", "ca", "token_file", "tls", "signer"}
DEFAULT_FIELD = "ring"
DEFAULT_PORT = 8200

failure_of = by_name({
    "Forbidden": Failure.FORBIDDEN, "Unauthorized": Failure.FORBIDDEN, "InvalidPath": Failure.MISSING,
    "RateLimitExceeded": Failure.THROTTLED, "InvalidRequest": Failure.REJECTED, "VaultDown": Failure.UNREACHABLE,
    "VaultNotInitialized": Failure.UNREACHABLE, "BadGateway": Failure.UNREACHABLE, "InternalServerError": Failure.UNREACHABLE,
    "RequestException": Failure.UNREACHABLE,
})  # fmt: skip
"""What the errors of hvac and of requests below it mean."""


class VaultStore:
    """A field of a secret."""

    def __init__(self, address: Address) -> None:
        """Take the address apart; nothing is called yet."""
        address.check_options(OPTIONS)
        self._host, path = host_and_path(address)
        mount, marker, name = path.partition("/data/")
        if not mount or not marker or not name:
            raise KeyRingError(f"{address.where}: names no secret. Hint: write vault://HOST:8200/secret/data/PATH#FIELD")
        self._address, self._mount, self._name, self._field = address, mount, name, address.field or DEFAULT_FIELD
        self.where = f"{address.where}#{self._field}"
        sdk(address)

    def read(self) -> bytes:
        """The field's JSON."""
        value = self._secret().get("data", {}).get(self._field)
        if isinstance(value, dict):
            return json.dumps(value).encode()
        if not isinstance(value, str):
            raise KeyRingError(f"{self.where}: the secret has no such field. Hint: name the field after #")
        return unarmoured(value)

    def fingerprint(self) -> str:
        """The version of the secret and the time it was written."""
        facts = self._secret().get("metadata", {})
        return f"{facts.get('version')}:{facts.get('created_time')}"

    def _secret(self) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            kv = connect(self._address, self._host).secrets.kv.v2
            found: dict[str, Any] = kv.read_secret_version(self._name, mount_point=self._mount, raise_on_deleted_version=True)
            return found["data"]

        return attempt(self.where, call, failure_of, 2)


def store(address: Address) -> VaultStore:
    """The secret at an address."""
    return VaultStore(address)


def host_and_path(address: Address) -> tuple[str, str]:
    """``HOST:PORT`` and the path of an address."""
    host, _, path = address.name.partition("/")
    return (host if host.rpartition(":")[2].isdigit() and not host.endswith("]") else f"{host}:{DEFAULT_PORT}"), path


def sdk(address: Address) -> Any:
    """The module hvac.

    Raises:
        KeyRingError: it is not installed.
    """
    try:
        import hvac
    except ImportError:
        raise missing_sdk(address.scheme, "hvac", "vault") from None
    return hvac


def connect(address: Address, host: str) -> Any:
    """A client of hvac for one call or a few.

    Args:
        address: for its options.
        host: with port.

    Raises:
        KeyRingError: no token, or a connection without TLS to another machine.
    """
    tls = address.options.get("tls", "on")
    scheme = {"on": "https", "off": "http"}.get(tls, "")
    if not is_safe_endpoint(scheme, host):
        raise KeyRingError(f"{address.where}: tls={tls} is not possible here. Hint: leave it out; off is for an agent on localhost only")
    trusted = address.options.get("ca") or os.environ.get("VAULT_CACERT") or True
    if isinstance(trusted, str) and not os.path.isfile(trusted):
        raise KeyRingError(f"{trusted}: there is no such file of certificates. Hint: check ca= or VAULT_CACERT")
    namespace = address.options.get("namespace") or os.environ.get("VAULT_NAMESPACE")
    client = sdk(address).Client(f"{scheme}://{host}", token(address), verify=trusted, timeout=WAIT_S, namespace=namespace)
    client.adapter.session.hooks["response"].append(_broken_off)
    return client


def _broken_off(response: Any, **_: Any) -> None:
    """Raise requests' own error for time-outs on the way to Vault, which hvac does not tell from errors that stay."""
    if response.status_code in (408, 425, 504):
        response.raise_for_status()


def token(address: Address) -> str:
    """The token: from the file that the address names, from VAULT_TOKEN, or from ``~/.vault-token``.

    Raises:
        KeyRingError: there is none.
    """
    named = address.options.get("token_file")
    if named is None and (given := os.environ.get("VAULT_TOKEN", "").strip()):
        return given
    path = Path(named) if named is not None else Path.home() / ".vault-token"
    try:
        found = path.read_text().strip()
    except (OSError, ValueError):
        found = ""
    if not found.isascii() or not found.isprintable() or not found:
        raise KeyRingError(f"{address.where}: no token for Vault. Hint: set VAULT_TOKEN, or add token_file=/path to the address")
    return found
