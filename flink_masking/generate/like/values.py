"""Values that have the type, shape and form of those at a path, and are none of them."""

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from flink_masking.detect import TYPES
from flink_masking.generate.like.avoided import Avoided
from flink_masking.generate.like.forms import filled, moment, words
from flink_masking.generate.like.outline import TIMES, UNITS
from flink_masking.generate.payload_values import VALUES
from flink_masking.scan import value_kernels as kernels

BLOCK, ROUNDS = 64, 24
"""Values that are made at once; rounds after which a form that has no other value is given up."""
MONTHS = 12 * 2020, 12 * 2024 - 1
"""Of dates, counted from the year 0, where the sample's could not be read."""
_T = TypeVar("_T")
_MONTH = 2_629_746
"""Seconds, on average."""
_GIVEN = re.compile("given|first|vorname|prenom|nombre", re.IGNORECASE)
_UUID = re.compile(r"[9aA]{8}-[9aA]{4}-[9aA]{4}-[9aA]{4}-[9aA]{12}")
_FORMED = frozenset(("POSTCODE", "PHONE", "UUID", "URL", "USERNAME", "AGE", "GEO"))
"""Types whose values have the form of the sample's."""


class Pick:
    """Draws by counts."""

    def __init__(self, draw: random.Random) -> None:
        """Draw from a generator."""
        self.draw = draw
        self._weights: dict[int, tuple[Counter[Any], list[Any], list[int]]] = {}

    def __call__(self, counts: Counter[_T]) -> _T:
        """One of the things that were counted, as often as it was."""
        known = self._weights.get(id(counts))
        if known is None or known[0] is not counts:
            total, running = 0, []
            for times in counts.values():
                total += times
                running.append(total)
            known = self._weights[id(counts)] = (counts, list(counts), running)
        result: _T = self.draw.choices(known[1], cum_weights=known[2])[0]
        return result


class Form:
    """What values of a path and class look like.

    Attributes:
        class_: shape, or `SHAPES` and the number of a type and 1.
        number: whether they are JSON numbers.
        forms: of texts.
        sizes: of texts, binary logarithms of characters.
        numbers: sign, power of two, decimals.
        months: of dates and times, the first and the last one, counted from the year 0.
        name: last key of the path.
    """

    def __init__(self, class_: int, number: bool, forms: Counter[str], sizes: Counter[int], numbers: Counter[tuple[bool, int, int]],
                 months: tuple[int, int] | None, name: str = "") -> None:  # fmt: skip
        """Keep the arguments; of months, those before the last one, or the decades before the last one where there are more than ten years.

        No date is later than the sample's: a job would refuse records dated into the future.
        """
        self.class_, self.number, self.forms, self.sizes, self.numbers = class_, number, forms, sizes, numbers
        first, last = months or MONTHS
        self.months = (first // 120 * 120, last // 120 * 120 - 1) if last - first > 120 else (min(first, last - 1), last - 1)
        self.name = name


class Values:
    """Makes values; the same generator makes the same ones."""

    def __init__(self, avoided: Avoided, draw: random.Random, seed: int) -> None:
        """Begin."""
        from faker import Faker

        self.avoided, self.draw, self.pick = avoided, draw, Pick(draw)
        self.fake = Faker("en_US")
        self.fake.seed_instance(seed)

    def block(self, form: Form) -> list[str]:
        """Some values, none of which is one of the sample's."""
        found: list[str] = []
        for tries in range(ROUNDS):
            make = self._maker(form, tries)
            found = self.avoided.none_of([make() for _ in range(BLOCK)])
            if found:
                return found
        return self.avoided.none_of([self._invented(form) for _ in range(BLOCK)])

    def _maker(self, form: Form, tries: int) -> Callable[[], str]:
        """What makes one value; after several tries from a wider range."""
        class_, draw = form.class_, self.draw
        months = max(0, form.months[0] - 24 * tries), form.months[1]
        name = TYPES[class_ - kernels.SHAPES - 1].name if class_ >= kernels.SHAPES else ""
        if class_ in UNITS:
            first, last = ((month - 12 * 1970) * _MONTH for month in months)
            return lambda: str(draw.randrange(max(10**9, first) * UNITS[class_], (max(10**9, last) + _MONTH) * UNITS[class_]))
        if form.number:
            if name in ("CARD_NUMBER", "IMEI"):
                return lambda: "".join(filter(str.isdigit, VALUES[name](self.fake, draw)))
            return lambda: self._number(self.pick(form.numbers), tries)
        if class_ in TIMES:
            return lambda: self._moment(self.pick(form.forms), months)
        if form.numbers and (class_ == kernels.DECIMAL or name == "GEO"):
            return lambda: self._number(self.pick(form.numbers), tries)
        if name and name not in _FORMED and tries < ROUNDS // 2:
            if name == "PERSON" and not any(" " in one for one in form.forms):
                return lambda: str(self.fake.first_name() if _GIVEN.search(form.name) else self.fake.last_name())
            if name == "US_SSN":
                return lambda: str(self.fake.ssn())
            if name in VALUES:
                return lambda: VALUES[name](self.fake, draw)
        if name == "URL" or class_ == kernels.URL:
            return lambda: f"https://{self._word()}.example/{self._word()}/{self._word()}"
        if name == "UUID" or class_ == kernels.UUID:
            return lambda: str(self.fake.uuid4())
        simple: dict[int, Callable[[], str]] = {
            kernels.EMPTY: lambda: "",
            kernels.BOOLEAN: lambda: draw.choice(("true", "false")),
            kernels.IP: lambda: VALUES["IP_ADDRESS"](self.fake, draw),
            kernels.MAC: lambda: VALUES["MAC_ADDRESS"](self.fake, draw),
            kernels.EMAIL: lambda: f"{self._word()}.{self._word()}@{self._word()}.example",
            kernels.ARN: lambda: f"arn:aws:iam::{draw.randrange(10**11, 10**12)}:user/{self._word()}",
            kernels.URN: lambda: f"urn:example:{self._word()}:{self._word()}",
            kernels.TEXT: lambda: words(self._size(form), draw),
        }
        if class_ in simple:
            return simple[class_]
        if class_ == kernels.HEX:
            upper = any(c.isupper() for c in "".join(form.forms))
            return lambda: "".join(draw.choices("0123456789ABCDEF" if upper else "0123456789abcdef", k=len(self.pick(form.forms))))
        return lambda: self.filled(self.pick(form.forms))

    def filled(self, form: str) -> str:
        """A text of a form."""
        return str(self.fake.uuid4()) if _UUID.fullmatch(form) else filled(form, self.draw)

    def _invented(self, form: Form) -> str:
        """A value that no form of the sample restricts."""
        if form.number:
            return str(self.draw.randrange(10**14, 10**15))
        return filled("a" * max(6, self._size(form)), self.draw) + str(self.draw.randrange(10**6))

    def _word(self) -> str:
        return filled("a" * self.draw.randrange(4, 10), self.draw)

    def _size(self, form: Form) -> int:
        bits = self.pick(form.sizes) if form.sizes else 4
        return self.draw.randrange(1 << bits >> 1, 1 << bits) if bits else 0

    def _moment(self, form: str, months: tuple[int, int]) -> str:
        if form.startswith(("9999", "99:")):
            return moment(form, months, self.draw)
        return moment("9999-99-99", months, self.draw) if form[:1] == "9" else filled(form, self.draw)

    def _number(self, like: tuple[bool, int, int], tries: int) -> str:
        negative, power, decimals = like
        power += tries // 2
        low = 0.0 if power <= 0 else 2.0 ** (power - 1)
        value = self.draw.uniform(low, 2.0**power)
        text = f"{value:.{decimals}f}" if decimals else str(min(int(value), 2**62)) if power > 0 else "0"
        return f"-{text}" if negative and text.strip("0.") else text
