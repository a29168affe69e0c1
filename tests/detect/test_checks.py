"""Every check against an oracle: python-stdnum, phonenumbers, or published examples."""

import base64
import json
import random
import re
import zlib

import numpy as np
import phonenumbers
import pytest
from regex_examples import example
from stdnum import iban, imei, isin, luhn, verhoeff
from stdnum.au import abn, acn, tfn
from stdnum.be import nn
from stdnum.br import cnpj, cpf
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import ccc, cif, dni, nie
from stdnum.eu import vat
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp, rfc
from stdnum.nl import bsn
from stdnum.no import fodselsnummer, kontonr
from stdnum.nz import ird
from stdnum.pl import nip, pesel, regon
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import itin, rtn, ssn

from flink_masking.detect.calling_codes_kernels import LENGTHS
from flink_masking.detect.checks_kernels import CHECKS, check_text
from flink_masking.detect.digit_kernels import STRONG

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def verdict(name: str, text: str) -> int:
    """What a check says of a text: 0, 1 or 2."""
    raw = np.frombuffer(text.encode() + b"\0" * 64, np.uint8)[: len(text.encode())]
    return check_text(raw, CHECKS.index(name))


ORACLES = {
    "imei": (r"\d{15}", imei.is_valid), "ssn": (r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
    "nhs": (r"\d{3} \d{3} \d{4}", nhs.is_valid), "tfn": (r"\d{8,9}", tfn.is_valid), "abn": (r"[1-9]\d{10}", abn.is_valid),
    "acn": (r"\d{3} \d{3} \d{3}", acn.is_valid), "ird": (r"\d{8,9}", ird.is_valid), "aadhaar": (r"[2-9]\d{11}", aadhaar.is_valid),
    "steuer_id": (r"[1-9]\d{10}", idnr.is_valid), "bsn": (r"\d{9}", bsn.is_valid), "ean13": (r"756\d{10}", ahv.is_valid),
    "pesel": (r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])\d{5}", pesel.is_valid),
    "nip": (r"[1-9]\d{9}", nip.is_valid), "regon": (r"(?:\d{9}|\d{14})", regon.is_valid),
    "personnummer": (r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])-\d{4}", personnummer.is_valid),
    "kennitala": (r"(?:0[1-9]|1\d|2[0-8])(?:0[1-9]|1[0-2])\d{5}[09]", kennitala.is_valid), "cpf": (r"\d{11}", cpf.is_valid),
    "cnpj": (r"\d{14}", cnpj.is_valid),
    "aba": (r"(?:0[0-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}", rtn.is_valid), "isin": (r"US[A-Z0-9]{9}\d", isin.is_valid),
    "tckn": (r"[1-9]\d{10}", tckimlik.is_valid),
    "dni": (r"\d{8}[A-HJ-NP-TV-Z]", dni.is_valid), "nie": (r"[XYZ]\d{7}[A-HJ-NP-TV-Z]", nie.is_valid),
    "cif": (r"[A-HJNP-SUVW]\d{7}[0-9A-J]", cif.is_valid),
    "hetu": (r"(?:0[1-9]|1\d|2[0-8])(?:0[1-9]|1[0-2])\d\d[-A]\d{3}[0-9A-Y]", lambda x: hetu.is_valid(x, allow_temporary=True)),
    "nir": (r"[12]\d{2}(?:0[1-9]|1[0-2])(?:\d\d|2A|2B)\d{8}", nir.is_valid), "ccc": (r"\d{20}", ccc.is_valid), "kontonr": (r"[1-9]\d{10}",
        kontonr.is_valid),
    "curp": (r"BOX[W-Z]\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])[HM]NERXN0\d", curp.is_valid),
    "codice_fiscale": (r"[B-D]{3}[F-H]{3}\d\d[A-EHLMPRST](?:0[1-9]|1\d|2[0-8])[A-M]\d{3}[A-Z]", codicefiscale.is_valid),
}  # fmt: skip
"""For each check texts of the right form, and an oracle that says which of them are right."""

AT_LEAST = {
    "ric": (r"360426(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])\d{3}[0-9X]", ric.is_valid),
    "itin": (r"9\d{2}-\d{2}-\d{4}", itin.is_valid), "belgian": (r"[0-9][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])\d{5}", nn.is_valid),
    "fodselsnummer": (r"(?:0[1-9]|1\d|2[0-8])(?:0[1-9]|1[0-2])\d{7}", fodselsnummer.is_valid),
    "cpr": (r"(?:0[1-9]|1\d|2[0-8])(?:0[1-9]|1[0-2])\d{6}", cpr.is_valid),
    "rrn": (r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])[1-8]\d{6}", rrn.is_valid),
    "rfc": (r"GODE\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])[A-Z0-9]{2}[0-9A]", lambda x: rfc.is_valid(x, validate_check_digits=True)),
    "vat": (r"(?:ATU\d{8}|BE0\d{9}|DE[1-9]\d{8}|DK\d{8}|FI\d{8}|FR\d{11}|IT\d{11}|"
            r"LU\d{8}|NL\d{9}B0\d|PL[1-9]\d{9}|PT[1-9]\d{8}|"
            r"SE\d{10}01|SI\d{8}|ES[A-H]\d{8}|IE\d{7}[A-W]|EE\d{9}|HU\d{8}|CZ\d{8,10}|RO\d{6,10}|SK\d{10}|HR\d{11})", vat.is_valid),
    "iban": (r"(?:DE\d{20}|NL\d{2}[A-Z]{4}\d{10}|FR\d{12}[A-Z0-9]{11}\d{2}|BE\d{14})", iban.is_valid),
}  # fmt: skip
"""Checks that accept whatever the oracle does, and more: numbers of people who are not born yet, issues without a check digit."""


def candidates(pattern: str, rng: random.Random, count: int) -> list[str]:
    """Texts of a form, each with every last sign in the place of its own, so that right ones are among them."""
    out = []
    for _ in range(count):
        text = example(pattern, rng)
        last = SIGNS if not text[-1].isdigit() or re.search(r"\[0-9A|X\]", pattern[-10:]) else SIGNS[:10]
        out += [text, *(text[:-1] + sign for sign in last)]
    return out


@pytest.mark.parametrize("name", ORACLES)
def test_checks_agree_with_stdnum(name):
    """A check is STRONG for exactly the texts of its form that python-stdnum takes for valid."""
    pattern, oracle = ORACLES[name]
    rng, right = random.Random(name), 0
    for text in candidates(pattern, rng, 400):
        expected = oracle(text)
        if len(set(re.sub(r"\W", "", text))) == 1:  # one digit all through is nobody's number
            continue
        right += expected
        assert expected == (verdict(name, text) == STRONG), text
    assert right >= 5


@pytest.mark.parametrize("name", AT_LEAST)
def test_checks_accept_what_stdnum_does(name):
    """A check accepts whatever python-stdnum takes for valid, and refuses most of the rest of the form."""
    pattern, oracle = AT_LEAST[name]
    rng, right, wrong, accepted = random.Random(name), 0, 0, 0
    for text in candidates(pattern, rng, 1500):
        if len(set(text[2:])) == 1:
            continue
        if oracle(text):
            right += 1
            assert verdict(name, text), text
        else:
            wrong += 1
            accepted += verdict(name, text) == STRONG
    assert right >= 5
    assert accepted < (0.5 if name == "itin" else 0.2) * wrong


PUBLISHED = {
    "npi": ["1234567893"], "brn": ["116-82-00276", "220-81-62517"], "dea": ["AB1234563"], "vin": ["1M8GDM9AXKP042788",
        "5GZCZ43D13S812715"], "sin": ["130692544"], "nric": ["S1234567D", "F1234567N", "G1234567X", "T1234567J"],
    "rvnr": ["65170839J003"], "kvnr": ["A123456780"], "identity_card": ["T220001293"],
    "mrz_second": ["L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    "medicare_au": ["2123456701"], "clabe": ["032180000118359719"], "nino": ["AB123456C"],
    "base58check": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"],
    "bech32": ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"],
    "eip55": ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"],
    "monero": ["44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"],
    "card": ["4111111111111111", "378282246310005", "6011 1111 1111 1117", "3530-1113-3330-0000", "30569309025904"],
    "ipv4": ["8.8.8.8"], "ipv6": ["2001:db8::8a2e:370:7334", "fe80::1"], "bic": ["DEUTDEFF500"], "iccid": ["89014103211118510720"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000"], "geo": ["52.5200, 13.4050"],
    "us_zip": ["CA 94105"], "uk_postcode": ["SW1A 1AA"], "indian_pan": ["ACUPA7085R"], "track": [";4111111111111111=2512"],
    "mac": ["00:1a:2B:3c:4d:5e"], "ymd": ["2024-02-29"], "dmy": ["31.12.1999", "12/31/1999"], "age": ["42 years old"],
    "mrz_first": ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"],
}  # fmt: skip
"""Examples that issuers or standards have published."""

DIFFERENT = {"nino", "us_zip", "uk_postcode", "indian_pan", "ipv4", "geo", "ymd", "dmy", "age", "bic", "ipv6", "mac", "uuid", "mrz_first",
             "track"}
"""Checks without a check digit: a changed digit may be right, too."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_checks_accept_published_examples(name):
    """A check is STRONG for published examples, and not for most of them with one digit changed."""
    for text in PUBLISHED[name]:
        assert verdict(name, text) == STRONG, text
        if name in DIFFERENT:
            continue
        changed = [text[:k] + str((int(c) + 1) % 10) + text[k + 1 :] for k, c in enumerate(text) if c.isdigit() and k > 2]
        refused = [verdict(name, other) != STRONG for other in changed]
        assert sum(refused) >= 0.6 * len(refused), text


@pytest.mark.parametrize(
    ("name", "text"),
    [("card", "1234 5678 9012 3456"), ("card", "0000000000000000"), ("ssn", "000-12-3456"), ("ssn", "666-12-3456"), ("ssn", "078-05-1120"),
     ("nino", "BG123456A"), ("ymd", "2023-02-29"), ("dmy", "31.13.1999"),
     ("age", "150 years old"), ("age", "0 years old"), ("mac", "00:00:00:00:00:00"), ("uuid", "00000000-0000-0000-0000-000000000000"),
     ("ipv4", "256.1.1.1"), ("ipv6", "1:2:3"), ("bic", "PASSWORD"), ("geo", "95.1234, 13.4050"),
     ("iban", "DE89370400440532013001"), ("iban", "XX89370400440532013000"), ("phone_national", "11111111"), ("expiry", "13/25"), ("imsi",
         "999012345678901")],
)  # fmt: skip
def test_checks_refuse(name, text):
    """A check refuses what has the form and cannot be of the type."""
    assert verdict(name, text) == 0


def test_special_addresses_are_weak():
    """Addresses that are private, of this host or reserved say less about a person."""
    assert [1] * 5 == [verdict("ipv4", text) for text in ("10.0.0.1", "192.168.1.1", "172.16.0.9", "127.0.0.1", "255.255.255.255")]


def test_calling_codes_are_those_of_phonenumbers():
    """The table of calling codes has every length of numbers that phonenumbers knows."""
    from phonenumbers.phonemetadata import PhoneMetadata

    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        wanted = 0
        for region in regions:
            wanted |= sum(1 << n for n in set(PhoneMetadata.metadata_for_region_or_calling_code(code, region).general_desc.possible_length))
        assert wanted == LENGTHS[code], code


def test_international_numbers_that_phonenumbers_takes_for_possible():
    """Every example number of phonenumbers is accepted, however it is written."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
            text = phonenumbers.format_number(number, form)
            assert verdict("phone_international", text) == STRONG, text
    assert verdict("phone_international", "+999 123 4567") == 0
    assert verdict("phone_international", "+49 1") == 0


def test_github_tokens_are_checked_by_their_crc():
    """A token whose last six characters are the CRC-32 of the thirty before is STRONG, another one WEAK."""
    alphabet, rng = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", random.Random(5)
    for _ in range(50):
        body = "".join(rng.choices(alphabet, k=30))
        crc, tail = zlib.crc32(body.encode()), ""
        for _ in range(6):
            crc, digit = divmod(crc, 62)
            tail = alphabet[digit] + tail
        assert verdict("github", f"ghp_{body}{tail}") == STRONG
        assert verdict("github", f"ghp_{body[::-1]}{tail}") == 1


def test_luhn_and_verhoeff_agree_with_stdnum():
    """The sums that many types share agree with python-stdnum on random digits."""
    rng = random.Random(8)
    for _ in range(3000):
        digits = "".join(rng.choices("0123456789", k=rng.choice((13, 15, 16, 19))))
        if len(digits) == 15 and len(set(digits)) > 1:
            assert luhn.is_valid(digits) == (verdict("imei", digits) == STRONG)
        aadhaar_digits = digits[:12]
        if verdict("aadhaar", aadhaar_digits) == STRONG:
            assert verhoeff.is_valid(aadhaar_digits)


def test_token_headers_are_decoded():
    """The header of a web token is read whatever its members and their order."""
    from flink_masking.detect import Detectors

    found = Detectors()
    for header in ({"alg": "HS256"}, {"typ": "JWT", "alg": "none"}, {"kid": "x" * 40, "alg": "RS256", "typ": "JWT"}):
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, {"sub": "1", "iat": 2})]
        text = f"see {parts[0]}.{parts[1]}.c2lnbmF0dXJl now"
        raw = np.frombuffer(text.encode(), np.uint8)
        findings = found.find(raw, np.zeros(1, np.int64), np.array([len(raw)]))
        assert [(4, len(text) - 4, 98)] == [(int(s), int(e), int(c)) for s, e, c in zip(findings.starts, findings.ends,
                                                                                        findings.confidence, strict=True)]
