"""encrypt_deterministic: authenticated encryption under which equal values stay equal; a key holder gets them back."""

from dataclasses import replace

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques import encrypt
from flink_masking.techniques.base import Technique
from flink_masking.techniques.encrypt import EncryptParams
from flink_masking.techniques.promises import Promises


def promises(params: EncryptParams) -> Promises:
    """Which values of the field are equal, their lengths, and which are empty."""
    return replace(encrypt.promises(params), deterministic=True, lasting=True, purposes=("encrypt_deterministic",))


TECHNIQUE = Technique(
    name="encrypt_deterministic",
    summary="Encrypted so that equal values of a field stay equal; a key holder gets the value back.",
    params=EncryptParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.encrypt_deterministic.mask",
    examples=({"domain": "customer"},),
)
