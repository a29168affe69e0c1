"""Options of commands that open protected values: who does it, why, and under which grant."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from flink_masking.audit.log import EventLog
    from flink_masking.control.documents import Grant
    from flink_masking.control.options import ControlOptions
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import LoadedPolicy

Actor = Annotated[str, typer.Option("--actor", help="Who runs the command; written to the audit.", show_default=False)]
Purpose = Annotated[str, typer.Option("--purpose", help="Purpose of the command; written to the audit.", show_default=False)]
Grants = Annotated[Path | None, typer.Option(
    "--grants", metavar="DEPLOYMENT", show_default=False,
    help="A deployment with a section control, where grants are: needed where the policy says reverse: {requires_grant: true}.")]


def under_grant(loaded: "LoadedPolicy", what: str, fields: Collection[str], grants: Path | None, ring: "KeyRing", log: "EventLog",
                kind: str, facts: dict[str, Any]) -> "Grant | None":
    """The grant that a command goes under, where the policy asks for one; its id is put into the facts for the audit.

    Raises:
        ControlError: there is none; that somebody has tried is noted in the audit.
    """
    from flink_masking.audit.accountable import noted
    from flink_masking.errors import ControlError
    from flink_masking.tools.reverse import needed, require_grant

    try:
        grant = require_grant(loaded, what, fields, facts["actor"], control_in(grants) if needed(loaded) else None, ring)
    except ControlError:
        with noted(log, kind, facts):
            raise
    if grant is not None:
        facts["grant"] = grant.id
    return grant


def control_in(deployment: Path | None) -> "ControlOptions | None":
    """Where control documents are; None where no deployment is given."""
    from flink_masking.cli.control import options_of

    return None if deployment is None else options_of(deployment)
