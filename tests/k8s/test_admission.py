"""The admission policy: the JobManager creates TaskManagers, and no pod that reaches another Secret of the namespace."""

import copy

import kubernetes_validate
import pytest
from k8s_rules import complete
from kustomize import documents

ACCOUNT = "system:serviceaccount:flink-masking:flink-masking"


@pytest.fixture
def policy(k8s):
    """The policy's `spec`."""
    [found] = [o for o in documents(k8s / "admission" / "pods.yaml") if o["kind"] == "ValidatingAdmissionPolicy"]
    return found["spec"]


@pytest.fixture
def pod(production):
    """A TaskManager as Flink creates it and as Kubernetes completes it before policies see it."""
    spec = copy.deepcopy(complete(production)[1])
    [container] = spec["containers"]
    spec["serviceAccountName"] = "flink-masking-worker"
    container["image"] = "registry.example.com/flink-masking:0.2.0"
    spec["volumes"].append({"name": "flink-config-volume", "configMap": {"name": "flink-config-flink-masking"}})
    spec["volumes"].append({"name": "kube-api-access-x", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}, {"downwardAPI": {}}]}})
    return spec


def decide(policy, pod, user=ACCOUNT):
    """What the policy says of a pod: None where it is not asked, else the messages of all that fail."""
    cel = pytest.importorskip("cel", reason="an evaluator of CEL is not installed: pip install common-expression-language")
    request = {"userInfo": {"username": user}, "namespace": "flink-masking"}
    if not all(cel.evaluate(condition["expression"], {"request": request}) for condition in policy["matchConditions"]):
        return None
    variables = {one["name"]: cel.evaluate(one["expression"], {"object": {"spec": pod}}) for one in policy["variables"]}
    context = {"object": {"spec": pod}, "request": request, "variables": variables}
    return [rule["message"] for rule in policy["validations"] if not cel.evaluate(rule["expression"], context)]


def test_task_managers_are_admitted(policy, pod):
    """The pod that Flink creates from the templates of production passes, with all that Kubernetes adds to it."""
    assert [] == decide(policy, pod)


def test_nobody_else_is_asked(policy, pod):
    """Pods of other accounts, Deployments' among them, and of an account of that name in another namespace are none of its business."""
    for user in ("system:serviceaccount:kube-system:replicaset-controller", "jane", "system:serviceaccount:other:flink-masking"):
        assert decide(policy, pod, user) is None


@pytest.mark.parametrize("name", ["flink-masking-rest-tls", "flink-masking-internal-ca", "flink-masking-health-tls", "other"])
@pytest.mark.parametrize("way", ["volume", "projected", "variable", "init", "environment"])
def test_other_secrets_are_out_of_reach(policy, pod, name, way):
    """No Secret but a TaskManager's is reached by a volume, a projection, a variable, an init container or a whole environment."""
    container = pod["containers"][0]
    if way == "volume":
        pod["volumes"].append({"name": "more", "secret": {"secretName": name}})
    elif way == "projected":
        pod["volumes"].append({"name": "more", "projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {"name": name}}]}})
    elif way == "environment":
        container["envFrom"] = [{"secretRef": {"name": name}}]
    else:
        variable = {"name": "X", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}
        (container if way == "variable" else pod.setdefault("initContainers", [{"name": "i"}])[0]).setdefault("env", []).append(variable)
    assert 1 == len(decide(policy, pod))


@pytest.mark.parametrize("volume", [{"hostPath": {"path": "/"}}, {"csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}},
                                    {"flexVolume": {"driver": "d", "secretRef": {"name": "s"}}}, {"secret": {}}])  # fmt: skip
def test_volumes_that_may_lead_to_secrets_are_refused(policy, pod, volume):
    """Volumes of kinds that a TaskManager does not use are refused, whatever they refer to."""
    pod["volumes"].append({"name": "more", **volume})
    assert 1 == len(decide(policy, pod))


def test_other_accounts_cannot_be_taken(policy, pod):
    """A pod of the JobManager's own account, or of the default one, is refused."""
    for account in ("flink-masking", "default", ""):
        pod["serviceAccountName"] = account
        assert 1 == len(decide(policy, pod))


def test_the_secrets_are_those_of_task_managers(policy, production):
    """The list of Secrets is what the TaskManager's template mounts and reads: a new one has to be added to it."""
    taskmanager = complete(production)[1]
    used = {v["secret"]["secretName"] for v in taskmanager["volumes"] if "secret" in v}
    used |= {e["valueFrom"]["secretKeyRef"]["name"] for c in taskmanager["containers"] for e in c["env"] if "valueFrom" in e}
    [listed] = [one["expression"] for one in policy["variables"] if one["name"] == "secrets"]
    assert used == {word.strip(" '[]") for word in listed.split(",")}


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_the_policy_is_one_for_kubernetes(k8s, version):
    """Policy and binding keep to the schema of their kind, and the binding denies."""
    found = documents(k8s / "admission" / "pods.yaml")
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)
    [binding] = [one["spec"] for one in found if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert "Deny" in binding["validationActions"]
    assert found[0]["metadata"]["name"] == binding["policyName"]
