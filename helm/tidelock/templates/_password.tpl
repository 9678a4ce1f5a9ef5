{{/* Passwords from a service, which the program asks before every connection. */}}

{{/* dict "scope", "where" (the path of the database's values). */}}
{{- define "tidelock.checkPassword" -}}
{{- $values := .scope.Values }}
{{- $from := $values.database.passwordFrom }}
{{- if and $from.source $values.database.host $values.database.existingSecret }}
{{- fail (printf "\n%s.passwordFrom.source and %s.existingSecret are both set; with %s.host, the Secret holds the password.\nSet only one of them." .where .where .where) }}
{{- end }}
{{- if and (has $from.source (list "aws-secret" "vault")) (not $from.secretName) }}
{{- fail (printf "\n%s.passwordFrom.source=%s needs the name of a secret.\nSet %s.passwordFrom.secretName." .where $from.source .where) }}
{{- end }}
{{- if eq $from.source "vault" }}
{{- if not $from.vault.address }}
{{- fail (printf "\n%s.passwordFrom.source=vault needs Vault's address.\nSet %s.passwordFrom.vault.address=https://HOST:8200." .where .where) }}
{{- end }}
{{- if not (or $from.vault.role $values.extraEnv $values.extraEnvFrom) }}
{{- fail (printf "\n%s.passwordFrom.source=vault needs a way to log in to Vault.\nSet %s.passwordFrom.vault.role to the role of its Kubernetes authentication, or set VAULT_TOKEN with extraEnv." .where .where) }}
{{- end }}
{{- if and $from.vault.caCert.existingSecret $from.vault.caCert.existingConfigMap }}
{{- fail (printf "\n%s.passwordFrom.vault.caCert has an existingSecret and an existingConfigMap.\nSet only one of them." .where) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tidelock.vaultHasCa" -}}
{{- $from := .Values.database.passwordFrom }}
{{- if and (eq $from.source "vault") (or $from.vault.caCert.existingSecret $from.vault.caCert.existingConfigMap) }}yes{{ end }}
{{- end }}

{{- define "tidelock.passwordEnv" -}}
{{- $from := .Values.database.passwordFrom }}
{{- with $from.source }}
- name: TIDELOCK_PASSWORD_FROM
  value: {{ . | quote }}
{{- end }}
{{- if has $from.source (list "aws-secret" "vault") }}
- name: TIDELOCK_SECRET_NAME
  value: {{ $from.secretName | quote }}
{{- end }}
{{- if eq $from.source "vault" }}
- name: VAULT_ADDR
  value: {{ $from.vault.address | quote }}
{{- with $from.vault.namespace }}
- name: VAULT_NAMESPACE
  value: {{ . | quote }}
{{- end }}
{{- if include "tidelock.vaultHasCa" . }}
- name: VAULT_CACERT
  value: {{ printf "/run/secrets/tidelock/vault-ca/%s" $from.vault.caCert.key | quote }}
{{- end }}
{{- with $from.vault.role }}
- name: TIDELOCK_VAULT_ROLE
  value: {{ . | quote }}
- name: TIDELOCK_VAULT_AUTH
  value: {{ $from.vault.auth | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tidelock.passwordMounts" -}}
{{- if include "tidelock.vaultHasCa" . }}
- name: tidelock-vault-ca{{ include "tidelock.suffix" . }}
  mountPath: /run/secrets/tidelock/vault-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* With dict "scope", "isHook". */}}
{{- define "tidelock.passwordVolumes" -}}
{{- if include "tidelock.vaultHasCa" .scope }}
{{- include "tidelock.caVolume" (dict "scope" .scope "name" "tidelock-vault-ca" "from" .scope.Values.database.passwordFrom.vault.caCert "isHook" .isHook) }}
{{- end }}
{{- end }}
