# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of accounts and tax numbers that go by country: IBAN, BIC, VAT numbers of the European Union."""

import numpy as np

from flink_masking.contract.code_kernels import iban_groups_fit
from flink_masking.detect.code_checks_kernels import cif, dni, nie
from flink_masking.detect.digit_kernels import (
    NOT,
    STRONG,
    WEAK,
    falling,
    iso7064_11_10,
    luhn,
    luhn_text,
    nth,
    packed,
    signs,
    strong,
    upper,
    value,
    weighted,
    without,
)
from flink_masking.detect.number_checks_kernels import nip
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at

IBAN_COUNTRIES = ("AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23"
                  "GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30"
                  "NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30")
"""Country and length of every IBAN in the registry (ISO 13616, release of 2025)."""
COUNTRIES = (
    "ADAEAFAGAIALAMAOARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDE"
    "DJDKDMDODZECEEEGERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKE"
    "KGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNU"
    "NZOMPAPEPFPGPHPKPLPMPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJTLTMTNTOTRTTTVTWTZ"
    "UAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW"
)
"""ISO 3166-1 alpha-2, and XK."""


def _by_pair(text: str, size: int) -> np.ndarray:
    """By two capitals, as 26 times the first plus the second, counted from 0: the number that follows them in a text of pieces of `size`
    characters, or 1 where nothing follows; 0 for pairs that are not there."""
    out = np.zeros(26 * 26, np.int64)
    for k in range(0, len(text), size):
        out[(ord(text[k]) - 65) * 26 + ord(text[k + 1]) - 65] = int(text[k + 2 : k + size] or 1)
    return out


IBAN_LENGTHS = _by_pair(IBAN_COUNTRIES, 4)
IS_COUNTRY = _by_pair(COUNTRIES, 2)


@njit(**JIT)
def pair(p):
    """The index of the two capitals at p in a table of `_by_pair`; that of AA where they are none."""
    a, b = at(p) - 65, at(p + 1) - 65
    return a * 26 + b if 0 <= a < 26 and 0 <= b < 26 else np.int64(0)


@njit(**JIT)
def iban(p, e):
    """An IBAN: the country's length, modulo 97."""
    n = IBAN_LENGTHS[pair(p)]
    return strong(0 < n <= e - p <= n + n // 4 + 1 and signs(p, e) == n and iban_groups_fit(p, e, 45 if at(p + 4) == 45 else 32))


@njit(**JIT)
def bic(p, e):
    """A BIC: the country exists; a code without any digit may be a word."""
    if not IS_COUNTRY[pair(p + 4)]:
        return NOT
    q, digits = p, 0
    while q < e:
        digits += at(q) <= 57
        q += 1
    return STRONG if digits else WEAK


@njit(**JIT)
def vat(p, e):
    """A VAT number of a member of the European Union or Northern Ireland: length and check digits by country, WEAK where only the length is
    checked."""
    a, b = upper(at(p)), upper(at(p + 1))
    country = a * 256 + b
    q = p + 2
    while q < e and (at(q) == 32 or at(q) == 45):
        q += 1
    x, n = packed(q, e)
    m = signs(q, e)
    if country == 0x4154:  # AT: U and eight digits
        if at(q) != 85 or n != 8 or m != 9:
            return NOT
        total = np.int64(0)
        for k in range(7):
            d = nth(x, 7 - k)
            total += d if k % 2 == 0 else d * 2 // 10 + d * 2 % 10
        return strong((96 - total) % 10 == nth(x, 0))
    if n != m:
        if country == 0x4553:  # ES
            if m != 9:
                return NOT
            first = upper(at(q))
            if first <= 57:
                return dni(q, e)
            return nie(q, e) if 88 <= first <= 90 else cif(q, e)
        if country == 0x4E4C:  # NL: nine digits, B, two digits
            if m != 12 or n != 11 or upper(at(e - 3)) != 66:
                return NOT
            if (falling(x, 11, 8, 9) - nth(x, 2)) % 11 == 0:
                return STRONG
            total = np.int64(0)
            while p < e:
                c = upper(at(p))
                p += 1
                if c == 32 or c == 45:
                    continue
                total = (total * (10 if c <= 57 else 100) + (c - 48 if c <= 57 else c - 55)) % 97
            return strong(total == 1)
        if country == 0x4652:  # FR with letters in the key
            return WEAK if m == 11 and n >= 9 else NOT
        if country == 0x4945:  # IE
            return WEAK if 8 <= m <= 9 and n >= 6 else NOT
        return WEAK if country == 0x4359 and m == 9 and n == 8 else NOT  # CY
    if country == 0x4245:  # BE
        return strong(n == 10 and nth(x, 9) <= 1 and 97 - value(x, 2, 8) % 97 == value(x, 0, 2) and x != 0)
    if country == 0x4445:  # DE
        return strong(n == 9 and nth(x, 8) > 0 and iso7064_11_10(x, n))
    if country == 0x444B:  # DK
        return strong(n == 8 and x != 0 and weighted(x, n, 0x27654321, 8) % 11 == 0)
    if country == 0x4649:  # FI
        return strong(n == 8 and x != 0 and weighted(x, n, 0x79A58421, 8) % 11 == 0)
    if country == 0x4652:  # FR
        return strong(n == 11 and luhn(x & np.uint64(0xFFFFFFFFF), 9, 0) and (value(x, 0, 9) * 100 + 12) % 97 == value(x, 9, 2))
    if country == 0x4954:  # IT
        return strong(n == 11 and x != 0 and luhn(x, n, 0))
    if country == 0x4C55:  # LU
        return strong(n == 8 and value(x, 2, 6) % 89 == value(x, 0, 2))
    if country == 0x504C:  # PL
        return nip(q, e)
    if country == 0x5054:  # PT
        return strong(n == 9 and nth(x, 8) > 0 and (11 - falling(x, 9, 8, 9) % 11) % 11 % 10 == nth(x, 0))
    if country == 0x5345:  # SE: ten digits with Luhn's check and two
        return strong(n == 12 and value(x, 0, 2) > 0 and luhn(x >> np.uint64(8), 10, 0))
    if country == 0x5349:  # SI
        return strong(n == 8 and nth(x, 7) > 0 and (11 - falling(x, 8, 7, 8) % 11) % 10 == nth(x, 0))
    return WEAK if vat_length(country, n) else NOT


@njit(**JIT)
def vat_length(country, n):
    """Whether a VAT number of digits has its country's length."""
    if country == 0x4247:  # BG
        return n == 9 or n == 10
    if country == 0x435A:  # CZ
        return 8 <= n <= 10
    if country == 0x4C54:  # LT
        return n == 9 or n == 12
    if country == 0x524F:  # RO
        return 6 <= n <= 10
    if country == 0x4545 or country == 0x454C:  # EE, EL
        return n == 9
    if country == 0x4852 or country == 0x4C56:  # HR, LV
        return n == 11
    if country == 0x4855 or country == 0x4D54:  # HU, MT
        return n == 8
    if country == 0x534B:  # SK
        return n == 10
    return country == 0x5849 and (n == 9 or n == 12)  # XI


@njit(**JIT)
def clabe(p, e):
    """A Mexican account number: 18 digits, weights 3, 7, 1, modulo 10 each."""
    total, k, last = np.int64(0), 0, np.int64(0)
    x, n = packed(p, e - (2 if digit(at(e - 2)) else 3))
    y, m = packed(e - 3, e)
    if n != 16 or m < 2:
        return NOT
    for k in range(17):
        d = nth(x, 15 - k) if k < 16 else nth(y, 1)
        total += d * (3 if k % 3 == 0 else 7 if k % 3 == 1 else 1) % 10
    last = nth(y, 0)
    return strong((10 - total % 10) % 10 == last and without(x, 13) != 0)


@njit(**JIT)
def kontonr(p, e):
    """A Norwegian account number: 11 digits, weights, modulo 11."""
    x, n = packed(p, e)
    return strong(n == 11 and x != 0 and weighted(x, n, 0x54327654321, 11) % 11 == 0)


@njit(**JIT)
def ccc(p, e):
    """A Spanish account number: 20 digits, two check digits modulo 11."""
    half, count = p, 0
    while half < e and count < 10:
        count += digit(at(half))
        half += 1
    x, n = packed(p, half)
    y, m = packed(half, e)
    if n != 10 or m != 10:
        return NOT
    first = (11 - weighted(x, 10, 0x485A9736, 8) % 11) % 11
    second = (11 - weighted(y, 10, 0x12485A9736, 10) % 11) % 11
    return strong((1 if first == 10 else first) == nth(x, 1) and (1 if second == 10 else second) == nth(x, 0))


@njit(**JIT)
def track(p, e):
    """Track 2 of a card: the number before ``=`` passes Luhn's check."""
    return strong(luhn_text(p, e - 5))
