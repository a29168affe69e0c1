"""Fictitious names and places by locale, made once with faker and shipped as JSON.

The order of the entries is part of the contract: a consistent substitute is an index into these lists.
"""

import json
import unicodedata
from functools import cache
from importlib import resources

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")
NAMES = ("first", "last", "street", "city")
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})


@cache
def pool(locale: str, name: str) -> tuple[str, ...]:
    """The entries of a pool, all different.

    Args:
        locale: one of `LOCALES`.
        name: one of `NAMES`, or ``first_ascii``, ``last_ascii``: names as they stand in addresses, ``a`` to ``z`` only.
    """
    if name.endswith("_ascii"):
        return tuple(dict.fromkeys(_plain(entry) for entry in pool(locale, name.removesuffix("_ascii"))))
    document = json.loads(resources.files(__name__).joinpath(f"{locale}.json").read_text("utf-8"))
    return tuple(document[name])


def _plain(name: str) -> str:
    """A name in lower-case letters a to z: umlauts written out, other accents dropped."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name.lower()).translate(_WRITTEN_OUT))
    return "".join(letter for letter in text if "a" <= letter <= "z")
