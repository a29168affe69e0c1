"""Erases subjects: what a vault keeps of them is destroyed, running jobs learn of it, and what stays is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.control.bodies import ErasureBody
from flink_masking.control.envelope import Signed, seal
from flink_masking.control.instants import new_id
from flink_masking.crypto import envelope
from flink_masking.crypto.secret import Secret
from flink_masking.engine.erased import marks_of, write_mark
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.record import Parts, release
from flink_masking.engine.rejections import Rejections
from flink_masking.errors import InputError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.check_erasure import out_of_reach
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, MaskedSegment
from flink_masking.records.spans import Values
from flink_masking.techniques.encrypt import of_subjects
from flink_masking.techniques.encrypt.values import are_texts
from flink_masking.techniques.masks import Context
from flink_masking.tools.reversible import MaskedRecords
from flink_masking.vault.base import LOOKUP, Vault, listed
from flink_masking.vault.subject_keys import SubjectHashes, SubjectKeys
from flink_masking.vault.subjects import Erased, Erasure, Mark

_ENVELOPE = r"(?P<envelope>fm1\.[A-Za-z0-9_-]+)"
MOST = 100_000
"""Subjects in one erasure, as many as a control document takes."""


@dataclass(frozen=True)
class Standing:
    """What a vault still has of subjects.

    Attributes:
        keys: data keys.
        tokens: tokens that are linked to them.
        marked: subjects that running jobs know to be erased.
    """

    keys: int
    tokens: int
    marked: int

    @property
    def nothing(self) -> bool:
        """Whether no key and no token is left."""
        return not self.keys and not self.tokens


@dataclass(frozen=True)
class Opened:
    """What was found in a sample of a view.

    Attributes:
        records: looked at.
        values: encrypted values of the subjects.
        opened: of these, the ones that open.
    """

    records: int = 0
    values: int = 0
    opened: int = 0

    def __add__(self, other: "Opened") -> "Opened":
        return Opened(self.records + other.records, self.values + other.values, self.opened + other.opened)


class Eraser(Secret):
    """Erases subjects of one policy; refuses to be pickled, copied or printed. No clear subject leaves it."""

    def __init__(self, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> None:
        """Find out what an erasure reaches; nothing is done yet.

        Args:
            loaded: the policy.
            ring: the keys, a whole ring: exported ones cannot recognise subjects.
            vault: where data keys and tokens are; None where the policy needs none.

        Raises:
            InputError: the policy names no subject, or the ring was exported.
            VaultError: the policy keeps data keys or tokens, and there is no vault.
        """
        if loaded.policy.subject is None:
            raise InputError(f"{loaded.source.name}: names no subject, so nobody can be erased. Hint: add 'subject: FIELD'")
        if ring.domains is not None:
            raise InputError("an exported key ring cannot recognise subjects. Hint: use the ring that it was exported from")
        self._loaded, self._ring, self._vault = loaded, ring, vault
        self.domains = tuple(dict.fromkeys(domain for rule in self._rules() if (domain := self._domain(rule)) is not None))
        if self.domains and vault is None:
            raise VaultError(f"{loaded.source.name}: data keys and tokens of subjects are in a vault, and none is named. "
                             "Hint: --vault sqlite:///path/to/vault.db")

    def _rules(self) -> Iterable[Rule]:
        for name, segment in self._loaded.policy.segments.items():
            if isinstance(segment, MaskedSegment):
                yield from self._loaded.rules(name).values()

    def _domain(self, rule: Rule) -> str | None:
        """The domain of what a rule keeps of subjects in the vault; None where it keeps nothing, or nobody knows whose it is."""
        kept = rule.promises
        return kept.domain if kept.needs_vault and (kept.needs_subject or self._loaded.policy.erasure is not None) else None

    def marks(self, subjects: Sequence[str]) -> list[Mark]:
        """Subjects as running jobs recognise them."""
        return marks_of(self._ring, self._loaded.policy.stream, _column(subjects))

    def written(self, subjects: Sequence[str]) -> list[str]:
        """Their marks as control documents and audit have them."""
        return [write_mark(mark) for mark in self.marks(subjects)]

    def erase(self, subjects: Sequence[str], now: int) -> Erased:
        """Destroy data keys, delete tokens and leave tombstones, all of it in one transaction or nothing.

        Can be repeated after a failure at any moment: what is done stays done.

        Args:
            subjects: texts, as records have them in the field of the subject.
            now: ms since 1970.

        Raises:
            InputError: nobody, an empty name, or too many.
            VaultError, KeyRingError: the vault failed, or was filled with another ring.
        """
        texts = _column(subjects)
        if self._vault is None:
            return Erased()
        hashes = {domain: tuple(row.tobytes() for row in SubjectHashes(self._vault, self._ring, domain).of(texts))
                  for domain in self.domains}
        done = self._vault.subjects.erase(Erasure(self._loaded.policy.stream, tuple(self.marks(subjects)), hashes, now))
        self._vault.keys.clear()
        self._vault.cache.clear()
        return done

    def standing(self, subjects: Sequence[str]) -> Standing:
        """What there still is of subjects; raises as `erase`."""
        texts = _column(subjects)
        if self._vault is None:
            return Standing(0, 0, 0)
        store, keys, tokens = self._vault.subjects, 0, 0
        for domain in self.domains:
            hashes = SubjectHashes(self._vault, self._ring, domain).of(texts)
            found = store.counts(domain, pa.array([row.tobytes() for row in hashes], LOOKUP))
            keys, tokens = keys + found[0], tokens + found[1]
        known = set(store.erased(self._loaded.policy.stream, 0)[0])
        marked = marks_of(self._ring, self._loaded.policy.stream, texts)
        return Standing(keys, tokens, sum(any(mark in known for mark in marked[k :: len(texts)]) for k in range(len(texts))))

    def opened(self, segment: str, batches: Iterable[pa.Array], subjects: Sequence[str]) -> Opened:
        """Try to open the encrypted values of subjects in records of a view.

        Args:
            segment: a masked segment.
            batches: its records.
            subjects: as for `erase`.

        Raises:
            InputError: no such segment, one without values under keys of subjects, or a record that cannot be read.
            VaultError, KeyRingError: as `erase`.
        """
        rules = self._loaded.rules(segment) if isinstance(self._loaded.policy.segments.get(segment), MaskedSegment) else {}
        fields = [path for path, rule in rules.items() if rule.promises.needs_subject and rule.promises.needs_vault]
        if not fields or self._vault is None:
            raise InputError(f"{segment}: no value of this view is encrypted under a key of its subject. Hint: omit it from --sample")
        records, total, first = MaskedRecords(self._loaded, segment, self._ring, fields), Opened(), 1
        for batch in batches:
            table = records.scan(batch, first)
            first += table.n
            total += Opened(table.n)
            for path in fields:
                total += self._opened(rules[path], table.values(path), _column(subjects), self._vault)
        return total

    def _opened(self, rule: Rule, values: Values, subjects: pa.StringArray, vault: Vault) -> Opened:
        scheme = of_subjects.SIV if rule.promises.deterministic else of_subjects.GCM
        keys = SubjectKeys(vault, self._ring, rule.promises.domain or "")
        found = pc.struct_field(pc.extract_regex(values.text, _ENVELOPE), "envelope")  # a rule may encrypt a part of the value
        data, starts, ends, versions, _ = envelope.unwrap(found, are_texts(values), scheme.forms[::-1], scheme.least)
        rows = np.flatnonzero(versions > 0)
        hashes = of_subjects.hashes_in(keys, scheme, data, starts[rows], ends[rows])
        wanted = {row.tobytes() for row in keys.of(subjects)}
        rows = rows[[row.tobytes() in wanted for row in hashes]] if len(rows) else rows
        if not len(rows):
            return Opened()
        theirs = Values(values.text.take(pa.array(rows)), values.kinds[rows], values.rows[rows])
        context = self._loaded.rule_context(rule.path, self._ring, vault)
        refused = rule.technique.unmake(rule.params, context)(theirs, Context(bytes(32))).refused
        return Opened(0, len(rows), len(rows) - (0 if refused is None else int(np.count_nonzero(refused))))

    def document(self, subjects: Sequence[str], reason: str, now: int, delay: int = 0) -> Signed:
        """A control document that lets running jobs know, not yet signed.

        Args:
            subjects: as for `erase`.
            reason: one line.
            now: ms since 1970.
            delay: ms until it takes effect.
        """
        policy = self._loaded.policy
        body = ErasureBody(id=new_id(now), stream=policy.stream, issued_at=now, effective_at=now + delay, reason=reason,
                           subjects=tuple(self.written(subjects)), later=policy.erasure.later if policy.erasure is not None else "drop")
        return seal("erasure", body.model_dump_json(exclude_none=True).encode())

    def masked_keys(self, upserts: Sequence[str], keys: Sequence[str]) -> dict[str, list[bytes]]:
        """The keys of a subject's rows in views that keep the newest record of each key.

        Args:
            upserts: masked segments whose sink is such a topic.
            keys: raw Kafka keys of the subject's records.

        Returns:
            For each segment the keys under its rule; none for a rule that gives a key another result each time.

        Raises:
            VaultError, KeyRingError: as `erase`.
        """
        plan = compile_plan(self._loaded, self._ring, self._vault)
        raw, found = pa.array([key.encode() for key in keys], pa.binary()), {}
        for masked in plan.masked:
            if masked.name in upserts and masked.record.key is not None and masked.record.key.deterministic:
                made = release(masked.record, Parts(key=raw), True, Context(bytes(32)), Rejections(len(raw))).key
                found[masked.name] = [key for key in listed(made) if key is not None] if made is not None else []
        return found

    def out_of_reach(self) -> list[str]:
        """Fields whose values key holders open all the same, as ``segment: path (technique)``."""
        return [f"{name}: {path} ({rule.technique.name})" for name, segment in self._loaded.policy.segments.items()
                if isinstance(segment, MaskedSegment) for path, rule in self._loaded.rules(name).items() if out_of_reach(rule)]

    def stays(self) -> list[str]:
        """What no erasure takes back, in words."""
        told = [f"{place}: key holders decrypt it without the vault" for place in self.out_of_reach()]
        for name, segment in self._loaded.policy.segments.items():
            match segment:
                case MaskedSegment():
                    told.append(f"{name}: records that were sent stay where they are; pseudonyms and other one-way values in them stay")
                case AnonymizedSegment():
                    told.append(f"{name}: groups that were released; running counts of sensitive values, of values shown, and of releases")
                case AggregatedSegment():
                    told.append(f"{name}: windows that are closed, and the spent part of the subject's budget")
        linked = self._loaded.policy.erasure is not None
        if not linked and any(rule.promises.needs_vault and not rule.promises.needs_subject for rule in self._rules()):
            told.append("tokens: the policy has no 'erasure', so the vault does not know whose they are")
        return [*told, "quarantine: records that were refused are encrypted there until they expire",
                "backups of the vault: a key that is restored from one opens again; rotate the ring, wrap the keys anew "
                "(flink-masking keys rewrap), and destroy the old version"]


def _column(subjects: Sequence[str]) -> pa.StringArray:
    if not subjects or "" in subjects or len(subjects) > MOST:
        raise InputError(f"1 to {MOST:,} subjects are erased at once, none of them empty. Hint: --subject CUST12345")
    return pa.array(list(subjects), pa.string())
