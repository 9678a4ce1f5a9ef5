"""The Job itself: what ends it, what it survives, what it needs."""

import concurrent.futures
import re
import shlex
import urllib.request

import helm as helms
import pytest
from certificates import Authority
from servers import Server, distribution_major, installed
from wait import wait_until

FIRST = "20260101000000_guestbook"


def finished(namespace, kind="Complete", seconds=120):
    return wait_until(lambda: namespace.job_condition(kind), f"the Job to be {kind}", seconds)


def test_exit_7_ends_the_job_at_once(namespace, database):
    """Half-applied: no second pod may try."""
    namespace.deploy(namespace.values("half"), "--timeout", "2m", check=False)
    failed = finished(namespace, "Failed")
    assert failed["reason"] == "PodFailurePolicy" and "exit code 7" in failed["message"]
    assert len(namespace.pods()) == 1
    ((code, reason),) = [word for word in namespace.last_words() if word[0] != 0]
    assert code == 7 and "20260102000000_half" in reason
    assert database.query("SELECT to_regclass('half') IS NOT NULL") == [(True,)]


def test_exit_3_is_tried_again(namespace, server):
    """A database that can't be reached: pod after pod, as many as backoffLimit allows."""
    values = namespace.values(config={"connect_deadline": "0"}, job={"backoffLimit": 1})
    namespace.kubectl("create", "secret", "generic", "nowhere", "--from-literal=url=postgresql://owner:x@127.0.0.1:1/nowhere")
    values["database"] = {"existingSecret": "nowhere"}
    namespace.deploy(values, "--timeout", "2m", check=False)
    assert finished(namespace, "Failed")["reason"] == "BackoffLimitExceeded"
    assert [code for code, _ in namespace.last_words() if code != 0] == [3, 3]


def test_a_hook_without_its_secret_fails_at_once(namespace):
    values = namespace.values()
    values["database"] = {"existingSecret": "forgotten"}
    failed = namespace.deploy(values, "--timeout", "2m", check=False)
    assert failed.returncode != 0 and "timed out" not in failed.stderr
    assert finished(namespace, "Failed")["reason"] == "PodFailurePolicy"
    ((code, reason),) = [word for word in namespace.last_words() if word[0] != 0]
    assert code == 2 and "DATABASE_URL_FILE" in reason and "Secret" in reason


def test_its_pod_deleted_while_it_migrates(namespace, database):
    """Kubernetes starts a second migrator, even beside the first."""
    namespace.deploy(namespace.values("1"), "--wait")
    database.hold()
    namespace.deploy(namespace.values("slow", job={"mode": "job"}))
    (first,) = wait_until(database.is_held, "the migration to run", 60)
    pod = next(pod["metadata"]["name"] for pod in namespace.pods() if pod["status"]["phase"] == "Running")
    namespace.kubectl("delete", "pod", pod, "--wait=false")
    (second,) = wait_until(lambda: [pid for pid in database.is_held() if pid != first], "the second migrator", 90)
    assert database.is_held() == [second]
    database.release()
    finished(namespace)
    assert database.ledger() == {FIRST: 1, "20260102000000_slow": 1}


def test_two_jobs_at_once(namespace, database):
    """Two releases for one database: one leads, the other finds it done."""
    namespace.deploy(namespace.values("1"), "--wait")
    database.hold()
    values = namespace.values("slow", job={"mode": "job"})
    namespace.deploy(values, release="one")
    namespace.deploy(values, release="two")
    wait_until(database.is_held, "the migration to run", 60)
    waiting = lambda: "waiting for the leader" in "".join(namespace.kubectl("logs", pod["metadata"]["name"], check=False).stdout for pod in namespace.pods())  # noqa: E731
    wait_until(waiting, "the other one to wait", 60)
    database.release()
    wait_until(lambda: sum(item["status"].get("succeeded", 0) for item in namespace.get("jobs")["items"]) == 3, "both to finish", 90)
    assert database.ledger() == {FIRST: 1, "20260102000000_slow": 1}


def test_a_node_drained_while_it_migrates(namespace, database, cluster):
    """An eviction does not count as a failure: the Job goes on elsewhere, here on the same node when it is back."""
    namespace.deploy(namespace.values("1"), "--wait")
    database.hold()
    namespace.deploy(namespace.values("slow", job={"mode": "job", "backoffLimit": 0}))
    (first,) = wait_until(database.is_held, "the migration to run", 60)
    try:
        cluster.kubectl("drain", "node", "--delete-emptydir-data", "--ignore-daemonsets", "--force", "--pod-selector", "app.kubernetes.io/component=migrations", "--timeout=90s")
        wait_until(lambda: first not in database.is_held(), "the evicted migrator to be gone from the server")
    finally:
        cluster.kubectl("uncordon", "node")
    wait_until(database.is_held, "the next migrator", 90)
    database.release()
    finished(namespace)
    assert database.ledger() == {FIRST: 1, "20260102000000_slow": 1}


def test_scripts_in_the_values(namespace, database):
    """A ConfigMap as kubelet mounts it."""
    values = namespace.values()
    values["migrations"] = {"files": {"1_a": "CREATE TABLE a (); GRANT SELECT ON _prisma_migrations TO app;", "2_b": "CREATE TABLE b ();"}}
    notes = namespace.deploy(values, "--wait").stdout
    assert f"kubectl logs --namespace {namespace.name}" in notes and "helm test app" in notes
    assert database.ledger() == {"1_a": 1, "2_b": 1}


def test_scripts_in_a_volume(namespace, database):
    """Whatever fills it: here an init container."""
    copies = {"name": "fill", "image": "guestbook:1", "command": ["/bin/busybox", "cp", "-r", "/app/prisma/migrations", "/run/scripts/shop"]}
    copies |= {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}, "volumeMounts": [{"name": "tidelock-migrations", "mountPath": "/run/scripts"}]}
    values = namespace.values(initContainers=[copies])
    values["migrations"] = {"volume": {"emptyDir": {}}, "path": "shop"}
    namespace.deploy(values, "--wait")
    assert database.ledger() == {FIRST: 1}


def test_certificates_instead_of_a_password(namespace, tmp_path, cluster):
    """libpq takes the client's key as Kubernetes mounts it for a user that is not root, and checks the server against the Secret's CA."""
    authority = Authority(tmp_path)
    authority.issue("server", "db", f"subjectAltName=IP:{cluster.outside}")
    authority.issue("client", "owner", "keyUsage=digitalSignature")
    major = distribution_major()
    hba = "local all all trust\nhost all all 127.0.0.1/32 trust\nhostssl all owner 10.0.0.0/8 cert\n"
    server = Server(major, installed()[major], [f"listen_addresses=127.0.0.1,{cluster.outside}"], hba=hba)
    try:
        authority.install(server, "server")
        server.query("CREATE ROLE owner LOGIN")
        server.query("CREATE ROLE app")
        server.query("CREATE DATABASE tide OWNER owner")
        namespace.kubectl("create", "secret", "tls", "client", f"--cert={tmp_path / 'client.crt'}", f"--key={tmp_path / 'client.key'}")
        namespace.kubectl("create", "configmap", "ca", f"--from-file=ca.crt={tmp_path / 'ca.crt'}")
        values = namespace.values()
        certificates = {"sslmode": "verify-full", "sslRootCert": {"existingConfigMap": "ca"}, "clientCert": {"existingSecret": "client"}}
        values["database"] = {"host": cluster.outside, "port": server.port, "name": "tide", "user": "owner", **certificates}
        namespace.deploy(values, "--wait")
        assert server.query("SELECT migration_name FROM _prisma_migrations", database="tide") == [(FIRST,)]
    finally:
        server.remove()


def test_an_image_with_tidelock_in_it(namespace, database):
    values = namespace.values()
    values |= {"image": {"repository": "guestbook", "tag": "with-tidelock"}, "migrations": {}}
    namespace.deploy(values, "--wait")
    assert database.ledger() == {FIRST: 1}


def test_the_database_in_parts(namespace, database, server, cluster):
    values = namespace.values()
    values["database"] = {"host": cluster.outside, "port": server.port, "name": database.name, "user": "owner", "schema": "tide", "existingSecret": "guestbook-owner"}
    values["migrations"] = {"files": {"1_a": "CREATE TABLE a ();"}}
    namespace.deploy(values, "--wait")
    assert database.query("SELECT migration_name FROM tide._prisma_migrations") == [("1_a",)]


def test_two_databases(namespace, database, server):
    server.query(f"CREATE DATABASE {database.name}_2 OWNER owner")
    namespace.kubectl("create", "secret", "generic", "second", f"--from-literal=url={database.url('owner')}_2")
    namespace.deploy(namespace.values(databases={"one": {}, "two": {"database": {"existingSecret": "second"}}}), "--wait")
    assert database.ledger() == {FIRST: 1}
    assert server.query("SELECT count(*) FROM _prisma_migrations", database=f"{database.name}_2") == [(1,)]


def test_its_metrics_while_it_runs(namespace, database):
    """A sidecar that a Job's end does not wait for."""
    namespace.deploy(namespace.values("1"), "--wait")
    database.hold()
    namespace.deploy(namespace.values("slow", job={"mode": "job"}, metrics={"sidecar": {"enabled": True}}))
    wait_until(database.is_held, "the migration to run", 60)
    pod = next(pod for pod in namespace.pods() if pod["status"]["phase"] == "Running")

    def scrape():
        try:
            with urllib.request.urlopen(f"http://{pod['status']['podIP']}:9100/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    wait_until(lambda: re.search(r'tidelock_phase{.*phase="applying".*} 1', scrape()), "the metrics", 60)
    database.release()
    finished(namespace)


def test_wait_says_which_grant_it_lacks(namespace, database):
    database.query("CREATE SCHEMA tide AUTHORIZATION owner; REVOKE ALL ON SCHEMA tide FROM PUBLIC")
    example = namespace.example_values("1")
    failed = namespace.deploy(example, "--wait", "--timeout", "1m", release="guestbook", chart=namespace.example, check=False)
    assert failed.returncode == 0, failed.stderr
    database.query("REVOKE SELECT ON _prisma_migrations FROM app")
    namespace.kubectl("rollout", "restart", "deployment/guestbook")
    message = wait_until(lambda: [text for code, text in namespace.last_words("web") if code not in (0, 143)], "wait to fail", 60)[0]
    assert "GRANT SELECT ON" in message and "_prisma_migrations" in message and "app" in message


def test_pod_security_refuses_what_is_not_restricted(namespace):
    """The other tests' pods are admitted by a namespace that does refuse."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: bad, image: 'guestbook:1'}]}\n"
    refused = namespace.kubectl("apply", "-f", "-", input=pod, check=False)
    assert refused.returncode != 0 and "violates PodSecurity" in refused.stderr


@pytest.mark.parametrize("tag, end", [("slow", "Complete"), ("broken", "Failed")])
def test_the_readmes_command_waits_for_either_end(namespace, database, tag, end):
    (command,) = re.findall(r"`(kubectl wait .*?) job/NAME`", (helms.CHART / "README.md").read_text())
    database.hold()
    namespace.deploy(namespace.values(tag, job={"mode": "job"}))
    (job,) = namespace.get("jobs")["items"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waits = pool.submit(namespace.kubectl, *shlex.split(command)[1:], f"job/{job['metadata']['name']}", check=False)
        if tag == "slow":
            wait_until(database.is_held, "the migration to run", 60)
            assert not waits.done()
            database.release()
        assert waits.result().returncode == 0, waits.result().stderr
    assert namespace.job_condition(end)


MISSING = {
    "CA": ({"database": {"existingSecret": "guestbook-owner", "sslRootCert": {"existingConfigMap": "forgotten"}}}, "CA file"),
    "client certificate": ({"database": {"existingSecret": "guestbook-owner", "clientCert": {"existingSecret": "forgotten"}}}, "client's certificate"),
    "scripts": ({"migrations": {"configMap": {"name": "forgotten", "items": [{"key": "a", "path": "1_a/migration.sql"}]}}}, "1_a/migration.sql"),
    "script": (
        {"migrations": {"configMap": {"name": "half", "items": [{"key": "a", "path": "1_a/migration.sql"}, {"key": "b", "path": "2_b/migration.sql"}]}}},
        "2_b/migration.sql",
    ),
}


@pytest.mark.parametrize("what", MISSING)
def test_a_hook_without_what_it_mounts_fails_at_once(namespace, what):
    """And says what is missing."""
    namespace.kubectl("create", "configmap", "half", "--from-literal=a=SELECT 1")
    values, says = MISSING[what]
    failed = namespace.deploy(namespace.values(**values), "--timeout", "2m", check=False)
    assert failed.returncode != 0 and "timed out" not in failed.stderr
    assert finished(namespace, "Failed")["reason"] == "PodFailurePolicy"
    ((code, reason),) = [word for word in namespace.last_words() if word[0] != 0]
    assert code in (2, 8) and says in reason
