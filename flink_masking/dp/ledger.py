"""The lifetime budget that each subject has spent over all windows in which it was counted.

A subject is charged the epsilon of a window when the window closes and the subject counts in it; one that cannot pay does not count in
that window. Windows close in the order of their starts, so who counts depends on nobody's batches, order of arrival or restarts, and on no
one else's records. Sequential composition: the windows of one subject together cost at most its lifetime budget, and as many times the
delta of a window as it counted in windows.

A subject is known by the keyed hash that it is counted by, and by nothing else; all its records reach the same shard, so one ledger
knows all that it spent. Memory grows by 16 bytes for each subject ever counted and what its entries hold; state by 16 to 32 bytes.

State entries: ``ledger:<number>``, the number of shards (int32) and then hashes (uint64) and what they have spent in thousand millionths
of an epsilon (int64), all little-endian. Of several figures of a subject the largest counts.
"""

from collections.abc import Mapping

import numpy as np

from flink_masking.dp.formats import damaged, numbers, payload
from flink_masking.dp.spec import AggregateSpec
from flink_masking.errors import InputError

COMPACT_FROM = 65536
"""Rows of entries below which they are not written anew, and rows of an entry after that."""
_HEAD = b"ledger.1\n"


class Ledger:
    """The ledger of one shard. Contract: `snapshot` equals the sum of all writes."""

    def __init__(self, spec: AggregateSpec) -> None:
        """Start with nobody.

        Args:
            spec: with a lifetime budget.
        """
        assert spec.lifetime is not None
        self._cost, self._lifetime, self._shards = spec.window_cost, spec.lifetime, spec.shards
        self._empty()

    def _empty(self) -> None:
        self._subjects, self._spent = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._entries: dict[int, bytes] = {}
        self._rows, self._number, self._largest = 0, 0, 0

    def charge(self, subjects: np.ndarray, writes: dict[str, bytes | None]) -> np.ndarray:
        """Charge the subjects of a window that can pay for it.

        Args:
            subjects: uint64, ascending; a subject may be there many times and pays once.
            writes: receives the state entries.

        Returns:
            bool per element, whether its subject counts.
        """
        if not len(subjects):
            return np.zeros(0, bool)
        distinct, inverse = np.unique(subjects, return_inverse=True)
        place = np.asarray(np.searchsorted(self._subjects, distinct))
        known = np.zeros(len(distinct), bool)
        inside = place < len(self._subjects)
        known[inside] = self._subjects[place[inside]] == distinct[inside]
        spent = np.zeros(len(distinct), np.int64)
        spent[known] = self._spent[place[known]]
        pays = spent <= self._lifetime - self._cost
        spent += self._cost
        self._spent[place[known & pays]] = spent[known & pays]
        new = ~known & pays
        self._subjects = np.insert(self._subjects, place[new], distinct[new])
        self._spent = np.insert(self._spent, place[new], spent[new])
        if pays.any():
            self._largest = max(self._largest, int(spent[pays].max()))
            self._put(distinct[pays], spent[pays], writes)
            self._compact(writes)
        return pays[inverse]

    def left(self) -> int:
        """The smallest share of its lifetime budget that a subject has left, in millionths; all of it while nobody was charged."""
        return max(0, 1_000_000 * (self._lifetime - self._largest) // self._lifetime)

    def _put(self, subjects: np.ndarray, spent: np.ndarray, writes: dict[str, bytes | None]) -> None:
        entry = _HEAD + self._shards.to_bytes(4, "little") + subjects.astype("<u8").tobytes() + spent.astype("<i8").tobytes()
        self._entries[self._number] = writes[f"ledger:{self._number}"] = entry
        self._number += 1
        self._rows += len(subjects)

    def _compact(self, writes: dict[str, bytes | None]) -> None:
        if self._rows <= 2 * len(self._subjects) + COMPACT_FROM:
            return
        writes.update({f"ledger:{number}": None for number in self._entries})
        self._entries, self._rows = {}, 0
        for at in range(0, len(self._subjects), COMPACT_FROM):
            self._put(self._subjects[at:at + COMPACT_FROM], self._spent[at:at + COMPACT_FROM], writes)

    def snapshot(self) -> dict[str, bytes]:
        """All state entries."""
        return {f"ledger:{number}": entry for number, entry in self._entries.items()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over the entries of this class; others are left alone.

        Raises:
            InputError: an entry is damaged, of a newer version, or was kept for another number of shards.
        """
        self._empty()
        subjects, spent = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for key, entry in entries.items():
            if not key.startswith("ledger:"):
                continue
            content = payload(entry, b"ledger")
            if len(content) % 16 != 4:
                raise damaged()
            if int.from_bytes(content[:4], "little") != self._shards:
                raise InputError("aggregated view: the ledger of lifetime budgets was kept for another number of shards, over which people "
                                 "are spread in another way. Hint: keep 'shards', or start anew under another segment name")
            rows = (len(content) - 4) // 16
            number, = numbers(key, "ledger", 1)
            self._entries[number], self._rows, self._number = entry, self._rows + rows, max(self._number, number + 1)
            subjects.append(np.frombuffer(content, "<u8", rows, 4).astype(np.uint64))
            spent.append(np.frombuffer(content, "<i8", rows, 4 + 8 * rows).astype(np.int64))
        everyone, amounts = np.concatenate(subjects), np.concatenate(spent)
        order = np.lexsort((amounts, everyone))
        last = np.append(everyone[order][1:] != everyone[order][:-1], True)[:len(order)]
        self._subjects, self._spent = everyone[order][last], amounts[order][last]
        self._largest = int(self._spent.max(initial=0))
