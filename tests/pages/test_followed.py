"""Pages are followed from their first command to their last."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sites

PAGES: dict[str, tuple[sites.Site, int]] = {
    "access.md": (sites.on_kafka, 2),
    "alerts.md": (sites.controlled, 5),
    "audit.md": (sites.digested, 9),
    "card-numbers.md": (sites.nothing, 5),
    "commands.md": (sites.nothing, 2),
    "compliance.md": (sites.tutorial, 8),
    "control.md": (sites.governed, 11),
    "debezium.md": (sites.nothing, 2),
    "erasure.md": (sites.erasable, 2),
    "fhir.md": (sites.nothing, 3),
    "generate.md": (sites.nothing, 6),
    "grants.md": (sites.signed, 9),
    "joins.md": (sites.nothing, 2),
    "keys.md": (sites.with_vault, 12),
    "leaks.md": (sites.with_canaries, 2),
    "lineage.md": (sites.tutorial, 3),
    "logs.md": (sites.nothing, 4),
    "monitoring.md": (sites.nothing, 3),
    "protector.md": (sites.nothing, 2),
    "quarantine.md": (sites.tutorial, 4),
    "report.md": (sites.tutorial, 4),
    "reversible-values.md": (sites.reversible, 2),
    "scan.md": (sites.sampled, 6),
    "studio.md": (sites.tutorial, 2),
    "verification.md": (sites.tutorial, 3),
    "views.md": (sites.tutorial, 2),
}
"""For each page: what a reader has who comes to it, and how many commands are typed."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[sites.Site], Path]:
    """Makes each directory once."""
    found: dict[sites.Site, Path] = {}

    def site(make: sites.Site) -> Path:
        if make not in found:
            found[make] = tmp_path_factory.mktemp(make.__name__)
            make(found[make])
        return found[make]

    return site


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(follow, reader, made, page):
    """Every command of the page works, ends with the code that the page says, and prints what the page shows."""
    site, commands = PAGES[page]
    shutil.copytree(made(site), reader.place, symlinks=True, dirs_exist_ok=True)
    assert follow(page) == commands
