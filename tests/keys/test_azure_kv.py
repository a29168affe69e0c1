"""azure-kv:// against a client of this process, and against Azure's own client and a local HTTPS server where that SDK is installed."""

import base64
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.attempt import by_status
from flink_masking.keys.providers.azure_kv import AzureKey
from flink_masking.keys.wrapped import WrappedRing

KEY = "https://v.vault.azure.net/keys/ring"
OAEP_NAME = "RSA-OAEP-256"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class Wrapped(NamedTuple):
    """What wrap_key answers."""

    key_id: str
    encrypted_key: bytes


class Unwrapped(NamedTuple):
    """What unwrap_key answers."""

    key: bytes


class LocalVault:
    """RSA keys by version, the latest used where none is named."""

    def __init__(self):
        """One version."""
        self.keys = {}
        self.rotate()

    def rotate(self):
        """A new version of the key."""
        self.keys[f"{len(self.keys):032x}"] = rsa.generate_private_key(65537, 2048)

    def client_of(self, identifier):
        """A client of a key identifier, like CryptographyClient."""
        assert identifier.startswith(KEY)
        version = identifier.removeprefix(KEY).strip("/") or max(self.keys)
        key = self.keys[version]

        class Client:
            def wrap_key(self, algorithm, secret):
                assert algorithm == OAEP_NAME
                return Wrapped(f"{KEY}/{version}", key.public_key().encrypt(secret, OAEP))

            def unwrap_key(self, algorithm, sealed):
                assert algorithm == OAEP_NAME
                return Unwrapped(key.decrypt(sealed, OAEP))

        return Client()


@pytest.fixture(scope="module")
def local():
    """A vault with one version of its key."""
    return LocalVault()


def test_a_ring_is_wrapped_and_opens_after_a_rotation(local):
    """What an older version of the key wrapped opens with that version."""
    key = AzureKey(local.client_of, KEY, "azure-kv://k", OAEP_NAME)
    ring = WrappedRing.parse(WrappedRing.new("azure-kv://k", key).dump(), "x")
    before = ring.unwrap(key).derive("p", "d").secret()
    local.rotate()
    assert ring.unwrap(key).derive("p", "d").secret() == before
    assert ring.added(key).unwrap(key).derive("p", "d", 1).secret() == before


def test_a_version_in_the_address(local):
    """A version in the address wraps; to unwrap, the one that wrapped is used."""
    first = AzureKey(local.client_of, f"{KEY}/{min(local.keys)}", "azure-kv://k", OAEP_NAME)
    sealed = first.wrap(b"secret")
    assert sealed.startswith(min(local.keys).encode() + b":")
    assert AzureKey(local.client_of, KEY, "azure-kv://k", OAEP_NAME).unwrap(sealed) == b"secret"


def test_a_version_that_is_not_told():
    """Where the client does not tell which version wrapped, nothing is stored that could not be opened."""

    class Silent:
        def wrap_key(self, algorithm, secret):
            return Wrapped(KEY, b"x")

    with pytest.raises(KeyRingError, match=r"version of the key is unknown\. Hint: name it"):
        AzureKey(lambda _: Silent(), KEY, "azure-kv://k", OAEP_NAME).wrap(b"x")


@pytest.mark.parametrize("wrapped", [b"", b":", b"../../secrets/x:abc", b"no colon"])
def test_what_no_azure_key_wrapped(local, wrapped):
    """Anything else than a version and a ciphertext is refused before a client is made."""
    with pytest.raises(KeyRingError, match="not what an Azure key wrapped"):
        AzureKey(local.client_of, KEY, "azure-kv://k", OAEP_NAME).unwrap(wrapped)


def test_a_changed_root_is_refused(local):
    """What cannot be decrypted is an error without detail."""
    key = AzureKey(local.client_of, KEY, "azure-kv://k", OAEP_NAME)
    with pytest.raises(KeyRingError, match=r"refuses the request \(ValueError\)") as caught:
        key.unwrap(max(local.keys).encode() + b":" + bytes(256))
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("status", "said"), [
    (401, "FORBIDDEN"), (403, "FORBIDDEN"), (404, "MISSING"), (408, "UNREACHABLE"), (429, "THROTTLED"), (400, "REJECTED"),
    (409, "REJECTED"), (500, "UNREACHABLE"), (503, "UNREACHABLE"),
])
def test_what_a_status_means(status, said):
    """HTTP statuses fall into the few kinds of failure."""
    assert by_status(status).name == said


def number(value):
    """An integer as a JWK has it."""
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode().rstrip("=")


@pytest.fixture
def azure(serve, certificate):
    """Azure's client of a local HTTPS server: how clients are made, the key's identifier, the status it fails with, RSA-OAEP-256."""
    crypto = pytest.importorskip("azure.keyvault.keys.crypto", reason="the SDK is not installed: pip install 'flink-masking[azure]'")
    from azure.core.credentials import AccessToken

    private, version, failing = rsa.generate_private_key(65537, 2048), "0123456789abcdef0123456789abcdef", []

    def answer(method, path, headers, body):
        if "Authorization" not in headers:
            challenge = 'Bearer authorization="https://login.example/tenant", resource="https://vault.azure.net"'
            return 401, {}, {"WWW-Authenticate": challenge}
        identifier = f"https://{headers['Host']}/keys/ring/{version}"
        if method == "GET":
            public = private.public_key().public_numbers()
            jwk = {"kid": identifier, "kty": "RSA", "n": number(public.n), "e": number(public.e), "key_ops": ["wrapKey", "unwrapKey"]}
            return 200, {"key": jwk, "attributes": {"enabled": True}}, {}
        if failing:
            return failing[0], {"error": {"code": "x", "message": "s3cret"}}, {}
        assert path.startswith(f"/keys/ring/{version}/unwrapkey")
        sealed = base64.urlsafe_b64decode(body["value"] + "==")
        return 200, {"kid": identifier, "value": base64.urlsafe_b64encode(private.decrypt(sealed, OAEP)).decode().rstrip("=")}, {}

    server = serve(answer, tls=True)

    class Credential:
        def get_token(self, *scopes, **options):
            return AccessToken("t0ken", 1 << 40)

    def client_of(identifier):
        options = {"verify_challenge_resource": False, "connection_verify": str(certificate), "retry_total": 0}
        return crypto.CryptographyClient(identifier, Credential(), **options)

    return client_of, f"https://{server.host}/keys/ring", failing, crypto.KeyWrapAlgorithm.rsa_oaep_256


def test_azures_client_wraps_and_unwraps(azure):
    """Azure's own client carries a ring to an HTTPS server and back."""
    key = AzureKey(*azure[:2], "azure-kv://k", azure[3])
    ring = WrappedRing.new("azure-kv://k", key)
    assert ring.unwrap(key).derive("p", "d").secret() == ring.unwrap(key).derive("p", "d").secret()


@pytest.mark.parametrize(("status", "said"), [
    (403, "access is refused"), (404, "no such object"), (429, "throttles requests"), (503, "cannot be reached"),
])
def test_azures_errors(azure, status, said):
    """Each HTTP status comes out of Azure's client as a KeyRingError in few words."""
    key = AzureKey(*azure[:2], "azure-kv://k", azure[3])
    sealed = key.wrap(b"x")
    azure[2].append(status)
    with pytest.raises(KeyRingError, match=f"{said}.*Hint: ") as caught:
        key.unwrap(sealed)
    assert "s3cret" not in str(caught.value) and caught.value.__context__ is None
