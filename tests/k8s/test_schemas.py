"""Every manifest against the schemas of Kubernetes and of Flink's operator, where a member that no schema knows is a fault."""

import copy
import gzip
import os
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

KUBERNETES = ("1.30", "1.37")
"""The oldest and the newest version that the manifests are held against."""
WITHOUT_SCHEMA = {"Certificate", "ExternalSecret", "Issuer", "PodMonitor", "PrometheusRule"}
"""Kinds of other operators, whose schemas are not at hand; tests of what they hold stand beside this file."""
DEFINITION = "flinkdeployments.flink.apache.org-v1.yml"


def definition_file():
    """The operator's resource definition: from the folder that FLINK_MASKING_CRDS names, or the copy that lies here."""
    folder = os.environ.get("FLINK_MASKING_CRDS")
    if folder is None:
        return Path(__file__).parent / "crds" / f"{DEFINITION}.gz"
    file = Path(folder) / DEFINITION
    if not file.is_file():
        pytest.skip(f"FLINK_MASKING_CRDS names no folder with {DEFINITION}")
    return file


def strict(schema):
    """A schema as a resource definition has it, where members that it does not name are faults: the API server drops them in silence."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: strict(value) for name, value in schema.items()}
    closed = isinstance(schema.get("properties"), dict) and "type" in schema and not schema.get("x-kubernetes-preserve-unknown-fields")
    if closed and "additionalProperties" not in schema:
        result["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return result


@pytest.fixture(scope="module")
def flink_schema():
    """The schema of a FlinkDeployment's `spec`, strict."""
    file = definition_file()
    data = file.read_bytes()
    text = gzip.decompress(data) if file.suffix == ".gz" else data
    [version] = yaml.load(text, yaml.CSafeLoader)["spec"]["versions"]
    assert version["name"] == "v1beta1"
    return strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])


def deployment_of(objects):
    """The FlinkDeployment."""
    [found] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    return found


def pod_of(spec, component):
    """The pod that the operator makes of the common template and a component's own: containers are merged by place."""
    pod = copy.deepcopy(spec["podTemplate"]["spec"])
    own = spec[component]["podTemplate"]["spec"]
    assert set(own) == {"containers", "volumes"}
    assert "volumes" not in pod
    pod["volumes"] = own["volumes"]
    assert [c["name"] for c in pod["containers"]] == [c["name"] for c in own["containers"]]
    for container, more in zip(pod["containers"], own["containers"], strict=True):
        assert set(container) & set(more) == {"name"}
        container.update(more)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": component}, "spec": pod}


def test_the_deployment_is_one_for_the_operator(objects, flink_schema):
    """The FlinkDeployment is valid against the operator's definition, with nothing in it that the operator does not know."""
    jsonschema.Draft202012Validator(flink_schema).validate(deployment_of(objects)["spec"])


@pytest.mark.parametrize(("where", "name", "value"), [
    ((), "flinkVersion", "v9_9"),
    ((), "serviceAcount", "flink-masking"),
    (("job",), "upgradeMode", "sometimes"),
    (("job",), "parallelism", "four"),
    (("podTemplate", "spec"), "automountServiceAcountToken", True),
    (("podTemplate", "spec", "securityContext"), "runAsNonRot", True),
])
def test_faults_in_the_deployment_are_found(production, flink_schema, where, name, value):
    """Wrong values and misspelt members are refused, at the top and deep inside the pod template."""
    target = deployment_of(production)["spec"]
    for step in where:
        target = target[step]
    target[name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(flink_schema).validate(deployment_of(production)["spec"])


@pytest.mark.parametrize("version", KUBERNETES)
def test_objects_are_those_of_kubernetes(objects, version):
    """All other objects keep to the schema of their kind, except those of other operators."""
    for found in objects:
        if found["kind"] != "FlinkDeployment" and found["kind"] not in WITHOUT_SCHEMA:
            kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("component", ["jobManager", "taskManager"])
def test_pods_are_those_of_kubernetes(objects, component, version):
    """The pod that comes of a FlinkDeployment's templates keeps to Kubernetes' own schema of pods."""
    kubernetes_validate.validate(pod_of(deployment_of(objects)["spec"], component), version, strict=True)


def test_faults_in_other_objects_are_found(production):
    """A misspelt member of a NetworkPolicy is refused."""
    found = next(o for o in production if o["kind"] == "NetworkPolicy")
    found["spec"]["podSelectors"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found, KUBERNETES[-1], strict=True)
