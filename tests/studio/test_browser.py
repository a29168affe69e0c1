"""The studio in a real Chromium, from the first proposal to the saved policy: no complaint, no request beyond the server."""

import json
import re

import pytest
from chromium import chromium
from studio_pages import StudioPage

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed (apt-get install chromium)")
SEGMENT = """
  groups:
    view: anonymized
    k: 5
    quasi_identifiers: [age, zip]
    release: [diagnosis]
    max_delay: 30s
    max_buffer: 5000
"""
TAKE = """[...document.querySelectorAll('.cm-tooltip-autocomplete li')].find(one => one.querySelector('.cm-completionLabel').textContent
  === '{label}').dispatchEvent(new MouseEvent('mousedown', {{bubbles: true, cancelable: true}}))"""
"""Takes a completion by the mouse: the editor ignores keys for a moment after it has opened the list, so that nobody takes one unseen."""
KEPT = """(row => { const [before, after] = ['.before', '.after'].map(one => row.querySelector(one).textContent);
  return after.includes('*') && after.slice(0, 3) === before.slice(0, 3); })(
  [...document.querySelectorAll('.record tbody tr')].find(one => one.querySelector('th').textContent === 'email'))"""
"""Whether the e-mail address of the record shows its beginning alone."""
CONTRAST = """(() => { const number = text => text.match(/[0-9.]+/g).map(Number);
  const light = rgb => { const [r, g, b] = rgb.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = one => { for (; one; one = one.parentElement) { const c = number(getComputedStyle(one).backgroundColor);
    if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  const found = [];
  for (const one of document.querySelectorAll('p, td, th, li, b, span, a, h1, h2, h3, caption, button, label, code, dt, dd, mark, bdi')) {
    const written = [...one.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!written || one.disabled || !one.checkVisibility({opacityProperty: true})) continue;
    const [x, y] = [light(number(getComputedStyle(one).color)), light(back(one))];
    const ratio = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
    if (ratio < 4.5) found.push([one.className, one.textContent.slice(0, 30), ratio]); }
  return found; })()"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, events):
    """With the sample."""
    folder = tmp_path_factory.mktemp("browser") / "work"
    folder.mkdir()
    (folder / "events.jsonl").write_bytes(events.read_bytes())
    return folder


def local(page):
    """Every request but those for pictures in styles, which are no requests, went to the studio; nothing was complained of."""
    addresses = [one for one in page.tab.requests if not one.startswith("data:")]
    assert addresses and {one.split("/")[2] for one in addresses} == {page.studio.host}
    assert page.tab.complaints == []


def test_from_proposals_to_a_saved_policy(folder):
    """Proposals are accepted one by one, the policy is edited with completion, errors stand at their lines, results follow, it is saved."""
    with StudioPage(folder, "new.yaml", "--sample", "events.jsonl", "--show-raw") as page:
        page.open()
        page.until("proposals", "document.querySelectorAll('.proposals li').length > 10 && document.querySelector('.record')")
        assert set(page.words(".record .after")) == {"not in the view"}
        for name in ("subject", "customerId", "email"):
            page.answered(f"document.querySelector('[data-id={name}] .accept').click()")
        page.click("[data-id=ssn] .refuse")  # was not accepted: the policy stays the same
        page.until("a refusal", "document.querySelector('.progress').textContent.includes('1 refused')")
        before, after = page.member("email")
        assert "@example." in before and "@" not in after and page.member("ssn")[1] == "not in the view"
        assert "3 accepted, 1 refused" in page.words(".progress")[0]
        page.answered("document.querySelector('.actions button').click()")  # accept all others
        assert page.words("#coverage tbody tr:nth-child(3) td")[0].endswith("stand-in")
        assert load(PolicySource("p.yaml", page.text())).policy.subject == "customerId"

        page.click("#tab-policy")
        page.cursor("email: {technique: pseudonym, domain: email}")
        for _ in "{technique: pseudonym, domain: email}":
            page.tab.press("Backspace")
        page.tab.write("{technique: par")
        page.until("completion", "[...document.querySelectorAll('.cm-completionLabel')].some(one => one.textContent === 'partial')")
        page.tab.run(TAKE.format(label="partial"))
        page.tab.write(", keep_fi")
        page.until("completion of a key", "document.querySelector('.cm-completionLabel')?.textContent === 'keep_first'")
        page.tab.run(TAKE.format(label="keep_first"))
        page.tab.write("2")
        page.until("an answer", KEPT)  # partial alone, on the way, is a rule, too
        assert "email: {technique: partial, keep_first: 2}" in page.text()
        before, after = page.member("email")
        assert after[:3] == before[:3] and after != before and page.words(".record .changed mark")

        page.cursor("unknown_fields: quarantine")
        page.tab.write("x")
        page.until("an error at its line", "document.querySelector('.said.error')")
        line = page.tab.run("document.querySelector('.said.error').closest('.cm-line').textContent")
        assert line.startswith("unknown_fields: quarantinex") and "no such choice" in line
        assert "did you mean 'quarantine'?" in page.words(".problem .hint")[0] and page.words("#save") == ["Save with 1 error"]
        assert page.tab.run("document.querySelectorAll('.cm-lint-marker-error, .cm-lintRange-error').length") >= 2
        page.tab.press("Backspace")
        page.until("no error", "!document.querySelector('.said.error') && !document.querySelector('.stale')")

        page.cursor('"*": drop  # every other declared field')
        for width in ("  age: {class: quasi, type: integer", "  zip: {class: quasi, type: postal_code"):
            page.cursor(width)
            page.tab.call("Input.insertText", text=", domain: [0, 120]" if "age" in width else ", prefix: 5")
        page.cursor('"*": drop  # every other declared field')
        page.tab.call("Input.insertText", text=SEGMENT)
        page.until("groups", "document.querySelector('#groups .tiles')")
        page.until("joins", "document.querySelector('#joins .joins li')")
        assert "held" in "".join(page.words("#groups .promises")) and len(page.words("#groups .bars tbody tr")) == 2
        assert page.words("#audiences [role=tab]")[1].startswith("groups")
        page.click("[data-segment=groups]")
        page.until("lines of classes", "document.querySelector('.lines tbody tr')")
        assert all(int(text.split()[0]) >= 5 for text in page.words(".lines td.size") if text)

        shown = "[...document.querySelectorAll('#groups .bars .n')].map(one => one.textContent).join()"
        loss = page.tab.run(shown)
        page.cursor("    k: 5")
        page.tab.press("Backspace")
        page.tab.write("40")
        page.until("another loss", f"{shown} !== {json.dumps(loss)}")

        page.tab.press("s", control=True)
        page.until("saved", "document.getElementById('dirty').hidden")
        assert (folder / "new.yaml").read_text() == page.text()
        assert sorted(one.name for one in folder.iterdir()) == ["events.jsonl", "new.yaml"]
        assert page.tab.run("document.getElementById('notice').hidden") and page.tab.complaints == []  # the keys have saved once
        (folder / "new.yaml").write_text("version: 9\n")
        page.cursor("version: 1")
        page.tab.write("0")
        page.click("#save")
        page.until("a conflict", "document.getElementById('notice').textContent.includes('not overwritten')")
        assert (folder / "new.yaml").read_text() == "version: 9\n"
        conflicts = [one for one in page.tab.complaints if "409" in one]  # the browser logs every answer of 400 and above
        page.tab.complaints[:] = [one for one in page.tab.complaints if one not in conflicts]
        page.click("#notice button")
        page.until("the file from disk", "document.querySelector('.said.error') && !document.getElementById('notice').textContent")
        assert page.text() == "version: 9\n" and len(conflicts) == 1
        local(page)


def test_a_page_for_everybody(folder, customer_policy):
    """Light and dark text has a contrast of 4.5 to 1, controls have names, keys lead in and out of the editor, and nothing is too wide."""
    (folder / "policy.yaml").write_text(customer_policy)
    with StudioPage(folder, "policy.yaml", "--sample", "events.jsonl") as page:
        page.open()
        page.until("an answer", "document.querySelector('#joins li')")
        assert page.member("email")[0] == "‹direct›" and page.tab.run("document.getElementById('raw').checked") is False
        for scheme in ("light", "dark"):
            page.tab.media(prefers_color_scheme=scheme)
            assert page.tab.run(CONTRAST) == []
            paper = [int(one) for one in re.findall(r"\d+", page.tab.run("getComputedStyle(document.body).backgroundColor"))]
            assert (sum(paper) > 600) == (scheme == "light")
        page.tab.media()
        names = "[...document.querySelectorAll('button, input, [role=tab], [role=textbox], [role=region]')]"
        assert page.tab.run(f"{names}.filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length "
                            "|| one.getAttribute('aria-labelledby'))).length") == 0
        assert page.tab.run("document.activeElement.closest('.cm-editor') !== null")
        page.tab.press("Tab")
        assert page.tab.run("document.activeElement.closest('.cm-editor') === null")
        page.tab.run("document.querySelector('#audiences [aria-selected=true]').focus()")
        page.tab.press("ArrowRight")
        chosen = "document.querySelector('#audiences [aria-selected=true]').dataset.segment"
        page.until("the next audience", f"{chosen} === 'dev-customer-events'")
        for width in (1500, 1000, 420):
            page.tab.size(width, 900)
            assert page.tab.run("document.documentElement.scrollWidth") <= width
        local(page)


def test_names_and_values_are_text(folder):
    """Markup in keys and values of the sample, and in the policy, is shown as text and does nothing."""
    (folder / "hostile.jsonl").write_text('{"<img src=x onerror=hit()>":"<script>hit()</script>\\u202e"}\n')
    (folder / "hostile.yaml").write_text('version: 1\nstream: s\nfields: {"<img src=x onerror=hit()>": {class: plain}}\nsegments:\n'
                                         '  m: {view: masked, rules: {"<img src=x onerror=hit()>": keep}}\n')
    with StudioPage(folder, "hostile.yaml", "--sample", "hostile.jsonl", "--show-raw") as page:
        page.open()
        page.until("a record", "document.querySelector('.record')")
        told = page.tab.run("document.body.textContent")
        assert "<img src=x onerror=hit()>" in told and "<script>hit()</script>" in told
        assert "\u202e" not in told
        assert page.tab.run("document.querySelectorAll('#results img, #results script, #figures img, #problems img').length") == 0
        local(page)
