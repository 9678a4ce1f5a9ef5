{{/* The pods of the Job and of "helm test". */}}

{{/* dict "scope", "args", "name", and for the Job's own pod "isJob". */}}
{{- define "tidelock.podSpec" -}}
{{- $scope := .scope }}
{{- $values := $scope.Values }}
{{- $hasSidecar := and .isJob $values.metrics.sidecar.enabled }}
{{- if and $hasSidecar (not (semverCompare ">=1.29-0" $scope.Capabilities.KubeVersion.Version)) }}
{{- fail (printf "\nmetrics.sidecar.enabled needs Kubernetes 1.29, but this is %s: in older versions, a sidecar keeps a Job from finishing.\nSet metrics.sidecar.enabled=false." $scope.Capabilities.KubeVersion.Version) }}
{{- end -}}
restartPolicy: Never
serviceAccountName: {{ include "tidelock.serviceAccountName" $scope | quote }}
automountServiceAccountToken: {{ $values.automountServiceAccountToken }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
{{- with concat (default list $values.global.imagePullSecrets) $values.imagePullSecrets }}
imagePullSecrets:
  {{- range $secret := . }}
  {{- if kindIs "map" $secret }}{{ $secret = default "" $secret.name }}{{ end }}
  - name: {{ tpl $secret $scope | quote }}
  {{- end }}
{{- end }}
{{- include "tidelock.securityContext" (dict "scope" $scope "context" $values.podSecurityContext) }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with $values.dnsPolicy }}
dnsPolicy: {{ . | quote }}
{{- end }}
{{- if not (kindIs "invalid" $values.hostUsers) }}
hostUsers: {{ $values.hostUsers }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "hostAliases" "dnsConfig" }}
{{- with get $values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- $before := list }}
{{- if $hasSidecar }}
{{- $before = append $before (merge (include "tidelock.metricsContainer" $scope | fromYamlArray | first) (dict "restartPolicy" "Always")) }}
{{- end }}
{{- $before = concat $before $values.initContainers }}
{{- if $values.migrations.image.repository }}
{{- $before = concat $before (include "tidelock.entrypointContainer" $scope | fromYamlArray) }}
{{- end }}
{{- with $before }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  {{- include "tidelock.container" (dict "scope" $scope "name" .name "args" .args "isJob" .isJob "isOwnPod" true "hasStatus" $hasSidecar) | nindent 2 }}
  {{- if .isJob }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- $isHook := and (has $values.job.mode (list "hook" "argocd")) .isJob }}
{{- $volumes := include "tidelock.databaseVolumes" (dict "scope" $scope "isHook" $isHook) | fromYamlArray }}
{{- $volumes = concat $volumes (include "tidelock.tenantsVolumes" (dict "scope" $scope "isHook" $isHook) | fromYamlArray) }}
{{- $volumes = concat $volumes (include "tidelock.migrationsVolumes" (dict "scope" $scope "isHook" $isHook) | fromYamlArray) }}
{{- $volumes = concat $volumes (include "tidelock.serviceVolumes" (dict "scope" $scope "command" (first .args) "isOwnPod" true "isHook" $isHook) | fromYamlArray) }}
{{- if $hasSidecar }}
{{- $volumes = concat $volumes (include "tidelock.statusVolume" $scope | fromYamlArray) }}
{{- end }}
{{- if $values.migrations.image.repository }}
{{- $volumes = concat $volumes (include "tidelock.entrypointVolume" $scope | fromYamlArray) }}
{{- end }}
{{- with concat $volumes $values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What the Job's failures mean, by tidelock's exit codes: those that a retry cannot change end the Job. */}}
{{- define "tidelock.podFailurePolicy" -}}
rules:
  - action: {{ ternary "FailIndex" "FailJob" (eq (include "tidelock.hasOwnRetries" .) "yes") }}
    onExitCodes:
      containerName: migrate
      operator: In
      values: [2, 6, 7, 8, 126, 127]
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
{{- end }}
