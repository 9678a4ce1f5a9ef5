"""Servers that are set up unusually, or run out of something: it works, or it fails cleanly and says why."""

import os
import shutil
import subprocess

import pytest
from servers import Database, Server
from tool import Tool

pytestmark = pytest.mark.libraries


@pytest.fixture
def owner(database):
    """A role that owns the database, and is nothing more."""
    role = f"owner_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN; ALTER DATABASE {database.name} OWNER TO {role}; GRANT ALL ON SCHEMA public TO {role}")
    yield role
    database.query(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def url_of(database, role, **parameters):
    return database.url(**parameters).replace("postgres@", f"{role}@")


MODES = {
    "atomic": "CREATE TABLE {name} (id int); INSERT INTO {name} VALUES (1)",
    "self-managed": "BEGIN; CREATE TABLE {name} (id int); COMMIT; INSERT INTO {name} VALUES (1)",
    "stepwise": "CREATE TABLE {name} (id int); CREATE INDEX CONCURRENTLY ON {name} (id); INSERT INTO {name} VALUES (1)",
    "backfill": "-- tidelock: backfill base\nUPDATE base SET n = n + 1",
}


def add_all(folder):
    folder.add("000_base", "CREATE TABLE base AS SELECT i AS id, 0 AS n FROM generate_series(1, 1000) AS i; ALTER TABLE base ADD PRIMARY KEY (id)")
    for number, (name, script) in enumerate(MODES.items()):
        folder.add(f"{number + 1:03}_{name}", script.format(name=f"made_{number}"))
    return ["000_base", *(f"{number + 1:03}_{name}" for number, name in enumerate(MODES))]


@pytest.mark.every_major
def test_an_owner_without_other_rights_can_use_every_mode(database, folder, tidelock, owner):
    names = add_all(folder)
    tidelock("deploy", url=url_of(database, owner)).succeeds(applied=names)
    assert database.query("SELECT min(n), max(n) FROM base") == [(1, 1)]


@pytest.mark.parametrize(
    "settings",
    [
        "statement_timeout = 500",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 100",
        "search_path = ''",
        "search_path = nowhere, public",
        "standard_conforming_strings = off",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "row_security = off",
        "client_min_messages = debug5",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = 0",
        "lc_messages = 'C'",
        "quote_all_identifiers = on",
        "array_nulls = off",
        "transform_null_equals = on",
        "enable_indexscan = off",
        "synchronous_commit = off",
    ],
)
def test_settings_of_the_role(database, folder, tidelock, owner, settings):
    names = add_all(folder)
    database.query(f"ALTER ROLE {owner} SET {settings}")
    tidelock("deploy", url=url_of(database, owner, schema="public")).succeeds(applied=names)
    assert tidelock("status", "--exit-code", url=url_of(database, owner, schema="public")).code == 0
    assert database.query("SELECT min(n), max(n) FROM base") == [(1, 1)]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_databases_in_other_encodings(server, database, folder, tidelock, encoding):
    names = add_all(folder)
    name = f"{database.name}_x"
    server.query(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    other = Database(server, name, is_there=True)
    try:
        tidelock("deploy", url=other.url()).succeeds(applied=names)
    finally:
        other.drop()


def test_row_security_on_the_ledger(database, folder, tidelock, owner):
    """A ledger whose rows are hidden from us must not look like an empty one."""
    names = add_all(folder)
    url = url_of(database, owner)
    tidelock("deploy", url=url).succeeds(applied=names)
    database.query("ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY")
    folder.add("100_next", "CREATE TABLE next_one ()")
    result = tidelock("deploy", url=url)
    assert result.code != 0 and not database.holds("next_one"), result.out
    assert len(database.applied()) == len(names)


def test_the_schema_public_renamed_or_gone(database, folder, tidelock):
    """A schema that is said is made; without one, nothing is guessed."""
    add_all(folder)
    database.query("ALTER SCHEMA public RENAME TO old")
    database.query("CREATE TABLE old.thing ()")
    tidelock("deploy", url=database.url(schema="app")).succeeds()
    assert database.query("SELECT min(n), max(n) FROM app.base") == [(1, 1)] and not database.holds("old.base")
    tidelock("deploy").fails(exit=2, says=["no schema in its search_path exists", "?schema="])
    assert not database.query("SELECT FROM pg_class WHERE relname = '_prisma_migrations' AND relnamespace <> 'app'::regnamespace")


def test_an_event_trigger_that_refuses(database, folder, tidelock):
    add_all(folder)
    tidelock("deploy").succeeds()
    database.query("CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no tables today''; END'")
    database.query("CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()")
    folder.add("100_next", "CREATE TABLE next_one ()")
    tidelock("deploy").fails(exit=6, says=["no tables today", "Nothing of 100_next"])
    database.query("DROP EVENT TRIGGER refuse")
    tidelock("deploy").succeeds(applied=["100_next"])


def test_a_flood_of_notices(database, folder, tidelock):
    folder.add("001_loud", "DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE NOTICE 'line %', repeat('x', 200); END LOOP; END $$")
    result = tidelock("deploy").succeeds(applied=["001_loud"])
    assert "line xxx" in result.errors


def test_too_many_locks_for_the_server(server, folder, binary):
    own = Server(server.major, server.binaries, ["max_locks_per_transaction=10", "max_connections=20"])
    try:
        database = Database(own, "app")
        tidelock = Tool(binary, database, folder)
        folder.add("001_many", "DO $$ BEGIN FOR i IN 1..20000 LOOP EXECUTE format('CREATE TABLE t_%s ()', i); END LOOP; END $$")
        tidelock("deploy").fails(exit=6, says=["53200", "max_locks_per_transaction", "Nothing of 001_many"])
        assert database.value("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_%'") == 0
        folder.replace("001_many", "CREATE TABLE t_1 ()")
        tidelock("deploy").succeeds(applied=["001_many"])
    finally:
        own.remove()


def test_a_server_that_crashes_in_the_middle(server, folder, binary):
    """Crash recovery takes a moment; what was not committed is done again, what was is not."""
    own = Server(server.major, server.binaries)
    try:
        database = Database(own, "app")
        tidelock = Tool(binary, database, folder)
        names = add_all(folder)
        folder.add("100_slow", "CREATE TABLE slow (); SELECT pg_sleep(1)")
        running = tidelock.start("deploy", "--connect-deadline", "60s")
        running.wait_for_line("applied 004_backfill")
        own.stop("immediate")
        own.start()
        running.wait().succeeds()
        assert database.applied() == [*names, "100_slow"]
        assert database.query("SELECT min(n), max(n) FROM base") == [(1, 1)]
    finally:
        own.remove()


def test_failover_to_a_replica_that_is_promoted(server, folder, binary):
    """A URL with both hosts: what the replica had received is there, the rest is done again."""
    primary = Server(server.major, server.binaries, ["synchronous_standby_names=*"])
    standby = None
    try:
        standby = Server(server.major, server.binaries, primary=primary)
        database = Database(primary, "app")
        tidelock = Tool(binary, database, folder)
        names = add_all(folder)
        folder.add("100_slow", "CREATE TABLE slow (); SELECT pg_sleep(1)")
        url = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/app?target_session_attrs=read-write"
        running = tidelock.start("deploy", "--connect-deadline", "60s", url=url)
        running.wait_for_line("applied 004_backfill")
        primary.stop("immediate")
        standby.query("SELECT pg_promote()")
        running.wait().succeeds()
        promoted = Database(standby, "app", is_there=True)
        assert promoted.applied() == [*names, "100_slow"]
        assert promoted.query("SELECT min(n), max(n) FROM base") == [(1, 1)]
    finally:
        if standby:
            standby.remove()
        primary.remove()


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 64 MB."""
    if os.getuid() != 0:
        pytest.skip("mounting a small file system wants root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0777", "tidelock-test", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system can't be mounted: {mounted.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


BIG = "CREATE TABLE big TABLESPACE small AS SELECT i, repeat('x', 1000) AS text FROM generate_series(1, 200000) AS i"


@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
def test_a_disk_that_fills_up(server, folder, binary, small_disk, mode):
    """The statement fails, and nothing of its transaction is left; with room it goes on from there."""
    own = Server(server.major, server.binaries)
    try:
        (small_disk / "space").mkdir()
        os.chown(small_disk / "space", own.user.pw_uid, -1)
        os.chmod(small_disk.parent, 0o755)
        for parent in list(small_disk.parents)[:4]:
            os.chmod(parent, os.stat(parent).st_mode | 0o055)
        own.query(f"CREATE TABLESPACE small LOCATION '{small_disk / 'space'}'")
        database = Database(own, "app")
        tidelock = Tool(binary, database, folder)
        directive = "-- tidelock: transaction=off\n" if mode == "stepwise" else ""
        folder.add("001_big", f"{directive}CREATE TABLE before (id int); {BIG}")
        failed = tidelock("deploy").fails(exit=6 if mode == "atomic" else 7, says=["53100", "001_big"])
        assert not database.holds("big") and database.holds("before") == (mode == "stepwise") and "No space left" in failed.errors
        subprocess.run(["mount", "-o", "remount,size=1g", small_disk], check=True)
        tidelock("deploy").succeeds(applied=["001_big"])
        assert database.value("SELECT count(*) FROM big") == 200000
    finally:
        own.remove()


def test_a_log_that_can_no_longer_be_written(server, folder, binary, small_disk):
    """The server goes down with its write-ahead log; when there is room again, the rerun completes, and nothing is there twice."""
    own = Server(server.major, server.binaries, ["max_wal_size=32MB", "min_wal_size=32MB", "wal_recycle=off"])
    try:
        database = Database(own, "app")
        tidelock = Tool(binary, database, folder)
        names = add_all(folder)
        folder.add("100_much", "CREATE TABLE much AS SELECT i, repeat('x', 1000) AS text FROM generate_series(1, 200000) AS i")
        own.stop("fast")
        for parent in list(small_disk.parents)[:4]:
            os.chmod(parent, os.stat(parent).st_mode | 0o055)
        shutil.copytree(own.data / "pg_wal", small_disk / "pg_wal")
        subprocess.run(["chown", "-R", str(own.user.pw_uid), small_disk / "pg_wal"], check=True)
        shutil.rmtree(own.data / "pg_wal")
        (own.data / "pg_wal").symlink_to(small_disk / "pg_wal")
        own.start()
        # So that no checkpoint makes room.
        own.query("SELECT pg_create_physical_replication_slot('keep', true)")
        failed = tidelock("deploy", "--connect-deadline", "2s")
        assert failed.code == 3 and "PANIC" in own.log.read_text(errors="replace"), failed.errors
        subprocess.run(["mount", "-o", "remount,size=2g", small_disk], check=True)
        own.stop("immediate")
        own.start()
        tidelock("deploy").succeeds()
        assert database.applied() == [*names, "100_much"]
        assert database.query("SELECT min(n), max(n) FROM base") == [(1, 1)]
    finally:
        own.remove()
