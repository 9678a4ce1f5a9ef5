"""A folder of golang-migrate: its names, its ledger of one version, its locks; and the real tool before, between and behind."""

import json
import zlib

import pytest
from peers import ROOT, GolangMigrate
from tool import wait_for_nobody, wait_for_session

SALT = 1486364155


class Go:
    """The folder, and what the ledger says."""

    def __init__(self, database, folder, tidelock):
        self.database = database
        self.root = folder.root
        self.path = folder.root / "migrations"
        self.path.mkdir()
        self.tool = tidelock

    def add(self, name, script=""):
        file = self.path / name
        file.write_text(script)
        return file

    def table(self, *numbers):
        return [self.add(f"{number}_t{number}.up.sql", f"CREATE TABLE t{number} (id int)").name for number in numbers]

    def start(self, *words, **options):
        return self.tool.start(*words, "--migrations", self.path, "--format", "golang-migrate", **options)

    def __call__(self, *words, **options):
        return self.start(*words, **options).wait()

    def ledger(self, table="schema_migrations"):
        return self.database.query(f"SELECT version, dirty FROM {table}")

    def mark(self, version, dirty=False, table="schema_migrations"):
        """As the tool does."""
        self.database.query(f"CREATE TABLE IF NOT EXISTS {table} (version bigint not null primary key, dirty boolean not null)")
        self.database.query(f"TRUNCATE {table}")
        self.database.query(f"INSERT INTO {table} VALUES (%s, %s)", version, dirty)


@pytest.fixture
def go(database, folder, tidelock):
    return Go(database, folder, tidelock)


@pytest.fixture
def migrate(go):
    if not GolangMigrate.is_installed():
        pytest.skip("golang-migrate could not be installed")
    peer = GolangMigrate()
    yield lambda *words, **parameters: peer.run(go, *peer.command(go.database.url(**parameters), go, *words))
    peer.clean_up()


def test_it_applies_what_the_tool_would_in_its_order(database, go):
    go.add("2_second.up.sql", "CREATE TABLE second (id int)")
    go.add("0001_first.up.sql", "CREATE TABLE first (id int)")
    go.add("0001_first.down.sql", "DROP TABLE first")
    go.add("10_tenth.up.pgsql", "ALTER TABLE second ADD n int")
    go.add("11_gone.down.sql", "DROP TABLE second")
    go.add("README.md", "no migration")
    go.add("12_no_direction.sql", "SELECT 1/0")
    go.add("99999999999999999999_too_long.up.sql", "SELECT 1/0")
    (go.path / "13_directory.up.sql").mkdir()
    names = ["0001_first.up.sql", "2_second.up.sql", "10_tenth.up.pgsql", "11_gone.down.sql"]
    go("deploy").succeeds(applied=names)
    assert go.ledger() == [(11, False)]
    assert database.holds("second") and database.holds("first")
    go("deploy").succeeds(applied=[])


@pytest.mark.parametrize("one, other", [("1_a.up.sql", "01_b.up.sql"), ("1_a.down.sql", "1_b.down.sql"), ("1_a.up.sql", "1_a.up.pgsql")])
def test_a_version_twice_in_one_direction_is_refused(database, go, one, other):
    go.add("1_way.up.txt" if "down" in one else "2_c.up.sql")
    go.add(one)
    go.add(other)
    go("deploy").fails(exit=2, says=[one, other, "have the same version, 1", "Nothing was changed."])
    assert not database.holds("schema_migrations")


def test_a_version_that_no_bigint_holds_is_refused_before_anything_is_done(database, go):
    go.table(1)
    go.add("9223372036854775808_late.up.sql")
    go("deploy").fails(exit=6, says="its version is greater than 9223372036854775807")
    assert not database.holds("t1")
    (go.path / "9223372036854775808_late.up.sql").rename(go.path / "9223372036854775807_last.up.sql")
    go("deploy").succeeds()
    assert go.ledger() == [(9223372036854775807, False)]
    go("deploy").succeeds(applied=[])


def test_a_failure_leaves_the_ledger_as_it_was(database, go):
    go.table(1)
    broken = go.add("2_broken.up.sql", "CREATE TABLE kept (id int);\nSELECT 1/0")
    go("deploy").fails(exit=6, says="division by zero", at=f"{broken}:2")
    assert go.ledger() == [(1, False)] and not database.holds("kept")
    broken.write_text("CREATE TABLE kept (id int)")
    go("deploy").succeeds(applied=["2_broken.up.sql"])
    assert go.ledger() == [(2, False)]


def test_what_is_dirty_is_refused_until_somebody_decides(database, go):
    names = go.table(1, 2, 3, 4)
    go.mark(2, dirty=True)
    go("deploy").fails(
        exit=8,
        says=["golang-migrate has marked version 2 as dirty", "If part of it is there, finish or undo that by hand first.", f'tidelock resolve --rolled-back "{names[1]}"', f'tidelock resolve --applied "{names[1]}"'],
    )
    go("status").succeeds(says="1 applied, 2 pending, 1 failed")
    assert [row["duration_ms"] for row in json.loads(go("status", "--json").succeeds().out)["migrations"]] == [None] * 4
    go("baseline", "--all").fails(exit=8, says="has not been resolved")
    assert go.ledger() == [(2, True)]
    go("resolve", "--rolled-back", "2").succeeds()
    assert go.ledger() == [(1, False)]
    go.mark(2, dirty=True)
    go("resolve", "--applied", names[1]).succeeds()
    assert go.ledger() == [(2, False)]
    go("deploy").succeeds(applied=names[2:])


def test_the_first_one_is_set_back_to_nothing(database, go):
    go.table(1)
    for version, name in ((1, "1_t1.up.sql"), (-1, "-1")):
        go.mark(version, dirty=True)
        go("deploy").fails(exit=8, says=f"marked version {version} as dirty")
        go("resolve", "--rolled-back", name).succeeds()
        assert go.ledger() == []
    go("deploy").succeeds(applied=["1_t1.up.sql"])


def test_only_what_follows_can_be_recorded(database, go):
    go.table(1, 2, 3, 4)
    go.mark(1)
    go("resolve", "--applied", "3").fails(exit=8, says=['"2_t2.up.sql" before it is not applied', "tidelock baseline --to", "Nothing was changed."])
    go("resolve", "--applied", "3", "--applied", "2").fails(exit=8, says='"2_t2.up.sql" before it is not applied')
    go("resolve", "--applied", "1").fails(exit=8, says="already recorded as applied")
    go("resolve", "--pending", "1").fails(exit=8, says="migrate force VERSION")
    assert go.ledger() == [(1, False)]
    go("resolve", "--applied", "2", "--applied", "3").succeeds()
    assert go.ledger() == [(3, False)]


def test_baseline_sets_the_version(database, go):
    names = go.table(1, 2, 3)
    database.query("CREATE TABLE t1 (id int); CREATE TABLE t2 (id int)")
    go("baseline", "--to", "2").succeeds(says="2 of 3 migrations recorded as applied")
    assert go.ledger() == [(2, False)]
    go("deploy").succeeds(applied=names[2:])


def test_an_older_image_starts_and_leaves_all_as_it_is(database, go):
    go.table(1, 2)
    go.mark(7)
    go("deploy").succeeds(applied=[], says="ahead of this folder, at version 7")
    go("status").succeeds(says="2 applied, 0 pending")
    go.mark(7, dirty=True)
    go("deploy").succeeds(applied=[], says='migration "7" is not finished')
    go("resolve", "--rolled-back", "7").fails(exit=8, says=["version 7 is not in this folder", "migrate force VERSION"])
    assert go.ledger() == [(7, True)]


def test_a_version_that_is_gone_from_the_folder_is_refused_as_by_the_tool(database, go):
    names = go.table(1, 3)
    go.mark(2)
    go("deploy").fails(exit=8, says=["golang-migrate refuses that", "2 is not in the folder", "--no-strict"])
    assert go.ledger() == [(2, False)]
    go("deploy", "--no-strict").succeeds(applied=names[1:])
    assert go.ledger() == [(3, False)]


def test_a_late_smaller_version_never_runs(database, go):
    go.table(1, 3)
    go("deploy").succeeds()
    go.table(2)
    go("deploy").succeeds(applied=[])
    assert not database.holds("t2") and go.ledger() == [(3, False)]


HOLD = """CREATE FUNCTION hold() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND granted) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"""
OWN = """BEGIN;
CREATE TABLE one (id int);
COMMIT;
SELECT hold();
BEGIN;
CREATE TABLE two (id int);
COMMIT;
"""


def test_a_script_with_its_own_transactions_is_resumed_where_it_was_killed(database, go):
    database.query(HOLD)
    go.table(1)
    go.add("2_own.up.sql", OWN)
    go.table(3)
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(42)")
        running = go.start("deploy")
        wait_for_session(database, "SELECT hold()")
        running.kill()
    wait_for_nobody(database)
    assert go.ledger() == [(1, False)] and database.holds("one")
    go("status").succeeds(says="interrupted 2_own.up.sql")
    go("deploy").succeeds(applied=["2_own.up.sql", "3_t3.up.sql"], says="resuming at statement")
    assert go.ledger() == [(3, False)] and database.holds("two")


def test_what_the_tool_has_applied_since_is_not_resumed(database, go):
    """Its ledger alone says what is applied: a version is forced, or another has been applied."""
    go.add("1_own.up.sql", "BEGIN;\nCREATE TABLE one (id int);\nCOMMIT;\nSELECT 1/0;")
    go.table(2)
    go("deploy").fails(exit=7, says="division by zero")
    assert go.ledger() == []
    go.mark(1)
    go("deploy").succeeds(applied=["2_t2.up.sql"])
    assert go.ledger() == [(2, False)]


def test_what_was_half_done_can_be_resolved_either_way(database, go):
    go.table(1)
    own = go.add("2_own.up.sql", "BEGIN;\nCREATE TABLE one (id int);\nCOMMIT;\nSELECT 1/0;")
    go("deploy").fails(exit=7)
    go("resolve", "--rolled-back", "2").succeeds()
    assert go.ledger() == [(1, False)]
    database.query("DROP TABLE one")
    go("deploy").fails(exit=7)
    # As the tool does that begins it anew.
    go.mark(2, dirty=True)
    go("deploy").fails(exit=8, says="marked version 2 as dirty")
    go("resolve", "--applied", own.name).succeeds()
    assert go.ledger() == [(2, False)]
    go("deploy").succeeds(applied=[])


@pytest.mark.parametrize("moved", ["UPDATE schema_migrations SET version = 2", "UPDATE schema_migrations SET dirty = true", "INSERT INTO schema_migrations VALUES (7, false)", "TRUNCATE schema_migrations"])
@pytest.mark.parametrize("ending", ["", ";COMMIT"])
def test_a_ledger_that_moves_meanwhile_is_not_overwritten(database, go, moved, ending):
    go.table(1)
    go("deploy").succeeds()
    begin = "BEGIN;" if ending else ""
    go.add("2_moves.up.sql", f"{begin}CREATE TABLE two (id int);{moved}{ending}")
    go("deploy").fails(exit=7 if ending else 6, says='the ledger "public".schema_migrations changed during this run')
    assert database.holds("two") == bool(ending)
    if not ending:
        assert go.ledger() == [(1, False)]


def keys(database, schema="public", table="schema_migrations"):
    return [zlib.crc32("\0".join([schema, table, name]).encode()) * SALT % 2**32 for name in (f"/{database.name}", database.name)]


def test_it_waits_for_both_locks_of_the_tool_and_holds_them(database, go):
    database.query(HOLD)
    go.add("1_wait.up.sql", "CREATE TABLE one (id int); SELECT hold()")
    for key in keys(database):
        with database.connect() as other:
            other.execute("SELECT pg_advisory_lock(%s)", [key])
            go("deploy", "--leader-timeout", "300ms").fails(exit=4, says="Nothing was changed by this process.")
            go("resolve", "--applied", "1").fails(exit=4, says="golang-migrate is at work")
    assert not database.holds("one")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(42)")
        running = go.start("deploy")
        wait_for_session(database, "SELECT hold()")
        for key in keys(database):
            assert not other.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()[0]
        other.execute("SELECT pg_advisory_unlock(42)")
        running.wait().succeeds(applied=["1_wait.up.sql"])


@pytest.mark.parametrize("table, parameters", [("schema_lock", {}), ('"My lock"', {"x-lock-table": "My lock", "x-lock-strategy": "table"})])
def test_a_lock_in_the_tool_s_table_is_respected(database, go, table, parameters):
    names = go.table(1)
    url = database.url(**parameters)
    database.query(f"CREATE TABLE {table} (lock_id bigint NOT NULL PRIMARY KEY); INSERT INTO {table} VALUES (1566149314)")
    for words in (["deploy"], ["resolve", "--applied", "1"]):
        go(*words, url=url).fails(exit=4, says=["golang-migrate is at work, or was killed", "Nothing was changed.", "DELETE FROM"])
    database.query(f"DELETE FROM {table}")
    go("deploy", url=url).succeeds(applied=names)


TABLES = {
    "plain": ({"x-migrations-table": "versions"}, "public.versions"),
    "odd": ({"x-migrations-table": "My.Versions"}, 'public."My.Versions"'),
    "quoted": ({"x-migrations-table": '"Versions"', "x-migrations-table-quoted": "1"}, 'public."Versions"'),
    "schema": ({"x-migrations-table": '"own"."versions"', "x-migrations-table-quoted": "true"}, "own.versions"),
    "path": ({"search_path": "own"}, "own.schema_migrations"),
    "paths": ({"search_path": "own, public", "x-multi-statement": "true", "x-lock-strategy": "advisory"}, "own.schema_migrations"),
}


@pytest.mark.parametrize("case", TABLES)
def test_the_url_says_where_the_ledger_is_as_to_the_tool(database, go, migrate, case):
    parameters, table = TABLES[case]
    database.query("CREATE SCHEMA own")
    names = go.table(1, 2)
    done = migrate("up", "1", **parameters)
    assert done.returncode == 0, done.stdout
    assert go.ledger(table) == [(1, False)]
    go("deploy", url=database.url(**parameters)).succeeds(applied=names[1:])
    assert go.ledger(table) == [(2, False)]
    assert migrate("version", **parameters).stdout.split() == ["2"]
    assert (database.holds("own.t2"), database.holds("public.t2")) == ("search_path" in parameters, "search_path" not in parameters)


def test_what_the_url_cannot_mean_is_refused(database, go):
    go.table(1)
    go("deploy", url=database.url(**{"x-migrations-table": "versions", "x-migrations-table-quoted": "true"})).fails(exit=2, says="x-migrations-table is not quoted")
    go("deploy", url=database.url(**{"x-migrations-table-quoted": "perhaps"})).fails(exit=2, says="must be true or false")
    go("deploy", url=database.url(**{"x-statement-timeout": "5"})).succeeds(says="--migration-timeout")
    go("deploy", url=database.url().replace("postgresql:", "pgx5:")).succeeds(says="No pending migrations")


def test_each_goes_on_where_the_other_stopped(database, go, migrate):
    names = go.table(1, 2, 3, 4)
    go.add("4_t4.down.sql", "DROP TABLE t4")
    assert migrate("up", "1").returncode == 0
    go("deploy", "--to", "2").succeeds(applied=[names[1]])
    assert migrate("up", "1").returncode == 0
    go("deploy").succeeds(applied=[names[3]])
    assert "no change" in migrate("up").stdout
    assert migrate("down", "1").returncode == 0
    assert go.ledger() == [(3, False)]
    go("deploy").succeeds(applied=[names[3]])
    assert migrate("version").stdout.split() == ["4"]


def test_what_the_tool_leaves_dirty_is_refused_and_what_is_resolved_it_takes(database, go, migrate):
    go.table(1)
    broken = go.add("2_broken.up.sql", "SELECT 1/0")
    assert migrate("up").returncode == 1
    assert go.ledger() == [(2, True)]
    go("deploy").fails(exit=8, says="marked version 2 as dirty")
    go("resolve", "--rolled-back", "2").succeeds()
    broken.write_text("CREATE TABLE t2 (id int)")
    assert migrate("up").returncode == 0
    assert go.ledger() == [(2, False)] and database.holds("t2")


def test_the_example_is_one_to_both(database, go, migrate):
    for file in (ROOT / "docker" / "examples" / "golang-migrate" / "migrations").iterdir():
        go.add(file.name, file.read_text())
    go("deploy").succeeds(says="applied 3 migrations")
    assert "no change" in migrate("up").stdout
    assert migrate("down", "-all").returncode == 0
    assert migrate("up").returncode == 0
    go("deploy").succeeds(applied=[])
