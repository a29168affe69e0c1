"""fpe at work: values of a form encrypted by FF1 under the key of their domain, and opened again."""

from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.fpe import FpeParams, check, shape_of
from flink_masking.techniques.fpe.formats import LONGEST, contains
from flink_masking.techniques.fpe.numerals import Converter
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import refusals


def make(params: FpeParams, rule_context: RuleContext) -> Mask:
    """A mask that encrypts the characters of a format or alphabet by FF1 (NIST SP 800-38G) under the key of the domain.

    Null stays null, ``""`` stays ``""``. A value is brought into Unicode's normal form NFC first. Refused are: a value of which fewer
    than 10^6 could be told apart after what is kept, a wrong number of digits, wrong check digits, a letter or other character that
    the format does not have, more characters than `max_length`, and a letter, digit, mark or control character that the alphabet does
    not have: ``Smith 1234567`` and ``12345 ١٢`` are no digits. Of what the alphabet does not have, only punctuation, spaces and symbols
    stay.
    Deterministic, reversible, row-local. What is kept, the format and the length of the value are the tweak: the same digits behind
    two BINs are encrypted differently. Leaks which values are equal, their length, and what is kept. An IBAN's letters are encrypted
    when there are at least five, fewer (a bank's code) are kept.
    """
    return _mask(Converter(shape_of(params), rule_context.keys.derive("fpe", params.domain)), back=False)


def unmake(params: FpeParams, rule_context: RuleContext) -> Mask:
    """Decrypt: the exact value (in NFC) that `make` encrypted, under the same parameters and key.

    Refused is what cannot be a result: a wrong number of characters, wrong check digits. FF1 has no integrity: under another key, or
    for a value that was never protected, comes another value of the same form, and nothing tells.

    Raises:
        PolicyError: fewer than a million values are left to encrypt into, by the rule or by the type of its field.
    """
    check(params, rule_context, LONGEST)  # as long as earlier releases took them
    shape = shape_of(params, LONGEST)
    return _mask(Converter(shape, rule_context.keys.derive("fpe", params.domain)), back=True)


def _mask(converter: Converter, back: bool) -> Mask:
    def convert(values: Values, context: Context) -> Masked:
        text, refused = converter.convert(values.text, back)
        return Masked(text, refusals(values, TEXT, refused))

    return convert


def output_domain(params: FpeParams) -> Domain:
    """Texts of the form that the rule takes: as many characters as it asks for, with valid check digits."""
    shape = shape_of(params)
    belongs = contains(*shape)
    return Domain(f"{shape.form.title}, or nothing where there was nothing", lambda text: not text or belongs(text))
