"""Folders of dbmate: its blocks, its ledger, and the tool itself before and after tidelock."""

import pathlib

import pytest
from peers import Dbmate
from tool import wait_for_session

TWO = ["20240101000001_users.sql", "20240101000002_posts.sql"]


@pytest.fixture
def folder(tmp_path):
    return Dbmate().folder(tmp_path / "app")


@pytest.fixture
def dbmate():
    if not Dbmate.is_installed():
        pytest.skip("dbmate could not be installed")
    peer = Dbmate()
    yield peer
    peer.clean_up()


@pytest.fixture
def two(folder):
    folder.add(1, "users", "CREATE TABLE users (id int);", "DROP TABLE users;")
    folder.add(2, "posts", "CREATE TABLE posts (id int);", "DROP TABLE posts;")
    return folder


def versions(database):
    return [row[0] for row in database.query("SELECT version FROM schema_migrations ORDER BY version")]


def write(folder, name, script):
    (folder.path / name).write_text(script)
    return folder.path / name


def test_a_fresh_database(database, two, tidelock):
    tidelock("deploy").succeeds(applied=TWO, says='"migrations" is a folder of dbmate')
    assert database.holds("users") and database.holds("posts")
    assert versions(database) == ["20240101000001", "20240101000002"]
    tidelock("deploy").succeeds(applied=[], says="No pending migrations")
    tidelock("status", "--exit-code").succeeds()


@pytest.mark.parametrize("before, after", [("tidelock", "dbmate"), ("dbmate", "tidelock")])
def test_dbmate_and_tidelock_take_turns(database, folder, tidelock, dbmate, before, after):
    """Whoever comes first, the other goes on behind it, and neither has anything left to do."""
    folder.add(1, "users", "CREATE TABLE users (id int);", "DROP TABLE users;")

    def apply(who):
        if who == "dbmate":
            done = dbmate.up(database.url(), folder)
            assert done.returncode == 0, done.stdout
        else:
            tidelock("deploy").succeeds()

    apply(before)
    folder.add(2, "posts", "CREATE TABLE posts (id int);", "DROP TABLE posts;")
    folder.add(3, "index", "CREATE INDEX CONCURRENTLY posts_id ON posts (id);", "DROP INDEX posts_id;", transaction=False)
    apply(after)
    assert versions(database) == ["20240101000001", "20240101000002", "20240101000003"]
    assert dbmate.is_content(database.url(), folder)
    tidelock("deploy").succeeds(applied=[])
    assert dbmate.down(database.url(), folder).returncode == 0
    tidelock("deploy").succeeds(applied=["20240101000003_index.sql"])


@pytest.mark.parametrize(
    "script, says",
    [
        ("CREATE TABLE a ();", 'the script has no line "-- migrate:up"'),
        ("-- migrate:up\nCREATE TABLE a ();", 'has no "-- migrate:down" behind it'),
        ("CREATE TABLE a ();\n-- migrate:up\n-- migrate:down", 'a statement comes before "-- migrate:up"'),
        ("-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\n-- migrate:down", 'two "-- migrate:down"'),
        ("-- migrate:up\nCREATE INDEX CONCURRENTLY i ON a (b);\n-- migrate:down", 'Write "-- migrate:up transaction:false".'),
    ],
)
def test_what_dbmate_refuses(database, two, tidelock, script, says):
    """Before anything of the folder is applied; dbmate finds out when it is the script's turn."""
    file = write(two, "20240101000003_bad.sql", script)
    tidelock("deploy").fails(exit=6, says=[says], at=f"migrations/{file.name}")
    assert not database.holds("users")


def test_a_version_is_text(database, folder, tidelock):
    for name in ["10_b.sql", "1_a.sql", "01_c.sql", "2.sql", "3x_d.sql", "x_e.sql", "4_f.txt"]:
        write(folder, name, f"-- migrate:up\nCREATE TABLE \"{name}\" ();\n-- migrate:down\n")
    tidelock("deploy").succeeds(applied=["01_c.sql", "10_b.sql", "1_a.sql", "2.sql", "3x_d.sql"])
    assert versions(database) == ["01", "1", "10", "2", "3"]


def test_two_files_of_one_version(database, folder, tidelock):
    for name in ["1.sql", "10_b.sql", "1_a.sql"]:
        write(folder, name, "-- migrate:up\n-- migrate:down\n")
    tidelock("deploy").fails(exit=2, says=['"1.sql" and "1_a.sql"', "have the same version, 1"])


def test_an_older_one_is_applied_and_an_unknown_row_ignored(database, folder, tidelock):
    folder.add(2, "b", "CREATE TABLE b ();", "")
    tidelock("deploy").succeeds()
    folder.add(1, "a", "CREATE TABLE a ();", "")
    database.query("INSERT INTO schema_migrations VALUES ('20990101000000')")
    tidelock("deploy").succeeds(applied=["20240101000001_a.sql"], says="the database is ahead of this folder by 1 migration")
    tidelock("deploy", "--strict").fails(exit=8, says="20990101000000 is not in the folder")


def in_schemas(database):
    find = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname IN ('users', 'schema_migrations') ORDER BY 1"
    return [row[0] for row in database.query(find)]


@pytest.mark.parametrize(
    "schemas, path, made",
    [
        ("", {}, ["public.schema_migrations", "public.users"]),
        ("", {"search_path": "app"}, ["app.schema_migrations", "app.users"]),
        ("app", {"search_path": "app"}, ["app.schema_migrations", "app.users"]),
        ("", {"search_path": "app, public"}, ["app.schema_migrations", "app.users"]),
        ("app", {"search_path": "app,public"}, ["app.schema_migrations", "app.users"]),
        ("postgres", {}, ["postgres.schema_migrations", "postgres.users"]),
    ],
)
@pytest.mark.parametrize("is_tool", [False, True], ids=["tidelock", "dbmate"])
def test_where_the_ledger_is(database, two, tidelock, dbmate, schemas, path, made, is_tool):
    """Another one in a schema behind the first is not it."""
    for schema in schemas.split():
        database.query(f'CREATE SCHEMA "{schema}"')
    if made[0] != "public.schema_migrations":
        database.query("CREATE TABLE public.schema_migrations (version bigint, dirty boolean)")
    if is_tool:
        assert dbmate.up(database.url(**path), two).returncode == 0
        tidelock("deploy", url=database.url(**path)).succeeds(applied=[])
    else:
        tidelock("deploy", url=database.url(**path)).succeeds(applied=TWO)
        tidelock("wait", url=database.url(**path)).succeeds()
        assert dbmate.is_content(database.url(**path), two)
    assert [name for name in in_schemas(database) if name in made] == made


def test_a_schema_that_needs_quotes(database, two, tidelock):
    """In the URL they belong to the name for PostgreSQL; dbmate's own ledger would be in a schema with quotes in its name."""
    database.query('CREATE SCHEMA "App"')
    tidelock("deploy", url=database.url(search_path='"App",public')).succeeds(applied=TWO)
    assert in_schemas(database) == ["App.schema_migrations", "App.users"]


def test_the_table_by_its_name(database, two, tidelock, dbmate):
    done = dbmate.run(two, *dbmate.command(database.url(), two, "--migrations-table", "app.applied", "up"))
    assert done.returncode == 0, done.stdout
    tidelock("deploy", "--ledger", "app.applied").succeeds(applied=[])
    two.add(3, "more", "CREATE TABLE more ();", "DROP TABLE more;")
    tidelock("deploy", environment={"DBMATE_MIGRATIONS_TABLE": "app.applied"}).succeeds(applied=["20240101000003_more.sql"])
    assert database.holds("public.more") and not database.holds("public.schema_migrations")


def test_the_folder_by_its_variable(database, two, tidelock):
    two.path.rename(two.root / "changes")
    tidelock("deploy").fails(exit=2, says="could not find the folder of migrations")
    for format in ["auto", "dbmate"]:
        tidelock("deploy", "--format", format, environment={"DBMATE_MIGRATIONS_DIR": "./changes"}).succeeds()
    tidelock("deploy", "--format", "goose", environment={"DBMATE_MIGRATIONS_DIR": "./changes"}).fails(exit=2, says="could not find the folder")


def test_the_example_is_deployed(database, tidelock):
    example = pathlib.Path(__file__).resolve().parents[2] / "docker/examples/dbmate"
    applied = ["20240501090000_guests.sql", "20240502090000_arrival.sql", "20240503090000_index.sql"]
    tidelock("deploy", "--format", "dbmate", cwd=example).succeeds(applied=applied)


def test_several_statements_without_a_transaction(database, folder, tidelock):
    """One message to dbmate, which the server runs as a transaction; where it can't, each is run by itself and kept."""
    write(folder, "1_a.sql", "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nSELECT 1/0;\n-- migrate:down\n")
    tidelock("deploy").fails(exit=6, says="division by zero")
    assert not database.holds("a") and versions(database) == []
    script = "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n-- migrate:down\n"
    write(folder, "1_a.sql", script)
    tidelock("deploy").fails(exit=7, says="could not create unique index")
    tidelock("status").succeeds(says="failed")
    assert database.holds("a") and versions(database) == []
    database.query("DELETE FROM a; INSERT INTO a VALUES (1)")
    tidelock("deploy").succeeds(applied=["1_a.sql"])
    assert versions(database) == ["1"] and database.value("SELECT count(*) FROM a") == 1


def test_a_deployment_that_is_killed_is_gone_on_with(database, folder, tidelock, dbmate):
    database.query("CREATE TABLE start (id int)")
    ways = ["CREATE TABLE a (id int)", "CREATE INDEX CONCURRENTLY i ON start (id)", "CREATE TABLE b ()"]
    write(folder, "1_a.sql", "".join(f"-- migrate:up transaction:false\n{way}\n-- migrate:down\nSELECT 1\n" for way in ways))
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE start")
        running = tidelock.start("deploy", "--lock-timeout", "100s")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY i")
        running.kill()
        assert versions(database) == [] and database.holds("a")
    tidelock("deploy").succeeds(applied=["1_a.sql"])
    assert versions(database) == ["1"] and database.holds("b") and dbmate.is_content(database.url(), folder)


def test_resolve_and_baseline(database, two, tidelock, dbmate):
    database.query("CREATE TABLE users (id int)")
    tidelock("baseline", "--to", TWO[0]).succeeds()
    assert versions(database) == ["20240101000001"]
    tidelock("resolve", "--applied", TWO[0]).fails(exit=8, says="already recorded as applied")
    assert dbmate.applied(dbmate.up(database.url(), two)) == [TWO[1]]
    two.add(3, "more", "CREATE TABLE more ();", "")
    tidelock("resolve", "--applied", "20240101000003").succeeds()
    tidelock("deploy").succeeds(applied=[])


def test_what_dbmate_applies_meanwhile_is_not_recorded_twice(database, two, tidelock):
    """It takes no lock: the row that it wrote ends the transaction that would write it again."""
    with database.connect() as other:
        other.execute("CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE gate ()")
        write(two, TWO[1], "-- migrate:up\nCREATE TABLE posts (); LOCK TABLE gate;\n-- migrate:down\n")
        other.execute("BEGIN; LOCK TABLE gate")
        running = tidelock.start("deploy", "--lock-timeout", "100s")
        wait_for_session(database, "LOCK TABLE gate")
        with database.connect() as dbmate:
            dbmate.execute("INSERT INTO schema_migrations VALUES ('20240101000002')")
        other.execute("COMMIT")
        result = running.wait()
    assert result.code != 0 and not database.holds("posts") and len(versions(database)) == 2, result.errors
