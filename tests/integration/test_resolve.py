"""resolve and baseline: the ledger is edited, nothing else."""

import pytest


def fail_half_way(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_half", "BEGIN; CREATE TABLE half (); COMMIT; SELECT 1/0;")
    tidelock("deploy").fails(exit=7)


def test_rolled_back_lets_it_run_again_from_the_start(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    database.query("DROP TABLE half")
    tidelock("resolve", "--rolled-back", "002_half").succeeds()
    tidelock("resolve", "--rolled-back", "002_half").succeeds()
    folder.replace("002_half", "CREATE TABLE half ()")
    tidelock("deploy").succeeds(applied=["002_half"])


def test_applied_ends_it(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    tidelock("resolve", "--applied", "002_half").succeeds()
    tidelock("deploy").succeeds(says="No pending")
    [_, failed, marked] = database.ledger()
    assert failed.rolled_back and marked.finished and marked.steps == 0 and marked.logs == ""
    assert marked.started_at == marked.finished_at


def test_what_is_refused(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    tidelock("deploy").succeeds()
    folder.add("002_none", None)
    tidelock("resolve", "--applied", "001_a").fails(exit=8, says="P3008")
    tidelock("resolve", "--applied", "unknown").fails(exit=8, says="P3017")
    tidelock("resolve", "--applied", "002_none").fails(exit=8, says="P3017")
    tidelock("resolve", "--rolled-back", "unknown").fails(exit=8, says="P3011")
    tidelock("resolve", "--rolled-back", "001_a").fails(exit=8, says="P3012")
    tidelock("resolve").fails(exit=2, says="--applied NAME or --rolled-back NAME")
    tidelock("resolve", "--applied", "001_a", "--rolled-back", "001_a").fails(exit=2)
    tidelock("resolve", "--applied", "").fails(exit=2, says="empty")
    assert len(database.ledger()) == 1


def test_baseline_up_to_a_name(database, folder, tidelock):
    database.query("CREATE TABLE a ()")
    for name in ["001_a", "002_b", "003_c"]:
        folder.add(name, f"CREATE TABLE {name[4:]} ()")
    tidelock("deploy").fails(exit=8, says="P3005")
    tidelock("baseline", "--to", "nothing").fails(exit=8, says="P3017")
    tidelock("baseline", "--to", "001_a").succeeds(says="1 of 3 migrations recorded")
    tidelock("baseline", "--to", "001_a").succeeds(says="0 of 3 migrations recorded as applied, 1 already were")
    tidelock("deploy").succeeds(applied=["002_b", "003_c"])


def test_resolve_waits_for_the_leader(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("resolve", "--rolled-back", "002_half", "--leader-timeout", "0").fails(exit=4, says="P1002")
    tidelock("resolve", "--rolled-back", "002_half").succeeds()


def test_another_provider_is_refused_but_not_for_rolling_back(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    folder.provider('provider = "mysql"\n')
    for command in [("deploy",), ("status",), ("resolve", "--applied", "002_half"), ("baseline",)]:
        tidelock(*command).fails(exit=8, says=["P3019", "mysql"], at="migration_lock.toml:1:1")
    tidelock("resolve", "--rolled-back", "002_half").succeeds()


@pytest.mark.fault
@pytest.mark.parametrize("was_rolled_back", [False, True])
def test_what_was_finished_once_is_never_to_be_called_applied_again(database, folder, tidelock, was_rolled_back):
    folder.add("001_a", "CREATE TABLE IF NOT EXISTS a ()")
    tidelock("deploy").succeeds()
    if was_rolled_back:
        database.query("UPDATE _prisma_migrations SET rolled_back_at = now()")
    database.query("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'x', '001_a', 'boom')")
    says = 'tidelock resolve --rolled-back "001_a"'
    for result in (tidelock("deploy"), tidelock("baseline")):
        result.fails(exit=8, says=["P3009", says])
        assert "--applied" not in result.errors
    status = tidelock("status").succeeds(says=says).out
    assert "--applied" not in status
    tidelock("resolve", "--applied", "001_a").fails(exit=8, says="P3008")
    tidelock("resolve", "--rolled-back", "001_a").succeeds()
    tidelock("deploy").succeeds(applied=["001_a"] if was_rolled_back else [])
