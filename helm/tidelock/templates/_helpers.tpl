{{/* Names, labels, images. */}}

{{- define "tidelock.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tidelock.fullname" -}}
{{- $name := include "tidelock.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tidelock.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* What never changes, so that it may stand in selectors and in a Job's pod, which is immutable. */}}
{{- define "tidelock.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tidelock.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: migrations
{{- end }}

{{- define "tidelock.labels" -}}
{{ include "tidelock.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | trimSuffix "-" | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The metadata of an object that the Job needs or is: dict "scope", "name", and where wanted "labels", "annotations", "step".
A hook's needs must be hooks as well, an Argo CD hook's one wave earlier: "step" is 0 for the Job and negative for what it needs.
*/}}
{{- define "tidelock.jobMetadata" -}}
{{- $values := .scope.Values }}
{{- $annotations := merge (dict) (default (dict) .annotations) }}
{{- $step := default 0 .step | int }}
{{- if eq $values.job.mode "hook" }}
{{- $_ := set $annotations "helm.sh/hook" (join "," $values.job.hook.events) }}
{{- $_ := set $annotations "helm.sh/hook-weight" (add (int $values.job.hook.weight) (mul 10 $step) | toString) }}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" (ternary (join "," $values.job.hook.deletePolicy) "before-hook-creation" (eq $step 0)) }}
{{- if eq $step 0 }}
{{- $_ := set $annotations "helm.sh/hook-output-log-policy" "hook-failed" }}
{{- end }}
{{- else if eq $values.job.mode "argocd" }}
{{- $_ := set $annotations "argocd.argoproj.io/sync-wave" (add (int $values.job.argocd.wave) $step | toString) }}
{{- if or (eq $step 0) (eq $values.job.argocd.hook "PreSync") }}
{{- $_ := set $annotations "argocd.argoproj.io/hook" $values.job.argocd.hook }}
{{- $_ := set $annotations "argocd.argoproj.io/hook-delete-policy" (ternary $values.job.argocd.deletePolicy "BeforeHookCreation" (eq $step 0)) }}
{{- end }}
{{- end }}
{{- include "tidelock.metadata" (dict "scope" .scope "name" .name "labels" .labels "annotations" $annotations) }}
{{- end }}

{{/* The metadata of anything else: dict "scope", "name", and where wanted "labels", "annotations". */}}
{{- define "tidelock.metadata" -}}
name: {{ .name }}
namespace: {{ include "tidelock.namespace" .scope }}
labels:
  {{- include "tidelock.labels" .scope | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .scope.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* REGISTRY/REPOSITORY:TAG@DIGEST of dict "scope", "image", "tag" (where the image names none). A registry replaces the repository's own. */}}
{{- define "tidelock.imageName" -}}
{{- $registry := default .scope.Values.global.imageRegistry .image.registry }}
{{- $repository := .image.repository }}
{{- if $registry }}
{{- $repository = regexReplaceAll "^[^/]*[.:][^/]*/" $repository "" }}
{{- end }}
{{- $tag := default .tag (tpl .image.tag .scope) }}
{{- with $registry }}{{ . }}/{{ end }}{{ $repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with .image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "tidelock.image" -}}
{{- include "tidelock.imageName" (dict "scope" . "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end }}

{{/* The manual of this version. */}}
{{- define "tidelock.manual" -}}
{{ .Chart.Home }}/blob/v{{ .Chart.AppVersion }}/cmd/tidelock/README.md
{{- end }}

{{- define "tidelock.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tidelock.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* "-NAME" for one of several databases, else nothing: the suffix of what each of them has for itself. */}}
{{- define "tidelock.suffix" -}}
{{- with .Database }}-{{ . }}{{ end }}
{{- end }}

{{/*
dict "base", "over" as YAML: a map with another laid over it, as Helm lays one values file over another. sprig's merge functions take
false, 0 and "" for values that nobody has set.
*/}}
{{- define "tidelock.overlay" -}}
{{- $out := deepCopy .base }}
{{- range $key, $value := .over }}
{{- if and (kindIs "map" $value) (kindIs "map" (get $out $key)) }}
{{- $_ := set $out $key (include "tidelock.overlay" (dict "base" (get $out $key) "over" $value) | fromYaml) }}
{{- else }}
{{- $_ := set $out $key $value }}
{{- end }}
{{- end }}
{{- toYaml $out }}
{{- end }}

{{/* The databases as a map of name to values, of which one without a name is the only one; fromYaml reads it. */}}
{{- define "tidelock.databases" -}}
{{- if .Values.databases }}
{{- range $name, $differing := .Values.databases }}
{{ $name | quote }}:
  {{- include "tidelock.overlay" (dict "base" (omit $.Values "databases") "over" (default (dict) $differing)) | nindent 2 }}
{{- end }}
{{- else }}
"":
  {{- toYaml .Values | nindent 2 }}
{{- end }}
{{- end }}
