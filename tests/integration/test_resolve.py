"""resolve: the ledger is edited, nothing else."""

import psycopg
import pytest
from tool import wait_for_session


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
    tidelock("resolve", "--applied", "unknown").fails(exit=2, says="P3017")
    tidelock("resolve", "--applied", "002_none").fails(exit=8, says=["P3017", "002_none/migration.sql", "Nothing was changed."])
    tidelock("resolve", "--rolled-back", "unknown").fails(exit=8, says="P3011")
    tidelock("resolve", "--rolled-back", "001_a").fails(exit=8, says="P3012")
    tidelock("resolve").fails(exit=2, says="--applied NAME or --rolled-back NAME")
    tidelock("resolve", "--applied", "001_a", "--rolled-back", "001_a").fails(exit=2)
    tidelock("resolve", "--applied", "").fails(exit=2, says="empty")
    assert len(database.ledger()) == 1


@pytest.mark.parametrize("repeated", [False, True])
def test_several_names_are_resolved_together(database, folder, tidelock, repeated):
    names = ["001_a", "002_b", "003_c"]
    for name in names:
        folder.add(name, "SELECT 1/0")

    def words(option):
        return [word for name in names for word in (option, name)] if repeated else [option, *names]

    tidelock("resolve", *words("--applied")).succeeds(says="Migration 003_c marked as applied.")
    assert database.applied() == names
    tidelock("resolve", *words("--pending")).succeeds(says="Migration 001_a marked as pending.")
    assert database.applied() == []
    database.query("UPDATE _prisma_migrations SET rolled_back_at = NULL")
    tidelock("resolve", *words("--rolled-back"), "--log-level", "error").succeeds(says="Migration 002_b marked as rolled back.")
    assert [row.rolled_back for row in database.ledger()] == [True] * 3


def test_all_names_are_resolved_or_none(database, folder, tidelock):
    for name in ["001_a", "002_b"]:
        folder.add(name, f"CREATE TABLE {name[4:]} ()")
    tidelock("resolve", "--applied", "002_b").succeeds()
    before = database.ledger()
    tidelock("resolve", "--applied", "001_a", "002_b").fails(exit=8, says=["P3008", '"002_b"', "Nothing was changed."])
    tidelock("resolve", "--applied", "001_a", "unknown").fails(exit=2, says=["P3017", '"unknown"'])
    tidelock("resolve", "--pending", "002_b", "001_a").fails(exit=8, says=["P3011", '"001_a"'])
    tidelock("resolve", "--applied", "001_a", "001_a").fails(exit=2, says='--applied names "001_a" twice')
    tidelock("resolve", "--applied", "001_a", "--pending", "002_b").fails(exit=2, says="only one of these")
    assert database.ledger() == before


def test_none_of_several_is_written_where_one_does_not_stay(database, folder, tidelock):
    for name in ["001_a", "002_b"]:
        folder.add(name, "SELECT 1")
    tidelock("resolve", "--applied", "001_a", "--dry-run").succeeds()
    database.query("CREATE TABLE other ()")
    tidelock("baseline", "--to", "001_a").succeeds()
    tidelock("resolve", "--pending", "001_a").succeeds()
    before = database.ledger()
    database.query(
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER lose BEFORE INSERT ON _prisma_migrations FOR EACH ROW WHEN (NEW.migration_name = '002_b') EXECUTE FUNCTION lose()"
    )
    tidelock("resolve", "--applied", "001_a", "002_b").fails(exit=8, says=["what is written to it does not stay", "Nothing was changed."])
    assert database.ledger() == before


def test_what_was_never_true_is_taken_back(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "CREATE TABLE b ()")
    tidelock("resolve", "--applied", "001_a", "002_b").succeeds()
    tidelock("resolve", "--pending", "002_b").succeeds(says="Migration 002_b marked as pending.")
    tidelock("resolve", "--pending", "002_b").succeeds(says="Migration 002_b marked as pending.")
    tidelock("status").succeeds(says="pending     002_b")
    [_, taken] = database.ledger()
    assert taken.rolled_back and not taken.finished and "taken back" in taken.logs
    tidelock("resolve", "--applied", "002_b").succeeds()
    tidelock("resolve", "--pending", "001_a", "002_b").succeeds()
    tidelock("deploy").succeeds(applied=["001_a", "002_b"])


@pytest.mark.fault
def test_what_has_run_is_not_taken_back(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    before = database.ledger()
    tidelock("resolve", "--pending", "001_a").fails(exit=8, says=["was applied, not only recorded as applied", "Nothing was changed."])
    tidelock("resolve", "--pending", "002_half").fails(exit=8, says=["P3009", "it failed", "To go on with it: tidelock deploy", 'tidelock resolve --rolled-back "002_half"'])
    tidelock("resolve", "--pending", "unknown").fails(exit=8, says="P3011")
    assert database.ledger() == before


EDITS = {
    "blanks": ("CREATE TABLE a ();  \r\n\r\n", "only in blanks or line ends"),
    "comments": ("-- why\nCREATE TABLE a ();\n", "only in comments and blanks"),
    "blanks between tokens": ("CREATE  TABLE a\n(\n) ;\n", "only in comments and blanks"),
    "SQL": ("CREATE TABLE a (n int);\n", "in its SQL, not only in comments and blanks.\n  The edit itself has not been run on this database."),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_accepted_after_saying_what_it_is(database, folder, tidelock, kind):
    script, says = EDITS[kind]
    folder.add("001_a", "CREATE TABLE a ();\n")
    tidelock("deploy").succeeds()
    [was] = database.ledger()
    folder.replace("001_a", script)
    tidelock("status").succeeds(says="edited      001_a")
    tidelock("resolve", "--accept-edit", "001_a", "--dry-run").succeeds(says=says)
    assert database.ledger() == [was]
    tidelock("resolve", "--accept-edit", "001_a").succeeds(says=says)
    [now] = database.ledger()
    assert now.checksum != was.checksum and now == was._replace(checksum=now.checksum)
    tidelock("deploy", "--strict").succeeds(says="No pending")
    tidelock("resolve", "--accept-edit", "001_a").succeeds(says="is as it was when it was applied")


@pytest.mark.parametrize("mode", ["", "-- tidelock: transaction=off\n"])
def test_a_comment_that_was_taken_out_is_recognized(database, folder, tidelock, mode):
    """Of the script as it was when its last run began: what ran before that was the same."""
    half = mode + "CREATE TABLE a /* the first */ (n int); -- so\nSELECT 1/{}::int; -- why"
    folder.add("001_a", half.format(0))
    assert tidelock("deploy").code == (7 if mode else 6)
    folder.replace("001_a", half.format(1))
    tidelock("deploy").succeeds(applied=["001_a"])
    folder.replace("001_a", "CREATE TABLE a (n int);\nSELECT 1/1::int;")
    tidelock("resolve", "--accept-edit", "001_a", "--dry-run").succeeds(says="only in comments and blanks")
    folder.replace("001_a", "CREATE TABLE a (n int);\nSELECT 1/2::int;")
    tidelock("resolve", "--accept-edit", "001_a").succeeds(says="in its SQL")


def test_of_what_another_tool_applied_only_the_checksum_is_known(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE a ();\n")
    tidelock("deploy").succeeds()
    database.query("DROP SCHEMA tidelock CASCADE")
    folder.replace("001_a", "CREATE TABLE a ();\n-- why")
    tidelock("resolve", "--accept-edit", "001_a", "--dry-run").succeeds(says="only in comments and blanks")
    folder.replace("001_a", "CREATE TABLE a (n int);")
    tidelock("resolve", "--accept-edit", "001_a").succeeds(says="Of that, only the checksum is known")


@pytest.mark.fault
def test_only_what_is_applied_has_an_edit_to_accept(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    folder.add("003_c", "SELECT 1")
    tidelock("resolve", "--accept-edit", "002_half").fails(exit=8, says=["is not applied but failed", "Nothing was changed."])
    tidelock("resolve", "--accept-edit", "003_c").fails(exit=8, says="is not applied but pending")
    tidelock("resolve", "--accept-edit", "unknown").fails(exit=2, says="P3017")


@pytest.mark.fault
def test_an_edit_that_does_not_stay_is_not_said_to_be_recorded(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("deploy").succeeds()
    folder.replace("001_a", "SELECT 2")
    database.query("CREATE RULE keep AS ON UPDATE TO _prisma_migrations DO INSTEAD NOTHING")
    tidelock("resolve", "--accept-edit", "001_a").fails(exit=8, says=["what is written to it does not stay", "Nothing was changed."])


def test_a_dry_run_changes_nothing(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("resolve", "--applied", "001_a", "--dry-run").succeeds(says="Migration 001_a would be marked as applied.")
    assert not database.holds("_prisma_migrations")
    tidelock("resolve", "--applied", "001_a").succeeds()
    before = database.ledger()
    tidelock("resolve", "--pending", "001_a", "--dry-run").succeeds(says="Migration 001_a would be marked as pending.")
    assert database.ledger() == before


def test_resolve_waits_for_the_leader(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        tidelock("resolve", "--rolled-back", "002_half", "--leader-timeout", "0").fails(exit=4, says="P1002")
    tidelock("resolve", "--rolled-back", "002_half").succeeds()


@pytest.mark.parametrize("command", ["resolve --rolled-back 002_half", "resolve --applied 003_c", "resolve --pending 004_d", "resolve --accept-edit 001_a", "baseline --all"])
def test_a_dry_run_waits_for_nobody(database, folder, tidelock, command):
    """Not even for one that may write: it only reads."""
    fail_half_way(database, folder, tidelock)
    for name in ["003_c", "004_d"]:
        folder.add(name, "SELECT 1")
    tidelock("resolve", "--applied", "004_d").succeeds()
    if command.startswith("baseline"):
        tidelock("resolve", "--rolled-back", "002_half").succeeds()
    folder.replace("001_a", "CREATE TABLE a (); ")
    before = database.ledger()
    database.query(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    with database.connect() as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        tidelock(*command.split(), "--dry-run").succeeds(says=f"another process is changing this database: pid {leader.info.backend_pid} (")
    assert "another process" not in tidelock(*command.split(), "--dry-run").succeeds().errors
    assert database.ledger() == before


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


@pytest.mark.fault
def test_what_failed_before_it_was_applied_is_not_rolled_back(database, folder, tidelock):
    folder.add("001_a", "SELECT 1/0")
    tidelock("deploy").fails(exit=6)
    folder.replace("001_a", "SELECT 1")
    tidelock("deploy").succeeds(applied=["001_a"])
    before = database.ledger()
    tidelock("resolve", "--rolled-back", "001_a").fails(exit=8, says=["P3012", "has not failed", "Nothing was changed."])
    assert database.ledger() == before


@pytest.mark.fault
def test_what_was_half_done_is_not_taken_back(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    tidelock("resolve", "--applied", "002_half").succeeds()
    before = database.ledger()
    tidelock("resolve", "--pending", "002_half").fails(exit=8, says=["was half done before it was recorded as applied", "Nothing was changed."])
    assert database.ledger() == before


HALF_A_BACKFILL = """-- tidelock: backfill t key=id target=20ms rows=100..100 rest=0%
UPDATE t SET n = CASE WHEN id <= 500 THEN 1 ELSE {} END WHERE n IS NULL;"""


@pytest.mark.fault
@pytest.mark.parametrize("end", ["failed", "was interrupted"])
def test_half_a_backfill_is_not_taken_back_either(database, folder, tidelock, end):
    database.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t")
    folder.add("001_t", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("002_fill", HALF_A_BACKFILL.format("1 / (id - 700)" if end == "failed" else "pg_sleep(1)::text::int"))
    if end == "failed":
        tidelock("deploy").fails(exit=7)
    else:
        running = tidelock.start("deploy")
        wait_for_session(database, "pg_sleep")
        running.signal()
        assert running.wait().code == 143
    before = database.ledger()
    tidelock("resolve", "--pending", "002_fill").fails(exit=8, says=["P3009", f"it {end}", "To go on with it: tidelock deploy"])
    tidelock("resolve", "--applied", "002_fill").succeeds()
    tidelock("resolve", "--pending", "002_fill").fails(exit=8, says=["was half done before it was recorded as applied", "Nothing was changed."])
    tidelock("resolve", "--pending", "002_fill", "--dry-run").fails(exit=8, says="was half done")
    assert len(database.ledger()) == len(before) + 1 and database.ledger()[-1].finished


def test_what_was_rolled_back_is_pending_already(database, folder, tidelock):
    fail_half_way(database, folder, tidelock)
    tidelock("resolve", "--rolled-back", "002_half").succeeds()
    before = database.ledger()
    tidelock("resolve", "--pending", "002_half").succeeds(says="Migration 002_half marked as pending.")
    assert database.ledger() == before


@pytest.mark.fault
def test_a_backfill_that_failed_at_once_may_be_taken_back(database, folder, tidelock):
    """It has changed nothing."""
    database.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t")
    folder.add("001_t", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("002_fill", "-- tidelock: backfill t key=id rows=100..100\nUPDATE t SET n = 1 / (id - 1) WHERE n IS NULL")
    assert tidelock("deploy").code in (6, 7)
    tidelock("resolve", "--applied", "002_fill").succeeds()
    tidelock("resolve", "--pending", "002_fill").succeeds(says="Migration 002_fill marked as pending.")


@pytest.fixture
def plain(database):
    """The URL of a role that may not have a journal."""
    role = f"plain_{database.name}"[:63]
    database.query(f"CREATE ROLE {role} LOGIN; CREATE SCHEMA app AUTHORIZATION {role}; GRANT ALL ON SCHEMA public TO {role}")
    yield lambda **parameters: database.server.url(database.name, user=role, **parameters)
    database.drop()
    database.server.query(f"DROP ROLE {role}")


@pytest.mark.fault
@pytest.mark.parametrize("schema", [None, "app"])
@pytest.mark.parametrize("index", ["CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)", "CREATE UNIQUE INDEX CONCURRENTLY ON t (n)"], ids=["named", "unnamed"])
def test_without_a_journal_a_leftover_is_looked_for_in_the_catalog(database, folder, tidelock, plain, index, schema):
    url = plain() if schema is None else plain(schema=schema)
    table = f"{schema or 'public'}.t"
    folder.add("001_t", "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (1)")
    tidelock("deploy", url=url).succeeds()
    folder.add("002_index", f"-- tidelock: transaction=off\nSELECT 1; {index}")
    assert tidelock("deploy", url=url).code == 7
    [(name, valid)] = database.query("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = %s::regclass", table)
    assert not valid
    for words in (["--dry-run"], []):
        result = tidelock("resolve", "--applied", "002_index", *words, url=url)
        result.fails(exit=8, says=["cannot be resolved yet: its interrupted statement may have left the INVALID index", "Nothing was changed.", "DROP INDEX CONCURRENTLY"])
    database.query(f"DROP INDEX {name}")
    tidelock("resolve", "--applied", "002_index", url=url).succeeds()


@pytest.mark.fault
def test_without_a_journal_the_index_of_somebody_else_is_none_of_it(database, folder, tidelock, plain):
    folder.add("001_t", "CREATE TABLE t (n int, m int); INSERT INTO t VALUES (1, 1), (1, 1)")
    tidelock("deploy", url=plain()).succeeds()
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.query("CREATE UNIQUE INDEX CONCURRENTLY other ON t (m)")
    folder.add("002_index", "-- tidelock: transaction=off\nSELECT 1; CREATE UNIQUE INDEX CONCURRENTLY ON t (n)")
    assert tidelock("deploy", url=plain()).code == 7
    database.query("DELETE FROM t; DROP INDEX t_n_idx; CREATE UNIQUE INDEX t_n_idx ON t (n)")
    tidelock("resolve", "--applied", "002_index", url=plain()).succeeds()


@pytest.mark.fault
def test_without_a_journal_the_copy_of_a_reindex_is_found_too(database, folder, tidelock, plain):
    folder.add("001_t", "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)")
    tidelock("deploy", url=plain()).succeeds()
    folder.add("002_index", "-- tidelock: transaction=off\nSELECT 1; REINDEX INDEX CONCURRENTLY t_pkey")
    with database.connect() as writer:
        writer.execute("BEGIN; UPDATE t SET n = 2")
        result = tidelock("deploy", "--retry-for", "500ms", "--lock-timeout", "100ms", url=plain())
        result.fails(exit=7, says='Left over: the INVALID index "public"."t_pkey_ccnew"')
        writer.execute("COMMIT")
    says = ['its interrupted statement may have left the INVALID index "public"."t_pkey_ccnew"', "Nothing was changed."]
    tidelock("resolve", "--applied", "002_index", url=plain()).fails(exit=8, says=says)
    database.query("DROP INDEX t_pkey_ccnew")
    tidelock("resolve", "--applied", "002_index", url=plain()).succeeds()
