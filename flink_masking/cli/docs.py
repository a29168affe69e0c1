"""``flink-masking docs``: where the manual is that came with the package, and its pages."""

from typing import Annotated

import typer

from flink_masking.cli.completion import pages


def docs(
    page: Annotated[str | None, typer.Argument(help="A page to print (Markdown), such as tutorial; without it, all are listed.",
        show_default=False, autocompletion=pages)] = None,
) -> None:
    """List the pages of the manual and say where they are, or print one.

    The pages are files of the installed package. Links in them that begin with ../../ lead to files of a checkout, which the package
    does not bring.
    """
    from pathlib import Path

    import flink_masking
    from flink_masking.documents.faults import did_you_mean
    from flink_masking.errors import InputError

    folder = Path(flink_masking.__file__).parent / "docs"
    known = {path.stem: path for path in folder.glob("*.md")}
    if page is None:
        typer.echo(str(folder))
        width = max(map(len, known))
        for name in sorted(known):
            typer.echo(f"  {name:<{width}}  {known[name].read_text('utf-8').partition(chr(10))[0].removeprefix('# ')}")
        return
    name = page.removesuffix(".md")
    if name not in known:
        hint = did_you_mean(name, known, "pages") or "flink-masking docs lists them"
        raise InputError(f"there is no page of that name. Hint: {hint}")
    typer.echo(known[name].read_text("utf-8"), nl=False)
