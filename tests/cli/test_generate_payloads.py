"""flink-masking generate --shape payloads: nested payloads, and the places of personal data in them."""

import json

import pytest

from flink_masking.detect import TYPES
from flink_masking.files.opened import opened


def test_payloads_have_gold_spans(cli, tmp_path):
    """A line of the side file says which bytes of a payload are data of which type; values of names have their address's form."""
    records, gold = tmp_path / "p.jsonl", tmp_path / "gold.jsonl"
    done = cli("generate", "--shape", "payloads", "--events", 400, "--seed", 3, "--output", records, "--gold", gold)
    assert (done.code, done.out) == (0, "") and "400 payloads of 15 shapes" in done.err
    lines, known = records.read_bytes().splitlines(), {one.name for one in TYPES}
    told = [json.loads(line) for line in gold.read_text().splitlines()]
    assert [one["record"] for one in told] == list(range(400)) and len(lines) == 400
    spans = [(one["type"], lines[k][one["start"] : one["end"]].decode()) for k, row in enumerate(told) for one in row["spans"]]
    assert {kind for kind, _ in spans} <= known and len({kind for kind, _ in spans}) >= 20
    assert all("@" in text for kind, text in spans if kind == "EMAIL")
    assert len({tuple(json.loads(line)) for line in lines}) >= 14


def test_the_same_seed_writes_the_same_payloads(cli, tmp_path):
    """Same arguments, same bytes, compressed or not; another locale, other bytes."""
    for name, options in (("a", ()), ("b.gz", ()), ("c", ("--locale", "sv_SE", "--locale", "pt_BR"))):
        assert cli("generate", "--shape", "payloads", "--events", 60, *options, "--output", tmp_path / name).code == 0
    with opened(tmp_path / "b.gz") as stream:
        assert (tmp_path / "a").read_bytes() == stream.read() != (tmp_path / "c").read_bytes()


def test_templates_of_ones_own_are_filled_in(cli, tmp_path):
    """Slots and fillers of a template get values, everything else stays; --templates alone means payloads."""
    template = {"who": "{PERSON}", "note": "mail {EMAIL}, please", "id": "#uuid", "pan": "{CARD_NUMBER:int}", "v": 1.5, "ok": True,
                "no": None}  # fmt: skip
    (tmp_path / "t.json").write_text(json.dumps(template))
    options = "--templates", tmp_path / "t.json", "--events", 20, "--output", tmp_path / "p", "--gold", tmp_path / "g"
    assert cli("generate", *options).code == 0
    records = [json.loads(line) for line in (tmp_path / "p").read_bytes().splitlines()]
    assert all(list(record) == list(template) for record in records)
    assert {(record["v"], record["ok"], record["no"]) for record in records} == {(1.5, True, None)}
    assert all(record["note"].startswith("mail ") and "@" in record["note"] and isinstance(record["pan"], int) for record in records)
    assert {len(json.loads(line)["spans"]) for line in (tmp_path / "g").read_text().splitlines()} == {3}


@pytest.mark.parametrize(("text", "word"), [
    ("[", "no JSON"), ("[]", "JSON object"), ('["x"]', "JSON object"), ('{"a": "{NOTHING}"}', "'NOTHING'"),
    ('{"a": ["#nothing"]}', "'nothing'"),
])  # fmt: skip
def test_templates_that_say_nothing_are_refused(cli, tmp_path, text, word):
    """A template that is no object, or names a value that there is not, is refused with a hint, and nothing is written."""
    (tmp_path / "t.json").write_text(text)
    done = cli("generate", "--templates", tmp_path / "t.json", "--output", tmp_path / "p")
    assert done.code == 1 and word in done.err and "Hint: " in done.err and not (tmp_path / "p").exists()


@pytest.mark.parametrize(("options", "code", "word"), [
    (("--locale", "xx_XX", "--shape", "payloads"), 1, "xx_XX"),
    (("--gold", "g", "--shape", "flat"), 2, "--gold"),
    (("--people", 3, "--shape", "payloads"), 2, "--people"),
    (("--shape", "payloads", "--format", "csv"), 1, "no place"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(cli, tmp_path, monkeypatch, options, code, word):
    """Options of payloads elsewhere, an unknown locale and CSV are refused, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    done = cli("generate", *options, "--events", 3, "--output", "p")
    assert done.code == code and word in done.err and list(tmp_path.iterdir()) == []
