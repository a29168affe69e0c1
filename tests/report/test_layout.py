"""Where the parts of the page stand in a real Chromium, wide, narrow and printed, beside the layout that is stored with the tests.

``STORE_LAYOUT=1 pytest tests/report/test_layout.py`` stores that of now, after a look at the page.
"""

import json
import os
from pathlib import Path

import pytest
from chromium import chromium, opened_page

pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed (apt-get install chromium)")
STORED = Path(__file__).with_name("layout.json")
SIZES = {"wide": (1280, 900, ""), "narrow": (400, 900, ""), "print": (688, 971, "print")}
"""Window in CSS pixels, and medium; A4 within its margins is 688 × 971."""
SIDEWAYS, BOXES, HEIGHT = 3, 24, 0.35
"""Pixels by which x and width may differ, those of boxes beside text, and the part of its height: fonts and figures differ."""
PARTS = """(() => { const box = (name, one) => { const r = one.getBoundingClientRect();
    return {name, x: Math.round(r.left), y: Math.round(r.top + scrollY), width: Math.round(r.width), height: Math.round(r.height)}; };
  const all = (wanted, name) => [...document.querySelectorAll(wanted)].filter(one => one.getBoundingClientRect().height > 0)
    .map(one => box(name(one), one));
  return {parts: all('header, nav, .tiles, section, footer', one =>
      one.getAttribute('aria-labelledby') || one.className || one.tagName.toLowerCase()),
    boxes: all('.flow .box', one => one.querySelector('b').textContent), charts: all('figure', one => one.getAttribute('aria-label')),
    tiles: all('.tile', one => one.lastChild.textContent), width: document.documentElement.scrollWidth}; })()"""
STORED_KINDS = {"parts": SIDEWAYS, "boxes": BOXES, "charts": SIDEWAYS}


@pytest.fixture(scope="module")
def tab(tmp_path_factory, page):
    """The page, opened."""
    with opened_page(tmp_path_factory.mktemp("layout"), page, 1280) as opened:
        yield opened


def measured(tab, name):
    """The boxes of the page in that size."""
    width, height, medium = SIZES[name]
    tab.size(width, height)
    tab.media(medium)
    return tab.run(PARTS)


def differences(found, stored):
    """What stands elsewhere than stored."""
    wrong = []
    for kind, sideways in STORED_KINDS.items():
        names, wanted = ([one["name"] for one in boxes[kind]] for boxes in (found, stored))
        if names != wanted:
            wrong.append(f"{names} instead of {wanted}")
            continue
        wrong += [f"{now['name']}: {key} {now[key]} instead of {then[key]}" for now, then in zip(found[kind], stored[kind], strict=True)
                  for key, most in (("x", sideways), ("width", sideways), ("height", max(60, HEIGHT * then["height"])))
                  if abs(now[key] - then[key]) > most]
    return wrong


def overlapping(boxes):
    """Pairs of boxes that have more than a pixel in common."""
    return [(one["name"], other["name"]) for at, one in enumerate(boxes) for other in boxes[at + 1:]
            if min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"]) > 1
            and min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"]) > 1]


def test_the_layout_is_that_which_is_stored(tab):
    """Names, order, position and width of all parts are those that are stored, within a tolerance."""
    found = {name: measured(tab, name) for name in SIZES}
    if os.environ.get("STORE_LAYOUT"):
        kinds = {name: ",\n".join(
            f'    "{kind}": [\n      ' + ",\n      ".join(map(json.dumps, boxes[kind])) + "]" for kind in STORED_KINDS)
                 for name, boxes in found.items()}
        STORED.write_text("{\n" + ",\n".join(f'  "{name}": {{\n{text}}}' for name, text in kinds.items()) + "\n}\n")
    stored = json.loads(STORED.read_text())
    assert {name: differences(found[name], stored[name]) for name in SIZES} == {name: [] for name in SIZES}


@pytest.mark.parametrize("name", SIZES)
def test_parts_follow_each_other_without_overlap_or_sideways_scroll(tab, name):
    """Each part begins below the one before, tiles, boxes and charts do not cover each other, and nothing is wider than the window."""
    found = measured(tab, name)
    width, inner = SIZES[name][0], [*found["tiles"], *found["boxes"], *found["charts"]]
    assert found["width"] <= width and len(found["parts"]) >= 10 and len(found["tiles"]) == 5 and len(inner) > 12
    tops = [one["y"] for one in found["parts"]]
    assert tops == sorted(tops) and overlapping(found["parts"]) == [] and overlapping(inner) == []
    assert all(0 <= one["x"] and one["x"] + one["width"] <= width for one in (*found["parts"], *inner))


def test_charts_stand_side_by_side_only_where_there_is_room(tab):
    """A wide window has two columns of charts, a narrow one has one; so has the flow, whose boxes then stand below each other."""
    for name, columns in (("wide", 2), ("narrow", 1)):
        found = measured(tab, name)
        assert len({one["x"] for one in found["charts"]}) == columns
        assert len({one["x"] for one in found["boxes"]}) == (1 if columns == 1 else 3)


@pytest.mark.parametrize("change", [
    "document.getElementById('coverage').parentElement.style.marginLeft = '40px'",
    "document.querySelector('.tiles').style.width = '50%'",
    "document.querySelector('figure').style.display = 'none'",
    "document.querySelector('main').append(document.getElementById('flow').parentElement)",
])  # fmt: skip
def test_a_part_that_moved_is_found(tab, change):
    """A margin, a narrower part, a missing chart and another order each differ from what is stored."""
    before = tab.run("document.body.innerHTML")
    try:
        tab.run(f"void ({change})")
        found, stored = measured(tab, "wide"), json.loads(STORED.read_text())["wide"]
        assert differences(found, stored)
    finally:
        tab.run(f"void (document.body.innerHTML = {json.dumps(before)})")
