"""encrypt: authenticated encryption that is different every time; a key holder gets the value back."""

from dataclasses import replace
from typing import Annotated

from pydantic import StrictBool, StringConstraints

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Params, RuleContext, Technique
from flink_masking.techniques.promises import Promises, Shows

SUBJECT_PURPOSE = "subject-key"
"""Purpose of the ring's keys that wrap the data keys of subjects."""


class EncryptParams(Params):
    """Parameters of encrypt and of encrypt_deterministic.

    Attributes:
        domain: names the key: a key ring that was exported for a domain opens what was encrypted under it, and nothing else.
        per_subject: each subject has a data key, which the vault keeps wrapped by the ring. Once it is destroyed, nobody opens a value of
            the subject any more.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]
    per_subject: StrictBool = False


def promises(params: EncryptParams) -> Promises:
    """The length of a value, whether it is empty, and which values were encrypted in one batch."""
    if params.per_subject:
        return replace(promises(params.model_copy(update={"per_subject": False})), purposes=(SUBJECT_PURPOSE,), needs_subject=True,
                       needs_vault=True, carries_key_version=False)
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


def check(params: EncryptParams, rule_context: RuleContext) -> None:
    """Refuse keys of subjects in a policy without a subject.

    Raises:
        PolicyError: it names none.
    """
    if params.per_subject and not rule_context.has_subject:
        raise PolicyError("per_subject: values are encrypted under the key of a person, and the policy names no subject for this part. "
                          "Hint: add 'subject: FIELD', or omit per_subject")


TECHNIQUE = Technique(
    name="encrypt",
    summary="Encrypted, different every time; a key holder gets the value back.",
    params=EncryptParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.encrypt.mask",
    check=check,
    examples=({"domain": "customer"}, {"domain": "customer", "per_subject": True}),
)
