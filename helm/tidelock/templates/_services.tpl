{{/*
What the program talks to beside the database: the Kubernetes API (Lease, Events), a Pushgateway, a webhook. Only "deploy" does, so most
of this takes dict "scope", "command": the first of a container's arguments.
*/}}

{{/* Refuses what would have no effect, and rights for pods that do not need them. */}}
{{- define "tidelock.checkServices" -}}
{{- $values := .Values }}
{{- $given := list }}
{{- if $values.lease.enabled }}{{ $given = append $given "lease.enabled" }}{{ end }}
{{- if $values.events.enabled }}{{ $given = append $given "events.enabled" }}{{ end }}
{{- if and $given $values.job.enabled $values.rbac.create (not $values.serviceAccount.create) (not $values.serviceAccount.name) }}
{{- fail (printf "\n%s: the Job needs rights at the Kubernetes API, but it has no service account of its own. Bound to the namespace's default service account, every pod would have these rights.\nSet serviceAccount.create=true, or set serviceAccount.name to an existing service account." (join " and " $given)) }}
{{- end }}
{{- if regexMatch "^[a-z]+://[^/]*@" $values.pushgateway.url }}
{{- fail "\npushgateway.url contains a password, which everybody could read in the Job.\nRemove it, and set TIDELOCK_PUSHGATEWAY from a Secret with extraEnv." }}
{{- end }}
{{- if $values.pushgateway.url }}{{ $given = append $given "pushgateway.url" }}{{ end }}
{{- if $values.webhook.existingSecret }}{{ $given = append $given "webhook.existingSecret" }}{{ end }}
{{- $deploys := $values.job.enabled }}
{{- range include "tidelock.databases" . | fromJson }}
{{- $deploys = or $deploys (eq .initContainer.command "deploy") }}
{{- end }}
{{- if and $given (not $deploys) }}
{{- fail (printf "\n%s would have no effect: there is no Job, and the init container only waits.\nSet job.enabled=true or initContainer.command=deploy, or remove it." (join " and " $given)) }}
{{- end }}
{{- end }}

{{- define "tidelock.leaseName" -}}
{{- if .Values.lease.name }}
{{- include "tidelock.bounded" (dict "name" (printf "%s%s" .Values.lease.name (include "tidelock.suffix" .)) "limit" 253) }}
{{- else }}
{{- include "tidelock.objectName" (dict "scope" .) }}
{{- end }}
{{- end }}

{{/* What "deploy" must be allowed to do. "create" can't be limited to a name. */}}
{{- define "tidelock.roleRules" -}}
{{- include "tidelock.prepare" . }}
{{- $rules := list }}
{{- if .Values.lease.enabled }}
{{- $names := list }}
{{- range $name, $values := include "tidelock.databases" . | fromJson }}
{{- $names = append $names (include "tidelock.leaseName" (merge (dict "Values" $values "Database" $name) (omit $ "Values"))) }}
{{- end }}
{{- $lease := dict "apiGroups" (list "coordination.k8s.io") "resources" (list "leases") }}
{{- $rules = append $rules (merge (dict "verbs" (list "create")) $lease) }}
{{- $rules = append $rules (merge (dict "verbs" (list "get" "update") "resourceNames" $names) $lease) }}
{{- end }}
{{- if .Values.events.enabled }}
{{- $rules = append $rules (dict "apiGroups" (list "") "resources" (list "events") "verbs" (list "create")) }}
{{- end }}
{{- toYaml $rules }}
{{- end }}

{{- define "tidelock.wantsRole" -}}
{{- if and .Values.job.enabled .Values.rbac.create (or .Values.lease.enabled .Values.events.enabled) }}yes{{ end }}
{{- end }}

{{/* With "isOwnPod" as well, for the pods of this chart: Vault's injector takes the token from a container that has it. */}}
{{- define "tidelock.wantsToken" -}}
{{- $values := .scope.Values }}
{{- $from := $values.database.passwordFrom }}
{{- $isInjected := and .isOwnPod (eq (get $values.podAnnotations "vault.hashicorp.com/agent-inject" | toString) "true") }}
{{- if or $isInjected (and (eq $from.source "vault") $from.vault.role) (and (eq .command "deploy") (or $values.lease.enabled $values.events.enabled)) }}yes{{ end }}
{{- end }}

{{/* The service account's token where Kubernetes itself would mount it, but in this container only, and renewed every hour. */}}
{{- define "tidelock.tokenMount" -}}
- name: tidelock-token
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{- define "tidelock.tokenVolume" -}}
- name: tidelock-token
  projected:
    defaultMode: 0444
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}

{{- define "tidelock.wantsWebhook" -}}
{{- if and (eq .command "deploy") .scope.Values.webhook.existingSecret }}yes{{ end }}
{{- end }}

{{/* What tells this release's metrics from others, in the alerts, in the PodMonitor and at the Pushgateway. */}}
{{- define "tidelock.app" -}}
{{- default (include "tidelock.fullname" .) (get .Values.pushgateway.labels "app") }}
{{- end }}

{{/* With "isJob" as well. */}}
{{- define "tidelock.serviceEnv" -}}
{{- $scope := .scope }}
{{- $values := $scope.Values }}
{{- if eq .command "deploy" }}
{{- if $values.lease.enabled }}
- name: TIDELOCK_LEASE
  value: {{ include "tidelock.leaseName" $scope | quote }}
- name: TIDELOCK_LEASE_DURATION
  value: {{ $values.lease.duration | quote }}
{{- end }}
{{- if $values.events.enabled }}
- name: TIDELOCK_EVENTS
  value: "true"
{{- $fields := dict "POD_UID" "metadata.uid" }}
{{- if .isJob }}
{{- $fields = merge $fields (dict "JOB_NAME" "metadata.labels['batch.kubernetes.io/job-name']" "JOB_UID" "metadata.labels['batch.kubernetes.io/controller-uid']") }}
{{- end }}
{{- range $name, $path := $fields }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $path }}
{{- end }}
{{- end }}
{{- with $values.pushgateway.url }}
- name: TIDELOCK_PUSHGATEWAY
  value: {{ . | quote }}
{{- $labels := merge (dict "app" (include "tidelock.app" $scope)) $values.pushgateway.labels }}
{{- with $scope.Database }}
{{- $_ := set $labels "database" . }}
{{- end }}
{{- if and $.isJob (include "tidelock.isShared" $scope) }}
{{- $_ := set $labels "part" "$(JOB_COMPLETION_INDEX)" }}
{{- end }}
{{- $pairs := list }}
{{- range $name, $value := $labels }}
{{- $pairs = append $pairs (printf "%s=%s" $name $value) }}
{{- end }}
- name: TIDELOCK_PUSHGATEWAY_LABELS
  value: {{ join "," $pairs | quote }}
{{- end }}
{{- if include "tidelock.wantsWebhook" . }}
- name: TIDELOCK_WEBHOOK_FILE
  value: {{ printf "/run/secrets/tidelock/webhook/%s" $values.webhook.secretKeys.url | quote }}
{{- with $values.webhook.secretKeys.signingKey }}
- name: TIDELOCK_WEBHOOK_KEY_FILE
  value: {{ printf "/run/secrets/tidelock/webhook/%s" . | quote }}
{{- end }}
- name: TIDELOCK_WEBHOOK_ON
  value: {{ join "," $values.webhook.events }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tidelock.serviceMounts" -}}
{{- if include "tidelock.wantsToken" . }}
{{ include "tidelock.tokenMount" .scope }}
{{- end }}
{{- if include "tidelock.wantsWebhook" . }}
- name: tidelock-webhook
  mountPath: /run/secrets/tidelock/webhook
  readOnly: true
{{- end }}
{{- end }}

{{/* With "isHook" as well: a missing Secret is then reported at once, like the database's. */}}
{{- define "tidelock.serviceVolumes" -}}
{{- if include "tidelock.wantsToken" . }}
{{ include "tidelock.tokenVolume" .scope }}
{{- end }}
{{- if include "tidelock.wantsWebhook" . }}
- name: tidelock-webhook
  secret:
    secretName: {{ tpl .scope.Values.webhook.existingSecret .scope | quote }}
    defaultMode: 0444
    {{- if .isHook }}
    optional: true
    {{- end }}
{{- end }}
{{- end }}

{{/* The port of a URL. */}}
{{- define "tidelock.portOf" -}}
{{- $url := urlParse . }}
{{- default (ternary "443" "80" (eq $url.scheme "https")) (regexFind ":[0-9]+$" $url.host | trimPrefix ":") }}
{{- end }}

{{/* Where all this listens, as far as the values tell. The API server is behind 443, and itself often on 6443. */}}
{{- define "tidelock.servicePorts" -}}
{{- $ports := list }}
{{- if or .Values.lease.enabled .Values.events.enabled }}
{{- $ports = append (append $ports "443") "6443" }}
{{- end }}
{{- with .Values.pushgateway.url }}
{{- $ports = append $ports (include "tidelock.portOf" .) }}
{{- end }}
{{- if .Values.webhook.existingSecret }}
{{- $ports = append $ports "443" }}
{{- end }}
{{- range include "tidelock.databases" . | fromJson }}
{{- $from := .database.passwordFrom }}
{{- if has $from.source (list "aws-rds" "aws-secret" "azure") }}
{{- $ports = append $ports "443" }}
{{- else if eq $from.source "vault" }}
{{- $ports = append $ports (include "tidelock.portOf" $from.vault.address) }}
{{- end }}
{{- end }}
{{- uniq $ports | toYaml }}
{{- end }}

{{/* Whether a database's password comes through the cloud's metadata service, or its agent on the node. */}}
{{- define "tidelock.wantsMetadata" -}}
{{- range include "tidelock.databases" . | fromJson }}
{{- if has .database.passwordFrom.source (list "aws-rds" "aws-secret" "google" "azure") }}yes{{ end }}
{{- end }}
{{- end }}
