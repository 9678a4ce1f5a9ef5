"""The second connection: who is in the way is named, queued behind only when it helps, and never allowed to hurt."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import psycopg
import pytest
from metrics import samples
from servers import Database, Server, distribution_major
from tool import Tool
from wait import wait_until

OURS = "application_name LIKE 'tidelock%%'"


@pytest.fixture
def prepared(database, folder, tidelock):
    """A table that an application uses, and a ledger beside it."""
    database.query("CREATE TABLE busy (id int PRIMARY KEY); INSERT INTO busy VALUES (1)")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    # What its text does not say is tried first, however old the reader is.
    folder.add("001_a", "CREATE TABLE other (); DO 'BEGIN ALTER TABLE busy ADD COLUMN c int; END'")


@contextlib.contextmanager
def reader(database, name="nightly-report", user="postgres", then="SELECT * FROM busy"):
    """A transaction that has read the table and does not end."""
    with psycopg.connect(database.url().replace("postgres@", f"{user}@"), application_name=name, autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute(then)
        yield connection


@pytest.fixture
def role(database):
    name = f"role_{database.name}"
    database.query(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON busy TO {name}" if database.holds("busy") else f"CREATE ROLE {name} LOGIN")
    yield name
    database.query(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.every_major
def test_who_is_in_the_way_is_named_and_not_queued_behind(database, folder, tidelock, prepared):
    with reader(database) as blocker:
        running = tidelock.start("deploy")
        running.wait_for_line("held up by pid ")
        running.wait_for_line(f'not queueing for AccessExclusiveLock on busy, which would block other sessions: held up by pid {blocker.info.backend_pid} ("nightly-report"')
        # From now on nobody ever waits, us included.
        for _ in range(50):
            assert database.query("SELECT 1 FROM pg_locks WHERE NOT granted") == []
        assert database.value(f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {OURS}") == 2
        blocker.execute("COMMIT")
        running.wait().succeeds(applied=["001_a"])
    assert [row.name for row in database.ledger()] == ["000_before", "001_a"]


def test_the_error_names_who_was_in_the_way_and_the_remedy(database, folder, tidelock, prepared):
    with reader(database) as blocker:
        pid = blocker.info.backend_pid
        result = tidelock("deploy", "--retry-for", "3s")
    result.fails(
        exit=9,
        says=[
            "lock timeout", f'Blocked by: pid {pid} ("nightly-report", user postgres, idle in transaction, transaction open for', "holds AccessShareLock",
            "Nothing of 001_a", f"SELECT pg_terminate_backend({pid});", "--retry-for",
        ],
    )  # fmt: skip
    assert not database.holds("other")


def test_one_connection_is_enough(database, folder, tidelock, prepared, proxy):
    url = database.server.url(database.name, port=proxy.port)
    with reader(database) as blocker:
        running = tidelock.start("deploy", "--connections", "1", url=url)
        running.wait_for_line("attempt 1 was rolled back")
        blocker.execute("COMMIT")
        running.wait().succeeds(applied=["001_a"])
    assert proxy.connections == 1


def test_a_short_deployment_opens_no_second_connection(database, folder, tidelock, prepared, proxy):
    tidelock("deploy", url=database.server.url(database.name, port=proxy.port)).succeeds(applied=["001_a"])
    assert proxy.connections == 1


def test_a_long_statement_is_watched(database, folder, tidelock, prepared, tmp_path):
    folder.replace("001_a", "LOCK TABLE busy; SELECT pg_sleep(600)")
    status = tmp_path / "status.prom"
    with contextlib.ExitStack() as stack:
        running = tidelock.start("deploy", "--max-blocked-for", "0", "--status-file", status)
        wait_until(lambda: database.query("SELECT 1 FROM pg_locks WHERE relation = 'busy'::regclass AND mode = 'AccessExclusiveLock' AND granted"), "the lock")
        applications = [stack.enter_context(psycopg.connect(database.url(), autocommit=True)) for _ in range(3)]
        threads = [threading.Thread(target=connection.execute, args=["SELECT * FROM busy"]) for connection in applications]
        for thread in threads:
            thread.start()
        running.wait_for_line("3 sessions blocked by this run")
        wait_until(lambda: samples(status)["tidelock_blocked_sessions"] == 3, "the metric")
        running.signal()
        result = running.wait()
        for thread in threads:
            thread.join()
    assert result.code == 143 and samples(status)["tidelock_blocked_sessions"] == 0


@pytest.mark.fault
@pytest.mark.parametrize("limit", [["--max-blocked-for", "1s"], ["--max-blocked", "2"]])
def test_what_keeps_the_application_waiting_is_cancelled(database, folder, tidelock, prepared, limit):
    """Again and again, with rests between, until its time is over."""
    folder.replace("001_a", "CREATE TABLE other (); LOCK TABLE busy; SELECT pg_sleep(600)")
    is_over = threading.Event()

    def work():
        with psycopg.connect(database.url(), autocommit=True) as connection:
            while not is_over.is_set():
                connection.execute("SELECT * FROM busy")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        result = tidelock("deploy", *limit, "--retry-for", "8s")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    result.fails(exit=9, says=["it blocked", "attempt 1 was rolled back", "in 8.0 s", "It held its lock for too long", "Nothing of 001_a"])
    assert not database.holds("other") and len(database.ledger()) == 1


def test_an_idle_transaction_is_ended_when_that_is_allowed(database, folder, tidelock, prepared, role):
    with reader(database, user=role) as blocker:
        result = tidelock("deploy", "--terminate-idle-in-transaction", "1s").succeeds(applied=["001_a"])
        assert f"ended the session of pid {blocker.info.backend_pid} " in result.errors
        with pytest.raises(psycopg.OperationalError):
            blocker.execute("SELECT 1")


def test_a_long_statement_is_cancelled_when_that_is_allowed(database, folder, tidelock, prepared, role):
    with reader(database, user=role) as blocker:
        refused = []

        def read():
            try:
                blocker.execute("SELECT pg_sleep(600) FROM busy")
            except psycopg.errors.QueryCanceled as error:
                refused.append(error)
                blocker.execute("ROLLBACK")

        thread = threading.Thread(target=read)
        thread.start()
        result = tidelock("deploy", "--cancel-blockers", "1s").succeeds(applied=["001_a"])
        thread.join()
    assert "cancelled the statement of pid" in result.errors and len(refused) == 1


@pytest.mark.parametrize("name, user", [("nightly-report", "postgres"), ("tidelock elsewhere", None)])
def test_a_superuser_and_another_of_us_are_never_touched(database, folder, tidelock, prepared, role, name, user):
    with reader(database, name=name, user=user or role) as blocker:
        result = tidelock("deploy", "--terminate-idle-in-transaction", "1s", "--retry-for", "3s").fails(exit=9)
        blocker.execute("SELECT 1")
        pid = blocker.info.backend_pid
    assert "tidelock: ended the session" not in result.errors
    why = "it belongs to a superuser" if user else "it is one of tidelock"
    [said] = [line for line in result.errors.splitlines() if "warning: not ending the session of pid" in line]
    assert f"pid {pid} (" in said and said.endswith(f"which holds AccessShareLock: {why}")
    assert f"(not ended, as {why})" in result.errors


def test_what_a_role_may_not_see_is_said(database, folder, tidelock, prepared, role):
    database.query(f"ALTER TABLE busy OWNER TO {role}; ALTER TABLE _prisma_migrations OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}")
    with reader(database) as blocker:
        running = tidelock.start("deploy", "--terminate-idle-in-transaction", "1s", "--retry-for", "1m", url=database.url().replace("postgres@", f"{role}@"))
        running.wait_for_line(f"block other sessions: held up by pid {blocker.info.backend_pid} (")
        for _ in range(20):
            assert database.query("SELECT 1 FROM pg_locks WHERE NOT granted") == []
        blocker.execute("COMMIT")
        result = running.wait().succeeds(applied=["001_a"])
    assert "ended the session" not in result.errors


@pytest.fixture
def eager(servers, folder, binary):
    """A database of a server whose autovacuum comes at once, and the tool for it."""
    server = Server(distribution_major(), servers.binaries[distribution_major()], settings=["autovacuum_naptime=1s"])
    tool = Tool(binary, Database(server, "eager"), folder)
    yield tool
    tool.clean_up()
    server.remove()


def test_an_autovacuum_is_waited_for_until_it_gives_way(eager, folder):
    """It does so only after deadlock_timeout, a second: none of the short tries would ever get through."""
    database = eager.database
    folder.add("000_before", "CREATE TABLE busy (id int PRIMARY KEY)")
    eager("deploy").succeeds()
    folder.add("001_a", "ALTER TABLE busy ADD COLUMN c int")
    database.query("ALTER TABLE busy SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)")
    database.query("INSERT INTO busy SELECT generate_series(1, 200000); DELETE FROM busy WHERE id % 2 = 0")
    find = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%%busy%%'"
    wait_until(lambda: database.query(find), "an autovacuum of the table", 120)
    result = eager("deploy").succeeds(applied=["001_a"])
    assert "autovacuum worker" in result.errors


def test_a_second_connection_that_is_refused_stops_nothing(database, folder, tidelock, prepared, role):
    database.query(f"ALTER TABLE busy OWNER TO {role}; ALTER TABLE _prisma_migrations OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}; ALTER ROLE {role} CONNECTION LIMIT 1")
    with reader(database) as blocker:
        running = tidelock.start("deploy", url=database.url().replace("postgres@", f"{role}@"))
        running.wait_for_line("continuing without a second connection")
        blocker.execute("COMMIT")
        running.wait().succeeds(applied=["001_a"])


@pytest.fixture
def big(database, folder, tidelock):
    """An index that waits, half built or not begun, for a writer."""
    folder.add("000_big", "CREATE TABLE big AS SELECT i AS id FROM generate_series(1, 20000) AS i")
    tidelock("deploy").succeeds()
    folder.add("001_index", "CREATE INDEX CONCURRENTLY big_id ON big (id)")


@pytest.mark.every_major
def test_a_concurrent_index_names_whom_it_waits_for_and_how_far_it_is(database, folder, tidelock, big, tmp_path):
    status = tmp_path / "status.prom"
    with reader(database, then="UPDATE big SET id = 0 WHERE id = 1") as writer:
        running = tidelock.start("deploy", "--status-file", status)
        running.wait_for_line(f'blocked: held up by pid {writer.info.backend_pid} ("nightly-report"')
        running.wait_for_line("create index concurrently: waiting for writers before build")
        wait_until(lambda: samples(status)["tidelock_blocked_by_sessions"] == 1, "the metric")
        writer.execute("COMMIT")
        running.wait().succeeds(applied=["001_index"])
    assert samples(status)["tidelock_blocked_by_sessions"] == 0


def test_on_a_terminal_it_is_a_passing_line(database, folder, tidelock, big, binary):
    """Replaced in place, gone before any other line, and never wider than the terminal."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with reader(database, then="UPDATE big SET id = 0 WHERE id = 1") as writer:
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database.url(), "TERM": "xterm", "NO_COLOR": "1"}
        process = subprocess.Popen([binary, "deploy"], cwd=folder.root, env=environment, stdout=subprocess.DEVNULL, stderr=other)
        os.close(other)
        seen = b""
        while b"create index concurrently: w" not in seen:
            seen += os.read(main, 4096)
        writer.execute("COMMIT")
        assert process.wait() == 0
    with contextlib.suppress(OSError):
        while more := os.read(main, 4096):
            seen += more
    os.close(main)
    passing = [line for line in re.split(rb"\r\x1b\[K|\r?\n", seen) if b"create index concurrently: " in line]
    assert passing and all(len(line) <= 59 for line in passing) and passing[0].startswith(b"create index concurrently: w")
    assert seen.endswith(b"\n") and "\r\x1b[Ktidelock: ✓ applied 001_index".encode() in seen
