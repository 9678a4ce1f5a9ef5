"""The leader lock: one process changes the database, the others look, go away, and look again."""

import re

import pytest
from tool import wait_for_session
from wait import wait_until


# Until somebody else has the leader lock.
WAIT_FOR_THIEF = """
CREATE FUNCTION wait_for_thief() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND pid <> pg_backend_pid() AND granted)
  LOOP PERFORM pg_sleep(0.01); END LOOP; END $$
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
    database.query("CREATE TABLE pushed (); CREATE TABLE counter AS SELECT 0 AS n")
    tidelock("baseline").succeeds()
    folder.add("001_give", f"{begin};\n{gives};\nSELECT pg_sleep(1);\nUPDATE counter SET n = n + 1;\nCOMMIT;\nCREATE TABLE more ();")
    running = tidelock.start("deploy")
    wait_for_session(database, "pg_sleep")
    other = tidelock.start("deploy")
    with database.connect() as thief:
        assert not thief.execute("SELECT pg_try_advisory_lock(72707369)").fetchone()[0]
    running.wait().succeeds(applied=["001_give"])
    other.wait().succeeds(says="No pending")
    assert database.value("SELECT n FROM counter") == 1 and database.holds("more")
