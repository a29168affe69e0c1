"""A real Chromium without a window, driven over a pipe by the DevTools protocol: no port is opened, and no name is looked up."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from waiting import CLIENT_S, until

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
         "--force-color-profile=srgb", "--hide-scrollbars", "--disable-dev-shm-usage")


def chromium() -> str | None:
    """The program's path, None where it is not installed."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Page:
    """One tab.

    Attributes:
        requests: addresses of everything that the page asked for.
        complaints: texts of exceptions, console errors and log entries.
    """

    def __init__(self, profile: Path) -> None:
        """Start the browser with a fresh profile."""
        program = chromium()
        assert program is not None
        theirs, self._out = os.pipe()
        self._in, others = os.pipe()
        # The protocol's ends are the descriptors 3 and 4 of the browser.
        shell = f'exec 3<&{theirs} 4>&{others}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", program, *FLAGS, f"--user-data-dir={profile}", "about:blank"], pass_fds=(theirs, others),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(others)
        self._stream = os.fdopen(self._in, "rb")
        self._number, self._session = 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[dict[str, Any]] = []
        until("the browser has a tab", lambda: self._tab() is not None, pause=0.05)
        self._session = self.call("Target.attachToTarget", targetId=self._tab(), flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._out)
        self._stream.close()
        self._process.terminate()
        try:
            self._process.wait(CLIENT_S)
        finally:
            self._process.kill()

    def _tab(self) -> str | None:
        return next((one["targetId"] for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"), None)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._number += 1
        wanted = self._number
        body: dict[str, Any] = {"id": wanted, "method": method, "params": parameters}
        if self._session:
            body["sessionId"] = self._session
        os.write(self._out, json.dumps(body).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == wanted:
                assert "error" not in told, told["error"]
                result: dict[str, Any] = told["result"]
                return result

    def open(self, address: str) -> None:
        """Go there, until everything is loaded."""
        self._events.clear()
        loader = self.call("Page.navigate", url=address)["loaderId"]
        while ("load", loader) not in [(told.get("name"), told.get("loaderId")) for told in (event["params"] for event in self._events)]:
            self._read()

    def size(self, width: int, height: int) -> None:
        """Set the size of the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, kind: str = "", **features: str) -> None:
        """Emulate a medium and its features, such as ``prefers_color_scheme="dark"``."""
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def write(self, text: str) -> None:
        """Type a text where the focus is, key by key where keys matter to a page."""
        for one in text:
            if one == "\n":
                self.press("Enter")
            else:
                self.call("Input.dispatchKeyEvent", type="keyDown", text=one, key=one)
                self.call("Input.dispatchKeyEvent", type="keyUp", key=one)

    def press(self, key: str, control: bool = False) -> None:
        """Press a key by its name, such as ``ArrowDown`` or ``s``."""
        number = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowRight": 39, "Backspace": 8}.get(key, ord(key[0].upper()))
        told = {"key": key, "code": key if len(key) > 1 else f"Key{key.upper()}", "windowsVirtualKeyCode": number, "modifiers": 2 * control}
        self.call("Input.dispatchKeyEvent", type="keyDown", **told, **({"text": "\r"} if key == "Enter" else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def picture(self, file: Path) -> None:
        """Write what the window shows as PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (one := self._stream.read(1)) != b"\0":
            assert one, "the browser ended"
            text += one
        told: dict[str, Any] = json.loads(text)
        if "method" in told:
            self._note(told["method"], told["params"])
            self._events.append(told)
        return told

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(told["type"])
        elif method == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])


@contextmanager
def opened_page(folder: Path, html: str, width: int) -> Iterator[Page]:
    """A page from a file of an empty folder, in a window of some width."""
    (folder / "report.html").write_text(html, encoding="utf-8")
    with Page(folder / "profile") as opened:
        opened.size(width, 900)
        opened.open((folder / "report.html").as_uri())
        yield opened
