"""wait: until the database holds what this image needs, without ever writing."""

import signal

import pytest
from tool import Tool
from wait import wait_until


def test_it_returns_at_once_when_nothing_is_missing(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    tidelock("wait", "--leader-timeout", "0").succeeds(says="holds 1 of 1")


def test_it_never_applies_and_says_what_is_missing(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_t", "CREATE TABLE u ()")
    result = tidelock("wait", "--leader-timeout", "300ms")
    result.fails(exit=4, says=["lacks 2 of 2", 'The first missing migration is "001_t"', "no deployment is running"])
    assert database.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_it_ends_when_another_process_has_deployed(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_gate", "SELECT pg_sleep(0.01) FROM generate_series(1, 1000) WHERE NOT pg_try_advisory_xact_lock(7)")
    with database.connect() as gate:
        gate.execute("SELECT pg_advisory_lock(7)")
        waiting = tidelock.start("wait")
        waiting.wait_for_line("waiting for 2 migrations, first 001_t")
        leading = tidelock.start("deploy")
        waiting.wait_for_line("leads")
        gate.execute("SELECT pg_advisory_unlock(7)")
        leading.wait().succeeds(applied=["001_t", "002_gate"])
    waiting.wait().succeeds(says="holds all 2")


def test_it_holds_no_connection_between_looks(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    waiting = tidelock.start("wait")
    waiting.wait_for_line("waiting for 1 migration, first")
    ours = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND datname = %s"
    wait_until(lambda: not database.query(ours, database.name), "the connection to be given back")
    waiting.signal()
    waiting.wait().fails(exit=128 + signal.SIGTERM, says="stopped by SIGTERM")


def test_a_failed_migration_keeps_it_waiting(tidelock, folder, database):
    folder.add("001_half", "-- tidelock: transaction=off\nCREATE TABLE half (); SELECT 1/0;")
    tidelock("deploy").fails(exit=7)
    tidelock("wait", "--leader-timeout", "100ms").fails(exit=4, says=["lacks 1 of 1", "holds a failed migration", "tidelock status"])


def test_a_database_ahead_of_the_image_is_enough(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_newer", "CREATE TABLE u ()")
    tidelock("deploy").succeeds()
    folder.remove("002_newer")
    tidelock("wait", "--leader-timeout", "0").succeeds(says="holds 1 of 1")


def test_a_role_that_may_not_read_is_told_the_grant(tidelock, folder, database, binary):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    role = database.name + "_reader"
    database.query(f'CREATE ROLE "{role}" LOGIN')
    try:
        url = database.url().replace("postgres@", f"{role}@")
        reader = Tool(binary, database, folder)
        result = reader("wait", url=url).fails(exit=8, says=["42501", "GRANT SELECT ON"])
        grant = result.errors.split("Let the role read the ledger: ")[1].splitlines()[0]
        database.query(grant)
        reader("wait", "--leader-timeout", "0", url=url).succeeds()
    finally:
        database.query(f'DROP OWNED BY "{role}"')
        database.query(f'DROP ROLE "{role}"')


def test_run_can_wait_instead_of_deploying(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    assert tidelock("run", "--wait", "--leader-timeout", "100ms", "--", "echo", "up").fails(exit=4).out == ""
    tidelock("deploy").succeeds()
    assert tidelock("run", "--wait", "--", "echo", "up").succeeds().out == "up\n"


@pytest.mark.parametrize("option", ["--lock-timeout=1s", "--strict"])
def test_what_only_writers_know_is_refused(tidelock, folder, database, option):
    tidelock("wait", option).fails(exit=2, says="has no option")


@pytest.mark.fault
@pytest.mark.parametrize("command", [["deploy"], ["run", "--", "/bin/echo", "open"]], ids=["deploy", "run"])
def test_the_url_of_a_replica_is_read_before_anything_is_applied(database, folder, tidelock, command):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock(*command[:1], "--replica", "foo", *command[1:]).fails(exit=2, says="reading --replica")
    assert not database.holds("t")
