"""``flink-masking dp``: explains the guarantee and the cost of differential privacy."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.completion import segments


def explain(
    policy: Annotated[Path, typer.Argument(help="A policy file (YAML).", show_default=False)],
    segment: Annotated[str | None, typer.Option(help="Only this aggregated segment.", show_default=False, autocompletion=segments)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Explain what the aggregated segments of a POLICY protect, the privacy loss of a person, and the expected error."""
    from flink_masking.cli.console import print_json, show_faults
    from flink_masking.errors import PolicyError
    from flink_masking.policy.budget import aggregated
    from flink_masking.policy.load import load
    from flink_masking.policy.privacy_account import account, in_words, stream_account, stream_in_words
    from flink_masking.policy.source import PolicySource

    loaded = load(PolicySource.read(policy))
    found = aggregated(loaded.policy.segments)
    names = list(found)
    if segment is not None and segment not in names:
        raise PolicyError(f"'{segment}' is no aggregated segment of the policy. Hint: known: {', '.join(names) or 'none'}")
    if not names:
        raise PolicyError("the policy has no aggregated segment. Hint: view: aggregated")
    show_faults(str(policy), loaded.warnings)
    accounts = [account(name, loaded.aggregate(name)) for name in names if segment in (None, name)]
    words = [*map(in_words, accounts)]
    if segment is None and (len(names) > 1 or loaded.policy.privacy is not None):
        whole = stream_account(found, None if loaded.policy.privacy is None else loaded.policy.privacy.lifetime_epsilon)
        accounts, words = [{**one, "stream": whole} for one in accounts], [*words, stream_in_words(whole)]
    if as_json:
        print_json(accounts)
    else:
        typer.echo("\n".join(words), nl=False)
