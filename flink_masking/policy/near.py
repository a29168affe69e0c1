"""Hints for a path that is not declared."""

from collections.abc import Iterable

from flink_masking.documents.document import cut
from flink_masking.documents.faults import did_you_mean


def near_field(path: str, declared: Iterable[str]) -> str:
    """The nearest declared field; either of the two may be the misspelt one. All fields where none is near and there are few.

    >>> near_field("email", ["emial", "zip"])
    "did you mean 'emial'? If 'email' is right, correct 'emial' under 'fields'"
    """
    hint = did_you_mean(path, declared, "fields")
    if not hint.startswith("did you mean"):
        return hint
    return f"{hint} If '{cut(path)}' is right, correct {hint.removeprefix('did you mean ').removesuffix('?')} under 'fields'"
