{{/* Made from values.yaml by tests/lint/chart.py. */}}
{{- define "tidelock.defaults" -}}
{
  "global": {},
  "nameOverride": "",
  "fullnameOverride": "",
  "namespaceOverride": "",
  "image": {
    "registry": "",
    "repository": "registry.example.com/tidelock/tidelock",
    "tag": "",
    "digest": "",
    "pullPolicy": "IfNotPresent",
    "binary": "/tidelock"
  },
  "imagePullSecrets": [],
  "database": {
    "existingSecret": "",
    "secretKeys": {
      "url": "url",
      "directUrl": "",
      "replica": "",
      "password": "password"
    },
    "host": "",
    "port": 5432,
    "name": "",
    "user": "",
    "schema": "",
    "sslmode": "",
    "sslRootCert": {
      "existingSecret": "",
      "existingConfigMap": "",
      "key": "ca.crt"
    },
    "clientCert": {
      "existingSecret": "",
      "cert": "tls.crt",
      "key": "tls.key"
    },
    "url": "",
    "directUrl": "",
    "setRole": "",
    "passwordFrom": {
      "source": "",
      "secretName": "",
      "vault": {
        "address": "",
        "namespace": "",
        "role": "",
        "auth": "kubernetes",
        "caCert": {
          "existingSecret": "",
          "existingConfigMap": "",
          "key": "ca.crt"
        }
      }
    }
  },
  "databases": {},
  "tenants": {
    "existingSecret": "",
    "existingConfigMap": "",
    "key": "tenants.csv",
    "query": "",
    "databases": "",
    "schemas": "",
    "pods": 1
  },
  "migrations": {
    "path": "",
    "image": {
      "registry": "",
      "repository": "",
      "tag": "",
      "digest": "",
      "pullPolicy": "IfNotPresent"
    },
    "configMap": {
      "name": "",
      "items": []
    },
    "files": {},
    "volume": {}
  },
  "config": {},
  "job": {
    "enabled": true,
    "mode": "hook",
    "hook": {
      "events": [
        "pre-install",
        "pre-upgrade"
      ],
      "weight": 0,
      "deletePolicy": [
        "before-hook-creation"
      ]
    },
    "argocd": {
      "hook": "Sync",
      "wave": -1,
      "deletePolicy": "BeforeHookCreation"
    },
    "backoffLimit": 3,
    "activeDeadlineSeconds": null,
    "ttlSecondsAfterFinished": null,
    "podFailurePolicy": null,
    "podReplacementPolicy": "Failed",
    "suspend": false,
    "annotations": {},
    "labels": {}
  },
  "initContainer": {
    "command": "wait",
    "database": {},
    "config": {},
    "resources": {}
  },
  "entrypoint": {
    "enabled": false
  },
  "probe": {
    "periodSeconds": 5,
    "timeoutSeconds": 2,
    "failureThreshold": 1
  },
  "lease": {
    "enabled": false,
    "name": "",
    "duration": "15s"
  },
  "events": {
    "enabled": false
  },
  "pushgateway": {
    "url": "",
    "labels": {}
  },
  "webhook": {
    "existingSecret": "",
    "secretKeys": {
      "url": "url",
      "signingKey": ""
    },
    "events": [
      "blocked",
      "succeeded",
      "failed"
    ]
  },
  "rbac": {
    "create": true
  },
  "serviceAccount": {
    "create": false,
    "name": "",
    "annotations": {},
    "labels": {}
  },
  "automountServiceAccountToken": false,
  "mesh": {
    "kind": "",
    "nativeSidecars": true
  },
  "commonLabels": {},
  "commonAnnotations": {},
  "podLabels": {},
  "podAnnotations": {},
  "podSecurityContext": {},
  "securityContext": {},
  "resources": {},
  "nodeSelector": {},
  "tolerations": [],
  "affinity": {},
  "topologySpreadConstraints": [],
  "priorityClassName": "",
  "runtimeClassName": "",
  "terminationGracePeriodSeconds": 60,
  "hostAliases": [],
  "dnsPolicy": "",
  "dnsConfig": {},
  "hostUsers": null,
  "extraArgs": [],
  "extraEnv": [],
  "extraEnvFrom": [],
  "extraVolumes": [],
  "extraVolumeMounts": [],
  "initContainers": [],
  "extraContainers": [],
  "extraObjects": [],
  "networkPolicy": {
    "enabled": false,
    "to": [],
    "ports": [],
    "extraEgress": []
  },
  "metrics": {
    "sidecar": {
      "enabled": false,
      "image": {
        "registry": "",
        "repository": "prom/node-exporter",
        "tag": "v1.9.1",
        "digest": "",
        "pullPolicy": "IfNotPresent"
      },
      "command": [],
      "port": 9100,
      "resources": {}
    },
    "podMonitor": {
      "enabled": false,
      "labels": {},
      "interval": "15s",
      "relabelings": [],
      "metricRelabelings": []
    }
  },
  "prometheusRule": {
    "enabled": false,
    "labels": {},
    "slowAfterSeconds": 1800,
    "extraRules": []
  },
  "grafanaDashboard": {
    "enabled": false,
    "labels": {},
    "annotations": {}
  },
  "tests": {
    "enabled": true
  }
}
{{- end }}
