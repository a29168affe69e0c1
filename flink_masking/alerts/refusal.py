"""An alert that a receiver has not taken."""


class SendError(Exception):
    """An alert was not taken.

    Attributes:
        again: whether the same alert may be taken later.
    """

    def __init__(self, reason: str, again: bool = True) -> None:
        """Keep the reason, which holds no secret."""
        super().__init__(reason)
        self.again = again
