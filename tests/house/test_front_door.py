"""The files that a newcomer opens first: links that lead somewhere, an index of every page, and what a forge runs."""

import importlib.metadata
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "flink_masking" / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), ROOT / "k8s" / "README.md"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PENDING: set[str] = set()
"""Pages that are linked and not written yet; empty before a release."""
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    """Every relative link of a page names a file of the project, but for pages that are pending."""
    links = LINK.findall(FENCED.sub("", page.read_text()))
    targets = [target for target in links if "://" not in target and Path(target).name not in PENDING]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_has_every_page():
    """Each page of the documentation is linked from the index."""
    linked = set(LINK.findall((DOCS / "index.md").read_text()))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked


def test_the_navigation_has_every_page():
    """Each page of the documentation is in the navigation of the site, once."""
    shown = re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "docs" / "site" / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert {page.name for page in DOCS.glob("*.md")} <= set(shown)


def test_the_threat_model_names_every_party():
    """SECURITY says how to report, which versions are supported, and who is trusted with what."""
    text = (ROOT / "SECURITY.md").read_text()
    for party in ("Submitter", "JobManager", "Worker", "Key ring", "Token vault", "Control source", "Operator", "Reader of a view"):
        assert f"| **{party}**" in text
    assert "private vulnerability reporting" in text and "@" not in text
    version = importlib.metadata.version("flink-masking")
    assert f"| {'.'.join(version.split('.')[:2])}.x | yes |" in text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_everybody_runs(workflow):
    """Workflows call .ci/run and .ci/slow, take actions at an exact version, and may only read."""
    body = yaml.safe_load(workflow.read_text())
    assert body["permissions"] == {"contents": "read"}
    steps = [step for job in body["jobs"].values() for step in job["steps"]]
    several = [script for job in body["jobs"].values() for script in job.get("strategy", {}).get("matrix", {}).get("script", [])]
    run = {script for step in steps for script in (several if step.get("run") == "${{ matrix.script }}" else [step.get("run")])}
    assert {".ci/run", ".ci/slow"} <= run
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions and [action for action in actions if not re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", action)] == []


def test_workflows_run_on_pushes_requests_and_tags():
    """There is one for changes and one for releases."""
    events = {path.name: yaml.safe_load(path.read_text())[True] for path in WORKFLOWS}  # YAML reads the key 'on' as true
    assert events == {"ci.yml": {"push": {"branches": ["main"]}, "pull_request": None}, "release.yml": {"push": {"tags": ["v*.*.*"]}}}


def test_the_metadata_names_people_and_no_address():
    """Authors and classifiers are there; no address of a host is, since the project has none of its own."""
    metadata = importlib.metadata.metadata("flink-masking")
    assert metadata["Author"] == "flink-masking contributors"
    assert {"Typing :: Typed", "Topic :: Security :: Cryptography"} <= set(metadata.get_all("Classifier"))
    assert metadata.get_all("Project-URL") is None and metadata["Home-page"] is None
