"""deploy: the main job on a real server."""

import pytest

pytestmark = pytest.mark.libraries

FUNCTION = """
CREATE FUNCTION f() RETURNS int AS $body$
BEGIN
    RETURN 1; -- not the end; nor this: '
END;
$body$ LANGUAGE plpgsql;
"""
ENUM = """
BEGIN;
CREATE TYPE mood_new AS ENUM ('a', 'b');
ALTER TYPE mood RENAME TO mood_old;
ALTER TYPE mood_new RENAME TO mood;
COMMIT;
CREATE TABLE after_enum (m mood);
"""


@pytest.mark.every_major
def test_all_three_modes_on_every_server(database, folder, tidelock):
    folder.add("001_init", "CREATE TABLE users (id int PRIMARY KEY); CREATE TYPE mood AS ENUM ('a');" + FUNCTION)
    folder.add("002_enum", ENUM)
    folder.add("003_index", "CREATE INDEX CONCURRENTLY users_idx ON users (id);")
    folder.add("004_steps", "-- tidelock: transaction=off\nALTER TYPE mood ADD VALUE 'c';\nINSERT INTO after_enum VALUES ('c');\nVACUUM users;")
    folder.add("005_empty", "-- nothing\n")

    names = ["001_init", "002_enum", "003_index", "004_steps", "005_empty"]
    tidelock("deploy").succeeds(applied=names)

    assert database.applied() == names
    assert all(row.steps == 1 and row.logs is None for row in database.ledger())
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_idx'::regclass")
    assert database.value("SELECT count(*) FROM after_enum") == 1
    tidelock("deploy").succeeds(says="No pending migrations to apply.")


def test_a_failed_migration_is_retried_by_the_next_image(database, folder, tidelock):
    folder.add("001_users", "CREATE TABLE users (id int)")
    broken = folder.add("002_divide", "CREATE TABLE half (id int);\nSELECT 1/0")
    folder.add("003_after", "CREATE TABLE after ()")
    tidelock("deploy").fails(exit=6, says=["P3018", "division by zero", "22012"], at=f"{broken.relative_to(folder.root)}:2:1")
    assert database.holds("users") and not database.holds("half") and not database.holds("after")

    folder.replace("002_divide", "SELECT 1")
    tidelock("deploy").succeeds(applied=["002_divide", "003_after"])


def test_the_same_failure_again_and_again_keeps_one_row(database, folder, tidelock):
    folder.add("001_bad", "SELECT 1/0")
    for _ in range(3):
        tidelock("deploy").fails(exit=6)
    [row] = database.ledger()
    assert row.rolled_back and not row.finished and "division by zero" in row.logs


def test_the_schema_of_the_url_is_created_and_used(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int)")
    tidelock("deploy", url=database.url(schema="My Sch")).succeeds(applied=["001_t"])
    assert database.holds('"My Sch".t')
    assert [row.name for row in database.ledger("My Sch")] == ["001_t"]
    tidelock("deploy", url=database.url(schema="My Sch")).succeeds(says="No pending")


def test_a_schema_named_like_the_user_does_not_confuse(database, folder, tidelock):
    database.query("CREATE SCHEMA postgres")
    folder.add("001_t", "CREATE TABLE t (id int)")
    tidelock("deploy").succeeds(applied=["001_t"])
    tidelock("deploy").succeeds(says="No pending")
    assert [row.name for row in database.ledger("postgres")] == ["001_t"]


def test_tables_without_a_ledger_are_not_touched(database, folder, tidelock):
    database.query("CREATE TABLE legacy (id int)")
    folder.add("001_t", "CREATE TABLE t (id int)")
    tidelock("deploy").fails(exit=8, says=["P3005", "public.legacy", "if the schema holds all of them; if it holds the first ones only, tidelock baseline --to NAME, with the last of these."])
    assert not database.holds("_prisma_migrations") and not database.holds("t")


@pytest.mark.parametrize(
    "statement, is_refused",
    [
        ("CREATE VIEW v AS SELECT 1", False),
        ("CREATE SEQUENCE s", False),
        ("CREATE TABLE p (id int) PARTITION BY RANGE (id)", False),
        ("CREATE TABLE spatial_ref_sys (id int)", False),
        ("CREATE SCHEMA o CREATE TABLE t (id int)", False),
        ("CREATE UNLOGGED TABLE u (id int)", True),
        ('CREATE TABLE "_Prisma_Migrations" (id int)', True),
    ],
)
def test_what_counts_as_a_schema_that_is_not_empty(database, folder, tidelock, statement, is_refused):
    database.query(statement)
    folder.add("001_n", "CREATE TABLE n (id int)")
    result = tidelock("deploy")
    result.fails(exit=8, says="P3005") if is_refused else result.succeeds()


def test_session_state_does_not_leak_into_the_next_migration(database, folder, tidelock):
    database.query("CREATE ROLE leaky_owner")
    try:
        folder.add("001_set", "CREATE SCHEMA other; SET search_path TO other; SET statement_timeout = '1h'; CREATE TEMP TABLE scratch (id int);")
        folder.add("002_dump_head", "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.two (id int);")
        folder.add("003_role", "SET ROLE leaky_owner")
        folder.add("004_session", "SET SESSION AUTHORIZATION leaky_owner")
        folder.add("005_encoding", "SET client_encoding TO 'LATIN1'; SET standard_conforming_strings TO off;")
        folder.add(
            "006_clean_ü",
            "CREATE TABLE three (id int); DO $$ BEGIN"
            " ASSERT current_setting('statement_timeout') = '0', 'statement_timeout';"
            " ASSERT current_user = 'postgres', 'user'; ASSERT session_user = 'postgres', 'session user';"
            " ASSERT to_regclass('pg_temp.scratch') IS NULL, 'temporary table'; END $$",
        )
        tidelock("deploy").succeeds()
        assert database.holds("public.three") and database.holds("public.two")
        assert database.applied()[-1] == "006_clean_ü"
    finally:
        database.query("DROP ROLE leaky_owner")


def test_the_leader_lock_survives_a_script_that_gives_all_locks_away(database, folder, tidelock, proxy):
    folder.add("001_unlock", "SELECT pg_advisory_unlock_all()")
    folder.add("002_look", "CREATE TABLE seen AS SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND mode = 'ExclusiveLock'")
    tidelock("deploy").succeeds()
    assert database.value("SELECT n FROM seen") >= 1


def test_settings_of_a_role_stay_in_force(database, folder, tidelock):
    database.query(f"ALTER DATABASE \"{database.name}\" SET statement_timeout = '77s'")
    folder.add("001_a", "SET statement_timeout = 0; CREATE TABLE a AS SELECT current_setting('statement_timeout') AS s")
    folder.add("002_b", "CREATE TABLE b AS SELECT current_setting('statement_timeout') AS s")
    tidelock("deploy").succeeds()
    assert database.value("SELECT s FROM b") == "77s"


def test_a_deferred_constraint_that_fails_at_the_end_leaves_nothing(database, folder, tidelock):
    folder.add(
        "001_deferred",
        "CREATE TABLE a (id int PRIMARY KEY, next int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1, 2);",
    )
    tidelock("deploy").fails(exit=6, says=["violates foreign key", "deferred constraints"])
    assert not database.holds("a")
    assert database.ledger()[0].rolled_back


def test_a_rolled_back_image_starts_on_a_newer_database(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds()
    folder.remove("002_b")
    tidelock("deploy").succeeds(says="No pending")
    tidelock("deploy", "--strict").fails(exit=8, says="002_b is not in the folder")


def test_edited_and_out_of_order_migrations_are_said_and_strict_refuses_them(database, folder, tidelock):
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds()
    folder.replace("002_b", "CREATE TABLE b (id int)")
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", "--strict").fails(exit=8, says=["002_b was edited", "001_a is older"])
    assert not database.holds("a")
    tidelock("deploy").succeeds(applied=["001_a"], says="002_b was edited after it was applied")


def test_a_database_in_another_encoding(server, database, folder, tidelock):
    server.query(f"CREATE DATABASE \"{database.name}_l1\" ENCODING 'LATIN1' TEMPLATE template0")
    try:
        folder.add("001_ü", "CREATE TABLE t (name text DEFAULT 'ä'); SELECT 'é', nothing")
        url = server.url(f"{database.name}_l1")
        tidelock("deploy", url=url).fails(exit=6, says="does not exist", at=":1:53")
        folder.replace("001_ü", "CREATE TABLE t (name text DEFAULT 'ä')")
        tidelock("deploy", url=url).succeeds(applied=["001_ü"])
        tidelock("deploy", url=url).succeeds(says="No pending")
    finally:
        server.query(f'DROP DATABASE "{database.name}_l1" WITH (FORCE)')


def test_a_role_that_owns_nothing_is_told_what_it_lacks(database, folder, tidelock):
    database.query("CREATE ROLE poor LOGIN")
    try:
        folder.add("001_a", "CREATE TABLE a ()")
        if database.server.major < 15:
            database.query("REVOKE CREATE ON SCHEMA public FROM public")
        tidelock("deploy", url=database.url(user="poor")).fails(exit=8, says=["permission denied", "GRANT"])
    finally:
        database.query("DROP ROLE poor")


def test_prismas_spelling_is_understood(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    (folder.root / "prisma" / "schema.prisma").write_text("")
    tidelock("migrate", "status", "--schema", "prisma/schema.prisma").fails(exit=1)
    tidelock("migrate", "deploy", "--schema", "prisma/schema.prisma").succeeds(applied=["001_a"])
    tidelock("migrate", "status", "--schema=prisma/schema.prisma").succeeds(says="Database schema is up to date!")


def test_a_large_script_goes_in_pieces_and_an_error_in_it_is_found(database, folder, tidelock):
    lines = ["CREATE TABLE big (id int, body text);"] + [f"INSERT INTO big VALUES ({i}, '{'x' * 80}');" for i in range(30_000)]
    broken = folder.add("001_big", "\n".join([*lines, "SELECT 1/0;", "SELECT 2;"]))
    tidelock("deploy").fails(exit=6, says="division by zero", at=f"{broken.relative_to(folder.root)}:30002:1")
    assert not database.holds("big")
    folder.replace("001_big", "\n".join(lines))
    tidelock("deploy").succeeds()
    assert database.value("SELECT count(*) FROM big") == 30_000
