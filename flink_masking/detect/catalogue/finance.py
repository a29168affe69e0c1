"""Cards, accounts, wallets."""

from flink_masking.detect.catalogue.row import Pattern, Row

ROWS = (
    Row(
        "CARD_NUMBER", "finance", "payment card: Luhn's check, issuer and length",
        (
            Pattern(r"\b[2-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}\b", "card", 55, 92, 99),
            # Other groups that issuers print need an issuer's number; a point alone may be that of a decimal fraction. Six digits and four
            # at the end may be a person's number of the Nordic countries, too, which explains less of the text.
            Pattern(r"\b[356]\d{3}[ -]?\d{6}[ -]?\d{4,5}\b", "card", 0, 96, 99),
            Pattern(r"\b[356]\d{3}\.\d{6}\.\d{4,5}\b", "card", 0, 96, 99),
            Pattern(r"\b[2-6]\d{3}\.\d{4}\.\d{4}\.\d{1,7}\b", "card", 0, 92, 99),
            Pattern(r"\b[2-6]\d{3}[ .-]\d{4}[ .-]\d{4}[ .-]\d{4}[ .-]\d{1,3}\b", "card", 0, 92, 99),
            Pattern(r"\b[456]\d{3}\.\d{4}\.\d{4,5}\b", "card", 0, 85, 98),
            Pattern(r"\b[56]\d{3}[ -]\d{4}[ -]\d{4}\b", "card", 0, 85, 98),
            Pattern(r"\b[456]\d{3}[ .-]\d{3}[ .-]\d{3}[ .-]\d{3}\b", "card", 0, 85, 98),
            Pattern(r"\b3[0689][ .-]\d{4}[ .-]\d{4}[ .-]\d{4}\b", "card", 0, 85, 98),
            Pattern(r"\b[2-6]\d{5}[ -](?:\d{13}|\d{10}|\d{6}[ -]\d{4})\b", "card", 0, 96, 99),
            Pattern(r"\b[2-6]\d{5}\.\d{6}\.\d{4}\b", "card", 0, 92, 99),
            Pattern(r"\b\d{12,19}\b", "card", 20, 55, 97),
        ),
        keys=("card", "card number", "cc", "cc number", "credit card", "credit card number", "debit card", "pan", "cardnumber",
              "ccnum", "kartennummer", "kreditkarte", "kreditkartennummer", "carte", "numéro de carte", "carte bancaire",
              "tarjeta", "número de tarjeta", "carta di credito", "numero carta", "creditcard", "kaartnummer", "cartão",
              "número do cartão", "cartão de crédito"),
        words=("visa", "mastercard", "amex", "maestro", "credit", "debit"),
        keyed="digits", keyed_score=70,
    ),
    Row(
        "CARD_CVV", "finance", "security code of a card, by key name or word",
        (
            Pattern(r"\b\d{3,4}\b", "", 2, 2, 80),
        ),
        keys=("cvv", "cvc", "cvv2", "cvc2", "csc", "card verification", "security code", "prüfziffer", "cryptogramme"),
        words=("cvv", "cvc", "cvv2"),
        keyed="cvv", keyed_score=85,
    ),
    Row(
        "CARD_EXPIRY", "finance", "month and year that a card expires, by key name or word",
        (
            Pattern(r"\b(?:0[1-9]|1[0-2])[/-](?:20)?\d\d\b", "expiry", 15, 15, 85),
        ),
        keys=("expiry", "exp", "exp date", "expiry date", "expiration", "expiration date", "card expiry", "valid thru",
              "gültig bis", "date d expiration", "vencimiento", "caducidad", "scadenza", "vervaldatum", "validade"),
        words=("expires", "exp", "thru"),
    ),
    Row(
        "CARD_TRACK", "finance", "magnetic stripe of a card, track 1 or 2",
        (
            Pattern(r"%[Bb]\d{12,19}\^[A-Za-z /.-]{2,26}\^\d{4}", "", 95, 95, 99),
            Pattern(r";\d{12,19}=\d{4}", "track", 0, 92, 97),
        ),
        keys=("track1", "track2", "track data", "magstripe"),
    ),
    Row(
        "IBAN", "finance", "international account number: the country's length, modulo 97",
        (
            Pattern(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b", "iban", 0, 97, 99),
            Pattern(r"\b[A-Z]{2}\d{2}[ -][A-Z0-9]{4}[ -][A-Z0-9]{4}[ -]", "iban", 0, 97, 99, part="groups"),
        ),
        keys=("iban",),
        words=("iban",),
    ),
    Row(
        "BIC", "finance", "code of a bank; one without digits needs its key name or a word",
        (
            Pattern(r"\b[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b", "bic", 25, 45, 92),
        ),
        keys=("bic", "swift", "swift code", "bic code"),
        words=("bic", "swift"),
    ),
    Row(
        "BANK_ACCOUNT", "finance", "account number: MX CLABE, ES CCC, NO by check digits, others by key name or word",
        (
            Pattern(r"\b\d{18}\b", "clabe", 0, 40, 92),
            Pattern(r"\b\d{3}[ -]\d{3}[ -]\d{11}[ -]\d\b", "clabe", 0, 85, 95),
            Pattern(r"\b\d{20}\b", "ccc", 0, 50, 93),
            Pattern(r"\b\d{4}[ -]\d{4}[ -]\d{2}[ -]\d{10}\b", "ccc", 0, 90, 96),
            Pattern(r"\b(?:\d{1,6}-)?\d{6,10}/\d{4}\b", "", 30, 30, 90),
            Pattern(r"\b\d{4}[. ]\d{2}[. ]\d{5}\b", "kontonr", 0, 75, 94),
            Pattern(r"\b\d{6,17}\b", "", 2, 2, 78),
            Pattern(r"\b\d{2}-\d{4}-\d{7}-\d{2,3}\b", "", 65, 65, 90),
            Pattern(r"\b\d{22}\b", "", 25, 25, 88),
        ),
        keys=("account number", "account no", "bank account", "acct", "acct no", "account", "bank account number", "kontonummer",
              "konto", "kontonr", "numéro de compte", "compte", "rib", "cuenta", "número de cuenta", "cuenta bancaria", "clabe",
              "cbu", "ccc", "conto", "numero di conto", "rekeningnummer", "rekening", "conta", "número da conta", "conta bancária"),
        words=("acct", "account", "konto", "compte", "cuenta", "conto", "rekening", "conta", "účtu", "účet"),
        keyed="digits", keyed_score=65,
    ),
    Row(
        "SORT_CODE", "finance", "British sort code, by key name or word",
        (
            Pattern(r"\b\d{2}-\d{2}-\d{2}\b", "", 15, 15, 88),
        ),
        keys=("sort code", "sortcode"),
        words=("sort",),
        country="GB",
    ),
    Row(
        "ABA_ROUTING", "finance", "US routing number: weighted sum",
        (
            Pattern(r"\b[0-8]\d{8}\b", "aba", 0, 28, 95),
        ),
        keys=("aba", "routing", "routing number", "rtn", "aba routing"),
        words=("aba", "routing", "rtn"),
        country="US",
    ),
    Row(
        "CRYPTO_ADDRESS", "finance", "address of Bitcoin, Ethereum or Monero: their checksums",
        (
            Pattern(r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", "base58check", 0, 97, 99),
            Pattern(r"\bbc1[02-9ac-hj-np-z]{11,71}\b", "bech32", 0, 97, 99),
            Pattern(r"\b0x[0-9A-Fa-f]{40}\b", "eip55", 70, 97, 98),
            Pattern(r"\b[48][1-9A-HJ-NP-Za-km-z]{94}\b", "monero", 0, 97, 99),
        ),
        keys=("wallet", "wallet address", "btc address", "eth address", "crypto address"),
        words=("wallet", "bitcoin", "btc", "ethereum"),
    ),
    Row(
        "ISIN", "finance", "number of a security: Luhn's check over letters as numbers",
        (
            Pattern(r"\b[A-Z]{2}[A-Z0-9]{9}\d\b", "isin", 0, 48, 92),
        ),
        keys=("isin",),
        words=("isin",),
    ),
)  # fmt: skip
