"""Ledgers of other tools: a table of the right name with other columns, one beside which a new ledger would be begun, and one that says whose a folder is."""

import json

import pytest

GOOSE = ["--format", "goose", "--migrations", "migrations", "--drift", "off"]

# What each tool makes, reduced to its columns; what is said of its migrations.
LEDGERS = {
    "Prisma": (
        "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL,"
        " logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)",
        "--format prisma",
    ),
    "golang-migrate": ("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)", "--format golang-migrate"),
    "dbmate": ("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", "--format dbmate"),
    "Flyway": (
        "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), type varchar(20), script varchar(1000),"
        " checksum int, installed_by varchar(100), installed_on timestamp, execution_time int, success boolean)",
        "--format flyway",
    ),
    "sqlx": (
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz, success boolean, checksum bytea, execution_time bigint)",
        "--format sqlx",
    ),
    "Drizzle": ("CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)", "--format drizzle"),
    "Rails": (
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar)",
        "they are programs in Ruby",
    ),
    "Django": ("CREATE TABLE django_migrations (id bigint, app varchar(255), name varchar(255), applied timestamptz)", "they are programs in Python"),
    "Alembic": ("CREATE TABLE alembic_version (version_num varchar(32))", "they are programs in Python"),
    "Ecto": ("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp(0))", "they are programs in Elixir"),
    "Laravel": ("CREATE TABLE migrations (id serial, migration varchar(255), batch int)", "they are programs in PHP"),
    "Knex": ("CREATE TABLE knex_migrations (id serial, name varchar(255), batch int, migration_time timestamptz)", "they are programs in JavaScript"),
    "TypeORM": ("CREATE TABLE migrations (id serial, timestamp bigint, name varchar)", "they are programs in JavaScript"),
    "Sequelize": ('CREATE TABLE "SequelizeMeta" (name varchar(255))', "they are programs in JavaScript"),
    "node-pg-migrate": ("CREATE TABLE pgmigrations (id serial, name varchar(255), run_on timestamp)", "they are programs in JavaScript"),
    "Entity Framework": ('CREATE TABLE "__EFMigrationsHistory" ("MigrationId" varchar(150), "ProductVersion" varchar(32))', "they are programs in C#"),
    "Liquibase": ("CREATE TABLE databasechangelog (id varchar(255), author varchar(255), filename varchar(255), md5sum varchar(35))", "Liquibase can't be applied here"),
    "Atlas": (
        "CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar, applied bigint, total bigint, hash varchar)",
        "Atlas can't be applied here",
    ),
    "Supabase": ("CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)", "can't be applied here"),
    "graphile-migrate": ("CREATE SCHEMA graphile_migrate; CREATE TABLE graphile_migrate.migrations (hash text, previous_hash text, filename text, date timestamptz)", "can't be applied here"),
    "refinery": ("CREATE TABLE refinery_schema_history (version int4, name varchar(255), applied_on varchar(255), checksum varchar(255))", "can't be applied here"),
    "tern": ("CREATE TABLE schema_version (version int4 NOT NULL)", "can't be applied here"),
}


# One that was never used keeps nobody out, if the tool is one that tidelock knows.
ROWS = {
    "Prisma": "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', '', '1_a')",
    "golang-migrate": "INSERT INTO schema_migrations VALUES (1, false)",
    "dbmate": "INSERT INTO schema_migrations VALUES ('1')",
    "Flyway": "INSERT INTO flyway_schema_history (installed_rank) VALUES (1)",
    "sqlx": "INSERT INTO _sqlx_migrations (version) VALUES (1)",
    "Drizzle": "INSERT INTO drizzle.__drizzle_migrations (hash) VALUES ('')",
}


@pytest.fixture
def goose(folder):
    """A folder of goose's with one migration."""
    path = folder.root / "migrations"
    path.mkdir()
    (path / "00001_t.sql").write_text("-- +goose Up\nCREATE TABLE t ();\n")
    return path


@pytest.mark.fault
@pytest.mark.parametrize("tool", LEDGERS)
def test_no_ledger_is_begun_beside_one_of_another_tool(database, goose, tidelock, tool):
    make, says = LEDGERS[tool]
    database.query(f"{make}; {ROWS.get(tool, 'SELECT 1')}")
    has = "It has 1 row." if tool in ROWS else "It has 0 rows."
    for words in [["deploy"], ["deploy", "--dry-run"]]:
        result = tidelock(*words, *GOOSE).fails(exit=8, says=[f"no ledger of goose, but one of {tool}: ", has, says, "Nothing was changed", "tidelock baseline --to NAME"])
        assert "exit      8:" in result.errors or words[-1] == "--dry-run"
    assert not database.holds("goose_db_version") and not database.holds("t")
    tidelock("deploy", "--allow-unrelated", *GOOSE).succeeds(applied=["00001_t.sql"])
    tidelock("deploy", *GOOSE).succeeds(says="No pending")


def test_what_another_schema_holds_is_nobody_s_business(database, goose, tidelock):
    database.query("CREATE SCHEMA other; CREATE TABLE other.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    database.query(LEDGERS["Drizzle"][0])
    database.query("CREATE SCHEMA ours; CREATE TABLE django_migrations (id bigint, app text, name text, applied timestamptz)")
    tidelock("deploy", *GOOSE, url=database.url(schema="ours")).succeeds(applied=["00001_t.sql"])


@pytest.mark.parametrize("columns", ["version text", "id int, name text", "version bigint, dirty text", ""])
def test_a_table_of_the_application_is_no_ledger(database, goose, tidelock, columns):
    database.query(f"CREATE TABLE migrations ({columns}); CREATE TABLE flyway_schema_history ({columns})")
    tidelock("deploy", *GOOSE).succeeds(applied=["00001_t.sql"])


def test_it_can_be_taken_over(database, goose, tidelock):
    database.query(LEDGERS["golang-migrate"][0])
    database.query("INSERT INTO schema_migrations VALUES (1, false); CREATE TABLE t ()")
    tidelock("deploy", *GOOSE).fails(exit=8, says="It has 1 row.")
    tidelock("baseline", "--to", "00001_t.sql", *GOOSE).succeeds(says="1 of 1 migration recorded as applied")
    tidelock("deploy", *GOOSE).succeeds(says="No pending")


@pytest.mark.fault
def test_rows_are_counted_where_that_runs_nobody_s_code(database, goose, tidelock):
    """A view, a policy and a lock: what is known without them is said."""
    database.query("CREATE VIEW pgmigrations AS SELECT 1/0 AS id, ''::varchar AS name, now() AS run_on")
    result = tidelock("deploy", *GOOSE).fails(exit=8, says="one of node-pg-migrate")
    assert "It has" not in result.errors
    database.query("DROP VIEW pgmigrations; CREATE TABLE pgmigrations (id int, name varchar, run_on timestamp)")
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE pgmigrations")
        result = tidelock("deploy", *GOOSE).fails(exit=8, says="one of node-pg-migrate")
    assert "It has" not in result.errors


@pytest.mark.fault
@pytest.mark.parametrize("command", ["deploy", "status", "wait", "plan", "baseline", "resolve"])
@pytest.mark.parametrize("tool", ["golang-migrate", "dbmate", "Rails", "Ecto"])
def test_a_table_of_the_right_name_may_be_another_tool_s(database, goose, tidelock, tool, command):
    database.query(LEDGERS[tool][0])
    words = {"resolve": ["resolve", "--applied", "00001_t.sql"], "wait": ["wait", "--leader-timeout", "1s"]}.get(command, [command])
    drift = [] if command in ["status", "plan", "wait"] else ["--drift", "off"]
    tidelock(*words, "--ledger", "schema_migrations", "--format", "goose", "--migrations", "migrations", *drift).fails(
        exit=8, says=[f"the table public.schema_migrations is not a ledger of goose, but one of {tool}", "It has the columns version", "and 0 rows.", LEDGERS[tool][1], "--ledger NAME"]
    )
    assert not database.holds("t")


@pytest.mark.fault
def test_a_table_of_the_right_name_that_no_tool_makes(database, goose, tidelock):
    database.query("CREATE TABLE goose_db_version (n int)")
    tidelock("deploy", *GOOSE).fails(exit=8, says=["the table public.goose_db_version is not a ledger of goose\n", "It has the columns n, and 0 rows."])


@pytest.mark.fault
def test_a_schema_that_is_not_empty_may_have_another_tool_s_ledger(database, folder, tidelock):
    """Prisma's error says whose tables these are."""
    database.query(LEDGERS["Rails"][0])
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").fails(exit=8, says=["P3005", "public.schema_migrations is a ledger of Rails (0 rows). Only Rails can apply its own migrations"])


@pytest.fixture
def pair(folder):
    """A folder that golang-migrate and sqlx would both apply."""
    path = folder.root / "migrations"
    path.mkdir()
    (path / "000001_t.up.sql").write_text("CREATE TABLE t ();")
    (path / "000001_t.down.sql").write_text("DROP TABLE t;")
    return ["--migrations", "migrations"]


EITHER = 'the folder "migrations" may be golang-migrate\'s or sqlx\'s'


@pytest.mark.fault
@pytest.mark.parametrize("command", [["deploy"], ["status"], ["plan"], ["plan", "--offline"], ["wait"], ["run", "--", "echo", "APP"], ["resolve", "--rolled-back", "000001_t.up.sql"], ["baseline"]], ids=" ".join)
def test_where_no_ledger_says_whose_a_folder_is_a_person_has_to(database, pair, tidelock, command):
    at = command.index("--") if "--" in command else len(command)
    result = tidelock(*command[:at], *pair, *command[at:]).fails(exit=2, says=[EITHER, "Nothing was changed", "--format"])
    assert "APP" not in result.out and not database.holds("t")


@pytest.mark.parametrize("tool", ["golang-migrate", "sqlx"])
def test_the_ledger_says_whose_a_folder_is(database, pair, tidelock, tool):
    tidelock("deploy", "--drift", "off", "--format", tool, *pair).succeeds(applied=["000001_t.up.sql"])
    # The application's own, of another shape.
    database.query("CREATE TABLE IF NOT EXISTS schema_migrations (version text); CREATE TABLE IF NOT EXISTS _sqlx_migrations (version text)")
    says = f'"migrations" is taken for a folder of {tool}, whose ledger the database has'
    for words in [["deploy"], ["status"], ["plan"], ["wait"], ["run", *pair, "--", "true"]]:
        tidelock(*words, *(pair if "--" not in words else [])).succeeds(says=says)
    tidelock("plan", "--offline", *pair).fails(exit=2, says=EITHER)
    tidelock("status", "--format", tool, *pair).succeeds()


@pytest.mark.fault
def test_two_ledgers_say_nothing(database, pair, tidelock):
    database.query(LEDGERS["golang-migrate"][0])
    database.query(LEDGERS["sqlx"][0])
    tidelock("deploy", *pair).fails(exit=2, says=EITHER)


def test_a_ledger_that_is_called_otherwise_says_it_too(database, pair, tidelock):
    database.query("CREATE SCHEMA meta; CREATE TABLE meta.versions (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    tidelock("deploy", "--ledger", "meta.versions", *pair).succeeds(applied=["000001_t.up.sql"], says="is taken for a folder of golang-migrate")


@pytest.mark.fault
def test_whose_it_is_cannot_be_asked_of_a_database_that_is_not_there(database, pair, tidelock):
    tidelock("deploy", *pair, url=database.server.url("nowhere")).fails(exit=2, says=["nowhere", "finding out whose the folder is"])


# Of each tool, a folder with one migration that makes the table t.
FOLDERS = {
    "goose": {"00001_t.sql": "-- +goose Up\nCREATE TABLE t (a int);\n"},
    "dbmate": {"20240101_t.sql": "-- migrate:up\nCREATE TABLE t (a int);\n-- migrate:down\nDROP TABLE t;\n"},
    "sqlx": {"20240101_t.sql": "CREATE TABLE t (a int);\n"},
    "golang-migrate": {"1_t.up.sql": "CREATE TABLE t (a int);\n"},
    "flyway": {"V1__t.sql": "CREATE TABLE t (a int);\n"},
    "drizzle": {
        "0000_t.sql": "CREATE TABLE t (a int);\n",
        "meta/_journal.json": '{"version": "7", "dialect": "postgresql", "entries": [{"idx": 0, "version": "7", "when": 1700000000000, "tag": "0000_t", "breakpoints": true}]}',
    },
}


@pytest.fixture(params=FOLDERS)
def tool(request, folder):
    path = folder.root / "migrations"
    path.mkdir()
    for name, text in FOLDERS[request.param].items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)
    return ["--format", request.param, "--migrations", "migrations"]


@pytest.mark.parametrize("ledger", [[], ["--ledger", "versions"], ["--ledger", "meta.versions"]], ids=" ".join)
def test_a_ledger_is_no_fact_of_the_schema(database, tidelock, tool, ledger):
    """Neither its table nor what belongs to that, wherever it is; and drift needs no folder to know it."""
    tidelock("deploy", *tool, *ledger, url=database.url(schema="app")).succeeds()
    snapshot = tidelock("snapshot", *ledger).succeeds().out
    assert "table app.t\n" in snapshot and "version" not in snapshot and "history" not in snapshot and "goose" not in snapshot
    tidelock("drift", *tool, *ledger, url=database.url(schema="app")).succeeds(says="no difference")
    tidelock("diff", "migrations", "database", "--shadow", "create", *tool, *ledger, url=database.url(schema="app")).succeeds(says="no difference")
    database.query("ALTER TABLE app.t ADD COLUMN b int")
    for words in [["drift"], ["drift", "--shadow", "create"]]:
        result = tidelock(*words, *tool, *ledger, url=database.url(schema="app"))
        assert result.code == 1 and "+ column app.t.b" in result.out and "2 differences" in result.out, result.out + result.errors


def test_drift_knows_the_ledger_that_is_there(database, tidelock, tool):
    tidelock("deploy", *tool).succeeds()
    tidelock("drift").succeeds(says="no difference")
    database.query("DROP TABLE t")
    assert "- table public.t" in tidelock("drift").out
    database.query(LEDGERS["Prisma"][0])
    tidelock("drift").fails(exit=2, says=["the database has several ledgers: Prisma's and ", "--format prisma, for example"])
    assert "- table public.t" in tidelock("drift", *tool[:2]).out


def test_status_says_whose_ledger_it_reads(database, tidelock, tool):
    for has_ledger in [False, True]:
        said = json.loads(tidelock("status", "--json", "--ledger", "meta.versions", *tool, url=database.url(schema="app")).succeeds().out)
        assert said["ledger"]["format"] == tool[1] and said["ledger"]["schema"] == "meta" and said["ledger"]["table"] == "versions"
        assert said["schema"] == "app" and said["has_ledger"] == has_ledger and not said["needs_baseline"]
        tidelock("deploy", "--ledger", "meta.versions", *tool, url=database.url(schema="app")).succeeds()
    assert database.holds("app.t") and not database.holds("meta.t")
