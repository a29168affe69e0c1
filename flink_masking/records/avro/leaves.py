"""The paths of a schema's values, for whoever looks at records without a policy."""

from flink_masking.errors import PolicyError
from flink_masking.records.avro.schema import Type
from flink_masking.records.paths import Step, Wild, format_path, parse_path

MOST = 10_000
"""Paths; a schema with more is looked at as far as these go."""


def leaf_paths(schema: Type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths of all values.

    Args:
        schema: of the records.

    Returns:
        The paths, and those of them that stand for objects and arrays as a whole: where a record holds itself, and where a union has a
        record or an array beside other values.
    """
    found: dict[str, bool] = {}

    def add(steps: tuple[Step, ...], whole: bool) -> None:
        path = format_path(steps)
        try:
            parse_path(path)
        except PolicyError:  # a name that no path can be written with
            return
        if len(found) < MOST:
            found[path] = found.get(path, False) or whole

    def walk(part: Type, steps: tuple[Step, ...], above: tuple[Type, ...]) -> None:
        options = [option for option in part.options if option.kind != "null"] or part.options[:1]
        holders = [option for option in options if option.kind in ("record", "map", "array")]
        mixed = len(holders) < len(options) or len({option.kind == "array" for option in holders}) > 1
        if not holders:
            add(steps, False)
        elif mixed or any(option in above for option in options):
            add(steps, True)
        else:
            for option in holders:
                if option.kind == "record":
                    for field in option.fields:
                        walk(field.type, (*steps, field.name), (*above, option))
                elif option.items is not None:
                    walk(option.items, (*steps, Wild.KEY if option.kind == "map" else Wild.ELEMENT), above)

    walk(schema, (), ())
    inner = {path: whole for path, whole in found.items() if path}
    return tuple(inner), tuple(path for path, whole in inner.items() if whole)
