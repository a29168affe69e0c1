"""substitute: realistic, fictitious, consistent."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.substitute import TECHNIQUE, SubstituteParams
from flink_masking.techniques.substitute.catalogue import KINDS, form
from flink_masking.techniques.substitute.forms import WORDS
from flink_masking.techniques.substitute.mask import output_domain
from flink_masking.techniques.substitute.pools import LOCALES, NAMES, pool

RING = KeyRing.new()
EVERY = [(kind, locale) for kind in KINDS for locale in LOCALES]


def run(texts, keys=RING, kinds=None, seed=bytes(32), path="f", **params):
    """The masked values, literals as bytes where there are some, and the refusals."""
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    n = len(column)
    kinds = np.zeros(n, np.int32) if kinds is None else np.array(kinds, np.int32)
    mask = TECHNIQUE.make(SubstituteParams(**{"as": "full_name", **params}), RuleContext(FieldFacts(path), keys, read=str))
    masked = mask(Values(column, kinds, np.arange(n, dtype=np.int32)), Context(seed))
    masked.values.validate(full=True)
    values = masked.values
    if masked.literal is not None:
        values = pa.array([x.encode() if other else x for other, x in zip(masked.literal, values.to_pylist(), strict=True)], pa.binary())
    return values, [False] * n if masked.refused is None else masked.refused.tolist()


def made(texts, **params):
    """The substitutes as a list."""
    return run(texts, **params)[0].to_pylist()


TEXTS = [f"value {i}" for i in range(300)]


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_every_kind_stays_in_its_output_domain(kind, locale):
    """Every substitute is one that the pools can make, and the value itself is not."""
    domain = output_domain(SubstituteParams(**{"as": kind, "locale": locale}))
    values = made(TEXTS[:40], **{"as": kind}, locale=locale)
    assert all(domain.contains(value) for value in values)
    assert not any(domain.contains(text) for text in (*TEXTS[:3], "***", values[0] + "#"))


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_forms_draw_no_more_words_than_there_are(kind, locale):
    """No form draws more parts than a value has random words, and the entries of a part are all different."""
    parts = form(kind, locale)
    assert sum(part.computed is None and len(part.entries) > 1 for part in parts) <= WORDS
    assert all(len(set(part.entries)) == len(part.entries) for part in parts)


@given(st.lists(st.none() | st.text(max_size=30), max_size=20))
def test_consistent_null_and_empty(texts):
    """Same value, same substitute; another value elsewhere changes nothing; null and "" stay."""
    values = made(texts)
    alone = {text: made([text])[0] for text in set(texts)}
    assert values == [alone[text] for text in texts]
    assert all((value is None) == (text is None) and (value == "") == (text == "") for value, text in zip(values, texts, strict=True))


def test_never_the_value_itself():
    """Where the key would choose the value itself, in whatever case, its neighbour in the pool is taken, and always the same one."""
    names = list(pool("en_US", "first"))
    for texts in (names, [name.upper() for name in names]):
        values = [made(texts, **{"as": "first_name"}, domain=f"d{i}") for i in range(20)]
        assert all(value.lower() != text.lower() for column in values for value, text in zip(column, texts, strict=True))
        assert values[0] == made(texts, **{"as": "first_name"}, domain="d0")


def test_check_digits_are_right_for_replaced_ones_too():
    """A substitute fed back gets another one, whose check digits are right again."""
    for kind, valid in (("payment_card", luhn), ("iban", iban)):
        values = made(TEXTS, **{"as": kind})
        again = made(values, **{"as": kind})
        assert all(valid(value) for value in values + again)
        assert not any(a == b for a, b in zip(values, again, strict=True))


def luhn(text):
    """Luhn's check, the plain way."""
    total = sum(sum(divmod(int(c) * (2 if i % 2 else 1), 10)) for i, c in enumerate(reversed(text)))
    return len(text) == 16 and total % 10 == 0


def iban(text):
    """ISO 13616: rearranged, letters as numbers, modulo 97 is 1."""
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def test_cards_pass_luhn_in_no_issued_range():
    """Cards are sixteen digits in the range 9999 of no country, and differ."""
    values = made(TEXTS, **{"as": "payment_card"})
    assert all(luhn(value) and value.startswith("9999") for value in values)
    assert len(set(values)) == len(values)


@pytest.mark.parametrize(("locale", "length", "start"), [
    ("en_US", 22, "GB..ZZZZ"), ("en_GB", 22, "GB..ZZZZ"), ("de_DE", 22, "DE..9"), ("fr_FR", 27, "FR..99999"),
    ("es_ES", 24, "ES..9999"),
])
def test_ibans_are_valid_at_no_bank(locale, length, start):
    """IBANs have their country's length, valid check digits and a bank that does not exist."""
    for value in made(TEXTS, **{"as": "iban"}, locale=locale):
        assert iban(value)
        assert re.fullmatch(start + r"\d+", value)
        assert len(value) == length
        if locale == "fr_FR":
            bank, branch, account, key = int(value[4:9]), int(value[9:14]), int(value[14:25]), int(value[25:])
            assert (89 * bank + 15 * branch + 3 * account + key) % 97 == 0
        if locale == "es_ES":
            assert spanish("00" + value[4:12]) + spanish(value[14:]) == value[12:14]


def spanish(side):
    """One control digit of a Spanish account."""
    check = 11 - sum(int(c) * 2**i % 11 for i, c in enumerate(side)) % 11
    return str({11: 0, 10: 1}.get(check, check))


def test_known_check_digits():
    """The plain checks used here agree with published examples, so they can judge the made ones."""
    assert luhn("4111111111111111")
    assert iban("GB82WEST12345698765432")
    assert iban("ES9121000418450200051332")
    assert spanish("0021000418") + spanish("0200051332") == "45"


@pytest.mark.parametrize(("locale", "form_of_number"), [
    ("en_US", r"\([2-9]\d\d\) 555-01\d\d"), ("en_GB", r"\+44 [\d ]+"),
    ("de_DE", r"\+49 (30 23125|40 66969|69 90009|89 99998|221 4710) \d{3}"),
    ("fr_FR", r"\+33 (1 99 00|2 61 91|3 53 01|4 65 71|5 36 49|6 39 98) \d\d \d\d"), ("es_ES", r"\+34 3\d\d \d{3} \d{3}"),
])
def test_phones_are_set_aside_for_fiction(locale, form_of_number):
    """Phone numbers lie in the ranges that belong to nobody."""
    assert all(re.fullmatch(form_of_number, value) for value in made(TEXTS, **{"as": "phone"}, locale=locale))


@pytest.mark.parametrize("locale", LOCALES)
def test_mail_goes_nowhere(locale):
    """E-mail addresses are plain ASCII at the domains reserved for examples."""
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)", value) for value in made(TEXTS, **{"as": "email"}, locale=locale))


def test_domain_key_and_field():
    """The field does not matter; the domain and the key do."""
    assert made(TEXTS, path="a") == made(TEXTS, path="b[*].c")
    for other in (made(TEXTS, domain="x"), made(TEXTS, keys=KeyRing.new())):
        assert sum(a == b for a, b in zip(made(TEXTS), other, strict=True)) < 5


def test_names_spread_over_first_and_last():
    """First and last names are chosen independently: thousands of values have thousands of full names."""
    values = made([f"v{i}" for i in range(5_000)])
    assert len(set(values)) > 4_950
    assert len({value.split()[0] for value in values}) > 600


def test_random_mode():
    """Random substitutes follow the batch's seed and the field, not the value."""
    assert made(["a"] * 50, mode="random") == made(["b"] * 50, mode="random")
    assert len(set(made(["a"] * 50, mode="random"))) > 40
    assert made(["a"] * 50, mode="random") != made(["a"] * 50, mode="random", seed=b"x" * 32)
    assert made(["a"] * 50, mode="random") != made(["a"] * 50, mode="random", path="g")
    assert made([None, ""], mode="random") == [None, ""]


def test_numbers_stay_numbers():
    """A card or phone that is a JSON number becomes a number; text beside it stays text."""
    values, refused = run(["4111111111111111", "4111111111111111", None, ""], kinds=[Kind.NUMBER, Kind.STRING, Kind.NULL, Kind.STRING],
                          **{"as": "payment_card"})
    assert not any(refused)
    assert values.type == pa.binary()
    number, text, null, empty = values.to_pylist()
    assert luhn(number.decode())
    assert (text, null, empty) == (number, None, b"")
    assert re.fullmatch(rb"4420\d+|44\d+", run(["1"], kinds=[Kind.NUMBER], **{"as": "phone"}, locale="en_GB")[0].to_pylist()[0])


def test_numbers_are_refused_elsewhere():
    """A number where a name is wanted is refused, and nothing of it is in the result."""
    values, refused = run(["12345", "x"], kinds=[Kind.NUMBER, Kind.STRING])
    assert refused == [True, False]
    assert values.to_pylist()[0] == ""


def test_slices_change_nothing():
    """A batch cut in pieces gives the same substitutes."""
    column = pa.array(["a", None, "", "dd", "e" * 70] * 5)
    assert [v for i in range(0, 25, 3) for v in run(column[i:i + 3])[0].to_pylist()] == made(column)


@pytest.mark.parametrize("locale", LOCALES)
def test_pools(locale):
    """Pools are large, without doubles, and hold nothing that JSON would have to escape."""
    for name in NAMES:
        entries = pool(locale, name)
        assert len(set(entries)) == len(entries) >= 50
        assert all(entry.isprintable() and entry.strip() == entry and not set(entry) & set('"\\') for entry in entries)
    assert all(re.fullmatch("[a-z]+", entry) for name in ("first_ascii", "last_ascii") for entry in pool(locale, name))


def test_faker_is_not_needed():
    """Nothing but the script that makes the pools imports faker."""
    import subprocess
    import sys

    code = "import sys; import flink_masking.techniques.substitute.mask as s; s.form('full_name', 'en_US'); print('faker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_fixed_vector():
    """The substitute of a value under a given root never changes between releases."""
    ring = KeyRing.parse(b'{"format": "flink-masking key ring 1", "versions": [{"version": 1, "state": "primary", "created": "2024-03-15",'
                         b'"root": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}', "test")
    assert made(["John Doe"], keys=ring) == ["Allen Bryan"]


@pytest.mark.parametrize("params", [
    {}, {"as": "unicorn"}, {"what": "full_name"}, {"as": "full_name", "locale": "xx_XX"}, {"as": "full_name", "mode": "maybe"},
    {"as": "full_name", "domain": ""}, {"as": "full_name", "mode": "random", "domain": "d"},
])
def test_wrong_parameters(params):
    """Unknown kinds, locales and modes, and a domain that would do nothing, are refused."""
    with pytest.raises(ValidationError):
        SubstituteParams(**params)


def test_known_locales_are_named():
    """The error for an unknown locale lists those there are."""
    with pytest.raises(ValidationError, match=r"en_US.*en_GB.*de_DE.*fr_FR.*es_ES"):
        SubstituteParams(**{"as": "city", "locale": "xx_XX"})


def test_deterministic_by_mode():
    """The technique calls itself deterministic exactly when it is consistent."""
    promises = [TECHNIQUE.promises(SubstituteParams(**{"as": "city", "mode": mode})).deterministic for mode in ("consistent", "random")]
    assert promises == [True, False]
