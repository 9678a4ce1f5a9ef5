"""--to NAME: a deployment that goes up to and including a migration, and for which "complete" means that."""

import pytest

FOUR = ["001_a", "002_b", "003_c", "004_d"]


@pytest.fixture
def four(database, folder):
    for name in FOUR:
        folder.add(name, f'CREATE TABLE "{name}" ()')
    return folder


def applied(database):
    return [name for name in FOUR if database.holds(name)]


def test_it_goes_no_further(database, four, tidelock):
    result = tidelock("deploy", "--to", "002_b").succeeds(applied=FOUR[:2], says="the database holds all up to and including 002_b; 2 later ones are pending")
    assert result.out == "All migrations up to and including 002_b have been successfully applied.\n"
    assert applied(database) == FOUR[:2]
    tidelock("deploy", "--to=003_c").succeeds(applied=["003_c"], says="the database holds all up to and including 003_c; 1 later one is pending")
    tidelock("deploy", "--to", "004_d").succeeds(applied=["004_d"], says="the database holds all 4")


def test_what_is_applied_already_is_nothing_to_do(database, four, tidelock):
    """Without the lock, which another process holds."""
    tidelock("deploy", "--to", "003_c").succeeds()
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        for name in FOUR[:3]:
            tidelock("deploy", "--to", name).succeeds(applied=[], says=f"No pending migrations to apply, up to and including {name}.")
        tidelock("deploy", "--leader-timeout", "100ms").fails(exit=4)


@pytest.mark.fault
@pytest.mark.parametrize("name, near", [("003", "003_c"), ("001_x", "001_a"), ("_", "001_a, 002_b, 003_c"), ("20990101_nothing_like_it", "The last one is 004_d"), ("prisma/migrations/001_a", "without a path")])
@pytest.mark.parametrize(
    "command",
    ["deploy --to", "deploy --dry-run --to", "wait --to", "run --to", "baseline --to", "baseline --dry-run --to", "resolve --applied", "resolve --accept-edit"],
)
def test_an_unknown_name(database, four, tidelock, name, near, command):
    """Whoever is given it, there is one answer."""
    words = ["--", "echo", "APP"] if command == "run --to" else []
    result = tidelock(*command.split(), name, *words).fails(exit=2, says=["P3017", f'could not find migration "{name}" in prisma/migrations', near, "Nothing was changed"])
    assert "APP" not in result.out and applied(database) == []


def test_a_dry_run_of_it(database, four, tidelock):
    four.replace("003_c", "\\connect other")
    result = tidelock("deploy", "--dry-run", "--exit-code", "--to", "002_b")
    assert result.code == 1 and "Would apply 2 of 4 migrations" in result.out and "003_c" not in result.out
    tidelock("deploy", "--dry-run", "--to", "003_c").fails(exit=6, says="003_c")
    tidelock("deploy", "--to", "002_b").succeeds(applied=FOUR[:2])
    tidelock("deploy", "--dry-run", "--exit-code", "--to", "002_b").succeeds(says="No pending migrations to apply, up to and including 002_b.")
    assert tidelock("status", "--exit-code").code == 1


def test_what_waits_for_it_waits_for_no_more(database, four, tidelock, tmp_path):
    waiting = tidelock.start("wait", "--to", "002_b")
    waiting.wait_for_line("waiting for 2 migrations, first 001_a")
    status, ready = tmp_path / "status.prom", tmp_path / "ready"
    tidelock("deploy", "--to", "002_b", "--status-file", status, "--ready-file", ready).succeeds()
    waiting.wait().succeeds(says="no pending migrations up to and including 002_b; 2 later ones are pending")
    assert ready.exists() and tidelock("ready", "--status-file", status).succeeds().out == "complete\n"
    assert 'state="pending"' in status.read_text() and 'tidelock_migrations{state="pending"} 0' not in status.read_text()
    tidelock("wait", "--leader-timeout", "0").fails(exit=4, says="lacks 2 of 4")
    tidelock("wait", "--to", "003_c", "--leader-timeout", "0").fails(exit=4, says=["lacks 1 of 3", '"003_c"'])


def test_the_gate_opens_for_it(database, four, tidelock):
    for words in [["--to", "002_b"], ["--to", "002_b"], ["--wait", "--to", "001_a"]]:
        result = tidelock("run", *words, "--", "echo", "APP").succeeds()
        assert result.out == "APP\n"
    assert "no pending migrations up to and including 001_a; 2 later ones are pending" in result.errors
    assert applied(database) == FOUR[:2]


def test_an_older_one_that_came_later_is_applied_and_warned_of(database, folder, tidelock):
    for name in FOUR[2:]:
        folder.add(name, f'CREATE TABLE "{name}" ()')
    tidelock("deploy").succeeds()
    for name in FOUR[:2]:
        folder.add(name, f'CREATE TABLE "{name}" ()')
    tidelock("deploy", "--to", "001_a", "--strict").fails(exit=8, says="001_a is older than the last one applied")
    tidelock("deploy", "--to", "001_a").succeeds(applied=["001_a"], says="001_a is older than the last one applied")
    assert not database.holds("002_b")
    tidelock("deploy", "--to", "004_d").succeeds(applied=["002_b"])


def fail(database, name):
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES (%s, 'x', %s)", name, name)


@pytest.mark.fault
def test_a_failed_one_stops_it_where_it_is_needed(database, four, tidelock):
    """One beyond is no concern of a deployment for which nothing is pending, as one of a newer image is not."""
    tidelock("deploy", "--to", "001_a").succeeds()
    fail(database, "003_c")
    tidelock("deploy", "--to", "001_a").succeeds(says="No pending migrations to apply, up to and including 001_a.")
    tidelock("wait", "--to", "001_a", "--leader-timeout", "0").succeeds()
    tidelock("deploy", "--to", "002_b").fails(exit=8, says=["P3009", "003_c"])
    tidelock("deploy", "--to", "003_c").fails(exit=8, says=["P3009", "003_c"])
    assert applied(database) == ["001_a"]


def test_one_that_stopped_halfway_is_gone_on_with_only_when_it_is_asked_for(database, folder, tidelock):
    folder.add("003_half", "-- tidelock: transaction=off\nCREATE TABLE half (); SELECT 1/0;")
    tidelock("deploy").fails(exit=7)
    folder.replace("003_half", "-- tidelock: transaction=off\nCREATE TABLE half (); SELECT 1;")
    folder.add("002_b", 'CREATE TABLE "002_b" ()')
    tidelock("deploy", "--to", "002_b").succeeds(applied=["002_b"])
    assert tidelock("status", "--exit-code").code == 1
    tidelock("deploy", "--to", "003_half").succeeds(applied=["003_half"])
