"""Pages about an output are followed in a directory that has one: the tutorial's policy, records, keys, views, quarantine and audit."""

import re
import shutil
from pathlib import Path

import pytest
from page_steps import steps
from released_run import released_run

import flink_masking
from flink_masking.keys.files import create

DOCS = Path(flink_masking.__file__).parent / "docs"
FOLLOWED = {"compliance.md": 7, "quarantine.md": 2, "scan.md": 4, "verification.md": 3}
"""Pages, and how many of their commands run here at least."""
ELSEWHERE = re.compile(r"…|\$EDITOR|pip install|replay deployment|summary deployment|--command-config")
"""Commands that need an editor, a package index, a broker, a job, or that the page does not write in full."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has at the end of the tutorial, made without Flink, with the other files that pages name."""
    root = tmp_path_factory.mktemp("shop")
    (root / "policy.yaml").write_text(next(step.text for step in steps(DOCS / "tutorial.md") if step.file == "policy.yaml"))
    create(root / "keys.json")
    released_run(root, root / "policy.yaml", 600, 150, f"file://{root}/keys.json", b'{"customerId":"C1","nickname":"bob"}\n')
    for name in ("sample.jsonl", "new.jsonl"):
        shutil.copy(root / "events.jsonl", root / name)
    return root


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_about_an_output_can_be_followed(perform, shop, tmp_path, page):
    """Each command of the page that needs no other service ends with 0, or with 1 where it says that it found something."""
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    (tmp_path / "in").mkdir()
    if page == "scan.md":  # which begins before there is a policy
        (tmp_path / "policy.yaml").unlink()
    done = 0
    for step in steps(DOCS / page):
        if not step.file and not ELSEWHERE.search(step.text) and step.arguments:
            code, said = perform(step)
            assert code in (0, 1) and "error:" not in said, (page, step.line, step.text, said)
            done += 1
    assert done >= FOLLOWED[page]
