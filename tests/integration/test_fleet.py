"""Many replicas at once on a small server: each migration is applied once, all pass, and the server's slots suffice."""

import contextlib
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest
from canary import Canary
from servers import Server, distribution_major
from wait import wait_until

REPLICAS = int(os.environ.get("REPLICAS", "50"))
MIGRATIONS = 20
OURS = "application_name LIKE 'tidelock%%' AND backend_type = 'client backend'"


class Fleet:
    def __init__(self, server, folder, binary):
        self.server = server
        self.folder = folder
        self.binary = binary
        self.processes = []
        self.peak = 0
        self.is_over = False
        self.sampler = threading.Thread(target=self._sample)

    def start_one(self):
        # As many files as there are replicas would be too many pipes to read from.
        log = (self.folder.root / f"log-{len(self.processes)}").open("wb")
        environment = {"DATABASE_URL": self.server.url("app", user="app"), "PATH": os.environ["PATH"], "POD_NAME": f"pod-{len(self.processes)}"}
        self.processes.append(subprocess.Popen([self.binary, "deploy"], cwd=self.folder.root, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        return self.processes[-1]

    def start(self, count):
        self.sampler.start()
        for _ in range(count):
            self.start_one()

    def _sample(self):
        """How many connections all of us together hold, every 20 ms."""
        while not self.is_over:
            (count,) = self.server.query(f"SELECT count(*) FROM pg_stat_activity WHERE {OURS}")[0]
            self.peak = max(self.peak, count)

    def finish(self):
        codes = [process.wait(timeout=300) for process in self.processes]
        self.stop()
        return codes

    def stop(self):
        self.is_over = True
        if self.sampler.ident:
            self.sampler.join()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def log(self, number):
        return (self.folder.root / f"log-{number}").read_text()

    def leader(self):
        """The process that leads now, as its application_name tells."""
        rows = self.server.query(
            "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.objid = 72707369 AND l.granted"
        )
        return self.processes[int(rows[0][0].split("pod-")[1])] if rows else None

    def assert_applied_once(self):
        rows = self.server.query("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1", database="app")
        assert [name for (name,) in rows] == sorted(path.name for path in self.folder.path.iterdir())
        assert self.server.query("SELECT count(*), count(DISTINCT number) FROM applied", database="app") == [(MIGRATIONS, MIGRATIONS)]


@pytest.fixture
def small(servers):
    server = Server(distribution_major(), servers.binaries[distribution_major()], settings=["max_connections=30"])
    server.query("CREATE ROLE app LOGIN")
    server.query("CREATE DATABASE app OWNER app")
    yield server
    server.remove()


@pytest.fixture
def fleet(small, folder, binary):
    folder.add("000_ledger_of_its_own", "CREATE TABLE applied (number int)")
    for number in range(1, MIGRATIONS + 1):
        folder.add(f"{number:03}_step", f"INSERT INTO applied VALUES ({number}); SELECT pg_sleep(0.05)")
    fleet = Fleet(small, folder, binary)
    yield fleet
    fleet.stop()


def applied(fleet):
    try:
        return fleet.server.query("SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL", database="app")[0][0]
    except Exception:
        return 0


def test_all_pass_and_each_migration_is_applied_once(fleet):
    fleet.start(REPLICAS)
    assert set(fleet.finish()) == {0}
    fleet.assert_applied_once()
    # 27 slots are the role's; one of them is the leader's, the others look and go away.
    assert fleet.peak <= 27


def test_a_role_with_a_limit_never_takes_what_is_the_applications(fleet):
    """What `tidelock budget` recommends to operators: the server keeps all replicas together to four connections."""
    server = fleet.server
    server.query("CREATE ROLE other LOGIN; ALTER ROLE app CONNECTION LIMIT 4")
    fleet.folder.add("999_heard", Canary.UNTIL_HEARD)
    with contextlib.ExitStack() as stack:
        # The superuser's two (the sampler's, the canary's) count too; four slots more are for what is just ending or being refused.
        for _ in range(27 - 4 - 2 - 1 - 4):
            stack.enter_context(psycopg.connect(server.url("app", user="other")))
        canary = Canary(server, "other")
        try:
            fleet.start(REPLICAS)
            assert set(fleet.finish()) == {0}
        finally:
            canary.stop()
    assert canary.opened > 20 and not canary.refused
    assert 1 <= fleet.peak <= 4
    fleet.assert_applied_once()


def test_the_leader_is_killed(fleet):
    fleet.start(12)
    wait_until(lambda: applied(fleet) >= 5, "some migrations to be applied")
    leader = wait_until(fleet.leader, "a leader")
    leader.kill()
    codes = fleet.finish()
    assert sorted(codes) == [-signal.SIGKILL] + [0] * 11
    fleet.assert_applied_once()


def test_the_server_is_restarted(fleet):
    fleet.start(8)
    wait_until(lambda: applied(fleet) >= 5, "some migrations to be applied")
    fleet.is_over = True
    fleet.sampler.join()
    fleet.server.stop("immediate")
    fleet.server.start()
    assert set(fleet.finish()) == {0}
    fleet.assert_applied_once()


def test_the_leader_is_told_to_stop(fleet):
    fleet.start(8)
    wait_until(lambda: applied(fleet) >= 5, "some migrations to be applied")
    leader = wait_until(fleet.leader, "a leader")
    leader.terminate()
    codes = fleet.finish()
    assert sorted(codes) == [0] * 7 + [128 + signal.SIGTERM]
    fleet.assert_applied_once()


def test_a_frozen_leader_loses_the_lead_and_does_no_harm_when_it_wakes(fleet):
    """It holds the lock as long as the server keeps its session: at most a minute."""
    fleet.start(4)
    wait_until(lambda: applied(fleet) >= 5, "some migrations to be applied")
    frozen = wait_until(fleet.leader, "a leader")
    frozen.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    try:
        others = [process for process in fleet.processes if process is not frozen]
        assert [process.wait(timeout=150) for process in others] == [0, 0, 0]
        assert time.monotonic() - started < 120
        fleet.assert_applied_once()
    finally:
        frozen.send_signal(signal.SIGCONT)
    codes = fleet.finish()
    assert set(codes) == {0}, fleet.log(codes.index(max(codes)))
    fleet.assert_applied_once()
