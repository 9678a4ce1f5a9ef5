"""The named templates, as another chart includes them: in the example, and under an alias."""

import helm as helms
import pytest
import yaml
from helm import environment, fields, of_kind, the
from project import VERSION
from service_sets import TOKEN
from value_sets import INCLUDED, merged


@pytest.fixture(scope="module")
def example(helm, tmp_path_factory):
    return helm.with_dependencies(helms.EXAMPLE, tmp_path_factory.mktemp("charts"))


@pytest.fixture
def rendered(helm, example, check_strictly):
    def render(chart=example, kubernetes="1.36.0", **tidelock):
        documents = helm.template({"tidelock": tidelock}, chart=chart, kubernetes=kubernetes)
        for document in documents:
            check_strictly(document)
        return documents

    return render


def pod_of(documents):
    return the(documents, "Deployment")["spec"]["template"]["spec"]


def test_the_example(rendered):
    """The Job migrates as the owner, each pod waits as the application; one image is named once."""
    documents = rendered()
    job, pod = the(documents, "Job")["spec"]["template"]["spec"], pod_of(documents)
    assert job["volumes"][0]["secret"]["secretName"] == "guestbook-owner"
    copies, waits = pod["initContainers"]
    assert copies["args"] == ["install", "/entrypoint"] and waits["args"] == ["wait"]
    assert waits["image"] == pod["containers"][0]["image"] == job["containers"][0]["image"] == "guestbook:1.4.0"
    assert {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} == {"guestbook-app"}
    assert "optional" not in next(volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    (web,) = pod["containers"]
    # The application keeps its own.
    assert web["readinessProbe"] == {"tcpSocket": {"port": "http"}}
    mounts, volumes = {mount["name"] for mount in web["volumeMounts"]}, {volume["name"] for volume in pod["volumes"]}
    assert mounts == {"tidelock-status", "tidelock-entrypoint"} <= volumes
    assert all(mount["readOnly"] for mount in web["volumeMounts"])


def test_every_value_of_the_templates(rendered):
    documents = rendered(**INCLUDED)
    pod = pod_of(documents)
    _, deploys = pod["initContainers"]
    assert deploys["name"] == "tidelock-deploy" and deploys["args"] == ["deploy"] and deploys["resources"]["limits"]["memory"] == "64Mi"
    assert environment(deploys)["TIDELOCK_LEADER_TIMEOUT"] == "1h"
    assert "TIDELOCK_LEADER_TIMEOUT" not in environment(the(documents, "Job")["spec"]["template"]["spec"]["containers"][0])
    assert [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume] == ["other"]


def test_another_way_to_the_same_database(rendered):
    """The Job's host in parts, the pods' URL in a Secret."""
    parts = {"host": "db", "name": "d", "user": "u", "existingSecret": ""}
    documents = rendered(database=parts, initContainer={"database": {"host": "", "existingSecret": "app"}}, config={"strict": True}, job={"enabled": True})
    waits = environment(pod_of(documents)["initContainers"][-1])
    assert waits["DATABASE_URL_FILE"] and "DATABASE_URL" not in waits
    assert environment(the(documents, "Job")["spec"]["template"]["spec"]["containers"][0])["DATABASE_URL"] == "postgresql://u@db:5432/d"


@pytest.mark.parametrize("enabled", [True, False])
def test_tidelock_in_the_image(rendered, enabled):
    """Then nothing need be copied, unless the application's container wants the program from elsewhere."""
    documents = rendered(image={"repository": "guestbook", "tag": "1"}, migrations={"image": {"repository": ""}}, entrypoint={"enabled": enabled})
    pod = pod_of(documents)
    names = [container["name"] for container in pod["initContainers"]]
    assert names == (["tidelock-entrypoint", "tidelock-wait"] if enabled else ["tidelock-wait"])
    assert ("tidelock-entrypoint" in {volume["name"] for volume in pod["volumes"]}) == enabled
    assert pod["initContainers"][-1]["image"] == "guestbook:1"


def test_several_databases(rendered):
    """One container after the other, each with credentials of its own."""
    b = {"database": {"existingSecret": "b-owner"}, "migrations": {"path": "b"}, "initContainer": {"database": {"existingSecret": "b-app"}}}
    documents = rendered(databases={"a": {}, "b": b}, initContainer={"database": {"existingSecret": "a-app"}})
    pod = pod_of(documents)
    assert [container["name"] for container in pod["initContainers"]] == ["tidelock-entrypoint", "tidelock-wait-a", "tidelock-wait-b"]
    names = [volume["name"] for volume in pod["volumes"]]
    assert len(names) == len(set(names)) and {"tidelock-database-a", "tidelock-database-b"} <= set(names)
    assert {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} == {"tidelock-database-a": "a-app", "tidelock-database-b": "b-app"}
    for container in pod["initContainers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= set(names)


SERVICES = {"lease": {"enabled": True}, "events": {"enabled": True}, "pushgateway": {"url": "http://push"}, "webhook": {"existingSecret": "hook"}}


def test_an_init_container_that_deploys_says_as_much_as_the_job(rendered):
    """But it is in no Job, and its pod's service account is the other chart's."""
    documents = rendered(**SERVICES, databases={"a": {}, "b": {}}, initContainer={"command": "deploy"}, job={"enabled": False})
    assert not of_kind(documents, "Role") and not of_kind(documents, "RoleBinding")
    pod = pod_of(documents)
    for name, container in zip("ab", pod["initContainers"][1:], strict=True):
        values = environment(container)
        assert (values["TIDELOCK_LEASE"], values["TIDELOCK_PUSHGATEWAY_LABELS"]) == (f"app-tidelock-{name}", f"app=app-tidelock,database={name}")
        assert values["TIDELOCK_EVENTS"] == "true" and values["TIDELOCK_WEBHOOK_FILE"] and set(fields(container)) == {"POD_NAME", "POD_NAMESPACE", "POD_UID"}
        assert {"tidelock-token", "tidelock-webhook"} <= {mount["name"] for mount in container["volumeMounts"]}
    assert [volume for volume in pod["volumes"] if volume["name"] == "tidelock-token"] == [TOKEN]
    assert [volume["secret"] for volume in pod["volumes"] if volume["name"] == "tidelock-webhook"] == [{"secretName": "hook", "defaultMode": 0o444}]
    (web,) = pod["containers"]
    assert not {"tidelock-token", "tidelock-webhook"} & {mount["name"] for mount in web["volumeMounts"]}


def test_an_init_container_that_waits_says_nothing_and_has_no_token(rendered):
    documents = rendered(**SERVICES, serviceAccount={"create": True})
    pod = pod_of(documents)
    assert not any(word in str(pod) for word in ["_LEASE", "EVENTS", "WEBHOOK", "PUSHGATEWAY", "tidelock-token", "tidelock-webhook"])
    assert "TIDELOCK_LEASE" in environment(the(documents, "Job")["spec"]["template"]["spec"]["containers"][0])


def test_an_init_container_with_a_password_of_its_own(rendered):
    """From the pod's token and Vault, for each of several databases; the Job keeps its Secret."""
    vault = {"source": "vault", "secretName": "database/creds/app", "vault": {"address": "https://vault:8200", "role": "app", "caCert": {"existingConfigMap": "ca"}}}
    documents = rendered(databases={"a": {}, "b": {}}, initContainer={"database": {"passwordFrom": vault}})
    pod, job = pod_of(documents), the(documents, "Job", ".*-a")["spec"]["template"]["spec"]
    names = [volume["name"] for volume in pod["volumes"]]
    assert len(names) == len(set(names)) and {"tidelock-token", "tidelock-vault-ca-a", "tidelock-vault-ca-b"} <= set(names)
    for container in pod["initContainers"][1:]:
        assert environment(container)["TIDELOCK_SECRET_NAME"] == "database/creds/app" and {mount["name"] for mount in container["volumeMounts"]} <= set(names)
    assert "TIDELOCK_PASSWORD_FROM" not in environment(job["containers"][0]) and "tidelock-token" not in str(job)


def test_an_init_container_need_not_take_the_owners_role_and_password(rendered):
    owner = {"setRole": "owner", "passwordFrom": {"source": "aws-secret", "secretName": "owner"}}
    documents = rendered(database=owner, initContainer={"database": {"setRole": "", "passwordFrom": {"source": ""}}})
    ours = {"TIDELOCK_SET_ROLE", "TIDELOCK_PASSWORD_FROM", "TIDELOCK_SECRET_NAME"}
    assert ours <= set(environment(the(documents, "Job")["spec"]["template"]["spec"]["containers"][0]))
    assert not ours & set(environment(pod_of(documents)["initContainers"][-1]))


def test_without_a_job(rendered):
    documents = rendered(job={"enabled": False})
    assert not of_kind(documents, "Job") and len(pod_of(documents)["initContainers"]) == 2


def test_the_init_container_without_a_database_says_so(helm, example):
    refused = helm.template({"tidelock": {"job": {"enabled": False}, "initContainer": {"database": {"existingSecret": ""}}, "database": {"existingSecret": ""}}}, chart=example, check=False)
    assert refused.returncode != 0 and "The database is not configured" in refused.stderr


def test_under_an_alias(helm, example, check_strictly, tmp_path):
    """A chart may have tidelock twice."""
    chart = tmp_path / "twice"
    (chart / "templates").mkdir(parents=True)
    tidelock = {"name": "tidelock", "version": VERSION, "repository": f"file://{example.parents[1] / 'tidelock'}"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "twice", "version": "1.0.0", "dependencies": [{**tidelock, "alias": name} for name in ["shop", "bills"]]}))
    template = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: [{name: app, image: 'app:1'}]\n  initContainers:\n"
    template += "".join(f'    {{{{- include "tidelock.initContainer" .Subcharts.{name} | nindent 4 }}}}\n' for name in ["shop"])
    (chart / "templates" / "pod.yaml").write_text(template)
    helm.run("dependency", "update", chart)
    values = {name: merged({"database": {"existingSecret": f"{name}-db"}}, {"fullnameOverride": name}) for name in ["shop", "bills"]}
    documents = helm.template(values, chart=chart)
    assert {job["metadata"]["name"] for job in of_kind(documents, "Job")} == {"shop", "bills"}
    pod = the(documents, "Pod", "x")
    assert pod["spec"]["initContainers"][0]["name"] == "tidelock-wait"


def test_the_rules_for_a_role_of_the_other_chart(helm, example, check_strictly, tmp_path):
    """The same as those of the chart's own."""
    chart = tmp_path / "rules"
    (chart / "templates").mkdir(parents=True)
    tidelock = {"name": "tidelock", "version": VERSION, "repository": f"file://{example.parents[1] / 'tidelock'}"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "rules", "version": "1.0.0", "dependencies": [tidelock]}))
    role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\nrules:\n  {{- include "tidelock.roleRules" .Subcharts.tidelock | nindent 2 }}\n'
    (chart / "templates" / "role.yaml").write_text(role)
    helm.run("dependency", "update", chart)
    documents = helm.template({"tidelock": {"database": {"existingSecret": "db"}, "databases": {"a": {}, "b": {}}, "serviceAccount": {"create": True}, **SERVICES}}, chart=chart)
    ours, theirs = the(documents, "Role", "app-tidelock"), the(documents, "Role", "x")
    check_strictly(theirs)
    assert ours["rules"] == theirs["rules"] and len(theirs["rules"]) == 3


def test_the_pieces_alone(helm, example, check_strictly, tmp_path):
    """The program copied into an application's container that starts through it, and the exporter beside it."""
    chart = tmp_path / "pieces"
    (chart / "templates").mkdir(parents=True)
    tidelock = {"name": "tidelock", "version": VERSION, "repository": f"file://{example.parents[1] / 'tidelock'}"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "pieces", "version": "1.0.0", "dependencies": [tidelock]}))
    piece = lambda name, indent: f'{{{{- include "tidelock.{name}" .Subcharts.tidelock | nindent {indent} }}}}\n'  # noqa: E731
    (chart / "templates" / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  initContainers:\n    "
        + piece("entrypointContainer", 4)
        + "  containers:\n    - name: app\n      image: app:1\n      command: [/entrypoint/tidelock, run, --, node, server.js]\n      volumeMounts:\n        "
        + piece("entrypointMount", 8)
        + "        "
        + piece("statusMount", 8)
        + "        "
        + piece("tokenMount", 8)
        + "      readinessProbe:\n        "
        + piece("readinessProbe", 8)
        + "    "
        + piece("metricsContainer", 4)
        + "  volumes:\n    "
        + piece("entrypointVolume", 4)
        + "    "
        + piece("statusVolume", 4)
        + "    "
        + piece("tokenVolume", 4)
        + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\nrules:\n  "
        + piece("roleRules", 2)
    )
    helm.run("dependency", "update", chart)
    documents = helm.template({"tidelock": {"job": {"enabled": False}, "probe": INCLUDED["probe"]}}, chart=chart)
    pod = the(documents, "Pod", "x")
    check_strictly(pod)
    assert pod["spec"]["containers"][0]["readinessProbe"] == {
        "exec": {"command": ["/entrypoint/tidelock", "ready", "--status-file", "/run/tidelock/status/tidelock.prom"]},
        "periodSeconds": 7,
        "timeoutSeconds": 3,
        "failureThreshold": 2,
    }
    assert the(documents, "Role")["rules"] == []
    names = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert names == {"tidelock-entrypoint", "tidelock-status", "tidelock-token"}
    for container in pod["spec"]["containers"] + pod["spec"]["initContainers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= names


MESHES = {
    "istio": ("traffic.sidecar.istio.io/excludeOutboundPorts", "sidecar.istio.io/nativeSidecar"),
    "linkerd": ("config.linkerd.io/skip-outbound-ports", "config.beta.linkerd.io/proxy-enable-native-sidecar"),
}


@pytest.mark.parametrize("mesh", MESHES)
def test_a_pod_in_a_mesh(rendered, mesh):
    """Its init container has a network: past the proxy where that starts later, and beside one that starts first."""
    excluded, native = MESHES[mesh]
    database = {"host": "db", "port": 6432, "name": "d", "user": "u", "existingSecret": "db"}
    for is_native, annotations in [(False, {excluded: "6432"}), (True, {native: "true"})]:
        documents = rendered(mesh={"kind": mesh, "nativeSidecars": is_native}, database=database, initContainer={"database": {"existingSecret": "app"}})
        assert the(documents, "Deployment")["spec"]["template"]["metadata"]["annotations"] == annotations


def test_what_is_mounted_reaches_every_container(helm, example):
    """A CSI driver's volume, and the variable that points into it."""
    csi = {
        "extraVolumes": [{"name": "csi", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True, "volumeAttributes": {"secretProviderClass": "db"}}}],
        "extraVolumeMounts": [{"name": "csi", "mountPath": "/mnt/secrets", "readOnly": True}],
        "extraEnv": [{"name": "DATABASE_URL_FILE", "value": "/mnt/secrets/url"}],
    }
    none = {"existingSecret": ""}
    documents = helm.template({"tidelock": {**csi, "database": none, "initContainer": {"database": none}}}, chart=example)
    for pod in [pod_of(documents), the(documents, "Job")["spec"]["template"]["spec"], the(documents, "Pod")["spec"]]:
        assert csi["extraVolumes"][0] in pod["volumes"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            if "DATABASE_URL_FILE" in environment({"env": [], **container}):
                assert csi["extraVolumeMounts"][0] in container["volumeMounts"]


def test_nulls_in_a_parents_values(helm, example, tmp_path):
    """Which Helm 4 does not take for "remove this key" (helm/helm#32132): the other ways to say it work in both."""
    chart = tmp_path / "parent"
    (chart / "charts").mkdir(parents=True)
    (chart / "charts" / "tidelock").symlink_to(example.parents[1] / "tidelock")
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "parent", "version": "1.0.0"}))
    none = {"podSecurityContext": {"runAsUser": "", "fsGroup": ""}, "job": {"podFailurePolicy": {"rules": []}}, "database": {"existingSecret": "db"}}
    (chart / "values.yaml").write_text(yaml.safe_dump({"tidelock": {**none, "extraEnv": None, "metrics": None, "image": {"tag": None}}}))
    job = the(helm.template({}, chart=chart), "Job")
    assert not {"runAsUser", "fsGroup"} & set(job["spec"]["template"]["spec"]["securityContext"]) and "podFailurePolicy" not in job["spec"]


@pytest.mark.parametrize("adapt", ["", "disabled"])
def test_openshift_is_recognized(helm, adapt):
    """By its API; a parent of several charts may say otherwise for all of them."""
    values = {"database": {"existingSecret": "db"}, "global": {"compatibility": {"openshift": {"adaptSecurityContext": adapt}}} if adapt else {}}
    job = the(helm.template(values, "--api-versions", "security.openshift.io/v1"), "Job")
    assert ("runAsUser" in job["spec"]["template"]["spec"]["securityContext"]) == (adapt == "disabled")
