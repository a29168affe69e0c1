"""encrypt_deterministic: authenticated encryption under which equal values stay equal; a key holder gets them back."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Technique
from flink_masking.techniques.encrypt import EncryptParams
from flink_masking.techniques.promises import Promises, Shows


def promises(params: EncryptParams) -> Promises:
    """Which values of the field are equal, their lengths, and which are empty."""
    return Promises(
        shows=Shows.NOTHING,
        deterministic=True,
        lasting=True,
        row_local=True,
        injective=True,
        reversible=True,
        passes=False,
        purposes=("encrypt_deterministic",),
        domain=params.domain,
        carries_key_version=True,
        bound_to_field=True,
    )


TECHNIQUE = Technique(
    name="encrypt_deterministic",
    summary="Encrypted so that equal values of a field stay equal; a key holder gets the value back.",
    params=EncryptParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.encrypt_deterministic.mask",
    examples=({"domain": "customer"},),
)
