"""Identifiers of the Americas, Asia and the Pacific."""

from flink_masking.detect.catalogue.row import Pattern, Row

ROWS = (
    Row(
        "US_SSN", "identity", "US social security number: area, group and serial in use",
        (
            Pattern(r"\b\d{3}-\d{2}-\d{4}\b", "ssn", 0, 88, 98),
            Pattern(r"\b\d{3} \d{2} \d{4}\b", "ssn", 0, 60, 95),
            Pattern(r"\b\d{3}\.\d{2}\.\d{4}\b", "ssn", 0, 60, 95),
            Pattern(r"\b\d{9}\b", "ssn", 0, 15, 88),
        ),
        keys=("ssn", "social security", "social security number", "ss number", "ssn last", "soc sec"),
        words=("ssn", "social"),
        country="US",
    ),
    Row(
        "US_TAX_ID", "identity", "US ITIN, ATIN, EIN, PTIN",
        (
            Pattern(r"\b9\d{2}-\d{2}-\d{4}\b", "itin", 0, 85, 97),
            Pattern(r"\b9\d{2}(?: \d{2} |\.\d{2}\.)\d{4}\b", "itin", 0, 60, 95),
            Pattern(r"\b9\d{8}\b", "itin", 0, 15, 90),
            Pattern(r"\b9\d{2}-93-\d{4}\b", "", 40, 40, 93),
            Pattern(r"\b\d{2}-\d{7}\b", "ein", 42, 42, 90),
            Pattern(r"\bP\d{8}\b", "", 20, 20, 90),
        ),
        keys=("tax id", "itin", "ein", "ptin", "atin", "tin", "taxpayer id", "employer id"),
        words=("itin", "ein", "tin", "tax", "ptin", "atin"),
        country="US",
    ),
    Row(
        "DRIVER_LICENSE", "identity", "driving licence, by key name or word; British ones by form",
        (
            Pattern(r"\b[A-Z9]{5}\d[0156]\d[0-3]\d\d[A-Z9]{2}[A-Z0-9]{3}\b", "", 80, 80, 95),
            Pattern(r"\b[A-Z]{1,3}[ -]?\d{5,13}\b", "", 3, 3, 78),
            Pattern(r"\b[A-Z]\d{3}-\d{4}-\d{4}\b", "", 35, 35, 88),
            Pattern(r"\b[A-Z]\d{3}-\d{3}-\d{2}-\d{3}-\d\b", "", 60, 60, 92),
            Pattern(r"\b\d{7,12}\b", "", 2, 2, 70),
            Pattern(r"\b[A-Z]\d{2}[A-Z0-9]{6}\d{2}\b", "", 5, 5, 80),
        ),
        keys=("driver license", "drivers license", "driver licence", "driving licence", "license number", "licence number", "dl",
              "dl number", "driver license number", "drivers license number", "führerschein", "führerscheinnummer",
              "permis de conduire", "permis", "licencia de conducir", "carnet de conducir", "patente", "patente di guida",
              "rijbewijs", "rijbewijsnummer", "carta de condução", "cnh"),
        words=("license", "licence", "driver", "dl", "führerschein", "permis", "licencia", "patente", "rijbewijs"),
        keyed="code", keyed_score=70,
    ),
    Row(
        "PASSPORT", "identity", "passport: machine-readable zone by its check digits, numbers by key name or word",
        (
            Pattern(r"\bP[A-Z<][A-Z<]{3}[A-Z0-9<]{39}", "mrz_first", 0, 95, 99),
            Pattern(r"\b[A-Z0-9][A-Z0-9<]{8}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{16}", "mrz_second", 0, 97, 99),
            Pattern(r"\b[A-Z]{1,2}\d{6,8}\b", "", 5, 5, 85),
            Pattern(r"\b\d{9}\b", "", 3, 3, 82),
            Pattern(r"\b[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{8}\d?\b", "identity_card", 5, 40, 90),
            Pattern(r"\b\d{2}[A-Z]{2}\d{5}\b", "", 10, 10, 88),
            Pattern(r"\b[A-Z]{3}\d{6}[A-Z]?\b", "", 5, 5, 85),
        ),
        keys=("passport", "passport number", "passport no", "mrz", "reisepass", "passnummer", "reisepassnummer", "passeport",
              "numéro de passeport", "pasaporte", "número de pasaporte", "passaporto", "numero passaporto", "paspoort",
              "paspoortnummer", "passaporte", "travel document"),
        words=("passport", "reisepass", "passeport", "pasaporte", "passaporto", "paspoort", "passaporte"),
        keyed="code", keyed_score=75,
    ),
    Row(
        "US_MBI", "health", "US Medicare beneficiary identifier; member numbers by key name",
        (
            Pattern(
                r"\b[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}\b",
                "", 82, 82, 96,
            ),
            Pattern(r"\b\d{3}-?\d{2}-?\d{4}[A-DMTW]\d?\b", "", 45, 45, 90),
            Pattern(r"\b[A-Z]{0,3}\d{6,12}\b", "", 1, 1, 72),
        ),
        keys=("mbi", "hicn", "medicare", "medicare number", "medicare id", "member id", "member number", "insurance id",
              "health plan id", "medical record number", "mrn", "subscriber id"),
        words=("mbi", "hicn", "medicare", "mrn"),
        country="US", keyed="code", keyed_score=70,
    ),
    Row(
        "US_NPI", "health", "US provider number: Luhn's check",
        (
            Pattern(r"\b[12]\d{9}\b", "npi", 0, 30, 94),
        ),
        keys=("npi", "provider id", "npi number"),
        words=("npi", "provider"),
        country="US",
    ),
    Row(
        "US_DEA", "health", "number of a US prescriber: digit sums",
        (
            Pattern(r"\b[A-HJ-MP-UX][A-Z9]\d{7}\b", "dea", 0, 58, 96),
        ),
        keys=("dea", "dea number"),
        words=("dea",),
        country="US",
    ),
    Row(
        "CA_SIN", "identity", "Canadian social insurance number: Luhn's check",
        (
            Pattern(r"\b\d{3}[ -]\d{3}[ -]\d{3}\b", "sin", 0, 62, 96),
            Pattern(r"\b\d{9}\b", "sin", 0, 20, 92),
        ),
        keys=("sin", "social insurance", "social insurance number", "nas"),
        words=("sin", "nas", "insurance"),
        country="CA",
    ),
    Row(
        "AU_TFN", "identity", "Australian tax file number: weighted sum",
        (
            Pattern(r"\b\d{3}[ -]\d{3}[ -]\d{3}\b", "tfn", 0, 45, 95),
            Pattern(r"\b\d{8,9}\b", "tfn", 0, 18, 92),
        ),
        keys=("tfn", "tax file number"),
        words=("tfn",),
        country="AU",
    ),
    Row(
        "AU_ABN", "identity", "Australian business number: weighted sum modulo 89",
        (
            Pattern(r"\b\d{2}[ -]\d{3}[ -]\d{3}[ -]\d{3}\b", "abn", 0, 80, 96),
            Pattern(r"\b\d{11}\b", "abn", 0, 35, 94),
        ),
        keys=("abn",),
        words=("abn",),
        country="AU",
    ),
    Row(
        "AU_ACN", "identity", "Australian company number: weighted sum",
        (
            Pattern(r"\b\d{3}[ -]?\d{3}[ -]?\d{3}\b", "acn", 0, 22, 92),
        ),
        keys=("acn",),
        words=("acn",),
        country="AU",
    ),
    Row(
        "AU_MEDICARE", "health", "Australian Medicare number: weighted sum",
        (
            Pattern(r"\b[2-6]\d{3} \d{5} \d(?:[/ -]?\d)?\b", "medicare_au", 0, 70, 95),
            Pattern(r"\b[2-6]\d{9,10}\b", "medicare_au", 0, 25, 92),
        ),
        keys=("medicare", "medicare number"),
        words=("medicare",),
        country="AU",
    ),
    Row(
        "NZ_IRD", "identity", "New Zealand tax number: weighted sum",
        (
            Pattern(r"\b\d{2,3}[ -]?\d{3}[ -]?\d{3}\b", "ird", 0, 25, 94),
        ),
        keys=("ird", "ird number"),
        words=("ird",),
        country="NZ",
    ),
    Row(
        "IN_AADHAAR", "identity", "Indian Aadhaar number: Verhoeff's check",
        (
            Pattern(r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", "aadhaar", 0, 80, 97),
            Pattern(r"\b[2-9]\d{11}\b", "aadhaar", 0, 42, 95),
        ),
        keys=("aadhaar", "aadhar", "aadhaar number", "uidai", "uid number"),
        words=("aadhaar", "aadhar", "uidai"),
        country="IN",
    ),
    Row(
        "IN_PAN", "identity", "Indian tax number",
        (
            Pattern(r"\b[A-Z]{3}[ABCFGHLJPTKE][A-Z]\d{4}[A-Z]\b", "indian_pan", 0, 80, 96),
        ),
        keys=("pan", "pan number", "pan card"),
        words=("pan",),
        country="IN",
    ),
    Row(
        "BR_CPF", "identity", "Brazilian personal number: two check digits",
        (
            Pattern(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", "cpf", 0, 96, 99),
            Pattern(r"\b\d{11}\b", "cpf", 0, 48, 96),
        ),
        keys=("cpf",),
        words=("cpf",),
        country="BR",
    ),
    Row(
        "BR_CNPJ", "identity", "Brazilian company number: two check digits",
        (
            Pattern(r"\b\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}\b", "cnpj", 0, 96, 99),
            Pattern(r"\b\d{14}\b", "cnpj", 0, 45, 95),
        ),
        keys=("cnpj",),
        words=("cnpj",),
        country="BR",
    ),
    Row(
        "MX_CURP", "identity", "Mexican population code: date and check digit",
        (
            Pattern(r"\b[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d\b", "curp", 0, 96, 99),
        ),
        keys=("curp",),
        words=("curp",),
        country="MX",
    ),
    Row(
        "MX_RFC", "identity", "Mexican tax code: date and check sign",
        (
            Pattern(r"\b[A-Z][A-Z&]{2,3}\d{6}[A-Z0-9]{2}[0-9A]\b", "rfc", 45, 78, 95),
            Pattern(r"\b[A-Z][A-Z&]{2,3}[ -]\d{6}[ -][A-Z0-9]{2}[0-9A]\b", "rfc", 0, 45, 94),
        ),
        keys=("rfc",),
        words=("rfc",),
        country="MX",
    ),
    Row(
        "KR_RRN", "identity", "Korean resident or foreigner number: date and check digit",
        (
            Pattern(r"\b\d{6}-[1-8]\d{6}\b", "rrn", 68, 88, 97),
            Pattern(r"\b\d{6}[1-8]\d{6}\b", "rrn", 10, 40, 93),
        ),
        keys=("rrn", "resident registration number", "frn", "주민등록번호", "외국인등록번호"),
        words=("rrn", "주민등록번호", "외국인등록번호"),
        country="KR",
    ),
    Row(
        "KR_BRN", "identity", "Korean business number: weighted sum",
        (
            Pattern(r"\b\d{3}-\d{2}-\d{5}\b", "brn", 0, 75, 95),
            Pattern(r"\b\d{10}\b", "brn", 0, 15, 90),
        ),
        keys=("brn", "business registration number", "사업자등록번호"),
        words=("brn", "사업자등록번호"),
        country="KR",
    ),
    Row(
        "CN_RESIDENT_ID", "identity", "Chinese resident number: date, ISO 7064",
        (
            Pattern(r"\b[1-9]\d{5}(?:18|19|20)\d{9}[0-9Xx]\b", "ric", 0, 94, 99),
        ),
        keys=("resident id", "id card", "身份证", "身份证号", "身份证号码", "公民身份号码"),
        words=("身份证", "身份证号"),
        country="CN",
    ),
    Row(
        "SG_NRIC", "identity", "Singaporean identity number: check letter",
        (
            Pattern(r"\b[STFGM]\d{7}[A-Z]\b", "nric", 0, 90, 98),
        ),
        keys=("nric", "fin", "nric fin"),
        words=("nric", "fin"),
        country="SG",
    ),
)  # fmt: skip
