"""Payment cards in the groups that issuers print, without a word beside them; and what only looks like one."""

import itertools
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from flink_masking import KeyRing, Protector
from flink_masking.detect import Detectors, type_named
from flink_masking.policy.source import PolicySource

ALL = Detectors()
CARD = type_named("CARD_NUMBER")
BRANDS = {
    "Visa": (["4"], (13, 16, 19)), "Mastercard": (["51", "55", "2221", "2500", "2720"], (16,)), "American Express": (["34", "37"], (15,)),
    "Diners Club": (["300", "305", "309", "36", "38", "39"], (14, 16, 19)),
    "Discover": (["6011", "622126", "622925", "644", "649", "65"], (16, 19)), "JCB": (["3528", "3589"], (16, 19)),
    "UnionPay": (["62"], (16, 17, 18, 19)), "Maestro": (["5018", "5020", "5038", "56", "58", "6304", "6759", "6763"], tuple(range(12, 20))),
}  # fmt: skip
"""First digits (ISO/IEC 7812) and lengths that the issuers of a brand use."""
GROUPS = {
    12: ["444"], 13: ["4441", "445", "4333"], 14: ["464", "4442", "2444"], 15: ["465", "4443"], 16: ["4444", "664"], 17: ["4445", "44441"],
    18: ["4446", "44442"], 19: ["44443", "4447"],
}  # fmt: skip
"""Sizes of groups that numbers of each length are printed in."""
ONLY = {"2444": "Diners Club", "4333": ("Visa", "Maestro"), "464": ("Diners Club", "Maestro"), "465": ("American Express", "Maestro")}
"""Groups that only some brands print."""
SEPARATORS = {
    "space": " ", "hyphen": "-", "point": ".", "no-break space": "\u00a0", "thin space": "\u2009", "narrow no-break space": "\u202f",
    "figure space": "\u2007", "ideographic space": "\u3000", "Unicode hyphen": "\u2010", "no-break hyphen": "\u2011",
    "figure dash": "\u2012", "en dash": "\u2013", "minus": "\u2212", "soft hyphen": "\u00ad", "full-width hyphen": "\uff0d",
}  # fmt: skip
AROUND = [("", ""), ("it was ", " yesterday"), ("(", ")"), ("ref:", ",x"), ("7 days ", " on"), ("Ünïcode ", "。"), ("card ", "")]


def number(prefix: str, length: int, rng: random.Random) -> str:
    """A random number of these first digits that passes Luhn's check."""
    body = prefix + "".join(rng.choices("0123456789", k=length - 1 - len(prefix)))
    return body + luhn.calc_check_digit(body)


def grouped(digits: str, sizes: str, separator: str) -> str:
    """A number in groups."""
    ends = np.cumsum([0, *map(int, sizes)])
    return separator.join(digits[a:b] for a, b in itertools.pairwise(ends))


def cards(texts: list[str]) -> list[list[str]]:
    """The cards that are found in each of the texts."""
    raw = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    found = ALL.find(np.frombuffer(b"".join(raw), np.uint8), ends[:-1], ends[1:])
    out: list[list[str]] = [[] for _ in raw]
    for kind, start, end, value in zip(found.types, found.starts, found.ends, found.values, strict=True):
        if kind == CARD:
            out[value].append(raw[value][start - ends[value] : end - ends[value]].decode())
    return out


@pytest.mark.parametrize("separator", SEPARATORS)
def test_cards_in_groups_are_found_without_a_word(separator):
    """Every brand's numbers of every length are found in every usual grouping, with exact bounds, whatever separates the groups."""
    rng, texts, expected = random.Random(separator), [], []
    for brand, (prefixes, lengths) in BRANDS.items():
        for length in lengths:
            for sizes in GROUPS[length]:
                if brand in ONLY.get(sizes, brand):
                    for prefix in prefixes:
                        before, after = rng.choice(AROUND)
                        card = grouped(number(prefix, length, rng), sizes, SEPARATORS[separator])
                        texts.append(f"{before}{card}{after}")
                        expected.append([card])
    assert expected == cards(texts)


@pytest.mark.parametrize("brand", BRANDS)
def test_cards_without_groups_are_found_without_a_word(brand):
    """Every brand's numbers of every length are found where nothing separates their digits."""
    rng = random.Random(brand)
    expected = [number(prefix, length, rng) for prefix in BRANDS[brand][0] for length in BRANDS[brand][1] for _ in range(5)]
    assert [[card] for card in expected] == cards([f"paid {card} today" for card in expected])


@given(st.sampled_from(sorted(BRANDS)), st.randoms(use_true_random=False), st.sampled_from(sorted(SEPARATORS)), st.data())
def test_no_digit_of_a_card_in_groups_stays(brand, rng, separator, data):
    """redact_text leaves no digit of a card in a record's text, written with escapes or without."""
    prefixes, lengths = BRANDS[brand]
    length = data.draw(st.sampled_from(lengths))
    sizes = data.draw(st.sampled_from([sizes for sizes in GROUPS[length] if brand in ONLY.get(sizes, brand)]))
    before, after = data.draw(st.sampled_from([around for around in AROUND if not any(c.isdigit() for c in "".join(around))]))
    note = before + grouped(number(rng.choice(prefixes), length, rng), sizes, SEPARATORS[separator]) + after
    record = json.dumps({"note": note}, ensure_ascii=data.draw(st.booleans())).encode()
    (line,) = PROTECT.protect([record]).views["s"].to_pylist()
    assert {"note": f"{before}<CARD_NUMBER>{after}"} == json.loads(line)


def test_values_of_undeclared_members_are_swept():
    """unknown_fields: scan replaces a card in groups that is all of a member's value, and one in a text, without any word beside it."""
    record = json.dumps({"note": "", "ref": "3056 930902 5904", "deep": [{"x": "ok 4222\u00a0222\u00a0222\u00a0222"}]}).encode()
    (line,) = PROTECT.protect([record]).views["s"].to_pylist()
    assert {"note": "", "ref": "<CARD_NUMBER>", "deep": [{"x": "ok <CARD_NUMBER>"}]} == json.loads(line)


POLICY = """version: 1
stream: events
unknown_fields: scan
fields: {note: {class: free_text}}
segments:
  s: {view: masked, rules: {note: redact_text}}
"""
PROTECT = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())


@pytest.mark.parametrize("sizes", ["4333", "464", "465", "2444", "44443", "664"])
def test_numbers_of_no_issuer_are_no_cards(sizes):
    """In groups that only cards have, a number that passes Luhn's check and is of no issuer is no card, nor one that fails the check."""
    rng, numbers = random.Random(sizes), []
    length = sum(map(int, sizes))
    for _ in range(400):
        numbers.append(number(rng.choice(["0", "1", "20", "310", "61", "7", "90"]), length, rng))
        card = number(rng.choice(["4", "36", "37", "56", "62"]), length, rng)
        numbers.append(card[:-1] + str((int(card[-1]) + 1) % 10))
    written = [grouped(digits, sizes, separator) for digits in numbers for separator in " .-\u00a0"]
    assert [] == [text for text, found in zip(written, cards([f"no {text} here" for text in written]), strict=True) if text in found]


@pytest.mark.parametrize("text", ["3056 930902-5904", "3056  930902  5904", "3056.9309025904", "4222.222222222", "4222222222.222",
                                  "3056/930902/5904", "42 222 222 222 22", "305 693 090 259 04"])  # fmt: skip
def test_what_only_looks_like_a_card_in_groups_is_none(text):
    """Different separators, double ones, decimal fractions and groups that nobody prints make no card of 13 or 14 digits."""
    assert [[]] == cards([f"x {text} y"])


@given(st.lists(st.integers(1_000_000_000_000, 1_999_999_999_999), min_size=1, max_size=50))
def test_timestamps_in_milliseconds_are_no_cards(moments):
    """Milliseconds, microseconds and nanoseconds since 1970, from 2001 to 2033, are no cards: no issuer's number begins with 1."""
    assert not any(cards([f"at {moment * scale} ms" for moment in moments for scale in (1, 1000, 1_000_000)]))


def test_a_length_that_the_issuer_does_not_use_is_less_certain():
    """A number of Visa's range has 13, 16 or 19 digits: one of 17 or 18 is no certain card."""
    rng = random.Random(1)
    for length in (17, 18):
        text = number("4", length, rng)
        found = ALL.find(np.frombuffer(text.encode(), np.uint8), np.zeros(1, np.int64), np.array([length]))
        assert all(confidence < 60 for confidence in found.confidence[found.types == CARD])
