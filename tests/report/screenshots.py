"""Makes docs/screenshots/report-*.png from a real run: python -P tests/report/screenshots.py (needs chromium)."""

import base64
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "shared"))

from chromium import Page  # noqa: E402
from released_run import released_run  # noqa: E402

from flink_masking.access.principals import read_principals  # noqa: E402
from flink_masking.deployment.model import Deployment  # noqa: E402
from flink_masking.examples import CUSTOMER_EVENTS  # noqa: E402
from flink_masking.policy.load import load  # noqa: E402
from flink_masking.policy.source import PolicySource  # noqa: E402
from flink_masking.report import as_html, figures  # noqa: E402

PICTURES = ROOT / "docs" / "screenshots"
READERS = {"masked-customer-events": "User:analytics", "dev-customer-events": "User:dev", "anonymized-customer-events": "User:partners"}
WIDTH = 1100


def main() -> None:
    """Flow and coverage, an anonymized view, and an aggregated view in dark colours."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        run, source = released_run(folder, CUSTOMER_EVENTS, 20_000, 5_000), PolicySource.read(CUSTOMER_EVENTS)
        kafka = {"connector": "kafka", "properties.bootstrap.servers": "kafka:9093", "properties.security.protocol": "SSL"}
        (folder / "deployment.yaml").write_text(json.dumps({
            "source": kafka | {"topic": "customer-events-raw"}, "keys": "file:///keys/ring.json",
            "sinks": {name: kafka | {"topic": name} for name in [*load(source).policy.segments, "quarantine", "audit"]}}))
        (folder / "principals.yaml").write_text(json.dumps({"job": "User:protect", "segments": READERS}))
        told = figures(source, run.raw, run.output, read_principals(folder / "principals.yaml", load(source).policy).principals,
                       Deployment.read(folder / "deployment.yaml"))
        (folder / "report.html").write_text(as_html(told), encoding="utf-8")
        with Page(folder / "profile") as page:
            page.size(WIDTH, 1000)
            page.open((folder / "report.html").as_uri())
            end = "document.getElementById('coverage').parentElement.getBoundingClientRect().bottom + scrollY"
            _picture(page, "report-flow-coverage", 0, page.run(end) + 20)
            _section(page, "report-anonymized", "anonymized")
            page.media(prefers_color_scheme="dark")
            _section(page, "report-aggregated-dark", "aggregated")


def _section(page: Page, name: str, part: str) -> None:
    box = page.run(f"(r => [r.top + scrollY, r.height])(document.getElementById('{part}').parentElement.getBoundingClientRect())")
    _picture(page, name, box[0] - 10, min(box[1] + 20, 1600))


def _picture(page: Page, name: str, top: float, height: float) -> None:
    clip = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": 1}
    made = page.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
    (PICTURES / f"{name}.png").write_bytes(base64.b64decode(made))


if __name__ == "__main__":
    main()
