"""A migration that runs is left alone, whatever Helm does meanwhile; and nothing is left behind for ever."""

import shutil
import signal
import subprocess

import helm as helms
import pytest
import yaml
from wait import wait_until

FIRST, SLOW = "20260101000000_guestbook", "20260102000000_slow"
SHORT = ("--timeout", "4s")
# All that a Job can need of Kubernetes: were one of these replaced while it runs, it would lose its Lease and stop.
NEEDS = {"serviceAccount": {"create": True}, "lease": {"enabled": True}, "events": {"enabled": True}, "networkPolicy": {"enabled": True}}


def needs(namespace):
    return {**NEEDS, **namespace.api_server()}


pytestmark = pytest.mark.parametrize("helm", helms.installed() or [None], indirect=True, ids=lambda major: f"helm{major}")


def atomic(namespace):
    return "--atomic" if namespace.helm.major == 3 else "--rollback-on-failure"


def running(namespace, database):
    """The backend that migrates: the same one for as long as nobody disturbs it. A Job says a moment later that it runs."""
    (pid,) = wait_until(database.is_held, "the migration to run", 60)
    wait_until(lambda: any(job["status"].get("ready") for job in namespace.get("jobs")["items"]), "its Job to say so", 60)
    return pid


def jobs(namespace):
    """{name: uid}"""
    return {job["metadata"]["name"]: job["metadata"]["uid"] for job in namespace.get("jobs")["items"]}


def finish(namespace, database):
    """It ends, once; every Job that waited for it is content, and will be removed."""
    database.release()
    done = lambda: all(job["status"].get("succeeded") for job in namespace.get("jobs")["items"])  # noqa: E731
    wait_until(done, "all Jobs to succeed", 90)
    assert database.ledger().items() >= {FIRST: 1, SLOW: 1}.items()
    assert all(job["spec"]["ttlSecondsAfterFinished"] for job in namespace.get("jobs")["items"])


@pytest.mark.parametrize("more", [{}, NEEDS], ids=["alone", "with-rights"])
def test_three_upgrades_during_one_migration(namespace, database, more):
    """As a pipeline does that tries again."""
    more = more and needs(namespace)
    namespace.deploy(namespace.values("1", **more))
    database.hold()
    assert namespace.deploy(namespace.values("slow", **more), *SHORT, check=False).returncode != 0
    pid, (first, uid) = running(namespace, database), next(iter(jobs(namespace).items()))
    for _ in range(2):
        assert namespace.deploy(namespace.values("slow", **more), *SHORT, check=False).returncode != 0
        assert database.is_held() == [pid] and jobs(namespace)[first] == uid
    assert len(jobs(namespace)) == 3
    finish(namespace, database)
    namespace.deploy(namespace.values("slow", **more))
    assert jobs(namespace)[first] != uid and database.ledger() == {FIRST: 1, SLOW: 1}


def test_helm_killed_then_upgraded_while_it_runs(namespace, database):
    namespace.deploy(namespace.values("1"))
    database.hold()
    started = namespace.helm.start(*namespace.words("--timeout", "3m"), stdin=subprocess.PIPE)
    started.stdin.write(yaml.safe_dump(namespace.values("slow")))
    started.stdin.close()
    pid = running(namespace, database)
    started.send_signal(signal.SIGKILL)
    started.stdout.read()
    started.wait(60)
    namespace.helm.run("rollback", "app", "1", "--namespace", namespace.name)
    assert namespace.deploy(namespace.values("slow"), *SHORT, check=False).returncode != 0
    assert database.is_held() == [pid]
    finish(namespace, database)


def test_rolled_back_by_atomic_and_by_hand(namespace, database):
    namespace.deploy(namespace.values("1", **needs(namespace)))
    database.hold()
    assert namespace.deploy(namespace.values("slow", **needs(namespace)), atomic(namespace), *SHORT, check=False).returncode != 0
    pid = running(namespace, database)
    assert namespace.deploy(namespace.values("slow", **needs(namespace)), atomic(namespace), *SHORT, check=False).returncode != 0
    namespace.helm.run("rollback", "app", "1", "--namespace", namespace.name)
    assert database.is_held() == [pid]
    finish(namespace, database)


def test_a_first_installation_that_is_taken_back(namespace, database):
    """--atomic uninstalls it, and the next one starts at revision 1 again."""
    database.hold()
    values = namespace.values("slow", **needs(namespace))
    assert namespace.deploy(values, atomic(namespace), *SHORT, check=False).returncode != 0
    pid = running(namespace, database)
    assert namespace.deploy(values, atomic(namespace), *SHORT, check=False).returncode != 0
    assert database.is_held() == [pid]
    finish(namespace, database)


def test_a_plain_job_is_not_pruned(namespace, database):
    """By an upgrade to another image, and another, or to the other mode; when it is done, it is."""
    plain = {"job": {"mode": "job"}}
    namespace.deploy(namespace.values("1", **plain), "--wait", "--wait-for-jobs")
    database.hold()
    namespace.deploy(namespace.values("slow", **plain))
    pid = running(namespace, database)
    for tag in ["2", "with-tidelock"]:
        namespace.deploy(namespace.values(tag, **plain))
        assert database.is_held() == [pid]
    assert namespace.deploy(namespace.values("slow"), *SHORT, check=False).returncode != 0
    assert database.is_held() == [pid]
    finish(namespace, database)
    namespace.deploy(namespace.values("1", **plain), "--wait", "--wait-for-jobs")
    assert len([job for job in namespace.get("jobs")["items"] if "helm.sh/hook" not in job["metadata"].get("annotations", {})]) == 1


def test_a_plain_job_rolled_back(namespace, database):
    plain = {"job": {"mode": "job"}}
    for tag in ["1", "2"]:
        namespace.deploy(namespace.values(tag, **plain), "--wait", "--wait-for-jobs")
    namespace.helm.run("rollback", "app", "1", "--namespace", namespace.name, "--wait", "--wait-for-jobs")
    assert len(jobs(namespace)) == 1 and database.ledger() == {FIRST: 1, "20260102000000_mail": 1}


def test_a_job_that_cannot_start_is_replaced(namespace, database):
    """Nothing runs in it, so nothing is lost."""
    assert namespace.deploy(namespace.values("mistyped"), *SHORT, check=False).returncode != 0
    ((name, uid),) = jobs(namespace).items()
    namespace.deploy(namespace.values("1"))
    assert list(jobs(namespace)) == [name] and jobs(namespace)[name] != uid and database.ledger() == {FIRST: 1}


def test_the_job_of_another_release_is_not_replaced(namespace, database):
    values = namespace.values("1", fullnameOverride="shop", tests={"enabled": False})
    namespace.deploy(values, release="one")
    uid = jobs(namespace)["shop"]
    refused = namespace.deploy(values, release="two", check=False)
    assert refused.returncode != 0 and "does not belong to release two" in refused.stderr and "Set fullnameOverride" in refused.stderr
    assert jobs(namespace) == {"shop": uid}


KINDS = ["serviceaccount", "role", "rolebinding", "networkpolicy"]


def made(namespace):
    found = namespace.get(",".join(KINDS))["items"]
    return {item["kind"].lower() for item in found if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == "app"}


def test_from_mode_to_mode_and_back(namespace, database):
    """Installed, changed to the other mode and back, uninstalled, installed in the other: what the Job needs is always there."""
    modes = {mode: namespace.values("1", **needs(namespace), job={"mode": mode}) for mode in ["hook", "job"]}
    for mode in ["hook", "job", "hook", "job"]:
        namespace.deploy(modes[mode], "--wait", "--wait-for-jobs")
        assert made(namespace) == set(KINDS), mode
    namespace.helm.run("uninstall", "app", "--namespace", namespace.name)
    assert made(namespace) == set()
    namespace.deploy(modes["hook"])
    namespace.helm.run("uninstall", "app", "--namespace", namespace.name)
    namespace.deploy(modes["job"], "--wait", "--wait-for-jobs")
    assert made(namespace) == set(KINDS)
    namespace.helm.run("uninstall", "app", "--namespace", namespace.name)
    namespace.deploy(modes["hook"])
    assert made(namespace) == set(KINDS) and database.ledger() == {FIRST: 1}


def test_values_of_an_older_chart(namespace, database, tmp_path):
    """--reuse-values knows nothing of what a newer chart reads."""
    older = tmp_path / "tidelock"
    shutil.copytree(namespace.chart, older)
    values = yaml.safe_load((older / "values.yaml").read_text())
    for section in ["mesh", "rbac", "events", "webhook", "lease", "pushgateway", "automountServiceAccountToken", "extraContainers", "metrics"]:
        del values[section]
    (older / "values.yaml").write_text(yaml.safe_dump(values))
    namespace.deploy(namespace.values("1"), chart=older)
    namespace.helm.run("upgrade", "app", namespace.chart, "--namespace", namespace.name, "--reuse-values", "--set-string", "migrations.image.tag=2")
    assert database.ledger() == {FIRST: 1, "20260102000000_mail": 1}
