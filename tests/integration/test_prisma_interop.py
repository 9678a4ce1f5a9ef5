"""With the real Prisma command line on the same folder and ledger, in both directions."""

import hashlib

from tool import wait_for_session
from wait import wait_until

SCRIPTS = {
    "20240101000000_init": "CREATE TABLE users (id int PRIMARY KEY);",
    "20240102000000_posts": "CREATE TABLE posts (id int, author int REFERENCES users);",
    "20240103000000_enum": "BEGIN; CREATE TYPE mood AS ENUM ('a'); COMMIT; CREATE TABLE moods (m mood);",
    "20240104000000_index": "CREATE INDEX CONCURRENTLY posts_idx ON posts (author);",
}


def fill(folder, names=SCRIPTS):
    for name in names:
        folder.add(name, SCRIPTS[name])


def test_prisma_deploys_half_and_tidelock_the_rest(database, folder, tidelock, prisma):
    names = list(SCRIPTS)
    fill(folder, names[:2])
    assert prisma("deploy")[0] == 0
    fill(folder, names[2:])
    tidelock("deploy").succeeds(applied=names[2:])
    code, out = prisma("status")
    assert code == 0 and "up to date" in out, out
    code, out = prisma("deploy")
    assert code == 0 and "No pending migrations" in out, out
    ours, theirs = database.ledger()[2:], database.ledger()[:2]
    for row in [*ours, *theirs]:
        assert row.finished and not row.rolled_back and row.steps == 1 and row.logs is None
        assert row.checksum == hashlib.sha256(SCRIPTS[row.name].encode()).hexdigest()
        assert len(row.id) == 36 and row.id[14] == "4"


def test_tidelock_deploys_half_and_prisma_the_rest(database, folder, tidelock, prisma):
    names = list(SCRIPTS)
    fill(folder, names[:3])
    tidelock("deploy").succeeds(applied=names[:3])
    fill(folder, names[3:])
    code, out = prisma("deploy")
    assert code == 0, out
    tidelock("deploy").succeeds(says="No pending")
    tidelock("status", "--exit-code").succeeds(says="up to date")
    assert database.applied() == names


def test_both_make_the_same_ledger_table(server, database, folder, tidelock, prisma):
    fill(folder)
    columns = (
        "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = '_prisma_migrations'"
    tidelock("deploy").succeeds()
    ours = database.query(columns), database.query(indexes)
    database.query("DROP SCHEMA public CASCADE")
    database.query("CREATE SCHEMA public")
    assert prisma("deploy")[0] == 0
    assert (database.query(columns), database.query(indexes)) == ours


def test_what_failed_under_prisma_blocks_here_until_it_is_resolved(database, folder, tidelock, prisma):
    folder.add("001_bad", "CREATE TABLE t (); SELECT 1/0;")
    assert prisma("deploy")[0] == 1
    tidelock("deploy").fails(exit=8, says=["P3009", "001_bad"])
    tidelock("status", "--exit-code").fails(exit=1)
    tidelock("resolve", "--rolled-back", "001_bad").succeeds()
    folder.replace("001_bad", "CREATE TABLE t ();")
    code, out = prisma("deploy")
    assert code == 0, out
    tidelock("status", "--exit-code").succeeds()


def test_what_failed_cleanly_here_does_not_block_prisma(database, folder, tidelock, prisma):
    folder.add("001_bad", "CREATE TABLE t (); SELECT 1/0;")
    tidelock("deploy").fails(exit=6)
    folder.replace("001_bad", "CREATE TABLE t ();")
    code, out = prisma("deploy")
    assert code == 0 and "001_bad" in out, out


def test_what_failed_half_way_here_blocks_prisma_until_it_is_resolved(database, folder, tidelock, prisma):
    folder.add("001_half", "BEGIN; CREATE TABLE t (); COMMIT; SELECT 1/0;")
    tidelock("deploy").fails(exit=7)
    code, out = prisma("deploy")
    assert code == 1 and "P3009" in out, out
    assert prisma("resolve", "--applied", "001_half")[0] == 0
    tidelock("deploy").succeeds(says="No pending")
    code, out = prisma("status")
    assert code == 0, out


def test_resolve_applied_is_read_by_the_other(database, folder, tidelock, prisma):
    database.query("CREATE TABLE users (id int PRIMARY KEY)")
    fill(folder, list(SCRIPTS)[:2])
    tidelock("resolve", "--applied", "20240101000000_init").succeeds()
    code, out = prisma("deploy")
    assert code == 0, out
    [ours, theirs] = database.ledger()
    assert ours.steps == 0 and ours.logs == "" and ours.started_at == ours.finished_at
    assert prisma("resolve", "--applied", "20240102000000_posts")[1].count("P3008") == 1
    tidelock("resolve", "--applied", "20240102000000_posts").fails(exit=8, says="P3008")


def test_baseline_is_read_by_prisma(database, folder, tidelock, prisma):
    fill(folder)
    database.query("CREATE TABLE legacy ()")
    tidelock("baseline").succeeds(says="4 of 4 migrations recorded")
    code, out = prisma("status")
    assert code == 0 and "up to date" in out, out


def test_what_is_taken_back_is_pending_for_prisma(database, folder, tidelock, prisma):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    assert prisma("resolve", "--applied", "001_a")[0] == 0
    tidelock("resolve", "--applied", "002_b").succeeds()
    tidelock("resolve", "--pending", "001_a", "002_b").succeeds()
    code, out = prisma("resolve", "--applied", "001_a")
    assert code == 0, out
    code, out = prisma("deploy")
    assert code == 0 and "002_b" in out and not database.holds("a") and database.holds("b"), out
    assert database.applied() == ["001_a", "002_b"]


def test_both_at_once_apply_everything_once(database, folder, tidelock, prisma):
    names = [f"{number:03}_t" for number in range(10)]
    for name in names:
        folder.add(name, f"CREATE TABLE t{name} (id int); SELECT pg_sleep(0.05);")
    ours = tidelock.start("deploy")
    theirs = prisma.start("deploy")
    ours.wait().succeeds()
    out, _ = theirs.communicate(timeout=60)
    assert theirs.returncode == 0, out
    assert database.applied() == names and len(database.ledger()) == len(names)


def test_tidelock_waits_while_prisma_applies(database, folder, tidelock, prisma):
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(2);")
    theirs = prisma.start("deploy")
    wait_until(lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%%pg_sleep(2)%%' AND pid <> pg_backend_pid()"), "Prisma to apply", 60)
    # Its row is unfinished now, which is no failure while it holds the lock.
    tidelock("status").succeeds(says="running     001_slow")
    tidelock("deploy").succeeds(says="No pending")
    theirs.communicate(timeout=60)
    assert len(database.ledger()) == 1


def test_prisma_waits_while_tidelock_applies(database, folder, tidelock, prisma):
    folder.add("001_slow", "CREATE TABLE slow (); SELECT pg_sleep(3);")
    ours = tidelock.start("deploy")
    wait_for_session(database, "pg_sleep(3)")
    code, out = prisma("deploy")
    assert code == 0, out
    ours.wait().succeeds(applied=["001_slow"])
    assert len(database.ledger()) == 1


def test_the_order_of_names_is_prismas(database, folder, tidelock, prisma):
    for name in ["1_init", "10_c", "2_b", "0-x", "0_x", "a b", "q'uote", 'dq"x', "ü", "é1", "back\\slash", "20_B", "20_a"]:
        folder.add(name, "SELECT 1")
    assert prisma("deploy")[0] == 0
    theirs = database.applied()
    database.query("DROP TABLE _prisma_migrations")
    tidelock("deploy").succeeds()
    assert database.applied() == theirs


def test_checksums_are_prismas_for_odd_files(database, folder, tidelock, prisma):
    folder.add("001_crlf", b"CREATE TABLE a ();\r\nCREATE TABLE b ();\r\n")
    folder.add("002_empty", b"")
    folder.add("003_blank", b" \n-- nothing\n")
    assert prisma("deploy")[0] == 0
    theirs = [(row.name, row.checksum) for row in database.ledger()]
    database.query("DROP TABLE _prisma_migrations, a, b")
    tidelock("deploy").succeeds()
    assert [(row.name, row.checksum) for row in database.ledger()] == theirs
