"""Rules over lines: no clock of its own, no input and output; time and lines come in, alerts go out.

Windows go by the times of events, each name by its own; what is told how often, silence and gaps of chains go by the time that the caller
gives. A line that cannot be read is counted, never an error: alerts must not end with it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.chains import Chains
from flink_masking.alerts.measures import Event, by_line
from flink_masking.alerts.rules import Chain, Counted, Granted, KeyAge, Rule, Rules, Shared, Silence
from flink_masking.alerts.windows import PARTS, Window
from flink_masking.audit.events import is_leaves
from flink_masking.errors import InputError

STATE = 1
NAMES = 1_000
"""Different names that a rule keeps apart; all beyond count together."""
LONGEST = 200
"""Characters of a name."""


class AlertLogic:
    """Rules at work.

    Attributes:
        lines: that were taken.
        unreadable: of these, the ones that are none of ours.
    """

    def __init__(self, rules: Rules, state: bytes | None = None) -> None:
        """Begin, or go on from `state`.

        Args:
            rules: what to watch.
            state: of a logic with these rules, or with others: rules with another name, kind or window begin anew.

        Raises:
            InputError: the state was written by a later release, or is none.
        """
        self._rules: dict[str, Rule] = dict(rules.rules)
        self._every = {name: rule.every or rules.every for name, rule in self._rules.items()}
        self._by_line = by_line(self._rules)
        self._chain_rules = [(name, rule) for name, rule in self._rules.items() if isinstance(rule, Chain)]
        self._age_rules = [(name, rule) for name, rule in self._rules.items() if isinstance(rule, KeyAge)]
        self._silence_rules = [(name, rule) for name, rule in self._rules.items() if isinstance(rule, Silence)]
        self._windows: dict[str, dict[str, Window]] = {name: {} for name in self._rules}
        self._told: dict[str, dict[str, list[Any]]] = {name: {} for name in self._rules}
        self._forgot: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._chains = Chains()
        self._began: int | None = None
        self.lines = self.unreadable = 0
        if state is not None:
            self._restore(state)

    def take(self, lines: Iterable[bytes], now: int) -> list[Alert]:
        """Look at lines of audit, quarantine and leak findings.

        Args:
            lines: JSON, in any order.
            now: ms since 1970; an event from the future counts as one of now.

        Returns:
            The alerts that these lines bring.
        """
        if self._began is None:
            self._began = now
        found = list[Alert]()
        for line in lines:
            if line.strip() and not is_leaves(line):
                found.extend(self._line(line, now))
        return found

    def tick(self, now: int) -> list[Alert]:
        """What time alone brings: silence, gaps that nothing has filled, and how often a grouped alert has come; call it every second.

        Args:
            now: ms since 1970.
        """
        if self._began is None:
            self._began = now
        found = list[Alert]()
        for name, rule in self._silence_rules:
            for stream in {*(rule.streams or self._seen)}:
                last = self._seen.get(stream, self._began)
                if now - last > rule.after:
                    found += self._tell(name, {"stream": stream}, {"silent_ms": now - last}, now, now, repeated=False)
        if self._chain_rules:
            found += self._gaps(now, min(rule.within for _, rule in self._chain_rules))
        return found + list(self._waiting(now))

    def end(self, now: int) -> list[Alert]:
        """What is told where no line comes any more: gaps, and how often each grouped alert has come.

        Args:
            now: ms since 1970.
        """
        return [*self._gaps(now, -1), *self._waiting(now, all_of_them=True)]

    def _gaps(self, now: int, patience: int) -> list[Alert]:
        found = list[Alert]()
        for chain, what, count in list(self._chains.gaps(now, patience)) if self._chain_rules else ():
            for name, _ in self._chain_rules:
                found += self._tell(name, {"chain": _shown(chain), "fault": what}, {"events": count}, now, now)
        return found

    def state(self) -> bytes:
        """What `__init__` goes on from."""
        windows = {name: [_shape(self._rules[name]), {key: window.state() for key, window in held.items()}]
                   for name, held in self._windows.items() if held}
        return orjson.dumps({"version": STATE, "windows": windows, "told": self._told, "seen": self._seen, "keys": self._keys,
                             "chains": self._chains.state(), "began": self._began})

    def _line(self, line: bytes, now: int) -> Iterator[Alert]:
        self.lines += 1
        alerts = list[Alert]()
        try:
            event = orjson.loads(line)
            kind, time = _kind(event), min(now, milliseconds(event["time"]))
            stream = event.get("stream") or ""
            if kind == "audit":
                kind = event["event"]
                alerts += self._audit(event, line, stream, time, now)
            alerts += self._measure(kind, event, stream, time, now)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            self.unreadable += 1
            alerts += self._measure("unreadable", {}, "", now, now)
        yield from alerts

    def _measure(self, kind: str, event: Event, stream: str, time: int, now: int) -> Iterator[Alert]:
        for name, rule, measure in self._by_line.get(kind, ()):
            if rule.streams is not None and stream not in rule.streams:
                continue
            for names, part, whole in measure(rule, event):
                yield from self._add(name, rule, {"stream": stream, **names} if stream else names, part, whole, time, now)

    def _add(self, name: str, rule: Any, names: dict[str, str], part: int, whole: int, time: int, now: int) -> Iterator[Alert]:
        held = self._windows[name]
        key = "\x1f".join(names.values())
        window = held.get(key)
        if window is None:
            if len(held) >= NAMES:
                self._forget(name, rule, time)
            if len(held) >= NAMES:
                names, key = {"names": f"others than the first {NAMES}"}, ""
            window = held.get(key) or held.setdefault(key, Window({one: _shown(text) for one, text in names.items()}))
        window.add(time, rule.within, part, whole)
        if not part:
            return
        numbers: dict[str, int | float] = {"count": window.part}
        if window.whole:
            numbers |= {"of": window.whole, "share": round(window.part / window.whole, 6)}
        if _met(rule, window):
            yield from self._tell(name, window.names, numbers, time, now, key)

    def _audit(self, event: Event, line: bytes, stream: str, time: int, now: int) -> Iterator[Alert]:
        """What rules without a window see in an event of the audit."""
        if event.get("records"):
            self._seen[stream] = now
        if self._chain_rules:
            faults = list(self._chains.event(event["chain"], event["number"], event["previous"], hashlib.sha256(line).hexdigest(), now))
            for what, count in faults:
                for name, rule in self._chain_rules:
                    if rule.streams is None or stream in rule.streams:
                        yield from self._tell(name, {"chain": _shown(event["chain"]), "fault": what}, {"events": count}, time, now)
        for name, age in self._age_rules:
            version = event["key_version"]
            first = self._keys.setdefault(f"{stream}\x1f{version}\x1f{event.get('key_check', '')}", time)
            if time - first > age.older_than and (age.streams is None or stream in age.streams):
                names = {"stream": stream} if stream else {}
                yield from self._tell(name, names, {"key_version": version, "age_ms": time - first}, time, now, repeated=False)

    def _tell(self, name: str, names: dict[str, str], numbers: dict[str, int | float] | dict[str, int], time: int, now: int,
              key: str | None = None, repeated: bool = True) -> Iterator[Alert]:
        """An alert, unless the same one was told less than `every` ago: then it is counted.

        Args:
            name: of the rule.
            names: of the alert.
            numbers: likewise.
            time: of the event, ms since 1970.
            now: ms since 1970.
            key: of the names, where it is known.
            repeated: whether it is counted while it is not told.
        """
        key = "\x1f".join(names.values()) if key is None else key
        told = self._told[name].get(key)
        if told is not None and now - told[0] < self._every[name]:
            if repeated:
                told[1] += 1
                told[2:] = [time, names, numbers]
            return
        self._told[name][key] = [now, 0, time, names, numbers]
        yield self._alert(name, names, numbers, time, 1 + (told[1] if told is not None else 0))

    def _waiting(self, now: int, all_of_them: bool = False) -> Iterator[Alert]:
        """Alerts that were counted, once their time has come."""
        for name, held in self._told.items():
            for key, (since, missed, time, names, numbers) in list(held.items()):
                if all_of_them or now - since >= self._every[name]:
                    if missed:
                        held[key] = [now, 0, time, names, numbers]
                        yield self._alert(name, names, numbers, time, missed)
                    else:
                        del held[key]

    def _alert(self, name: str, names: dict[str, str], numbers: Any, time: int, times: int) -> Alert:
        rule: Any = self._rules[name]
        return Alert(name, rule.when, rule.severity, time, names, numbers, times)

    def _forget(self, name: str, rule: Rule, time: int) -> None:
        """Drop windows that are over; looked for once in a step, however many names come."""
        step, held = time // max(1, rule.within // PARTS), self._windows[name]
        if self._forgot.get(name, 0) >= step:
            return
        self._forgot[name] = step
        for key in [key for key, window in held.items() if window.over(time, rule.within)]:
            del held[key]

    def _restore(self, state: bytes) -> None:
        try:
            body = orjson.loads(state)
            if body["version"] != STATE:
                raise InputError("the state of alerts was written by a later release. Hint: use that release")
            for name, (shape, windows) in body["windows"].items():
                if name in self._rules and shape == _shape(self._rules[name]):
                    self._windows[name] = {key: Window.restored(window) for key, window in windows.items()}
            for name, told in body["told"].items():
                if name in self._rules:
                    self._told[name] = told
            self._seen, self._keys, self._began = body["seen"], body["keys"], body["began"]
            self._chains = Chains(body["chains"])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            raise InputError("this is no state of alerts. Hint: remove the file to begin anew") from None


def _met(rule: Any, window: Window) -> bool:
    if isinstance(rule, Shared):
        if rule.above is not None and window.part > rule.above and not (isinstance(rule, Granted) and window.whole):
            return True
        return rule.share_above is not None and window.whole >= rule.at_least and window.part > rule.share_above * window.whole
    return isinstance(rule, Counted) and window.part > rule.above


def _shape(rule: Any) -> list[Any]:
    return [rule.when, rule.within]


def _kind(event: Event) -> str:
    """What kind of line it is."""
    if "event" in event:
        return "audit"
    if "leaks" in event:
        return "leaks"
    if "payload" in event and "reason" in event:
        return "quarantine"
    raise ValueError


def milliseconds(told: Any) -> int:
    """Milliseconds since 1970, of a number or of ISO 8601."""
    if isinstance(told, int):
        return told
    return round(datetime.fromisoformat(told).timestamp() * 1000)


def _shown(text: str) -> str:
    """A name for an alert: printable, not too long."""
    return "".join(one if one.isprintable() else "?" for one in text[:LONGEST])
