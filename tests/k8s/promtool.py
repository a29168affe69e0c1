"""Prometheus' own tool, which runs alert rules over series: from the PATH, from an earlier run, or from the distribution's package."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from waiting import CLIENT_S

SWITCH = "FLINK_MASKING_ALERTS"
"""The environment variable that makes a missing tool a failure: ``make test-alerts`` sets it."""
PACKAGE = "prometheus"
"""The package of Debian and Ubuntu that holds promtool."""
INTERVAL = "15s"
"""Time between two values of a series: the interval at which the PodMonitor reads metrics."""


class Unavailable(Exception):
    """The tool cannot be had; says why."""


def promtool() -> Path:
    """The tool's path. Where it is not installed, the distribution's package is unpacked into the user's cache, once.

    Raises:
        Unavailable: not installed, and no package of it can be fetched.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    cache = Path(base) / "flink-masking-tests"
    tool = cache / "promtool"
    if tool.exists():
        return tool
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable(f"promtool is not installed, and without apt-get it cannot be fetched. Hint: install Prometheus {PACKAGE!r}")
    work = cache / f"promtool-{os.getpid()}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        _run(["apt-get", "download", "-q", PACKAGE], work)
        [package] = work.glob(f"{PACKAGE}_*.deb")
        _run(["dpkg-deb", "-x", package.name, "unpacked"], work)
        os.replace(work / "unpacked" / "usr" / "bin" / "promtool", tool)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tool


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=CLIENT_S, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} took more than {CLIENT_S} s") from None
    if done.returncode:
        raise Unavailable(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[:200]}")


def failures(tool: Path, folder: Path, rules: list[dict[str, Any]], case: dict[str, Any]) -> str:
    """Run rules over one case's series.

    Args:
        tool: promtool.
        folder: an empty folder for its files.
        rules: alert rules as a PrometheusRule holds them; annotations are left out.
        case: `series`, texts of values in promtool's notation by selector, one value each `INTERVAL` (or each of the case's `interval`);
            `fires`, for points of time the lists of labels of each alert that fires then; `quiet`, the time until which nothing fires.

    Returns:
        What promtool found wrong; empty where the rules do what the case says.
    """
    bare = [{name: value for name, value in rule.items() if name != "annotations"} for rule in rules]
    expected = [(at, name, []) for rule in rules for name in [rule["alert"]] for at in _minutes(case.get("quiet", 0))]
    expected += [(at, rule["alert"], labels) for rule in rules for at, labels in case.get("fires", {}).items()]
    severity = {rule["alert"]: rule["labels"] for rule in rules}
    unit = {
        "interval": case.get("interval", INTERVAL),
        "input_series": [{"series": name, "values": str(values)} for name, values in case["series"].items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": name, "exp_alerts": [{"exp_labels": {**severity[name], **one}} for one in labels]}
            for at, name, labels in expected
        ],
    }
    tests = {"rule_files": ["rules.json"], "evaluation_interval": "15s", "tests": [unit]}
    (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "rules", "rules": bare}]}))
    (folder / "tests.json").write_text(json.dumps(tests))
    done = subprocess.run([tool, "test", "rules", "tests.json"], cwd=folder, capture_output=True, text=True, timeout=CLIENT_S, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "promtool failed"


def _minutes(until: int | str) -> list[str]:
    """Each minute up to a time such as ``30m``; none for 0."""
    return [f"{minute}m" for minute in range(int(str(until).removesuffix("m")) + 1)] if until else []


def cases(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The cases of each alert: a YAML file by its name."""
    return {file.stem: yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))}
