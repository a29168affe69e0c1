"""The models of a segment laid out for the kernels."""

import hashlib
from collections.abc import Sequence

import numpy as np

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models import tally_kernels as tallies
from flink_masking.anonymity.models.alpha_k import AlphaK
from flink_masking.anonymity.models.base import Model
from flink_masking.anonymity.models.t_closeness import TCloseness
from flink_masking.errors import PolicyError

WEIGHTED = 4096
"""Largest group for which the entropy is looked up, not computed."""


class Models:
    """The conditions on groups besides k.

    Attributes:
        models: in the order in which they are tested.
        columns: sensitive attributes.
        rules: the models for the kernels.
        distinct: distinct values of one attribute that the most demanding model asks for.
        fingerprint: 32 hexadecimal digits; equal for models that mean the same. Empty without a model.
    """

    def __init__(self, models: Sequence[Model] = ()) -> None:
        """Lay out the models.

        Raises:
            PolicyError: two closeness models are about one attribute with different codes.
        """
        self.models = tuple(models)
        self.columns = 1 + max((model.column for model in models), default=-1)
        self.distinct = max((model.distinct for model in models), default=1)
        watched: list[int] = []
        ranges: list[tuple[int, int, int]] = []
        first, shelf, divisor = [0], [0], []
        counts: list[int] = []
        totals: list[int] = []
        sizes: dict[int, int] = {}
        for model in models:
            if isinstance(model, TCloseness):
                if sizes.setdefault(model.column, model.distance.size) != model.distance.size:
                    raise PolicyError("t_closeness: one field with two domains. Hint: the same hierarchy or values in every entry")
                ranges += model.distance.ranges
                counts += model.counts
                watched += [0] * len(model.distance.ranges)
            elif isinstance(model, AlphaK):
                watched += model.values
                ranges += [(0, 0, 0)] * len(model.values)
            totals.append(sum(counts[shelf[-1]:]))
            divisor.append(model.distance.divisor if isinstance(model, TCloseness) else 1)
            first.append(len(ranges))
            shelf.append(len(counts))
        low, high, weight = (np.array([entry[i] for entry in ranges], np.int64) for i in range(3))
        self.rules = kernels.Rules(
            kind=np.array([model.kind for model in models], np.int64), column=np.array([model.column for model in models], np.int64),
            l=np.array([model.distinct for model in models], np.int64), factor=np.array([model.factor for model in models], np.int64),
            first=np.array(first, np.int64), watched=np.array(watched, np.uint64), low=low, high=high, weight=weight,
            divisor=np.array(divisor, np.int64), shelf=np.array(shelf, np.int64),
            fixed=np.array([isinstance(model, TCloseness) and model.shares is not None for model in models], np.bool_))
        self._counts, self._totals = np.array(counts, np.int64), np.array(totals, np.int64)
        text = "\n".join(map(repr, self.models))
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:32] if models else ""

    def past(self) -> kernels.Past:
        """The distributions before the first record."""
        rules = self.rules
        growing = (rules.kind == kernels.CLOSENESS) & ~rules.fixed & (rules.divisor == 2)
        return kernels.Past(self._counts.copy(), self._totals.copy(), np.where(growing, 0, np.diff(rules.first)))

    def tally(self, room: int) -> tallies.Tally:
        """Scratch for groups of at most so many records."""
        slots = 1 << (2 * room).bit_length() if self.columns else 1
        codes = int(np.diff(self.rules.shelf).max(initial=0)) + 1
        weighted = np.zeros(min(room + 2, WEIGHTED) if kernels.ENTROPY in self.rules.kind else 0, np.int64)
        tallies.weigh(weighted)
        return tallies.Tally(
            key=np.zeros((self.columns, slots), np.uint64), counts=np.zeros((self.columns, slots), np.int64),
            slot=np.zeros((self.columns, slots), np.int64), used=np.zeros(self.columns, np.int64), size=np.zeros(1, np.int64),
            gain=np.zeros(codes, np.int64), mass=np.zeros(codes, np.int64), change=np.zeros(codes, np.int64),
            barred=np.zeros(slots, np.uint64), weighted=weighted)
