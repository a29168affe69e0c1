"""Translates errors of Kafka clients to one line with a hint.

The words of Java's exceptions are looked into, never shown: some quote the settings, passwords among them.
"""

import datetime
from collections.abc import Mapping, Sequence

from flink_masking.errors import JobError
from flink_masking.kafka.client import KafkaClientError
from flink_masking.kafka.client_certificate import out_of_date, shows_one

_EXPIRED = ("CertificateExpiredException", "CertificateNotYetValidException")


def refusal(
    place: str, servers: Sequence[str], error: KafkaClientError, timeout: int, settings: Mapping[str, str] | None = None
) -> JobError:
    """Why a cluster cannot be used at all.

    Args:
        place: in the deployment.
        servers: addresses.
        error: what the client has thrown.
        timeout: milliseconds that were waited.
        settings: of the client, where its own certificate may be the reason.
    """
    what, hint = _told(error, timeout, settings or {})
    return JobError(f"{place}: Kafka at {','.join(servers)}: {what}. Hint: {hint}")


def denied(place: str, what: str, grant: str) -> JobError:
    """An operation that the cluster's access control does not allow.

    Args:
        place: in the deployment.
        what: was refused, such as ``topic raw may not be read``.
        grant: the operation and the resource, such as ``READ on topic raw``.
    """
    return JobError(f"{place}: {what} by the job's user. Hint: grant {grant} (flink-masking acl prints the commands)")


def _told(error: KafkaClientError, timeout: int, settings: Mapping[str, str]) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if error.has(*_EXPIRED):
        return "the broker's certificate is not valid today: it has expired, or is not valid yet", "renew it, or fix this host's clock"
    if error.has("SSLHandshakeException", "SslAuthenticationException", "CertificateException"):
        return _handshake(error, settings)
    if error.has("SaslAuthenticationException", "UnsupportedSaslMechanismException", "SaslException"):
        if error.has("UnsupportedSaslMechanismException") or error.says("unsupported sasl mechanism"):
            return "the broker does not support this SASL mechanism", "correct properties.sasl.mechanism"
        return "wrong user or password", "correct the login in properties.sasl.jaas.config"
    if error.has("LoginException") or error.says("jaas"):
        return ("the login module cannot be used", "correct properties.sasl.jaas.config; in the connector's jar its name begins with "
                "org.apache.flink.kafka.shaded.org.apache.kafka")
    if error.has("ClusterAuthorizationException", "AuthorizationException"):
        return "the job's user is not allowed to use the cluster", "grant it (flink-masking acl prints the commands)"
    if error.says("resolvable bootstrap"):
        return "the address is not known here", "correct properties.bootstrap.servers, or the name service of this machine"
    if error.says("keystore") or error.says("truststore") or error.has("UnrecoverableKeyException", "InvalidConfigurationException"):
        return ("a store of keys or certificates cannot be opened",
                "correct properties.ssl.keystore.… and properties.ssl.truststore.…: location, type and password")
    if error.has("TimeoutException", "DisconnectException", "BootstrapResolutionException"):
        return (f"it cannot be reached, or does not answer in {timeout / 1000:g} s",
                "check that it runs, host, port and firewall, and that properties.security.protocol fits the listener")
    if error.has("ConfigException", "IllegalArgumentException"):
        return "the client does not take its settings", "correct properties.… in the deployment; Flink's log names the setting"
    return f"the client failed ({error.chain[-1][0] if error.chain else 'no message'})", "see Flink's log"


def _handshake(error: KafkaClientError, settings: Mapping[str, str]) -> tuple[str, str]:
    if error.says("fatal alert") and out_of_date(settings, datetime.datetime.now(datetime.UTC)):
        return "the job's own certificate has expired, or is not valid yet", "renew the one in properties.ssl.keystore.…"
    if error.says("certificate_expired"):
        return "the job's own certificate has expired", "renew the one in properties.ssl.keystore.…"
    none = error.says("bad_certificate") and not shows_one(settings)
    if none or error.says("certificate_required") or error.says("empty client certificate"):
        return "the broker asks for a certificate, and the job has none", "name one in properties.ssl.keystore.…"
    if error.says("bad_certificate") or error.says("certificate_unknown") or error.says("unknown_ca"):
        return ("the broker rejects the job's certificate: it has expired, or is of an authority that the broker does not trust",
                "name one that the broker trusts in properties.ssl.keystore.…")
    if error.says("No subject alternative") or error.says("No name matching"):
        return "the broker's certificate is for another host name", "use the name that is in it, or have one made for this name"
    if (error.says("unable to find valid certification path") or error.says("trustAnchors") or error.says("signature check failed")
            or error.has("CertPathBuilderException")):
        return "the broker's certificate is of an authority that is not trusted here", "put that authority into properties.ssl.truststore.…"
    return ("TLS could not be agreed on", "is TLS spoken at that port, are protocol versions and certificates of both sides right, "
            "properties.security.protocol and properties.ssl.… too?")
