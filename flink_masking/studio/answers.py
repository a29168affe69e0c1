"""Answers to an edit, part by part: faults, the chosen view, coverage, groups, joins."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flink_masking.documents.faults import Fault, PolicyFaults
from flink_masking.errors import FlinkMaskingError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.studio.file import LARGEST, PolicyFile
from flink_masking.studio.internal import message_of
from flink_masking.studio.measured import coverage_of, groups_of, joins_of
from flink_masking.studio.outcome import Outcome
from flink_masking.studio.sample import Sample
from flink_masking.studio.shown import shown

Part = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """What of the views is looked at.

    Attributes:
        segment: its name; None, or one that the policy does not have: the first.
        start: first record or line, from 0.
        raw: whether personal values of the sample are shown.
        refused: only quarantined records.
    """

    segment: str | None = None
    start: int = 0
    raw: bool = False
    refused: bool = False


class Answers:
    """What a policy text means for the sample; keeps the outcome of the last text.

    Not thread-safe: one thread asks at a time.
    """

    def __init__(self, file: PolicyFile, sample: Sample, ring: KeyRing) -> None:
        """Keep what answers are made of.

        Args:
            file: the policy's file; files that a text names lie below its folder.
            sample: the records.
            ring: the same for all answers, so that pseudonyms stay the same from edit to edit.
        """
        self._file, self._sample, self._ring = file, sample, ring
        self._last: tuple[str, Outcome] | None = None

    def to(self, text: str, window: Window) -> Iterator[Part]:
        """The parts of the answer to an edit, the quickest first.

        Args:
            text: the policy.
            window: of the views.

        Returns:
            Parts with the key ``part``: ``policy`` (faults and segments), ``view``, ``coverage``, ``groups``, ``joins``, each with ``ms``,
            the milliseconds that it took. After a policy that cannot be used none follows; ``error`` says why a part is missing.
        """
        found: list[LoadedPolicy] = []
        yield _timed("policy", lambda: self._checked(text, found))
        if not found:
            return
        (loaded,), applied = found, list[Outcome]()
        yield _timed("view", lambda: self._view(text, loaded, window, applied))
        yield _timed("coverage", lambda: {"coverage": coverage_of(loaded)})
        for outcome in applied:
            yield _timed("groups", partial(lambda one: {"groups": groups_of(one)}, outcome))
            yield _timed("joins", partial(joins_of, outcome))

    def view(self, text: str, window: Window) -> Part:
        """Another part of the view alone: another audience, or further records."""
        if self._last is not None and self._last[0] == text:
            loaded = self._last[1].loaded
            return _timed("view", lambda: self._view(text, loaded, window, []))
        parts = (part for part in self.to(text, window) if part["part"] in ("view", "error"))
        return next(parts, {"part": "error", "of": "view", "message": "the policy has faults", "ms": 0.0})

    def _view(self, text: str, loaded: LoadedPolicy, window: Window, applied: list[Outcome]) -> Part:
        """The chosen view; the policy is applied where it is not the last one, and its outcome goes to `applied`."""
        if self._last is None or self._last[0] != text:
            self._last = None
            self._last = text, Outcome.of(loaded, self._sample, self._ring)
        outcome = self._last[1]
        applied.append(outcome)
        segments = list(outcome.loaded.policy.segments)
        chosen = window.segment if window.segment in segments else segments[0]
        return shown(outcome, chosen, window.start, window.raw, window.refused) | {"more": outcome.sample.more}

    def _checked(self, text: str, found: list[LoadedPolicy]) -> Part:
        """Faults and warnings, and what segments there are; the policy goes to `found` if it can be used."""
        try:
            if len(text.encode()) > LARGEST:
                raise PolicyFaults(self._file.name, [Fault(1, 1, f"the policy is larger than {LARGEST:,} bytes, and is not tried here",
                                                           "flink-masking check takes larger ones")])
            loaded = load(PolicySource.of_text(self._file.path, text))
        except PolicyFaults as error:
            return _refused(error.faults)
        except FlinkMaskingError as error:
            return _refused([Fault(1, 1, str(error))])
        found.append(loaded)
        segments = [{"name": name, "view": one.view} for name, one in loaded.written.segments.items()]
        return {"usable": True, "faults": [_fault(fault) for fault in loaded.warnings], "segments": segments,
                "stream": loaded.policy.stream, "fields": len(loaded.written.fields)}


def _timed(name: str, make: Callable[[], Part]) -> Part:
    """A part, or why there is none, with the milliseconds that it took."""
    begin = time.perf_counter()
    try:
        part = {"part": name, **make()}
    except Exception as error:
        part = {"part": "error", "of": name, "message": message_of(error)}
    return part | {"ms": round((time.perf_counter() - begin) * 1000, 1)}


def _refused(faults: "list[Fault] | tuple[Fault, ...]") -> Part:
    return {"usable": False, "faults": [_fault(fault) for fault in faults], "segments": []}


def _fault(fault: Fault) -> Part:
    return {"line": fault.line, "column": fault.column, "message": fault.message, "hint": fault.hint, "severity": fault.severity}
