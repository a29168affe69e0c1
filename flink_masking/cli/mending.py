"""Runs a program that corrects records: one record on its standard input, the corrected one on its standard output."""

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flink_masking.engine.quarantine import Entry

SECONDS = 600
"""That the program gets for one record."""


class Mender:
    """Runs the program once per record, so that a record that it cannot process does not stop others.

    The program sees the reason, the field and the stream as FLINK_MASKING_REASON, FLINK_MASKING_FIELD and FLINK_MASKING_STREAM. An exit
    code other than 0, or no output, leaves the record in quarantine. A line end behind the record is taken off.
    """

    def __init__(self, command: str) -> None:
        """Look for the program.

        Args:
            command: with its arguments, as a shell would take it apart; no shell runs it.

        Raises:
            InputError: there is no such program.
        """
        from flink_masking.errors import InputError

        try:
            self._command = shlex.split(command)
        except ValueError:
            self._command = []
        if not self._command or shutil.which(self._command[0]) is None:
            raise InputError("--mend: there is no such program. Hint: a command with its arguments, such as \"jq -c 'del(.surprise)'\"")

    def __call__(self, record: bytes, entry: "Entry") -> bytes | None:
        """The corrected record, or None to keep it in quarantine.

        Raises:
            InputError: the program did not end.
        """
        from flink_masking.errors import InputError

        told = {"FLINK_MASKING_REASON": entry.reason, "FLINK_MASKING_FIELD": entry.path or "", "FLINK_MASKING_STREAM": entry.stream}
        environment = {**os.environ, **{name: text.replace("\0", "") for name, text in told.items()}}
        try:
            done = subprocess.run(self._command, input=record, stdout=subprocess.PIPE, timeout=SECONDS, env=environment, check=False)
        except subprocess.TimeoutExpired:
            failure = InputError(f"--mend: the program did not end within {SECONDS} s. Hint: it must exit after each record")
        else:
            return done.stdout.removesuffix(b"\n").removesuffix(b"\r") or None if done.returncode == 0 else None
        raise failure  # here, so that the record is no context of the error
