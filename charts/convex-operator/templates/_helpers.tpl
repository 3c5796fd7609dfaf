{{/* Name of every object. The lease and its Role keep the fixed name that the operator asks for. */}}
{{- define "convex-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "convex-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.name -}}
{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create -}}
{{ include "convex-operator.fullname" . }}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{/* What selects the operator's pods; never changes in the life of a release. */}}
{{- define "convex-operator.selectorLabels" -}}
app.kubernetes.io/name: convex-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "convex-operator.ownLabels" -}}
{{ include "convex-operator.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: convex-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* A user's labels never replace the chart's own. */}}
{{- define "convex-operator.labels" -}}
{{ merge (include "convex-operator.ownLabels" . | fromYaml) .Values.commonLabels | toYaml }}
{{- end -}}

{{- define "convex-operator.podLabels" -}}
{{ merge (include "convex-operator.labels" . | fromYaml) .Values.podLabels | toYaml }}
{{- end -}}

{{- define "convex-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The subject of every binding. */}}
{{- define "convex-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "convex-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
