"""Policies to start from, each with synthetic records that it takes; each is checked by the tests."""

from pathlib import Path
from typing import NamedTuple

CUSTOMER_EVENTS = Path(__file__).with_name("customer_events.yaml")
"""What `flink-masking demo` runs."""
GOVERNANCE = Path(__file__).with_name("governance.yaml")
"""What `flink-masking demo --governance` runs."""


class Example(NamedTuple):
    """Policies that belong together.

    Attributes:
        title: what they are for.
        streams: by name of the stream, which `flink_masking.generate.streams` makes records of, the file of its policy.
        files: what the policies name.
    """

    title: str
    streams: dict[str, Path]
    files: tuple[Path, ...] = ()


def _here(name: str) -> Path:
    return Path(__file__).parent / name


EXAMPLES = {
    "fhir": Example(
        "patients, encounters and conditions (FHIR R4), pseudonyms join across all three",
        {f"fhir-{name}": _here(f"fhir/{name}.yaml") for name in ("patient", "encounter", "condition")}, (_here("fhir/gender.yaml"),)),
    "cloudtrail": Example(
        "audit events of cloud accounts (AWS CloudTrail), names inside ARNs", {"cloudtrail": _here("cloudtrail.yaml")},
        (_here("cloudtrail_regions.yaml"),)),
    "otlp-logs": Example("logs (OpenTelemetry), attributes by key, addresses in texts", {"otlp-logs": _here("otlp_logs.yaml")}),
    "taxi-trips": Example(
        "taxi trips as CSV, drivers and places", {"taxi-trips": _here("taxi_trips.yaml")}, (_here("taxi_boroughs.yaml"),)),
}  # fmt: skip
"""By name, in the order in which they are listed."""
