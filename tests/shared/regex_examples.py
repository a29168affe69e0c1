"""Random texts that a regular expression matches, made from its own syntax tree."""

import random
import re._constants as codes
import re._parser as parser
import string

DIGITS, WORDS, SPACES = string.digits, string.ascii_letters + string.digits + "_", " \t\n"


def _one_of(items: list, rng: random.Random) -> str:
    """A character of a class."""
    if items[0][0] is codes.NEGATE:
        excluded = {chr(c) for kind, of in items[1:] for c in ([of] if kind is codes.LITERAL else range(of[0], of[1] + 1))}
        return rng.choice([c for c in WORDS + "-.:/" if c not in excluded])
    kind, of = rng.choice(items)
    if kind is codes.LITERAL:
        return chr(of)
    if kind is codes.RANGE:
        return chr(rng.randint(*of))
    return rng.choice({codes.CATEGORY_DIGIT: DIGITS, codes.CATEGORY_WORD: WORDS, codes.CATEGORY_SPACE: SPACES}[of])


def _of(tree: object, rng: random.Random) -> str:
    out = []
    for code, value in tree:
        if code is codes.LITERAL:
            out.append(chr(value))
        elif code is codes.IN:
            out.append(_one_of(value, rng))
        elif code is codes.MAX_REPEAT:
            low, high, inner = value
            most = low + 12 if high is codes.MAXREPEAT else int(high)
            out += [_of(inner, rng) for _ in range(rng.choice((low, most, rng.randint(low, most))))]
        elif code is codes.SUBPATTERN:
            out.append(_of(value[3], rng))
        elif code is codes.BRANCH:
            out.append(_of(rng.choice(value[1]), rng))
        elif code is not codes.AT:
            raise AssertionError(f"no example for {code}")
    return "".join(out)


def example(regex: str, rng: random.Random) -> str:
    """A text that a regular expression of the catalogue matches."""
    return _of(parser.parse(regex), rng)
