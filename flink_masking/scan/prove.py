"""Runs a proposal over the sample it was made from, and corrects it until it takes every record."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyarrow as pa

from flink_masking.documents.faults import Fault, PolicyFaults
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.expand import Images
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.scan.changes import Changes, key_columns, recognised, rows
from flink_masking.scan.fits import Fits
from flink_masking.scan.framed import Framed
from flink_masking.scan.propose import Draft, draft
from flink_masking.scan.report import Report
from flink_masking.scan.scanner import Scanner

RECORD = frozenset({"malformed", "not_an_object", "oversize", "ragged", "header", "missing_payload", "duplicate_field",
                    "unknown_schema"})
"""Reasons that lie in a record, whatever a policy says."""
OTHERS = frozenset({"refused_value", "missing_field", "type_mismatch", "unknown_field"})
"""Reasons for which a record that is no change of a row is refused."""
ROUNDS = 8
"""Corrections at most; every one takes away what was wrong at all paths at once."""


class Proposal(NamedTuple):
    """A policy that takes every record of the sample that can be read.

    Attributes:
        text: the YAML.
        records: records that it was run over.
        refused: records that no policy takes, by reason.
        warnings: what `check` says of it.
        draft: what it was written of.
    """

    text: str
    records: int
    refused: dict[str, int]
    warnings: list[Fault]
    draft: Draft


def propose_policy(report: Report, stream: str, batches: Callable[[], Iterator[pa.BinaryArray]],
                   columns: tuple[str, ...] | None = None, each: str = "", framed: Framed | None = None) -> Proposal:
    """Propose a policy, and run it over the sample with keys that are thrown away.

    Args:
        report: of the sample.
        stream: name of the stream.
        batches: gives the sample's records, each time it is called.
        columns: of a format with a header.
        each: path of an array's elements in what the files hold, where these elements are the sample's records.
        framed: of records that name their schema in front.

    Raises:
        InputError: a record of the sample would go to quarantine in spite of all corrections.
    """
    if (changes := recognised(report)) is not None and not each and framed is None:
        with contextlib.suppress(InputError):  # the members of the envelope can be declared by themselves in any case
            return _of_changes(changes, stream, batches)
    if report.selectors:
        closer = _closer(report, batches(), columns, framed)
        with contextlib.suppress(InputError):  # without selectors, there is a proposal in any case
            return _proposal(closer, stream, batches, columns, each, framed=framed)
    return _proposal(report, stream, batches, columns, each, framed=framed)


def _of_changes(changes: Changes, stream: str, batches: Callable[[], Iterator[pa.BinaryArray]]) -> Proposal:
    """A proposal for the rows in envelopes."""
    scanner = Scanner()
    for batch in rows(batches(), changes):
        scanner.add(batch)
    report = scanner.report()
    columns = key_columns(next(batches()), changes)
    if report.selectors:
        closer = _closer(report, rows(batches(), changes), None)
        with contextlib.suppress(InputError):
            return _proposal(closer, stream, batches, None, "", changes, columns)
    return _proposal(report, stream, batches, None, "", changes, columns)


def _closer(report: Report, batches: Iterator[pa.BinaryArray], columns: tuple[str, ...] | None, framed: Framed | None = None) -> Report:
    """The report of a second scan, in which selected values have paths of their own."""
    scanner = Scanner(report.format, columns, selectors=report.selectors, framed=framed)
    for batch in batches:
        scanner.add(batch)
    return scanner.report()


def _proposal(report: Report, stream: str, batches: Callable[[], Iterator[pa.BinaryArray]], columns: tuple[str, ...] | None,
              each: str, changes: Changes | None = None, key: tuple[str, ...] = (),
              framed: Framed | None = None) -> Proposal:  # fmt: skip
    """Propose, run and correct until every record is taken."""
    opaque: set[str] = set()
    untyped: set[str] = set()
    keys, loose = True, False
    for _ in range(ROUNDS):
        made = draft(report, stream, opaque, untyped, keys, each, changes, key, loose,
                     "" if framed is None else framed.layout.framing)
        text = made.text()
        try:
            loaded = load(PolicySource("the proposal", text, columns=columns))
        except PolicyFaults as faults:
            if keys:  # no rule for the keys of a map is taken: its members are dropped
                keys = False
                continue
            raise InputError(f"no policy can be proposed: line {faults.faults[0].line} of it would be refused by check "
                             f"({faults.faults[0].message}). Hint: scan without --propose shows what was found") from None
        trial = _run(loaded, batches(), framed)
        if not trial.unfit and not trial.refused:
            return Proposal(text, trial.records, trial.broken, loaded.warnings, made)
        before = len(opaque) + len(untyped) + loose
        loose = loose or (changes is not None and any(reason == "unknown_field" for reason, _ in trial.refused))
        untyped |= trial.unfit
        opaque |= {path for reason, path in trial.refused if reason == "type_mismatch" and path is not None}
        if len(opaque) + len(untyped) + loose == before:
            break
    reason, path = next(iter(trial.refused), ("contract", next(iter(trial.unfit), None)))
    raise InputError(f"no policy can be proposed that takes every record: {sum(trial.refused.values()):,} would be quarantined "
                     f"({reason}{f', {path}' if path else ''}). Hint: scan without --propose shows what was found")


def _no_changes(images: Images, refused: dict[tuple[str, str | None], int], records: int) -> list[tuple[str, str | None]]:
    """What is no change of a row, among changes of rows: heartbeats, transactions, statements that change schemas."""
    beside = {one: count for one, count in refused.items() if one[1] is not None and not images.holds(one[1])}
    return [(reason, path) for (reason, path), count in beside.items() if reason in OTHERS and 2 * count < records]


class _Trial(NamedTuple):
    records: int
    unfit: set[str]
    refused: dict[tuple[str, str | None], int]
    broken: dict[str, int]


def _run(loaded: LoadedPolicy, batches: Iterator[pa.BinaryArray], framed: Framed | None) -> _Trial:
    """Check the values of every declared field, shown or not, and protect the records."""
    schemas = None if framed is None else framed.schemas
    fits, protector = Fits(loaded, schemas), Protector(loaded, KeyRing.ephemeral(), registry=schemas)
    records, refused, broken = 0, dict[tuple[str, str | None], int](), dict[str, int]()
    images = loaded.images
    for batch in batches:
        records += len(batch)
        fits.add(batch)
        for _, line in protector.protect(batch).quarantine:
            entry = Entry.decode(line)
            if entry.reason in RECORD:
                broken[entry.reason] = broken.get(entry.reason, 0) + 1
            else:
                refused[entry.reason, entry.path] = refused.get((entry.reason, entry.path), 0) + 1
    if images is not None:
        if others := sum(refused.pop(reason) for reason in _no_changes(images, refused, records)):
            broken["no_change"] = others
        refused = {(reason, path and images.row_path(path)): count for (reason, path), count in refused.items()}
    unfit = set(fits.unfit) if images is None else {images.row_path(path) for path in fits.unfit if images.holds(path)}
    return _Trial(records, unfit, refused, broken)
