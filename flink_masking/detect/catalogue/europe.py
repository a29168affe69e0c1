"""Identifiers of Europe."""

from flink_masking.detect.catalogue.row import Pattern, Row

ROWS = (
    Row(
        "UK_NINO", "identity", "British national insurance number: prefix in use",
        (
            Pattern(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", "nino", 0, 82, 97),
            Pattern(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]-\d{2}-\d{2}-\d{2}-[A-D]\b", "nino", 0, 82, 97),
        ),
        keys=("nino", "national insurance", "national insurance number", "ni number"),
        words=("nino", "insurance"),
        country="GB",
    ),
    Row(
        "UK_NHS", "health", "British NHS number: weighted sum",
        (
            Pattern(r"\b\d{3}[ -]\d{3}[ -]\d{4}\b", "nhs", 0, 72, 97),
            Pattern(r"\b\d{10}\b", "nhs", 0, 22, 94),
        ),
        keys=("nhs", "nhs number", "nhs no"),
        words=("nhs",),
        country="GB",
    ),
    Row(
        "DE_STEUER_ID", "identity", "German tax number: ISO 7064 MOD 11,10",
        (
            Pattern(r"\b[1-9]\d{10}\b", "steuer_id", 0, 52, 96),
            Pattern(r"\b[1-9]\d \d{3} \d{3} \d{3}\b", "steuer_id", 0, 85, 97),
        ),
        keys=("steuer id", "steuerid", "steueridentifikationsnummer", "steuernummer", "idnr", "tax id", "tin"),
        words=("steuer", "steuerid", "idnr"),
        country="DE",
    ),
    Row(
        "DE_RVNR", "identity", "German pension insurance number: date and weighted sums",
        (
            Pattern(r"\b\d{2}[ -]?\d{6}[ -]?[A-Z][ -]?\d{3}\b", "rvnr", 0, 85, 97),
        ),
        keys=("rvnr", "rentenversicherungsnummer", "sozialversicherungsnummer", "svnr", "sv nummer"),
        words=("rvnr", "rentenversicherung", "sozialversicherung"),
        country="DE",
    ),
    Row(
        "DE_KVNR", "health", "German health insurance number: weighted sums",
        (
            Pattern(r"\b[A-Z]\d{9}\b", "kvnr", 0, 58, 95),
        ),
        keys=("kvnr", "krankenversichertennummer", "versichertennummer", "krankenkassennummer"),
        words=("kvnr", "versicherung", "krankenkasse"),
        country="DE",
    ),
    Row(
        "DE_IDENTITY_CARD", "identity", "German identity card: check digit 7-3-1",
        (
            Pattern(r"\b[LMNPRTVWXY][0-9CFGHJKLMNPRTVWXYZ]{8}\d\b", "identity_card", 0, 45, 92),
            Pattern(r"\b[LMNPRTVWXY][0-9CFGHJKLMNPRTVWXYZ]{8}\b", "identity_card", 5, 5, 85),
        ),
        keys=("personalausweis", "ausweisnummer", "personalausweisnummer", "ausweis", "id card number"),
        words=("personalausweis", "ausweis", "ausweisnummer"),
        country="DE",
    ),
    Row(
        "FR_NIR", "identity", "French social security number: modulo 97",
        (
            Pattern(r"\b[1-478][ -]?\d{2}[ -]?\d{2}[ -]?\d[\dABab][ -]?\d{3}[ -]?\d{3}[ -]?\d{2}\b", "nir", 0, 92, 98),
        ),
        keys=("nir", "insee", "numéro de sécurité sociale", "sécurité sociale", "sécu", "secu", "numero securite sociale"),
        words=("nir", "sécu", "sécurité", "insee"),
        country="FR",
    ),
    Row(
        "ES_DNI", "identity", "Spanish DNI, NIE or CIF: check letter",
        (
            Pattern(r"\b(?:\d{8}|\d{2}\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z]\b", "dni", 0, 82, 97),
            Pattern(r"\b[XYZ][ -]?(?:\d{7}|\d\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z]\b", "nie", 0, 88, 98),
            Pattern(r"\b[A-HJNP-SUVW][ -]?\d{7}[ -]?[0-9A-J]\b", "cif", 0, 60, 95),
            Pattern(r"\b[A-HJNP-SUVW][ -]?\d{2}\.\d{3}\.\d{2}[0-9A-J]\b", "cif", 0, 75, 96),
        ),
        keys=("dni", "nie", "nif", "cif", "documento", "documento de identidad"),
        words=("dni", "nie", "nif", "cif"),
        country="ES",
    ),
    Row(
        "IT_CODICE_FISCALE", "identity", "Italian tax code: check letter",
        (
            Pattern(
                r"\b[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2} ?[A-Z][\dLMNP-V]{3} ?[A-Z]\b",
                "codice_fiscale", 0, 95, 99,
            ),
        ),
        keys=("codice fiscale", "cf", "cod fiscale"),
        words=("codice", "fiscale", "cf"),
        country="IT",
    ),
    Row(
        "NL_BSN", "identity", "Dutch citizen number: weighted sum",
        (
            Pattern(r"\b\d{9}\b", "bsn", 0, 22, 95),
            Pattern(r"\b\d{4}\.\d{2}\.\d{3}\b", "bsn", 0, 72, 96),
            Pattern(r"\b\d{4} \d{2} \d{3}\b", "bsn", 0, 22, 95),
            Pattern(r"\b\d{3}[. ]\d{3}[. ]\d{3}\b", "bsn", 0, 22, 95),
        ),
        keys=("bsn", "burgerservicenummer", "sofinummer"),
        words=("bsn", "burgerservicenummer"),
        country="NL",
    ),
    Row(
        "BE_NATIONAL_NUMBER", "identity", "Belgian national number: date, modulo 97",
        (
            Pattern(r"\b\d{2}[. -]\d{2}[. -]\d{2}[. -]\d{3}[. -]\d{2}\b", "belgian", 0, 92, 98),
            Pattern(r"\b\d{11}\b", "belgian", 0, 48, 96),
        ),
        keys=("rijksregisternummer", "rijksregister", "insz", "numéro national", "niss", "national number"),
        words=("rijksregisternummer", "rijksregister", "niss", "insz"),
        country="BE",
    ),
    Row(
        "CH_AHV", "identity", "Swiss AHV number: check digit of an EAN",
        (
            Pattern(r"\b756[. -]\d{4}[. -]\d{4}[. -]\d{2}\b", "ean13", 0, 95, 99),
            Pattern(r"\b756\d{10}\b", "ean13", 0, 75, 98),
        ),
        keys=("ahv", "avs", "ahvn13", "ahv nummer", "numéro avs"),
        words=("ahv", "avs"),
        country="CH",
    ),
    Row(
        "PL_PESEL", "identity", "Polish PESEL: date and weighted sum",
        (
            Pattern(r"\b\d{11}\b", "pesel", 0, 55, 97),
        ),
        keys=("pesel",),
        words=("pesel",),
        country="PL",
    ),
    Row(
        "PL_NIP", "identity", "Polish tax number: weighted sum",
        (
            Pattern(r"\b\d{3}-\d{3}-\d{2}-\d{2}\b", "nip", 0, 82, 96),
            Pattern(r"\b\d{3}-\d{2}-\d{2}-\d{3}\b", "nip", 0, 80, 96),
            Pattern(r"\b\d{3} (?:\d{3} \d{2} \d{2}|\d{2} \d{2} \d{3})\b", "nip", 0, 22, 94),
            Pattern(r"\b\d{10}\b", "nip", 0, 22, 93),
        ),
        keys=("nip",),
        words=("nip",),
        country="PL",
    ),
    Row(
        "PL_REGON", "identity", "Polish business number: weighted sum",
        (
            Pattern(r"\b(?:\d{9}|\d{14})\b", "regon", 0, 20, 93),
        ),
        keys=("regon",),
        words=("regon",),
        country="PL",
    ),
    Row(
        "SE_PERSONNUMMER", "identity", "Swedish personal number: date and Luhn's check",
        (
            Pattern(r"\b(?:19|20)?\d{6}[-+]\d{4}\b", "personnummer", 0, 85, 98),
            Pattern(r"\b(?:19|20)?\d{6} \d{4}\b", "personnummer", 0, 45, 96),
            Pattern(r"\b(?:19|20)\d{10}\b", "personnummer", 0, 58, 96),
            Pattern(r"\b\d{10}\b", "personnummer", 0, 28, 94),
        ),
        keys=("personnummer", "pnr", "personal identity number", "samordningsnummer"),
        words=("personnummer", "pnr"),
        country="SE",
    ),
    Row(
        "NO_FODSELSNUMMER", "identity", "Norwegian birth number: date and two weighted sums",
        (
            Pattern(r"\b\d{6}[ -]?\d{5}\b", "fodselsnummer", 0, 78, 97),
        ),
        keys=("fødselsnummer", "fodselsnummer", "fnr", "personnummer"),
        words=("fødselsnummer", "fodselsnummer", "fnr"),
        country="NO",
    ),
    Row(
        "DK_CPR", "identity", "Danish civil number: date",
        (
            Pattern(r"\b[0-3]\d[01]\d{3}-\d{4}\b", "cpr", 60, 75, 96),
            Pattern(r"\b[0-3]\d[01]\d{3} \d{4}\b", "cpr", 8, 45, 94),
            Pattern(r"\b[0-3]\d[01]\d{7}\b", "cpr", 8, 22, 92),
        ),
        keys=("cpr", "cpr nummer", "cpr number", "personnummer"),
        words=("cpr",),
        country="DK",
    ),
    Row(
        "FI_HETU", "identity", "Finnish personal code: date, sign modulo 31",
        (
            Pattern(r"\b[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b", "hetu", 0, 94, 99),
        ),
        keys=("hetu", "henkilötunnus", "personbeteckning"),
        words=("hetu", "henkilötunnus"),
        country="FI",
    ),
    Row(
        "IS_KENNITALA", "identity", "Icelandic identification number: date and weighted sum",
        (
            Pattern(r"\b[0-7]\d[01]\d{3}-\d{3}[09]\b", "kennitala", 0, 78, 96),
            Pattern(r"\b[0-7]\d[01]\d{3} \d{3}[09]\b", "kennitala", 0, 45, 95),
            Pattern(r"\b[0-7]\d[01]\d{6}[09]\b", "kennitala", 0, 38, 94),
        ),
        keys=("kennitala", "kt"),
        words=("kennitala",),
        country="IS",
    ),
    Row(
        "VAT_ID", "identity", "VAT number of the European Union: length and check digits by country",
        (
            Pattern(
                r"\b(?:ATU|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[A-Z0-9]{8,12}\b",
                "vat", 48, 85, 96,
            ),
            Pattern(r"\bRO\d{6,7}\b", "vat", 25, 25, 90),
            Pattern(
                r"\b(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[ -][A-Z0-9]{8,12}\b",
                "vat", 0, 45, 95,
            ),
            Pattern(r"\b(?:BE|DE|FR|IT|PL|PT)[ -]?\d{2,4}(?:[ .-]\d{3}){2,3}\b", "vat", 0, 45, 95),
        ),
        keys=("vat", "vat id", "vat number", "vatin", "ust id", "ustid", "ust idnr", "umsatzsteuer id", "tva", "numéro tva",
              "iva", "partita iva", "nif iva", "btw", "btw nummer"),
        words=("vat", "ust", "tva", "iva", "btw", "umsatzsteuer"),
    ),
    Row(
        "TR_TCKN", "identity", "Turkish identity number: two sums",
        (
            Pattern(r"\b[1-9]\d{10}\b", "tckn", 0, 50, 96),
        ),
        keys=("tckn", "tc kimlik", "kimlik no", "tc no"),
        words=("tckn", "kimlik"),
        country="TR",
    ),
)  # fmt: skip
