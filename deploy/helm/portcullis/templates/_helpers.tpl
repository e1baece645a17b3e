{{- define "portcullis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "portcullis.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "portcullis.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "portcullis.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portcullis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "portcullis.labels" -}}
{{ include "portcullis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "portcullis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "portcullis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.port" -}}
{{- if .Values.ports.main -}}
{{- int .Values.ports.main -}}
{{- else if eq .Values.mode "ext-authz" -}}9191
{{- else if eq .Values.mode "forward-auth" -}}8081
{{- else if .Values.tls.existingSecret -}}8443
{{- else -}}8080
{{- end -}}
{{- end -}}

{{- define "portcullis.servicePort" -}}
{{- if .Values.service.port -}}
{{- int .Values.service.port -}}
{{- else if has .Values.mode (list "ext-authz" "forward-auth") -}}
{{- include "portcullis.port" . -}}
{{- else if .Values.tls.existingSecret -}}443
{{- else -}}80
{{- end -}}
{{- end -}}

{{/* Istio reads the protocol from the beginning of the name. */}}
{{- define "portcullis.portName" -}}
{{- if eq .Values.mode "ext-authz" -}}grpc-ext-authz
{{- else if .Values.tls.existingSecret -}}https
{{- else -}}http
{{- end -}}
{{- end -}}

{{/* The sleep, the drain, and a little more. */}}
{{- define "portcullis.terminationGracePeriodSeconds" -}}
{{- add (int .Values.preStopSeconds) (int .Values.drainSeconds) 5 -}}
{{- end -}}
