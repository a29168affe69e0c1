"""``azure-kv://``: roots wrapped by an RSA key in Azure Key Vault (RSA-OAEP-256).

``azure-kv://NAME.vault.azure.net/keys/KEY[/VERSION]?ring=…``: the identifier of the key without ``https://``. Credentials are those of
azure-identity's DefaultAzureCredential. They need the permission ``keys/unwrapKey``, and to make or extend a ring ``keys/get`` (the SDK
wraps with the public half itself, so wrapping proves nothing of who did it: have the ring signed, and name the signer in the address).
What is wrapped remembers the key's version, so a rotated key keeps opening it.
"""

from collections.abc import Callable
from typing import Any

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.address import Address
from flink_masking.keys.providers.attempt import WAIT_S, Failure, attempt, by_name, by_status, missing_sdk

OPTIONS: set[str] = set()
PUBLIC = True
"""The key wraps with its public half, which anyone may have."""

_of_class = by_name({
    "ClientAuthenticationError": Failure.FORBIDDEN, "ServiceRequestError": Failure.UNREACHABLE, "ServiceResponseError": Failure.UNREACHABLE,
    "ValueError": Failure.REJECTED,
})  # fmt: skip


class AzureKey:
    """A key in Key Vault; its private half never leaves it."""

    def __init__(self, client_of: Callable[[str], Any], key: str, where: str, algorithm: Any) -> None:
        """Keep how clients are made.

        Args:
            client_of: identifier of a key, with or without version, to a ``CryptographyClient``.
            key: identifier of the key.
            where: what to call the key in errors.
            algorithm: the SDK's name of RSA-OAEP-256.
        """
        self._client_of, self._where, self._algorithm = client_of, where, algorithm
        vault, _, name = key.partition("/keys/")
        self._key, self._name = key, f"{vault}/keys/{name.partition('/')[0]}"

    def wrap(self, secret: bytes) -> bytes:
        """Encrypt; the result begins with the version of the key and a colon."""
        done = attempt(self._where, lambda: self._client_of(self._key).wrap_key(self._algorithm, secret), _failure)
        version = str(done.key_id or "").partition("/keys/")[2].partition("/")[2]
        if not version:
            raise KeyRingError(f"{self._where}: the version of the key is unknown. Hint: name it in the address, or grant keys/get")
        return version.encode() + b":" + bytes(done.encrypted_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt with the version that encrypted."""
        version, _, sealed = wrapped.partition(b":")
        if not version.isalnum():
            raise KeyRingError(f"{self._where}: this is not what an Azure key wrapped. Hint: restore the ring from its backup")
        identifier = f"{self._name}/{version.decode()}"
        return bytes(attempt(self._where, lambda: self._client_of(identifier).unwrap_key(self._algorithm, sealed), _failure).key)


def wrapper(address: Address) -> AzureKey:
    """The key at an address; nothing is called yet.

    Raises:
        KeyRingError: no identifier of a key, or the SDK is not installed.
    """
    host, _, path = address.name.partition("/")
    parts = path.split("/")
    if not host or parts[0] != "keys" or len(parts) not in (2, 3) or not all(parts):
        raise KeyRingError(f"{address.where}: names no key. Hint: write azure-kv://NAME.vault.azure.net/keys/KEY?ring=file:///path")
    try:
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm
    except ImportError:
        raise missing_sdk(address.scheme, "azure-keyvault-keys and azure-identity", "azure") from None
    credential = attempt(address.where, DefaultAzureCredential, _failure)

    def client_of(identifier: str) -> Any:
        return CryptographyClient(identifier, credential, connection_timeout=WAIT_S, read_timeout=WAIT_S, retry_total=1)

    return AzureKey(client_of, f"https://{address.name}", address.where, KeyWrapAlgorithm.rsa_oaep_256)


def _failure(error: Exception) -> Failure:
    status = getattr(error, "status_code", None)
    return by_status(status) if isinstance(status, int) else _of_class(error)
