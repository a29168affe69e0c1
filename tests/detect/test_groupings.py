"""Identifiers with check digits in the groups that their issuers print, with spaces and hyphens of ASCII and beyond it."""

import pytest
from found import in_text

from flink_masking.detect import TYPES, Detectors

ALL = Detectors()
FORMS = {
    "IBAN": ["DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606",
             "DE89-3704-0044-0532-0130-00"],
    "BANK_ACCOUNT": ["2100 0418 45 0200051332", "2100-0418-45-0200051332", "8601 11 17947", "032 180 00011835971 9",
                     "032-180-00011835971-9"],
    "IMEI": ["35-209900-176148-1", "35 209900 176148 1"],
    "ICCID": ["8914 8000 0000 1234 562", "8901-4103-2111-1851-0720"],
    "US_SSN": ["536-90-4399", "536 90 4399", "536.90.4399"],
    "US_TAX_ID": ["912-70-4567", "912 70 4567", "912.70.4567"],
    "CA_SIN": ["130 692 544", "130-692-544"],
    "AU_TFN": ["tfn 123 456 782", "tfn 123-456-782"],
    "AU_ABN": ["51 824 753 556", "51-824-753-556"],
    "AU_ACN": ["acn 004 085 616", "acn 004-085-616"],
    "AU_MEDICARE": ["2123 45670 1", "2123 45670 1/1"],
    "NZ_IRD": ["ird 49-091-850", "ird 49 091 850", "ird 136-410-132"],
    "IN_AADHAAR": ["2341 2341 2346", "2341-2341-2346"],
    "BR_CPF": ["390.533.447-05"],
    "BR_CNPJ": ["16.727.230/0001-97"],
    "MX_RFC": ["rfc GODE-561231-GR8", "rfc GODE 561231 GR8"],
    "KR_RRN": ["971013-1010008"],
    "KR_BRN": ["116-82-00276"],
    "UK_NINO": ["AB 12 34 56 C", "AB-12-34-56-C"],
    "UK_NHS": ["401 023 2137", "401-023-2137"],
    "DE_STEUER_ID": ["36 574 261 809"],
    "DE_RVNR": ["65 170839 J 003", "65-170839-J-003"],
    "FR_NIR": ["2 95 10 99 126 111 93", "2951099126111 93", "2-95-10-99-126-111-93"],
    "ES_DNI": ["54362315-K", "54362315 K", "54.362.315-K", "54.362.315 K", "X-2482300-W", "X-2.482.300-W", "B-58818501", "B-58.818.501"],
    "IT_CODICE_FISCALE": ["RCC MNL 83S18 D969 H", "RCCMNL 83S18 D969H", "RCC MNL 83S18 D969H"],
    "NL_BSN": ["1112.22.333", "bsn 1112 22 333", "bsn 111 222 333", "bsn 111.222.333"],
    "BE_NATIONAL_NUMBER": ["85.07.30-033.28", "85.07.30-033 28", "85 07 30 033 28", "85-07-30-033-28"],
    "CH_AHV": ["756.9217.0769.85", "756 9217 0769 85", "756-9217-0769-85"],
    "PL_NIP": ["856-734-62-15", "856-73-46-215", "nip 856 734 62 15", "nip 856 73 46 215"],
    "SE_PERSONNUMMER": ["880320-0016", "19880320-0016", "personnummer 880320 0016"],
    "NO_FODSELSNUMMER": ["151086 95088", "151086-95088"],
    "DK_CPR": ["211062-5629", "cpr 211062 5629"],
    "FI_HETU": ["131052-308T"],
    "IS_KENNITALA": ["450401-3150", "kennitala 450401 3150"],
    "VAT_ID": ["vat DE 136695976", "vat DE 136 695 976", "vat BE 0428.759.497", "vat FR 40 303 265 045", "vat ATU13585627",
               "vat AT U13585627", "vat NL 004495445B01", "vat ES B58378431"],
    "CARD_NUMBER": ["4111 1111 1111 1111", "3782-822463-10005", "3056.930902.5904"],
}  # fmt: skip
"""Published forms, by type; of those that are found by a word only, with the word."""
UNGROUPED = {
    "ABA_ROUTING", "US_NPI", "US_DEA", "DE_KVNR", "DE_IDENTITY_CARD", "PASSPORT", "PL_PESEL", "PL_REGON", "TR_TCKN", "CN_RESIDENT_ID",
    "SG_NRIC", "MX_CURP", "VIN", "ISIN", "CRYPTO_ADDRESS", "CARD_TRACK", "GITHUB_TOKEN",
}  # fmt: skip
"""Types with check digits that are written without groups."""
NO_DIGIT = {
    "", "ymd", "dmy", "age", "expiry", "geo", "phone_national", "phone_nanp", "phone_international", "us_zip", "uk_postcode", "spaced",
    "random_tail", "basic_or_bearer", "imsi", "uuid", "mac", "ipv4", "ipv6", "bic", "indian_pan",
}  # fmt: skip
"""Checks without a check digit."""
SPACES, HYPHENS = "\u00a0\u2002\u2007\u2009\u202f\u3000", "\u00ad\u2010\u2011\u2012\u2013\u2212\uff0d"


def written(form: str) -> list[str]:
    """A form with each kind of space, and each kind of hyphen, in the places where it has one."""
    spaced, hyphenated = SPACES if " " in form else "", HYPHENS if "-" in form else ""
    return [form, *(form.replace(" ", space) for space in spaced), *(form.replace("-", sign) for sign in hyphenated)]


@pytest.mark.parametrize("name", FORMS)
def test_published_groups_are_found(name):
    """An identifier is found as a whole in each of its published forms, whatever space or hyphen separates the groups."""
    missed = []
    for form in FORMS[name]:
        first, _, rest = form.partition(" ")
        word, number = (first, rest) if first.islower() else ("no", form)
        missed += [text for text in written(number) if (name, text) not in in_text(ALL, f"{word} {text} x")]
    assert [] == missed


def test_every_type_with_a_check_has_its_forms_here():
    """A type that is found by a check is in the table of this test, or known to be written without groups."""
    checked = {row.name for row in TYPES if any(pattern.check not in NO_DIGIT for pattern in row.patterns)}
    assert checked - UNGROUPED == set(FORMS)
    assert checked >= UNGROUPED


@pytest.mark.parametrize(("text", "expected"), [
    ("zip 94105", ("POSTCODE", "94105")), ("vat DE 136695976", ("VAT_ID", "DE 136695976")),
    ("ust: DE 136695976", ("VAT_ID", "DE 136695976")),
    ("주민등록번호 9710131010008", ("KR_RRN", "9710131010008")), ("주민등록번호: 9710131010008", ("KR_RRN", "9710131010008")),
    ("účet 123456789", ("BANK_ACCOUNT", "123456789")),
])  # fmt: skip
def test_a_word_at_the_beginning_speaks_whatever_it_begins_with(text, expected):
    """A word that says the type counts as the first of its text, too, with whatever letter of whatever script it begins."""
    assert expected in in_text(ALL, text)
