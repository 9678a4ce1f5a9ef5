"""Fixtures: a real cluster, a real PostgreSQL that its pods reach, images, a namespace for each test, Helm."""

import contextlib
import json
import pathlib
import subprocess
import sys
import uuid

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ["integration", "chart"]:
    sys.path.insert(0, str(ROOT / "tests" / folder))

import helm as helms  # noqa: E402
import images  # noqa: E402
from cluster import Cluster, Refused  # noqa: E402
from servers import Server, distribution_major, installed  # noqa: E402
from wait import wait_until  # noqa: E402

GUESTBOOK = "CREATE TABLE guest (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text); GRANT SELECT, INSERT ON guest TO app; GRANT SELECT ON _prisma_migrations TO app;"
FOLDERS = {
    "1": {"20260101000000_guestbook": GUESTBOOK},
    "2": {"20260101000000_guestbook": GUESTBOOK, "20260102000000_mail": "ALTER TABLE guest ADD COLUMN mail text;"},
    "broken": {"20260101000000_guestbook": GUESTBOOK, "20260102000000_mail": "ALTER TABLE guest ADD COLUMN mail text; SELECT 1 / 0;"},
    "half": {"20260101000000_guestbook": GUESTBOOK, "20260102000000_half": "BEGIN; CREATE TABLE half (); COMMIT; SELECT 1 / 0;"},
    # Runs for as long as the test wants.
    "slow": {
        "20260101000000_guestbook": GUESTBOOK,
        "20260102000000_slow": "CREATE TABLE slow (); DO $$ BEGIN WHILE EXISTS (SELECT FROM test.hold) LOOP PERFORM pg_sleep(0.1); END LOOP; END $$;",
    },
}


@pytest.fixture(scope="session")
def cluster():
    try:
        cluster = Cluster()
    except Refused as reason:
        pytest.skip(str(reason))
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def loaded(cluster, tmp_path_factory):
    """The cluster, with the images in it."""
    folder = tmp_path_factory.mktemp("images")
    done = subprocess.run(["make", "-C", ROOT, "static"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    binary = ROOT / "build" / "static" / "tidelock"
    cluster.load(images.pause(folder))
    cluster.load(images.tidelock(folder, binary))
    for tag, migrations in FOLDERS.items():
        cluster.load(images.application(folder, tag, migrations))
    cluster.load(images.application(folder, "with-tidelock", FOLDERS["1"], binary))
    cluster.load(images.exporter(folder))
    return cluster


@pytest.fixture(scope="session")
def server(cluster):
    major = distribution_major()
    hba = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all 10.0.0.0/8 scram-sha-256\n"
    server = Server(major, installed()[major], [f"listen_addresses=127.0.0.1,{cluster.outside}"], hba=hba)
    server.query("CREATE ROLE owner LOGIN PASSWORD 'owner-pw'")
    server.query("CREATE ROLE app LOGIN PASSWORD 'app-pw'")
    yield server
    server.remove()


class Database:
    """A database of its own, with its URLs as pods see them."""

    def __init__(self, server, cluster):
        self.server = server
        self.name = f"k{uuid.uuid4().hex[:8]}"
        server.query(f"CREATE DATABASE {self.name} OWNER owner")
        self.address = f"{cluster.outside}:{server.port}/{self.name}"

    def url(self, role):
        return f"postgresql://{role}:{role}-pw@{self.address}"

    def query(self, statement):
        return self.server.query(statement, database=self.name)

    def ledger(self):
        """{migration: how often applied}"""
        rows = self.query("SELECT migration_name, count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL GROUP BY 1")
        return dict(rows)

    def hold(self):
        """The migration of guestbook:slow runs from now on until it is released."""
        self.query("CREATE SCHEMA test; CREATE TABLE test.hold AS SELECT 1; GRANT USAGE ON SCHEMA test TO owner; GRANT SELECT ON test.hold TO owner")

    def release(self):
        self.query("DELETE FROM test.hold")

    def is_held(self):
        """The backends that run it now."""
        return [pid for (pid,) in self.query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'owner' AND wait_event = 'PgSleep'")]


class Namespace:
    """A namespace that enforces Pod Security "restricted", with the Secrets that the examples name."""

    def __init__(self, cluster, helm, database, chart, example):
        self.cluster, self.helm, self.database, self.chart, self.example = cluster, helm, database, chart, example
        self.name = f"n{uuid.uuid4().hex[:8]}"
        self.kubectl("create", "namespace", self.name)
        self.kubectl("label", "namespace", self.name, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/enforce-version=latest")
        wait_until(lambda: self.kubectl("get", "serviceaccount", "default", check=False).returncode == 0, "the namespace's service account")
        for role in ["owner", "app"]:
            self.kubectl("create", "secret", "generic", f"guestbook-{role}", f"--from-literal=url={database.url(role)}", f"--from-literal=password={role}-pw")

    def kubectl(self, *words, **more):
        return self.cluster.kubectl("--namespace", self.name, *words, **more)

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def api_server(self):
        """Where it is, for values of pods that talk to it: without kube-proxy, its Service leads nowhere."""
        address = {"KUBERNETES_SERVICE_HOST": self.cluster.inside, "KUBERNETES_SERVICE_PORT": "6443"}
        return {"extraEnv": [{"name": name, "value": value} for name, value in address.items()]}

    def values(self, tag="1", **more):
        """Of the chart alone: its Job runs guestbook:TAG."""
        standard = {"database": {"existingSecret": "guestbook-owner"}, "migrations": {"image": {"repository": "guestbook", "tag": tag}}}
        return {**standard, **more}

    def example_values(self, tag, replicas=1, **tidelock):
        image = {"command": ["/bin/busybox", "sh", "-c", "trap exit TERM; while :; do /bin/busybox sleep 1; done"]}
        probe = {"tcpSocket": None, "exec": {"command": ["/bin/busybox", "true"]}}
        return {"global": {"tag": tag}, "replicas": replicas, "image": image, "readinessProbe": probe, "tidelock": tidelock}

    def deploy(self, values, *words, release="app", chart=None, **more):
        """helm upgrade --install"""
        return self.helm.run(*self.words(*words, release=release, chart=chart), input=yaml.safe_dump(values), **more)

    def words(self, *words, release="app", chart=None):
        return ["upgrade", "--install", release, chart or self.chart, "--namespace", self.name, "--values", "-", *words]

    def pods(self, component="migrations"):
        return self.get("pods", "-l", f"app.kubernetes.io/component={component}")["items"]

    def job_condition(self, kind):
        for item in self.get("jobs")["items"]:
            for condition in item["status"].get("conditions", []):
                if condition["type"] == kind and condition["status"] == "True":
                    return condition
        return None

    def last_words(self, component="migrations"):
        """The termination messages of its pods' containers, exit code first."""
        found = []
        for pod in self.pods(component):
            status = pod["status"]
            for container in status.get("containerStatuses", []) + status.get("initContainerStatuses", []):
                for state in [container["state"], container.get("lastState", {})]:
                    if "terminated" in state:
                        found.append((state["terminated"]["exitCode"], state["terminated"].get("message", "")))
        return found

    def story(self):
        """For a test that fails."""
        logs = [self.kubectl("logs", pod["metadata"]["name"], "--all-containers", "--tail=20", check=False).stdout for pod in self.get("pods")["items"]]
        return self.kubectl("get", "pods,jobs", "-o", "wide").stdout + self.kubectl("get", "events", "--sort-by=.lastTimestamp").stdout[-4000:] + "\n".join(logs)

    def remove(self):
        self.kubectl("delete", "deployments,jobs,pods", "--all", "--wait=false", "--grace-period=1", check=False)
        self.kubectl("delete", "namespace", self.name, "--wait=false", check=False)


@pytest.fixture
def database(server, cluster):
    return Database(server, cluster)


@pytest.fixture(scope="session")
def helm(request, cluster, tmp_path_factory):
    """The newest; a test that wants another says so by an indirect parameter."""
    programs = helms.installed()
    if not programs:
        pytest.skip("Helm is not built: tests/deps chart")
    return helms.Helm(programs[getattr(request, "param", max(programs))], tmp_path_factory.mktemp("helm"), cluster.kubeconfig)


@pytest.fixture(scope="session")
def example(helm, tmp_path_factory):
    return helm.with_dependencies(helms.EXAMPLE, tmp_path_factory.mktemp("charts"))


@pytest.fixture
def namespace(request, loaded, helm, database, example):
    namespace = Namespace(loaded, helm, database, helms.CHART, example)
    yield namespace
    if getattr(request.node, "failed", False):
        with contextlib.suppress(Exception):
            print(namespace.story())
    namespace.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed
