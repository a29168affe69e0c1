"""The README as package indexes show it: there, links that are relative to the repository lead nowhere."""

import re
import sys
from pathlib import Path

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


def package_page(readme: str, home: str) -> str:
    """The README with links that work outside the repository.

    Args:
        readme: the text in the repository, with relative links.
        home: address of the repository's files at this release, such as a forge's ``…/blob/v1.2.3``.

    Returns:
        The text with absolute links.
    """

    def absolute(match: re.Match[str]) -> str:
        picture, text, path = match.groups()
        return f"{picture}[{text}]({home.replace('/blob/', '/raw/') if picture else home}/{path})"

    return LINK.sub(absolute, readme)


if __name__ == "__main__":  # README.md ADDRESS: the release workflow does it before it builds the wheel
    readme = Path(sys.argv[1])
    readme.write_text(package_page(readme.read_text(encoding="utf-8"), sys.argv[2]), encoding="utf-8")
