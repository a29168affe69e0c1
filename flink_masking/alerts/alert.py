"""An alert: counts and names, never a value; as a CloudEvent 1.0 in JSON."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from flink_masking.audit.events import iso

CONTENT_TYPE = "application/cloudevents+json"
TYPE = "flink-masking.alert."


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        rule: its name.
        kind: what the rule watches.
        severity: ``info``, ``warning`` or ``critical``.
        time: ms since 1970, of the event that met the rule.
        names: stream, segment, field, reason, actor and the like.
        numbers: what was measured in the window, and the limit.
        times: how often the rule was met since the alert before for the same names, this time included.
    """

    rule: str
    kind: str
    severity: str
    time: int
    names: Mapping[str, str]
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    times: int = 1

    def cloud_event(self, source: str) -> bytes:
        """The alert in CloudEvents' structured mode; the same alert always has the same id.

        Args:
            source: URI reference of who tells it.
        """
        data: dict[str, Any] = {"rule": self.rule, "severity": self.severity, **self.names, **self.numbers, "times": self.times}
        known = orjson.dumps([source, self.time, data])
        return orjson.dumps({"specversion": "1.0", "id": hashlib.sha256(known).hexdigest()[:32], "source": source,
                             "type": TYPE + self.kind, "subject": self.rule, "time": iso(self.time),
                             "datacontenttype": "application/json", "data": data})

    def body(self) -> dict[str, Any]:
        """As JSON values, for `of`."""
        return {"rule": self.rule, "kind": self.kind, "severity": self.severity, "time": self.time, "names": dict(self.names),
                "numbers": dict(self.numbers), "times": self.times}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Alert":
        """From `body`."""
        return cls(**body)

    def line(self) -> str:
        """The alert in one line, for people."""
        facts = " ".join(f"{name}={value}" for name, value in {**self.names, **self.numbers}.items())
        again = f" ({self.times} times)" if self.times > 1 else ""
        return f"{iso(self.time)} {self.severity:8} {self.rule}: {facts}{again}"
