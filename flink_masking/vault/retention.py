"""How long tokens are kept: the days on which they were last given out, and the removal of those that were not for long.

Uses are noted by the day (UTC), once a day for each token, with the first value that needs it. Days are numbers since 1970.
"""

from typing import NamedTuple, Protocol

import pyarrow as pa

DAY_MS = 86_400_000
SEEN = "seen"
"""Name of the column that tables of tokens have from the first retention on: the day of the last use that was noted, or null."""


class Kept(NamedTuple):
    """What is kept of a domain's tokens at a time.

    Attributes:
        today: the day that uses are noted with.
        oldest: the oldest day of last use that has not expired; 0: nothing has.
    """

    today: int
    oldest: int


class Swept(NamedTuple):
    """What a piece of a sweep did.

    Attributes:
        tokens: how many were destroyed.
        done: whether the sweep of the day has ended.
    """

    tokens: int
    done: bool


class RetentionStore(Protocol):
    """Retention of tokens; each call is one transaction. All raise VaultError as `flink_masking.vault.base.Vault`.

    A stream says for how many days after its last use a token of a domain is kept; where several say so, the fewest days count. Tokens that
    were there before the first stream said so count as used on the day after it did.
    """

    def retain(self, domain: str, stream: str, keep: int | None, today: int) -> None:
        """Note for how long a stream keeps tokens.

        Args:
            domain: an enrolled one; of another, nothing is noted.
            stream: who says so.
            keep: days after the day of the last use, at least 1; None: for ever, as far as this stream is concerned.
            today: the day.
        """
        ...

    def kept(self, domain: str, today: int) -> Kept | None:
        """What of a domain is kept on a day; None: all of it, and no use is noted."""
        ...

    def seen(self, domain: str, lookups: pa.FixedSizeBinaryArray, kept: Kept) -> pa.BooleanArray:
        """Note that tokens are used today.

        Args:
            domain: an enrolled one.
            lookups: n different lookups of tokens.
            kept: from `kept`.

        Returns:
            n times whether the token stands and has not expired; otherwise it is to be made again.
        """
        ...

    def sweep(self, today: int) -> Swept:
        """Destroy tokens that have expired, in all domains, going through the next piece of the vault.

        Whoever calls goes on where the last one has ended, whatever process that was. Once a day's sweep is done, calls do nothing until
        the next day.
        """
        ...
