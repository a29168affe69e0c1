"""encrypt_deterministic: authenticated encryption under which equal values stay equal; a key holder gets them back."""

from dataclasses import replace

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques import encrypt
from flink_masking.techniques.base import Technique
from flink_masking.techniques.encrypt import EncryptParams
from flink_masking.techniques.promises import Promises


def promises(params: EncryptParams) -> Promises:
    """Which values of the field (per subject: of the field and subject) are equal, their lengths, and which are empty."""
    purposes = encrypt.promises(params).purposes if params.per_subject else ("encrypt_deterministic",)
    return replace(encrypt.promises(params), deterministic=True, lasting=True, purposes=purposes)


TECHNIQUE = Technique(
    name="encrypt_deterministic",
    summary="Encrypted so that equal values of a field stay equal; a key holder gets the value back.",
    params=EncryptParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.encrypt_deterministic.mask",
    check=encrypt.check,
    examples=({"domain": "customer"}, {"domain": "customer", "per_subject": True}),
)
