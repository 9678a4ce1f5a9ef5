"""Folders of sqlx, deployed with sqlx's own ledger and under its lock."""

import hashlib
import pathlib
import zlib

import pytest

from peers import Sqlx
from tool import wait_for_nobody, wait_for_session

LEDGER = (
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),"
    " success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
)
ROW = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (%s, %s, %s, %s, -1)"
ROWS = "SELECT version, description, success, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version"


def sha384(text):
    return hashlib.sha384(text.encode()).hexdigest()


class Scripts:
    def __init__(self, root):
        self.path = root / "migrations"
        self.path.mkdir()

    def add(self, name, text):
        (self.path / name).write_text(text)
        return self.path / name


@pytest.fixture
def scripts(folder):
    return Scripts(folder.root)


@pytest.fixture
def deploy(tidelock, scripts):
    return lambda *words, **options: tidelock("deploy", "--migrations", "migrations", *words, **options)


@pytest.fixture
def real(folder, scripts):
    if not Sqlx.is_installed():
        pytest.skip("sqlx could not be installed")
    peer = Sqlx()
    project = type("Project", (), {"root": folder.root, "path": scripts.path})
    yield lambda word, database: peer.run(project, *peer.command(database.url(), project, word))
    peer.clean_up()


@pytest.mark.every_major
def test_a_folder_is_deployed_with_sqlx_s_ledger(database, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int);\n")
    scripts.add("0002_more_users.up.sql", "ALTER TABLE users ADD COLUMN name text;\n")
    scripts.add("0002_more_users.down.sql", "ALTER TABLE users DROP COLUMN name;\n")
    scripts.add("notes.sql", "SELECT 1/0")
    scripts.add("10_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY users_name ON users (name);\nCREATE INDEX CONCURRENTLY users_id ON users (id);\n")
    deploy("--format", "sqlx").succeeds(applied=["1_users.sql", "0002_more_users.up.sql", "10_index.sql"], says="notes.sql in migrations is never applied, by its name.")
    assert database.query(ROWS) == [
        (1, "users", True, sha384("CREATE TABLE users (id int);\n")),
        (2, "more users", True, sha384("ALTER TABLE users ADD COLUMN name text;\n")),
        (10, "index", True, sha384((scripts.path / "10_index.sql").read_text())),
    ]
    assert database.value("SELECT execution_time FROM _sqlx_migrations WHERE version = 1") > 0
    assert database.query("SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = '_sqlx_migrations' ORDER BY ordinal_position") == [
        ("version", "bigint", "NO", None),
        ("description", "text", "NO", None),
        ("installed_on", "timestamp with time zone", "NO", "now()"),
        ("success", "boolean", "NO", None),
        ("checksum", "bytea", "NO", None),
        ("execution_time", "bigint", "NO", None),
    ]
    deploy().succeeds(applied=[])


def test_what_sqlx_has_applied_is_not_applied_again(database, scripts, deploy, tidelock):
    text = scripts.add("1_users.sql", "CREATE TABLE users (id int)").read_text()
    scripts.add("2_more.sql", "CREATE TABLE more (id int)")
    database.query(LEDGER)
    database.query(ROW, 1, "users", True, bytes.fromhex(sha384(text)))
    tidelock("status", "--exit-code", "--migrations", "migrations").fails(exit=1)
    deploy().succeeds(applied=["2_more.sql"], says='"migrations" is a folder of sqlx')
    assert not database.holds("users")
    tidelock("status", "--exit-code", "--migrations", "migrations").succeeds()


def test_a_pending_one_may_be_older_than_an_applied_one(database, scripts, deploy):
    scripts.add("2_late.sql", "CREATE TABLE late (id int)")
    deploy().succeeds(applied=["2_late.sql"])
    scripts.add("1_early.sql", "CREATE TABLE early (id int)")
    deploy().succeeds(applied=["1_early.sql"])


def test_an_edited_one_is_refused_until_the_edit_is_accepted(database, scripts, deploy, tidelock):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    deploy().succeeds(applied=["1_users.sql"])
    scripts.add("1_users.sql", "CREATE TABLE users (id int) -- the shop's")
    scripts.add("2_more.sql", "CREATE TABLE more (id int)")
    deploy().fails(exit=8, says=["sqlx refuses that", "1_users.sql was edited after it was applied"])
    assert not database.holds("more")
    tidelock("resolve", "--migrations", "migrations", "--accept-edit", "1_users.sql").succeeds(says="only in comments")
    assert database.query(ROWS) == [(1, "users", True, sha384("CREATE TABLE users (id int) -- the shop's"))]
    deploy().succeeds(applied=["2_more.sql"])


def test_an_applied_one_that_is_missing_is_refused(database, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    scripts.add("3_more.sql", "CREATE TABLE more (id int)")
    deploy().succeeds()
    (scripts.path / "1_users.sql").unlink()
    scripts.add("4_last.sql", "CREATE TABLE last (id int)")
    deploy().fails(exit=8, says=["sqlx refuses that", "1 is not in the folder"])
    deploy("--no-strict").succeeds(applied=["4_last.sql"])


def test_a_clean_failure_leaves_no_row(database, scripts, deploy):
    file = scripts.add("1_users.sql", "CREATE TABLE users (id int);\nSELECT 1/0;")
    deploy().fails(exit=6, says="division by zero", at=f"{file.name}:2")
    assert not database.holds("users")
    assert database.query(ROWS) == []
    scripts.add("1_users.sql", "CREATE TABLE users (id int);")
    deploy().succeeds(applied=["1_users.sql"])


def test_a_row_without_success_stops_every_deployment_until_it_is_resolved(database, scripts, deploy, tidelock):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    scripts.add("2_more.sql", "CREATE TABLE more (id int)")
    database.query(LEDGER)
    database.query(ROW, 1, "users", False, b"x")
    deploy().fails(exit=8, says=['migration "1_users.sql" failed', "success = false", "If part of it is there", "tidelock resolve --rolled-back"])
    tidelock("resolve", "--migrations", "migrations", "--applied", "1_users.sql").succeeds()
    assert database.query(ROWS) == [(1, "users", True, sha384("CREATE TABLE users (id int)"))]
    database.query("UPDATE _sqlx_migrations SET success = false")
    tidelock("resolve", "--migrations", "migrations", "--rolled-back", "1").succeeds()
    assert database.query(ROWS) == []
    deploy().succeeds(applied=["1_users.sql", "2_more.sql"])


def test_one_that_was_killed_halfway_is_resumed(database, scripts, deploy, tidelock):
    scripts.add("1_users.sql", "-- no-transaction\nCREATE TABLE users (id int);\nSELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM gate) THEN 0 ELSE 300 END);\nCREATE TABLE more (id int);\n")
    database.query("CREATE TABLE gate (id int)")
    running = tidelock.start("deploy", "--migrations", "migrations")
    session = wait_for_session(database, "pg_sleep")
    running.kill()
    database.query("SELECT pg_terminate_backend(%s)", session)
    wait_for_nobody(database)
    assert database.query(ROWS) == []
    database.query("INSERT INTO gate VALUES (1)")
    deploy().succeeds(applied=["1_users.sql"], says="resuming at statement 2 of 3")
    assert database.query("SELECT version, success FROM _sqlx_migrations") == [(1, True)]


def test_nothing_is_applied_while_sqlx_holds_its_lock(database, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    key = 0x3D32AD9E * zlib.crc32(database.name.encode())
    with database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        deploy("--leader-timeout", "1s").fails(exit=4)
        assert not database.holds("users")
    deploy().succeeds(applied=["1_users.sql"])


def test_baseline_records_what_the_schema_holds(database, scripts, deploy, tidelock):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    scripts.add("2_more.sql", "CREATE TABLE more (id int)")
    database.query("CREATE TABLE users (id int)")
    tidelock("baseline", "--migrations", "migrations", "--to", "1_users.sql").succeeds()
    assert database.query(ROWS) == [(1, "users", True, sha384("CREATE TABLE users (id int)"))]
    deploy().succeeds(applied=["2_more.sql"])


def test_the_ledger_may_stand_in_another_schema(database, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    deploy("--ledger", "shop.migrations").succeeds(applied=["1_users.sql"])
    assert database.query("SELECT version FROM shop.migrations") == [(1,)]
    assert database.holds("public.users")


@pytest.mark.parametrize("name", ["x_users.sql", "9223372036854775808_users.sql", "-1_users.sql", "_users.sql"])
def test_what_sqlx_cannot_number_is_refused(database, scripts, deploy, name):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    scripts.add(name, "CREATE TABLE more (id int)")
    deploy("--format", "sqlx").fails(exit=8, says=[name, "does not begin with a number"])
    assert not database.holds("users")


def test_two_of_one_version_are_refused(database, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    scripts.add("01_more.sql", "CREATE TABLE more (id int)")
    deploy("--format", "sqlx").fails(exit=2, says="have the same version, 1")


def test_only_the_first_bytes_of_a_file_switch_the_transaction_off(database, scripts, deploy):
    scripts.add("1_users.sql", "\n-- no-transaction\nCREATE TABLE users (id int);\nCREATE INDEX CONCURRENTLY users_id ON users (id);")
    deploy().fails(exit=6, says="no-transaction")


def test_the_configuration_beside_the_folder_is_heard(database, folder, scripts, deploy):
    scripts.add("1_users.sql", "CREATE TABLE users (id int)")
    config = folder.root / "sqlx.toml"
    config.write_text('[migrate]\nignored-chars = ["\\r"]\n')
    deploy().fails(exit=8, says=["sqlx.toml leaves characters out of the checksums", "--accept-edit"])
    config.write_text('[migrate]\nignored-chars = []\ntable-name = "shop.migrations"\n')
    deploy().fails(exit=2, says=['calls the ledger "shop.migrations", not "_sqlx_migrations"', "--ledger shop.migrations"])
    assert not database.holds("users")
    deploy("--ledger", "shop.migrations").succeeds(applied=["1_users.sql"], says="is a folder of sqlx")


def test_drift_is_seen_without_the_folder(database, scripts, deploy, tidelock):
    scripts.add("01_users.sql", "CREATE TABLE users (id int)")
    deploy().succeeds(applied=["01_users.sql"])
    tidelock("drift", "--format", "sqlx").succeeds()
    database.query("ALTER TABLE users ADD COLUMN name text")
    assert "users.name" in tidelock("drift", "--format", "sqlx").fails(exit=1).out


def test_the_example_is_deployed(database, tidelock):
    example = pathlib.Path(__file__).resolve().parents[2] / "docker/examples/sqlx"
    tidelock("deploy", "--format", "sqlx", cwd=example).succeeds(applied=["20260105090000_orders.up.sql", "20260112090000_customer_index.up.sql"])


def test_sqlx_and_tidelock_take_turns(database, scripts, deploy, real, tidelock):
    scripts.add("1_users.sql", "CREATE TABLE users (id int);\n")
    assert real("run", database).returncode == 0
    scripts.add("2_more_users.up.sql", "CREATE TABLE more (id int);\r\n")
    scripts.add("2_more_users.down.sql", "DROP TABLE more;")
    scripts.add("3_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY users_id ON users (id)")
    deploy().succeeds(applied=["2_more_users.up.sql", "3_index.sql"])
    for state in ["1/installed users", "2/installed more users", "3/installed index"]:
        assert state in real("info", database).stdout
    ours = database.query(ROWS)
    assert real("run", database).stdout == ""
    database.query("DELETE FROM _sqlx_migrations WHERE version > 1")
    database.query("DROP TABLE more; DROP INDEX users_id")
    assert real("run", database).returncode == 0
    assert database.query(ROWS) == ours
    tidelock("status", "--exit-code", "--migrations", "migrations").succeeds()
