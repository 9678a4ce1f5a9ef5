"""Schemas of one database, one after the other in the same session: it takes less time, and nothing else differs."""

import re

import pytest
from servers import Database, Server

COUNT = 8

# What each script finds when it begins to define something.
NOTE = """
CREATE TABLE seen (place text, who text, pid int, mark text, path text, temporary bigint, locks bigint);
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.seen
    SELECT c.schema_name, session_user, pg_backend_pid(), current_setting('my.mark', true), current_setting('search_path'),
           (SELECT count(*) FROM pg_class WHERE relpersistence = 't'),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND mode = 'ExclusiveLock')
    FROM pg_event_trigger_ddl_commands() AS c WHERE c.object_type = 'table' AND c.object_identity LIKE '%.first';
END $$;
CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();
"""


@pytest.fixture
def schemas(server):
    """A database on a server that logs connections."""
    own = Server(server.major, server.binaries, settings=["log_connections=on"])
    database = Database(own, "handed")
    for number in range(COUNT):
        database.query(f"CREATE SCHEMA s{number:02}")
    if server.major < 11:
        database.query(NOTE.replace("EXECUTE FUNCTION", "EXECUTE PROCEDURE"))
    else:
        database.query(NOTE)
    yield database
    own.remove()


def sessions(database):
    """How many have begun so far."""
    return len(re.findall(f"connection authorized: .*database={database.name}", database.server.log.read_text()))


def deploy(tidelock, database, *words, **options):
    return tidelock("deploy", "--schemas", "s*", "--parallel", 1, *words, url=database.url(sslmode="disable"), **options)


def assert_each_once(database):
    for number in range(COUNT):
        assert [row.name for row in database.ledger(f"s{number:02}")] == ["001_first", "002_second"]
    found = database.query("SELECT place, mark, temporary FROM seen ORDER BY place")
    assert found == [(f"s{number:02}", None, 0) for number in range(COUNT)]


def test_a_session_serves_one_schema_after_the_other(schemas, folder, tidelock):
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", "CREATE TABLE second (id int)")
    deploy(tidelock, schemas).succeeds(says=f"{COUNT} tenants: {COUNT} done, of which 0")
    assert_each_once(schemas)
    assert schemas.value("SELECT count(DISTINCT pid) FROM seen") == 1
    before = sessions(schemas)
    deploy(tidelock, schemas).succeeds(says=f"{COUNT} tenants: {COUNT} done, of which {COUNT}")
    # One for the list, one to hear from other processes, one for the tenants.
    assert sessions(schemas) - before == 3


@pytest.mark.parametrize("command", ["status", "plan", "wait"])
def test_so_do_those_that_only_look(schemas, folder, tidelock, command):
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", "CREATE TABLE second (id int)")
    deploy(tidelock, schemas).succeeds()
    before = sessions(schemas)
    tidelock(command, "--schemas", "s*", "--parallel", 1, url=schemas.url(sslmode="disable")).succeeds()
    assert sessions(schemas) - before == 2


@pytest.mark.parametrize(
    "script",
    [
        "SET my.mark = 'left'",
        "SELECT set_config('my.mark', 'left', false)",
        "DO $$ BEGIN PERFORM set_config('my.mark', 'left', false); END $$",
        "CREATE TEMPORARY TABLE left_over (id int)",
        "CREATE TABLE marked AS SELECT set_config('my.mark', 'left', false)",
        "CREATE TABLE marked (id text); INSERT INTO marked VALUES (set_config('my.mark', 'left', false))",
    ],
)
def test_nothing_of_one_is_left_for_the_next(schemas, folder, tidelock, script):
    """A variable of an application's own would be empty instead of null, and no reset takes that back."""
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", script)
    deploy(tidelock, schemas).succeeds(says=f"{COUNT} tenants: {COUNT} done, of which 0")
    assert_each_once(schemas)


def test_each_has_its_own_user(schemas, folder, tidelock):
    """Two that take turns: a session is not handed to another user."""
    lines = ["name,schema,user"]
    for number in range(COUNT):
        user = f"user{number % 2}"
        if number < 2:
            schemas.query(f"CREATE ROLE {user} LOGIN")
            schemas.query(f"GRANT ALL ON DATABASE {schemas.name} TO {user}")
        schemas.query(f"ALTER SCHEMA s{number:02} OWNER TO {user}")
        lines.append(f"s{number:02},s{number:02},{user}")
    (folder.root / "tenants.csv").write_text("\n".join(lines) + "\n")
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", "CREATE TABLE second (id int)")
    tidelock("deploy", "--tenants", folder.root / "tenants.csv", "--parallel", 1, url=schemas.url(sslmode="disable")).succeeds()
    assert_each_once(schemas)
    assert schemas.query("SELECT who FROM seen ORDER BY place") == [(f"user{number % 2}",) for number in range(COUNT)]


def test_one_that_fails_is_not_handed_on(schemas, folder, tidelock):
    schemas.query("CREATE TABLE s03.second (id text)")
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", "CREATE TABLE second (id int)")
    deploy(tidelock, schemas, "--on-failure", "continue").fails(exit=8, says=f"{COUNT - 1} tenants are done")
    schemas.query("DROP TABLE s03.second")
    deploy(tidelock, schemas).succeeds(says=f"{COUNT - 1} had nothing to do")
    assert_each_once(schemas)


def test_the_folder_is_looked_at_once_for_all(schemas, folder, tidelock):
    folder.add("001_first", "CREATE TABLE first (id int)")
    folder.add("002_second", "CREATE TABLE second (id int)")
    (folder.path / "003_link").symlink_to(folder.path / "001_first")
    result = deploy(tidelock, schemas).succeeds()
    assert result.errors.count("is a symbolic link to a directory") == 1
    assert_each_once(schemas)


def origins_in(database, place):
    return database.value(f"SELECT count(*) FROM {place}.origin")


def test_the_journal_is_looked_for_once(schemas, folder, tidelock):
    """But one of the schema's own comes first."""
    schemas.query("CREATE SCHEMA tidelock_s03")
    schemas.query("ALTER DATABASE handed SET log_min_duration_statement = 0")
    folder.add("001_first", "CREATE TABLE first (id int)")
    deploy(tidelock, schemas, "--drift", "off").succeeds()
    assert schemas.server.log.read_text().count("execute <unnamed>: WITH ours AS (SELECT c.oid") < COUNT - 2
    assert origins_in(schemas, "tidelock_s03") == 1 and origins_in(schemas, "tidelock") == COUNT - 1
