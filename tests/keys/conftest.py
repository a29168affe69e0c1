"""Services on this machine: HTTP servers, with and without TLS, that speak what key providers ask for."""

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

Answer = tuple[int, dict[str, Any], dict[str, str]]
Answering = Callable[[str, str, dict[str, str], dict[str, Any]], Answer]


class Server(ThreadingHTTPServer):
    """Answers JSON with JSON."""

    def __init__(self, answer: Answering, certificate: Path | None = None) -> None:
        """Serve on a free port until closed."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.asked = answer, 0
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        """Say nothing of clients that leave early: tests of time limits make them."""

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _handle(self):
        self.server.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer, headers = self.server.answer(self.command, self.path, dict(self.headers), json.loads(body) if body else {})
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _handle

    def log_message(self, *args):
        pass


class Vault:
    """The endpoints of HashiCorp Vault that the providers use: KV version 2 and Transit, with real AES-GCM."""

    token = "s.t0ken"

    def __init__(self, certificate: Path | None = None) -> None:
        """Start with no secret and no key."""
        self.secrets: dict[str, list[dict[str, Any]]] = {}
        self.keys: dict[str, list[bytes]] = {}
        self.failing: int | None = None
        self.passing: list[int] = []
        self.slow = 0.0
        self.server = Server(self._answer, certificate)
        self.host = self.server.host

    def put(self, path: str, **fields: Any) -> None:
        """Write a secret as `vault kv put` does."""
        self.secrets.setdefault(path, []).append(fields)

    def _answer(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        time.sleep(self.slow)
        if self.passing:
            return self.passing.pop(0), {"errors": ["s3cret of the server"]}, {}
        if self.failing is not None:
            return self.failing, {"errors": ["s3cret of the server"]}, {}
        if headers.get("X-Vault-Token") != self.token:
            return 403, {"errors": ["permission denied"]}, {}
        mount, kind, name = path.removeprefix("/v1/").split("/", 2)
        if kind == "data" and method == "GET":
            versions = self.secrets.get(f"{mount}/{name}")
            if not versions:
                return 404, {"errors": []}, {}
            facts = {"version": len(versions), "created_time": f"2026-01-01T00:00:{len(versions):02}Z", "destroyed": False}
            return 200, {"data": {"data": versions[-1], "metadata": facts}}, {}
        keys = self.keys.get(f"{mount}/{name}")
        if keys is None:
            return 400, {"errors": ["encryption key not found"]}, {}
        if kind == "encrypt":
            nonce = bytes(12)[: 12 - 8] + time.time_ns().to_bytes(8, "big")
            sealed = nonce + AESGCM(keys[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), None)
            return 200, {"data": {"ciphertext": f"vault:v{len(keys)}:{base64.b64encode(sealed).decode()}"}}, {}
        try:
            _, version, text = body["ciphertext"].split(":")
            sealed = base64.b64decode(text)
            opened = AESGCM(keys[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError, IndexError):
            return 400, {"errors": ["cipher: message authentication failed"]}, {}
        return 200, {"data": {"plaintext": base64.b64encode(opened).decode()}}, {}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def serve(certificate: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that are closed after the test; with ``tls=True`` they have the certificate."""
    started: list[Server] = []

    def start(answer: Answering, tls: bool = False) -> Server:
        started.append(Server(answer, certificate if tls else None))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Vault]:
    """A Vault without TLS, as an agent on this machine, and its token in the environment."""
    for name in ("VAULT_CACERT", "VAULT_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", Vault.token)
    made = Vault()
    yield made
    made.server.close()


@pytest.fixture
def vault_tls(vault: Vault, certificate: Path) -> Iterator[Vault]:
    """A Vault with TLS."""
    made = Vault(certificate)
    yield made
    made.server.close()


@pytest.fixture
def closed_port() -> str:
    """Host and port where nothing listens."""
    server = Server(lambda *_: (200, {}, {}))
    server.close()
    return server.host
