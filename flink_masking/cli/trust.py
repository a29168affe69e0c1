"""``flink-masking control trust``: the file that says whose signatures count."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.identity import As, PassphraseFile
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.control.envelope import Signed
    from flink_masking.control.identity import PublicIdentity
    from flink_masking.control.trust import Role

Thresholds = Annotated[list[str] | None, typer.Option("--threshold", metavar="ROLE=N", help="How many owners must sign; 1 unless given.",
                                                      show_default=False)]


def new(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)],
    add: Annotated[list[str], typer.Option("--add", metavar="ROLE=PUB", help="An identity's .pub for a role: root, policy, approver or "
                                           "eraser. Give one or more of each.", show_default=False)],
    by: As,
    threshold: Thresholds = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make version 1 of a trust file, signed by KEY, which must have the role root.

    With a threshold of root above 1, others sign it by 'control sign' before jobs take it. Deployments name it under control.trust.
    """
    from flink_masking.control.make import now, trust_document
    from flink_masking.errors import InputError

    if file.exists():
        raise InputError(f"{file}: already exists and is not changed. Hint: control trust next makes the next version")
    signed = trust_document(1, _people(add), _thresholds(threshold or []), now())
    _signed(file, signed, by, passphrase_file)


def next_(
    file: Annotated[Path, typer.Argument(metavar="TRUST", help="The trust file in force.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="A file that does not exist yet.", show_default=False)],
    by: As,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="ROLE=PUB", help="Add an identity's .pub to a role.",
                                                  show_default=False)] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="ROLE=OWNER", help="Remove an owner, or a key by its id, from a "
                                                     "role.", show_default=False)] = None,
    threshold: Thresholds = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the next version of TRUST: keys rotated, people added or removed, thresholds changed; signed by KEY.

    Jobs take it when the root role of TRUST and of the new version have signed it, each to its own threshold: 'control sign' adds
    signatures, 'control publish' hands it to running jobs. Documents of removed signers have no effect from then on, but for the policy
    in force.
    """
    from flink_masking.cli.control import read
    from flink_masking.control.make import next_trust, now
    from flink_masking.control.trust import Trust
    from flink_masking.errors import InputError

    if output.exists():
        raise InputError(f"{output}: already exists and is not changed. Hint: choose another name")
    gone: dict[Role, list[str]] = {}
    for role, who in (_pair("--remove", text) for text in remove or []):
        gone.setdefault(role, []).append(who)
    signed = next_trust(Trust.anchor(read(file).dump()).body, _people(add or []), gone, _thresholds(threshold or []), now())
    _signed(output, signed, by, passphrase_file)


def show(file: Annotated[Path, typer.Argument(metavar="TRUST", help="A trust file.", show_default=False)],
         json_: Json = False) -> None:
    """Show roles, thresholds, owners and keys of TRUST, and check that its own root role has signed it."""
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.control import read
    from flink_masking.cli.quarantine import printable
    from flink_masking.control.trust import Trust

    trust = Trust.anchor(read(file).dump())
    if json_:
        roles = {name: {"threshold": role.threshold, "keys": [{"id": keyid, "owner": trust.body.keys[keyid].owner,
                                                               "type": trust.body.keys[keyid].keytype} for keyid in role.keys]}
                 for name, role in trust.body.roles.items()}
        print_json({"version": trust.version, "signed_by": sorted(trust.signers("root", trust.signed)), "roles": roles})
        return
    signers = ", ".join(sorted(trust.signers("root", trust.signed)))
    out.print(f"{file}: version {trust.version}, signed by {printable(signers)}", soft_wrap=True)
    for name, role in trust.body.roles.items():
        out.print(f"{name}: {role.threshold} of", soft_wrap=True)
        for keyid in role.keys:
            key = trust.body.keys[keyid]
            out.print(f"  {printable(key.owner)}  {key.keytype}  {keyid}", soft_wrap=True)


def _people(texts: list[str]) -> "dict[Role, list[PublicIdentity]]":
    from flink_masking.control.identity import read_public

    found: dict[Role, list[PublicIdentity]] = {}
    for role, path in (_pair("--add", text) for text in texts):
        found.setdefault(role, []).append(read_public(Path(path)))
    return found


def _thresholds(texts: list[str]) -> "dict[Role, int]":
    from flink_masking.errors import InputError

    pairs = [_pair("--threshold", text) for text in texts]
    if wrong := [text for _, text in pairs if not text.isascii() or not text.isdigit() or not int(text)]:
        raise InputError(f"--threshold: '{wrong[0][:20]}' is no number of owners. Hint: --threshold policy=2")
    return {role: int(text) for role, text in pairs}


def _pair(option: str, text: str) -> "tuple[Role, str]":
    from flink_masking.control.trust import ROLES
    from flink_masking.errors import InputError

    name, sign, value = text.partition("=")
    for role in ROLES:
        if role == name and sign and value:
            return role, value
    raise InputError(f"{option}: not of the form ROLE=…. Hint: roles are {', '.join(ROLES)}")


def _signed(path: Path, signed: "Signed", by: Path, passphrase_file: Path | None) -> None:
    from flink_masking.cli.console import out
    from flink_masking.cli.control import write
    from flink_masking.cli.identity import opened
    from flink_masking.cli.quarantine import printable
    from flink_masking.control.envelope import countersigned

    identity = opened(by, passphrase_file)
    write(path, countersigned(signed, identity.signer))
    out.print(f"{path}: signed by {printable(identity.public.key.owner)}", soft_wrap=True)
