"""encrypt: authenticated encryption that is different every time; a key holder gets the value back."""

from typing import Annotated

from pydantic import StringConstraints

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises, Shows


class EncryptParams(Params):
    """Parameters of encrypt and of encrypt_deterministic.

    Attributes:
        domain: names the key: a key ring that was exported for a domain opens what was encrypted under it, and nothing else.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]


def promises(params: EncryptParams) -> Promises:
    """The length of a value, whether it is empty, and which values were encrypted in one batch."""
    return Promises(
        shows=Shows.NOTHING,
        deterministic=False,
        lasting=False,
        row_local=True,
        injective=True,
        reversible=True,
        passes=False,
        purposes=("encrypt",),
        domain=params.domain,
        carries_key_version=True,
        bound_to_field=True,
    )


TECHNIQUE = Technique(
    name="encrypt",
    summary="Encrypted, different every time; a key holder gets the value back.",
    params=EncryptParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.encrypt.mask",
    examples=({"domain": "customer"},),
)
