"""Before a job starts: the schemas of views that follow from the known schemas of the records are registered, or asked about."""

from collections.abc import Callable, Iterator

from flink_masking.errors import InputError, RegistryError, SchemaRefusedError
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.view_schemas import ViewSchema, given, names_schemas, of_keys, of_records
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.registered import RegisteredOutputs
from flink_masking.registry.source import Schema

Subjects = tuple[str | None, str | None]
"""Of the raw records and of their keys; None where they cannot be told."""


def ask_for_views(loaded: LoadedPolicy, options: RegistryOptions | None, subjects: Subjects) -> list[str]:
    """Ask whether the schemas of all views are registered, or may be; nothing is changed.

    A schema that is not the last of its view is not compared: what follows it is not registered yet.

    Args:
        loaded: the policy.
        options: of the registry; None where the deployment names none.
        subjects: whose versions are looked at, besides the schemas that the policy gives.

    Returns:
        What was found, a line each.

    Raises:
        RegistryUnavailableError: the registry is away.
        SchemaRefusedError: a subject does not take the schema of a view.
        RegistryError: the registry cannot be used, no subject is named, or a view needs a schema and there is no registry.
        InputError: nothing can hold what the rules make of the newest version.
    """
    latest = {one.view: one for one, last in _needed(loaded, options, subjects) if last}
    if options is None or not latest:
        return []
    outputs, found = RegisteredOutputs(RegistryClient(options, options.command_patience), options), []
    for view, schema in latest.values():
        placed = outputs.fits(view, schema)
        told = f"to be registered: {schema.text}" if placed is None else f"version {placed.version}, id {placed.id}"
        found.append(f"view {view}: schema of its own, subject {outputs.subject(view)}, {told}")
    return found


def register_views(loaded: LoadedPolicy, options: RegistryOptions | None, subjects: Subjects) -> list[str]:
    """Register the schemas of all views, in the order of the versions that they follow from.

    Returns:
        What a subject does not take of earlier versions, whose records go to quarantine: a line each.

    Raises:
        RegistryError: as for `ask_for_views`, and the other errors.
    """
    outputs, refused = None, []
    for (view, schema), last in _needed(loaded, options, subjects):
        assert options is not None
        outputs = outputs or RegisteredOutputs(RegistryClient(options, options.command_patience), options)
        try:
            outputs.register(view, schema)
        except SchemaRefusedError as error:
            if last:
                raise
            refused.append(f"records of an earlier version go to quarantine: {error}")
    return refused


def _needed(loaded: LoadedPolicy, options: RegistryOptions | None, subjects: Subjects) -> Iterator[tuple[ViewSchema, bool]]:
    """The schemas of views, those that follow from earlier versions first; and whether nothing can be done without them."""
    for keys, subject in zip((False, True), subjects, strict=True):
        if not names_schemas(loaded, keys):
            continue
        derived = of_keys if keys else of_records
        for place, schema, last in _schemas(loaded, options, subject, keys):
            for found in _derived(loaded, schema, derived, place, last):
                if options is None:
                    raise RegistryError(f"view {found.view}: its schema differs from {place}, and records name schemas by identifiers, "
                                        "which only a registry gives. Hint: registry: {url: …} in the deployment, framing: single_object, "
                                        "or techniques that keep the type")
                yield found, last


def _derived(loaded: LoadedPolicy, schema: Schema, derive: Callable[[LoadedPolicy, Schema], Iterator[ViewSchema]], place: str,
             last: bool) -> Iterator[ViewSchema]:
    """The schemas of views for one of records; records of an earlier one that nothing can be derived from go to quarantine."""
    try:
        yield from derive(loaded, schema)
    except InputError as error:
        if last:
            raise InputError(f"{place}: {error}") from None


def _schemas(loaded: LoadedPolicy, options: RegistryOptions | None, subject: str | None, keys: bool) -> Iterator[tuple[str, Schema, bool]]:
    """Schemas of raw records: where each stands, and whether nothing can be done without it."""
    yield from ((file, schema, True) for file, schema in given(loaded, keys))
    if options is None or subject is None:
        return
    versions = RegistryClient(options, options.command_patience).versions(subject)
    for number, found in enumerate(versions, 1):
        yield f"version {found.version} of subject {subject}", found.schema, number == len(versions)
