"""Credentials: prefixes of vendors, headers, key names with entropy."""

from flink_masking.detect.catalogue.row import Pattern, Row

AZURE_CLIENT_SECRET = Pattern(r"\b[A-Za-z0-9_][A-Za-z0-9_~.]{2}\dQ~[A-Za-z0-9_~.-]{31,34}", "random_tail", 0, 95, 98)
"""A client secret of Azure, of the type AZURE_SECRET: the scan finds it by its ``~``. Among the patterns of the automaton it would keep
every word alive for three characters."""

ROWS = (
    Row(
        "PRIVATE_KEY", "secret", "private key: PEM, PGP, PuTTY",
        (
            Pattern(r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", "", 99, 99, 99, part="pem"),
            Pattern(r"\bPuTTY-User-Key-File-\d: [\s!-~]*", "", 97, 97, 99),
        ),
        keys=("private key", "privatekey", "ssh key", "pkcs12"),
        keyed="token", keyed_score=85,
    ),
    Row(
        "JWT", "secret", "JSON web token: header with \"alg\", found by its eyJ",
        keys=("jwt", "id token"),
    ),
    Row(
        "AUTHORIZATION", "secret", "credentials of an Authorization header, Basic or Bearer",
        (
            Pattern(r"(?i)\b(?:bearer|basic) [A-Za-z0-9._~+/=-]{16,}", "basic_or_bearer", 60, 88, 97, part="second"),
        ),
        keys=("authorization", "proxy authorization", "auth header", "www authenticate"),
        keyed="token", keyed_score=80,
    ),
    Row(
        "AWS_ACCESS_KEY", "secret", "AWS access key identifier",
        (
            Pattern(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", "random_tail", 0, 96, 99),
        ),
        keys=("aws access key id", "access key id"),
    ),
    Row(
        "AWS_SECRET_KEY", "secret", "AWS secret access key, by key name or word",
        keys=("aws secret access key", "secret access key", "aws secret"),
        words=("aws", "secret"),
        keyed="token", keyed_score=90,
    ),
    Row(
        "GCP_KEY", "secret", "Google or Firebase key; private key of a service account by its PEM",
        (
            Pattern(r"\bAIza[A-Za-z0-9_-]{35}", "random_tail", 0, 95, 98),
            Pattern(r"\bya29\.[A-Za-z0-9_-]{20,}", "random_tail", 0, 92, 98),
            Pattern(r"\bGOCSPX-[A-Za-z0-9_-]{28}", "random_tail", 0, 95, 98),
        ),
        keys=("google api key", "firebase key"),
    ),
    Row(
        "AZURE_SECRET", "secret", "Azure client secret, storage key, shared access signature",
        (
            Pattern(r"(?i)\b(?:accountkey|sharedaccesskey)=[A-Za-z0-9+/]{40,88}={0,2}", "random_tail", 0, 97, 99),
        ),
        keys=("azure client secret", "account key", "shared access key", "storage key"),
        keyed="token", keyed_score=85,
    ),
    Row(
        "GITHUB_TOKEN", "secret", "GitHub token: CRC-32",
        (
            Pattern(r"\bgh[pousr]_[A-Za-z0-9]{36}\b", "github", 80, 99, 99),
            Pattern(r"\bgithub_pat_[A-Za-z0-9_]{82}\b", "random_tail", 0, 97, 99),
        ),
        keys=("github token",),
    ),
    Row(
        "GITLAB_TOKEN", "secret", "GitLab token",
        (
            Pattern(r"\bgl(?:pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_-]{20,}", "random_tail", 0, 95, 99),
        ),
        keys=("gitlab token",),
    ),
    Row(
        "SLACK_TOKEN", "secret", "Slack token or webhook",
        (
            Pattern(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", "random_tail", 0, 95, 99),
            Pattern(r"\bxapp-\d-[A-Za-z0-9-]{20,}", "random_tail", 0, 95, 99),
            Pattern(r"\bhooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/+_-]{20,}", "random_tail", 0, 95, 99),
        ),
        keys=("slack token", "slack webhook"),
    ),
    Row(
        "STRIPE_KEY", "secret", "Stripe secret or restricted key; public keys are public",
        (
            Pattern(r"\b(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}", "random_tail", 0, 95, 99),
            Pattern(r"\bwhsec_[A-Za-z0-9+/=]{24,}", "random_tail", 0, 95, 99),
        ),
        keys=("stripe key",),
    ),
    Row(
        "AI_KEY", "secret", "key of OpenAI, Anthropic, Hugging Face",
        (
            Pattern(r"\bsk-(?:proj-|ant-[a-z0-9]{3,6}-|svcacct-|admin-)[A-Za-z0-9_-]{20,}", "random_tail", 0, 97, 99),
            Pattern(r"\bsk-[A-Za-z0-9]{32,}", "random_tail", 0, 88, 98),
            Pattern(r"\bhf_[A-Za-z]{34}\b", "random_tail", 0, 95, 99),
            Pattern(r"\bgsk_[A-Za-z0-9]{40,}", "random_tail", 0, 95, 99),
        ),
        keys=("openai api key", "anthropic api key", "hf token"),
    ),
    Row(
        "VENDOR_TOKEN", "secret",
        "token with the prefix of a vendor: Twilio, SendGrid, Mailgun, "
        "npm, PyPI, Databricks, Vault, DigitalOcean, Shopify, Telegram, Discord, Confluent and others",
        (
            Pattern(r"\b(?:SK|AC)[0-9a-f]{32}\b", "random_tail", 0, 70, 97),
            Pattern(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "random_tail", 0, 97, 99),
            Pattern(r"\bkey-[0-9a-f]{32}\b", "random_tail", 0, 80, 97),
            Pattern(r"\bnpm_[A-Za-z0-9]{36}\b", "random_tail", 0, 97, 99),
            Pattern(r"\bpypi-AgE[A-Za-z0-9_-]{50,}", "random_tail", 0, 97, 99),
            Pattern(r"\bdapi[0-9a-f]{32}\b", "random_tail", 0, 95, 99),
            Pattern(r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}", "random_tail", 0, 95, 99),
            Pattern(r"\bdo[opr]_v1_[0-9a-f]{64}\b", "random_tail", 0, 97, 99),
            Pattern(r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b", "random_tail", 0, 97, 99),
            Pattern(r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}", "random_tail", 0, 92, 98),
            Pattern(r"\b[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}", "random_tail", 0, 85, 97),
            Pattern(r"\bcflt[A-Za-z0-9/+]{60}", "random_tail", 0, 92, 98),
            Pattern(r"\bATATT3[A-Za-z0-9_=-]{60,}", "random_tail", 0, 97, 99),
            Pattern(r"\bsntrys_[A-Za-z0-9+/=_-]{40,}", "random_tail", 0, 92, 98),
            Pattern(r"\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b", "random_tail", 0, 95, 99),
            Pattern(r"\bNRAK-[A-Z0-9]{27}\b", "random_tail", 0, 92, 98),
            Pattern(r"\bEAA[A-Za-z0-9]{60,}", "random_tail", 0, 80, 95),
            Pattern(r"\bdckr_pat_[A-Za-z0-9_-]{27}", "random_tail", 0, 95, 99),
        ),
        keys=("twilio auth token", "sendgrid api key", "npm token", "pypi token", "databricks token", "vault token", "bot token",
              "confluent secret"),
        words=("twilio", "sendgrid", "mailgun", "databricks", "telegram", "discord", "confluent"),
        keyed="token", keyed_score=85,
    ),
    Row(
        "PASSWORD_HASH", "secret", "hash of a password: bcrypt, argon2, scrypt, crypt",
        (
            Pattern(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", "", 97, 97, 99),
            Pattern(r"\$argon2(?:id|i|d)\$v=\d{2}\$m=\d{2,8},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{8,}", "", 97, 97, 99),
            Pattern(r"\$[156y]\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,}", "", 92, 92, 98),
        ),
        keys=("password hash", "passwordhash", "pwd hash", "password digest"),
        keyed="token", keyed_score=85,
    ),
    Row(
        "PASSWORD", "secret", "password, by its key name or as password=… in text",
        keys=("password", "passwd", "pwd", "passphrase", "pass", "user password", "db password", "kennwort", "passwort",
              "mot de passe", "motdepasse", "contraseña", "contrasena", "clave", "password confirmation", "parola", "wachtwoord",
              "senha", "palavra passe", "pin", "pincode", "secret answer"),
        keyed="password", keyed_score=88,
    ),
    Row(
        "SECRET", "secret", "other secret, by key name and entropy, or as token=… in text",
        keys=("secret", "token", "api key", "apikey", "access token", "refresh token", "auth token", "client secret",
              "secret key", "signing key", "encryption key", "access key", "session token", "csrf token", "xsrf token",
              "x api key", "bearer token", "webhook secret", "consumer secret", "app secret", "shared secret", "otp",
              "connection string", "dsn", "credentials", "credential", "auth", "geheimnis", "jeton", "clé api", "clave api",
              "chiave api", "sleutel"),
        keyed="token", keyed_score=82,
    ),
)  # fmt: skip
