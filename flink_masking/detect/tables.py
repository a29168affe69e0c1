"""Everything that the scan needs and that is the same for all detectors of a process: made at its first use."""

import functools
from typing import NamedTuple

import numpy as np

from flink_masking.detect import automaton, lists
from flink_masking.detect.automaton import Automaton
from flink_masking.detect.automaton_flags_kernels import AFTER, ATOMIC, LONGEST, WIDTH
from flink_masking.detect.catalogue import NUMBERS, ROWS, Pattern, contact, regexes, secrets
from flink_masking.detect.checks_kernels import CHECKS
from flink_masking.detect.kept_automaton import kept
from flink_masking.detect.regex import WORD
from flink_masking.detect.scan_kernels import DIGITS, GROUPS, PATTERN, PEM, S_DIGIT, S_FIRST, S_TRIGGER, S_WORD, SECOND, WHOLE
from flink_masking.detect.trigger_kernels import PASSWORD, TOKEN

PARTS = {"": WHOLE, "digits": DIGITS, "pem": PEM, "second": SECOND, "groups": GROUPS}
PLACEHOLDERS = ["password", "passwort", "passwd", "pass", "changeme", "change_me", "secret", "token", "none", "null", "nil", "undefined",
                "true", "false", "yes", "no", "required", "optional", "empty", "string", "example", "sample", "test", "dummy",
                "placeholder", "redacted", "removed", "hidden", "masked", "your_password", "yourpassword", "your_api_key", "apikey",
                "api_key", "xxx", "todo", "tbd", "unknown", "n/a", "na", "not_set", "notset", "missing", "invalid", "incorrect", "wrong",
                "expired", "reset", "forgot", "forgotten", "ok", "enabled", "disabled", "default"]  # fmt: skip
"""Texts in the place of a secret that are none."""


class Tables(NamedTuple):
    """Tables for `scan_kernels`.

    Attributes:
        automaton: of all patterns.
        signs: uint8, 256: what a byte may begin.
        pairs: uint8, 256 times 32: a bit for each pair of bytes that a pattern may begin with.
        patterns: int64, `PATTERN` numbers a pattern; after them `TRIGGERED` that the automaton does not know: runs of digits, client
            secrets of Azure.
        context: hash table of (word, type), and of every such word alone.
        secrets: hash table of key words and what each promises.
        placeholders: hash table of texts that are no secrets.
        names: hash table of the lists, and of the words that tell names.
    """

    automaton: Automaton
    signs: np.ndarray
    pairs: np.ndarray
    patterns: np.ndarray
    context: np.ndarray
    secrets: np.ndarray
    placeholders: np.ndarray
    names: tuple[np.ndarray, np.ndarray]


@functools.cache
def tables() -> Tables:
    """Read what was kept, or build it."""
    built = kept(regexes())
    return Tables(built, _signs(built), _pairs(built), _patterns(built), _context(), _secrets(),
                  lists.table({_letters(word): 1 for word in PLACEHOLDERS}), lists.names())


def _signs(built: Automaton) -> np.ndarray:
    signs = np.where(built.first != 0, S_FIRST, 0).astype(np.uint8)
    signs[list(WORD)] |= S_WORD
    signs[[c for c in WORD if chr(c).isalpha()]] |= S_FIRST  # what a word before a value says counts, whatever it begins with
    signs[list(b"@:=~e")] |= S_TRIGGER
    signs[list(b"0123456789")] |= S_DIGIT
    return signs


def _pairs(built: Automaton) -> np.ndarray:
    goes_on = built.moves.reshape(-1, WIDTH)[built.first][:, built.classes] != 0
    goes_on |= (np.diff(built.accepted) > 0)[built.first][:, None]
    goes_on[built.first == 0] = False
    return np.packbits(goes_on, axis=1, bitorder="little").ravel()


def _letters(phrase: str) -> str:
    """A phrase as `letters_hash` takes it: word characters only."""
    return "".join(c for c in phrase if c.isalnum())


def _patterns(built: automaton.Automaton) -> np.ndarray:
    rows, number = [], 0
    for kind, row in enumerate(ROWS):
        for p in row.patterns:
            rows.append([kind, CHECKS.index(p.check), p.weak, p.strong, p.context, p.alone, PARTS[p.part], int(built.tails[number]),
                         _flags(p, int(built.flags[number]))])
            number += 1
    for name, p in (("PHONE", contact.DIGIT_RUN), ("AZURE_SECRET", secrets.AZURE_CLIENT_SECRET)):  # the order of `RUN` and `CLIENT_SECRET`
        rows.append([NUMBERS[name], CHECKS.index(p.check), p.weak, p.strong, p.context, p.alone, WHOLE, -1, 0])
    return np.array(rows, np.int64).reshape(-1, PATTERN).ravel()


def _flags(pattern: Pattern, flags: int) -> int:
    """Flags of a pattern: telephone numbers, and forms without a check, go as far as they can; nothing is looked for inside a UUID, or an
    address that ends where a word does."""
    longest = pattern.check in ("", "phone_national", "phone_nanp", "phone_international", "ipv6")
    atomic = pattern.check in ("uuid", "mac", "ymd") or (pattern.check in ("ipv4", "ipv6") and flags & AFTER)
    return flags | (LONGEST if longest else 0) | (ATOMIC if atomic else 0)


def _context() -> np.ndarray:
    """A word speaks for a type where it is one of its words, or a key of one word that is not generic."""
    pairs = sorted({(word, number) for number, row in enumerate(ROWS)
                    for word in (*row.words, *(key for key in row.keys if " " not in key and key not in _AMBIGUOUS))})
    hashes = lists.hashes([word for word, _ in pairs])
    keys = [_mixed(int(h), number) for h, (_, number) in zip(hashes, pairs, strict=True)]
    keys += sorted({int(h) for h in hashes})
    return lists.hashed(np.array(keys, np.uint64), np.ones(len(keys), np.uint64))


_AMBIGUOUS = frozenset(("name", "by", "address", "given", "family", "pass", "via", "cap", "cp", "long", "account", "card", "ort", "nom",
                        "nome",
                        "age", "auth", "session", "exp", "text", "nas", "fin", "sin", "handle", "konto", "compte", "documento", "alter",
                        "conta"))
"""Keys of one word that are common words in texts."""

_M64 = (1 << 64) - 1


def _mixed(word: int, number: int) -> int:
    """As `context_kernels.of_type`."""
    h = (word + number * 0x9E3779B97F4A7C15) & _M64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ (h >> 33)) * factor & _M64
    return (h ^ (h >> 33)) | 1


def _secrets() -> np.ndarray:
    """Key words before ``=`` and ``:`` and what they promise."""
    promised: dict[str, int] = {}
    for row in ROWS:
        if row.keyed in ("password", "token"):
            for key in row.keys:
                promised[_letters(key)] = PASSWORD if row.keyed == "password" else TOKEN
    for word in ("auth", "pin", "clave", "pass", "credential", "credentials", "cookie", "cookies", "sess"):
        promised.pop(word, None)
    promised |= {"sig": TOKEN, "signature": TOKEN, "key": TOKEN, "pass": PASSWORD, "code": TOKEN}
    return lists.table(promised)


def number_or_none(name: str, enabled: frozenset[int]) -> int:
    """The number of a type, or -1 where it is not looked for."""
    number = NUMBERS[name]
    return number if number in enabled else -1
