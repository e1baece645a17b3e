{{/* No value of the chart weakens these two. */}}
{{- define "portcullis.podSecurityContext" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .Values.runAs.user) }}
runAsUser: {{ int .Values.runAs.user }}
{{- end }}
{{- if not (kindIs "invalid" .Values.runAs.group) }}
runAsGroup: {{ int .Values.runAs.group }}
fsGroup: {{ int .Values.runAs.group }} # so that the gateway may read its key
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "portcullis.securityContext" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .Values.runAs.user) }}
runAsUser: {{ int .Values.runAs.user }}
{{- end }}
{{- if not (kindIs "invalid" .Values.runAs.group) }}
runAsGroup: {{ int .Values.runAs.group }}
{{- end }}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
privileged: false
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "portcullis.container" -}}
{{- include "portcullis.check" . -}}
- name: portcullis
  image: {{ include "portcullis.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: ["serve", "--config", "/etc/portcullis/portcullis.toml"]
  {{- with .Values.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: {{ include "portcullis.portName" . }}
      containerPort: {{ include "portcullis.port" . }}
      protocol: TCP
    - name: admin
      containerPort: {{ int .Values.ports.admin }}
      protocol: TCP
  # Ready: the keys of every issuer are there. Never use it for liveness: an outage of the issuer would restart the pods.
  readinessProbe:
    httpGet: { path: /ready, port: admin }
    {{- toYaml .Values.readinessProbe | nindent 4 }}
  livenessProbe:
    httpGet: { path: /live, port: admin }
    {{- toYaml .Values.livenessProbe | nindent 4 }}
  {{- if int .Values.preStopSeconds }}
  # On SIGTERM the gateway takes no new connections, so it gets that only when nobody sends any more.
  lifecycle:
    preStop:
      sleep: { seconds: {{ int .Values.preStopSeconds }} }
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "portcullis.securityContext" . | nindent 4 }}
  volumeMounts:
    - { name: portcullis-settings, mountPath: /etc/portcullis, readOnly: true }
    {{- if .Values.tls.existingSecret }}
    - { name: portcullis-tls, mountPath: /etc/portcullis-tls, readOnly: true }
    {{- end }}
    {{- if .Values.existingSecret }}
    - { name: portcullis-secrets, mountPath: /etc/portcullis-secrets, readOnly: true }
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "portcullis.volumes" -}}
- name: portcullis-settings
  configMap:
    name: {{ include "portcullis.fullname" . }}
{{- with .Values.tls.existingSecret }}
- name: portcullis-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.existingSecret }}
- name: portcullis-secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
