"""``flink-masking retention``: destroys what is older than the policy keeps."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.addresses import Vault, vault_address
from flink_masking.cli.audit_target import event_log
from flink_masking.cli.options import Json


def retention(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    keys: Annotated[str, typer.Option("--keys", help="Address of the key ring: file:///path or env://NAME.", show_default=False)],
    vault: Vault = None,
    audit: Annotated[Path | None, typer.Option(
        "--audit", help="Where it is noted: a file, an audit directory, or a deployment, whose sink audit it is.",
        show_default="POLICY.audit.jsonl")] = None,
    json_: Json = False,
) -> None:
    """Destroy what POLICY keeps no longer: keys of the days whose quarantined records have expired, and tokens that were not used.

    Running jobs do it themselves, once a day; run this daily for streams whose job does not run. How many were destroyed is appended to the
    audit, before and after.
    """
    import time

    from flink_masking.audit.accountable import audited
    from flink_masking.cli.console import counted, out, print_json
    from flink_masking.cli.progress import waiting
    from flink_masking.cli.quarantine import login
    from flink_masking.engine.quarantine import day_keys
    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.tools.retention import destroy_tokens
    from flink_masking.vault.providers import open_vault

    loaded = load(PolicySource.read(policy))
    quarantine, tokens = loaded.policy.quarantine, loaded.policy.vault
    if quarantine is None and tokens is None:
        raise InputError(f"{policy}: nothing expires by this policy. Hint: quarantine: {{keep: 30d}}, vault: {{keep: 400d}}")
    ring = open_ring(keys)
    log = event_log(audit, policy.with_name(f"{policy.name}.audit.jsonl"), ring, loaded.policy.stream, loaded.policy.version,
                    loaded.source.digest)
    opened, now = open_vault(vault_address(vault, keys, made=True), existing=True), time.time_ns() // 1_000_000
    facts = {"actor": login(), "purpose": "retention", **({"keep_ms": quarantine.keep} if quarantine is not None else {}),
             **({"tokens_keep_ms": tokens.keep} if tokens is not None else {})}
    try:
        with audited(log, "expire", facts) as end, waiting("Destroying what has expired"):
            done = {}
            if quarantine is not None:
                done["days"] = day_keys(opened, ring, loaded.policy.stream, quarantine.keep).destroy(now)
            if tokens is not None:
                done["tokens"] = destroy_tokens(opened, loaded, now)
            end(done)
    finally:
        opened.close()
    if json_:
        print_json(done)
        return
    if "days" in done:
        out.print(f"{counted(done['days'], 'day')} of quarantined records can no longer be opened", soft_wrap=True)
    if "tokens" in done:
        out.print(f"{counted(done['tokens'], 'token')} destroyed", soft_wrap=True)
