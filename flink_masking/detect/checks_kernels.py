# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Every check by its number: what a candidate of a pattern must pass."""

import numpy as np

from flink_masking.detect.code_checks_kernels import (
    cif,
    codice_fiscale,
    curp,
    dea,
    dni,
    hetu,
    identity_card,
    indian_pan,
    isin,
    kvnr,
    mrz_first,
    mrz_second,
    nie,
    nino,
    nir,
    nric,
    rfc,
    ric,
    rvnr,
    us_zip,
    vin,
)
from flink_masking.detect.digit_kernels import WEAK
from flink_masking.detect.finance_checks_kernels import bic, ccc, clabe, iban, kontonr, track, vat
from flink_masking.detect.number_checks_kernels import (
    aadhaar,
    aba,
    abn,
    acn,
    belgian,
    brn,
    bsn,
    card,
    cnpj,
    cpf,
    cpr,
    ean13,
    ein,
    fodselsnummer,
    iccid,
    imei,
    imsi,
    ird,
    itin,
    kennitala,
    medicare_au,
    nhs,
    nip,
    npi,
    personnummer,
    pesel,
    regon,
    rrn,
    sin,
    ssn,
    steuer_id,
    tckn,
    tfn,
)
from flink_masking.detect.place_checks_kernels import (
    age,
    dmy,
    expiry,
    geo,
    ipv4,
    ipv6,
    mac,
    phone_international,
    phone_nanp,
    phone_national,
    spaced,
    uk_postcode,
    uuid,
    ymd,
)
from flink_masking.detect.token_checks_kernels import (
    basic_or_bearer,
    github,
    random_tail,
)
from flink_masking.detect.wallet_checks_kernels import (
    base58check,
    bech32,
    eip55,
    monero,
)
from flink_masking.kernels import I64, JIT, U8, njit
from flink_masking.kernels.memory import outlined

CHECKS = (
    "", "aadhaar", "aba", "abn", "acn", "age", "base58check", "basic_or_bearer", "bech32", "belgian", "bic", "brn", "bsn", "card",
    "ccc", "cif", "clabe", "cnpj", "codice_fiscale", "cpf", "cpr", "curp", "dea", "dmy", "dni", "ean13", "ein", "eip55", "expiry",
    "fodselsnummer", "geo", "github", "hetu", "iban", "iccid", "identity_card", "imei", "imsi", "indian_pan", "ipv4", "ipv6", "ird",
    "isin", "itin", "kennitala", "kontonr", "kvnr", "mac", "medicare_au", "monero", "mrz_first", "mrz_second", "nhs", "nie", "nino",
    "nip", "nir", "npi", "nric", "personnummer", "pesel", "phone_international", "phone_nanp", "phone_national", "random_tail", "regon",
    "rfc", "ric", "rrn", "rvnr", "sin", "spaced", "ssn", "steuer_id", "tckn", "tfn", "track", "uk_postcode", "us_zip", "uuid", "vat",
    "vin", "ymd",
)  # fmt: skip
"""The names of the checks; the number of a check is its index."""


@njit(**JIT)
def rare(number, p, e):
    """What check `number` says, of those that few candidates need.

    A function apart: numba clears the result of every call that a function may make whenever that function begins.
    """
    outlined()
    if number == 2:
        return aba(p, e)
    if number == 3:
        return abn(p, e)
    if number == 4:
        return acn(p, e)
    if number == 5:
        return age(p, e)
    if number == 6:
        return base58check(p, e)
    if number == 7:
        return basic_or_bearer(p, e)
    if number == 8:
        return bech32(p, e)
    if number == 9:
        return belgian(p, e)
    if number == 10:
        return bic(p, e)
    if number == 11:
        return brn(p, e)
    if number == 12:
        return bsn(p, e)
    if number == 14:
        return ccc(p, e)
    if number == 15:
        return cif(p, e)
    if number == 16:
        return clabe(p, e)
    if number == 17:
        return cnpj(p, e)
    if number == 18:
        return codice_fiscale(p, e)
    if number == 19:
        return cpf(p, e)
    if number == 20:
        return cpr(p, e)
    if number == 21:
        return curp(p, e)
    if number == 22:
        return dea(p, e)
    if number == 24:
        return dni(p, e)
    if number == 25:
        return ean13(p, e)
    if number == 26:
        return ein(p, e)
    if number == 27:
        return eip55(p, e)
    if number == 28:
        return expiry(p, e)
    if number == 29:
        return fodselsnummer(p, e)
    if number == 30:
        return geo(p, e)
    if number == 31:
        return github(p, e)
    if number == 32:
        return hetu(p, e)
    if number == 34:
        return iccid(p, e)
    if number == 35:
        return identity_card(p, e)
    if number == 36:
        return imei(p, e)
    if number == 37:
        return imsi(p, e)
    if number == 38:
        return indian_pan(p, e)
    if number == 41:
        return ird(p, e)
    if number == 42:
        return isin(p, e)
    if number == 43:
        return itin(p, e)
    if number == 44:
        return kennitala(p, e)
    if number == 45:
        return kontonr(p, e)
    if number == 46:
        return kvnr(p, e)
    if number == 48:
        return medicare_au(p, e)
    if number == 49:
        return monero(p, e)
    if number == 50:
        return mrz_first(p, e)
    if number == 51:
        return mrz_second(p, e)
    if number == 53:
        return nie(p, e)
    if number == 54:
        return nino(p, e)
    if number == 55:
        return nip(p, e)
    if number == 56:
        return nir(p, e)
    if number == 57:
        return npi(p, e)
    if number == 58:
        return nric(p, e)
    if number == 59:
        return personnummer(p, e)
    if number == 60:
        return pesel(p, e)
    if number == 64:
        return random_tail(p, e)
    if number == 65:
        return regon(p, e)
    if number == 66:
        return rfc(p, e)
    if number == 67:
        return ric(p, e)
    if number == 68:
        return rrn(p, e)
    if number == 69:
        return rvnr(p, e)
    if number == 70:
        return sin(p, e)
    if number == 72:
        return ssn(p, e)
    if number == 73:
        return steuer_id(p, e)
    if number == 74:
        return tckn(p, e)
    if number == 75:
        return tfn(p, e)
    if number == 76:
        return track(p, e)
    if number == 77:
        return uk_postcode(p, e)
    if number == 78:
        return us_zip(p, e)
    if number == 80:
        return vat(p, e)
    if number == 81:
        return vin(p, e)
    return np.int64(0)


@njit(**JIT)
def check(number, p, e):
    """What check `number` says of the candidate p…e: NOT, WEAK or STRONG."""
    if number == 0:
        return np.int64(WEAK)
    if number == 1:
        return aadhaar(p, e)
    if number == 13:
        return card(p, e)
    if number == 23:
        return dmy(p, e)
    if number == 33:
        return iban(p, e)
    if number == 39:
        return ipv4(p, e)
    if number == 40:
        return ipv6(p, e)
    if number == 47:
        return mac(p, e)
    if number == 52:
        return nhs(p, e)
    if number == 61:
        return phone_international(p, e)
    if number == 62:
        return phone_nanp(p, e)
    if number == 63:
        return phone_national(p, e)
    if number == 71:
        return spaced(p, e)
    if number == 79:
        return uuid(p, e)
    if number == 82:
        return ymd(p, e)
    return rare(number, p, e)


@njit(I64(U8, I64), **JIT)
def check_text(text, number):
    """What a check says of a whole text: for tests."""
    base = np.int64(text.ctypes.data)
    return check(number, base, base + len(text))
