"""aws-kms:// against moto's server, and its failures against a server that gives KMS's error codes."""

import json
import logging

import pytest

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.providers import fingerprint, open_ring, wrapper_at
from flink_masking.keys.providers.address import Address
from flink_masking.keys.wrapped import WrappedRing


@pytest.fixture(scope="module")
def endpoint():
    """moto's server on a free port."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch, tmp_path):
    """Credentials in the environment, and no other of this machine's AWS settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")


@pytest.fixture
def kms(endpoint):
    """A client of the server."""
    import boto3

    return boto3.client("kms", region_name="eu-west-1", endpoint_url=endpoint)


@pytest.fixture
def key_arn(kms):
    """A key."""
    return kms.create_key()["KeyMetadata"]["Arn"]


def wrapped_file(uri, tmp_path):
    """A file with a ring that the key at an address wraps, and the ring's address."""
    key = Address.parse(uri)
    files.save_new(tmp_path / "keys.json", WrappedRing.new(key.of(None), wrapper_at(key)).dump())
    return key.of(f"file://{tmp_path}/keys.json")


def secret(ring):
    """A key that tells rings apart."""
    return ring.derive("p", "d").secret()


def test_a_ring_wrapped_by_kms(endpoint, kms, key_arn, tmp_path):
    """A ring that a KMS key wrapped opens by the key's ARN, id and alias, and not as a plain file."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    kms.create_alias(AliasName="alias/ring", TargetKeyId=key_arn)
    ring = f"region=eu-west-1&endpoint={endpoint}&ring=file://{tmp_path}/keys.json"
    opened = [open_ring(uri), open_ring(f"aws-kms://{key_arn.rpartition('/')[2]}?{ring}"), open_ring(f"aws-kms://alias/ring?{ring}")]
    assert len({secret(each) for each in opened}) == 1
    with pytest.raises(KeyRingError, match="its roots are wrapped"):
        open_ring(f"file://{tmp_path}/keys.json")
    assert fingerprint(uri) == files.stamp(tmp_path / "keys.json")


def test_the_context_binds(endpoint, kms, key_arn, tmp_path):
    """What is wrapped decrypts under the encryption context of the library only."""
    import base64

    from botocore.exceptions import ClientError

    wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    blob = base64.b64decode(json.loads((tmp_path / "keys.json").read_bytes())["versions"][0]["wrapped"])
    with pytest.raises(ClientError):
        kms.decrypt(KeyId=key_arn, CiphertextBlob=blob)
    assert len(kms.decrypt(KeyId=key_arn, CiphertextBlob=blob, EncryptionContext={"application": "flink-masking"})["Plaintext"]) == 56


def test_other_keys_open_nothing(endpoint, kms, key_arn, tmp_path):
    """A key that is not there, or that did not wrap the ring, is told in few words."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    with pytest.raises(KeyRingError, match="no such object"):
        open_ring(uri.replace(key_arn, key_arn[:-1] + ("0" if key_arn[-1] != "0" else "1")))
    other = kms.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(KeyRingError, match=r"refuses the request|access is refused"):  # IncorrectKeyException at AWS, another code at moto
        open_ring(uri.replace(key_arn, other))


def test_a_changed_ring_opens_nothing(endpoint, key_arn, tmp_path):
    """A wrapped root that was changed is refused by KMS."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    body = json.loads((tmp_path / "keys.json").read_bytes())
    text = body["versions"][0]["wrapped"]
    body["versions"][0]["wrapped"] = text[:-8] + ("AAAA" if text[-8:-4] != "AAAA" else "BBBB") + text[-4:]
    (tmp_path / "keys.json").write_text(json.dumps(body))
    with pytest.raises(KeyRingError, match="refuses the request"):
        open_ring(uri)


@pytest.mark.parametrize(("status", "code", "said"), [
    (400, "AccessDeniedException", "access is refused"), (400, "ExpiredTokenException", "access is refused"),
    (400, "ThrottlingException", "throttles requests"), (400, "NotFoundException", "no such object"),
    (400, "InvalidCiphertextException", "refuses the request"), (400, "IncorrectKeyException", "refuses the request"),
    (400, "DisabledException", "refuses the request"),
    (500, "KMSInternalException", "cannot be reached"), (504, "nothing of KMS", "cannot be reached"),
    (429, "nothing of KMS", "throttles requests"), (400, "Throttling", "throttles requests"),
])
def test_failures_of_kms(serve, tmp_path, endpoint, key_arn, status, code, said):
    """Each error code of KMS is a KeyRingError in few words, after two attempts at most, without what KMS said."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    server = serve(lambda *_: (status, {"__type": code, "message": "s3cret arn"}, {}))
    with pytest.raises(KeyRingError, match=f"{said}.*Hint: ") as caught:
        open_ring(uri.replace(endpoint, f"http://{server.host}"))
    assert "s3cret" not in str(caught.value) and caught.value.__context__ is None
    assert 1 <= server.asked <= 2


def test_nobody_answers(tmp_path, endpoint, key_arn, closed_port):
    """A port where nothing listens is an error after two attempts."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    with pytest.raises(KeyRingError, match="cannot be reached"):
        open_ring(uri.replace(endpoint, f"http://{closed_port}"))


def test_credentials_and_region_are_needed(tmp_path, endpoint, key_arn, monkeypatch):
    """Without a region, or without credentials, the error says so."""
    uri = wrapped_file(f"aws-kms://{key_arn}?endpoint={endpoint}", tmp_path)
    with pytest.raises(KeyRingError, match=r"no AWS region\. Hint: add region="):
        open_ring(uri.replace(key_arn, "alias/x"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(KeyRingError, match="access is refused"):
        open_ring(uri)
