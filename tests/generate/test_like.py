"""Records that have the types and shapes of a sample: no value of it, the same structure, and a policy for the sample takes them."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings
from scan_samples import cloudtrail, fhir, lines, otlp, strings, taxi

from flink_masking import KeyRing, Protector
from flink_masking.generate.like import Likeness, Outline
from flink_masking.generate.streams import STREAMS
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.scan import Scanner, compare, propose_policy
from flink_masking.scan.fits import Fits

SHORTEST = 5
"""Characters of a value that the output does not have."""
SAMPLES = {
    "fhir": fhir(600), "cloudtrail": cloudtrail(400), "otlp": otlp(300),
    **{name: [json.loads(line) for line in STREAMS[name](40, 3)] for name in STREAMS if name != "taxi-trips"},
}  # fmt: skip


def outline_of(raw: list[bytes], format: str = "json", columns: tuple[str, ...] | None = None, batch: int = 100) -> Outline:
    """An outline of records."""
    outline = Outline(format, columns)
    for k in range(0, len(raw), batch):
        outline.add(pa.array(raw[k : k + batch], pa.binary()))
    return outline


def likeness_of(records: list[Any], seed: int = 0) -> Likeness:
    """What makes records like these."""
    return Likeness(outline_of(lines(records).splitlines()), seed)


def shared(sample: list[Any], generated: list[Any], likeness: Likeness, kept: set[str]) -> set[str]:
    """Values of the sample that turn up in the output, whole or between separators; numbers count by value."""
    values = {text for record in sample for text in strings(record) if len(text.encode()) >= SHORTEST}
    framed = {part for one in likeness.report.paths for frame in one.frames for part in parts(frame.before + " " + frame.after)
              if not re.search(r"[0-9]{3}", part)}
    shown = {part for record in generated for text in strings(record) for part in {text, *parts(text)}}
    return (values & shown) - kept - framed


def parts(text: str) -> set[str]:
    """What separators make of a text."""
    return set(re.split(r"[\s/:|#?=&,;\"'()<>\[\]{}@]+", text))


def kept_values(sample: list[Any], likeness: Likeness) -> set[str]:
    """The values at the paths of which values are kept."""
    names = {path.rpartition(".")[2].removesuffix("[*]") for path in likeness.kept}

    def found(value: Any) -> Iterator[str]:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            if key in names and isinstance(one, str):
                yield one
            yield from found(one)

    return {text for record in sample for text in found(record)}


@pytest.mark.parametrize("name", SAMPLES)
def test_no_value_of_the_sample_turns_up(name):
    """No text or number of five characters or more stands in the output, whole or as a part, but for telling words that are said."""
    sample = SAMPLES[name]
    likeness = likeness_of(sample)
    generated = [json.loads(line) for line in likeness.lines(300)]
    assert shared(sample, generated, likeness, kept_values(sample, likeness)) == set()
    assert all(path.rpartition(".")[2].lower() in ("resourcetype", "type", "system", "url", "use", "key", "eventtype", "category", "code")
               for path in likeness.kept)


def test_names_and_addresses_are_never_kept():
    """Repeated people under a telling key are data: none is kept, however often they come."""
    people = ["Anna Becker", "boris@example.com", "Chiara Dupont", "198.51.100.7", "4111 1111 1111 1111", "+1 415 555 0132"]
    sample = [{"type": people[k % 6], "system": f"user-{k % 6}-12345", "key": "anna.becker@example.com", "url": "https://a.example/anna?id=77812"}
              for k in range(300)]
    likeness = likeness_of(sample)
    generated = [json.loads(line) for line in likeness.lines(200)]
    assert likeness.kept == {} and shared(sample, generated, likeness, set()) == set()


_TEXT = st.text(max_size=12) | st.sampled_from(["2024-03-15", "2024-03-15T10:00:00Z", "6f9619ff-8b86-4011-b42d-00c04fc964ff", "10.1.2.3",
                                                "jane@example.com", "12345", "a/b/c", "", "true", "SKU-00017"])  # fmt: skip
_JSON = st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18) | _TEXT,
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=12)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=5), min_size=1, max_size=8))
def test_any_objects_have_likenesses(sample):
    """Whatever records hold, as many objects come out as are wanted, and none has a value of the sample."""
    likeness = likeness_of(sample)
    generated = [json.loads(line) for line in likeness.lines(20)]
    assert len(generated) == 20 and all(isinstance(record, dict) for record in generated)
    assert shared(sample, generated, likeness, kept_values(sample, likeness)) == set()


@settings(max_examples=15)
@given(st.lists(st.integers(10_000, 10_400) | st.floats(1000, 1001).map(lambda x: round(x, 2)), min_size=200, max_size=400))
def test_numbers_of_a_dense_range_are_avoided(numbers):
    """Where the sample has nearly all numbers of a range, others are made, and no number is one of them in another spelling."""
    likeness = likeness_of([{"n": number} for number in numbers])
    made = [json.loads(line)["n"] for line in likeness.lines(100)]
    assert not {float(n) for n in numbers if len(str(n)) >= SHORTEST} & {float(n) for n in made}


def test_every_day_of_years_is_avoided():
    """Where the sample has every day of its years, days before them are made."""
    sample = [{"d": f"{year}-{month:02}-{day:02}"} for year in range(2015, 2021) for month in range(1, 13) for day in range(1, 29)]
    made = [json.loads(line)["d"] for line in likeness_of(sample).lines(50)]
    assert all(re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", day) and day < "2015" for day in made)


@pytest.mark.parametrize("name", SAMPLES)
def test_paths_kinds_and_shares_are_those_of_the_sample(name):
    """Every path of the output is one of the sample, has its kinds, and stands in about as many records."""
    likeness = likeness_of(SAMPLES[name])
    scanner = Scanner()
    scanner.add(pa.array(list(likeness.lines(1_000)), pa.binary()))
    before = {one.path: one for one in likeness.report.paths}
    after = scanner.report()
    assert after.broken == {} and {one.path for one in after.paths} <= before.keys()
    for one in after.paths:
        assert one.kinds.keys() <= before[one.path].kinds.keys()
        assert abs(one.share - before[one.path].share) < 0.25, one.path
    assert all(path in {one.path for one in after.paths} for path, one in before.items() if one.share > 0.05)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_policy_for_the_sample_takes_the_output(name):
    """A policy proposed for the sample quarantines no generated record, and finds nothing undeclared or of another type."""
    raw = lines(SAMPLES[name]).splitlines()
    batch = pa.array(raw, pa.binary())
    scanner = Scanner()
    scanner.add(batch)
    proposal = propose_policy(scanner.report(), "sample", lambda: iter([batch]))
    loaded = load(PolicySource("proposal", proposal.text))
    made = pa.array(list(Likeness(outline_of(raw)).lines(500)), pa.binary())
    assert Protector(loaded, KeyRing.ephemeral()).protect(made).quarantine == []
    again, fits = Scanner(), Fits(loaded)
    again.add(made)
    fits.add(made)
    assert [one for one in compare(loaded, again.report(), fits) if one.kind != "shown"] == []


def test_the_same_seed_makes_the_same_records():
    """Same sample and seed, same bytes, however the sample is cut into batches; another seed, others."""
    raw = lines(SAMPLES["fhir"]).splitlines()
    first, again = (list(Likeness(outline_of(raw), 5).lines(50)) for _ in range(2))
    assert first == again != list(Likeness(outline_of(raw), 6).lines(50))


def test_what_a_value_is_depends_on_what_stands_beside_it():
    """Attributes of logs have the value that belongs to their key, contacts that of their system."""
    shapes = {"user.email": r".+@.+", "client.address": r"[0-9a-f.:]+", "http.status": r"\d+"}
    for record in map(json.loads, likeness_of(otlp(400)).lines(200)):
        for one in record["attributes"]:
            (value,) = one["value"].values()
            assert re.fullmatch(shapes[one["key"]], value)
    for record in map(json.loads, likeness_of(fhir(600)).lines(300)):
        assert ("birthDate" in record) == (record["resourceType"] == "Patient")
        assert all(("@" in one["value"]) == (one["system"] == "email") for one in record.get("telecom", ()))


def test_references_join():
    """References keep their form and lead to an id that was made."""
    records = [json.loads(line) for line in likeness_of(fhir(600)).lines(600)]
    known = {record["id"] for record in records}
    references = [record["subject"]["reference"] for record in records if "subject" in record]
    assert len(references) > 200 and all(one.startswith("Patient/") for one in references)
    assert sum(one.removeprefix("Patient/") in known for one in references) >= 0.95 * len(references)


def test_a_number_stays_a_number():
    """Where an identifier is a text in one member and a number in another, both join, and each is of its kind."""
    sample = [{"a": f"{10**7 + 7 * k}", "b": 10**7 + 7 * k, "c": f"ref/{10**7 + 7 * k}"} for k in range(300)]
    for record in map(json.loads, likeness_of(sample).lines(100)):
        assert isinstance(record["a"], str) and isinstance(record["b"], int) and record["c"].startswith("ref/")


def test_keys_that_are_data_are_invented():
    """Keys of maps are none of the sample's, their number is."""
    sample = [{"m": {f"anna-{row}-{k}@example.com": k for k in range(row % 4)}} for row in range(200)]
    records = [json.loads(line) for line in likeness_of(sample).lines(200)]
    assert {len(record["m"]) for record in records} == {0, 1, 2, 3}
    assert not {key for record in records for key in record["m"]} & {key for record in sample for key in record["m"]}


def test_csv_has_the_columns_and_no_value():
    """CSV has the header of the sample and rows of its shapes."""
    header, *rows = taxi(500).splitlines()
    columns = tuple(header.decode().split(","))
    made = list(csv.DictReader(io.StringIO(b"\n".join(Likeness(outline_of(rows, "csv", columns)).lines(200)).decode())))
    assert len(made) == 200 and tuple(made[0]) == columns
    before = {cell for row in csv.reader(io.StringIO(b"\n".join(rows).decode())) for cell in row if len(cell) >= SHORTEST}
    assert not before & {cell for row in made for cell in row.values()}
    assert all(re.fullmatch(r"\d\d\d\d-\d\d-\d\dT\d\d:\d\d:00|.*", row["tpep_pickup_datetime"]) for row in made)
    assert Counter(row["store_and_fwd_flag"] == "" for row in made)[True] == 0
