"""``flink-masking policy``: begins, compares, tests and publishes policies."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from flink_masking.cli.completion import templates
from flink_masking.cli.control import At, In, ToAddress, ToFile
from flink_masking.cli.exits import answer, verdict
from flink_masking.cli.identity import PassphraseFile
from flink_masking.cli.options import Json


def new(
    output: Annotated[Path | None, typer.Argument(metavar="[POLICY]", help="The file to write.", show_default="TEMPLATE.yaml")] = None,
    template: Annotated[str | None, typer.Option("--template", help="Which one; without it, all are listed.",
        show_default=False, autocompletion=templates)] = None,
    records: Annotated[Path | None, typer.Option("--records", metavar="FILE", help="Write synthetic records that it takes, too.",
                                                 show_default=False)] = None,
    people: Annotated[int, typer.Option(min=1, max=100_000, help="How many people the records are about.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same records.")] = 0,
) -> None:
    """Write a policy from a template, in which 'flink-masking compliance' finds no point open, for you to adapt.

    Templates are for well-known records; comments say what to change for others, and which point a rule is for.
    """
    from flink_masking.cli.console import counted, err
    from flink_masking.errors import InputError
    from flink_masking.examples.templates import TEMPLATES
    from flink_masking.files.whole import write_whole
    from flink_masking.generate import write_events
    from flink_masking.generate.streams import STREAMS, write_stream

    if template is None:
        typer.echo("".join(f"{name:<18} {one.title}\n" for name, one in TEMPLATES.items()), nl=False)
        return
    if template not in TEMPLATES:
        raise typer.BadParameter(f"use {', '.join(TEMPLATES)}", param_hint="--template")
    chosen, target = TEMPLATES[template], output or Path(f"{template}.yaml")
    for file in (target, *([records] if records is not None else [])):
        if file.exists():
            raise InputError(f"{file}: already exists and is not changed. Hint: choose another name")
    if records is not None and records.resolve() == target.resolve():
        raise InputError(f"{records}: policy and records cannot be one file. Hint: --records with another name")
    told = ""
    if records is not None:
        count = 4 * people
        if chosen.stream in STREAMS:
            count = write_stream(records, chosen.stream, people, seed)
        else:
            write_events(records, count, people, seed)
        told = f", {counted(count, 'record')} in {records}"
    try:  # the policy last: where it is, all is
        write_whole(target, chosen.policy.read_bytes())
    except BaseException:
        if records is not None:
            records.unlink(missing_ok=True)
        raise
    err.print(f"{target}: flink-masking compliance {target} --framework {chosen.framework}{told}", soft_wrap=True)


@verdict("TARGET cannot follow every change, or the version of NEW is not higher")
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policy in force.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy that shall follow.", show_default=False)],
    target: Annotated[Literal["live", "savepoint", "new-state"], typer.Option(
        "--target", help="What the job can do: change while it runs, restart from a savepoint, or start with a new state.")] = "live",
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Print every change from OLD to NEW, and what a running job needs to follow: live, savepoint or new state.

    live: nothing; 'policy publish' is enough. savepoint: restart the job from a savepoint with the new policy. new state: the state of a
    segment cannot follow; end the job with flink stop --drain and start it anew.

    Ends with 0 where TARGET can follow all of them, with 1 where it cannot or the version of NEW is not higher, with 2 where a policy has
    faults.
    """
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.cli.quarantine import printable
    from flink_masking.policy.changes import EFFECTS, changes, most
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    before, after = load(PolicySource.read(old)), load(PolicySource.read(new))
    found = changes(before, after)
    versions = before.policy.version, after.policy.version
    if as_json:
        body = [{"place": one.place, "effect": one.effect, "change": one.text} for one in found]
        print_json({"versions": versions, "effect": most(found), "changes": body})
    else:
        for one in sorted(found, key=lambda one: -EFFECTS.index(one.effect)):
            out.print(printable(f"{one.effect}: {one.place}: {one.text}"), soft_wrap=True)
        out.print(f"version {versions[0]} → {versions[1]}: {counted(len(found), 'change')}, {most(found)}", soft_wrap=True)
    higher = versions[1] > versions[0]
    if not higher:
        err.print(f"{new}: version {versions[1]} is not higher than {versions[0]}, and a job takes higher ones only. Hint: version: "
                  f"{versions[0] + 1}", soft_wrap=True)
    if not higher or EFFECTS.index(most(found)) > ("live", "savepoint", "new-state").index(target):
        raise answer(True)


@verdict("a case fails")
def test(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A directory with cases (*.yaml), or one of them.", show_default=False)],
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit XML report.", show_default=False)] = None,
    json_: Json = False,
) -> None:
    """Run the cases of a policy: records in, expected views out, properties such as "no value of ssn anywhere".

    Keys come from a fixed ring that everybody knows, and tokens from a vault in memory, so results are repeatable; no Flink is started.
    Ends with 0 where all cases pass, with 1 where one does not, with 2 where the policy has faults.
    """
    from flink_masking.cli.console import counted, out, print_json
    from flink_masking.cli.progress import each
    from flink_masking.cli.quarantine import printable
    from flink_masking.files.whole import write_whole
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.tools.policy_cases import as_junit, read_cases, run_case

    loaded = load(PolicySource.read(policy))
    found = read_cases(cases)
    outcomes = [run_case(name, case, loaded) for name, case in each("Testing", found.items(), "cases", len(found))]
    failed = sum(bool(one.failures) for one in outcomes)
    if json_:
        print_json({"cases": [{"name": one.name, "failures": one.failures} for one in outcomes], "failed": failed})
    for one in () if json_ else outcomes:
        out.print(printable(f"{'FAIL' if one.failures else 'ok  '} {one.name}"), soft_wrap=True)
        for failure in one.failures:
            out.print(printable(f"     {failure}"), soft_wrap=True)
    if junit is not None:
        write_whole(junit, as_junit(policy.name, outcomes))
    if not json_:
        out.print(f"{counted(len(outcomes), 'case')}, {failed} failed", soft_wrap=True)
    raise answer(bool(failed))


def publish(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML); files that it names go along.", show_default=False)],
    deployment: Annotated[Path, typer.Argument(help="A deployment with a section control.", show_default=False)],
    by: Annotated[Path, typer.Option("--as", metavar="KEY", help="An identity with the role policy.", show_default=False)],
    at: At = None,
    within: In = None,
    output: ToFile = None,
    to: ToAddress = None,
    against: Annotated[Path | None, typer.Option("--against", metavar="OLD", help="The policy that jobs run: refuse to publish what they "
                                                 "cannot follow live.", show_default=False)] = None,
    passphrase_file: PassphraseFile = None,
    json_: Json = False,
) -> None:
    """Check POLICY, sign it, and publish it to running jobs, which switch to it at the same instant without a restart.

    A job takes it when its version is higher than the one in force, and each change is live ('policy diff'); otherwise the policy in
    force stays, and audit, metrics and 'health' say why. To go back, publish the old content under a higher version.
    """
    from flink_masking.cli.control import effect_of, options_of, publish_or_write
    from flink_masking.control.instants import instant
    from flink_masking.control.make import now, policy_document
    from flink_masking.errors import ControlError
    from flink_masking.policy.changes import changes
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    loaded, options = load(PolicySource.read(policy)), options_of(deployment)
    if against is not None and (other := [one for one in changes(load(PolicySource.read(against)), loaded) if one.effect != "live"]):
        raise ControlError(f"{other[0].place}: {other[0].text}: needs {other[0].effect}. Hint: flink-masking policy diff OLD NEW")
    issued = now()
    effective = effect_of(at, within, options, issued)
    signed = policy_document(loaded.source, loaded.policy.stream, loaded.policy.version, issued, effective)
    placed = publish_or_write(signed, by, passphrase_file, options, output, to)
    placed.tell(json_, stream=loaded.policy.stream, version=loaded.policy.version, effective_at=instant(effective))
    print(f"version {loaded.policy.version} of {loaded.policy.stream} takes effect at {instant(effective)}", file=sys.stderr)
