"""Compiles the literals of a call to rules, once for each distinct literal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from flink_masking.documents.document import Document
from flink_masking.documents.faults import PolicyFaults
from flink_masking.documents.findings import Findings
from flink_masking.engine.masking import accepted_kinds
from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.rules import bind
from flink_masking.policy.segments import RuleSpec, rule_spec
from flink_masking.records.kinds import SCALAR
from flink_masking.sql.functions import FUNCTIONS, PATH, SqlFunction
from flink_masking.sql.session import Session
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action, FieldFacts, OnError, Params, RuleContext, Technique
from flink_masking.techniques.masks import Mask


@dataclass(frozen=True)
class SqlRule:
    """A compiled rule.

    Attributes:
        masks: the mask, or several of which each is given what those before refused.
        takes: bool by kind code: True where the values of that kind are taken.
        on_error: what becomes of a value that is not taken: redact, or NULL.
        domain: the rule's domain, for the audit; "" where there is none.
        techniques: names of the masks' techniques.
    """

    masks: tuple[Mask | Action, ...]
    takes: np.ndarray
    on_error: OnError
    domain: str
    techniques: tuple[str, ...] = ()


def compile_call(function: SqlFunction, arguments: tuple[Any, ...], session: Session) -> SqlRule:
    """Compile a call.

    Args:
        function: what is called.
        arguments: the literals behind the value.
        session: for keys and vault.

    Raises:
        PolicyError: the rule is none, or its technique is not reversible where that is asked for; with a hint.
        InputError: the arguments do not fit the signature.
        KeyRingError: the rule needs a key that is not there.
        VaultError: the rule needs a vault that is not there.
    """
    for name, argument in zip(function.arguments, arguments, strict=False):
        if argument is not None and not isinstance(argument, str | int | float | Decimal):
            raise InputError(f"{function.name}: {name} is of type {type(argument).__name__}. Hint: write a text or a number")
    path, stream = PATH, ""
    if function.takes == "rule":
        function.check(arguments)
        if not all(isinstance(argument, str) for argument in arguments):
            raise InputError(f"{function.name}: a rule is a text. Hint: {function.name}(value, '{{technique: redact}}')")
        rules = [_written(function.name, arguments[0])]
        path = arguments[1] if len(arguments) > 1 else PATH
        stream = arguments[2] if len(arguments) > 2 else ""
    else:
        parameters = {name: _plain(value) for name, value in function.rule(arguments).items()}
        rules = [_called(function, technique, parameters) for technique in function.techniques]
    try:
        return _compiled(function, rules, path, stream, session)
    except PolicyError as error:
        own = _with_subject(rules[0][0].name)
        if own is not None and own is not function:
            raise PolicyError(f"{function.name}: {own.techniques[0]} needs to know whose value it is. Hint: {own.signature}") from None
        raise PolicyError(f"{function.name}: {error}") from None


def _with_subject(technique: str) -> SqlFunction | None:
    """The function by which a technique that works by person is called, if it is one."""
    return next((f for f in FUNCTIONS.values() if technique in f.techniques and "subject" in f.arguments), None)


def _plain(value: Any) -> Any:
    """A literal as YAML would have read it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _written(name: str, text: str) -> tuple[Technique, Params]:
    """The rule of a text."""
    if not text.strip():
        raise PolicyError(f"{name}: the rule is empty. Hint: write '{{technique: redact}}', or another rule of a policy")
    document = Document(f"{name}: rule", text)
    findings = Findings(document)
    try:
        pair = bind(rule_spec(document.value), (), findings)
    except ValueError as error:
        raise PolicyError(f"{name}: the rule {error}") from None
    if pair is None:
        raise PolicyFaults(f"{name}: rule", findings.errors)
    return pair


def _called(function: SqlFunction, technique: str, parameters: Mapping[str, Any]) -> tuple[Technique, Params]:
    """The rule that a call's arguments stand for."""
    findings = Findings(Document(function.name, json.dumps(dict(parameters), ensure_ascii=False)))
    pair = bind(RuleSpec(technique=technique, parameters=dict(parameters)), (), findings)
    if pair is None:
        faults = "; ".join(fault.message for fault in findings.errors)
        keys = tuple(f"such as {key}: " for key in registry.get(technique).params.model_fields)  # as in a policy, which this is not
        hints = "; ".join(fault.hint for fault in findings.errors if fault.hint and not fault.hint.startswith(keys))
        raise PolicyError(f"{function.name}: {faults}. Hint: {hints or 'write ' + function.signature}")
    return pair


def _no_files(name: str) -> str:
    raise PolicyError("a function of SQL has no files beside it. Hint: put the rule into a policy and use protect(payload, segment)")


def _compiled(function: SqlFunction, rules: list[tuple[Technique, Params]], path: str, stream: str, session: Session) -> SqlRule:
    masks: list[Mask | Action] = []
    for technique, params in rules:
        promises = technique.promises(params)
        vault = session.vault() if promises.needs_vault else None
        rule_context = RuleContext(FieldFacts(path), session.ring(), _no_files, "subject" in function.arguments, vault, stream)
        if function.back and not promises.reversible:
            hint = ", ".join(registry.those(lambda promises: promises.reversible))
            raise PolicyError(f"{technique.name} is not reversible. Hint: reversible are {hint}")
        masks.append(technique.unmake(params, rule_context) if function.back else technique.make(params, rule_context))
    technique, params = rules[0]
    if params.on_error == "quarantine":
        raise PolicyError("there is no quarantine in SQL. Hint: on_error: redact, nullify or drop; the last two give NULL")
    takes = accepted_kinds(SCALAR if function.back else technique.inputs & SCALAR)
    return SqlRule(tuple(masks), takes, "nullify" if function.back else params.on_error, technique.promises(params).domain or "",
                   tuple(technique.name for technique, _ in rules))
