"""``flink-masking audit``: seals audit events into a log that others can verify, verifies it, and traces records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flink_masking.cli.exits import verdict
from flink_masking.cli.identity import PassphraseFile
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flink_masking.audit.notes import NoteVerifier
    from flink_masking.audit.trace import Sent
    from flink_masking.audit.verify import Verified
    from flink_masking.cli.sealing import Sealing, Step

Log = Annotated[str, typer.Argument(metavar="LOG", help="The log: a directory, file://, s3:// or http(s)://.", show_default=False)]
Key = Annotated[list[str], typer.Option("--key", metavar="VKEY", help="Public key of the log, or a file with it; give one or more.",
                                        show_default=False)]
Sources = Annotated[list[Path], typer.Argument(
    metavar="SOURCE...", help="A deployment, or directories and files with audit events.", show_default=False)]
Target = Annotated[str | None, typer.Option("--log", help="The log: a directory, file:// or s3://.", show_default="the deployment's")]
SigningKey = Annotated[Path | None, typer.Option("--key", help="File with the signing key, or an identity's.",
                                                       show_default="the deployment's")]
State = Annotated[Path | None, typer.Option("--state", help="Directory of this machine for the sealer's state.",
                                            show_default="the deployment's, or LOG/.sealer")]
Every = Annotated[float | None, typer.Option("--every", min=0.1, help="Seconds between two checkpoints at least.",
                                             show_default="the deployment's, or 10")]
Since = Annotated[Path | None, typer.Option("--since", help="A checkpoint that was kept: the log must go on from it.", show_default=False)]
Ring = Annotated[str | None, typer.Option("--keys", help="Address of the key ring: the codes of events are checked, too.",
                                          show_default=False)]
Unsigned = Annotated[bool, typer.Option("--accept-unsigned", help="With --keys: events of releases before 0.3 are no fault.")]
Save = Annotated[Path | None, typer.Option("--save", help="File for the checkpoint, to be kept for --since.", show_default=False)]
View = Annotated[str, typer.Option("--view", help="The segment whose view the record is in.", show_default=False)]
Proof = Annotated[Path | None, typer.Option("--proof", help="File for a proof of the first time that stands alone.", show_default=False)]
Trusted = Annotated[list[str] | None, typer.Option("--key", metavar="VKEY", help="Public key of the log: its signature is checked, too.",
                                                   show_default=False)]
Granted = Annotated[str | None, typer.Option("--keys", help="Address of the job's key ring: records of granted views are found with it "
                                             "only.", show_default=False)]
Record = Annotated[str, typer.Argument(metavar="RECORD", help="The record as it left: a file, - for standard input, or the text itself.",
                                       show_default=False)]


def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet, or an identity's.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="The log's name, such as audit.example.com/orders.", show_default=False)],
) -> None:
    """Make the key that signs the checkpoints of a log (Ed25519), and print its public side (vkey).

    It is no key of the ring: whoever holds the ring cannot rewrite what is sealed. Give the public key to all who verify. Where FILE is an
    identity ('identity new'), nothing is made: its key signs, and its public side is printed as that of the log NAME.
    """
    from flink_masking.audit.notes import NoteSigner
    from flink_masking.cli.console import out
    from flink_masking.control.identity import is_identity
    from flink_masking.control.note_key import note_verifier

    verifier = note_verifier(file, name) if is_identity(file) else NoteSigner.create(file, name).verifier
    out.print(str(verifier), soft_wrap=True)


def seal(
    sources: Sources,
    log: Target = None,
    signing_key: SigningKey = None,
    state: State = None,
    every: Every = None,
    once: Annotated[bool, typer.Option("--once", help="Seal what is there, and end.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="The log's name, where the key is an identity.",
                                             show_default="the deployment's")] = None,
    passphrase_file: PassphraseFile = None,
    json_: Annotated[bool, typer.Option("--json", help="With --once: print the result as one JSON document; errors, too: "
                                                       "{\"error\": …}.")] = False,
) -> None:
    """Seal audit events into a log, in the foreground until it is interrupted.

    The log has the form of C2SP tlog-tiles with signed checkpoints, so that any static file server serves it and others verify it. One
    sealer writes a log; it can be killed and started again at any moment.
    """
    import signal

    from flink_masking.cli.console import counted, err, out
    from flink_masking.cli.sealing import Sealing
    from flink_masking.errors import InputError

    if json_ and not once:
        raise typer.BadParameter("goes with --once", param_hint="--json")
    if once and (missing := [path for path in sources if not path.exists()]):
        raise InputError(f"{missing[0]}: there is no such file or directory. Hint: name a deployment, or files and directories with events")
    job = Sealing.of(sources, log, signing_key, state, every, name, passphrase_file)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def told(step: "Step") -> None:
        out.print(f"sealed {_entries(step.size)}: {job.shown}", soft_wrap=True)
        if step.again:
            err.print(f"{counted(step.again, 'line')} had been sealed before", soft_wrap=True)

    try:
        if once:
            _sealed_once(job, told, json_)
        else:
            err.print(f"sealing into {job.shown}", soft_wrap=True)
            job.run(False, told)
    except KeyboardInterrupt:
        err.print("stopped")


def _sealed_once(job: "Sealing", told: "Callable[[Step], None]", json_: bool) -> None:
    """Seal what is there, and say how much that was."""
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.progress import progress
    from flink_masking.cli.sealing import Step

    steps: list[Step] = []
    with progress("Sealing", job.bytes(None), "entries") as shown:
        def moved(step: Step) -> None:
            steps.append(step)
            shown(step.added, job.bytes(step.positions) or 0)

        size = job.run(True, moved)
    last = Step(size, 0, 0, {}) if not steps else steps[-1]._replace(again=sum(step.again for step in steps))
    if json_:
        print_json({"log": job.shown, "entries": last.size, "sealed": last.added, "sealed_before": last.again})
    elif steps:
        told(last)
    else:
        out.print(f"nothing new to seal, {_entries(last.size)}: {job.shown}", soft_wrap=True)


@verdict("the log does not verify", unusable=())
def verify(
    log: Log,
    keys: Key,
    since: Since = None,
    ring: Ring = None,
    accept_unsigned: Unsigned = False,
    save: Save = None,
    json_: Json = False,
) -> None:
    """Verify LOG: its signature, every tile and entry, every chain and event, and that it goes on from an older checkpoint.

    Ends with 1 where anything was removed, changed, moved, doubled or cut off. What was cut off behind the newest checkpoint that anybody
    kept cannot be found: keep checkpoints (--save), and give them with --since.
    """
    from flink_masking.audit.sealer import CHECKPOINT
    from flink_masking.audit.stores import open_store
    from flink_masking.audit.verify import verify as verified
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.cli.progress import parts
    from flink_masking.errors import InputError
    from flink_masking.files.whole import write_whole
    from flink_masking.keys.providers import open_ring

    store = open_store(log)
    verifiers, older, opened = _verifiers(keys), None if since is None else since.read_bytes(), None if ring is None else open_ring(ring)
    with parts("Verifying", "entries") as told:
        found = verified(store, verifiers, older, opened, accept_unsigned, told)
    for fault in found.faults:
        err.print(f"fault: {fault}", soft_wrap=True)
    if json_:
        print_json(_verified(found))
    if found.faults:
        raise InputError(f"the log does not verify: {counted(len(found.faults), 'fault')}. Hint: do not trust it; compare with a copy, and "
                         "find out who could write it")
    assert found.checkpoint is not None
    if save is not None:
        write_whole(save, store.read(CHECKPOINT) or b"")
    if json_:
        return
    events = ", ".join(f"{number:,} {kind}" for kind, number in sorted(found.events.items())) or "none"
    out.print(f"{found.checkpoint.origin}: {_entries(found.checkpoint.size)}, "
              f"{counted(found.chains, 'chain')}; events: {events}", soft_wrap=True)
    if found.times:
        out.print(f"from {found.times[0]} to {found.times[1]}; root {found.checkpoint.root.hex()}", soft_wrap=True)
    if not found.checked:
        err.print("the codes of the events were not checked (--keys)", soft_wrap=True)
    for number, noun, what in ((found.unsigned, "event", "without a code, of a release before 0.3"),
                               (found.unknown, "event", "with a code of a key version that the ring lacks"),
                               (found.untraced, "view", "of a batch without leaf hashes: records in it cannot be traced")):
        if number:
            err.print(f"{counted(number, noun)} {what}", soft_wrap=True)


@verdict("the record is in no batch of the log", unusable=())
def trace(
    log: Log,
    record: Record,
    view: View,
    proof: Proof = None,
    keys: Trusted = None,
    ring: Granted = None,
    json_: Json = False,
) -> None:
    """Say when RECORD was sent in a view, under which policy, what was done to each field, and under which grant.

    Needs the log's leaf hashes, which `audit seal` puts beside it where the policy says audit: {digests: true}.
    """
    import sys

    from flink_masking.audit.stores import open_store
    from flink_masking.audit.trace import check_proof
    from flink_masking.audit.trace import trace as traced
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.progress import each
    from flink_masking.errors import InputError
    from flink_masking.files.whole import write_whole
    from flink_masking.keys.providers import open_ring

    data, opened = _record(record), None if ring is None else open_ring(ring)
    found = traced(open_store(log), view, data, opened, each)
    if not found:
        raise InputError(f"no batch of the log has this record in view {view}. Hint: its bytes as they left, without a line break behind "
                         "them; batches without digests, or whose leaf hashes were removed, cannot be searched, nor can granted views "
                         "with another key ring than the job's")
    for sent in found:
        if keys:
            check_proof(sent.proof, data, _verifiers(keys))
        for text in () if json_ else _told(sent):
            out.print(text, soft_wrap=True)
    if json_:
        print_json([{"view": sent.view, "entry": sent.entry, "index": sent.index, "size": sent.size, "event": sent.event}
                    for sent in found])
    if proof is not None:
        write_whole(proof, found[0].proof)
        print(f"proof: {proof}", file=sys.stderr)


@verdict("the proof does not hold", unusable=())
def proof(
    file: Annotated[Path, typer.Argument(metavar="PROOF", help="From `audit trace --proof`.", show_default=False)],
    record: Record,
    keys: Key,
    json_: Json = False,
) -> None:
    """Check a proof with nothing but RECORD and the log's public key."""
    from flink_masking.audit.trace import check_proof
    from flink_masking.cli.console import out, print_json

    event, checkpoint = check_proof(file.read_bytes(), _record(record), _verifiers(keys))
    if json_:
        print_json({"event": event, "origin": checkpoint.origin, "entries": checkpoint.size})
        return
    out.print(f"sent {event['time']} by stream {event.get('stream')}, policy version {event.get('policy_version')}; in the log "
              f"{checkpoint.origin} of {_entries(checkpoint.size)}", soft_wrap=True)


def serve(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The log's directory.", show_default=False)],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 8088,
) -> None:
    """Serve LOG on loopback, in the foreground: checkpoint, tiles and entries as static files, no leaf hashes.

    For development, and behind a web server of your own; any static file server serves a log as well.
    """
    import contextlib

    from flink_masking.audit.server import server
    from flink_masking.cli.console import err, out

    with server(log, port) as running:
        out.print(f"http://127.0.0.1:{running.server_address[1]}/checkpoint. Ctrl-C ends it.", soft_wrap=True)
        with contextlib.suppress(KeyboardInterrupt):
            running.serve_forever()
    err.print("stopped")


def schema() -> None:
    """Print the JSON Schema of audit events."""
    import json

    from flink_masking.audit.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def _verified(found: "Verified") -> dict[str, Any]:
    """What a verification found, for programs."""
    checkpoint = found.checkpoint
    return {"origin": None if checkpoint is None else checkpoint.origin, "entries": None if checkpoint is None else checkpoint.size,
            "root": None if checkpoint is None else checkpoint.root.hex(), "faults": list(found.faults), "events": dict(found.events),
            "chains": found.chains, "times": found.times, "codes_checked": found.checked, "unsigned": found.unsigned,
            "unknown_key": found.unknown, "untraced": found.untraced}


def _told(sent: "Sent") -> "Iterator[str]":
    """One time that a record was sent, in lines."""
    event = sent.event
    yield f"{event['time']}  entry {sent.entry}, record {sent.index + 1} of {sent.size}"
    yield f"  stream {event.get('stream')}, policy version {event.get('policy_version')}, digest {event.get('policy_digest')}"
    yield f"  key version {event.get('key_version')}, chain {event['chain']}, event {event['number']} ({event['event']})"
    yield from (f"  {path}: {done['technique']}" for path, done in sent.done.get("fields", {}).items())
    grants = sent.done.get("grants") or {}
    yield from (f"  grant {grant}: {number} of the batch's records" for grant, number in grants.items()) if grants else ("  no grant",)
    for part in event.get("source", ()):
        yield f"  source {part['topic']} partition {part['partition']}, offsets {part['first']} to {part['last']}"


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def _verifiers(keys: list[str]) -> "list[NoteVerifier]":
    from flink_masking.audit.notes import NoteVerifier

    texts = [Path(text).read_text() if "+" not in text and Path(text).is_file() else text for text in keys]
    return [NoteVerifier.parse(text) for text in texts]


def _record(given: str) -> bytes:
    """The bytes of a record; a line break at the end of a file is none of its."""
    import sys

    if given == "-":
        return sys.stdin.buffer.read().removesuffix(b"\n")
    if len(given) < 4096 and "{" not in given and Path(given).is_file():
        return Path(given).read_bytes().removesuffix(b"\n")
    return given.encode()


