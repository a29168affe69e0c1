"""The SQL functions in real Flink: their arguments, NULL, joins between jobs, and its inverse."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import processes
import pytest

pytestmark = pytest.mark.flink
PROGRAM = Path(__file__).with_name("sql_session.py")

PROTECT = """SELECT id, fpe_encrypt(card, 'pan', 'card'), pseudonym(email, 'customer'), encrypt(ssn, 'ssn'),
  encrypt_deterministic(ssn, 'ssn'), tokenize(ssn, 'ssn'), mask(email, '{technique: partial, keep_first: 1, keep_after: "@"}'),
  mask_last(card, 4), generalize(age, 'width', 10), date_shift(born, email, 30), generalize(seen, 'date', 'month'), pseudonym(age, 'age'),
  generalize(spent, 'round_to', 0.5) FROM people"""
BACK = """SELECT id, fpe_decrypt(fpe_encrypt(card, 'pan', 'card'), 'pan', 'card'), decrypt(encrypt(ssn, 'ssn'), 'ssn'),
  decrypt(encrypt_deterministic(ssn, 'ssn'), 'ssn'), detokenize(tokenize(ssn, 'ssn'), 'ssn') FROM people"""
JOIN = """SELECT a.id FROM (SELECT id, pseudonym(email, 'customer') AS who FROM people) AS a
  JOIN (SELECT id, pseudonym(email, 'customer') AS who FROM people WHERE id = 'p1') AS b ON a.who = b.who"""
OTHERS = """SELECT id, initials(email, '-'), mask(email, '{technique: initials}'), redact_text('to ' || email || ' x'),
  redact_text('to ' || email || ' of 10.1.2.3', 'IP') FROM people"""
NAMES = ("id", "card", "mail", "enc", "siv", "tok", "part", "last", "age", "born", "seen", "age_key", "spent")


class Answers(NamedTuple):
    """What two jobs, a third on the way back and one with a technique of another package have put out, by id; the raw rows; Flink's log."""

    first: dict[str, dict[str, Any]]
    again: dict[str, dict[str, Any]]
    back: dict[str, list[str]]
    joined: list[str]
    others: dict[str, list[str]]
    rows: dict[str, list[Any]]
    said: str


def _cards(n: int) -> list[str]:
    cards = []
    for i in range(n):
        body = [int(c) for c in f"4{i * 7919 + 10**13:014d}"]
        total = sum(sum(divmod(2 * x, 10)) if k % 2 == 0 else x for k, x in enumerate(reversed(body)))
        cards.append("".join(map(str, body)) + str(-total % 10))
    return cards


@pytest.fixture(scope="module")
def answers(place: Path, key_uri: str, third_party: Path) -> Answers:
    """Protect the same rows in two jobs, join them with themselves, take the way back, and use a technique of another package."""
    rows: list[list[Any]] = [
        [f"p{i}", card, f"user{i % 50}@example.com", f"{100 + i}-45-{1000 + i}", str(20 + i % 40), f"19{50 + i % 50}-03-15",
         "2024-03-15 10:30:00.120", f"{i}.30"]
        for i, card in enumerate(_cards(200))
    ]  # fmt: skip
    rows += [["null", *[None] * 7], ["short", "12", "a", "", "1", "2000-01-01", "2024-03-15 10:30:00.000", "1.00"]]
    (place / "rows.json").write_text(json.dumps(rows))
    parameters = {"keys": key_uri, "vault": f"sqlite://{place}/vault.db", "actor": "test", "purpose": "the way back"}
    done = processes.run(place, PROGRAM, place / "rows.json", json.dumps(parameters), PROTECT, PROTECT, BACK, JOIN, OTHERS,
                         PYTHONPATH=str(third_party))
    found = re.search(r"^ANSWERS (.*)$", done.out, re.MULTILINE)
    assert found, (done.out + done.err)[-3000:]
    first, again, back, joined, others = json.loads(found[1])
    one, two = ({row[0]: dict(zip(NAMES, row, strict=True)) for row in job} for job in (first, again))
    said = done.err + "".join(file.read_text(errors="replace") for file in (place / "log").iterdir())
    return Answers(one, two, {row[0]: row[1:] for row in back}, [row[0] for row in joined],
                   {row[0]: row[1:] for row in others}, {row[0]: row for row in rows}, said)


def test_null_gives_null(answers):
    """A row of NULLs comes out as NULLs from every function."""
    assert {name: value for name, value in answers.first["null"].items() if value is not None} == {"id": "null"}


def test_every_function_does_its_work(answers):
    """Results have the form that the technique promises, for texts, integers, decimals, dates and timestamps."""
    for number, (name, raw) in enumerate(list(answers.rows.items())[:200]):
        made = answers.first[name]
        assert made["part"] == "u***@example.com"
        assert made["last"] == "*" * 12 + raw[1][-4:]
        assert re.fullmatch(r"\d{16}", made["card"]) and made["card"] != raw[1]
        assert made["age"] == f"{2 + number % 40 // 10}0-{2 + number % 40 // 10}9"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", made["born"]) and made["born"] != raw[5]
        assert (made["seen"], made["spent"]) == ("2024-03", f"{number}.5")
        assert made["enc"].startswith("fm1.") and made["siv"].startswith("fm1.")


def test_what_is_refused_is_hidden(answers):
    """A value that is too short for its technique is never passed on."""
    short = answers.first["short"]
    assert (short["card"], short["part"], short["last"]) == ("***", "***", "**")


def test_two_jobs_agree(answers):
    """With the same keys and vault another job gives the same pseudonyms, ciphers and tokens; random encryption differs."""
    same = [name for name in NAMES if name != "enc"]
    one, two = ({name: [row[n] for n in same] for name, row in job.items()} for job in (answers.first, answers.again))
    assert one == two
    assert all(row["enc"] != answers.again[name]["enc"] for name, row in answers.first.items() if row["enc"])


def test_numbers_are_the_same_with_and_without_null(answers):
    """A column of integers gives one pseudonym a number, though its type changes on the way where a NULL is in it."""
    by_age: dict[str, set[str]] = {}
    for name, raw in answers.rows.items():
        by_age.setdefault(raw[4], set()).add(answers.first[name]["age_key"])
    assert {len(pseudonyms) for pseudonyms in by_age.values()} == {1}
    assert len({next(iter(pseudonyms)) for pseudonyms in by_age.values()}) == len(by_age)


def test_masked_columns_join(answers):
    """The pseudonyms of one domain join within a job."""
    assert sorted(answers.joined) == sorted(f"p{i}" for i in (1, 51, 101, 151))


def test_the_way_back(answers):
    """An authorised session has every value back, and it is written down without the values."""
    for name, raw in list(answers.rows.items())[:200]:
        assert answers.back[name] == [raw[1], raw[3], raw[3], raw[3]]
    assert '"event": "unprotect"' in answers.said
    assert '"actor": "test", "purpose": "the way back", "function": "detokenize", "domain": "ssn"' in answers.said
    assert not any(raw[3] in answers.said for raw in answers.rows.values() if raw[3])


def test_a_technique_of_another_package(answers):
    """An installed package's technique has a function of its own in the workers, too, and `mask` knows it."""
    assert ["u-", "u."] == answers.others["p1"][:2] and [None] * 4 == answers.others["null"]


def test_text_is_redacted(answers):
    """redact_text replaces what it finds in a text, of all types or of those that are named."""
    assert ["to <EMAIL> x", "to user1@example.com of <IP_ADDRESS>"] == answers.others["p1"][2:]

