"""The page in a real Chromium: layout, light, dark and print, no complaint, no request."""

import base64
import itertools
import re

import pytest
from chromium import chromium, opened_page

pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed (apt-get install chromium)")
OVERLAPS = """(() => { const found = [];
  const parts = [...document.querySelectorAll('header, nav, .tiles, section, footer')].map(one => one.getBoundingClientRect());
  parts.forEach((one, at) => { if (at && one.top < parts[at - 1].bottom - 1) found.push(at); if (one.height < 20) found.push(-at); });
  return found; })()"""
CONTRAST = """(() => { const number = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = one => { for (; one; one = one.parentElement) { const c = getComputedStyle(one).backgroundColor;
    if (c !== 'rgba(0, 0, 0, 0)') return number(c); } return [255, 255, 255]; };
  let least = 99; for (const one of document.querySelectorAll('p, td, th, li, b, span, a, h1, h2, h3, caption, svg text')) {
    const style = getComputedStyle(one), colour = one.closest('svg') ? style.fill : style.color;
    const [x, y] = [light(number(colour)), light(back(one))]; least = Math.min(least, (Math.max(x, y) + .05) / (Math.min(x, y) + .05)); }
  return least; })()"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory, page):
    """The page, opened."""
    with opened_page(tmp_path_factory.mktemp("browser"), page, 1100) as opened:
        yield opened


def test_nothing_is_requested_and_nothing_complained_of(tab):
    """The only request is the file itself; console and log are empty."""
    assert [address for address in tab.requests if not address.startswith("data:")] == [tab.run("location.href")]
    assert tab.complaints == []


@pytest.mark.parametrize("width", [1100, 400])
def test_the_parts_stand_below_each_other(tab, width):
    """Header, sections and footer follow without overlap, and nothing is wider than the window, wide or narrow."""
    tab.size(width, 900)
    assert tab.run(OVERLAPS) == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run("[...document.querySelectorAll('h2')].map(one => one.id)") == [
        "flow", "coverage", "anonymized", "aggregated", "joins", "governance", "law"]


def test_every_chart_is_drawn(tab):
    """Each figure has a drawing with marks in it, as wide as its place, and the same as a table."""
    tab.size(1100, 900)
    drawn = tab.run("[...document.querySelectorAll('figure')].map(one => [one.querySelector('svg').getBoundingClientRect().width, "
                    "one.querySelectorAll('svg path').length, one.querySelectorAll('table tbody tr').length])")
    groups = tab.run("[...document.querySelectorAll('figure[aria-label$=\"by window\"] svg')].map(one => one.textContent)")
    assert len(groups) == 4 and all("1****" in text for text in groups)
    assert len(drawn) == 7 and all(width > 250 and marks > 3 and rows > 0 for width, marks, rows in drawn)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(tab, scheme):
    """Every text has a contrast of 4.5 to 1 (WCAG AA), charts included; the paper follows the scheme."""
    tab.media(prefers_color_scheme=scheme)
    assert tab.run(CONTRAST) >= 4.5
    paper = [int(one) for one in re.findall(r"\d+", tab.run("getComputedStyle(document.body).backgroundColor"))]
    assert (sum(paper) > 600) == (scheme == "light")
    tab.media()


def test_tables_and_headings_are_accessible(tab):
    """Tables have captions and scoped headers, ids are unique, headings skip no level, figures have names; the language is told."""
    assert tab.run("[...document.querySelectorAll('table')].filter(one => !one.caption || !one.querySelector('th[scope]')).length") == 0
    assert tab.run("(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(one => one.id))") == 0
    levels = tab.run("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert tab.run("[...document.querySelectorAll('figure')].every(one => one.getAttribute('aria-label'))")
    assert tab.run("document.documentElement.lang") == "en"


def test_the_page_prints(tab):
    """Printed, it is a PDF of several pages without the navigation and with all evidence, which a screen folds."""
    tab.media("print")
    assert tab.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert tab.run("[...document.querySelectorAll('section[aria-labelledby=law] details p')].every(one => one.offsetHeight > 0)")
    tab.media()
    made = base64.b64decode(tab.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert made.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", made)) > 3


def test_the_screenshot_has_ink_in_every_part(tab):
    """Section by section, the picture is not blank: it compresses to more than a blank one of its size."""
    tab.size(1100, 900)
    boxes = tab.run("[...document.querySelectorAll('section')].map(one => { const r = one.getBoundingClientRect(); "
                    "return {x: r.left, y: r.top + scrollY, width: r.width, height: Math.min(r.height, 1500)}; })")
    sizes = [len(tab.call("Page.captureScreenshot", captureBeyondViewport=True, clip={**box, "scale": 1})["data"]) for box in boxes]
    blank = len(tab.call("Page.captureScreenshot", clip={"x": 0, "y": 0, "width": 10, "height": 10, "scale": 1})["data"])
    assert len(sizes) == 7 and all(size > 20 * blank for size in sizes)
