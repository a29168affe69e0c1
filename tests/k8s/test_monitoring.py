"""Dashboard and alerts: expressions that Prometheus understands, over metrics and labels that exist."""

import json
import re

import promql_parser
import pytest
from kustomize import documents

from flink_masking.telemetry.metrics import METRICS

FLINK = {
    "flink_jobmanager_job_allSubTasksRunningOrFinishedTime",
    "flink_jobmanager_job_lastCheckpointDuration",
    "flink_jobmanager_job_numRestarts",
    "flink_jobmanager_job_numberOfCompletedCheckpoints",
    "flink_jobmanager_job_numberOfFailedCheckpoints",
    "flink_jobmanager_numRunningJobs",
    "flink_taskmanager_job_task_backPressuredTimeMsPerSecond",
    "flink_taskmanager_job_task_busyTimeMsPerSecond",
    "flink_taskmanager_job_task_operator_pendingRecords",
}
"""Flink's own metrics that are used."""
EVERYWHERE = {"app", "component", "job_name", "namespace", "pod", "task_name", "tm_id"}
"""Labels that Flink and the PodMonitor put on metrics."""
DECLARED = {metric.exported: metric for metric in METRICS.values()}


def dashboard(k8s):
    """The dashboard."""
    return json.loads((k8s / "monitoring" / "dashboard.json").read_text())


def alerts(k8s):
    """The alert rules."""
    [rules] = documents(k8s / "monitoring" / "alerts.yaml")
    [group] = rules["spec"]["groups"]
    return group["rules"]


def expressions(k8s):
    """Every expression with a name for where it stands; Grafana's variables are replaced by values."""
    for panel in dashboard(k8s)["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], re.sub(r"\$__\w+", "5m", target["expr"]).replace("$namespace", "n").replace("$segment", "s")
    for rule in alerts(k8s):
        yield rule["alert"], rule["expr"]


def selectors(expression):
    """The selectors of an expression."""
    found = []

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def test_every_metric_is_declared(k8s):
    """Dashboard and alerts use metrics that the library declares or that Flink has, and no others."""
    used = {(where, s.name) for where, text in expressions(k8s) for s in selectors(text)}
    assert len(used) > 30
    assert set() == {(where, name) for where, name in used if name not in DECLARED and name not in FLINK}
    assert {name for _, name in used} >= FLINK


def test_variables_of_the_dashboard_ask_for_metrics_that_exist(k8s):
    """What fills the lists of namespaces and segments are declared metrics, and labels of theirs."""
    queries = [v["query"]["query"] for v in dashboard(k8s)["templating"]["list"] if v["type"] == "query"]
    found = [re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups() for query in queries]
    assert len(found) == 2
    for name, label in found:
        assert label in EVERYWHERE | set(DECLARED[name].labels)


def test_every_label_is_one_of_its_metric(k8s):
    """Selectors and groupings name labels that the metrics carry: others would match nothing, or put all into one."""
    for where, text in expressions(k8s):
        found = selectors(text)
        for selector in found:
            labels = set(DECLARED[selector.name].labels) if selector.name in DECLARED else set()
            assert {m.name for m in selector.matchers.matchers} <= EVERYWHERE | labels, where
            grouped = {name.strip() for by in re.findall(r"\bby \(([^)]*)\)", text) for name in by.split(",")}
            assert grouped <= EVERYWHERE | labels, where


def test_every_series_is_of_this_application(k8s):
    """Nothing is summed over other jobs of the cluster: each selector names the application."""
    for where, text in expressions(k8s):
        for selector in selectors(text):
            assert ("app", "flink-masking") in {(m.name, m.value) for m in selector.matchers.matchers}, where


def test_counters_are_read_as_rates_and_gauges_are_not(k8s):
    """A counter starts from 0 with its task, so its bare figure tells nothing; a gauge has no rate."""
    for where, text in expressions(k8s):
        for name, metric in DECLARED.items():
            if re.search(rf"\b{name}\b", text):
                in_rate = re.search(rf"\b(rate|increase)\({name}\b", text) is not None
                assert in_rate == (metric.kind == "counter"), where


@pytest.mark.parametrize("text", ["sum(rate(flink_x[5m])", "sum by segment (flink_x)", "flink_x{a=b}"])
def test_broken_expressions_are_found(text):
    """What Prometheus would refuse is refused here."""
    with pytest.raises(ValueError):
        promql_parser.parse(text)


def test_alerts_say_what_to_do(k8s):
    """Every alert has a name of its own, a severity, a summary and a description."""
    rules = alerts(k8s)
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_panels_do_not_overlap(k8s):
    """Every panel has its own place on the dashboard, and its own number."""
    places = set()
    panels = dashboard(k8s)["panels"]
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places, panel["title"]
        assert at["x"] + at["w"] <= 24
        places |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_prometheus_finds_the_port(production):
    """The PodMonitor selects the pods that Flink labels, and the port that their template names."""
    [monitor] = [o for o in production if o["kind"] == "PodMonitor"]
    [deployment] = [o for o in production if o["kind"] == "FlinkDeployment"]
    [port] = deployment["spec"]["podTemplate"]["spec"]["containers"][0]["ports"]
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert {"app": deployment["metadata"]["name"]} == monitor["spec"]["selector"]["matchLabels"]
    assert port["name"] == endpoint["port"]
    assert str(port["containerPort"]) == deployment["spec"]["flinkConfiguration"]["metrics.reporter.prom.port"]


def test_the_dashboard_is_delivered(objects, k8s):
    """The overlay holds the dashboard as it stands in the repository, under the label that Grafana looks for."""
    [config] = [o for o in objects if o["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    assert dashboard(k8s) == json.loads(config["data"]["flink-masking.json"])


def test_logs_are_json(production):
    """Flink's log goes to standard output through the JSON layout, and to no file."""
    [deployment] = [o for o in production if o["kind"] == "FlinkDeployment"]
    text = deployment["spec"]["logConfiguration"]["log4j-console.properties"]
    lines = dict(line.split(" = ") for line in text.splitlines())
    assert "JsonTemplateLayout" == lines["appender.console.layout.type"]
    assert {"CONSOLE"} == {value for name, value in lines.items() if re.fullmatch(r"appender\.\w+\.type", name)}
