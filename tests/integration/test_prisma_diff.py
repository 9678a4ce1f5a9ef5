"""`migrate diff`, spelled as Prisma's users do."""

import subprocess

import pytest
from servers import Database
from test_verify import shadow  # noqa: F401


@pytest.fixture
def other(database):
    made = Database(database.server, database.name[:50] + "_other")
    made.query("CREATE TABLE t (a int)")
    yield made
    made.drop()


def test_two_urls(database, other, tidelock):
    result = tidelock("migrate", "diff", "--from-url", database.url(), "--to-url", other.url())
    result.succeeds(says="+ column public.t.a")
    tidelock("migrate", "diff", f"--from-url={database.url()}", f"--to-url={other.url()}", "--exit-code").fails(exit=1)
    tidelock("migrate", "diff", "--exit-code", "--from-url", other.url(), "--to-url", other.url()).succeeds(says="no difference")


def test_migrations_and_the_configured_database(database, folder, shadow, tidelock):  # noqa: F811
    path = folder.add("001_t", "CREATE TABLE t (a int)").parents[1]
    words = ["migrate", "diff", "--from-migrations", path, "--to-config-datasource", "--shadow-database-url", shadow.url(), "--exit-code"]
    tidelock(*words).fails(exit=1)
    tidelock("deploy").succeeds()
    tidelock(*words).succeeds(says="no difference between migrations and database")
    (folder.root / "schema.prisma").write_text('datasource db { url = env("DATABASE_URL") }')
    (folder.root / "other.prisma").write_text('datasource db { url = "postgresql://elsewhere/db" }')
    tidelock("migrate", "diff", "--from-empty", "--to-schema-datasource", "other.prisma").fails(exit=2, says=["is not env", "--to-url"])
    tidelock("migrate", "diff", "--from-empty", "--to-schema-datasource", "schema.prisma").succeeds(says="+ table public.t")
    tidelock("migrate", "diff", "--from-migrations", path, "--to-empty").fails(exit=2, says="--shadow create")


@pytest.mark.parametrize(
    "words, says",
    [
        (["--from-empty", "--to-schema-datamodel", "prisma/schema.prisma"], "npx prisma migrate diff"),
        (["--from-schema=prisma/schema.prisma", "--to-empty"], "npx prisma migrate diff"),
        (["--from-local-d1", "--to-empty"], "--from-local-d1 cannot be compared here"),
        (["--from-nothing", "--to-empty"], "--from-nothing cannot be compared here"),
        (["--from-empty", "--from-url", "x", "--to-empty"], "one --from-… and one --to-…"),
        (["--from-schema-datasource", "nowhere/schema.prisma", "--to-empty"], "nowhere/schema.prisma"),
        (["--from-migrations", "a", "--to-migrations", "b"], "one folder of migrations can be replayed, not two"),
        (["--from-empty"], "diff compares two schemas, not 1"),
        ([], "diff compares two schemas, not 0"),
        (["--from-empty", "--to-url"], "--to-url needs a value"),
        (["--from-empty", "--to-empty", "--shadow-database-url"], "--shadow-database-url needs a value"),
        (["--from-empty", "--to-empty", "-o", "x.sql"], "> FILE"),
        (["--from-empty", "--to-empty", "--output=x.sql"], "> FILE"),
    ],
)
def test_what_is_wrong_is_said(tidelock, words, says):
    tidelock("migrate", "diff", *words).fails(exit=2, says=says)


@pytest.mark.parametrize("spelling", [["diff"], ["migrate", "diff"]])
def test_a_password_on_the_command_line_is_wiped(database, folder, tidelock, spelling):
    """A session that waits for a lock shows the process to others long enough."""
    database.query("CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t")
    url = database.url().replace("postgres@", "postgres:topsecret@")
    words = ["empty", url] if spelling == ["diff"] else ["--from-empty", "--to-url", url]
    with database.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE t")
        running = tidelock.start(*spelling, *words, url=database.url())
        running.wait_for_line("others can see")
        shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(running.process.pid)], capture_output=True, text=True).stdout
        assert "tidelock" in shown and "topsecret" not in shown
    assert "topsecret" not in running.wait().errors


def test_two_schemas_of_one_database_are_not_called_equal(database, tidelock):
    database.query("CREATE SCHEMA one; CREATE TABLE one.t (); CREATE SCHEMA two")
    tidelock("migrate", "diff", "--from-url", database.url(schema="one"), "--to-url", database.url(schema="two")).fails(exit=2, says='two schemas, "one" and "two"')


def test_a_password_in_a_connection_string_is_not_shown(tidelock):
    assert "s3cret" not in tidelock("diff", "host=127.0.0.1 dbname=x password=s3cret", "empty").fails(exit=2).errors


def test_a_shadow_says_which_schema_migrations_are_replayed_in(database, folder, shadow, tidelock):  # noqa: F811
    path = folder.add("001_t", "CREATE TABLE t (a int)").parents[1]
    tidelock("deploy", url=database.url(schema="tenant")).succeeds()
    url = shadow.url(schema="tenant")
    words = ["migrate", "diff", "--from-migrations", path, "--to-url", database.url(schema="tenant"), "--shadow-database-url", url, "--exit-code"]
    tidelock(*words, url=database.url(schema="tenant")).succeeds(says="no difference")
    tidelock(*words).succeeds(says="no difference")
