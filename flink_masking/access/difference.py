"""Compares the ACLs of a cluster with those that a stream needs."""

from collections.abc import Iterable
from typing import NamedTuple

from flink_masking.access.acls import Acl


class Difference(NamedTuple):
    """The entries of a cluster, compared.

    Attributes:
        missing: wanted and not there, in the order wanted.
        present: wanted and there.
        foreign: not wanted and there: they open a topic of this stream to somebody, give its principals more, or deny something.
    """

    missing: tuple[Acl, ...]
    present: tuple[Acl, ...]
    foreign: tuple[Acl, ...]


def difference(wanted: Iterable[Acl], existing: Iterable[Acl]) -> Difference:
    """Compare entries.

    Args:
        wanted: as derived.
        existing: of the cluster, of which only those count that touch a wanted topic or principal.
    """
    goal = dict.fromkeys(wanted)
    there = set(existing)
    topics = {acl.name for acl in goal if acl.resource == "topic"}
    principals = {acl.principal for acl in goal}
    foreign = (acl for acl in there if acl not in goal and (acl.principal in principals or any(_covers(acl, topic) for topic in topics)))
    return Difference(
        tuple(acl for acl in goal if acl not in there), tuple(acl for acl in goal if acl in there), tuple(sorted(foreign)))


def _covers(acl: Acl, topic: str) -> bool:
    if acl.resource != "topic":
        return False
    return acl.name in (topic, "*") if acl.pattern == "literal" else topic.startswith(acl.name)
