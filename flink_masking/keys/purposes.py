"""What a key of a domain can be for: the one list from which exports are made."""

PURPOSES = (
    "date_shift",
    "encrypt",
    "encrypt_deterministic",
    "fpe",
    "perturb",
    "pseudonym",
    "pseudonym-cmac",
    "substitute",
    "tokenize-lookup",
    "tokenize-value",
)
"""Every purpose that a technique derives a key for together with the policy's ``domain``. Whoever adds one adds it here, else an exported
ring lacks it. Keys of streams and segments (quarantine, packed batches, state, subjects) are not among them: they are never exported."""

EXPORTED_BYTES = 64
"""Length of an exported key: as long as the longest that a technique derives (AES-256-SIV takes 64 bytes). HKDF's output for fewer bytes
is the front of its output for more, so one length serves all."""
