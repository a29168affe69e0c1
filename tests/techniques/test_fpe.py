"""fpe: forms kept, the way back, what is refused of a value and what of a policy."""

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.fpe import TECHNIQUE
from flink_masking.techniques.masks import Context, Values

REFUSED = "(refused)"
RING = KeyRing.new()


def convert(maker, params, texts, ring=RING, kind=Kind.STRING, array=None):
    """A rule's results for texts; REFUSED where it refuses."""
    rule = TECHNIQUE.params.model_validate({"domain": "d", **params})
    mask = maker(rule, RuleContext(FieldFacts("field"), ring, lambda name: ""))
    text = pa.array(texts, pa.string()) if array is None else array
    kinds = np.array([Kind.NULL if value is None else kind for value in text.to_pylist()], np.int32)
    masked = mask(Values(text, kinds, np.arange(len(text), dtype=np.int32)), Context(bytes(32)))
    masked.values.validate(full=True)
    refused = np.zeros(len(text), bool) if masked.refused is None else masked.refused
    return [REFUSED if no else value for no, value in zip(refused, masked.values.to_pylist(), strict=True)]


def protect(params, texts, **more):
    """The results of a rule."""
    return convert(TECHNIQUE.make, params, texts, **more)


def restore(params, texts, **more):
    """The way back of a rule."""
    return convert(TECHNIQUE.unmake, params, texts, **more)


def luhn(body):
    """Digits with Luhn's check digit behind them."""
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def iban(country, account):
    """An IBAN with its check digits."""
    spelled = "".join(str(int(character, 36)) for character in account + country + "00")
    return f"{country}{98 - int(spelled) % 97:02d}{account}"


def form(text):
    """What digits, small and capital letters stand where."""
    return re.sub("[A-Z]", "A", re.sub("[a-z]", "a", re.sub("[0-9]", "9", text)))


def digits(low, high=None):
    """Texts of so many decimal digits."""
    return st.text("0123456789", min_size=low, max_size=low if high is None else high)


def dashed(text, at):
    """A text with dashes put in front of some of its characters."""
    return "".join(("-" if k in at else "") + character for k, character in enumerate(text))


SPACED = st.sets(st.integers(0, 20))
CARDS = st.builds(lambda body, at: dashed(luhn(body), at), digits(14, 18), SPACED)
CODES = st.sampled_from(["+1", "+7", "+49", "+44 ", "+420", "+971 ", "", "("])
PHONES = st.builds(lambda code, number, at: code + dashed(number, at), CODES, digits(6, 11), SPACED)
LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=8)
ACCOUNTS = st.builds(lambda a, b, c: a + b + c, LETTERS, digits(6, 18), st.text("ABC", max_size=4))
IBANS = st.builds(
    lambda country, account, step: " ".join(re.findall(f".{{1,{step}}}", iban(country, account))),
    st.sampled_from(["DE", "GB", "FR", "MT"]), ACCOUNTS, st.sampled_from([4, 40]),
)  # fmt: skip
EMAILS = st.builds(
    lambda local, host: f"{local}@{host}",
    st.text("abcdefghijklmnopqrstuvwxyz0123456789._-+", max_size=59).map(lambda text: "ab1z" + text),
    st.sampled_from(["example.com", "EXAMPLE.org", "a.b-c.de", "host"]),
)
CHINESE = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
CZECH = "aábcčdďeéěfghiíjklmnňoópqrřsštťuúůvwxyýzž"
VALUES = {
    "card": ({"format": "card"}, CARDS),
    "card-luhn": ({"format": "card", "luhn": True}, CARDS),
    "card-bin-luhn": ({"format": "card", "keep_first": 6, "luhn": True}, CARDS),
    "card-middle-luhn": ({"format": "card", "keep_first": 4, "keep_last": 3, "luhn": True}, CARDS),
    "ssn": ({"format": "ssn", "keep_first": 3}, st.builds(dashed, digits(9), SPACED)),
    "phone": ({"format": "phone"}, PHONES),
    "phone-area": ({"format": "phone", "keep_first": 1, "keep_last": 1}, PHONES),
    "email": ({"format": "email"}, EMAILS),
    "iban": ({"format": "iban"}, IBANS),
    "iban-bank": ({"format": "iban", "keep_first": 2, "keep_last": 1}, IBANS),
    "digits": ({"alphabet": "digits"}, st.builds(lambda a, b: f"#{a}/{b}", digits(6), digits(0, 200))),
    "digits-luhn": ({"alphabet": "digits", "luhn": True, "keep_first": 2}, st.builds(luhn, digits(8, 14))),
    "hex": ({"alphabet": "hex"}, st.uuids().map(str)),
    "letters": ({"alphabet": "letters", "keep_first": 1, "keep_last": 2}, st.text("abcXYZ -,", min_size=30, max_size=100)),
    "czech": ({"alphabet": CZECH, "keep_first": 1}, st.text(CZECH + " -–", max_size=30).map(lambda text: "ďábel" + text)),
    "wide": ({"alphabet": CHINESE + "xy", "keep_last": 1}, st.text("x丁y七", min_size=5, max_size=20)),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_the_form_is_kept_and_there_is_a_way_back(name):
    """Results are refused only where too little is left, belong to the output domain, keep form and length, and come back exactly."""
    params, values = VALUES[name]
    domain = TECHNIQUE.output(TECHNIQUE.params.model_validate({"domain": "d", **params}))

    @settings(deadline=None, max_examples=40)
    @given(st.lists(values | st.none() | st.just(""), max_size=8))
    def law(texts):
        results = protect(params, texts)
        for old, new in zip(texts, results, strict=True):
            if new == REFUSED:
                assert not domain.contains(old)
            elif old:
                assert domain.contains(old) and domain.contains(new)
                assert len(new) == len(old)
                if params.get("format") in ("card", "ssn", "phone", "iban"):
                    assert form(new) == form(old)
            else:
                assert new == old
        known = [k for k, new in enumerate(results) if new != REFUSED]
        assert restore(params, [results[k] for k in known]) == [texts[k] for k in known]

    law()


@pytest.mark.parametrize("name", VALUES)
def test_slices_and_neighbours_change_nothing(name):
    """A value gives the same alone, in a batch, and in a slice of an Arrow array with nulls."""
    params, values = VALUES[name]

    @settings(deadline=None, max_examples=15)
    @given(st.lists(values | st.none(), min_size=3, max_size=8), st.integers(0, 2))
    def law(texts, at):
        whole = protect(params, texts)
        assert [protect(params, [text])[0] for text in texts] == whole
        assert protect(params, None, array=pa.array(texts, pa.string()).slice(at, len(texts) - at - 1)) == whole[at : len(texts) - 1]

    law()


@pytest.mark.parametrize(
    ("params", "text", "kept"),
    [
        ({"format": "card", "keep_first": 6, "luhn": True}, "4111 1111 1111 1111", r"4111 11\d\d \d{4} \d{4}"),
        ({"format": "card", "keep_first": 6, "keep_last": 4}, "4111-1111-1111-1234", r"4111-11\d\d-\d{4}-1234"),
        ({"format": "card", "keep_first": 4, "keep_last": 4, "luhn": True}, "4111111111111111", r"4111\d{8}1111"),
        ({"format": "ssn"}, "123-45-6789", r"\d{3}-\d\d-\d{4}"),
        ({"format": "ssn", "keep_first": 3}, "123456789", r"123\d{6}"),
        ({"format": "phone"}, "+1 (415) 555-0100", r"\+1 \(\d{3}\) \d{3}-\d{4}"),
        ({"format": "phone"}, "+44 20 7946 0958", r"\+44 \d\d \d{4} \d{4}"),
        ({"format": "phone"}, "+420601123456", r"\+420\d{9}"),
        ({"format": "phone", "keep_first": 3}, "+1 415 555 0100", r"\+1 415 \d{3} \d{4}"),
        ({"format": "phone"}, "030/901820", r"\d{3}/\d{6}"),
        ({"format": "email"}, "john.doe+x@Example.com", r"[a-z0-9]{4}\.[a-z0-9]{3}\+[a-z0-9]@Example\.com"),
        ({"format": "iban"}, "GB82 WEST 1234 5698 7654 32", r"GB\d\d WEST \d{4} \d{4} \d{4} \d\d"),
        ({"format": "iban", "keep_first": 8}, "DE89370400440532013000", r"DE\d\d37040044\d{10}"),
        ({"format": "iban"}, "MT84MALT011000012345MTLCAST001S", r"MT\d\d[A-Z]{4}\d{12}[A-Z]{7}\d{3}[A-Z]"),
        ({"alphabet": "digits"}, "#0012345/ (–)", r"#\d{7}/ \(–\)"),
        ({"alphabet": "alphanumeric", "keep_first": 4}, "CUST-0012345", r"CUST-[A-Za-z0-9]{7}"),
        ({"alphabet": "alphanumeric", "keep_last": 2}, "aB3dE6-gh", r"[A-Za-z0-9]{6}-gh"),
    ],
)
def test_what_is_kept(params, text, kept):
    """Kept parts and separators stand where they stood, and the rest is another text."""
    [result] = protect(params, [text])
    assert re.fullmatch(kept, result)
    assert result != text
    assert [text] == restore(params, [result])


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"format": "card"}, "41111111111"),
        ({"format": "card"}, "41111111111111111111"),
        ({"format": "card"}, "4111 1111 1111 1111 J"),
        ({"format": "card", "keep_separators": False}, "4111 1111 1111 1111"),
        ({"format": "card", "luhn": True}, "4111 1111 1111 1112"),
        ({"format": "card", "keep_first": 6, "keep_last": 4}, "378282246310005"),
        ({"format": "card"}, "4111 1111 1111 １１１１"),
        ({"format": "card"}, "4111\n1111 1111 1111"),
        ({"format": "ssn"}, "12-345-678"),
        ({"format": "ssn"}, "123-45-67890"),
        ({"format": "ssn"}, "123–45–6789"),
        ({"format": "ssn"}, "١٢٣٤٥٦٧٨٩"),
        ({"format": "phone"}, "+1"),
        ({"format": "phone"}, "+1 41555"),
        ({"format": "phone"}, "+0123456789"),
        ({"format": "phone"}, "415+5550100"),
        ({"format": "phone"}, "1234567890123456"),
        ({"format": "phone"}, "555-0100 ext 12"),
        ({"format": "email"}, "abc@example.com"),
        ({"format": "email"}, "John@example.com"),
        ({"format": "email"}, "john.doe"),
        ({"format": "email"}, "john@doe@example.com"),
        ({"format": "email"}, "john.doe@"),
        ({"format": "email"}, "john.doe@example..com"),
        ({"format": "email"}, "john.doe@example.com (John Doe)"),
        ({"format": "email"}, "josé.pérez@example.com"),
        ({"format": "email"}, "a" * 65 + "@example.com"),
        ({"format": "iban"}, "DE88370400440532013000"),
        ({"format": "iban"}, "de89370400440532013000"),
        ({"format": "iban"}, "DE89"),
        ({"format": "iban"}, iban("DE", "12345")),
        ({"format": "iban"}, iban("DE", "1" * 31)),
        ({"alphabet": "digits"}, "---"),
        ({"alphabet": "digits"}, "12345"),
        ({"alphabet": "digits"}, "1234567 ١٢"),
        ({"alphabet": "digits"}, "123456é"),
        ({"alphabet": "digits", "keep_separators": False}, "123 4567"),
        ({"alphabet": "alphanumeric"}, "abc"),
        ({"alphabet": "lower", "keep_first": 1, "keep_last": 1}, "abcdef"),
        ({"alphabet": "digits"}, "1" * 1025),
    ],
)
def test_what_is_refused(params, text):
    """Wrong lengths, check digits and characters, and too few of them, are refused, both ways, and not written anywhere."""
    assert [REFUSED, ""] == protect(params, [text, ""])
    assert [REFUSED, ""] == restore(params, [text, ""])
    rule = TECHNIQUE.params.model_validate({"domain": "d", **params})
    values = Values(pa.array([text]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    mask = TECHNIQUE.make(rule, RuleContext(FieldFacts("field"), RING, lambda name: ""))
    assert mask(values, Context(bytes(32))).values.to_pylist() == [""]


@pytest.mark.parametrize("length", [6, 7, 35, 36, 37, 38, 39, 64, 65, 72, 73, 100, 1000, 1024])
def test_lengths(length):
    """Values of any length from six digits on are encrypted and come back; those of more than 64 where the rule says so."""
    rule = {"alphabet": "digits", "max_length": 1024} if length > 64 else {"alphabet": "digits"}
    texts = ["7" * length, "0" * length, ("0123456789" * 103)[:length]]
    results = protect(rule, texts)
    assert all(re.fullmatch("[0-9]+", result) and len(result) == length for result in results)
    assert len({*results, *texts}) == 6
    assert texts == restore({"alphabet": "digits"}, results)


def test_long_values_are_refused_by_default():
    """More than 64 characters of the alphabet are refused: their cost grows with the square of it. Separators do not count."""
    assert [REFUSED, REFUSED] == protect({"alphabet": "digits"}, ["7" * 65, "7" * 5000])
    (taken,) = protect({"alphabet": "digits"}, ["-".join("7" * 64)])
    assert len(taken) == 127 and taken != REFUSED
    with pytest.raises(ValidationError, match="max_length belongs to alphabet"):
        TECHNIQUE.params.model_validate({"domain": "d", "format": "card", "max_length": 19})


@pytest.mark.parametrize("kind", sorted(set(Kind) - TEXT - {Kind.NULL}))
def test_only_text_is_taken(kind):
    """A number, boolean, object or array is refused, though its text might do."""
    assert [REFUSED] == protect({"alphabet": "digits"}, ["12345678"], kind=kind)


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"format": "card", "keep_first": 6, "keep_last": 4, "luhn": True}, "10^5 = 100,000"),
        ({"format": "card", "keep_first": 8, "keep_last": 4}, "10^4 = 10,000"),
        ({"format": "card", "keep_first": 16}, "10^0 = 1 "),
        ({"format": "ssn", "keep_last": 4}, "10^5 = 100,000"),
        ({"format": "phone", "keep_first": 10}, "10^5"),
        ({"format": "email", "keep_first": 61}, "36^3 = 46,656"),
        ({"format": "iban", "keep_first": 25}, "10^5"),
        ({"alphabet": "digits", "keep_first": 1000, "keep_last": 19, "max_length": 1024}, "10^5"),
    ],
)
def test_formats_that_can_never_do(params, number):
    """A rule that leaves fewer than a million values to every value is refused with the numbers and what to use instead."""
    with pytest.raises(PolicyError) as caught:
        protect(params, [])
    assert number in str(caught.value)
    assert "Hint:" in str(caught.value) and "date_shift" in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [
        {"format": "card", "keep_first": 6, "luhn": True},
        {"format": "card", "keep_first": 6, "keep_last": 4},
        {"format": "card", "keep_first": 8, "luhn": True},
        {"format": "ssn", "keep_first": 3},
    ],
)
def test_formats_that_just_do(params):
    """A rule that leaves a million values is taken."""
    assert protect(params, [None]) == [None]


@pytest.mark.parametrize("kind", ["date", "datetime", "time", "cvv", "card_expiry", "boolean", "gender"])
def test_fields_that_can_never_do(kind):
    """A field whose type has fewer than a million values is refused."""
    rule = TECHNIQUE.params.model_validate({"domain": "d", "alphabet": "digits"})
    with pytest.raises(PolicyError, match=rf"type {kind} has about .* Hint: .*generalize"):
        TECHNIQUE.make(rule, RuleContext(FieldFacts("field", kind), RING, lambda name: ""))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"domain": "d"}, "exactly one of format and alphabet"),
        ({"domain": "d", "format": "card", "alphabet": "digits"}, "exactly one of format and alphabet"),
        ({"format": "card"}, "domain"),
        ({"domain": "", "format": "card"}, "domain"),
        ({"domain": "d", "format": "zip"}, "format"),
        ({"domain": "d", "format": "ssn", "luhn": True}, "luhn is for numbers"),
        ({"domain": "d", "alphabet": "hex", "luhn": True}, "luhn is for numbers"),
        ({"domain": "d", "alphabet": "digits", "keep_first": -1}, "keep_first"),
        ({"domain": "d", "alphabet": "digits", "keep_first": "6"}, "keep_first"),
        ({"domain": "d", "alphabet": "aa"}, "comes twice"),
        ({"domain": "d", "alphabet": "digit"}, "did you mean 'digits'"),
    ],
)
def test_parameters_that_are_wrong(params, message):
    """A rule without a domain, with no form or two, or with a parameter that does not fit is refused."""
    with pytest.raises(ValidationError, match=message):
        TECHNIQUE.params.model_validate(params)


def test_the_kept_part_is_a_tweak():
    """The same digits behind two BINs, before two endings, in two countries or under two hosts are encrypted differently."""
    card = {"format": "card", "keep_first": 6, "keep_last": 4}
    results = protect(card, [f"{first}000000{last}" for first in ("411111", "411112") for last in ("1234", "1235")])
    assert len({result[6:12] for result in results}) == 4
    results = protect({"format": "phone"}, ["+1415555010", "+49415555010", "+420415555010", "415555010"])
    assert len({result[-9:] for result in results}) == 4
    results = protect({"format": "email"}, ["john@a.de", "john@b.de", "john@A.de"])
    assert len({result.split("@")[0] for result in results}) == 2
    results = protect({"format": "iban"}, [iban(country, "ABCD12345678") for country in ("DE", "GB")] + [iban("GB", "ABCE12345678")])
    assert len({result[-8:] for result in results}) == 3


def test_separators_are_no_tweak():
    """However a number is written, its digits are encrypted to the same ones, so that they can be joined."""
    results = protect({"format": "card", "luhn": True}, ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"])
    assert len({re.sub(r"\D", "", result) for result in results}) == 1


def test_domains_keys_and_rules_part():
    """Another domain, key or rule gives other results; the same ones the same in every batch."""
    text, params = ["123456789012"], {"alphabet": "digits"}
    others = [{"domain": "e"}, {"keep_first": 1}, {"luhn": True}]
    results = [protect(params, text), protect(params, text, ring=KeyRing.new()), protect({"alphabet": "0123456789x"}, text)]
    results += [protect({**params, **other}, [luhn("12345678901")]) for other in others]
    assert protect(params, text) == results[0]
    assert len({result for [result] in results}) == len(results)


def test_a_wrong_key_gives_a_plausible_value():
    """There is no integrity: another key gives another value of the same form, without an error."""
    params = {"format": "card", "keep_first": 6, "luhn": True}
    text = luhn("411111111111111")
    [wrong] = restore(params, protect(params, [text]), ring=KeyRing.new())
    assert wrong != text
    assert wrong == luhn(wrong[:-1])


def test_one_to_one():
    """Different values stay different."""
    texts = [f"{k:06d}" for k in range(0, 1_000_000, 97)]
    assert len(set(protect({"alphabet": "digits"}, texts))) == len(texts)


def test_composed_and_decomposed_twins_are_one_value():
    """A value in NFD is encrypted as its twin in NFC, which is what comes back."""
    composed, params = "čáslav příbor", {"alphabet": CZECH}
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    first, second = protect(params, [composed, decomposed])
    assert first == second
    assert [composed] == restore(params, [first])


def test_more_than_a_chunk():
    """A large batch of mixed lengths, nulls and refusals gives each row what it gives alone."""
    texts = [None if k % 7 == 0 else "x" if k % 11 == 0 else str(10**6 + k) + "9" * (k % 5) for k in range(10_000)]
    results = protect({"alphabet": "digits"}, texts)
    for k in (0, 1, 11, 2047, 2048, 4999, 9999):
        assert protect({"alphabet": "digits"}, [texts[k]]) == [results[k]]
    known = [k for k, result in enumerate(results) if result != REFUSED]
    assert restore({"alphabet": "digits"}, [results[k] for k in known]) == [texts[k] for k in known]
