"""The steps of a page of the documentation: files that it shows by name, and commands with what they print.

A fence ```` ```yaml title="policy.yaml" ```` is a file. A fence ```` ```console ```` holds commands behind ``$ `` with their output below,
or commands alone. In an output, ``…`` stands for any text, and every pseudonym for any other; below a comment ``<!-- values vary -->``
every number stands for any other, one below 0, too, and every string of a JSON record for any other or null. ``<!-- runs: COMMAND -->`` is
a command that a reader does not need. A fence with another language is no step.
"""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HIDDEN = re.compile(r"^<!-- runs: (.*?) -->$", re.MULTILINE)
LOOSE = "<!-- values vary -->\n"
PSEUDONYM = re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])[0-9A-Za-z]{22}\b")
STRING = re.compile(r'(?<=":)"[^"]*"')
NUMBER = re.compile(r"\d[\d,.]*")


class Step(NamedTuple):
    """One step of a page.

    Attributes:
        line: where it stands on the page.
        file: name of the file that `text` is written to; empty: `text` is a command for a shell.
        text: the file or the command.
        printed: what the page shows as the command's output; None: nothing is said.
        loose: values of the output vary.
    """

    line: int
    file: str
    text: str
    printed: str | None = None
    loose: bool = False

    @property
    def arguments(self) -> list[str]:
        """Arguments of ``flink-masking`` where the command is that and nothing that needs a shell, otherwise none."""
        words = shlex.split(self.text, comments=True)
        return words[1:] if words[:1] == ["flink-masking"] and not re.search(r"[|<>$*&;`]", self.text.partition(" #")[0]) else []

    def matches(self, output: str) -> bool:
        """Whether a command printed what the page shows, but for line breaks and repeated blanks."""
        return self.printed is None or _pattern(self.printed, self.loose).fullmatch(_plain(output)) is not None


def steps(page: Path) -> list[Step]:
    """All steps of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[int, list[Step]]] = []
    for match in HIDDEN.finditer(text):
        found.append((match.start(), [Step(_line(text, match.start()), "", match[1])]))
    for match in FENCE.finditer(text):
        line, loose = _line(text, match.start()), text[: match.start()].endswith(LOOSE)
        title = re.search(r'title="([^"]+)"', match[2])
        if title:
            found.append((match.start(), [Step(line, title[1], match[3])]))
        elif match[1] == "console":
            found.append((match.start(), _commands(match[3], line + 1, loose)))
    return [step for _, several in sorted(found) for step in several]


def _commands(block: str, line: int, loose: bool) -> list[Step]:
    if not re.search(r"^\$ ", block, re.MULTILINE):
        joined = re.sub(r" *\\\n *", " ", block)
        return [Step(line, "", command) for command in joined.splitlines() if command.strip() and not command.startswith("#")]
    made = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = re.sub(r" *\\\n *", " ", part).partition("\n")
        made.append(Step(line, "", command, printed or None, loose))
        line += part.count("\n")
    return made


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _plain(output: str) -> str:
    return re.sub(r"\s+", " ", re.sub("─{3,}", "───", output)).strip()  # a table is as wide as its longest path


def _pattern(printed: str, loose: bool) -> re.Pattern[str]:
    """The page's output as a regular expression."""
    kept = re.sub(r" ?… ?", "\0", PSEUDONYM.sub("\1", _plain(printed)))
    written = re.escape(NUMBER.sub("\2", STRING.sub("\3", kept)) if loose else kept)
    for mark, meaning in (("\0", ".*?"), ("\1", "[0-9A-Za-z]{22}"), ("\2", r"-?\d[\d,.]*"), ("\3", '(?:"[^"]*"|null)')):
        written = written.replace(re.escape(mark), meaning)
    return re.compile(written, re.DOTALL)
