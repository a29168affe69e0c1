"""Checks the certificate of a Kafka client: a broker that rejects it does not state the reason."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

STORE = "ssl.keystore."


def shows_one(settings: Mapping[str, str]) -> bool:
    """Whether the client has a certificate at all."""
    return any(name.startswith(STORE) for name in settings)


def out_of_date(settings: Mapping[str, str], now: datetime.datetime) -> bool:
    """Whether the client's certificate is outside its validity period; False if unreadable here (JKS, references, a password).

    Args:
        settings: of the Kafka client.
        now: with its time zone.
    """
    found = _certificate(settings)
    return found is not None and not found.not_valid_before_utc <= now <= found.not_valid_after_utc


def _certificate(settings: Mapping[str, str]) -> x509.Certificate | None:
    """The client's own certificate, the first of its chain."""
    try:
        chain = settings.get(STORE + "certificate.chain")
        if chain is not None:
            return x509.load_pem_x509_certificates(chain.encode())[0]
        data = Path(settings.get(STORE + "location", "")).read_bytes()
        if settings.get(STORE + "type", "JKS").upper() == "PEM":
            return x509.load_pem_x509_certificates(data)[0]
        return pkcs12.load_key_and_certificates(data, settings.get(STORE + "password", "").encode())[1]
    except (OSError, ValueError):
        return None
