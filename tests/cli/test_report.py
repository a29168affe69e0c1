"""flink-masking report: a page, the same figures as JSON, and exit codes."""

import json

from released_run import released_run

from flink_masking.examples import CUSTOMER_EVENTS


def test_page_and_json_are_written(cli, tmp_path):
    """The page is written, --json prints its figures; readers come from the principals file; nothing is overwritten unasked."""
    run = released_run(tmp_path, CUSTOMER_EVENTS, 600, 200)
    principals = tmp_path / "principals.yaml"
    principals.write_text("job: User:protect\nsegments: {masked-customer-events: User:analytics}\n")
    target = tmp_path / "report.html"
    given = ["report", CUSTOMER_EVENTS, "--raw", run.raw, "--released", run.output, "--principals", principals]
    done = cli(*given, "--output", target, "--json")
    told = json.loads(done.out)
    page = target.read_text()
    assert done.code == int(any(join["singled_out"] for join in told["joins"])) and "report.html" in done.err
    assert "User:analytics" in page and "User:protect" in page and told["policy"]["stream"] in page
    assert next(one for one in told["flow"]["outputs"] if one["name"] == "masked-customer-events")["readers"] == ["User:analytics"]
    assert cli(*given, "--output", target).code == 2 and cli(*given).code == 2
    assert cli("report", CUSTOMER_EVENTS, "--raw", run.raw, "--released", tmp_path / "nowhere", "--json").code == 2


def test_why_it_ends_with_1_is_said(cli, tmp_path):
    """A page with a broken promise ends with 1, and the command names the view and the promise; values stay out of the message."""
    run = released_run(tmp_path, CUSTOMER_EVENTS, 600, 200)
    view = next((run.output / "anonymized-customer-events").glob("*"))
    view.write_text("".join(json.dumps({**json.loads(line), "john.doe": 1}) + "\n" for line in view.read_text().splitlines()))
    done = cli("report", CUSTOMER_EVENTS, "--raw", run.raw, "--released", run.output, "--output", tmp_path / "report.html")
    assert done.code == 1 and "\nbroken  anonymized-customer-events: members" in done.err and "john.doe" not in done.err, done.err
