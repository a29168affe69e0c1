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
    place: str, servers: Sequence[str], fault: KafkaClientError, timeout: int, settings: Mapping[str, str] | None = None
) -> JobError:
    """Why a cluster cannot be used at all.

    Args:
        place: in the deployment.
        servers: addresses.
        fault: what the client has thrown.
        timeout: milliseconds that were waited.
        settings: of the client, where its own certificate may be the reason.
    """
    what, hint = _told(fault, timeout, settings or {})
    return JobError(f"{place}: Kafka at {','.join(servers)}: {what}. Hint: {hint}")


def denied(place: str, what: str, grant: str) -> JobError:
    """An operation that the cluster's access control does not allow.

    Args:
        place: in the deployment.
        what: was refused, such as ``topic raw may not be read``.
        grant: the operation and the resource, such as ``READ on topic raw``.
    """
    return JobError(f"{place}: {what} by the job's user. Hint: grant {grant} (flink-masking acl prints the commands)")


def _told(fault: KafkaClientError, timeout: int, settings: Mapping[str, str]) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if fault.has(*_EXPIRED):
        return "the broker's certificate is not valid today: it has expired, or is not valid yet", "renew it, or fix this host's clock"
    if fault.has("SSLHandshakeException", "SslAuthenticationException", "CertificateException"):
        return _handshake(fault, settings)
    if fault.has("SaslAuthenticationException", "UnsupportedSaslMechanismException", "SaslException"):
        if fault.has("UnsupportedSaslMechanismException") or fault.says("unsupported sasl mechanism"):
            return "the broker does not support this SASL mechanism", "correct properties.sasl.mechanism"
        return "wrong user or password", "correct the login in properties.sasl.jaas.config"
    if fault.has("LoginException") or fault.says("jaas"):
        return ("the login module cannot be used", "correct properties.sasl.jaas.config; in the connector's jar its name begins with "
                "org.apache.flink.kafka.shaded.org.apache.kafka")
    if fault.has("ClusterAuthorizationException", "AuthorizationException"):
        return "the job's user is not allowed to use the cluster", "grant it (flink-masking acl prints the commands)"
    if fault.says("resolvable bootstrap"):
        return "the address is not known here", "correct properties.bootstrap.servers, or the name service of this machine"
    if fault.says("keystore") or fault.says("truststore") or fault.has("UnrecoverableKeyException", "InvalidConfigurationException"):
        return ("a store of keys or certificates cannot be opened",
                "correct properties.ssl.keystore.… and properties.ssl.truststore.…: location, type and password")
    if fault.has("TimeoutException", "DisconnectException", "BootstrapResolutionException"):
        return (f"it cannot be reached, or does not answer in {timeout / 1000:g} s",
                "check that it runs, host, port and firewall, and that properties.security.protocol fits the listener")
    if fault.has("ConfigException", "IllegalArgumentException"):
        return "the client does not take its settings", "correct properties.… in the deployment; Flink's log names the setting"
    return f"the client failed ({fault.chain[-1][0] if fault.chain else 'without a word'})", "see Flink's log"


def _handshake(fault: KafkaClientError, settings: Mapping[str, str]) -> tuple[str, str]:
    if fault.says("fatal alert") and out_of_date(settings, datetime.datetime.now(datetime.UTC)):
        return "the job's own certificate has expired, or is not valid yet", "renew the one in properties.ssl.keystore.…"
    if fault.says("certificate_expired"):
        return "the job's own certificate has expired", "renew the one in properties.ssl.keystore.…"
    none = fault.says("bad_certificate") and not shows_one(settings)
    if none or fault.says("certificate_required") or fault.says("empty client certificate"):
        return "the broker asks for a certificate, and the job has none", "name one in properties.ssl.keystore.…"
    if fault.says("bad_certificate") or fault.says("certificate_unknown") or fault.says("unknown_ca"):
        return ("the broker rejects the job's certificate: it has expired, or is of an authority that the broker does not trust",
                "name one that the broker trusts in properties.ssl.keystore.…")
    if fault.says("No subject alternative") or fault.says("No name matching"):
        return "the broker's certificate is for another host name", "use the name that is in it, or have one made for this name"
    if (fault.says("unable to find valid certification path") or fault.says("trustAnchors") or fault.says("signature check failed")
            or fault.has("CertPathBuilderException")):
        return "the broker's certificate is of an authority that is not trusted here", "put that authority into properties.ssl.truststore.…"
    return ("TLS could not be agreed on", "is TLS spoken at that port, are protocol versions and certificates of both sides right, "
            "properties.security.protocol and properties.ssl.… too?")
