"""Policies to start from by what they are for; `flink-masking compliance` finds no open point in them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class Template(NamedTuple):
    """A policy for well-known records.

    Attributes:
        title: what it is for.
        policy: its file.
        framework: that it is made for, as `flink_masking.compliance.FRAMEWORKS` names it.
        stream: of `flink_masking.generate.streams`, or customer-events, which the records are made by.
    """

    title: str
    policy: Path
    framework: str
    stream: str


def _here(name: str) -> Path:
    return Path(__file__).with_name(name)


TEMPLATES: Mapping[str, Template] = MappingProxyType({
    "hipaa-safe-harbor": Template("patients (FHIR R4) without the 18 identifiers of HIPAA Safe Harbor", _here("hipaa_safe_harbor.yaml"),
                                  "hipaa-safe-harbor", "fhir-patient"),
    "pci": Template("payments: card numbers truncated for display, as tokens in storage (PCI DSS 3.3 to 3.5)", _here("pci.yaml"), "pci-dss",
                    "customer-events"),
    "gdpr-analytics": Template("customer events for analytics: erasable tokens, groups of people, figures with noise (GDPR)",
                               _here("gdpr_analytics.yaml"), "gdpr", "customer-events"),
    "logs": Template("logs (OpenTelemetry) that show no person (GDPR)", _here("logs.yaml"), "gdpr", "otlp-logs"),
})  # fmt: skip
"""By name on the command line."""
