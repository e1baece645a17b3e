{{/*
For charts that put the gateway beside an API, in one pod. They name this chart as a dependency, set its `mode` to
`sidecar`, and include these with the context of the dependency, `.Subcharts.portcullis`. See examples/sidecar.

portcullis.sidecar.container       for `containers`
portcullis.sidecar.volumes         for `volumes`
portcullis.sidecar.annotations     for the annotations of the pod: a change of the settings starts new pods
portcullis.sidecar.securityContext for the securityContext of the pod
portcullis.sidecar.gracePeriod     for terminationGracePeriodSeconds
portcullis.sidecar.portName        for targetPort of the Service
*/}}
{{- define "portcullis.sidecar.container" -}}
{{- include "portcullis.container" . -}}
{{- end -}}

{{- define "portcullis.sidecar.volumes" -}}
{{- include "portcullis.volumes" . -}}
{{- end -}}

{{- define "portcullis.sidecar.annotations" -}}
checksum/portcullis: {{ include "portcullis.settings" . | sha256sum }}
{{- end -}}

{{- define "portcullis.sidecar.securityContext" -}}
{{- include "portcullis.podSecurityContext" . -}}
{{- end -}}

{{- define "portcullis.sidecar.gracePeriod" -}}
{{- include "portcullis.terminationGracePeriodSeconds" . -}}
{{- end -}}

{{- define "portcullis.sidecar.portName" -}}
{{- include "portcullis.portName" . -}}
{{- end -}}
