"""The functions for Flink SQL, one line each: a name, the technique behind it, and the words for its arguments.

A call is short for a rule of a policy: ``pseudonym(email, 'mail')`` is ``mask(email, '{technique: pseudonym, domain: mail}')``. What
the techniques can do, and what their parameters may be, stands with them alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, get_args

from flink_masking.errors import InputError, PolicyError
from flink_masking.techniques import registry
from flink_masking.techniques.base import Params

PATH = "sql"
"""Where a rule in SQL stands: there is no field, so all functions share this path. `encrypt` binds values to it, and so
``decrypt(encrypt(x, 'd'), 'd')`` is x whatever the columns are called; a value encrypted by a policy is bound to its field's path."""

NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})
Written = Mapping[str, Any]


@dataclass(frozen=True)
class SqlFunction:
    """A function as it is declared.

    Attributes:
        name: as typed in SQL; also the name in the module ``udfs``.
        takes: what it is made of: arguments that become a rule, the text of a rule, or a record and the name of a segment.
        techniques: names in the registry; several: what the first cannot open is given to the next.
        arguments: names of the arguments behind the value, in order; parameters of the technique unless `parameters` says otherwise.
        required: how many of them must be given.
        parameters: from arguments by name to parameters of the rule.
        back: it gives clear values back, for which actor and purpose must be stated.
        example: arguments of a sound call.
        summary: one line, where it is not the technique's own.
        value: what the first argument is called.
    """

    name: str
    takes: Literal["arguments", "rule", "record"] = "arguments"
    techniques: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    required: int = 0
    parameters: Callable[[Written], Written] = dict
    back: bool = False
    example: tuple[Any, ...] = ()
    summary: str = ""
    value: str = "value"

    @property
    def signature(self) -> str:
        """For people: ``pseudonym(value, domain[, length])``."""
        must = ", ".join((self.value, *self.arguments[: self.required]))
        may = "".join(f"[, {name}" for name in self.arguments[self.required :])
        return f"{self.name}({must}{may}{']' * (len(self.arguments) - self.required)})"

    @property
    def title(self) -> str:
        """One line on what it does."""
        return self.summary or registry.get(self.techniques[0]).summary

    @property
    def deterministic(self) -> bool:
        """Whether a call always gives the same result for the same value: what Flink's planner may rely on."""
        if self.back:
            return True
        if not self.techniques:
            return False
        technique = registry.get(self.techniques[0])
        return technique.promises(technique.params.model_validate(dict(self.rule(self.example)))).deterministic

    def rule(self, arguments: tuple[Any, ...]) -> Written:
        """The parameters that a call's arguments stand for.

        Args:
            arguments: literals behind the value.

        Raises:
            InputError: too few, too many, or NULL.
        """
        self.check(arguments)
        return self.parameters(dict(zip(self.arguments, arguments, strict=False)))

    def check(self, arguments: tuple[Any, ...]) -> None:
        """Check the number of arguments, and that none is NULL.

        Raises:
            InputError: they are not those of the signature.
        """
        if not self.required <= len(arguments) <= len(self.arguments):
            raise InputError(f"{self.name}: {len(arguments) + 1} arguments. Hint: write {self.signature}")
        for name, argument in zip(self.arguments, arguments, strict=False):
            if argument is None:
                raise InputError(f"{self.name}: {name} is NULL. Hint: only the value may be NULL in {self.signature}")


def _chosen(arguments: Written) -> Written:
    """``how, amount`` is the parameter `how`."""
    return {arguments["how"]: arguments["amount"]}


def _keyed(arguments: Written) -> Written:
    """As `_chosen`, with noise that belongs to a domain."""
    return {arguments["how"]: arguments["amount"], "mode": "keyed", "domain": arguments["domain"]}


def _shifted(arguments: Written) -> Written:
    """The subject is a column of its own, no parameter."""
    return {name: value for name, value in arguments.items() if name != "subject"}


def _random(arguments: Written) -> Written:
    """Another substitute each time."""
    return {**arguments, "mode": "random"}


def _listed(arguments: Written) -> Written:
    """``'EMAIL, PHONE'`` is the list of types that are looked for."""
    types = str(arguments["types"]) if "types" in arguments else None
    return {} if types is None else {"entities": [name.strip() for name in types.split(",")]}


def _with(**fixed: Any) -> Callable[[Written], Written]:
    return lambda arguments: {**fixed, **arguments}


def _counted(arguments: Written) -> Written:
    """The last characters stay, and so do separators and the length."""
    return {**arguments, "keep_separators": True}


def _formatted(arguments: Written) -> Written:
    """A format by name, else an alphabet; card numbers pass Luhn's check before and after."""
    form = arguments["format"]
    rest = {name: value for name, value in arguments.items() if name != "format"}
    formats = [word for part in get_args(_parameter("fpe", "format")) for word in get_args(part)]
    if form not in formats:
        return {**rest, "alphabet": form}
    return {**rest, "format": form, "luhn": True} if form == "card" else {**rest, "format": form}


def _parameter(technique: str, name: str) -> Any:
    return registry.get(technique).params.model_fields[name].annotation


_FORM = ("domain", "format")
_SEALED = tuple(name for name, one in registry.OWN.items() if registry.examples(one)[0].carries_key_version)
_DECLARED = (
    SqlFunction("mask", "rule", (), ("rule",), 1, example=("{technique: redact}",),
                summary="Any rule of a policy, in YAML's flow style."),
    SqlFunction("unmask", "rule", (), ("rule", "path", "stream"), 1, back=True, example=("{technique: tokenize, domain: ssn}",),
                summary="The inverse of a reversible rule; path and stream: of the field that a policy protected, where it was not SQL."),
    SqlFunction("protect", "record", (), ("segment",), 1, example=("analytics",), value="payload",
                summary="A raw record as a masked segment of the policy shows it; NULL where it goes to the quarantine."),
    SqlFunction("mask_partial", "arguments", ("partial",), ("keep_first", "keep_last", "mask"), 2, example=(1, 4)),
    SqlFunction("mask_last", "arguments", ("partial",), ("keep_last", "mask"), 1, _counted, example=(4,),
                summary="The last letters and digits stay readable, separators and the length, too."),
    SqlFunction("mask_email", "arguments", ("partial",), (), 0, _with(keep_first=1, keep_after="@"),
                summary="The first letter and the host stay readable."),
    SqlFunction("redact", "arguments", ("redact",), ("with",), 0),
    SqlFunction("redact_text", "arguments", ("redact_text",), ("types",), 0, _listed, value="text"),
    SqlFunction("nullify", "arguments", ("nullify",), summary="NULL."),
    SqlFunction("pseudonym", "arguments", ("pseudonym",), ("domain", "length", "encoding"), 1, example=("customer",)),
    SqlFunction("generalize", "arguments", ("generalize",), ("how", "amount"), 2, _chosen, example=("width", 10)),
    SqlFunction("date_shift", "arguments", ("date_shift",), ("subject", "max_days", "domain"), 2, _shifted, example=("customer-1", 30)),
    SqlFunction("substitute", "arguments", ("substitute",), ("as", "domain", "locale"), 1, example=("full_name",)),
    SqlFunction("substitute_random", "arguments", ("substitute",), ("as", "locale"), 1, _random, example=("full_name",)),
    SqlFunction("shuffle", "arguments", ("shuffle",), ("min_distinct",), 0),
    SqlFunction("perturb", "arguments", ("perturb",), ("how", "amount", "scale"), 2, example=("relative", Decimal("0.05")),
                parameters=lambda a: {**_chosen(a), **({"scale": a["scale"]} if "scale" in a else {})}),
    SqlFunction("perturb_keyed", "arguments", ("perturb",), ("how", "amount", "domain"), 3, _keyed,
                example=("relative", Decimal("0.05"), "amount"), summary="Numbers with bounded noise, the same for the same value."),
    SqlFunction("fpe_encrypt", "arguments", ("fpe",), _FORM, 2, _formatted, example=("pan", "card")),
    SqlFunction("fpe_decrypt", "arguments", ("fpe",), _FORM, 2, _formatted, True, ("pan", "card"), "The inverse of fpe_encrypt."),
    SqlFunction("encrypt", "arguments", ("encrypt",), ("domain",), 1, example=("customer",)),
    SqlFunction("encrypt_deterministic", "arguments", ("encrypt_deterministic",), ("domain",), 1, example=("customer",)),
    SqlFunction("decrypt", "arguments", _SEALED, ("domain",), 1, back=True, example=("customer",),
                summary="The inverse of encrypt and encrypt_deterministic."),
    SqlFunction("tokenize", "arguments", ("tokenize",), _FORM, 1, example=("ssn",)),
    SqlFunction("detokenize", "arguments", ("tokenize",), _FORM, 1, back=True, example=("ssn",), summary="The inverse of tokenize."),
)  # fmt: skip

COLUMN_ARGUMENTS = frozenset({"subject"})
"""Arguments that may differ from row to row; all others are literals."""


def _of_another_package(name: str) -> SqlFunction:
    """The function of a technique that another package brings: called as the technique, with its parameters in their order.

    Raises:
        PolicyError: there is a function of that name.
    """
    if any(function.name == name for function in _DECLARED):
        raise PolicyError(f"the technique '{name}' of {registry.TECHNIQUES.packages[name]} has the name of a SQL function. Hint: rename it")
    technique = registry.get(name)
    found = {field.alias or one: field for one, field in technique.params.model_fields.items() if one not in Params.model_fields}
    arguments = sorted(found, key=lambda one: not found[one].is_required())  # stable: the required ones first
    required = sum(field.is_required() for field in found.values())
    example = tuple(technique.examples[0][one] for one in arguments[:required])
    return SqlFunction(name, "arguments", (name,), tuple(arguments), required, example=example)


_BROUGHT = tuple(_of_another_package(name) for name in registry.TECHNIQUES.packages)

FUNCTIONS: Mapping[str, SqlFunction] = MappingProxyType({function.name: function for function in (*_DECLARED, *_BROUGHT)})
"""Every function by its name, in the order of the documentation; then those of techniques that other packages bring."""
