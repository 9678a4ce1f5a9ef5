{{/*
A service mesh. A proxy that is a native sidecar starts before other init containers and ends with the Job. An older one starts after them,
so that they have no network, and never ends: then the Job's pod does without it, and in other pods the database's ports go past it.
*/}}

{{- define "tidelock.meshLabels" -}}
{{- if and (eq .Values.mesh.kind "istio") (not .Values.mesh.nativeSidecars) }}
sidecar.istio.io/inject: "false"
{{- end }}
{{- end }}

{{- define "tidelock.meshAnnotations" -}}
{{- $mesh := .Values.mesh }}
{{- if and (eq $mesh.kind "istio") $mesh.nativeSidecars }}
sidecar.istio.io/nativeSidecar: "true"
{{- else if and (eq $mesh.kind "linkerd") $mesh.nativeSidecars }}
config.beta.linkerd.io/proxy-enable-native-sidecar: "true"
{{- else if eq $mesh.kind "linkerd" }}
linkerd.io/inject: disabled
{{- end }}
{{- end }}

{{/* For the pods of other charts that have an init container of ours. */}}
{{- define "tidelock.podAnnotations" -}}
{{- include "tidelock.prepare" . }}
{{- $mesh := .Values.mesh }}
{{- if and $mesh.kind $mesh.nativeSidecars }}
{{- include "tidelock.meshAnnotations" . }}
{{- else if $mesh.kind }}
{{- $ports := list }}
{{- range include "tidelock.initDatabases" . | fromJson }}
{{- $ports = concat $ports (include "tidelock.databasePorts" . | fromJsonArray) }}
{{- if eq .database.passwordFrom.source "vault" }}
{{- $ports = append $ports (include "tidelock.portOf" .database.passwordFrom.vault.address) }}
{{- end }}
{{- end }}
{{ ternary "traffic.sidecar.istio.io/excludeOutboundPorts" "config.linkerd.io/skip-outbound-ports" (eq $mesh.kind "istio") }}: {{ join "," ($ports | uniq) | quote }}
{{- else }}
{}
{{- end }}
{{- end }}
