"""Customer events as JSON lines or CSV: built column by column, so that a million take seconds."""

import os
import pathlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.errors import InputError
from flink_masking.files.opened import created
from flink_masking.generate.columns import joined, padded, picked, skewed, where, written
from flink_masking.generate.people import TODAY, People, make_people
from flink_masking.records.codec import FORMATS, Layout, Rows, codec_for, rows_for

SHAPES = ("nested", "flat")
FLAT = ("customerId", "email", "ssn", "card", "age", "zip", "purchaseAmount", "timestamp")
"""Members of a flat event."""
CHUNK = 50_000
MOST_PEOPLE = 2_000_000
START_HOUR = 10
MOST_PER_SECOND = 500
SHORTEST_SPAN = 180
JITTER = 3
"""Seconds that an event can lie behind those before it, at most."""

DIAGNOSES = ("I10", "E11.9", "J45.909", "M54.5", "F32.9", "E78.5", "K21.9", "N39.0", "F41.1", "G43.909", "J06.9", "L40.0", "B20", "C50.919")
_NOTES = (  # before, kind of contact (0 phone, 1 e-mail, 2 name), after
    ("call ", 0, " before delivery"),
    ("prefers e-mail: ", 1, ""),
    ("left at the door for ", 2, ""),
    ("invoice goes to ", 1, ", not to the office"),
    ("spoke to ", 2, ", refund agreed"),
    ("new number ", 0, ", old one is void"),
    ("gift, do not ring ", 0, ""),
    ("complaint of ", 2, " is settled"),
)


def write_events(
    path: str | os.PathLike[str],
    events: int,
    people: int,
    seed: int,
    shape: str = "nested",
    progress: Callable[[int], None] | None = None,
    format: str = "json",
) -> int:
    """Write synthetic customer events, one a line; the same arguments write the same bytes (with the same faker).

    Event times increase from 2024-03-15T10:00:00Z, at most 500 a second and over at least three minutes, with a jitter of three
    seconds. Some people buy far more often than others. Mail domains are reserved ones, phone numbers are kept for fiction, card
    numbers pass the Luhn check; SSNs are drawn at random.

    Args:
        path: written whole or not at all; what is there is replaced. Names that end in .gz or .zst are compressed.
        events: 1 or more.
        people: that the events are about, 1 to 2,000,000.
        seed: 0 or more.
        shape: ``nested`` (about 380 bytes: card, contacts, notes …) or ``flat`` (eight members, about 200 bytes).
        progress: called with the number of events written, from time to time.
        format: a key of `flink_masking.records.codec.FORMATS`; nested events need one that has objects.

    Returns:
        The bytes written.

    Raises:
        InputError: an argument outside its range.
        OSError: the file cannot be written.
    """
    for name, value, least, most in (("events", events, 1, None), ("people", people, 1, MOST_PEOPLE), ("seed", seed, 0, None)):
        if value < least or (most is not None and value > most):
            raise InputError(f"{name} is out of range. Hint: at least {least:,}" + ("" if most is None else f", at most {most:,}"))
    if shape not in SHAPES:
        raise InputError(f"there is no such shape of events. Hint: known are {', '.join(SHAPES)}")
    if shape == "nested" and not FORMATS[format].nested:
        raise InputError(f"nested events have arrays and objects, for which {format} has no place. Hint: --shape flat")
    rows = rows_for(format)
    rng = np.random.Generator(np.random.PCG64(seed))
    crowd = make_people(people, rng, seed, rows)
    activity = np.cumsum(rng.lognormal(0.0, 0.6, people))
    conditions = rng.choice(len(DIAGNOSES), people, p=skewed(len(DIAGNOSES), 0.7))
    target = pathlib.Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        with created(part, target) as stream:
            stream.write(codec_for(format, Layout(FLAT)).header(FLAT) if FORMATS[format].header else b"")
            for first in range(0, events, CHUNK):
                count = min(CHUNK, events - first)
                person = np.searchsorted(activity, rng.random(count) * activity[-1], side="right").clip(max=people - 1)
                seconds = _times(first, count, events, rng)
                lines = _nested(crowd, person, conditions, seconds, rng) if shape == "nested" else _flat(crowd, person, seconds, rng, rows)
                stream.write(_data(lines))
                if progress is not None:
                    progress(first + count)
        size = part.stat().st_size
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size


def _nested(crowd: People, person: np.ndarray, conditions: np.ndarray, seconds: np.ndarray, rng: np.random.Generator) -> pa.StringArray:
    n = len(person)
    elsewhere = rng.random(n) < 0.25  # not what the person usually comes for
    diagnosis = np.where(elsewhere, rng.integers(len(DIAGNOSES), size=n), conditions[person])
    amount, note = _amounts(n, rng), rng.integers(len(_NOTES), size=n)
    contact = np.array([kind for _, kind, _ in _NOTES])[note] * len(crowd.nested) + person
    text = joined(
        ',"notes":"', picked([before for before, _, _ in _NOTES], note), picked(crowd.contacts, contact),
        picked([after for _, _, after in _NOTES], note), '"',
    )  # fmt: skip
    return joined(
        picked(crowd.nested, person), ',"diagnosis":"', picked(list(DIAGNOSES), diagnosis), '","purchaseAmount":', amount,
        where(rng.random(n) < 0.4, text, ""), ',"timestamp":"', _instants(seconds), '"}\n',
    )  # fmt: skip


def _flat(crowd: People, person: np.ndarray, seconds: np.ndarray, rng: np.random.Generator, rows: Rows) -> pa.StringArray:
    amount = _amounts(len(person), rng)
    return joined(picked(crowd.flat, person), rows.between, rows.member(FLAT[-2]), amount,
                  rows.between, rows.member(FLAT[-1]), written(rows, _instants(seconds)), rows.end, "\n")


def _amounts(count: int, rng: np.random.Generator) -> pa.StringArray:
    """Amounts of 0.50 to 999.99 with two decimals."""
    cents = (rng.lognormal(3.7, 1.0, count) * 100).astype(np.int64).clip(50, 99_999)
    return joined(pa.array(cents // 100).cast(pa.string()), ".", padded(cents % 100, 2))


def _times(first: int, count: int, events: int, rng: np.random.Generator) -> np.ndarray:
    """Seconds from the start for the events numbered from `first`."""
    span = max(SHORTEST_SPAN, events / MOST_PER_SECOND)
    late = rng.integers(0, JITTER + 1, count)
    return ((first + np.arange(count)) * (span / events)).astype(np.int64) - np.minimum(late, rng.integers(0, JITTER + 1, count))


def _instants(seconds: np.ndarray) -> pa.StringArray:
    """ISO 8601, UTC, to the second."""
    start = TODAY.astype("datetime64[s]") + np.timedelta64(START_HOUR, "h")
    text = pa.array(start + seconds.clip(0).astype("timedelta64[s]")).cast(pa.string())
    return joined(pc.binary_replace_slice(text, 10, 11, "T"), "Z")


def _data(lines: pa.StringArray) -> memoryview:
    """The bytes of all lines as they lie in the array."""
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
