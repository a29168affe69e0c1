"""``flink-masking keys``: creates key rings and manages the life cycle of their versions."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.addresses import Vault, vault_address
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.keys.wrapped import AnyRing, WrappedRing, Wrapper

File = Annotated[Path, typer.Argument(help="A key ring file.", show_default=False)]
Number = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="Its number, as 'keys list' shows it.", show_default=False)]


def new(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)],
    wrap: Annotated[
        str | None,
        typer.Option(
            "--wrap",
            metavar="ADDRESS",
            help="Wrap the roots with a key that never leaves its service: vault+transit://, aws-kms://, gcp-kms:// or azure-kv://.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a new key ring FILE that only you can read (mode 0600).

    Whoever has the file can compute every pseudonym made with it, but where its roots are wrapped; whoever loses it can never make
    them again. Keep a backup where you keep secrets.
    """
    import shlex
    from urllib.parse import quote

    from flink_masking.cli.console import err, out
    from flink_masking.keys.files import save_new
    from flink_masking.keys.providers import has_public_wrapping_key, wrapper_at
    from flink_masking.keys.providers.address import Address
    from flink_masking.keys.ring import KeyRing
    from flink_masking.keys.wrapped import AnyRing, WrappedRing

    here = f"file://{quote(str(file.absolute()))}"
    ring: AnyRing
    if wrap is None:
        ring = KeyRing.new()
    else:
        key = Address.parse(wrap)
        ring, here = WrappedRing.new(key.of(None), wrapper_at(key)), key.of(here)
    save_new(file, ring.dump())
    _say(file, f"key ring with version {ring.primary}, readable by its owner only")
    out.print(f"Use it with --keys {shlex.quote(here)}", soft_wrap=True)
    if wrap is not None and has_public_wrapping_key(Address.parse(wrap)):
        err.print("warning: the wrapping key is public, so whoever can write the file can replace its roots. Hint: sign it with "
                  "'flink-masking keys sign', and add the signer to the address", soft_wrap=True)


def add(file: File) -> None:
    """Add a fresh version to FILE, enabled.

    Promote it when every job has the new ring: what one job protects with it another could not open before.
    """
    from flink_masking.keys.ring import KeyRing

    after = _change(file, lambda ring: ring.added() if isinstance(ring, KeyRing) else ring.added(_wrapper(ring)))
    _say(file, f"version {after.facts()[-1].number} is enabled; version {after.primary} protects")


def promote(file: File, version: Number) -> None:
    """Make VERSION the primary one, which protects. The previous primary stays enabled for decryption.

    Every pseudonym, deterministic ciphertext and FPE value that is made from now on differs from those made before: joins between old
    and new data end here.
    """
    _change(file, lambda ring: ring.promoted(version))
    _say(file, f"version {version} is now primary")


def disable(file: File, version: Number) -> None:
    """Disable VERSION until it is enabled again.

    Disabled, it neither protects nor decrypts. 'keys enable' reverses this: try it before 'keys destroy'.
    """
    after = _change(file, lambda ring: ring.disabled(version))
    _say(file, f"version {version} is disabled")
    _tell_of_people(file, version, after)


def enable(file: File, version: Number) -> None:
    """Enable a disabled VERSION for decryption."""
    _change(file, lambda ring: ring.enabled(version))
    _say(file, f"version {version} is enabled")


def destroy(
    file: File,
    version: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm: values protected with VERSION can never be decrypted again.")] = False,
) -> None:
    """Remove the secret of VERSION from FILE permanently. Its number and its time of destruction are kept.

    Backups and exports that hold the secret still open what it protected: destroy them, too.
    """
    from flink_masking.errors import InputError

    if not yes:
        raise InputError(f"{file}: what version {version} protected could never be opened again; nothing was changed. Hint: pass --yes")
    after = _change(file, lambda ring: ring.destroyed(version))
    _say(file, f"version {version} was destroyed")
    _tell_of_people(file, version, after)


def list_(file: File, json_: Json = False) -> None:
    """Show the versions of FILE: number, state, check value, times. Never a secret.

    The check value tells a root from every other one without telling the root: it is the same in the file, in a backup and in the audit.
    """
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.quarantine import printable
    from flink_masking.keys.files import read_bytes
    from flink_masking.keys.wrapped import WrappedRing, parse_any

    ring = parse_any(read_bytes(file), str(file))
    if json_:
        names = ("version", "state", "created", "destroyed", "check")
        print_json({"generation": ring.edition.generation, "wrapped_by": ring.wrapped_by if isinstance(ring, WrappedRing) else None,
                    "domains": None if isinstance(ring, WrappedRing) else ring.domains,
                    "versions": [dict(zip(names, facts, strict=True)) for facts in ring.facts()]})
        return
    if isinstance(ring, WrappedRing):
        out.print(f"wrapped by {printable(ring.wrapped_by)}", soft_wrap=True)
    elif ring.domains is not None:
        out.print(f"domains: {printable(', '.join(ring.domains))}", soft_wrap=True)
    out.print(f"generation {ring.edition.generation}", soft_wrap=True)
    out.print("version  state      check             created                    destroyed", soft_wrap=True)
    for number, state, created, destroyed, check in ring.facts():
        row = f"{number:>7}  {state:<9}  {check or 'unknown':<16}  {created:<25}  {destroyed or ''}"
        out.print(printable(row).rstrip(), soft_wrap=True)


def export(
    file: File,
    domains: Annotated[
        list[str], typer.Option("--domain", metavar="DOMAIN", help="A domain of the policy; give one or more.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", metavar="FILE2", help="A file that does not exist yet.", show_default=False)],
) -> None:
    """Write FILE2, a ring that holds some domains only (mode 0600).

    Whoever has it can protect and unprotect these domains and nothing else. It holds derived keys, from which neither the roots nor the
    keys of other domains can be computed. Versions that are added to FILE later are not in it: export again after a promotion.
    """
    from flink_masking.cli.quarantine import printable
    from flink_masking.keys.files import read_bytes, save_new
    from flink_masking.keys.wrapped import WrappedRing, parse_any
    from flink_masking.techniques.registry import purposes

    ring = parse_any(read_bytes(file), str(file))
    part = (ring.unwrap(_wrapper(ring)) if isinstance(ring, WrappedRing) else ring).export(domains, purposes())
    save_new(output, part.dump())
    _say(output, f"keys of {printable(', '.join(part.domains or ()))}, versions {', '.join(map(str, part.versions))}")


def restore(
    file: File,
    over: Annotated[
        int,
        typer.Option("--over", metavar="GENERATION", min=0, help="Generation in use, from the job's message.", show_default=False),
    ],
) -> None:
    """Allow an older FILE to replace a newer ring in running jobs.

    A job refuses a ring whose generation has gone back or that lacks a version. This says that it is meant, up to GENERATION. What was
    protected with a version that FILE lacks cannot be opened any more. Another root of a known version is refused all the same.
    """
    after = _change(file, lambda ring: ring.restored(over))
    _say(file, f"generation {after.edition.generation}, which may follow generation {over}")


def rewrap(
    keys: Annotated[str, typer.Option("--keys", help="Address of the key ring, after it was rotated.", show_default=False)],
    vault: Vault = None,
    json_: Json = False,
) -> None:
    """Wrap the data keys of subjects in a vault anew, under the ring's primary version.

    No protected value changes, and workers may run meanwhile. It can be stopped and begun again. Afterwards the version before is not
    needed for them any more, and once that is destroyed, old backups of the vault open nothing.
    """
    from contextlib import closing

    from flink_masking.cli.console import counted, out, print_json
    from flink_masking.cli.progress import parts
    from flink_masking.keys.providers import open_ring
    from flink_masking.vault.providers import open_vault
    from flink_masking.vault.subject_keys import rewrap as wrap_anew

    ring = open_ring(keys)
    with closing(open_vault(vault_address(vault, keys, made=True), existing=True)) as opened, parts("Wrapping", "data keys") as told:
        done = wrap_anew(opened, ring, told=told)
    if json_:
        print_json({"version": ring.primary, "data_keys": done})
        return
    for domain, count in done.items():
        out.print(f"{domain}: {counted(count, 'data key')} wrapped under version {ring.primary}", soft_wrap=True, markup=False)
    if not done:
        out.print("the vault holds no data keys of subjects", soft_wrap=True)


def signer(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)]) -> None:
    """Make a key that signs key rings, in FILE (mode 0600).

    Keep it where rings are changed, never where jobs run: these need the public key only.
    """
    from flink_masking.keys.signature import new_signer

    _say(file, f"signs key rings; addresses of rings that it signs get signer={new_signer(file)}")


def sign(
    file: File,
    by: Annotated[Path, typer.Option("--with", metavar="SIGNER", help="The signing key's file.", show_default=False)],
) -> None:
    """Sign FILE as it is.

    Jobs whose address names the signer (signer=…) accept no other ring. Each change takes the signature away: sign again.
    """
    from flink_masking.keys.files import edit
    from flink_masking.keys.signature import signed

    public: list[str] = []

    def change(data: bytes) -> bytes:
        made, key = signed(data, str(file), by)
        public.append(key)
        return made

    edit(file, change)
    _say(file, f"signed; its address takes signer={public[0]}")


def _wrapper(ring: "WrappedRing") -> "Wrapper":
    """The key that a ring says it is wrapped by."""
    from flink_masking.keys.providers import wrapper_at
    from flink_masking.keys.providers.address import Address

    return wrapper_at(Address.parse(ring.wrapped_by))


def _change(file: Path, step: "Callable[[AnyRing], AnyRing]") -> "AnyRing":
    """Take a step with the ring in a file; what the file holds then."""
    from flink_masking.errors import KeyRingError
    from flink_masking.keys.files import edit
    from flink_masking.keys.wrapped import parse_any

    made: list[AnyRing] = []

    def change(data: bytes) -> bytes:
        ring = parse_any(data, str(file))
        try:
            made.append(step(ring))
        except KeyRingError as error:
            raise KeyRingError(f"{file}: {error}") from None
        return made[0].dump()

    edit(file, change)
    return made[0]


def _tell_of_people(file: Path, closed: int, ring: "AnyRing") -> None:
    """Say what closing the oldest version means to state: people are hashed with the oldest one that opens."""
    oldest = min(number for number, state, *_ in ring.facts() if state in ("primary", "enabled"))
    if closed < oldest:
        _say(file, f"people are now hashed with version {oldest}: jobs whose anonymized or aggregated segments keep state under "
             f"version {closed} refuse to restart with this ring. Hint: docs/keys.md, Rotation")


def _say(file: Path, text: str) -> None:
    from flink_masking.cli.console import out

    out.print(f"{file}: {text}", soft_wrap=True)
