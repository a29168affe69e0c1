"""The page on sinks, by section."""

import re
from importlib.resources import files

PAGE = (files("flink_masking") / "docs" / "sinks.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def snippet(section: str, language: str) -> str:
    """The snippet of a section."""
    found = re.search(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)
    assert found is not None
    return found[1]
