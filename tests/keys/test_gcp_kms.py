"""gcp-kms:// against a client of this process, and against Google's own client and a local gRPC server where that SDK is installed."""

import contextlib
import os
from concurrent import futures
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers import attempt
from flink_masking.keys.providers.gcp_kms import GcpKey
from flink_masking.keys.wrapped import WrappedRing

NAME = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


class Answer(NamedTuple):
    """What encrypt and decrypt answer."""

    ciphertext: bytes = b""
    plaintext: bytes = b""


class LocalKms:
    """Encrypts as the service does: AES-GCM, bound to the name of the key; keeps what it was asked."""

    def __init__(self):
        """A fresh key."""
        self.cipher, self.asked = AESGCM(os.urandom(32)), []

    def encrypt(self, request, timeout, retry):
        """Like KeyManagementServiceClient.encrypt."""
        self.asked.append((timeout, retry))
        nonce = os.urandom(12)
        return Answer(ciphertext=nonce + self.cipher.encrypt(nonce, request["plaintext"], request["name"].encode()))

    def decrypt(self, request, timeout, retry):
        """Like KeyManagementServiceClient.decrypt."""
        self.asked.append((timeout, retry))
        sealed = request["ciphertext"]
        return Answer(plaintext=self.cipher.decrypt(sealed[:12], sealed[12:], request["name"].encode()))


def test_a_ring_is_wrapped_and_unwrapped():
    """A ring goes through encrypt and decrypt of the client, each bounded in time and without retries of its own."""
    client = LocalKms()
    key = GcpKey(client, NAME, "gcp-kms://k")
    ring = WrappedRing.parse(WrappedRing.new("gcp-kms://k", key).dump(), "x")
    assert ring.unwrap(key).derive("p", "d").secret() == ring.unwrap(key).derive("p", "d").secret()
    assert client.asked == [(5.0, None)] * 3
    with pytest.raises(KeyRingError, match=r"call failed \(InvalidTag\)") as caught:
        ring.unwrap(GcpKey(client, NAME + "2", "gcp-kms://k2"))
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("classes", "said"), [
    (("Forbidden", "PermissionDenied"), "access is refused"), (("Unauthorized", "Unauthenticated"), "access is refused"),
    (("NotFound",), "no such object"), (("TooManyRequests", "ResourceExhausted"), "throttles requests"),
    (("BadRequest", "InvalidArgument"), "refuses the request"), (("ServerError", "ServiceUnavailable"), "cannot be reached"),
    (("ServerError", "GatewayTimeout", "DeadlineExceeded"), "cannot be reached"),
    (("GoogleAuthError", "DefaultCredentialsError"), "access is refused"), (("GoogleAuthError", "TransportError"), "cannot be reached"),
])
def test_failures_are_told_by_their_classes(classes, said):
    """Errors of the names that Google's client raises are told in few words, without what they say."""
    kind = Exception
    for name in classes:
        kind = type(name, (kind,), {})

    class Failing:
        def encrypt(self, **_):
            raise kind("s3cret")

    with pytest.raises(KeyRingError, match=f"{said}.*Hint: ") as caught:
        GcpKey(Failing(), NAME, "gcp-kms://k").wrap(b"x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("name", "calls"), [("TooManyRequests", 2), ("ServerError", 2), ("TransportError", 2), ("Forbidden", 1)])
def test_a_failure_of_cloud_kms_that_passes_is_none(monkeypatch, name, calls):
    """Each call is made a second time where the first was throttled or found nobody; a refusal is not."""
    monkeypatch.setattr(attempt, "PAUSE_S", 0)
    failing, made = [type(name, (Exception,), {})("s3cret")], []

    class Flaky(LocalKms):
        def encrypt(self, **arguments):
            made.append(1)
            if failing:
                raise failing.pop()
            return super().encrypt(**arguments)

    with pytest.raises(KeyRingError) if calls == 1 else contextlib.nullcontext():
        assert GcpKey(Flaky(), NAME, "gcp-kms://k").wrap(b"x")
    assert len(made) == calls


@pytest.fixture
def google():
    """Google's client on a local gRPC server that encrypts, and a setting for the status it fails with."""
    kms = pytest.importorskip("google.cloud.kms", reason="google-cloud-kms is not installed: pip install 'flink-masking[gcp]'")
    import grpc
    from google.cloud.kms_v1.services.key_management_service.transports.grpc import KeyManagementServiceGrpcTransport

    local, failing = LocalKms(), []

    def answering(name, given, answer):
        def handle(request, context):
            if failing:
                context.abort(failing[0], "s3cret")
            done = getattr(local, name)({"name": request.name, given: getattr(request, given)}, 0, None)
            return answer(**{field: value for field, value in done._asdict().items() if value})

        return handle

    calls = {
        "Encrypt": ("plaintext", kms.EncryptRequest, kms.EncryptResponse),
        "Decrypt": ("ciphertext", kms.DecryptRequest, kms.DecryptResponse),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(answering(name.lower(), given, answer), request.deserialize, answer.serialize)
        for name, (given, request, answer) in calls.items()
    }
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("google.cloud.kms.v1.KeyManagementService", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    yield kms.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel)), failing
    channel.close()
    server.stop(None)


def test_googles_client_wraps_and_unwraps(google):
    """Google's own client carries a ring to a gRPC server and back."""
    key = GcpKey(google[0], NAME, "gcp-kms://k")
    ring = WrappedRing.new("gcp-kms://k", key).added(key)
    assert ring.unwrap(key).derive("p", "d", 2).secret() == ring.unwrap(key).derive("p", "d", 2).secret()


@pytest.mark.parametrize(("status", "said"), [
    ("PERMISSION_DENIED", "access is refused"), ("UNAUTHENTICATED", "access is refused"), ("NOT_FOUND", "no such object"),
    ("RESOURCE_EXHAUSTED", "throttles requests"), ("INVALID_ARGUMENT", "refuses the request"),
    ("FAILED_PRECONDITION", "refuses the request"),
    ("UNAVAILABLE", "cannot be reached"), ("DEADLINE_EXCEEDED", "cannot be reached"),
])
def test_googles_errors(google, status, said):
    """Each gRPC status comes out of Google's client as a KeyRingError in few words."""
    import grpc

    google[1].append(grpc.StatusCode[status])
    with pytest.raises(KeyRingError, match=f"{said}.*Hint: ") as caught:
        GcpKey(google[0], NAME, "gcp-kms://k").unwrap(b"x")
    assert "s3cret" not in str(caught.value) and caught.value.__context__ is None
