"""``flink-masking unmask``: decrypts reversible values for key holders and audits actor and purpose."""

from typing import Annotated

import typer

from flink_masking.cli.accountable import Actor, Grants, Purpose, under_grant
from flink_masking.cli.addresses import Vault, vault_address
from flink_masking.cli.audit_target import Audit, event_log
from flink_masking.cli.options import Json
from flink_masking.cli.rewrite import Input, Keys, Output, Policy, Segment


def unmask(
    policy: Policy,
    segment: Segment,
    input_: Input,
    output: Output,
    keys: Keys,
    actor: Actor,
    purpose: Purpose,
    vault: Vault = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="PATH", help="Only this field; give one or more.", show_default="all reversible ones"),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option("--key-version", min=1, help="For fpe values in records without a version.", show_default="the ring's primary"),
    ] = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Write null for values that cannot be opened, and count them.")
    ] = False,
    audit: Audit = None,
    grants: Grants = None,
    json_: Json = False,
) -> None:
    """Decrypt the reversible fields of a masked segment of POLICY.

    All else stays byte for byte as it is. Who, why, which fields and how many values is appended to OUTPUT.audit.jsonl, before the
    first value is opened and again when all are written.
    """
    from contextlib import ExitStack, closing

    from flink_masking.audit.accountable import audited, told
    from flink_masking.cli import rewrite as files
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.keys.providers import open_ring
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.records.inputs import Input as Records
    from flink_masking.tools.reverse import limited
    from flink_masking.tools.unmask import Unmask
    from flink_masking.vault.providers import open_vault

    who = {"actor": told("--actor", actor), "purpose": told("--purpose", purpose)}
    loaded = load(PolicySource.read(policy))
    files.check_places(input_, output)
    records = Records.of(input_, loaded.policy.format)
    loaded = loaded.of_files(records.columns)
    ring = open_ring(keys)
    places = {f"{segment}: {path}" for path in fields} if fields else {p for p in loaded.tokenised if p.startswith(f"{segment}: ")}
    with ExitStack() as held:
        tokens = places.intersection(loaded.tokenised)
        opened = held.enter_context(closing(open_vault(vault_address(vault, keys, made=True), existing=True))) if tokens else None
        step = Unmask(loaded, segment, ring, opened, fields or None, version, skip_unreadable)
        log = event_log(audit, output.with_name(f"{output.name}.audit.jsonl"), ring, loaded.policy.stream, loaded.policy.version,
                        loaded.source.digest)
        facts = {**who, "segment": segment, "fields": list(step.fields)}
        grant = under_grant(loaded, segment, list(step.fields), grants, ring, log, "unmask", facts)
        end = held.enter_context(audited(log, "unmask", facts))

        def done() -> None:
            end({"records": step.records, "values": {p: {"technique": step.techniques[p], **c} for p, c in step.fields.items()}})

        files.rewrite(records, output, limited(grant, lambda batch: step(batch).records, lambda: step.records), done, step.header)
    if json_:
        print_json({"output": str(output), "records": step.records, "fields": step.fields})
        return
    out.print(f"{counted(step.records, 'record')} with {', '.join(step.fields)} in clear: {output}", soft_wrap=True)
    if unreadable := sum(count["unreadable"] for count in step.fields.values()):
        err.print(f"{counted(unreadable, 'value')} could not be opened and {'is' if unreadable == 1 else 'are'} null", soft_wrap=True)
