"""``flink-masking package``: builds the archive that `flink run` ships to the workers of a cluster."""

from pathlib import Path
from typing import Annotated

import typer


def package(
    output: Annotated[Path, typer.Option("--output", help="The archive, a file ending in .zip.")] = Path("flink-masking.zip"),
    extra: Annotated[list[str] | None, typer.Option("--extra", help="An extra that the workers need, such as postgres or vault.")] = None,
) -> None:
    """Pack this installation for the workers of a cluster on which only Python is installed."""
    from flink_masking.archive import PYTHON, write_archive
    from flink_masking.cli.console import out

    size = write_archive(output, extra or ())
    out.print(f"{output}: {size / 1e6:,.0f} MB; the workers need {PYTHON} on their PATH", soft_wrap=True)
    out.print(f"flink run -pyarch {output} -pyexec {output.name}/bin/python …", soft_wrap=True, markup=False, highlight=False)
