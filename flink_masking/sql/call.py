"""Evaluates a SQL function: a column and literals in, a column of texts out."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled, replaced
from flink_masking.engine.masking import REDACTED
from flink_masking.errors import ControlError, InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Values
from flink_masking.sql.columns import text_of, values_of
from flink_masking.sql.functions import COLUMN_ARGUMENTS, SqlFunction
from flink_masking.sql.grants import Gate
from flink_masking.sql.rules import SqlRule, compile_call
from flink_masking.sql.session import GLOBAL, GRANTS, Reason, Session
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Context
from flink_masking.tools.reverse import needed

audit_log = logging.getLogger("flink_masking.audit")
"""Where it is written who has had clear values back: JSON lines. They are warnings, because Flink's Python workers drop what is less
wherever nobody has set a level."""

REMEMBERED = 1_000
"""Calls with different literals whose rules a function keeps compiled."""


class Call:
    """One function of one session. NULL gives NULL; what a technique refuses gives "***" or NULL, as its on_error says."""

    def __init__(self, function: SqlFunction, session: Session, entropy: Callable[[int], bytes],
                 place: tuple[int, int] = (1, 0)) -> None:
        """Get ready; a function that gives clear values back learns who asks, and whether that needs a grant.

        Args:
            function: from the table.
            session: the job's parameters.
            entropy: n → n random bytes (``os.urandom``).
            place: how many workers run the function, and which of them this is.

        Raises:
            InputError: actor or purpose is missing, or the session's policy or deployment cannot be read.
            ControlError: the policy asks for a grant, and the session does not say where grants are.
            KeyRingError, PolicyFaults: as `Session.policy`.
        """
        self._function, self._session, self._entropy = function, session, entropy
        self._reason: Reason | None = session.reason(function.name) if function.back else None
        self._gate = None if self._reason is None else _gate(session, self._reason, place)
        self._rules: dict[tuple[Any, ...], SqlRule] = {}
        self._ring: KeyRing | None = None
        self._columns = [k for k, name in enumerate(function.arguments) if name in COLUMN_ARGUMENTS]

    def __call__(self, column: pa.Array, *arguments: Any) -> pa.StringArray:
        """Mask a column.

        Args:
            column: n values.
            arguments: literals; an Arrow array where the argument is a column.

        Returns:
            n texts.

        Raises:
            InputError: a type or an argument that the function does not take.
            PolicyError, KeyRingError, VaultError: as `compile_call`; the last two also when keys or vault fail at work.
        """
        name = self._function.name
        values, inexact = values_of(column, name)
        n = len(values.text)
        subjects = None
        for k in self._columns:
            if k < len(arguments):
                subjects = self._subjects(arguments[k], n)
        literals = tuple("" if k in self._columns else self._literal(k, argument) for k, argument in enumerate(arguments))
        rule = self._rule(literals)
        given = n - values.text.null_count
        grant = self._granted(rule, given)
        result, refused = self._masked(rule, values, Context(self._entropy(32), subjects))
        refused |= ~rule.takes[values.kinds]
        if inexact is not None:
            refused |= inexact
        result = replaced(result, refused, REDACTED if rule.on_error == "redact" else None)
        result = nulled(result, values.kinds == Kind.NULL)
        if self._reason is not None:
            self._audit(self._reason, rule, given, n - result.null_count, **({} if grant is None else {"grant": grant}))
        return result

    def _granted(self, rule: SqlRule, count: int) -> str | None:
        """The grant that a batch goes under; None where none is asked for. An attempt without one is written down."""
        if self._gate is None or self._reason is None:
            return None
        try:
            return self._gate(rule, count).id
        except ControlError as error:
            self._audit(self._reason, rule, count, 0, refused=str(error))
            raise

    def _subjects(self, subjects: Any, n: int) -> pa.StringArray:
        if isinstance(subjects, pa.Array | pa.ChunkedArray):
            text, inexact = values_of(subjects, self._function.name)
            return text.text if inexact is None else nulled(text.text, inexact)
        return pa.repeat(pa.scalar(None if subjects is None else str(subjects), pa.string()), n)

    def _literal(self, number: int, argument: Any) -> Any:
        if isinstance(argument, pa.Array | pa.ChunkedArray):
            function = self._function
            name = function.arguments[number] if number < len(function.arguments) else f"argument {number + 2}"
            raise InputError(f"{function.name}: {name} is a column. Hint: write it as a literal, evaluated once: {function.signature}")
        return argument

    def _rule(self, literals: tuple[Any, ...]) -> SqlRule:
        ring = self._session.ring()
        if ring is not self._ring:
            self._ring = ring
            self._rules.clear()
        key = tuple((type(literal), literal) for literal in literals)
        if key not in self._rules:
            if len(self._rules) >= REMEMBERED:
                self._rules.clear()
            self._rules[key] = compile_call(self._function, literals, self._session)
        return self._rules[key]

    def _masked(self, rule: SqlRule, values: Values, context: Context) -> tuple[pa.StringArray, np.ndarray]:
        """What the masks make of the values, each of those that the ones before refused."""
        n = len(values.text)
        rows, result, refused = np.arange(n), pa.nulls(n, pa.string()), np.ones(n, bool)
        for mask in rule.masks:
            some = values
            if len(rows) < n:
                some = Values(values.text.take(pa.array(rows)), values.kinds[rows], np.arange(len(rows), dtype=np.int32))
            text, still = _run(mask, some, context)
            result = text if len(rows) == n else pc.replace_with_mask(result, pa.array(refused), text)
            refused[rows] = still
            rows = rows[still]
            if not len(rows):
                break
        return result, refused

    def _audit(self, reason: Reason, rule: SqlRule, count: int, opened: int, **more: str) -> None:
        when = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        audit_log.warning(json.dumps({"event": "unprotect", "time": when, **reason._asdict(), "function": self._function.name,
                                      "domain": rule.domain, "count": count, "opened": opened, **more}))  # fmt: skip


def _gate(session: Session, reason: Reason, place: tuple[int, int]) -> Gate | None:
    """What asks for grants, where the session's policy does."""
    loaded = session.policy_if_named()
    if loaded is None or not needed(loaded):
        return None
    control = session.control()
    if control is None:
        raise ControlError("the policy asks for a grant (reverse: {requires_grant: true}), and the session does not say where grants are. "
                           f"Hint: SET '{GLOBAL}' = '{{{GRANTS}: ''/etc/flink-masking/deployment.yaml''}}', a deployment with a section "
                           "control, and 'flink-masking grant request --reverse --segment sql'")
    return Gate(loaded, reason.actor, control, session.ring, place)


def _run(mask: Any, values: Values, context: Context) -> tuple[pa.StringArray, np.ndarray]:
    n = len(values.text)
    if mask is Action.KEEP:
        return values.text, np.zeros(n, bool)
    if mask is Action.DROP:
        return pa.nulls(n, pa.string()), np.zeros(n, bool)
    if n == 0:
        return pa.array([], pa.string()), np.zeros(0, bool)
    masked = mask(values, context)
    text = text_of(masked.values, n)
    return text, np.zeros(n, bool) if masked.refused is None else np.array(masked.refused, bool)
