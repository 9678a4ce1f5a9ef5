"""What "next" tells helps: who does what it says, and deploys again, succeeds."""

import contextlib
import re

import psycopg
import pytest
from servers import Database, Server, distribution_major


@pytest.fixture
def role(database):
    """A role that owns the ledger and may create tables, no superuser."""
    name = database.name
    database.query(f'CREATE ROLE "{name}" LOGIN; GRANT ALL ON SCHEMA public TO "{name}"')
    yield name
    database.query(f'DROP OWNED BY "{name}" CASCADE')
    database.query(f'DROP ROLE "{name}"')


def next_of(result):
    return re.search(r"^  next +(.*)$", result.errors, re.M)[1]


def sql_of(result):
    """The statement that is to be typed: in capitals, up to its semicolon."""
    return re.search(r"((?:GRANT|ALTER|CREATE) [^;]*;)", next_of(result))[1]


DENIED = {
    "schema": ("CREATE SCHEMA s", "CREATE TABLE s.a ()", "GRANT USAGE, CREATE ON SCHEMA s TO"),
    "select": ("CREATE TABLE \"T x\" (n int)", "CREATE TABLE a AS SELECT * FROM \"T x\"", 'GRANT SELECT ON public."T x" TO'),
    "update": ("CREATE TABLE t (n int)", "UPDATE t SET n = 1 WHERE n = 2", "GRANT SELECT, UPDATE ON public.t TO"),
    "references": ("CREATE TABLE t (n int PRIMARY KEY)", "CREATE TABLE a (n int REFERENCES t)", "GRANT REFERENCES ON public.t TO"),
    "sequence": ("CREATE SEQUENCE q", "SELECT nextval('q')", "GRANT USAGE, SELECT ON SEQUENCE public.q TO"),
    "function": ("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f FROM public", "SELECT f(1)", "GRANT EXECUTE ON ROUTINE f(integer) TO"),
    "database": ("SELECT 1", "CREATE SCHEMA mine", "GRANT CREATE ON DATABASE"),
    "owner": ("CREATE TABLE t (n int)", "ALTER TABLE t ADD COLUMN m int", "GRANT postgres TO"),
    "owner of an index": ("CREATE TABLE t (n int); CREATE INDEX i ON t (n)", "DROP INDEX i", "GRANT postgres TO"),
    "owner of public": ("SELECT 1", "COMMENT ON SCHEMA public IS 'ours'", "It belongs to postgres"),
    "alter system": ("SELECT 1", "ALTER SYSTEM RESET work_mem", "GRANT ALTER SYSTEM ON PARAMETER work_mem TO"),
    "create role": ("SELECT 1", "CREATE ROLE {role}_r; DROP ROLE {role}_r", "CREATEROLE;"),
}  # fmt: skip


@pytest.mark.fault
def test_an_invalid_index_in_the_way_is_named_as_one(database, folder, tidelock):
    database.query("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (1)")
    with database.connect() as session, contextlib.suppress(psycopg.errors.UniqueViolation):
        session.execute("CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)")
    tidelock("baseline").succeeds()
    folder.add("001_i", "CREATE INDEX t_n ON t (n)")
    result = tidelock("deploy").fails(exit=6, says=["42P07", '"t_n" is an INVALID index', "DROP INDEX CONCURRENTLY public.t_n;"])
    assert "resolve" not in result.errors
    database.query("DROP INDEX CONCURRENTLY public.t_n")
    tidelock("deploy").succeeds(applied=["001_i"])


@pytest.mark.fault
def test_rights_that_another_role_lacks_are_not_granted_to_ours(database, folder, tidelock, role):
    database.query(f'CREATE SCHEMA s; CREATE TABLE s.t (); GRANT "{role}" TO postgres')
    folder.add("001_r", f'SET ROLE "{role}"; SELECT * FROM s.t')
    result = tidelock("deploy").fails(exit=6, says=["42501", "The script changes its role"])
    assert 'TO postgres' not in result.errors


# What no GRANT to our role lets it do.
NOT_OURS = {
    "grant": ("CREATE TABLE t (n int)", "-- Theirs\nGRANT SELECT ON t TO public", "a role that has the right WITH GRANT OPTION can pass it on: deploy as one of them (--set-role)"),
    "revoke": ("CREATE SCHEMA s", "REVOKE USAGE ON SCHEMA s FROM public", "WITH GRANT OPTION can pass it on"),
    "untrusted language": ("SELECT 1", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'", "Let a superuser deploy this migration once"),
    "event trigger": ("CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'", "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()", "Let a superuser deploy this migration once"),
    "extension": ("SELECT 1", "COMMENT ON EXTENSION plpgsql IS 'ours'", "Let a superuser deploy this migration once"),
}  # fmt: skip


@pytest.mark.fault
@pytest.mark.parametrize("kind", NOT_OURS)
def test_a_privilege_that_would_not_help_is_not_granted(database, folder, tidelock, role, kind):
    setup, script, says = NOT_OURS[kind]
    folder.add("001_a", "CREATE TABLE mine_first ()")
    url = database.url().replace("postgres@", f"{role}@")
    tidelock("deploy", url=url).succeeds()
    database.query(setup)
    folder.add("002_b", script)
    result = tidelock("deploy", url=url).fails(exit=6, says=["42501", says])
    assert f"TO {role}" not in next_of(result) and f'TO "{role}"' not in next_of(result)


@pytest.mark.fault
@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
@pytest.mark.parametrize("kind", DENIED)
def test_a_missing_privilege_is_spelt_out(database, folder, tidelock, role, kind, mode):
    setup, script, says = DENIED[kind]
    folder.add("001_a", "CREATE TABLE mine_first ()")
    url = database.url().replace("postgres@", f"{role}@")
    tidelock("deploy", url=url).succeeds()
    database.query(setup)
    # A schema that only the role itself could not have made.
    folder.add("002_b", ("" if mode == "atomic" else "-- tidelock: transaction=off\n") + script.format(role=f'"{role}"').replace('"_r', '_r"'))
    result = tidelock("deploy", url=url)
    result.fails(exit=6, says=["42501", says])
    assert "Correct" not in result.errors and "lacks a privilege" not in result.errors
    database.query(sql_of(result))
    tidelock("deploy", url=url).succeeds(applied=["002_b"])


@pytest.mark.fault
def test_a_role_that_may_not_create_the_ledger_is_told_the_grant(database, folder, tidelock):
    database.query("REVOKE CREATE ON SCHEMA public FROM public; DROP ROLE IF EXISTS poorer; CREATE ROLE poorer LOGIN")
    folder.add("001_a", "CREATE TABLE a ()")
    url = database.url().replace("postgres@", "poorer@")
    try:
        result = tidelock("deploy", url=url).fails(exit=8, says="GRANT CREATE ON SCHEMA public TO poorer;")
        database.query("CREATE TABLE there ()")
        tidelock("baseline", url=url).fails(exit=8, says="GRANT CREATE ON SCHEMA public TO poorer;")
        database.query("DROP TABLE there")
        database.query(sql_of(result))
        tidelock("deploy", url=url).succeeds(applied=["001_a"])
    finally:
        database.query("DROP OWNED BY poorer; DROP ROLE poorer")


@pytest.mark.fault
def test_what_the_database_holds_already_can_be_recorded(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    database.query("CREATE TABLE b (id int); CREATE INDEX b_id ON b (id); ALTER TABLE a ADD COLUMN n int")
    folder.add("002_b", "CREATE TABLE b (id int);\nCREATE INDEX b_id ON b (id);\nALTER TABLE a ADD COLUMN n int;")
    result = tidelock("deploy")
    result.fails(exit=6, says=["42P07", "By names, columns and their types, the database already holds all that 002_b creates; nothing else was compared."])
    command = re.search(r'tidelock (resolve --applied) "(.*?)"', next_of(result))
    tidelock(*command[1].split(), command[2]).succeeds()
    tidelock("deploy").succeeds(says="No pending")


OTHERS = {
    "another column": ("CREATE TABLE b (id int)", 'but not "b"."name" as VARCHAR(10)'),
    "another type": ("CREATE TABLE b (id int, name text, at timestamptz, kind mood, tags text[])", 'but not "b"."name" as VARCHAR(10)'),
    "no serial": ("CREATE TABLE b (id text, name varchar, at timestamptz, kind mood, tags text[])", None),
    "another length": ("CREATE TABLE b (id int, name varchar(20), at timestamptz, kind mood, tags text[])", None),
    "another array": ("CREATE TABLE b (id int, name varchar, at timestamptz, kind mood, tags text)", 'but not "b"."tags" as TEXT[]'),
    "another kind of time": ("CREATE TABLE b (id int, name varchar, at timestamp, kind mood, tags text[])", 'but not "b"."at" as TIMESTAMP(3) WITH TIME ZONE'),
}


@pytest.mark.every_major
@pytest.mark.fault
@pytest.mark.parametrize("kind", OTHERS)
def test_what_only_has_the_same_name_is_not_taken_for_it(database, folder, tidelock, kind):
    there, absent = OTHERS[kind]
    folder.add("001_a", "CREATE TYPE mood AS ENUM ('sad')")
    tidelock("deploy").succeeds()
    database.query(there)
    folder.add("002_b", 'CREATE TABLE "b" ("id" SERIAL NOT NULL, "name" VARCHAR(10) DEFAULT \'x\', "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, kind mood, "tags" TEXT[], CONSTRAINT "b_pkey" PRIMARY KEY ("id"))')
    result = tidelock("deploy").fails(exit=6, says="42P07")
    if absent is None:
        assert "By names, columns and their types, the database already holds all that 002_b creates; nothing else was compared." in result.errors
    else:
        assert f"The database holds part of what 002_b creates, {absent}." in result.errors


@pytest.mark.fault
def test_of_what_has_no_columns_names_are_compared(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a (n int, m int)")
    tidelock("deploy").succeeds()
    database.query("CREATE INDEX i ON a (n)")
    folder.add("002_b", "CREATE INDEX i ON a (m)")
    tidelock("deploy").fails(exit=6, says="By names, the database already holds all that 002_b creates; nothing else was compared.")


@pytest.mark.fault
def test_what_it_holds_in_part_is_said_so(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    database.query("CREATE TABLE b ()")
    folder.add("002_b", "CREATE TABLE b ();\nCREATE TABLE c ();")
    tidelock("deploy").fails(exit=6, says=["42P07", 'holds part of what 002_b creates, but not "c"'])
    database.query("DROP TABLE b")
    tidelock("deploy").succeeds(applied=["002_b"])
    folder.add("003_d", "CREATE TABLE d ();\nCREATE TABLE d ();")
    result = tidelock("deploy")
    result.fails(exit=6, says=["42P07", "creates the same object twice"])
    assert "resolve" not in next_of(result)


@pytest.mark.fault
def test_an_empty_ledger_leads_to_a_baseline(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds()
    database.query("DELETE FROM _prisma_migrations")
    tidelock("deploy").fails(exit=6, says=["42P07", "tidelock baseline"])
    tidelock("baseline").succeeds()
    tidelock("deploy").succeeds(says="No pending")


@pytest.mark.fault
def test_squashed_migrations_can_be_recorded(database, folder, tidelock):
    folder.add("2023_a", "CREATE TABLE a (id int)")
    folder.add("2024_b", "CREATE TABLE b (id int)")
    tidelock("deploy").succeeds()
    folder.remove("2023_a")
    folder.remove("2024_b")
    folder.add("0000_squashed", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);")
    folder.add("2025_c", "CREATE TABLE c (id int)")
    tidelock("deploy", "--allow-unrelated").fails(exit=6, says=["42P07", 'squashed or renamed): tidelock resolve --applied "0000_squashed"'])
    tidelock("resolve", "--applied", "0000_squashed").succeeds()
    tidelock("deploy").succeeds(applied=["2025_c"])


@pytest.mark.fault
@pytest.mark.parametrize("whose", ["role", "database"])
def test_a_statement_timeout_of_others_is_named(database, folder, tidelock, role, whose):
    folder.add("001_a", "SELECT pg_sleep(1)")
    database.query(f'ALTER {whose} "{role if whose == "role" else database.name}" SET statement_timeout = 300')
    url = database.url().replace("postgres@", f"{role}@")
    result = tidelock("deploy", url=url)
    result.fails(exit=6, says=["57014", f"more time than 300 ms (set for the {whose}): --statement-timeout"])
    assert "Correct" not in result.errors
    tidelock("deploy", "--statement-timeout", "1m", url=url).succeeds(applied=["001_a"])


@pytest.mark.fault
def test_an_extension_is_created_by_who_may_or_installed(database, folder, tidelock, role):
    available = [name for (name,) in database.query("SELECT name FROM pg_available_extension_versions WHERE superuser AND NOT trusted AND relocatable AND requires IS NULL ORDER BY name <> 'postgres_fdw', name")]
    url = database.url().replace("postgres@", f"{role}@")
    if available:
        folder.add("001_a", f'CREATE EXTENSION IF NOT EXISTS "{available[0]}"')
        result = tidelock("deploy", url=url)
        result.fails(exit=6, says=["42501", "As a superuser, in this database: CREATE EXTENSION IF NOT EXISTS"])
        database.query(sql_of(result))
        tidelock("deploy", url=url).succeeds(applied=["001_a"])
        database.query(f'DROP EXTENSION "{available[0]}"')
    folder.add("002_b", "CREATE EXTENSION no_such_thing")
    result = tidelock("deploy", url=url)
    result.fails(exit=6, says='Install the extension "no_such_thing" on the database server')
    assert "Correct" not in result.errors


@pytest.mark.fault
def test_a_type_of_an_extension_leads_to_it(database, folder, tidelock):
    if not database.query("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"):
        pytest.skip("this server has no citext")
    folder.add("001_a", "CREATE TABLE a (c citext)")
    result = tidelock("deploy")
    result.fails(exit=6, says=["42704", 'CREATE EXTENSION "citext";'])
    database.query(sql_of(result))
    tidelock("deploy").succeeds(applied=["001_a"])


@pytest.mark.fault
def test_a_full_table_of_locks_is_enlarged(servers, binary, folder):
    from tool import Tool

    server = Server(distribution_major(), servers.binaries[distribution_major()], ["max_locks_per_transaction=10", "max_connections=5", "autovacuum=off"])
    tool = Tool(binary, None, folder)
    try:
        server.query("CREATE DATABASE app")
        folder.add("001_many", "".join(f"CREATE TABLE t{number} ();\n" for number in range(3000)))
        result = tool("deploy", "--headroom", "0", url=server.url("app"))
        result.fails(exit=6, says=["53200", "Raise max_locks_per_transaction on the server (now 10)"])
        assert "Correct" not in result.errors
        server.stop("fast")
        server.settings[-3] = "max_locks_per_transaction=2000"
        server.start()
        tool("deploy", "--headroom", "0", url=server.url("app")).succeeds(applied=["001_many"])
    finally:
        tool.clean_up()
        server.remove()


RAISED = {
    "53100": "disk is full",
    "53400": "Raise the limit",
    "58030": "not to blame",
    "XX001": "restore from a backup",
    "XX002": "REINDEX",
    "54001": "max_stack_depth",
}


@pytest.mark.fault
@pytest.mark.parametrize("code", RAISED)
@pytest.mark.parametrize("mode", ["atomic", "stepwise"])
def test_the_servers_troubles_are_not_the_scripts(database, folder, tidelock, code, mode):
    script = f"DO $$ BEGIN IF current_setting('app.broken', true) = 'on' THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}'; END IF; END $$;"
    folder.add("001_a", script if mode == "atomic" else f"-- tidelock: transaction=off\nCREATE TABLE a ();\n{script}")
    database.query(f'ALTER DATABASE "{database.name}" SET app.broken = on')
    result = tidelock("deploy")
    result.fails(exit=6 if mode == "atomic" else 7, says=[code, RAISED[code]])
    assert "Correct" not in next_of(result)
    database.query(f'ALTER DATABASE "{database.name}" RESET app.broken')
    tidelock("deploy").succeeds(applied=["001_a"])


@pytest.mark.fault
def test_data_that_a_constraint_forbids_is_corrected(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1)")
    tidelock("deploy").succeeds()
    folder.add("002_b", "ALTER TABLE a ADD UNIQUE (n)")
    tidelock("deploy").fails(exit=6, says=["23505", "(n)=(1)", "correct the rows that the message names"])
    database.query("DELETE FROM a WHERE ctid = (SELECT min(ctid) FROM a)")
    tidelock("deploy").succeeds(applied=["002_b"])


@pytest.mark.fault
def test_what_an_edit_costs_is_said_where_the_script_may_be_applied(database, folder, tidelock):
    folder.add("001_a", "INSERT INTO nowhere VALUES (1)")
    tidelock("deploy").fails(exit=6, says=["42P01", "Correct prisma", "will report the edit"])
    folder.replace("001_a", "SELEKT 1")
    result = tidelock("deploy")
    result.fails(exit=6, says=["42601", "Correct prisma"])
    assert "report the edit" not in result.errors


@pytest.mark.fault
def test_what_an_earlier_try_left_is_not_denied(database, folder, tidelock):
    folder.add("000_first", "SELECT 1")
    folder.add("001_half", "CREATE TABLE h (id int);\nCREATE INDEX CONCURRENTLY i ON h (id);\nSELECT 1/0;")
    tidelock("deploy").fails(exit=7)
    database.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '001_half'")
    tidelock("deploy").fails(exit=6, says=["42P07", "Nothing of this try of 001_half", "already holds all that 001_half creates"])


@pytest.mark.fault
def test_a_temporal_primary_key_is_called_so(servers, binary, folder):
    from tool import Tool

    if 18 not in servers.binaries:
        pytest.skip("PostgreSQL 18 could not be installed")
    server = servers.get(18)
    if not server.query("SELECT 1 FROM pg_available_extensions WHERE name = 'btree_gist'"):
        pytest.skip("this server has no btree_gist")
    database = Database(server, "temporal_key")
    tool = Tool(binary, database, folder)
    try:
        folder.add("001_g", "CREATE EXTENSION btree_gist; CREATE TABLE g (id int, p daterange, b int, PRIMARY KEY (id, p WITHOUT OVERLAPS))")
        folder.add("002_b", "-- tidelock: backfill g\nUPDATE g SET b = 1 WHERE b IS NULL")
        result = tool("deploy")
        result.fails(exit=6, says="its primary key is temporal (WITHOUT OVERLAPS)")
        assert "neither a primary key" not in result.errors
    finally:
        tool.clean_up()
        database.drop()


@pytest.mark.fault
def test_whoever_deploys_gets_all_that_the_ledger_takes_at_once(database, folder, tidelock, role):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_b", "CREATE TABLE b ()")
    url = database.url(user=role)
    assert sql_of(tidelock("status", url=url).fails(exit=8)) == f'GRANT SELECT ON public._prisma_migrations TO {role};'
    database.query(sql_of(tidelock("deploy", url=url).fails(exit=8)))
    tidelock("deploy", url=url).succeeds(applied=["002_b"])
