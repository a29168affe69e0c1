"""Values as numerals, their messages encrypted or decrypted, and the values written again: what all formats of fpe share."""

import hashlib
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.crypto.alphabet import Alphabet, separates
from flink_masking.crypto.code_points import foreign, normalised, points, table
from flink_masking.crypto.ff1 import Ff1, words
from flink_masking.crypto.ff1_domain import shortest
from flink_masking.crypto.prf import HoldsKey, Prf
from flink_masking.crypto.secret import Secret
from flink_masking.techniques.fpe import formats_kernels as kernels
from flink_masking.techniques.fpe import iban_kernels as iban
from flink_masking.techniques.fpe import text_kernels
from flink_masking.techniques.fpe.formats import COUNTRY_CODES, HOST, IBAN, Format, Shape
from flink_masking.techniques.rewriting import rewrite

HOST_BYTES, COUNTRY_BYTES = 8, 3
"""What the tweak of an e-mail address and of a telephone number begins with: a digest of the host, the country code."""

SPARE = 16
"""Elements behind the numerals, which kernels read and write by whole vectors."""

NONE = np.zeros(0, np.uint8)
_COUNTRY_CODES = np.array(COUNTRY_CODES, np.uint8)


class Found(NamedTuple):
    """What was read of n values.

    Attributes:
        text: n values in NFC.
        begins, stops: int32, n: where in the buffer the part that is read begins and stops.
        numerals: uint16, those of all values, and `SPARE` zeros.
        starts, counts: int64, n: the numerals of each value.
        refused: uint8, n, changed as reasons are found; null and ``""`` are refused too.
    """

    text: pa.StringArray
    begins: np.ndarray
    stops: np.ndarray
    numerals: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    refused: np.ndarray


class Converter(Secret):
    """One rule's cipher, both ways; refuses to be pickled, copied or printed."""

    __slots__ = ("_beyond", "_ciphers", "_host", "_low", "_points", "_shape", "_table", "_tweaks")

    def __init__(self, shape: Shape, key: HoldsKey) -> None:
        """Prepare the tables of a rule that can be kept, under the key of its domain."""
        form, characters = shape.form, IBAN if shape.name == "iban" else shape.form.alphabet
        self._shape, self._table, self._points = shape, _table(characters, form, shape.separators), points(characters)
        self._low = _neighbours(self._points)
        self._beyond = text_kernels.OUTSIDE if shape.separators and form.separators is None else text_kernels.FORBIDDEN
        rule = f"{shape.name}|{form.alphabet.characters}|{shape.first}|{shape.last}|{shape.luhn}"
        self._tweaks = [hashlib.sha256(f"flink-masking fpe 1|{part}|{rule}".encode()).digest()[:16] for part in ("digits", "letters")]
        self._ciphers = [Ff1(key, form.alphabet.radix)] + ([Ff1(key, 26)] if shape.name == "iban" else [])
        self._host = np.zeros(256, np.uint8)
        self._host[[ord(character) for character in HOST]] = 1

    def convert(self, text: pa.StringArray, back: bool) -> tuple[pa.StringArray, np.ndarray]:
        """Encrypt, or decrypt, n values.

        Returns:
            n values, ``""`` where refused, null where null; and which are refused, uint8, n, null and ``""`` among them.
        """
        found, tweaks = self._read(text)
        numerals = self._ibans(found, back) if self._shape.name == "iban" else self._messages(found, tweaks, back)
        args = (found.refused, found.begins, found.stops, self._table, self._low, self._points, numerals, found.starts, found.counts)
        grow = 1 if len(self._table) == 128 else 4
        return rewrite(text_kernels.write, found.text, *args, grow=grow), found.refused

    def _read(self, text: pa.StringArray) -> tuple[Found, np.ndarray]:
        """The numerals of every value, and room for their tweaks with what the format puts in front."""
        shape, n = self._shape, len(text)
        text, wide = normalised(text)
        data, offsets, valid = parts(text)
        lead = {"email": HOST_BYTES, "phone": COUNTRY_BYTES}.get(shape.name or "", 0)
        tweaks = np.empty((n, lead + _size(shape) * (shape.first + shape.last)), np.uint8)
        refused, begins, stops = np.zeros(n, np.uint8), offsets[:-1], offsets[1:]
        if shape.name == "email":
            stops = np.empty(n, np.int32)
            kernels.local_parts(data, offsets, valid, self._host, stops, refused)
            tweaks[:, :HOST_BYTES] = _PUBLIC.digests(rewrite(kernels.hosts, text, stops, refused))[:, :HOST_BYTES]
        elif shape.name == "phone":
            begins = np.empty(n, np.int32)
            kernels.after_plus(data, valid, offsets, begins)
        numerals = words(int(offsets[-1] - offsets[0]) + SPARE)
        starts, counts = np.empty(n, np.int64), np.empty(n, np.int64)
        codes = self._table, self._low, self._beyond, foreign() if wide else NONE
        used = text_kernels.scan(data, valid, begins, stops, *codes, numerals, starts, counts, refused)
        numerals[used : used + SPARE] = 0
        return Found(text, begins, stops, numerals[: used + SPARE], starts, counts, refused), tweaks

    def _messages(self, found: Found, tweaks: np.ndarray, back: bool) -> np.ndarray:
        """All but IBANs: one message a value."""
        shape, (cipher, *_), n = self._shape, self._ciphers, len(found.starts)
        form, width, lead, skips = shape.form, tweaks.shape[1], 0, NONE
        if shape.name == "phone":
            lead, skips = COUNTRY_BYTES, np.empty(n, np.uint8)
            offsets = parts(found.text).offsets
            where = found.numerals, found.starts, found.counts, offsets, found.begins
            kernels.country_codes(*where, _COUNTRY_CODES, width, skips, tweaks.reshape(-1), found.refused)
        elif shape.name == "email":
            lead = HOST_BYTES
        if shape.luhn:
            kernels.check_luhn(found.numerals, found.starts, found.counts, found.refused)
        rules = (shape.first, shape.last, int(shape.luhn), form.fewest, form.most, cipher.shortest, _size(shape), lead)
        starts, lengths = np.empty(n, np.int64), np.empty(n, np.int64)
        kernels.frame(
            found.numerals, found.starts, found.counts, skips, np.array(rules, np.int64), width, starts, lengths,
            tweaks.reshape(-1), found.refused,
        )  # fmt: skip
        run = cipher.decrypt if back else cipher.encrypt
        numerals = run(found.numerals, starts, lengths, self._tweaks[0], tweaks if width else None)
        if shape.luhn:
            kernels.set_luhn(numerals, found.starts, found.counts, found.refused, shape.last)
        return numerals

    def _ibans(self, found: Found, back: bool) -> np.ndarray:
        """IBANs: a message of the digits, and one of the letters where there are enough of them."""
        shape, n, size = self._shape, len(found.starts), len(found.numerals)
        letters_kept = shortest(26) - 1
        tweaks = np.empty((n, 2 + shape.first + shape.last + letters_kept), np.uint8)
        rules = np.array((shape.first, shape.last, shortest(10), shortest(26), tweaks.shape[1]), np.int64)
        digits, letters = np.zeros(size, np.uint16), np.zeros(size, np.uint16)  # with SPARE for what is written ahead
        digit_starts, digit_counts, letter_starts, letter_counts = (np.empty(n, np.int64) for _ in range(4))
        read = found.numerals, found.starts, found.counts
        iban.check_ibans(*read, found.refused)
        iban.part(
            *read, rules, digits, digit_starts, digit_counts, letters, letter_starts, letter_counts, tweaks.reshape(-1), found.refused
        )
        runs = [cipher.decrypt if back else cipher.encrypt for cipher in self._ciphers]
        digits = runs[0](digits, digit_starts, digit_counts, self._tweaks[0], tweaks)
        letters = runs[1](letters, letter_starts, letter_counts, self._tweaks[1], tweaks)
        numerals = found.numerals.copy()
        iban.join(numerals, *read[1:], found.refused, rules, digits, digit_starts, letters, letter_starts, letter_counts)
        return numerals


_PUBLIC = Prf(b"flink-masking fpe host")
"""Turns host names of any length into tweaks of one length. Its key is public: a tweak is no secret."""


def _neighbours(points: np.ndarray) -> int:
    """The first code point of an alphabet of neighbours in ASCII, which kernels take by whole vectors; else -1."""
    return int(points[0]) if points[-1] < 128 and (np.diff(points) == 1).all() else -1


def _size(shape: Shape) -> int:
    """Bytes of a kept character in the tweak."""
    return 1 if shape.form.alphabet.radix <= 256 else 2


def _table(characters: Alphabet, form: Format, separators: bool) -> np.ndarray:
    """The code of each code point: its number, or what becomes of a character without one."""
    codes = table(characters)
    others = np.full(len(codes), text_kernels.FORBIDDEN, np.int32)
    if separators:
        allowed = form.separators if form.separators is not None else filter(separates, map(chr, range(len(codes))))
        others[[ord(character) for character in allowed]] = text_kernels.OUTSIDE
    return np.where(codes < 0, others, codes)
