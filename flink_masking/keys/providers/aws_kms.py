"""``aws-kms://``: roots wrapped by a symmetric key in AWS Key Management Service.

``aws-kms://KEY?ring=…``: KEY is a key id, ``alias/NAME`` or the ARN of either. Options: ``region=`` (else the ARN's, else AWS_REGION and
the profile's), ``endpoint=`` for a VPC endpoint, over TLS but on this machine. Credentials come the ways of boto3: the environment, a
profile, a web identity in Kubernetes (IRSA), the instance. They need ``kms:Decrypt``, and to make or extend a ring ``kms:Encrypt``, with
the encryption context ``application = flink-masking``, on which a key policy can insist. KMS keeps opening what a rotated key wrapped.
"""

from typing import Any
from urllib.parse import urlsplit

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.address import Address, is_safe_endpoint
from flink_masking.keys.providers.attempt import WAIT_S, Failure, attempt, by_name, by_status, missing_sdk

OPTIONS = {"region", "endpoint"}
CONTEXT = {"application": "flink-masking"}

_CODES = {
    "AccessDeniedException": Failure.FORBIDDEN, "UnrecognizedClientException": Failure.FORBIDDEN, "InvalidClientTokenId": Failure.FORBIDDEN,
    "InvalidSignatureException": Failure.FORBIDDEN, "ExpiredTokenException": Failure.FORBIDDEN, "NotFoundException": Failure.MISSING,
    "ThrottlingException": Failure.THROTTLED, "LimitExceededException": Failure.THROTTLED, "RequestLimitExceeded": Failure.THROTTLED,
    "Throttling": Failure.THROTTLED, "ThrottledException": Failure.THROTTLED, "TooManyRequestsException": Failure.THROTTLED,
    "KMSInternalException": Failure.UNREACHABLE, "DependencyTimeoutException": Failure.UNREACHABLE,
    "KeyUnavailableException": Failure.UNREACHABLE, "InternalFailure": Failure.UNREACHABLE, "ServiceUnavailable": Failure.UNREACHABLE,
}  # fmt: skip
_of_class = by_name({
    "NoCredentialsError": Failure.FORBIDDEN, "PartialCredentialsError": Failure.FORBIDDEN, "CredentialRetrievalError": Failure.FORBIDDEN,
    "TokenRetrievalError": Failure.FORBIDDEN, "ProfileNotFound": Failure.FORBIDDEN, "HTTPClientError": Failure.UNREACHABLE,
    "ConnectionError": Failure.UNREACHABLE,
    "ParamValidationError": Failure.REJECTED,
})  # fmt: skip


class AwsKey:
    """A key in KMS; it never leaves it."""

    def __init__(self, client: Any, key: str, where: str) -> None:
        """Keep a client of boto3.

        Args:
            client: for ``kms``.
            key: key id, alias or ARN.
            where: what to call the key in errors.
        """
        self._client, self._key, self._where = client, key, where

    def wrap(self, secret: bytes) -> bytes:
        """Encrypt."""
        arguments = {"KeyId": self._key, "Plaintext": secret, "EncryptionContext": CONTEXT}
        return bytes(attempt(self._where, lambda: self._client.encrypt(**arguments)["CiphertextBlob"], _failure))

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt, with this key and no other."""
        arguments = {"KeyId": self._key, "CiphertextBlob": wrapped, "EncryptionContext": CONTEXT}
        return bytes(attempt(self._where, lambda: self._client.decrypt(**arguments)["Plaintext"], _failure))


def wrapper(address: Address) -> AwsKey:
    """The key at an address; nothing is called yet.

    Raises:
        KeyRingError: boto3 is not installed, no region, or an endpoint without TLS on another machine.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise missing_sdk(address.scheme, "boto3", "aws") from None
    endpoint, arn = address.options.get("endpoint"), address.name.split(":")
    if endpoint is not None and not is_safe_endpoint(urlsplit(endpoint).scheme, urlsplit(endpoint).netloc):
        raise KeyRingError(f"{address.where}: endpoint= goes over TLS. Hint: write https://…; http:// is for localhost only")
    region = address.options.get("region") or (arn[3] if arn[0] == "arn" and len(arn) > 5 else None)
    limits = Config(connect_timeout=WAIT_S, read_timeout=WAIT_S, retries={"total_max_attempts": 2, "mode": "standard"})

    def connect() -> Any:
        session = boto3.Session(region_name=region)
        if session.region_name is None:
            raise KeyRingError(f"{address.where}: no AWS region. Hint: add region=eu-west-1 to the address, or set AWS_REGION")
        return session.client("kms", endpoint_url=endpoint, config=limits)

    return AwsKey(attempt(address.where, connect, _failure), address.name, address.where)


def _failure(error: Exception) -> Failure:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")  # of what stands before KMS, which has no codes
        return _CODES.get(str(response.get("Error", {}).get("Code")), by_status(status if isinstance(status, int) else 400))
    return _of_class(error)
