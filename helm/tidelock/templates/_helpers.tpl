{{/* Names, labels, images, and the values that templates read. */}}

{{/*
Completes .Values in place, so that every template finds every key: Helm takes away a key that somebody sets to null or leaves empty,
and "--reuse-values" brings the values of an older chart, which had fewer. A map that users fill in (labels, resources) is then empty.
Every template that Helm renders, and every one for other charts, begins with this; the first does it for all.
*/}}
{{- define "tidelock.prepare" -}}
{{- if not (hasKey .Values "isPrepared") }}
{{- include "tidelock.fill" (dict "values" .Values "defaults" (include "tidelock.defaults" . | fromJson)) }}
{{- $_ := set .Values "isPrepared" true }}
{{- end }}
{{- end }}

{{- define "tidelock.fill" -}}
{{- $values := .values }}
{{- range $key, $default := .defaults }}
{{- if kindIs "invalid" $default }}
{{- else if or (not (hasKey $values $key)) (kindIs "invalid" (get $values $key)) }}
{{- $_ := set $values $key (deepCopy $default) }}
{{- else if kindIs "map" $default }}
{{- include "tidelock.fill" (dict "values" (get $values $key) "defaults" $default) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A name of at most "limit" characters: dict "name", "limit". What is cut ends in a hash of the whole, so that no two become one. */}}
{{- define "tidelock.bounded" -}}
{{- if gt (len .name) (int .limit) }}
{{- printf "%s-%s" (.name | trunc (int (sub .limit 9)) | trimAll "-._") (.name | sha256sum | trunc 8) }}
{{- else }}
{{- .name }}
{{- end }}
{{- end }}

{{- define "tidelock.name" -}}
{{- include "tidelock.bounded" (dict "name" (default .Chart.Name .Values.nameOverride) "limit" 63) }}
{{- end }}

{{/* The name of what the chart makes, before it is cut: of another release, or another alias in this one, another. */}}
{{- define "tidelock.wholeName" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if eq $name .Release.Name }}
{{- $name }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name }}
{{- end }}
{{- end }}

{{- define "tidelock.fullname" -}}
{{- include "tidelock.bounded" (dict "name" (include "tidelock.wholeName" .) "limit" 63) }}
{{- end }}

{{/* The name of an object that is one of several, with the database that it is for whole in it: dict "scope", "suffix", "limit" (63). */}}
{{- define "tidelock.objectName" -}}
{{- $suffix := printf "%s%s" (include "tidelock.suffix" .scope) (default "" .suffix) }}
{{- include "tidelock.bounded" (dict "name" (include "tidelock.wholeName" .scope) "limit" (sub (default 63 .limit) (len $suffix))) }}{{ $suffix }}
{{- end }}

{{- define "tidelock.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* What never changes, so that it may stand in selectors and in a Job's pod, which is immutable. */}}
{{- define "tidelock.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tidelock.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: migrations
{{- end }}

{{- define "tidelock.podLabels" -}}
{{- $own := include "tidelock.selectorLabels" . | fromYaml }}
{{- merge $own .Values.podLabels .Values.commonLabels (include "tidelock.meshLabels" . | fromYaml) | toYaml }}
{{- end }}

{{- define "tidelock.ownPodAnnotations" -}}
{{- merge (dict) .Values.podAnnotations .Values.commonAnnotations (include "tidelock.meshAnnotations" . | fromYaml) | toYaml }}
{{- end }}

{{/* A value as a label may have it. */}}
{{- define "tidelock.labelValue" -}}
{{- regexReplaceAll "[^A-Za-z0-9._-]" . "_" | trunc 63 | trimAll "-._" }}
{{- end }}

{{/*
The metadata of an object that the Job needs or is: dict "scope", "name", and where wanted "labels", "annotations", "step".
A hook's needs must be hooks as well, an Argo CD hook's one wave earlier: "step" is 0 for the Job and negative for what it needs.
Helm keeps what once was a hook, and takes it over when a change of mode makes it part of the release.
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
{{- else }}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" }}
{{- $_ := set $annotations "meta.helm.sh/release-name" .scope.Release.Name }}
{{- $_ := set $annotations "meta.helm.sh/release-namespace" .scope.Release.Namespace }}
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
{{- $scope := .scope }}
{{- $labels := include "tidelock.selectorLabels" $scope | fromYaml }}
{{- $labels = merge $labels (default (dict) .labels) $scope.Values.commonLabels }}
{{- $version := include "tidelock.labelValue" (default $scope.Chart.AppVersion (tpl $scope.Values.image.tag $scope)) }}
{{- $chart := include "tidelock.labelValue" (printf "%s-%s" $scope.Chart.Name $scope.Chart.Version) }}
{{- $labels = merge $labels (dict "app.kubernetes.io/managed-by" $scope.Release.Service "app.kubernetes.io/version" $version "helm.sh/chart" $chart) }}
{{- $metadata := dict "name" .name "namespace" (include "tidelock.namespace" $scope) "labels" $labels }}
{{- with merge (dict) (default (dict) .annotations) $scope.Values.commonAnnotations }}
{{- $_ := set $metadata "annotations" . }}
{{- end }}
{{- toYaml $metadata }}
{{- end }}

{{/*
An object that the Job needs: dict "scope", "name", "object" (without its metadata), and where wanted "labels", "annotations". Helm
replaces a hook by deleting it, and a Job that still runs would lose its service account or its rights with it. So what is there
already just as it is wanted is left alone. Its annotation says what was wanted.
*/}}
{{- define "tidelock.needed" -}}
{{- $scope := .scope }}
{{- $wanted := list .name .object .labels .annotations $scope.Values.commonLabels $scope.Values.commonAnnotations | toJson | sha256sum | trunc 16 }}
{{- $is := "" }}
{{- $annotations := merge (dict) (default (dict) .annotations) }}
{{- if eq $scope.Values.job.mode "hook" }}
{{- $live := lookup .object.apiVersion .object.kind (include "tidelock.namespace" $scope) .name }}
{{- include "tidelock.checkOwner" (dict "scope" $scope "live" $live) }}
{{- $is = dig "metadata" "annotations" "tidelock/wanted" "" $live }}
{{- $_ := set $annotations "tidelock/wanted" $wanted }}
{{- end }}
{{- if ne $is $wanted }}
{{- $metadata := include "tidelock.jobMetadata" (dict "scope" $scope "name" .name "labels" .labels "annotations" $annotations "step" -1) | fromYaml }}
---
{{ merge (dict "metadata" $metadata) .object | toYaml }}
{{- end }}
{{- end }}

{{/* Refuses to replace what belongs to somebody else, as Helm does for everything but hooks: dict "scope", "live". */}}
{{- define "tidelock.checkOwner" -}}
{{- if .live }}
{{- $labels := dig "metadata" "labels" (dict) .live }}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-namespace" .scope.Release.Namespace .live }}
{{- if or (ne (get $labels "app.kubernetes.io/instance") .scope.Release.Name) (ne $owner .scope.Release.Namespace) }}
{{- fail (printf "\n%s %s/%s exists and does not belong to release %s.\nSet fullnameOverride, or the name of that object, to one that is free." .live.kind .live.metadata.namespace .live.metadata.name .scope.Release.Name) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
REGISTRY/REPOSITORY:TAG@DIGEST of dict "scope", "image", "tag" (where the image names none). A registry replaces the repository's own,
and the global one replaces every other, so that one value sends all charts of a parent to a mirror.
*/}}
{{- define "tidelock.imageName" -}}
{{- $registry := default (tpl .image.registry .scope) .scope.Values.global.imageRegistry }}
{{- $repository := tpl .image.repository .scope }}
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
{{- $name := tpl .Values.serviceAccount.name . }}
{{- if .Values.serviceAccount.create }}
{{- default (include "tidelock.fullname" .) $name }}
{{- else }}
{{- default "default" $name }}
{{- end }}
{{- end }}

{{/* The service accounts of all databases' Jobs, as a map of name to values. */}}
{{- define "tidelock.serviceAccounts" -}}
{{- $accounts := dict }}
{{- range $name, $values := include "tidelock.databases" . | fromJson }}
{{- $account := $values.serviceAccount }}
{{- $scope := merge (dict "Values" $values) (omit $ "Values") }}
{{- $annotations := tpl (toYaml $account.annotations) $scope | fromYaml }}
{{- $_ := set $accounts (include "tidelock.serviceAccountName" $scope) (dict "create" $account.create "labels" $account.labels "annotations" $annotations) }}
{{- end }}
{{- toYaml $accounts }}
{{- end }}

{{/* "-NAME" for one of several databases, else nothing: the suffix of what each of them has for itself. */}}
{{- define "tidelock.suffix" -}}
{{- with .Database }}-{{ . }}{{ end }}
{{- end }}

{{/*
dict "base", "over" as JSON: a map with another laid over it, as Helm lays one values file over another, null included. sprig's merge
functions take false, 0 and "" for values that nobody has set.
*/}}
{{- define "tidelock.overlay" -}}
{{- $out := deepCopy .base }}
{{- range $key, $value := .over }}
{{- if and (kindIs "map" $value) (kindIs "map" (get $out $key)) }}
{{- $_ := set $out $key (include "tidelock.overlay" (dict "base" (get $out $key) "over" $value) | fromJson) }}
{{- else if kindIs "invalid" $value }}
{{- $_ := unset $out $key }}
{{- else }}
{{- $_ := set $out $key $value }}
{{- end }}
{{- end }}
{{- toJson $out }}
{{- end }}

{{/* The databases as a map of name to values, as JSON; one without a name is the only one. */}}
{{- define "tidelock.databases" -}}
{{- $databases := dict }}
{{- range $name, $differing := .Values.databases }}
{{- $values := include "tidelock.overlay" (dict "base" (omit $.Values "databases" "isPrepared") "over" (default (dict) $differing)) | fromJson }}
{{- include "tidelock.prepare" (dict "Values" $values) }}
{{- $_ := set $databases $name $values }}
{{- end }}
{{- default (dict "" .Values) $databases | toJson }}
{{- end }}
