"""Every error of the library: one base class, each also of a builtin kind.

Arguments are plain strings, because errors are pickled between Flink's processes. A message says where, what is wrong (the type
that came, never the value) and what to do.
"""


class FlinkMaskingError(Exception):
    """The base of all errors raised on purpose by flink-masking."""


class PolicyError(FlinkMaskingError, ValueError):
    """A policy, or a file that it names, cannot be used as written."""


class KeyRingError(FlinkMaskingError, RuntimeError):
    """A key ring cannot be found, read or trusted, or lacks the key that is asked for."""


class DecryptionError(FlinkMaskingError, ValueError):
    """A protected value cannot be decrypted; the reason is omitted, as it could help an attacker."""


class InputError(FlinkMaskingError, ValueError):
    """A file, directory or option given by the user cannot be used."""


class JobError(FlinkMaskingError, RuntimeError):
    """A Flink job could not be started, failed, or its record counts do not reconcile."""


class VaultError(FlinkMaskingError, RuntimeError):
    """A token vault cannot be opened, reached or trusted, or has no token left to give."""
