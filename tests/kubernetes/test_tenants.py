"""Many tenants, shared by the pods of an Indexed Job."""

import collections
import re
import subprocess
import urllib.request

import pytest
from conftest import ROOT
from servers import free_port
from test_release import serving
from wait import wait_until

FIRST, SLOW = "20260101000000_guestbook", "20260102000000_slow"
# By these names as by those of their databases, each of three parts has two at least, and the second has three.
TENANTS = ["acme", "globex", "initech", "umbrella", "stark", "oscorp", "wayne", "cyberdyne", "wonka"]
VICTIM = "1"


class Tenants:
    """A database for each: shop_NAME. The slow migration is held in all of them."""

    def __init__(self, server, cluster, base):
        self.server, self.base = server, base
        self.databases = {}
        for name in TENANTS:
            tenant = type(base)(server, cluster)
            server.query(f"ALTER DATABASE {tenant.name} RENAME TO shop_{name}")
            tenant.address = tenant.address.replace(tenant.name, f"shop_{name}")
            tenant.name = f"shop_{name}"
            tenant.hold()
            self.databases[name] = tenant

    def held(self):
        """{address of a pod: the tenant that it is at}"""
        is_held = "starts_with(datname, 'shop_') AND usename = 'owner' AND state = 'active' AND query LIKE '%test.hold%'"
        return dict(self.server.query(f"SELECT host(client_addr), substr(datname, 6) FROM pg_stat_activity WHERE {is_held} ORDER BY backend_start"))

    def release(self):
        for tenant in self.databases.values():
            tenant.release()

    def applied(self):
        """{tenant: {migration: how often}}"""
        return {name: tenant.ledger() for name, tenant in self.databases.items()}

    def remove(self):
        for tenant in self.databases.values():
            self.server.query(f"DROP DATABASE {tenant.name} WITH (FORCE)")


@pytest.fixture
def tenants(server, cluster, database):
    tenants = Tenants(server, cluster, database)
    yield tenants
    tenants.remove()


def from_secret(namespace, tenants):
    """Each with a URL of its own, and no database besides."""
    lines = [f"{name},/run/secrets/tidelock/tenants/{name}" for name in TENANTS]
    keys = [f"--from-literal={name}={tenant.url('owner')}" for name, tenant in tenants.databases.items()]
    namespace.kubectl("create", "secret", "generic", "shops", "--from-literal=tenants.csv=" + "\n".join(["name,url_file", *lines]), *keys)
    return {"tenants": {"existingSecret": "shops"}, "database": {}}


def from_query(namespace, tenants):
    names = ", ".join(f"('{name}')" for name in TENANTS)
    tenants.base.query(f"CREATE TABLE shops (slug text); GRANT SELECT ON shops TO owner; INSERT INTO shops VALUES {names}")
    return {"tenants": {"query": "SELECT slug AS name, 'shop_' || slug AS database FROM shops"}}


def from_pattern(namespace, tenants):
    return {"tenants": {"databases": "shop_*"}}


def shared(namespace, listed, pods, tag="slow", **more):
    """Values: `listed`, in so many pods."""
    return namespace.values(tag, **{**listed, "tenants": {**listed["tenants"], "pods": pods}, **more})


def parts(namespace):
    """{index: its newest pod}"""
    pods = sorted(namespace.pods(), key=lambda pod: pod["metadata"]["creationTimestamp"])
    return {pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: pod for pod in pods}


def uids(namespace):
    return {index: pod["metadata"]["uid"] for index, pod in parts(namespace).items()}


def deleted(namespace, pod):
    """Without a word to it, and before its process has ended."""
    namespace.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")


def killed(namespace, pod):
    """As by the kernel, when memory runs out."""
    (container,) = pod["status"]["containerStatuses"]
    namespace.cluster.ctr("tasks", "kill", "--signal", "SIGKILL", container["containerID"].removeprefix("containerd://"))


def evicted(namespace, pod):
    words = ["drain", "node", "--delete-emptydir-data", "--force", "--timeout=90s", "--pod-selector"]
    try:
        namespace.cluster.kubectl(*words, f"batch.kubernetes.io/job-completion-index={VICTIM}")
    finally:
        namespace.cluster.kubectl("uncordon", "node")


@pytest.mark.parametrize("listed, end, retries", [(from_secret, killed, 1), (from_query, deleted, 1), (from_pattern, evicted, 0)])
def test_a_pod_that_ends_in_the_middle_is_replaced_and_nothing_is_done_twice(namespace, tenants, listed, end, retries):
    namespace.deploy(shared(namespace, listed(namespace, tenants), 3, job={"mode": "job", "backoffLimit": retries}))
    wait_until(lambda: len(tenants.held()) == 3, "each pod to be at a tenant", 120)
    before = parts(namespace)
    assert set(before) == {"0", "1", "2"}
    # The victim has done one, is at the next, and has not begun the last.
    address = before[VICTIM]["status"]["podIP"]
    done = tenants.held()[address]
    tenants.databases[done].release()
    wait_until(lambda: tenants.held().get(address, done) != done, "it to be at its next tenant")
    at_work = tenants.held()[address]

    end(namespace, before[VICTIM])
    wait_until(lambda: uids(namespace).get(VICTIM) not in [None, before[VICTIM]["metadata"]["uid"]], "another pod with its part", 120)
    address = lambda: parts(namespace)[VICTIM]["status"].get("podIP")  # noqa: E731
    wait_until(lambda: tenants.held().get(address()) == at_work, "it to go on where that stopped", 120)
    tenants.release()
    wait_until(lambda: namespace.job_condition("Complete"), "the Job to be complete", 120)

    (job,) = namespace.get("jobs")["items"]
    assert job["status"]["completedIndexes"] == "0-2" and job["status"].get("failed", 0) == retries
    after = uids(namespace)
    assert all(after[index] == before[index]["metadata"]["uid"] for index in ["0", "2"]), "the others went on"
    assert tenants.applied() == {name: {FIRST: 1, SLOW: 1} for name in TENANTS}
    said = namespace.kubectl("logs", parts(namespace)[VICTIM]["metadata"]["name"]).stdout
    assert re.search(r"part 2 of 3: \d of 9 tenants", said) and re.search(rf"{done}: nothing pending", said), said


UNIQUE = {"1_guest": "CREATE TABLE guest (name text)", "2_unique": "CREATE UNIQUE INDEX guest_name ON guest (name)"}
# Of two parts, acme and globex are the first.
SLUGS = ["acme", "globex", "umbrella", "stark"]


@pytest.fixture
def schemas(namespace, database):
    """Four schemas at the first migration; the data of one does not allow the second. Returns what deploys both of them."""
    database.query("CREATE TABLE shops (slug text); GRANT SELECT ON shops TO owner; INSERT INTO shops VALUES " + ", ".join(f"('{slug}')" for slug in SLUGS))
    database.query("; ".join(f"CREATE SCHEMA {slug} AUTHORIZATION owner" for slug in SLUGS))
    listed = {"tenants": {"query": "SELECT slug AS name, slug AS schema FROM shops"}}

    def values(last=2, **more):
        return shared(namespace, listed, 2, migrations={"files": dict(list(UNIQUE.items())[:last])}, **more)

    namespace.deploy(values(1), "--timeout", "2m")
    database.query("INSERT INTO acme.guest VALUES ('twin'), ('twin')")
    return values


def migrated(database):
    """{schema: {migration: how often applied}}"""
    done = "finished_at IS NOT NULL AND rolled_back_at IS NULL"
    return {slug: dict(database.query(f"SELECT migration_name, count(*) FROM {slug}._prisma_migrations WHERE {done} GROUP BY 1")) for slug in SLUGS}


BOTH = {"1_guest": 1, "2_unique": 1}


def test_a_tenant_that_fails_leaves_the_others_alone(namespace, database, schemas):
    values = schemas(config={"on_failure": "continue"})
    failed = namespace.deploy(values, "--timeout", "2m", check=False)
    assert failed.returncode != 0 and "timed out" not in failed.stderr, failed.stderr
    (job,) = namespace.get("jobs")["items"]
    assert namespace.job_condition("Failed")["reason"] == "FailedIndexes"
    assert (job["status"]["failedIndexes"], job["status"]["completedIndexes"]) == ("0", "1")
    assert len(namespace.pods()) == 2, "what the data does not allow is not tried again"
    ((code, reason),) = [word for word in namespace.last_words() if word[0] != 0]
    assert code == 6 and "1 of 2 tenants failed" in reason and "acme" in reason and "guest_name" in reason
    assert migrated(database) == {slug: {"1_guest": 1} if slug == "acme" else BOTH for slug in SLUGS}

    database.query("DELETE FROM acme.guest")
    namespace.deploy(values, "--timeout", "2m")
    assert migrated(database) == dict.fromkeys(SLUGS, BOTH)
    tested = namespace.helm.run("test", "app", "--namespace", namespace.name, "--logs").stdout
    assert "4 tenants: 4 up to date" in tested


def test_the_first_failure_ends_the_other_pods_too(namespace, tenants):
    """Cleanly: what they are at is rolled back, and what is next is not begun."""
    listed = from_pattern(namespace, tenants)
    namespace.deploy(shared(namespace, listed, 3, "1", job={"mode": "job"}))
    wait_until(lambda: namespace.job_condition("Complete"), "the first migration", 120)
    # Of the same part: stark comes before umbrella.
    tenants.databases["umbrella"].query("CREATE TABLE slow ()")
    namespace.deploy(shared(namespace, listed, 3, config={"drift": "off"}, job={"mode": "job"}))
    wait_until(lambda: len(tenants.held()) == 3, "each pod to be at a tenant", 120)
    assert "stark" in tenants.held().values()
    tenants.databases["stark"].release()
    failed = wait_until(lambda: namespace.job_condition("Failed"), "the Job to have failed", 120)
    assert failed["reason"] == "PodFailurePolicy" and "exit code 6" in failed["message"]
    wait_until(lambda: not tenants.held(), "the other pods to have left the server")
    assert tenants.applied() == {name: {FIRST: 1, SLOW: 1} if name == "stark" else {FIRST: 1} for name in TENANTS}

    tenants.databases["umbrella"].query("DROP TABLE slow")
    tenants.release()
    namespace.kubectl("delete", "jobs", "--all")
    namespace.deploy(shared(namespace, listed, 3, config={"drift": "off"}, job={"mode": "job"}))
    wait_until(lambda: namespace.job_condition("Complete"), "the Job to be complete", 120)
    assert tenants.applied() == dict.fromkeys(TENANTS, {FIRST: 1, SLOW: 1})


def test_the_application_starts_when_all_tenants_are_done(namespace, tenants):
    """Its init container waits for all, whichever pod of the Job takes them."""
    listed = {**from_pattern(namespace, tenants)["tenants"], "pods": 3}
    namespace.deploy(namespace.example_values("slow", job={"mode": "job"}, tenants=listed), release="guestbook", chart=namespace.example)
    wait_until(lambda: len(tenants.held()) == 3, "each pod to be at a tenant", 120)
    last, *others = reversed(TENANTS)
    for name in others:
        tenants.databases[name].release()
    wait_until(lambda: list(tenants.held().values()) == [last], "one tenant to be left", 120)
    (pod,) = namespace.pods("web")
    said = lambda: namespace.kubectl("logs", pod["metadata"]["name"], "-c", "tidelock-wait").stdout  # noqa: E731
    wait_until(lambda: all(f"{name}: " in said() for name in others), "the application to know of the others")
    assert f"{last}: complete" not in said() and not serving(namespace)
    tenants.release()
    wait_until(lambda: serving(namespace) == {"guestbook:slow": 1}, "the application", 120)


def test_each_pod_says_how_far_its_part_is(namespace, tenants, cluster, pushgateway):
    """To Prometheus while it runs, and to a Pushgateway, which keeps what each has said."""
    services = {"metrics": {"sidecar": {"enabled": True}}, "pushgateway": {"url": pushgateway}}
    namespace.deploy(shared(namespace, from_secret(namespace, tenants), 3, job={"mode": "job"}, **services))
    wait_until(lambda: len(tenants.held()) == 3, "each pod to be at a tenant", 120)
    urls = [f"http://{address}:9100/metrics" for address in tenants.held()]
    wait_until(lambda: sum((counts(url) for url in urls), collections.Counter()) == {"running": 3, "waiting": 6}, "the metrics of all three")

    tenants.release()
    wait_until(lambda: namespace.job_condition("Complete"), "the Job to be complete", 120)
    shown = read(pushgateway + "/metrics")
    assert set(re.findall(r'^push_time_seconds{.*part="(\d)".*}', shown, re.M)) == {"0", "1", "2"}
    assert counts(pushgateway + "/metrics") == {"done": 9}
    tested = namespace.helm.run("test", "app", "--namespace", namespace.name, "--logs").stdout
    assert "9 tenants: 9 up to date" in tested


def read(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def counts(url):
    """{state: how many tenants}"""
    found = collections.Counter()
    for state, number in re.findall(r'^tidelock_tenants{.*state="(\w+)".*} (\d+)$', read(url), re.M):
        found[state] += int(number)
    return +found


@pytest.fixture
def pushgateway(cluster, tmp_path):
    program = ROOT / "build" / "pushgateway" / "usr" / "bin" / "prometheus-pushgateway"
    if not program.exists():
        pytest.skip("the Pushgateway is not there: tests/deps kubernetes")
    address = f"{cluster.outside}:{free_port()}"
    process = subprocess.Popen([program, f"--web.listen-address={address}"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: read(f"http://{address}/metrics"), "the Pushgateway")
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()
