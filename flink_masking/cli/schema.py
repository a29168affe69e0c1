"""``flink-masking schema``: the policy grammar as JSON Schema, for editors."""

from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.", show_default=False)] = None,
    deployment: Annotated[bool, typer.Option("--deployment", help="The schema of a deployment instead of a policy.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference of the grammar as a page, for people.")] = False,
) -> None:
    """Print the JSON Schema of a policy, derived from the models that `check` uses.

    In an editor with a YAML language server, the first line of a policy names it: # yaml-language-server: $schema=policy.schema.json
    """
    import json

    from flink_masking.files.whole import write_whole
    from flink_masking.policy.reference import as_markdown
    from flink_masking.policy.schema import json_schema

    if deployment:
        from flink_masking.deployment.model import Deployment

        found = Deployment.model_json_schema()
    else:
        found = json_schema()
    text = as_markdown() if markdown else json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
