"""The Lease and Events on a real API server, beside a real contender of client-go's."""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
import uuid

import pytest
from folder import Folder
from tool import Tool
from wait import wait_until

LEASE = "shop-db"
# Runs for as long as test.hold has a row.
HELD = "CREATE TABLE held (); DO $$ BEGIN WHILE EXISTS (SELECT FROM test.hold) LOOP PERFORM pg_sleep(0.1); END LOOP; END $$;"
RULES = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: leader}}
rules:
  - {{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}}
  - {{apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [{LEASE}], verbs: [get, update]}}
  - {{apiGroups: [""], resources: [events], verbs: [create]}}
"""


class Pod:
    """A namespace with a service account, as its pod would see it from the machine that the tests run on."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.name = f"n{uuid.uuid4().hex[:8]}"
        cluster.kubectl("create", "namespace", self.name)
        self.kubectl("create", "serviceaccount", "leader")
        self.kubectl("apply", "-f", "-", input=RULES)
        self.kubectl("create", "rolebinding", "leader", "--role=leader", f"--serviceaccount={self.name}:leader")
        folder.mkdir()
        self.write_token()
        (folder / "namespace").write_text(self.name)
        (folder / "ca.crt").write_bytes((cluster.home / "pki" / "ca.crt").read_bytes())
        self.environment = {
            "KUBERNETES_SERVICE_HOST": cluster.inside,
            "KUBERNETES_SERVICE_PORT": "6443",
            "TIDELOCK_SERVICE_ACCOUNT": str(folder),
            "TIDELOCK_LEASE": LEASE,
            "TIDELOCK_LEASE_DURATION": "6s",
        }

    def write_token(self):
        (self.folder / "token").write_text(self.kubectl("create", "token", "leader", "--duration=10m").stdout)

    def kubectl(self, *words, **more):
        return self.cluster.kubectl("--namespace", self.name, *words, **more)

    def spec(self):
        done = self.kubectl("get", "lease", LEASE, "-o", "json", check=False)
        return json.loads(done.stdout)["spec"] if done.returncode == 0 else {}

    def holder(self):
        return self.spec().get("holderIdentity", "")


@pytest.fixture
def pod(cluster, tmp_path):
    pod = Pod(cluster, tmp_path / "serviceaccount")
    yield pod
    cluster.kubectl("delete", "namespace", pod.name, "--wait=false", check=False)


@pytest.fixture
def tidelock(binary, pod, database, tmp_path):
    """Runs it on the folder with the pod's rights, as the database's owner."""
    folder = Folder(tmp_path / "app")
    tool = Tool(binary, None, folder)
    database.query("CREATE SCHEMA test; CREATE TABLE test.hold (); GRANT USAGE ON SCHEMA test TO owner; GRANT SELECT ON test.hold TO owner")
    url = f"postgresql://owner:owner-pw@127.0.0.1:{database.server.port}/{database.name}"

    def start(*words, name="shop"):
        return tool.start("deploy", *words, url=url, environment={**pod.environment, "POD_NAME": name})

    start.folder = folder
    yield start
    tool.clean_up()


@pytest.fixture
def contender(cluster, pod, tmp_path):
    """Starts kube-scheduler, which elects its leader by the same Lease; its log says when it leads."""
    started = []

    def start():
        log = tmp_path / f"scheduler{len(started)}.log"
        words = [cluster.program, "scheduler", f"--kubeconfig={cluster.home}/admin.kubeconfig", "--leader-elect=true", f"--leader-elect-resource-name={LEASE}"]
        words += [f"--leader-elect-resource-namespace={pod.name}", "--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s"]
        words += ["--secure-port=0", "--v=2"]
        with log.open("wb") as out:
            process = subprocess.Popen([*map(str, words)], stdout=out, stderr=out)
        process.leads = lambda: "Successfully acquired lease" in log.read_text(errors="replace")
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


class Watch:
    """Every holder that the Lease has had, in their order: a watch on the API server."""

    def __init__(self, pod):
        self.holders = []
        words = [pod.cluster.program, "kubectl", "--kubeconfig", pod.cluster.kubeconfig, "-n", pod.name, "get", "leases", "--watch", "-o", 'jsonpath={.spec.holderIdentity}{"\\n"}']
        self.process = subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            if not self.holders or self.holders[-1] != line.strip():
                self.holders.append(line.strip())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(10)


@pytest.fixture
def watch(pod):
    watch = Watch(pod)
    yield watch
    watch.close()


def held(database):
    return database.query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'owner' AND wait_event = 'PgSleep'")


def hold(database, tidelock):
    """The next migration runs from now on until test.hold is empty."""
    database.query("INSERT INTO test.hold DEFAULT VALUES")
    tidelock.folder.add("002_held", HELD)


def prepare(database, tidelock):
    """The first migration, and a ledger: the database is not empty."""
    tidelock.folder.add("001_first", "SELECT 1")
    database.query("CREATE TABLE public._prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0); ALTER TABLE public._prisma_migrations OWNER TO owner")


def test_it_is_taken_renewed_and_given_back(pod, tidelock, database):
    prepare(database, tidelock)
    hold(database, tidelock)
    running = tidelock(name="shop-7")
    wait_until(lambda: held(database), "the migration to run")
    first = pod.spec()
    assert re.fullmatch(r"shop-7_[0-9a-f-]{36}", first["holderIdentity"]) and first["leaseDurationSeconds"] == 6
    wait_until(lambda: pod.spec()["renewTime"] != first["renewTime"], "a renewal")
    database.query("DELETE FROM test.hold")
    running.wait().succeeds(applied=["001_first", "002_held"])
    last = pod.spec()
    assert (last.get("holderIdentity", ""), last["leaseDurationSeconds"], last["leaseTransitions"]) == ("", 1, 0)
    assert last["acquireTime"] == last["renewTime"]


def test_a_scheduler_and_a_deployment_take_turns(pod, tidelock, database, contender, watch):
    """Takeover both ways, by release and by death, and never two at once."""
    prepare(database, tidelock)
    scheduler = contender()
    wait_until(scheduler.leads, "the scheduler to lead", 60)
    hold(database, tidelock)
    running = tidelock(name="shop")
    running.wait_for_line("waiting for the leader", "held by")
    scheduler.terminate()
    scheduler.wait(30)
    wait_until(lambda: held(database), "the migration to run", 60)
    assert pod.holder().startswith("shop_")
    # It waits for us, gets it when we are done …
    second = contender()
    database.query("DELETE FROM test.hold")
    running.wait().succeeds(applied=["001_first", "002_held"])
    wait_until(second.leads, "the second scheduler to lead", 60)
    assert not pod.holder().startswith("shop_")
    # … dies without giving it back …
    second.kill()
    database.query("INSERT INTO test.hold DEFAULT VALUES")
    tidelock.folder.add("003_held", HELD.replace("held ()", "held_again ()"))
    dying = tidelock(name="dying")
    wait_until(lambda: held(database), "the next migration to run", 60)
    # … and so do we.
    third = contender()
    dying.kill()
    wait_until(third.leads, "the third scheduler to lead", 60)
    database.query("DELETE FROM test.hold")
    names = ["shop" if holder.startswith("shop_") else "dying" if holder.startswith("dying_") else "scheduler" if holder else "" for holder in watch.holders]
    assert names[:1] in (["scheduler"], [""])
    assert [name for name in names if name] == ["scheduler", "shop", "scheduler", "dying", "scheduler"]


def test_a_frozen_leader_is_no_second_writer(pod, tidelock, database, contender):
    prepare(database, tidelock)
    hold(database, tidelock)
    frozen = tidelock(name="frozen")
    wait_until(lambda: held(database), "the migration to run")
    frozen.signal(signal.SIGSTOP)
    scheduler = contender()
    wait_until(scheduler.leads, "the scheduler to lead", 60)
    database.query("DELETE FROM test.hold")
    frozen.signal(signal.SIGCONT)
    frozen.wait().fails(exit=4, says=["the Lease", "was lost"])
    assert database.query("SELECT to_regclass('public.held')") == [(None,)]


def test_a_deleted_lease_is_lost(pod, tidelock, database):
    prepare(database, tidelock)
    hold(database, tidelock)
    running = tidelock()
    wait_until(lambda: held(database), "the migration to run")
    pod.kubectl("delete", "lease", LEASE)
    running.wait().fails(exit=4, says=["it was deleted", "Nothing of 002_held"])
    assert database.query("SELECT to_regclass('public.held')") == [(None,)]
    assert pod.spec() == {}
    database.query("DELETE FROM test.hold")
    tidelock().wait().succeeds(applied=["002_held"])


def test_an_api_server_that_hangs_ends_the_lease_and_nothing_else(pod, tidelock, database, cluster):
    prepare(database, tidelock)
    hold(database, tidelock)
    running = tidelock()
    wait_until(lambda: held(database), "the migration to run")
    cluster.inside_run("pkill", "-STOP", "-f", "cluster-[0-9a-f]* apiserver")
    try:
        since = time.monotonic()
        running.wait().fails(exit=4, says="could not be renewed in time")
        assert time.monotonic() - since < 60
        database.query("DELETE FROM test.hold")
        # There is something to write, and nobody to ask for the Lease.
        tidelock("--leader-timeout", "3s").wait().fails(exit=4, says="could not become the leader")
    finally:
        cluster.inside_run("pkill", "-CONT", "-f", "cluster-[0-9a-f]* apiserver")
    tidelock().wait().succeeds(applied=["002_held"])


def test_a_token_that_is_no_good_any_more(pod, tidelock, database):
    prepare(database, tidelock)
    hold(database, tidelock)
    running = tidelock()
    wait_until(lambda: held(database), "the migration to run")
    # A new one in its place is taken up …
    pod.write_token()
    first = pod.spec()["renewTime"]
    wait_until(lambda: pod.spec()["renewTime"] != first, "a renewal")
    # … and without one there is no Lease.
    (pod.folder / "token").write_text("not.a.token")
    pod.kubectl("delete", "serviceaccount", "leader")
    running.wait().fails(exit=4, says="was lost")
    assert database.query("SELECT to_regclass('public.held')") == [(None,)]


def test_rights_that_are_missing_are_named(pod, tidelock, database):
    prepare(database, tidelock)
    pod.kubectl("delete", "rolebinding", "leader")
    tidelock().wait().fails(exit=2, says=["is forbidden", "Role with create on leases"])
    assert database.ledger() == {}


def test_the_chart_s_job_holds_its_lease_and_tells_its_story(namespace, database):
    """From a pod: the chart's Role, the projected token, what kubectl describe shows."""
    values = namespace.values(**namespace.api_server(), serviceAccount={"create": True}, lease={"enabled": True}, events={"enabled": True}, job={"mode": "job"})
    namespace.deploy(values, "--wait")
    wait_until(lambda: namespace.job_condition("Complete"), "the Job", 120)
    (lease,) = namespace.get("leases")["items"]
    assert lease["spec"].get("holderIdentity", "") == "" and lease["spec"]["leaseDurationSeconds"] == 1
    (job,) = namespace.get("jobs")["items"]
    shown = namespace.kubectl("describe", "job", job["metadata"]["name"]).stdout
    assert "MigrationsApplied" in shown and "tidelock: applied 1 migration" in shown
    assert database.ledger() == {"20260101000000_guestbook": 1}
