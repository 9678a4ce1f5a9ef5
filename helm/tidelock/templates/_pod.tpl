{{/* The Job's pod. */}}

{{/* dict "scope", "args", "name", and for the Job's own pod "isJob". */}}
{{- define "tidelock.podSpec" -}}
{{- $scope := .scope }}
{{- $values := $scope.Values }}
{{- $hasSidecar := and .isJob $values.metrics.sidecar.enabled }}
{{- if and $hasSidecar (not (semverCompare ">=1.29-0" $scope.Capabilities.KubeVersion.Version)) }}
{{- fail (printf "\nmetrics.sidecar.enabled needs Kubernetes 1.29, but this is %s: in older versions, a sidecar keeps a Job from finishing.\nSet metrics.sidecar.enabled=false." $scope.Capabilities.KubeVersion.Version) }}
{{- end -}}
restartPolicy: Never
serviceAccountName: {{ include "tidelock.serviceAccountName" $scope }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
{{- with concat (default list $values.global.imagePullSecrets) $values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
  {{- end }}
{{- end }}
{{- with $values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
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
  {{- include "tidelock.container" (dict "scope" $scope "name" .name "args" .args "isJob" .isJob "hasStatus" $hasSidecar "extraMounts" $values.extraVolumeMounts) | nindent 2 }}
{{- $isHook := and (eq $values.job.mode "hook") .isJob }}
{{- $volumes := include "tidelock.databaseVolumes" (dict "scope" $scope "isHook" $isHook) | fromYamlArray }}
{{- $volumes = concat $volumes (include "tidelock.migrationsVolumes" $scope | fromYamlArray) }}
{{- $volumes = concat $volumes (include "tidelock.serviceVolumes" (dict "scope" $scope "command" (first .args) "isHook" $isHook) | fromYamlArray) }}
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
  - action: FailJob
    onExitCodes:
      containerName: migrate
      operator: In
      values: [2, 6, 7, 8, 126, 127]
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
{{- end }}
