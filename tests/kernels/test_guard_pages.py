"""Memory safety of the address-based kernels: inputs and outputs end at an unmapped page, so one byte too far is a crash."""

import ctypes
import mmap
import random
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from flink_masking import arrow
from flink_masking.crypto import cmac, envelope, ff1, prf, siv
from flink_masking.kernels.memory import SLACK
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import generalize, partial, redact, registry, rewriting
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.date_shift import mask as date_shift
from flink_masking.techniques.encrypt import values as encrypt_values
from flink_masking.techniques.fpe import numerals
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.perturb import mask as perturb
from flink_masking.techniques.substitute import mask as substitute
from flink_masking.techniques.tokenize import forms
from flink_masking.techniques.tokenize import mask as tokenize
from flink_masking.values import decimals
from flink_masking.vault.memory import MemoryVault

LIBC, PAGE = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
PIECES = [
    "",
    "a",
    "@",
    "-",
    "é",
    "\U0001f600",
    "2024-03-15",
    "T10:30:00",
    "Z",
    "+02:00",
    "12.5",
    "-",
    "e9",
    '{"lat":',
    ',"lon":',
    "1}",
    "x" * 31,
    "\\",
]
CASES = [
    *((partial.TECHNIQUE, example) for example in partial.TECHNIQUE.examples),
    (partial.TECHNIQUE, {"keep_first": 40, "keep_after": "@@", "mask": "\U0001f600", "same_length": True}),
    *((redact.TECHNIQUE, example) for example in redact.TECHNIQUE.examples),
    *((generalize.TECHNIQUE, example) for example in generalize.TECHNIQUE.examples if "hierarchy" not in example),
    (generalize.TECHNIQUE, {"geohash": 12}),
    (generalize.TECHNIQUE, {"width": 0.000000001, "origin": -99999.999999999}),
]
KEYED = ["pseudonym", "fpe", "encrypt", "encrypt_deterministic", "substitute", "date_shift", "tokenize", "perturb"]
KEYED_CASES = [(name, example) for name in KEYED for example in registry.get(name).examples]
VALID = ["4111111111111111", "4111-1111-1111-1111", "123-45-6789", "+49 301 2345678", "jane.doe@example.com", "DE89370400440532013000",
         "GB29 NWBK 6016 1331 9268 19", "2024-02-29T23:59:59.123Z", "2024-03-15", "299.99", "Jane Doe", "a" * 200]  # fmt: skip
SCRATCH = [cmac, envelope, ff1, prf, siv, date_shift, encrypt_values, numerals, perturb, rewriting, substitute, tokenize, forms]
"""Modules that hand arrays of their own to kernels."""


class Guarded:
    """Buffers that end where a page without access starts; they live as long as this object."""

    def __init__(self) -> None:
        """Nothing held yet."""
        self._held: list[mmap.mmap] = []

    def take(self, size: int) -> tuple[pa.Buffer, int]:
        """A buffer of `size` bytes and its address."""
        pages = -(-max(size, 1) // PAGE)
        memory = mmap.mmap(-1, (pages + 1) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        assert LIBC.mprotect(ctypes.c_void_p(start + pages * PAGE), PAGE, 0) == 0
        self._held.append(memory)
        address = start + pages * PAGE - size
        return pa.foreign_buffer(address, size, memory), address

    def text(self, texts: list[str]) -> pa.StringArray:
        """A string array whose data end at the page."""
        data = [text.encode() for text in texts]
        buffer, address = self.take(sum(map(len, data)))
        ctypes.memmove(address, b"".join(data), buffer.size)
        offsets = np.concatenate([[0], np.cumsum([len(x) for x in data])]).astype(np.int32)
        return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(offsets), buffer])

    def output(self, size: int) -> tuple[pa.Buffer, np.ndarray]:
        """What `flink_masking.arrow.output` gives, ending at the page."""
        buffer, address = self.take(size + SLACK)
        return buffer, np.frombuffer((ctypes.c_uint8 * (size + SLACK)).from_address(address), np.uint8)

    def array(self, shape: Any, dtype: Any = float) -> np.ndarray:
        """What `numpy.zeros` gives, ending at the page."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        _, address = self.take(size)
        return np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8).view(dtype).reshape(shape)


class GuardedNumpy:
    """numpy, whose new arrays end where a page without access starts."""

    def __init__(self, memory: Guarded) -> None:
        """Take them from there."""
        self.empty = self.zeros = memory.array

    def __getattr__(self, name: str) -> Any:
        """Everything else is numpy's own."""
        return getattr(np, name)


@pytest.fixture
def guarded(monkeypatch):
    """Guarded memory, which the kernels' outputs are taken from as well."""
    memory = Guarded()
    monkeypatch.setattr(rewriting, "output", memory.output)
    monkeypatch.setattr(decimals, "output", memory.output)
    return memory


@pytest.mark.parametrize(("technique", "example"), CASES)
def test_masks_stay_in_their_memory(guarded, technique, example):
    """No mask reads behind its values or writes behind its output, whatever the texts are."""
    rnd = random.Random(7)
    rule_context = RuleContext(FieldFacts("field"), KeyRing.new(), lambda name: "")
    mask = technique.make(technique.params.model_validate(example), rule_context)
    for _ in range(60):
        texts = ["".join(rnd.choices(PIECES, k=rnd.randrange(12))) for _ in range(rnd.randrange(1, 8))]
        kinds = np.full(len(texts), rnd.choice([Kind.STRING, Kind.NUMBER, Kind.OBJECT]), np.int32)
        masked = mask(Values(guarded.text(texts), kinds, np.arange(len(texts), dtype=np.int32)), Context(bytes(32)))
        masked.values.validate(full=True)
        assert len(masked.values) == len(texts)


def test_outputs_reach_their_bounds(guarded):
    """The longest results, one mask or fill character of four bytes for each byte, fit exactly."""
    text = guarded.text(["a" * 100, "b"])
    values = Values(text, np.zeros(2, np.int32), np.arange(2, dtype=np.int32))
    rule_context = RuleContext(FieldFacts("field"), KeyRing.new(), lambda name: "")
    for technique, params in ((redact.TECHNIQUE, {"fill": "\U0001f600"}), (partial.TECHNIQUE, {"mask": "\U0001f600", "same_length": True})):
        mask = technique.make(technique.params.model_validate(params), rule_context)
        assert ["\U0001f600" * 100, "\U0001f600"] == mask(values, Context(bytes(32))).values.to_pylist()


def test_numbers_stay_in_their_memory(guarded):
    """Reading and writing numbers keeps to the buffers, at the longest numbers too."""
    rnd = random.Random(7)
    for _ in range(200):
        texts = ["".join(rnd.choices("-0123456789.eE+", k=rnd.randrange(30))) for _ in range(5)]
        decimals.parse_fixed(guarded.text(texts), 9)
    assert ["-9.223372036854775808"] * 3 == decimals.format_fixed(np.full(3, -(2**63)), 18).to_pylist()


@pytest.fixture
def all_guarded(guarded, monkeypatch):
    """Guarded memory for outputs and for every array that a technique or a cipher makes to work in."""
    for module in SCRATCH:
        monkeypatch.setattr(module, "np", GuardedNumpy(guarded))
    for module in [module for name, module in sys.modules.items() if name.startswith("flink_masking.")]:
        for name, replaced in (("output", arrow.output), ("empty_int32", arrow.empty_int32)):
            if getattr(module, name, None) is replaced and module is not arrow:
                monkeypatch.setattr(module, name, guarded.output if name == "output" else lambda n: guarded.array(n, np.int32))
    return guarded


@pytest.mark.parametrize(("name", "example"), KEYED_CASES)
def test_keyed_masks_stay_in_their_memory(all_guarded, name, example):
    """No keyed mask, nor its way back, reads or writes beyond its values, its output or its scratch arrays, whatever the texts are."""
    rnd, technique = random.Random(11), registry.get(name)
    rule_context = RuleContext(FieldFacts("field"), KeyRing.new(), lambda file: "", vault=MemoryVault())
    params = technique.params.model_validate(example)
    makers = [technique.make, technique.unmake] if technique.promises(params).reversible else [technique.make]
    masks = [make(params, rule_context) for make in makers]
    for count in (1, 2, 7, 40, 90):
        for valid in (False, True):
            mixed = ["".join(rnd.choices(PIECES + VALID, k=rnd.randrange(4))) for _ in range(count)]
            texts = rnd.choices(VALID, k=count) if valid else mixed
            kinds, rows = np.full(count, rnd.choice([Kind.STRING, Kind.NUMBER]), np.int32), np.arange(count, dtype=np.int32)
            text = all_guarded.text(texts)
            for mask in masks:
                assert not isinstance(mask, Action)
                masked = mask(Values(text, kinds, rows), Context(bytes(32), all_guarded.text(texts)))
                masked.values.validate(full=True)
                assert len(masked.values) == count
                again = masked.values.cast(pa.string()).fill_null("").to_pylist()
                text = all_guarded.text(again)
