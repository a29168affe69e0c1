"""``flink-masking control``: signs, approves, publishes, lists and verifies control documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from flink_masking.cli.exits import answer, verdict
from flink_masking.cli.identity import As, PassphraseFile
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.control.bodies import Body
    from flink_masking.control.envelope import Signed
    from flink_masking.control.options import ControlOptions
    from flink_masking.control.trust import Trust

LARGEST = 24 << 20
Document = Annotated[Path, typer.Argument(metavar="DOCUMENT", help="A control document: a DSSE envelope.", show_default=False)]
DeploymentFile = Annotated[Path, typer.Argument(metavar="DEPLOYMENT", help="A deployment with a section control.", show_default=False)]
TrustFile = Annotated[Path | None, typer.Option("--trust", metavar="FILE", help="The trust file.", show_default=False)]
OfDeployment = Annotated[Path | None, typer.Option("--deployment", help="A deployment with a section control.", show_default=False)]


At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it takes effect, UTC: 2026-11-22T06:00:00Z.",
                                        show_default=False)]
In = Annotated[str | None, typer.Option("--in", metavar="DURATION", help="The same, from now: 30s. Unless given, three times the "
                                        "deployment's refresh, so that every worker knows it before.", show_default=False)]
ToFile = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write the document there instead, for more signatures "
                                             "('control sign') before 'control publish'.", show_default=False)]
ToAddress = Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Publish there, file:///…, where the source is read only "
                                               "from here.", show_default=False)]


class Placed(NamedTuple):
    """Where a signed document is now.

    Attributes:
        kind: of the document.
        id: of the document; of a trust file its version.
        published_to: the source, without passwords; None where it was written to a file.
        written_to: the file; None where it was published.
    """

    kind: str
    id: str
    published_to: str | None = None
    written_to: str | None = None

    def tell(self, json_: bool, **more: Any) -> None:
        """Print it: as a JSON document with `more`, or as a line where it was published."""
        from flink_masking.cli.console import print_json

        if json_:
            print_json({**self._asdict(), **more})
        elif self.published_to is not None:
            _say(self.line())

    def line(self) -> str:
        """``policy 01K… published to file:///control``."""
        return f"{self.kind} {self.id} published to {self.published_to}"


def sign(document: Document, by: As, passphrase_file: PassphraseFile = None) -> None:
    """Add a signature to DOCUMENT, in its file. Whether the signer's role counts is seen by 'control verify'."""
    from flink_masking.cli.identity import opened
    from flink_masking.control.envelope import countersigned

    signed = read(document)
    identity = opened(by, passphrase_file)
    write(document, countersigned(signed, identity.signer))
    _say(f"{document}: signed by {identity.public.key.owner}, {len(signed.envelope.signatures | {identity.public.keyid: 0})} signatures")


def approve(
    document: Document,
    by: As,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Show what DOCUMENT says, ask, and add a signature. Who has requested a grant cannot approve it."""
    from flink_masking.cli.identity import opened
    from flink_masking.control.bodies import GrantBody
    from flink_masking.control.documents import body_of
    from flink_masking.control.envelope import countersigned
    from flink_masking.errors import ControlError

    signed = read(document)
    body = None if signed.kind == "trust" else body_of(signed)
    for line in described(signed):
        _say(line)
    if not yes and not typer.confirm("Approve?", err=True):
        raise typer.Exit(1)
    identity = opened(by, passphrase_file)
    if isinstance(body, GrantBody) and body.requester == identity.public.key.owner:
        raise ControlError(f"{document}: {body.requester} has requested it. Hint: somebody else with the role approver")
    write(document, countersigned(signed, identity.signer))
    _say(f"{document}: approved by {identity.public.key.owner}")


def publish(
    document: Document,
    deployment: DeploymentFile,
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Publish there, file:///…: for a source that is read only from "
                                           "here, such as a bundle that a web server serves.", show_default=False)] = None,
    json_: Json = False,
) -> None:
    """Verify DOCUMENT as jobs will, and put it at the source that DEPLOYMENT names."""
    signed = read(document)
    publish_signed(signed, options_of(deployment), to).tell(json_)


def revoke(
    target: Annotated[str, typer.Argument(metavar="ID", help="Of the document, as 'control list' shows it.", show_default=False)],
    deployment: DeploymentFile,
    by: As,
    reason: Annotated[str, typer.Option("--reason", help="One line.", show_default=False)],
    of: Annotated[Literal["grant", "policy", "alerts", "erasure"], typer.Option("--of", help="What kind of document it is.")] = "grant",
    stream: Annotated[str | None, typer.Option("--stream", help="Of the document; not needed while the source has it.",
                                               show_default=False)] = None,
    passphrase_file: PassphraseFile = None,
    json_: Json = False,
) -> None:
    """End a document for good: a grant at once, a policy, alert rules or an erasure before they take effect."""
    from flink_masking.cli.identity import opened
    from flink_masking.control.envelope import countersigned
    from flink_masking.control.make import now, revocation_document
    from flink_masking.errors import ControlError

    options = options_of(deployment)
    targets = {signed.kind: body.stream for signed in found(options) if (body := _body(signed)) is not None and body.id == target}
    if targets and of not in targets:
        kinds = ", ".join(targets)
        raise ControlError(f"{target} is of kind {kinds}, not {of}: the revocation would have no effect. Hint: --of {min(targets)}")
    if stream is None:
        stream = targets.get(of)
        if stream is None:
            raise ControlError(f"{target}: the source has no such document. Hint: control list; or name its stream with --stream")
    signed = revocation_document(stream, target, of, reason, now())
    publish_signed(countersigned(signed, opened(by, passphrase_file).signer), options, None).tell(json_, revoked=target)


@verdict("a document does not verify")
def verify(documents: Annotated[list[Path], typer.Argument(metavar="DOCUMENT...", help="Control documents.", show_default=False)],
           trust: TrustFile = None, deployment: OfDeployment = None, json_: Json = False) -> None:
    """Check that each DOCUMENT is well-formed and has the signatures of its role, by a trust file or that of a deployment.

    Ends with 0 where all of them verify, and with 1 otherwise.
    """
    from flink_masking.cli.console import err, print_json
    from flink_masking.errors import ControlError

    trusted, found = trust_of(trust, deployment), list[dict[str, str | None]]()
    for path in documents:
        try:
            signed = read(path)
            found.append({"document": str(path), "kind": signed.kind, "signed_by": _checked(signed, trusted), "fault": None})
            if not json_:
                _say(f"{path}: {signed.kind}, signed by {found[-1]['signed_by']}")
        except ControlError as error:
            found.append({"document": str(path), "kind": None, "signed_by": None, "fault": str(error)})
            err.print(f"{path}: {error}", soft_wrap=True, markup=False, highlight=False)
    if json_:
        print_json(found)
    raise answer(any(one["fault"] for one in found))


def list_(deployment: DeploymentFile, stream: Annotated[str | None, typer.Option("--stream", help="Of this stream only.",
                                                                                  show_default=False)] = None,
          as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each document.")] = False) -> None:
    """Show the documents at the source of DEPLOYMENT: what each is, from when to when, who has signed it, and whether it verifies.

    It is what a job would see that starts now; a running job tells what it has done with them in audit, log and metrics.
    """
    import json

    from rich.table import Column, Table

    from flink_masking.cli.console import print_table
    from flink_masking.cli.quarantine import printable
    from flink_masking.control.listing import rows

    options = options_of(deployment)
    listed = [row for row in rows(found_bytes(options), trust_in(options)) if stream is None or row.stream in (stream, "")]
    if as_json:
        for row in listed:
            typer.echo(json.dumps(row.body(), ensure_ascii=False))
        return
    names = ("id", "kind", "stream", "version", "from", "to", "state", "signed by")
    # Revoke asks for the id, so it stands in one line however narrow the terminal is.
    table = Table(*(Column(name, overflow="fold", no_wrap=name == "id", min_width=36 if name == "id" else None) for name in names))
    for row in listed:
        table.add_row(*(printable(cell) for cell in row.cells()))
    print_table(table)


def read(path: Path) -> "Signed":
    """The envelope in a file.

    Raises:
        ControlError: it cannot be read, or is none.
    """
    from flink_masking.control.envelope import parse
    from flink_masking.errors import ControlError

    try:
        with path.open("rb") as file:
            return parse(file.read(LARGEST + 1))
    except OSError as error:
        failure = ControlError(f"{path}: cannot be read ({error.strerror}). Hint: a control document")
    except ControlError as error:
        failure = ControlError(f"{path}: {error}")
    raise failure


def write(path: Path, signed: "Signed") -> None:
    """Write an envelope as a whole."""
    from flink_masking.control.sources.local import replace_file

    replace_file(path, signed.dump() + b"\n")


def options_of(deployment: Path) -> "ControlOptions":
    """The section control of a deployment.

    Raises:
        InputError: the deployment has none.
    """
    from flink_masking.deployment.model import Deployment
    from flink_masking.errors import InputError

    options = Deployment.read(deployment).control_options
    if options is None:
        raise InputError(f"{deployment}: it names no control documents. Hint: control: {{source: file:///control, trust: trust.json}}")
    return options


def found_bytes(options: "ControlOptions") -> list[bytes]:
    """What the source holds."""
    from flink_masking.control.sources import open_source

    source = open_source(options)
    try:
        return source.read() or []
    finally:
        source.close()


def found(options: "ControlOptions") -> list["Signed"]:
    """The envelopes that the source holds."""
    from flink_masking.control.listing import parsed

    return parsed(found_bytes(options))


def trust_in(options: "ControlOptions") -> "Trust":
    """The deployment's trust file, or a later one that the source holds."""
    from flink_masking.control.listing import latest_trust

    return latest_trust(options.trust.encode(), found_bytes(options))


def trust_of(trust: Path | None, deployment: Path | None) -> "Trust":
    """The trust file that one of two options names.

    Raises:
        InputError: neither or both are given.
    """
    from flink_masking.control.trust import Trust
    from flink_masking.errors import InputError

    if (trust is None) == (deployment is None):
        raise InputError("one of --trust and --deployment is needed. Hint: --trust trust.json")
    if trust is not None:
        return Trust.anchor(read(trust).dump())
    assert deployment is not None
    return trust_in(options_of(deployment))


def publish_signed(signed: "Signed", options: "ControlOptions", to: str | None) -> Placed:
    """Verify a document as jobs will, and publish it; the caller says so.

    Raises:
        ControlError: it does not verify, or cannot be written.
    """
    from dataclasses import replace

    from flink_masking.control.sources import open_source

    trust = trust_in(options)
    if signed.kind == "trust":
        name = f"trust-{trust.successor(signed).version}"
    else:
        from flink_masking.control.documents import verified

        name = verified(signed, trust).id
    source = open_source(options if to is None else replace(options, source=to, topic={}))
    try:
        source.publish(name, signed.dump())
    finally:
        source.close()
    return Placed(signed.kind, name, published_to=options.shown if to is None else to)


def effect_of(at: str | None, within: str | None, options: "ControlOptions", issued: int) -> int:
    """When a document takes effect, ms since 1970, by the options --at and --in.

    Raises:
        BadParameter: both are given, or one of them is no time.
        ControlError: the time lies in the past.
    """
    from flink_masking.control.instants import milliseconds_of
    from flink_masking.errors import ControlError
    from flink_masking.policy.durations import milliseconds

    if at is not None and within is not None:
        raise typer.BadParameter("give one of --at and --in", param_hint="--at")
    try:
        ahead = 3 * options.refresh if within is None else milliseconds(within)
        effective = issued + ahead if at is None else milliseconds_of(at)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at" if at is not None else "--in") from None
    if effective < issued:
        raise ControlError("--at lies in the past. Hint: --in 30s")
    return effective


def publish_or_write(signed: "Signed", by: Path, passphrase_file: Path | None, options: "ControlOptions", output: Path | None,
                     to: str | None) -> Placed:
    """Sign a document, and publish it, or write it to a file for more signatures; the caller says so.

    Raises:
        ControlError: the identity cannot be opened, the document does not verify, or it cannot be written.
    """
    from flink_masking.cli.identity import opened
    from flink_masking.control.documents import body_of
    from flink_masking.control.envelope import countersigned

    signed = countersigned(signed, opened(by, passphrase_file).signer)
    if output is None:
        return publish_signed(signed, options, to)
    write(output, signed)
    return Placed(signed.kind, body_of(signed).id, written_to=str(output))


def described(signed: "Signed") -> list[str]:
    """What a document says, a line a member; of a policy its digest instead of its text."""
    import json

    body = json.loads(signed.payload)
    body.pop("text", None)
    files = body.pop("files", None)
    lines = [f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in body.items()]
    return [f"kind: {signed.kind}", *lines, *([f"files: {', '.join(files)}"] if files else [])]


def _checked(signed: "Signed", trust: "Trust") -> str:
    from flink_masking.control.documents import verified
    from flink_masking.control.trust import Trust

    if signed.kind == "trust":
        if signed.digest != trust.signed.digest:
            trust.successor(signed)
        return ", ".join(sorted(Trust.anchor(signed.dump()).signers("root", signed)))
    return ", ".join(sorted(verified(signed, trust).signers))


def _body(signed: "Signed") -> "Body | None":
    from flink_masking.control.documents import body_of
    from flink_masking.errors import ControlError

    try:
        return body_of(signed)
    except ControlError:
        return None


def _say(text: str) -> None:
    from flink_masking.cli.console import out
    from flink_masking.cli.quarantine import printable

    out.print(printable(text), soft_wrap=True)
