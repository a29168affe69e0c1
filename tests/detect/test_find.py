"""What is found in texts: types with their bounds, words and keys, secrets, and what is left alone."""

import hypothesis.strategies as st
import numpy as np
import pytest
from found import in_text, reasons
from hypothesis import given

from flink_masking.detect import TYPES, Detectors, Reason, type_named
from flink_masking.errors import PolicyError

ALL = Detectors()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jane.doe@example.com.", [("EMAIL", "jane.doe@example.com")]),
        ("<mailto:o'neil+x@sub.example.co.uk>", [("EMAIL", "o'neil+x@sub.example.co.uk")]),
        ("an (a@b.io), c@d.org; e", [("EMAIL", "a@b.io"), ("EMAIL", "c@d.org")]),
        ("josé@example.com", [("EMAIL", "josé@example.com")]),
        ("邮箱：li@example.com你好", [("EMAIL", "li@example.com")]),
        ("用户@example.com", [("EMAIL", "用户@example.com")]),
        ("no@tld and @handle and a@b.c1", []),
        ("card 4111 1111 1111 1111, ssn 536-90-4399", [("CARD_NUMBER", "4111 1111 1111 1111"), ("US_SSN", "536-90-4399")]),
        ("pay DE89 3704 0044 0532 0130 00 now", [("IBAN", "DE89 3704 0044 0532 0130 00")]),
        ("from 203.0.114.9 or 2001:db8::8a2e:370:7334", [("IP_ADDRESS", "203.0.114.9"), ("IP_ADDRESS", "2001:db8::8a2e:370:7334")]),
        ("at 12:30:45 it was 1:2:3", []),
        ("call +49 30 1234567 or (212) 555-0187", [("PHONE", "+49 30 1234567"), ("PHONE", "(212) 555-0187")]),
        ("Rückruf unter 0302804155 erbeten", [("PHONE", "0302804155")]),
        ("demande un rappel au 0612345678 – voir", [("PHONE", "0612345678")]),
        ("on 2024-01-01 030 1234567", [("DATE", "2024-01-01"), ("PHONE", "030 1234567")]),
        ("bsn 111222333", [("NL_BSN", "111222333")]),
        ("order 111222333", []),
        ("she is 42 years old", [("AGE", "42")]),
        ("GET https://api.example.com/x?token=abcDEF123456789xyz&v=1", [("URL", "https://api.example.com/x?token="), ("URL_SECRET",
            "abcDEF123456789xyz"), ("URL", "&v=1")]),
        ("postgres://app:s3cret@db.example.com:5432/x", [("URL_CREDENTIALS", "app:s3cret")]),
        ("password=hunter2; token: ${TOKEN}", [("PASSWORD", "hunter2")]),
        ('{"api_key": "x7Kq9LmZ2pRt5VwY8bNc"}', [("SECRET", "x7Kq9LmZ2pRt5VwY8bNc")]),
        ("server=tcp:x.example.com;uid=sa;Password=Tr0ub4dor&3x;", [("PASSWORD", "Tr0ub4dor&3x")]),
        ("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\nMIIE+/=", [
            ("PRIVATE_KEY", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\nMIIE+/=")]),
        ("my cuenta 2100 0418 45 0200051332", [("BANK_ACCOUNT", "2100 0418 45 0200051332")]),
        ("číslo účtu 19-2000145399/0800", [("BANK_ACCOUNT", "19-2000145399/0800")]),
        ("atin 912-93-4567", [("US_TAX_ID", "912-93-4567")]),
        ("password: ********, secret=changeme, api_key=xxxxxxxxxxxx", []),
        ("Authorization: Bearer abcdefghij0123456789", [("AUTHORIZATION", "abcdefghij0123456789")]),
        ("AKIAXXXXXXXXXXXXXXXX AKIAIOSFODNN7EXAMPLE", [("AWS_ACCESS_KEY", "AKIAIOSFODNN7EXAMPLE")]),
        ("key -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end",
         [("PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----")]),
        ("cut -----BEGIN PRIVATE KEY-----\nMIIEabc+/=", [("PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\nMIIEabc+/=")]),
        ("Dear Donald van der Voet, hello", [("PERSON", "Donald van der Voet")]),
        ("I met Mary's brother", [("PERSON", "Mary")]),
        ("Ayer José García vino", [("PERSON", "José García")]),
        ("called by Carlos Rodríguez and Piotr Zając", [("PERSON", "Carlos Rodríguez"), ("PERSON", "Piotr Zając")]),
        ("mit François Weiß gesprochen", [("PERSON", "François Weiß")]),
        ("Bahnhofstraße 12, 10115 Berlin", [("STREET_ADDRESS", "Bahnhofstraße 12, 10115 Berlin")]),
        ("lives at 92 Main Street, Springfield", [("STREET_ADDRESS", "92 Main Street, Springfield")]),
        ("id 123e4567-e89b-12d3-a456-426614174000", []),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", [("CRYPTO_ADDRESS", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]),
        ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
         [("PASSPORT", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"), ("PASSPORT", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")]),
    ],
)  # fmt: skip
def test_finds_in_text(text, expected):
    """Types are found with exact bounds, and what only looks like one is left alone."""
    assert expected == in_text(ALL, text)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("customer.name", "Xyzzy Qwrtz", "PERSON"), ("customer.firstName", "Li", "PERSON"), ("product.name", "Blue Chair", None),
        ("fileName", "Anna", None),
        ("customer.phoneNumber", "030 1234567", "PHONE"), ("zip", "94105", "POSTCODE"), ("postalCode", "94105", "POSTCODE"), ("ssn",
            "536904399", "US_SSN"),
        ("payment.card.number", "4111111111111111", "CARD_NUMBER"), ("cvv", "123", "CARD_CVV"), ("accountNumber", "12345678",
            "BANK_ACCOUNT"),
        ("location.lat", "52.5", "GEO"), ("dob", "1971-03-12", "DATE_OF_BIRTH"), ("createdAt", "1971-03-12", None), ("password",
            "s3cret!x", "PASSWORD"),
        ("client_secret", "x7Kq9LmZ2pRt5VwY", "SECRET"), ("client_secret", "changeme", None), ("nextPageToken", "aaaaaaaaaaaaaaaa", None),
        ("user.email", "nobody", None), ("address.city", "Kleinkleckersdorf", "CITY"), ("geburtsdatum", "12.03.1971", "DATE_OF_BIRTH"),
        ("numeroDeTelefono", "912 345 678", "PHONE"), ("codice_fiscale", "RCCMNL83S18D969H", "IT_CODICE_FISCALE"), ("mot_de_passe",
            "azerty12", "PASSWORD"),
        ("bsn", "111222333", "NL_BSN"), ("cpf", "39053344705", "BR_CPF"), ("username", "jdoe42", "USERNAME"), ("age", "42", "AGE"),
        ("page", "42", None),
        ("imei", "352099001761481", "IMEI"), ("passportNumber", "C01X00T47", "PASSPORT"), ("licenseNumber", "D1234567", "DRIVER_LICENSE"),
        ("aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_KEY"), ("idfa",
            "123e4567-e89b-42d3-a456-426614174000", "ADVERTISING_ID"),
    ],
)  # fmt: skip
def test_key_names_tell_types(path, value, expected):
    """The name of a member decides where the value alone does not, and never against its form."""
    found = in_text(ALL, value, path)
    assert ([(expected, value)] if expected else []) == found


def test_reasons_are_told():
    """A finding carries the reasons for its confidence."""
    assert [Reason.FORM | Reason.CHECK] == reasons(ALL, "4111111111111111")
    assert [Reason.FORM | Reason.CHECK | Reason.KEY] == reasons(ALL, "4111111111111111", "cardNumber")
    assert [Reason.FORM | Reason.CHECK | Reason.CONTEXT] == reasons(ALL, "bsn 111222333")
    assert [Reason.KEY] == reasons(ALL, "Xyzzy", "firstName")


def test_locales_raise_confidence_and_never_exclude():
    """A country that is named makes its numbers certain enough; those of other countries are found as before."""
    bare = "nr 39053344705"
    assert [] == in_text(ALL, bare)
    assert [("BR_CPF", "39053344705")] == in_text(Detectors(locales=["BR"]), bare)
    assert [("IT_CODICE_FISCALE", "RCCMNL83S18D969H")] == in_text(Detectors(locales=["BR"]), "RCCMNL83S18D969H")


def test_only_chosen_types_are_found():
    """Types that were not chosen are not found, by no way."""
    chosen = Detectors(["EMAIL", "PERSON"])
    text = "Dear Mary Smith, a@b.io 4111111111111111 password=hunter2 https://u:p@example.org"
    assert [("PERSON", "Mary Smith"), ("EMAIL", "a@b.io")] == in_text(chosen, text)
    assert [] == in_text(chosen, "hunter2x", "password")


def test_unknown_types_have_a_hint():
    """An unknown type is refused with a similar one."""
    with pytest.raises(PolicyError, match="did you mean EMAIL"):
        Detectors(["EMIAL"])
    with pytest.raises(PolicyError, match="1 to 100"):
        Detectors(minimum=0)
    assert TYPES[type_named("IBAN")].name == "IBAN"


@pytest.mark.parametrize("stamp", ["2026-01-08T01:35:00", "2026-01-08T01:35:00.879Z", "2026-01-08T01:35:00+01:00",
                                   "at 2026-01-08T01:35:00Z"])
@pytest.mark.parametrize(("kind", "text"), [("EMAIL", "a@b.io"), ("CARD_NUMBER", "4111 1111 1111 1111"), ("IP_ADDRESS", "8.8.8.8"),
                                            ("PHONE", "+49 30 1234567"), ("MAC_ADDRESS", "3e:a0:ee:e8:b9:99")])  # fmt: skip
def test_a_timestamp_hides_nothing_beside_it(kind, text, stamp):
    """A timestamp is passed over as a whole: what stands before and after it is found, and nothing inside of it."""
    assert [(kind, text)] == in_text(ALL, f"{stamp} {text}")
    assert [(kind, text)] == in_text(ALL, f"{text}, {stamp}")
    assert [] == in_text(ALL, stamp)


def test_what_only_looks_like_a_timestamp_is_searched():
    """A text with some of the signs of a timestamp in their places is searched as any other."""
    assert [("EMAIL", "35@b.io")] == in_text(ALL, "2026-01-08T01:35@b.io")
    assert [("EMAIL", "aa@b.io")] == in_text(ALL, "2026-01-08T01:35:aa@b.io")


def test_names_can_be_left_out():
    """Without names nothing is found by lists and rules of running text."""
    assert [] == in_text(Detectors(names=False), "Dear Mary Smith of Berlin")


def test_overlapping_findings_leave_no_gap():
    """Without overlaps every byte that a certain candidate covers is covered by a finding."""
    rng = np.random.default_rng(7)
    pieces = ["4111111111111111", " 536-90-4399", "a@b.io", "https://u:pw@example.org/?key=abcDEF12345678", "+49 30 1234567", " Mary Smith",
              " 12 Main Street", "-", " ", "8.8.8.8"]
    for _ in range(300):
        raw = "".join(rng.choice(pieces, 6)).encode()
        data, start, end = np.frombuffer(raw, np.uint8), np.zeros(1, np.int64), np.array([len(raw)])
        every, kept = ALL.find(data, start, end, overlaps=True), ALL.find(data, start, end)
        covered = np.zeros(len(raw), bool)
        for s, e in zip(kept.starts, kept.ends, strict=True):
            assert not covered[s:e].any()
            covered[s:e] = True
        for s, e in zip(every.starts, every.ends, strict=True):
            assert all(covered[k] or not raw[k : k + 1].isalnum() for k in range(s, e)), raw


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_searched(values):
    """Invalid UTF-8 never raises, and findings lie inside their values."""
    data = np.frombuffer(b"".join(values) or b"\0", np.uint8)
    ends = np.cumsum([0, *map(len, values)]).astype(np.int64)
    found = ALL.find(data, ends[:-1], ends[1:])
    assert (found.starts >= ends[:-1][found.values]).all() and (found.ends <= ends[1:][found.values]).all()
    assert (found.starts < found.ends).all()


@given(st.text(st.sampled_from("aé@.中😀 4111-:/=pw\n"), max_size=80))
def test_findings_never_split_a_character(text):
    """Both ends of a finding are bounds of characters."""
    raw = text.encode()
    found = ALL.find(np.frombuffer(raw or b"\0", np.uint8), np.zeros(1, np.int64), np.array([len(raw)]))
    for s, e in zip(found.starts, found.ends, strict=True):
        raw[s:e].decode()


@given(st.lists(st.sampled_from(["a@b.io", "Mary Smith", "4111111111111111", "x", "", "+49 30 1234567"]), min_size=1, max_size=6))
def test_values_do_not_influence_each_other(values):
    """Splitting a batch changes nothing."""
    raw = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    data = np.frombuffer(b"".join(raw) or b"\0", np.uint8)
    together = ALL.find(data, ends[:-1], ends[1:])
    apart = [ALL.find(data, ends[k : k + 1], ends[k + 1 : k + 2]) for k in range(len(raw))]
    for column, pieces in zip(("types", "starts", "ends", "confidence", "reasons"), zip(*((f.types, f.starts, f.ends, f.confidence,
        f.reasons) for f in apart), strict=True), strict=True):
        assert np.concatenate(pieces).tolist() == getattr(together, column).tolist()


@pytest.mark.parametrize("token", [b"a", b"1", b"a.", b"1 ", b"0:", b"eyJ", b"eyJa.", b"sk-", b"key=", b"://", b"@", b"a@", b"GB33 ",
                                   b"-----BEGIN PRIVATE KEY-----", b"Mary ", b"\xc3\xa9", b"\xff", b"\"\\"])
def test_a_megabyte_of_one_token(token):
    """A megabyte of anything comes to an end, and findings stay inside."""
    data = np.frombuffer(token * (1_000_000 // len(token)), np.uint8)
    found = ALL.find(data, np.zeros(1, np.int64), np.array([len(data)]))
    assert not len(found.ends) or found.ends.max() <= len(data)


def test_bounds_are_checked():
    """A value outside of the data is refused before any kernel runs."""
    for starts, ends in (([0], [9]), ([-1], [2]), ([3], [2]), ([0, 1], [2])):
        with pytest.raises(ValueError, match=r"outside|differ"):
            ALL.find(np.zeros(4, np.uint8), np.array(starts), np.array(ends))
    with pytest.raises(ValueError, match="hints"):
        ALL.find(np.zeros(4, np.uint8), np.array([0]), np.array([4]), np.array([99], np.int32))
