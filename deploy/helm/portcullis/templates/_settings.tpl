{{/* A value as TOML: strings as JSON writes them, which TOML reads alike; maps as inline tables. */}}
{{- define "portcullis.toml" -}}
{{- if kindIs "string" . -}}
{{- . | toJson -}}
{{- else if kindIs "bool" . -}}
{{- . -}}
{{- else if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . -}}
{{- $items = append $items (include "portcullis.toml" .) -}}
{{- end -}}
[{{ join ", " $items }}]
{{- else if kindIs "map" . -}}
{{- $members := list -}}
{{- range $name, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $members = append $members (include "portcullis.toml.member" (list $name $value)) -}}
{{- end -}}
{{- end -}}
{ {{ join ", " $members }} }
{{- else -}}
{{- /* Numbers of a values file are floats, and the settings have whole numbers only. */ -}}
{{- if ne (float64 (int64 .)) (float64 .) -}}
{{- fail (printf "\n\nthe settings of Portcullis: expected a whole number, found %v\n" .) -}}
{{- end -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.toml.member" -}}
{{- $name := index . 0 -}}
{{- if not (regexMatch "^[A-Za-z0-9_-]+$" $name) }}{{ $name = toJson $name }}{{ end -}}
{{ $name }} = {{ include "portcullis.toml" (index . 1) }}
{{- end -}}

{{/* The members of a map, one a line. */}}
{{- define "portcullis.toml.members" -}}
{{- range $name, $value := . -}}
{{- if not (kindIs "invalid" $value) }}
{{ include "portcullis.toml.member" (list $name $value) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* portcullis.toml, from `settings` or from the single values. */}}
{{- define "portcullis.settings" -}}
{{- include "portcullis.check" . -}}
{{- if .Values.settings -}}
{{- .Values.settings | trim -}}
{{- else -}}
{{- include "portcullis.settings.made" . | trim -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.settings.made" -}}
{{- $values := .Values -}}
{{- $mode := $values.mode -}}
{{- $listen := printf "%s:%s" $values.address (include "portcullis.port" .) -}}
{{- $tls := dict -}}
{{- if $values.tls.existingSecret -}}
{{- $_ := set $tls "certificate" "/etc/portcullis-tls/tls.crt" -}}
{{- $_ := set $tls "key" "/etc/portcullis-tls/tls.key" -}}
{{- if $values.tls.clientAuthorities -}}
{{- $_ := set $tls "client_authorities" "/etc/portcullis-tls/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- $gateway := dict "admin" (dict "listen" (printf "%s:%d" $values.address (int $values.ports.admin))) -}}
{{- if has $mode (list "gateway" "sidecar") -}}
{{- $_ := set $gateway "listen" $listen -}}
{{- $_ := set $gateway "upstream" $values.upstream -}}
{{- if $tls -}}
{{- $_ := set $gateway "tls" $tls -}}
{{- else -}}
{{- $_ := set $gateway "danger_plain_http" true -}}
{{- end -}}
{{- end -}}
{{- $timeouts := merge (dict "drain" $values.drainSeconds) (default dict $values.gateway.timeouts) -}}
{{- $gateway = merge (dict "timeouts" $timeouts) $gateway $values.gateway -}}
# Written by the chart.
[[issuer]]
{{- include "portcullis.toml.members" $values.issuer }}

[gateway]
{{- include "portcullis.toml.members" $gateway }}
{{- if eq $mode "ext-authz" }}

[ext_authz]
listen = {{ toJson $listen }}
{{- with $values.extAuthz.pathPrefix }}
path_prefix = {{ toJson . }}
{{- end }}
{{- if $values.dangerOpenListener }}
danger_open_listener = true
{{- end }}
{{- if $tls }}
tls = {{ include "portcullis.toml" $tls }}
{{- end }}
{{- else if eq $mode "forward-auth" }}

[forward_auth]
listen = {{ toJson $listen }}
proxy = {{ toJson $values.forwardAuth.proxy }}
trusted_peers = {{ include "portcullis.toml" $values.forwardAuth.trustedPeers }}
{{- if $tls }}
tls = {{ include "portcullis.toml" $tls }}
{{- else }}
danger_plain_http = true
{{- end }}
{{- end }}
{{- range $values.routes }}

[[route]]
{{- include "portcullis.toml.members" . }}
{{- end }}
{{- with $values.extraSettings }}

{{ . | trim }}
{{- end }}
{{- end -}}
