"""The command tree of ``flink-masking``. The modules of commands import typer only; what they work with comes when they run."""

from typing import Annotated

import typer

from flink_masking import __version__
from flink_masking.cli import (
    acl,
    alerts,
    audit,
    broker,
    check,
    compliance,
    contract,
    control,
    demo,
    docs,
    dp,
    erase,
    example,
    generate,
    grant,
    health,
    identity,
    jars,
    keys,
    leaks,
    lineage,
    logs,
    package,
    policy,
    preflight,
    preview,
    quarantine,
    registry,
    rekey,
    replay,
    report,
    retention,
    run,
    scan,
    schema,
    sql,
    studio,
    techniques,
    trust,
    unmask,
    verify,
)
from flink_masking.cli.exits import add_epilogs

app = typer.Typer(
    name="flink-masking",
    help="Protects personal data in streams: one policy; masked, anonymized and aggregated streams out.",
    epilog="The manual: flink-masking docs says where it is, flink-masking docs tutorial prints the page to begin with.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and those hold what records hold
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flink-masking {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Protects personal data in streams: one policy; masked, anonymized and aggregated streams out."""


app.command("check")(check.check)
app.command("schema")(schema.schema)
app.command("techniques")(techniques.techniques)

_keys = typer.Typer(help="Create and maintain key rings.", no_args_is_help=True, rich_markup_mode=None)
_keys.command("new")(keys.new)
_keys.command("add")(keys.add)
_keys.command("promote")(keys.promote)
_keys.command("disable")(keys.disable)
_keys.command("enable")(keys.enable)
_keys.command("destroy")(keys.destroy)
_keys.command("list")(keys.list_)
_keys.command("export")(keys.export)
_keys.command("restore")(keys.restore)
_keys.command("rewrap")(keys.rewrap)
_keys.command("signer")(keys.signer)
_keys.command("sign")(keys.sign)
app.add_typer(_keys, name="keys")

app.command("example")(example.example)
app.command("generate")(generate.generate)
app.command("scan")(scan.scan)
app.command("preview")(preview.preview)
app.command("run")(run.run)
app.command("package")(package.package)
app.command("unmask")(unmask.unmask)
app.command("rekey")(rekey.rekey)
app.command("erase")(erase.erase)
app.command("verify")(verify.verify)
app.command("leaks")(leaks.leaks)

_quarantine = typer.Typer(help="Inspect and replay quarantined records.", no_args_is_help=True, rich_markup_mode=None)
_quarantine.command("show")(quarantine.show)
_quarantine.command("summary")(quarantine.summary)
_quarantine.command("replay")(replay.replay)
app.add_typer(_quarantine, name="quarantine")

_audit = typer.Typer(help="Seal audit events into a log that others can verify.", no_args_is_help=True, rich_markup_mode=None)
_audit.command("key")(audit.key)
_audit.command("seal")(audit.seal)
_audit.command("verify")(audit.verify)
_audit.command("trace")(audit.trace)
_audit.command("proof")(audit.proof)
_audit.command("serve")(audit.serve)
_audit.command("schema")(audit.schema)
app.add_typer(_audit, name="audit")

_sql = typer.Typer(help="Functions and jobs for Flink SQL.", no_args_is_help=True, rich_markup_mode=None)
_sql.command("functions")(sql.functions)
_sql.command("job")(sql.job)
_sql.command("client-setup")(sql.client_setup)
app.add_typer(_sql, name="sql")

_dp = typer.Typer(help="Differential privacy of aggregated segments.", no_args_is_help=True, rich_markup_mode=None)
_dp.command("explain")(dp.explain)
app.add_typer(_dp, name="dp")

_contract = typer.Typer(help="Schemas, tags and data contracts of streams and views.", no_args_is_help=True, rich_markup_mode=None)
_contract.command("pull")(contract.pull)
_contract.command("check")(contract.check)
_contract.command("diff")(contract.diff)
_contract.command("export")(contract.export)
app.add_typer(_contract, name="contract")

app.command("retention")(retention.retention)

_policy = typer.Typer(help="Begin, compare, test and publish policies.", no_args_is_help=True, rich_markup_mode=None)
_policy.command("new")(policy.new)
_policy.command("diff")(policy.diff)
_policy.command("test")(policy.test)
_policy.command("publish")(policy.publish)
app.add_typer(_policy, name="policy")

_identity = typer.Typer(help="Keys of people and services that sign control documents.", no_args_is_help=True, rich_markup_mode=None)
_identity.command("new")(identity.new)
_identity.command("show")(identity.show)
app.add_typer(_identity, name="identity")

_control = typer.Typer(help="Signed documents that running jobs take: policies, grants, erasures.", no_args_is_help=True,
                       rich_markup_mode=None)
_control.command("sign")(control.sign)
_control.command("approve")(control.approve)
_control.command("publish")(control.publish)
_control.command("revoke")(control.revoke)
_control.command("list")(control.list_)
_control.command("verify")(control.verify)
_trust = typer.Typer(help="The file that says whose signatures count.", no_args_is_help=True, rich_markup_mode=None)
_trust.command("new")(trust.new)
_trust.command("next")(trust.next_)
_trust.command("show")(trust.show)
_control.add_typer(_trust, name="trust")
app.add_typer(_control, name="control")

_grant = typer.Typer(help="Exceptions for a while: granted views and reverse operations.", no_args_is_help=True, rich_markup_mode=None)
_grant.command("request")(grant.request)
_grant.command("approve")(grant.approve)
_grant.command("publish")(grant.publish)
_grant.command("revoke")(grant.revoke)
_grant.command("list")(grant.list_)
_grant.command("show")(grant.show)
app.add_typer(_grant, name="grant")

_alerts = typer.Typer(help="Alerts from the audit, the quarantine and leak findings.", no_args_is_help=True, rich_markup_mode=None)
_alerts.command("check")(alerts.check)
_alerts.command("test")(alerts.test)
_alerts.command("watch")(alerts.watch)
_alerts.command("publish")(alerts.publish)
_alerts.command("schema")(alerts.schema)
app.add_typer(_alerts, name="alerts")

app.command("studio")(studio.studio)
app.command("compliance")(compliance.compliance)
app.command("report")(report.report)
app.command("lineage")(lineage.lineage)
app.command("acl")(acl.acl)

app.command("jars")(jars.jars)
app.command("preflight")(preflight.preflight)
app.command("health")(health.health)
app.command("log-config")(logs.log_config)

app.command("docs")(docs.docs)
app.command("demo")(demo.demo)
app.command("broker")(broker.broker)
app.command("registry")(registry.registry)

add_epilogs(app)
