"""The site: what is made for it from the code is complete, links are followed, and nothing is loaded from another host."""

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

import flink_masking
from flink_masking.cli.app import app
from flink_masking.techniques.registry import OWN
from flink_masking.telemetry.metrics import TABLE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site() -> dict[str, ModuleType]:
    """The modules that build the site."""
    sys.path.insert(0, str(ROOT / "docs" / "site"))
    try:
        return {name: import_module(name) for name in ("links", "reference", "package_page")}
    finally:
        sys.path.pop(0)


def test_every_command_and_option_is_on_the_page_of_commands(site):
    """Each command that is not hidden has a part with all of its options."""
    page = site["reference"].cli()
    parts = dict(re.findall(r"^##+ ([a-z -]+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    groups = [("", get_command(app))]
    seen = 0
    for path, command in groups:
        for name, inner in getattr(command, "commands", {}).items():
            groups.append((f"{path}{name} ", inner))
            for option in (option for one in inner.params for option in one.opts if option.startswith("--") and one.name != "help"):
                assert f"<code>{option}" in parts[f"{path}{name}"] or f", {option}" in parts[f"{path}{name}"], (path, name, option)
                seen += 1
    assert seen > 100


def test_the_other_pages_are_complete(site):
    """Techniques, metrics, public names and errors each have their line."""
    pages = {name: getattr(site["reference"], name)() for name in ("techniques", "metrics", "python", "sql", "deployment")}
    assert re.findall(r"^\| \[`(\w+)`\]", pages["techniques"], re.MULTILINE) == list(OWN)
    assert all(f"`{metric.name}`" in pages["metrics"] for metric in TABLE)
    for name in set(flink_masking.__all__) - {"__version__"}:
        place = getattr(flink_masking, name)
        assert f"::: {place.__module__}.{place.__name__}" in pages["python"] or f"| `{name}` |" in pages["python"]
    assert all(f"`{key}`" in pages["deployment"] for key in ("source", "sinks", "keys", "flink"))
    assert pages["sql"].count("CREATE TEMPORARY") > 10


def test_links_are_followed(site):
    """Links of pages and of other files of the repository lead to pages of the site or to copies of files; code is not changed."""
    adapted = site["links"].adapted
    text = "[a](../../SECURITY.md#x) [b](keys.md) [c](../errors.py) [d](../examples/customer_events.yaml)\n"
    assert adapted(text, "flink_masking/docs/page.md") == (
        "[a](security.md#x) [b](keys.md) [c](reference/python.md) [d](files/flink_masking/examples/customer_events.yaml)\n")
    assert adapted("[a\nb](flink_masking/docs/keys.md)\n", "SECURITY.md") == "[a\nb](keys.md)\n"
    assert adapted("[a](../SECURITY.md)\n", "k8s/README.md") == "[a](security.md)\n"
    code = "```yaml\nx: [a](../../SECURITY.md)\n- b\n```\n"
    assert adapted(code, "flink_masking/docs/page.md") == code


def test_lists_are_lists(site):
    """A list directly below a paragraph and an item nested by two or three blanks are lists, as forges show them."""
    assert site["links"].adapted("text\n- a\n- b\n", "README.md") == "text\n\n- a\n- b\n"
    assert site["links"].adapted("1. a\n   - b\n", "README.md") == "1. a\n    - b\n"


def test_what_is_loaded_from_another_host_is_found(site):
    """Scripts, styles and pictures of other hosts are named; links and canonical addresses are not."""
    found = site["links"].loaded_from_elsewhere
    assert found('<script src="https://cdn.example.org/x.js"></script><img src=//example.com/a.png>') == [
        "https://cdn.example.org/x.js", "//example.com/a.png"]
    assert found('<a href="https://example.org/">x</a><link rel="canonical" href="https://example.org/"><script src="a.js"></script>') == []


def test_the_package_page_has_no_relative_links(site):
    """On a package index links of the README lead to the repository's address."""
    readme = (ROOT / "README.md").read_text()
    page = site["package_page"].package_page
    assert page("[a](b/c.md) ![p](d.svg) [e](https://example.org)", "https://example.org/blob/v1") == (
        "[a](https://example.org/blob/v1/b/c.md) ![p](https://example.org/raw/v1/d.svg) [e](https://example.org)")
    assert re.findall(r"\]\((?!https:|#)", page(readme, "https://example.org/blob/v1")) == []
