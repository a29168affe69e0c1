"""The overlays as they are rendered: by this suite's renderer and by kubectl, and what hangs together in them."""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from k8s_rules import complete
from waiting import CLIENT_S


def by_name(objects):
    """Objects by kind and name."""
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def test_the_rendering_is_that_of_kubectl(objects, overlay, k8s):
    """What this suite examines is, object by object, what `kubectl kustomize` prints."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl on this machine: its rendering cannot be compared")
    command = [kubectl, "kustomize", str(k8s / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_S, check=True)
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
    [mounted] = [v["configMap"]["name"] for v in deployment["spec"]["jobManager"]["podTemplate"]["spec"]["volumes"] if "configMap" in v]
    assert name == mounted
    assert name.startswith("flink-masking-policy-")


def test_every_secret_of_production_has_a_source(production):
    """Each Secret that pods mount or read is made by an ExternalSecret or a Certificate of the overlay."""
    made = {o["spec"]["target"]["name"] for o in production if o["kind"] == "ExternalSecret"}
    made |= {o["spec"]["secretName"] for o in production if o["kind"] == "Certificate"}
    pods = complete(production)
    used = {v["secret"]["secretName"] for pod in pods for v in pod["volumes"] if "secret" in v}
    variables = [e for pod in pods for c in pod["containers"] for e in c.get("env", [])]
    used |= {e["valueFrom"]["secretKeyRef"]["name"] for e in variables if "valueFrom" in e}
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
    [container] = complete(objects)[0]["containers"]
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


def test_task_managers_find_what_their_settings_name(objects):
    """What a TaskManager opens (its keystores, the password, the key ring, what it writes) is mounted there, too."""
    [deployment] = [o for o in objects if o["kind"] == "FlinkDeployment"]
    [container] = complete(objects)[1]["containers"]
    mounts = {m["mountPath"]: m.get("readOnly", False) for m in container["volumeMounts"]}
    settings = deployment["spec"]["flinkConfiguration"]
    read = [v for name, v in settings.items() if str(v).startswith("/etc/") and ".ssl.internal." in name]
    read += [e["value"] for e in container["env"] if str(e.get("value")).startswith("/etc/")]
    [config] = [o["data"] for o in objects if o["kind"] == "ConfigMap" and "deployment.yaml" in o["data"]]
    tables = yaml.safe_load(config["deployment.yaml"])
    read += [v for options in (tables["source"], *tables["sinks"].values()) for v in options.values() if str(v).startswith("/etc/")]
    read.append(tables["keys"].removeprefix("file://"))
    assert len(read) > 10
    for path in read:
        assert any(readonly and Path(path).is_relative_to(mount) for mount, readonly in mounts.items()), path
    assert {settings["io.tmp.dirs"], "/tmp", "/run/flink-masking", "/opt/flink/log"} <= {mount for mount, ro in mounts.items() if not ro}


def test_volumes_have_mounts_and_mounts_have_volumes(objects):
    """In each pod that runs, every mount names a volume and every volume is mounted."""
    for pod in complete(objects):
        assert {v["name"] for v in pod["volumes"]} == {m["name"] for c in pod["containers"] for m in c["volumeMounts"]}


def test_the_probe_reaches_the_job(objects):
    """The probe's pod has the certificate that it shows, asks a name of the REST certificate, and may send to the JobManager and to DNS."""
    found = by_name(objects)
    deployment = found["Deployment", "flink-masking-health"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    command = container["readinessProbe"]["exec"]["command"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    address = urlsplit(options["--rest"])
    assert "https" == address.scheme
    assert address.hostname in found["Certificate", "flink-masking-rest"]["spec"]["dnsNames"]
    certificate = found["Certificate", "flink-masking-health"]["spec"]
    assert found["Certificate", "flink-masking-rest"]["spec"]["issuerRef"] == certificate["issuerRef"]
    assert {"client auth"} == {usage for usage in certificate["usages"] if usage.endswith("auth")}
    [volume] = [v for v in pod["volumes"] if v.get("secret", {}).get("secretName") == certificate["secretName"]]
    [mount] = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == volume["name"]]
    assert {f"{mount}/ca.crt", f"{mount}/tls-combined.pem"} == {options["--ca"], options["--certificate"]}
    rules = found["NetworkPolicy", "jobmanager"]["spec"]["ingress"]
    [rest] = [rule for rule in rules if {"protocol": "TCP", "port": 8081} in rule["ports"]]
    assert {"podSelector": {"matchLabels": labels}} in rest["from"]
    [out] = found["NetworkPolicy", "health"]["spec"]["egress"]
    assert {"matchLabels": labels} == found["NetworkPolicy", "health"]["spec"]["podSelector"]
    assert [{"protocol": "TCP", "port": address.port}] == out["ports"]
    [names] = found["NetworkPolicy", "dns"]["spec"]["podSelector"]["matchExpressions"]
    assert {labels["app"], "flink-masking"} == set(names["values"])
    assert found["FlinkDeployment", "flink-masking"]["spec"]["image"] == container["image"]


def test_the_options_of_the_probe_are_those_of_the_command(objects):
    """The command takes the probe's options: with a broken address it gets as far as to refuse that."""
    container = by_name(objects)["Deployment", "flink-masking-health"]["spec"]["template"]["spec"]["containers"][0]
    command = [word if not word.startswith("https:") else "ftp://x" for word in container["readinessProbe"]["exec"]["command"]]
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=CLIENT_S, check=False)
    assert (2, "error: --rest: no http address.") == (done.returncode, done.stderr.splitlines()[0])


def test_names_are_asked_of_the_cluster_and_of_the_node(objects):
    """Pods may ask the cluster's DNS and NodeLocal DNSCache, at its address on the node."""
    [rule] = by_name(objects)["NetworkPolicy", "dns"]["spec"]["egress"]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in rule["to"]
    assert any(peer.get("podSelector") == {"matchLabels": {"k8s-app": "kube-dns"}} for peer in rule["to"])
    assert {("UDP", 53), ("TCP", 53)} == {(port["protocol"], port["port"]) for port in rule["ports"]}


def test_there_is_room_for_the_client_beside_the_job_manager(objects):
    """Beside the JVM's own overhead the JobManager's memory has 340 MB for Python, and its heap is a gigabyte or more."""
    [deployment] = [o["spec"] for o in objects if o["kind"] == "FlinkDeployment"]
    settings = deployment["flinkConfiguration"]
    process = megabytes(deployment["jobManager"]["resource"]["memory"])
    least, most = (megabytes(settings[f"jobmanager.memory.jvm-overhead.{end}"]) for end in ("min", "max"))
    overhead = min(max(0.1 * process, least), most)
    assert overhead - 192 >= 340  # Flink's own default is 192 MB
    assert process - overhead - 256 - 128 >= 1024  # metaspace and off-heap memory as Flink has them


def megabytes(text):
    """A size of Flink's."""
    return int(text[:-1]) * {"m": 1, "g": 1024}[text[-1]]


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
