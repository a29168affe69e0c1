"""What groups of an anonymized segment must satisfy besides k, as written in a policy."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Discriminator, Tag, WithJsonSchema, model_validator

from flink_masking.policy.fields import Model, Name, Real, Whole

Share = Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)]


class Diversity(Model):
    """Every group holds at least `l` values of `field` that are well represented.

    Attributes:
        field: of class sensitive.
        l: values.
        kind: distinct: l different values; entropy: as diverse as l equally common ones; recursive: r1 < c (r_l + ... + r_m).
        c: of kind recursive.
    """

    field: Name
    l: Annotated[Whole, pydantic.Field(ge=2)]  # noqa: E741 - the name in the literature and in the policy
    kind: Literal["distinct", "entropy", "recursive"] = "distinct"
    c: Annotated[Real, pydantic.Field(gt=0, le=1000)] | None = None

    @model_validator(mode="after")
    def _c_of_recursive(self) -> "Diversity":
        if (self.c is not None) != (self.kind == "recursive"):
            raise ValueError("needs 'c' with kind recursive, and with no other. Hint: {field: diagnosis, l: 3, kind: recursive, c: 2.0}")
        return self


def _shares(value: Any) -> Any:
    if value == "running" or isinstance(value, dict):
        return value
    raise ValueError("must be 'running' or the public share of each value. Hint: reference: {flu: 0.7, cancer: 0.3}")


class Closeness(Model):
    """The distribution of `field` in every group differs from that of everybody by at most `t`.

    Attributes:
        field: of class sensitive.
        t: largest earth mover's distance.
        distance: between values: equal; ordered, along `values`, `reference` or the field's domain; hierarchical, in a tree.
        hierarchy: file with the tree; the field's own without it.
        values: all values, in order.
        bins: parts that a numeric or date domain is cut into.
        reference: ``running``, all records so far; or the public share of each value.
    """

    field: Name
    t: Annotated[Real, pydantic.Field(gt=0, le=1)]
    distance: Literal["equal", "ordered", "hierarchical"] = "equal"
    hierarchy: Name | None = None
    values: Annotated[tuple[Name, ...], pydantic.Field(min_length=1)] | None = None
    bins: Annotated[Whole, pydantic.Field(ge=2, le=1000)] = 20
    reference: Annotated[
        Literal["running"] | dict[Name, Share], BeforeValidator(_shares),
        WithJsonSchema({"oneOf": [{"const": "running"}, {"type": "object", "additionalProperties": {"type": "number"}}]}),
    ] = "running"  # fmt: skip


class Alpha(Model):
    """No value of `field`, or none of `values`, has more than the share `alpha` of a group.

    Attributes:
        field: of class sensitive.
        alpha: largest share.
        values: that are bounded; all without it.
    """

    field: Name
    alpha: Annotated[Real, pydantic.Field(gt=0, lt=1)]
    values: Annotated[tuple[Name, ...], pydantic.Field(min_length=1)] | None = None


def _several(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


def _at_least_one(value: Any) -> Any:
    if isinstance(value, list) and not value:
        raise ValueError("must not be empty")
    return value


Diversities = Annotated[
    Annotated[Diversity, Tag("one")] | Annotated[tuple[Diversity, ...], Tag("several")], Discriminator(_several),
    BeforeValidator(_at_least_one),
]  # fmt: skip
"""One rule, or a list of them."""
Closenesses = Annotated[
    Annotated[Closeness, Tag("one")] | Annotated[tuple[Closeness, ...], Tag("several")], Discriminator(_several),
    BeforeValidator(_at_least_one),
]  # fmt: skip
"""One rule, or a list of them."""
Alphas = Annotated[
    Annotated[Alpha, Tag("one")] | Annotated[tuple[Alpha, ...], Tag("several")], Discriminator(_several), BeforeValidator(_at_least_one),
]  # fmt: skip
"""One rule, or a list of them."""
