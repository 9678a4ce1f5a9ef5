"""plan: what each statement would do, by its text, and with what the database says."""

import json

import jsonschema
import psycopg
import pytest
from status import closed


def plan_of(tidelock, *words, **options):
    schema = closed(json.loads(tidelock("plan", "--json-schema").succeeds().out))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(tidelock("plan", "--json", *words, **options).succeeds().out)
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


def findings_of(tidelock, tmp_path, *statements):
    """The rules that each statement of a script breaks, the worst first."""
    script = tmp_path / "script.sql"
    script.write_text(";\n".join(statements))
    (migration,) = plan_of(tidelock, "--files", script)["migrations"]
    return [[finding["rule"] for finding in statement["findings"]] for statement in migration["statements"]]


def test_the_worst_comes_first_and_says_where_it_is(folder, tidelock):
    folder.add("001_safe", "ALTER TABLE t ADD COLUMN a int;\n")
    folder.add("002_bad", "\n-- why\nCREATE INDEX i ON t (a);\nCREATE TABLE u ();\n")
    lines = tidelock("plan", "--offline").succeeds().out.splitlines()
    assert lines[0] == "3 statements in 2 migrations, by their text: 1 dangerous, 0 unknown, 0 careful, 2 safe"
    assert lines[1].split()[:4] == ["dangerous", "002_bad:3", "create-index", "ShareLock"]
    assert [line.split()[0] for line in lines[2:4]] == ["safe", "safe"]


def test_with_verbose_the_safe_way_is_written_out_for_this_very_statement(folder, tidelock):
    folder.add("001_a", "CREATE UNIQUE INDEX IF NOT EXISTS i\n  ON t (a) WHERE b;\nALTER TABLE s.t ALTER a SET NOT NULL, ADD CONSTRAINT c CHECK (f(a, 1));")
    out = tidelock("plan", "--offline", "-v").succeeds().out
    assert "how       CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a) WHERE b\n" in out
    assert 'ALTER TABLE "s"."t" ADD CONSTRAINT "a_not_null" CHECK ("a" IS NOT NULL) NOT VALID' in out
    assert 'ALTER TABLE "s"."t" ADD CONSTRAINT c CHECK (f(a, 1)) NOT VALID; then, in another migration, ALTER TABLE "s"."t" VALIDATE CONSTRAINT "c".' in out


def test_a_table_of_the_script_itself_has_no_users(tidelock, tmp_path):
    assert findings_of(
        tidelock,
        tmp_path,
        "CREATE TABLE t (id int)",
        "CREATE INDEX i ON t (id)",
        "ALTER TABLE t ADD COLUMN a int NOT NULL",
        "UPDATE t SET a = 1",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u",
        "CREATE INDEX j ON other.t (id)",
    ) == [["create-table"], ["new-table"], ["new-table"], ["new-table"], ["create-table-foreign-key"], ["create-index"]]


def test_a_table_that_may_have_been_there_has_users(tidelock, tmp_path):
    assert findings_of(tidelock, tmp_path, "CREATE TABLE IF NOT EXISTS t (id int)", "CREATE INDEX i ON t (id)")[1] == ["create-index"]


@pytest.mark.parametrize(
    ("column", "rules"),
    [
        ("int NOT NULL DEFAULT 0", ["add-column"]),
        ("timestamptz DEFAULT now()", ["add-column"]),
        ("uuid DEFAULT gen_random_uuid()", ["add-column-volatile-default"]),
        ("int DEFAULT mine()", ["add-column-own-function-default"]),
        ("mood", ["add-column-own-type"]),
        ("int NOT NULL", ["add-column-required"]),
    ],
)
def test_only_a_default_that_varies_rewrites_the_table(tidelock, tmp_path, column, rules):
    assert findings_of(tidelock, tmp_path, f"ALTER TABLE t ADD COLUMN c {column}") == [rules]


def test_an_enum_of_an_earlier_migration_is_no_domain(folder, tidelock):
    folder.add("001_type", "CREATE TYPE mood AS ENUM ('sad')")
    folder.add("002_column", "ALTER TABLE t ADD COLUMN c mood DEFAULT 'sad'")
    assert plan_of(tidelock, "--offline")["verdict"] == "safe"


def test_rows_that_are_changed_under_an_exclusive_lock(tidelock, tmp_path):
    add, update = "ALTER TABLE t ADD COLUMN a int", "UPDATE t SET a = 1 WHERE b"
    assert findings_of(tidelock, tmp_path, add, update)[1] == ["rows-under-lock", "update-rows"]
    assert findings_of(tidelock, tmp_path, "BEGIN", add, "COMMIT", update)[3] == ["update-rows"]
    assert findings_of(tidelock, tmp_path, "CREATE INDEX i ON t (b)", update)[1] == ["rows-under-lock", "update-rows"]
    assert findings_of(tidelock, tmp_path, add, "CREATE TABLE u AS SELECT b FROM t")[1] == ["rows-under-lock", "create-table-as"]
    assert findings_of(tidelock, tmp_path, add, "CREATE TABLE u (b int)", "INSERT INTO u SELECT b FROM t")[2] == ["rows-under-lock", "new-table"]
    reference = "CREATE TABLE u (b int REFERENCES t)"
    assert findings_of(tidelock, tmp_path, reference, "INSERT INTO u SELECT b FROM t")[1] == ["rows-under-lock", "new-table"]
    assert findings_of(tidelock, tmp_path, add, "SELECT count(*) FROM u")[1] == ["query-under-lock", "query"]
    assert findings_of(tidelock, tmp_path, add, "SELECT 1")[1] == ["query"]
    assert findings_of(tidelock, tmp_path, "-- tidelock: transaction=off\n" + add, update)[1] == ["update-rows"]


def test_a_constraint_that_is_validated_under_the_lock_of_its_creation(tidelock, tmp_path):
    add, validate = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT c"
    assert findings_of(tidelock, tmp_path, add, validate)[1] == ["validated-too-soon", "validate-constraint"]
    assert findings_of(tidelock, tmp_path, validate) == [["validate-constraint"]]


def test_a_check_that_was_validated_proves_not_null(folder, tidelock, tmp_path):
    add, validate, require = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT c", "ALTER TABLE t ALTER a SET NOT NULL"
    for rule, *statements in [
        ("set-not-null-proven", add, validate),
        ("set-not-null-proven", add.removesuffix(" NOT VALID")),
        ("set-not-null", add),
        ("set-not-null", add, validate, "ALTER TABLE t DROP CONSTRAINT c"),
        ("set-not-null", add, validate, "ALTER TABLE t RENAME COLUMN a TO b", "ALTER TABLE t ADD COLUMN a int"),
        ("set-not-null", add.replace("IS NOT NULL", "IS NOT NULL OR b > 0"), validate),
        ("set-not-null", add.replace("(a", "(b"), validate),
    ]:
        assert findings_of(tidelock, tmp_path, *statements, require)[-1] == [rule], statements
    folder.add("001_a", add)
    folder.add("002_b", validate)
    folder.add("003_c", require)
    assert plan_of(tidelock, "--offline")["migrations"][2]["verdict"] == "safe"


def test_a_backfill_is_many_short_transactions(tidelock, tmp_path):
    update = "UPDATE t SET a = 1 WHERE a IS NULL"
    assert findings_of(tidelock, tmp_path, "-- tidelock: backfill t\n" + update) == [["backfill"]]
    assert findings_of(tidelock, tmp_path, update) == [["update-rows"]]


def test_what_the_server_refuses_in_a_transaction(tidelock, tmp_path):
    index = "CREATE INDEX CONCURRENTLY i ON t (a)"
    assert findings_of(tidelock, tmp_path, "BEGIN", index, "COMMIT")[1] == ["refused-in-transaction", "create-index-concurrently"]
    assert findings_of(tidelock, tmp_path, "BEGIN", "COMMIT", index)[2] == ["create-index-concurrently"]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("VACUUM (FULL) t", "vacuum-full"),
        ("VACUUM (FULL false) t", "vacuum"),
        ("VACUUM (FULL 0) t", "vacuum"),
        ("REINDEX (CONCURRENTLY) TABLE t", "reindex-concurrently"),
        ("REINDEX (CONCURRENTLY off) TABLE t", "reindex"),
        ("REINDEX (VERBOSE, CONCURRENTLY on) TABLE t", "reindex-concurrently"),
        ("LOCK TABLE t IN SHARE MODE", "lock-table-writes"),
        ("LOCK TABLE t IN ACCESS SHARE MODE", "lock-table-weakly"),
        ("CREATE FOREIGN TABLE f (a int) SERVER s", "create-table"),
        ("ALTER DOMAIN d RENAME CONSTRAINT a TO b", "domain-other"),
    ],
)
def test_a_word_decides(tidelock, tmp_path, statement, rule):
    assert findings_of(tidelock, tmp_path, statement) == [[rule]]


def test_what_nobody_knows_is_unknown(tidelock, tmp_path):
    script = tmp_path / "script.sql"
    for statement in [
        "ALTER TABLE t ADD COLUMN v int GENERATED ALWAYS AS (a) VIRTUAL",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "SELECT mine()",
        "SELECT 1 FROM t FOR UPDATE",
        "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone",
        "INSERT INTO t VALUES (mine())",
        "CREATE TABLE u AS SELECT mine()",
        "CREATE SCHEMA s CREATE TABLE t (a int REFERENCES u)",
        "ALTER INDEX i ATTACH PARTITION j",
        "CREATE ACCESS METHOD m TYPE INDEX HANDLER h",
        "no such statement",
    ]:
        script.write_text(statement)
        assert plan_of(tidelock, "--files", script)["verdict"] == "unknown", statement


def test_an_allowed_finding_does_not_count(folder, tidelock):
    file = folder.add("001_a", "SELECT 1;\n-- tidelock: allow create-index because it has ten rows\nCREATE INDEX i ON t (a);")
    tidelock("plan", "--offline", "--fail-on", "careful").succeeds(says="(allowed)")
    (migration,) = plan_of(tidelock, "--offline")["migrations"]
    (finding,) = migration["statements"][1]["findings"]
    assert finding["level"] == "dangerous" and finding["allowed_because"] == "it has ten rows"
    file.write_text("SELECT 1;\n-- tidelock: allow create-index\nCREATE INDEX i ON t (a);")
    tidelock("plan", "--offline").fails(exit=2, says="needs a rule and a reason", at="001_a/migration.sql:2")


def test_an_allowance_that_nothing_needs_is_a_finding(tidelock, tmp_path):
    allow = "-- tidelock: allow create-index because of nothing\n"
    assert findings_of(tidelock, tmp_path, "SELECT 1", allow + "SELECT 2")[1] == ["unused-allow", "query"]
    assert findings_of(tidelock, tmp_path, "SELECT 1;\n" + allow) == [["unused-allow", "query"]]


def test_an_allowance_changes_nothing_for_a_deployment(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (a int);\n-- tidelock: allow create-index because it is new\nCREATE INDEX i ON t (a);")
    tidelock("deploy").succeeds(applied=["001_a"])
    tidelock("deploy").succeeds()


@pytest.mark.parametrize(
    ("statement", "careful", "dangerous"),
    [("SELECT 1", 0, 0), ("DROP INDEX i", 1, 0), ("CALL p()", 1, 0), ("CREATE INDEX i ON t (a)", 1, 1)],
)
def test_fail_on(folder, tidelock, statement, careful, dangerous):
    folder.add("001_a", statement)
    tidelock("plan", "--offline").succeeds()
    for level, code in [("careful", careful), ("dangerous", dangerous)]:
        result = tidelock("plan", "--offline", "--fail-on", level)
        assert result.code == code, result.out


def test_a_script_that_cannot_be_read_is_an_error_at_its_place(folder, tidelock):
    folder.add("001_a", "SELECT 1;\nSELECT 'x")
    tidelock("plan", "--offline").fails(exit=2, at="001_a/migration.sql:2")
    tidelock("plan", "--files", folder.root / "nowhere.sql").fails(exit=2, says="nowhere.sql")


def test_the_table_of_rules_is_printed(tidelock):
    out = tidelock("plan", "--rules").succeeds().out
    assert "create-index: dangerous, index build, ShareLock\n" in out
    assert max(map(len, out.splitlines())) <= 80


def live_findings(tidelock):
    """{(migration, rule): finding} of what is pending."""
    plan = plan_of(tidelock)
    return {(migration["name"], finding["rule"]): finding for migration in plan["migrations"] for statement in migration["statements"] for finding in statement["findings"]}


def test_only_what_is_pending_is_judged_with_the_database(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000);")
    tidelock("deploy").succeeds()
    database.query("ANALYZE t")
    folder.add("002_b", "CREATE INDEX i ON t (id);")
    result = tidelock("plan").succeeds(says="1 statement in 1 pending migration, by their text and (live) the database: 0 dangerous, 0 unknown, 1 careful")
    assert "live: the table is small; about 1000 rows in 40 kB; takes less than 100 ms\n" in result.out
    (finding,) = live_findings(tidelock).values()
    assert finding["rests_on"] == "live" and finding["live"]["rows"] == 1000 and finding["live"]["held_by"] is None
    tidelock("deploy").succeeds(applied=["002_b"])
    tidelock("plan", "--fail-on", "careful").succeeds(says="0 statements in 0 pending migrations")


def test_scripts_of_what_is_applied_are_not_read(database, folder, tidelock):
    file = folder.add("001_a", "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id int);")
    tidelock("deploy").succeeds()
    file.write_text("SELECT 'never ends")
    folder.add("002_b", "ALTER TABLE t ADD COLUMN m mood;")
    tidelock("plan", "--fail-on", "careful").succeeds(says="it is no domain: nothing is rewritten")


@pytest.mark.every_major
def test_what_the_text_cannot_tell_the_database_does(database, folder, tidelock):
    database.query("""
        CREATE TYPE mood AS ENUM ('a');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE FUNCTION steady() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        CREATE FUNCTION varied() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
        CREATE TABLE t (a varchar(20), b varchar(20), n int, ts timestamp(3), proven int, sure int NOT NULL, open int, d numeric(8,2),
            CONSTRAINT proof CHECK (proven IS NOT NULL), CONSTRAINT other CHECK (open IS NOT NULL OR n > 0), CONSTRAINT on_b CHECK (b <> ''));
    """)
    statements = {
        "ADD COLUMN m1 mood": "safe",
        "ADD COLUMN m2 positive": "dangerous",
        "ADD COLUMN m3 int DEFAULT steady()": "safe",
        "ADD COLUMN m4 int DEFAULT varied()": "dangerous",
        "ALTER COLUMN a TYPE varchar(40)": "safe",
        "ALTER COLUMN a TYPE varchar(10)": "dangerous",
        "ALTER COLUMN a TYPE text": "safe",
        "ALTER COLUMN b TYPE varchar(40)": "dangerous",
        "ALTER COLUMN n TYPE bigint": "dangerous",
        "ALTER COLUMN ts TYPE timestamp(6)": "safe",
        "ALTER COLUMN d TYPE numeric(12, 2)": "safe",
        "ALTER COLUMN d TYPE numeric(12, 3)": "dangerous",
        "ALTER COLUMN proven SET NOT NULL": "safe",
        "ALTER COLUMN sure SET NOT NULL": "safe",
        "ALTER COLUMN open SET NOT NULL": "dangerous",
        "DROP CONSTRAINT proof": "safe",
    }
    folder.add("001_a", "".join(f"ALTER TABLE t {statement};\n" for statement in statements))
    (migration,) = plan_of(tidelock)["migrations"]
    told = {statement["sql"].removeprefix("ALTER TABLE t "): statement["verdict"] for statement in migration["statements"]}
    assert told == statements


@pytest.mark.every_major
def test_a_type_cannot_be_changed_under_what_uses_the_column(database, folder, tidelock):
    database.query("""
        CREATE TABLE t (a varchar(20), b varchar(20), c varchar(20), d varchar(20));
        CREATE VIEW shown AS SELECT a FROM t;
        CREATE POLICY mine ON t USING (b <> '');
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touched BEFORE UPDATE OF c ON t FOR EACH ROW EXECUTE FUNCTION touch();
    """)
    script = folder.add("001_a", "".join(f"ALTER TABLE t ALTER {column} TYPE text;\n" for column in "abcd"))
    statements = plan_of(tidelock)["migrations"][0]["statements"]
    assert [statement["verdict"] for statement in statements] == ["dangerous", "dangerous", "dangerous", "safe"]
    notes = [statement["findings"][0]["live"]["note"] for statement in statements]
    for note, user in zip(notes, ["view shown", "policy mine on table t", "trigger touched on table t"], strict=False):
        assert f"{user} uses the column now, so it would fail" in note
    script.write_text("DROP VIEW shown; ALTER TABLE t ALTER a TYPE text; CREATE VIEW shown AS SELECT a FROM t;")
    (change,) = [statement for statement in plan_of(tidelock)["migrations"][0]["statements"] if statement["findings"][0]["rule"] == "change-type"]
    assert change["verdict"] == "safe" and change["findings"][0]["live"]["note"].endswith("view shown uses the column now")


def test_a_type_change_behind_a_view_of_the_same_script_is_not_safe(folder, tidelock):
    script = folder.add("001_a", "CREATE TABLE t (a varchar(20)); CREATE VIEW v AS SELECT a FROM t; ALTER TABLE t ALTER a TYPE text;")
    verdicts = lambda: [statement["verdict"] for statement in plan_of(tidelock, "--offline")["migrations"][0]["statements"]]  # noqa: E731
    assert verdicts() == ["safe", "safe", "dangerous"]
    script.write_text("CREATE TABLE t (a varchar(20)); ALTER TABLE t ALTER a TYPE text; CREATE VIEW v AS SELECT a FROM t;")
    assert verdicts() == ["safe", "safe", "safe"]


def test_a_check_that_is_pending_to_be_validated_proves_not_null(database, folder, tidelock):
    database.query("CREATE TABLE t (a int, b int); ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID")
    folder.add("001_a", "ALTER TABLE t VALIDATE CONSTRAINT c")
    folder.add("002_b", "ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t ALTER b SET NOT NULL")
    found = [[finding["level"] for finding in statement["findings"]] for statement in plan_of(tidelock)["migrations"][1]["statements"]]
    assert found == [["safe"], ["dangerous"]]
    folder.replace("001_a", "ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t DROP CONSTRAINT c")
    assert plan_of(tidelock)["migrations"][1]["statements"][0]["verdict"] == "dangerous"


def test_a_table_that_an_earlier_pending_migration_creates_has_no_users(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (id int);")
    folder.add("002_b", "CREATE INDEX i ON t (id); CREATE INDEX j ON elsewhere (id); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES elsewhere;")
    found = live_findings(tidelock)
    plan = plan_of(tidelock)
    assert [statement["verdict"] for statement in plan["migrations"][1]["statements"]] == ["safe", "dangerous", "careful"]
    assert found["002_b", "create-index"]["live"]["note"] == "the database does not have it now"


def test_who_is_in_the_way_now_is_named(database, folder, tidelock):
    database.query("CREATE TABLE t (id int)")
    folder.add("001_a", "ALTER TABLE t ADD COLUMN a int;\nCREATE INDEX i ON t (id);")
    with psycopg.connect(database.url(application_name="nightly-report")) as reader:
        reader.execute("SELECT FROM t")
        out = tidelock("plan").succeeds().out
    assert out.count("it would wait for pid") == 1
    (line,) = [line for line in out.splitlines() if "nightly-report" in line]
    assert line.startswith("safe") and "which holds AccessShareLock" in line


def test_the_schema_of_the_url_is_where_tables_are(database, folder, tidelock):
    database.query("CREATE SCHEMA app; CREATE TABLE app.t (id int); INSERT INTO app.t SELECT 1; ANALYZE app.t")
    folder.add("001_a", "CREATE INDEX i ON t (id);")
    assert "about 1 row in" in tidelock("plan", url=database.url(schema="app")).succeeds().out


def test_a_role_that_sees_little_of_others_still_sees_that_they_are_there(database, folder, tidelock):
    role = f"reader_of_{database.name}"[:63]
    database.query(f'CREATE ROLE "{role}" LOGIN; CREATE TABLE t (id int)')
    folder.add("001_a", "ALTER TABLE t ADD COLUMN a int")
    with psycopg.connect(database.url()) as reader:
        reader.execute("SELECT FROM t")
        out = tidelock("plan", url=database.url(user=role)).succeeds(says=f"it would wait for pid {reader.info.backend_pid}").out
        assert "only members of pg_monitor can see more" in out
    database.query(f'DROP ROLE "{role}"')


BAD = '-- a comment\nCREATE INDEX "a|b" ON "t,%:\n@x" (a);\nSELECT 1;\n-- tidelock: allow create-index because it is small\nCREATE INDEX j ON u (a);'


def test_sarif_has_every_finding_at_its_line_and_the_allowed_ones_suppressed(folder, tidelock):
    folder.add("001_a", BAD)
    (run,) = json.loads(tidelock("plan", "--offline", "--output", "sarif").succeeds().out)["runs"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"]) == ("create-index", "error")
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "prisma/migrations/001_a/migration.sql"}, "region": {"startLine": 2}}
    assert second["suppressions"] == [{"kind": "inSource", "justification": "it is small"}]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(ids)) == len(ids) and {result["ruleId"] for result in run["results"]} <= set(ids)


def test_github_gets_one_annotation_a_finding_on_one_line(folder, tidelock):
    folder.add("001_a", BAD)
    lines = tidelock("plan", "--offline", "--output", "github").succeeds().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=prisma/migrations/001_a/migration.sql,line=2,title=create-index::nobody can write")
    assert '"t,%25: @x"' in lines[0]


def test_gitlab_gets_a_code_quality_report_whose_fingerprints_stay(folder, tidelock):
    file = folder.add("001_a", BAD)
    (issue,) = json.loads(tidelock("plan", "--offline", "--output", "gitlab").succeeds().out)
    assert issue["severity"] == "critical" and issue["location"] == {"path": "prisma/migrations/001_a/migration.sql", "lines": {"begin": 2}}
    file.write_text("\n\n" + BAD)
    (moved,) = json.loads(tidelock("plan", "--offline", "--output", "gitlab").succeeds().out)
    assert moved["location"]["lines"]["begin"] == 4 and moved["fingerprint"] == issue["fingerprint"]


def test_markdown_is_a_table_in_which_no_name_is_markup(folder, tidelock):
    folder.add("001_a", BAD)
    lines = tidelock("plan", "--offline", "--output", "markdown").succeeds().out.splitlines()
    assert lines[0].startswith("### tidelock plan: 3 statements in 1 migration")
    (row,) = lines[4:]
    assert row.startswith("| dangerous | 001\\_a:2 | create-index | ") and '"a\\|b"' in row and "&#64;x" in row and "@" not in row


def test_json_and_another_format_exclude_each_other(folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("plan", "--offline", "--json", "--output", "sarif").fails(exit=2, says="--json and --output exclude each other")


def test_how_each_script_is_applied_is_said(folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (id int PRIMARY KEY, a int);")
    folder.add("002_b", "BEGIN; SELECT 1; COMMIT; SELECT 2;")
    folder.add("003_c", "CREATE INDEX CONCURRENTLY i ON t (a);")
    folder.add("004_d", "-- tidelock: backfill t key=id\nUPDATE t SET a = 1 WHERE a IS NULL;")
    folder.add("005_e", "BEGIN; SELECT 1;")
    assert [migration["mode"] for migration in plan_of(tidelock, "--offline")["migrations"]] == ["atomic", "self-managed", "stepwise", "backfill", None]
    assert "mode      a deployment refuses the script\n" in tidelock("plan", "--offline", "-v").succeeds().out


def test_format_also_takes_the_words_of_output(folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (id int PRIMARY KEY, a int);")
    written = tidelock("plan", "--offline", "--output", "sarif").succeeds().out
    assert tidelock("plan", "--offline", "--format", "sarif").succeeds().out == written
    assert tidelock("plan", "--offline", "--format", "prisma", "--format", "sarif").succeeds().out == written
    tidelock("plan", "--offline", "--format", "sarif", "--output", "sarif").fails(exit=2, says="given twice")
    tidelock("deploy", "--format", "sarif").fails(exit=2, says="--format")


GOOSE_FILE = "-- +goose Up\nCREATE TABLE t (a int);\n-- +goose Down\nDROP TABLE t;\n"
DBMATE_FILE = "-- migrate:up\nCREATE TABLE t (a int);\n-- migrate:down\nDROP TABLE t;\n"
SQL_MIGRATE_FILE = "-- +migrate Up\nCREATE TABLE t (a int);\n-- +migrate Down\nDROP TABLE t;\n"


@pytest.mark.parametrize("text, words", [(GOOSE_FILE, []), (DBMATE_FILE, []), (GOOSE_FILE, ["--format", "goose"])], ids=["goose", "dbmate", "said"])
def test_a_file_is_read_as_its_tool_reads_it(tidelock, tmp_path, text, words):
    script = tmp_path / "1_t.sql"
    script.write_text(text)
    (migration,) = plan_of(tidelock, *words, "--files", script)["migrations"]
    assert [(statement["line"], statement["verdict"]) for statement in migration["statements"]] == [(2, "safe")]


@pytest.mark.parametrize("text, words", [(SQL_MIGRATE_FILE, []), (GOOSE_FILE, ["--format", "prisma"])], ids=["no format", "another format"])
def test_a_way_back_that_would_be_run_is_refused(tidelock, tmp_path, text, words):
    script = tmp_path / "1_t.sql"
    script.write_text(text)
    tidelock("plan", *words, "--files", script).fails(exit=2, says="the script goes back again", at="1_t.sql:3")
