"""tokenize at work: tokens given out by the vault, and looked up again."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import assemble, nulled, output, parts
from flink_masking.errors import PolicyError
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, padded, rewrite
from flink_masking.techniques.tokenize import MOST_DIGITS, TokenizeParams, forms, kernels
from flink_masking.vault.base import Vault
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.tokenizer import Tokenizer


def _tokenizer(params: TokenizeParams, rule_context: RuleContext, vault: Vault) -> Tokenizer:
    """Tokens of the domain and form; what the vault keeps has no prefix."""
    form, propose = {
        "uuid": ("uuid", forms.uuids),
        "alphanumeric": (f"alphanumeric {params.length}", forms.alphanumerics(params.length)),
        "digits": (f"digits {params.luhn}", forms.digits(params.luhn)),
    }[params.format]
    linked = rule_context.erasure is not None and rule_context.has_subject
    return Tokenizer(vault, rule_context.keys, params.domain, form, propose, linked, rule_context.stream, rule_context.keep)


def _digits(text: pa.StringArray, least: int) -> tuple[pa.StringArray, np.ndarray]:
    """The digits of texts, and where a text has other than digits and separators, or too few or many digits: uint8, n."""
    data, offsets, valid = parts(text)
    refused, ends = np.zeros(len(text), np.uint8), np.zeros(len(text) + 1, np.int32)
    buffer, out = output(int(offsets[-1] - offsets[0]))
    kernels.take_digits(data, offsets, valid, least, MOST_DIGITS, refused, out, ends)
    return assemble(pa.string(), buffer, ends, valid), refused


def _with_digits(text: pa.StringArray, digits: pa.StringArray, prefix: str, refused: np.ndarray) -> Masked:
    """Texts with their digits replaced, behind a prefix."""
    found, size = parts(digits), len(prefix.encode())
    args = (found.data, found.offsets, padded(prefix), size, refused)
    texts = rewrite(kernels.put_digits, text, *args, add=size)
    return Masked(texts, refused.view(np.bool_) if refused.any() else None)


def make(params: TokenizeParams, rule_context: RuleContext) -> Mask:
    """A mask that puts a random token in the place of each value; the vault gives the same value the same token, for ever
    or until it was not used for as long as the policy keeps tokens.

    The bytes of the text count, of numbers and booleans those of their JSON text. For digits the digits alone count: a card number
    with and without blanks has the same token, with and without blanks; a value with anything but digits and printable ASCII
    separators, with fewer than six digits (seven where Luhn is asked for) or more than 1,000, is refused. Null stays null, ``""`` stays
    ``""``. Deterministic by the vault, row-local (the order in which values meet the vault decides nothing but what is drawn for them),
    reversible with vault and key ring. Tokens are random: no key recovers a value without the vault. Leaks which values are equal;
    digits leak length and separators as well.

    Without a vault (`RuleContext.vault` is None, as when a policy is checked) tokens are kept in memory and lost with the mask: only
    checks and previews may run that way.

    Raises (by the mask):
        VaultError: the vault failed for longer than its patience, or tokens of this form run out; no value is passed on.
        KeyRingError: the ring lacks the key that the domain began with.
    """
    tokenizer = _tokenizer(params, rule_context, MemoryVault() if rule_context.vault is None else rule_context.vault)
    prefix, size = padded(params.prefix), len(params.prefix.encode())
    linked = rule_context.erasure is not None and rule_context.has_subject

    def whose(values: Values, context: Context) -> pa.StringArray | None:
        return context.subjects_of(values.rows) if linked else None

    def tokenise(values: Values, context: Context) -> Masked:
        tokens = tokenizer.tokens(values.text, whose(values, context))
        return Masked(rewrite(kernels.put_prefix, tokens, prefix, size, add=size) if size else tokens)

    def tokenise_digits(values: Values, context: Context) -> Masked:
        digits, refused = _digits(values.text, params.least_digits)
        return _with_digits(values.text, tokenizer.tokens(digits, whose(values, context)), params.prefix, refused)

    return tokenise_digits if params.format == "digits" else tokenise


def unmake(params: TokenizeParams, rule_context: RuleContext) -> Mask:
    """Maps tokens to values; what is no token of the domain, or cannot be opened with the ring, is refused.

    Numbers and booleans come back as text. Null stays null, ``""`` stays ``""``.

    Raises:
        PolicyError: there is no vault to look in.
    """
    if rule_context.vault is None:
        raise PolicyError("tokens cannot be reversed without their vault. Hint: name the vault that they were made with")
    tokenizer = _tokenizer(params, rule_context, rule_context.vault)

    def bare(text: pa.StringArray) -> pa.StringArray:
        """Tokens without the prefix; null where it is missing, or where nothing follows it."""
        if not params.prefix:
            return text
        rest = pc.utf8_slice_codeunits(text, len(params.prefix))
        ours = pc.and_(pc.starts_with(text, params.prefix), pc.not_equal(rest, ""))
        other = pc.invert(pc.or_(ours, pc.equal(text, ""))).fill_null(True)
        return nulled(rest, other.to_numpy(zero_copy_only=False))

    def asked(text: pa.StringArray) -> np.ndarray:
        return text.is_valid().to_numpy(zero_copy_only=False) & ~is_empty(text)

    def detokenise(values: Values, context: Context) -> Masked:
        found = tokenizer.values(bare(values.text))
        refused = asked(values.text) & found.is_null().to_numpy(zero_copy_only=False)
        return Masked(found, refused if refused.any() else None)

    def detokenise_digits(values: Values, context: Context) -> Masked:
        tokens = bare(values.text)
        digits, refused = _digits(tokens, params.least_digits)
        restored = _with_digits(tokens, tokenizer.values(digits), "", refused)
        lost = asked(values.text) & tokens.is_null().to_numpy(zero_copy_only=False)
        refused = refused.view(np.bool_) | lost
        return Masked(restored.values, refused if refused.any() else None)

    return detokenise_digits if params.format == "digits" else detokenise


def output_domain(params: TokenizeParams) -> Domain:
    """The prefix and a token of the form."""
    size = len(params.prefix)
    of: dict[str, Callable[[str], bool]] = {
        "uuid": _is_uuid,
        "alphanumeric": lambda text: len(text) == params.length and set(forms.ALPHABET).issuperset(text),
        "digits": lambda text: _is_digits(text, params),
    }

    def contains(text: str) -> bool:
        return text == "" or (text.startswith(params.prefix) and of[params.format](text[size:]))

    what = f"{params.length} letters and digits" if params.format == "alphanumeric" else params.format
    return Domain(f"{params.prefix!r} and {what}, or nothing where there was nothing", contains)


def _is_uuid(text: str) -> bool:
    try:
        found = UUID(text)
    except ValueError:
        return False
    return str(found) == text and found.version == 4


def _is_digits(text: str, params: TokenizeParams) -> bool:
    found = [int(c) for c in text if c in "0123456789"]
    doubled = (sum(divmod(2 * x, 10)) for x in found[-2::-2])
    valid = (sum(found[-1::-2]) + sum(doubled)) % 10 == 0
    fits = params.least_digits <= len(found) <= MOST_DIGITS and params.luhn in ("any", "valid" if valid else "invalid")
    return fits and all(" " <= c <= "~" and not c.isalpha() for c in text)
