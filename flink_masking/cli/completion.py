"""Values that the shell completes: names that the library knows, and the segments of the policy on the command line."""

from collections.abc import Iterable
from typing import Any

import typer


def _begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def techniques(incomplete: str) -> list[str]:
    """Names of techniques."""
    from flink_masking.techniques.registry import TECHNIQUES

    return _begin(incomplete, TECHNIQUES)


def templates(incomplete: str) -> list[str]:
    """Names of policy templates."""
    from flink_masking.examples.templates import TEMPLATES

    return _begin(incomplete, TEMPLATES)


def examples(incomplete: str) -> list[str]:
    """Names of examples."""
    from flink_masking.examples import EXAMPLES

    return _begin(incomplete, EXAMPLES)


def pages(incomplete: str) -> list[str]:
    """Names of pages of the manual."""
    from pathlib import Path

    import flink_masking

    return _begin(incomplete, sorted(path.stem for path in (Path(flink_masking.__file__).parent / "docs").glob("*.md")))


def frameworks(incomplete: str) -> list[str]:
    """Names of frameworks of compliance."""
    from flink_masking.compliance import FRAMEWORKS

    return _begin(incomplete, FRAMEWORKS)


def formats(incomplete: str) -> list[str]:
    """Names of record formats."""
    from flink_masking.records.codec import FORMATS

    return _begin(incomplete, FORMATS)


def locales(incomplete: str) -> list[str]:
    """Locales of payloads."""
    from flink_masking.generate.payloads import LOCALES

    return _begin(incomplete, LOCALES)


def segments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The segments of the policy that the command line names; of none, or one that cannot be read, nothing."""
    import yaml

    given: list[Any] = [ctx.params.get("policy"), *ctx.args]  # arguments are not yet told apart while the line is typed
    for path in filter(None, given):
        try:
            with open(path, encoding="utf-8") as file:
                found = yaml.safe_load(file)
            return _begin(incomplete, map(str, found["segments"]))
        except (OSError, TypeError, KeyError, ValueError, yaml.YAMLError):
            continue
    return []
