"""A technique for a part of a text: the rest stays as it is, and a text that has not the form is refused.

``{technique: pseudonym, domain: patient, within: {prefix: "Patient/"}}`` gives the reference ``Patient/17`` the stand-in that a field with
``17`` has in the same domain: the two can be joined. Like a declaration of a technique, it imports neither numpy nor pyarrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from itertools import permutations
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, model_validator

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import Action, Domain, FieldFacts, Params, RuleContext, Technique
from flink_masking.techniques.promises import Promises, Shows
from flink_masking.techniques.within_pattern import Cut, cut_at_group

if TYPE_CHECKING:
    from flink_masking.techniques.masks import Mask

__all__ = ["PARTS", "Part", "Within", "within"]

_MASK = "flink_masking.techniques.within_mask"
_Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500)]


class Part(BaseModel):
    """Which part of a text a rule is for; exactly one of these.

    Attributes:
        prefix: the text begins with this; the part is all that follows.
        after: the part is all behind the first place where this stands.
        before: the part is all in front of the last place where this stands.
        pattern: a regular expression (RE2) that the text matches as a whole; what its only group ``( )`` matches is the part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True,
                              json_schema_extra={"minProperties": 1, "maxProperties": 1})

    prefix: _Text | None = None
    after: _Text | None = None
    before: _Text | None = None
    pattern: _Text | None = None

    @model_validator(mode="after")
    def _one_of_four(self) -> "Part":
        if len([name for name in type(self).model_fields if getattr(self, name) is not None]) != 1:
            raise ValueError('must be one of prefix, after, before and pattern. Hint: within: {prefix: "Patient/"}')
        if self.pattern is not None:
            cut_at_group(self.pattern)
        return self

    @property
    def group(self) -> Cut | None:
        """The pattern around and in its group; None without a pattern."""
        return None if self.pattern is None else cut_at_group(self.pattern)


NUMBERS = ("number", "integer", "boolean")
"""Types of fields that hold no text."""
PARTS: TypeAdapter[tuple[Part, ...]] = TypeAdapter(tuple[Part, ...])
"""A list of parts: the first whose form a text has."""


@dataclass(frozen=True)
class Within(Technique):
    """A technique for a part of a text; see `Technique`.

    Attributes:
        inner: the technique.
        parts: forms; the first that a text has counts.
    """

    inner: Technique | None = None
    parts: tuple[Part, ...] = field(default=())

    def make(self, params: Any, rule_context: RuleContext) -> "Mask | Action":
        """As `Technique.make`."""
        assert self.inner is not None
        self.check(params, rule_context)
        mask = self.inner.make(params, _site(rule_context))
        made: Mask = import_module(_MASK).of_part(self.parts, mask)
        return made

    def unmake(self, params: Any, rule_context: RuleContext) -> "Mask":
        """As `Technique.unmake`."""
        assert self.inner is not None
        if not self.promises(params).reversible:
            raise PolicyError(f"{self.name} within this part is not reversible. Hint: prefix, after or before; or a reversible technique")
        made: Mask = import_module(_MASK).of_part(self.parts, self.inner.unmake(params, _site(rule_context)))
        return made

    def output(self, params: Any) -> Domain:
        """As `Technique.output`."""
        assert self.inner is not None
        domain = self.inner.output(params)
        split = import_module(_MASK).pieces

        def contains(text: str) -> bool:
            return text == "" or any(domain.contains(piece) for piece in split(self.parts, text))

        return Domain(f"a part of the text: {domain.description}", contains)


def within(technique: Technique, parts: Sequence[Part]) -> Technique:
    """The technique, for a part of a text only.

    Args:
        technique: any that replaces text.
        parts: where the part is; of several forms the first that a text has.

    Raises:
        PolicyError: the technique is none for a part; no form is given.
    """
    if not parts:
        raise PolicyError('within: no form is given. Hint: within: {prefix: "Patient/"}')
    if technique.action is not None:
        raise PolicyError(f"within: '{technique.name}' is for whole values. Hint: a technique that replaces text, such as pseudonym")
    if Kind.STRING not in technique.inputs:
        raise PolicyError(f"within: '{technique.name}' does not take text. Hint: another technique")
    known = {found.name: getattr(technique, found.name) for found in fields(Technique)}
    forms = tuple(parts)

    def promises(params: Any) -> Promises:
        return _promises(technique.promises(params), forms)

    def check(params: Any, rule_context: RuleContext) -> None:
        _check(technique, forms, params, rule_context)

    def resolution(params: Any, facts: FieldFacts) -> float:
        return technique.resolution(params, facts) if _constant(forms) else float("inf")

    return Within(**{**known, "inputs": TEXT, "promises": promises, "check": check, "resolution": resolution}, inner=technique, parts=forms)


def _site(rule_context: RuleContext) -> RuleContext:
    """What the technique may know: nothing of what is declared of the whole value."""
    return replace(rule_context, facts=FieldFacts(rule_context.facts.path))


def _check(technique: Technique, parts: tuple[Part, ...], params: Params, rule_context: RuleContext) -> None:
    promises = technique.promises(params)
    if promises.moves_with:
        raise PolicyError(f"within: '{technique.name}' moves whole values of several fields. Hint: omit the group, or 'within'")
    if promises.always_null:
        raise PolicyError(f"within: '{technique.name}' leaves no text. Hint: redact hides a part")
    if rule_context.facts.kind in NUMBERS or rule_context.facts.bounds is not None or _numeric(rule_context.facts.domain):
        raise PolicyError(f"within: '{rule_context.facts.path}' is a number, which has no parts. Hint: omit 'within'; of digits in text, "
                          "declare type: text")
    technique.check(params, _site(rule_context))
    import_module(_MASK).check(parts)


def _numeric(domain: tuple[Any, Any] | None) -> bool:
    return domain is not None and not isinstance(domain[0], str)


def _constant(parts: tuple[Part, ...]) -> bool:
    """Whether what stays says nothing of a value, but which of the forms it has."""
    return all(part.prefix is not None for part in parts)


def _apart(parts: tuple[Part, ...]) -> bool:
    """Whether the part can be found again in a result, whatever became of it, so that different texts stay different."""
    if len(parts) == 1:
        return parts[0].pattern is None
    prefixes = [part.prefix for part in parts]
    return all(one is not None and other is not None and not one.startswith(other) for one, other in permutations(prefixes, 2))


def _promises(inner: Promises, parts: tuple[Part, ...]) -> Promises:
    """What the technique promises of the part, as far as it holds of the whole text."""
    constant, apart = _constant(parts), _apart(parts)
    return replace(
        inner,
        shows=inner.shows if constant or inner.shows is Shows.EXACT else Shows.PART,
        injective=inner.injective and apart,
        stands_in=inner.stands_for_a_person,
        reversible=inner.reversible and apart,
        passes=inner.passes or not constant,
        hides=0,
        prefix=0,
        always_null=False,
        bounds=None,
    )
