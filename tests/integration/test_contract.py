"""A contract waits until no session of an older release is left; run gives the application's sessions their release."""

import contextlib
import os
import signal

import psycopg
import pytest
from folder import Folder
from pooler import Pooler, server_with_passwords
from servers import Database
from tool import Tool, wait_for_nobody

CONTRACT = "-- tidelock: floor=1.5.0 contract wait={0}\nALTER TABLE t DROP COLUMN old"
WAITS = "waiting until no session of a release older than 1.5.0 is left"


@pytest.fixture
def expanded(folder, tidelock):
    folder.add("001_expand", "CREATE TABLE t (id int, old int)")
    tidelock("deploy").succeeds()
    return folder


@contextlib.contextmanager
def session(url, name):
    with psycopg.connect(url, application_name=name, autocommit=True) as connection:
        connection.execute("SELECT 1")
        yield connection


def columns(database):
    return [row[0] for row in database.query("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped")]


@pytest.mark.every_major
@pytest.mark.parametrize("name", ["release/1.4.9", "shop release/1.5.0-rc.1"])
def test_it_waits_for_the_last_one(database, expanded, tidelock, name):
    expanded.add("002_contract", CONTRACT.format("10m"))
    with session(database.url(), name):
        running = tidelock.start("deploy", "--release", "1.5.0")
        running.wait_for_line(WAITS, "1 of release " + name.split("/")[1], "(role postgres)")
        assert columns(database) == ["id", "old"]
        held = "SELECT l.mode FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE a.application_name LIKE 'tidelock%%' AND l.locktype = 'relation' AND l.relation >= 16384 AND a.datname = %s"
        assert database.query(held, database.name) == []
        leads = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        assert database.query(leads) == [(1,)]
    running.wait().succeeds(applied=["002_contract"])
    assert columns(database) == ["id"]


@pytest.mark.parametrize("name", ["release/1.5.0", "release/v1.5", "shop release/2026.11.30"])
def test_it_does_not_wait_for_one_that_is_not_older(database, expanded, tidelock, name):
    expanded.add("002_contract", CONTRACT.format("10m"))
    with session(database.url(), name):
        result = tidelock("deploy").succeeds(applied=["002_contract"])
    assert "waiting" not in result.errors and "without a release" not in result.errors


def test_when_the_time_is_over_those_that_are_left_are_named(database, expanded, tidelock):
    expanded.add("002_before", "CREATE TABLE u ()")
    expanded.add("003_contract", CONTRACT.format("1s"))
    with session(database.url(), "release/1.4.0"), session(database.url(), "release/1.4.0"), session(database.url(), "old release/1.3"):
        result = tidelock("deploy").fails(exit=8, says=['migration "003_contract" was not begun: 3 sessions of a release older than 1.5.0 are left', "2 of release 1.4.0", "1 of release 1.3", "sessions of an older release"])
        assert "already applied by this run: 1 migration" in result.errors, result.errors
    assert columns(database) == ["id", "old"] and database.applied() == ["001_expand", "002_before"]
    tidelock("deploy").succeeds(applied=["003_contract"])


def test_without_a_time_it_does_not_wait(database, expanded, tidelock):
    expanded.add("002_contract", "-- tidelock: floor=1.5.0 contract\nALTER TABLE t DROP COLUMN old")
    with session(database.url(), "release/1.4.0"):
        result = tidelock("deploy").fails(exit=8, says="was not begun: 1 session")
        assert "waiting until" not in result.errors
    tidelock("deploy").succeeds(applied=["002_contract"])


def test_sessions_without_a_release_are_named(database, expanded, tidelock):
    expanded.add("002_contract", CONTRACT.format("0"))
    with session(database.url(), "some tool"), session(database.url(), "release/unreadable"):
        result = tidelock("deploy").succeeds(applied=["002_contract"], says="does not wait for sessions without a release, which may be of an older one")
    assert '1 of "some tool"' in result.errors and '1 of "release/unreadable"' in result.errors


def test_and_waited_for_where_it_is_strict(database, expanded, tidelock):
    expanded.add("002_contract", "-- tidelock: floor=1.5.0\n-- tidelock: contract strict wait=10m\nALTER TABLE t DROP COLUMN old")
    with session(database.url(), "some tool"):
        running = tidelock.start("deploy")
        running.wait_for_line(WAITS, 'without a release: 1 of "some tool"')
    running.wait().succeeds(applied=["002_contract"])


def test_sessions_of_other_databases_do_not_count(database, server, expanded, tidelock):
    expanded.add("002_contract", CONTRACT.format("0"))
    with session(server.url("postgres"), "release/1.0"):
        tidelock("deploy").succeeds(applied=["002_contract"])


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(database, expanded, tidelock, number):
    expanded.add("002_contract", CONTRACT.format("10m"))
    with session(database.url(), "release/1.4.0"):
        running = tidelock.start("deploy")
        running.wait_for_line(WAITS)
        running.signal(number)
        running.wait().fails(exit=128 + number, says="stopped by")
        wait_for_nobody(database)
    assert database.applied() == ["001_expand"]
    tidelock("deploy").succeeds(applied=["002_contract"])


@pytest.mark.every_major
def test_a_role_without_rights_sees_releases_all_the_same(database, expanded, tidelock):
    """Whatever pg_stat_activity hides, it does not hide this."""
    expanded.add("002_contract", CONTRACT.format("0"))
    database.query("CREATE ROLE poor_migrator LOGIN; CREATE ROLE the_app LOGIN")
    try:
        database.query(f'GRANT poor_migrator TO postgres; ALTER DATABASE "{database.name}" OWNER TO poor_migrator; ALTER TABLE t OWNER TO poor_migrator; ALTER TABLE _prisma_migrations OWNER TO poor_migrator')
        database.query("ALTER SCHEMA public OWNER TO poor_migrator; DROP SCHEMA IF EXISTS tidelock CASCADE")
        with session(database.url(user="the_app"), "release/1.4.0"):
            result = tidelock("deploy", url=database.url(user="poor_migrator")).fails(exit=8, says=["1 of release 1.4.0 (role the_app)", 'GRANT pg_read_all_stats TO "poor_migrator"'])
        assert "127.0.0.1 (role" not in result.errors
    finally:
        database.query("REASSIGN OWNED BY poor_migrator TO postgres; DROP OWNED BY poor_migrator; DROP ROLE poor_migrator; DROP ROLE the_app")


def test_what_would_not_be_obeyed_is_refused(database, expanded, tidelock):
    script = expanded.add("002_contract", "")
    for text, says in [
        ("-- tidelock: contract wait=1m\nSELECT 1", '"contract" needs a floor'),
        ("-- tidelock: floor=1.5 contract wait=1\nSELECT 1", '"wait" has no valid time'),
        ("-- tidelock: floor=1.5 contract soon\nSELECT 1", '"contract" knows only wait=TIME and strict'),
        ("-- tidelock: floor=1.5 contract\n-- tidelock: contract\nSELECT 1", 'directive "contract" is given twice'),
    ]:
        script.write_text(text)
        tidelock("deploy").fails(exit=6, says=says)


def test_a_dry_run_says_who_would_be_waited_for(database, expanded, tidelock):
    expanded.add("002_contract", CONTRACT.format("10m"))
    with session(database.url(), "release/1.4.0"), session(database.url(), "some tool"):
        result = tidelock("deploy", "--dry-run").succeeds(says="002_contract would wait for the end of sessions: 1 of release 1.4.0")
        assert '1 of "some tool"' in result.errors
    assert "would wait" not in tidelock("deploy", "--dry-run").succeeds().errors


def test_plan_shows_it(database, expanded, tidelock):
    expanded.add("002_contract", CONTRACT.format("30m"))
    assert "002_contract lets only release 1.5.0 or a newer one run, and waits for the sessions of older ones." in tidelock("plan").succeeds().out


# ---- what run gives the application ----

SAYS = "psql -XAtc \"SELECT current_setting('application_name')\" \"$DATABASE_URL\""


@pytest.mark.parametrize(
    "parameters, environment, name",
    [
        ({}, {}, "release/1.5.0-rc.1"),
        ({"application_name": "shop"}, {}, "shop"),
        ({"fallback_application_name": "shop"}, {}, "release/1.5.0-rc.1"),
        ({}, {"PGAPPNAME": "shop"}, "shop"),
    ],
)
def test_the_application_s_sessions_have_its_release(database, expanded, tidelock, parameters, environment, name):
    url = database.url(**parameters)
    for words in [(), ("--wait",), ("--keep-env",)]:
        result = tidelock("run", "--release", "1.5.0-rc.1+build.9", *words, "--", "sh", "-c", SAYS, url=url, environment=environment)
        assert result.succeeds().out == name + "\n"


def test_without_a_release_nothing_is_changed(database, expanded, tidelock):
    result = tidelock("run", "--", "sh", "-c", 'echo "$DATABASE_URL ${PGAPPNAME-none}"').succeeds()
    assert result.out == f"{database.url()} none\n"


def test_a_url_of_another_kind_is_left_alone(database, expanded, tidelock):
    result = tidelock("run", "--release", "1", "--share-connections", "--", "sh", "-c", 'echo "$DATABASE_URL"').succeeds()
    assert "connection_limit=" in result.out and "application_name=release/1" in result.out
    words = ("run", "--release", "1", "--", "sh", "-c", 'echo "$DATABASE_URL $PGAPPNAME"')
    url = database.url().replace("postgresql://", "postgresql+asyncpg://")
    result = tidelock(*words, url=url, environment={"DIRECT_URL": database.url()}).succeeds()
    assert result.out == f"{url} release/1\n"


# ---- behind PgBouncer ----


@pytest.fixture(scope="module")
def pooled_server(servers):
    yield from server_with_passwords(servers)


@pytest.fixture(params=["session", "transaction"])
def pooled(binary, pooled_server, tmp_path, request):
    database = Database(pooled_server, f"contracted_{os.urandom(4).hex()}")
    pooled_server.query(f"ALTER DATABASE {database.name} OWNER TO app")
    pooler = Pooler(pooled_server, request.param)
    tool = Tool(binary, database, Folder(tmp_path / "pooled"))
    tool.url = pooler.url
    tool.mode = request.param
    tool.folder.add("001_expand", "CREATE TABLE t (id int, old int)")
    yield tool
    tool.clean_up()
    pooler.remove()
    database.drop()


def test_run_s_stamp_gets_through(pooled):
    url = pooled.url(pooled.database.name)
    result = pooled("run", "--release", "1.4.2", "--", "sh", "-c", SAYS, url=url)
    assert result.succeeds().out == "release/1.4.2\n"


@pytest.mark.parametrize("is_direct", [True, False])
def test_it_waits_for_sessions_of_the_pooler(pooled, is_direct):
    url = pooled.url(pooled.database.name)
    direct = f"postgresql://app:p%40ss%3Aw%2Frd%25@127.0.0.1:{pooled.database.server.port}/{pooled.database.name}"
    pooled("deploy", url=url).succeeds()
    pooled.folder.add("002_contract", CONTRACT.format("10m"))
    with psycopg.connect(url, application_name="release/1.4.0") as old:
        old.execute("SELECT 1")
        running = pooled.start("deploy", url=url, environment={"DIRECT_URL": direct} if is_direct else {})
        running.wait_for_line(WAITS, "1 of release 1.4.0")
        old.rollback()
    if pooled.mode == "transaction":
        # The pooler's idle session keeps the name until somebody else has used it.
        with psycopg.connect(url, application_name="release/1.5.0") as new:
            new.execute("SELECT 1")
            result = running.wait().succeeds(applied=["002_contract"])
    else:
        result = running.wait().succeeds(applied=["002_contract"])
    assert ("seen only now and then" in result.errors) == (is_direct or pooled.mode == "transaction")
