"""deploy --refuse: what pending statements would do is known before the first of them runs."""

import json

import pytest

WARNING = "while the database is in use"


@pytest.fixture
def used(database, folder, tidelock):
    """A database that an earlier image has filled."""
    folder.add("001_a", "CREATE TABLE t (id int); CREATE TABLE u (id int)")
    tidelock("deploy").succeeds()
    return database


def test_nothing_begins_when_something_is_dangerous(used, folder, tidelock):
    folder.add("002_b", "ALTER TABLE t ADD COLUMN a int;")
    folder.add("003_c", "SELECT 1;\nCREATE INDEX i\n  ON t (id);")
    result = tidelock("deploy", "--refuse", "dangerous").fails(
        exit=8,
        at="003_c/migration.sql:2",
        says=[
            "1 pending statement is dangerous, and --refuse forbids that",
            "003_c:2: create-index: nobody can write to the table while the index is built",
            "Safe way: CREATE INDEX CONCURRENTLY i ON t (id).",
            "-- tidelock: allow create-index because REASON",
            "tidelock plan -v",
            "Nothing was changed.",
        ],
    )
    assert WARNING not in result.errors and used.applied() == ["001_a"]


@pytest.mark.parametrize(
    ("statement", "level", "code"),
    [
        ("DROP INDEX CONCURRENTLY IF EXISTS i", "careful", 0),
        ("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION suppress_redundant_updates_trigger()", "careful", 8),
        ("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION suppress_redundant_updates_trigger()", "dangerous", 0),
        ("DO 'BEGIN END'", "careful", 8),
        ("DO 'BEGIN END'", "dangerous", 0),
    ],
)
def test_what_is_refused_depends_on_the_level(used, folder, tidelock, statement, level, code):
    folder.add("002_b", statement)
    result = tidelock("deploy", "--refuse", level)
    assert result.code == code, result.errors


def test_an_allowed_statement_is_applied(used, folder, tidelock):
    folder.add("002_b", "-- tidelock: allow create-index because t has ten rows\nCREATE INDEX i ON t (id)")
    result = tidelock("deploy", "--refuse", "careful").succeeds(applied=["002_b"])
    assert WARNING not in result.errors


def test_without_it_a_run_warns_in_one_line(used, folder, tidelock):
    folder.add("002_b", "CREATE INDEX i ON t (id); CREATE INDEX j ON t (id);\nALTER TABLE u ALTER COLUMN id TYPE bigint;")
    for words in (["--dry-run"], []):
        result = tidelock("deploy", *words).succeeds()
        (line,) = [line for line in result.errors.splitlines() if WARNING in line]
        assert "3 pending statements are dangerous while the database is in use, worst: 002_b:2: change-type: the whole table is rewritten" in line
        assert line.endswith("the safe way: tidelock plan -v")


def test_a_dry_run_and_status_say_the_same(used, folder, tidelock):
    folder.add("002_b", "CREATE INDEX i ON t (id)")
    tidelock("deploy", "--dry-run", "--refuse", "dangerous").fails(exit=8, says="1 pending statement is dangerous")
    status = json.loads(tidelock("status", "--json", "--refuse", "dangerous").out)
    assert "1 pending statement is dangerous" in json.dumps(status["refusal"])


def test_where_nobody_is_nobody_is_disturbed(database, folder, tidelock):
    """A new database, and what pending migrations create: nothing is in danger there."""
    folder.add("001_a", "CREATE TABLE t (id int); GRANT SELECT ON t TO PUBLIC; CREATE TYPE mood AS ENUM ('a');")
    folder.add("002_b", "CREATE INDEX i ON t (id); ALTER TABLE t ALTER id TYPE bigint; ALTER TYPE mood RENAME VALUE 'a' TO 'b'; DO 'BEGIN END';")
    result = tidelock("deploy", "--refuse", "careful").succeeds(applied=["001_a", "002_b"])
    assert WARNING not in result.errors
    folder.add("003_c", "CREATE TABLE v (id int); CREATE TYPE taste AS ENUM ('a'); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    folder.add("004_d", "CREATE INDEX j ON v (id); DROP TABLE v; ALTER TYPE taste RENAME VALUE 'a' TO 'b'; ALTER TYPE taste RENAME TO smell; DROP FUNCTION f();")
    result = tidelock("deploy", "--refuse", "careful").succeeds(applied=["003_c", "004_d"])
    assert WARNING not in result.errors


def test_what_an_earlier_run_has_done_is_not_judged_again(used, folder, tidelock):
    folder.add("002_b", "DROP TABLE u;\nCREATE INDEX CONCURRENTLY i ON t (id);\nSELECT 1/(SELECT count(*) FROM t);")
    tidelock("deploy").fails(exit=7)
    used.query("INSERT INTO t VALUES (1)")
    result = tidelock("deploy", "--refuse", "dangerous").succeeds(applied=["002_b"])
    assert WARNING not in result.errors


def test_a_level_of_the_configuration_decides(used, folder, tidelock):
    folder.add("002_b", "CREATE INDEX i ON t (id)")
    (folder.root / "tidelock.yaml").write_text("refuse: dangerous\nrule_levels: create-index=careful, drop-index=dangerous\n")
    tidelock("deploy").succeeds(applied=["002_b"])
    folder.add("003_c", "DROP INDEX i")
    tidelock("deploy").fails(exit=8, says="003_c:1: drop-index")


def test_a_rule_that_does_not_exist_is_an_error_at_its_line(used, folder, tidelock):
    (folder.root / "tidelock.yaml").write_text("retry_for: 1s\nrule_levels: crate-index=safe\n")
    for command in ("deploy", "plan"):
        tidelock(command).fails(exit=2, says=['tidelock.yaml:2: "crate-index" is no rule', 'Did you mean "create-index"?'])
    (folder.root / "tidelock.yaml").write_text("rule_levels: create-index=unknown\n")
    tidelock("plan").fails(exit=2, says='tidelock.yaml:1: "unknown" is no level')


def test_a_catalog_that_is_locked_holds_no_deployment_up(database, folder, tidelock):
    database.query("CREATE TABLE t (a int)")
    folder.add("001_a", "SELECT 1")
    tidelock("baseline", "--all").succeeds()
    folder.add("002_b", "INSERT INTO t VALUES (1)")
    with database.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE pg_catalog.pg_inherits IN ACCESS EXCLUSIVE MODE")
        tidelock("deploy").succeeds(applied=["002_b"])


def test_a_large_script_is_not_judged_unless_that_was_asked(database, folder, tidelock):
    database.query("CREATE TABLE t (a int)")
    folder.add("001_a", "SELECT 1")
    tidelock("baseline", "--all").succeeds()
    folder.add("002_b", "INSERT INTO t VALUES (1);\n" * 25000 + "CREATE INDEX i ON t (a);")
    result = tidelock("deploy", "--dry-run").succeeds()
    assert "dangerous while the database is in use" not in result.errors
    tidelock("deploy", "--dry-run", "--refuse", "dangerous").fails(exit=8, says="create-index")


def test_a_schema_that_is_closed_to_the_role_stands_in_no_ones_way(database, folder, tidelock):
    role, owner = f"closed_{database.name}"[:63], f"owner_{database.name}"[:63]
    database.query(f'''
        CREATE ROLE "{owner}"; CREATE ROLE "{role}" LOGIN NOINHERIT IN ROLE "{owner}"; CREATE SCHEMA priv AUTHORIZATION "{owner}";
        CREATE TABLE priv.t (a int); ALTER TABLE priv.t OWNER TO "{owner}"; GRANT ALL ON SCHEMA public TO "{role}"
    ''')
    folder.add("001_a", f'SET ROLE "{owner}"; ALTER TABLE priv.t ADD COLUMN b int')
    try:
        url = database.url(user=role)
        tidelock("plan", "--no-probes", url=url).succeeds()
        tidelock("deploy", "--refuse", "dangerous", "--log-level", "error", url=url).succeeds()
    finally:
        database.query(f'DROP OWNED BY "{role}", "{owner}" CASCADE; DROP ROLE "{role}", "{owner}"')
