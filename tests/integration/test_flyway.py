"""Flyway's folders, its ledger and its lock: with the ledger's rows as Flyway writes them, and with Flyway itself where that proves more."""

import zlib

import pytest

from peers import Flyway, PeerFolder
from tool import wait_for_nobody
from wait import wait_until

HISTORY = "SELECT version, description, type, script, checksum, success FROM flyway_schema_history ORDER BY installed_rank"
LEDGER = """CREATE TABLE flyway_schema_history (installed_rank int NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY, version varchar(50),
    description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
    installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL)"""
KEY = 77433833903597  # of "public"."flyway_schema_history"


def checksum(script):
    number = zlib.crc32("".join(script.splitlines()).encode())
    return number - (1 << 32) if number >> 31 else number


@pytest.fixture
def app(tmp_path):
    return PeerFolder(Flyway(), tmp_path / "flyway")


@pytest.fixture
def tidelock(tidelock, app):
    """In the folder's project."""

    def run(*words, **options):
        return tidelock(*words, cwd=app.root, **options)

    run.start = lambda *words, **options: tidelock.start(*words, cwd=app.root, **options)
    return run


@pytest.fixture
def flyway(major, app):
    if not Flyway.is_installed():
        pytest.skip("Flyway could not be installed")
    flyway = Flyway()
    yield flyway
    flyway.clean_up()


@pytest.fixture
def write(app):
    def write(name, script):
        (app.path / name).parent.mkdir(exist_ok=True)
        (app.path / name).write_text(script)

    return write


@pytest.fixture
def record(database):
    """Writes rows as Flyway does; makes the table first."""
    database.query(LEDGER)

    def record(version, description, script, sum, type="SQL", success=True):
        database.query(
            "INSERT INTO flyway_schema_history SELECT coalesce(max(installed_rank), 0) + 1, %s, %s, %s, %s, %s, 'x', now(), 7, %s FROM flyway_schema_history",
            version, description, type, script, sum, success,
        )

    return record


def test_a_new_database(tidelock, database, write):
    write("V2__two.sql", "CREATE TABLE b (y int);\n")
    write("V10__i.sql", "CREATE INDEX CONCURRENTLY i ON b (y);\n")
    write("sub/V1.0__one_table.sql", "CREATE TABLE a (x int);\r\n")
    write("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT x FROM a;\n")
    write("R__an_earlier.sql", "SELECT 1;\n")
    write("U2__two.sql", "DROP TABLE b;\n")
    write("notes.sql", "no migration\n")
    tidelock("deploy").succeeds(applied=["sub/V1.0__one_table.sql", "V2__two.sql", "V10__i.sql", "R__an_earlier.sql", "R__view.sql"])
    assert database.query(HISTORY) == [
        ("1.0", "one table", "SQL", "sub/V1.0__one_table.sql", checksum("CREATE TABLE a (x int);"), True),
        ("2", "two", "SQL", "V2__two.sql", checksum("CREATE TABLE b (y int);"), True),
        ("10", "i", "SQL", "V10__i.sql", checksum("CREATE INDEX CONCURRENTLY i ON b (y);"), True),
        (None, "an earlier", "SQL", "R__an_earlier.sql", checksum("SELECT 1;"), True),
        (None, "view", "SQL", "R__view.sql", checksum("CREATE OR REPLACE VIEW v AS SELECT x FROM a;"), True),
    ]
    tidelock("deploy").succeeds(applied=[], says="No pending")
    tidelock("status", "--exit-code").succeeds(says="up to date")


def test_a_ledger_of_flyways(tidelock, database, write, record):
    """Versions are compared as numbers; the row of the schema that Flyway made is none of a migration."""
    database.query("INSERT INTO flyway_schema_history VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"public\"', NULL, 'x', now(), 0, true)")
    record("01.0", "one", "V01.0__one.sql", checksum("SELECT 1;"))
    write("V1__one.sql", "SELECT 1;\n")
    write("V1.1__next.sql", "SELECT 2;\n")
    tidelock("deploy").succeeds(applied=["V1.1__next.sql"])
    assert database.query("SELECT installed_rank, version FROM flyway_schema_history ORDER BY 1") == [(0, None), (1, "01.0"), (2, "1.1")]


def test_a_repeatable_is_applied_again_when_it_changes(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    write("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS n;\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql", "R__v.sql"])
    write("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS n;\n")
    tidelock("status", "--exit-code").fails(exit=1)
    write("V2__b.sql", "CREATE TABLE b (x int);\n")
    tidelock("deploy").succeeds(applied=["V2__b.sql", "R__v.sql"])
    assert database.value("SELECT n FROM v") == 2
    assert database.value("SELECT count(*) FROM flyway_schema_history WHERE description = 'v'") == 2
    tidelock("deploy").succeeds(applied=[])
    write("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS n;\n")
    tidelock("deploy").succeeds(applied=["R__v.sql"])
    assert database.value("SELECT n FROM v") == 1


def test_a_repeatable_may_need_to_run_outside_a_transaction(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    for number in range(3):
        write("R__v.sql", f"VACUUM a; -- {number}\n")
        tidelock("deploy").succeeds(says="applied R__v.sql")
    write("R__v.sql", "VACUUM a;\nVACUUM gone;\n")
    tidelock("deploy").fails(exit=7, says="gone")
    tidelock("deploy").fails(exit=7, says="gone")
    write("R__v.sql", "VACUUM a;\nVACUUM a;\n")
    tidelock("deploy").succeeds(says="applied R__v.sql")
    tidelock("deploy").succeeds(applied=[])


def test_the_checksum_of_a_repeatable_is_of_what_is_run(tidelock, database, write, app):
    write("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT '${Greeting}' AS text, '${flyway:defaultSchema}' AS place;\n")
    greeting = {"FLYWAY_PLACEHOLDERS_GREETING": "hello"}
    tidelock("deploy", environment=greeting).succeeds(applied=["R__v.sql"])
    sum = "SELECT checksum FROM flyway_schema_history ORDER BY installed_rank DESC LIMIT 1"
    assert database.value(sum) == checksum("CREATE OR REPLACE VIEW v AS SELECT 'hello' AS text, 'public' AS place;")
    tidelock("deploy", environment=greeting).succeeds(applied=[])
    tidelock("deploy", environment={"FLYWAY_PLACEHOLDERS_GREETING": "bye"}).succeeds(applied=["R__v.sql"])
    assert database.query("SELECT text, place FROM v") == [("bye", "public")]
    database.query("UPDATE flyway_schema_history SET checksum = %s", checksum((app.path / "R__v.sql").read_text()))
    tidelock("deploy", environment=greeting).succeeds(applied=[])


def test_an_unknown_placeholder_is_refused_with_its_place(tidelock, database, write, app):
    write("V1__a.sql", "SELECT 1;\nSELECT '${nobody}';\n")
    tidelock("deploy").fails(exit=6, says=["nothing is known of the placeholder ${nobody}", "FLYWAY_PLACEHOLDERS_"], at="V1__a.sql:2")
    write("V1__a.sql.conf", "placeholderReplacement=false\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql"])


def test_a_script_that_mixes_is_refused_as_flyway_does(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\nCREATE INDEX CONCURRENTLY i ON a (x);\n")
    tidelock("deploy").fails(exit=6, says="FLYWAY_MIXED", at="V1__a.sql:2")
    assert not database.holds("a")
    tidelock("deploy", environment={"FLYWAY_MIXED": "true"}).succeeds(applied=["V1__a.sql"])


def test_the_settings_of_a_script_decide_about_its_transaction(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\nCREATE INDEX CONCURRENTLY i ON a (x);\n")
    write("V1__a.sql.conf", "executeInTransaction=false\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql"])
    write("V2__b.sql", "VACUUM;\n")
    write("V2__b.sql.conf", "executeInTransaction=true\n")
    tidelock("deploy").fails(exit=6, says="executeInTransaction")


@pytest.mark.parametrize("name, is_what", [("beforeMigrate.sql", "is a callback"), ("sub/afterEachMigrate__x.sql", "is a callback"), ("V2__x.java", "is a migration in Java"), ("R__x.sh", "is a migration in Java or another language")])
def test_what_only_flyway_can_run_is_named(tidelock, database, write, name, is_what):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    write(name, "SELECT 1;\n")
    tidelock("deploy").fails(exit=8, says=[name, is_what])
    assert not database.holds("a")


def test_a_migration_in_java_that_flyway_has_applied_is_no_obstacle(tidelock, write, record):
    record("1", "x", "db.migration.V1__x", None, type="JDBC")
    write("V1__x.class", "")
    write("V2__a.sql", "CREATE TABLE a (x int);\n")
    tidelock("deploy").succeeds(applied=["V2__a.sql"])


def test_the_same_version_twice(tidelock, database, write):
    write("V1__a.sql", "SELECT 1;\n")
    write("sub/V01.0__b.sql", "SELECT 1;\n")
    tidelock("deploy").fails(exit=2, says="have the same version")


def test_an_edited_migration_is_refused(tidelock, database, write, record):
    record("1", "a", "V1__a.sql", checksum("SELECT 1;"))
    write("V1__a.sql", "SELECT 2;\n")
    write("V2__b.sql", "CREATE TABLE b (x int);\n")
    tidelock("deploy").fails(exit=8, says=["Flyway refuses that", "V1__a.sql was edited"])
    assert not database.holds("b")
    tidelock("resolve", "--accept-edit", "V1__a.sql").succeeds(says="recorded as it is now")
    assert database.value("SELECT checksum FROM flyway_schema_history") == checksum("SELECT 2;")
    tidelock("deploy").succeeds(applied=["V2__b.sql"])


def test_line_ends_are_no_edit(tidelock, write, record, app):
    record("1", "a", "V1__a.sql", checksum("SELECT\n1;"))
    (app.path / "V1__a.sql").write_bytes(b"\xef\xbb\xbfSELECT\r\n1;")
    tidelock("deploy").succeeds(applied=[], says="No pending")


def test_a_missing_one_is_refused_unless_it_is_newer(tidelock, database, write, record):
    write("V2__b.sql", "SELECT 1;\n")
    record("2", "b", "V2__b.sql", checksum("SELECT 1;"))
    record("3", "c", "V3__c.sql", 1)
    tidelock("deploy").succeeds(applied=[], says="ahead")
    write("R__r.sql", "SELECT 1;\n")
    tidelock("deploy").succeeds(applied=["R__r.sql"])
    record("1", "a", "V1__a.sql", 1)
    tidelock("deploy").fails(exit=8, says="1 is not in the folder")


def test_a_late_one_is_refused(tidelock, database, write, record):
    record("2", "b", "V2__b.sql", checksum("SELECT 1;"))
    write("V2__b.sql", "SELECT 1;\n")
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    tidelock("deploy").fails(exit=8, says="V1__a.sql is older")
    assert not database.holds("a")
    tidelock("deploy", environment={"FLYWAY_OUT_OF_ORDER": "true"}).succeeds(applied=["V1__a.sql"])
    write("V0__z.sql", "SELECT 1;\n")
    tidelock("deploy", "--no-strict").succeeds(applied=["V0__z.sql"])


def test_what_was_deleted_or_undone_is_not_applied(tidelock, database, write, record):
    """repair marks rows of files that are gone, an undo script those that it has undone."""
    record("1", "a", "V1__a.sql", checksum("CREATE TABLE a (x int);"))
    record("1", "a", "V1__a.sql", checksum("CREATE TABLE a (x int);"), type="DELETE")
    record("2", "b", "V2__b.sql", checksum("CREATE TABLE b (x int);"))
    record("2", "b", "U2__b.sql", 1, type="UNDO_SQL")
    write("V2__b.sql", "CREATE TABLE b (x int);\n")
    tidelock("deploy").succeeds(applied=["V2__b.sql"])
    tidelock("deploy").succeeds(applied=[])


def test_a_failure_that_flyway_has_marked_blocks(tidelock, database, write, record):
    record("1", "a", "V1__a.sql", checksum("VACUUM gone;"), success=False)
    write("V1__a.sql", "VACUUM;\n")
    tidelock("deploy").fails(exit=8, says=["failed", "Flyway has recorded that it failed", "If part of it is there", "resolve --rolled-back"])
    tidelock("baseline").fails(exit=8, says="failed")
    tidelock("resolve", "--rolled-back", "V1__a.sql").succeeds(says="marked as rolled back")
    assert database.query(HISTORY) == []
    tidelock("deploy").succeeds(applied=["V1__a.sql"])


def test_a_failure_may_be_resolved_as_applied(tidelock, database, write, record):
    record("1", "a", "V1__a.sql", 1, success=False)
    write("V1__a.sql", "VACUUM;\n")
    tidelock("resolve", "--applied", "V1__a.sql").succeeds(says="marked as applied")
    assert database.query(HISTORY) == [("1", "a", "SQL", "V1__a.sql", checksum("VACUUM;"), True)]
    tidelock("deploy").succeeds(applied=[])


def test_a_failure_of_ours_leaves_no_mark(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\nSELECT 1/0;\n")
    tidelock("deploy").fails(exit=6, says="division by zero", at="V1__a.sql:2")
    assert not database.holds("a") and database.query(HISTORY) == []
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql"])


def test_a_kill_halfway_is_resumed(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\nCREATE TABLE held (x int);\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql"])
    write("V2__b.sql", "INSERT INTO a VALUES (1);\nVACUUM held;\nINSERT INTO a VALUES (2);\n")
    write("V2__b.sql.conf", "executeInTransaction=false\n")
    with database.connect() as connection:
        connection.autocommit = False
        connection.execute("LOCK TABLE held")
        running = tidelock.start("deploy", "--lock-timeout", "30s", "--max-blocked-for", "0")
        wait_until(lambda: database.query("SELECT 1 FROM pg_locks WHERE relation = 'held'::regclass AND NOT granted"), "the script to wait")
        running.kill()
        connection.rollback()
    wait_for_nobody(database)
    assert len(database.query(HISTORY)) == 1
    tidelock("status", "--exit-code").fails(exit=1)
    tidelock("deploy").succeeds(applied=["V2__b.sql"])
    assert database.query("SELECT x FROM a ORDER BY x") == [(1,), (2,)]
    assert database.query(HISTORY)[1][:3] == ("2", "b", "SQL")


def test_a_script_that_is_misnamed_is_told_of(tidelock, write):
    """Flyway keeps silent about it."""
    write("V1__a.sql", "CREATE TABLE a (x int);")
    write("V2_b.sql", "CREATE TABLE b (x int);")
    write("notes.sql", "CREATE TABLE c (x int);")
    for _ in range(2):
        tidelock("deploy").succeeds(says="V2_b.sql and 1 more in migrations are never applied, by their names")


def test_a_schema_that_is_not_empty_needs_a_baseline(tidelock, database, write):
    database.query("CREATE TABLE old (x int)")
    for number in (1, 2, 3):
        write(f"V{number}__{number}.sql", f"CREATE TABLE t{number} (x int);\n")
    tidelock("deploy").fails(exit=8, says=["not empty", "tidelock baseline"])
    tidelock("baseline", "--to", "V2__2.sql").succeeds(says="2 of 3 migrations recorded")
    assert database.query(HISTORY) == [("2", "<< Flyway Baseline >>", "BASELINE", "<< Flyway Baseline >>", None, True)]
    tidelock("deploy").succeeds(applied=["V3__3.sql"])
    write("V2__2.sql", "edited, which does not matter below a baseline\n")
    tidelock("deploy").succeeds(applied=[])
    tidelock("status").succeeds(says="3 applied")


def test_a_baseline_of_everything_has_the_repeatables_too(tidelock, database, write):
    database.query("CREATE TABLE old (x int)")
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    write("V2__b.sql", "CREATE TABLE b (x int);\n")
    write("R__r.sql", "SELECT 1;\n")
    tidelock("baseline").succeeds(says="3 of 3")
    assert [row[:3] for row in database.query(HISTORY)] == [("2", "<< Flyway Baseline >>", "BASELINE"), (None, "r", "SQL")]
    tidelock("deploy").succeeds(applied=[])


def test_a_later_baseline_records_each_migration(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    tidelock("deploy").succeeds(applied=["V1__a.sql"])
    write("V2__b.sql", "SELECT 1;\n")
    tidelock("baseline", "--to", "2").succeeds(says="1 of 2")
    assert database.query(HISTORY)[1] == ("2", "b", "SQL", "V2__b.sql", checksum("SELECT 1;"), True)


def test_a_baseline_script_stands_for_those_before_it_in_a_new_database(tidelock, database, write):
    for number in (1, 2, 3):
        write(f"V{number}__{number}.sql", f"CREATE TABLE t{number} (x int);\n")
    write("B1__1.sql", "SELECT 'old';\n")
    write("B2__all.sql", "CREATE TABLE t1 (x int);\nCREATE TABLE t2 (x int);\n")
    tidelock("deploy").succeeds(applied=["B2__all.sql", "V3__3.sql"])
    assert [row[:3] for row in database.query(HISTORY)] == [("2", "all", "SQL_BASELINE"), ("3", "3", "SQL")]
    tidelock("deploy").succeeds(applied=[])
    tidelock("status", "--exit-code").succeeds(says="up to date")


def test_a_baseline_script_is_for_new_databases_only(tidelock, database, write):
    write("V1__1.sql", "CREATE TABLE t1 (x int);\n")
    tidelock("deploy").succeeds(applied=["V1__1.sql"])
    write("V2__2.sql", "CREATE TABLE t2 (x int);\n")
    write("B2__all.sql", "CREATE TABLE t1 (x int);\n")
    write("V3__3.sql", "CREATE TABLE t3 (x int);\n")
    tidelock("deploy").succeeds(applied=["V2__2.sql", "V3__3.sql"])
    tidelock("deploy").succeeds(applied=[])


def test_a_shadow_is_a_new_database(tidelock, database, write):
    for number in (1, 2, 3):
        write(f"V{number}__{number}.sql", f"CREATE TABLE t{number} (x int);\n")
    write("B2__all.sql", "CREATE TABLE t1 (x int);\nCREATE TABLE t2 (x int);\n")
    tidelock("plan", "--shadow", "create").succeeds(says="rehearsed")
    tidelock("verify", "--shadow", "create").succeeds(says="replays from an empty database")
    tidelock("deploy").succeeds(applied=["B2__all.sql", "V3__3.sql"])
    drift = tidelock("drift", "--shadow", "create")
    assert drift.errors.count("is a folder of Flyway") == 1
    tidelock("diff", "migrations", database.url(), "--shadow", "create").succeeds(says="no difference")


def test_the_ledger_may_have_another_name_and_schema(tidelock, database, write):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    tidelock("deploy", environment={"FLYWAY_TABLE": "History", "FLYWAY_SCHEMAS": "app,other"}).succeeds(applied=["V1__a.sql"])
    assert database.value('SELECT script FROM app."History"') == "V1__a.sql" and database.holds("app.a")
    assert database.query("SELECT indexname FROM pg_indexes WHERE schemaname = 'app' ORDER BY 1") == [("History_pk",), ("History_s_idx",)]
    tidelock("deploy", "--ledger", "app.History").succeeds(applied=[])


@pytest.mark.parametrize("scope", ["", "_xact"])
def test_flyways_lock_is_waited_for(tidelock, database, write, scope):
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    with database.connect() as connection:
        connection.autocommit = False
        connection.execute(f"SELECT pg_advisory{scope}_lock({KEY})")
        tidelock("deploy", "--leader-timeout", "100ms").fails(exit=4)
        assert not database.holds("a")
        connection.rollback()
    tidelock("deploy").succeeds(applied=["V1__a.sql"])


def test_with_flyway_itself(tidelock, flyway, app, database, write):
    """Half each, repeatables, a baseline script; each finds nothing left of the other's work."""
    write("B2__all.sql", "CREATE TABLE a (x int);\n")
    write("V2__old.sql", "SELECT 1;\n")
    write("V3__c.sql", "SELECT 3;\n")
    write("R__r.sql", "CREATE OR REPLACE VIEW r AS SELECT '${flyway:user}' AS u, '${flyway:filename}' AS f;\n")
    tidelock("deploy").succeeds(applied=["B2__all.sql", "V3__c.sql", "R__r.sql"])
    done = flyway.up(database.url(), app)
    assert done.returncode == 0 and "No migration necessary" in done.stdout, done.stdout
    write("V4_0__d.sql", "SELECT 4;\n")
    write("R__r.sql", "CREATE OR REPLACE VIEW r AS SELECT '${flyway:user}' AS u, '' AS f;\n")
    done = flyway.up(database.url(), app)
    assert done.returncode == 0 and "Successfully applied 2 migrations" in done.stdout, done.stdout
    tidelock("deploy").succeeds(applied=[])
    write("V5__broken.sql", "VACUUM gone;\n")
    done = flyway.up(database.url(), app, "-postgresql.transactional.lock=false")
    assert done.returncode != 0
    tidelock("deploy").fails(exit=8, says="Flyway has recorded that it failed")
    tidelock("resolve", "--rolled-back", "5").succeeds()
    write("V5__broken.sql", "VACUUM;\n")
    tidelock("deploy").succeeds(applied=["V5__broken.sql"])
    done = flyway.validate(database.url(), app)
    assert done.returncode == 0 and "Successfully validated" in done.stdout, done.stdout


def test_flyway_is_content_with_our_baseline(tidelock, flyway, app, database, write):
    database.query("CREATE TABLE old (x int)")
    write("V1__a.sql", "CREATE TABLE a (x int);\n")
    write("V2__b.sql", "CREATE TABLE b (x int);\n")
    tidelock("baseline", "--to", "1").succeeds()
    done = flyway.baseline(database.url(), app, 1)
    assert "already initialized" in done.stdout, done.stdout
    assert flyway.up(database.url(), app).returncode == 0
    assert database.holds("b") and not database.holds("a")
    tidelock("deploy").succeeds(applied=[])
