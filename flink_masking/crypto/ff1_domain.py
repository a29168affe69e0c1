"""How many messages FF1 may encrypt: the least domain of NIST SP 800-38G, and the fewest numerals that reach it."""

MINIMUM_DOMAIN = 1_000_000
"""Fewest messages of a length, radix^length, that may be encrypted (SP 800-38G Rev. 1, second draft)."""


def shortest(radix: int, minimum: int = MINIMUM_DOMAIN) -> int:
    """Fewest numerals, at least two, of which there are `minimum` messages."""
    length = 2
    while radix**length < minimum:
        length += 1
    return length
