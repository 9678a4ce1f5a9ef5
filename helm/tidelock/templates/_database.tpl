{{/* Where the database is, and with which credentials. Secrets are files: they rotate, and no "kubectl describe" shows them. */}}

{{- define "tidelock.databaseSecretName" -}}
{{- if .Values.database.url }}
{{- printf "%s%s-database" (include "tidelock.fullname" . | trunc 40 | trimSuffix "-") (include "tidelock.suffix" .) }}
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
{{- /* With a secret of these comes its user. */}}
{{- $hasUser := or $database.user (has $database.passwordFrom.source (list "aws-secret" "vault")) }}
{{- if and $database.host (not (and $hasUser $database.name)) }}
{{- fail (printf "\n%s.host is set without a user or a name.\nSet %s.user and %s.name." $where $where $where) }}
{{- end }}
{{- if not (or $database.url $database.host $database.existingSecret .Values.extraEnv .Values.extraEnvFrom) }}
{{- fail (printf "\nThe database is not configured.\nSet %s.existingSecret to a Secret whose key %q holds its URL:\n  kubectl create secret generic my-database --namespace %s --from-literal=url='postgresql://USER:PASSWORD@HOST:5432/NAME'\n  helm … --set %s.existingSecret=my-database" $where $database.secretKeys.url .Release.Namespace $where) }}
{{- end }}
{{- if and $database.sslRootCert.existingSecret $database.sslRootCert.existingConfigMap }}
{{- fail (printf "\n%s.sslRootCert has an existingSecret and an existingConfigMap.\nSet only one of them." $where) }}
{{- end }}
{{- include "tidelock.checkPassword" (dict "scope" . "where" $where) }}
{{- end }}

{{- define "tidelock.databaseEnv" -}}
{{- $database := .Values.database }}
{{- if $database.host }}
- name: DATABASE_URL
  value: {{ include "tidelock.databaseUrl" . | quote }}
{{- if $database.existingSecret }}
- name: PGPASSWORD_FILE
  value: /run/secrets/tidelock/database/{{ $database.secretKeys.password }}
{{- end }}
{{- else if or $database.url $database.existingSecret }}
- name: DATABASE_URL_FILE
  value: /run/secrets/tidelock/database/{{ ternary "url" $database.secretKeys.url (ne $database.url "") }}
{{- if or $database.directUrl (and $database.existingSecret $database.secretKeys.directUrl) }}
- name: DIRECT_URL_FILE
  value: /run/secrets/tidelock/database/{{ ternary "directUrl" $database.secretKeys.directUrl (ne $database.directUrl "") }}
{{- end }}
{{- end }}
{{- with $database.sslmode }}
- name: PGSSLMODE
  value: {{ . }}
{{- end }}
{{- if or $database.sslRootCert.existingSecret $database.sslRootCert.existingConfigMap }}
- name: PGSSLROOTCERT
  value: /run/secrets/tidelock/ca/{{ $database.sslRootCert.key }}
{{- end }}
{{- if $database.clientCert.existingSecret }}
- name: PGSSLCERT
  value: /run/secrets/tidelock/client/{{ $database.clientCert.cert }}
- name: PGSSLKEY
  value: /run/secrets/tidelock/client/{{ $database.clientCert.key }}
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
With dict "scope", "isHook". A hook's Secret is there before the release or never: with "optional" the container starts without it
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
    secretName: {{ include "tidelock.databaseSecretName" $scope }}
    defaultMode: 0444
    {{- if .isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- include "tidelock.caVolume" (dict "scope" $scope "name" "tidelock-ca" "from" $database.sslRootCert) }}
{{- with $database.clientCert.existingSecret }}
- name: tidelock-client{{ $suffix }}
  secret:
    secretName: {{ tpl . $scope }}
    defaultMode: 0440
{{- end }}
{{- include "tidelock.passwordVolumes" $scope }}
{{- end }}

{{/* CA certificates out of a Secret or a ConfigMap: dict "scope", "name", "from". */}}
{{- define "tidelock.caVolume" -}}
{{- $scope := .scope }}
{{- $name := printf "%s%s" .name (include "tidelock.suffix" $scope) }}
{{- with .from.existingSecret }}
- name: {{ $name }}
  secret:
    secretName: {{ tpl . $scope }}
    defaultMode: 0444
{{- end }}
{{- with .from.existingConfigMap }}
- name: {{ $name }}
  configMap:
    name: {{ tpl . $scope }}
    defaultMode: 0444
{{- end }}
{{- end }}
