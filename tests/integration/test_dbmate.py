"""Folders of dbmate: its blocks, its ledger, and the tool itself before and after tidelock."""

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
