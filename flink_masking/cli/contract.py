"""``flink-masking contract``: lock files of schemas and tags, their differences, and contracts of views."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.completion import segments
from flink_masking.cli.exits import answer, verdict
from flink_masking.errors import InputError, RegistryError

if TYPE_CHECKING:
    from flink_masking.data_contract.differences import Change, ViewCompatibility
    from flink_masking.policy.lock import SchemaLock
    from flink_masking.policy.source import PolicySource
    from flink_masking.registry.client import RegistryClient

Policy = Annotated[Path, typer.Argument(help="The policy (YAML), with a section tags.", show_default=False)]
Registry = Annotated[str | None, typer.Option("--registry", metavar="URL", help="The schema registry (Confluent API).", show_default=False)]
Deployment = Annotated[Path | None, typer.Option("--deployment", help="A deployment with a section registry, for logins and TLS.",
                                                 show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@verdict("a tag that the source has lost is kept", unusable=(InputError, RegistryError))
def pull(
    policy: Policy,
    registry: Registry = None,
    deployment: Deployment = None,
    accept_lost_tags: Annotated[bool, typer.Option("--accept-lost-tags", help="Remove tags that the source no longer has.")] = False,
    as_json: Json = False,
) -> None:
    """Write the schema and tags that POLICY reads into its lock file, and print what has changed.

    A tag that the source has lost stays in force until --accept-lost-tags. Ends with 0, and with 1 while lost tags are kept.
    """
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.data_contract.differences import differences
    from flink_masking.data_contract.pull import merged, read_lock, write_lock
    from flink_masking.policy.source import PolicySource

    source = PolicySource.read(policy)
    path, found = _pulled(source, policy, registry, deployment)
    old = read_lock(path)
    lock = merged(old, found, accept_lost_tags)
    write_lock(path, lock)
    changes = differences(old, found) if old is not None else []
    lost = sorted(name for name, field in lock.fields.items() if field.lost)
    if as_json:
        print_json({"lock": str(path), "fields": len(lock.fields), "changes": [one.body() for one in changes], "lost_tags": lost})
    else:
        _show_changes(changes)
        tagged = sum(bool(field.tags) for field in lock.fields.values())
        out.print(f"{path}: {counted(len(lock.fields), 'field')} of {lock.name}, {tagged:,} with tags", soft_wrap=True)
    if lost:
        err.print(f"alarm: {counted(len(lost), 'field')} lost a tag that stays in force: {', '.join(lost[:10])}. Hint: tag them again, or "
                  "release them with --accept-lost-tags", soft_wrap=True)
        raise answer(True)


@verdict("schema or tags have changed, or a view is not compatible", unusable=(InputError, RegistryError))
def check(policy: Policy, registry: Registry = None, deployment: Deployment = None, as_json: Json = False) -> None:
    """Compare the lock file of POLICY with its source: new and removed fields, lost and new tags, changed types, and each view.

    Ends with 0 where nothing has changed, with 1 where anything has, with 75 where the registry is away.
    """
    from flink_masking.data_contract.differences import compatibility, differences
    from flink_masking.data_contract.pull import merged, read_lock
    from flink_masking.policy.source import PolicySource

    source = PolicySource.read(policy)
    path, found = _pulled(source, policy, registry, deployment)
    old = read_lock(path)
    if old is None:
        raise InputError(f"{path}: there is no lock file yet. Hint: flink-masking contract pull {policy}")
    changes = differences(old, found)
    views = compatibility(source, str(path.relative_to(policy.parent)), old, merged(old, found, False))
    _report(changes, views, as_json)


@verdict("the lock files differ, or a view is not compatible", unusable=(InputError, RegistryError))
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A lock file.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another one.", show_default=False)],
    policy: Annotated[Path | None, typer.Option("--policy", help="The policy that they are for: what becomes of each view.",
                                                show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Print the differences of two lock files: new and removed fields, lost and new tags, changed types; with --policy each view.

    Ends with 0 where there are none, with 1 where there are.
    """
    from flink_masking.data_contract.differences import compatibility, differences
    from flink_masking.data_contract.pull import read_lock, tagged_policy
    from flink_masking.policy.source import PolicySource

    locks: list[SchemaLock] = []
    for path in (old, new):
        if (lock := read_lock(path)) is None:
            raise InputError(f"{path}: there is no such file. Hint: git show HEAD:{path.name} > old.yaml gives the one before")
        locks.append(lock)
    views = {}
    if policy is not None:
        source = PolicySource.read(policy)
        views = compatibility(source, tagged_policy(source)[1].lock, *locks)
    _report(differences(*locks), views, as_json)


def export(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    segment: Annotated[str | None, typer.Option("--segment", help="Only this view.", show_default=False, autocompletion=segments)] = None,
    output: Annotated[Path | None, typer.Option("--output", help="A directory: VIEW.odcs.yaml for each view.", show_default=False)] = None,
) -> None:
    """Print a data contract (Open Data Contract Standard v3.1.0) of each view of POLICY: fields, how they are made, what is promised."""
    import yaml

    from flink_masking.cli.console import out
    from flink_masking.data_contract.export import contract
    from flink_masking.documents.faults import did_you_mean
    from flink_masking.files.whole import write_whole
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    loaded = load(PolicySource.read(policy))
    names = [*loaded.policy.segments]
    if segment is not None and segment not in names:
        raise InputError(f"{policy}: there is no segment {segment}. Hint: {did_you_mean(segment, names, 'segments')}")
    documents = {name: yaml.safe_dump(contract(loaded, name), sort_keys=False, allow_unicode=True, width=120)
                 for name in ([segment] if segment is not None else names)}
    if output is None:
        typer.echo("---\n".join(documents.values()), nl=False)
        return
    output.mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        write_whole(output / f"{name}.odcs.yaml", text)
        out.print(f"{output / f'{name}.odcs.yaml'}", soft_wrap=True)


def _pulled(source: "PolicySource", policy: Path, registry: str | None, deployment: Path | None) -> tuple[Path, "SchemaLock"]:
    """The path of the lock file, and what the source has."""
    from flink_masking.cli.progress import waiting
    from flink_masking.data_contract.pull import pull as pulled
    from flink_masking.data_contract.pull import tagged_policy

    parsed, tags = tagged_policy(source)
    path = policy.parent / tags.lock
    if Path(tags.lock).is_absolute() or ".." in Path(tags.lock).parts:
    
        raise InputError(f"{tags.lock}: the name leads out of the policy's folder. Hint: tags.lock is relative to the policy")
    client = _client(registry, deployment) if tags.source == "registry" else None
    with waiting("Reading the schema"):
        return path, pulled(tags, parsed.stream, policy.parent, client)


def _client(registry: str | None, deployment: Path | None) -> "RegistryClient | None":
    from flink_masking.registry.client import RegistryClient
    from flink_masking.registry.options import RegistryOptions

    options: RegistryOptions | None = None
    if registry is not None:
        options = RegistryOptions(registry)
    elif deployment is not None:
        from flink_masking.deployment.model import Deployment

        options = Deployment.read(deployment).registry_options
    return None if options is None else RegistryClient(options, options.command_patience)


def _show_changes(changes: "list[Change]") -> None:
    from flink_masking.cli.console import out

    for change in changes:
        out.print(f"{'ALARM ' if change.alarm else ''}{change.told()}", soft_wrap=True)


def _report(changes: "list[Change]", views: "dict[str, ViewCompatibility]", as_json: bool) -> None:
    """Print differences and views; end with 1 where there are any."""
    from dataclasses import asdict

    from flink_masking.cli.console import counted, out, print_json

    if as_json:
        print_json({"changes": [one.body() for one in changes], "views": {name: asdict(one) for name, one in views.items()}})
    else:
        _show_changes(changes)
        for name, view in views.items():
            told = "compatible" if view.compatible else f"NOT compatible: {'; '.join(view.reasons)}"
            out.print(f"view {name}: {told}" + (f" ({'; '.join(view.notes)})" if view.notes else ""), soft_wrap=True)
        out.print(counted(len(changes), "difference") if changes else "no differences", soft_wrap=True)
    if changes or not all(view.compatible for view in views.values()):
        raise answer(True)
