"""rollback: the inverses that were written for migrations are run, each in one transaction with the ledger's edit, and nothing that is held is lost unasked."""

import json
import re
import shutil

import pytest
from peers import Dbmate, Drizzle, Flyway, GolangMigrate, Goose, Sqlx
from tool import wait_for_nobody, wait_for_session

PEERS = [Dbmate, GolangMigrate, Goose, Sqlx]
KEEPS = "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)"


def add(folder, name, up, down=None):
    folder.add(name, up)
    if down is not None:
        (folder.path / name / "down.sql").write_text(down)


def columns(database, table):
    return [row[0] for row in database.query("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", table)]


@pytest.fixture
def three(folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    add(folder, "002_b", "ALTER TABLE a ADD COLUMN b int", "ALTER TABLE a DROP COLUMN b")
    add(folder, "003_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    tidelock("deploy").succeeds()
    return folder


@pytest.fixture
def undo(database, folder, tidelock):
    """Deploys one migration; undoes it with that inverse."""

    def run(up, down, *words):
        add(folder, "001_it", up, down)
        tidelock("deploy").succeeds()
        return tidelock("rollback", *words)

    return run


def test_the_newest_is_undone_and_pending_again(database, three, tidelock):
    result = tidelock("rollback").succeeds(says="rolled back 003_c (")
    assert result.out == "Migration 003_c rolled back.\n"
    assert database.applied() == ["001_a", "002_b"] and not database.holds("c")
    assert tidelock("status", "--exit-code").code == 1
    tidelock("wait", "--leader-timeout", "100ms").fails(exit=4)
    tidelock("deploy").succeeds(applied=["003_c"])
    for name in ["003_c", "002_b", "001_a"]:
        tidelock("rollback").succeeds(says=f"Migration {name} rolled back.")
    tidelock("rollback").succeeds(says="Nothing to roll back.")
    tidelock("drift").succeeds()
    tidelock("deploy").succeeds(applied=["001_a", "002_b", "003_c"])


def test_back_to_a_name(database, three, tidelock):
    result = tidelock("rollback", "--to", "001_a").succeeds()
    assert re.findall(r"rolled back (\S+) \(", result.errors) == ["003_c", "002_b"]
    assert database.applied() == ["001_a"] and columns(database, "a") == ["id"]
    tidelock("rollback", "--to", "001_a").succeeds(says="Nothing to roll back.")
    tidelock("rollback", "--to", "002_b").fails(exit=8, says='migration "002_b" is not applied')
    tidelock("rollback", "--to", "004_d").fails(exit=2, says="could not find migration")


def test_back_to_nothing(database, three, tidelock):
    database.query("INSERT INTO a VALUES (1, 2)")
    tidelock("rollback", "--all", "--to", "001_a").fails(exit=2, says="rollback takes --to NAME or --all, not both")
    tidelock("rollback", "--all", "--dry-run", "--allow-loss", "a", "a.b").succeeds(says="Would roll back 3 migrations")
    tidelock("rollback", "--all").fails(exit=8, says='To lose it: tidelock rollback --all --allow-loss "a.b"\n')
    assert database.applied() == ["001_a", "002_b", "003_c"] and columns(database, "a") == ["id", "b"]
    result = tidelock("rollback", "--all", "--allow-loss", "a.b", "a").succeeds(says="rolled back 3 migrations in")
    assert re.findall(r"rolled back (\S+) \(", result.errors) == ["003_c", "002_b", "001_a"]
    assert database.applied() == [] and not database.holds("a")
    tidelock("rollback", "--all").succeeds(says="Nothing to roll back.")
    tidelock("deploy").succeeds(applied=["001_a", "002_b", "003_c"])


def test_back_to_nothing_is_not_back_past_what_only_another_image_has(database, three, tidelock):
    shutil.rmtree(three.path / "002_b")
    tidelock("rollback", "--all").fails(exit=8, says='migration "002_b" is applied, and not in this folder')
    assert database.applied() == ["001_a", "002_b", "003_c"]


def test_the_row_says_so(database, three, tidelock):
    tidelock("rollback").succeeds()
    row = database.ledger()[-1]
    assert row.rolled_back and not row.finished and row.steps == 0 and row.logs == "tidelock: it was rolled back by its inverse"
    tidelock("resolve", "--applied", "003_c").succeeds()


def test_prisma_applies_it_again(database, three, tidelock, prisma):
    tidelock("rollback", "--to", "001_a").succeeds()
    code, out = prisma("status")
    assert code == 1 and "002_b" in out and "003_c" in out and "001_a" not in out, out
    code, out = prisma("deploy")
    assert code == 0 and "002_b" in out and "003_c" in out, out
    tidelock("deploy").succeeds(applied=[])
    assert database.holds("c") and columns(database, "a") == ["id", "b"]
    tidelock("rollback", "--to", "001_a").succeeds()


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_tool_goes_on_from_there(database, tidelock, tmp_path, peer):
    tool = peer()
    folder = tool.folder(tmp_path / "app")
    for number, name in [(1, "one"), (2, "two"), (3, "three")]:
        folder.add(number, name, f"CREATE TABLE {name} (id int);", f"DROP TABLE {name};")

    def run(*words):
        return tidelock(*words, "--migrations", "migrations", "--format", tool.name, cwd=folder.root).succeeds()

    run("deploy")
    before = tool.ledger(database)
    run("rollback", "--to", str(tool.version(1)))
    assert database.holds("one") and not database.holds("two") and not database.holds("three")
    assert tool.ledger(database) == ([(1, False)] if peer is GolangMigrate else before[:-2])
    if tool.is_installed():
        assert tool.up(database.url(), folder).returncode == 0
        assert database.holds("three")
        run("rollback")
        assert tool.down(database.url(), folder).returncode == 0
        assert not database.holds("two")
        tool.clean_up()
    run("deploy")
    assert database.holds("two") and database.holds("three")
    assert len(tool.ledger(database)) == len(before)
    run("rollback", "--all")
    assert not database.holds("one") and len(tool.ledger(database)) == (1 if peer is Goose else 0)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_tool_s_migration_without_an_inverse(database, tidelock, tmp_path, peer):
    tool = peer()
    folder = tool.folder(tmp_path / "app")
    folder.add(1, "one", "CREATE TABLE one (id int);")
    tidelock("deploy", "--migrations", "migrations", "--format", tool.name, cwd=folder.root).succeeds()
    tidelock("rollback", "--migrations", "migrations", "--format", tool.name, cwd=folder.root).fails(exit=8, says=["one", "has no inverse", "Nothing was changed."])
    assert database.holds("one")


@pytest.mark.parametrize("peer", [Drizzle, Flyway], ids=lambda peer: peer.name)
def test_a_tool_without_inverses(database, tidelock, tmp_path, peer):
    folder = peer().folder(tmp_path / "app")
    folder.add(1, "one", "CREATE TABLE one (id int);")
    words = ["--migrations", "migrations", "--format", peer.name]
    tidelock("deploy", *words, cwd=folder.root).succeeds()
    tidelock("rollback", *words, cwd=folder.root).fails(exit=8, says=["hold nothing that undoes a migration", "Go forward"])


def test_a_missing_inverse_stops_all_before_any(database, three, tidelock):
    (three.path / "002_b" / "down.sql").unlink()
    tidelock("rollback", "--to", "001_a").fails(exit=8, says=['migration "002_b" has no inverse', "prisma/migrations/002_b/down.sql does not exist", "go forward"])
    assert database.applied() == ["001_a", "002_b", "003_c"] and database.holds("c")
    tidelock("rollback").succeeds()


@pytest.mark.parametrize("heading", ["-- Down Migration", "-- migrate:down", "-- +goose Down", "-- !Downs", "--//@UNDO", "-- Down"])
def test_an_inverse_may_have_the_heading_of_another_tool(database, undo, heading):
    undo("CREATE TABLE it ()", f"{heading}\nDROP TABLE it;").succeeds()
    assert not database.holds("it")


@pytest.mark.parametrize("down", ["", "-- nothing\n"])
def test_an_empty_inverse_is_none(undo, down):
    undo("CREATE TABLE it ()", down).fails(exit=8, says="has no statement that undoes it")


@pytest.mark.parametrize(
    "down",
    ["DROP INDEX CONCURRENTLY i", "DROP TABLE it; COMMIT; SELECT 1", "BEGIN; DROP TABLE it; COMMIT; SELECT 1", "BEGIN; DROP INDEX i; COMMIT; BEGIN; DROP TABLE it; COMMIT", "BEGIN ISOLATION LEVEL SERIALIZABLE; DROP TABLE it; COMMIT", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; DROP TABLE it", "-- tidelock: transaction=off\nDROP TABLE it"],
)
def test_an_inverse_is_one_transaction(database, undo, down):
    undo("CREATE TABLE it (id int); CREATE INDEX i ON it (id)", down).fails(exit=8, says=["does not run in one plain transaction", "001_it/down.sql", "Nothing was changed."])
    assert database.holds("i")


@pytest.mark.parametrize("down", ["BEGIN;\nDROP TABLE it;\nCOMMIT;\n", "-- back\nstart transaction; DROP TABLE it; end transaction", "BEGIN WORK; DROP TABLE it; COMMIT"])
def test_a_transaction_around_all_of_it_is_that_of_the_rollback(database, undo, tidelock, down):
    undo("CREATE TABLE it (id int)", down).succeeds(says="Migration 001_it rolled back.")
    assert not database.holds("it")
    verify(tidelock).succeeds()


def test_what_is_in_such_a_transaction_is_counted(database, folder, tidelock):
    add(folder, "001_it", "CREATE TABLE it (id int)", "BEGIN;\nDROP TABLE it;\nCOMMIT;\n")
    tidelock("deploy").succeeds()
    database.query("INSERT INTO it VALUES (1)")
    tidelock("rollback").fails(exit=8, says='drops table "it", which holds 1 row', at="001_it/down.sql:2:1")


def test_one_that_fails_leaves_nothing(database, undo):
    undo("CREATE TABLE it ()", "DROP TABLE it;\nSELECT 1/0;").fails(exit=6, says=['the inverse of migration "001_it" failed: division by zero', "001_it/down.sql:2", "001_it is still applied.", "type the same again"])
    assert database.holds("it") and len(database.ledger()) == 1 and database.applied() == ["001_it"]


def test_an_edited_one_is_refused(database, three, tidelock):
    three.replace("003_c", "CREATE TABLE c (id int); SELECT 1")
    tidelock("rollback").fails(exit=8, says=['"003_c" was edited after it was applied', "--accept-edit"])
    tidelock("resolve", "--accept-edit", "003_c").succeeds()
    tidelock("rollback").succeeds()


def test_one_that_is_not_in_the_folder_is_refused(database, three, tidelock):
    three.remove("003_c")
    for words in [[], ["--to", "001_a"], ["--to", "002_b"]]:
        tidelock("rollback", *words).fails(exit=8, says=['migration "003_c" is applied, and not in this folder', "Go back with the image"])
    assert len(database.applied()) == 3


def test_an_unfinished_one_is_refused(database, three, tidelock):
    add(three, "004_d", "BEGIN; CREATE TABLE d (); COMMIT; SELECT 1/0", "DROP TABLE d")
    tidelock("deploy").fails(exit=7)
    tidelock("rollback").fails(exit=8, says=['"004_d" failed and has not been resolved', "resolve --rolled-back", "type the same again"])


def test_drift_is_refused(database, three, tidelock):
    database.query("CREATE INDEX hotfix ON a (id)")
    tidelock("rollback").fails(exit=8, says=["the schema is not as the deployment of", "hotfix", "--drift off"])
    tidelock("rollback", "--drift", "off").succeeds()


def test_a_dry_run(database, three, tidelock):
    result = tidelock("rollback", "--dry-run", "--to", "001_a").succeeds()
    assert "Would roll back 2 migrations" in result.out and result.out.index("003_c") < result.out.index("002_b") and "Nothing was changed." in result.out
    assert len(database.applied()) == 3
    database.query("INSERT INTO a VALUES (1, 2)")
    tidelock("rollback", "--dry-run", "--to", "001_a").fails(exit=8, says='drops column "a.b", which holds 1 value')


def test_a_dry_run_says_what_it_cannot_count(database, folder, tidelock):
    """The second statement of the one that runs first changes rows: what is behind it, and in the next, is seen when it runs."""
    add(folder, "000_first", "SELECT 1")
    add(folder, "001_a", "CREATE TABLE a (id int)", "\nDROP TABLE a")
    add(folder, "002_b", "CREATE TABLE b (id int, n int)", "ALTER TABLE b DROP COLUMN n;\n\nDELETE FROM b WHERE id > 9;\nDROP TABLE b")
    add(folder, "003_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    tidelock("deploy").succeeds()
    database.query("INSERT INTO a VALUES (1)")
    out = tidelock("rollback", "--dry-run", "--to", "000_first").succeeds().out
    parts = dict(re.findall(r"(?ms)^  (\d+_\w): (.*?)(?=^  \d|^$)", out))
    assert "found out" not in parts["003_c"] and "from line 3 on, what else it would lose is found out only when it runs" in parts["002_b"] and "from line 2 on" in parts["001_a"], out
    result = tidelock("rollback", "--to", "000_first").fails(exit=8, says=['drops table "a", which holds 1 row', "rolled back 2 migrations in", "; 1 of 3 still to be undone"])
    assert "still pending" not in result.errors
    assert database.applied() == ["000_first", "001_a"]


# ---- what is held ----


def test_what_to_type_is_the_whole_command(database, three, tidelock):
    """As it stands it goes on where the refused one stopped, and no further."""
    database.query("INSERT INTO a VALUES (1, 2); INSERT INTO c VALUES (1)")
    words = ["rollback", "--to", "001_a"]
    command = 'tidelock rollback --to "001_a" --allow-loss "c"'
    tidelock(*words).fails(exit=8, says=f"To lose it: {command}\n")
    tidelock(*words, "--allow-loss", "c").fails(exit=8, says=f'To lose it: {command} "a.b"\n')
    tidelock(*words, "--allow-loss", "c", "a.b").succeeds()
    assert database.applied() == ["001_a"]


def test_what_to_type_where_the_text_does_not_show_it(database, folder, tidelock):
    add(folder, "000_first", "SELECT 1")
    add(folder, "001_it", "CREATE TABLE it (id int); CREATE TABLE its (id int)", "DROP TABLE its; DO $$BEGIN DROP TABLE it; END$$")
    tidelock("deploy").succeeds()
    database.query("INSERT INTO it VALUES (1); INSERT INTO its VALUES (1)")
    tidelock("rollback", "--to", "000_first", "--allow-loss", "its").fails(exit=8, says='whatever it holds: tidelock rollback --to "000_first" --allow-loss "its" "public.it"\n')


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_a_name_that_nothing_has(database, three, tidelock, words):
    database.query("INSERT INTO c VALUES (1)")
    result = tidelock("rollback", *words, "--allow-loss", "c", "cc").succeeds(says='--allow-loss "cc" names nothing that these inverses lose')
    assert result.errors.count("names nothing") == 1


@pytest.mark.parametrize(
    "up, rows, down, name",
    [
        ("CREATE TABLE it (id int)", "INSERT INTO it VALUES (1)", "DO $$BEGIN DELETE FROM it; END$$", "it"),
        ("CREATE DOMAIN d AS int; CREATE TABLE it (id int, c d)", "INSERT INTO it VALUES (1, 1)", "DROP DOMAIN d cascade", "public.it.c"),
    ],
)
def test_a_name_that_only_the_run_can_meet(database, folder, tidelock, up, rows, down, name):
    add(folder, "001_it", up, down)
    tidelock("deploy").succeeds()
    database.query(rows)
    for words in [["--dry-run"], []]:
        assert "names nothing" not in tidelock("rollback", *words, "--allow-loss", name).succeeds().errors


def test_an_inverse_is_not_compared_with_what_was_applied(undo):
    result = undo("CREATE TABLE it ()", "DROP TABLE it; SELECT 1/0").fails(exit=6, says="Correct the data that the statement met, or the statement in prisma/migrations/001_it/down.sql. Then type the same again.")
    assert "report the edit" not in result.errors


def test_a_backup_that_is_missing(undo):
    result = undo("CREATE TABLE it ()", "DROP TABLE it", "--backup-check", "SELECT false").fails(exit=8, says="Make a backup; then type the same again.")
    assert "deploy again" not in result.errors


def test_its_help_fits(tidelock):
    out = tidelock("help", "rollback").succeeds().out
    assert "stop at this migration" in out and "go up to" not in out and "pending migration runs" not in out


@pytest.mark.parametrize(
    "up, down, says, allow",
    [
        ("CREATE TABLE it (id int)", "DROP TABLE it", 'drops table "it", which holds 2 rows', "it"),
        ("CREATE TABLE it (id int)", "DROP TABLE IF EXISTS public.it CASCADE", 'drops table "it", which holds 2 rows', "public.it"),
        ("CREATE TABLE it (id int, c int)", "ALTER TABLE it DROP COLUMN c, DROP COLUMN IF EXISTS d", 'drops column "it.c", which holds 2 values', "it.c"),
        ("CREATE TABLE it (id int)", "TRUNCATE it", 'empties table "it", which holds 2 rows', "it"),
        ("CREATE TABLE it (id int)", "DELETE FROM it WHERE id = 1", 'deletes 1 row of table "it"', "it"),
        ("CREATE TABLE it (id int)", "DO $$BEGIN DELETE FROM it; END$$", 'deletes 2 rows of table "it"', "it"),
        ("CREATE TABLE it (id int)", "DO $$BEGIN DROP TABLE it; END$$", 'also drops table "public.it", which its text does not show', "public.it"),
        ("CREATE TABLE it (id int)", "DO $$BEGIN TRUNCATE it; END$$", 'also empties table "public.it"', "public.it"),
        ("CREATE DOMAIN d AS int; CREATE TABLE it (id int, c d)", "DROP DOMAIN d CASCADE", 'also drops column "public.it.c"', "public.it.c"),
        ("CREATE TABLE it (id int) PARTITION BY LIST (id); CREATE TABLE its PARTITION OF it DEFAULT", "DROP TABLE it", 'drops table "it", which holds 2 rows', "it"),
        ("CREATE TABLE parent (id int); CREATE TABLE it () INHERITS (parent)", "DROP TABLE parent CASCADE", 'drops table "parent", which holds 2 rows', "parent"),
        ("CREATE SCHEMA s; CREATE TABLE s.it (id int); CREATE VIEW it AS SELECT * FROM s.it", "DROP SCHEMA s CASCADE", 'drops table "s.it", which holds 2 rows', "s.it"),
        ("CREATE TABLE it (id int PRIMARY KEY); CREATE TABLE its (id int REFERENCES it); CREATE VIEW n AS SELECT 1", "TRUNCATE it CASCADE", 'empties table "it", which holds 2 rows', "it"),
    ],
)
def test_what_holds_rows_is_kept(database, folder, tidelock, up, down, says, allow):
    add(folder, "001_it", up, down)
    tidelock("deploy").succeeds()
    wide = len(columns(database, "it")) == 2
    database.query("INSERT INTO it VALUES (1, 1), (2, 2)" if wide else "INSERT INTO it VALUES (1), (2)")
    tidelock("rollback").fails(exit=8, says=[says, 'the inverse of migration "001_it"', "001_it/down.sql", "tidelock rollback --allow-loss"])
    assert database.query("SELECT count(*) FROM it") == [(2,)] and database.applied() == ["001_it"]
    tidelock("rollback", "--allow-loss", allow).succeeds()
    assert database.applied() == []


def test_what_a_truncate_reaches_is_kept(database, folder, tidelock):
    add(folder, "001_it", "CREATE TABLE it (id int PRIMARY KEY); CREATE TABLE its (id int REFERENCES it)", "TRUNCATE it CASCADE")
    tidelock("deploy").succeeds()
    database.query("INSERT INTO it VALUES (1); INSERT INTO its VALUES (1)")
    tidelock("rollback", "--allow-loss", "it").fails(exit=8, says='also empties table "public.its"')
    tidelock("rollback", "--allow-loss", "it", "public.its").succeeds()


def test_a_value_of_an_enum_that_is_in_use(database, folder, tidelock):
    down = "ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('a'); ALTER TABLE it ALTER COLUMN m TYPE mood USING CASE WHEN m::text = 'a' THEN 'a'::mood END; DROP TYPE old"
    add(folder, "001_it", "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE it (m mood)")
    add(folder, "002_b", "ALTER TYPE mood ADD VALUE 'b'", down)
    tidelock("deploy").succeeds()
    database.query("INSERT INTO it VALUES ('a'), ('b'), (NULL)")
    tidelock("rollback").fails(exit=8, says='changes the type of column "it.m", which holds 1 value that the new type does not have')
    assert database.query("SELECT count(*) FROM it WHERE m = 'b'") == [(1,)]
    tidelock("rollback", "--allow-loss", "it.m").succeeds()
    tidelock("deploy").succeeds(applied=["002_b"])
    tidelock("rollback").succeeds()


@pytest.mark.parametrize(
    "up, down",
    [
        ("CREATE TABLE it (id int, c int); CREATE TABLE other (id int)", "DROP TABLE it, other"),
        ("CREATE TABLE it (id int, c int); INSERT INTO it VALUES (1, NULL)", "ALTER TABLE it DROP COLUMN c"),
        ("CREATE SCHEMA s; CREATE TABLE s.it (id int)", "DROP SCHEMA s CASCADE"),
        ("CREATE TABLE it (id int) PARTITION BY LIST (id); CREATE TABLE its PARTITION OF it DEFAULT", "DROP TABLE it"),
        (f"{KEEPS}; CREATE INDEX i ON kept (id); CREATE VIEW v AS SELECT * FROM kept", "DROP VIEW v; DROP INDEX i; DROP TABLE IF EXISTS nothing"),
        (f"{KEEPS}; ALTER TABLE kept ADD c int", "ALTER TABLE kept RENAME TO k2; ALTER TABLE k2 DROP COLUMN c; ALTER TABLE k2 RENAME TO kept"),
        (f"{KEEPS}", "CREATE TABLE moved AS SELECT * FROM kept"),
        (f"{KEEPS}", "CREATE TEMP TABLE own AS SELECT * FROM kept; DELETE FROM own; DROP TABLE own"),
        (f"{KEEPS}", "CREATE TABLE own AS SELECT * FROM kept; DELETE FROM own; INSERT INTO own VALUES (2); TRUNCATE own; INSERT INTO own VALUES (3); DROP TABLE own"),
        (f"CREATE SCHEMA s; {KEEPS}; CREATE TABLE s.kept (id int)", "SET LOCAL search_path = s; DROP TABLE kept; DROP SCHEMA s"),
    ],
)
def test_what_is_empty_goes_without_a_word(database, undo, up, down):
    undo(up, down).succeeds()
    assert database.applied() == []


def test_a_row_that_comes_before_the_lock_counts(database, three, tidelock):
    """The first look found none; under the lock there is one."""
    with database.connect() as writer:
        writer.autocommit = False
        writer.execute("INSERT INTO c VALUES (1)")
        running = tidelock.start("rollback", "--lock-timeout", "20s", "--max-blocked-for", "0")
        wait_for_session(database, "LOCK TABLE")
        writer.commit()
        running.wait().fails(exit=8, says='drops table "c", which holds 1 row')
    assert len(database.applied()) == 3


def test_rows_that_row_security_hides(database, folder, tidelock):
    add(folder, "001_it", "CREATE TABLE it (id int); ALTER TABLE it ENABLE ROW LEVEL SECURITY; ALTER TABLE it FORCE ROW LEVEL SECURITY", "DROP TABLE it")
    role = f"owner_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        database.query(f"GRANT ALL ON SCHEMA public TO {role}")
        database.query(f"GRANT CREATE ON DATABASE {database.name} TO {role}")
        environment = {"TIDELOCK_SET_ROLE": role}
        tidelock("deploy", environment=environment).succeeds()
        database.query("INSERT INTO it VALUES (1)")
        tidelock("rollback", environment=environment).fails(exit=8, says="row security hides")
        assert database.holds("it")
    finally:
        database.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


# ---- while it runs ----


def test_a_signal(database, folder, tidelock):
    add(folder, "001_it", "CREATE TABLE it ()", "DROP TABLE it; SELECT pg_sleep(600)")
    tidelock("deploy").succeeds()
    running = tidelock.start("rollback")
    wait_for_session(database, "pg_sleep")
    running.signal()
    running.wait().fails(exit=143, says=["001_it is still applied.", "Type the same again."])
    wait_for_nobody(database)
    assert database.holds("it") and database.applied() == ["001_it"]


def test_a_kill(database, folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a ()", "DROP TABLE a; SELECT pg_sleep(600)")
    add(folder, "002_b", "CREATE TABLE b ()", "DROP TABLE b")
    add(folder, "003_c", "CREATE TABLE c ()", "DROP TABLE c")
    add(folder, "000_first", "SELECT 1")
    tidelock("deploy").succeeds()
    running = tidelock.start("rollback", "--to", "000_first")
    wait_for_session(database, "pg_sleep")
    running.kill()
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%' AND datname = current_database()")
    wait_for_nobody(database)
    assert database.applied() == ["000_first", "001_a"]
    assert database.holds("a") and not database.holds("b") and not database.holds("c")
    (folder.path / "001_a" / "down.sql").write_text("DROP TABLE a")
    tidelock("rollback", "--to", "000_first").succeeds(says="Migration 001_a rolled back.")


@pytest.mark.parametrize("is_committed", [True, False])
def test_the_answer_to_commit_is_lost(server, database, three, tidelock, proxy, is_committed):
    """It is found out, and without --to no second one is undone."""
    edited = []

    def cut_at_its_commit(message):
        """The first one behind the edit of the ledger; once."""
        wanted = ("server", "C", "COMMIT") if is_committed else ("client", "Q", "COMMIT")
        if message.direction == "client" and "SET finished_at = NULL" in message.text:
            edited.append(message)
        if edited and edited[0] and (message.direction, message.kind) == wanted[:2] and wanted[2] in message.text:
            edited[0] = None
            return "drop"
        return None

    proxy.on_message = cut_at_its_commit
    result = tidelock("rollback", url=server.url(database.name, port=proxy.port))
    result.succeeds(says=f"the answer to COMMIT of 003_c was lost: it was {'committed' if is_committed else 'rolled back'}")
    assert database.applied() == ["001_a", "002_b"] and not database.holds("c")


def test_another_leads(database, three, tidelock):
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("rollback", "--leader-timeout", "100ms").fails(exit=4, says="leader")
        assert database.holds("c")
    tidelock("rollback").succeeds()


def test_two_at_once_undo_one(database, folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a ()", "DROP TABLE a")
    add(folder, "002_b", "CREATE TABLE b ()", "DROP TABLE b; SELECT pg_sleep(1)")
    tidelock("deploy").succeeds()
    first = tidelock.start("rollback")
    wait_for_session(database, "pg_sleep")
    second = tidelock.start("rollback")
    first.wait().succeeds()
    second.wait().succeeds()
    assert database.applied() == ["001_a"]


def test_what_machines_read(database, three, tidelock, tmp_path):
    ready = tmp_path / "ready"
    ready.write_text("")
    status = tmp_path / "status.prom"
    result = tidelock("rollback", "--log-format", "json", "--status-file", status, "--ready-file", ready).succeeds()
    last = json.loads(result.errors.splitlines()[-1])
    assert last["rolled_back"] == 1 and last["pending"] == 1 and last["exit_code"] == 0, last
    assert not ready.exists() and "tidelock_ready 0" in re.sub(r"{[^}]*}", "", status.read_text())
    assert tidelock("ready", "--status-file", status).code == 1


# ---- verify --inverses ----


def verify(tidelock, *words, **options):
    return tidelock("verify", "--inverses", "--shadow", "create", *words, **options)


def test_inverses_that_undo_their_migrations(database, folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    add(folder, "002_b", "ALTER TABLE a ADD COLUMN b int DEFAULT 1; CREATE INDEX i ON a (b)", "DROP INDEX i; ALTER TABLE a DROP COLUMN b")
    add(folder, "003_c", "CREATE INDEX CONCURRENTLY j ON a (id)", None)
    result = verify(tidelock).succeeds(says="applied, undone and applied again, 2 migrations make the same schema; the others have no inverse")
    assert re.findall(r"(?m)^tried (.*)$", result.out) == ["001_a", "002_b"]


def test_an_inverse_that_leaves_something(database, folder, tidelock):
    add(folder, "001_a", "CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood")
    add(folder, "002_b", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'b'", "SELECT 'a value stays'")
    result = verify(tidelock).succeeds()
    assert "tried 001_a\ntried 002_b: its inverse does not undo all of it\n" in result.out and "mood" in result.out


def test_an_inverse_after_which_another_schema_is_made(database, folder, tidelock):
    add(folder, "001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    add(folder, "002_b", "CREATE TABLE IF NOT EXISTS b (id int, c int)", "ALTER TABLE b DROP COLUMN c")
    add(folder, "003_c", "SELECT 1", "SELECT 1")
    result = verify(tidelock)
    assert result.code == 1 and "002_b makes another schema when it is applied again after its inverse" in result.out and "column public.b.c" in result.out, result.out + result.errors
    assert "003_c" not in result.out


@pytest.mark.parametrize(
    "down, says",
    [
        ("DROP TABLE nothing", ['the inverse of migration "001_a" failed', "001_a/down.sql:1:1"]),
        ("DROP INDEX CONCURRENTLY i", ["does not run in one plain transaction"]),
        ("SELECT 1", ["001_a", "applying it again after its inverse", "already exists"]),
    ],
)
def test_an_inverse_that_does_not_run(database, folder, tidelock, down, says):
    add(folder, "001_a", "CREATE TABLE a (id int); CREATE INDEX i ON a (id)", down)
    verify(tidelock).fails(exit=8, says=[*says, "The live database was only read."])
    assert not database.query("SELECT FROM pg_database WHERE datname LIKE 'tidelock_shadow%%'")


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_the_inverses_of_each_tool(database, tidelock, tmp_path, peer):
    folder = peer().folder(tmp_path / "app")
    for number, name in [(1, "one"), (2, "two"), (3, "three")]:
        folder.add(number, name, f"CREATE TABLE {name} (id int);", f"DROP TABLE {name};")
    verify(tidelock, "--migrations", "migrations", "--format", peer.name, cwd=folder.root).succeeds(says="3 migrations make the same schema\n")
    tidelock("verify", "--shadow", "create", "--migrations", "migrations", "--format", peer.name, cwd=folder.root).succeeds()


def test_who_applied_it_is_forgotten(database, folder, tidelock):
    """Its tool may be the next to apply it, and its ledger has no other id for that."""
    (folder.path / "1_a.up.sql").write_text("CREATE TABLE a ()")
    (folder.path / "1_a.down.sql").write_text("DROP TABLE a")
    words = ["--format", "golang-migrate", "--migrations", folder.path]
    tidelock("deploy", *words).succeeds()
    assert "tidelock" in tidelock("status", "--all", *words).succeeds().out
    tidelock("rollback", *words).succeeds()
    database.query("CREATE TABLE a (); INSERT INTO schema_migrations VALUES (1, false)")
    assert "tidelock" not in tidelock("status", "--all", *words).succeeds(says="applied").out
