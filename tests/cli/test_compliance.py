"""flink-masking compliance and policy new: templates take their records and have no open point."""

import json
import re

import pyarrow as pa
import pytest

from flink_masking import KeyRing, Protector
from flink_masking.compliance import FRAMEWORKS
from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.examples.templates import TEMPLATES
from flink_masking.policy.layout import layout
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.codec import codec_for
from flink_masking.records.paths import parse_path, selects
from flink_masking.records.trie import Paths
from flink_masking.vault.memory import MemoryVault


def identifying(loaded, lines):
    """All values of six characters or more of fields of class direct or identifier."""
    fields = loaded.policy.fields
    opaque = [path for path, field in fields.items() if field.type == "json"]
    selected = [path for path in fields if selects(parse_path(path))]
    paths = Paths(dict(fields), known=fields, opaque=opaque, selected=selected)
    table = codec_for(loaded.policy.format, layout(loaded.policy)).scan(pa.array(lines, pa.binary()), paths)
    found = set()
    for path, field in fields.items():
        if field.role in ("direct", "identifier"):
            contents = table.contents(path)
            found |= {bytes(contents.data[s:e]) for s, e in zip(contents.starts, contents.ends, strict=True) if e - s >= 6}
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_sound_and_has_no_open_point(cli, tmp_path, name):
    """The written policy has no warning, compliance ends with 0, and every record with it is taken."""
    policy, records = tmp_path / "policy.yaml", tmp_path / "records.jsonl"
    assert cli("policy", "new", policy, "--template", name, "--records", records, "--people", 40, "--seed", 3).code == 0
    loaded = load(PolicySource.read(policy))
    assert loaded.warnings == []
    done = cli("compliance", policy, "--framework", TEMPLATES[name].framework, "--json")
    (found,) = json.loads(done.out)
    assert done.code == 0 and found["open"] == 0 and any(point["status"] == "met" for point in found["points"])
    lines = records.read_bytes().splitlines()
    result = Protector(loaded, KeyRing.ephemeral(), MemoryVault()).protect(lines)
    assert result.quarantine == [] and len(lines) >= 40 and result.views
    shown = b"\n".join(line for view in result.views.values() for line in view.to_pylist())
    shown = re.sub(rb"[0-9.]+/24", b"", shown)  # the network of an address can look like an address
    secrets = identifying(loaded, lines)
    assert len(secrets) > 40 and [value for value in secrets if value in shown] == []


def test_templates_are_listed_and_nothing_is_overwritten(cli, tmp_path):
    """Without --template all are listed; a file that exists is not changed; an unknown one ends with 2."""
    assert [line.split()[0] for line in cli("policy", "new").out.splitlines()] == list(TEMPLATES)
    target = tmp_path / "policy.yaml"
    target.write_text("mine")
    assert cli("policy", "new", target, "--template", "pci").code == 1 and target.read_text() == "mine"
    assert cli("policy", "new", tmp_path / "other.yaml", "--template", "fips").code == 2


def test_policy_and_records_cannot_be_one_file(cli, tmp_path):
    """One file for both, in any spelling, is refused, and nothing is written."""
    (tmp_path / "there").symlink_to(tmp_path, target_is_directory=True)
    for policy, records in (("x.yaml", "x.yaml"), ("x.yaml", "./x.yaml"), ("x.yaml", "there/x.yaml")):
        done = cli("policy", "new", tmp_path / policy, "--template", "pci", "--records", f"{tmp_path}/{records}", "--people", 1)
        assert done.code == 1 and "cannot be one file" in done.err and not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(("policy", "records"), [("policy.yaml", "nowhere/records.jsonl"), ("nowhere/policy.yaml", "records.jsonl")])
def test_a_call_that_is_cut_short_can_be_made_again(cli, tmp_path, policy, records):
    """Where one of the two files cannot be written, neither is left over, so that the same call works once it can."""
    call = ("policy", "new", tmp_path / policy, "--template", "pci", "--records", tmp_path / records, "--people", 1)
    assert cli(*call).code != 0 and list(tmp_path.iterdir()) == []
    (tmp_path / "nowhere").mkdir()
    assert cli(*call).code == 0 and (tmp_path / policy).exists() and (tmp_path / records).exists()


def test_the_command_prints_and_ends_with_one_where_a_point_is_open(cli):
    """Text and JSON have the same points; exit 1 where one is open, 2 where the framework or the file is none."""
    done = cli("compliance", CUSTOMER_EVENTS, "--framework", "hipaa-safe-harbor")
    assert done.code == 1 and "open    164.514(b)(2)(i)(C)" in done.out and "No legal advice".lower() in done.out.lower()
    told = json.loads(cli("compliance", CUSTOMER_EVENTS, "--json").out)
    assert [one["framework"] for one in told] == list(FRAMEWORKS)
    assert cli("compliance", CUSTOMER_EVENTS, "--framework", "sox").code == 2
    assert cli("compliance", "nowhere.yaml").code == 2
