"""The studio's page in a real Chromium, used as a person does."""

import json
from pathlib import Path
from typing import Self

import waiting
from chromium import Page
from studios import RunningStudio

_EDITOR = "(await import('./page/codemirror.js')).EditorView.findFromDOM(document.querySelector('.cm-editor'))"


class StudioPage:
    """A studio and its page.

    Attributes:
        studio: the process.
        tab: the browser's.
    """

    def __init__(self, folder: Path, *arguments: object) -> None:
        """Start both; the studio runs in the folder, the browser's profile lies beside it."""
        self.studio = RunningStudio(folder, *arguments)
        self.tab = Page(folder.with_name(folder.name + "-profile"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tab.__exit__()
        self.studio.__exit__()

    def open(self) -> None:
        """Open the printed address."""
        self.tab.size(1500, 1000)
        self.tab.open(self.studio.address)

    def until(self, what: str, script: str) -> None:
        """Wait until an expression in the page is true."""
        waiting.until(what, lambda: bool(self.tab.run(f"Boolean({script})")), figure=lambda: self.tab.run("document.body.dataset.answered"))

    def answered(self, doing: "str | None" = None) -> None:
        """Run an expression, if given, and wait until all edits are answered."""
        before = self.tab.run("Number(document.body.dataset.answered || 0)")
        if doing is not None:
            self.tab.run(doing)
        self.until("an answer", f"Number(document.body.dataset.answered || 0) > {before} && !('asking' in document.body.dataset)")

    def text(self) -> str:
        """What the editor holds."""
        text: str = self.tab.run(f"(async () => {_EDITOR}.state.doc.toString())()")
        return text

    def cursor(self, behind: str) -> None:
        """Put the cursor behind the first place of a text."""
        place = f"{_EDITOR}.state.doc.toString().indexOf({json.dumps(behind)}) + {len(behind)}"
        move = "view.dispatch({selection: {anchor: at}, scrollIntoView: true}); view.focus(); return at;"
        found = self.tab.run(f"(async () => {{ const view = {_EDITOR}, at = {place}; {move} }})()")
        assert found >= len(behind), behind

    def click(self, selector: str) -> None:
        """Click the first element."""
        self.tab.run(f"document.querySelector({json.dumps(selector)}).click()")

    def words(self, selector: str) -> "list[str]":
        """The texts of all elements."""
        found: list[str] = self.tab.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent)")
        return found

    def member(self, path: str) -> "list[str]":
        """Before and after of a member of the first record that is shown."""
        row = f"[...document.querySelectorAll('.record tbody tr')].find(one => one.querySelector('th').textContent === {json.dumps(path)})"
        found: list[str] = self.tab.run(f"[...{row}.querySelectorAll('.before, .after')].map(one => one.textContent)")
        return found
