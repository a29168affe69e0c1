"""``flink-masking studio``: a page on this machine for writing a policy beside its results on a sample."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

DEFAULT = Path("policy.yaml")


def studio(
    policy: Annotated[Path | None, typer.Argument(help="The policy (YAML); a file that is not there yet begins with proposals.",
                                                  show_default=str(DEFAULT))] = None,
    sample: Annotated[Path, typer.Option("--sample", metavar="EVENTS", help="Records: a file, or a directory of files.",
                                         show_default=False)] = ...,  # type: ignore[assignment]
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Records that are read of the sample.")] = 1_000,
    keys: Annotated[
        str | None, typer.Option("--keys", help="Address of the key ring; without it, throw-away keys.", show_default=False)
    ] = None,
    show_raw: Annotated[bool, typer.Option("--show-raw", help="Show personal values on the 'before' side from the beginning.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0: a free one.")] = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the default browser, by a private file.")] = False,
) -> None:
    """Write POLICY in a browser, beside what it makes of a sample.

    Prints an address of this machine that opens the page once. The page shows errors at their lines, records before and after, coverage,
    groups, loss and joins as they change. It saves POLICY and writes nothing else; nothing leaves this machine. Ends with Ctrl-C.
    """
    from contextlib import ExitStack

    from flink_masking.cli.console import err, out
    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring
    from flink_masking.keys.ring import KeyRing
    from flink_masking.studio.file import PolicyFile
    from flink_masking.studio.opening import Opening
    from flink_masking.studio.sample import Sample
    from flink_masking.studio.server import Studio, serve

    if policy is None and DEFAULT.exists():
        raise InputError(f"{DEFAULT}: already exists. Hint: to edit it, flink-masking studio {DEFAULT} --sample {sample}")
    file = PolicyFile(policy or DEFAULT)
    file.read()
    ring = KeyRing.ephemeral() if keys is None else open_ring(keys)
    if keys is None:
        err.print("no --keys: pseudonyms and substitutes are made with throw-away keys")

    with ExitStack() as held:

        def opened(address: str) -> Callable[[], None]:
            out.print(address, soft_wrap=True)
            err.print("The address opens once. Ctrl-C ends the studio.")
            if not open_:
                return lambda: None
            opening = held.enter_context(Opening(address))
            opening.begin(lambda: err.print("--open: no browser was found. Hint: open the address above"))
            return opening.remove

        serve(Studio(file, Sample(sample, limit), ring, show_raw), port, opened)
