{{/* The Job. */}}

{{/* Refuses what a Job that runs before the rest of the release can't have. */}}
{{- define "tidelock.checkOrder" -}}
{{- $scope := . }}
{{- $values := .Values }}
{{- $job := $values.job }}
{{- $otherwise := ternary "job.mode=job" "job.argocd.hook=Sync" (eq $job.mode "hook") }}
{{- if or (eq $job.mode "hook") (and (eq $job.mode "argocd") (eq $job.argocd.hook "PreSync")) }}
{{- if $values.database.url }}
{{- fail (printf "\nThe Job would run before the Secret that it needs: job.mode=%s runs before everything else in this release, and database.url makes a Secret.\nCreate the Secret beforehand:\n  kubectl create secret generic my-database --namespace %s --from-literal=url='postgresql://…'\nand set database.existingSecret=my-database instead of database.url; or set %s." $job.mode (include "tidelock.namespace" .) $otherwise) }}
{{- end }}
{{- $database := $values.database }}
{{- $wanted := list (include "tidelock.databaseSecretName" .) $values.webhook.existingSecret $values.migrations.configMap.name $database.clientCert.existingSecret $values.tenants.existingSecret $values.tenants.existingConfigMap }}
{{- range list $database.sslRootCert $database.passwordFrom.vault.caCert }}
{{- $wanted = append $wanted (default .existingSecret .existingConfigMap) }}
{{- end }}
{{- $names := list }}
{{- range $wanted | compact }}{{ $names = append $names (tpl . $scope) }}{{ end }}
{{- range $object := $values.extraObjects }}
{{- $made := tpl (ternary $object (toYaml $object) (kindIs "string" $object)) $scope | fromYaml }}
{{- if and (has $made.kind (list "Secret" "SealedSecret" "ExternalSecret" "ConfigMap")) (has (dig "metadata" "name" "" $made) $names) }}
{{- fail (printf "\nThe Job would run before the %s that it needs: %q is among extraObjects, and job.mode=%s runs before them.\nCreate it beforehand, or set %s." (ternary "ConfigMap" "Secret" (eq $made.kind "ConfigMap")) $made.metadata.name $job.mode $otherwise) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $job.podReplacementPolicy (ne $job.podReplacementPolicy "Failed") (include "tidelock.failurePolicy" .) }}
{{- fail (printf "\njob.podReplacementPolicy=%s cannot be combined with a failure policy; Kubernetes accepts only Failed.\nSet job.podFailurePolicy=null as well." $job.podReplacementPolicy) }}
{{- end }}
{{- end }}

{{/* The policy, or nothing: null, or a policy without rules, which also gets through where a null does not. */}}
{{- define "tidelock.failurePolicy" -}}
{{- $policy := .Values.job.podFailurePolicy }}
{{- if kindIs "invalid" $policy }}
{{- else if not $policy }}
{{- include "tidelock.podFailurePolicy" . }}
{{- else if $policy.rules }}
{{- toYaml $policy }}
{{- end }}
{{- end }}

{{/* All of a Job that can't be changed in it. */}}
{{- define "tidelock.jobTemplate" -}}
{{- $values := .Values }}
{{- $version := .Capabilities.KubeVersion.Version }}
{{- include "tidelock.indexed" . }}
{{- if semverCompare ">=1.26-0" $version }}
{{- with include "tidelock.failurePolicy" . }}
podFailurePolicy:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}
{{- if and (semverCompare ">=1.29-0" $version) $values.job.podReplacementPolicy }}
podReplacementPolicy: {{ $values.job.podReplacementPolicy }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "tidelock.podLabels" . | nindent 6 }}
    {{- with include "tidelock.ownPodAnnotations" . | fromYaml }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    {{- include "tidelock.podSpec" (dict "scope" . "name" "migrate" "args" (prepend .Values.extraArgs "deploy") "isJob" true) | nindent 4 }}
{{- end }}

{{/*
A plain Job's name ends in a hash of what can't be changed in it. A hook has one name, so that Helm replaces it, unless a pod of that Job
runs right now: then that Job is left alone, and the new one, under the next name, waits for it at the leader lock. The first letter of
the hash is none of a CronJob's, whose Jobs have names that end in digits.
*/}}
{{- define "tidelock.jobName" -}}
{{- $scope := . }}
{{- $values := .Values }}
{{- /* The names of an Indexed Job's pods end in their number. */}}
{{- $base := include "tidelock.objectName" (dict "scope" . "limit" (sub 53 (sub (int .Values.tenants.pods) 1 | toString | len))) }}
{{- if eq $values.job.mode "job" }}
{{- $content := list (include "tidelock.jobTemplate" .) (toYaml $values.migrations.files) }}
{{- if $values.database.url }}
{{- /* Whoever sees the Job's name must not be able to try passwords on it quickly: this is scrypt. */}}
{{- $content = append $content (derivePassword 1 "maximum" (printf "%s %s" $values.database.url $values.database.directUrl) "tidelock" "job") }}
{{- end }}
{{- printf "%s-m%s" $base (join "\n" $content | sha256sum | trunc 7) }}
{{- else if eq $values.job.mode "hook" }}
{{- $found := "" }}
{{- range $number := until 100 }}
{{- if not $found }}
{{- $name := ternary $base (printf "%s-m%s" $base (printf "%d" $number | sha256sum | trunc 7)) (eq $number 0) }}
{{- $live := lookup "batch/v1" "Job" (include "tidelock.namespace" $scope) $name }}
{{- include "tidelock.checkOwner" (dict "scope" $scope "live" $live) }}
{{- if not (dig "status" "ready" 0 $live) }}{{ $found = $name }}{{ end }}
{{- end }}
{{- end }}
{{- default $base $found }}
{{- else }}
{{- $base }}
{{- end }}
{{- end }}

{{/*
Plain Jobs of this release that run right now, under a name that is none of "names": dict "scope", "names". Helm deletes what the last
manifest had and this one has not; so they stay in it until they are done. What the API server adds is left out, as it was in theirs.
*/}}
{{- define "tidelock.runningJobs" -}}
{{- $scope := .scope }}
{{- $names := .names }}
{{- range (lookup "batch/v1" "Job" (include "tidelock.namespace" $scope) "").items }}
{{- $labels := default (dict) .metadata.labels }}
{{- $isOurs := and (eq (get $labels "app.kubernetes.io/instance") $scope.Release.Name) (eq (get $labels "app.kubernetes.io/name") (include "tidelock.name" $scope)) }}
{{- $isHook := hasKey (default (dict) .metadata.annotations) "helm.sh/hook" }}
{{- if and $isOurs (not $isHook) (dig "status" "ready" 0 .) (not (has .metadata.name $names)) }}
{{- $own := dict "labels" (omit .spec.template.metadata.labels "controller-uid" "job-name" "batch.kubernetes.io/controller-uid" "batch.kubernetes.io/job-name") }}
{{- $_ := set $own "annotations" (default (dict) .spec.template.metadata.annotations) }}
{{- $spec := merge (dict "template" (dict "metadata" $own "spec" .spec.template.spec)) (omit .spec "selector" "template") }}
---
{{ dict "apiVersion" "batch/v1" "kind" "Job" "metadata" (pick .metadata "name" "namespace" "labels" "annotations") "spec" $spec | toYaml }}
{{- end }}
{{- end }}
{{- end }}
