"""A session that may only read is nobody's mistake: a writable one is waited for, on every host; no row is left, no script is blamed."""

import contextlib

import psycopg
import pytest
from servers import Server, distribution_major
from wait import wait_until

SHORT = ("--connect-deadline", "1s")


@pytest.fixture
def login(server, database):
    """A role of its own that owns the database: what is set for it does not concern other tests."""
    server.query(f'CREATE ROLE "{database.name}" LOGIN')
    server.query(f'ALTER DATABASE "{database.name}" OWNER TO "{database.name}"')
    database.query(f'ALTER SCHEMA public OWNER TO "{database.name}"')
    yield server.url(database.name, user=database.name)
    database.drop()
    server.query(f'DROP ROLE "{database.name}"')


SETTERS = {
    "database": "ALTER DATABASE {0} {1} default_transaction_read_only",
    "role": "ALTER ROLE {0} {1} default_transaction_read_only",
    "both": "ALTER ROLE {0} IN DATABASE {0} {1} default_transaction_read_only",
}


@pytest.mark.fault
@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("has_ledger", [False, True])
def test_it_says_who_set_it_and_following_that_helps(server, database, folder, tidelock, login, setter, has_ledger):
    folder.add("001_a", "CREATE TABLE a ()")
    if has_ledger:
        tidelock("deploy", url=login).succeeds()
    name = f'"{database.name}"'
    server.query(SETTERS[setter].format(name, "SET") + " = on")
    if has_ledger:
        tidelock("deploy", url=login).succeeds(says="No pending")
        tidelock("deploy", "--strict", url=login).succeeds()
        tidelock("status", "--exit-code", url=login).succeeds()
        folder.add("002_b", "CREATE TABLE b ()")
    remedy = SETTERS[setter].format(name, "RESET") + ";"
    result = tidelock("deploy", *SHORT, url=login)
    result.fails(exit=3, says=["the session is read-only", remedy, "Not applied: 1 pending migration"])
    assert "Correct" not in result.errors and "could not record" not in result.errors
    if has_ledger:
        tidelock("resolve", "--applied", "002_b", *SHORT, url=login).fails(exit=3, says=remedy)
    tidelock("baseline", *SHORT, url=login).fails(exit=3, says=remedy)
    server.query(remedy)
    tidelock("deploy", url=login).succeeds(applied=["002_b" if has_ledger else "001_a"])
    assert len(database.ledger()) == 1 + has_ledger


@pytest.mark.fault
@pytest.mark.every_major
def test_it_waits_until_writing_is_allowed(server, database, folder, tidelock, login):
    folder.add("001_a", "CREATE TABLE a ()")
    server.query(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    running = tidelock.start("deploy", url=login)
    running.wait_for_line("waiting for a session that may write")
    server.query(f'ALTER DATABASE "{database.name}" RESET default_transaction_read_only')
    running.wait().succeeds(applied=["001_a"])


@pytest.mark.fault
def test_what_the_script_sets_itself_is_its_failure(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.add("002_b", "SET TRANSACTION READ ONLY;\nCREATE TABLE b ();")
    tidelock("deploy").fails(exit=6, says=["read-only transaction", "Nothing of 002_b", "makes its own transaction read-only: correct it"])
    folder.replace("002_b", "-- tidelock: transaction=off\nSET default_transaction_read_only = on;\nCREATE TABLE b ();")
    assert tidelock("deploy").code in (6, 7)


@pytest.fixture
def own(servers):
    server = Server(distribution_major(), servers.binaries[distribution_major()])
    server.query("CREATE DATABASE app")
    yield server
    server.remove()


SCRIPTS = {
    "atomic": "CREATE TABLE a ();\nSELECT pg_advisory_xact_lock(5);",
    "self-managed": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nSELECT pg_advisory_xact_lock(5);\nCREATE TABLE b ();",
    "stepwise": "-- tidelock: transaction=off\nCREATE TABLE a ();\nSELECT pg_advisory_xact_lock(5);\nCREATE TABLE b ();",
}


@pytest.mark.fault
@pytest.mark.parametrize("mode", SCRIPTS)
def test_a_server_that_becomes_read_only_in_the_middle_is_waited_for(own, binary, folder, mode):
    from tool import Tool

    tool = Tool(binary, None, folder)
    with contextlib.ExitStack() as stack:
        stack.callback(tool.clean_up)
        folder.add("001_a", SCRIPTS[mode])
        folder.add("002_b", "CREATE TABLE c ()")
        holder = stack.enter_context(psycopg.connect(own.url("app"), autocommit=True))
        holder.execute("SELECT pg_advisory_lock(5)")
        running = tool.start("deploy", "--retry-for", "1m", url=own.url("app"))
        wait_until(lambda: holder.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall(), "the script to wait")
        own.query("ALTER SYSTEM SET default_transaction_read_only = on")
        own.query("SELECT pg_reload_conf()")
        wait_until(lambda: holder.execute("SHOW default_transaction_read_only").fetchone() == ("on",), "the setting")
        holder.execute("SELECT pg_advisory_unlock(5)")
        running.wait_for_line("waiting for a session that may write")
        holder.execute("SET default_transaction_read_only = off")
        holder.execute("ALTER SYSTEM RESET default_transaction_read_only")
        holder.execute("SELECT pg_reload_conf()")
        running.wait().succeeds()
        rows = own.query("SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NULL FROM _prisma_migrations ORDER BY 1", database="app")
        assert rows == [("001_a", True, True), ("002_b", True, True)]


@pytest.mark.fault
def test_a_standby_is_passed_over_and_a_promotion_waited_for(own, servers, binary, folder):
    from tool import Tool

    tool = Tool(binary, None, folder)
    with contextlib.ExitStack() as stack:
        stack.callback(tool.clean_up)
        standby = Server(own.major, own.binaries, primary=own)
        stack.callback(standby.remove)
        folder.add("001_a", "CREATE TABLE a ()")
        tool("deploy", *SHORT, url=standby.url("app")).fails(exit=3, says=["read-only standby", "primary", "Not applied: 1 pending", "exit      3: the database did not accept writes before the deadline: a standby, or read-only by a setting; a retry may help"])
        both = f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{own.port}/app"
        tool("deploy", url=both).succeeds(applied=["001_a"])
        holds = "SELECT to_regclass('_prisma_migrations') IS NOT NULL"
        wait_until(lambda: standby.query(holds, database="app") == [(True,)], "replication")
        tool("deploy", url=standby.url("app")).succeeds(says="No pending")
        folder.add("002_b", "CREATE TABLE b ()")
        running = tool.start("deploy", url=standby.url("app"))
        running.wait_for_line("waiting for a session that may write", "read-only standby")
        own.stop()
        standby.query("SELECT pg_promote()")
        running.wait().succeeds(applied=["002_b"])
