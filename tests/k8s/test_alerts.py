"""Alert rules over recorded series, by Prometheus' own tool: each fires when it has to, and stays quiet when a job starts slowly."""

import os
import re
from pathlib import Path

import pytest
from kustomize import documents
from promtool import SWITCH, Unavailable, cases, failures, promtool
from record_series import series

CASES = cases(Path(__file__).parent / "alerts")
SLOW_START = "a slow start"
"""The case that every alert has: a TaskManager that takes minutes until the job runs."""


@pytest.fixture(scope="session")
def tool():
    """Promtool; without it the tests are skipped, or fail under FLINK_MASKING_ALERTS=1."""
    try:
        return promtool()
    except Unavailable as reason:
        if os.environ.get(SWITCH) == "1":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def rules(k8s):
    """The alert rules by name."""
    [document] = documents(k8s / "monitoring" / "alerts.yaml")
    return {rule["alert"]: rule for group in document["spec"]["groups"] for rule in group["rules"]}


def parameters():
    """Every case with its alert's name."""
    for alert, given in CASES.items():
        for case in given:
            yield pytest.param(alert, case, id=f"{alert}: {case['case']}")


@pytest.mark.parametrize(("alert", "case"), list(parameters()))
def test_the_alert_does_what_the_case_says(tool, rules, tmp_path, alert, case):
    """Over the case's series the rule fires at the times that the case names, with those labels, and at no other time it names."""
    assert "" == failures(tool, tmp_path, [rules[alert]], case)


@pytest.mark.parametrize("alert", CASES)
@pytest.mark.parametrize("expression", ["vector(1)", "vector(1) > 2"])
def test_a_rule_that_always_or_never_fires_fails_its_cases(tool, rules, tmp_path, alert, expression):
    """The cases of an alert tell its rule from one that fires at all times and from one that never does."""
    broken = {**rules[alert], "expr": expression}
    broken.pop("for", None)
    found = []
    for at, case in enumerate(CASES[alert]):
        (tmp_path / str(at)).mkdir()
        found.append(failures(tool, tmp_path / str(at), [broken], case))
    assert any(found)


def test_every_alert_has_cases(rules):
    """Each alert has a case in which it fires, one in which it stays quiet, and a slow start; there are no cases of others."""
    assert set(rules) == set(CASES)
    for alert, given in CASES.items():
        assert any("fires" in case for case in given), alert
        assert any("quiet" in case for case in given), alert
        assert SLOW_START in [case["case"] for case in given], alert
        assert all(("fires" in case) or ("quiet" in case) for case in given), alert


def test_every_series_is_one_that_its_rule_reads(rules):
    """A case's series belong to metrics that the rule names: a misspelt one would keep an alert quiet for the wrong reason."""
    for alert, given in CASES.items():
        for case in given:
            for name in case["series"]:
                assert name.partition("{")[0] in rules[alert]["expr"], (alert, case["case"])
                assert 'app="flink-masking"' in name, (alert, case["case"])


def test_zeros_are_not_written_as_a_hexadecimal_number():
    """promtool reads 0x40 as the one value 64, and not as 41 zeros."""
    assert [] == [(alert, values) for alert, given in CASES.items() for case in given for values in case["series"].values()
                  if re.search(r"(?<!\S)0x", str(values))]  # fmt: skip


def test_what_reporters_say_becomes_series():
    """Readings of reporters become one text of values each, with gaps where nobody answered; other metrics are left out."""
    first = '# TYPE x gauge\nflink_x{job_id="7",segment="s",} 1.0\nflink_other 3.0\n'
    second, third = first.replace("1.0", "2.0"), first.replace("1.0", "0.0")
    found = series([[], [], [first], [first], [second], [], [third], [third]], re.compile("_x$"))
    assert {'flink_x{app="flink-masking",namespace="n",segment="s"}': "_x2 1x1 2 _ 0+0x1"} == found
