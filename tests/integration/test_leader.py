"""The leader lock: one process changes the database, the others look, go away, and look again."""

import re
import subprocess

import psycopg
import pytest
from shared_session import PGLITE, Pglite, SharedSession
from tool import wait_for_session
from wait import wait_until


# Until somebody else has the leader lock.
WAIT_FOR_THIEF = """
CREATE FUNCTION wait_for_thief() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND pid <> pg_backend_pid() AND granted)
  LOOP PERFORM pg_sleep(0.01); END LOOP; END $$
"""

# Until a row is in the table, which a transaction sees whatever its snapshot: it is looked at through its size.
WAIT_FOR_GATE = """
CREATE FUNCTION wait_for_gate() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
  WHILE pg_relation_size('opened') = 0 LOOP PERFORM pg_sleep(0.01); END LOOP; END $$
"""


def test_five_followers_do_not_disturb_a_concurrent_index(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
    tidelock("deploy").succeeds()
    folder.add("002_index", "CREATE INDEX CONCURRENTLY t_idx ON t (id);\nCREATE TABLE done ();")

    # An open writer keeps the statement waiting, a follower's snapshot would keep it for ever.
    with database.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE t SET id = id WHERE id = 1")
        leader = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        followers = [tidelock.start("deploy") for _ in range(5)]
        for follower in followers:
            follower.wait_for_line("waiting for the leader")
        writer.execute("COMMIT")
    leader.wait().succeeds(applied=["002_index"])
    for follower in followers:
        follower.wait().succeeds(says="No pending")
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_idx'::regclass")
    assert len(database.ledger()) == 2


def test_a_follower_names_the_holder_and_holds_no_connection(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    with database.connect() as other:
        other.execute("SET application_name = 'somebody else'")
        other.execute("SELECT pg_advisory_lock(72707369)")
        pid = other.execute("SELECT pg_backend_pid()").fetchone()[0]
        result = tidelock("deploy", "--leader-timeout", "1s")
        result.fails(exit=4, says=["P1002", f"pid {pid}", "somebody else", f"pg_terminate_backend({pid})", "--leader-timeout"])
    tidelock("deploy").succeeds(applied=["001_t"])


def test_it_never_waits_inside_a_lock_function(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("deploy")
        log = database.server.log
        wait_until(lambda: log.read_text(errors="replace").count("pg_try_advisory_lock") > 1, "two looks")
        assert not database.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 72707369")
    running.wait().succeeds(applied=["001_t"])
    assert not re.search(r"pg_advisory_lock\(\d+\).*tidelock", log.read_text(errors="replace"))


def test_many_at_once_apply_everything_once(database, folder, tidelock):
    for number in range(15):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} (id int)")
    deployments = [tidelock.start("deploy") for _ in range(8)]
    for deployment in deployments:
        deployment.wait().succeeds()
    assert len(database.ledger()) == 15
    assert database.applied() == [f"{number:03}_t" for number in range(15)]


def test_a_lock_stolen_between_two_migrations_is_noticed(database, folder, tidelock):
    # Gives all locks away and waits until somebody else has taken the leader lock.
    folder.add("001_give", "-- tidelock: transaction=off\nSELECT pg_advisory_unlock_all();\nSELECT count(*) FROM wait_for_thief();")
    folder.add("002_more", "CREATE TABLE more ()")
    database.query(WAIT_FOR_THIEF)
    running = tidelock.start("deploy")
    wait_for_session(database, "wait_for_thief")
    with database.connect() as thief:
        # The transaction in progress holds the key, too: until it ends nobody else gets it.
        thief.execute("SET lock_timeout = '300ms'")
        assert thief.execute("SELECT pg_try_advisory_lock(72707369)").fetchone()[0] is False
    running.kill()


def test_a_lock_that_a_script_gives_away_is_taken_again(database, folder, tidelock):
    """Before anybody can see what was committed, so that nobody gets it while the next statement runs on its own."""
    folder.add("001_t", "CREATE TABLE t AS SELECT 1 AS id")
    tidelock("deploy").succeeds()
    folder.add("002_give", "SELECT pg_advisory_unlock_all();\nCREATE INDEX CONCURRENTLY t_id ON t (id);")
    with database.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE t SET id = 2")
        running = tidelock.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        with database.connect() as thief:
            assert thief.execute("SELECT pg_try_advisory_lock(72707369)").fetchone()[0] is False
        writer.execute("COMMIT")
    running.wait().succeeds(applied=["002_give"])


@pytest.mark.fault
@pytest.mark.parametrize("gives", ["SELECT pg_advisory_unlock_all()", "SELECT pg_advisory_unlock(72707369)", "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$"])
@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION ISOLATION LEVEL REPEATABLE READ; LOCK TABLE pushed IN SHARE MODE"])
def test_a_block_cannot_give_the_lead_away(database, folder, tidelock, gives, begin):
    database.query("CREATE TABLE pushed (); CREATE TABLE counter AS SELECT 0 AS n; CREATE TABLE opened ();" + WAIT_FOR_GATE)
    tidelock("baseline").succeeds()
    folder.add("001_give", f"{begin};\n{gives};\nSELECT count(*) FROM wait_for_gate();\nUPDATE counter SET n = n + 1;\nCOMMIT;\nCREATE TABLE more ();")
    running = tidelock.start("deploy")
    wait_for_session(database, "FROM wait_for_gate")
    other = tidelock.start("deploy")
    other.wait_for_line("waiting for the leader")
    with database.connect() as thief:
        assert not thief.execute("SELECT pg_try_advisory_lock(72707369)").fetchone()[0]
    database.query("INSERT INTO opened DEFAULT VALUES")
    running.wait().succeeds(applied=["001_give"])
    other.wait().succeeds(says="No pending")
    assert database.value("SELECT n FROM counter") == 1 and database.holds("more")


def deploy_three_at_once(tidelock, url):
    """PGlite never answers a question that arrives between another client's error and its Sync: who hears nothing is stopped."""
    running = [tidelock.start("deploy", url=url) for _ in range(3)]
    return [ends_or_is_stopped(one) for one in running]


def ends_or_is_stopped(deployment):
    try:
        return deployment.wait(20)
    except subprocess.TimeoutExpired:
        deployment.signal()
        return deployment.wait()


def add_payments(folder):
    folder.add("001_account", "CREATE TABLE account (amount int); INSERT INTO account VALUES (0)")
    for number in range(2, 6):
        folder.add(f"00{number}_pay", "UPDATE account SET amount = amount + 100; SELECT pg_sleep(0.2)")


@pytest.mark.fault
def test_a_session_that_all_clients_share_is_led_once(tidelock, folder):
    """A session's lock is granted to every one of its clients: behind PGlite's socket each transaction takes it instead. There two clients may
    overwrite each other's unnamed statements between transactions, which is an error and changes nothing."""
    if not PGLITE.exists():
        pytest.skip("pglite could not be installed")
    pglite = Pglite()
    try:
        add_payments(folder)
        for result in deploy_three_at_once(tidelock, pglite.url()):
            assert result.code in (0, 143) or "while     running query" in result.errors, result.errors
        tidelock("deploy", url=pglite.url()).succeeds()
        with psycopg.connect(pglite.url(), autocommit=True, prepare_threshold=None) as connection:
            assert connection.execute("SELECT amount FROM account").fetchall() == [(400,)]
            names = connection.execute("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1").fetchall()
            assert [name for (name,) in names] == sorted(path.name for path in folder.path.iterdir() if path.is_dir())
    finally:
        pglite.close()


@pytest.mark.fault
def test_a_stepwise_migration_is_refused_where_all_clients_share_a_session(tidelock, folder):
    """Whatever they overwrite of each other: no migration has failed."""
    if not PGLITE.exists():
        pytest.skip("pglite could not be installed")
    pglite = Pglite()
    try:
        folder.add("001_t", "CREATE TABLE t ()")
        folder.add("002_stepwise", "-- tidelock: transaction=off\nCREATE TABLE u ()")
        for _ in range(3):
            for result in deploy_three_at_once(tidelock, pglite.url()):
                assert result.code in (2, 3, 4, 143), result.errors
        with psycopg.connect(pglite.url(), autocommit=True, prepare_threshold=None) as connection:
            assert connection.execute("SELECT to_regclass('u')").fetchone() == (None,)
    finally:
        pglite.close()


OURS = {
    "checking for a pooler": "pg_stat_get_activity",
    "taking the lead": "pg_try_advisory_lock",
    "the start of a migration": "INSERT INTO",
    "its progress": "applied_steps_count = $2",
}


@pytest.mark.fault
@pytest.mark.parametrize("what", OURS)
def test_another_client_of_the_session_is_no_failure_of_a_migration(database, folder, tidelock, proxy, what):
    folder.add("001_t", "-- tidelock: transaction=off\nCREATE TABLE t (); CREATE TABLE u ()")
    url = database.server.url(database.name, port=proxy.port, sslmode="disable")
    seen = []

    def disturb(message):
        if message.direction == "client" and message.kind == "P" and OURS[what] in message.text and len(seen) < most:
            seen.append(message)
            return "misname"
        return None

    proxy.on_message, most = disturb, 1
    tidelock("deploy", url=url).succeeds(says="another client uses the same session of the server")
    assert len(seen) == 1 and database.applied() == ["001_t"]
    folder.add("002_t", "-- tidelock: transaction=off\nCREATE TABLE v ()")
    seen, most = [], 99
    tidelock("deploy", url=url).fails(exit=3, says=["another client uses the same session of the server", "DIRECT_URL"])


@pytest.mark.fault
def test_a_session_that_is_not_ours_alone_is_refused(database, tidelock, folder):
    """Whatever hands it out gives it the server's own process id, so that only the lock tells."""
    add_payments(folder)
    shared = SharedSession(database.server, database.name)
    try:
        results = deploy_three_at_once(tidelock, shared.url())
    finally:
        shared.close()
    assert [result.code for result in results].count(0) >= 1, [result.errors for result in results]
    for result in results:
        if result.code:
            result.fails(exit=2, says=["not ours alone", "This run has changed nothing", "DIRECT_URL"])
    assert database.value("SELECT amount FROM account") == 400
    assert len(database.ledger()) == 5


def test_who_is_overtaken_between_two_looks_is_content(database, folder, tidelock, proxy):
    folder.add("001_t", "CREATE TABLE t ()")
    seen = []

    def overtake(message):
        if message.direction == "client" and "transaction_read_only" in message.text and not seen:
            seen.append(message)
            tidelock("deploy").succeeds(applied=["001_t"])

    proxy.on_message = overtake
    tidelock("deploy", url=database.server.url(database.name, port=proxy.port)).succeeds(says="No pending")
    assert seen and len(database.ledger()) == 1
