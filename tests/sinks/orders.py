"""Orders of few customers, the job that masks them, and the rows that a table of its view must hold in the end."""

import datetime
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import processes
from sinks_page import snippet

from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector

N, CUSTOMERS = 3_000, 400


class Orders:
    """Raw orders in PLACE/orders, with a policy and keys beside them."""

    def __init__(self, place: Path, keys: str) -> None:
        """Write them."""
        self.place, self.keys = place, keys
        draw = random.Random(13)
        begin = datetime.datetime(2026, 11, 1)
        records = []
        for number in range(N):
            customer = draw.randrange(CUSTOMERS)
            record: dict[str, Any] = {"customer": f"C{customer:04}", "email": f"p{customer}@example.org",
                                      "amount": draw.randrange(10**6) / 100,
                                      "at": (begin + datetime.timedelta(seconds=number)).isoformat() + "Z"}
            if number % 5:
                record["address"] = {"city": draw.choice(["Bonn", "O'Fallon", "Zürich \"Nord\""])}
            records.append(record)
        self.lines = [json.dumps(record).encode() for record in records]
        self.broken = [b'{"email":"no@customer.example","amount":1,"at":"2026-11-01T00:00:00Z"}', b'{"customer":"C0001","amount":"much"}']
        (place / "orders").mkdir()
        (place / "orders" / "a.jsonl").write_bytes(b"".join(line + b"\n" for line in [*self.lines, *self.broken]))
        (place / "policy.yaml").write_text(snippet("A", "yaml"))

    def deployment(self, section: str, *changes: tuple[str, str]) -> Path:
        """The deployment of a section of the page, with places of the test."""
        text = snippet(section, "yaml").replace("file:///data/keys.json", self.keys).replace("/data", str(self.place))
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = self.place / f"{section}.yaml"
        path.write_text(text + "flink: {parallelism.default: 1, execution.checkpointing.interval: 1 s, restart-strategy.type: disable}\n")
        return path

    def run(self, deployment: Path, **environment: str) -> processes.Finished:
        """The main job over all orders, to its end."""
        return processes.run(self.place, *processes.FAN_OUT, "--policy", self.place / "policy.yaml", "--deployment", deployment,
                             "--bounded", "--wait", **environment)

    def expected(self) -> dict[str, tuple[Any, ...]]:
        """The last row of every customer by masked key, as the library masks without Flink."""
        protector = Protector(load(PolicySource.read(self.place / "policy.yaml")), open_ring(self.keys))
        masked = [json.loads(line) for line in protector.protect(self.lines).views["analytics"].to_pylist()]
        return {row["customer"]: (row["customer"], row["email"], row.get("address", {}).get("city"),
                                  Decimal(str(row["amount"])).quantize(Decimal("0.01")),
                                  datetime.datetime.fromisoformat(row["at"].removesuffix("Z"))) for row in masked}

    def refused(self) -> int:
        """Lines in quarantine."""
        return sum(file.read_bytes().count(b"\n") for file in (self.place / "quarantine").rglob("*") if file.is_file())
