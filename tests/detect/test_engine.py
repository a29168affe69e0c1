"""The automaton against Python's `re`: it misses no match of any pattern, one pattern at a time and all together."""

import random
import re

import numpy as np
import pytest
from regex_examples import example

from flink_masking.detect import Detectors, automaton, kept_automaton
from flink_masking.detect.catalogue import ROWS, regexes
from flink_masking.detect.catalogue.secrets import AZURE_CLIENT_SECRET
from flink_masking.detect.checks_kernels import CHECKS, check_text
from flink_masking.detect.detectors import arranged
from flink_masking.detect.digit_kernels import STRONG
from flink_masking.detect.resolve_kernels import FIELDS
from flink_masking.detect.scan_kernels import PATTERN, S_ENDS, S_TOLD, TRIGGERED, scan
from flink_masking.detect.tables import _pairs, tables
from flink_masking.errors import PolicyError

AROUND = ["", " ", ", ", "(", '"', "\n", "x ", " y", "é", "#", ".", " 7 ", "-"]


class Engine:
    """The scan with nothing but patterns: no check, no word, no key decides."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        """Build the automaton."""
        self.built = automaton.build(patterns) if len(patterns) < 50 else tables().automaton
        rows = np.zeros((len(patterns) + TRIGGERED, PATTERN), np.int64)  # the last ones are no patterns of the automaton
        own = rows[:-TRIGGERED]
        own[:, 2:6], own[:, 7], own[:, 8] = 100, self.built.tails, self.built.flags
        self.patterns = rows.ravel()
        never = np.zeros(len(patterns), bool)
        self.arranged, self.bounds = arranged(self.built, never, self.built.flags, np.zeros(len(patterns), np.int64))
        self.signs = tables().signs if len(patterns) >= 50 else np.where(self.built.first != 0, 2, 0).astype(np.uint8)
        self.signs = self.signs.copy()
        self.signs[list(range(48, 58)) + list(range(65, 91)) + list(range(97, 123)) + [95]] |= 1

    def matches(self, text: bytes) -> dict[int, set[tuple[int, int]]]:
        """For each pattern all (start, end) that the automaton finds."""
        data, out, done = np.frombuffer(text, np.uint8), np.empty(FIELDS << 20, np.int64), np.zeros(1, np.int64)
        settings = np.full(S_ENDS + 1, -1, np.int64)
        settings[S_TOLD : S_ENDS + 1] = self.bounds
        t, a = tables(), self.built
        count = scan(data, np.zeros(1, np.int64), np.array([len(text)]), np.zeros(1, np.int32), np.zeros(len(ROWS), np.uint8), len(ROWS),
                     self.signs, _pairs(a), *self.arranged, a.extending, self.patterns, t.secrets, t.placeholders,
                     settings, 0, out, done)  # fmt: skip
        assert done[0] == 1, "the output had no room"
        found: dict[int, set[tuple[int, int]]] = {}
        for kind, start, end, *_ in out[: count * FIELDS].reshape(-1, FIELDS).tolist():
            if kind < 0:
                found.setdefault(-1 - kind, set()).add((start, end))
        return found


def text_of(patterns: list[str], count: int, rng: random.Random) -> bytes:
    """Matches of patterns with other characters around them."""
    pieces = []
    for _ in range(count):
        pieces += [rng.choice(AROUND), example(rng.choice(patterns), rng), rng.choice(AROUND), rng.choice((" ", "\n", ";"))]
    return "".join(pieces).encode()


def missed(engine: Engine, number: int, pattern: str, text: bytes, found: dict[int, set[tuple[int, int]]]) -> tuple[int, list[bytes]]:
    """How many matches `re` finds, and those that the automaton lacks."""
    wanted = [m.span() for m in re.finditer(pattern.encode(), text)]
    return len(wanted), [text[s:e] for s, e in wanted if (s, e) not in found.get(number, set())]


def test_no_match_is_missed_by_all_patterns_together():
    """Of 100,000 generated matches of all patterns of the catalogue the automaton misses none that `re` finds."""
    rng, patterns = random.Random(11), regexes()
    engine, total = Engine(patterns), 0
    for _ in range(10):
        text = text_of(list(patterns), 4000, rng)
        found = engine.matches(text)
        for number, pattern in enumerate(patterns):
            count, lacking = missed(engine, number, pattern, text, found)
            total += count
            assert not lacking, (pattern, lacking[:3])
    assert total >= 100_000


@pytest.mark.parametrize("number", range(0, len(regexes()), 9))
def test_no_match_is_missed_by_one_pattern(number):
    """A pattern alone misses none of its matches in texts of its own."""
    rng, pattern = random.Random(number), regexes()[number]
    engine = Engine((pattern,))
    text = text_of([pattern], 500, rng)
    count, lacking = missed(engine, 0, pattern, text, engine.matches(text))
    assert count >= 200
    assert not lacking, lacking[:3]


@pytest.mark.parametrize("pattern", regexes())
def test_patterns_match_their_examples(pattern):
    """`re` itself matches what the tests make of a pattern, so that the tests above look for something."""
    rng = random.Random(3)
    assert any(re.search(pattern, f" {example(pattern, rng)} ") for _ in range(20))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"\b(?=a)b", "a lookaround"),
        (r"\b(a)\1", "a backreference"),
        (r"\ba+b", "an open repeat before the end"),
        (r"\ba*?", "a lazy repeat"),
        (r"\ba.b", "'.'"),
        (r"^abc", "a boundary or anchor inside"),
        (r"\b(?:ab)+", "an open repeat of more than one character"),
        (r"abc", "begins inside a word"),
        (r"\b-x", "begins inside a word"),
        (r"\ba{0,3}", "matches the empty text"),
        (r"\b(?:a{200}){2}", "longer than 256"),
        (r"\b[äö]x", "beyond ASCII inside a class"),
        (r"\b(?:a|b\b)c", "a boundary or anchor inside"),
        (r"(?m)\bab", "a flag other than"),
        (r"\b[a", "not a regular expression"),
        ("", "an empty pattern"),
    ],
)
def test_refused_patterns_say_why(pattern, reason):
    """A pattern outside of the subset is refused with the construct and a hint."""
    with pytest.raises(PolicyError, match="pattern 1: ") as caught:
        automaton.build([pattern])
    assert reason in str(caught.value)


def test_a_client_secret_is_found_by_its_sign():
    """The pattern that the scan finds by itself misses no match that `re` finds, and has no other."""
    rng, pattern = random.Random(5), AZURE_CLIENT_SECRET.regex
    detectors = Detectors(["AZURE_SECRET"], names=False)
    total = 0
    for _ in range(300):
        text = text_of([pattern, r"\b[A-Z0-9~.]{4,9}Q~[a-z0-9]{3,40}"], 12, rng)
        bounds = np.zeros(1, np.int64), np.array([len(text)])
        found = detectors.find(np.frombuffer(text, np.uint8), *bounds, overlaps=True)
        spans = {(s, e) for s, e in zip(found.starts.tolist(), found.ends.tolist(), strict=True)}
        wanted = {m.span() for m in re.finditer(pattern.encode(), text)}
        every = {m.start() for m in re.finditer(f"(?={pattern})".encode(), text)}
        random_enough = {span for span in wanted if _random(text[slice(*span)])}
        assert random_enough <= spans and {s for s, _ in spans} <= every
        total += len(random_enough)
    assert total >= 1_000


def _random(secret: bytes) -> bool:
    raw = np.frombuffer(secret, np.uint8)
    return bool(check_text(raw, CHECKS.index(AZURE_CLIENT_SECRET.check)) == STRONG)


def test_equal_patterns_keep_their_numbers():
    """Two equal patterns are both reported."""
    engine = Engine((r"\bab\b", r"\bab\b"))
    assert {0: {(1, 3)}, 1: {(1, 3)}} == engine.matches(b" ab ")


def test_boundaries_are_those_of_bytes():
    """Letters beyond ASCII are no part of a word, as in `re` with bytes patterns."""
    engine = Engine((r"\b\d{3}\b",))
    assert {0: {(2, 5)}} == engine.matches("é123é".encode())
    assert {} == engine.matches(b"a123 1234 _123")


def test_open_repeats_go_to_the_end_of_their_class():
    """An open repeat at the end takes all characters of its class, from each start."""
    engine = Engine((r"\bx-[a-z-]{2,}",))
    assert {0: {(0, 9), (3, 9)}} == engine.matches(b"x--x-bcd-!")


def test_a_kept_table_is_read_again_and_a_damaged_one_built_anew(tmp_path, monkeypatch):
    """What a wheel brings along is what is built; a file that cannot be read is replaced by building."""
    patterns = (r"\bab\d{2}\b", r"\+\d{3}")
    built = automaton.build(patterns)
    monkeypatch.setattr(kept_automaton, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(kept_automaton, "private_directory", lambda: tmp_path)
    for damage in (False, True):
        again = kept_automaton.kept(patterns)
        assert all((a == b).all() for a, b in zip(built, again, strict=True))
        file = tmp_path / kept_automaton.file_name(patterns)
        assert file.exists()
        if not damage:
            file.write_bytes(b"damaged")
    assert [kept_automaton.file_name(regexes())] == list(kept_automaton.shipped())
