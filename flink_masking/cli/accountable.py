"""Options of commands that open protected values: who does it and why."""

from typing import Annotated

import typer

Actor = Annotated[str, typer.Option("--actor", help="Who runs the command; written to the audit.", show_default=False)]
Purpose = Annotated[str, typer.Option("--purpose", help="Purpose of the command; written to the audit.", show_default=False)]
