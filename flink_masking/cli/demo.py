"""``flink-masking demo``: protects synthetic events, one raw stream in, three protected streams out."""

from pathlib import Path
from typing import Annotated

import typer

RAW = (
    '{"customerId":"CUST12345","email":"john.doe@example.com","ssn":"123-45-6789",'
    '"purchaseAmount":299.99,"timestamp":"2024-03-15T10:30:00Z"}'
)
"""The event of the README; it has a place in the masked and the aggregated view, and lacks what the anonymized one groups by."""
DIAGNOSIS = "E10.9"
FULL = RAW[:-1] + f',"age":42,"zip":"94110","diagnosis":"{DIAGNOSIS}"}}'
"""The same customer with quasi-identifiers."""


def demo(
    directory: Annotated[Path, typer.Option("--directory", help="Where everything is written.")] = Path("build/demo"),
    events: Annotated[int, typer.Option("--events", min=2000, help="Number of synthetic events besides the one that is shown.")] = 20_000,
    kafka: Annotated[bool, typer.Option("--kafka", help="Run through an embedded Kafka broker: one topic per segment.")] = False,
    governance: Annotated[bool, typer.Option("--governance", help="Show instead, on such a broker, a live policy, a grant, alerts, the "
                                             "sealed audit and an erasure; written to DIRECTORY/governance.")] = False,
) -> None:
    """Run the main job on synthetic customer events and show the masked, anonymized and aggregated streams."""
    if governance:
        from flink_masking.cli.governance.demonstration import demonstrate

        return demonstrate(directory / "governance")
    from importlib import resources

    from flink_masking.cli.console import err, out
    from flink_masking.generate import write_events
    from flink_masking.keys.files import create

    directory.mkdir(parents=True, exist_ok=True)
    policy, keys, raw, output = (directory / name for name in ("policy.yaml", "keys.json", "raw.jsonl", "streams"))
    policy.write_text(resources.files("flink_masking.examples").joinpath("customer_events.yaml").read_text())
    if not keys.exists():
        create(keys)
    err.print(f"making {events:,} events", soft_wrap=True)
    write_events(raw, events, events // 4, 1, "nested", None)
    with raw.open("r+b") as opened:
        rest = opened.read()
        opened.seek(0)
        opened.write(f"{RAW}\n{FULL}\n".encode() + rest)
    if kafka:
        from flink_masking.cli.kafka_demo import through_kafka

        return through_kafka(directory, policy, keys, raw, [RAW, "***-**-6789", DIAGNOSIS])
    from flink_masking.cli.run import run

    err.print("running the main job on an embedded Flink mini-cluster")
    run(policy, input_=raw, output=output, keys=f"file://{keys.resolve()}", parallelism=1, overwrite=True)
    shown = {
        "raw": [RAW, FULL],
        "masked-customer-events (for analytics)": _some(output / "masked-customer-events", 2, "***-**-6789"),
        "anonymized-customer-events (for partners; the second event, and others)": _some(
            output / "anonymized-customer-events", 4, DIAGNOSIS),
        "aggregated-customer-metrics (for dashboards)": _some(output / "aggregated-customer-metrics", 4),
    }
    for title, rows in shown.items():
        out.print(f"\n{title}", style="bold")
        for row in rows:
            out.print("  " + row, soft_wrap=True)
    out.print(f"\nThe policy is {policy}, the streams are under {output}.", soft_wrap=True)


def _some(directory: Path, count: int, first: str = "") -> list[str]:
    """Lines of a view; those that hold the text `first` come before others."""
    from flink_masking.tools.reconcile import lines

    rows = [line.decode() for line in lines(directory)]
    return sorted(rows, key=lambda row: not first or first not in row)[:count]
