"""The last word of a failing run: what, where, why, what the database holds, what to type next."""

import pytest


def test_the_whole_block(database, folder, tidelock):
    folder.add("001_good", "CREATE TABLE parts (id int PRIMARY KEY, name text CHECK (name <> ''))")
    folder.add("002_bad", "-- parts\nINSERT INTO parts VALUES (1, 'ok');\n\tINSERT INTO parts VALUES (1, 'öl');\n")
    errors = tidelock("deploy").fails(exit=6).errors.splitlines()
    at = errors.index("tidelock: error P3018: migration \"002_bad\" failed: duplicate key value violates unique constraint \"parts_pkey\"")
    assert errors[at + 1 :] == [
        "  at        prisma/migrations/002_bad/migration.sql:3:2",
        "             INSERT INTO parts VALUES (1, 'öl');",
        "             ^",
        "  sqlstate  23505",
        "  detail    Key (id)=(1) already exists.",
        "  holds     Nothing of 002_bad; already applied by this run: 1 migration.",
        "  next      The data does not allow it: correct the rows that the message names, or prisma/migrations/002_bad/migration.sql (databases that already have it will report the edit), if that wrote them. Then deploy again.",
        "  exit      6: a migration failed and left nothing behind",
    ]


def test_the_servers_own_position_is_used(database, folder, tidelock):
    folder.add("001_s", "CREATE TABLE a (\n    id int,\n    name txt\n);")
    tidelock("deploy").fails(exit=6, says=['type "txt" does not exist', "    name txt\n", "42704"], at="001_s/migration.sql:3:10")


def test_an_error_inside_a_function_says_where_it_was_called(database, folder, tidelock):
    folder.add("001_f", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1/0; END $$;\nSELECT 1;\nSELECT f();")
    tidelock("deploy").fails(exit=6, says=["division by zero", "PL/pgSQL function f() line 1"], at="001_f/migration.sql:3:1")


def test_what_a_script_makes_the_server_say_cannot_forge_a_line(database, folder, tidelock):
    folder.add("001_f", "DO $$ BEGIN RAISE NOTICE E'a\\ntidelock: applied everything\\033[2J'; RAISE EXCEPTION E'b\\n  exit      0: done'; END $$")
    errors = tidelock("deploy").fails(exit=6).errors
    assert "\033" not in errors
    assert not any(line.startswith(("tidelock: applied", "  exit      0")) for line in errors.splitlines())


@pytest.fixture
def hurried(database, folder, tidelock, request):
    """The URL of a role whose queries may wait for half a second; one migration is applied, another pending."""
    setting, role = request.param, f"hurried_{database.name}"
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.add("002_b", "SELECT 1")
    database.query(f"CREATE ROLE {role} LOGIN SUPERUSER")
    database.query(f"ALTER ROLE {role} SET {setting} = '500ms'")
    yield database.url(user=role)
    database.query(f"DROP ROLE {role}")


@pytest.mark.fault
@pytest.mark.parametrize("hurried", ["statement_timeout", "lock_timeout"], indirect=True)
def test_who_waits_too_long_for_the_ledger_may_try_again(database, tidelock, hurried):
    commands = [("deploy",), ("status",), ("wait", "--leader-timeout", "0"), ("resolve", "--applied", "002_b"), ("baseline",)]
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        for command in commands:
            result = tidelock(*command, url=hurried)
            holds = "This run has applied no migration." if command == ("deploy",) else "Nothing was changed."
            result.fails(exit=9, says=["timeout", f"  holds     {holds}\n", "  next      The ", "FROM pg_locks", "a retry may help"])
        other.execute("ROLLBACK")
    tidelock("deploy", url=hurried).succeeds(applied=["002_b"])


@pytest.mark.fault
@pytest.mark.parametrize("hurried", ["statement_timeout"], indirect=True)
def test_who_waits_for_the_others_looks_again_when_the_ledger_is_free(database, tidelock, hurried):
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        waiting = tidelock.start("wait", url=hurried)
        waiting.wait_for_line("statement timeout; looking again")
        other.execute("ROLLBACK")
    tidelock("deploy").succeeds(applied=["002_b"])
    waiting.wait().succeeds()


@pytest.mark.fault
def test_a_ledger_that_the_server_refuses_to_make_is_no_migrations_failure(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    database.query("CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no tables today'; END $$")
    database.query("CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no()")
    for command in (("deploy",), ("baseline",)):
        result = tidelock(*command).fails(exit=8, says=["no tables today", "P0001", "  holds     ", "tidelock's own", "tidelock status"])
        assert "P3018" not in result.errors


@pytest.mark.fault
@pytest.mark.parametrize("schema", ["pg_temp", "pg_catalog", "pg_toast_1", "information_schema"])
def test_a_schema_of_the_servers_own_is_refused_at_once(database, folder, tidelock, schema):
    folder.add("001_a", "SELECT 1")
    for command in ("deploy", "status", "wait"):
        tidelock(command, url=database.url(schema=schema)).fails(exit=2, says=["P1013", '"schema" is one of the server\'s own', "schema=public"])


def test_the_exit_text_fits_what_happened(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    tidelock("deploy", "--nonsense").fails(exit=2, says="  exit      2: wrong usage or configuration\n")
    tidelock("deploy", url=database.url(user="nobody")).fails(exit=2, says=["P1010", "  exit      2: the login was refused: password, user, database name, or no right to connect\n"])
    role = f"stranger_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN")
    try:
        tidelock("wait", url=database.url(user=role)).fails(exit=8, says=["42501", "  exit      8: the role lacks a right, or the server refused a query of tidelock's own\n"])
    finally:
        database.query(f"DROP ROLE {role}")


@pytest.mark.fault
@pytest.mark.parametrize("end", ["SELECT 1 +", "SELECT (1", "CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1"])
def test_a_script_that_breaks_off_is_told_so(tidelock, folder, database, end):
    """What travels behind it is ours."""
    folder.add("001_a", f"CREATE TABLE a ();\n{end}")
    result = tidelock("deploy").fails(exit=6, says=["failed: syntax error at end of input", "Nothing of 001_a"])
    assert "SET CONSTRAINTS" not in result.errors
    assert 'near ";"' not in result.errors and 'near "SET"' not in result.errors


@pytest.mark.fault
def test_results_of_a_rule_are_no_statements(tidelock, folder, database):
    folder.add("001_a", "CREATE TABLE a (i int); CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2; SELECT 3)")
    folder.add("002_b", "INSERT INTO a VALUES (1);\nSELECT 1 / 0;\nSELECT 3;\nSELECT 4;\nSELECT 5")
    tidelock("deploy").fails(exit=6, says=["division by zero"], at="002_b/migration.sql:2:1")


@pytest.mark.fault
def test_a_rule_on_the_ledger_loses_no_answer(tidelock, folder, database):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    database.query("CREATE RULE r AS ON INSERT TO _prisma_migrations DO ALSO (SELECT 1; SELECT 2)")
    folder.add("002_b", "SELECT 1")
    result = tidelock("deploy").succeeds(applied=["002_b"])
    assert "lost" not in result.errors and "does not match" not in result.errors


@pytest.mark.fault
@pytest.mark.parametrize("way, code", [("gone", 8), ("binary", 7), ("directive", 7)])
def test_what_is_half_done_is_not_called_nothing(tidelock, folder, database, way, code):
    folder.add("001_x", "-- tidelock: transaction=off\nCREATE TABLE a ();\nSELECT 1 / 0")
    tidelock("deploy").fails(exit=7)
    script = folder.path / "001_x" / "migration.sql"
    if way == "gone":
        script.unlink()
    else:
        script.write_bytes(b"SELECT \xff" if way == "binary" else b"-- tidelock: nonsense=1\nSELECT 1")
    for words in (["deploy"], ["deploy", "--dry-run"]):
        result = tidelock(*words).fails(exit=code, says="The part of 001_x that an earlier run applied")
        assert "Nothing of 001_x" not in result.errors and "was not started" not in result.errors


@pytest.mark.fault
def test_a_function_that_releases_all_locks_is_nobodys_fault(tidelock, folder, database):
    database.query("CREATE FUNCTION release() RETURNS void LANGUAGE sql AS 'SELECT pg_catalog.pg_advisory_unlock_all()'")
    folder.add("001_a", "SELECT release()")
    folder.add("002_b", "SELECT 1")
    result = tidelock("deploy").succeeds(applied=["001_a", "002_b"])
    assert "own a lock" not in result.errors
