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
{{- fail "\nmigrations.configMap.name is set without items.\nThe keys of a ConfigMap cannot be paths; say which script each one is:\n  items:\n    - key: init.sql\n      path: 20260101000000_init/migration.sql\nor, of a tool with flat files, path: 00001_init.sql" }}
{{- end }}
{{- $size := 0 }}
{{- $paths := dict }}
{{- range $name, $script := $migrations.files }}
{{- if not (regexMatch "^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$" $name) }}
{{- fail (printf "\nmigrations.files: %q is no migration's name and no path in the folder.\nUse letters, digits, \"-\", \"_\" and \".\", with \"/\" between a directory and its file; no part begins with \".\"." $name) }}
{{- end }}
{{- $path := include "tidelock.pathOfScript" $name }}
{{- if hasKey $paths $path }}
{{- fail (printf "\nmigrations.files: %q and %q are the same file, %s.\nRemove one of them." (get $paths $path) $name $path) }}
{{- end }}
{{- $_ := set $paths $path $name }}
{{- $size = add $size (len $name) (len $script) }}
{{- end }}
{{- if gt (int $size) 1040000 }}
{{- fail (printf "\nmigrations.files holds %d bytes, but a ConfigMap can hold only 1 MiB.\nPut them into an image: migrations.image." $size) }}
{{- end }}
{{- end }}

{{/* The file that a key of migrations.files is: a path as it stands, or a migration in Prisma's layout by its name. */}}
{{- define "tidelock.pathOfScript" -}}
{{- if or (contains "/" .) (regexMatch "[.](sql|json|conf)$" .) }}{{ . }}{{ else }}{{ . }}/migration.sql{{ end }}
{{- end }}

{{/* Its key in the ConfigMap, where "/" is not allowed. No part of a path begins with ".", so no two paths become one key. */}}
{{- define "tidelock.keyOfScript" -}}
{{- replace "/" ".." . }}
{{- end }}

{{- define "tidelock.migrationsConfigMapData" -}}
{{- $data := dict }}
{{- range $name, $script := .Values.migrations.files }}
{{- $_ := set $data (include "tidelock.keyOfScript" $name) $script }}
{{- end }}
{{- toJson $data }}
{{- end }}

{{/*
Whether a script of migrations.configMap that is missing is noticed by the program: one in Prisma's layout is, in a folder made for it.
Without a flat file, the folder is one with fewer migrations.
*/}}
{{- define "tidelock.missingScriptsShow" -}}
{{- $show := "yes" }}
{{- range .Values.migrations.configMap.items }}
{{- if not (regexMatch "^([^/]+/(migration|down)[.]sql|migration_lock[.]toml)$" .path) }}{{ $show = "" }}{{ end }}
{{- end }}
{{- $show }}
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
With dict "scope", "isHook". A ConfigMap that is not there, or lacks a key, must not pass for a folder with fewer migrations. In Prisma's
layout it does not hold up the pod either: each migration's folder is made by a file of its own, and a script missing in it is an error.
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
      - key: {{ include "tidelock.keyOfScript" $name | quote }}
        path: {{ include "tidelock.pathOfScript" $name | quote }}
      {{- end }}
  {{- else if and .isHook (include "tidelock.missingScriptsShow" $scope) }}
  {{- $folders := list }}
  {{- range $migrations.configMap.items }}
  {{- if contains "/" .path }}{{ $folders = append $folders (dir .path) }}{{ end }}
  {{- end }}
  projected:
    sources:
      - configMap:
          name: {{ tpl $migrations.configMap.name $scope | quote }}
          optional: true
          items:
            {{- toYaml $migrations.configMap.items | nindent 12 }}
      - downwardAPI:
          items:
            {{- range uniq $folders }}
            - path: {{ printf "%s/.expected" . | quote }}
              fieldRef:
                fieldPath: metadata.name
            {{- end }}
  {{- else }}
  configMap:
    name: {{ tpl $migrations.configMap.name $scope | quote }}
    items:
      {{- toYaml $migrations.configMap.items | nindent 6 }}
  {{- end }}
{{- end }}
{{- end }}
