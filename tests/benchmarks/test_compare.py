"""The comparison with peers: equal work is checked, a peer that is not there is named, table and picture say who is faster."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).parent / "compare"
INSTALLED = Path(__file__).resolve().parents[2] / "build" / "compare"
sys.path.append(str(HERE))

import checks  # noqa: E402
import comparisons  # noqa: E402
import detection  # noqa: E402
import environments  # noqa: E402
import picture  # noqa: E402
import race  # noqa: E402
import table  # noqa: E402

MACHINE = {"processor": "Some CPU", "cores": 2, "load": 0.5, "system": "Linux", "python": "3.11.7", "date": "2026-11-22"}


def told(*times):
    """A contestant's figures: its rounds in multiples of ours, which takes 2 µs."""
    rounds = [{"cpu": 2e-6 * one, "wall": 3e-6 * one} for one in times]
    ours = [{"cpu": 2e-6, "wall": 3e-6}] * len(times)
    return {"note": "a call a value", "share": 1, "start": {"wall": 1.0, "cpu": times[0]}, "versions": {"some_package": "1.2.3"},
            "rounds": rounds, "times_ours": race.ratios({"it": rounds, "ours": ours}, "ours")["it"],
            "seconds": {clock: race.spread([one[clock] for one in rounds]) for clock in ("cpu", "wall")}}


FOUND = {"fpe": {"title": "Encryption", "unit": "value", "machine": MACHINE, "checked": "the same 200 results", "contestants": {
    "flink-masking": told(1, 1, 1), "slow": told(4, 5, 9), "swift": told(0.5, 0.6, 0.4),
    "absent": {"note": "", "share": 1, "not_run": "no wheel for this machine"}}}}


def test_the_table_says_who_is_faster_and_who_did_not_run():
    """Ratios have median and extremes, a peer that takes less is bold, one that is not there is named with its reason."""
    text = table.markdown(FOUND)
    assert "| slow | 10 µs | 15 µs | 5 × (4 to 9) | 5 × (4 to 9) | a call a value |" in text
    assert "| **swift** | 1 µs | 1.5 µs | 0.5 × (0.4 to 0.6) |" in text
    assert "Not run: absent: no wheel for this machine." in text and "Checked: the same 200 results." in text
    assert "some-package 1.2.3" in text and "Some CPU, 2 cores" in text and "2026-11-22" in text


def test_the_table_names_work_that_is_not_the_same():
    """A failed check stands below the table, and not that something was checked."""
    text = table.markdown({"fpe": {**FOUND["fpe"], "differs": "slow: another result"}})
    assert "**Not the same work: slow: another result.**" in text and "Checked" not in text


def test_the_picture_stands_alone():
    """The SVG is well-formed XML with every peer, machine, versions and date in it, colours for light and dark, and loads nothing."""
    drawn = picture.picture(FOUND)
    root = ElementTree.fromstring(drawn)
    text = " ".join(root.itertext())
    assert all(word in text for word in ("Encryption", "slow", "swift", "Some CPU", "2026-11-22", "some-package 1.2.3"))
    assert "absent" not in text and "prefers-color-scheme:dark" in drawn
    assert not re.search(r"href|url\(|<script", drawn) and not re.search(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]\b", drawn)


def test_slopes_below_zero_do_not_count():
    """A round without a usable slope leaves the others."""
    assert race.spread([3.0, float("nan"), 1.0]) == {"min": 1.0, "median": 2.0, "max": 3.0}
    assert race.spread([float("nan")]) is None


def test_detection_is_scored_by_kind():
    """Half of a datum's characters count as found; a span of another kind counts as found anyhow only."""
    gold = [[(0, 10, "PERSON"), (20, 30, "EMAIL"), (40, 50, "PLACE")]]
    scored = detection.score([[(0, 5, "PERSON"), (20, 30, "EMAIL_ADDRESS"), (40, 50, "PERSON")]], gold)
    assert scored["PERSON"] == {"data": 1, "recall": 1.0, "found anyhow": 1.0, "precision": 0.5}
    assert scored["PLACE"] == {"data": 1, "recall": 0.0, "found anyhow": 1.0, "precision": 0.0}
    assert scored["all"]["recall"] == pytest.approx(2 / 3)


def test_other_answers_are_told():
    """Checks refuse another result, a group that is too small, and an e-mail address that is left."""
    given = {"values": ["a", "b"], "k": 3, "records": 5, "texts": ["mail a@b.io"], "gold": [[(5, 11, "EMAIL")]]}
    assert "the same 2 results" in checks.same({"x": ["1", "2"], "y": ["1", "2"], "z": ["a", "b"]}, given)
    for check, answers in ((checks.same, {"x": ["1", "2"], "y": ["1", "3"]}),
                           (checks.groups, {"x": {"sizes": [3, 2], "suppressed": 0}}),
                           (checks.groups, {"x": {"sizes": [3], "suppressed": 1}}),
                           (checks.replaced, {"x": ["mail a@b.io"]})):
        with pytest.raises(checks.Differs):
            check(answers, given)


def test_a_list_that_cannot_be_installed_is_told(tmp_path, monkeypatch):
    """An environment that pip cannot make is an error in words, which the table shows."""
    (tmp_path / "broken.txt").write_text(f"nothing @ file://{tmp_path}/nothing-1-py3-none-any.whl --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    with pytest.raises(environments.NotHad, match=r"nothing|No such file"):
        environments.python_of("broken", tmp_path / "made")


def quick(tmp_path, *names):
    """The program itself, quick, over some comparisons."""
    output = tmp_path / "compare.json"
    if INSTALLED.is_dir():
        (tmp_path / "compare").symlink_to(INSTALLED)
    command = [sys.executable, "-P", str(HERE / "run.py"), "--output", str(output), "--quick", "--rounds", "1"]
    done = subprocess.run([*command, *(word for name in names for word in ("--only", name))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


def test_peers_of_this_environment_give_the_same_results(tmp_path):
    """HMAC and AES-SIV are those of pyca/cryptography and the standard library, byte by byte; every contestant has its figures."""
    found = quick(tmp_path, "pseudonym", "deterministic")
    for one in found.values():
        assert "differs" not in one and "the same 200 results" in one["checked"]
        assert all(len(told["rounds"]) == 1 and told["start"]["cpu"] > 0 for told in one["contestants"].values())


@pytest.mark.parametrize("environment", ["fpe", "anonypy", "presidio"])
def test_peers_with_environments_of_their_own(tmp_path, environment):
    """Quick comparisons run with the peers that `make compare` has installed."""
    if not (INSTALLED / environment / "made-of").exists():
        pytest.skip(f"{environment} is not installed (make compare)")
    names = [name for name, one in comparisons.COMPARISONS.items() if any(peer.environment == environment for peer in one.contestants)]
    for one in quick(tmp_path, *names).values():
        assert "differs" not in one and not any("not_run" in told for told in one["contestants"].values())
