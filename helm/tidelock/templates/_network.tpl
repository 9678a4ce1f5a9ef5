{{/* What the Job's pod may reach. */}}
{{- define "tidelock.networkPolicySpec" -}}
{{- $ports := .Values.networkPolicy.ports }}
{{- if not $ports }}
{{- range include "tidelock.databases" . | fromJson }}
{{- $ports = concat $ports (include "tidelock.databasePorts" . | fromJsonArray) | uniq }}
{{- end }}
{{- end }}
podSelector:
  matchLabels:
    {{- include "tidelock.selectorLabels" . | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  {{- if .Values.metrics.sidecar.enabled }}
  - ports:
      - port: {{ int .Values.metrics.sidecar.port }}
        protocol: TCP
  {{- else }}
  []
  {{- end }}
egress:
  - ports:
      - port: 53
        protocol: UDP
      - port: 53
        protocol: TCP
  - ports:
      {{- range $ports }}
      - port: {{ int . }}
        protocol: TCP
      {{- end }}
    {{- with .Values.networkPolicy.to }}
    to:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- with include "tidelock.servicePorts" . | fromYamlArray }}
  - ports:
      {{- range . }}
      - port: {{ int . }}
        protocol: TCP
      {{- end }}
  {{- end }}
  {{- /* A cloud's metadata service, and what stands in for it on the node: EKS's agent, GKE's server (988). */}}
  {{- if include "tidelock.wantsMetadata" . }}
  - ports:
      - port: 80
        protocol: TCP
      - port: 988
        protocol: TCP
    to:
      - ipBlock:
          cidr: 169.254.0.0/16
      - ipBlock:
          cidr: fd00:ec2::/32
  {{- end }}
  {{- with .Values.networkPolicy.extraEgress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
