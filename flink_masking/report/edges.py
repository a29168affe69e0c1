"""Where an edge of the flow leads by the deployment: topic or table, and how records travel; never a host, path or option."""

from collections.abc import Mapping
from typing import Any

from flink_masking.addresses.endpoints import ENCRYPTED, kafka_endpoint, unencrypted, unencrypted_jdbc

Options = Mapping[str, str | int | float | bool]
UNKNOWN: Mapping[str, Any] = {"table": "", "transport": "", "in_clear": False}
NO_SINK: Mapping[str, Any] = {"table": "no sink is declared", "transport": "", "in_clear": False}
_OWN = "by the file system's own client"


def edge(options: Options) -> dict[str, Any]:
    """Table, transport and whether it is in clear between machines.

    Args:
        options: of the connector's table.

    Returns:
        ``table`` and ``transport`` in words, ``in_clear``.
    """
    connector = str(options.get("connector", "unknown"))
    if (kafka := kafka_endpoint(options)) is not None:
        names = f"topic{'s' if len(kafka.topics) > 1 else ''} {', '.join(kafka.topics)}" if kafka.topics else "topics by a pattern"
        clear = bool(unencrypted(options))
        tls = str(options.get("properties.security.protocol", "")).strip().upper() in ENCRYPTED
        return {"table": names, "transport": "in clear" if clear else "TLS" if tls else "within one machine", "in_clear": clear}
    if connector == "jdbc":
        clear = unencrypted_jdbc(options) is not None
        return {"table": f"table {options.get('table-name', '')} over jdbc", "transport": "in clear" if clear else
                "TLS, or within one machine", "in_clear": clear}
    path = str(options.get("path", options.get("warehouse", "")))
    if path:
        kind = f"{path.partition('://')[0]}://…" if "://" in path else "a directory"
        return {"table": kind if connector == "filesystem" else f"{connector}, {kind}", "transport": _OWN, "in_clear": False}
    return {"table": f"a table of {connector}", "transport": "by the connector's options", "in_clear": False}
