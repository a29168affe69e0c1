"""Opens the studio's address in a browser without its token on a command line, which other users of the machine can read in /proc."""

import html
import shutil
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Self

from flink_masking.files.private_file import new_file

_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>flink-masking studio</title>
<p><a href="{address}">Open the studio</a></p>
"""


class Opening:
    """A file of mode 0600, in a directory of mode 0700, that leads a browser to the address; a context manager.

    Attributes:
        file: what the browser is given to open.
    """

    def __init__(self, address: str) -> None:
        """Write the file.

        Args:
            address: with the token.

        Raises:
            OSError: the system's directory for temporary files cannot be written.
        """
        self._directory = tempfile.mkdtemp(prefix="flink-masking-studio-")
        self.file = Path(self._directory, "open.html")
        try:
            with new_file(self.file) as file:
                file.write(_PAGE.format(address=html.escape(address)).encode())
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove file and directory: when the address was used, and at the end."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def begin(self, failed: Callable[[], None]) -> None:
        """Open the file in the default browser, beside the server: a browser in the terminal returns when it is closed.

        Args:
            failed: called where there is no browser.
        """

        def run() -> None:
            if not webbrowser.open(self.file.as_uri()):
                failed()

        threading.Thread(target=run, daemon=True).start()
