"""tokenize: random tokens that a vault keeps."""

import re
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.tokenize import TECHNIQUE, TokenizeParams
from flink_masking.techniques.tokenize.mask import output_domain
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault

RING, VAULT = KeyRing.new(), MemoryVault()
FORMS = [
    {},
    {"prefix": "t-é"},
    {"format": "digits"},
    {"format": "digits", "luhn": "valid", "prefix": "9-"},
    {"format": "digits", "luhn": "invalid"},
    {"format": "alphanumeric"},
    {"format": "alphanumeric", "length": 40, "prefix": "x"},
]
REFUSED = "(refused)"


def apply(maker, texts, vault=VAULT, ring=RING, kind=Kind.STRING, **params):
    """What a mask makes of texts."""
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    values = Values(column, np.full(len(column), kind, np.int32), np.arange(len(column), dtype=np.int32))
    mask = maker(TokenizeParams(**{"domain": "customer", **params}), RuleContext(FieldFacts("field"), ring, str, vault=vault))
    masked = mask(values, Context(bytes(32)))
    masked.values.validate(full=True)
    refused = [False] * len(column) if masked.refused is None else masked.refused
    return [REFUSED if no else text for no, text in zip(refused, masked.values.to_pylist(), strict=True)]


def tokens(texts, **options):
    """Tokens of texts."""
    return apply(TECHNIQUE.make, texts, **options)


def back(texts, **options):
    """Values of tokens."""
    return apply(TECHNIQUE.unmake, texts, **options)


def luhn_valid(text):
    """The Luhn check, as ISO/IEC 7812-1 words it."""
    found = [int(c) for c in reversed(text) if c.isdigit()]
    return sum(sum(divmod(2 * x, 10)) if k % 2 else x for k, x in enumerate(found)) % 10 == 0


DIGITS = st.text("0123456789-. ", max_size=20) | st.text("0123456789", min_size=5, max_size=30)
ANY = st.none() | st.text(max_size=30) | DIGITS


@pytest.mark.parametrize("params", FORMS)
def test_there_and_back(params):
    """Tokens are in the output domain and lead back to their values; the same value has the same token, two values never."""
    domain = output_domain(TokenizeParams(domain="customer", **params))

    @example(["4111-1111-1111-1234", "4111111111111234", "123456", "", None, "Jo\u0308rg", "J\u00f6rg", "٣٣٣٣٣٣٣٣", '1"2\\34567'])
    @given(st.lists(ANY, max_size=12))
    def law(texts):
        made = tokens(texts, **params)
        assert made == tokens(texts, **params)
        for text, token in zip(texts, made, strict=True):
            assert token == text if not text else token == REFUSED or (token != text and domain.contains(token))
        given_out = [(text, token) for text, token in zip(texts, made, strict=True) if token != REFUSED]
        assert back([token for _, token in given_out], **params) == [text for text, _ in given_out]
        assert len({token for _, token in given_out}) == len({text for text, _ in given_out})
        assert (REFUSED in made) <= (params.get("format") == "digits")

    law()


def test_each_format():
    """UUIDs are of version 4; alphanumeric tokens have 22 letters and digits unless told otherwise; the prefix stands in front."""
    assert UUID(tokens(["x"])[0]).version == 4
    assert re.fullmatch("[0-9A-Za-z]{22}", tokens(["x"], format="alphanumeric")[0])
    assert re.fullmatch("t-[0-9A-Za-z]{4}", tokens(["x"], format="alphanumeric", length=4, prefix="t-")[0])


def test_digits_keep_length_and_separators():
    """Digits change, what lies between them stays; the same digits have the same token, whatever lies between."""
    first, second, third = tokens(["4111-1111 1111/1234", "4111111111111234", "+1 (415) 555-0100"], format="digits")
    assert re.fullmatch(r"\d{4}-\d{4} \d{4}/\d{4}", first)
    assert re.sub(r"\D", "", first) == second
    assert re.fullmatch(r"\+\d \(\d{3}\) \d{3}-\d{4}", third)


@pytest.mark.parametrize("size", [7, 8, 16, 19, 31])
def test_luhn_on_request(size):
    """Tokens of digits pass the Luhn check, or fail it, or do as chance will."""
    texts = [f"{k:0{size}d}" for k in range(500)]
    assert all(map(luhn_valid, tokens(texts, format="digits", luhn="valid")))
    assert all(luhn_valid(token.removeprefix("7-")) for token in tokens(texts, format="digits", luhn="valid", prefix="7-"))
    assert not any(map(luhn_valid, tokens(texts, format="digits", luhn="invalid")))
    assert 10 < sum(map(luhn_valid, tokens(texts, format="digits"))) < 120


def test_digits_are_spread_evenly():
    """Every digit of a token is as likely as any other, the last one among the wrong check digits included."""
    made = tokens([f"{k:010d}" for k in range(20_000)], domain="even", format="digits", luhn="invalid")
    counts = np.bincount(np.frombuffer("".join(made).encode(), np.uint8) - 48, minlength=10)
    assert counts.min() > 19_000 and counts.max() < 21_000


@pytest.mark.parametrize(
    ("text", "luhn", "taken"),
    [
        ("12345", "any", False),
        ("123456", "any", True),
        ("123456", "valid", False),
        ("123456", "invalid", False),
        ("1234567", "valid", True),
        ("1-2-3-4-5", "any", False),
        ("1e234567", "any", False),
        ("Jane 123456", "any", False),
        ("123456é", "any", False),
        ("١٢٣٤٥٦٧٨", "any", False),
        ("123456\n", "any", False),
        ("-", "any", False),
        ("1" * 1_000, "any", True),
        ("1" * 1_001, "any", False),
    ],
)
def test_what_digits_take(text, luhn, taken):
    """Digits with printable separators, at least six of them (seven under a Luhn rule) and at most 1,000; all else is refused."""
    assert (tokens([text], format="digits", luhn=luhn) != [REFUSED]) == taken


def test_a_token_of_digits_is_never_its_value():
    """In a small domain tokens stay different from their values and from each other."""
    texts = [f"{k:06d}" for k in range(0, 1_000_000, 25)]
    made = tokens(texts, domain="small", format="digits")
    assert len(set(made)) == len(texts)
    assert not any(text == token for text, token in zip(texts, made, strict=True))


def test_duplicates_of_a_batch_have_one_token():
    """A value that comes several times in a batch has one token, also in a slice of a larger array."""
    made = tokens(pa.array(["no", None, "a", "b", "", "a", "b", "a", "no"]).slice(1, 7), domain="twice")
    assert made[0] is None and made[3] == ""
    assert made[1] == made[4] == made[6] != made[2] == made[5]


def test_numbers_count_by_their_text():
    """A number has the token of its JSON text, and comes back as text."""
    assert tokens(["17"], kind=Kind.NUMBER) == tokens(["17"])
    assert back(tokens(["12345678"], kind=Kind.NUMBER, format="digits"), format="digits") == ["12345678"]


def test_domains_and_forms_are_apart():
    """Two domains, and two forms of a domain, have different tokens for a value; a token of one domain means nothing in another."""
    here, there = tokens(["x"]), tokens(["x"], domain="other")
    assert here != there
    assert back(here, domain="other") == [REFUSED]
    assert tokens(["1234567"], format="digits") != tokens(["1234567"], format="digits", luhn="valid")


@pytest.mark.parametrize("params", FORMS)
def test_unknown_tokens_are_refused(params):
    """What is no token, and what lacks the prefix, is refused on the way back; null and "" stay."""
    strange = ["nobody", "00000000-0000-4000-8000-000000000000", "0000000", "9-0000000", params.get("prefix", "") or "x", "1-2"]
    assert back([*strange, None, ""], domain="fresh", **params) == [REFUSED] * len(strange) + [None, ""]


def test_another_key_ring_opens_nothing():
    """With another key ring a token is refused as if it were unknown."""
    assert back(tokens(["x"]), ring=KeyRing.new()) == [REFUSED]


def test_a_crash_after_the_vault_changes_no_token(tmp_path):
    """A batch that reached the vault and not the sink has, run again by another worker, the tokens that it had; nothing is lost."""
    uri, texts = f"sqlite://{tmp_path}/vault.db", [f"v{k}" for k in range(300)]
    crashed = open_vault(uri)  # never closed
    before = tokens(texts[:200], vault=crashed)
    after = tokens(texts, vault=open_vault(uri))
    assert after[:200] == before
    assert back(after, vault=open_vault(uri)) == texts


def test_streams_join():
    """Two masks with the same vault, in whatever order they meet the values, give the same tokens."""
    vault = MemoryVault()
    orders, tickets = [f"c{k}" for k in range(100)], [f"c{k}" for k in range(150, 50, -1)]
    made = dict(zip(orders, tokens(orders, vault=vault), strict=True))
    assert all(made.get(text, token) == token for text, token in zip(tickets, tokens(tickets, vault=vault), strict=True))


def test_without_a_vault_tokens_are_for_show():
    """Without a vault a mask works by itself, as policy checks need it, and there is no way back."""
    assert tokens(["x"], vault=None) != tokens(["x"], vault=None)
    with pytest.raises(PolicyError, match="cannot be reversed without their vault"):
        back(["x"], vault=None)


@pytest.mark.parametrize(
    "params",
    [
        {"domain": ""},
        {"format": "hex"},
        {"luhn": "valid"},
        {"format": "alphanumeric", "luhn": "invalid"},
        {"length": 10},
        {"format": "digits", "length": 10},
        {"format": "alphanumeric", "length": 3},
        {"format": "alphanumeric", "length": 41},
        {"format": "alphanumeric", "length": "9"},
        {"prefix": "x" * 101},
    ],
)
def test_parameters_that_contradict(params):
    """What a format does not take, and lengths that hold too few tokens, are faults of the policy."""
    with pytest.raises(ValidationError):
        TokenizeParams(**{"domain": "d", **params})


def test_promises():
    """tokenize is deterministic, reversible, row-local and keyed."""
    promises = TECHNIQUE.promises(TokenizeParams(domain="d"))
    assert promises.deterministic and promises.reversible and promises.row_local and promises.purposes
