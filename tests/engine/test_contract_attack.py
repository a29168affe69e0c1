"""Ten thousand values that do not belong where they stand, against the policies that people start from: no view shows anything of them."""

import itertools
import random
from pathlib import Path

import orjson
import pytest

import flink_masking.examples
from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.generate.events import write_events
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

EXAMPLE = Path(flink_masking.examples.__file__).parent / "customer_events.yaml"
KUBERNETES = Path(__file__).parents[2] / "k8s" / "base" / "policy.yaml"
NOW = 1_710_498_600_000
ATTACKS = 10_000
AS_THEY_CAME = {"keep", "partial", "generalize", "date_shift", "perturb", "shuffle"}
HIDDEN = ("***", None)


def text(value):
    """A JSON string."""
    return orjson.dumps(value).decode()


def luhn(body):
    """A card number: the digits with their check digit."""
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def values(rng):
    """Endlessly: JSON text of a value, what of it must not be found in a view, and the fields whose form it has."""
    for n in itertools.count():
        mark, digits = f"Zq{n:05d}xK", "".join(rng.choices("123456789", k=16))
        ssn, card = f"{digits[:3]}-{digits[3:5]}-{digits[5:9]}", luhn("4" + digits[:14])
        eastern = "".join(chr(0x660 + int(digit)) for digit in digits)
        yield from (
            (text(f"John {mark} Doe, 12 Main St"), [mark], ()),
            (text(mark), [mark], ()),
            (text(ssn), [ssn], ("ssn", "contacts[*].phone")),
            (text(ssn.replace("-", "")), [ssn.replace("-", "")], ("ssn", "contacts[*].phone")),
            (text(card), [card], ("card.number",)),
            (text(" ".join(card[k : k + 4] for k in (0, 4, 8, 12))), [card[8:12] + " " + card[12:]], ("card.number",)),
            (text(f"john.{mark}@example.com"), [mark], ("email",)),
            (text(f"a@example.com, john.{mark}@example.com; SSN {ssn}"), [mark, ssn], ()),
            (text(f"{mark} a@example.com"), [mark], ()),
            (text(f"a@example.com\u0000{mark}"), [mark], ()),
            (text(f"19{n % 90 + 10}-02-1{n % 10} {mark}"), [mark], ()),
            (text(f"2024-03-15T10:00:00Z{mark}"), [mark], ()),
            (text(f"2024-03-15T10:00:00.{digits}Z"), [digits], ()),
            (text(eastern), [eastern], ()),
            (text(f"94110 {mark}"), [mark], ()),
            (text(f"\u0000{mark}"), [mark], ()),
            (f'"\\u005a{mark[1:]}"', [mark, mark[1:]], ()),
            (text(f"12.50 {mark}"), [mark], ()),
            (digits, [digits], ()),
            (f"-{digits}", [digits], ()),
            (f"{digits}e-2", [digits], ()),
            (f"0e{digits}", [digits], ()),
            (f"12.5{digits}", [digits], ()),
            (f"1e-{digits}", [digits], ()),
            ("9" * 320 + digits, [digits], ()),
            (f'{{"a":{text(mark)}}}', [mark], ()),
            (f"[{text(mark)},{digits}]", [mark, digits], ()),
            (f'[[{{"{mark}":1}}]]', [mark], ()),
        )


def placed(record, path, value):
    """A record with the JSON text `value` where the path leads."""
    copy = orjson.loads(orjson.dumps(record))
    inner, steps = copy, path.replace("[*]", ".0").split(".")
    for step, following in itertools.pairwise(steps):
        if isinstance(inner, list):
            inner[:] = inner or [{}]
            inner = inner[0]
        else:
            inner = inner.setdefault(step, [{}] if following == "0" else {})
    inner[steps[-1]] = "§"
    return orjson.dumps(copy).decode().replace('"§"', value).encode()


def found(record, path):
    """The value in a view where the path leads; None where it is not there."""
    for step in path.replace("[*]", ".0").split("."):
        record = (record[0] if record else None) if isinstance(record, list) else (record or {}).get(step)
    return record


@pytest.mark.parametrize("policy", [EXAMPLE, KUBERNETES], ids=["example", "k8s"])
def test_no_view_shows_a_value_that_breaks_the_contract(policy, tmp_path, ring):
    """Names, numbers of people and cards, addresses, dates and nested values in the wrong fields are in no line of any view."""
    loaded = load(PolicySource.read(policy))
    write_events(tmp_path / "events.jsonl", ATTACKS, 2_000, 3)
    fields, attacks = list(loaded.policy.fields), values(random.Random(7))
    records, tried = [], []
    for number, line in enumerate((tmp_path / "events.jsonl").read_bytes().splitlines()):
        declared = {path.split(".")[0].split("[")[0] for path in fields}
        record = {key: inner for key, inner in orjson.loads(line).items() if key in declared}
        path = fields[number % len(fields)]
        value, marks, at_home = next(attack for attack in attacks if path not in attack[2])
        records.append(placed(record, path, value))
        tried.append((path, marks))
        for member in at_home:
            assert member in loaded.policy.fields or policy == KUBERNETES
    plan = compile_plan(loaded.in_order(), ring)
    step, stateful = Protect(plan, bytes, lambda: NOW), InProcess(plan, lambda: NOW)
    views = {masked.name: [] for masked in plan.masked}
    for first in range(0, ATTACKS, 1_000):
        for piece in step(binary_column(records[first : first + 1_000])):
            stateful.feed(piece)
            for name, view in piece.views.items():
                views[name] += view.to_pylist()
    stateful.finish()
    lines = [line for view in views.values() for line in view if line is not None]
    released = [line for segment in stateful.released().values() for line in segment]
    assert len(lines) > ATTACKS // 2 and released
    everything = b"\n".join([*lines, *released]).decode()
    assert not [mark for path, marks in tried for mark in marks if path not in ("customerId",) and mark in everything]
    for name, view in views.items():
        shown = {path for path, rule in loaded.rules(name).items() if rule.technique.name in AS_THEY_CAME}
        assert shown <= set(loaded.contracts)
        for (path, _), line in zip(tried, view, strict=True):
            if line is not None and path in shown:
                assert found(orjson.loads(line), path) in HIDDEN, path


def test_honest_records_pass_whole(tmp_path, ring):
    """The contract of the example costs the records of the generator nothing: no value is refused, no record rejected."""
    loaded = load(PolicySource.read(EXAMPLE))
    write_events(tmp_path / "events.jsonl", 5_000, 1_000, 5)
    plan = compile_plan(loaded, ring)
    (piece,) = Protect(plan, bytes, lambda: NOW)(binary_column((tmp_path / "events.jsonl").read_bytes().splitlines()))
    assert piece.quarantined == 0
    for segment in plan.masked:
        fields = piece.report.masked[segment.name].fields
        assert {path: done.refused for path, done in fields.items() if done.refused} == {}
