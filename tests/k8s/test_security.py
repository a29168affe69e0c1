"""The security rules hold for each overlay, and each of them finds the manifests that break it."""

import pytest
from k8s_rules import RULES, of_kind


def flink(objects):
    """The FlinkDeployment's `spec`, to be changed."""
    [found] = of_kind(objects, "FlinkDeployment")
    return found["spec"]


def named(objects, kind, name):
    """One object, to be changed."""
    [found] = [o for o in of_kind(objects, kind) if o["metadata"]["name"] == name]
    return found


def pod(objects):
    """The common pod template's `spec`."""
    return flink(objects)["podTemplate"]["spec"]


def container(objects):
    """The common pod template's container."""
    return pod(objects)["containers"][0]


def setting(name, value):
    """A change of one Flink setting; None takes it out."""
    def change(objects):
        settings = flink(objects)["flinkConfiguration"]
        settings.pop(name, None)
        if value is not None:
            settings[name] = value
    return change


def within(find, *path, value):
    """A change of one member somewhere inside; None takes it out."""
    def change(objects):
        target = find(objects)
        for step in path[:-1]:
            target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
        if value is None:
            del target[path[-1]]
        else:
            target[path[-1]] = value
    return change


def without(kind, name):
    """An object taken out."""
    def change(objects):
        objects.remove(named(objects, kind, name))
    return change


def more(*items):
    """Objects put in."""
    def change(objects):
        objects.extend(items)
    return change


def beside(find, *path, item):
    """An item more in a list somewhere inside."""
    def change(objects):
        target = find(objects)
        for step in path:
            target = target.setdefault(step, []) if isinstance(target, dict) else target[step]
        target.append(item)
    return change


def policy(name):
    """The `spec` of a network policy."""
    return lambda objects: named(objects, "NetworkPolicy", name)["spec"]


def role(objects):
    """The first rule of the JobManager's role."""
    return named(objects, "Role", "flink-masking")["rules"][0]


def config(objects):
    """The policy's ConfigMap."""
    return next(o["data"] for o in of_kind(objects, "ConfigMap") if "deployment.yaml" in o["data"])


def clear_text_kafka(objects):
    """One table that speaks without TLS."""
    config(objects)["deployment.yaml"] = config(objects)["deployment.yaml"].replace("protocol: SSL", "protocol: PLAINTEXT", 1)


def task_manager_container(objects):
    """The container of the TaskManager's own template."""
    return flink(objects)["taskManager"]["podTemplate"]["spec"]["containers"][0]


def job_manager(objects):
    """The JobManager's own template's `spec`."""
    return flink(objects)["jobManager"]["podTemplate"]["spec"]


def task_manager(objects):
    """The TaskManager's own template's `spec`."""
    return flink(objects)["taskManager"]["podTemplate"]["spec"]


def health(objects):
    """The `spec` of the pod whose probe asks the job."""
    return named(objects, "Deployment", "flink-masking-health")["spec"]["template"]["spec"]


def secret(name):
    """A volume of a Secret."""
    return {"name": "more", "secret": {"secretName": name}}


def task_manager_budget(objects):
    """The `spec` of the TaskManagers' disruption budget."""
    return named(objects, "PodDisruptionBudget", "flink-masking-taskmanager")["spec"]


def account(objects):
    """The JobManager's service account."""
    return named(objects, "ServiceAccount", "flink-masking")


def meta(name):
    """Metadata of an object that is put in."""
    return {"name": name, "namespace": "flink-masking"}


BROKEN = [
    ("non_root", "missing", within(pod, "securityContext", "runAsNonRoot", value=None)),
    ("non_root", "user 0", within(pod, "securityContext", "runAsUser", value=0)),
    ("non_root", "in a container", within(container, "securityContext", "runAsNonRoot", value=False)),
    ("non_root", "in a component", within(task_manager_container, "securityContext", "runAsUser", value=0)),
    ("read_only_root", "missing", within(container, "securityContext", "readOnlyRootFilesystem", value=None)),
    ("read_only_root", "in a component", within(task_manager_container, "securityContext", "readOnlyRootFilesystem", value=False)),
    ("read_only_root", "a second container", beside(pod, "containers", item={"name": "more"})),
    ("seccomp", "missing", within(pod, "securityContext", "seccompProfile", value=None)),
    ("seccomp", "unconfined", within(container, "securityContext", "seccompProfile", value={"type": "Unconfined"})),
    ("no_privileges", "nothing dropped", within(container, "securityContext", "capabilities", value=None)),
    ("no_privileges", "some dropped", within(container, "securityContext", "capabilities", value={"drop": ["NET_RAW"]})),
    ("no_privileges", "one added", within(container, "securityContext", "capabilities", "add", value=["SYS_PTRACE"])),
    ("no_privileges", "escalation", within(container, "securityContext", "allowPrivilegeEscalation", value=None)),
    ("no_privileges", "privileged", within(container, "securityContext", "privileged", value=True)),
    ("no_host", "path", beside(pod, "volumes", item={"name": "node", "hostPath": {"path": "/var"}})),
    ("no_host", "network", within(pod, "hostNetwork", value=True)),
    ("no_host", "network by Flink", setting("kubernetes.hostnetwork.enabled", "true")),
    ("pinned_images", "latest", within(flink, "image", value="registry.example.com:5000/flink-masking:latest")),
    ("pinned_images", "no tag", within(flink, "image", value="registry.example.com:5000/flink-masking")),
    ("pinned_images", "another container", beside(pod, "initContainers", item={"name": "copy", "image": "busybox"})),
    ("kept_state", "stateless", within(flink, "job", "upgradeMode", value="stateless")),
    ("kept_state", "missing", within(flink, "job", "upgradeMode", value=None)),
    ("kept_state", "left behind", within(flink, "job", "allowNonRestoredState", value=True)),
    ("durable_storage", "no high availability", setting("high-availability.type", None)),
    ("durable_storage", "local checkpoints", setting("execution.checkpointing.dir", "file:///data/checkpoints")),
    ("durable_storage", "no savepoints", setting("execution.checkpointing.savepoint-dir", None)),
    ("default_deny", "missing", without("NetworkPolicy", "default-deny")),
    ("default_deny", "one direction", within(policy("default-deny"), "policyTypes", value=["Ingress"])),
    ("default_deny", "with a hole", within(policy("default-deny"), "egress", value=[{}])),
    ("no_allow_all", "an empty rule", beside(policy("default-deny"), "egress", item={})),
    ("no_allow_all", "everybody", within(policy("kafka"), "egress", 0, "to", value=[{"namespaceSelector": {}}])),
    ("no_allow_all", "no peers", within(policy("kafka"), "egress", 0, "to", value=None)),
    ("no_allow_all", "the internet", within(policy("object-store"), "egress", 0, "to", value=[{"ipBlock": {"cidr": "0.0.0.0/0"}}])),
    ("no_allow_all", "all ports", within(policy("dns"), "egress", 0, "ports", value=None)),
    ("secrets_by_reference", "a Secret", more({"apiVersion": "v1", "kind": "Secret", "metadata": meta("keys"), "stringData": {"k": "v"}})),
    ("secrets_by_reference", "a variable", beside(container, "env", item={"name": "AWS_SECRET_ACCESS_KEY", "value": "aaaa"})),
    ("secrets_by_reference", "a setting", setting("security.ssl.internal.keystore-password", "changeit")),
    ("secrets_by_reference", "a setting of S3", setting("s3.access-key", "aaaa")),
    ("secrets_by_reference", "a deployment", within(config, "deployment.yaml", value="source: {properties.password: hunter2}")),
    ("secrets_by_reference", "a key", within(config, "client.pem", value="-----BEGIN PRIVATE KEY-----")),
    ("resources", "no memory", within(flink, "taskManager", "resource", "memory", value=None)),
    ("resources", "no cpu", within(flink, "jobManager", "resource", "cpu", value=None)),
    ("resources", "a volume without limit", beside(pod, "volumes", item={"name": "more", "emptyDir": {}})),
    ("disruption_budgets", "no JobManager's", without("PodDisruptionBudget", "flink-masking-jobmanager")),
    ("disruption_budgets", "no TaskManagers'", without("PodDisruptionBudget", "flink-masking-taskmanager")),
    ("disruption_budgets", "a share", within(task_manager_budget, "minAvailable", value="50%")),
    ("internal_tls", "off", setting("security.ssl.internal.enabled", "false")),
    ("internal_tls", "REST off", setting("security.ssl.rest.enabled", None)),
    ("internal_tls", "REST for everybody", setting("security.ssl.rest.authentication-enabled", "false")),
    ("internal_tls", "no store", setting("security.ssl.internal.truststore", None)),
    ("internal_tls", "old", setting("security.ssl.protocol", "TLSv1")),
    ("kafka_tls", "one table in clear", clear_text_kafka),
    ("least_privilege", "every verb", within(role, "verbs", value=["*"])),
    ("least_privilege", "every resource", within(role, "resources", value=["*"])),
    ("least_privilege", "secrets", beside(role, "resources", item="secrets")),
    ("least_privilege", "a cluster role", more({"kind": "ClusterRole", "metadata": {"name": "all"}, "rules": []})),
    ("no_stray_tokens", "mounted", within(account, "automountServiceAccountToken", value=None)),
    ("no_stray_tokens", "default account", within(flink, "serviceAccount", value="default")),
    ("no_stray_tokens", "the probe's", within(health, "automountServiceAccountToken", value=None)),
    ("read_only_mounts", "keys for writing", within(task_manager_container, "volumeMounts", 0, "readOnly", value=False)),
    ("read_only_mounts", "keys for all", within(job_manager, "volumes", 1, "secret", "defaultMode", value=0o444)),
    ("read_only_mounts", "no mode", within(task_manager, "volumes", 1, "secret", "defaultMode", value=None)),
    ("no_spare_secrets", "REST's key", beside(task_manager, "volumes", item=secret("flink-masking-rest-tls"))),
    ("no_spare_secrets", "the policy", beside(task_manager, "volumes", item={"name": "policy", "configMap": {"name": "policy"}})),
    ("no_spare_secrets", "keys at the probe", beside(health, "volumes", item=secret("flink-masking-keys"))),
    ("no_spare_secrets", "an authority", beside(job_manager, "volumes", item=secret("flink-masking-internal-ca"))),
    ("asks_the_job", "nothing does", without("Deployment", "flink-masking-health")),
    ("asks_the_job", "a port", within(health, "containers", 0, "readinessProbe", value={"tcpSocket": {"port": 8081}})),
    ("asks_the_job", "Flink's own pod", within(task_manager_container, "readinessProbe", value={"exec": {"command": ["true"]}})),
    ("resources", "the probe's", within(health, "containers", 0, "resources", "limits", value={"cpu": 1})),
    ("non_root", "the probe", within(health, "securityContext", "runAsNonRoot", value=None)),
    ("pinned_images", "the probe's", within(health, "containers", 0, "image", value="flink-masking")),
    ("restricted_namespace", "baseline", within(lambda o: of_kind(o, "Namespace")[0]["metadata"]["labels"],
                                                "pod-security.kubernetes.io/enforce", value="baseline")),
    ("not_exposed", "ingress", within(flink, "ingress", value={"template": "example.com"})),
    ("not_exposed", "load balancer", setting("kubernetes.rest-service.exposed.type", "LoadBalancer")),
    ("not_exposed", "programs", setting("web.submit.enable", None)),
    ("not_exposed", "a service", more({"apiVersion": "v1", "kind": "Service", "metadata": meta("open"), "spec": {"type": "NodePort"}})),
    ("probes", "none", within(task_manager_container, "livenessProbe", value=None)),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_overlay_keeps_the_rule(objects, rule):
    """The rendered overlay has no fault under the rule."""
    assert list(RULES[rule](objects)) == []


@pytest.mark.parametrize(("rule", "change"), [pytest.param(rule, change, id=f"{rule}: {what}") for rule, what, change in BROKEN])
def test_a_broken_manifest_is_found(production, rule, change):
    """The rule finds the fault that a manifest was given."""
    change(production)
    assert list(RULES[rule](production))


def test_every_rule_is_shown_to_fail():
    """No rule is without a manifest that breaks it."""
    assert set(RULES) == {rule for rule, _, _ in BROKEN}
