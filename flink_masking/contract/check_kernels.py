# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""One pass over a field's values: kind, form, bounds, length."""

import numpy as np

from flink_masking.contract.address_kernels import ip_fits, url_fits
from flink_masking.contract.code_kernels import iban_fits, mac_fits, postal_code_fits, uuid_fits, vin_fits
from flink_masking.contract.date_kernels import date_fits, moment_fits, partial_fits, time_fits, usual, within
from flink_masking.contract.digits_kernels import (
    card_fits,
    card_shape,
    cvv_fits,
    expiry_fits,
    grouped_fits,
    imei_fits,
    phone_fits,
    ssn_fits,
    ssn_shape,
)
from flink_masking.contract.email_kernels import email_fits, short_email_fits
from flink_masking.contract.number_kernels import BOUNDED, number_fits, short_fits
from flink_masking.contract.place_kernels import place_fits
from flink_masking.kernels import I32, I64, I64A, JIT, U8, W8, njit
from flink_masking.kernels.memory import at

(ANY, NUMBER, DATE, MOMENT, TIME, EMAIL, SSN, CARD, PHONE, IBAN, IP, UUID, URL, POSTAL_CODE, VIN, MAC, IMEI, CVV, EXPIRY,
 PLACE, PARTIAL) = range(21)  # fmt: skip
NULL = 5  # flink_masking.records.kinds.Kind

FORM, KINDS, BITS, SCALE, LOW, HIGH, MOST = range(7)
"""What a contract says, as int64: the form; a bit for each kind that fits; for numbers the bits and scale of `number_kernels`; bounds of
numbers in units of 10^-scale, of dates in ms since 1970; most characters, or 0."""
CONTRACT = 7


@njit(**JIT)
def usual_fits(form, p, e, limit, bits, scale, low, high):
    """Whether a value at p, of 32 bytes that can be read, has the commonest spelling of a form; False leaves it to the whole check."""
    if form == NUMBER:
        return short_fits(p, e, bits, scale, low, high)
    if form == EMAIL:
        return short_email_fits(p, e, limit)
    if form == MOMENT:
        return e - p == 20 and usual(p)
    if form == SSN:
        return e - p == 11 and ssn_shape(p)
    return form == CARD and e - p == 19 and card_shape(p) and grouped_fits(p)


@njit(I64(U8, I32, I32, I32, I64A, W8), **JIT)
def usual_rows(data, starts, ends, kinds, contract, unfit):
    """unfit[k] becomes 0 where value k is null, "" or of the commonest spelling, so that it fits; else 1. The result is how many are 1.

    A pass of its own, because a loop of few steps stays in the registers, and most values of a batch need no more.
    """
    base = np.int64(data.ctypes.data)
    limit, form, allowed, bits, scale, low, high = (
        base + len(data), contract[FORM], contract[KINDS], contract[BITS], contract[SCALE], contract[LOW], contract[HIGH])
    most = contract[MOST] if contract[MOST] else np.int64(1) << 31
    count = 0
    for k in range(len(starts)):
        p, e, kind = base + starts[k], base + ends[k], np.int64(kinds[k])
        wrong = kind != NULL and p != e
        if wrong and (allowed >> kind) & 1 and e - p <= most:
            wrong = form != ANY and not (p + 32 <= limit and usual_fits(form, p, e, limit, bits, scale, low, high))
        unfit[k] = wrong
        count += wrong
    return count


@njit(**JIT)
def text_fits(form, p, e):
    """Whether the text p…e, not empty, has a form."""
    if form == MOMENT:
        return moment_fits(p, e)
    if form == EMAIL:
        return email_fits(p, e)
    if form == SSN:
        return ssn_fits(p, e)
    if form == CARD:
        return card_fits(p, e)
    if form == POSTAL_CODE:
        return postal_code_fits(p, e)
    if form == DATE:
        return date_fits(p, e)
    if form == PHONE:
        return phone_fits(p, e)
    if form == TIME:
        return time_fits(p, e)
    if form == IBAN:
        return iban_fits(p, e)
    if form == IP:
        return ip_fits(p, e)
    if form == UUID:
        return uuid_fits(p, e)
    if form == URL:
        return url_fits(p, e)
    if form == VIN:
        return vin_fits(p, e)
    if form == MAC:
        return mac_fits(p, e)
    if form == IMEI:
        return imei_fits(p, e)
    if form == CVV:
        return cvv_fits(p, e)
    if form == EXPIRY:
        return expiry_fits(p, e)
    if form == PLACE:
        return place_fits(p, e)
    if form == PARTIAL:
        return partial_fits(p, e)
    return True


@njit(**JIT)
def characters(p, e):
    """Number of code points of the UTF-8 text p…e."""
    n = 0
    while p < e:
        n += at(p) & 0xC0 != 0x80
        p += 1
    return n


@njit(I64(U8, I32, I32, I32, I64A, W8), **JIT)
def check_rows(data, starts, ends, kinds, contract, unfit):
    """Check ``data[starts[k]:ends[k]]`` of kind kinds[k] for every k; unfit[k] becomes 1 or 0, the result is how many are unfit.

    Null and "" show nothing, and fit whatever the contract.
    """
    form, allowed, bits, scale, low, high, most = (
        contract[FORM], contract[KINDS], contract[BITS], contract[SCALE], contract[LOW], contract[HIGH], contract[MOST])
    dated = form != NUMBER and bits & BOUNDED != 0
    if not dated and usual_rows(data, starts, ends, kinds, contract, unfit) == 0:
        return 0
    base, count = np.int64(data.ctypes.data), 0
    for k in range(len(starts)):
        if not dated and not unfit[k]:
            continue
        p, e, kind = base + starts[k], base + ends[k], np.int64(kinds[k])
        if kind == NULL or p == e:
            unfit[k] = 0
            continue
        fits = (allowed >> kind) & 1 == 1
        if fits:
            if form == NUMBER:
                fits = number_fits(p, e, bits, scale, low, high)
            elif form != ANY:
                fits = text_fits(form, p, e) and (not dated or within(p, e, low, high))
            if most and e - p > most:
                fits = fits and characters(p, e) <= most
        unfit[k] = not fits
        count += not fits
    return count


@njit(I64(I32, I64, W8), **JIT)
def outside(kinds, allowed, wrong):
    """wrong[k] = 1 where bit kinds[k] of `allowed` is 0, else 0; the result is how many are 1."""
    count = 0
    for k in range(len(kinds)):
        w = 1 ^ ((allowed >> np.int64(kinds[k])) & 1)
        wrong[k] = w
        count += w
    return count
