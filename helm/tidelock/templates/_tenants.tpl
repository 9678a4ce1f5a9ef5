{{/* Many tenants in one Job: where their list is, and which part of it a pod takes. */}}

{{/* Refuses what contradicts itself. */}}
{{- define "tidelock.checkTenants" -}}
{{- $tenants := .Values.tenants }}
{{- $where := ternary (printf "databases.%s.tenants" .Database) "tenants" (ne (default "" .Database) "") }}
{{- $given := list }}
{{- range $key := list "existingSecret" "existingConfigMap" "query" "databases" "schemas" }}
{{- if get $tenants $key }}{{ $given = append $given $key }}{{ end }}
{{- end }}
{{- if gt (len $given) 1 }}
{{- fail (printf "\n%s has several lists: %s.\nSet only one of them." $where (join ", " $given)) }}
{{- end }}
{{- if and (gt (int $tenants.pods) 1) (not $given) }}
{{- fail (printf "\n%s.pods is set, and nothing says which tenants there are.\nSet %s.existingSecret, or another list." $where $where) }}
{{- end }}
{{- range $value, $is := dict "lease.enabled" .Values.lease.enabled "database.secretKeys.replica" .Values.database.secretKeys.replica }}
{{- if and $given $is }}
{{- fail (printf "\n%s and %s exclude each other: that is about one database.\nRemove %s." $where $value $value) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The file with the list, if it is one. */}}
{{- define "tidelock.tenantsFile" -}}
{{- if or .Values.tenants.existingSecret .Values.tenants.existingConfigMap }}/run/secrets/tidelock/tenants/{{ .Values.tenants.key }}{{ end }}
{{- end }}

{{- define "tidelock.isShared" -}}
{{- if gt (int .Values.tenants.pods) 1 }}yes{{ end }}
{{- end }}

{{/* dict "scope", "isJob". Only the Job's pods share; who asks, or waits, does so for all. The index stands first, as others name it. */}}
{{- define "tidelock.tenantsEnv" -}}
{{- $tenants := .scope.Values.tenants }}
{{- with include "tidelock.tenantsFile" .scope }}
- name: TIDELOCK_TENANTS
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := dict "TENANTS_QUERY" $tenants.query "DATABASES" $tenants.databases "SCHEMAS" $tenants.schemas }}
{{- with $value }}
- name: TIDELOCK_{{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if and .isJob (include "tidelock.isShared" .scope) }}
- name: JOB_COMPLETION_INDEX
  valueFrom:
    fieldRef:
      fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
- name: TIDELOCK_SHARD
  value: "/{{ int $tenants.pods }}"
{{- end }}
{{- end }}

{{- define "tidelock.tenantsMounts" -}}
{{- if include "tidelock.tenantsFile" . }}
- name: tidelock-tenants{{ include "tidelock.suffix" . }}
  mountPath: /run/secrets/tidelock/tenants
  readOnly: true
{{- end }}
{{- end }}

{{/* dict "scope", "isHook". */}}
{{- define "tidelock.tenantsVolumes" -}}
{{- include "tidelock.caVolume" (dict "scope" .scope "name" "tidelock-tenants" "from" .scope.Values.tenants "isHook" .isHook) }}
{{- end }}

{{/* Whether a tenant that fails leaves the others alone. */}}
{{- define "tidelock.goesOn" -}}
{{- if or (eq (toString (get .Values.config "on_failure")) "continue") (get .Values.config "max_failures") }}yes{{ end }}
{{- end }}

{{/* Where one part's failure leaves the others alone, each has retries of its own (Kubernetes 1.29). */}}
{{- define "tidelock.hasOwnRetries" -}}
{{- if and (include "tidelock.isShared" .) (include "tidelock.goesOn" .) (semverCompare ">=1.29-0" .Capabilities.KubeVersion.Version) }}yes{{ end }}
{{- end }}

{{/* What makes a Job an Indexed one, and can't be changed in it. */}}
{{- define "tidelock.indexed" -}}
{{- if include "tidelock.isShared" . }}
completionMode: Indexed
completions: {{ int .Values.tenants.pods }}
{{- if include "tidelock.hasOwnRetries" . }}
backoffLimitPerIndex: {{ int .Values.job.backoffLimit }}
{{- end }}
{{- end }}
{{- end }}
