"""The named templates, as another chart includes them: in the example, and under an alias."""

import helm as helms
import pytest
import yaml
from helm import environment, of_kind, the
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
    assert web["readinessProbe"] == {
        "exec": {"command": ["/entrypoint/tidelock", "ready", "--status-file", environment(waits)["TIDELOCK_STATUS_FILE"]]},
        "periodSeconds": 5,
        "timeoutSeconds": 2,
        "failureThreshold": 1,
    }
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
    probe = pod["containers"][0]["readinessProbe"]
    assert (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"]) == (7, 3, 2)


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


def test_without_a_job(rendered):
    documents = rendered(job={"enabled": False})
    assert not of_kind(documents, "Job") and len(pod_of(documents)["initContainers"]) == 2


def test_the_init_container_without_a_database_says_so(helm, example):
    refused = helm.template({"tidelock": {"job": {"enabled": False}, "initContainer": {"database": {"existingSecret": ""}}, "database": {"existingSecret": ""}}}, chart=example, check=False)
    assert refused.returncode != 0 and "Nobody has said where the database is" in refused.stderr


def test_under_an_alias(helm, example, check_strictly, tmp_path):
    """A chart may have tidelock twice."""
    chart = tmp_path / "twice"
    (chart / "templates").mkdir(parents=True)
    tidelock = {"name": "tidelock", "version": "0.1.0", "repository": f"file://{example.parents[1] / 'tidelock'}"}
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


def test_the_pieces_alone(helm, example, check_strictly, tmp_path):
    """The program copied into an application's container that starts through it, and the exporter beside it."""
    chart = tmp_path / "pieces"
    (chart / "templates").mkdir(parents=True)
    tidelock = {"name": "tidelock", "version": "0.1.0", "repository": f"file://{example.parents[1] / 'tidelock'}"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "pieces", "version": "1.0.0", "dependencies": [tidelock]}))
    piece = lambda name, indent: f'{{{{- include "tidelock.{name}" .Subcharts.tidelock | nindent {indent} }}}}\n'  # noqa: E731
    (chart / "templates" / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  initContainers:\n    "
        + piece("entrypointContainer", 4)
        + "  containers:\n    - name: app\n      image: app:1\n      command: [/entrypoint/tidelock, run, --, node, server.js]\n      volumeMounts:\n        "
        + piece("entrypointMount", 8)
        + "        "
        + piece("statusMount", 8)
        + "    "
        + piece("metricsContainer", 4)
        + "  volumes:\n    "
        + piece("entrypointVolume", 4)
        + "    "
        + piece("statusVolume", 4)
    )
    helm.run("dependency", "update", chart)
    pod = the(helm.template({"tidelock": {"job": {"enabled": False}}}, chart=chart), "Pod", "x")
    check_strictly(pod)
    names = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert names == {"tidelock-entrypoint", "tidelock-status"}
    for container in pod["spec"]["containers"] + pod["spec"]["initContainers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= names
