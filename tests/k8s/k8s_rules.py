"""Security rules for rendered manifests; each gives the faults that it finds, in words."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import yaml

Object = dict[str, Any]
SECRET_NAME = re.compile(r"password|secret(?!s?$)|access-?key|token|credential|jaas", re.IGNORECASE)
SECRET_TEXT = re.compile(r"PRIVATE KEY|password\s*[=:]\s*[\"']?[^\s$\"'{]|AKIA[0-9A-Z]{16}|\"secret\"\s*:", re.IGNORECASE)
REACHING = {"*", "secrets", "pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token", "escalate", "bind", "impersonate"}
"""Words of a role that reach further than a job has to."""


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [o for o in objects if o["kind"] in kinds]


def deployment(objects: list[Object]) -> Object:
    """The FlinkDeployment's `spec`."""
    [found] = of_kind(objects, "FlinkDeployment")
    return dict(found["spec"])


def pods(objects: list[Object]) -> list[Object]:
    """The `spec` of every pod template: the common one, and what each component adds."""
    spec = deployment(objects)
    return [part["podTemplate"]["spec"] for part in (spec, spec["jobManager"], spec["taskManager"])]


def complete(objects: list[Object]) -> list[Object]:
    """The `spec` of every pod that runs: JobManager and TaskManager as the operator merges their templates, and those of Deployments."""
    shared, *own = pods(objects)
    return [*(_by_place(shared, part) for part in own), *(o["spec"]["template"]["spec"] for o in of_kind(objects, "Deployment"))]


def _by_place(shared: Any, own: Any) -> Any:
    """What the operator makes of two templates: members by name, items of lists by their place."""
    if isinstance(shared, dict) and isinstance(own, dict):
        return {name: _by_place(shared.get(name), own.get(name)) for name in {**shared, **own}}
    if isinstance(shared, list) and isinstance(own, list):
        return [_by_place(one, other) for one, other in zip_longest(shared, own)]
    return shared if own is None else own


def containers(objects: list[Object]) -> list[Object]:
    """Containers of all pods, those that run at the start included."""
    return [c for pod in complete(objects) for name in ("containers", "initContainers", "ephemeralContainers") for c in pod.get(name, [])]


def contexts(objects: list[Object]) -> list[Object]:
    """Security contexts of pods and containers."""
    return [holder["securityContext"] for holder in (*complete(objects), *containers(objects)) if "securityContext" in holder]


def non_root(objects: list[Object]) -> Iterator[str]:
    """Nothing runs as root."""
    if not all(pod.get("securityContext", {}).get("runAsNonRoot") is True for pod in complete(objects)):
        yield "a pod may run as root"
    for context in contexts(objects):
        if context.get("runAsUser") == 0 or context.get("runAsGroup") == 0 or context.get("runAsNonRoot") is False:
            yield "something runs as root"


def read_only_root(objects: list[Object]) -> Iterator[str]:
    """No container writes to its root file system."""
    if not all(container.get("securityContext", {}).get("readOnlyRootFilesystem") is True for container in containers(objects)):
        yield "a container's root file system is writable"


def seccomp(objects: list[Object]) -> Iterator[str]:
    """System calls are filtered."""
    if not all(pod.get("securityContext", {}).get("seccompProfile", {}).get("type") == "RuntimeDefault" for pod in complete(objects)):
        yield "a pod has no seccomp profile"
    for context in contexts(objects):
        if context.get("seccompProfile", {}).get("type") == "Unconfined":
            yield "something runs without seccomp"


def no_privileges(objects: list[Object]) -> Iterator[str]:
    """All capabilities are dropped, and none can be won."""
    for context in [container.get("securityContext", {}) for container in containers(objects)]:
        if context.get("capabilities", {}).get("drop") != ["ALL"]:
            yield "a container keeps capabilities"
        if context.get("allowPrivilegeEscalation") is not False:
            yield "a container may win privileges"
    for context in contexts(objects):
        if context.get("privileged") or context.get("allowPrivilegeEscalation") or context.get("capabilities", {}).get("add"):
            yield "something runs with privileges"


def no_host(objects: list[Object]) -> Iterator[str]:
    """Nothing of the node is shared: no directory, network, process table."""
    for pod in complete(objects):
        yield from (f"{name} is on" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name))
        yield from (f"volume {v['name']} is a hostPath" for v in pod.get("volumes", []) if "hostPath" in v)
    if str(deployment(objects)["flinkConfiguration"].get("kubernetes.hostnetwork.enabled", "false")) != "false":
        yield "kubernetes.hostnetwork.enabled is on"


def pinned_images(objects: list[Object]) -> Iterator[str]:
    """Images have a version or a digest."""
    for image in [deployment(objects).get("image", ""), *(c["image"] for c in containers(objects) if "image" in c)]:
        name = image.rpartition("/")[2]
        if "@sha256:" not in image and (":" not in name or name.endswith(":latest")):
            yield f"image {image} is not pinned"


def kept_state(objects: list[Object]) -> Iterator[str]:
    """Upgrades keep the state."""
    job = deployment(objects)["job"]
    if job.get("upgradeMode") != "savepoint":
        yield f"upgradeMode is {job.get('upgradeMode')}"
    if job.get("allowNonRestoredState"):
        yield "state may be left behind"


def durable_storage(objects: list[Object]) -> Iterator[str]:
    """Checkpoints, savepoints and what high availability needs lie in an object store."""
    settings = deployment(objects)["flinkConfiguration"]
    if settings.get("high-availability.type") != "kubernetes":
        yield "no high availability"
    for name in ("high-availability.storageDir", "execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"):
        if not str(settings.get(name)).startswith("s3://"):
            yield f"{name} is not on S3"


def default_deny(objects: list[Object]) -> Iterator[str]:
    """One policy closes the namespace in both directions."""
    closing = [p for p in of_kind(objects, "NetworkPolicy") if p["spec"]["podSelector"] == {}]
    if not any(set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"} and not p["spec"].get("ingress") and not p["spec"].get("egress")
               for p in closing):
        yield "no policy denies by default"


def no_allow_all(objects: list[Object]) -> Iterator[str]:
    """Every rule of a policy names peers and ports, and no peer is everybody."""
    for policy in of_kind(objects, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        for peers, rule in [("from", r) for r in policy["spec"].get("ingress", [])] + [("to", r) for r in policy["spec"].get("egress", [])]:
            if not rule.get(peers) or not all(port.get("port") for port in rule.get("ports") or [{}]):
                yield f"{name}: a rule without peers or ports"
            yield from (f"{name}: a peer that is everybody" for peer in rule.get(peers) or [] if _everybody(peer))


def _everybody(peer: Object) -> bool:
    if "ipBlock" in peer:
        return ipaddress.ip_network(peer["ipBlock"]["cidr"]).prefixlen < 16
    selectors = [peer[name] for name in ("podSelector", "namespaceSelector") if name in peer]
    return not selectors or any(selector == {} for selector in selectors)


def secrets_by_reference(objects: list[Object]) -> Iterator[str]:
    """No manifest holds a secret: they are mounted, or referred to by name."""
    yield from (f"Secret {o['metadata']['name']} stands in a file" for o in of_kind(objects, "Secret"))
    for container in containers(objects):
        for variable in container.get("env", []):
            if SECRET_NAME.search(variable["name"].replace("_", "-")) and "value" in variable and not variable["value"].startswith("/"):
                yield f"variable {variable['name']} has its value in the manifest"
    settings = deployment(objects)["flinkConfiguration"]
    yield from (f"setting {name} has its value in the manifest" for name in settings if SECRET_NAME.search(name))
    for config in of_kind(objects, "ConfigMap"):
        name = config["metadata"]["name"]
        yield from (f"{file} in {name} holds a secret" for file, text in config["data"].items() if SECRET_TEXT.search(text))


def resources(objects: list[Object]) -> Iterator[str]:
    """CPU, memory and disk are limited."""
    spec = deployment(objects)
    for component in ("jobManager", "taskManager"):
        given = spec[component]["resource"]
        yield from (f"{component} has no {what}" for what in ("cpu", "memory", "ephemeralStorage") if not given.get(what))
    for container in [c for o in of_kind(objects, "Deployment") for c in o["spec"]["template"]["spec"]["containers"]]:
        given = container.get("resources", {}).get("limits", {})
        yield from (f"{container['name']} has no {what}" for what in ("cpu", "memory", "ephemeral-storage") if what not in given)
    for pod in complete(objects):
        scratch = [v for v in pod.get("volumes", []) if "emptyDir" in v]
        yield from (f"volume {v['name']} has no limit" for v in scratch if "sizeLimit" not in v["emptyDir"])


def disruption_budgets(objects: list[Object]) -> Iterator[str]:
    """JobManager and TaskManagers have each a budget that works for them."""
    found = {o["spec"]["selector"]["matchLabels"].get("component"): o["spec"] for o in of_kind(objects, "PodDisruptionBudget")}
    if "jobmanager" not in found:
        yield "no budget for the JobManager"
    if not isinstance(found.get("taskmanager", {}).get("minAvailable"), int):
        yield "no budget in numbers for TaskManagers"


def internal_tls(objects: list[Object]) -> Iterator[str]:
    """Flink's own connections and its REST endpoint are encrypted, and both ends show a certificate."""
    settings = deployment(objects)["flinkConfiguration"]
    for name in ("security.ssl.internal.enabled", "security.ssl.rest.enabled", "security.ssl.rest.authentication-enabled"):
        if str(settings.get(name)) != "true":
            yield f"{name} is off"
    for side in ("internal", "rest"):
        for store in ("keystore", "truststore"):
            if not str(settings.get(f"security.ssl.{side}.{store}")).startswith("/etc/"):
                yield f"no {side} {store}"
    if settings.get("security.ssl.protocol") not in {"TLSv1.3", "TLSv1.2"}:
        yield "an old version of TLS"


def kafka_tls(objects: list[Object]) -> Iterator[str]:
    """Every table of Kafka speaks TLS."""
    for config in of_kind(objects, "ConfigMap"):
        if "deployment.yaml" not in config["data"]:
            continue
        document = yaml.safe_load(config["data"]["deployment.yaml"])
        for name, table in [("source", document["source"]), *document["sinks"].items()]:
            if "kafka" in table["connector"] and table.get("properties.security.protocol") not in {"SSL", "SASL_SSL"}:
                yield f"{name} does not speak TLS"


def least_privilege(objects: list[Object]) -> Iterator[str]:
    """Roles name what they need, in this namespace, and reach no secret and no other pod's inside."""
    for wide in of_kind(objects, "ClusterRole", "ClusterRoleBinding"):
        yield f"{wide['kind']} {wide['metadata']['name']} reaches beyond the namespace"
    for role in of_kind(objects, "Role"):
        for rule in role["rules"]:
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            yield from (f"{role['metadata']['name']} may {word}" for word in words if word in REACHING)


def no_stray_tokens(objects: list[Object]) -> Iterator[str]:
    """Pods get the token of a service account only where their template asks for it."""
    for account in of_kind(objects, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{account['metadata']['name']} mounts its token everywhere"
    for found in of_kind(objects, "Deployment"):
        if found["spec"]["template"]["spec"].get("automountServiceAccountToken") is not False:
            yield f"{found['metadata']['name']} mounts a token"
    if deployment(objects).get("serviceAccount") in {None, "default"}:
        yield "the job runs under the default service account"


def read_only_mounts(objects: list[Object]) -> Iterator[str]:
    """Configuration and secrets are mounted read-only, for root and the pod's group alone."""
    for pod in complete(objects):
        kinds = {v["name"]: v for v in pod["volumes"]}
        for container in pod["containers"]:
            for mount in container["volumeMounts"]:
                if "emptyDir" not in kinds[mount["name"]] and mount.get("readOnly") is not True:
                    yield f"{mount['name']} is mounted for writing"
        for volume in pod["volumes"]:
            if "secret" in volume and volume["secret"].get("defaultMode", 0o644) & 0o337:
                yield f"{volume['name']} can be read by others"


def no_spare_secrets(objects: list[Object]) -> Iterator[str]:
    """A pod mounts what it uses: REST's key is the JobManager's, TaskManagers have the policy from the job graph, the probe has its own."""
    jobmanager, taskmanager, *others = complete(objects)
    shared = {"flink-masking-keys", "flink-masking-kafka-client", "flink-masking-internal-tls", "flink-masking-tls-password"}
    wanted = [(jobmanager, shared | {"flink-masking-rest-tls"}), (taskmanager, shared),
              *((other, {"flink-masking-health-tls"}) for other in others)]
    for pod, names in wanted:
        mounted = {v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        yield from (f"{name} is mounted where nothing uses it" for name in sorted(mounted - names))
    if any("configMap" in volume for volume in taskmanager["volumes"]):
        yield "a TaskManager mounts the policy"
    if any(variable.get("valueFrom") for other in others for container in other["containers"] for variable in container.get("env", [])):
        yield "the probe has a secret in its environment"


def asks_the_job(objects: list[Object]) -> Iterator[str]:
    """A probe asks the job whether it is well, in a pod of its own: a job that is not well keeps its REST endpoint and its TaskManagers."""
    probes = [c.get("readinessProbe", {}).get("exec", {}).get("command", []) for o in of_kind(objects, "Deployment")
              for c in o["spec"]["template"]["spec"]["containers"]]
    if not any(command[:2] == ["flink-masking", "health"] for command in probes):
        yield "no probe asks the job"
    if any("exec" in container.get(name, {}) for pod in pods(objects) for container in pod["containers"]
           for name in ("startupProbe", "readinessProbe", "livenessProbe")):
        yield "a probe of Flink's own pods asks the job"


def restricted_namespace(objects: list[Object]) -> Iterator[str]:
    """The namespace admits restricted pods only, whoever makes them."""
    [namespace] = of_kind(objects, "Namespace")
    if namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "the namespace does not enforce the restricted standard"


def not_exposed(objects: list[Object]) -> Iterator[str]:
    """The REST endpoint stays inside the cluster and takes no programs."""
    spec = deployment(objects)
    if "ingress" in spec:
        yield "an ingress leads to the REST endpoint"
    if spec["flinkConfiguration"].get("kubernetes.rest-service.exposed.type") != "ClusterIP":
        yield "the REST service is not internal"
    if str(spec["flinkConfiguration"].get("web.submit.enable")) != "false":
        yield "the REST endpoint takes programs"
    for service in of_kind(objects, "Service", "Ingress"):
        yield f"{service['kind']} {service['metadata']['name']} leads into the namespace"


def probes(objects: list[Object]) -> Iterator[str]:
    """JobManager and TaskManagers tell whether they live and are ready."""
    for component, pod in zip(("jobManager", "taskManager"), pods(objects)[1:], strict=True):
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            if not all(name in container for container in pod["containers"]):
                yield f"{component} has no {name}"


RULES: dict[str, Callable[[list[Object]], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (non_root, read_only_root, seccomp, no_privileges, no_host, pinned_images, kept_state, durable_storage, default_deny,
                 no_allow_all, secrets_by_reference, resources, disruption_budgets, internal_tls, kafka_tls, least_privilege,
                 no_stray_tokens, read_only_mounts, restricted_namespace, not_exposed, probes, no_spare_secrets,
                 asks_the_job)
}
