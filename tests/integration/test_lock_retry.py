"""A table that others hold: short waits, rests between them, the whole transaction again; never for ever, never twice."""

import signal

import pytest
from metrics import samples
from wait import wait_until

FLAKY = "DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '{code}'; END IF; END $$;"
MODES = {
    "atomic": "UPDATE counter SET n = n + 1; {flaky}",
    "self-managed": "BEGIN; UPDATE counter SET n = n + 1; {flaky} COMMIT; UPDATE counter SET n = n + 10;",
    "stepwise": "CREATE INDEX CONCURRENTLY ON counter (n); {flaky} UPDATE counter SET n = n + 1;",
}


@pytest.fixture
def busy(database):
    database.query("CREATE TABLE busy (id int PRIMARY KEY); INSERT INTO busy VALUES (1)")
    with database.connect() as reader:
        reader.execute("BEGIN; SELECT * FROM busy")
        yield reader


# What its text does not say is tried first, however old the reader is.
HIDDEN = "DO 'BEGIN ALTER TABLE busy ADD COLUMN c int; END'"


def prepare(tidelock, folder):
    """A ledger beside the tables that are there already."""
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()


@pytest.mark.every_major
def test_it_gets_through_when_the_reader_ends(database, folder, tidelock, busy):
    prepare(tidelock, folder)
    folder.add("001_a", f"CREATE TABLE other (); {HIDDEN}")
    running = tidelock.start("deploy")
    running.wait_for_line("lock timeout at line 1: attempt 1 was rolled back")
    assert not database.holds("other")
    # Nobody queues behind us while it rests; while it tries, for a second at most.
    database.query("SET statement_timeout = '20s'; SELECT * FROM busy")
    busy.execute("COMMIT")
    running.wait().succeeds(applied=["001_a"])
    assert [row.name for row in database.ledger()] == ["000_before", "001_a"]


def test_it_is_given_up_after_a_time(database, folder, tidelock, busy):
    prepare(tidelock, folder)
    folder.add("001_a", f"CREATE TABLE other (); {HIDDEN}")
    result = tidelock("deploy", "--retry-for", "2s")
    result.fails(exit=9, says=["lock timeout", "Gave up after", "attempts in 2.0 s", "Nothing of 001_a", "--retry-for"], at="migration.sql:1:24")
    assert not database.holds("other") and len(database.ledger()) == 1
    result = tidelock("deploy", "--retry-for", "0").fails(exit=9, says="lock timeout")
    assert "retrying" not in result.errors
    busy.execute("COMMIT")
    tidelock("deploy").succeeds(applied=["001_a"])


@pytest.mark.parametrize("directive", ["lock-timeout=300ms", "retry-for=1s", "lock-timeout=100ms retry-for=1s"])
def test_a_script_may_say_its_own_times(database, folder, tidelock, busy, directive):
    prepare(tidelock, folder)
    folder.add("001_a", f"-- tidelock: {directive}\nALTER TABLE busy ADD COLUMN c int")
    tidelock("deploy", *([] if "retry" in directive else ["--retry-for", "1s"])).fails(exit=9)


@pytest.mark.parametrize("code", ["55P03", "40P01", "40001"])
@pytest.mark.parametrize("mode", MODES)
def test_what_another_session_caused_is_tried_again_exactly_once(database, folder, tidelock, mode, code):
    folder.add("000_counter", "CREATE SEQUENCE tries; CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)")
    folder.add("001_a", MODES[mode].format(flaky=FLAKY.format(code=code)))
    tidelock("deploy").succeeds()
    assert database.value("SELECT n FROM counter") == (11 if mode == "self-managed" else 1)
    assert database.value("SELECT last_value FROM tries") == 3
    assert database.applied() == ["000_counter", "001_a"] and len(database.ledger()) == 2


@pytest.mark.parametrize("mode", MODES)
def test_the_retries_are_counted(database, folder, tidelock, tmp_path, mode):
    folder.add("000_counter", "CREATE SEQUENCE tries; CREATE TABLE counter (n int)")
    folder.add("001_a", MODES[mode].format(flaky=FLAKY.format(code="40P01")))
    status = tmp_path / "status.prom"
    tidelock("deploy", "--status-file", status).succeeds()
    assert samples(status)['tidelock_retries_total{reason="deadlock"}'] == 2


def test_a_real_deadlock(database, folder, tidelock, busy):
    """Whoever looks for one while there is one is ended by the server: here it is the migration, and it comes back."""
    database.query("CREATE TABLE second ()")
    prepare(tidelock, folder)
    until = "EXISTS (SELECT FROM pg_locks WHERE relation = 'second'::regclass AND NOT granted) OR to_regclass('over') IS NOT NULL"
    loop = f"DO $$ BEGIN WHILE NOT ({until}) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
    folder.add("001_a", f"-- tidelock: lock-timeout=30s\nSET LOCAL deadlock_timeout = '10ms'; LOCK TABLE second; {loop}; LOCK TABLE busy")
    running = tidelock.start("deploy")
    wait_until(lambda: database.query("SELECT 1 FROM pg_locks WHERE relation = 'second'::regclass AND granted"), "the migration to be there")
    busy.execute("SET deadlock_timeout = '1h'; LOCK TABLE second; CREATE TABLE over ()")
    busy.execute("COMMIT")
    running.wait().succeeds(applied=["001_a"], says="the server ended a deadlock with another session")


def test_a_row_is_waited_for_longer(database, folder, tidelock, busy):
    """It keeps nobody from the table: a script of a thousand updates must not start over for each of them."""
    prepare(tidelock, folder)
    busy.execute("UPDATE busy SET id = 2")
    folder.add("001_a", "UPDATE busy SET id = id + 10")
    running = tidelock.start("deploy")
    waiting = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%UPDATE busy%%' AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '2 s'"
    wait_until(lambda: database.query(waiting), "the migration to be there")
    busy.execute("COMMIT")
    result = running.wait().succeeds(applied=["001_a"])
    assert "lock timeout" not in result.errors and database.value("SELECT id FROM busy") == 12


def test_the_scripts_own_limit_stays(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE seen (v text); SET LOCAL lock_timeout = '77ms'; INSERT INTO seen SELECT current_setting('lock_timeout'); CREATE TABLE b ()")
    folder.add("002_b", "CREATE TABLE c (); INSERT INTO seen SELECT current_setting('lock_timeout'); CREATE TABLE d (); INSERT INTO seen SELECT current_setting('lock_timeout')")
    tidelock("deploy").succeeds()
    assert database.query("SELECT v FROM seen") == [("77ms",), ("25ms",), ("25ms",)]


def test_a_signal_ends_the_rest(database, folder, tidelock, busy):
    prepare(tidelock, folder)
    folder.add("001_a", HIDDEN)
    running = tidelock.start("deploy")
    running.wait_for_line("attempt 1 was rolled back")
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=143, says="Nothing of 001_a")


def test_a_signal_cancels_a_later_try(database, folder, tidelock):
    folder.add("000_counter", "CREATE SEQUENCE tries")
    folder.add("001_a", FLAKY.format(code="55P03") + "CREATE TABLE slow (); SELECT pg_sleep(600)")
    running = tidelock.start("deploy")
    wait_until(lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND query LIKE '%%pg_sleep%%' AND wait_event = 'PgSleep'"), "the migration to be there")
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=143, says="Nothing of 001_a")
    assert not database.holds("slow")
