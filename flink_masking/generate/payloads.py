"""Nested JSON payloads of many shapes with gold spans: what detection is measured by, and what users' tests may be fed with."""

import importlib.resources
import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flink_masking.generate.payload_values import FILLERS, TYPES, VALUES, national

LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES")
SLOT = re.compile(r"\{([A-Za-z_]+)(:int)?\}")
"""A place in a text of a template that is filled in."""


class Gold(NamedTuple):
    """Where data of a type lies in a payload.

    Attributes:
        type: name of a type of `flink_masking.detect.TYPES`.
        start: first byte in the record.
        end: byte after the last one.
    """

    type: str
    start: int
    end: int


class Payload(NamedTuple):
    """A record.

    Attributes:
        record: JSON in UTF-8.
        gold: what personal and secret data it holds, in the order of the bytes.
    """

    record: bytes
    gold: tuple[Gold, ...]


class _Writer:
    """Writes one payload and notes its gold spans."""

    def __init__(self, fake: Any, locale: str, rng: random.Random) -> None:
        self.fake, self.locale, self.rng = fake, locale, rng
        self.out = bytearray()
        self.gold: list[Gold] = []
        self.ascii = rng.random() < 0.5
        self.gap = b" " if rng.random() < 0.3 else b""

    def put(self, text: str, kind: str | None = None) -> None:
        """Write a text; with a type it is gold."""
        start = len(self.out)
        self.out += text.encode()
        if kind:
            self.gold.append(Gold(kind, start, len(self.out)))

    def string(self, text: str) -> str:
        """The contents of a string as JSON writes it."""
        return json.dumps(text, ensure_ascii=self.ascii)[1:-1]

    def value(self, slot: str) -> tuple[str, str]:
        """A value and its type."""
        if slot == "NATIONAL":
            return national(self.fake, self.locale, self.rng)
        if slot == "PHONE_TEXT":  # as people write it into a text
            return f"+1 {self.rng.choice((212, 415, 617))} 555 01{self.rng.randrange(100):02}", "PHONE"
        return VALUES[slot](self.fake, self.rng), TYPES.get(slot, slot)

    def leaf(self, template: str) -> None:
        """Write a string of a shape: a filler, or a text with slots."""
        if template.startswith("#"):
            self.put(json.dumps(FILLERS[template[1:]](self.fake, self.rng), ensure_ascii=self.ascii))
            return
        number = SLOT.fullmatch(template)
        if number and number[2]:
            text, kind = self.value(number[1])
            self.put(re.sub(r"\D", "", text), kind)
            return
        self.put('"')
        at = 0
        for slot in SLOT.finditer(template):
            self.put(self.string(template[at : slot.start()]))
            if slot[1] in FILLERS:
                self.put(str(FILLERS[slot[1]](self.fake, self.rng)))
            else:
                text, kind = self.value(slot[1])
                self.put(self.string(text), kind)
            at = slot.end()
        self.put(self.string(template[at:]) + '"')

    def node(self, shape: Any) -> None:
        """Write any part of a shape."""
        if isinstance(shape, str):
            self.leaf(shape)
            return
        if not isinstance(shape, dict | list):
            self.put(json.dumps(shape))
            return
        first, last = (b"{", b"}") if isinstance(shape, dict) else (b"[", b"]")
        self.out += first
        for number, item in enumerate(shape.items() if isinstance(shape, dict) else shape):
            self.out += (b"," + self.gap) if number else b""
            if isinstance(shape, dict):
                self.put(json.dumps(item[0]) + ":")
                self.out += self.gap
                item = item[1]
            self.node(item)
        self.out += last


def shapes() -> list[Any]:
    """The shapes that come with the library: JSON whose strings are fillers (``#uuid``) or texts with slots (``{EMAIL}``)."""
    return list(json.loads(importlib.resources.files("flink_masking.generate").joinpath("payload_shapes.json").read_text()))


def payloads(count: int, seed: int = 0, *, locales: Sequence[str] = LOCALES, of: Sequence[Any] | None = None) -> Iterator[Payload]:
    """Generate payloads; the same arguments give the same ones.

    Args:
        count: how many.
        seed: of faker and of everything else.
        locales: of faker, used in turn.
        of: shapes; None for those that come with the library.
    """
    from faker import Faker

    rng = random.Random(seed)
    fakes = []
    for locale in locales:
        fake = Faker(locale)
        fake.seed_instance(seed)
        fakes.append(fake)
    chosen = shapes() if of is None else list(of)
    for number in range(count):
        k = number % len(locales)
        writer = _Writer(fakes[k], locales[k], rng)
        writer.node(chosen[rng.randrange(len(chosen))])
        yield Payload(bytes(writer.out), tuple(writer.gold))
