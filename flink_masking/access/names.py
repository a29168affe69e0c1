"""Names of Kafka's resources: what may stand in an access control list, where ``*`` and open prefixes mean more than they say."""

import re

from flink_masking.documents.document import cut

DELIMITERS = ("-", ".", "_")
"""Characters that end a prefix: ``fm-a-`` covers no group of ``fm-ab``."""
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def unusable(name: str) -> str | None:
    """What is wrong with the name of a topic, consumer group or transactional id, or with a prefix of one; None for a name.

    Kafka takes topics of 1 to 249 ASCII letters, digits, ``.``, ``_`` and ``-``, and neither ``.`` nor ``..``; the same is asked of groups
    and transactional ids, though brokers take more. ``*`` stands for every resource.
    """
    if name == "*":
        return "is *, which stands for every name"
    if name in (".", "..") or not _NAME.fullmatch(name):
        return f"{cut(name)!r} is no name for Kafka"
    return None


def delimited(prefix: str) -> str:
    """The prefix, ended by a delimiter where it has none."""
    return prefix if prefix.endswith(DELIMITERS) else f"{prefix}-"
