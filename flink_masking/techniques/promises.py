"""What a rule promises of its results: plain data, by which the rest of the library knows techniques apart.

Checks, the verifier, SQL, rekey, unmask, table declarations and documentation ask these promises, and never for a technique by its name.
The laws (`flink_masking.testing`) hold every promise of every technique against its examples.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

__all__ = ["WHATEVER", "Bounds", "Promises", "Shows"]

WHATEVER = float("inf")
"""For `Promises.hides`: every value is hidden, however long it is."""


class Shows(Enum):
    """How much the result of a technique reveals about the value.

    A consistent stand-in (a pseudonym, a ciphertext) tells nothing of the value; that it is the same each time is `Promises.lasting`.
    """

    EXACT = "exact"
    COARSER = "coarser"
    PART = "part"
    NOISE = "noise"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Bounds:
    """How far a value can lie from the number or date that its result shows. A result that is a range holds the value anyway.

    Attributes:
        of: what results show: numbers or ranges of numbers, dates or periods such as ``2024-Q1``, or either.
        absolute: the value lies within this distance, in the field's unit, or in days.
        relative: the result lies within this part of the value; 0.05 is five per cent.
        rounded: decimals that the result was rounded to afterwards; "written": those it is written with; None: it was not.
    """

    of: Literal["numbers", "dates", "either"]
    absolute: float = 0.0
    relative: float = 0.0
    rounded: int | Literal["written"] | None = None


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What holds of every result of a rule, given its parameters. What is not stated is taken at its worst.

    Attributes:
        shows: what a result tells of its value.
        deterministic: same value, key and parameters give the same result; of a person's values, where a subject is needed.
        lasting: results tell people apart and stay the same in all records of a person, for values that do.
        row_local: the result of a row does not depend on the other rows of the batch.
        injective: two different texts (in NFC) that it takes never share a result, whatever the record or batch: what the key of a table
            needs. A digest counts from 96 bits on.
        reversible: a key holder gets the value back.
        passes: characters of a value, whatever they are, can leave as they came, in this row or in another.
        hides: texts of at most so many characters leave nothing of themselves but their length: they go to the technique even if they
            break the contract of their field. `WHATEVER`: so it is for every value.
        prefix: so many characters at the start of a text stay as they are, wherever anything of it stays.
        always_null: every result is null.
        bounds: for numbers and dates, how near a result is to its value; None where nothing is promised.
        needs_subject: works only where the policy names a subject: the result depends on whose record it is.
        needs_vault: works only with a token vault, which makes results independent of the key version.
        purposes: what keys are derived for; none: it works without a key ring.
        domain: the key domain that keys are derived for; None without keys. Where `parts` have several, one of them.
        carries_key_version: a result tells the version of the keys that it was made with.
        bound_to_field: equal values of two fields have two results, and neither opens as the other's.
        composes: brings text into Unicode's normal form NFC first, so that two spellings of one text share a result.
        result: whether results are text, numbers where values are numbers and text where they are text, or values that the field could
            have held as well: what a schema has to allow.
        stands_in: a part of each result stands for a person by itself, whatever is shown besides.
        parts: techniques that are applied to parts of a text, by name, and what they promise; the rest of the text stays as it came.
        moves_with: paths of the fields whose values move together with this one's, itself among them; empty where it moves alone, or not.
    """

    shows: Shows
    deterministic: bool
    lasting: bool
    row_local: bool = False
    injective: bool = False
    reversible: bool = False
    passes: bool = True
    hides: float = 0
    prefix: int = 0
    always_null: bool = False
    bounds: Bounds | None = None
    needs_subject: bool = False
    needs_vault: bool = False
    purposes: tuple[str, ...] = ()
    domain: str | None = None
    carries_key_version: bool = False
    bound_to_field: bool = False
    composes: bool = False
    parts: tuple[tuple[str, "Promises"], ...] = ()
    moves_with: tuple[str, ...] = ()
    result: Literal["text", "kind", "same"] = "text"
    stands_in: bool = False

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """Purpose and domain of every key that is derived, those of the parts among them."""
        if self.parts:
            return frozenset(key for _, part in self.parts for key in part.keys)
        return frozenset((purpose, self.domain or "") for purpose in self.purposes)

    @property
    def erases(self) -> bool:
        """Whether nothing is left of any value but that it was there, and perhaps how long it was."""
        return self.hides == WHATEVER

    @property
    def stands_for_a_person(self) -> bool:
        """Whether a result can stand for a person: the same in all of the person's records, and nearly nobody else's."""
        return self.lasting and (self.injective or self.stands_in or self.shows is not Shows.PART)

    @property
    def follows_key_version(self) -> bool:
        """Whether another key version gives other results."""
        return bool(self.purposes) and not self.needs_vault

    @property
    def rekeyed(self) -> bool:
        """Whether results can be moved from one key version to another."""
        return self.reversible and self.follows_key_version

    @property
    def version_beside(self) -> bool:
        """Whether the key version has to be told beside a result, because it is needed to open it and the result does not carry it."""
        return self.rekeyed and not self.carries_key_version
