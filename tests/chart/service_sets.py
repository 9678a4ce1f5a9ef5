"""Sets of values for what the program talks to beside the database; they are added to those of value_sets.py."""

from helm import environment, fields, of_kind, the
from value_sets import container_of, mount, pod_of, value_set, volume

TOKEN = {
    "name": "tidelock-token",
    "projected": {
        "defaultMode": 0o444,
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ],
    },
}
LEASES = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
EVENTS = {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}


def has_token(documents):
    """Asked for volume by volume; what Kubernetes mounts into every container stays off."""
    assert pod_of(documents)["automountServiceAccountToken"] is False
    names = {volume["name"] for volume in pod_of(documents).get("volumes", [])}
    if "tidelock-token" not in names:
        return False
    assert volume(documents, "tidelock-token") == TOKEN
    assert mount(documents, "tidelock-token") == {"name": "tidelock-token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    return True


def egress(documents):
    """Ports beside those of DNS and the database."""
    return [[port["port"] for port in rule["ports"]] for rule in the(documents, "NetworkPolicy")["spec"]["egress"][2:]]


@value_set({"lease": {"enabled": True, "duration": "1m"}, "events": {"enabled": True}, "serviceAccount": {"create": True}, "networkPolicy": {"enabled": True}})
def a_lease_and_events(documents, _):
    """Rights for just that, there before the Job; nothing of it where nothing is deployed."""
    role, binding = the(documents, "Role", "app-tidelock"), the(documents, "RoleBinding", "app-tidelock")
    assert role["rules"] == [{**LEASES, "verbs": ["create"]}, {**LEASES, "resourceNames": ["app-tidelock"], "verbs": ["get", "update"]}, EVENTS]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "app-tidelock"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "app-tidelock", "namespace": "ns"}] and pod_of(documents)["serviceAccountName"] == "app-tidelock"
    for document in [role, binding, the(documents, "ServiceAccount")]:
        annotations = document["metadata"]["annotations"]
        assert len(annotations.pop("tidelock/wanted")) == 16
        assert annotations == {
            "helm.sh/hook": "pre-install,pre-upgrade",
            "helm.sh/hook-weight": "-10",
            "helm.sh/hook-delete-policy": "before-hook-creation",
            # So that a change of job.mode neither removes it nor stumbles over it.
            "helm.sh/resource-policy": "keep",
            "meta.helm.sh/release-name": "app",
            "meta.helm.sh/release-namespace": "ns",
        }
    assert has_token(documents)
    values = environment(container_of(documents))
    assert (values["TIDELOCK_LEASE"], values["TIDELOCK_LEASE_DURATION"], values["TIDELOCK_EVENTS"]) == ("app-tidelock", "1m", "true")
    assert fields(container_of(documents)) == {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_UID": "metadata.uid",
        "JOB_NAME": "metadata.labels['batch.kubernetes.io/job-name']",
        "JOB_UID": "metadata.labels['batch.kubernetes.io/controller-uid']",
    }
    assert egress(documents) == [[443, 6443]]
    (test,) = of_kind(documents, "Pod")
    assert "tidelock-token" not in str(test) and not {"TIDELOCK_LEASE", "TIDELOCK_EVENTS", "JOB_NAME"} & set(environment(test["spec"]["containers"][0]))


@value_set({"lease": {"enabled": True, "name": "schema"}, "serviceAccount": {"name": "migrator"}, "job": {"mode": "argocd", "argocd": {"hook": "PreSync"}}})
def a_lease_under_argo_cd(documents, _):
    """With a service account that is there already."""
    job = the(documents, "Job")["metadata"]["annotations"]
    for document in [the(documents, "Role"), the(documents, "RoleBinding")]:
        annotations = document["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/hook"] == "PreSync" and int(annotations["argocd.argoproj.io/sync-wave"]) < int(job["argocd.argoproj.io/sync-wave"])
        assert not any(name.startswith("helm.sh") for name in annotations)
    assert the(documents, "Role")["rules"] == [{**LEASES, "verbs": ["create"]}, {**LEASES, "resourceNames": ["schema"], "verbs": ["get", "update"]}]
    assert the(documents, "RoleBinding")["subjects"][0]["name"] == "migrator" and not of_kind(documents, "ServiceAccount")
    assert environment(container_of(documents))["TIDELOCK_LEASE"] == "schema" and "TIDELOCK_EVENTS" not in environment(container_of(documents))


@value_set({"events": {"enabled": True}, "job": {"mode": "job"}, "serviceAccount": {"create": True}})
def events_alone(documents, _):
    role = the(documents, "Role")
    assert role["rules"] == [EVENTS] and "annotations" not in role["metadata"] and has_token(documents)
    assert "TIDELOCK_LEASE" not in environment(container_of(documents)) and "TIDELOCK_LEASE_DURATION" not in environment(container_of(documents))


@value_set({"lease": {"enabled": True}, "rbac": {"create": False}})
def rights_from_elsewhere(documents, _):
    assert not of_kind(documents, "Role") and not of_kind(documents, "RoleBinding") and has_token(documents)


@value_set({"databases": {"shop": {}, "bills": {}}, "lease": {"enabled": True}, "pushgateway": {"url": "http://push/", "labels": {"database": "both"}}, "serviceAccount": {"create": True}, "networkPolicy": {"enabled": True}})
def services_of_several_databases(documents, _):
    """A Lease and a group of metrics each."""
    for name in ["shop", "bills"]:
        job = the(documents, "Job", f"app-tidelock-{name}")
        values = environment(job["spec"]["template"]["spec"]["containers"][0])
        assert values["TIDELOCK_LEASE"] == f"app-tidelock-{name}" and values["TIDELOCK_PUSHGATEWAY_LABELS"] == f"app=app-tidelock,database={name}"
    assert sorted(the(documents, "Role")["rules"][1]["resourceNames"]) == ["app-tidelock-bills", "app-tidelock-shop"]
    assert egress(documents) == [[443, 6443, 80]]


WEBHOOK = {"existingSecret": "{{ .Release.Name }}-hook", "secretKeys": {"url": "slack", "signingKey": "key"}, "events": ["started", "failed"]}


@value_set({"pushgateway": {"url": "http://pushgateway.monitoring:9091/at", "labels": {"team": "data", "app": "shop"}}, "webhook": WEBHOOK, "networkPolicy": {"enabled": True}})
def a_pushgateway_and_a_webhook(documents, _):
    """No API of Kubernetes, so no rights and no token; what is secret is in files."""
    values = environment(container_of(documents))
    assert values["TIDELOCK_PUSHGATEWAY"] == "http://pushgateway.monitoring:9091/at" and values["TIDELOCK_PUSHGATEWAY_LABELS"] == "app=shop,team=data"
    folder = mount(documents, "tidelock-webhook")
    assert folder["readOnly"] and values["TIDELOCK_WEBHOOK_FILE"] == folder["mountPath"] + "/slack" and values["TIDELOCK_WEBHOOK_KEY_FILE"] == folder["mountPath"] + "/key"
    assert values["TIDELOCK_WEBHOOK_ON"] == "started,failed" and not {"TIDELOCK_WEBHOOK", "TIDELOCK_WEBHOOK_KEY"} & set(values)
    assert volume(documents, "tidelock-webhook")["secret"] == {"secretName": "app-hook", "defaultMode": 0o444, "optional": True}
    assert not has_token(documents) and not of_kind(documents, "Role") and egress(documents) == [[9091, 443]]
    (test,) = of_kind(documents, "Pod")
    assert "WEBHOOK" not in str(test) and "tidelock-webhook" not in str(test) and "PUSHGATEWAY" not in str(test)


@value_set({"job": {"mode": "job"}, "webhook": {"existingSecret": "hook"}})
def a_webhook_whose_secret_is_of_the_release(documents, _):
    """A plain Job may wait for it; nothing is signed."""
    assert volume(documents, "tidelock-webhook")["secret"] == {"secretName": "hook", "defaultMode": 0o444}
    assert "TIDELOCK_WEBHOOK_KEY_FILE" not in environment(container_of(documents))


VAULT = {"address": "https://vault.vault:8200", "namespace": "team", "role": "migrator", "auth": "k8s", "caCert": {"existingSecret": "vault-tls", "key": "ca.pem"}}
PARTS = {"host": "db", "name": "d", "user": "u"}


@value_set({"database": {**PARTS, "setRole": "owner", "passwordFrom": {"source": "vault", "secretName": "database/creds/owner", "vault": VAULT}}, "networkPolicy": {"enabled": True}}, base={})
def a_password_from_vault(documents, _):
    """It takes the pod's token, and asks the API server itself: no rights. Whoever connects needs the password, so the test's pod as well."""
    (test,) = of_kind(documents, "Pod")
    for pod in [pod_of(documents), test["spec"]]:
        values = environment(pod["containers"][0])
        assert (values["TIDELOCK_PASSWORD_FROM"], values["TIDELOCK_SECRET_NAME"], values["TIDELOCK_SET_ROLE"]) == ("vault", "database/creds/owner", "owner")
        assert (values["VAULT_ADDR"], values["VAULT_NAMESPACE"]) == ("https://vault.vault:8200", "team")
        assert (values["TIDELOCK_VAULT_ROLE"], values["TIDELOCK_VAULT_AUTH"]) == ("migrator", "k8s")
        assert TOKEN in pod["volumes"]
    assert values["VAULT_CACERT"] == mount(documents, "tidelock-vault-ca")["mountPath"] + "/ca.pem"
    assert volume(documents, "tidelock-vault-ca")["secret"] == {"secretName": "vault-tls", "defaultMode": 0o444, "optional": True}
    assert has_token(documents) and not of_kind(documents, "Role") and egress(documents) == [[8200]]


@value_set({"database": {**PARTS, "passwordFrom": {"source": "vault", "secretName": "kv/data/db", "vault": {"address": "https://vault", "caCert": {"existingConfigMap": "ca"}}}}, "extraEnvFrom": [{"secretRef": {"name": "vault-token"}}], "networkPolicy": {"enabled": True}}, base={})
def a_password_from_vault_with_a_token_of_its_own(documents, _):
    assert not has_token(documents) and egress(documents) == [[443]] and volume(documents, "tidelock-vault-ca")["configMap"]["name"] == "ca"
    assert not {"TIDELOCK_VAULT_ROLE", "TIDELOCK_VAULT_AUTH", "VAULT_NAMESPACE"} & set(environment(container_of(documents)))


CLOUDS = {
    "rds": {"database": {"passwordFrom": {"source": "aws-rds"}}},
    "secret": {"database": {"passwordFrom": {"source": "aws-secret", "secretName": "prod/db"}}},
    "google": {"database": {"passwordFrom": {"source": "google"}}},
    "azure": {"database": {"passwordFrom": {"source": "azure"}}},
    "none": {"database": {"existingSecret": "db"}},
}


@value_set({"database": PARTS, "databases": CLOUDS, "networkPolicy": {"enabled": True}, "podLabels": {"azure.workload.identity/use": "true"}}, base={})
def passwords_from_clouds(documents, _):
    """Their identity is the service account's, and comes from the cloud itself: here neither token nor rights."""
    for name, differing in CLOUDS.items():
        source = differing["database"].get("passwordFrom", {})
        pod = the(documents, "Job", f"app-tidelock-{name}")["spec"]["template"]["spec"]
        values = environment(pod["containers"][0])
        assert values.get("TIDELOCK_PASSWORD_FROM") == source.get("source") and values.get("TIDELOCK_SECRET_NAME") == source.get("secretName")
        assert "tidelock-token" not in str(pod) and not any(variable.startswith("VAULT") for variable in values)
    assert not of_kind(documents, "Role") and egress(documents) == [[443], [80, 988]]
    assert {to["ipBlock"]["cidr"] for to in the(documents, "NetworkPolicy")["spec"]["egress"][3]["to"]} == {"169.254.0.0/16", "fd00:ec2::/32"}
    assert all(test["metadata"]["labels"]["azure.workload.identity/use"] == "true" for test in of_kind(documents, "Pod"))


@value_set({"podAnnotations": {"vault.hashicorp.com/agent-inject": "true"}, "extraEnv": [{"name": "DATABASE_URL_FILE", "value": "/vault/secrets/url"}], "serviceAccount": {"create": True}}, base={})
def vaults_injector(documents, _):
    """It logs in with the token that it finds in a container, in the pod of "helm test" as well."""
    assert has_token(documents)
    (test,) = of_kind(documents, "Pod")
    assert test["metadata"]["annotations"]["vault.hashicorp.com/agent-inject"] == "true" and TOKEN in test["spec"]["volumes"]
    assert any("serviceaccount" in mount["mountPath"] for mount in test["spec"]["containers"][0]["volumeMounts"])
