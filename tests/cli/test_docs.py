"""``flink-masking docs``: who has installed the wheel finds the manual."""

from pathlib import Path

import flink_masking

DOCS = Path(flink_masking.__file__).parent / "docs"


def test_the_help_leads_to_the_manual(cli):
    """--help names the command, which prints the folder, and every page with its title."""
    assert "flink-masking docs" in cli("--help").out
    done = cli("docs")
    folder, *pages = done.out.splitlines()
    assert done.code == 0 and Path(folder) == DOCS
    assert [page.split()[0] for page in pages] == sorted(path.stem for path in DOCS.glob("*.md"))
    assert any(page.split(maxsplit=1) == ["tutorial", "Ten minutes: from your own JSON to four views"] for page in pages)


def test_a_page_is_printed(cli):
    """A page comes as it is, named with or without its ending; a name that is none ends with 1 and the nearest one."""
    for name in ("tutorial", "tutorial.md"):
        assert cli("docs", name).out == (DOCS / "tutorial.md").read_text("utf-8")
    wrong = cli("docs", "tutorials")
    assert wrong.code == 1 and wrong.out == "" and "did you mean 'tutorial'?" in wrong.err
