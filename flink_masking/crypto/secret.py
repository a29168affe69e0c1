"""Base class of objects that hold a key: constant repr, neither pickled nor copied."""

from typing import NoReturn


class Secret:
    """Base class of all key holders: constant repr, refuses to be pickled or copied."""

    __slots__ = ()

    def __repr__(self) -> str:
        """The name of the class, whatever it holds."""
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a key that is pickled ends up in a job graph, a state or a checkpoint."""
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied. Hint: pass the key ring's address and open it in open()")

    def __getstate__(self) -> NoReturn:
        """Refuse, as `__reduce_ex__` does."""
        self.__reduce_ex__(0)

    def __copy__(self) -> NoReturn:
        """Refuse, as `__reduce_ex__` does."""
        self.__reduce_ex__(0)

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse, as `__reduce_ex__` does."""
        self.__reduce_ex__(0)
