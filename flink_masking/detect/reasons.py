"""Why a finding was made."""

from enum import IntFlag


class Reason(IntFlag):
    """Reasons of a finding; several hold at once.

    FORM: the text has the form of the type. CHECK: its check digits, ranges or checksum hold. KEY: the name of its member says the type.
    CONTEXT: a word before it, or in the name of its member, says the type. LIST: it is on a list of names or places. ENTROPY: it looks
    random. LOCALE: its country is one that was named. COLUMN: most values of the same path are of the type. RULE: a rule about running
    text. MODEL: a detector of another package.
    """

    FORM = 1
    CHECK = 2
    KEY = 4
    CONTEXT = 8
    LIST = 16
    ENTROPY = 32
    LOCALE = 64
    COLUMN = 128
    RULE = 256
    MODEL = 512
