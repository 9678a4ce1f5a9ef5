"""An image for which nothing is pending starts, whatever a newer one is doing or has left; what is missing from a folder is called what it is."""

import json

import pytest
from folder import Folder
from status import migration_of, status_of
from tool import Tool, wait_for_session

LEFTOVERS = {
    "failed halfway": "CREATE TABLE h (id int); CREATE INDEX CONCURRENTLY ON h (nope);",
    "backfill stopped": "-- tidelock: backfill t target=50ms\nUPDATE t SET n = 1 / (id - 5) WHERE n IS NULL",
}


@pytest.fixture
def newer(binary, database, tmp_path):
    """The newer image: its folder, and a tool that deploys it."""
    folder = Folder(tmp_path / "newer")
    tool = Tool(binary, database, folder)
    tool.newer = folder
    yield tool
    tool.clean_up()


@pytest.fixture
def both(folder, newer, tidelock):
    """Both have the first migration, which is applied."""
    for images in (folder, newer.newer):
        images.add("001_a", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 10)")
    tidelock("deploy").succeeds()


def starts(tidelock, name):
    """Every command of the old image agrees."""
    for command in [
        ("deploy",),
        ("deploy", "--strict"),
        ("run", "--", "echo", "started"),
        ("run", "--wait", "--", "echo", "started"),
        ("wait",),
    ]:
        result = tidelock(*command, "--leader-timeout", "0")
        result.succeeds(says=name)
        assert result.errors.count("warning:") <= 1 and "resolve" not in result.errors
    tidelock("status", "--exit-code").succeeds(says="Database schema is up to date!")
    assert json.loads(tidelock("status", "--json").succeeds().out)["up_to_date"]


@pytest.mark.fault
@pytest.mark.parametrize("script", [LEFTOVERS["failed halfway"], LEFTOVERS["backfill stopped"]], ids=["stepwise", "backfill"])
def test_an_old_image_starts_after_a_newer_one_failed(database, tidelock, newer, both, script):
    newer.newer.add("002_new", script)
    assert newer("deploy").code in (6, 7)
    if not any(not row.finished and not row.rolled_back for row in database.ledger()):
        database.query("UPDATE _prisma_migrations SET rolled_back_at = NULL WHERE migration_name = '002_new'")
    starts(tidelock, "002_new")
    # What a newer image would resume is not to be called rolled back.
    status = tidelock("status").succeeds(says="1 failed").out
    assert "002_new" in status and "not in this folder" in status and "--rolled-back" not in status and "--applied" not in status


@pytest.mark.fault
def test_an_old_image_starts_while_a_newer_one_is_applied(database, tidelock, newer, both):
    newer.newer.add("002_new", "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (n);")
    with database.connect() as writer:
        writer.execute("BEGIN; INSERT INTO t VALUES (11)")
        running = newer.start("deploy")
        wait_for_session(database, "CREATE INDEX CONCURRENTLY")
        starts(tidelock, "002_new")
        writer.execute("COMMIT")
    running.wait().succeeds()


@pytest.mark.fault
def test_only_what_is_to_be_applied_is_refused(database, folder, tidelock, newer, both):
    newer.newer.add("002_new", LEFTOVERS["failed halfway"])
    newer("deploy").fails(exit=7)
    folder.add("0015_late", "CREATE TABLE late ()")
    result = tidelock("deploy")
    result.fails(exit=8, says=["P3009", "002_new", "not in this folder", "Not applied: 1 pending migration."])
    assert "--rolled-back" not in result.errors and "--applied" not in result.errors
    newer.newer.replace("002_new", "CREATE TABLE h (id int); CREATE INDEX CONCURRENTLY ON h (id);")
    newer("deploy").succeeds(applied=["002_new"])
    tidelock("deploy").succeeds(applied=["0015_late"])


@pytest.mark.fault
def test_a_foreign_failed_row_can_be_resolved_by_name(database, folder, tidelock, both):
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'x', '0009_gone', 'boom')")
    tidelock("deploy").succeeds(says="0009_gone")
    text = tidelock("status").succeeds(says="1 failed").out
    assert 'tidelock resolve --rolled-back "0009_gone"' in text and "--applied" not in text and "script is not in this folder" in text
    folder.add("002_b", "CREATE TABLE b ()")
    result = tidelock("deploy")
    result.fails(exit=8, says=["P3009", "0009_gone", 'tidelock resolve --rolled-back "0009_gone"'])
    assert "--applied" not in result.errors
    tidelock("resolve", "--applied", "0009_gone").fails(exit=2, says=["P3017", "the image that has it"])
    tidelock("baseline", "--to", "001_a").succeeds()
    tidelock("resolve", "--rolled-back", "0009_gone").succeeds()
    tidelock("deploy").succeeds(applied=["002_b"])


@pytest.mark.fault
def test_a_failed_last_migration_is_not_said_to_leave_zero(database, folder, tidelock, both):
    folder.add("002_b", "CREATE TABLE b ()")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'x', '002_b', 'boom')")
    result = tidelock("deploy")
    result.fails(exit=8, says=["P3009", "Parts of it may persist.\n"])
    assert "0 pending" not in result.errors


@pytest.mark.fault
def test_what_was_squashed_is_not_called_a_newer_image(database, folder, tidelock):
    folder.add("2023_a", "CREATE TABLE a (id int)")
    folder.add("2024_b", "CREATE TABLE b (id int)")
    tidelock("deploy").succeeds()
    folder.remove("2023_a")
    folder.remove("2024_b")
    folder.add("0000_squashed", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);")
    folder.add("2025_c", "CREATE TABLE c (id int)")
    assert "2 applied migrations are not in this folder" in tidelock("status", "--allow-unrelated").succeeds(says="resolve --applied NAME").out
    assert "The database holds 2023_a, 2024_b; the folder 0000_squashed, 2025_c" in tidelock("status").succeeds(says="resolve --applied NAME").out
    tidelock("deploy").fails(exit=8, says=["The database holds 2023_a, 2024_b; the folder 0000_squashed, 2025_c", "tidelock resolve --applied NAME"])
    result = tidelock("deploy", "--allow-unrelated")
    result.fails(exit=6, says=["2 applied migrations are not in this folder (2023_a first): removed, squashed or renamed", "42P07"])
    assert "newer image" not in result.errors


@pytest.mark.fault
@pytest.mark.parametrize("name", ["0_squash", "000000_squashed"])
def test_a_squash_alone_is_not_taken_for_an_older_image(database, folder, tidelock, name):
    folder.add("1_a", "CREATE TABLE a (id int)")
    folder.add("2_b", "CREATE TABLE b (id int)")
    tidelock("deploy").succeeds()
    folder.remove("1_a")
    folder.remove("2_b")
    folder.add(name, "CREATE TABLE a (id int);\nCREATE TABLE b (id int);")
    command = f'tidelock resolve --applied "{name}"'
    refused = tidelock("status").succeeds().out
    assert f"The database holds 1_a, 2_b; the folder {name}." in refused and command in refused and "To apply what is pending: tidelock deploy" not in refused
    lines = tidelock("status", "--allow-unrelated").succeeds().out.splitlines()
    assert "2 applied migrations are not in this folder (1_a first): removed, squashed or renamed;" in lines
    assert "if a pending one replaces them, and the database already holds all of it:" in lines and f"  {command}" in lines
    tidelock("deploy").fails(exit=8, says=[f"The database holds 1_a, 2_b; the folder {name}.", command])
    result = tidelock("deploy", "--allow-unrelated")
    result.fails(exit=6, says=["2 applied migrations are not in this folder (1_a first)", f"if a pending one replaces them, and the database already holds all of it: {command}", "42P07"])
    assert "newer image" not in result.errors
    tidelock("resolve", "--applied", name).succeeds()
    result = tidelock("deploy").succeeds(applied=[], says="No pending migrations to apply.")
    assert "ahead" not in result.errors


def test_an_older_image_with_something_pending_is_out_of_order(database, folder, tidelock):
    """What is newer was applied by another image, and is not in the folder."""
    for name in ("001_a", "003_c"):
        folder.add(name, "SELECT 1")
    tidelock("deploy").succeeds()
    folder.remove("003_c")
    folder.add("002_b", "SELECT 1")
    entry = migration_of(status_of(tidelock), "002_b")
    assert entry["state"] == "pending" and entry["out_of_order"]
    tidelock("status").succeeds(says="pending     002_b  (older than the last applied)")
    tidelock("deploy", "--strict=out-of-order").fails(exit=8, says="002_b is older than the last one applied")
    tidelock("deploy").succeeds(applied=["002_b"], says="002_b is older than the last one applied; continuing nevertheless")


@pytest.mark.fault
@pytest.mark.parametrize("count", [1, 2])
def test_what_has_nothing_to_do_with_what_is_missing_is_not_offered(database, folder, tidelock, count):
    """It was taken out of the folder, and another one was written."""
    for name in ["001_a", "002_b", "003_c", "004_d"]:
        folder.add(name, f"CREATE TABLE t{name} ()")
    tidelock("deploy").succeeds()
    folder.remove("002_b")
    if count == 2:
        folder.remove("003_c")
    folder.add("005_e", "CREATE TABLE e ()")
    assert "--applied" not in tidelock("status").succeeds(says="not in this folder (002_b first)").out
    assert "--applied" not in tidelock("deploy", "--dry-run").succeeds(says="not in this folder (002_b first)").errors
    assert "--applied" not in tidelock("deploy").succeeds(applied=["005_e"], says="not in this folder (002_b first)").errors


@pytest.mark.fault
def test_one_that_was_missing_only_by_its_name_is_found_by_its_script(database, folder, tidelock):
    for name in ["001_a", "002_b", "003_c"]:
        folder.add(name, f"CREATE TABLE t{name} ()")
    tidelock("deploy").succeeds()
    folder.remove("002_b")
    folder.add("004_d", "CREATE TABLE d ()")
    folder.add("005_b", "CREATE TABLE t002_b ()")
    command = 'tidelock resolve --applied "005_b"'
    assert command in tidelock("status").succeeds(says="(its script is the same)").out
    tidelock("deploy", "--dry-run").succeeds(says=f"if a pending one is one of them under another name (its script is the same): {command}")
    tidelock("resolve", "--applied", "005_b").succeeds()
    tidelock("deploy").succeeds(applied=["004_d"])


@pytest.mark.fault
def test_the_one_migration_of_another_application_is_not_offered(database, folder, tidelock):
    folder.add("001_billing", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.remove("001_billing")
    folder.add("20240101_shop", "CREATE TABLE shop ()")
    assert "--applied" not in tidelock("deploy").fails(exit=8, says=["Check the database URL and the image.", "--allow-unrelated"]).errors


def test_what_a_newer_image_has_applied_is_called_so(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    folder.add("003_c", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.remove("003_c")
    folder.add("0005_late", "SELECT 1")
    tidelock("deploy").succeeds(applied=["0005_late"], says="a newer image has been deployed")


@pytest.mark.fault
def test_a_folder_of_another_application_is_refused(database, folder, tidelock):
    """Its database URL, or its image, is the wrong one."""
    for number in range(1, 6):
        folder.add(f"{number}_billing", "SELECT 1")
    tidelock("deploy").succeeds()
    for number in range(1, 6):
        folder.remove(f"{number}_billing")
    folder.add("20240101_shop", "CREATE TABLE shop ()")
    result = tidelock("deploy")
    result.fails(exit=8, says=["none of the migrations that the database holds is in this folder", "The database holds 1_billing, 2_billing, 3_billing and 2 more; the folder 20240101_shop.", "Nothing was changed"])
    assert not database.holds("shop") and len(database.ledger()) == 5
    tidelock("deploy", "--allow-unrelated").succeeds(applied=["20240101_shop"])
    folder.add("20240102_more", "CREATE TABLE more ()")
    tidelock("deploy").succeeds(applied=["20240102_more"])


@pytest.mark.parametrize("words", [["deploy"], ["run", "--", "true"]], ids=["deploy", "run"])
def test_an_older_image_says_that_it_is_one(database, folder, tidelock, words):
    for name in ["001_a", "002_b", "003_c"]:
        folder.add(name, "SELECT 1")
    tidelock("deploy").succeeds()
    folder.remove("002_b")
    folder.remove("003_c")
    tidelock(*words).succeeds(says="the database is ahead of this folder by 2 migrations: a newer image has been deployed")
