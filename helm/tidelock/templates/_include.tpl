{{/*
For other charts. A chart that has tidelock among its dependencies writes, in a pod of its own,

  initContainers:
    {{- include "tidelock.initContainer" .Subcharts.tidelock | nindent 8 }}
  volumes:
    {{- include "tidelock.volumes" .Subcharts.tidelock | nindent 8 }}

and, where the application's container wants the probe or the program, or where there is a mesh (`mesh.kind`),

    readinessProbe:
      {{- include "tidelock.readinessProbe" .Subcharts.tidelock | nindent 12 }}
    volumeMounts:
      {{- include "tidelock.volumeMounts" .Subcharts.tidelock | nindent 12 }}
  annotations:
    {{- include "tidelock.podAnnotations" .Subcharts.tidelock | nindent 8 }}

With initContainer.command=deploy, lease.enabled and events.enabled want rights for the pod's own service account, which this chart can't
know. Bind to it a Role with

  rules:
    {{- include "tidelock.roleRules" .Subcharts.tidelock | nindent 4 }}

These names and what they need stay as they are within a major version of the chart.
*/}}

{{/* The same as the init container has them. */}}
{{- define "tidelock.initDatabases" -}}
{{- $databases := dict }}
{{- range $name, $values := include "tidelock.databases" . | fromJson }}
{{- $values = include "tidelock.overlay" (dict "base" (omit $values "isPrepared") "over" (pick $values.initContainer "database" "config")) | fromJson }}
{{- include "tidelock.prepare" (dict "Values" $values) }}
{{- $_ := set $databases $name $values }}
{{- end }}
{{- toJson $databases }}
{{- end }}

{{- define "tidelock.wantsEntrypoint" -}}
{{- $wants := .Values.entrypoint.enabled }}
{{- range include "tidelock.databases" . | fromJson }}
{{- $wants = or $wants .migrations.image.repository }}
{{- end }}
{{- if $wants }}yes{{ end }}
{{- end }}

{{- define "tidelock.initContainer" -}}
{{- include "tidelock.prepare" . }}
{{- if include "tidelock.wantsEntrypoint" . }}
{{- include "tidelock.entrypointContainer" . }}
{{ end }}
{{- $containers := list }}
{{- range $name, $values := include "tidelock.initDatabases" . | fromJson }}
{{- $scope := merge (dict "Values" $values "Database" $name) (omit $ "Values") }}
{{- include "tidelock.checkDatabase" $scope }}
{{- include "tidelock.checkTenants" $scope }}
{{- include "tidelock.checkMigrations" $scope }}
{{- $name := printf "tidelock-%s%s" $values.initContainer.command (include "tidelock.suffix" $scope) }}
{{- $containers = append $containers (include "tidelock.container" (dict "scope" $scope "name" $name "args" (list $values.initContainer.command) "hasStatus" true "resources" $values.initContainer.resources)) }}
{{- end }}
{{- join "\n" $containers }}
{{- end }}

{{/* Every volume that "tidelock.initContainer" and "tidelock.volumeMounts" need; several databases share the token's and the webhook's. */}}
{{- define "tidelock.volumes" -}}
{{- include "tidelock.prepare" . }}
{{- $volumes := include "tidelock.statusVolume" . | fromYamlArray }}
{{- if include "tidelock.wantsEntrypoint" . }}
{{- $volumes = concat $volumes (include "tidelock.entrypointVolume" . | fromYamlArray) }}
{{- end }}
{{- range $name, $values := include "tidelock.initDatabases" . | fromJson }}
{{- $scope := merge (dict "Values" $values "Database" $name) (omit $ "Values") }}
{{- $volumes = concat $volumes (include "tidelock.databaseVolumes" (dict "scope" $scope) | fromYamlArray) (include "tidelock.tenantsVolumes" (dict "scope" $scope) | fromYamlArray) (include "tidelock.migrationsVolumes" (dict "scope" $scope) | fromYamlArray) }}
{{- $volumes = concat $volumes (include "tidelock.serviceVolumes" (dict "scope" $scope "command" $values.initContainer.command) | fromYamlArray) $values.extraVolumes }}
{{- end }}
{{- uniq $volumes | toYaml }}
{{- end }}

{{/* What the application's container may see of it: the status, and the program where that is copied. */}}
{{- define "tidelock.volumeMounts" -}}
{{- include "tidelock.prepare" . }}
{{- include "tidelock.statusMount" . }}
{{- if include "tidelock.wantsEntrypoint" . }}
{{ include "tidelock.entrypointMount" . }}
{{- end }}
{{- end }}

{{/* Exit 0 when the status file says that the database holds every migration; opens no connection. */}}
{{- define "tidelock.readinessProbe" -}}
{{- include "tidelock.prepare" . -}}
exec:
  command:
    - /entrypoint/tidelock
    - ready
    - --status-file
    - /run/tidelock/status/tidelock.prom
periodSeconds: {{ int .Values.probe.periodSeconds }}
timeoutSeconds: {{ int .Values.probe.timeoutSeconds }}
failureThreshold: {{ int .Values.probe.failureThreshold }}
{{- end }}
