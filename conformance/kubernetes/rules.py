"""What every rendered release must hold. Each rule yields the faults that it finds."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from helm import CHART

Document = dict[str, Any]

ALERTS = CHART / "prometheus/alerts.yml"


@dataclass
class Release:
    documents: list[Document]
    rolls: bool = True
    """Whether a change of the settings must start new pods."""
    fixed_user: bool = True
    """Whether the chart, and not the cluster, chooses the user."""

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    @property
    def workload(self) -> Document:
        return self.of_kind("Deployment")[0]

    @property
    def template(self) -> Document:
        template: Document = self.workload["spec"]["template"]
        return template

    @property
    def pod(self) -> Document:
        pod: Document = self.template["spec"]
        return pod

    @property
    def gateway(self) -> Document:
        return next(it for it in self.pod["containers"] if it["name"] == "portcullis")

    @property
    def text(self) -> str:
        """The settings of Portcullis."""
        text: str = self.of_kind("ConfigMap")[0]["data"]["portcullis.toml"]
        return text

    @property
    def settings(self) -> Document:
        return tomllib.loads(self.text)

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.gateway["ports"]}


def pods_have_no_token(release: Release) -> Iterator[str]:
    if release.pod.get("automountServiceAccountToken") is not False:
        yield "the pod mounts the token of its ServiceAccount"
    for account in release.of_kind("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield "the ServiceAccount mounts its token"


def pods_are_unprivileged(release: Release) -> Iterator[str]:
    pod = release.pod
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True:
        yield "the pod does not demand a user other than root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "the pod has no seccomp profile"
    if release.fixed_user and security.get("runAsUser", 0) == 0:
        yield "the pod names no user"
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(name):
            yield f"the pod has {name}"
    if any("hostPath" in volume for volume in pod["volumes"]):
        yield "the pod mounts a folder of its node"


def containers_are_unprivileged(release: Release) -> Iterator[str]:
    inherited = release.pod.get("securityContext", {})
    for container in release.pod["containers"]:
        security = container.get("securityContext", {})
        own = container["name"] == "portcullis"
        effective = security if own else inherited | security
        name = container["name"]
        if effective.get("runAsNonRoot") is not True:
            yield f"{name} may run as root"
        if effective.get("runAsUser") == 0 or (
            own and release.fixed_user and "runAsUser" not in security
        ):
            yield f"{name} names no user other than root"
        if effective.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if security.get("readOnlyRootFilesystem") is not True:
            yield f"{name} can write to its image"
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{name} can gain privileges"
        if security.get("privileged") not in (None, False):
            yield f"{name} is privileged"
        if security.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} keeps capabilities"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{name} takes a port of its node"


def memory_is_bounded(release: Release) -> Iterator[str]:
    resources = release.gateway.get("resources", {})
    if "memory" not in resources.get("limits", {}):
        yield "the gateway has no limit on memory"
    if {"cpu", "memory"} - set(resources.get("requests", {})):
        yield "the gateway requests no CPU or no memory"


def images_are_fixed(release: Release) -> Iterator[str]:
    image = release.gateway["image"]
    if image.endswith(":latest") or not re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", image):
        yield f"the image {image} changes by itself"


def secrets_stay_secrets(release: Release) -> Iterator[str]:
    if release.of_kind("Secret"):
        yield "the chart writes a Secret, whose contents would be in the values of the release"
    volumes = [volume for volume in release.pod["volumes"] if "secret" in volume]
    for volume in volumes:
        if volume["secret"].get("defaultMode", 0o644) & 0o007:
            yield f"everybody in the pod can read {volume['name']}"
    group = release.pod.get("securityContext", {}).get("fsGroup")
    if volumes and release.fixed_user and group is None:
        yield "the gateway cannot read its secrets: the pod has no fsGroup"
    for mount in release.gateway["volumeMounts"]:
        if mount["name"].startswith("portcullis-") and mount.get("readOnly") is not True:
            yield f"{mount['name']} can be written to"


def probes_ask_what_they_should(release: Release) -> Iterator[str]:
    for probe, path in (("readinessProbe", "/ready"), ("livenessProbe", "/live")):
        asked = release.gateway.get(probe, {}).get("httpGet", {})
        if asked.get("path") != path:
            yield f"{probe} does not ask {path}"
        if release.ports.get(asked.get("port")) != _port(_admin(release)):
            yield f"{probe} does not ask the port of [gateway.admin]"


def listeners_are_the_ports_of_the_pod(release: Release) -> Iterator[str]:
    listened = {address for _, address in _listeners(release.settings)}
    ports = {_port(address) for address in listened}
    if ports != set(release.ports.values()):
        yield f"the settings listen on {sorted(ports)}, the pod has {release.ports}"
    for address in listened:
        if re.match(r"127\.|\[::1\]", address):
            yield f"{address} cannot be reached from outside the pod"


def plain_http_is_wanted(release: Release) -> Iterator[str]:
    """A listener for requests has TLS, or says that it has none."""
    settings = release.settings
    for name in ("gateway", "forward_auth", "ext_authz"):
        table = settings.get(name, {})
        if "listen" in table and "tls" not in table:
            word = "danger_open_listener" if name == "ext_authz" else "danger_plain_http"
            if table.get(word) is not True:
                yield f"[{name}] has neither TLS nor {word}"
    door = next(name for name in DOORS if "listen" in settings.get(name, {}))
    name = (
        "grpc-ext-authz" if door == "ext_authz" else "https" if "tls" in settings[door] else "http"
    )
    if name not in release.ports:
        yield "the name of the port tells another protocol than the settings"


def somebody_may_ask(release: Release) -> Iterator[str]:
    door = release.settings.get("forward_auth")
    if door is not None and not door.get("trusted_peers"):
        yield "the gateway refuses every proxy: there are no trusted_peers"


def the_drain_fits(release: Release) -> Iterator[str]:
    hook = release.gateway.get("lifecycle", {}).get("preStop", {})
    sleep = hook.get("sleep", {}).get("seconds", 0)
    drain = release.settings["gateway"].get("timeouts", {}).get("drain", 30)
    if release.pod.get("terminationGracePeriodSeconds", 30) <= sleep + drain:
        yield "the pod is killed before the gateway has drained"
    for container in release.pod["containers"]:
        if container["name"] != "portcullis":
            hook = container.get("lifecycle", {}).get("preStop", {})
            if hook.get("sleep", {}).get("seconds", 0) <= sleep:
                yield f"{container['name']} stops before the gateway has sent its last requests"


def new_settings_start_new_pods(release: Release) -> Iterator[str]:
    told = release.template["metadata"].get("annotations", {}).get("checksum/portcullis")
    computed = hashlib.sha256(release.text.rstrip("\n").encode()).hexdigest()
    if told != (computed if release.rolls else None):
        yield "the checksum of the settings is not on the pod"


def files_are_mounted(release: Release) -> Iterator[str]:
    mounts = {mount["name"]: mount["mountPath"] for mount in release.gateway["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in release.pod["volumes"]}
    if set(mounts) - set(volumes):
        yield "a mount has no volume"
    settings = volumes["portcullis-settings"]["configMap"]["name"]
    if settings != release.of_kind("ConfigMap")[0]["metadata"]["name"]:
        yield "the pod mounts another ConfigMap"
    if any("subPath" in mount for mount in release.gateway["volumeMounts"]):
        yield "a mount with subPath is never updated"
    config = f"{mounts['portcullis-settings']}/portcullis.toml"
    if release.gateway["args"] != ["serve", "--config", config]:
        yield "the gateway does not read the mounted settings"
    for path in re.findall(r'"(/etc/[^"]+)"', release.text):
        if path.rsplit("/", 1)[0] not in mounts.values():
            yield f"{path} is in no volume"


def services_lead_to_pods(release: Release) -> Iterator[str]:
    labels = release.template["metadata"]["labels"]
    for service in release.of_kind("Service"):
        spec, name = service["spec"], service["metadata"]["name"]
        if not spec["selector"] or not spec["selector"].items() <= labels.items():
            yield f"{name} selects no pod of the release"
        for port in spec["ports"]:
            if port["targetPort"] not in release.ports:
                yield f"{name} leads to no port of the gateway"
            if port["targetPort"] == "admin" and spec.get("clusterIP") != "None":
                yield f"{name} shows metrics to more than the inside of the cluster"


def ingresses_lead_to_the_gateway(release: Release) -> Iterator[str]:
    services = {it["metadata"]["name"]: it["spec"]["ports"] for it in release.of_kind("Service")}
    for ingress in release.of_kind("Ingress"):
        for rule in ingress["spec"]["rules"]:
            if not rule["http"]["paths"]:
                yield f"the Ingress has no path for {rule['host']}"
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = {it["name"]: it["targetPort"] for it in services[backend["name"]]}
                target = ports.get(backend["port"]["name"])
                if target == "admin" or target not in release.ports:
                    yield f"the Ingress leads {path['path']} to no port for requests"


def selectors_fit(release: Release) -> Iterator[str]:
    labels = release.template["metadata"]["labels"]
    selectors = [release.workload["spec"]["selector"]]
    selectors += [it["spec"]["selector"] for it in release.of_kind("PodDisruptionBudget")]
    selectors += [it["spec"]["podSelector"] for it in release.of_kind("NetworkPolicy")[:1]]
    for selector in selectors:
        wanted = selector.get("matchLabels", {})
        if not wanted or not wanted.items() <= labels.items():
            yield f"{selector} does not select the pods"
    for scaler in release.of_kind("HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] != release.workload["metadata"]["name"]:
            yield "the HorizontalPodAutoscaler scales something else"
        if "replicas" in release.workload["spec"]:
            yield "an upgrade undoes what the HorizontalPodAutoscaler did"
    for account in release.of_kind("ServiceAccount"):
        if release.pod["serviceAccountName"] != account["metadata"]["name"]:
            yield "the pod has another ServiceAccount"


def rollouts_keep_the_service(release: Release) -> Iterator[str]:
    if release.pod.get("containers") != [release.gateway]:
        return  # the strategy of an API is its own matter
    strategy = release.workload["spec"].get("strategy", {})
    if strategy.get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield "a rollout may take pods away before new ones are ready"


def networks_are_closed(release: Release) -> Iterator[str]:
    policies = release.of_kind("NetworkPolicy")
    if not policies:
        return
    own = policies[0]["spec"]
    if own["policyTypes"] != ["Ingress", "Egress"]:
        yield "the policy does not cover both directions"
    opened = {port["port"] for rule in own["ingress"] for port in rule["ports"]}
    main = {port for name, port in release.ports.items() if name != "admin"}
    if not main <= opened:
        yield "the policy does not let requests in"
    for rule in own["ingress"]:
        if "from" not in rule and release.ports["admin"] in {it["port"] for it in rule["ports"]}:
            yield "everybody may read the metrics"
    for policy in policies[1:]:
        rules = policy["spec"]["ingress"]
        sources = [source for rule in rules for source in rule.get("from", [{}])]
        if any(source.get("podSelector") != own["podSelector"] for source in sources):
            yield "the API can be reached past the gateway"


def monitors_find_the_metrics(release: Release) -> Iterator[str]:
    """Kubernetes has no schema for a ServiceMonitor: it must be exactly this."""
    for monitor in release.of_kind("ServiceMonitor"):
        spec = monitor["spec"]
        if monitor["apiVersion"] != "monitoring.coreos.com/v1" or set(spec) != {
            "selector",
            "endpoints",
        }:
            yield "a ServiceMonitor of another form"
        endpoint = spec["endpoints"][0]
        if endpoint.get("path") != "/metrics" or set(endpoint) != {"port", "path", "interval"}:
            yield "the ServiceMonitor does not ask /metrics"
        wanted = spec["selector"]["matchLabels"].items()
        found = [
            it for it in release.of_kind("Service") if wanted <= it["metadata"]["labels"].items()
        ]
        ports = [port["name"] for it in found for port in it["spec"]["ports"]]
        if ports != [endpoint["port"]] or ports != ["admin"]:
            yield f"the ServiceMonitor finds {ports}"


def alerts_are_those_of_the_file(release: Release) -> Iterator[str]:
    """Promtool checks the file. Helm must neither lose it nor evaluate the braces in it."""
    for rule in release.of_kind("PrometheusRule"):
        if rule["apiVersion"] != "monitoring.coreos.com/v1":
            yield "a PrometheusRule of another form"
        if rule["spec"] != yaml.safe_load(ALERTS.read_text()):
            yield f"the PrometheusRule is not what is in {ALERTS.name}"


def the_api_is_behind_the_gateway(release: Release) -> Iterator[str]:
    others = [it for it in release.pod["containers"] if it["name"] != "portcullis"]
    for container in others:
        if "ports" in container:
            yield f"{container['name']} has a port that leads past the gateway"
        if "127.0.0.1" not in container.get("args", []):
            yield f"{container['name']} does not listen on loopback"
    upstream = release.settings["gateway"].get("upstream", "")
    if others and not re.match(r"http://127\.0\.0\.1:\d+$", upstream):
        yield "the API of the sidecar is not on loopback"


DOORS = ("gateway", "forward_auth", "ext_authz")

RULES: list[Callable[[Release], Iterator[str]]] = [
    pods_have_no_token,
    pods_are_unprivileged,
    containers_are_unprivileged,
    memory_is_bounded,
    images_are_fixed,
    secrets_stay_secrets,
    probes_ask_what_they_should,
    listeners_are_the_ports_of_the_pod,
    plain_http_is_wanted,
    somebody_may_ask,
    the_drain_fits,
    new_settings_start_new_pods,
    files_are_mounted,
    services_lead_to_pods,
    ingresses_lead_to_the_gateway,
    selectors_fit,
    rollouts_keep_the_service,
    networks_are_closed,
    monitors_find_the_metrics,
    alerts_are_those_of_the_file,
    the_api_is_behind_the_gateway,
]


def _admin(release: Release) -> str:
    address: str = release.settings["gateway"]["admin"]["listen"]
    return address


def _listeners(settings: Document) -> Iterator[tuple[str, str]]:
    for name in DOORS:
        table = settings.get(name, {})
        if "listen" in table:
            yield name, table["listen"]
    yield "admin", settings["gateway"]["admin"]["listen"]


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1])
