"""``flink-masking health``: checks a running job; usable as a Kubernetes probe."""

from typing import Annotated

import typer

from flink_masking.cli.exits import verdict
from flink_masking.cli.options import Json


@verdict("a check fails, or the job does not answer")
def health(
    rest: Annotated[str, typer.Option("--rest", help="Flink's REST endpoint: http://host:8081.", show_default=False)],
    job: Annotated[str | None, typer.Option("--job", help="Name or id of the job; not needed if only one job runs.")] = None,
    max_checkpoint_age: Annotated[str | None, typer.Option("--max-checkpoint-age", help="As a duration: 10min.")] = None,
    max_restarts: Annotated[int | None, typer.Option("--max-restarts", min=0, help="Within --restart-window.")] = None,
    restart_window: Annotated[str, typer.Option("--restart-window", help="Count restarts of this period only: 15min.")] = "15min",
    max_back_pressure: Annotated[float | None, typer.Option("--max-back-pressure", min=0, max=1, help="Per step, 0 to 1.")] = None,
    max_watermark_lag: Annotated[str | None, typer.Option("--max-watermark-lag", help="Of event time behind the clock: 5min.")] = None,
    max_late_share: Annotated[float | None, typer.Option("--max-late-share", min=0, max=1, help="Share of late records, 0 to 1.")] = None,
    max_control_unreadable: Annotated[str, typer.Option("--max-control-unreadable", help="Control documents: a duration.")] = "5min",
    max_keys_unreadable: Annotated[str, typer.Option("--max-keys-unreadable", help="Unreadable key ring or vault: a duration.")] = "5min",
    ca: Annotated[str | None, typer.Option("--ca", help="PEM file that the endpoint's certificate is checked against.")] = None,
    certificate: Annotated[str | None, typer.Option("--certificate", help="PEM file: the client's certificate and its key.")] = None,
    json_: Json = False,
) -> None:
    """Check a running job and print one line per check.

    Exit codes: 0 well; 1 not well, or no answer; 2 an option that cannot be used. Figures without a limit are reported, not checked.
    """
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.exits import answer
    from flink_masking.flink_rest.control_checks import control_check
    from flink_masking.flink_rest.health import Limits, RestEndpoint, find_job, judge, observe
    from flink_masking.flink_rest.key_checks import keys_check
    from flink_masking.flink_rest.patches import patches_check
    from flink_masking.flink_rest.ports import services_check

    limits = Limits(_duration("--max-checkpoint-age", max_checkpoint_age), max_restarts, max_back_pressure,
                    _duration("--max-watermark-lag", max_watermark_lag), max_late_share,
                    _duration("--restart-window", restart_window) or 0)
    keys_limit = _duration("--max-keys-unreadable", max_keys_unreadable) or 0
    endpoint = RestEndpoint(rest, ca, certificate)
    found = find_job(endpoint, job)
    checks = [*judge(observe(endpoint, found), limits), keys_check(endpoint, found, keys_limit), services_check(endpoint, found),
              patches_check(endpoint, found),
              *control_check(endpoint, found, _duration("--max-control-unreadable", max_control_unreadable) or 0)]
    if json_:
        print_json({"job": str(found), "checks": [check._asdict() for check in checks]})
    for check in () if json_ else checks:
        out.print(f"{'ok  ' if check.well else 'FAIL'} {check.name}: {check.text}", soft_wrap=True)
    raise answer(not all(check.well for check in checks))


def _duration(option: str, text: str | None) -> int | None:
    from flink_masking.policy.durations import milliseconds

    try:
        return None if text is None else milliseconds(text)
    except ValueError:
        raise typer.BadParameter("not a duration; write 30s, 10min or 2h", param_hint=option) from None
