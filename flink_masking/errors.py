"""Every error of the library: one base class, each also of a builtin kind.

Arguments are plain strings, because errors are pickled between Flink's processes. A message says where, what is wrong (the type
that came, never the value) and, after ``Hint:``, what to do. `exit_code` is what a command ends with: 2 says that a person must edit
something first, 75 that the same command may succeed later. 0 is success, and 128 and above are signals.

=========================== ============= ==== ===================================================================
class                       also a        exit what to do
=========================== ============= ==== ===================================================================
`PolicyError`               ValueError    2    correct the policy; `PolicyFaults` lists every fault with its line
`KeyRingError`              RuntimeError  1    correct the address, the ring or its permissions
`KeyRingUnavailableError`   KeyRingError  75   try again later: the key service is away or asks to slow down
`VaultError`                RuntimeError  1    correct the address, the vault or its permissions
`VaultUnavailableError`     VaultError    75   try again later: the vault was away or busy for longer than the patience
`RegistryError`             RuntimeError  1    correct the schema registry's address, login or schemas
`RegistryUnavailableError`  RegistryError 75   try again later: the registry was away for longer than the patience
`SchemaRefusedError`        RegistryError 1    make the schema of a view compatible, or change the subject's compatibility level
`ControlError`              RuntimeError  1    correct the control document, trust file, identity or source
`ControlUnavailableError`   ControlError  75   try again later: the source of control documents is away
`LogUnavailableError`       OSError       75   try again later: the store or server of a sealed log is away
`DecryptionError`           ValueError    1    use the keys and vault that the values were protected with
`InputError`                ValueError    1    correct the file, directory or option
`JobError`                  RuntimeError  1    see the message; a job that has run and failed has more in Flink's log
=========================== ============= ==== ===================================================================
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command ends with; ``flink_masking/docs/commands.md`` has the table.

    Attributes:
        text: the meaning, where the command does not give it one of its own.
    """

    text: str

    OK = 0, "done"
    FAILED = 1, "failed"
    USAGE = 2, "the policy, an option or an argument cannot be used"
    UNAVAILABLE = 75, "a service is away or busy: try again later"
    HANGUP = 129, "ended by SIGHUP"
    INTERRUPTED = 130, "interrupted by Ctrl-C (SIGINT)"
    BROKEN_PIPE = 141, "the reader of the output has closed it"
    TERMINATED = 143, "ended by SIGTERM"

    def __new__(cls, value: int, text: str) -> "ExitCode":
        """A code with its meaning."""
        made = int.__new__(cls, value)
        made._value_ = value
        made.text = text
        return made


class FlinkMaskingError(Exception):
    """The base of all errors raised on purpose by flink-masking.

    Attributes:
        exit_code: what a command ends with.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class PolicyError(FlinkMaskingError, ValueError):
    """A policy, or a file that it names, cannot be used as written."""

    exit_code = ExitCode.USAGE


class KeyRingError(FlinkMaskingError, RuntimeError):
    """A key ring cannot be found, read or trusted, or lacks the key that is asked for."""


class KeyRingUnavailableError(KeyRingError):
    """A key service cannot be reached now or asks to slow down; the same call may succeed later."""

    exit_code = ExitCode.UNAVAILABLE


class DecryptionError(FlinkMaskingError, ValueError):
    """A protected value cannot be decrypted; the reason is omitted, as it could help an attacker."""


class InputError(FlinkMaskingError, ValueError):
    """A file, directory or option given by the user cannot be used."""


class JobError(FlinkMaskingError, RuntimeError):
    """A Flink job could not be built or started, failed, or its record counts do not reconcile."""


class VaultError(FlinkMaskingError, RuntimeError):
    """A token vault cannot be opened or trusted, or has no token left to give."""


class VaultUnavailableError(VaultError):
    """A token vault was away or busy for longer than its patience; the same call may succeed later."""

    exit_code = ExitCode.UNAVAILABLE


class RegistryError(FlinkMaskingError, RuntimeError):
    """A schema registry cannot be used or trusted, or refuses a schema."""


class SchemaRefusedError(RegistryError):
    """A schema registry is there and does not take a schema, as one that is not compatible with its subject's."""


class RegistryUnavailableError(RegistryError):
    """A schema registry was away or busy for longer than its patience; the same call may succeed later."""

    exit_code = ExitCode.UNAVAILABLE


class ControlError(FlinkMaskingError, RuntimeError):
    """A control document, trust file or identity cannot be used or trusted, or the source of documents is wrong."""


class ControlUnavailableError(ControlError):
    """The source of control documents cannot be read now; the same call may succeed later."""

    exit_code = ExitCode.UNAVAILABLE


class LogUnavailableError(FlinkMaskingError, OSError):
    """The store or server of a sealed log cannot be read or written now, which says nothing of the log; the same call may succeed later."""

    exit_code = ExitCode.UNAVAILABLE
