"""Hosts that the project names: where packages, jars and images come from is configured in the tools that fetch them, not here."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / name for name in ("flink_masking", "jobs", "udfs", "tests", "k8s", ".ci", ".github")]
FILES = [ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md")]
NO_TEXT = (".gz", ".pyc", ".zip", ".zst", ".jar")
HOST = re.compile(
    r"(?:(?<=://)|\b)(?:[\w.%-]+:[\w.%-]+@)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?::\d+)?/"  # a name with dots before a path
    r"|://(?:[\w.%-]+:[\w.%-]+@)?((?:[a-z0-9-]+\.)+[a-z]{2,})\b",  # or in an address without one
)
PUBLIC = re.compile(r"\.(org|io|com|net|dev|cloud|app|co|eu)$")
"""Top-level domains: a name with another ending before a slash is a file."""
RESERVED = re.compile(r"(^|\.)example(\.(com|org|net))?$")
"""Names that never belong to anybody (RFC 2606)."""
KNOWN = re.compile(
    r"(^|\.)(c2sp\.org|cloudevents\.io|github\.com|golang\.org|hl7\.org|json-schema\.org|openlineage\.io|www\.geonames\.org|"
    r"(www|nightlies)\.apache\.org|www\.w3\.org|www\.standardwebhooks\.com|vault\.azure\.net|"
    r"s3\.[a-z0-9-]+\.amazonaws\.com)$")
"""Standards, documentation, data whose licence wants its source named, and services whose addresses an address of ours contains."""
API_GROUPS = re.compile(r"(^|\.)(k8s\.io|kubernetes\.io|flink\.apache\.org|strimzi\.io|cert-manager\.io|external-secrets\.io|coreos\.com)$")
"""Kubernetes writes its groups like hosts; nobody connects to them."""


def hosts(text: str) -> set[str]:
    """The public hosts that a text names."""
    text = text.replace("\\u0040", "@")  # an escape in JSON, whose letter would be taken for the host's first
    return {host for match in HOST.finditer(text) if PUBLIC.search(host := match[1] or match[2])}


def test_hosts_are_found_in_whatever_form_they_are_written():
    """With and without a scheme, a login, a port and a path."""
    text = """https://a.some.org x http://me:pw@b.some.io:80/y; image: c.some.dev/team/image:1
        pip -i 'https://d.some.net/simple' flink/file.py a.b/c"""
    assert hosts(text) == {"a.some.org", "b.some.io", "c.some.dev", "d.some.net"}


def test_no_host_is_named_but_those_of_standards_and_examples():
    """No file of the project names the host of a package, jar or image registry, or any other that is not in the lists above."""
    files = [file for file in (*FILES, *(file for folder in FOLDERS for file in folder.rglob("*"))) if file.is_file()]
    texts = [file for file in files if file.suffix not in NO_TEXT and b"\0" not in file.read_bytes() and file != Path(__file__)]
    assert len(texts) > 700
    found = [(file.relative_to(ROOT).as_posix(), host) for file in texts for host in hosts(file.read_text(errors="replace"))]
    assert [] == [(file, host) for file, host in found if not any(names.search(host) for names in (RESERVED, KNOWN, API_GROUPS))]
