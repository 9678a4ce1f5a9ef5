"""Many databases, or schemas, in one run: each exactly once, whatever happens to one of them, to its server or to the process."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid

import psycopg
import pytest
from servers import Database, Server
from wait import wait_until
from world import World

STEPS = 3
DONE = re.compile(r"(?m)^tidelock: (\S+): applied 4 migrations \(")


class Tenants:
    """Databases of their own, and the list of them."""

    def __init__(self, folder):
        self.folder = folder
        self.databases = {}
        self.rows = []

    def add(self, server, count=1, port=None):
        added = []
        for _ in range(count):
            name = f"t{len(self.rows):03}"
            database = Database(server, f"tenant_{name}_{uuid.uuid4().hex[:8]}")
            self.databases[name] = database
            self.rows.append((name, database.url(port=port, sslmode="disable")))
            added.append(name)
        return added

    def __getitem__(self, name):
        return self.databases[name]

    def file(self):
        """One for each list: a process may be reading the one before."""
        path = self.folder.root / f"tenants-{len(self.rows)}.csv"
        if not path.exists():
            path.write_text("name,url\n" + "".join(f"{name},{url}\n" for name, url in self.rows))
        return path

    def assert_complete(self, *names):
        """Every step was applied once, and the ledger says so."""
        expected = sorted(path.name for path in self.folder.path.iterdir())
        for name in names or self.databases:
            database = self.databases[name]
            with database.one_connection():
                assert database.applied() == expected, name
                assert database.query("SELECT number FROM steps ORDER BY 1") == [(number,) for number in range(1, STEPS + 1)], name

    def assert_untouched(self, *names):
        for name in names:
            assert not self.databases[name].holds("_prisma_migrations"), name

    def drop(self):
        for database in self.databases.values():
            with contextlib.suppress(psycopg.OperationalError):
                database.drop()


@pytest.fixture
def tenants(folder):
    folder.add("000_steps", "CREATE TABLE steps (number int)")
    for number in range(1, STEPS + 1):
        folder.add(f"{number:03}_step", f"INSERT INTO steps VALUES ({number})")
    tenants = Tenants(folder)
    yield tenants
    tenants.drop()


@pytest.fixture
def one(server):
    """A server for this test alone."""

    with contextlib.ExitStack() as stack:

        def start(*settings):
            one = Server(server.major, server.binaries, settings=settings)
            stack.callback(one.remove)
            return one

        yield start


def failing(tenants, *names):
    """The last migration fails in these alone."""
    tenants.folder.add("900_check", "SELECT 1 / CASE current_setting('tide.odd', true) WHEN 'yes' THEN 0 ELSE 1 END")
    for name in names:
        tenants[name].query(f"ALTER DATABASE {tenants[name].name} SET tide.odd = 'yes'")


def mend(tenants, name):
    tenants[name].query(f"ALTER DATABASE {tenants[name].name} RESET tide.odd")


def slow(tenants, seconds=0.2):
    tenants.folder.replace("001_step", f"INSERT INTO steps VALUES (1); SELECT pg_sleep({seconds})")


def states(result):
    """{tenant: state} of the table that was printed."""
    return dict(re.findall(r"(?m)^(t\d{3})\s+(not begun|failed|interrupted|elsewhere|applied \d+ migrations?|would apply \d+ migrations?|\d+ pending|up to date|nothing pending|complete)\b", result.out))


def test_each_tenant_gets_every_migration(server, tenants, tidelock):
    names = tenants.add(server, 6)
    result = tidelock("deploy", "--tenants", tenants.file(), "--parallel", 3).succeeds()
    tenants.assert_complete()
    assert states(result) == {name: "applied 4 migrations" for name in names}
    assert "6 tenants: 6 done, of which 0 had nothing to do; 0 failed, 0 not begun" in result.out
    assert sorted(DONE.findall(result.errors)) == names
    assert "applied 24 migrations to 6 of 6 tenants" in result.errors
    again = tidelock("deploy", "--tenants", tenants.file(), "--parallel", 3).succeeds()
    assert "6 tenants: 6 done, of which 6 had nothing to do" in again.out and states(again) == {}


def test_killed_in_the_middle_and_run_again(server, tenants, tidelock):
    tenants.add(server, 8)
    slow(tenants)
    running = tidelock.start("deploy", "--tenants", tenants.file(), "--parallel", 3)
    running.wait_for_line("applied 4 migrations")
    running.kill()
    tidelock("deploy", "--tenants", tenants.file(), "--parallel", 3, "--leader-timeout", "1m").succeeds()
    tenants.assert_complete()


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_what_runs_cleanly_and_begins_nothing(server, tenants, tidelock, number, code):
    tenants.add(server, 4)
    tenants.folder.add("002_wait", "CREATE TABLE half (); SELECT pg_sleep(600)")
    running = tidelock.start("deploy", "--tenants", tenants.file(), "--parallel", 2, "--on-failure", "continue")
    for name in ("t000", "t001"):
        find = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND state = 'active' AND datname = current_database() AND pid <> pg_backend_pid()"
        wait_until(lambda name=name: tenants[name].query(find), f"{name} to be in the middle")
    running.signal(number)
    result = running.wait().fails(exit=code, says=[f"stopped by {number.name}", "Nothing of 002_wait"])
    assert states(result) == {"t000": "interrupted", "t001": "interrupted"} and "; 0 failed, 2 interrupted, 2 not begun" in result.out
    assert re.search(r"(?m)^t001 +interrupted +\S+ m?s  Nothing of 002_wait; already applied by this run: 3 migrations\.$", result.out)
    assert result.errors.endswith(
        f"tidelock: error: stopped by {number.name}\n"
        "  holds     0 tenants are done, 0 failed, 2 interrupted, 2 not begun.\n"
        "  next      Type the same again: what is done stays done.\n"
        f"  exit      {code}: stopped by {number.name}; the next run resumes\n"
    )
    for name in ("t000", "t001"):
        assert not tenants[name].holds("half") and tenants[name].applied() == ["000_steps", "001_step", "002_step"]
    tenants.assert_untouched("t002", "t003")
    tenants.folder.replace("002_wait", "SELECT 1")
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants.assert_complete()


def test_the_server_restarts_in_the_middle(one, tenants, tidelock):
    server = one()
    tenants.add(server, 6)
    slow(tenants, 0.5)
    running = tidelock.start("deploy", "--tenants", tenants.file(), "--parallel", 3, "--on-failure", "continue")
    running.wait_for_line("applied 4 migrations")
    server.stop("fast")
    server.start()
    running.wait().succeeds()
    tenants.assert_complete()


@pytest.mark.parametrize(
    "words, begun",
    [
        ([], ["t000", "t001"]),
        (["--on-failure", "continue"], ["t000", "t001", "t002", "t003", "t004", "t005", "t006", "t007"]),
        (["--max-failures", "0"], ["t000", "t001"]),
        (["--max-failures", "1"], ["t000", "t001", "t002", "t003"]),
        (["--max-failures", "25%"], ["t000", "t001", "t002", "t003", "t004", "t005"]),
    ],
    ids=lambda value: " ".join(value) or "stop" if isinstance(value, list) and value[:1] != ["t000"] else "",
)
def test_what_follows_a_broken_tenant(server, tenants, tidelock, words, begun):
    names = tenants.add(server, 8)
    failing(tenants, "t001", "t003", "t005")
    result = tidelock("deploy", "--tenants", tenants.file(), *words)
    broken = [name for name in begun if name in ("t001", "t003", "t005")]
    result.fails(exit=6, says=[f"{len(broken)} of 8 tenants failed", "t001: "])
    done = [name for name in begun if name not in broken]
    assert list(states(result).items()) == [(name, "failed") for name in broken] + [(name, "applied 5 migrations") for name in done]
    assert f"8 tenants: {len(done)} done, of which 0 had nothing to do; {len(broken)} failed, {8 - len(begun)} not begun" in result.out
    tenants.assert_untouched(*(name for name in names if name not in begun))
    tenants.assert_complete(*(name for name in begun if name not in broken))


def test_a_failure_before_a_signal_is_told_apart_from_what_the_signal_ended(server, tenants, tidelock):
    tenants.add(server, 3)
    tenants.folder.add("000_before", "SELECT 1 / CASE current_setting('tide.odd', true) WHEN 'yes' THEN 0 ELSE 1 END")
    tenants["t000"].query(f"ALTER DATABASE {tenants['t000'].name} SET tide.odd = 'yes'")
    tenants.folder.add("002_wait", "SELECT pg_sleep(600)")
    file = tenants.folder.root / "status.prom"
    running = tidelock.start("deploy", "--tenants", tenants.file(), "--on-failure", "continue", "--status-file", file)
    find = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND state = 'active' AND datname = current_database() AND pid <> pg_backend_pid()"
    wait_until(lambda: tenants["t001"].query(find), "t001 to be in the middle")
    running.signal(signal.SIGTERM)
    result = running.wait().fails(exit=143, says=["  detail    t000: migration \"000_before\" failed: division by zero\n", "  holds     0 tenants are done, 1 failed, 1 interrupted, 1 not begun."])
    assert states(result) == {"t000": "failed", "t001": "interrupted"}
    found = file.read_text()
    assert [f'tidelock_tenants{{state="{state}"}} 1\n' in found for state in ("waiting", "failed", "interrupted", "done")] == [True, True, True, False]
    assert re.findall(r"(?m)^tidelock_tenant_failed.*", found) == ['tidelock_tenant_failed{tenant="t000"} 1']


def test_the_last_word_has_each_cause_once(server, tenants, tidelock):
    names = tenants.add(server, 9)
    tenants.folder.add("900_check", "DO $$ BEGIN RAISE EXCEPTION 'a long story of what was found in a table that nobody had looked at for years: %', current_setting('tide.odd'); END $$")
    for name in names[:8]:
        tenants[name].query(f"ALTER DATABASE {tenants[name].name} SET tide.odd = '{'other' if name == 't003' else 'same'}'")
    tenants[names[8]].drop()
    result = tidelock("deploy", "--tenants", tenants.file(), "--on-failure", "continue").fails(exit=6)
    last = result.errors[result.errors.index("tidelock: error: 9 of 9 tenants failed") :].splitlines()
    story = 'migration "900_check" failed: a long story of what was found in a table that nobody had looked at for years: '
    assert last[1:3] == [f"  detail    t000, t001, t002, t004, t005 and 2 more: {story}same", f"            t003: {story}other"]
    assert last[3].startswith("            t008: ") and last[4] == "  holds     0 tenants are done, 9 failed, 0 not begun."
    rows = re.findall(r"(?m)^t\d+ +failed +\S+ m?s  (.*)$", result.out)
    assert len(rows) == 9 and rows[0] == story[:80] + "…"


def test_the_last_word_of_what_only_looks_is_about_looking(server, tenants, tidelock):
    tenants.add(server, 3)
    tenants["t001"].drop()
    for command in ("status", "plan"):
        result = tidelock(command, "--tenants", tenants.file()).fails(exit=2, says="1 of 3 tenants failed")
        assert "  holds     Nothing was changed; 2 tenants succeeded, 1 failed, 0 not begun.\n  next      Type the same again when the cause is gone; for some of them only: --tenant NAME.\n" in result.errors


def test_a_locked_table_keeps_nobody_else(server, tenants, tidelock):
    names = tenants.add(server, 6)
    tidelock("deploy", "--tenants", tenants.file(), "--parallel", 3).succeeds()
    tenants.folder.add("004_more", "ALTER TABLE steps ADD COLUMN more int")
    with tenants["t000"].connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE steps IN ACCESS SHARE MODE")
        running = tidelock.start("deploy", "--tenants", tenants.file(), "--parallel", 2)
        for name in names[1:]:
            wait_until(lambda name=name: "004_more" in tenants[name].applied(), f"{name} to be complete")
        assert "004_more" not in tenants["t000"].applied()
    running.wait().succeeds()
    assert "004_more" in tenants["t000"].applied()


@pytest.mark.parametrize("fault", ["refuse", "drop"])
def test_one_server_of_three_does_not_answer(servers, server, proxy, tenants, tidelock, fault):
    others = [servers.get(major) for major in list(servers.binaries)[:2]]
    lost = tenants.add(server, 2, port=proxy.port)
    fine = [name for other in others for name in tenants.add(other, 3)]
    getattr(proxy, fault)()
    result = tidelock("deploy", "--tenants", tenants.file(), "--parallel", 3, "--on-failure", "continue", "--connect-timeout", "500ms", "--connect-deadline", "1s")
    result.fails(exit=3, says="2 of 8 tenants failed")
    tenants.assert_complete(*fine)
    assert {name for name, state in states(result).items() if state == "failed"} == set(lost)


@pytest.mark.parametrize("fault", ["refuse", "drop"])
def test_one_tenant_waits_for_a_server_out_of_reach_and_not_all(servers, server, proxy, tenants, tidelock, fault):
    other = servers.get(list(servers.binaries)[0])
    lost = tenants.add(server, 6, port=proxy.port)
    fine = tenants.add(other, 2)
    getattr(proxy, fault)()
    words = ("deploy", "--tenants", tenants.file(), "--connect-timeout", "500ms", "--connect-deadline", "1s")
    result = tidelock(*words, "--on-failure", "continue").fails(exit=3, says=["6 of 8 tenants failed", "  detail    t000, t001, t002, t003, t004 and 1 more: could not connect to "])
    assert re.findall(r"(?m)^tidelock: (t\d+): waiting for the database", result.errors) == lost[:1]
    assert result.errors.count('  detail    It was not tried again: tenant "t000" did not reach that server either.\n') == 1
    assert result.errors.count(": the same as t0") == 4
    tenants.assert_complete(*fine)
    result = tidelock(*words, "--max-failures", "2").fails(exit=3, says="3 of 8 tenants failed")
    assert [name for name, state in states(result).items() if state == "failed"] == lost[:3]


def test_servers_of_one_name_are_told_apart(server, tenants, tidelock):
    """By their addresses: the name may be only that of a certificate."""
    fine = tenants.add(server, 2)
    file = tenants.folder.root / "named.csv"
    rows = [("gone", tenants[fine[0]], "127.0.0.9"), *((name, tenants[name], "127.0.0.1") for name in fine)]
    urls = [(name, database.url(sslmode="disable", hostaddr=address).replace("@127.0.0.1", "@db.example")) for name, database, address in rows]
    file.write_text("name,url\n" + "".join(f"{name},{url}\n" for name, url in urls))
    result = tidelock("deploy", "--tenants", file, "--on-failure", "continue", "--connect-timeout", "500ms", "--connect-deadline", "500ms")
    result.fails(exit=3, says="1 of 3 tenants failed")
    tenants.assert_complete(*fine)


def test_nothing_begins_after_a_canary_that_fails(server, tenants, tidelock):
    tenants.add(server, 4)
    failing(tenants, "t002")
    words = ("deploy", "--tenants", tenants.file(), "--parallel", 4, "--on-failure", "continue")
    result = tidelock(*words, "--canary", "t002").fails(exit=6, says="1 of 4 tenants failed")
    assert states(result) == {"t002": "failed"} and "1 failed, 3 not begun" in result.out
    tenants.assert_untouched("t000", "t001", "t003")
    mend(tenants, "t002")
    result = tidelock(*words, "--canary", "2").succeeds()
    assert re.findall(r"(?m)^tidelock: (t\d+): applied", result.errors)[:2] == ["t000", "t001"]
    tenants.assert_complete()


def test_ten_processes_over_one_list(server, tenants, tidelock, binary):
    tenants.add(server, 10)
    slow(tenants, 0.02)
    words = ("deploy", "--tenants", tenants.file(), "--parallel", 2, "--headroom", 0)
    for running in [tidelock.start(*words) for _ in range(10)]:
        running.wait().succeeds()
    tenants.assert_complete()


def test_parts_of_a_list_make_the_whole(server, tenants, tidelock):
    tenants.add(server, 9)
    parts = [tidelock("deploy", "--tenants", tenants.file(), "--shard", f"{part}/3").succeeds() for part in (1, 2, 3)]
    assert sorted(name for part in parts for name in DONE.findall(part.errors)) == sorted(tenants.databases)
    tenants.assert_complete()


class Sampler:
    """How many sessions of tidelock a server has at most."""

    def __init__(self, server):
        self.connection = psycopg.connect(server.url("postgres"), autocommit=True)
        self.peak = self.samples = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._sample)
        self.thread.start()

    def _sample(self):
        while not self.is_over.wait(0.02):
            (count,) = self.connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%'").fetchone()
            self.peak = max(self.peak, count)
            self.samples += 1

    def stop(self):
        self.is_over.set()
        self.thread.join()
        self.connection.close()


@pytest.mark.parametrize("processes", [1, 3])
def test_connections_stay_within_the_budget(one, tenants, tidelock, processes):
    server = one("max_connections=16", "superuser_reserved_connections=3")
    tenants.add(server, 24)
    slow(tenants, 0.05)
    sampler = Sampler(server)
    try:
        words = ("deploy", "--tenants", tenants.file(), "--parallel", 20, "--headroom", 5)
        for running in [tidelock.start(*words) for _ in range(processes)]:
            running.wait().succeeds()
    finally:
        sampler.stop()
    tenants.assert_complete()
    # 13 are for applications, one of which is the sampler's; 5 must stay free. Several processes connect before they see each other.
    assert sampler.peak >= 2 and (processes > 1 or sampler.peak <= 16 - 3 - 1 - 5), f"{sampler.peak} in {sampler.samples} samples"


@pytest.mark.parametrize("limited", [False, True], ids=["", "with a limit of its own"])
def test_what_is_counted_on_a_server_is_not_counted_by_each(one, tenants, tidelock, limited):
    """A database may have a limit of its own, which nobody sees from another one."""
    server = one()
    names = tenants.add(server, 8)
    if limited:
        tenants[names[-1]].query(f"ALTER DATABASE {tenants[names[-1]].name} CONNECTION LIMIT 50")
    counted = tidelock("deploy", "--tenants", tenants.file(), "--parallel", 2, "--log-level", "debug").succeeds().errors.count("query budget took")
    tenants.assert_complete()
    assert counted >= 8 if limited else counted < 8


def test_a_tenant_that_another_process_leads_comes_last(server, tenants, tidelock):
    names = tenants.add(server, 4)
    with tenants["t000"].connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("deploy", "--tenants", tenants.file())
        for name in names[1:]:
            wait_until(lambda name=name: tenants[name].holds("_prisma_migrations") and len(tenants[name].applied()) == 4, f"{name} to be complete")
        assert not tenants["t000"].holds("_prisma_migrations")
    running.wait().succeeds()
    tenants.assert_complete()


def test_what_a_tenant_took_is_all_looks_at_it(server, tenants, tidelock):
    """The first look waits for the ledger for a second, and then finds another leader; the last one takes no time."""
    tenants.add(server, 1)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants.folder.add("004_more", "SELECT 1")
    with tenants["t000"].connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        with tenants["t000"].connect() as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE _prisma_migrations")
            running = tidelock.start("deploy", "--tenants", tenants.file(), "--log-level", "debug")
            wait_until(lambda: tenants["t000"].query("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '_prisma_migrations'::regclass"), "it to wait")
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() - begun > 1, "a second to pass")
        running.wait_for_line("left to another process")
    result = running.wait().succeeds()
    assert re.search(r"(?m)^t000 +applied 1 migration +[1-9]\d*\.\d s$", result.out), result.out


def test_a_tenant_that_another_process_keeps_fails_in_time(server, tenants, tidelock):
    tenants.add(server, 3)
    with tenants["t001"].connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        result = tidelock("deploy", "--tenants", tenants.file(), "--leader-timeout", "1s").fails(exit=4, says=["1 of 3 tenants failed", "the leader lock is still held"])
    assert states(result)["t001"] == "failed"
    tenants.assert_complete("t000", "t002")


def test_a_dry_run_changes_nothing(server, tenants, tidelock):
    names = tenants.add(server, 3)
    result = tidelock("deploy", "--dry-run", "--tenants", tenants.file(), "--parallel", 3).succeeds()
    assert states(result) == {name: "would apply 4 migrations" for name in names}
    tenants.assert_untouched(*names)
    tidelock("deploy", "--dry-run", "--exit-code", "--tenants", tenants.file()).fails(exit=1)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tidelock("deploy", "--dry-run", "--exit-code", "--tenants", tenants.file()).succeeds()


def test_status_tells_what_each_lacks(server, tenants, tidelock):
    tenants.add(server, 3)
    tidelock("deploy", "--tenants", tenants.file(), "--canary", "t001", "--shard", "1/1").succeeds()
    tenants["t002"].query("DELETE FROM _prisma_migrations WHERE migration_name = '003_step'")
    result = tidelock("status", "--tenants", tenants.file()).succeeds()
    assert states(result) == {"t002": "1 pending"}
    assert "3 tenants: 2 up to date, 1 to look at; 0 could not be checked\n" in result.out
    assert states(tidelock("status", "--all", "--tenants", tenants.file())) == {"t000": "up to date", "t001": "up to date", "t002": "1 pending"}
    tidelock("status", "--exit-code", "--tenants", tenants.file()).fails(exit=1)
    said = json.loads(tidelock("status", "--json", "--tenants", tenants.file()).succeeds().out)
    assert (said["looked_at"], said["failed"], said["not_begun"]) == (3, 0, 0)
    assert [(tenant["tenant"], tenant["state"], tenant["not_applied"], tenant["summary"]) for tenant in said["tenants"]] == [("t000", "looked_at", 0, "up to date"), ("t001", "looked_at", 0, "up to date"), ("t002", "looked_at", 1, "1 pending")]


@pytest.mark.parametrize("command", ["plan", "status"])
def test_a_fault_of_the_folder_is_told_in_full_once(server, tenants, tidelock, folder, command):
    tenants.add(server, 3)
    for name in ["1_a.sql", "x_y.sql"]:
        (folder.path / name).write_text("SELECT 1")
    for script in list(folder.path.glob("*/migration.sql")):
        script.unlink()
        script.parent.rmdir()
    result = tidelock(command, "--tenants", tenants.file()).fails(exit=2, says=["t000: ", "t001: the same as t000: ", "t002: the same as t000: "])
    assert result.errors.count("looks like a script of") == 1
    records = tidelock(command, "--tenants", tenants.file(), "--log-format", "json").fails(exit=2).errors.splitlines()
    assert sum("looks like a script of" in record for record in records) == 3


def test_status_says_nothing_of_a_tenant_that_it_did_not_reach(server, tenants, tidelock):
    tenants.add(server, 2)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants["t001"].drop()
    result = tidelock("status", "--tenants", tenants.file()).fails(exit=2, says="1 of 2 tenants failed")
    assert states(result) == {"t001": "failed"} and "2 tenants: 1 up to date, 0 to look at; 1 could not be checked\n" in result.out
    said = json.loads(tidelock("status", "--json", "--tenants", tenants.file()).fails(exit=2).out)
    assert [(tenant["state"], tenant["not_applied"]) for tenant in said["tenants"]] == [("looked_at", 0), ("failed", None)]


def test_status_says_what_a_deployment_to_one_would_be_refused_for(server, tenants, tidelock):
    tenants.add(server, 3)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants["t001"].query("DROP TABLE _prisma_migrations")
    result = tidelock("status", "--tenants", tenants.file(), "--exit-code").fails(exit=1, says="t001: 4 pending, refused: the schema is not empty and has no ledger")
    assert re.search(r"(?m)^t001 +4 pending, refused: ", result.out)
    tenants["t002"].query("UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = '001_step'")
    words = ("status", "--tenants", tenants.file(), "--tenant", "t002", "--strict=edited", "--exit-code")
    alone = tidelock("status", "--strict=edited", "--exit-code", url=tenants["t002"].url())
    assert "Nothing is pending, but a deployment would be refused: " in alone.out and "up to date" not in alone.out
    assert tidelock(*words).code == alone.code
    assert "1 tenant: 0 up to date, 1 to look at; 0 could not be checked" in tidelock(*words[:-1]).succeeds(says="t002: 1 edited, refused: ").out


def test_a_release_that_is_too_old_for_one_is_no(server, tenants, tidelock):
    tenants.add(server, 2)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    words = ("status", "--tenants", tenants.file(), "--exit-code", "--release", "1.4.9")
    tidelock(*words).succeeds()
    contract = tenants.folder.add("004_contract", "-- tidelock: floor=1.5.0\nSELECT 1")
    tidelock("deploy", "--tenants", tenants.file(), "--tenant", "t001", "--release", "1.5.0").succeeds()
    shutil.rmtree(contract.parent)
    result = tidelock(*words).fails(exit=1, says="t001: refused: ")
    assert re.search(r"(?m)^t001 +refused: ", result.out) and "2 tenants: 1 up to date, 1 to look at; 0 could not be checked" in result.out
    tidelock(*words[:3], "--release", "1.4.9").succeeds()


def test_drift_alone_is_to_be_looked_at(server, tenants, tidelock):
    tenants.add(server, 2)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants["t001"].query("CREATE TABLE stray ()")
    result = tidelock("status", "--tenants", tenants.file(), "--exit-code").succeeds(says="2 tenants: 1 up to date, 1 to look at; 0 could not be checked")
    assert re.findall(r"(?m)^(t\d+) +drift ", result.out) == ["t001"]


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_a_log_for_machines_has_no_table(server, tenants, tidelock, form):
    tenants.add(server, 2)
    for command in ("deploy", "wait") if form == "json" else ("deploy", "status", "plan", "drift", "wait"):
        result = tidelock(command, "--tenants", tenants.file(), "--log-format", form).succeeds()
        assert result.out == "" and all(name in result.errors for name in ("t000", "t001")), command
    assert "applied 0" not in tidelock("deploy", "--tenants", tenants.file(), "--log-format", form).succeeds(says="nothing pending in 2 tenants").errors


def test_one_tenant_alone_is_not_counted(server, tenants, tidelock):
    tenants.add(server, 1)
    failing(tenants, "t000")
    tidelock("deploy", "--tenants", tenants.file()).fails(exit=6, says="error: the tenant failed")
    mend(tenants, "t000")
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tidelock("run", "--tenants", tenants.file(), "--log-format", "json", "--", "true").succeeds(says="nothing pending in 1 tenant")


def test_advice_to_work_on_one_database_says_which(server, tenants, tidelock):
    tenants.add(server, 2)
    tenants["t001"].query("CREATE TABLE steps (number int)")
    told = tidelock("deploy", "--tenants", tenants.file(), "--on-failure", "continue").fails(exit=8, says="tidelock baseline")
    assert told.errors.count("Give baseline this tenant's own --database-url.\n") == 1
    assert "this tenant's" not in tidelock("deploy", url=tenants["t001"].url()).fails(exit=8, says="tidelock baseline").errors


def test_plan_and_drift_say_it_of_each(server, tenants, tidelock):
    tenants.add(server, 2)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tidelock("drift", "--tenants", tenants.file(), "--parallel", 2).succeeds(says="2 tenants: 2 without a difference, 0 with differences; 0 could not be checked")
    tenants["t001"].query("CREATE TABLE stray ()")
    tidelock("drift", "--tenants", tenants.file(), "--parallel", 2).fails(exit=1, says="t001: 2 differences")
    tenants.folder.add("004_drop", "DROP TABLE steps")
    tidelock("plan", "--tenants", tenants.file(), "--fail-on", "dangerous").fails(exit=1, says="1 pending, at worst dangerous")
    tidelock("plan", "--tenants", tenants.file()).succeeds(says="2 tenants: 0 with nothing pending, 2 with something pending; 0 could not be checked")
    told = tidelock("plan", "-v", "--tenants", tenants.file(), "--parallel", 2).succeeds().out
    alone = tidelock("plan", "-v", url=tenants["t000"].url()).succeeds().out
    assert f"t000\n{alone}\n" in told and told.count("\n           how ") == 2


@pytest.mark.parametrize("form", ["text", "logfmt"])
def test_json_has_of_each_what_the_command_says_of_one(server, tenants, tidelock, form):
    """In the order of the list, also where the first one is the last to end."""
    names = tenants.add(server, 4)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants["t001"].query("CREATE TABLE stray ()")
    tenants["t002"].drop()
    tenants.folder.add("004_drop", "DROP TABLE steps")
    for command, counted in (("status", "not_applied"), ("plan", "pending"), ("drift", "differences")):
        many = tidelock(command, "--json", "--tenants", tenants.file(), "--parallel", 4, "--log-format", form)
        said = json.loads(many.out)
        assert many.out.count("\n") == (1 if form == "logfmt" else 12), many.out
        assert [tenant["tenant"] for tenant in said["tenants"]] == names and (said["looked_at"], said["failed"], said["not_begun"]) == (3, 1, 0)
        for tenant in said["tenants"]:
            alone = tidelock(command, "--json", url=tenants[tenant["tenant"]].url())
            assert (tenant[counted] is None) == (tenant[command] is None) == (tenant["tenant"] == "t002")
            assert tenant[command] == (json.loads(alone.out) if alone.out else None), command


def test_wait_ends_when_all_are_complete(server, tenants, tidelock):
    tenants.add(server, 3)
    tidelock("wait", "--tenants", tenants.file(), "--leader-timeout", "500ms").fails(exit=4, says="3 of 3 tenants failed")
    running = tidelock.start("wait", "--tenants", tenants.file(), "--parallel", 2)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    running.wait().succeeds(says="3 tenants: 3 complete; 0 failed")
    tenants.assert_complete()


def test_a_command_starts_after_all_of_them(server, tenants, tidelock):
    tenants.add(server, 3)
    failing(tenants, "t001")
    started = tenants.folder.root / "started"
    words = ("run", "--tenants", tenants.file(), "--on-failure", "continue", "--", "touch", started)
    tidelock(*words).fails(exit=6, says="1 of 3 tenants failed")
    assert not started.exists()
    mend(tenants, "t001")
    tidelock(*words).succeeds()
    assert started.exists()
    tenants.assert_complete()


def test_the_status_file_counts_tenants_and_names_what_failed(server, tenants, tidelock):
    tenants.add(server, 3)
    failing(tenants, "t001")
    file = tenants.folder.root / "status.prom"
    tidelock("deploy", "--tenants", tenants.file(), "--on-failure", "continue", "--status-file", file).fails(exit=6)
    found = dict(line.rsplit(" ", 1) for line in file.read_text().splitlines() if line.startswith("tidelock_tenant"))
    assert found == {
        **{f'tidelock_tenants{{state="{state}"}}': count for state, count in {"waiting": "0", "running": "0", "elsewhere": "0", "done": "2", "failed": "1", "interrupted": "0"}.items()},
        'tidelock_tenant_failed{tenant="t001"}': "1",
    }


def test_the_last_word_names_the_first_that_failed(server, tenants, tidelock):
    """And so does the webhook: who reads it sees neither log nor table."""
    tenants.add(server, 4)
    failing(tenants, "t001", "t003")
    word = tenants.folder.root / "word"
    word.touch()
    world = World()
    try:
        tidelock("deploy", "--tenants", tenants.file(), "--on-failure", "continue", "--termination-log", word, environment={"TIDELOCK_WEBHOOK": world.url}).fails(exit=6)
    finally:
        world.close()
    (told,) = world.requests
    for said in [json.loads(word.read_text()), told.json]:
        assert [line.split(": ")[0] for line in said["detail"].splitlines()] == ["t001, t003"], said
    assert told.json["detail"] in told.json["attachments"][0]["text"]


def test_every_line_says_which_tenant_it_is_about(server, tenants, tidelock):
    names = tenants.add(server, 3)
    failing(tenants, "t001")
    words = ("deploy", "--tenants", tenants.file(), "--on-failure", "continue", "--parallel", 3)
    text = tidelock(*words).fails(exit=6)
    assert re.findall(r"(?m)^tidelock: error \S+: (t\d+): ", text.errors) == ["t001"]
    lines = [json.loads(line) for line in tidelock(*words, "--log-format", "json", "--log-level", "debug").fails(exit=6).errors.splitlines()]
    assert {line.get("tenant") for line in lines if line.get("database")} == set(names)
    for line in lines:
        if line.get("tenant"):
            assert line.get("database") in (None, tenants[line["tenant"]].name), line


def schemas_of(database, count):
    with database.one_connection():
        for number in range(count):
            database.query(f'CREATE SCHEMA "s{number:03}"')


def assert_schemas_complete(database, count):
    with database.one_connection():
        for number in range(count):
            assert len(database.ledger(schema=f"s{number:03}")) == STEPS + 1
            assert database.query(f"SELECT number FROM s{number:03}.steps ORDER BY 1") == [(step,) for step in range(1, STEPS + 1)]


def test_schemas_of_one_database_do_not_get_in_each_others_way(database, tenants, tidelock):
    schemas_of(database, 30)
    result = tidelock("deploy", "--schemas", "s*", "--parallel", 8, "--log-level", "debug").succeeds(says="30 tenants: 30 done, of which 0")
    assert_schemas_complete(database, 30)
    assert "left to another process" not in result.errors
    tidelock("deploy", "--schemas", "s*", "--parallel", 8).succeeds(says="30 tenants: 30 done, of which 30")


def test_a_schema_that_is_locked_keeps_only_those_of_its_database(server, database, tenants, tidelock):
    """One of a database applies at a time; the other databases of the list go on."""
    names = tenants.add(server, 4)
    schemas_of(database, 4)
    tidelock("deploy", "--schemas", "s*").succeeds()
    tenants.folder.add("004_more", "ALTER TABLE steps ADD COLUMN more int")
    tenants.rows[:0] = [(f"s{number:03}", database.url(sslmode="disable", schema=f"s{number:03}")) for number in range(4)]
    with database.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE s000.steps IN ACCESS SHARE MODE")
        running = tidelock.start("deploy", "--tenants", tenants.file(), "--parallel", 3)
        for name in names:
            wait_until(lambda name=name: tenants[name].holds("steps") and "004_more" in tenants[name].applied(), f"{name} to be complete")
    running.wait().succeeds(says="8 tenants: 8 done")


def test_few_descriptors_are_enough(server, tenants, binary):
    """Fewer at a time, rather than connections that seem not to answer."""
    tenants.add(server, 12)
    command = f'ulimit -n 64; exec "{binary}" deploy --tenants {tenants.file()} --parallel 12'
    result = subprocess.run(["bash", "-c", command], cwd=tenants.folder.root, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "5 tenants at a time instead of 12" in result.stderr
    tenants.assert_complete()


def test_a_database_that_was_half_dropped_is_left_out(server, tidelock, folder):
    """An interrupted DROP DATABASE leaves one that nobody can connect to; the server marks it so."""
    folder.add("001_a", "CREATE TABLE a ()")
    mark = uuid.uuid4().hex
    with contextlib.ExitStack() as stack:
        for name in (f"half_{mark}", f"whole_{mark}"):
            server.query(f"CREATE DATABASE {name}")
            stack.callback(server.query, f"DROP DATABASE {name} WITH (FORCE)")
        server.query(f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_{mark}'")
        tidelock("deploy", "--databases", f"*_{mark}", url=server.url("postgres")).succeeds(says="1 tenant: 1 done")


HOSTILE = ['a "b" c', "Ünïcode", "semi;colon'", "percent%s", "--help", "$(id)", "a,b", "t\\b", "UPPER.lower"]


def test_hostile_names(server, tidelock, folder):
    folder.add("001_a", "CREATE TABLE a ()")
    mark = uuid.uuid4().hex[:6]
    names = [f"{mark}{name}" for name in HOSTILE]
    with contextlib.ExitStack() as stack:
        for name in names:
            server.query('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
            stack.callback(server.query, 'DROP DATABASE "{}" WITH (FORCE)'.format(name.replace('"', '""')))
        url = server.url("postgres")
        said = tidelock("deploy", "--databases", f"{mark}*", "--parallel", 3, url=url).succeeds(says=f"{len(names)} tenants: {len(names)} done")
        assert all(name in said.out for name in names)
        said = json.loads(tidelock("status", "--json", "--databases", f"{mark}*", url=url).succeeds().out)
        assert {tenant["tenant"] for tenant in said["tenants"]} == set(names)
        file = folder.root / "status.prom"
        tidelock("deploy", "--databases", f"{mark}*", "--status-file", file, url=url).succeeds()
        for schema in names:
            quoted = schema.replace('"', '""')
            server.query(f'CREATE SCHEMA "{quoted}"', database=names[1])
        tidelock("deploy", "--schemas", f"{mark}*", "--parallel", 3, url=server.url(names[1])).succeeds(says=f"{len(names)} tenants: {len(names)} done")


@pytest.mark.parametrize("script", ["SELECT " + "(" * 10_000 + "1" + ")" * 10_000, "SELECT " + "1+" * 10_000 + "1", "SELECT " + "NOT " * 10_000 + "true"], ids=["parentheses", "operators", "unary"])
def test_a_deeply_nested_script_fits_on_a_tasks_stack(server, tenants, tidelock, script):
    """How deep it may be is the server's to say."""
    tenants.add(server, 2)
    tenants.folder.add("004_deep", script)
    tidelock("plan", "--tenants", tenants.file(), "--parallel", 2).succeeds(says="2 tenants: 0 with nothing pending")
    alone = tidelock("deploy", url=tenants["t000"].url())
    result = tidelock("deploy", "--tenants", tenants.file(), "--parallel", 2, "--on-failure", "continue")
    assert (alone.code, result.code) in ((0, 0), (6, 6)), result.errors


REFUSED = {
    "--replica": ("deploy", "--replica", "postgres://127.0.0.1/replica"),
    "--lease": ("deploy", "--lease", "app"),
    "--share-connections": ("run", "--share-connections", "--", "true"),
    "--json-schema": ("status", "--json-schema"),
    "--offline": ("plan", "--offline"),
    "--shadow": ("drift", "--shadow", "create"),
    "--output": ("plan", "--output", "sarif"),
}


@pytest.mark.parametrize("option", REFUSED)
def test_what_is_about_one_database_is_refused(server, tenants, tidelock, option):
    tenants.add(server, 1)
    command, *words = REFUSED[option]
    tidelock(command, "--tenants", tenants.file(), *words, url=server.url("postgres")).fails(exit=2, says=[option, "and there are many tenants"])
    tenants.assert_untouched("t000")


NOBODY = {
    "no database fits": ("--databases", "none_of_these_*"),
    "no schema fits": ("--schemas", "none_of_these_*"),
    "--tenants-query returned no row": ("--tenants-query", "SELECT 'a' AS name, 'a' AS schema WHERE false"),
}


@pytest.mark.parametrize("says", NOBODY)
def test_where_nobody_is_found_nothing_starts(server, tidelock, folder, says):
    folder.add("001_a", "CREATE TABLE a ()")
    for command in ("deploy", "status", "plan", "drift", "wait"):
        tidelock(command, *NOBODY[says], url=server.url("postgres")).fails(exit=2, says=[says, "Check the "])
    started = folder.root / "started"
    tidelock("run", *NOBODY[says], "--", "touch", started, url=server.url("postgres")).fails(exit=2, says=says)
    assert not started.exists()


def test_a_part_may_be_empty(server, tenants, tidelock):
    tenants.add(server, 1)
    parts = [tidelock("deploy", "--tenants", tenants.file(), "--shard", f"{part}/2").succeeds() for part in (1, 2)]
    assert sorted(len(DONE.findall(part.errors)) for part in parts) == [0, 1]


@pytest.mark.parametrize("command", [["deploy"], ["deploy", "--dry-run"], ["status"], ["plan"], ["wait"]])
def test_schemas_cannot_share_a_ledger(database, tenants, tidelock, command):
    """The second tenant would seem to have what the first one got."""
    schemas_of(database, 2)
    database.query("CREATE SCHEMA ops")
    refused = tidelock(*command, "--schemas", "s*", "--ledger", "ops.ledger")
    refused.fails(exit=2, says=["the ledger ops.ledger would be that of every tenant in this database", "--ledger TABLE"])
    assert not database.holds("ops.ledger") and not database.holds("s000.steps")
    tidelock("deploy", "--schemas", "s*", "--ledger", "ledger").succeeds(says="2 tenants: 2 done, of which 0")
    for number in range(2):
        assert database.query(f"SELECT number FROM s{number:03}.steps ORDER BY 1") == [(step,) for step in range(1, STEPS + 1)]


def test_a_warning_about_the_scripts_is_said_once_for_all_tenants(server, tenants, tidelock):
    tenants.add(server, 4)
    tidelock("deploy", "--tenants", tenants.file()).succeeds()
    tenants.folder.add("004_unique", "ALTER TABLE steps ADD UNIQUE (number)")
    for database in tenants.databases.values():
        database.query("INSERT INTO steps SELECT generate_series(100, 200000); ANALYZE steps")
    result = tidelock("deploy", "--tenants", tenants.file(), "--drift", "off").succeeds()
    assert result.errors.count("is dangerous while the database is in use") == 1
