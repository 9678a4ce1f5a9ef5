"""Argo CD's own engine syncs what the chart makes for it: first the Secret, then the Job, then the application, and nothing behind a Job that fails."""

import os
import subprocess

import pytest
import yaml
from cluster import Refused, built
from test_release import serving
from wait import wait_until

FIRST = "20260101000000_guestbook"


@pytest.fixture
def sync(namespace, database):
    """sync(TAG): one sync of the example's chart, which makes its own Secret: the case in which a hook of Helm's would come too early."""
    try:
        program = built("gitops")
    except Refused as reason:
        pytest.skip(str(reason))

    def run(tag):
        own = {"existingSecret": "", "url": database.url("owner")}
        app = {"command": "wait", "database": {"existingSecret": "guestbook-app", "url": ""}}
        values = namespace.example_values(tag, 2, job={"mode": "argocd"}, database=own, initContainer=app)
        # Argo CD renders like this, with the cluster's version.
        words = ["template", "guestbook", namespace.example, "--namespace", namespace.name, "--kube-version", "1.36.0", "--values", "-"]
        manifests = namespace.helm.run(*words, input=yaml.safe_dump(values)).stdout
        environment = {**os.environ, "KUBECONFIG": str(namespace.cluster.kubeconfig)}
        return subprocess.run([program, namespace.name, tag], input=manifests, env=environment, capture_output=True, text=True, timeout=180)

    return run


def test_an_application_that_is_only_this_chart(namespace, database):
    """It has something that is no hook, which differs as long as the Job has not succeeded, and then no more."""
    try:
        program = built("gitops")
    except Refused as reason:
        pytest.skip(str(reason))

    def gitops(tag, what):
        words = ["template", "app", namespace.chart, "--namespace", namespace.name, "--kube-version", "1.36.0", "--values", "-"]
        values = namespace.values(tag, job={"mode": "argocd"}, serviceAccount={"create": True}, networkPolicy={"enabled": True}, lease={"enabled": True}, **namespace.api_server())
        manifests = namespace.helm.run(*words, input=yaml.safe_dump(values)).stdout
        environment = {**os.environ, "KUBECONFIG": str(namespace.cluster.kubeconfig)}
        return subprocess.run([program, namespace.name, what], input=manifests, env=environment, capture_output=True, text=True, timeout=180)

    differs = "differs: ConfigMap/app-tidelock-synced"
    assert differs in gitops("1", "compare").stdout
    for tag, succeeds in [("1", True), ("broken", False), ("2", True)]:
        assert (gitops(tag, "sync").returncode == 0) == succeeds
        left = gitops(tag, "compare").stdout
        assert left.strip() == ("" if succeeds else differs)
    assert database.ledger() == {FIRST: 1, "20260102000000_mail": 1}


def test_synced_changed_and_failed(namespace, database, sync):
    done = sync("1")
    assert done.returncode == 0 and "Succeeded" in done.stdout, done.stdout + done.stderr
    wait_until(lambda: serving(namespace) == {"guestbook:1": 2}, "the first pods", 60)
    assert database.ledger() == {FIRST: 1}
    made = [namespace.get(*name.split("/"))["metadata"]["creationTimestamp"] for name in ["secret/guestbook-tidelock-database", "job/guestbook-tidelock", "deployment/guestbook"]]
    assert made == sorted(made) and namespace.job_condition("Complete")["lastTransitionTime"] <= made[-1]

    failed = sync("broken")
    assert failed.returncode == 1 and "Job" in failed.stdout and "Failed" in failed.stdout, failed.stdout + failed.stderr
    assert serving(namespace) == {"guestbook:1": 2}
    (container,) = namespace.get("deployment", "guestbook")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "guestbook:1"

    done = sync("2")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: serving(namespace) == {"guestbook:2": 2}, "the fixed image", 60)
    assert database.ledger() == {FIRST: 1, "20260102000000_mail": 1}
