"""Records that are one text, through policies and commands."""

import gzip

import pytest
import yaml

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.quarantine import Entry
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector

POLICY = """
version: 1
stream: logs
format: text
fields:
  text: {class: free_text}
segments:
  support:
    view: masked
    rules: {text: redact_text}
"""


def test_lines_are_redacted_and_the_rest_of_them_stays():
    """redact_text sees the line, a stack trace keeps its breaks, an empty line stays empty, and bytes that are no text are quarantined."""
    protector = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())
    rows = [b"2026-01-02 login of jane.doe@example.com", b"", "Fehler für 10.1.2.3\n  at main\r".encode(), b"caf\xe9", None]
    result = protector.protect(rows)
    made = result.views["support"].to_pylist()
    assert made[1] == b"" and made[3:] == [None, None]
    assert b"jane" not in made[0] and b" login of " in made[0]
    assert b"10.1.2.3" not in made[2] and made[2].endswith(b"\n  at main\r")
    entries = [Entry.decode(line) for _, line in result.quarantine]
    assert [(entry.reason, entry.position) for entry in entries] == [("malformed", 3), ("missing_payload", None)]


@pytest.mark.parametrize("change, told", [
    ({"fields": {"text": {"class": "free_text"}, "more": {"class": "plain"}}}, "one field, and another one is declared"),
    ({"fields": {"text[*]": {"class": "free_text"}}}, "names a part of a record"),
    ({"fields": {"text": {"class": "plain", "type": "number"}}}, "declared as something else"),
    ({"rules": {"text": "drop"}}, "nothing would be left of it"),
    ({"rules": {"text": "nullify"}}, "makes null"),
    ({"rules": {"text": {"technique": "redact_text", "on_error": "drop"}}}, "would leave nothing of a record"),
    ({"unknown_fields": "scan"}, "has no undeclared members"),
    ({"framing": "confluent"}, "have no schema"), ({"each": "a[*]"}, "has no arrays"), ({"columns": ["text"]}, "have no header"),
])
def test_what_makes_no_sense_of_a_text_is_refused_with_a_hint(change, told):
    """One field, one text of each record: anything else is an error of the policy that says what to do."""
    document = yaml.safe_load(POLICY)
    rules = change.pop("rules", None)
    document |= change
    if rules is not None:
        document["segments"]["support"]["rules"] = rules
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", yaml.safe_dump(document)))
    assert any(told in fault.message and fault.hint for fault in caught.value.faults), [fault.message for fault in caught.value.faults]


def test_scan_proposes_and_preview_shows(cli, tmp_path):
    """A log file gets a policy with redact_text that check and preview take, compressed or not."""
    lines = [f"INFO user{number}@example.com from 10.0.0.{number} took {number} ms" for number in range(40)]
    (tmp_path / "app.log").write_text("\n".join(lines) + "\n\n")
    with gzip.open(tmp_path / "old.log.gz", "wb") as out:
        out.write("\n".join(lines).encode())
    policy = tmp_path / "policy.yaml"
    assert cli("scan", tmp_path / "app.log", tmp_path / "old.log.gz", "--propose", policy, "--json").code == 0
    assert load(PolicySource.read(policy)).policy.format == "text"
    assert cli("check", policy).code == 0
    shown = cli("preview", policy, tmp_path / "app.log", "--limit", 9)
    assert shown.code == 0 and "took 7 ms" in shown.out
    result = Protector(policy, KeyRing.ephemeral()).protect([line.encode() for line in lines])
    (view,) = result.views.values()
    assert not any(b"@example.com" in line or b"10.0.0." in line for line in view.to_pylist())
    assert not result.quarantine
