"""Shared by unmask and rekey: records in, one file out that appears complete or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.completion import segments

if TYPE_CHECKING:
    import pyarrow as pa

    from flink_masking.records.inputs import Input as Records

Policy = Annotated[Path, typer.Argument(help="The policy (YAML) that the records were masked with.", show_default=False)]
Segment = Annotated[str, typer.Option("--segment", help="Name of the masked segment.", show_default=False, autocompletion=segments)]
Input = Annotated[Path, typer.Option("--input", help="Its records: a file, a directory of files, or -.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", help="A file that does not exist yet (mode 0600).", show_default=False)]
Keys = Annotated[str, typer.Option("--keys", help="Address of the key ring: file:///path or env://NAME.", show_default=False)]


def check_places(input_: Path, output: Path) -> None:
    """Check that the input exists and that the output can be created.

    Raises:
        InputError: no input, or an output that exists or is inside the input.
    """
    from flink_masking.errors import InputError
    from flink_masking.files.opened import input_files

    input_files(input_)
    if output.exists() or output.is_symlink():
        raise InputError(f"{output}: already exists. Hint: name another file, or remove it")
    if not output.parent.is_dir():
        raise InputError(f"{output}: its directory does not exist. Hint: make it first")
    if input_.is_dir() and input_.resolve() in output.resolve().parents:
        raise InputError(f"{output}: it is inside the input; the next run would read it. Hint: write somewhere else")


def rewrite(records: "Records", output: Path, step: "Callable[[pa.Array], pa.Array]", done: Callable[[], None],
            header: bytes = b"") -> None:
    """Write what a step makes of every record.

    Args:
        records: the input.
        output: appears when all of it is written, readable by its owner only; before that nothing of it is there, also after an error.
        step: n records to n records.
        done: called when all is written and before the output appears; an exception of it is one of the whole.
        header: what the file begins with.
    """
    from importlib import import_module

    from flink_masking.cli.progress import counting
    from flink_masking.files.private_file import new_file
    from flink_masking.records.codec import FORMATS, folded

    with new_file(output) as opened:
        rows = (row for batch in counting("Rewriting", records.batches(), records.files) for row in step(batch).to_pylist())
        if FORMATS[records.format].schemas:
            import_module(FORMATS[records.format].package + ".files").put_header(header, (folded(row) + b"\n" for row in rows), opened)
        else:
            opened.write(header)
            opened.writelines(row + b"\n" for row in rows)
        done()
