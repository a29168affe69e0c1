"""``flink-masking erase``: erases subjects, and proves that nothing of them opens any more."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.accountable import Actor, Purpose
from flink_masking.cli.addresses import Vault, vault_address
from flink_masking.cli.exits import answer, verdict
from flink_masking.cli.identity import PassphraseFile
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.cli.control import Placed
    from flink_masking.deployment.model import Deployment
    from flink_masking.policy.load import LoadedPolicy
    from flink_masking.tools.erase import Eraser, Opened


@verdict("with --check, something of the subjects still opens", unusable=())
def erase(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    deployment: Annotated[Path | None, typer.Argument(help="The deployment: tells where keys, vault and control documents are.",
                                                      show_default=False)] = None,
    subject: Annotated[list[str] | None, typer.Option("--subject", help="Whom to erase, as records have it; can be repeated. Other users "
                                                      "see it in the list of processes: --subjects does not show it.",
                                                      show_default=False)] = None,
    subjects: Annotated[Path | None, typer.Option("--subjects", metavar="FILE", help="The same from FILE, a line each; - for the input.",
                                                  show_default=False)] = None,
    keys: Annotated[str | None, typer.Option("--keys", help="Address of the key ring; that of the deployment unless given.",
                                             show_default=False)] = None,
    actor: Actor = "",
    purpose: Purpose = "",
    vault: Vault = None,
    check: Annotated[bool, typer.Option("--check", help="Erase nothing; prove that nothing opens any more, or end with 1.")] = False,
    sample: Annotated[list[str] | None, typer.Option("--sample", metavar="SEGMENT=PATH", help="With --check: records of a view, in which "
                                                     "values of the subjects are looked for and tried; can be repeated.",
                                                     show_default=False)] = None,
    audit: Annotated[Path, typer.Option("--audit", metavar="FILE", help="Audit of erasures; events are appended.")] = Path(
        "erasures.audit.jsonl"),
    document: Annotated[Path | None, typer.Option("--document", metavar="FILE", help="Write a control document, not yet signed, for "
                                                  "'control sign' and 'control publish'.", show_default=False)] = None,
    by: Annotated[Path | None, typer.Option("--as", metavar="KEY", help="Sign the control document with an identity of the role eraser and "
                                            "publish it at the deployment's source; it takes effect one refresh later.",
                                            show_default=False)] = None,
    passphrase_file: PassphraseFile = None,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="KEY", help="With --tombstones: raw Kafka key of the subject's records; "
                                                  "can be repeated.", show_default="the subjects")] = None,
    tombstones: Annotated[bool, typer.Option("--tombstones", help="Delete the subjects' rows in upsert views: send a record without a "
                                             "value under each masked key.")] = False,
    json_: Json = False,
) -> None:
    """Erase subjects of POLICY: destroy their data keys, delete their tokens, and let running jobs forget them.

    What no erasure takes back is listed. It can be repeated at any moment: what is done stays done. Who, why and the keyed hashes of the
    subjects are appended to the audit before anything is destroyed, and what was done at the end. No clear subject is written anywhere.
    """
    from contextlib import ExitStack, closing

    from flink_masking.audit.accountable import audited, told
    from flink_masking.audit.log import AuditLog
    from flink_masking.cli.console import err, out, print_json
    from flink_masking.cli.quarantine import printable
    from flink_masking.deployment.model import Deployment
    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.tools.erase import Eraser
    from flink_masking.vault.providers import open_vault

    names = named(subject, subjects)
    who = {} if check else {"actor": told("--actor", actor), "purpose": told("--purpose", purpose)}
    loaded = load(PolicySource.read(policy))
    found = Deployment.read(deployment) if deployment is not None else None
    where = keys or (found.keys if found is not None else None)
    if where is None:
        raise InputError("no key ring is named. Hint: --keys file:///path/keys.json, or give the deployment")
    if tombstones and found is None:
        raise InputError("--tombstones: the deployment tells where the views are. Hint: flink-masking erase POLICY DEPLOYMENT")
    if by is not None and (found is None or found.control_options is None):
        raise InputError("--as: the deployment tells where control documents are published. Hint: a deployment with a section control")
    ring = open_ring(where)
    with ExitStack() as held:
        opened = None
        if loaded.tokenised:
            address = found.vault if vault is None and found is not None and found.vault else vault_address(vault, where, made=True)
            opened = held.enter_context(closing(open_vault(address, existing=True)))
        eraser = Eraser(loaded, ring, opened)
        if check:
            raise answer(not _checked(eraser, loaded, names, sample or [], json_))
        log = AuditLog(audit, ring, loaded.policy.stream, loaded.policy.version, loaded.source.digest)
        end = held.enter_context(audited(log, "erase", {**who, "subjects": eraser.written(names)}))
        say = _nothing if json_ else out.print
        published = {}
        if by is not None and found is not None:
            placed = _published(eraser, names, purpose, found, by, passphrase_file)
            (err if json_ else out).print(printable(placed.line()), soft_wrap=True)
            published["published"] = placed._asdict()
        counts = _erased(eraser, names, document, purpose, say)
        if tombstones and found is not None:
            counts["tombstones_sent"] = _deleted(loaded, found, where, eraser, key or names, say)
        end({**counts, "stays": eraser.stays()})
    if json_:
        print_json({"subjects": len(names), **counts, **published, "stays": list(eraser.stays())})
        return
    err.print("What stays:", *(f"  {line}" for line in eraser.stays()), sep="\n", soft_wrap=True, markup=False, highlight=False)


def named(given: list[str] | None, file: Path | None) -> list[str]:
    """The subjects, each once."""
    import sys

    from flink_masking.errors import InputError

    lines: list[str] = []
    if file is not None:
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: cannot be read ({type(error).__name__}). Hint: one subject a line, UTF-8") from None
        lines = [line for line in text.splitlines() if line]
    names = list(dict.fromkeys([*(given or []), *lines]))
    if not names:
        raise InputError("nobody is named. Hint: --subject CUST12345, or --subjects FILE")
    return names


def _nothing(*_: object, **__: object) -> None:
    """Say nothing: the document of --json does."""


def _erased(eraser: "Eraser", names: list[str], document: Path | None, purpose: str, say: Callable[..., None]) -> dict[str, object]:
    """Do it, and say what was done."""
    import time

    from flink_masking.cli.console import counted
    from flink_masking.cli.progress import waiting

    now = time.time_ns() // 1_000_000
    with waiting(f"Erasing {counted(len(names), 'subject')}"):  # one transaction: there is no part of it
        done = eraser.erase(names, now)
    say(f"{counted(len(names), 'subject')} erased: {counted(done.keys, 'data key')} destroyed, "
        f"{counted(done.tokens, 'token')} deleted, {done.shared:,} shared with others and kept, "
        f"{counted(done.tombstones, 'tombstone')} for subjects without a key", soft_wrap=True)
    if document is not None:
        from flink_masking.files.private_file import new_file

        with new_file(document) as file:
            file.write(eraser.document(names, purpose, now).dump())
        say(f"{document}: control document, not yet signed", soft_wrap=True)
    return {"keys": done.keys, "tokens": done.tokens, "shared": done.shared, "tombstones": done.tombstones}


def _published(eraser: "Eraser", names: list[str], purpose: str, deployment: "Deployment", by: Path,
               passphrase_file: Path | None) -> "Placed":
    """Let running jobs know, before anything is destroyed."""
    import time

    from flink_masking.cli.control import publish_signed
    from flink_masking.cli.identity import opened
    from flink_masking.control.envelope import countersigned

    options = deployment.control_options
    assert options is not None  # checked before
    signed = eraser.document(names, purpose, time.time_ns() // 1_000_000, options.refresh)
    return publish_signed(countersigned(signed, opened(by, passphrase_file).signer), options, None)


def _deleted(loaded: "LoadedPolicy", deployment: "Deployment", keys: str, eraser: "Eraser", raw: list[str],
             say: Callable[..., None]) -> dict[str, int]:
    """Send tombstones to the topics of upsert views; how many by view."""
    from flink_masking.cli.console import counted
    from flink_masking.kafka.tombstones import send

    upserts = tuple(name for name, options in deployment.sinks.items() if options.get("connector") == "upsert-kafka")
    sent = {}
    for name, masked in eraser.masked_keys(upserts, raw).items():
        send(deployment, name, masked)
        sent[name] = len(masked)
        say(f"{name}: {counted(len(masked), 'tombstone')} sent", soft_wrap=True)
    return sent


def _checked(eraser: "Eraser", loaded: "LoadedPolicy", names: list[str], samples: list[str], json_: bool) -> bool:
    """Say what still opens; whether nothing does."""
    from flink_masking.cli.console import counted, err, out, print_json

    standing = eraser.standing(names)
    found = [f"{counted(standing.keys, 'data key')} of the subjects in the vault"] if standing.keys else []
    found += [f"{counted(standing.tokens, 'token')} of the subjects in the vault"] if standing.tokens else []
    found += [f"{counted(len(names) - standing.marked, 'subject')} not known as erased to running jobs"] if (
        eraser.domains and standing.marked < len(names)) else []
    found += [f"{place}: key holders decrypt it without the vault" for place in eraser.out_of_reach()]
    tried = []
    for written in samples:
        segment, opened = _sampled(eraser, loaded, names, written)
        tried.append({"segment": segment, "records": opened.records, "values": opened.values, "opened": opened.opened})
        if not json_:
            out.print(f"{segment}: {opened.records:,} records, {counted(opened.values, 'value')} of the subjects, {opened.opened:,} open",
                      soft_wrap=True)
        found += [f"{segment}: {counted(opened.opened, 'value')} of the subjects still open"] if opened.opened else []
    if json_:
        print_json({"subjects": len(names), "opens": found, "samples": tried})
        return not found
    for line in found:
        err.print(line, soft_wrap=True, markup=False, highlight=False)
    if not found:
        out.print(f"nothing of {counted(len(names), 'subject')} opens any more", soft_wrap=True)
    return not found


def _sampled(eraser: "Eraser", loaded: "LoadedPolicy", names: list[str], written: str) -> "tuple[str, Opened]":
    from flink_masking.cli.progress import counting
    from flink_masking.errors import InputError
    from flink_masking.records.inputs import Input as Records

    segment, equals, path = written.partition("=")
    if not equals or not path:
        raise InputError("--sample: a segment and a path are needed. Hint: --sample analytics=masked.jsonl")
    records = Records.of(Path(path), loaded.policy.format)
    opened = eraser.opened(segment, counting("Trying", records.batches(), records.files), names)
    if not opened.records:
        raise InputError(f"--sample: {path} holds no record, so nothing was tried. Hint: name records of the view {segment}")
    return segment, opened
