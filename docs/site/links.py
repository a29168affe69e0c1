"""Builds the site from pages that are written for the repository: other files become pages or downloads, and links follow them."""

import logging
import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "flink_masking/docs"
"""Where the pages lie in the repository."""
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "k8s/README.md": "kubernetes.md",
    "flink_masking/errors.py": "reference/python.md",
}
"""Files of the repository, and the page of the site that a link to them leads to."""
MADE = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "k8s/README.md")
"""Those of them that are pages of the site themselves."""
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]+)(#[^)\s]*)?\)")
ITEM = re.compile(r" {0,3}(?:[-*]|\d+\.) ")
FENCED = re.compile(r"(^ *```.*?^ *```[ ]*$)", re.MULTILINE | re.DOTALL)
log = logging.getLogger("mkdocs.hooks.links")


def on_files(files: Files, config: Any) -> Files:
    """Add the files of the repository that are pages too, and those that pages link to."""
    for origin in MADE:
        files.append(File.generated(config, PAGES[origin], content=adapted((ROOT / origin).read_text(encoding="utf-8"), origin)))
    linked = set()
    for page in (ROOT / SOURCES).glob("*.md"):
        linked |= downloads(page.read_text(encoding="utf-8"), f"{SOURCES}/{page.name}")
    for origin in MADE:
        linked |= downloads((ROOT / origin).read_text(encoding="utf-8"), origin)
    for target in sorted(linked):
        files.append(File.generated(config, f"files/{target}", abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Adapt a page of the repository; those that are made come adapted."""
    return markdown if page.file.generated_by else adapted(markdown, f"{SOURCES}/{page.file.src_uri}")


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Warn, which --strict makes an error, of whatever a browser would load from another host."""
    for address in loaded_from_elsewhere(output):
        log.warning("%s loads %s: the site must not need a network", page.file.src_uri, address)
    return output


def loaded_from_elsewhere(html: str) -> list[str]:
    """Addresses on other hosts that a page loads by itself: scripts, styles, pictures; links to click are none."""
    tags = re.findall(r"<(?:script|img|iframe|source|video|audio|link)\b[^>]*>", html)
    found = (re.search(r"\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)", tag) for tag in tags if 'rel="canonical"' not in tag)
    return [match[1] for match in found if match]


def adapted(markdown: str, origin: str) -> str:
    """A page of the repository as Python-Markdown and the site need it.

    Args:
        markdown: the text as a forge shows it.
        origin: path of the file in the repository, by which its links are resolved.

    Returns:
        The text with links to pages and files of the site, a blank line before each list and nested items indented by four blanks.
    """
    parts = FENCED.split(markdown)
    return "".join(part if number % 2 else _links(_lists(part), origin) for number, part in enumerate(parts))


def _links(markdown: str, origin: str) -> str:
    return LINK.sub(lambda match: f"{match[1]}({target(match[2], origin)}{match[3] or ''})", markdown)


def _lists(markdown: str) -> str:
    lines: list[str] = []
    listed = False
    for line in markdown.splitlines(keepends=True):
        item = ITEM.match(line)
        if item and not listed and lines and lines[-1].strip():
            lines.append("\n")
        nested = listed and re.match(r" {2,3}(?=[-*] |\d+\. )", line)
        listed = bool(item) or (listed and bool(line.strip()))
        lines.append(f"    {line.lstrip()}" if nested else line)
    return "".join(lines)


def target(link: str, origin: str) -> str:
    """Where a relative link of a file in the repository leads on the site, relative to the page made of that file."""
    if "://" in link or link.startswith("mailto:"):
        return link
    path = resolved(link, origin)
    page = PAGES.get(origin, origin.removeprefix(f"{SOURCES}/"))
    if path in PAGES:
        goal = PAGES[path]
    elif path.startswith(f"{SOURCES}/"):
        goal = path.removeprefix(f"{SOURCES}/")
    else:
        goal = f"files/{path}"
    return relpath(goal, str(Path(page).parent))


def downloads(markdown: str, origin: str) -> set[str]:
    """Files of the repository to which a page links and which are no pages of the site."""
    paths = {resolved(match[2], origin) for match in LINK.finditer(markdown) if "://" not in match[2]}
    return {path for path in paths if path not in PAGES and not path.startswith(f"{SOURCES}/") and (ROOT / path).is_file()}


def resolved(link: str, origin: str) -> str:
    """A relative link as a path in the repository."""
    return normpath(f"{Path(origin).parent.as_posix()}/{link}")
