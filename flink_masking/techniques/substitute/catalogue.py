"""The forms of all substitutes by kind and locale, and why none of them belongs to anybody."""

from collections.abc import Callable
from functools import cache

from flink_masking.techniques.substitute.checks import iban_check, luhn_check, rib_key, spanish_check
from flink_masking.techniques.substitute.forms import Form, Part, constant, digits, numbers, one_of
from flink_masking.techniques.substitute.pools import pool


def _names(locale: str, name: str) -> Part:
    return Part(pool(locale, name))


def _full_name(locale: str) -> Form:
    last = _names(locale, "last")
    form = _names(locale, "first"), constant(" "), last
    return (*form, constant(" "), last) if locale == "es_ES" else form


def _email(locale: str) -> Form:
    """first.last and a number at the domains that RFC 2606 reserves for examples: no mail is ever delivered there."""
    hosts = one_of("@example.com", "@example.org", "@example.net")
    return _names(locale, "first_ascii"), constant("."), _names(locale, "last_ascii"), numbers(1, 9999), hosts


def _user_name(locale: str) -> Form:
    return _names(locale, "first_ascii"), one_of("", ".", "_", "-"), _names(locale, "last_ascii"), numbers(1, 9999)


def _street(locale: str) -> Form:
    street = _names(locale, "street")
    if locale in ("en_US", "en_GB"):
        return numbers(1, 9999 if locale == "en_US" else 299), constant(" "), street
    return (numbers(1, 299), constant(" "), street) if locale == "fr_FR" else (street, constant(" "), numbers(1, 299))


_COMPANIES = {
    "en_US": (" Inc", " LLC", " Corp", " Group"), "en_GB": (" Ltd", " PLC", " LLP", " Group"), "de_DE": (" GmbH", " AG", " KG", " OHG"),
    "fr_FR": (" SA", " SARL", " SAS", " et Fils"), "es_ES": (" S.L.", " S.A.", " S.Coop.", " e Hijos"),
}


def _company(locale: str) -> Form:
    last = _names(locale, "last")
    return last, one_of(" & ", "-", " + "), last, one_of(*_COMPANIES[locale])


_FICTION = {
    # Ofcom, telephone numbers for use in TV and radio drama programmes
    "en_GB": ("+44 113 496 0", "+44 114 496 0", "+44 115 496 0", "+44 116 496 0", "+44 117 496 0", "+44 118 496 0", "+44 121 496 0",
              "+44 131 496 0", "+44 141 496 0", "+44 151 496 0", "+44 161 496 0", "+44 20 7946 0", "+44 191 498 0", "+44 28 9649 6",
              "+44 29 2018 0", "+44 1632 960", "+44 7700 900"),
    # Bundesnetzagentur, Rufnummern für die Verwendung in Film und Fernsehen
    "de_DE": ("+49 30 23125 ", "+49 40 66969 ", "+49 69 90009 ", "+49 89 99998 ", "+49 221 4710 "),
    # ARCEP, numéros destinés aux œuvres audiovisuelles
    "fr_FR": ("+33 1 99 00 ", "+33 2 61 91 ", "+33 3 53 01 ", "+33 4 65 71 ", "+33 5 36 49 ", "+33 6 39 98 "),
}


def _phone(locale: str) -> Form:
    """Numbers that regulators set aside for fiction: 555-0100 to 555-0199 in North America, and those above.

    Spain sets none aside; no Spanish number begins with 3.
    """
    if locale == "en_US":
        areas = tuple(str(area) for area in range(201, 990) if area // 10 % 10 != 9 and area % 100 != 11)
        return constant("("), Part(areas), constant(") 555-01"), digits(2)
    if locale == "fr_FR":
        return one_of(*_FICTION[locale]), digits(2), constant(" "), digits(2)
    if locale == "es_ES":
        return constant("+34 3"), digits(2), constant(" "), digits(3), constant(" "), digits(3)
    return one_of(*_FICTION[locale]), digits(3)


def _payment_card(locale: str) -> Form:
    """Sixteen digits that pass Luhn and begin with 9999.

    ISO/IEC 7812-1 leaves a leading 9 to national bodies, followed by the country's number in ISO 3166-1, which gives 999 to no country.
    """
    body = constant("9999"), digits(3), digits(3), digits(3), digits(2)
    return (*body, luhn_check(body))


def _iban(locale: str) -> Form:
    """Account numbers with valid check digits (ISO 13616) at banks that do not exist; en_US, without an IBAN, has British ones.

    German bank codes begin with 1 to 8, here with 9; 99999 and 9999 are no French and no Spanish bank, ZZZZ is no British one.
    """
    if locale == "de_DE":
        return iban_check("DE", (constant("9"), digits(3), digits(4), digits(3), digits(3), digits(4)))
    if locale == "fr_FR":
        account: Form = constant("99999"), digits(4), digits(4), digits(4), digits(4)
        return iban_check("FR", (*account, rib_key(account)))
    if locale == "es_ES":
        branch, holder = (constant("9999"), digits(4)), (digits(3), digits(3), digits(4))
        return iban_check("ES", (*branch, spanish_check(branch, holder), *holder))
    return iban_check("GB", (constant("ZZZZ"), digits(3), digits(3), digits(4), digits(4)))


KINDS: dict[str, Callable[[str], Form]] = {
    "full_name": _full_name,
    "first_name": lambda locale: (_names(locale, "first"),),
    "last_name": lambda locale: (_names(locale, "last"),),
    "email": _email,
    "user_name": _user_name,
    "phone": _phone,
    "street": _street,
    "city": lambda locale: (_names(locale, "city"),),
    "company": _company,
    "iban": _iban,
    "payment_card": _payment_card,
}
"""What a substitute can be, each from a locale."""


@cache
def form(kind: str, locale: str) -> Form:
    """The form of a kind, one of `KINDS`, in a locale, one of `flink_masking.techniques.substitute.pools.LOCALES`."""
    return KINDS[kind](locale)
