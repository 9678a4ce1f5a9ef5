"""The floor of a migration: an older release finds out from the database that it may not run on the schema."""

import json

import pytest
from folder import Folder
from peers import Dbmate, Flyway, Goose, Sqlx
from tool import Tool

FLOOR = "-- tidelock: floor=1.5.0\n"
CONTRACT = FLOOR + "ALTER TABLE t DROP COLUMN old"
TOO_OLD = "is too old for this database"
ROLLBACK = "ALTER TABLE t ADD COLUMN old int"


@pytest.fixture
def newer(binary, database, tmp_path):
    """The newer image, whose folder has a migration with a floor."""
    folder = Folder(tmp_path / "newer")
    tool = Tool(binary, database, folder)
    tool.add = folder.add
    yield tool
    tool.clean_up()


@pytest.fixture
def contracted(folder, newer, tidelock):
    """An expand, which both images have, and a contract, which only the newer one has."""
    for image in (folder, newer.folder):
        image.add("001_expand", "CREATE TABLE t (id int, old int, new int)")
    tidelock("deploy").succeeds()
    (newer.add("002_contract", CONTRACT).parent / "down.sql").write_text(ROLLBACK)
    newer("deploy", "--release", "1.5.0").succeeds(applied=["002_contract"])


STARTS = [("deploy",), ("deploy", "--strict=edited"), ("run", "--", "echo", "up"), ("run", "--wait", "--", "echo", "up"), ("wait",)]


@pytest.mark.every_major
@pytest.mark.parametrize("command", STARTS, ids=lambda command: " ".join(command[:2]))
def test_an_older_release_is_refused(contracted, tidelock, command):
    words = (command[0], "--release", "1.4.9", "--leader-timeout", "0", *command[1:])
    result = tidelock(*words).fails(exit=8, says=[TOO_OLD, 'migration "002_contract" is applied', "only release 1.5.0 or a newer one can run"])
    assert result.out == "" and "a release that is too old" in result.errors and "Nothing was changed." in result.errors
    older = tidelock(command[0], "--leader-timeout", "0", *command[1:], environment={"TIDELOCK_RELEASE": "v1.5.0-rc.1"})
    older.fails(exit=8, says=TOO_OLD)


@pytest.mark.parametrize("release", ["1.5.0", "v1.5", "1.5.0+build.7", "1.10.0", "2026.11.30"])
def test_one_that_is_not_older_starts(contracted, tidelock, release):
    tidelock("run", "--release", release, "--", "echo", "up").succeeds(says="up")


@pytest.mark.parametrize("schema", ["plain", 'odd"$1\'', "two\nlines", "back\\slash"])
def test_the_floor_of_a_ledger_in_any_schema(server, database, folder, tidelock, newer, schema):
    """Its journal is named after it; and an application may have a table of that name, too."""
    database.query("CREATE TABLE public.floor (storey int)")
    url = server.url(database.name, schema=schema)
    for image in (folder, newer.folder):
        image.add("001_expand", "SELECT 1")
    newer.add("002_contract", FLOOR + "SELECT 1")
    database.query("CREATE SCHEMA \"tidelock_" + schema.replace('"', '""') + '"')
    newer("deploy", "--release", "1.5.0", url=url).succeeds(applied=["001_expand", "002_contract"])
    for command in (("deploy",), ("deploy", "--strict=edited"), ("wait",)):
        tidelock(*command, "--release", "1.4.9", url=url).fails(exit=8, says=TOO_OLD)
    assert newer("status", "--json", url=url).succeeds()
    (newer.folder.path / "002_contract" / "down.sql").write_text("SELECT 1")
    newer("rollback", url=url).succeeds()
    tidelock("deploy", "--release", "1.4.9", url=url).succeeds()


def test_where_nothing_is_known_it_starts(contracted, tidelock):
    tidelock("run", "--", "echo", "up").succeeds(says="up")


def test_a_rollback_takes_the_floor_away(database, contracted, tidelock, newer):
    assert database.query("SELECT release, key FROM tidelock.floor") == [("1.5.0", "002_contract")]
    newer("drift").succeeds()
    newer("rollback", "--allow-loss", "t.old").succeeds()
    assert database.query("SELECT * FROM tidelock.floor") == []
    tidelock("deploy", "--release", "1.4.0").succeeds()
    newer("deploy", "--release", "1.5.0").succeeds(applied=["002_contract"])
    tidelock("deploy", "--release", "1.4.0").fails(exit=8, says=TOO_OLD)


def test_an_inverse_has_no_floor(contracted, newer):
    (newer.folder.path / "002_contract" / "down.sql").write_text(FLOOR + ROLLBACK)
    newer("rollback", "--allow-loss", "t.old").fails(exit=8, says=['the inverse of migration "002_contract" has a floor', 'Remove "floor"'])


def test_prisma_may_take_it_back(database, contracted, tidelock):
    database.query("UPDATE _prisma_migrations SET rolled_back_at = now(), finished_at = NULL WHERE migration_name = '002_contract'")
    tidelock("deploy", "--release", "1.4.0").succeeds()


def test_the_highest_counts(contracted, tidelock, newer):
    newer.add("003_more", "-- tidelock: floor=1.10\nSELECT 1")
    newer.add("004_less", "-- tidelock: floor=1.9\nCREATE TABLE more ()")
    newer("deploy").succeeds(applied=["003_more", "004_less"])
    tidelock("deploy", "--release", "1.9.9").fails(exit=8, says=['"003_more"', "release 1.10 or a newer one"])
    tidelock("deploy", "--release", "1.10.0").succeeds()


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE u ()", "CREATE TABLE u ();\nCREATE INDEX CONCURRENTLY i ON t (id)", "-- tidelock: backfill t\nUPDATE t SET new = 1 WHERE new IS NULL"],
    ids=["atomic", "stepwise", "backfill"],
)
def test_however_it_is_applied(database, folder, tidelock, script):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, new int); INSERT INTO t VALUES (1)")
    folder.add("002_floor", "-- tidelock: floor=7\n" + script)
    tidelock("deploy", "--release", "7.0").succeeds(applied=["001_t", "002_floor"])
    tidelock("deploy", "--release", "6.99").fails(exit=8, says='"002_floor"')


def test_a_failure_records_nothing(database, folder, tidelock):
    folder.add("001_floor", "-- tidelock: floor=7\nCREATE TABLE u (); SELECT 1 / 0")
    tidelock("deploy").fails(exit=6)
    assert not database.holds("tidelock.floor") or database.query("SELECT * FROM tidelock.floor") == []
    folder.replace("001_floor", "SELECT 1")
    tidelock("deploy", "--release", "6").succeeds(applied=["001_floor"])


def test_an_image_does_not_apply_what_shuts_itself_out(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t (id int, old int)")
    folder.add("002_contract", CONTRACT)
    for words in [("deploy",), ("deploy", "--dry-run"), ("run", "--", "echo", "up")]:
        tidelock(words[0], "--release", "1.4.0", *words[1:]).fails(exit=8, says=["lets only release 1.5.0", "this image is release 1.4.0"])
    assert database.applied() == []


@pytest.mark.parametrize("release", ["3f2a91c", "latest", "main", "2026-11-30", "1.2.x"])
def test_what_cannot_be_compared_is_refused_at_once(database, folder, tidelock, release):
    folder.add("001_t", f"-- tidelock: floor={release}\nSELECT 1")
    tidelock("deploy", "--release", release).fails(exit=2, says=["--release", "is not a release that can be compared", "1.20.3"])
    tidelock("deploy").fails(exit=6, says=[f'directive "floor" cannot be "{release}"', "1.20.3"], at="migration.sql:1:20")


def test_status_shows_it(contracted, tidelock, newer):
    status = newer("status", "--release", "1.5.1").succeeds(says="Runs on this schema: release 1.5.0 or newer (002_contract)").out
    assert "this is release 1.5.1" in status
    found = json.loads(newer("status", "--json", "--release", "1.5.1").succeeds().out)
    assert found["release"] == "1.5.1" and found["floor"] == {"release": "1.5.0", "migration": "002_contract", "allows_this_release": True}
    assert [migration["floor"] for migration in found["migrations"]] == [None, "1.5.0"]
    assert [migration["by"]["release"] for migration in found["migrations"]] == [None, "1.5.0"]
    assert "release 1.5.0" in newer("status", "--all").succeeds().out
    older = tidelock("status", "--exit-code", "--release", "1.4.0")
    assert older.code == 1 and TOO_OLD in older.out
    found = json.loads(tidelock("status", "--json", "--release", "1.4.0").succeeds().out)
    assert not found["floor"]["allows_this_release"] and found["refusal"]["exit_code"] == 8
    found = json.loads(tidelock("status", "--json").succeeds().out)
    assert found["release"] is None and found["floor"]["allows_this_release"] is None
    tidelock("status", "--exit-code").succeeds()


def test_with_nothing_pending_it_costs_no_round_trip(server, database, contracted, tidelock, newer, proxy):
    for release, code in (("1.5.0", 0), ("1.4.0", 8)):
        before = proxy.round_trips()
        assert newer("deploy", "--release", release, url=server.url(database.name, port=proxy.port)).code == code
        assert proxy.round_trips() - before == 1


@pytest.mark.parametrize("peer", [Goose, Dbmate, Sqlx, Flyway])
def test_of_other_tools(binary, database, tmp_path, peer):
    images = [peer().folder(tmp_path / name) for name in ("older", "newer")]
    older, newer = (Tool(binary, database, image) for image in images)
    words = ("--format", peer.name) if peer is Sqlx else ()
    for image in images:
        image.add(1, "t", "CREATE TABLE t (id int)", "DROP TABLE t")
    images[1].add(2, "u", FLOOR + "CREATE TABLE u (id int)", "DROP TABLE u")
    newer("deploy", *words, "--release", "1.5.0").succeeds()
    newer("deploy", *words, "--release", "1.4.0").fails(exit=8, says=TOO_OLD)
    older("run", *words, "--release", "1.4.0", "--", "echo", "up").fails(exit=8)
    older("wait", *words, "--release", "1.4.0", "--leader-timeout", "0").fails(exit=8, says=TOO_OLD)
    older("wait", *words, "--release", "1.5.0", "--leader-timeout", "0").succeeds()
    if peer is not Flyway:
        newer("rollback", *words).succeeds()
        older("wait", *words, "--release", "1.4.0", "--leader-timeout", "0").succeeds()


def test_another_ledger_s_floor_says_nothing(binary, database, contracted, tidelock, tmp_path):
    other = Tool(binary, database, Folder(tmp_path / "other"))
    database.query("CREATE SCHEMA other")
    other.folder.add("001_t", "CREATE TABLE t ()")
    other("deploy", "--release", "1.0", url=database.url(schema="other")).succeeds(applied=["001_t"])
    other("deploy", "--release", "1.0", url=database.url(schema="other")).succeeds()


def test_a_role_that_may_not_see_them_is_told(database, contracted, tidelock):
    database.query("DROP OWNED BY reader; DROP ROLE reader") if database.query("SELECT FROM pg_roles WHERE rolname = 'reader'") else None
    database.query("CREATE ROLE reader LOGIN; GRANT SELECT ON _prisma_migrations TO reader")
    try:
        url = database.url(user="reader", schema="public")
        result = tidelock("wait", "--release", "1.4.0", "--leader-timeout", "0", url=url).succeeds(says="it is not known whether this release may run")
        assert 'GRANT SELECT ON "tidelock".floor TO "reader"' in result.errors
        database.query("GRANT USAGE ON SCHEMA tidelock TO reader; GRANT SELECT ON tidelock.floor TO reader")
        tidelock("wait", "--release", "1.4.0", "--leader-timeout", "0", url=url).fails(exit=8, says=TOO_OLD)
    finally:
        database.query("DROP OWNED BY reader; DROP ROLE reader")


def test_a_stranger_s_table_is_not_believed(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    row = database.query("SELECT id FROM _prisma_migrations")[0][0]
    database.query("CREATE ROLE stranger_of_floors; CREATE ROLE user_of_floors LOGIN; CREATE SCHEMA tidelock_x; CREATE TABLE tidelock_x.floor (ledger_id text, key text, release text)")
    try:
        database.query("INSERT INTO tidelock_x.floor VALUES (%s, '001_t', '9')", row)
        database.query("GRANT USAGE ON SCHEMA tidelock_x TO PUBLIC; GRANT SELECT ON tidelock_x.floor, _prisma_migrations TO PUBLIC")
        url = database.url(user="user_of_floors")
        words = ("wait", "--release", "1", "--leader-timeout", "0")
        tidelock(*words, url=url).fails(exit=8, says=TOO_OLD)
        database.query("ALTER SCHEMA tidelock_x OWNER TO stranger_of_floors; ALTER TABLE tidelock_x.floor OWNER TO stranger_of_floors")
        tidelock(*words, url=url).succeeds()
    finally:
        database.query("DROP SCHEMA tidelock_x CASCADE; DROP OWNED BY user_of_floors; DROP ROLE stranger_of_floors, user_of_floors")


def test_without_a_place_for_the_floor_nothing_is_applied(database, folder, tidelock):
    database.query("CREATE ROLE poor LOGIN; GRANT CREATE ON SCHEMA public TO poor")
    try:
        folder.add("001_t", "CREATE TABLE t ()")
        folder.add("002_floor", "-- tidelock: floor=2\nCREATE TABLE u ()")
        result = tidelock("deploy", url=database.url(user="poor")).fails(exit=6, says=['the floor of migration "002_floor" cannot be recorded', "GRANT CREATE ON DATABASE"])
        assert not database.holds("t"), result.errors
    finally:
        database.query("DROP OWNED BY poor; DROP ROLE poor")


def test_what_is_recorded_by_hand_has_its_floor(database, folder, tidelock):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_floor", "-- tidelock: floor=2\nCREATE TABLE u ()")
    folder.add("003_floor", "-- tidelock: floor=3\nCREATE TABLE v ()")
    database.query("CREATE TABLE t (); CREATE TABLE u (); CREATE TABLE v ()")
    tidelock("baseline", "--to", "002_floor").succeeds()
    tidelock("wait", "--to", "002_floor", "--release", "1", "--leader-timeout", "0").fails(exit=8, says='"002_floor"')
    tidelock("resolve", "--applied", "003_floor").succeeds()
    tidelock("wait", "--release", "2", "--leader-timeout", "0").fails(exit=8, says='"003_floor"')
    folder.replace("003_floor", "-- tidelock: floor=2.1\nCREATE TABLE v ()")
    tidelock("resolve", "--accept-edit", "003_floor").succeeds()
    tidelock("wait", "--release", "2", "--leader-timeout", "0").fails(exit=8, says="release 2.1 or a newer one")
    tidelock("resolve", "--pending", "003_floor").succeeds()
    tidelock("wait", "--to", "002_floor", "--release", "2", "--leader-timeout", "0").succeeds()


def test_plan_shows_it(folder, tidelock, database):
    folder.add("001_t", "-- tidelock: floor=1.5.0\nCREATE TABLE t ()")
    folder.add("002_u", "CREATE TABLE u ()")
    assert "001_t lets only release 1.5.0 or a newer one run." in tidelock("plan").succeeds().out
    assert [migration["floor"] for migration in json.loads(tidelock("plan", "--json").succeeds().out)["migrations"]] == ["1.5.0", None]
