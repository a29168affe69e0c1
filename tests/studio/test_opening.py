"""--open: the browser gets a private file, never the token, and the file is gone when the address was used."""

import contextlib
import json
import os
import stat
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import waiting
from chromium import Page, chromium
from studios import RunningStudio

BROWSER = """\
import json, os, stat, sys
file = sys.argv[1].removeprefix("file://")
modes = [stat.S_IMODE(os.stat(one).st_mode) for one in (file, os.path.dirname(file))]
print(json.dumps([open("/proc/self/cmdline").read(), modes, open(file).read()]), file=open({told!r} + ".part", "w"), flush=True)
os.rename({told!r} + ".part", {told!r})
sys.stdin.readline() if {stays} else None
"""


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """A default browser that writes down its command line and what it was given; it can stay in the foreground, as those in a terminal."""
    def install(stays=False):
        (tmp_path / "browser.py").write_text(BROWSER.format(told=str(tmp_path / "told"), stays=stays))
        monkeypatch.setenv("BROWSER", f"{sys.executable} {tmp_path / 'browser.py'} %s")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        return tmp_path / "told"

    return install


def opened(told):
    """What the browser has written down: command line, modes, page."""
    waiting.until("the browser", told.exists)
    return json.loads(told.read_text())


def test_the_token_is_on_no_command_line(tmp_path, events, browser):
    """The browser is given a file of mode 0600 in a directory of mode 0700, which is removed once the address has been used."""
    told = browser()
    with RunningStudio(tmp_path, "--sample", events, "--open") as studio:
        command, modes, page = opened(told)
        token = urlsplit(studio.address).query.partition("=")[2]
        assert token in page and token not in command and modes == [0o600, 0o700]
        (directory,) = tmp_path.glob("flink-masking-studio-*")
        studio.enter()
        waiting.until("removal", lambda: not directory.exists())


def test_a_browser_that_stays_holds_up_nothing(tmp_path, events, browser):
    """A browser in the foreground does not keep the server from answering; an address that was never used leaves no file either."""
    told = browser(stays=True)
    with RunningStudio(tmp_path, "--sample", events, "--open") as studio:
        opened(told)
        assert studio.ask("GET", "/?token=wrong")[0] == 403 and list(tmp_path.glob("flink-masking-studio-*"))
    assert not list(tmp_path.glob("flink-masking-studio-*"))


def test_without_a_browser_the_address_is_told(tmp_path, events, monkeypatch):
    """Where no browser can be started, a line says so, and the printed address works."""
    monkeypatch.setenv("BROWSER", "/none/browser %s")
    monkeypatch.setenv("PATH", "/none")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TERM"):
        monkeypatch.delenv(name, raising=False)
    with RunningStudio(tmp_path, "--sample", events, "--open") as studio:
        waiting.until("a hint", lambda: any("no browser was found" in line for line in studio.written))
        studio.enter()


def shown(tab):
    """Whether the editor is there; not while the browser goes from one page to the next."""
    with contextlib.suppress(AssertionError):
        return tab.run("document.readyState === 'complete' && Boolean(document.querySelector('.cm-editor'))")
    return False


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed (apt-get install chromium)")
def test_the_file_leads_a_real_browser_to_the_page(tmp_path, events, browser, monkeypatch):
    """Chromium comes from the file to the session, whose strict cookie it sends from then on, and the file is gone."""
    told, work = browser(), tmp_path / "work"
    work.mkdir()
    with RunningStudio(work, "--sample", events, "--open") as studio:
        monkeypatch.delenv("TMPDIR")  # Chromium has a socket there, whose path must be short
        with Page(tmp_path / "profile") as tab:
            address = Path(unquote(opened(told)[0].split("\0")[2].removeprefix("file://")))
            assert stat.S_IMODE(os.stat(address).st_mode) == 0o600
            tab.open(address.as_uri())
            waiting.until("the page", lambda: shown(tab))
            assert urlsplit(tab.run("location.href")).query == "" and not list(tmp_path.glob("flink-masking-studio-*"))
            assert studio.ask("GET", f"/?{urlsplit(studio.address).query}")[0] == 403  # it opens once
