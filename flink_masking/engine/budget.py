"""How many records of a grant a worker may still open."""

from flink_masking.control.ledger import Claim, Ledger
from flink_masking.errors import ControlError

AGAIN = 5_000
"""Ms until a ledger that could not be written is tried again."""


class Budget:
    """What a worker opens of a grant; in one thread.

    With a ledger, records are claimed there before they are opened, so that restarts begin nothing anew. Without, the count lasts as long
    as the worker.

    Attributes:
        share: how many records this worker may open, of all that the grant is for.
        failed: why the last claim could not be made; empty where it could.
    """

    def __init__(self, claim: Claim, ledger: Ledger | None) -> None:
        """Nothing is opened yet.

        Args:
            claim: of which grant, as which worker.
            ledger: keeps what was claimed; None: nobody does.
        """
        self._claim, self._ledger, self.share, self.failed = claim, ledger, claim.share, ""
        self._opened = self._held = self._again = 0

    @property
    def expires_at(self) -> int:
        """When the grant ends, ms since 1970."""
        return self._claim.expires_at

    def renew(self, claim: Claim) -> None:
        """Go on under a policy that may allow another number of records."""
        if claim != self._claim:
            self._claim, self.share, self._held, self._again = claim, claim.share, 0, 0

    def left(self, now: int) -> int:
        """How many records may still be opened here.

        Args:
            now: ms since 1970.

        Raises:
            ControlUnavailableError: the ledger cannot be read, or not be begun.
            ControlError: it does not know what was opened.
        """
        if self._ledger is None:
            return max(0, self.share - self._opened)
        return max(0, self._held + self._ledger.left(self._claim, now))

    def take(self, wanted: int, now: int) -> int:
        """Count records that are about to be opened.

        Args:
            wanted: how many there are.
            now: ms since 1970.

        Returns:
            How many of them may be opened.
        """
        if self._ledger is None:
            taken = min(wanted, max(0, self.share - self._opened))
        else:
            if wanted > self._held and now >= self._again:
                self._held += self._claimed(self._ledger, wanted - self._held, now)
            taken = min(wanted, self._held)
            self._held -= taken
        self._opened += taken
        return taken

    def _claimed(self, ledger: Ledger, wanted: int, now: int) -> int:
        try:
            claimed = ledger.claim(self._claim, wanted, now)
        except ControlError as error:
            self.failed, self._again = str(error), now + AGAIN
            return 0
        self.failed = ""
        if not claimed:  # nothing comes back; the ledger is not asked with every batch
            self._again = 1 << 62
        return claimed
