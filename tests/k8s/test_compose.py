"""The compose file: valid by the specification, and its parts fit each other. No engine runs it here."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from flink_masking.deployment.model import Deployment
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

IMAGES = {"FLINK_IMAGE": f"flink:2.3.0-scala_2.12-java17@sha256:{'0' * 64}", "PYTHON_IMAGE": f"python:3.11-slim@sha256:{'1' * 64}"}


@pytest.fixture(scope="module")
def folder():
    """The folder of the compose file."""
    return Path(__file__).resolve().parents[2] / "k8s" / "compose"


@pytest.fixture(scope="module")
def body(folder):
    """The compose file, with YAML's merge keys resolved."""
    return yaml.safe_load((folder / "compose.yaml").read_text())


def test_the_file_is_valid(body):
    """The file is what the JSON Schema of the Compose Specification describes."""
    schema = json.loads((Path(__file__).with_name("compose_schema") / "compose-spec.json").read_text())
    body = {name: value for name, value in body.items() if name != "name"}  # is newer than this edition of the schema
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(body)] == []
    broken = {**body, "services": {**body["services"], "job": {"imagee": "a"}}}
    assert [error.validator for error in validator.iter_errors(broken)] == ["additionalProperties"]


def test_compose_takes_the_file(folder):
    """Docker Compose, where it is installed, interpolates and accepts it; without the digests of base images it says what to name."""
    command = next((one for one in (["docker", "compose"], ["docker-compose"]) if shutil.which(one[0]) and subprocess.run(
        [*one, "version"], capture_output=True, check=False).returncode == 0), None)
    if command is None:
        pytest.skip("Docker Compose is not installed")
    run = [*command, "-f", "compose.yaml", "config", "--quiet"]
    environment = {name: value for name, value in os.environ.items() if name not in IMAGES}
    found = subprocess.run(run, cwd=folder, env={**environment, **IMAGES}, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    without = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "by digest" in without.stderr


def test_services_are_those_of_a_job(body):
    """Broker, registry, job, Prometheus and Grafana are there; every image has a version, and ports are published on loopback only."""
    services = body["services"]
    assert {"broker", "registry", "jobmanager", "taskmanager", "job", "prometheus", "grafana"} <= set(services)
    for name, service in services.items():
        image = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["image"])
        assert re.search(r":[\w.-]+$", image) and not image.endswith(":latest"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert set(service.get("depends_on", ())) <= set(services)


def test_every_mounted_file_is_there(body, folder):
    """Each path that a service mounts is a file of the repository or a volume of the file, and configuration is read-only."""
    for service in body["services"].values():
        for mount in service.get("volumes", ()):
            source, _, *mode = mount.split(":")
            if source.startswith("."):
                assert (folder / source).is_file() and mode == ["ro"], mount
            else:
                assert source in body["volumes"], mount


def test_job_and_topics_fit(body, folder):
    """The deployment has a sink for every view of the mounted policy, and every topic that it names is created."""
    policy = load(PolicySource.read(folder / "../../flink_masking/examples/customer_events.yaml")).policy
    deployment = Deployment.read(folder / "deployment.yaml")
    deployment.require([*policy.segments, "audit", "quarantine"])
    script = body["services"]["events"]["command"][0]
    created = set(re.search(r"for topic in (.*?); do", script, re.DOTALL)[1].replace("\\", " ").split())
    assert created == {deployment.source["topic"], *(sink["topic"] for sink in deployment.sinks.values())}
    for options in (deployment.source, *deployment.sinks.values()):
        host, port = options["properties.bootstrap.servers"].split(":")
        assert host in body["services"]
        assert f"INSIDE://{host}:{port}" in body["services"]["broker"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for option, file in (("--policy", "policy.yaml"), ("--deployment", "deployment.yaml")):
        command = body["services"]["job"]["command"]
        target = command[command.index(option) + 1]
        assert target.endswith(file) and any(mount.split(":")[1] == target for mount in body["services"]["job"]["volumes"])


def test_metrics_are_scraped_and_shown(body, folder):
    """Prometheus asks the services at the port of Flink's reporter, with the labels that the dashboard selects by, and Grafana has it."""
    flink = yaml.safe_load((folder / "flink.yaml").read_text())
    port = flink["metrics.reporter.prom.port"]
    [scraped] = yaml.safe_load((folder / "prometheus.yaml").read_text())["scrape_configs"]
    targets = {target: static["labels"] for static in scraped["static_configs"] for target in static["targets"]}
    assert set(targets) == {f"jobmanager:{port}", f"taskmanager:{port}"} and flink["metrics.reporters"] == "prom"
    text = (folder / "../monitoring/dashboard.json").read_text()
    assert all({"namespace", "pod"} <= set(labels) for labels in targets.values()) and "namespace" in text
    [provider] = yaml.safe_load((folder / "grafana/dashboards.yaml").read_text())["providers"]
    mounted = [mount.split(":")[1] for mount in body["services"]["grafana"]["volumes"]]
    assert any(path.startswith(provider["options"]["path"]) for path in mounted)
    [source] = yaml.safe_load((folder / "grafana/datasource.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and source["isDefault"]
