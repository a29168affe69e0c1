"""``flink-masking quarantine replay``: sends quarantined records, corrected or unchanged, through the job again, each once."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.accountable import Actor, Grants, Purpose
from flink_masking.cli.options import Json
from flink_masking.cli.quarantine import Audit, Config, DayVault, Keys, Source

if TYPE_CHECKING:
    from flink_masking.cli.quarantined import Quarantine
    from flink_masking.engine.quarantine import RecordParts
    from flink_masking.tools.replay import Replay

    Making = Callable[[Collection[str], Callable[[bytes, RecordParts], bool]], Replay]
    """Makes the replay from the ids of the entries that were sent before and from what fits."""

WORDS = {"replayed": "sent again", "already": "sent by an earlier replay", "left": "left by the program", "cut": "held in part only",
         "empty": "without a value", "unopened": "not opened by these keys", "unfit": "too large, or of several lines",
         "not_chosen": "not chosen"}  # fmt: skip


def replay(
    source: Source,
    actor: Actor,
    purpose: Purpose,
    keys: Keys = None,
    mend: Annotated[
        str | None,
        typer.Option("--mend", metavar="COMMAND", help="Program that reads a record and writes it corrected.", show_default=False),
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Send records unchanged, for example after a change of the policy.")] = False,
    reasons: Annotated[
        list[str] | None, typer.Option("--reason", help="Only entries with this reason; give one or more.", show_default="all")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", metavar="PATH", help="Only entries about this field.", show_default="all")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Of a quarantine in files: a new file of the job's input (mode 0600).", show_default=False),
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Of a quarantine in Kafka: where records go.", show_default="the source's topic")
    ] = None,
    audit: Audit = None,
    vault: DayVault = None,
    command_config: Config = None,
    grants: Grants = None,
    json_: Json = False,
) -> None:
    """Send quarantined records through the job again: corrected by a program, or unchanged.

    In Kafka they go back to the raw topic, with key and headers so far as the entry holds them, and each batch is noted in the topic
    QUARANTINE.replayed in the same transaction. In files they go to OUTPUT, noted in SOURCE.replayed.jsonl. What was sent once is not sent
    again. Who, why and how many is appended to the audit, before the first record is opened and again at the end.
    """
    from flink_masking.audit.accountable import audited
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.cli.mending import Mender
    from flink_masking.cli.quarantined import Quarantine
    from flink_masking.errors import DecryptionError
    from flink_masking.tools.replay import Replay

    if (mend is not None) == as_is:
        raise typer.BadParameter("state how records are sent: --mend COMMAND, or --as-is", param_hint="--mend")
    quarantine = Quarantine.at(source, command_config)
    if (quarantine.directory is not None) != (output is not None):
        raise typer.BadParameter("needed for a quarantine in files" if output is None else "a quarantine in Kafka is replayed into Kafka",
                                 param_hint="--output")
    who = quarantine.who(actor, purpose)
    mender = Mender(mend) if mend is not None else lambda record, _: record
    ring = quarantine.ring(keys)
    facts = {**who, "quarantine": str(source), "mended": mend is not None, "reasons": reasons or [], "fields": fields or []}
    log = quarantine.log(ring, audit)
    reader = quarantine.reader(ring, vault, quarantine.under_grant(ring, grants, log, "replay", facts))
    made: list[Replay] = []

    def making(done: Collection[str], fits: "Callable[[bytes, RecordParts], bool]") -> Replay:
        made.append(Replay(reader, done, mender, fits, reasons or (), fields or ()))
        return made[0]

    with audited(log, "replay", facts) as end:
        where = _to_topic(quarantine, topic, making) if output is None else _to_file(quarantine, output, making)
        end({"to": where, "streams": sorted(made[0].streams), **made[0].counts})
    counts = made[0].counts
    for word, count in counts.most_common():
        if word != "replayed":
            err.print(f"{counted(count, 'record')} {WORDS[word]}", soft_wrap=True)
    if json_:
        print_json({"to": where, **counts})
    else:
        out.print(f"{counted(counts['replayed'], 'record')} sent again: {where}", soft_wrap=True)
    if counts["unopened"]:
        raise DecryptionError(f"{counted(counts['unopened'], 'record')} could not be opened. Hint: --keys must be the key ring that the "
                              "job used, with its versions enabled")


def _to_topic(quarantine: "Quarantine", topic: str | None, making: "Making") -> str:
    """Send the records into Kafka; where they went."""
    from flink_masking.cli.progress import each

    found = quarantine.topic()
    raw = found.raw_topic(topic)
    with found.replayer(raw) as replayer:
        def fits(record: bytes, parts: "RecordParts") -> bool:
            beside = len(parts.key or b"") + sum(len(name) + len(value or b"") for name, value in parts.headers)
            return len(record) + beside <= replayer.largest

        replayer.send(making(replayer.done, fits)(each("Sending again", found.entries(), "entries")))
    return f"topic {raw}"


def _to_file(quarantine: "Quarantine", output: Path, making: "Making") -> str:
    """Write the records into a file that appears whole and is noted in the ledger; where they went."""
    import contextlib
    import hashlib

    from flink_masking.cli.progress import each
    from flink_masking.errors import InputError
    from flink_masking.files.private_file import new_file
    from flink_masking.tools.replay_ledger import ReplayLedger

    if output.exists() or output.is_symlink():
        raise InputError(f"{output}: already exists. Hint: name another file, or remove it")
    if not output.parent.is_dir():
        raise InputError(f"{output}: its directory does not exist. Hint: make it first")
    ids: list[str] = []
    digest = hashlib.sha256()
    with ReplayLedger.held(quarantine.beside(".replayed.jsonl")) as ledger, contextlib.suppress(_Nothing):
        with new_file(output) as opened:
            entries = each("Sending again", quarantine.entries(), "entries")
            for record in making(ledger.done, lambda value, _: b"\n" not in value)(entries):
                line = record.value + b"\n"
                opened.write(line)
                digest.update(line)
                ids.append(record.id)
            if not ids:
                raise _Nothing  # so that no empty file appears
            name = ledger.begin(output, digest.hexdigest(), ids)
        ledger.end(name)
    return str(output)


class _Nothing(Exception):
    """There is no record to send."""
