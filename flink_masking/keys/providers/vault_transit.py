"""``vault+transit://``: roots wrapped by a key of HashiCorp Vault's Transit engine.

``vault+transit://HOST[:PORT]/MOUNT/keys/NAME?ring=…``: the path of the key as in Vault's API, options as for ``vault://``. The token needs
``update`` on ``MOUNT/decrypt/NAME``, and to make or extend a ring on ``MOUNT/encrypt/NAME``; without ``create`` there, or Vault makes a
key of a misspelt name. A Transit key that is rotated keeps opening what it wrapped.
"""

import base64
from typing import Any

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers import vault
from flink_masking.keys.providers.address import Address
from flink_masking.keys.providers.attempt import Failure, attempt

OPTIONS = vault.OPTIONS


class TransitKey:
    """A key of the Transit engine; it never leaves Vault."""

    def __init__(self, address: Address) -> None:
        """Take the address apart; nothing is called yet."""
        self._host, path = vault.host_and_path(address)
        mount, marker, name = path.rpartition("/keys/")
        if not mount or not marker or not name or "/" in name:
            raise KeyRingError(f"{address.where}: names no key. Hint: write vault+transit://HOST:8200/transit/keys/NAME?ring=file:///path")
        self._address, self._mount, self._name = address, mount, name
        vault.sdk(address)

    def wrap(self, secret: bytes) -> bytes:
        """Encrypt with the latest version of the key; the result begins with ``vault:v`` and that version."""
        text = base64.b64encode(secret).decode()
        done = self._call(lambda transit: transit.encrypt_data(self._name, plaintext=text, mount_point=self._mount))
        return str(done["data"]["ciphertext"]).encode()

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt with the version that encrypted."""
        text = wrapped.decode("ascii", "replace")
        done = self._call(lambda transit: transit.decrypt_data(self._name, ciphertext=text, mount_point=self._mount))
        return base64.b64decode(done["data"]["plaintext"])

    def _call(self, call: Any) -> Any:
        return attempt(self._address.where, lambda: call(vault.connect(self._address, self._host).secrets.transit), _fault, 2)


def wrapper(address: Address) -> TransitKey:
    """The key at an address."""
    return TransitKey(address)


def _fault(error: Exception) -> Failure:
    """Transit answers 400 to a key that is not there, and only its words tell that from a ciphertext of another key."""
    found = vault.failure_of(error)
    return Failure.MISSING if found is Failure.REJECTED and "key not found" in str(error) else found
