"""Sets of values, each with what it means: a function of the documents and the cluster's minor version that asserts it."""

from helm import environment, fields, of_kind, the
from project import IMAGE

DATABASE = {"database": {"existingSecret": "db"}}
DIGEST = "sha256:" + "0123456789abcdef" * 4


def merged(one, other):
    """As Helm merges: maps into each other, everything else in place of what was there."""
    out = dict(one)
    for key, value in other.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def pod_of(documents):
    return the(documents, "Job")["spec"]["template"]["spec"]


def container_of(documents):
    (container,) = pod_of(documents)["containers"]
    return container


def volume(documents, name):
    (found,) = [volume for volume in pod_of(documents)["volumes"] if volume["name"] == name]
    return found


def mount(documents, name):
    (found,) = [mount for mount in container_of(documents)["volumeMounts"] if mount["name"] == name]
    return found


SETS = {}


def value_set(values, base=DATABASE):
    def add(check):
        SETS[check.__name__] = (merged(base, values), check)
        return check

    return add


@value_set({})
def by_default(documents, minor):
    """A restricted, tokenless pod before everything else, whose failures mean what tidelock's exit codes say."""
    job = the(documents, "Job")
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert annotations["helm.sh/hook-output-log-policy"] == "hook-failed"
    assert not any(name.startswith("argocd") for name in annotations)
    assert job["metadata"]["name"] == "app-tidelock" and job["metadata"]["namespace"] == "ns"
    assert job["spec"]["backoffLimit"] == 3
    # Whatever holds it up, it ends; and what has ended goes away.
    assert (job["spec"]["activeDeadlineSeconds"], job["spec"]["ttlSecondsAfterFinished"]) == (86400, 604800) and "suspend" not in job["spec"]
    assert pod_of(documents)["nodeSelector"] == {"kubernetes.io/os": "linux"} and not {"dnsPolicy", "hostUsers"} & set(pod_of(documents))
    assert ("podFailurePolicy" in job["spec"]) == (minor >= 26)
    assert job["spec"].get("podReplacementPolicy") == ("Failed" if minor >= 29 else None)
    pod = pod_of(documents)
    assert pod["restartPolicy"] == "Never" and pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
    assert pod["serviceAccountName"] == "default" and pod["terminationGracePeriodSeconds"] == 60
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    container = container_of(documents)
    assert container["image"] == IMAGE and container["command"] == ["/tidelock"] and container["args"] == ["deploy"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]} and container["securityContext"]["readOnlyRootFilesystem"]
    assert "cpu" not in container["resources"]["limits"]
    assert environment(container)["DATABASE_URL_FILE"] == "/run/secrets/tidelock/database/url"
    assert volume(documents, "tidelock-database")["secret"] == {"secretName": "db", "defaultMode": 0o444, "optional": True}
    assert {document["kind"] for document in documents} == {"Job", "Pod"}
    (test,) = of_kind(documents, "Pod")
    assert test["metadata"]["annotations"]["helm.sh/hook"] == "test" and test["spec"]["containers"][0]["args"] == ["status", "--exit-code"]


@value_set({"nameOverride": "tide", "namespaceOverride": "elsewhere", "commonLabels": {"team": "data"}, "commonAnnotations": {"owner": "me"}})
def names_and_common(documents, _):
    for document in documents:
        assert document["metadata"]["namespace"] == "elsewhere"
        for metadata in [document["metadata"], document["spec"].get("template", document)["metadata"]]:
            assert metadata["labels"]["team"] == "data" and metadata["annotations"]["owner"] == "me"
    assert the(documents, "Job", "app-tide")["metadata"]["labels"]["app.kubernetes.io/name"] == "tide"


@value_set({"fullnameOverride": "x" * 80, "job": {"mode": "job"}, "databases": {"twenty-characters-ok": {}}})
def a_name_that_is_too_long(documents, _):
    """A Job's name must fit a label of its pod. The database is not what is cut."""
    name = the(documents, "Job")["metadata"]["name"]
    assert len(name) <= 61 and "-twenty-characters-ok-m" in name


@value_set({"global": {"imageRegistry": "mirror.test", "imagePullSecrets": ["shared"]}, "imagePullSecrets": ["one", {"name": "two"}], "image": {"repository": "team/tidelock", "tag": "2", "pullPolicy": "Always", "binary": "/usr/bin/tidelock"}})
def an_image(documents, _):
    container = container_of(documents)
    assert container["image"] == "mirror.test/team/tidelock:2" and container["imagePullPolicy"] == "Always" and container["command"] == ["/usr/bin/tidelock"]
    assert pod_of(documents)["imagePullSecrets"] == [{"name": "shared"}, {"name": "one"}, {"name": "two"}]


@value_set({"global": {"imageRegistry": "mirror.test"}, "image": {"registry": "own.test", "tag": "2", "digest": DIGEST}})
def an_image_by_digest(documents, _):
    """The parent's registry, as in other charts, replaces what an image says of its own."""
    assert container_of(documents)["image"] == f"mirror.test/tidelock/tidelock:2@{DIGEST}"


@value_set({"image": {"registry": "own.test", "repository": "elsewhere.test/tidelock"}})
def an_image_with_a_registry(documents, _):
    assert container_of(documents)["image"].startswith("own.test/tidelock:")


@value_set({"database": {"existingSecret": "{{ .Release.Name }}-db", "secretKeys": {"url": "uri", "directUrl": "direct", "replica": "standbys"}, "sslmode": "verify-full", "sslRootCert": {"existingSecret": "ca", "key": "root.pem"}, "clientCert": {"existingSecret": "client", "cert": "c.pem", "key": "k.pem"}}})
def a_secret_with_other_keys_and_certificates(documents, _):
    values = environment(container_of(documents))
    assert values["DATABASE_URL_FILE"].endswith("/uri") and values["DIRECT_URL_FILE"].endswith("/direct") and values["PGSSLMODE"] == "verify-full"
    assert values["TIDELOCK_REPLICA_FILE"] == mount(documents, "tidelock-database")["mountPath"] + "/standbys"
    assert values["PGSSLROOTCERT"] == mount(documents, "tidelock-ca")["mountPath"] + "/root.pem"
    assert values["PGSSLCERT"] == mount(documents, "tidelock-client")["mountPath"] + "/c.pem" and values["PGSSLKEY"].endswith("/k.pem")
    assert volume(documents, "tidelock-database")["secret"]["secretName"] == "app-db"
    # libpq refuses a key that everybody may read.
    assert volume(documents, "tidelock-client")["secret"] == {"secretName": "client", "defaultMode": 0o440, "optional": True}
    assert volume(documents, "tidelock-ca")["secret"]["optional"]


@value_set({"database": {"host": "{{ .Release.Name }}-postgresql", "port": 6432, "name": "my db", "user": "a@b", "schema": "tide", "secretKeys": {"password": "pw", "replica": "standby"}, "sslRootCert": {"existingConfigMap": "ca"}}})
def a_database_in_parts(documents, _):
    values = environment(container_of(documents))
    assert values["DATABASE_URL"] == "postgresql://a%40b@app-postgresql:6432/my%20db?schema=tide"
    assert values["PGPASSWORD_FILE"] == "/run/secrets/tidelock/database/pw" and "DATABASE_URL_FILE" not in values
    assert values["TIDELOCK_REPLICA_FILE"] == "/run/secrets/tidelock/database/standby"
    assert volume(documents, "tidelock-ca")["configMap"]["name"] == "ca"


@value_set({"database": {"host": "fd00::1", "name": "d", "user": "u"}}, base={})
def an_address_of_ipv6_without_password(documents, _):
    assert environment(container_of(documents))["DATABASE_URL"] == "postgresql://u@[fd00::1]:5432/d"
    assert "volumes" not in pod_of(documents)


@value_set({"job": {"mode": "job"}, "database": {"url": "postgresql://u:p@h/d", "directUrl": "postgresql://u:p@direct/d"}}, base={})
def a_plain_job_with_a_secret_of_its_own(documents, _):
    secret = the(documents, "Secret")
    assert secret["stringData"] == {"url": "postgresql://u:p@h/d", "directUrl": "postgresql://u:p@direct/d"}
    assert "annotations" not in secret["metadata"]
    job = the(documents, "Job", "app-tidelock-m[0-9a-f]{7}")
    assert "annotations" not in job["metadata"] and job["spec"]["ttlSecondsAfterFinished"] == 604800
    assert volume(documents, "tidelock-database")["secret"] == {"secretName": secret["metadata"]["name"], "defaultMode": 0o444}
    assert "u:p" not in str(job)
    # A Job's pod is immutable: nothing in it may change with the chart's version.
    assert "helm.sh/chart" not in job["spec"]["template"]["metadata"]["labels"]


@value_set({"job": {"mode": "argocd", "argocd": {"wave": 3}}, "database": {"url": "postgresql://u:p@h/d"}, "serviceAccount": {"create": True}}, base={})
def argo_cd(documents, _):
    for document in documents:
        assert not any(name.startswith("helm.sh/hook") for name in document["metadata"]["annotations"])
    annotations = the(documents, "Job", "app-tidelock")["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/hook"] == "Sync" and annotations["argocd.argoproj.io/sync-wave"] == "3"
    assert annotations["argocd.argoproj.io/hook-delete-policy"] == "BeforeHookCreation"
    for kind in ["Secret", "ServiceAccount"]:
        assert the(documents, kind)["metadata"]["annotations"] == {"argocd.argoproj.io/sync-wave": "2"}
    spec = the(documents, "Job")["spec"]
    assert not of_kind(documents, "Pod") and "ttlSecondsAfterFinished" not in spec and spec["activeDeadlineSeconds"] == 7200
    # What Argo CD compares: no hook, and after the Job.
    synced = the(documents, "ConfigMap")
    assert synced["metadata"]["annotations"] == {"argocd.argoproj.io/sync-wave": "4"} and len(synced["data"]["database"]) == 64


@value_set({"job": {"mode": "argocd", "argocd": {"hook": "PreSync", "deletePolicy": "HookSucceeded"}}, "migrations": {"files": {"1_a": "SELECT 1"}}})
def argo_cd_before_the_sync(documents, _):
    job, scripts = the(documents, "Job")["metadata"]["annotations"], the(documents, "ConfigMap", ".*-migrations")["metadata"]["annotations"]
    assert job["argocd.argoproj.io/hook"] == scripts["argocd.argoproj.io/hook"] == "PreSync"
    assert int(scripts["argocd.argoproj.io/sync-wave"]) < int(job["argocd.argoproj.io/sync-wave"])
    assert job["argocd.argoproj.io/hook-delete-policy"] == "HookSucceeded"


@value_set({"job": {"hook": {"events": ["pre-upgrade"], "weight": 5, "deletePolicy": ["before-hook-creation", "hook-succeeded"]}, "backoffLimit": 0, "activeDeadlineSeconds": 600, "ttlSecondsAfterFinished": 3600, "podFailurePolicy": {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [6]}}]}, "suspend": True, "annotations": {"a": "b"}, "labels": {"c": "d"}}})
def every_setting_of_the_job(documents, minor):
    job = the(documents, "Job")
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-upgrade" and annotations["helm.sh/hook-weight"] == "5" and annotations["a"] == "b"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded" and job["metadata"]["labels"]["c"] == "d"
    spec = job["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"], spec["suspend"]) == (0, 600, 3600, True)
    if minor >= 26:
        assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Count"]


@value_set({"job": {"podFailurePolicy": None, "podReplacementPolicy": "TerminatingOrFailed"}})
def no_failure_policy(documents, minor):
    spec = the(documents, "Job")["spec"]
    assert "podFailurePolicy" not in spec and spec.get("podReplacementPolicy") == ("TerminatingOrFailed" if minor >= 29 else None)


@value_set({"job": {"enabled": False}, "networkPolicy": {"enabled": True}})
def no_job(documents, _):
    assert documents == []


@value_set({"migrations": {"path": "/srv/migrations", "image": {"registry": "own.test", "repository": "shop", "tag": "{{ .Values.global.tag }}", "pullPolicy": "Never"}}, "global": {"tag": "7"}})
def migrations_in_an_image_without_tidelock(documents, _):
    """The program goes into the application's container: no shell and no cp is needed there."""
    container, (copies,) = container_of(documents), pod_of(documents)["initContainers"]
    assert container["image"] == "own.test/shop:7" and container["imagePullPolicy"] == "Never" and container["command"] == ["/entrypoint/tidelock"]
    assert environment(container)["TIDELOCK_MIGRATIONS"] == "/srv/migrations"
    assert copies["image"] == IMAGE and copies["args"] == ["install", "/entrypoint"]
    assert mount(documents, "tidelock-entrypoint")["readOnly"] and volume(documents, "tidelock-entrypoint")["emptyDir"]


@value_set({"migrations": {"image": {"repository": "shop", "tag": "v1.4.0"}}})
def a_tag_that_is_a_release(documents, _):
    assert environment(container_of(documents))["TIDELOCK_RELEASE"] == "v1.4.0"


@value_set({"migrations": {"image": {"repository": "shop", "tag": "1.4.0-alpine"}}})
def a_tag_that_is_none(documents, _):
    assert "TIDELOCK_RELEASE" not in environment(container_of(documents))


@value_set({"migrations": {"image": {"repository": "shop", "tag": "1.4.0"}}, "config": {"release": "2026.11.30"}})
def a_release_that_is_said(documents, _):
    assert environment(container_of(documents))["TIDELOCK_RELEASE"] == "2026.11.30"


@value_set({"migrations": {"image": {"repository": "shop", "tag": "7", "digest": DIGEST}}})
def migrations_in_an_image_by_digest(documents, _):
    assert container_of(documents)["image"] == f"shop:7@{DIGEST}"


@value_set({"migrations": {"configMap": {"name": "scripts", "items": [{"key": "a.sql", "path": "1_a/migration.sql"}]}}})
def migrations_in_a_config_map(documents, _):
    """One that is missing, or a key of it, is an error of the run instead of a pod that never starts: the folder is there, the script is not."""
    scripts, expected = volume(documents, "tidelock-migrations")["projected"]["sources"]
    assert scripts["configMap"] == {"name": "scripts", "optional": True, "items": [{"key": "a.sql", "path": "1_a/migration.sql"}]}
    assert [item["path"] for item in expected["downwardAPI"]["items"]] == ["1_a/.expected"]
    assert environment(container_of(documents))["TIDELOCK_MIGRATIONS"] == mount(documents, "tidelock-migrations")["mountPath"]


@value_set({"migrations": {"files": {"1_a": "SELECT 1;\n", "2_b": "SELECT 2;\n"}}})
def migrations_in_the_values(documents, _):
    scripts = the(documents, "ConfigMap")
    assert scripts["data"] == {"1_a": "SELECT 1;\n", "2_b": "SELECT 2;\n"}
    assert scripts["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade" and int(scripts["metadata"]["annotations"]["helm.sh/hook-weight"]) < 0
    assert volume(documents, "tidelock-migrations")["configMap"]["items"] == [{"key": f"{name}", "path": f"{name}/migration.sql"} for name in ["1_a", "2_b"]]


@value_set({"migrations": {"configMap": {"name": "scripts", "items": [{"key": "a.sql", "path": "1_a/migration.sql"}, {"key": "a.down.sql", "path": "1_a/down.sql"}]}}})
def a_way_back_in_a_config_map(documents, _):
    _, expected = volume(documents, "tidelock-migrations")["projected"]["sources"]
    assert [item["path"] for item in expected["downwardAPI"]["items"]] == ["1_a/.expected"]


@value_set({"migrations": {"configMap": {"name": "scripts", "items": [{"key": "a.sql", "path": "00001_a.sql"}]}}, "config": {"format": "goose"}})
def flat_files_in_a_config_map(documents, _):
    """Nothing shows that a flat file is missing, so the pod does not start without it."""
    assert volume(documents, "tidelock-migrations")["configMap"] == {"name": "scripts", "items": [{"key": "a.sql", "path": "00001_a.sql"}]}
    assert environment(container_of(documents))["TIDELOCK_FORMAT"] == "goose"


@value_set({"migrations": {"files": {"0000_a.sql": "SELECT 1;\n", "meta/_journal.json": "{}", "2_b": "SELECT 2;\n", "2_b/down.sql": "SELECT 3;\n", "V1__a.sql.conf": "executeInTransaction=false"}}})
def files_of_other_tools_in_the_values(documents, _):
    """A path is the file that it names; a name alone is a migration in Prisma's layout."""
    items = volume(documents, "tidelock-migrations")["configMap"]["items"]
    assert {item["path"] for item in items} == {"0000_a.sql", "meta/_journal.json", "2_b/migration.sql", "2_b/down.sql", "V1__a.sql.conf"}
    data = the(documents, "ConfigMap")["data"]
    assert {item["path"]: data[item["key"]] for item in items}["meta/_journal.json"] == "{}"
    assert len(data) == len(items) and not any("/" in key for key in data)


@value_set({"migrations": {"volume": {"persistentVolumeClaim": {"claimName": "scripts"}}, "path": "shop/migrations"}})
def migrations_in_a_volume(documents, _):
    assert volume(documents, "tidelock-migrations")["persistentVolumeClaim"] == {"claimName": "scripts"}
    assert environment(container_of(documents))["TIDELOCK_MIGRATIONS"] == "/run/tidelock/migrations/shop/migrations"


@value_set({"config": {"retry_for": "30m", "lock_timeout": 0, "max_blocked": 100000, "strict": True, "log_format": "json", "drift": False}})
def options(documents, _):
    values = environment(container_of(documents))
    assert (values["TIDELOCK_RETRY_FOR"], values["TIDELOCK_LOCK_TIMEOUT"], values["TIDELOCK_MAX_BLOCKED"]) == ("30m", "0", "100000")
    assert (values["TIDELOCK_STRICT"], values["TIDELOCK_LOG_FORMAT"]) == ("true", "json")
    # Helm takes an unquoted off for false.
    assert values["TIDELOCK_DRIFT"] == "off"


@value_set({"config": {"strict": True, "max_blocked": 5}, "databases": {"main": {}, "lax": {"config": {"strict": False, "max_blocked": 0}, "database": {"secretKeys": {"directUrl": ""}}}}, "database": {"secretKeys": {"directUrl": "direct"}}})
def what_is_said_for_one_database_counts_even_when_it_is_nothing(documents, _):
    lax, main = (environment(job["spec"]["template"]["spec"]["containers"][0]) for job in sorted(of_kind(documents, "Job"), key=lambda job: job["metadata"]["name"]))
    assert (lax["TIDELOCK_STRICT"], lax["TIDELOCK_MAX_BLOCKED"]) == ("false", "0") and "DIRECT_URL_FILE" not in lax
    assert (main["TIDELOCK_STRICT"], main["TIDELOCK_MAX_BLOCKED"]) == ("true", "5") and "DIRECT_URL_FILE" in main


@value_set({"databases": {"main": {}, "bills": {"database": {"existingSecret": "bills"}, "migrations": {"path": "bills"}, "config": {"strict": True}}}})
def several_databases(documents, _):
    jobs = {job["metadata"]["name"]: job["spec"]["template"]["spec"] for job in of_kind(documents, "Job")}
    assert set(jobs) == {"app-tidelock-main", "app-tidelock-bills"}
    assert jobs["app-tidelock-bills"]["volumes"][0]["secret"]["secretName"] == "bills" and jobs["app-tidelock-main"]["volumes"][0]["secret"]["secretName"] == "db"
    bills, main = (environment(jobs[f"app-tidelock-{name}"]["containers"][0]) for name in ["bills", "main"])
    assert (bills["TIDELOCK_MIGRATIONS"], bills["TIDELOCK_STRICT"]) == ("bills", "true") and "TIDELOCK_STRICT" not in main
    assert len(of_kind(documents, "Pod")) == 2


@value_set({"serviceAccount": {"create": True, "name": "migrator", "annotations": {"role": "arn"}, "labels": {"a": "b"}}})
def a_service_account(documents, _):
    account = the(documents, "ServiceAccount", "migrator")
    assert account["automountServiceAccountToken"] is False and account["metadata"]["labels"]["a"] == "b" and account["metadata"]["annotations"]["role"] == "arn"
    assert account["metadata"]["annotations"]["helm.sh/hook-weight"] == "-10"
    assert pod_of(documents)["serviceAccountName"] == "migrator"


PODS = {
    "podLabels": {"sidecar.istio.io/inject": "false"},
    "podAnnotations": {"vault.hashicorp.com/agent-pre-populate-only": "true"},
    "podSecurityContext": {"runAsUser": None, "runAsGroup": "", "fsGroup": None},
    "securityContext": {"readOnlyRootFilesystem": False},
    "resources": {"limits": {"memory": "256Mi"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "db", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
    "terminationGracePeriodSeconds": 90,
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "hostUsers": False,
    "automountServiceAccountToken": True,
}


@value_set(PODS)
def every_setting_of_the_pod(documents, _):
    template = the(documents, "Job")["spec"]["template"]
    assert template["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert template["metadata"]["annotations"]["vault.hashicorp.com/agent-pre-populate-only"] == "true"
    pod = template["spec"]
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod["securityContext"]) and pod["securityContext"]["runAsNonRoot"]
    assert container_of(documents)["securityContext"]["readOnlyRootFilesystem"] is False
    assert container_of(documents)["resources"] == {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "256Mi"}}
    for key in ["nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "runtimeClassName", "terminationGracePeriodSeconds", "hostAliases", "dnsPolicy", "dnsConfig", "hostUsers", "automountServiceAccountToken"]:
        assert pod[key] == ({**PODS[key], "kubernetes.io/os": "linux"} if key == "nodeSelector" else PODS[key])
    # Every pod of the chart has its annotations.
    (test,) = of_kind(documents, "Pod")
    assert PODS["podAnnotations"].items() <= test["metadata"]["annotations"].items() and PODS["podLabels"].items() <= test["metadata"]["labels"].items()


EXTRAS = {
    "extraArgs": ["--strict"],
    "extraEnv": [{"name": "A", "value": "b"}],
    "extraEnvFrom": [{"secretRef": {"name": "more"}}],
    "extraVolumes": [{"name": "extra", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
    "initContainers": [{"name": "cloud-sql-proxy", "image": "proxy:1", "restartPolicy": "Always"}],
    "extraContainers": [{"name": "beside", "image": "beside:1"}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-one"}}, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two-{{ .Release.Namespace }}\n"],
}


@value_set(EXTRAS, base={})
def extras(documents, _):
    """With extraEnv, the database may be said there."""
    container, beside = pod_of(documents)["containers"]
    assert beside == EXTRAS["extraContainers"][0]
    assert container["args"] == ["deploy", "--strict"] and environment(container)["A"] == "b" and container["envFrom"] == EXTRAS["extraEnvFrom"]
    assert EXTRAS["extraVolumeMounts"][0] in container["volumeMounts"] and EXTRAS["extraVolumes"][0] in pod_of(documents)["volumes"]
    assert pod_of(documents)["initContainers"][0]["name"] == "cloud-sql-proxy"
    assert {document["metadata"]["name"] for document in of_kind(documents, "ConfigMap")} == {"app-one", "two-ns"}


@value_set({"networkPolicy": {"enabled": True, "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [5432, 6432], "extraEgress": [{"ports": [{"port": 443}]}]}})
def a_network_policy(documents, _):
    spec = the(documents, "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"] and spec["ingress"] == []
    dns, database, more = spec["egress"]
    assert {port["port"] for port in dns["ports"]} == {53} and more == {"ports": [{"port": 443}]}
    assert [port["port"] for port in database["ports"]] == [5432, 6432] and database["to"] == [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
    labels = the(documents, "Job")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()


@value_set({"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}, "slowAfterSeconds": 7200, "extraRules": [{"alert": "Mine", "expr": "vector(1)"}]}})
def alerts(documents, _):
    rule = the(documents, "PrometheusRule")
    (group,) = rule["spec"]["groups"]
    assert rule["metadata"]["labels"]["release"] == "prometheus" and group["rules"][-1] == {"alert": "Mine", "expr": "vector(1)"}
    text = str(group)
    assert "> 7200" in text and 'namespace="ns"' in text and "(app-tidelock)(-m[0-9a-f]{7})?" in text
    assert not any(word in text for word in ["NAMESPACE", "JOB_NAME", "APP", "SLOW_AFTER"]) and "{{ $labels.pod }}" in text


@value_set({"grafanaDashboard": {"enabled": True, "labels": {"grafana_dashboard": None, "dashboards": "yes"}, "annotations": {"folder": "Databases"}}})
def a_dashboard(documents, _):
    dashboard = the(documents, "ConfigMap")
    assert dashboard["metadata"]["labels"]["dashboards"] == "yes" and "grafana_dashboard" not in dashboard["metadata"]["labels"]
    assert dashboard["metadata"]["annotations"]["folder"] == "Databases" and '"title": "tidelock"' in dashboard["data"]["tidelock.json"]


@value_set({"tests": {"enabled": False}, "grafanaDashboard": {"enabled": True}})
def no_test_and_the_dashboard_as_it_is(documents, _):
    assert not of_kind(documents, "Pod") and the(documents, "ConfigMap")["metadata"]["labels"]["grafana_dashboard"] == "1"


@value_set({"databases": {"a": {}, "b": {"database": {"existingSecret": "", "url": "postgresql://u:p@h:6432,[fd00::1]:7432,i/d"}}, "c": {"database": {"host": "h", "port": 8432, "user": "u", "name": "d"}}}, "job": {"mode": "job"}, "networkPolicy": {"enabled": True}})
def the_ports_of_every_database(documents, _):
    """Wherever they are said."""
    ports = [port["port"] for port in the(documents, "NetworkPolicy")["spec"]["egress"][1]["ports"]]
    assert sorted(ports) == [5432, 6432, 7432, 8432]


@value_set({"global": {"compatibility": {"openshift": {"adaptSecurityContext": "force"}}}, "securityContext": {"runAsUser": 7}})
def on_openshift(documents, _):
    """Users and groups are the cluster's, in every container."""
    for pod in [pod_of(documents), *(document["spec"] for document in of_kind(documents, "Pod"))]:
        for context in [pod["securityContext"], *(container["securityContext"] for container in pod["containers"])]:
            assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(context) and context["runAsNonRoot"] and context["seccompProfile"]


@value_set({"mesh": {"kind": "istio", "nativeSidecars": False}})
def an_istio_whose_proxy_never_ends(documents, _):
    for metadata in [the(documents, "Job")["spec"]["template"]["metadata"], the(documents, "Pod")["metadata"]]:
        assert metadata["labels"]["sidecar.istio.io/inject"] == "false"


@value_set({"mesh": {"kind": "linkerd", "nativeSidecars": False}})
def a_linkerd_whose_proxy_never_ends(documents, _):
    assert the(documents, "Job")["spec"]["template"]["metadata"]["annotations"]["linkerd.io/inject"] == "disabled"


@value_set({"mesh": {"kind": "istio"}, "podAnnotations": {"a": "b"}})
def an_istio_with_native_sidecars(documents, _):
    template = the(documents, "Job")["spec"]["template"]["metadata"]
    assert {"sidecar.istio.io/nativeSidecar": "true", "a": "b"}.items() <= template["annotations"].items() and "sidecar.istio.io/inject" not in template["labels"]


@value_set({"mesh": {"kind": "linkerd"}})
def a_linkerd_with_native_sidecars(documents, _):
    assert the(documents, "Job")["spec"]["template"]["metadata"]["annotations"]["config.beta.linkerd.io/proxy-enable-native-sidecar"] == "true"


@value_set({"databases": {"a": {"serviceAccount": {"name": "a"}, "extraEnv": [{"name": "WHO", "value": "a"}]}, "b": {"podLabels": {"who": "b"}, "podAnnotations": {"who": "b"}}}, "serviceAccount": {"create": True}, "lease": {"enabled": True}})
def an_identity_for_each_database(documents, _):
    a, b = (the(documents, "Job", f"app-tidelock-{name}")["spec"]["template"] for name in "ab")
    assert (a["spec"]["serviceAccountName"], b["spec"]["serviceAccountName"]) == ("a", "app-tidelock") and environment(a["spec"]["containers"][0])["WHO"] == "a"
    assert b["metadata"]["labels"]["who"] == b["metadata"]["annotations"]["who"] == "b" and "who" not in a["metadata"]["labels"]
    assert {account["metadata"]["name"] for account in of_kind(documents, "ServiceAccount")} == {"a", "app-tidelock"}
    assert {subject["name"] for subject in the(documents, "RoleBinding")["subjects"]} == {"a", "app-tidelock"}


@value_set({"tenants": {"existingSecret": "{{ .Release.Name }}-tenants", "key": "list.yaml"}, "config": {"parallel": 8, "canary": "acme"}, "networkPolicy": {"enabled": True}}, base={})
def tenants_from_a_secret(documents, _):
    """Whose URLs are in the list; one pod, as ever."""
    spec = the(documents, "Job")["spec"]
    assert "completionMode" not in spec and "completions" not in spec and spec["backoffLimit"] == 3
    values = environment(container_of(documents))
    assert values["TIDELOCK_TENANTS"] == mount(documents, "tidelock-tenants")["mountPath"] + "/list.yaml" and "TIDELOCK_SHARD" not in values
    assert (values["TIDELOCK_PARALLEL"], values["TIDELOCK_CANARY"]) == ("8", "acme")
    assert volume(documents, "tidelock-tenants")["secret"] == {"secretName": "app-tenants", "defaultMode": 0o444, "optional": True}
    (test,) = of_kind(documents, "Pod")
    assert environment(test["spec"]["containers"][0])["TIDELOCK_TENANTS"] == values["TIDELOCK_TENANTS"]
    assert [port["port"] for port in the(documents, "NetworkPolicy")["spec"]["egress"][1]["ports"]] == [5432]


@value_set({"tenants": {"existingConfigMap": "tenants", "pods": 12}, "pushgateway": {"url": "http://push:9091"}, "fullnameOverride": "x" * 80})
def tenants_shared_by_an_indexed_job(documents, minor):
    """The first that fails ends all of it."""
    job = the(documents, "Job")
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"], spec["backoffLimit"]) == ("Indexed", 12, 12, 3)
    # Its pods are called NAME-INDEX, and so are their hosts.
    assert len(job["metadata"]["name"]) + len("-11") <= 63
    env = container_of(documents)["env"]
    assert environment(container_of(documents))["TIDELOCK_SHARD"] == "/12"
    assert environment(container_of(documents))["TIDELOCK_PUSHGATEWAY_LABELS"].endswith(",part=$(JOB_COMPLETION_INDEX)")
    assert fields(container_of(documents))["JOB_COMPLETION_INDEX"] == "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    names = [entry["name"] for entry in env]
    assert names.index("JOB_COMPLETION_INDEX") < names.index("TIDELOCK_PUSHGATEWAY_LABELS"), "it is expanded"
    assert volume(documents, "tidelock-tenants")["configMap"]["name"] == "tenants"
    assert minor < 26 or spec["podFailurePolicy"]["rules"][0]["action"] == "FailJob"
    (test,) = of_kind(documents, "Pod")
    assert "TIDELOCK_SHARD" not in environment(test["spec"]["containers"][0]), "it looks at all of them"


@value_set({"tenants": {"query": "SELECT slug AS name, slug AS schema FROM tenants", "pods": 2}, "config": {"on_failure": "continue"}, "job": {"backoffLimit": 5}})
def tenants_whose_failures_leave_others_alone(documents, minor):
    spec = the(documents, "Job")["spec"]
    assert environment(container_of(documents))["TIDELOCK_TENANTS_QUERY"].startswith("SELECT slug")
    if minor >= 29:
        assert spec["backoffLimitPerIndex"] == 5 and "backoffLimit" not in spec
        assert spec["podFailurePolicy"]["rules"][0]["action"] == "FailIndex"
    else:
        assert spec["backoffLimit"] == 5 and (minor < 26 or spec["podFailurePolicy"]["rules"][0]["action"] == "FailJob")


@value_set({"tenants": {"databases": "tenant_*"}})
def tenants_by_the_names_of_databases(documents, _):
    assert environment(container_of(documents))["TIDELOCK_DATABASES"] == "tenant_*"


@value_set({"tenants": {"schemas": "tenant_*"}})
def tenants_by_the_names_of_schemas(documents, _):
    assert environment(container_of(documents))["TIDELOCK_SCHEMAS"] == "tenant_*"


@value_set({"databases": {"shops": {"tenants": {"databases": "shop_*", "pods": 3}}, "users": {"tenants": {"schemas": "tenant_*"}}}})
def tenants_of_several_servers(documents, _):
    shops, users = (the(documents, "Job", f"app-tidelock-{name}")["spec"] for name in ["shops", "users"])
    assert environment(shops["template"]["spec"]["containers"][0])["TIDELOCK_DATABASES"] == "shop_*" and shops["completions"] == 3
    assert environment(users["template"]["spec"]["containers"][0])["TIDELOCK_SCHEMAS"] == "tenant_*" and "completions" not in users


SIDECAR = {"enabled": True, "image": {"registry": "own.test", "repository": "exporter", "tag": "3", "digest": DIGEST, "pullPolicy": "Always"}, "command": ["/exporter"], "port": 9200, "resources": {"limits": {"memory": "32Mi"}}}


@value_set({"metrics": {"sidecar": SIDECAR, "podMonitor": {"enabled": True, "labels": {"a": "b"}, "interval": "5s", "relabelings": [{"action": "drop"}], "metricRelabelings": [{"action": "keep"}]}}, "networkPolicy": {"enabled": True}, "config": {"metrics_labels": "team=a"}})
def metrics(documents, _):
    """Wants Kubernetes 1.29."""
    exporter = pod_of(documents)["initContainers"][0]
    assert exporter["restartPolicy"] == "Always" and exporter["image"] == f"own.test/exporter:3@{DIGEST}" and exporter["command"] == ["/exporter"]
    assert exporter["imagePullPolicy"] == "Always" and exporter["resources"]["limits"] == {"memory": "32Mi"} and "--web.listen-address=:9200" in exporter["args"]
    status = environment(container_of(documents))["TIDELOCK_STATUS_FILE"]
    assert status.startswith(mount(documents, "tidelock-status")["mountPath"] + "/") and exporter["volumeMounts"][0]["mountPath"] in status
    # By which the alerts select.
    assert [entry["value"] for entry in container_of(documents)["env"] if entry["name"] == "TIDELOCK_METRICS_LABELS"] == ["app=app-tidelock,team=a"]
    monitor = the(documents, "PodMonitor")
    assert monitor["metadata"]["labels"]["a"] == "b" and monitor["spec"]["podMetricsEndpoints"] == [
        {
            "port": exporter["ports"][0]["name"],
            "interval": "5s",
            "relabelings": [{"action": "drop"}],
            "metricRelabelings": [{"action": "keep"}],
        }
    ]
    assert the(documents, "NetworkPolicy")["spec"]["ingress"] == [{"ports": [{"port": 9200, "protocol": "TCP"}]}]


# Named templates read these; what they mean is asserted in test_include.py.
INCLUDED = {
    "initContainer": {"command": "deploy", "database": {"existingSecret": "other"}, "config": {"leader_timeout": "1h"}, "resources": {"limits": {"memory": "64Mi"}}},
    "entrypoint": {"enabled": True},
    "probe": {"periodSeconds": 7, "timeoutSeconds": 3, "failureThreshold": 2},
}
