"""Changes to the chart that the rules, or the schemas, must notice."""

from dataclasses import dataclass


@dataclass
class Mutant:
    file: str
    found: str
    written: str
    values: str = "gateway-all"
    """The values file that shows it."""


POD = "templates/_pod.tpl"
DEPLOYMENT = "templates/deployment.yaml"
SETTINGS = "templates/_settings.tpl"
NETWORK = "templates/networkpolicy.yaml"
INGRESS = "templates/ingress.yaml"
MONITOR = "templates/servicemonitor.yaml"
ALERTS = "templates/prometheusrule.yaml"

MUTANTS = [
    Mutant(POD, "runAsNonRoot: true", "runAsNonRoot: false"),
    Mutant(POD, "readOnlyRootFilesystem: true\n", ""),
    Mutant(POD, "allowPrivilegeEscalation: false\n", ""),
    Mutant(POD, "privileged: false", "privileged: true"),
    Mutant(POD, "  drop: [ALL]", "  drop: [NET_RAW]"),
    Mutant(POD, "  drop: [ALL]", "  drop: [ALL]\n  add: [NET_BIND_SERVICE]"),
    Mutant(POD, "type: RuntimeDefault", "type: Unconfined"),
    Mutant(POD, "runAsUser: {{ int .Values.runAs.user }}", "runAsUser: 0"),
    Mutant(POD, "fsGroup: {{ int .Values.runAs.group }}", "# fsGroup"),
    Mutant(POD, "defaultMode: 0440", "defaultMode: 0444"),
    Mutant(POD, "/etc/portcullis-tls, readOnly: true", "/etc/portcullis-tls"),
    Mutant(POD, "/etc/portcullis-secrets, readOnly", "/etc/secrets, readOnly"),
    Mutant(POD, "mountPath: /etc/portcullis,", "mountPath: /etc/portcullis.toml, subPath: x,"),
    Mutant(POD, "path: /ready", "path: /live"),
    Mutant(POD, "path: /live", "path: /ready"),
    Mutant(POD, "path: /live, port: admin", "path: /live, port: https"),
    Mutant("values.yaml", "limits: { memory: 256Mi }", "limits: {}", "gateway"),
    Mutant(POD, "containerPort: {{ int .Values.ports.admin }}", "containerPort: 9901"),
    Mutant(POD, "      protocol: TCP", "      hostPort: 443"),
    Mutant(POD, '"serve", ', ""),
    Mutant(DEPLOYMENT, "      automountServiceAccountToken: false\n", ""),
    Mutant(DEPLOYMENT, "enableServiceLinks: false", "enableServiceLink: false"),
    Mutant(DEPLOYMENT, "enableServiceLinks: false", "hostNetwork: true"),
    Mutant(DEPLOYMENT, "checksum/portcullis", "checksum/other"),
    Mutant(DEPLOYMENT, "| sha256sum", "| len | toString"),
    Mutant(DEPLOYMENT, "maxUnavailable: 0", "maxUnavailable: 1"),
    Mutant(DEPLOYMENT, "if not .Values.autoscaling.enabled", "if true"),
    Mutant(DEPLOYMENT, "terminationGracePeriodSeconds: {{", "terminationGracePeriodSeconds: 30 #"),
    Mutant("templates/_helpers.tpl", "(int .Values.drainSeconds) 5", "5"),
    Mutant("templates/_helpers.tpl", "default .Chart.AppVersion $image.tag", '"latest"', "gateway"),
    Mutant("templates/_helpers.tpl", "grpc-ext-authz", "http", "ext-authz"),
    Mutant("templates/serviceaccount.yaml", "automountServiceAccountToken: false", ""),
    Mutant("templates/service.yaml", "  selector:", "  selector:\n    app: other"),
    Mutant("templates/service.yaml", "targetPort:", "targetPort: admin #"),
    Mutant("templates/poddisruptionbudget.yaml", "matchLabels:", "matchLabels:\n      app: other"),
    Mutant("templates/poddisruptionbudget.yaml", "policy/v1", "policy/v1beta1"),
    Mutant("templates/horizontalpodautoscaler.yaml", "autoscaling/v2", "autoscaling/v2beta2"),
    Mutant("templates/horizontalpodautoscaler.yaml", "kind: Deployment\n    name: ", "name: x-"),
    Mutant("templates/horizontalpodautoscaler.yaml", "  behavior:", "  behaviour:"),
    Mutant("templates/service.yaml", "loadBalancerClass: {{", "loadBalancer: {{"),
    Mutant("templates/service.yaml", "loadBalancerSourceRanges:\n", "sourceRanges:\n"),
    Mutant(DEPLOYMENT, "minReadySeconds: {{", "readySeconds: {{"),
    Mutant(NETWORK, "[Ingress, Egress]", "[Ingress]"),
    Mutant(NETWORK, '{{ include "portcullis.port" . }}', "80"),
    Mutant(NETWORK, "TCP }\n      from:\n        {{- toYaml . | nindent 8 }}\n", "TCP }\n"),
    Mutant(NETWORK, "      from:\n        - podSelector:", "      from:\n        - ipBlock:"),
    Mutant(INGRESS, "networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
    Mutant(INGRESS, "ingressClassName: {{", "className: {{"),
    Mutant(INGRESS, '"portcullis.fullname" $ }}', '"portcullis.fullname" $ }}-admin'),
    Mutant(INGRESS, '{{ include "portcullis.portName" $ }}', "http"),
    Mutant(INGRESS, '{{ include "portcullis.portName" $ }}', "https", "gateway-toml"),
    Mutant(INGRESS, "pathType: {{", "type: {{"),
    Mutant(INGRESS, 'default (list (dict "path" "/" "pathType" "Prefix")) .paths', ".paths"),
    Mutant(MONITOR, "component: admin\nspec", "component: other\nspec"),
    Mutant(MONITOR, "clusterIP: None", "sessionAffinity: None"),
    Mutant(MONITOR, "path: /metrics", "path: /"),
    Mutant(ALERTS, "coreos.com/v1", "coreos.com/v1beta1"),
    Mutant(ALERTS, "prometheus/alerts.yml", "alerts.yml"),
    Mutant(ALERTS, "| trim", '| replace "{{" "{"'),
    Mutant(SETTINGS, "client_authorities", "client_authority"),
    Mutant(SETTINGS, "[ext_authz]", "[ext-authz]", "ext-authz"),
    Mutant(SETTINGS, "/etc/portcullis-tls/tls.key", "/etc/tls/tls.key"),
    Mutant(SETTINGS, "danger_plain_http = true", "", "forward-auth"),
    Mutant(SETTINGS, "trusted_peers =", "# trusted_peers =", "forward-auth"),
    Mutant(SETTINGS, 'set $gateway "listen" $listen', 'set $gateway "listen" "127.0.0.1:1"'),
    Mutant(SETTINGS, '"drain" $values.drainSeconds', '"drain" 1000'),
    Mutant(SETTINGS, "{{- int64 . -}}", "{{- . -}}"),
    Mutant(SETTINGS, "{{- . | toJson -}}", '"{{ . }}"'),
    Mutant("templates/_sidecar.tpl", "| sha256sum", "| len", "sidecar"),
    Mutant("examples/sidecar/templates/orders.yaml", '"127.0.0.1"', '"0.0.0.0"', "sidecar"),
    Mutant("examples/sidecar/templates/orders.yaml", "preStopSeconds) 5", "drain) 0", "sidecar"),
    Mutant("examples/sidecar/templates/orders.yaml", "allowPrivilege", "allowedPriv", "sidecar"),
]
