"""``flink-masking quarantine show``: why records were kept out of every view."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def show(
    directory: Annotated[Path, typer.Argument(help="The quarantine directory of a run.", show_default=False)],
    keys: Annotated[str, typer.Option("--keys", help="Address of the key ring that the run used.", show_default=False)],
    reveal: Annotated[bool, typer.Option("--reveal", help="Decrypt and print the records themselves: clear personal data.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Entries to print; 0 for all.")] = 1000,
) -> None:
    """Show the entries of a quarantine: reason, field and position; with --reveal the records, for the key holder."""
    from flink_masking.cli.console import counted, err, out
    from flink_masking.engine.accounts import files, lines
    from flink_masking.engine.quarantine import QuarantineReader, read_entries
    from flink_masking.errors import DecryptionError, InputError, KeyRingError
    from flink_masking.keys.providers import open_ring

    reader = QuarantineReader(open_ring(keys))
    if not directory.is_dir():
        raise InputError(f"{directory}: there is no such directory. Hint: give OUTPUT/quarantine of a run")
    if not files(directory):
        out.print("no record is in quarantine")
        return
    reasons: Counter[str] = Counter()
    unopened = 0
    closed: Counter[str] = Counter()
    for number, entry in enumerate(read_entries(lines(directory))):
        reasons[entry.reason] += 1
        if limit and number >= limit:
            continue
        found = f"at byte {entry.position}" if entry.position is not None else None
        cut = f"(the beginning of {entry.size:,} bytes)" if entry.size is not None else None
        place = " ".join(part for part in (entry.path, found, cut) if part)
        out.print(printable(f"{entry.time}  {entry.reason}  {place}".rstrip()), soft_wrap=True)
        if reveal:
            try:
                out.print("    " + printable(reader.payload(entry)), soft_wrap=True)
            except DecryptionError:
                unopened += 1
                out.print("    (these keys do not open it)")
            except KeyRingError as error:  # of one version: entries of others open all the same
                closed[str(error)] += 1
                out.print("    " + printable(f"({str(error).partition('. Hint')[0]})"), soft_wrap=True)
    totals = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    out.print(printable(f"{counted(reasons.total(), 'record')}: {totals}"), soft_wrap=True)
    if limit and reasons.total() > limit:
        err.print(f"the first {limit:,} are shown; --limit 0 shows all")
    if closed:
        told = closed.most_common(1)[0][0]
        raise KeyRingError(f"{counted(closed.total() + unopened, 'record')} could not be opened: {told}")
    if unopened:
        raise DecryptionError(f"{counted(unopened, 'record')} could not be opened. Hint: --keys must be the key ring that the run used")


def printable(record: bytes | str) -> str:
    """A record as text that cannot do anything to a terminal: control characters and broken UTF-8 are shown as escapes."""
    text = record if isinstance(record, str) else record.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
