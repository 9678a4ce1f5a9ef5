{{/* Where the scripts come from. */}}

{{- define "tidelock.checkMigrations" -}}
{{- $migrations := .Values.migrations }}
{{- $sources := list }}
{{- if $migrations.image.repository }}{{ $sources = append $sources "image" }}{{ end }}
{{- if $migrations.configMap.name }}{{ $sources = append $sources "configMap" }}{{ end }}
{{- if $migrations.files }}{{ $sources = append $sources "files" }}{{ end }}
{{- if $migrations.volume }}{{ $sources = append $sources "volume" }}{{ end }}
{{- if gt (len $sources) 1 }}
{{- fail (printf "\nThe migrations come from %s at once.\nSet only one of migrations.image, .configMap, .files and .volume; if none is set, they are in the image itself." (join " and " $sources)) }}
{{- end }}
{{- if and $migrations.configMap.name (not $migrations.configMap.items) }}
{{- fail "\nmigrations.configMap.name is set without items.\nThe keys of a ConfigMap cannot be paths; say which script each one is:\n  items:\n    - key: init.sql\n      path: 20260101000000_init/migration.sql" }}
{{- end }}
{{- $size := 0 }}
{{- range $name, $script := $migrations.files }}
{{- if not (regexMatch "^[A-Za-z0-9._-]+$" $name) }}
{{- fail (printf "\nmigrations.files: %q cannot be a key of a ConfigMap.\nName the migration with letters, digits, \"-\", \"_\" and \".\"." $name) }}
{{- end }}
{{- $size = add $size (len $name) (len $script) }}
{{- end }}
{{- if gt (int $size) 1040000 }}
{{- fail (printf "\nmigrations.files holds %d bytes, but a ConfigMap can hold only 1 MiB.\nPut them into an image: migrations.image." $size) }}
{{- end }}
{{- end }}

{{- define "tidelock.migrationsConfigMapName" -}}
{{- include "tidelock.objectName" (dict "scope" . "suffix" "-migrations") }}
{{- end }}

{{- define "tidelock.migrationsAreMounted" -}}
{{- $migrations := .Values.migrations }}
{{- if or $migrations.configMap.name $migrations.files $migrations.volume }}yes{{ end }}
{{- end }}

{{- define "tidelock.migrationsEnv" -}}
{{- $migrations := .Values.migrations }}
{{- if include "tidelock.migrationsAreMounted" . }}
- name: TIDELOCK_MIGRATIONS
  value: {{ printf "/run/tidelock/migrations%s" (ternary (printf "/%s" (trimPrefix "/" $migrations.path)) "" (and $migrations.volume $migrations.path | not | not)) | quote }}
{{- else if $migrations.path }}
- name: TIDELOCK_MIGRATIONS
  value: {{ $migrations.path | quote }}
{{- end }}
{{- end }}

{{- define "tidelock.migrationsMounts" -}}
{{- if include "tidelock.migrationsAreMounted" . }}
- name: tidelock-migrations{{ include "tidelock.suffix" . }}
  mountPath: /run/tidelock/migrations
  readOnly: true
{{- end }}
{{- end }}

{{/*
With dict "scope", "isHook". A ConfigMap that is not there, or lacks a key, must neither hold up the pod nor pass for a folder with
fewer migrations: each migration's folder is made by a file of its own, and a script that is missing in it is an error.
*/}}
{{- define "tidelock.migrationsVolumes" -}}
{{- $scope := .scope }}
{{- $migrations := $scope.Values.migrations }}
{{- if include "tidelock.migrationsAreMounted" $scope }}
- name: tidelock-migrations{{ include "tidelock.suffix" $scope }}
  {{- if $migrations.volume }}
  {{- toYaml $migrations.volume | nindent 2 }}
  {{- else if $migrations.files }}
  configMap:
    name: {{ include "tidelock.migrationsConfigMapName" $scope | quote }}
    items:
      {{- range $name, $script := $migrations.files }}
      - key: {{ $name | quote }}
        path: {{ printf "%s/migration.sql" $name | quote }}
      {{- end }}
  {{- else if .isHook }}
  projected:
    sources:
      - configMap:
          name: {{ tpl $migrations.configMap.name $scope | quote }}
          optional: true
          items:
            {{- toYaml $migrations.configMap.items | nindent 12 }}
      - downwardAPI:
          items:
            {{- range $migrations.configMap.items }}
            {{- if contains "/" .path }}
            - path: {{ printf "%s/.expected" (dir .path) | quote }}
              fieldRef:
                fieldPath: metadata.name
            {{- end }}
            {{- end }}
  {{- else }}
  configMap:
    name: {{ tpl $migrations.configMap.name $scope | quote }}
    items:
      {{- toYaml $migrations.configMap.items | nindent 6 }}
  {{- end }}
{{- end }}
{{- end }}
