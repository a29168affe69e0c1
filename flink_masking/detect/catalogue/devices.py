"""Devices, networks, vehicles."""

from flink_masking.detect.catalogue.row import Pattern, Row

_GROUP = r"[0-9A-Fa-f]{1,4}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

ROWS = (
    Row(
        "IP_ADDRESS", "device", "IPv4 or IPv6 address",
        (
            Pattern(r"\b" + _OCTET + r"(?:\." + _OCTET + r"){3}\b", "ipv4", 60, 82, 95),
            Pattern(r"\b" + _GROUP + r"(?::" + _GROUP + r"){7}\b", "ipv6", 0, 90, 96),
            Pattern(r"\b" + _GROUP + r"(?::" + _GROUP + r"){0,6}::(?:" + _GROUP + r"(?::" + _GROUP + r"){0,6})?", "ipv6", 0, 84, 95),
            Pattern(r"::" + _GROUP + r"(?::" + _GROUP + r"){1,6}\b", "ipv6", 0, 80, 95),
            Pattern(r"::(?:" + _GROUP + r":){0,5}" + _OCTET + r"(?:\." + _OCTET + r"){3}\b", "ipv6", 0, 80, 95),
        ),
        keys=("ip", "ip address", "ipaddr", "ipv4", "ipv6", "client ip", "remote ip", "source ip", "src ip", "dst ip",
              "remote addr", "host ip", "x forwarded for", "ip adresse", "adresse ip", "dirección ip", "indirizzo ip", "ip adres"),
        words=("ip", "ipv4", "ipv6"),
    ),
    Row(
        "MAC_ADDRESS", "device", "address of a network card",
        (
            Pattern(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b", "mac", 0, 90, 97),
            Pattern(r"\b[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\b", "", 45, 45, 90),
        ),
        keys=("mac", "mac address", "macaddr", "bssid", "hwaddr", "ethernet"),
        words=("mac",),
    ),
    Row(
        "UUID", "device", "UUID; an identifier of a person or device by its key name, else below the usual minimum",
        (
            Pattern(r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b", "uuid", 40, 45, 80),
        ),
        keys=("device id", "session", "session id", "user id", "customer id", "visitor id", "client id", "install id",
              "anonymous id", "person id", "patient id", "profile id", "account id"),
    ),
    Row(
        "ADVERTISING_ID", "device", "advertising identifier of a telephone, by its key name",
        (
            Pattern(r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b", "uuid", 0, 0, 95),
        ),
        keys=("idfa", "idfv", "gaid", "adid", "aaid", "advertising id", "ad id", "maid"),
        words=("idfa", "gaid", "advertising"),
    ),
    Row(
        "IMEI", "device", "number of a mobile telephone: Luhn's check",
        (
            Pattern(r"\b\d{15}\b", "imei", 0, 40, 95),
            Pattern(r"\b\d{2}[ -]\d{6}[ -]\d{6}[ -]\d\b", "imei", 0, 85, 97),
        ),
        keys=("imei", "imei number"),
        words=("imei",),
    ),
    Row(
        "IMSI", "device", "number of a subscriber, by key name or word",
        (
            Pattern(r"\b\d{15}\b", "imsi", 5, 5, 90),
        ),
        keys=("imsi",),
        words=("imsi",),
    ),
    Row(
        "MEID", "device", "number of a CDMA telephone, by key name or word",
        (
            Pattern(r"\b[0-9A-Fa-f]{14}\b", "", 5, 5, 88),
        ),
        keys=("meid", "esn"),
        words=("meid",),
    ),
    Row(
        "ICCID", "device", "number of a SIM card: Luhn's check",
        (
            Pattern(r"\b89\d{16,18}\b", "iccid", 0, 72, 96),
            Pattern(r"\b89\d{2}[ -]\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{2,4}\b", "iccid", 0, 80, 97),
        ),
        keys=("iccid", "sim", "sim number"),
        words=("iccid", "sim"),
    ),
    Row(
        "VIN", "device", "vehicle identification number: check digit of North America",
        (
            Pattern(r"\b[A-HJ-NPR-Z0-9]{17}\b", "vin", 20, 80, 95),
        ),
        keys=("vin", "chassis", "chassis number", "fahrgestellnummer", "fin", "numéro de châssis", "bastidor", "telaio", "chassi"),
        words=("vin", "vehicle"),
    ),
    Row(
        "URL_CREDENTIALS", "secret", "URL with user name and password, found by its ://",
    ),
    Row(
        "URL", "device", "URL in text; alone it is below the usual minimum",
    ),
    Row(
        "URL_SECRET", "secret", "secret in the query of a URL: token, key, sig, code",
    ),
    Row(
        "COOKIE", "secret", "cookie or session identifier, by its key name",
        keys=("cookie", "cookies", "set cookie", "sid", "phpsessid", "jsessionid", "session cookie", "sessionid", "sess"),
        keyed="token", keyed_score=75,
    ),
)  # fmt: skip
