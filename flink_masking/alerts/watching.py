"""Rules on files as they grow."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.live import LiveRules
from flink_masking.alerts.logic import AlertLogic
from flink_masking.alerts.outbox import Outbox
from flink_masking.alerts.rules import Rules
from flink_masking.audit.sources import FileSource
from flink_masking.control.options import ControlOptions
from flink_masking.errors import InputError
from flink_masking.files.whole import write_whole

MOST = 20_000
LOOK_S = 0.5
"""Seconds between two looks at files without new lines."""


def _now() -> int:
    return time.time_ns() // 1_000_000


class Watcher:
    """Files and directories, whose whole lines are taken in as they come.

    Attributes:
        logic: the rules at work.
    """

    def __init__(self, rules: Rules, paths: Iterable[Path], tell: Callable[[Alert], None], state: Path | None = None,
                 from_start: bool = False, clock: Callable[[], int] = _now, control: ControlOptions | None = None,
                 folder: Path | None = None) -> None:
        """Look for the present ends of the files.

        Args:
            rules: to watch.
            paths: files and directories, which may come later.
            tell: called with each alert.
            state: file that keeps windows and places across restarts, mode 0600; None: nothing is kept. Published rules in it count where
                their signatures do.
            from_start: begin with the lines that are there, where there is no state.
            clock: ms since 1970.
            control: where rules are published that replace these; None: they stay as they are.
            folder: what relative names in targets are relative to; None: nothing is sent.

        Raises:
            InputError: the state, or a target, cannot be used.
            ControlError: the trust file cannot be used, or the login of the source of documents.
        """
        self._sources = [FileSource(path) for path in paths]
        self._tell, self._state, self._clock = tell, state, clock
        kept = _kept(state)
        self.logic = AlertLogic(rules, None if kept is None else orjson.dumps(kept["logic"]))
        self._outbox = None if folder is None else Outbox(rules, folder, None if kept is None else kept.get("waiting"))
        self._live: LiveRules | None = None
        if control is not None:
            told = None if kept is None else kept.get("rules")
            self._live = LiveRules(rules, control, None if told is None else told.encode(), clock)
            self._live.start()
        self._kept: dict[str, Any] = {}
        self._unkept = False
        self._positions: dict[str, int] = dict(kept["positions"]) if kept is not None else {}
        if kept is None and not from_start:
            for source in self._sources:
                self._positions |= {str(file.resolve()): _whole(file) for file in source.files()}

    def look(self) -> int:
        """Take in the lines that have come, tell alerts, and keep the state; returns the number of lines.

        Raises:
            InputError: a file has become shorter.
            OSError: the state cannot be written.
        """
        taken = 0
        if self._live is not None:
            self.logic, alerts = self._live.follow(self.logic, self._clock())
            self._send(alerts)
        for source in self._sources:
            lines, reached = source.read(self._positions, MOST)
            self._send(self.logic.take(lines, self._clock()))
            self._positions |= reached
            taken += len(lines)
        self._send(self.logic.tick(self._clock()))
        self._keep(taken > 0)
        return taken

    def close(self, wait: float) -> dict[str, int]:
        """Give the targets some seconds, keep the state, and return how many alerts were not sent, by target.

        With a state they are sent by the next watch; without, they are lost.
        """
        if self._live is not None:
            self._live.close()
        unsent = {} if self._outbox is None else self._outbox.close(wait)
        self._keep()
        return unsent

    def _send(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self._tell(alert)
            if self._outbox is not None:
                self._outbox.put(alert)

    def run(self, ended: Callable[[], bool], complain: Callable[[str], None]) -> None:
        """Look until the end; see `look`. After a first look, files that cannot be read or written now are tried again.

        Args:
            ended: whether to end.
            complain: told once why a look failed, until one succeeds.

        Raises:
            InputError: a file has become shorter.
            OSError: the first look fails: the options are wrong.
        """
        begun = told = False
        while not ended():
            taken = 0
            try:
                taken, begun, told = self.look(), True, False
            except OSError as error:
                if not begun:
                    raise
                if not told:
                    what = "the files" if error.filename is None else os.fsdecode(error.filename)
                    complain(f"{what}: {error.strerror}; it is tried again")
                told = True
            if not taken:
                time.sleep(LOOK_S)

    def _keep(self, taken: bool = True) -> None:
        """Write the state where anything in it has changed; lines, windows, rules and waiting alerts are of one moment."""
        if (path := self._state) is None:
            return
        rules = {} if self._live is None else {"rules": self._live.state().decode()}
        beside = {**rules, "waiting": {} if self._outbox is None else self._outbox.state()}
        self._unkept |= taken or beside != self._kept
        if not self._unkept:
            return
        data = orjson.dumps({"version": 1, "positions": self._positions, "logic": orjson.loads(self.logic.state()), **beside})
        write_whole(path, data, private=True)
        self._kept, self._unkept = beside, False


def _kept(path: Path | None) -> Mapping[str, Any] | None:
    if path is None or not path.exists():
        return None
    try:
        body = orjson.loads(path.read_bytes())
        if body["version"] == 1 and isinstance(body["positions"], dict) and "logic" in body:
            return dict(body)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise InputError(f"{path}: this is no state of alerts. Hint: remove the file to begin anew")


def _whole(path: Path) -> int:
    """Bytes of a file's whole lines."""
    with path.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        while size:
            begin = max(0, size - 65_536)
            opened.seek(begin)
            found = opened.read(size - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            size = begin
    return 0
