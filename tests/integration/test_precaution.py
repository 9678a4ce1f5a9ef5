"""--require-backup and --restore-point: what is done before the first pending migration runs."""

import re

import pytest
from pooler import HBA, PASSWORD, Pooler
from servers import Database, Server
from tool import Tool
from wait import wait_until

POINT = re.compile(r"recovery_target_name = '(tidelock_\d{8}T\d{6}Z_[0-9a-f]{8})'; or recovery_target_lsn = '([0-9A-F]+/[0-9A-F]+)' with recovery_target_inclusive = off")


def point_of(result):
    (point,) = POINT.findall(result.errors)
    return point


def own_server(server, request, *settings, **more):
    own = Server(server.major, server.binaries, settings, **more)
    request.addfinalizer(own.remove)
    return own


@pytest.fixture
def archived(server, request, tmp_path):
    """A server whose archiver copies its WAL; it fails while "broken" exists."""
    own = own_server(server, request, "archive_mode=on", "archive_command=test ! -e broken && cp %p archive/%f")
    (own.data / "archive").mkdir()
    (own.data / "archive").chmod(0o777)
    return own


def archive(server):
    """Until what was written so far is in the archive."""
    name = server.query("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    server.query("SELECT pg_logical_emit_message(false, 'test', 'there is something to archive')")
    server.query("SELECT pg_switch_wal()")
    wait_until(lambda: (server.data / "archive" / name).exists(), "the WAL to be archived")


def test_it_is_made_before_the_first_migration_and_recorded(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    result = tidelock("deploy", "--restore-point").succeeds(applied=["001_a", "002_b"])
    name, lsn = point_of(result)
    assert result.errors.index("made a restore point") < result.errors.index("applied 001_a")
    (row,) = database.query("SELECT name, lsn::text, ledger_schema, first_migration, pending, timeline FROM tidelock.restore_point")
    assert row == (name, lsn, "public", "001_a", 2, "00000001")


def test_with_nothing_pending_none_is_made(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    result = tidelock("deploy", "--require-backup", "1s", environment={"TIDELOCK_RESTORE_POINT": "true"}).succeeds()
    assert "restore point" not in result.errors
    assert not database.query("SELECT FROM pg_class WHERE relname = 'restore_point'")


def test_the_journal_stays_usable_for_a_run_without_one(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", "--restore-point").succeeds()
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("deploy", "--restore-point").succeeds()
    folder.add("003_c", "CREATE INDEX CONCURRENTLY i ON c (id)")
    database.query("CREATE TABLE c (id int)")
    tidelock("deploy", "--drift", "off").succeeds(applied=["003_c"])
    assert database.value("SELECT count(*) FROM tidelock.restore_point") == 2
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tidelock%%'") == 1


@pytest.mark.parametrize("target", ["name", "lsn"])
def test_a_restored_backup_stops_there(archived, request, binary, folder, target):
    database = Database(archived, "app")
    tidelock = Tool(binary, database, folder)
    folder.add("001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);")
    tidelock("deploy").succeeds()
    backup = archived.back_up()
    database.query("INSERT INTO a VALUES (2)")
    folder.add("002_b", "DELETE FROM a; CREATE TABLE b ();")
    name, lsn = point_of(tidelock("deploy", "--restore-point").succeeds(applied=["002_b"]))
    database.query("INSERT INTO a VALUES (3)")
    archive(archived)
    (backup / "recovery.signal").touch()
    settings = {"name": [f"recovery_target_name={name}"], "lsn": [f"recovery_target_lsn={lsn}", "recovery_target_inclusive=off"]}[target]
    restored = own_server(archived, request, f"restore_command=cp {archived.data}/archive/%f %p", "recovery_target_action=promote", *settings, backup=backup)
    there = Database(restored, "app", is_there=True)
    wait_until(lambda: not there.value("SELECT pg_is_in_recovery()"), "the recovery to end")
    assert there.query("SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    assert not there.holds("b")
    assert there.applied() == ["001_a"]


def test_a_role_without_the_right_is_told_what_to_type(server, database, folder, binary):
    database.query('CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA public TO plain')
    try:
        tidelock = Tool(binary, database, folder)
        folder.add("001_a", "CREATE TABLE a ()")
        url = server.url(database.name, user="plain")
        for command in [["deploy", "--restore-point"], ["deploy", "--restore-point", "--dry-run"]]:
            denied = tidelock(*command, url=url)
            denied.fails(exit=8, says=['role "plain" may not make a restore point', "Nothing was changed.", f'in database "{database.name}"'])
        assert not database.holds("a")
        database.query(re.search(r"GRANT EXECUTE ON FUNCTION .*;", denied.errors)[0])
        point_of(tidelock("deploy", "--restore-point", url=url).succeeds(applied=["001_a"]))
    finally:
        database.query("DROP OWNED BY plain; DROP ROLE plain")


def test_without_wal_for_it_none_is_made(server, request, binary, folder):
    own = own_server(server, request, "wal_level=minimal", "max_wal_senders=0")
    tidelock = Tool(binary, Database(own, "app"), folder)
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", "--restore-point").fails(exit=8, says=["wal_level is minimal", "ALTER SYSTEM SET wal_level = 'replica'"])
    tidelock("deploy").succeeds(applied=["001_a"])


def test_one_script_asks_for_all(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "-- tidelock: restore-point\nCREATE TABLE b ()")
    rehearsed = tidelock("deploy", "--dry-run").succeeds(says="Before that, a restore point would be made.")
    assert not POINT.search(rehearsed.errors)
    result = tidelock("deploy").succeeds(applied=["001_a", "002_b"])
    point_of(result)
    assert database.value("SELECT first_migration FROM tidelock.restore_point") == "001_a"
    folder.add("003_c", "CREATE TABLE c ()")
    assert not POINT.search(tidelock("deploy").succeeds(applied=["003_c"]).errors)


def test_a_script_that_asks_for_a_backup_keeps_all_from_running(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "-- tidelock: require-backup=24h restore-point\nCREATE TABLE b ()")
    for command in [["deploy"], ["deploy", "--dry-run"], ["deploy", "--require-backup", "48h"]]:
        tidelock(*command).fails(exit=8, says=["no backup that the server knows of: archive_mode is off", "--backup-check", "Nothing was changed.", "no recent backup"])
    assert not database.holds("a")
    result = tidelock("deploy", "--backup-check", "SELECT now() - interval '25 hours';").fails(exit=8)
    assert "the last backup is 25 h old, and --require-backup allows 24 h" in result.errors
    tidelock("deploy", "--backup-check", "SELECT now() - interval '23 hours';").succeeds(applied=["001_a", "002_b"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("restore-point=on", 'directive "restore-point" takes no value'),
        ("require-backup", 'directive "require-backup" has no value'),
        ("require-backup=soon", 'directive "require-backup" cannot be "soon"'),
        ("restore-point restore-point", 'directive "restore-point" is given twice'),
        ("restore_point", 'Did you mean "restore-point"?'),
    ],
)
def test_a_directive_that_would_not_be_obeyed_is_refused(folder, tidelock, line, says):
    folder.add("001_a", f"-- tidelock: {line}\nSELECT 1")
    tidelock("plan", "--offline").fails(exit=2, says=says, at="001_a/migration.sql:1")


def test_the_archiver_is_asked(archived, binary, folder):
    database = Database(archived, "app")
    tidelock = Tool(binary, database, folder)
    folder.add("001_a", "CREATE TABLE a ()")
    archived.query("SELECT pg_stat_reset_shared('archiver')")
    tidelock("deploy", "--require-backup", "1h").fails(exit=8, says=["it has not archived any WAL", "SELECT pg_switch_wal();"])
    archive(archived)
    wait_until(lambda: database.value("SELECT last_archived_time IS NOT NULL FROM pg_stat_archiver"), "the archiver to say so")
    tidelock("deploy", "--require-backup", "1ms").fails(exit=8, says=["the last archived WAL is ", "old, and --require-backup allows 1 ms"])
    tidelock("deploy", "--require-backup", "1h", "--dry-run").succeeds(says="Before that, the last backup must be younger than 1 h.")
    (archived.data / "broken").touch()
    archived.query("SELECT pg_logical_emit_message(false, 'test', 'more'), pg_switch_wal()")
    wait_until(lambda: database.value("SELECT last_failed_time > last_archived_time FROM pg_stat_archiver"), "the archiver to fail")
    tidelock("deploy", "--require-backup", "1h").fails(exit=8, says=["failing to archive its WAL since", "archive_command"])
    assert not database.holds("a")
    (archived.data / "broken").unlink()
    wait_until(lambda: database.value("SELECT last_failed_time < last_archived_time FROM pg_stat_archiver"), "the archiver to succeed")
    tidelock("deploy", "--require-backup", "1h").succeeds(applied=["001_a"])


@pytest.mark.parametrize(
    ("sql", "exit", "says"),
    [
        ("SELECT true", 0, ""),
        ("SELECT clock_timestamp() -- good", 0, ""),
        ("SELECT (now() AT TIME ZONE current_setting('TimeZone'))::timestamp", 0, ""),
        ("WITH b AS (SELECT interval '59 minutes') SELECT * FROM b;", 0, ""),
        ("VALUES (false)", 8, "the backup check says that there is no good backup"),
        ("SELECT interval '61 minutes'", 8, "the last backup is 1 h 1 min old, and --require-backup allows 1 h"),
        ("SELECT max(b) FROM (SELECT now() WHERE false) AS x (b)", 8, "finds no backup: it returns null"),
        ("SELECT now() WHERE false", 8, "finds no backup: it returns no row"),
        ("SELECT NULL::boolean", 8, "finds no backup: it returns null"),
        ("SELECT now(), 1", 8, "returns several columns"),
        ("SELECT now() FROM generate_series(1, 3)", 8, "returns several rows"),
        ("SELECT clock_timestamp() + interval '4 minutes'", 0, ""),
        ("SELECT now() + interval '1 day'", 8, "returns a time that is still to come"),
        ("SELECT interval '-1 day'", 8, "an age below zero"),
        ("SELECT 'yesterday'", 8, "returns no time, age or boolean"),
        ("SELECT nextval('s') > 0", 8, "the backup check failed: cannot execute nextval() in a read-only transaction"),
        ("SELECT true) AS c (answer); DROP TABLE kept; --", 8, "the backup check failed: "),
        ("SELECT count(*) > 0 FROM nowhere", 8, 'the backup check failed: relation "nowhere" does not exist'),
    ],
)
def test_what_a_backup_check_may_say(database, folder, tidelock, sql, exit, says):
    database.query("CREATE SEQUENCE s; CREATE TABLE kept (); CREATE SCHEMA app")
    folder.add("001_a", "CREATE TABLE a ()")
    environment = {"TIDELOCK_BACKUP_CHECK": sql, "TIDELOCK_REQUIRE_BACKUP": "1h"}
    result = tidelock("deploy", url=database.url(schema="app"), environment=environment)
    assert result.code == exit and says in result.errors, result._explain(f"should say {says!r}")
    assert database.holds("kept") and database.holds("app.a") == (exit == 0)


def test_a_time_alone_does_not_say_whether_it_is_recent(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy", "--backup-check", "SELECT now()").fails(exit=2, says="Add --require-backup AGE")
    tidelock("deploy", "--backup-check", "SELECT true").succeeds(applied=["001_a"])


def test_what_a_backup_check_sets_does_not_stay(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a AS SELECT current_user AS who, current_setting('tide.x', true) AS x")
    check = "SELECT set_config('role', 'pg_monitor', false) || set_config('tide.x', 'set', false) IS NOT NULL"
    tidelock("deploy", "--backup-check", check).succeeds(applied=["001_a"])
    assert database.query("SELECT who = session_user, COALESCE(x, '') FROM a") == [(True, "")]


def test_a_backup_check_that_takes_too_long_is_given_up(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    database.query("CREATE SCHEMA app; CREATE TABLE backups (at timestamptz)")
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE backups")
        result = tidelock("deploy", "--backup-check", "SELECT max(at) FROM public.backups", url=database.url(schema="app"))
        result.fails(exit=8, says="the backup check failed: canceling statement due to lock timeout")


def test_going_back_takes_both(database, folder, tidelock):
    file = folder.add("001_a", "CREATE TABLE a ()")
    (file.parent / "down.sql").write_text("-- tidelock: restore-point\nDROP TABLE a")
    tidelock("deploy").succeeds()
    tidelock("rollback", "--require-backup", "1h").fails(exit=8, says="archive_mode is off")
    tidelock("rollback", "--dry-run", "--backup-check", "SELECT true").succeeds(says="Before that, --backup-check must find a backup, and a restore point would be made.")
    assert database.holds("a")
    point_of(tidelock("rollback").succeeds())
    assert not database.holds("a")


def test_plan_and_status_foresee_it(database, folder, tidelock):
    folder.add("001_a", "-- tidelock: require-backup=24h\nCREATE TABLE a ()")
    result = tidelock("plan", "--restore-point").succeeds(says="Before that, the last backup must be younger than 24 h, and a restore point would be made.")
    assert "made a restore point" not in result.errors
    assert "archive_mode is off" in tidelock("status").out
    tidelock("deploy", "--backup-check", "SELECT true").succeeds()
    assert "restore point" not in tidelock("plan", "--restore-point").succeeds().out


def test_it_is_made_behind_a_pooler_too(server, request, binary, folder):
    own = own_server(server, request, hba=HBA)
    own.query(f"CREATE ROLE app LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    pooler = Pooler(own, "transaction")
    request.addfinalizer(pooler.remove)
    database = Database(own, "app")
    tidelock = Tool(binary, database, folder)
    folder.add("001_a", "CREATE TABLE a ()")
    result = tidelock("deploy", "--restore-point", "--backup-check", "SELECT true", url=pooler.url("app")).succeeds(applied=["001_a"])
    point_of(result)
    assert database.value("SELECT current_setting('statement_timeout')") == "0"
