"""What the name of a member says about its values."""

import functools
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from flink_masking.detect.catalogue import NUMBERS, ROWS

KEY, WORD = 2, 1
"""How much a phrase says: it is a key of the type, or only one of its context words."""

GENERIC = frozenset(
    ["name", "address", "by", "number", "code", "account", "card", "key", "line1", "line2", "city", "town", "country", "state", "street",
     "age", "title", "pin", "pass", "auth", "via", "cap", "cp", "fin", "sin", "sim", "pan", "exp", "long", "nom", "nome", "ort", "cell",
     "given", "family", "login", "handle", "nick", "cf", "kt", "avs", "dl", "tin", "tel", "mail", "zip", "lat", "lon", "lng", "id", "ip",
     "login", "ring", "text", "call", "date", "social", "tax", "vehicle", "insurance"]
)
"""Single words that say something only as the whole name of a member: ``name``, but not ``productName``."""

NOT_PERSON = frozenset(
    ["product", "file", "event", "host", "service", "app", "application", "class", "field", "table", "topic", "brand", "item", "company",
     "bank", "street", "city", "country", "state", "domain", "server", "job", "group", "role", "method", "page", "type", "step", "plan",
     "course", "school", "device", "model", "metric", "channel", "campaign", "store", "shop", "merchant", "image", "category", "tag",
     "tags", "queue", "database", "db", "schema", "column", "index", "bucket", "cluster", "node", "pod", "container", "namespace",
     "function", "project", "repo", "repository", "package", "module", "team", "department", "region", "zone", "currency", "language",
     "plugin", "tool", "task", "rule", "policy", "resource", "attribute", "property", "label", "template", "version", "system", "vendor",
     "manufacturer", "os", "browser", "facility", "org", "organization", "organisation", "hotel", "airport", "station", "building", "room",
     "header", "param", "parameter", "key", "variable", "option", "argument", "cookie", "query", "input", "output", "label"]
)
"""Words before ``name`` that make it the name of a thing."""

_PARTS = re.compile(r"[^\W\d_]+\d{0,2}", re.UNICODE)
_HUMPS = re.compile(r"(?<=[a-zß-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")


class Hint(NamedTuple):
    """What a path says.

    Attributes:
        strengths: for each type that it speaks for `KEY` or `WORD`.
        type: the number of the type that its values have by the key alone, or -1.
    """

    strengths: Mapping[int, int]
    type: int


NOTHING = Hint({}, -1)


def words_of(segment: str) -> list[str]:
    """The words of a member's name in small letters: ``phoneNumber`` and ``PHONE-NUMBER`` have the same two."""
    return [part.lower() for part in _PARTS.findall(_HUMPS.sub(" ", segment))]


@functools.cache
def phrases() -> Mapping[str, Mapping[int, int]]:
    """For each phrase of a key, its words joined, the types that it speaks for."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for number, row in enumerate(ROWS):
        for strength, listed in ((WORD, row.words), (KEY, row.keys)):
            for phrase in listed:
                found[phrase.replace(" ", "")][number] = strength
    return dict(found)


def read(path: str) -> Hint:
    """What a path of the records says: its last member, with the one above it.

    Args:
        path: ``customer.contacts[*].phoneNumber``; a key alone is a path, too.
    """
    segments = [s for s in re.split(r"[.\[\]*/]+", path) if s and not s.isdigit()]
    if not segments:
        return NOTHING
    last = words_of(segments[-1])
    above = words_of(segments[-2])[-2:] if len(segments) > 1 else []
    if not last:
        return NOTHING
    joined = above + last
    known = phrases()
    matched: list[tuple[int, int, Mapping[int, int]]] = []
    for size in range(min(5, len(joined)), 0, -1):
        for start in range(len(joined) - size, -1, -1):
            end = start + size
            if end <= len(above) or any(a <= start and end <= b for a, b, _ in matched):
                continue
            words = joined[start:end]
            types = known.get("".join(words)) or known.get("".join(words).rstrip("s"))
            if types is None:
                continue
            whole = (start == len(above) and end == len(joined)) or (start < len(above) and end == len(joined))
            if size == 1 and words[0] in GENERIC and not whole:
                continue
            matched.append((start, end, types))
    strengths: dict[int, int] = {}
    chosen = -1
    person = NUMBERS["PERSON"]
    thing = len(joined) > 1 and last[-1] in ("name", "nom", "nombre", "nome", "naam") and joined[-2].rstrip("s") in NOT_PERSON
    for _, _, types in matched:
        for number, strength in types.items():
            if number == person and thing:
                continue
            strengths[number] = max(strength, strengths.get(number, 0))
            if chosen < 0 and strength == KEY and ROWS[number].keyed:
                chosen = number
    return Hint(strengths, chosen)
