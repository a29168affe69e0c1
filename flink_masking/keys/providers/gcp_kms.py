"""``gcp-kms://``: roots wrapped by a symmetric key in Google Cloud KMS.

``gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K?ring=…``: the name of the key, without a version. Credentials are Google's
application default ones. They need ``roles/cloudkms.cryptoKeyDecrypter``, and to make or extend a ring ``cryptoKeyEncrypter``. Cloud KMS
keeps opening what a rotated key wrapped.
"""

import re
from typing import Any

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.address import Address
from flink_masking.keys.providers.attempt import WAIT_S, Failure, attempt, by_name, missing_sdk

OPTIONS: set[str] = set()
KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")

_failure = by_name({
    "Forbidden": Failure.FORBIDDEN, "Unauthorized": Failure.FORBIDDEN, "NotFound": Failure.MISSING, "TooManyRequests": Failure.THROTTLED,
    "BadRequest": Failure.REJECTED, "ServerError": Failure.UNREACHABLE, "RetryError": Failure.UNREACHABLE,
    "TransportError": Failure.UNREACHABLE, "GoogleAuthError": Failure.FORBIDDEN, "RequestException": Failure.UNREACHABLE,
})  # fmt: skip
"""What the errors of google-api-core and google-auth mean; those of gRPC are subclasses of the HTTP ones."""


class GcpKey:
    """A key in Cloud KMS; it never leaves it."""

    def __init__(self, client: Any, key: str, where: str) -> None:
        """Keep a client.

        Args:
            client: a ``KeyManagementServiceClient``.
            key: name of the key.
            where: what to call the key in errors.
        """
        self._client, self._key, self._where = client, key, where

    def wrap(self, secret: bytes) -> bytes:
        """Encrypt with the primary version of the key."""
        request = {"name": self._key, "plaintext": secret}
        done = attempt(self._where, lambda: self._client.encrypt(request=request, timeout=WAIT_S, retry=None), _failure, 2)
        return bytes(done.ciphertext)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt with the version that encrypted."""
        request = {"name": self._key, "ciphertext": wrapped}
        done = attempt(self._where, lambda: self._client.decrypt(request=request, timeout=WAIT_S, retry=None), _failure, 2)
        return bytes(done.plaintext)


def wrapper(address: Address) -> GcpKey:
    """The key at an address; nothing is called yet.

    Raises:
        KeyRingError: no name of a key, the SDK is not installed, or no credentials.
    """
    if KEY.fullmatch(address.name) is None:
        form = "gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K"
        raise KeyRingError(f"{address.where}: names no key. Hint: write {form}?ring=file:///path")
    try:
        from google.cloud import kms
    except ImportError:
        raise missing_sdk(address.scheme, "google-cloud-kms", "gcp") from None
    return GcpKey(attempt(address.where, kms.KeyManagementServiceClient, _failure), address.name, address.where)
