"""Which texts have the form of a type: good ones and near misses, in a column and alone at the end of a buffer."""

import numpy as np
import pyarrow as pa
import pytest

from flink_masking import arrow
from flink_masking.contract.field import contract_of
from flink_masking.contract.forms import FORMS
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Contents

GOOD = {
    "datetime": ["2024-03-15T10:00:00Z", "2024-02-29", "2024-12-31T23:59:59.123456789+01:00", "2024-03-30 10:00", "2024-12-31T23:59:59Z"],
    "date": ["2024-02-29", "0001-01-01"],
    "partial_date": ["1971", "1971-04", "2024-02-29", "2024-03-15T10:00:00Z"],
    "time": ["10:00", "10:00:01.5", "23:59:59Z", "10:00+01:00"],
    "email": ["é@b.com", "josé.pérez@example.com", "\U0001f600smile@example.com",
              "a@example.com", "jedrzej.stepka1185@example.com", "x_y+z@a-b.co.uk", "o'neil@x.io", "a@xn--80ak6aa92e.xn--p1ai",
              "a.very.long.local.part@a.very.long.host.name.example.org", "a" * 40 + "@" + "b" * 14 + ".examp"],
    "us_ssn": ["078-05-1120", "078 05 1120", "078051120"],
    "payment_card": ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "378282246310005", "3782 822463 10005",
                     "3056 930902 5904", "3056-930902-5904", "4222 222 222 222", "4222-2222-2222-2", "630400000 000000"],
    "phone": ["+15125550166", "(512) 555-0166", "+49 89 123456", "0512/5550166", "555-0100", "+1 (512) 555-0166"],
    "iban": ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "ip_address": ["1.2.3.4", "255.255.255.255", "::1", "2001:db8::1", "::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000"],
    "url": ["https://example.com/a?b=c", "http://localhost:8080", "http://[::1]:80/x", "ftp://1.2.3.4"],
    "postal_code": ["12345", "12345-6789", "SW1A 1AA", "K1A 0B1", "00-950", "1234 AB"],
    "vin": ["1HGCM82633A004352"],
    "mac_address": ["00:1A:2b:3c:4d:5e", "00-1A-2b-3c-4d-5e"],
    "imei": ["490154203237518"],
    "cvv": ["123", "1234"],
    "card_expiry": ["12/27", "01/2030"],
}  # fmt: skip
BAD = {
    "datetime": ["John Doe, 12 Main St", "2024-13-01T00:00:00Z", "2024-02-30", "2024-03-15T24:00:00Z", "2024-03-15T10:00:00.1234567890Z",
                 "2024-03-15T10:0a:00Z", "2024-03-15T10:00:00Zx", "0000-01-01T00:00:00Z", "2024-03-15" + "\0" * 10, "2024-02-30T10:00:00Z"],
    "date": ["2024-02-30", "2024-03-15T10:00:00Z", "John", "20240315", "٢٠٢٤-٠٣-١٥"],
    "partial_date": ["197", "0000", "1971-00", "1971-13", "1971-4", "1971-", "1971-04-", "1971-04-31", "197104", "19710", "John",
                     "1971-0a"],
    "time": ["24:00", "1000", "10:00 John", "10:0", "10:00:00.1234567890"],
    "email": ["a@example.com, john.doe@example.com; SSN 078-05-1120", "a@b", "a@@b.com", "@b.com", "a@b..com", "a@-b.com", "a@b-.com",
              "a@b.c1", "a b@c.com", "a@b.com ", "a@b.com\n", "a@b.4111111111111111", "é\u00a0b@b.com", "a\u2003b@c.com",
              "a\ufeffb@c.com", "a@b.cöm", "a@.b.com", "a@b.com.",
              "a" * 65 + "@example.com", "john doe@a.very.very.long.host.name.example.com", "a@example.com\0John"],
    "us_ssn": ["078-05-112", "078-05 1120", "07805112a", "a78-05-1120", "078-05-1120 "],
    "payment_card": ["4111 1111 1111 1112", "4111-1111 1111-1111", "411111111111111", "41111111111111111111", "4111  1111 1111 1111",
                     "4111-1111-1111-111a", "4111111111111١", "3056 930902-5904", "3056.930902.5904", "3056 930902 5905"],
    "phone": ["123", "John", "+1512555016612345", "512--5550166", "512 555 0166 ", "٠١٢٣٤٥٦٧", "(512 5550166"],
    "iban": ["DE89370400440532013001", "de89370400440532013000", "DE89 3704", " DE89370400440532013000"],
    "ip_address": ["1.2.3", "1.2.3.256", "01.2.3.4", "::1::", "1:2:3:4:5:6:7:8:9", "12345::", "1:2:3:4:5:6:7", "fe80::1%eth0", "1.2.3.4.",
                   "John", ":1"],
    "uuid": ["123e4567-e89b-12d3-a456-42661417400g", "123e4567e89b12d3a456426614174000"],
    "url": ["https://", "John", "http://a b.com", "javascript:alert(1)", "https://example"],
    "postal_code": ["Alice", "John 1 Doe St", "078-05-1120", "078051120", "1", "12345-678 9", "--123"],
    "vin": ["1HGCM82633A00435O"],
    "mac_address": ["00:1A-2b:3c:4d:5e"],
    "imei": ["490154203237519"],
    "cvv": ["12", "12a"],
    "card_expiry": ["13/27", "12/27/"],
}  # fmt: skip
NUMBERS = ["0", "-1", "12.34", "1e2", "300", "300.00", "300.01", "0.001", "0e4111111111111111", "4111111111111111", "1e-9", "-0", "3e2",
           "30000e-2", "1.1000000000", "1" * 50, "1e9999"]  # fmt: skip


def unfit(kind, texts, of=Kind.STRING, **declared):
    """The texts that break the contract."""
    column = pa.array(texts, pa.string())
    data, offsets, _ = arrow.parts(column)
    kinds = np.where(column.is_null().to_numpy(zero_copy_only=False), Kind.NULL, of).astype(np.int32)
    contract = contract_of(kind, True, **declared)
    found = contract.unfit(Contents(data, offsets[:-1], offsets[1:], kinds), column)
    return [] if found is None else [text for text, wrong in zip(texts, found, strict=True) if wrong]


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_a_form(kind):
    """Every good text fits and every near miss does not, whatever its neighbours; null and the empty text always fit."""
    assert unfit(kind, [*GOOD[kind], None, ""]) == []
    assert unfit(kind, [*BAD[kind], None, ""]) == BAD[kind]
    assert [text for text in GOOD[kind] if unfit(kind, [text])] == [] and [text for text in BAD[kind] if not unfit(kind, [text])] == []


def test_every_form_is_tried():
    """The lists above have every type that has a form of text."""
    assert set(GOOD) == set(BAD) == {kind for kind, form in FORMS.items() if kind not in ("number", "integer", "boolean", "geo", "text")}


def test_numbers():
    """Bounds are exact, decimals are counted by value, and neither an exponent nor a long tail of digits can hide anything."""
    assert unfit("number", NUMBERS, Kind.NUMBER) == ["0e4111111111111111", "1" * 50, "1e9999"]
    assert unfit("number", NUMBERS, Kind.NUMBER, bounds=(0, 300), scale=2) == [
        "-1", "300.01", "0.001", "0e4111111111111111", "4111111111111111", "1e-9", "1" * 50, "1e9999"]
    assert unfit("number", ["0", "300.5", "-0.1", "300.0001", "45.5"], Kind.NUMBER, domain=(0, 300)) == ["300.5", "-0.1", "300.0001"]
    assert unfit("number", ["0.1", "0.09", "0.25", "0.26"], Kind.NUMBER, domain=(0.1, 0.25)) == ["0.09", "0.26"]
    assert unfit("integer", ["7", "7.0", "7e0", "121"], Kind.NUMBER, domain=(0, 120)) == ["7.0", "7e0", "121"]
    assert unfit("number", ["12"], Kind.STRING) == ["12"]


def test_places():
    """A place has one latitude and one longitude in range and no other member but an altitude or accuracy."""
    good = ['{"lat":1,"lon":2}', '{ "latitude" : 1.5 , "lng" : -180 , "accuracy":5 }']
    bad = ['{"lat":1,"lon":2,"note":"John"}', '{"lat":91,"lon":2}', '{"lat":1}', '{"lat":1,"lat":1,"lon":1}', '{"lat":0e4111111,"lon":1}']
    assert unfit("geo", good + bad, Kind.OBJECT) == bad


def test_other_declarations():
    """Domains of dates, prefixes, closed lists and patterns; alone they say the kind, too."""
    assert unfit(None, ["2024-01-01", "2024-12-31T23:00:00Z", "2025-01-01"], domain=("2024-01-01", "2024-12-31")) == ["2025-01-01"]
    assert unfit(None, ["abc", "abcdef", "éééé", "ééééé"], prefix=4) == ["abcdef", "ééééé"]
    assert unfit(None, ["a", "b", "", "a "], values=["a"]) == ["b", "a "]
    assert unfit(None, ["E11.9", "John", "xE11", "E11.9\n"], pattern="[A-Z][0-9]{2}([.][0-9])?|never") == ["John", "xE11", "E11.9\n"]
    assert unfit(None, ["1"], Kind.NUMBER, values=["1"]) == ["1"] and unfit(None, ["94110"], Kind.NUMBER, prefix=5) == []
    assert contract_of(None, True) is None and contract_of("json", True) is None and contract_of("emial", False) is None


@pytest.mark.parametrize("declared", [
    {"kind": "email", "bounds": (0, 1)}, {"kind": "email", "domain": ("2024-01-01", "2025-01-01")}, {"kind": "number", "values": ["a"]},
    {"kind": None, "pattern": "("}, {"kind": None, "pattern": "a)|(b"}, {"kind": None, "domain": ("a", "b")},
])  # fmt: skip
def test_contradictions(declared):
    """A declaration that contradicts itself, or a pattern that is none, is refused with a hint."""
    with pytest.raises(PolicyError, match="Hint: "):
        contract_of(declared.pop("kind"), True, **declared)


NEIGHBOURS = "0159aZz.,-:@/ T+_~\0\"\x7fé\n"
"""What the variants below have in the place of a character: those at the edges of classes, and the separators of all forms."""


def variants(text):
    """The texts that differ from one in one character: another, one more, one less."""
    yield from (text[:k] + c + text[k + rest :] for k in range(len(text) + 1) for c in NEIGHBOURS for rest in (0, 1))
    yield from (text[:k] + text[k + 1 :] for k in range(len(text)))


@pytest.mark.parametrize("kind", ["datetime", "email", "us_ssn", "payment_card"])
def test_the_quick_check_of_the_usual_spelling(kind):
    """A value with readable bytes behind it, whose check may look at 32 at once, fits exactly when it fits alone at the end of memory."""
    texts = sorted({text for good in GOOD[kind] for text in variants(good)} - {""})
    found = set(unfit(kind, [*texts, " " * 64]))
    assert [text for text in texts if (text in found) != bool(unfit(kind, [text]))] == []
    assert 0 < len(found) < len(texts)


@pytest.mark.parametrize("declared", [{}, {"scale": 2}, {"bounds": (0, 300), "scale": 2}, {"domain": (-5.5, 40)}])
@pytest.mark.parametrize("kind", ["number", "integer"])
def test_the_quick_check_of_short_numbers(kind, declared):
    """The same for numbers, which are as the scanner lets them through."""
    texts = [f"{sign}{whole}{rest}" for sign in ("", "-") for whole in (0, 5, 40, 299, 300, 301, 99999, 1234567, 12345678)
             for rest in ("", ".0", ".5", ".01", ".00", ".001", ".10000", "e1", "E-2", ".5e0")]  # fmt: skip
    found = set(unfit(kind, [*texts, "1" * 64], Kind.NUMBER, **declared))
    assert [text for text in texts if (text in found) != bool(unfit(kind, [text], Kind.NUMBER, **declared))] == []
