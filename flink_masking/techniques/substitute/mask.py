"""substitute at work: entries of the pools put together by random or keyed numbers."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import assemble, output, parts, strings
from flink_masking.crypto.prf import Prf
from flink_masking.errors import InputError
from flink_masking.kernels.memory import SLACK
from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import LARGEST, refusals
from flink_masking.techniques.substitute import SubstituteParams, kernels
from flink_masking.techniques.substitute.catalogue import form
from flink_masking.techniques.substitute.forms import WORDS, Form, contains, indices, numeric

NUMBERS = ("phone", "payment_card")
"""What may stand in a JSON number."""


class _Stock(NamedTuple):
    """A form laid out for the kernel: every entry once in one string array, and for each part the number of its first entry."""

    form: Form
    data: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    widest: int

    @classmethod
    def of(cls, made_of: Form) -> "_Stock":
        texts = [entry for part in made_of for entry in part.entries]
        laid = parts(strings(texts))
        first = np.cumsum([0, *(len(part.entries) for part in made_of)])[:-1]
        widest = sum(max(len(entry.encode()) for entry in part.entries) for part in made_of)
        return cls(made_of, np.concatenate([laid.data, np.zeros(SLACK, np.uint8)]), laid.offsets, first, widest)

    def compose(self, text: pa.StringArray, words: np.ndarray, skip: np.ndarray, turned: np.ndarray | None = None) -> pa.StringArray:
        """The substitute of every text but null, ``""`` and skipped ones, and never the text itself."""
        n = len(text)
        if n * self.widest > LARGEST:
            raise InputError("substitute: a batch could grow beyond 2 GiB. Hint: use smaller batches")
        data, offsets, valid = parts(text)
        entries = (np.stack(indices(self.form, words, turned), axis=1) + self.first).astype(np.int32).reshape(-1)
        buffer, out = output(n * self.widest)
        ends, same = np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
        kernels.compose(data, offsets, valid, self.data, self.starts, entries, len(self.form), skip, out, ends, same)
        if turned is None and same.any():
            return self.compose(text, words, skip, same.view(np.bool_))
        return assemble(pa.string(), buffer, ends, valid)


def make(params: SubstituteParams, rule_context: RuleContext) -> Mask:
    """A mask that puts a fictitious value in the place of each value.

    Consistent: chosen by the HMAC-SHA-256 of the value under the key of the domain, so the same value has the same substitute wherever
    the domain is used; two values may share one, since there are only so many names. Random: drawn anew each time. A substitute is never
    the value itself. Numbers are taken for phone and payment_card, and stay numbers. Null stays null, ``""`` stays ``""``. Row-local, not
    reversible. Leaks, when consistent, which values are equal.
    """
    stock, taken = _Stock.of(form(params.what, params.locale)), TEXT
    numbers = stock
    if params.what in NUMBERS:
        numbers, taken = _Stock.of(numeric(stock.form)), TEXT | NUMERIC
    prf = Prf(rule_context.keys.derive("substitute", params.domain)) if params.mode == "consistent" else None
    label = f"substitute:{rule_context.facts.path}"

    def draw(text: pa.StringArray, context: Context) -> np.ndarray:
        if prf is None:
            return context.generator(label).integers(0, 1 << 32, (len(text), WORDS), np.uint32)
        return prf.digests(text).view(">u4")

    def substitute(values: Values, context: Context) -> Masked:
        refused = refusals(values, taken)
        skip = np.zeros(len(values.text), np.uint8) if refused is None else refused.view(np.uint8)
        words = draw(values.text, context)
        number = values.kinds == Kind.NUMBER
        made = stock.compose(values.text, words, skip | number.view(np.uint8))
        if numbers is not stock and number.any():
            digits = numbers.compose(values.text, words, skip | ~number.view(np.bool_))
            return Masked(pc.if_else(pa.array(number), digits, made), refused, number)
        return Masked(made, refused)

    return substitute


def output_domain(params: SubstituteParams) -> Domain:
    """The texts that the pools of the locale can make."""
    made_of = form(params.what, params.locale)
    forms = (made_of, numeric(made_of)) if params.what in NUMBERS else (made_of,)
    return Domain(
        f"{params.what} made from the pools of {params.locale}, or nothing where there was nothing",
        lambda text: text == "" or any(contains(one, text) for one in forms),
    )
