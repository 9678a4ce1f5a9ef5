{{/* Where the database is, and with which credentials. Secrets are files: they rotate, and no "kubectl describe" shows them. */}}

{{- define "tidelock.databaseSecretName" -}}
{{- if .Values.database.url }}
{{- include "tidelock.objectName" (dict "scope" . "suffix" "-database") }}
{{- else }}
{{- tpl .Values.database.existingSecret . }}
{{- end }}
{{- end }}

{{/* The URL made of its parts, without the password. */}}
{{- define "tidelock.databaseUrl" -}}
{{- $database := .Values.database }}
{{- $host := tpl $database.host . }}
{{- if and (contains ":" $host) (not (hasPrefix "[" $host)) }}
{{- $host = printf "[%s]" $host }}
{{- end }}
{{- $user := "" }}
{{- with $database.user }}{{ $user = printf "%s@" (. | urlquery | replace "+" "%20") }}{{ end }}
{{- $name := $database.name | urlquery | replace "+" "%20" }}
{{- printf "postgresql://%s%s:%d/%s" $user $host (int $database.port) $name }}
{{- with $database.schema }}?schema={{ urlquery . | replace "+" "%20" }}{{ end }}
{{- end }}

{{/* Refuses combinations that contradict each other. */}}
{{- define "tidelock.checkDatabase" -}}
{{- $database := .Values.database }}
{{- $where := ternary (printf "databases.%s.database" .Database) "database" (ne (default "" .Database) "") }}
{{- if and $database.url (or $database.host $database.existingSecret) }}
{{- fail (printf "\n%s.url is set, and so is %s.host or %s.existingSecret.\nSet only one: existingSecret with a URL, host with its parts (existingSecret then holds the password), or url." $where $where $where) }}
{{- end }}
{{- if and $database.directUrl (not $database.url) }}
{{- fail (printf "\n%s.directUrl is set without %s.url.\nFor an existing Secret, name the key: %s.secretKeys.directUrl." $where $where $where) }}
{{- end }}
{{- if and $database.secretKeys.replica (not $database.existingSecret) }}
{{- fail (printf "\n%s.secretKeys.replica is set without %s.existingSecret.\nSet %s.existingSecret to the Secret that has this key, or set TIDELOCK_REPLICA from a Secret with extraEnv." $where $where $where) }}
{{- end }}
{{- /* With a secret of these comes its user. */}}
{{- $hasUser := or $database.user (has $database.passwordFrom.source (list "aws-secret" "vault")) }}
{{- if and $database.host (not (and $hasUser $database.name)) }}
{{- fail (printf "\n%s.host is set without a user or a name.\nSet %s.user and %s.name." $where $where $where) }}
{{- end }}
{{- if not (or $database.url $database.host $database.existingSecret .Values.extraEnv .Values.extraEnvFrom (include "tidelock.tenantsFile" .)) }}
{{- fail (printf "\nThe database is not configured.\nSet %s.existingSecret to a Secret whose key %q holds its URL:\n  kubectl create secret generic my-database --namespace %s --from-literal=url='postgresql://USER:PASSWORD@HOST:5432/NAME'\n  helm … --set %s.existingSecret=my-database" $where $database.secretKeys.url .Release.Namespace $where) }}
{{- end }}
{{- if and $database.sslRootCert.existingSecret $database.sslRootCert.existingConfigMap }}
{{- fail (printf "\n%s.sslRootCert has an existingSecret and an existingConfigMap.\nSet only one of them." $where) }}
{{- end }}
{{- include "tidelock.checkPassword" (dict "scope" . "where" $where) }}
{{- end }}

{{/*
The ports of a database, of its values (not of a scope) as JSON: those in its URL, which may name several hosts, in its variables, or
`port`. What a Secret says is unknown here.
*/}}
{{- define "tidelock.databasePorts" -}}
{{- $urls := list .database.url .database.directUrl }}
{{- $ports := list }}
{{- range .extraEnv }}
{{- if has .name (list "DATABASE_URL" "DIRECT_URL") }}{{ $urls = append $urls (default "" .value) }}{{ end }}
{{- if and (eq .name "PGPORT") .value }}{{ $ports = append $ports (int .value) }}{{ end }}
{{- end }}
{{- range $urls | compact }}
{{- $hosts := regexFind "^[a-z]+://[^/?]*" . | splitList "@" | last }}
{{- range splitList "," $hosts }}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default 5432 | int) }}
{{- end }}
{{- end }}
{{- if or .database.host (not $ports) }}
{{- $ports = prepend $ports (int .database.port) }}
{{- end }}
{{- uniq $ports | toJson }}
{{- end }}

{{- define "tidelock.databaseEnv" -}}
{{- $database := .Values.database }}
{{- if $database.host }}
- name: DATABASE_URL
  value: {{ include "tidelock.databaseUrl" . | quote }}
{{- if $database.existingSecret }}
- name: PGPASSWORD_FILE
  value: {{ printf "/run/secrets/tidelock/database/%s" $database.secretKeys.password | quote }}
{{- end }}
{{- else if or $database.url $database.existingSecret }}
- name: DATABASE_URL_FILE
  value: {{ printf "/run/secrets/tidelock/database/%s" (ternary "url" $database.secretKeys.url (ne $database.url "")) | quote }}
{{- if or $database.directUrl (and $database.existingSecret $database.secretKeys.directUrl) }}
- name: DIRECT_URL_FILE
  value: {{ printf "/run/secrets/tidelock/database/%s" (ternary "directUrl" $database.secretKeys.directUrl (ne $database.directUrl "")) | quote }}
{{- end }}
{{- end }}
{{- if and $database.existingSecret $database.secretKeys.replica }}
- name: TIDELOCK_REPLICA_FILE
  value: {{ printf "/run/secrets/tidelock/database/%s" $database.secretKeys.replica | quote }}
{{- end }}
{{- with $database.sslmode }}
- name: PGSSLMODE
  value: {{ . | quote }}
{{- end }}
{{- if or $database.sslRootCert.existingSecret $database.sslRootCert.existingConfigMap }}
- name: PGSSLROOTCERT
  value: {{ printf "/run/secrets/tidelock/ca/%s" $database.sslRootCert.key | quote }}
{{- end }}
{{- if $database.clientCert.existingSecret }}
- name: PGSSLCERT
  value: {{ printf "/run/secrets/tidelock/client/%s" $database.clientCert.cert | quote }}
- name: PGSSLKEY
  value: {{ printf "/run/secrets/tidelock/client/%s" $database.clientCert.key | quote }}
{{- end }}
{{- with $database.setRole }}
- name: TIDELOCK_SET_ROLE
  value: {{ . | quote }}
{{- end }}
{{- include "tidelock.passwordEnv" . }}
{{- end }}

{{- define "tidelock.databaseMounts" -}}
{{- $database := .Values.database }}
{{- $suffix := include "tidelock.suffix" . }}
{{- if or $database.url $database.existingSecret }}
- name: tidelock-database{{ $suffix }}
  mountPath: /run/secrets/tidelock/database
  readOnly: true
{{- end }}
{{- if or $database.sslRootCert.existingSecret $database.sslRootCert.existingConfigMap }}
- name: tidelock-ca{{ $suffix }}
  mountPath: /run/secrets/tidelock/ca
  readOnly: true
{{- end }}
{{- if $database.clientCert.existingSecret }}
- name: tidelock-client{{ $suffix }}
  mountPath: /run/secrets/tidelock/client
  readOnly: true
{{- end }}
{{- include "tidelock.passwordMounts" . }}
{{- end }}

{{/*
With dict "scope", "isHook". What a hook mounts is there before the release or never: with "optional" the container starts without it
and says so at once, instead of a pod that waits until Helm gives up. The mode of the client's key is what libpq demands of a
root-owned file (PostgreSQL documentation, "Client Certificates"): readable through fsGroup.
*/}}
{{- define "tidelock.databaseVolumes" -}}
{{- $scope := .scope }}
{{- $database := $scope.Values.database }}
{{- $suffix := include "tidelock.suffix" $scope }}
{{- if or $database.url $database.existingSecret }}
- name: tidelock-database{{ $suffix }}
  secret:
    secretName: {{ include "tidelock.databaseSecretName" $scope | quote }}
    defaultMode: 0444
    {{- if .isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- include "tidelock.caVolume" (dict "scope" $scope "name" "tidelock-ca" "from" $database.sslRootCert "isHook" .isHook) }}
{{- with $database.clientCert.existingSecret }}
- name: tidelock-client{{ $suffix }}
  secret:
    secretName: {{ tpl . $scope | quote }}
    defaultMode: 0440
    {{- if $.isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- include "tidelock.passwordVolumes" . }}
{{- end }}

{{/* CA certificates out of a Secret or a ConfigMap: dict "scope", "name", "from", "isHook". */}}
{{- define "tidelock.caVolume" -}}
{{- $scope := .scope }}
{{- $name := printf "%s%s" .name (include "tidelock.suffix" $scope) }}
{{- with .from.existingSecret }}
- name: {{ $name }}
  secret:
    secretName: {{ tpl . $scope | quote }}
    defaultMode: 0444
    {{- if $.isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- with .from.existingConfigMap }}
- name: {{ $name }}
  configMap:
    name: {{ tpl . $scope | quote }}
    defaultMode: 0444
    {{- if $.isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- end }}
