"""People, how to reach them, and where and when."""

from flink_masking.detect.catalogue.row import Pattern, Row

_MONTHS = ("(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|"
           "Dec(?:ember)?|[Jj]anvier|[Ff]évrier|[Mm]ars|[Aa]vril|[Mm]ai|[Jj]uin|[Jj]uillet|[Aa]oût|[Ss]eptembre|[Oo]ctobre|"
           "[Nn]ovembre|[Dd]écembre|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|enero|febrero|marzo|abril|mayo|junio|julio|agosto|"
           "septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|"
           "januari|februari|maart|mei|augustus|januar|februar|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|"
           "dezembro)")  # fmt: skip

DIGIT_RUN = Pattern("", "phone_national", 20, 56, 80, 40)
"""A telephone number without a sign of its own: 7 to 15 digits, at most two separators between two of them. The scan reads such a run
once."""

ROWS = (
    Row(
        "PERSON", "person", "name of a person: key name, lists of names, titles, runs of capitals in text",
        keys=("name", "full name", "first name", "last name", "given name", "family name", "middle name", "surname", "forename",
              "maiden name", "display name", "customer name", "patient name", "contact name", "person name", "employee name",
              "cardholder", "cardholder name", "card holder", "holder name", "account holder", "recipient", "recipient name",
              "sender name", "beneficiary", "beneficiary name", "payee", "payee name", "author", "author name", "guest name",
              "passenger", "passenger name", "student name", "doctor name", "physician", "created by", "updated by",
              "performed by", "signed by", "by", "owner name", "nickname", "fname", "lname", "firstname", "lastname", "fullname",
              "vorname", "nachname", "familienname", "kundenname", "ansprechpartner", "empfänger", "absender", "inhaber",
              "kontoinhaber", "prénom", "prenom", "nom", "nom de famille", "nom complet", "nom client", "destinataire",
              "titulaire", "nombre", "nombre completo", "apellido", "apellidos", "titular", "destinatario", "cognome", "nome",
              "nome completo", "intestatario", "voornaam", "achternaam", "naam", "sobrenome", "apelido", "destinatário", "given",
              "family"),
        keyed="name", keyed_score=80,
    ),
    Row(
        "EMAIL", "contact", "e-mail address, found by its @",
        keys=("email", "e mail", "mail", "email address", "mail address", "contact email", "user email", "email adresse",
              "courriel", "correo", "correo electronico", "correo electrónico", "posta elettronica", "e mailadres", "emailadres",
              "endereço de email", "mailto"),
        words=("email", "mail", "courriel", "correo"),
    ),
    Row(
        "PHONE", "contact", "telephone number; international ones by calling code and length",
        (
            Pattern(r"\+[1-9](?:[ .()/-]{0,2}[0-9]){6,14}(?: ?(?:x|ext\.? ?)\d{1,6})?\b", "phone_international", 0, 90, 97),
            Pattern(r"\b00[1-9](?:[ .()/-]{0,2}[0-9]){7,14}\b", "phone_national", 35, 62, 90, 62),
            Pattern(r"\b(?:1[-. ]|001-|1-)?\d{3}[-. ]\d{3}[-. ]\d{4}(?: ?(?:x|ext\.? ?)\d{1,6})?\b", "phone_nanp", 55, 75, 92),
            Pattern(r"\(\d{3}\) ?\d{3}[-. ]\d{4}(?: ?(?:x|ext\.? ?)\d{1,6})?\b", "phone_nanp", 60, 85, 95),
            Pattern(r"\(0?\d{1,5}\)(?:[ ./-]{0,2}\d){5,10}\b", "phone_national", 20, 60, 82, 55),
        ),
        keys=("phone", "phone number", "telephone", "telephone number", "tel", "tel no", "mobile", "mobile number",
              "mobile phone", "cell", "cell phone", "cellphone", "fax", "fax number", "home phone", "work phone",
              "contact number", "msisdn", "whatsapp", "sms number", "telefon", "telefonnummer", "telefonnr", "handy",
              "handynummer", "mobil", "mobilnummer", "rufnummer", "rückrufnummer", "téléphone", "numéro de téléphone", "portable",
              "teléfono", "telefono", "número de teléfono", "móvil", "movil", "celular", "cellulare", "numero di telefono",
              "telefoon", "telefoonnummer", "mobiel", "telemóvel", "telefone"),
        words=("call", "called", "dial", "ring", "appelez", "anrufen", "llame", "chiama", "bel", "ligue", "tlf", "gsm", "text",
               "anruf", "rückruf", "zurückrufen", "erreichbar", "rappel", "rappeler", "appeler", "joignable", "chiamare", "richiamare",
               "llamar", "ligar", "bellen", "terugbellen", "zadzwonić"),
        keyed="phone", keyed_score=75,
    ),
    Row(
        "USERNAME", "person", "login or handle, by its key name",
        keys=("username", "user name", "login", "login name", "userid", "handle", "screen name", "account name", "nick",
              "benutzername", "benutzer", "nom d utilisateur", "identifiant", "usuario", "nombre de usuario", "nome utente",
              "gebruikersnaam", "utilizador", "usuário", "twitter", "instagram", "telegram", "skype"),
        keyed="handle", keyed_score=70,
    ),
    Row(
        "AGE", "person", "age in years",
        (
            Pattern(r"(?i)\b\d{1,3}[ -](?:years?|yrs?\.?|y/?o)[ -]?olds?\b", "age", 0, 75, 92, part="digits"),
            Pattern(r"(?i)\b(?:aged?|turn(?:ed|s|ing)|im alter von|edad de|età di)[ :]{1,2}\d{1,3}\b", "age", 0, 62, 90, part="digits"),
            Pattern(r"âgée? de \d{1,3}\b", "age", 0, 70, 90, part="digits"),
            Pattern(r"(?i)\b\d{1,3} (?:jahre alt|ans|años|anni|jaar oud|anos|years of age|y\.?o\.?)", "age", 0, 60, 90, part="digits"),
        ),
        keys=("age", "patient age", "customer age", "alter", "âge", "edad", "età", "leeftijd", "idade"),
        keyed="age", keyed_score=75,
    ),
    Row(
        "DATE_OF_BIRTH", "person", "date that its key name or a word before it makes a date of birth",
        (
            Pattern(r"\b(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])\b", "ymd", 0, 0, 95),
            Pattern(r"\b(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|[12]\d|3[01])[./-](?:19|20)?\d\d\b", "dmy", 0, 0, 92),
        ),
        keys=("birth date", "date of birth", "dob", "birthday", "birthdate", "birth day", "born", "born on", "geburtsdatum",
              "geburtstag", "geboren", "date de naissance", "naissance", "fecha de nacimiento", "nacimiento", "data di nascita",
              "nascita", "geboortedatum", "data de nascimento", "nascimento"),
        words=("birth", "né", "née", "nacido", "nacida", "nato", "nata", "nascido", "nascida", "geb"),
        keyed="date", keyed_score=85,
    ),
    Row(
        "DATE", "person", "calendar date in text; alone it is below the usual minimum, because most dates are of events",
        (
            Pattern(r"\b(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])\b", "ymd", 0, 55, 55, 40),
            Pattern(r"\b(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|[12]\d|3[01])[./-](?:19|20)?\d\d\b", "dmy", 0, 55, 55, 40),
            Pattern(r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]) [0-2]\d:[0-5]\d(?::[0-5]\d)?\b", "ymd", 0, 55, 55, 40),
            Pattern(r"\b" + _MONTHS + r"\.? [0-3]?\d(?:st|nd|rd|th)?,? (?:19|20)\d\d\b", "", 65, 65, 65, 45),
            Pattern(r"\b" + _MONTHS + r"\.? [0-3]?\d(?:st|nd|rd|th)?\b", "", 55, 55, 55, 45),
            Pattern(r"\b[0-3]?\d(?:st|nd|rd|th|\.|er|º)? (?:of |de |di )?" + _MONTHS + r"(?: de|,)? (?:19|20)\d\d\b", "", 65, 65, 65, 45),
            Pattern(r"\b[0-3]?\d(?:st|nd|rd|th|\.)? (?:of )?" + _MONTHS + r"\b", "", 55, 55, 55, 45),
        ),
        words=("date",),
    ),
    Row(
        "STREET_ADDRESS", "place", "street with its number; lines of an address in text",
        keys=("address", "street", "street address", "address line", "address1", "address2", "addr", "line1", "line2",
              "full address", "mailing address", "shipping address", "billing address", "home address", "delivery address",
              "postal address", "street name", "anschrift", "adresse", "straße", "strasse", "straßenname", "lieferadresse",
              "rechnungsadresse", "hausnummer", "rue", "voie", "dirección", "direccion", "calle", "domicilio", "indirizzo", "via",
              "residenza", "straat", "adres", "straatnaam", "endereço", "rua", "morada", "address full"),
        keyed="text", keyed_score=80,
    ),
    Row(
        "POSTCODE", "place", "postal code: US, UK, Canada, Netherlands by form; others by key name or word",
        (
            Pattern(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b", "us_zip", 0, 62, 85, 55, part="digits"),
            Pattern(r"\b\d{5}-\d{4}\b", "", 52, 52, 85),
            Pattern(r"\b\d{5}\b", "spaced", 15, 15, 82),
            Pattern(r"\b\d{4}\b", "", 3, 3, 75),
            Pattern(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", "uk_postcode", 0, 75, 92),
            Pattern(r"\b[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}\b", "uk_postcode", 0, 15, 85),
            Pattern(r"\b[A-CEGHJ-NPR-TVXY]\d[A-CEGHJ-NPR-TV-Z][ -]\d[A-CEGHJ-NPR-TV-Z]\d\b", "", 78, 78, 92),
            Pattern(r"\b[A-CEGHJ-NPR-TVXY]\d[A-CEGHJ-NPR-TV-Z]\d[A-CEGHJ-NPR-TV-Z]\d\b", "", 25, 25, 88),
            Pattern(r"\b[1-9]\d{3} [A-Z]{2}\b", "", 40, 40, 90),
            Pattern(r"\b[1-9]\d{3}[A-Z]{2}\b", "", 12, 12, 85),
            Pattern(r"\b\d{3} \d{2}\b", "", 15, 15, 85),
            Pattern(r"\b(?:D|CH|A|F|I|E|NL|SE)-\d{4,5}\b", "", 45, 45, 88),
            Pattern(r"\b\d{2}-\d{3}\b", "", 15, 15, 82),
            Pattern(r"\b\d{5}-\d{3}\b", "", 35, 35, 88),
            Pattern(r"\b\d{4}-\d{3}\b", "", 15, 15, 85),
        ),
        keys=("zip", "zip code", "zipcode", "postcode", "post code", "postal code", "postalcode", "plz", "postleitzahl",
              "code postal", "cp", "código postal", "codigo postal", "cap", "codice postale", "cep", "pincode", "pin code",
              "postnummer", "kod pocztowy"),
        words=("zip", "postal", "postale"),
        keyed="postcode", keyed_score=75,
    ),
    Row(
        "CITY", "place", "city, by key name and list",
        keys=("city", "town", "city name", "stadt", "ort", "wohnort", "ville", "commune", "ciudad", "municipio", "città", "citta",
              "comune", "stad", "plaats", "woonplaats", "cidade", "localidade", "birth place", "place of birth", "geburtsort",
              "locality"),
        keyed="place", keyed_score=65,
    ),
    Row(
        "COUNTRY", "place", "country, by list; a country alone is below the usual minimum",
        keyed_score=40,
    ),
    Row(
        "NATIONALITY", "person", "nationality, religion or ethnic group, by list",
        keys=("nationality", "ethnicity", "religion", "race", "ethnic group", "staatsangehörigkeit", "nationalität", "konfession",
              "nationalité", "nacionalidad", "religión", "nazionalità", "religione", "nationaliteit", "nacionalidade"),
        keyed="name", keyed_score=75,
    ),
    Row(
        "ORGANIZATION", "person", "company or institution, by its legal form or kind",
        keys=("employer", "arbeitgeber", "employeur", "empleador", "datore di lavoro", "werkgever", "empregador"),
        keyed="text", keyed_score=60,
    ),
    Row(
        "TITLE", "person", "form of address before a name",
    ),
    Row(
        "GEO", "place", "latitude and longitude with four decimals or more",
        (
            Pattern(r"\b\d{1,2}\.\d{4,12}(?:, ?| )-?\d{1,3}\.\d{4,12}\b", "geo", 0, 85, 95),
            Pattern(r"[+-]\d{1,2}\.\d{4,12}(?:, ?| )[+-]?\d{1,3}\.\d{4,12}\b", "geo", 0, 88, 95),
        ),
        keys=("lat", "latitude", "lon", "lng", "long", "longitude", "geo", "coordinates", "geolocation", "gps", "geo point",
              "breitengrad", "längengrad", "latitud", "longitud", "latitudine", "longitudine", "breedtegraad", "lengtegraad"),
        keyed="coordinate", keyed_score=85,
    ),
)  # fmt: skip
