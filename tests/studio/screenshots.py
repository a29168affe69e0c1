"""Makes docs/screenshots/studio-*.png from a real run: python -P tests/studio/screenshots.py (needs chromium)."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "shared"))

from studio_pages import StudioPage  # noqa: E402

from flink_masking.examples import CUSTOMER_EVENTS  # noqa: E402
from flink_masking.generate import write_events  # noqa: E402

PICTURES = ROOT / "docs" / "screenshots"


def main() -> None:
    """A policy in light and dark, an error with a completion, and proposals."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "work"
        folder.mkdir()
        write_events(folder / "events.jsonl", 1000, 250, 1)
        (folder / "policy.yaml").write_text(CUSTOMER_EVENTS.read_text())
        with StudioPage(folder, "policy.yaml", "--sample", "events.jsonl", "--show-raw") as page:
            _policy(page)
        with StudioPage(folder, "new.yaml", "--sample", "events.jsonl", "--show-raw") as page:
            _proposals(page)


def _policy(page: StudioPage) -> None:
    page.open()
    page.until("an answer", "document.querySelector('#joins .joins li') && !('asking' in document.body.dataset)")
    page.tab.picture(PICTURES / "studio-light.png")
    page.tab.media(prefers_color_scheme="dark")
    page.click("[data-segment=anonymized-customer-events]")
    page.until("lines of classes", "document.querySelector('.lines tbody tr')")
    page.tab.picture(PICTURES / "studio-dark.png")
    page.tab.media(prefers_color_scheme="light")
    page.click("[data-segment=masked-customer-events]")
    page.until("records", "document.querySelector('.record')")
    page.cursor("name: {technique: substitute, as: full_name")
    page.tab.write("s")
    page.until("an error", "document.querySelector('.said.error')")
    page.cursor("email: {technique: partial, keep_first: 1")
    page.tab.write(", kee")
    page.until("completion", "document.querySelector('.cm-completionLabel')")
    page.until("an answer", "!('asking' in document.body.dataset)")
    page.tab.picture(PICTURES / "studio-error.png")


def _proposals(page: StudioPage) -> None:
    page.open()
    page.until("proposals", "document.querySelectorAll('.proposals li').length > 10 && document.querySelector('.record')")
    for name in ("subject", "customerId", "name", "email", "card.brand", "birthDate", "age", "zip", "purchaseAmount", "timestamp"):
        page.answered(f"document.querySelector('[data-id=\"{name}\"] .accept').click()")
    page.click("[data-id=ssn] .refuse")
    page.until("a refusal", "document.querySelector('.progress').textContent.includes('1 refused')")
    page.tab.picture(PICTURES / "studio-proposals.png")


if __name__ == "__main__":
    main()
