"""The REST endpoint of an embedded cluster, reachable by this process only: loopback and mutual TLS.

Flink's endpoint takes job graphs and cancels jobs whatever ``web.submit.enable`` and ``web.cancel.enable`` say (``POST /jobs``,
``PATCH /jobs/:id``), so other users of the machine are kept out by the certificate, which is made for each run and lies in a directory
of this user only until the run ends.
"""

import datetime
import ipaddress
import secrets
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.1"
TLS = {"security.ssl.protocol": "TLSv1.3", "security.ssl.algorithms": "TLS_AES_128_GCM_SHA256"}


class LocalRest:
    """Settings of the endpoint, and what it takes to ask it; a context manager, at whose end the certificate is gone."""

    def __init__(self, port: int) -> None:
        """Make the certificate.

        Args:
            port: of the endpoint.
        """
        self.port, self._password = port, secrets.token_hex(16)
        self._place = Path(tempfile.mkdtemp(prefix="flink-masking-rest-"))
        key, certificate = _self_signed()
        store = pkcs12.serialize_key_and_certificates(b"rest", key, certificate, None,
                                                      serialization.BestAvailableEncryption(self._password.encode()))
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self._store, self._pem = self._place / "rest.p12", self._place / "rest.pem"
        self._store.write_bytes(store)
        self._pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._place, ignore_errors=True)

    def settings(self) -> dict[str, str]:
        """Flink's settings of the endpoint. Java takes the certificate of a key for trusted, so one store serves for both."""
        stores = {f"security.ssl.rest.{kind}": str(self._store) for kind in ("keystore", "truststore")}
        passwords = {f"security.ssl.rest.{kind}-password": self._password for kind in ("keystore", "key", "truststore")}
        return {**stores, **passwords, **TLS, "security.ssl.rest.enabled": "true", "security.ssl.rest.authentication-enabled": "true",
                "security.ssl.rest.keystore-type": "PKCS12", "security.ssl.rest.truststore-type": "PKCS12",
                "rest.address": ADDRESS, "rest.bind-address": ADDRESS, "rest.port": str(self.port), "rest.bind-port": str(self.port)}

    def context(self) -> ssl.SSLContext:
        """What a client in this process connects with."""
        context = ssl.create_default_context(cafile=str(self._pem))
        context.load_cert_chain(self._pem)
        return context


def _self_signed() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "flink-masking run")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    # The clock may be set while a run goes on; the key is gone with it anyway.
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=365))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return key, builder.sign(key, hashes.SHA256())
