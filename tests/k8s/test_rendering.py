"""The overlays as they are rendered: by this suite's renderer and by kubectl, and what hangs together in them."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml


def by_name(objects):
    """Objects by kind and name."""
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def test_the_rendering_is_that_of_kubectl(objects, overlay, k8s):
    """What this suite examines is, object by object, what `kubectl kustomize` prints."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl on this machine: its rendering cannot be compared")
    done = subprocess.run([kubectl, "kustomize", str(k8s / "overlays" / overlay)], capture_output=True, text=True, timeout=60, check=True)
    printed = list(yaml.safe_load_all(done.stdout))
    assert by_name(printed) == by_name(objects)
    assert len(printed) == len(objects)


def test_everything_is_in_the_namespace(objects):
    """Every object lies in the overlay's namespace, which the overlay makes itself."""
    [namespace] = [o["metadata"]["name"] for o in objects if o["kind"] == "Namespace"]
    assert {namespace} == {o["metadata"]["namespace"] for o in objects if o["kind"] != "Namespace"}


def test_a_changed_policy_changes_the_deployment(objects):
    """The name of the policy's ConfigMap goes with its contents, so that the operator upgrades the job when the policy changes."""
    [name] = [o["metadata"]["name"] for o in objects if o["kind"] == "ConfigMap" and "policy.yaml" in o["data"]]
    [deployment] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    [mounted] = [v["configMap"]["name"] for v in deployment["spec"]["podTemplate"]["spec"]["volumes"] if "configMap" in v]
    assert name == mounted
    assert name.startswith("flink-masking-policy-")


def test_every_secret_of_production_has_a_source(production):
    """Each Secret that pods mount or read is made by an ExternalSecret or a Certificate of the overlay."""
    made = {o["spec"]["target"]["name"] for o in production if o["kind"] == "ExternalSecret"}
    made |= {o["spec"]["secretName"] for o in production if o["kind"] == "Certificate"}
    [deployment] = [o for o in production if o["kind"] == "FlinkDeployment"]
    pod = deployment["spec"]["podTemplate"]["spec"]
    used = {v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
    used |= {e["valueFrom"]["secretKeyRef"]["name"] for c in pod["containers"] for e in c["env"] if "valueFrom" in e}
    used |= {o["spec"]["keystores"]["pkcs12"]["passwordSecretRef"]["name"] for o in production
             if o["kind"] == "Certificate" and "keystores" in o["spec"]}
    assert used
    assert used <= made


def test_the_operator_reaches_the_rest_endpoint_under_a_name_of_its_certificate(objects):
    """The REST certificate holds the service's name with and without the overlay's namespace."""
    certificate = by_name(objects)["Certificate", "flink-masking-rest"]
    namespace = certificate["metadata"]["namespace"]
    names = {f"flink-masking-rest{domain}" for domain in ("", f".{namespace}", f".{namespace}.svc")}
    assert names == set(certificate["spec"]["dnsNames"])


def test_paths_in_the_job_are_mounted(objects):
    """Stores, policy, deployment and keys lie under a mount, and what Flink writes lies on a writable one."""
    [deployment] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    [container] = deployment["spec"]["podTemplate"]["spec"]["containers"]
    read_only = [m["mountPath"] for m in container["volumeMounts"] if m.get("readOnly")]
    writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
    settings = deployment["spec"]["flinkConfiguration"]
    read = [v for v in [*deployment["spec"]["job"]["args"], *settings.values()] if str(v).startswith("/etc/")]
    read += [e["value"] for e in container["env"] if str(e.get("value")).startswith("/etc/")]
    assert len(read) == 7
    for path in read:
        assert any(Path(path).is_relative_to(mount) for mount in read_only), path
    assert settings["io.tmp.dirs"] in writable
    assert {"/tmp", "/run/flink-masking", "/opt/flink/log"} <= set(writable)


def test_network_policies_and_flink_agree_on_ports(objects):
    """Every port that Flink listens on is fixed, open to the policy of its side and to nobody else's."""
    [deployment] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    settings = {k: v for k, v in deployment["spec"]["flinkConfiguration"].items() if k.endswith("port")}
    policies = by_name(objects)

    def open_ports(name):
        return {p["port"] for rule in policies["NetworkPolicy", name]["spec"]["ingress"] for p in rule["ports"]}

    jobmanager = {"jobmanager.rpc.port", "high-availability.jobmanager.port", "blob.server.port", "metrics.internal.query-service.port",
                  "rest.port", "rest.bind-port"}
    taskmanager = {"taskmanager.rpc.port", "taskmanager.data.port", "metrics.internal.query-service.port"}
    assert {int(settings[name]) for name in jobmanager} == open_ports("jobmanager")
    assert {int(settings[name]) for name in taskmanager} == open_ports("taskmanager")
    assert {int(settings["metrics.reporter.prom.port"])} == open_ports("metrics")
    assert set(settings) == jobmanager | taskmanager | {"metrics.reporter.prom.port"}


def test_a_drain_leaves_all_but_one_task_manager(objects):
    """The budget of TaskManagers is one less than the job needs of them, so that a node can be drained, and one after the other."""
    [deployment] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    needed = deployment["spec"]["job"]["parallelism"] // int(deployment["spec"]["flinkConfiguration"]["taskmanager.numberOfTaskSlots"])
    assert needed - 1 == by_name(objects)["PodDisruptionBudget", "flink-masking-taskmanager"]["spec"]["minAvailable"]


def test_a_job_manager_stands_by_in_production(production):
    """A node that dies takes no more than one JobManager of two."""
    [deployment] = [o for o in production if o["kind"] == "FlinkDeployment"]
    assert deployment["spec"]["jobManager"]["replicas"] > 1
