"""redact_text with detectors of other packages, named in a policy: in fields, in sweeps, and refused where they cannot be had."""

import json
import os
import subprocess
import sys

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: tickets
unknown_fields: scan
fields: {id: {class: plain}, note: {class: free_text}, other: {class: free_text}}
segments:
  field:
    view: masked
    unknown_fields: drop
    rules: {note: {technique: redact_text, detectors: [badges]}, other: redact_text}
  sweep:
    view: masked
    rules:
      id: keep
      "*": {technique: redact_text, detectors: {badges: {sign: "%"}}, entities: {USERNAME: {technique: partial, keep_last: 1}}}
"""
USED = """
import json, sys
from flink_masking import KeyRing, Protector
from flink_masking.archive import closure
from flink_masking.detect.plugins import packages
from flink_masking.policy.source import PolicySource

protect = Protector(PolicySource("policy.yaml", sys.argv[1]), KeyRing.ephemeral())
result = protect.protect([line.encode() for line in sys.argv[2:]])
views = {name: [json.loads(line) for line in view.to_pylist()] for name, view in result.views.items()}
print(json.dumps({"views": views, "packages": sorted(packages()), "refused": len(result.quarantine)}))
"""


def faults(rule):
    """What is wrong with a policy of this rule."""
    segments = f"segments: {{v: {{view: masked, rules: {{note: {json.dumps(rule)}}}}}}}"
    text = f"version: 1\nstream: s\nfields: {{note: {{class: free_text}}}}\n{segments}\n"
    with pytest.raises(PolicyFaults) as error:
        load(PolicySource("policy.yaml", text))
    return str(error.value)


def test_a_policy_names_detectors_of_other_packages(third_party):
    """They look for entities in the fields and sweeps that name them, with their options, escapes decoded, and in no others."""
    records = [json.dumps({"id": 1, "note": "badge §1234 of a@b.io", "other": "§1234", "new": {"deep": ["é %4321"]}}),
               '{"id":2,"note":"\\u00a71234","other":"%9999"}']
    done = subprocess.run([sys.executable, "-P", "-c", USED, POLICY, *records], env={**os.environ, "PYTHONPATH": str(third_party)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["views"]["field"] == [{"note": "badge <USERNAME> of <EMAIL>", "other": "§1234"}, {"note": "<USERNAME>", "other": "%9999"}]
    assert found["views"]["sweep"] == [
        {"id": 1, "note": "badge §1234 of <EMAIL>", "other": "§1234", "new": {"deep": ["é ***1"]}},
        {"id": 2, "note": "§1234", "other": "***9"}]  # fmt: skip
    assert found["packages"] == ["flink-masking-initials"] and found["refused"] == 0


@pytest.mark.parametrize(("detectors", "why"), [
    (["nope"], "detectors: unknown detector 'nope'\n    hint: installed are "),
    (["ner"], "detectors: detector 'ner': "),
    ({"ner": {"model": "no_such_pipeline"}}, "detectors: detector 'ner': "),
    ({"ner": {"nonsense": 1}}, "detectors: detector 'ner' cannot be made (TypeError)\n    hint: check its options"),
    ("ner", "must be a list of detectors, or their options by name"),
    (["ner", "ner"], "names a detector twice"),
    ({"ner": {"model": [1]}}, "must have texts, numbers, true or false as options"),
])  # fmt: skip
def test_detectors_that_cannot_be_had_are_errors_of_the_policy(detectors, why):
    """A name that no package has, a missing package or model, and wrong options are told with the rule's place and a hint."""
    text = faults({"technique": "redact_text", "detectors": detectors})
    assert why in text and text.startswith("policy.yaml:4:") and "hint: " in text


def test_the_schema_of_policies_knows_detectors():
    """Editors complete the key: names, or options by name."""
    written = json_schema()["$defs"]["technique_redact_text"]["properties"]["detectors"]
    assert [part["type"] for part in written["anyOf"]] == ["array", "object"]
