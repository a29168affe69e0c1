"""``flink-masking compliance``: evidence from a policy for points of law and standards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.completion import frameworks, segments
from flink_masking.cli.exits import answer, verdict

if TYPE_CHECKING:
    from flink_masking.compliance import Assessment

STYLES = {"met": "green", "open": "bold red", "outside": "dim"}


@verdict("a point is open, or a view was not measured")
def compliance(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    framework: Annotated[list[str] | None, typer.Option(
        "--framework", help="gdpr, hipaa-safe-harbor, hipaa-expert, ccpa or pci-dss; repeatable.",
        show_default="all", autocompletion=frameworks)] = None,
    segment: Annotated[list[str] | None, typer.Option("--segment", help="Look at this view only; repeatable.",
        show_default="all", autocompletion=segments)] = None,
    raw: Annotated[Path | None, typer.Option("--raw", help="Raw records, to measure with --released.", show_default=False)] = None,
    released: Annotated[Path | None, typer.Option(
        "--released", help="The output directory of a run, to measure.", show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the points of laws and standards that POLICY is evidence for: met by which field and rule, open, or outside this tool.

    Frameworks: GDPR Art. 5, 17, 25, 30, 32; HIPAA Safe Harbor and Expert Determination; CCPA; PCI DSS 4.0, 3.3 to 3.5. With --raw and
    --released, figures are measured, too. No legal advice. Ends with 0 where no point is open, with 1 where one is, or where a view or the
    joins could not be measured, with 2 when the policy or the options cannot be used, or there is nothing to measure.
    """
    from rich.text import Text

    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.progress import reading
    from flink_masking.compliance import FRAMEWORKS, assess_all
    from flink_masking.compliance.measured import TOGETHER, measured, planned
    from flink_masking.compliance.model import UNKNOWN
    from flink_masking.compliance.subject import PolicyViews
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    if (raw is None) != (released is None):
        raise typer.BadParameter("--raw and --released belong together", param_hint="--raw")
    if unknown := [name for name in framework or () if name not in FRAMEWORKS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none; use {', '.join(FRAMEWORKS)}", param_hint="--framework")
    source, found = PolicySource.read(policy), None
    if raw is not None and released is not None:
        with reading("Measuring", *planned(source, raw, released)):
            found = measured(source, raw, released)
    views = PolicyViews(load(source), segment or (), found.reports if found else None, found.joins if found else None)
    assessments = assess_all(views, framework or ())
    missing = {name: why for name, why in (found.missing if found else {}).items() if name in views.segments or name == TOGETHER}
    if json_:
        told = {} if found is None else {"not_measured": list(missing), "why_not_measured": missing}
        print_json([one.as_dict() | told for one in assessments])
    else:
        for one in assessments:
            _show(one)
        for name, why in missing.items():
            out.print(Text(f"not measured  {name}: {why}", "bold red"), soft_wrap=True)
        typer.echo(UNKNOWN)
    raise answer(bool(missing) or any(one.open for one in assessments))


def _show(one: "Assessment") -> None:
    from rich.text import Text

    from flink_masking.cli.console import counted, out
    from flink_masking.cli.quarantine import printable

    out.print(Text(f"{one.title}: {one.stream}, version {one.version}", "bold"), soft_wrap=True)
    for point in one.points:
        out.print(Text.assemble((f"{point.status:<8}", STYLES[point.status]), f"{point.id}  {point.title}"), soft_wrap=True)
        for found in point.evidence:
            if point.status == "open" and found.met:
                continue
            place = ": ".join(part for part in (found.segment, found.place) if part)
            out.print(Text(printable(f"          {place}: {found.rule}: {found.note}"), "" if found.met else "red"), soft_wrap=True)
        if point.text and point.status != "met":
            out.print(Text(f"          {point.text}", "dim"), soft_wrap=True)
    for figure in one.figures:
        measured = "not measured" if figure.measured is None else f"{'at most ' if figure.bound else ''}{figure.measured:.3g} measured"
        out.print(f"figure  {figure.segment}: {figure.name}: {figure.promised or 'nothing'} promised, {measured}", soft_wrap=True)
    outside = sum(point.status == "outside" for point in one.points)
    met = len(one.points) - outside - one.open
    out.print(f"{counted(len(one.points), 'point')}: {met} met, {one.open} open, {outside} outside this tool", soft_wrap=True)
    out.print(f"{one.text}\n", soft_wrap=True)
