"""Files of nested payloads, and beside them, on request, where personal data lies in each."""

import contextlib
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from flink_masking.errors import InputError
from flink_masking.files.opened import created
from flink_masking.generate.payload_values import FILLERS, NATIONAL, VALUES
from flink_masking.generate.payloads import LOCALES, SLOT, payloads

SLOTS = frozenset((*VALUES, *FILLERS, "NATIONAL", "PHONE_TEXT"))
"""What may stand between braces in a template."""
_STEP = 1_000


def write_payloads(
    path: str | os.PathLike[str],
    count: int,
    seed: int,
    *,
    locales: Sequence[str] = LOCALES,
    templates: Sequence[Any] | None = None,
    gold: str | os.PathLike[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write payloads, one a line; the same arguments write the same bytes (with the same faker).

    Args:
        path: written whole or not at all; what is there is replaced. Names that end in .gz or .zst are compressed.
        count: 1 or more.
        seed: 0 or more.
        locales: of names, addresses and numbers, used in turn; keys of `NATIONAL`.
        templates: see `read_templates`; None for those that come with the library.
        gold: file for the places of personal and secret data, a line a record: ``{"record": 0, "spans": [{"type": "EMAIL", "start": 17,
            "end": 33}]}``; start and end count bytes of the record's line.
        progress: called with the number of payloads written, from time to time.

    Returns:
        The bytes written, without those of `gold`.

    Raises:
        InputError: an argument outside its range.
        OSError: a file cannot be written.
    """
    if count < 1 or seed < 0:
        raise InputError("count or seed is out of range. Hint: count is at least 1, seed at least 0")
    if unknown := next((one for one in locales if one not in NATIONAL), None):
        raise InputError(f"there is no locale {unknown!r} of payloads. Hint: known are {', '.join(NATIONAL)}")
    if not locales:
        raise InputError("no locale is named. Hint: name one at least, such as en_US")
    targets = [pathlib.Path(one) for one in ((path,) if gold is None else (path, gold))]
    parts = [target.with_name(f".{target.name}.part") for target in targets]
    try:
        with contextlib.ExitStack() as stack:
            records, *beside = [stack.enter_context(created(part, target)) for part, target in zip(parts, targets, strict=True)]
            for number, payload in enumerate(payloads(count, seed, locales=locales, of=templates)):
                records.write(payload.record + b"\n")
                for spans in beside:
                    spans.write(json.dumps({"record": number, "spans": [one._asdict() for one in payload.gold]}).encode() + b"\n")
                if progress is not None and (number + 1) % _STEP == 0:
                    progress(number + 1)
        size = parts[0].stat().st_size
        for part, target in zip(parts, targets, strict=True):
            part.replace(target)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return size


def read_templates(path: pathlib.Path) -> list[Any]:
    """Read templates: a JSON object, or an array of objects.

    A template is a record in which texts say what stands there: ``{EMAIL}`` personal data, also inside a text, ``{CARD_NUMBER:int}`` its
    digits as a number, ``#uuid`` a value that is nobody's. Other texts, numbers and booleans stay.

    Args:
        path: the file.

    Raises:
        InputError: it is no JSON, holds no object, or names something that there is not.
    """
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Hint: check the name and who may read it") from None
    except ValueError as error:
        raise InputError(f"{path}: no JSON ({type(error).__name__}). Hint: write one object, or an array of objects") from None
    templates = found if isinstance(found, list) else [found]
    if not templates or not all(isinstance(one, dict) for one in templates):
        raise InputError(f"{path}: a template is a JSON object. Hint: write one object, or an array of objects")
    for text in _texts(templates):
        names = [text[1:]] if text.startswith("#") else [slot[1] for slot in SLOT.finditer(text)]
        allowed = FILLERS.keys() if text.startswith("#") else SLOTS
        if unknown := next((name for name in names if name not in allowed), None):
            raise InputError(f"{path}: there is nothing called {unknown!r} to fill in. Hint: known are {', '.join(sorted(allowed))}")
    return templates


def _texts(value: Any) -> list[str]:
    """All texts in a template that are not keys."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inside for text in _texts(one)]

