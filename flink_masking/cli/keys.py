"""``flink-masking keys``: key ring files."""

from pathlib import Path
from typing import Annotated

import typer


def new(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)]) -> None:
    """Make a new key ring FILE that only you can read (mode 0600).

    Whoever has the file can compute every pseudonym made with it; whoever loses it can never make them again. Keep a backup where
    you keep secrets.
    """
    from flink_masking.cli.console import out
    from flink_masking.keys.files import create

    ring = create(file)
    out.print(f"{file}: key ring with version {ring.primary}, readable by its owner only", soft_wrap=True)
    out.print(f"Use it with --keys file://{file.absolute()}", soft_wrap=True)
