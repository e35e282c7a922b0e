{{/* The name of everything but the service account: the release's, with the chart's where the release's lacks it. */}}
{{- define "hydatis.name" -}}
{{- $name := ternary .Release.Name (printf "%s-hydatis" .Release.Name) (contains "hydatis" .Release.Name) -}}
{{- $name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* The labels that tell this release's pods from all others; they can never change. */}}
{{- define "hydatis.selectorLabels" -}}
app.kubernetes.io/name: hydatis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hydatis.labels" -}}
{{ include "hydatis.selectorLabels" . }}
app.kubernetes.io/component: scheduler
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "hydatis.image" -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end }}
