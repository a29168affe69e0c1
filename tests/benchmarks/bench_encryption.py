"""Speed of encryption and of CMAC pseudonyms, Arrow array to Arrow array, one thread: ``python tests/benchmarks/bench_encryption.py``.

Each figure is the best of several runs over one batch of 10,000 values, in this process's processor time; beside it stands a loop that does
the same with one call of the cryptography package for each value, and base64 by the standard library. The last two figures are those
calls alone, into a list: no way of encrypting through them is faster.
"""

import base64
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import encrypt, encrypt_deterministic, pseudonym
from flink_masking.techniques.base import Action, FieldFacts, RuleContext, Technique
from flink_masking.techniques.masks import Context, Mask, Values

ROWS = 10_000
SECONDS = 0.3
"""Processor time that each figure is measured for."""

EMAILS = [f"user{k}.{k * 7919 % 10**6}@example.com" for k in range(ROWS)]
NUMBERS = [f"CUST{k:07d}" for k in range(ROWS)]
NOTES = [f"note {k}: " + "the quick brown fox jumps over the lazy dog. " * 5 for k in range(ROWS)]
GCM, SIV, BOUND = AESGCM(os.urandom(32)), AESSIV(os.urandom(64)), b"field and domain"
MAC = CMAC(algorithms.AES(os.urandom(32)))


def text_of(raw: bytes) -> str:
    """A value's text form, by the standard library."""
    return "fm1." + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def gcm_each(text: pa.Array) -> pa.Array:
    """AES-GCM of each value."""
    made = []
    for value in text.to_pylist():
        nonce = os.urandom(12)
        made.append(text_of(b"\1\0\0\0\1" + nonce + GCM.encrypt(nonce, value.encode(), BOUND)))
    return pa.array(made)


def gcm_back_each(text: pa.Array) -> pa.Array:
    """The way back from `gcm_each`."""
    raws = (base64.urlsafe_b64decode(value[4:] + "==") for value in text.to_pylist())
    return pa.array([GCM.decrypt(raw[5:17], raw[17:], BOUND).decode() for raw in raws])


def siv_each(text: pa.Array) -> pa.Array:
    """AES-SIV of each value."""
    return pa.array([text_of(b"\2\0\0\0\1" + SIV.encrypt(value.encode(), [BOUND])) for value in text.to_pylist()])


def siv_back_each(text: pa.Array) -> pa.Array:
    """The way back from `siv_each`."""
    return pa.array([SIV.decrypt(base64.urlsafe_b64decode(value[4:] + "==")[5:], [BOUND]).decode() for value in text.to_pylist()])


def cmac_each(text: pa.Array) -> pa.Array:
    """CMAC of each value, in hex."""
    made = []
    for value in text.to_pylist():
        mac = MAC.copy()
        mac.update(value.encode())
        made.append(mac.finalize().hex())
    return pa.array(made)


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of the best run, after one run to warm up."""
    work()
    best, end, runs = float("inf"), time.process_time() + SECONDS, 0
    while runs < 3 or time.process_time() < end:
        start = time.process_time()
        work()
        best, runs = min(best, time.process_time() - start), runs + 1
    return max(best, 1e-9)


def values(text: pa.Array) -> Values:
    """A column of strings."""
    return Values(text, np.full(len(text), Kind.STRING, np.int32), np.arange(len(text), dtype=np.int32))


def made(technique: Technique, ring: KeyRing, **params: Any) -> tuple[Mask, Mask | None]:
    """A rule's mask, and its way back where there is one."""
    checked, site = technique.params.model_validate({"domain": "customer", **params}), RuleContext(FieldFacts("field"), ring, str)
    mask = technique.make(checked, site)
    assert not isinstance(mask, Action)
    return mask, technique.unmake(checked, site) if technique.promises(checked).reversible else None


def measure() -> dict[str, dict[str, Any]]:
    """Values per second, and how many times that is of what the loop does."""
    ring, context, figures = KeyRing.new(), Context(os.urandom(32)), {}
    columns = {"e-mail": pa.array(EMAILS), "236 bytes": pa.array(NOTES), "11 bytes": pa.array(NUMBERS)}

    def note(name: str, work: Callable[[], Any], peer: Callable[[], Any], against: str) -> None:
        own, other = seconds(work), seconds(peer)
        figures[name] = {"value": round(ROWS / own), "unit": "values/s", "ratio": round(other / own, 2), "against": against}

    for technique, there, back in (
        (encrypt.TECHNIQUE, gcm_each, gcm_back_each),
        (encrypt_deterministic.TECHNIQUE, siv_each, siv_back_each),
    ):
        mask, unmask = made(technique, ring)
        assert unmask is not None
        for title in ("e-mail", "236 bytes"):
            text = columns[title]
            clear, sealed, theirs = values(text), values(mask(values(text), context).values), there(text)
            name, against = f"encryption:{technique.name}, {title}", f"{'AESGCM' if there is gcm_each else 'AESSIV'} a value"
            note(name, lambda m=mask, v=clear: m(v, context), lambda f=there, t=text: f(t), against)
            note(f"{name}, back", lambda m=unmask, v=sealed: m(v, context), lambda f=back, t=theirs: f(t), against)
    for title in ("11 bytes", "e-mail"):
        text = columns[title]
        clear = values(text)
        for encoding in ("base62", "hex"):
            name = f"encryption:pseudonym, cmac, {encoding}, {title}"
            mask, _ = made(pseudonym.TECHNIQUE, ring, algorithm="cmac", encoding=encoding)
            note(name, lambda m=mask, v=clear: m(v, context), lambda t=text: cmac_each(t), "CMAC a value")
    raw, nonce = [text.encode() for text in EMAILS], os.urandom(12)
    for name, call in (
        ("AESGCM.encrypt", lambda: [GCM.encrypt(nonce, value, BOUND) for value in raw]),
        ("AESSIV.encrypt", lambda: [SIV.encrypt(value, [BOUND]) for value in raw]),
    ):
        spent = seconds(call)
        figures[f"encryption:the call {name} alone"] = {"value": round(spent / ROWS * 1e9), "unit": "ns", "ratio": None, "against": None}
    return figures


if __name__ == "__main__":
    for name, figure in measure().items():
        ratio = "" if figure["ratio"] is None else f"{figure['ratio']:8.1f} × {figure['against']}"
        print(f"{name:<52}{figure['value']:>12,} {figure['unit']:<9}{ratio}")
