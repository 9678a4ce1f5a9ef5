{{/* The containers that the program runs in. */}}

{{/* Options as environment variables: retry_for: 30m is TIDELOCK_RETRY_FOR. Out of YAML, numbers come as floats, and off as false. */}}
{{- define "tidelock.configEnv" -}}
{{- $apart := include "tidelock.optionsApart" . | fromYaml }}
{{- range $key, $value := .Values.config }}
{{- with get $apart $key }}
{{- fail (printf "\nconfig.%s has a value of its own in the chart.\nSet %s instead." $key .) }}
{{- end }}
{{- if and (eq $key "drift") (kindIs "bool" $value) }}
{{- $value = "off" }}
{{- end }}
{{- if not (or (kindIs "invalid" $value) (eq $key "metrics_labels")) }}
- name: TIDELOCK_{{ upper $key }}
  value: {{ ternary (int64 $value | toString) (toString $value) (kindIs "float64" $value) | quote }}
{{- end }}
{{- end }}
{{- include "tidelock.releaseEnv" . }}
{{- end }}

{{/* The tag of the application's image, where it is a release that can be compared with others and nothing else is said. */}}
{{- define "tidelock.releaseEnv" -}}
{{- $image := .Values.migrations.image }}
{{- $tag := tpl (toString $image.tag) . }}
{{- if and $image.repository (not (hasKey .Values.config "release")) (regexMatch "^v?[0-9]+([.][0-9]+)+$" $tag) }}
- name: TIDELOCK_RELEASE
  value: {{ $tag | quote }}
{{- end }}
{{- end }}

{{/*
Whether the security contexts leave the users to the cluster: on OpenShift they must. Other charts have the same value, so that a
parent says it once.
*/}}
{{- define "tidelock.adaptsSecurity" -}}
{{- $adapt := dig "compatibility" "openshift" "adaptSecurityContext" "auto" .Values.global | default "auto" }}
{{- if or (eq $adapt "force") (and (eq $adapt "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}yes{{ end }}
{{- end }}

{{/* A security context without what is "" or null: dict "scope", "context". A parent's null does not always get here (helm/helm#32132). */}}
{{- define "tidelock.securityContext" -}}
{{- $out := dict }}
{{- $left := ternary (list "runAsUser" "runAsGroup" "fsGroup") list (eq (include "tidelock.adaptsSecurity" .scope) "yes") }}
{{- range $key, $value := .context }}
{{- if not (or (has $key $left) (kindIs "invalid" $value) (eq (toString $value) "")) }}
{{- $_ := set $out $key $value }}
{{- end }}
{{- end }}
{{- if $out }}
securityContext:
  {{- toYaml $out | nindent 2 }}
{{- end }}
{{- end }}

{{/* As a container has it, on a line of its own. */}}
{{- define "tidelock.containerSecurity" -}}
{{- with include "tidelock.securityContext" (dict "scope" . "context" .Values.securityContext) }}
{{- . | trim | nindent 2 }}
{{- end }}
{{- end }}

{{/* Options that have a value of their own. */}}
{{- define "tidelock.optionsApart" -}}
tenants: tenants.existingSecret or tenants.existingConfigMap
tenants_query: tenants.query
databases: tenants.databases
schemas: tenants.schemas
shard: tenants.pods
lease: lease.enabled and lease.name
lease_duration: lease.duration
events: events.enabled
service_account: lease.enabled, events.enabled or database.passwordFrom.vault.role, which mount it
pushgateway: pushgateway.url
pushgateway_labels: pushgateway.labels
webhook: webhook.existingSecret
webhook_on: webhook.events
webhook_key: webhook.secretKeys.signingKey
password_from: database.passwordFrom.source
secret_name: database.passwordFrom.secretName
vault_role: database.passwordFrom.vault.role
vault_auth: database.passwordFrom.vault.auth
set_role: database.setRole
{{- end }}

{{/* As "tidelock.container" has it. */}}
{{- define "tidelock.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- include "tidelock.tenantsEnv" . }}
{{- include "tidelock.databaseEnv" .scope }}
{{- include "tidelock.migrationsEnv" .scope }}
{{- include "tidelock.serviceEnv" (dict "scope" .scope "command" (first .args) "isJob" .isJob) }}
{{- if .hasStatus }}
- name: TIDELOCK_STATUS_FILE
  value: /run/tidelock/status/tidelock.prom
{{- end }}
{{- $labels := get .scope.Values.config "metrics_labels" }}
{{- if or .hasStatus $labels }}
- name: TIDELOCK_METRICS_LABELS
  value: {{ list (printf "app=%s" (include "tidelock.app" .scope)) $labels | compact | join "," | quote }}
{{- end }}
{{- include "tidelock.configEnv" .scope }}
{{- with .scope.Values.extraEnv }}
{{ tpl (toYaml .) $.scope }}
{{- end }}
{{- end }}

{{/*
One container: dict "scope", "name", "args", and where wanted "isJob", "isOwnPod", "hasStatus", "resources". Where the migrations are
in an image without tidelock, it is that image with the program from the volume; otherwise the program's own image.
*/}}
{{- define "tidelock.container" -}}
{{- $scope := .scope }}
{{- $values := $scope.Values -}}
- name: {{ .name }}
  {{- if $values.migrations.image.repository }}
  image: {{ include "tidelock.imageName" (dict "scope" $scope "image" $values.migrations.image "tag" "") | quote }}
  imagePullPolicy: {{ $values.migrations.image.pullPolicy | quote }}
  command: [/entrypoint/tidelock]
  {{- else }}
  image: {{ include "tidelock.image" $scope | quote }}
  imagePullPolicy: {{ $values.image.pullPolicy | quote }}
  command: [{{ $values.image.binary | quote }}]
  {{- end }}
  args:
    {{- toYaml .args | nindent 4 }}
  env:
    {{- include "tidelock.env" . | nindent 4 }}
  {{- with $values.extraEnvFrom }}
  envFrom:
    {{- tpl (toYaml .) $scope | nindent 4 }}
  {{- end }}
  terminationMessagePolicy: FallbackToLogsOnError
  {{- include "tidelock.containerSecurity" $scope }}
  {{- with default $values.resources .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $mounts := list }}
  {{- range list (include "tidelock.databaseMounts" $scope) (include "tidelock.tenantsMounts" $scope) (include "tidelock.migrationsMounts" $scope) (include "tidelock.serviceMounts" (dict "scope" $scope "command" (first .args) "isOwnPod" .isOwnPod)) }}
  {{- $mounts = concat $mounts (fromYamlArray .) }}
  {{- end }}
  {{- if .hasStatus }}
  {{- $mounts = append $mounts (dict "name" "tidelock-status" "mountPath" "/run/tidelock/status") }}
  {{- end }}
  {{- if $values.migrations.image.repository }}
  {{- $mounts = concat $mounts (include "tidelock.entrypointMount" $scope | fromYamlArray) }}
  {{- end }}
  {{- with concat $mounts $values.extraVolumeMounts }}
  volumeMounts:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Copies the program into the volume "tidelock-entrypoint". The image has no shell and no cp; it copies itself. */}}
{{- define "tidelock.entrypointContainer" -}}
{{- include "tidelock.prepare" . -}}
- name: tidelock-entrypoint
  image: {{ include "tidelock.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  command: [{{ .Values.image.binary | quote }}]
  args: [install, /entrypoint]
  terminationMessagePolicy: FallbackToLogsOnError
  {{- include "tidelock.containerSecurity" . }}
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: tidelock-entrypoint
      mountPath: /entrypoint
{{- end }}

{{- define "tidelock.entrypointMount" -}}
- name: tidelock-entrypoint
  mountPath: /entrypoint
  readOnly: true
{{- end }}

{{- define "tidelock.entrypointVolume" -}}
- name: tidelock-entrypoint
  emptyDir:
    sizeLimit: 16Mi
{{- end }}

{{- define "tidelock.statusMount" -}}
- name: tidelock-status
  mountPath: /run/tidelock/status
  readOnly: true
{{- end }}

{{- define "tidelock.statusVolume" -}}
- name: tidelock-status
  emptyDir:
    sizeLimit: 1Mi
{{- end }}

{{/* Serves the status files of the pod to Prometheus. */}}
{{- define "tidelock.metricsContainer" -}}
{{- include "tidelock.prepare" . }}
{{- $sidecar := .Values.metrics.sidecar }}
- name: tidelock-metrics
  image: {{ include "tidelock.imageName" (dict "scope" . "image" $sidecar.image "tag" "") | quote }}
  imagePullPolicy: {{ $sidecar.image.pullPolicy | quote }}
  {{- with $sidecar.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  args:
    - --collector.disable-defaults
    - --web.disable-exporter-metrics
    - --collector.textfile
    - --collector.textfile.directory=/run/tidelock/status
    - --web.listen-address=:{{ int $sidecar.port }}
  ports:
    - name: tidelock
      containerPort: {{ int $sidecar.port }}
  {{- include "tidelock.containerSecurity" . }}
  {{- with $sidecar.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "tidelock.statusMount" . | nindent 4 }}
{{- end }}
