"""The steps of a page of the documentation: files that it shows by name, and commands with what they print.

A fence ```` ```yaml title="policy.yaml" ```` is a file. A fence ```` ```console ```` holds commands behind ``$ `` with their output below,
or commands alone. In an output, ``…`` stands for any text, and every pseudonym for any other. ``<!-- runs: COMMAND -->`` is a command that
a reader does not need. A fence with another language is no step. Comments right above a fence say more of its commands:

- ``<!-- values vary -->``: every number of the output stands for any other, one below 0, too, and every string of a JSON record for any
  other or null;
- ``<!-- ends with 1 -->``, ``<!-- ends with 0 or 1 -->``: the exit code, 0 unless said; two where it depends on chance;
- ``<!-- stays, and says: TEXT -->``: the command does not end by itself; it is at work once it has said the text.
"""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^((?:<!-- [^\n]* -->\n)*)```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HIDDEN = re.compile(r"^<!-- runs: (.*?) -->$", re.MULTILINE)
LOOSE = "<!-- values vary -->\n"
ENDS = re.compile(r"<!-- ends with (\d+)(?: or (\d+))? -->\n")
STAYS = re.compile(r"<!-- stays, and says: (.*?) -->\n")
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
        codes: with one of which the command ends.
        stays: what a command says that does not end by itself, once it is at work; empty: it ends.
    """

    line: int
    file: str
    text: str
    printed: str | None = None
    loose: bool = False
    codes: tuple[int, ...] = (0,)
    stays: str = ""

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
        above, language, options, block = match.groups()
        line = _line(text, match.start(2))
        title = re.search(r'title="([^"]+)"', options)
        if title:
            found.append((match.start(2), [Step(line, title[1], block)]))
        elif language == "console":
            ends, stays = ENDS.search(above), STAYS.search(above)
            said = {"loose": LOOSE in above, "stays": stays[1] if stays else "",
                    "codes": tuple(int(code) for code in ends.groups() if code) if ends else (0,)}
            found.append((match.start(2), [step._replace(**said) for step in _commands(block, line + 1)]))
    return [step for _, several in sorted(found) for step in several]


def _commands(block: str, line: int) -> list[Step]:
    if not re.search(r"^\$ ", block, re.MULTILINE):
        joined = re.sub(r" *\\\n *", " ", block)
        return [Step(line, "", command) for command in joined.splitlines() if command.strip() and not command.startswith("#")]
    made = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = re.sub(r" *\\\n *", " ", part).partition("\n")
        made.append(Step(line, "", command, printed or None))
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
