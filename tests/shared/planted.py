"""Personal data planted at random places of records, for tests that none of it leaves."""

import json
import random
from collections.abc import Callable
from typing import Any

PLANTED: tuple[Callable[[random.Random], str], ...] = (
    lambda draw: f"zq{draw.randrange(10**6)}.qv@example.com",
    lambda draw: f"4111 1111 1111 {draw.choice(('1111', '1137', '1145'))}" if draw.random() < 0.1 else _card(draw),
    lambda draw: _iban(draw),
    lambda draw: f"{draw.randrange(11, 200)}.{draw.randrange(1, 250)}.{draw.randrange(1, 250)}.{draw.randrange(1, 250)}",
    lambda draw: ":".join(f"{draw.randrange(256):02x}" for _ in range(6)),
    lambda draw: "AKIA" + "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)),
)
"""Makers of values that are found by their form wherever they stand."""


def _card(draw: random.Random) -> str:
    digits = "4" + "".join(draw.choices("0123456789", k=14))
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _iban(draw: random.Random) -> str:
    account = "".join(draw.choices("0123456789", k=18))
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def plant(records: list[dict[str, Any]], seed: int) -> tuple[list[bytes], list[str]]:
    """Records with values planted in them, in texts, keys, elements, numbers, nested objects and escapes.

    Args:
        records: any number; they are not changed.
        seed: of the places and values.

    Returns:
        The records as JSON, and the planted values.
    """
    draw, lines, values = random.Random(seed), [], []
    for record in records:
        tree = json.loads(json.dumps(record))
        for _ in range(draw.randrange(1, 5)):
            value = draw.choice(PLANTED)(draw)
            values.append(value)
            _put(tree, value, draw)
        line = json.dumps(tree, ensure_ascii=draw.random() < 0.5)
        lines.append((line.replace("@", "\\u0040") if draw.random() < 0.3 else line).encode())
    return lines, values


def _put(tree: dict[str, Any], value: str, draw: random.Random) -> None:
    """Plant one value at a random place of a tree."""
    places = [place for place in _objects(tree) if place is not tree or draw.random() < 0.3] or [tree]
    place, name = draw.choice(places), f"new{draw.randrange(1000)}"
    texts = [key for key, inner in place.items() if isinstance(inner, str) and key not in ("id", "resourceType")]
    ways: list[Callable[[], Any]] = [
        lambda: place.update({name: value}),
        lambda: place.update({name: f"seen with {value}, twice"}),
        lambda: place.update({name: [1, {"deep": [value]}]}),
        lambda: place.update({value: draw.randrange(10)}),
        lambda: place.update({name: json.dumps({"inner": value})}),
        lambda: place.update({name: json.dumps({"inner": json.dumps([value])})}),
    ]
    if value.isdigit():
        ways.append(lambda: place.update({name: int(value)}))
    if texts:
        key = draw.choice(texts)
        ways.append(lambda: place.update({key: f"{place[key]} {value}"}))
    draw.choice(ways)()


def _objects(tree: Any) -> list[dict[str, Any]]:
    """Every object of a tree."""
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    inner = [one for part in parts for one in _objects(part)]
    return [tree, *inner] if isinstance(tree, dict) else inner
