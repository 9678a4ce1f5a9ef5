"""A prepared transaction is seen, named, kept away from; and what helps is said."""

import contextlib

import pytest
from servers import Database, Server
from wait import wait_until

GID = "orphan's x"
QUOTED = "'orphan''s x'"


@pytest.fixture(scope="session")
def preparing(servers, major):
    if major not in servers.binaries:
        pytest.skip(f"PostgreSQL {major} could not be installed")
    server = Server(major, servers.binaries[major], ["max_prepared_transactions=10"])
    yield server
    server.remove()


@pytest.fixture
def database(preparing, request):
    database = Database(preparing, request.node.name.split("[")[0][:50])
    yield database
    for gid, name in preparing.query("SELECT gid, database FROM pg_prepared_xacts"):
        preparing.query("ROLLBACK PREPARED " + "'" + gid.replace("'", "''") + "'", database=name)
    database.drop()


def prepare(database, *statements, gid=GID):
    with database.connect() as session:
        session.execute("BEGIN")
        for statement in statements:
            session.execute(statement)
        session.execute("PREPARE TRANSACTION " + "'" + gid.replace("'", "''") + "'")


@pytest.fixture
def table(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 100)")
    tidelock("deploy").succeeds()


MODES = {
    "atomic": "ALTER TABLE t ADD COLUMN x int;",
    "self-managed": "BEGIN; ALTER TABLE t ADD COLUMN x int; COMMIT;",
    "stepwise": "-- tidelock: transaction=off\nALTER TABLE t ADD COLUMN x int;",
    "backfill": "-- tidelock: backfill t\nUPDATE t SET n = 1 WHERE n IS NULL",
}


@pytest.mark.fault
@pytest.mark.every_major
@pytest.mark.parametrize("mode", MODES)
def test_its_name_and_what_ends_it_are_said(database, folder, tidelock, table, mode):
    prepare(database, "UPDATE t SET n = 0 WHERE id = 7")
    prepare(database, "SELECT * FROM pg_class", gid="innocent")
    folder.add("002_x", MODES[mode])
    wait_until(lambda: database.value("SELECT min(now() - prepared) > '2s' FROM pg_prepared_xacts"), "an age at which it is not queued behind")
    result = tidelock("deploy", "--retry-for", "4s")
    # The rows before the one that is locked are committed.
    result.fails(exit=9, says=[f'the prepared transaction "{GID}"', f"ROLLBACK PREPARED {QUOTED}; (or COMMIT PREPARED {QUOTED};)"])
    assert "innocent" not in result.errors and "table is free" not in result.errors and "pid 0" not in result.errors
    assert mode == "backfill" or "not queueing for AccessExclusiveLock on t" in result.errors
    database.query(f"ROLLBACK PREPARED {QUOTED}")
    tidelock("deploy").succeeds(applied=["002_x"])


@pytest.mark.fault
@pytest.mark.every_major
def test_one_that_survived_a_restart_is_named_too(preparing, database, folder, tidelock, table):
    prepare(database, "UPDATE t SET n = 0 WHERE id = 7")
    preparing.stop("fast")
    preparing.start()
    folder.add("002_x", MODES["atomic"])
    tidelock("deploy", "--retry-for", "3s").fails(exit=9, says=[f'the prepared transaction "{GID}"', f"ROLLBACK PREPARED {QUOTED};"])


@pytest.mark.fault
@pytest.mark.every_major
def test_an_index_that_waits_for_one_says_so(database, folder, tidelock, table):
    prepare(database, "UPDATE t SET n = 0 WHERE id = 7")
    folder.add("002_i", "CREATE INDEX CONCURRENTLY i ON t (n)")
    running = tidelock.start("deploy")
    running.wait_for_line("blocked: held up by", f'the prepared transaction "{GID}"', f"ROLLBACK PREPARED {QUOTED};")
    database.query(f"COMMIT PREPARED {QUOTED}")
    running.wait().succeeds(applied=["002_i"])


@pytest.mark.fault
def test_one_in_another_database_is_named_with_it(preparing, database, folder, tidelock, table):
    with contextlib.ExitStack() as stack:
        other = Database(preparing, "elsewhere")
        stack.callback(other.drop)
        preparing.query("CREATE ROLE held")
        stack.callback(preparing.query, "DROP ROLE held")
        prepare(other, "ALTER ROLE held CREATEDB")
        stack.callback(lambda: preparing.query(f"ROLLBACK PREPARED {QUOTED}", database="elsewhere"))
        folder.add("002_r", "ALTER ROLE held CREATEROLE")
        result = tidelock("deploy", "--retry-for", "3s")
        result.fails(exit=9, says=['(in database "elsewhere"', f'in database "elsewhere": ROLLBACK PREPARED {QUOTED};'])
        wait_until(lambda: not database.query("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%'"), "it to end")
