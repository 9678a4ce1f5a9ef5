"""Folders of goose: its annotations, its ledger, its locks, and the tool itself before and after tidelock."""

import pathlib

import pytest
from peers import Goose
from tool import wait_for_session

TWO = ["00001_users.sql", "00002_posts.sql"]


@pytest.fixture
def folder(tmp_path):
    return Goose().folder(tmp_path / "app")


@pytest.fixture
def goose():
    if not Goose.is_installed():
        pytest.skip("goose could not be installed")
    peer = Goose()
    yield peer
    peer.clean_up()


@pytest.fixture
def two(folder):
    folder.add(1, "users", "CREATE TABLE users (id int)", "DROP TABLE users")
    folder.add(2, "posts", "CREATE TABLE posts (id int)", "DROP TABLE posts")
    return folder


def write(folder, name, script):
    (folder.path / name).write_text(script)
    return folder.path / name


def versions(database, table="goose_db_version"):
    return [tuple(row) for row in database.query(f"SELECT version_id, is_applied FROM {table} ORDER BY id")]


def test_a_fresh_database(database, two, tidelock):
    tidelock("deploy").succeeds(applied=TWO, says='"migrations" is a folder of goose')
    assert database.holds("users") and database.holds("posts")
    assert versions(database) == [(0, True), (1, True), (2, True)]
    tidelock("deploy").succeeds(applied=[], says="No pending migrations")
    tidelock("status", "--exit-code").succeeds()
    tidelock("wait", "--leader-timeout", "0").succeeds()


@pytest.mark.parametrize("before, after", [("tidelock", "goose"), ("goose", "tidelock")])
def test_goose_and_tidelock_take_turns(database, folder, tidelock, goose, before, after):
    """Whoever comes first, the other goes on behind it, and neither has anything left to do."""
    folder.add(1, "users", "CREATE TABLE users (id int)", "DROP TABLE users")

    def apply(who):
        if who == "goose":
            done = goose.up(database.url(), folder)
            assert done.returncode == 0, done.stdout
        else:
            tidelock("deploy").succeeds()

    apply(before)
    folder.add(2, "posts", "CREATE TABLE posts (id int)", "DROP TABLE posts")
    folder.add(3, "index", "CREATE INDEX CONCURRENTLY posts_id ON posts (id)", "DROP INDEX posts_id", transaction=False)
    folder.add(4, "function", "CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;", "DROP FUNCTION one()")
    apply(after)
    assert versions(database) == [(0, True), (1, True), (2, True), (3, True), (4, True)]
    assert goose.is_content(database.url(), folder)
    tidelock("deploy").succeeds(applied=[])
    assert goose.down(database.url(), folder).returncode == 0
    tidelock("deploy").succeeds(applied=["00004_function.sql"])


def test_of_a_version_the_last_row_decides(database, two, tidelock):
    """As old versions of goose left it, which wrote a row when they went back."""
    tidelock("deploy").succeeds()
    database.query("DROP TABLE posts; INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, false)")
    tidelock("status").succeeds(says="pending")
    tidelock("deploy").succeeds(applied=["00002_posts.sql"])
    assert versions(database)[-2:] == [(2, False), (2, True)]


def test_an_older_one_is_refused_as_goose_refuses_it(database, folder, tidelock, goose):
    folder.add(2, "b", "CREATE TABLE b ()")
    tidelock("deploy").succeeds()
    folder.add(1, "a", "CREATE TABLE a ()")
    assert goose.up(database.url(), folder).returncode != 0
    tidelock("deploy").fails(exit=8, says=["00001_a.sql is older than the last one applied", "--no-strict"])
    tidelock("deploy", "--no-strict").succeeds(applied=["00001_a.sql"])
    assert goose.is_content(database.url(), folder)


def test_what_only_goose_can_run(database, two, tidelock):
    write(two, "00003_seed.go", "package migrations\n")
    write(two, "helpers.go", "package migrations\n")
    tidelock("deploy").fails(exit=8, says=['"00003_seed.go" is a migration in Go: only goose can run it'])
    assert not database.holds("users")
    tidelock("deploy", "--to", "00002_posts.sql").succeeds(applied=TWO)
    database.query("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)")
    tidelock("deploy").succeeds(applied=[])


@pytest.mark.parametrize(
    "name, script, exit, says",
    [
        ("00003_c.sql", "CREATE TABLE c ();", 6, "a statement comes before"),
        ("00003_c.sql", "-- +goose Up\nCREATE TABLE c ()", 6, "does not end in a semicolon"),
        ("00003_c.sql", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;", 6, "has no StatementEnd"),
        ("00003_c.sql", "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON users (id);", 6, "NO TRANSACTION"),
        ("c.sql", "-- +goose Up\nSELECT 1;", 8, '"c.sql" in migrations has no version in its name: goose refuses the folder'),
        ("2_c.sql", "-- +goose Up\nSELECT 1;", 2, "have the same version, 2"),
    ],
)
def test_what_goose_refuses(database, two, tidelock, goose, name, script, exit, says):
    """Before anything of the folder is applied; goose finds out when it is the script's turn."""
    write(two, name, script)
    tidelock("deploy").fails(exit=exit, says=says)
    assert not database.holds("users")
    assert goose.up(database.url(), two).returncode != 0


def test_variables_are_of_the_environment(database, folder, tidelock, goose):
    script = "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE ${PREFIX:-app}_users (id int DEFAULT ${NUMBER});\n-- +goose ENVSUB OFF\nCREATE TABLE \"$PREFIX\" ();\n"
    write(folder, "1_a.sql", script)
    tidelock("deploy", environment={"NUMBER": "7"}).succeeds()
    assert database.holds("app_users") and database.holds('"$PREFIX"')
    write(folder, "2_b.sql", script.replace('"$PREFIX"', '"$OTHER"'))
    done = goose.run(folder, *goose.command(database.url(), folder, "up"), environment={"PREFIX": "other", "NUMBER": "8"})
    assert done.returncode == 0, done.stdout
    assert database.holds("other_users")
    write(folder, "3_c.sql", "-- +goose Up\n-- +goose ENVSUB ON\nSELECT ${SECRET?say it};\n")
    tidelock("deploy").fails(exit=6, says="the variable SECRET is not set: say it")


def test_a_secret_in_a_variable_is_not_shown(database, folder, tidelock):
    write(folder, "1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1/0 AS \"${APP_PASSWORD}\";\n")
    result = tidelock("deploy", environment={"APP_PASSWORD": "correct-horse"}).fails(exit=6, says="division by zero")
    assert "correct-horse" not in result.errors


def test_where_a_statement_fails(database, folder, tidelock):
    file = write(folder, "1_a.sql", "-- +goose Up\r\nCREATE TABLE a ();\r\n-- +goose StatementBegin\r\nSELECT 1;\r\nSELECT ü, nothing;\r\n-- +goose StatementEnd\r\n-- +goose Down\r\nDROP TABLE a;\r\n")
    tidelock("deploy").fails(exit=6, says="ü", at=f"migrations/{file.name}:5:8")
    assert not database.holds("a")


def test_what_was_done_before_a_failure_is_not_done_again(database, folder, tidelock, goose):
    """NO TRANSACTION: goose would begin at the top again."""
    script = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\nCREATE TABLE b ();\n"
    write(folder, "1_a.sql", script)
    tidelock("deploy").fails(exit=7, says="could not create unique index")
    assert versions(database) == [(0, True)]
    tidelock("status").succeeds(says="failed")
    database.query("DELETE FROM a; INSERT INTO a VALUES (1)")
    tidelock("deploy").succeeds(applied=["1_a.sql"])
    assert database.holds("b") and versions(database) == [(0, True), (1, True)] and goose.is_content(database.url(), folder)


def test_a_deployment_that_is_killed_is_gone_on_with(database, folder, tidelock):
    write(folder, "2_b.sql", "-- +goose Up\nCREATE TABLE c ();\n")
    database.query("CREATE TABLE start ()")
    write(folder, "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (id int);\nALTER TABLE start ADD COLUMN x int;\nCREATE TABLE b ();\n")
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE start")
        running = tidelock.start("deploy", "--lock-timeout", "100s")
        wait_for_session(database, "ALTER TABLE start")
        running.kill()
    tidelock("deploy").succeeds(applied=["1_a.sql", "2_b.sql"])
    assert versions(database) == [(0, True), (1, True), (2, True)]


def test_resolve_and_baseline(database, two, tidelock, goose):
    tidelock("resolve", "--applied", "00001_users.sql").succeeds()
    assert versions(database) == [(0, True), (1, True)]
    tidelock("resolve", "--applied", "00001_users.sql").fails(exit=8, says="already recorded as applied")
    tidelock("resolve", "--applied", "2").succeeds()
    tidelock("deploy").succeeds(applied=[])
    assert goose.is_content(database.url(), two)


def test_a_baseline(database, two, tidelock, goose):
    database.query("CREATE TABLE users (id int)")
    tidelock("baseline", "--to", "00001_users.sql").succeeds()
    assert versions(database) == [(0, True), (1, True)]
    assert goose.up(database.url(), two).returncode == 0
    assert database.holds("posts")


def test_the_library_s_lock_is_respected(database, two, tidelock):
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(4097083626)")
        tidelock("deploy", "--leader-timeout", "100ms").fails(exit=4)
        tidelock("resolve", "--applied", "00001_users.sql").fails(exit=4, says="goose is at work")
    tidelock("deploy").succeeds(applied=TWO)


@pytest.mark.parametrize("name", ["app.applied", "applied"])
def test_the_table_by_its_name(database, two, tidelock, goose, name):
    database.query("CREATE SCHEMA app")
    tidelock("deploy", "--ledger", name).succeeds(applied=TWO)
    assert versions(database, name) == [(0, True), (1, True), (2, True)] and database.holds("public.users")
    two.add(3, "more", "CREATE TABLE more ()")
    done = goose.run(two, *goose.command(database.url(), two, "-table", name, "up"))
    assert done.returncode == 0 and goose.applied(done) == ["00003_more.sql"], done.stdout
    tidelock("deploy", environment={"GOOSE_TABLE": name}).succeeds(applied=[])
    assert not database.holds("goose_db_version")


def test_the_search_path_of_the_url(database, two, tidelock, goose):
    database.query("CREATE SCHEMA app")
    url = database.url(search_path="app,public")
    tidelock("deploy", url=url).succeeds(applied=TWO)
    assert database.holds("app.users") and versions(database, "app.goose_db_version")[-1] == (2, True)
    assert goose.is_content(url, two)


LOCK_TABLE = "CREATE TABLE goose_lock (lock_id bigint PRIMARY KEY, locked boolean NOT NULL DEFAULT false, locked_at timestamptz, locked_by text, lease_expires_at timestamptz, updated_at timestamptz)"


def test_the_library_s_lease_is_respected(database, two, tidelock):
    database.query(f"{LOCK_TABLE}; INSERT INTO goose_lock VALUES (4097083626, true, now(), 'web-7', now() + interval '1 hour', now())")
    tidelock("deploy", "--leader-timeout", "100ms").fails(exit=4, says=['held by "web-7", whose term ends'])
    tidelock("resolve", "--applied", "00001_users.sql").fails(exit=4, says="goose is at work: web-7 has its lock until")
    assert not database.holds("users")
    waiting = tidelock.start("deploy")
    waiting.wait_for_line('waiting for the leader: "web-7"')
    database.query("UPDATE goose_lock SET lease_expires_at = now() - interval '1 second'")
    waiting.wait().succeeds(applied=TWO)
    database.query("UPDATE goose_lock SET lease_expires_at = now() + interval '1 hour'")
    tidelock("deploy").succeeds(applied=[])
    database.query("UPDATE goose_lock SET locked = false; DELETE FROM goose_db_version WHERE version_id = 2; DROP TABLE posts")
    tidelock("deploy").succeeds(applied=["00002_posts.sql"])


@pytest.mark.fault
@pytest.mark.parametrize("trap", ["CREATE VIEW goose_lock AS SELECT 1/0 AS locked", f"{LOCK_TABLE}; ALTER TABLE goose_lock ALTER COLUMN locked TYPE text", "CREATE TABLE goose_lock ()"])
def test_a_table_that_only_has_the_name_of_the_lease(database, two, tidelock, trap):
    database.query(trap)
    tidelock("deploy").succeeds(applied=TWO)


def test_the_example_is_deployed(database, tidelock):
    example = pathlib.Path(__file__).resolve().parents[2] / "docker/examples/goose"
    tidelock("deploy", "--format", "goose", cwd=example).succeeds(applied=["00001_tickets.sql", "00002_sold.sql", "00003_index.sql"])


def test_what_failed_before_it_was_applied_is_forgotten(database, folder, tidelock):
    """Taken back by goose, it is pending again, and nothing is said of a failure that was mended."""
    write(folder, "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a ();\nSELECT 1;\n")
    tidelock("deploy").succeeds(applied=["1_a.sql"])
    write(folder, "2_b.sql", "-- +goose Up\nCREATE TABLE b (x nowhere);\n")
    tidelock("deploy").fails(exit=6, says="nowhere")
    tidelock("status").succeeds(says="nowhere")
    write(folder, "2_b.sql", "-- +goose Up\nCREATE TABLE b ();\n")
    tidelock("deploy").succeeds(applied=["2_b.sql"])
    database.query("DROP TABLE b; DELETE FROM goose_db_version WHERE version_id = 2")
    result = tidelock("status").succeeds(says="pending     2_b.sql")
    assert "nowhere" not in result.out
    tidelock("deploy").succeeds(applied=["2_b.sql"])


def test_what_goose_left_half_done_is_not_denied(database, folder, tidelock):
    """Its run of a script without a transaction failed: goose records nothing of that."""
    database.query("CREATE TABLE a ()")
    write(folder, "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a ();\nCREATE TABLE b ();\n")
    tidelock("deploy").fails(exit=6, says=["Nothing of this try of 1_a.sql", "The database holds part of what 1_a.sql creates"])


HALF = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE IF NOT EXISTS a (i int);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ai ON a (i);\nSELECT 1 / (SELECT count(*) FROM mended);\nCREATE TABLE IF NOT EXISTS b ();\n-- +goose Down\nDROP TABLE b;\nDROP TABLE a;\n"


@pytest.fixture
def half(database, folder, tidelock):
    """Two of four statements are done, and the third would be the next."""
    database.query("CREATE SCHEMA aside; CREATE TABLE aside.mended (i int)")
    script = HALF.replace("mended", "aside.mended")
    write(folder, "1_a.sql", script)
    write(folder, "2_b.sql", "-- +goose Up\nCREATE TABLE c ();\n-- +goose Down\nDROP TABLE c;\n")
    tidelock("deploy").fails(exit=7, says="division by zero")
    database.query("INSERT INTO aside.mended VALUES (1)")


def test_what_the_tool_has_finished_and_taken_back_is_not_gone_on_with(database, folder, tidelock, goose, half):
    assert goose.run(folder, *goose.command(database.url(), folder, "up-to", "1")).returncode == 0
    assert goose.run(folder, *goose.command(database.url(), folder, "down-to", "0")).returncode == 0
    tidelock("deploy").fails(exit=8, says=['part of that is gone: "a"', "tidelock resolve --rolled-back"])
    tidelock("resolve", "--rolled-back", "1_a.sql").succeeds()
    tidelock("deploy").succeeds(applied=["1_a.sql", "2_b.sql"])
    assert database.holds("a") and database.holds("ai") and database.holds("b")


def test_a_deployment_after_the_tool_forgets_what_was_half_done(database, folder, tidelock, goose, half):
    assert goose.run(folder, *goose.command(database.url(), folder, "up-to", "1")).returncode == 0
    tidelock("deploy").succeeds(applied=["2_b.sql"])
    assert goose.run(folder, *goose.command(database.url(), folder, "down-to", "0")).returncode == 0
    tidelock("deploy").succeeds(applied=["1_a.sql", "2_b.sql"])
    assert database.holds("a") and database.holds("ai") and database.holds("b")


def test_a_schema_made_anew_begins_anew(database, folder, tidelock, half):
    database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    tidelock("deploy").succeeds(applied=["1_a.sql", "2_b.sql"])
    assert database.holds("a") and database.holds("ai") and database.holds("b")
