"""Completion in a real bash, with the script that is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

POLICY = """\
version: 1
stream: orders
fields: {email: {class: direct, type: email}}
segments:
  support: {view: masked, rules: {email: drop}}
  analytics: {view: masked, rules: {email: drop}}
"""
CASES = {
    "ver": {"verify"},
    "keys re": {"restore", "rewrap"},
    "scan --prop": {"--propose"},
    "policy new --template hip": {"hipaa-safe-harbor"},
    "compliance policy.yaml --framework pci": {"pci-dss"},
    "techniques tok": {"tokenize"},
    "example f": {"fhir"},
    "scan --format j": {"json"},
    "generate --locale de": {"de_DE"},
    "preview policy.yaml events.jsonl --segment a": {"analytics"},
    "preview broken.yaml events.jsonl --segment a": set(),
}
"""What is typed, and what it becomes."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home directory in which bash's completion was installed by the command."""
    bash = shutil.which("bash")
    assert bash is not None
    place = tmp_path_factory.mktemp("home")
    (place / "policy.yaml").write_text(POLICY)
    (place / "broken.yaml").write_text(": [")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(place), "TERM": "dumb"}
    done = subprocess.run([bash, "-c", "flink-masking --install-completion; exit $?"], env=environment, cwd=place, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return bash, place, environment


def test_values_complete_in_bash(home):
    """Commands, options, and the values of this library complete in one bash that reads what the installation has written."""
    bash, place, environment = home
    lines = []
    for typed in CASES:
        words = ["flink-masking", *typed.split()]
        lines.append(f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMPREPLY=()")
        lines.append('$complete flink-masking; echo "${COMPREPLY[*]}"')
    script = "\n".join(['source "$HOME/.bashrc"', "found=$(complete -p flink-masking)",
                        "complete=$(sed -E 's/.*-F ([^ ]+) .*/\\1/' <<< \"$found\")", *lines])
    done = subprocess.run([bash, "--norc", "-c", script], env=environment, cwd=place, capture_output=True, text=True, check=False)
    answers = [set(line.split()) for line in done.stdout.splitlines()]
    assert dict(zip(CASES, answers, strict=True)) == CASES, done.stderr
