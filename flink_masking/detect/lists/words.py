"""Words that tell names, addresses and companies in running text: English, German, French, Spanish, Italian, Dutch, Portuguese."""

TITLES = ["mr", "mrs", "ms", "miss", "mister", "dr", "prof", "professor", "sir", "madam", "lady", "lord", "rev", "reverend", "fr", "sr",
          "sra", "srta", "señor", "señora", "señorita", "don", "doña", "herr", "frau", "fräulein", "dipl", "ing", "mme", "mlle",
          "monsieur", "madame", "mademoiselle", "docteur", "dott", "sig", "signor", "signora", "signorina", "dhr", "mevr", "mevrouw",
          "meneer", "senhor", "senhora", "doutor", "doutora", "mx", "capt", "captain", "col", "gen", "lt", "sgt"]
STREETS = ["street", "st", "avenue", "ave", "av", "road", "rd", "boulevard", "blvd", "lane", "ln", "drive", "dr", "court", "ct", "place",
           "pl", "way", "terrace", "square", "sq", "close", "crescent", "highway", "hwy", "parkway", "pkwy", "circle", "cir", "trail",
           "walk", "row", "grove", "mews", "strasse", "straße", "str", "weg", "platz", "allee", "gasse", "ring", "ufer", "damm",
           "chaussee", "rue", "route", "chemin", "quai", "impasse", "allée", "passage", "cours", "calle", "avenida", "avda", "paseo",
           "plaza", "camino", "carretera", "ronda", "travesía", "vía", "via", "viale", "piazza", "corso", "vicolo", "largo", "strada",
           "straat", "laan", "plein", "gracht", "kade", "dreef", "singel", "rua", "praça", "travessa", "estrada", "alameda", "rodovia",
           "vej", "gade", "allé", "gata", "gatan", "vägen", "väg", "gate", "veien", "vei", "ulica", "ul", "aleja", "utca", "út", "tie",
           "katu", "bulevar", "trg", "cesta", "náměstí", "třída"]
STREET_ENDINGS = ("straße", "strasse", "str", "weg", "platz", "allee", "gasse", "ufer", "damm", "straat", "laan", "plein", "gracht",
                  "kade", "vej",
                  "gade", "gatan", "gata", "vägen", "katu", "tie", "utca", "ring", "stasse", "dreef", "dijk", "singel", "plaats", "veien",
                  "gaten")
UNITS = ["apt", "apartment", "suite", "ste", "unit", "floor", "fl", "box", "bldg", "building", "room", "rm", "psc", "apo", "fpo", "dpo",
         "po", "p.o", "postfach", "bp", "hc", "rr"]
COMPANIES = ["inc", "ltd", "llc", "llp", "lp", "plc", "corp", "corporation", "company", "co", "gmbh", "ag", "kg", "kgaa", "ohg", "ug",
             "mbh", "ev", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "vof", "oy", "oyj", "ab", "as", "asa", "aps", "kft", "zrt", "sro",
             "doo", "pty", "limited", "incorporated", "group", "holding", "holdings", "bank", "university", "college", "institute",
             "foundation", "association", "society", "hospital", "clinic", "partners", "technologies", "systems", "solutions", "labs",
             "media", "consulting", "insurance", "airlines", "orchestra", "agency", "enterprises", "industries", "international",
             "services", "ventures", "capital", "associates", "museum", "club", "union", "council", "ministry"]
PARTICLES = ["van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "du", "la", "le", "el", "al", "bin", "ibn", "ben",
             "ter", "ten", "zu", "zum", "af", "av", "y", "e", "of"]
CUES = ["name", "named", "called", "dear", "hi", "hello", "hey", "regards", "sincerely", "signed", "by", "contact", "ask", "attn",
        "patient", "customer", "mrs", "mr", "dr", "heiße", "heisse", "namens", "liebe", "lieber", "hallo", "appelle", "bonjour", "llamo",
        "hola", "estimado", "estimada", "chiamo", "ciao", "gentile", "heet", "beste", "olá", "caro", "cara", "meet", "with", "i'm",
        "im", "nom", "nombre", "nome", "naam", "am"]
WHERE = ["in", "near", "from", "to", "at", "aus", "nach", "en", "em", "à"]
STATES = ["alabama", "alaska", "arizona", "arkansas", "california", "colorado", "connecticut", "delaware", "florida", "georgia", "hawaii",
          "idaho", "illinois", "indiana", "iowa", "kansas", "kentucky", "louisiana", "maine", "maryland", "massachusetts", "michigan",
          "minnesota", "mississippi", "missouri", "montana", "nebraska", "nevada", "ohio", "oklahoma", "oregon", "pennsylvania",
          "tennessee", "texas", "utah", "vermont", "virginia", "washington", "wisconsin", "wyoming", "ontario", "quebec", "alberta",
          "manitoba", "saskatchewan", "bayern", "hessen", "sachsen", "niedersachsen", "thüringen", "brandenburg", "catalonia", "andalusia",
          "lombardy", "tuscany", "bavaria", "saxony"]
STATES += ["new york", "new jersey", "new mexico", "new hampshire", "north carolina", "south carolina", "north dakota", "south dakota",
           "rhode island",
           "west virginia", "british columbia", "new south wales", "nova scotia"]
COUNTRIES = ("usa", "u.s", "uk", "u.s.a", "great britain", "england", "scotland", "wales", "northern ireland", "holland", "russia",
             "south korea",
             "north korea", "ivory coast", "czech republic", "europe", "asia", "africa", "america", "south america", "north america", "uae",
             "united states", "america")
NATIONALITIES = ["greek", "french", "dutch", "swiss", "danish", "swedish", "spanish", "polish", "turkish", "finnish", "irish", "british",
                 "english", "welsh", "scottish", "german", "american", "canadian", "chinese", "japanese", "thai", "czech", "slovak",
                 "filipino", "arab", "jewish", "muslim", "christian", "catholic", "protestant", "hindu", "buddhist", "sikh", "mormon",
                 "orthodox", "atheist", "italian", "portuguese", "russian", "ukrainian", "norwegian", "icelandic", "belgian", "austrian",
                 "hungarian", "romanian", "bulgarian", "croatian", "serbian", "bosnian", "albanian", "macedonian", "slovenian", "estonian",
                 "latvian", "lithuanian", "mexican", "brazilian", "argentine", "argentinian", "chilean", "peruvian", "colombian",
                 "venezuelan", "cuban", "jamaican", "haitian", "egyptian", "moroccan", "algerian", "tunisian", "libyan", "nigerian",
                 "kenyan", "ethiopian", "ghanaian", "somali", "sudanese", "african", "asian", "european", "indian", "pakistani",
                 "bangladeshi", "nepalese", "nepali", "afghan", "iranian", "iraqi", "syrian", "lebanese", "israeli", "saudi", "korean",
                 "vietnamese", "indonesian", "malaysian", "singaporean", "australian", "taiwanese", "mongolian", "kazakh", "uzbek",
                 "georgian", "armenian", "azerbaijani", "cypriot", "maltese", "luxembourgish", "hispanic", "latino", "latina", "caucasian",
                 "mozambican", "botswanan", "rwandan", "zambian", "zimbabwean", "angolan", "senegalese", "cameroonian", "guatemalan",
                 "honduran", "salvadoran", "nicaraguan", "panamanian", "bolivian", "ecuadorian", "paraguayan", "uruguayan", "dominican",
                 "trinidadian", "bahamian", "barbadian", "sri", "lankan", "burmese", "cambodian", "laotian", "qatari", "kuwaiti",
                 "emirati", "omani", "yemeni", "jordanian", "palestinian", "kurdish", "roma", "deutsche", "deutscher", "französisch",
                 "türkisch", "française", "français", "espagnol", "español", "española", "italiano", "italiana", "nederlandse",
                 "português", "portuguesa"]
NATIONALITIES += ["sri lankan", "south african", "new zealander", "puerto rican"]
NATIONALITIES = [word for word in NATIONALITIES if word not in ("sri", "lankan")]
COMMON = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "may",
          "june", "july", "august", "september", "october", "november", "december", "please", "thanks", "thank", "hello", "hi", "dear",
          "the", "this", "that", "i'm", "i'll", "i've", "i'd", "you're", "don't", "can't", "it's", "what's", "isn't", "wasn't", "phone",
          "email", "address", "website", "tel", "fax", "mobile", "card", "credit", "number", "account", "bank", "name", "street", "city",
          "state", "country", "zip", "order", "invoice", "customer", "service", "support", "request", "ticket", "password", "login",
          "user", "date", "time", "today", "tomorrow", "yesterday", "yes", "no", "ok", "okay", "sorry", "regards", "best", "kind",
          "sincerely", "cheers", "mr", "mrs", "ms", "miss", "dr", "visa", "mastercard", "amex", "paypal", "internet", "app", "api", "pdf",
          "url", "http", "https", "www", "com", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "bitte",
          "danke", "hallo", "guten", "tag", "sehr", "geehrte", "geehrter", "lieber", "liebe", "grüße", "lundi", "mardi", "mercredi",
          "jeudi", "vendredi", "samedi", "dimanche", "bonjour", "merci", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado",
          "domingo", "gracias", "hola", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica", "grazie", "ciao",
          "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "dank", "segunda", "terça", "quarta", "quinta",
          "sexta", "obrigado", "god", "lord", "north", "south", "east", "west", "new", "old", "great", "true", "false", "null", "none",
          "unknown", "test", "sample", "example", "ltd", "inc", "gmbh", "llc", "street"]
