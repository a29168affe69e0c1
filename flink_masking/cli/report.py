"""``flink-masking report``: one page that answers an auditor."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.exits import answer, verdict


@verdict("a promise is broken, or views together single somebody out")
def report(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML) that the views were made under.", show_default=False)],
    raw: Annotated[Path, typer.Option("--raw", help="The raw records: a file or a directory.", show_default=False)],
    released: Annotated[Path, typer.Option("--released", help="The output directory of a run.", show_default=False)],
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="The HTML file to write.", show_default=False)] = None,
    principals: Annotated[Path | None, typer.Option("--principals", help="Who reads which view (YAML).", show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the same figures as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Measure all views of a run, and write one HTML file: flow, coverage, groups, figures, joins, points of laws and standards.

    The file loads nothing and holds no raw value; it prints, and can be passed on. Ends with 0 where every promise holds and no join
    singles somebody out, with 1 where not, with 2 when the policy or the options cannot be used.
    """
    from flink_masking.access.principals import read_principals
    from flink_masking.cli.console import err, print_json
    from flink_masking.cli.progress import reading
    from flink_masking.errors import PolicyError
    from flink_masking.files.whole import write_whole
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.report.figures import broken, figures

    if output is None and not json_:
        raise typer.BadParameter("name a file with --output, or print with --json", param_hint="--output")
    if output is not None and output.exists() and not overwrite:
        raise PolicyError(f"{output}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    source = PolicySource.read(policy)
    readers = read_principals(principals, load(source).policy).principals if principals is not None else None
    with reading("Measuring"):
        told = figures(source, raw, released, readers)
    if output is not None:
        from flink_masking.report.html import as_html

        page = as_html(told)
        write_whole(output, page)
        err.print(f"{output}: {len(page.encode()) / 1000:,.0f} kB", soft_wrap=True)
    if json_:
        print_json(told)
    raise answer(broken(told))
