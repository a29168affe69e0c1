"""Whether a key ring may replace the one in use: never with another root, and an older ring only on request."""

from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing


def check_successor(used: KeyRing, found: KeyRing, where: str) -> None:
    """Raise if a ring must not replace the one in use.

    A version that both know must have the same secret: another root under a known number would give other pseudonyms and open nothing, and
    nothing else would tell. A ring whose generation has gone back, that lacks a version or holds one that was destroyed is an older copy,
    unless it says by ``replaces`` that it takes the place of that generation (``flink-masking keys restore``).

    Args:
        used: the ring in use.
        found: the ring that was read.
        where: what to call its place in the error.

    Raises:
        KeyRingError: the ring must not be used; the message tells numbers of versions and check values.
    """
    if changed := [number for number in used.numbers if number in found and not _same(used, found, number)]:
        number = changed[0]
        told = f"check value {found.check(number) or 'unknown'}, in use {used.check(number) or 'unknown'}"
        raise KeyRingError(f"{where}: version {number} has another secret than the one in use ({told}); the ring in use is kept. Hint: put "
                           "the right ring back; a new root is a new version, made by 'flink-masking keys add'")
    old, new = used.edition, found.edition
    if new.generation > old.generation and new.replaces >= old.generation:
        return
    hint = f"if it is meant to replace the newer one, run 'flink-masking keys restore FILE --over {old.generation}'"
    if new.generation < old.generation:
        raise KeyRingError(f"{where}: the ring is older than the one in use (generation {new.generation} after {old.generation}), which is "
                           f"kept. Hint: {hint}")
    destroyed = {facts.number for facts in used.facts() if facts.state == "destroyed"}
    alive = {facts.number for facts in found.facts() if facts.state != "destroyed"}
    lost, revived = [number for number in used.numbers if number not in found], sorted(destroyed & alive)
    if lost or revived:
        what = f"lacks version {lost[0]}" if lost else f"holds version {revived[0]}, which was destroyed"
        raise KeyRingError(f"{where}: the ring is older than the one in use: it {what}; the ring in use is kept. Hint: {hint}")


def _same(used: KeyRing, found: KeyRing, number: int) -> bool:
    """Whether a version may have the same secret in both rings."""
    one, other = used.check(number), found.check(number)
    return (one is None or other is None or one == other) and used.agrees(found, number)
