"""substitute: realistic and fictitious names, addresses and numbers in the place of real ones."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import NUMERIC, TEXT
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises, Shows

What = Literal[
    "full_name", "first_name", "last_name", "email", "user_name", "phone", "street", "city", "company", "iban", "payment_card"
]


class SubstituteParams(Params):
    """Parameters of substitute.

    Attributes:
        what: written ``as``: what the substitute is.
        domain: substitutes of the same domain agree: same value, same substitute, in every stream.
        locale: whose names and forms.
        mode: consistent, or random: another substitute each time.
    """

    what: What = Field(alias="as")
    domain: Annotated[str, StringConstraints(min_length=1)] = "substitute"
    locale: Literal["en_US", "en_GB", "de_DE", "fr_FR", "es_ES"] = "en_US"
    mode: Literal["consistent", "random"] = "consistent"

    @model_validator(mode="after")
    def _domain_is_for_consistent(self) -> "SubstituteParams":
        if self.mode == "random" and "domain" in self.model_fields_set:
            raise ValueError("a random substitute has no domain. Hint: omit domain, or use mode: consistent")
        return self


def promises(params: SubstituteParams) -> Promises:
    """When consistent, which values are equal."""
    consistent = params.mode == "consistent"
    return Promises(
        shows=Shows.NOTHING,
        deterministic=consistent,
        lasting=consistent,
        row_local=True,
        passes=False,
        purposes=("substitute",) if consistent else (),
        result="kind",
        domain=params.domain if consistent else None,
    )


TECHNIQUE = Technique(
    name="substitute",
    summary="Realistic and fictitious: names, addresses, phone, card and account numbers.",
    params=SubstituteParams,
    promises=promises,
    inputs=TEXT | NUMERIC,
    implementation="flink_masking.techniques.substitute.mask",
    examples=(
        {"as": "full_name"},
        {"as": "email", "locale": "de_DE"},
        {"as": "phone", "locale": "fr_FR", "domain": "phone"},
        {"as": "payment_card"},
        {"as": "iban", "locale": "es_ES"},
        {"as": "full_name", "mode": "random"},
    ),
)
