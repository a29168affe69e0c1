"""``flink-masking identity``: keys of people and services that sign control documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flink_masking.control.identity import Identity, PublicIdentity

As = Annotated[Path, typer.Option("--as", metavar="KEY", help="An identity's file, as 'identity new' makes it.", show_default=False)]
PassphraseFile = Annotated[Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Read the passphrase from the first line of "
                                                     "FILE, instead of a prompt.", show_default=False)]


def new(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)],
    owner: Annotated[str, typer.Option("--owner", help="The person or service that it stands for.", show_default=False)],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make an Ed25519 key: FILE, encrypted by a passphrase (mode 0600), and FILE.pub, which others need.

    Signatures of one owner count once, however many keys the owner has. Keep FILE where only its owner works; no job needs it.
    """
    from flink_masking.cli.console import out
    from flink_masking.control.identity import new_identity

    made = new_identity(file, owner, passphrase(file, passphrase_file, confirm=True))
    out.print(f"{file}: key {made.keyid[:16]} of {_shown(made)}; {file}.pub goes into the trust file", soft_wrap=True)


def show(file: Annotated[Path, typer.Argument(help="An identity's file, or its .pub.", show_default=False)]) -> None:
    """Print the public part of an identity as JSON; no passphrase is needed."""
    from flink_masking.control.identity import read_public

    typer.echo(read_public(file if file.suffix == ".pub" else file.with_name(file.name + ".pub")).dump(), nl=False)


def opened(file: Path, passphrase_file: Path | None) -> "Identity":
    """The identity in a file; its passphrase is asked for.

    Raises:
        ControlError: it cannot be opened.
    """
    from flink_masking.control.identity import load_identity

    return load_identity(file, passphrase(file, passphrase_file))


def passphrase(file: Path, from_file: Path | None, confirm: bool = False) -> str:
    """The passphrase of an identity, from a file or a prompt.

    Raises:
        InputError: the file cannot be read, or others can.
    """
    if from_file is None:
        answer: str = typer.prompt(f"Passphrase of {file}", hide_input=True, confirmation_prompt=confirm, err=True)
        return answer
    from flink_masking.control.identity import passphrase_in

    return passphrase_in(from_file)


def _shown(public: "PublicIdentity") -> str:
    from flink_masking.cli.quarantine import printable

    return printable(public.key.owner)
