"""``flink-masking rekey``: a masked segment's values from one key version to another."""

from typing import Annotated

import typer

from flink_masking.cli.accountable import Grants, under_grant
from flink_masking.cli.audit_target import Audit, event_log
from flink_masking.cli.options import Json
from flink_masking.cli.rewrite import Input, Keys, Output, Policy, Segment


def rekey(
    policy: Policy,
    segment: Segment,
    input_: Input,
    output: Output,
    keys: Keys,
    source: Annotated[int, typer.Option("--from-version", min=1, help="Key version of the values so far.", show_default=False)],
    target: Annotated[int, typer.Option("--to-version", min=1, help="Key version from now on.", show_default=False)],
    actor: Annotated[str | None, typer.Option("--actor", help="Who runs it; written to the audit.", show_default="the user's name")] = None,
    purpose: Annotated[str, typer.Option("--purpose", help="Purpose; written to the audit.")] = "rotation of keys",
    audit: Audit = None,
    grants: Grants = None,
    json_: Json = False,
) -> None:
    """Protect the reversible fields of a masked segment of POLICY with another key version.

    Needed before a version is destroyed, and where old values shall join with new ones. Tokens depend on no key version and stay; so
    does all else, byte for byte. Clear values are in memory only. What was done is appended to OUTPUT.audit.jsonl.
    """
    import os

    from flink_masking.audit.accountable import audited, told
    from flink_masking.cli import rewrite as files
    from flink_masking.cli.console import counted, out, print_json
    from flink_masking.keys.providers import open_ring
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.records.inputs import Input as Records
    from flink_masking.tools.rekey import Rekey
    from flink_masking.tools.reverse import limited

    actor = actor or os.environ.get("USER") or f"uid {os.getuid()}"
    who = {"actor": told("--actor", actor), "purpose": told("--purpose", purpose)}
    loaded = load(PolicySource.read(policy))
    files.check_places(input_, output)
    records = Records.of(input_, loaded.policy.format)
    loaded = loaded.of_files(records.columns)
    ring = open_ring(keys)
    step = Rekey(loaded, segment, ring, source, target, os.urandom)
    log = event_log(audit, output.with_name(f"{output.name}.audit.jsonl"), ring, loaded.policy.stream, loaded.policy.version,
                    loaded.source.digest)
    facts = {**who, "segment": segment, "fields": list(step.fields), "from_version": source, "to_version": target}
    grant = under_grant(loaded, segment, list(step.fields), grants, ring, log, "rekey", facts)
    with audited(log, "rekey", facts) as end:
        def done() -> None:
            end({"records": step.records, "values": {p: {"technique": step.techniques[p], **c} for p, c in step.fields.items()}})

        files.rewrite(records, output, limited(grant, step, lambda: step.records), done, step.header)
    if json_:
        print_json({"output": str(output), "records": step.records, "fields": step.fields})
        return
    out.print(f"{counted(step.records, 'record')} with {', '.join(step.fields)} under key version {target}: {output}", soft_wrap=True)
