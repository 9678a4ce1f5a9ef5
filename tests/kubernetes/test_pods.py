"""Without Helm's Job: pods that migrate themselves, and the plain manifests of docker/examples."""

import pathlib

import pytest
import yaml
from conftest import ROOT
from test_release import serving
from wait import wait_until

FIRST = "20260101000000_guestbook"
APPLICATION = ["/bin/busybox", "sh", "-c", "trap exit TERM; while :; do /bin/busybox sleep 1; done"]


def test_ten_pods_that_deploy_themselves(namespace, database):
    """Each pod's init container deploys: one leads, nothing is applied twice, and a scaled-up pod finds it done."""
    values = namespace.example_values("2", 10, job={"enabled": False}, initContainer={"command": "deploy", "database": {"existingSecret": "guestbook-owner"}})
    namespace.deploy(values, "--wait", "--timeout", "3m", release="guestbook", chart=namespace.example)
    assert serving(namespace) == {"guestbook:2": 10}
    assert database.ledger() == {FIRST: 1, "20260102000000_mail": 1}
    namespace.kubectl("scale", "deployment/guestbook", "--replicas=12")
    wait_until(lambda: serving(namespace) == {"guestbook:2": 12}, "two more pods", 60)


def test_pods_that_wait_for_a_job_that_comes_later(namespace, database):
    """As with a plain Job, or one that somebody else starts."""
    values = namespace.example_values("1", 3, job={"mode": "job", "suspend": True})
    namespace.deploy(values, release="guestbook", chart=namespace.example)

    def waiting():
        states = [pod["status"].get("initContainerStatuses", [{}])[-1].get("state", {}) for pod in namespace.pods("web")]
        return len(states) == 3 and all("running" in state for state in states)

    wait_until(waiting, "three pods that wait", 60)
    (job,) = namespace.get("jobs")["items"]
    namespace.kubectl("patch", "job", job["metadata"]["name"], "--type=merge", "-p", '{"spec":{"suspend":false}}')
    wait_until(lambda: serving(namespace) == {"guestbook:1": 3}, "the pods to start", 90)
    assert database.ledger() == {FIRST: 1}


def adapted(document, database):
    """A manifest with the images and the application of these tests."""
    text = yaml.safe_dump(document).replace("guestbook:1.4.0", "guestbook:with-tidelock")
    document = yaml.safe_load(text)
    for container in document["spec"]["template"]["spec"]["containers"]:
        words = container["command"]
        if words[-2:] == ["node", "server.js"]:
            container["command"] = words[:-2] + APPLICATION
    return yaml.safe_dump(document)


@pytest.mark.parametrize("example", sorted((ROOT / "docker" / "examples" / "kubernetes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_plain_manifests(namespace, database, example):
    namespace.kubectl("create", "secret", "generic", "guestbook-database", f"--from-literal=url={database.url('owner')}")
    namespace.kubectl("create", "secret", "generic", "guestbook-tenants", "--from-literal=tenants.csv=name,schema\neveryone,public\n")
    for document in yaml.safe_load_all(pathlib.Path(example).read_text()):
        namespace.kubectl("apply", "-f", "-", input=adapted(document, database))

    def is_done():
        jobs = [item["status"].get("succeeded") == item["spec"]["completions"] for item in namespace.get("jobs")["items"]]
        deployments = [item["status"].get("readyReplicas") == item["spec"]["replicas"] for item in namespace.get("deployments")["items"]]
        return (jobs or deployments) and all(jobs) and all(deployments)

    wait_until(is_done, "the manifest's pods", 90)
    assert database.ledger() == {FIRST: 1}
