{{- define "keyturn.name" -}}
{{- $name := .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- ternary $name (printf "%s-keyturn" $name) (contains "keyturn" $name) -}}
{{- end }}

{{/* Labels that select the pods of a component. Context: root and component. */}}
{{- define "keyturn.selector" -}}
app.kubernetes.io/name: keyturn
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "keyturn.labels" -}}
{{ include "keyturn.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "keyturn.image" -}}
{{- with .image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.root.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* Of a pod that runs as a user without rights. Context: user. */}}
{{- define "keyturn.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "keyturn.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Spread over machines and zones, and what the values say about placement. Context: root, component and values. */}}
{{- define "keyturn.placement" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "keyturn.selector" $ | nindent 8 }}
  {{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A setting as text. Helm reads every number as a float, and would write a million as 1e+06. */}}
{{- define "keyturn.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* Settings: of the chart, of all processes, of the component; a later one replaces an earlier one, also by an empty
value. Secrets are files. */}}
{{- define "keyturn.environment" -}}
{{- $set := dict -}}
{{- range $settings := list .own .root.Values.settings .values.settings -}}
{{- range $name, $value := $settings }}{{ $_ := set $set $name (include "keyturn.text" $value) }}{{ end -}}
{{- end -}}
{{- range $name, $value := $set }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range $name, $key := .values.secretKeys }}
- {name: {{ $name }}_FILE, value: /run/secrets/keyturn/{{ $key }}}
{{- end }}
{{- end }}
