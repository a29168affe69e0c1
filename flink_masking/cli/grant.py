"""``flink-masking grant``: asks for, approves, publishes, revokes and shows grants, which open exceptions for a while."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flink_masking.cli.completion import segments
from flink_masking.cli.control import DeploymentFile, Document
from flink_masking.cli.identity import As, PassphraseFile
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.control.bodies import GrantBody
    from flink_masking.control.envelope import Signed
    from flink_masking.policy.load import LoadedPolicy

PolicyFile = Annotated[Path, typer.Argument(help="The policy (YAML) that jobs run.", show_default=False)]
CheckedBy = Annotated[Path | None, typer.Option("--policy", metavar="POLICY", help="Check as well that it asks for no more than POLICY "
                                                "allows.", show_default=False)]


def request(
    policy: PolicyFile,
    segment: Annotated[str, typer.Option("--segment", help="A granted segment; with --reverse, what is opened: a masked segment, "
                                         "quarantine, or sql.", show_default=False, autocompletion=segments)],
    reason: Annotated[str, typer.Option("--reason", help="Why, one line; approvers and the audit see it.", show_default=False)],
    requester: Annotated[str, typer.Option("--requester", help="Who asks, by the name in the trust file; this person's approval does not "
                                           "count.", show_default=False)],
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30min.", show_default=False)],
    fields: Annotated[str | None, typer.Option("--fields", metavar="PATH,PATH", help="Fields to show, as the policy's may_show allows. A "
                                               "rule that shows less is written --fields-as.", show_default=False)] = None,
    fields_as: Annotated[list[str] | None, typer.Option("--fields-as", metavar="PATH=RULE", help="A field with a rule of its own, in YAML: "
                                                        "'ssn={technique: partial, keep_last: 4}'; can be repeated.",
                                                        show_default=False)] = None,
    subject: Annotated[list[str] | None, typer.Option("--subject", help="Whose records, as records have it; can be repeated. Other users "
                                                      "see it in the list of processes: --subjects does not show it.",
                                                      show_default=False)] = None,
    subjects: Annotated[Path | None, typer.Option("--subjects", metavar="FILE", help="The same from FILE, a line each; - for the input.",
                                                  show_default=False)] = None,
    where: Annotated[list[str] | None, typer.Option("--where", metavar="FIELD=VALUE", help="Records with this value, as JSON or text; of "
                                                    "several all must hold.", show_default=False)] = None,
    keys: Annotated[str | None, typer.Option("--keys", help="Address of the key ring, which subjects are hashed with.",
                                             show_default=False)] = None,
    within: Annotated[str, typer.Option("--in", metavar="DURATION", help="When it begins, from now.")] = "0s",
    max_records: Annotated[int | None, typer.Option("--max-records", min=1, help="Most records.", show_default="the policy's")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="Where the reason is written at length.", show_default=False)] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="For unmask, rekey or quarantine show --reveal, where the policy asks for a "
                                          "grant.")] = False,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it there.", show_default="the output")] = None,
) -> None:
    """Write a request: a control document without signatures, for 'grant approve'. It is checked against POLICY first.

    Subjects stand in it as keyed hashes; the other arguments as they are.
    """
    from flink_masking.cli.control import write
    from flink_masking.control.make import grant_document, now
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    loaded, issued = load(PolicySource.read(policy)), now()
    begins = issued + (0 if within == "0s" else _duration(within, "--in"))
    signed, body = grant_document(
        loaded.policy.stream, segment, issued=issued, begins=begins, ends=begins + _duration(duration, "--for"),
        kind="reverse" if reverse else "view", fields=_fields(fields, fields_as), subjects=_subjects(subject, subjects, keys, loaded),
        where=dict(_where(one, loaded) for one in where or ()), max_records=max_records, reason=reason, ticket=ticket, requester=requester)
    checked(body, loaded)
    if output is None:
        sys.stdout.write(signed.dump().decode() + "\n")
    else:
        write(output, signed)


def approve(
    document: Document,
    by: As,
    policy: CheckedBy = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Show what DOCUMENT asks for, ask, and sign it in its file. Who has requested it cannot approve it."""
    from flink_masking.cli import control

    signed = control.read(document)
    _check(signed, policy)
    control.approve(document, by, yes, passphrase_file)


def publish(document: Document, deployment: DeploymentFile, policy: CheckedBy = None,
            to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Publish there, file:///…, where the source is read "
                                                   "only from here.", show_default=False)] = None,
            json_: Json = False) -> None:
    """Verify DOCUMENT as jobs will, and put it at the source that DEPLOYMENT names: it is in force from its beginning on."""
    from flink_masking.cli import control

    _check(control.read(document), policy)
    control.publish(document, deployment, to, json_)


def revoke(
    target: Annotated[str, typer.Argument(metavar="ID", help="Of the grant, as 'grant list' shows it.", show_default=False)],
    deployment: DeploymentFile,
    by: As,
    reason: Annotated[str, typer.Option("--reason", help="One line.", show_default=False)],
    passphrase_file: PassphraseFile = None,
    json_: Json = False,
) -> None:
    """End a grant for good; one approver is enough."""
    from flink_masking.cli import control

    control.revoke(target, deployment, by, reason, "grant", None, passphrase_file, json_)


def list_(deployment: DeploymentFile,
          state: Annotated[Literal["pending", "in effect", "expired", "revoked"] | None, typer.Option("--state", help="Only those.",
                                                                                                     show_default=False)] = None,
          as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each grant.")] = False) -> None:
    """Show the grants at the source of DEPLOYMENT: for what, from when to when, who asked and who approved.

    What running jobs make of them stands in their audit, log and metrics.
    """
    import json

    from rich.table import Column, Table

    from flink_masking.cli.console import print_table
    from flink_masking.cli.control import found, found_bytes, options_of, trust_in
    from flink_masking.cli.quarantine import printable
    from flink_masking.control.listing import rows

    options = options_of(deployment)
    bodies = {body.id: body for signed in found(options) if (body := body_of(signed)) is not None}
    listed = [row for row in rows(found_bytes(options), trust_in(options)) if row.kind == "grant" and state in (None, row.state)]
    names = ("id", "segment", "fields", "subjects", "from", "to", "state", "requester", "approved by")
    # Revoke asks for the id, so it stands in one line however narrow the terminal is.
    table = Table(*(Column(name, overflow="fold", no_wrap=name == "id", min_width=36 if name == "id" else None) for name in names))
    for row in listed:
        body = bodies.get(row.id)
        if as_json:
            what = {} if body is None else {"segment": body.segment, "for": body.kind, "fields": sorted(body.fields),
                                            "subjects": _people(body), "where": sorted(body.where), "requester": body.requester,
                                            "reason": body.reason}
            typer.echo(json.dumps({**row.body(), **what}, ensure_ascii=False))
        cells = ["", "", "", ""] if body is None else [body.segment, ", ".join(sorted(body.fields)), str(_people(body) or "any"),
                                                       body.requester]
        table.add_row(*map(printable, (row.id, *cells[:3], *row.cells()[4:7], cells[3], row.cells()[7])))
    if not as_json:
        print_table(table)


def show(document: Document, policy: CheckedBy = None, json_: Json = False) -> None:
    """Print what DOCUMENT asks for, a line a member; with --policy, whether the policy allows it."""
    import json

    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.control import described, read
    from flink_masking.cli.quarantine import printable

    signed = read(document)
    if json_:
        _check(signed, policy)
        print_json({"kind": signed.kind, "signatures": len(signed.envelope.signatures), "body": json.loads(signed.payload)})
        return
    for line in described(signed):
        out.print(printable(line), soft_wrap=True)
    _check(signed, policy)


def body_of(signed: "Signed") -> "GrantBody | None":
    """The body of a grant; None where it is no grant, or not well-formed."""
    from flink_masking.control import documents
    from flink_masking.control.bodies import GrantBody
    from flink_masking.errors import ControlError

    try:
        body = documents.body_of(signed)
    except ControlError:
        return None
    return body if isinstance(body, GrantBody) else None


def _people(body: "GrantBody") -> int:
    """How many subjects a grant names: each stands there once for each key version."""
    return max(Counter(mark.partition(":")[0] for mark in body.subjects).values(), default=0)


def checked(body: "GrantBody", loaded: "LoadedPolicy") -> None:
    """Check a grant against a policy.

    Raises:
        ControlError: it asks for more than the policy allows.
    """
    from flink_masking.engine.grants import check_grant
    from flink_masking.errors import ControlError
    from flink_masking.policy.segments import GrantedView
    from flink_masking.tools.reverse import check_reverse

    if body.stream != loaded.policy.stream:
        raise ControlError(f"it is for stream {body.stream}, and the policy for {loaded.policy.stream}. Hint: the stream's own policy")
    if body.kind == "reverse":
        check_reverse(body, loaded)
        return
    segment = loaded.policy.segments.get(body.segment)
    if not isinstance(segment, GrantedView):
        known = [name for name, found in loaded.policy.segments.items() if isinstance(found, GrantedView)]
        raise ControlError(f"the policy has no granted segment {body.segment}. Hint: {', '.join(known) or 'view: granted'}")
    check_grant(body, loaded, segment)


def _check(signed: "Signed", policy: Path | None) -> None:
    from flink_masking.errors import ControlError
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    body = body_of(signed)
    if body is None:
        raise ControlError("not a grant, or not well-formed. Hint: flink-masking grant request makes one")
    if policy is not None:
        checked(body, load(PolicySource.read(policy)))


def _duration(text: str, option: str) -> int:
    from flink_masking.policy.durations import milliseconds

    try:
        return milliseconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _fields(names: str | None, rules: list[str] | None) -> dict[str, object]:
    import yaml

    found: dict[str, object] = dict.fromkeys(name.strip() for name in (names or "").split(",") if name.strip())
    for one in rules or ():
        path, _, rule = one.partition("=")
        try:
            found[path.strip()] = yaml.safe_load(rule)
        except yaml.YAMLError:
            raise typer.BadParameter(f"{path}: no rule in YAML", param_hint="--fields-as") from None
    return found


def _subjects(given: list[str] | None, file: Path | None, keys: str | None, loaded: "LoadedPolicy") -> tuple[str, ...]:
    import pyarrow as pa

    from flink_masking.cli.erase import named
    from flink_masking.engine.erased import marks_of, write_mark
    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring

    if not given and file is None:
        return ()
    if keys is None:
        raise InputError("subjects are hashed with the key ring, and none is named. Hint: --keys file:///path/keys.json")
    marks = marks_of(open_ring(keys), loaded.policy.stream, pa.array(named(given, file), pa.string()))
    return tuple(dict.fromkeys(write_mark(mark) for mark in marks))


def _where(text: str, loaded: "LoadedPolicy") -> tuple[str, str | int | float | bool]:
    import json

    path, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("FIELD=VALUE", param_hint="--where")
    field = loaded.policy.fields.get(loaded.declared(path.strip()))
    if field is not None and field.type in ("integer", "number", "boolean"):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if isinstance(found, bool | int | float):
            return path.strip(), found
    return path.strip(), value
