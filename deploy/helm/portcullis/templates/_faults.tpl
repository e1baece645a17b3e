{{/* Every fault in the values at once, each with its help. */}}
{{- define "portcullis.check" -}}
{{- with include "portcullis.faults" . | trim -}}
{{- fail (printf "\n\n%s\n" .) -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.fault" -}}
{{ .place }}: expected {{ .expected }}, found {{ .found }}
    help: {{ .help }}

{{ end -}}

{{- define "portcullis.faults" -}}
{{- $values := .Values -}}
{{- $mode := $values.mode -}}
{{- if not $values.image.repository -}}
{{- include "portcullis.fault" (dict "place" "image.repository" "expected" "the name of an image" "found" "none" "help" "there is no published image of Portcullis: build deploy/docker/Dockerfile, push it to your registry, and write its name, such as registry.example.com/portcullis") -}}
{{- end -}}
{{- if $values.settings -}}
{{- include "portcullis.faults.text" . -}}
{{- else -}}
{{- include "portcullis.faults.values" . -}}
{{- end -}}
{{- if $values.ingress.enabled -}}
{{- include "portcullis.faults.ingress" . -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (ne $mode "sidecar") -}}
{{- $upstream := $values.networkPolicy.upstream -}}
{{- if and (eq $mode "gateway") (not $upstream.podSelector) (not $values.networkPolicy.egress) -}}
{{- include "portcullis.fault" (dict "place" "networkPolicy.upstream.podSelector" "expected" "the labels of the API's pods" "found" "none" "help" "write them, with their port; or a rule in `networkPolicy.egress`, for an API outside this namespace") -}}
{{- end -}}
{{- if and $upstream.podSelector (not $upstream.port) -}}
{{- include "portcullis.fault" (dict "place" "networkPolicy.upstream.port" "expected" "the port of the API's pods" "found" "none" "help" "write the port of the container, not that of its Service") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Faults of the Ingress: requests of callers come to the gateway only in one mode. */}}
{{- define "portcullis.faults.ingress" -}}
{{- $mode := .Values.mode -}}
{{- if eq $mode "sidecar" -}}
{{- include "portcullis.fault" (dict "place" "ingress.enabled" "expected" "false in mode sidecar" "found" "true" "help" "write the Ingress in your own chart, beside the Service of the pod: this chart has no Service then") -}}
{{- else if ne $mode "gateway" -}}
{{- include "portcullis.fault" (dict "place" "ingress.enabled" "expected" (printf "false in mode %s" $mode) "found" "true" "help" "leave it out: the proxy that asks has the way in from outside, and nobody else may ask") -}}
{{- else if not .Values.ingress.hosts -}}
{{- include "portcullis.fault" (dict "place" "ingress.hosts" "expected" "the names that callers use" "found" "none" "help" "write them, such as [{ host: api.example.com }]: without one, the Ingress leads nowhere") -}}
{{- end -}}
{{- end -}}

{{/* Faults where `settings` is a whole portcullis.toml. */}}
{{- define "portcullis.faults.text" -}}
{{- $values := .Values -}}
{{- if or $values.issuer.url $values.issuer.audience $values.upstream $values.routes $values.gateway $values.extraSettings -}}
{{- include "portcullis.fault" (dict "place" "settings" "expected" "no issuer, upstream, routes, gateway or extraSettings beside it" "found" "both" "help" "write them into `settings`, which is the whole portcullis.toml") -}}
{{- end -}}
{{- $port := include "portcullis.port" . -}}
{{- $admin := $values.ports.admin | int | toString -}}
{{- if not (include "portcullis.listens" (dict "settings" $values.settings "port" $port)) -}}
{{- include "portcullis.fault" (dict "place" "settings" "expected" (printf "a `listen` on port %s, where the pod takes requests" $port) "found" "none" "help" (printf "write listen = \"%s:%s\", or the port of your settings as `ports.main`" $values.address $port)) -}}
{{- end -}}
{{- if not (include "portcullis.listens" (dict "settings" $values.settings "port" $admin)) -}}
{{- include "portcullis.fault" (dict "place" "settings" "expected" (printf "a `listen` on port %s, where the pod is probed" $admin) "found" "none" "help" (printf "write admin = { listen = \"%s:%s\" } in [gateway]" $values.address $admin)) -}}
{{- end -}}
{{- end -}}

{{/* Whether a line of the text listens on a port, beyond loopback. Charts cannot read TOML. */}}
{{- define "portcullis.listens" -}}
{{- $lines := regexFindAll (printf "(?m)^[^#\n]*\\blisten\\s*=\\s*[\"'][^\"'\n]*:%s[\"']" .port) .settings -1 -}}
{{- range $lines -}}
{{- if not (regexMatch "[\"'](127\\.|\\[::1\\]|localhost)" .) -}}
yes
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Faults of the single values. What they say about tokens, `portcullis config check` and the gateway check. */}}
{{- define "portcullis.faults.values" -}}
{{- $values := .Values -}}
{{- $mode := $values.mode -}}
{{- if not $values.issuer.url -}}
{{- include "portcullis.fault" (dict "place" "issuer.url" "expected" "the issuer, exactly as in the tokens' `iss`" "found" "none" "help" "write it, or a whole portcullis.toml as `settings`") -}}
{{- end -}}
{{- if not $values.issuer.audience -}}
{{- include "portcullis.fault" (dict "place" "issuer.audience" "expected" "what the tokens' `aud` must hold" "found" "none" "help" "write it as a list; without it, tokens for other APIs would pass") -}}
{{- end -}}
{{- range list "listen" "upstream" "admin" "tls" "danger_plain_http" -}}
{{- if hasKey $values.gateway . -}}
{{- include "portcullis.fault" (dict "place" (printf "gateway.%s" .) "expected" "members of [gateway] that the chart does not write" "found" "one that it writes" "help" "use address, ports, upstream, tls and dangerPlainHttp; or a whole portcullis.toml as `settings`") -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default dict $values.gateway.timeouts) "drain" -}}
{{- include "portcullis.fault" (dict "place" "gateway.timeouts.drain" "expected" "the drain as `drainSeconds`" "found" "it here" "help" "move it: the pod gets its terminationGracePeriodSeconds from `drainSeconds`") -}}
{{- end -}}
{{- if has $mode (list "gateway" "sidecar") -}}
{{- if not $values.upstream -}}
{{- include "portcullis.fault" (dict "place" "upstream" "expected" "the URL of the API" "found" "none" "help" "write it, such as http://api.shop.svc:8000, or for a sidecar http://127.0.0.1:8000") -}}
{{- else if and (eq $mode "sidecar") (not (regexMatch "^https?://(127\\.0\\.0\\.1|\\[::1\\])(:|/|$)" $values.upstream)) -}}
{{- include "portcullis.fault" (dict "place" "upstream" "expected" "an address on the loopback of the pod" "found" $values.upstream "help" "write http://127.0.0.1:8000, and have the API listen there: on another address, others reach it without the gateway") -}}
{{- end -}}
{{- else if $values.upstream -}}
{{- include "portcullis.fault" (dict "place" "upstream" "expected" (printf "none in mode %s" $mode) "found" $values.upstream "help" "leave it out: the proxy that asks forwards the requests") -}}
{{- end -}}
{{- if eq $mode "ext-authz" -}}
{{- if not (or $values.dangerOpenListener (and $values.tls.existingSecret $values.tls.clientAuthorities)) -}}
{{- include "portcullis.fault" (dict "place" "tls" "expected" "a certificate, and authorities of client certificates" "found" "none" "help" "name a Secret with tls.crt, tls.key and ca.crt as `tls.existingSecret`, and set `tls.clientAuthorities`; or set `dangerOpenListener` where a mesh decides who reaches the port") -}}
{{- end -}}
{{- else if not (or $values.tls.existingSecret $values.dangerPlainHttp) -}}
{{- include "portcullis.fault" (dict "place" "tls.existingSecret" "expected" "a Secret with a certificate" "found" "none" "help" "name a Secret of the type kubernetes.io/tls; or set `dangerPlainHttp` where a mesh encrypts between pods") -}}
{{- end -}}
{{- if eq $mode "forward-auth" -}}
{{- if not $values.forwardAuth.proxy -}}
{{- include "portcullis.fault" (dict "place" "forwardAuth.proxy" "expected" "nginx, ingress-nginx, traefik or caddy" "found" "none" "help" "write which program asks: it decides which headers tell the request") -}}
{{- end -}}
{{- if not $values.forwardAuth.trustedPeers -}}
{{- include "portcullis.fault" (dict "place" "forwardAuth.trustedPeers" "expected" "the addresses of the proxies that may ask" "found" "none" "help" "write the network of the proxy's pods; without it, every request is refused") -}}
{{- end -}}
{{- end -}}
{{- end -}}
