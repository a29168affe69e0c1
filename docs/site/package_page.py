"""The README as package indexes show it: there, links that are relative to the repository lead nowhere."""

import re

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


def package_page(readme: str, home: str | None) -> str:
    """The README with links that work outside the repository.

    Args:
        readme: the text in the repository, with relative links.
        home: address of the repository's files at this release, such as a forge's ``…/blob/v1.2.3``; None where nobody knows it.

    Returns:
        The text with absolute links; without an address the text of a link followed by the path in the repository, and no pictures.
    """

    def absolute(match: re.Match[str]) -> str:
        picture, text, path = match.groups()
        if home is None:
            return "" if picture else f"{text} (`{path}`)"
        return f"{picture}[{text}]({home.replace('/blob/', '/raw/') if picture else home}/{path})"

    return LINK.sub(absolute, readme)
