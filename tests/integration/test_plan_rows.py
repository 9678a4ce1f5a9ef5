"""plan: what the rows that are there now say of a pending statement, and how long it would take."""

import psycopg
import pytest
from servers import Database
from test_plan import live_findings, plan_of
from tool import Tool
from wait import wait_until

ROWS = """
    CREATE TABLE parents (id int PRIMARY KEY, code text UNIQUE, a int, b int, UNIQUE (a, b));
    CREATE TABLE t (gap int, twins int, gap_twins int, parent int, code text, a int, b int, "odd ""name" int);
    CREATE TABLE nobody (id int);
    INSERT INTO parents VALUES (1, 'one', 1, 1), (2, 'two', 2, 2);
    INSERT INTO t VALUES (NULL, 1, NULL, 1, 'one', 1, 1, NULL), (1, 1, NULL, 2, 'two', 2, NULL, 1);
    ALTER TABLE t ADD CONSTRAINT late FOREIGN KEY (a) REFERENCES parents NOT VALID;
"""


def notes(tidelock, *words):
    """{the statement: (verdict, what the rows say)}"""
    statements = [statement for migration in plan_of(tidelock, *words)["migrations"] for statement in migration["statements"]]
    return {statement["sql"]: (statement["verdict"], (statement["findings"][0]["live"] or {}).get("note")) for statement in statements}


@pytest.mark.every_major
def test_rows_that_a_statement_would_fail_on_are_found(database, folder, tidelock):
    database.query(ROWS)
    told = {
        "ALTER TABLE t ALTER gap SET NOT NULL": ("dangerous", "no valid CHECK proves it; a row has NULL there now, so it would fail"),
        'ALTER TABLE t ALTER "odd ""name" SET NOT NULL': ("dangerous", "no valid CHECK proves it; a row has NULL there now, so it would fail"),
        "ALTER TABLE t ALTER twins SET NOT NULL": ("dangerous", "no valid CHECK proves it; no row has NULL there now"),
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (twins)": ("dangerous", "two rows are equal there now, so it would fail"),
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (twins, gap)": ("safe", "no two rows are equal there now"),
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (gap_twins)": ("safe", "no two rows are equal there now"),
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (twins) WHERE gap = 5": ("safe", None),
        "CREATE UNIQUE INDEX CONCURRENTLY ON t ((twins + gap))": ("safe", None),
        "CREATE INDEX CONCURRENTLY ON t (twins)": ("safe", None),
        "ALTER TABLE t ADD UNIQUE (twins)": ("dangerous", "two rows are equal there now, so it would fail"),
        "ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES parents NOT VALID": ("careful", "every row refers to one that is there now"),
        "ALTER TABLE t ADD FOREIGN KEY (code) REFERENCES parents (code) NOT VALID": ("careful", "every row refers to one that is there now"),
        "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES parents (a, b) NOT VALID": ("careful", "every row refers to one that is there now"),
        "ALTER TABLE parents ADD FOREIGN KEY (id) REFERENCES t (gap_twins) NOT VALID": ("dangerous", "a row refers to one that is not there now, so VALIDATE would fail"),
        "ALTER TABLE t ADD COLUMN c int NOT NULL": ("dangerous", "the table has a row now, so it would fail"),
        "ALTER TABLE nobody ADD COLUMN c int NOT NULL": ("careful", "the table is empty now"),
    }
    folder.add("001_a", ";\n".join(["-- tidelock: transaction=off\n" + next(iter(told)), *list(told)[1:]]))
    found = notes(tidelock)
    found = {sql: found[sql] for sql in told}
    assert found == told


def test_rows_that_an_earlier_pending_statement_changes_decide_nothing(database, folder, tidelock):
    database.query(ROWS)
    change = "ALTER TABLE t ALTER gap SET NOT NULL"
    file = folder.add("001_a", "")
    unknown = "what a pending statement before it does to them is not known"
    for before, says in {
        "UPDATE t SET gap = 0 WHERE gap IS NULL": "a pending statement before it changes them",
        "DO $$ BEGIN END $$": unknown,
        "NO SUCH STATEMENT": unknown,
        "DO $$ BEGIN END $$; DELETE FROM t": "a pending statement before it changes them",
    }.items():
        file.write_text(f"{before};\n{change};")
        verdict, note = notes(tidelock)[change]
        assert note == f"no valid CHECK proves it; its rows do not allow it now; {says}"


def test_a_foreign_key_that_is_not_valid_is_looked_at_before_it_is_validated(database, folder, tidelock):
    database.query(ROWS)
    validate = "ALTER TABLE t VALIDATE CONSTRAINT late"
    folder.add("001_a", validate)
    assert notes(tidelock)[validate] == ("safe", "every row refers to one that is there now")
    database.query("SET session_replication_role = replica; INSERT INTO t (a) VALUES (3)")
    assert notes(tidelock)[validate] == ("dangerous", "a row refers to one that is not there now, so it would fail")


def test_a_type_with_its_own_idea_of_equal_is_not_compared(database, folder, tidelock):
    database.query("""
        CREATE EXTENSION citext;
        CREATE TABLE parents (code citext PRIMARY KEY); INSERT INTO parents VALUES ('A');
        CREATE TABLE t (code citext); INSERT INTO t VALUES ('a'), ('A');
    """)
    refer, unique = "ALTER TABLE t ADD FOREIGN KEY (code) REFERENCES parents", "ALTER TABLE t ADD UNIQUE (code)"
    folder.add("001_a", f"{refer};\n{unique};")
    found = notes(tidelock)
    assert found[refer][1] is None and found[unique][1] == "two rows are equal there now, so it would fail"


def test_it_waits_for_no_lock_and_reads_nothing_where_it_may_not(database, folder, tidelock):
    database.query(ROWS)
    change = "ALTER TABLE t ALTER gap SET NOT NULL"
    folder.add("001_a", change)
    with psycopg.connect(database.url()) as holder:
        holder.execute("LOCK TABLE t")
        assert notes(tidelock)[change][1].endswith("whether its rows allow it is not known: looking would take more than a second")
    assert notes(tidelock, "--no-probes")[change] == ("dangerous", "no valid CHECK proves it")
    role = f"blind_{database.name}"[:63]
    database.query(f'CREATE ROLE "{role}" LOGIN')
    try:
        (statement,) = [statement for migration in plan_of(tidelock, url=database.url(user=role))["migrations"] for statement in migration["statements"]]
        assert statement["findings"][0]["live"]["note"].endswith("whether its rows allow it is not known: permission denied for table t")
    finally:
        database.query(f'DROP ROLE "{role}"')


def test_row_security_hides_nothing(database, folder, tidelock):
    role = f"guarded_{database.name}"[:63]
    database.query(f'{ROWS} CREATE ROLE "{role}" LOGIN; GRANT SELECT ON t TO "{role}"; ALTER TABLE t ENABLE ROW LEVEL SECURITY')
    folder.add("001_a", "ALTER TABLE t ALTER gap SET NOT NULL")
    try:
        result = tidelock("plan", url=database.url(user=role)).succeeds()
        assert 'whether its rows allow it is not known: query would be affected by row-level security policy for table "t"' in result.out
    finally:
        database.query(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def test_how_long_it_takes_and_how_much_the_table_is_used(database, folder, tidelock):
    database.query("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 200000); ANALYZE")
    folder.add("001_a", "CREATE INDEX i ON t (id);\nALTER TABLE t ADD COLUMN a int;\nALTER TABLE t ALTER id TYPE bigint")
    found = live_findings(tidelock)
    index, rewrite, column = (found["001_a", rule]["live"] for rule in ["create-index", "change-type", "add-column"])
    assert 0 < index["takes_least_ms"] < index["takes_most_ms"] and rewrite["takes_most_ms"] > 0 and column["takes_most_ms"] is None
    assert index["scans_per_second"] == 0 and index["rows_written_per_second"] == 0
    assert "; 0 scans and 0 rows written a second; takes " in tidelock("plan").succeeds().out


def test_replicas_are_told_of(replica, folder, binary):
    primary, standby = replica
    database = Database(primary, "app")
    database.query("CREATE ROLE reader LOGIN; CREATE TABLE t (id int)")
    tidelock = Tool(binary, database, folder)
    folder.add("001_a", "CREATE INDEX i ON t (id)")
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()") == 1, "the replica to follow")
    assert plan_of(tidelock)["replicas"] == {"count": 1, "bytes_behind": 0}
    assert plan_of(tidelock, url=database.url(user="reader"))["replicas"] == {"count": 1, "bytes_behind": None}
    assert "1 replica replays what this server writes; the slowest is behind by 0 kB\n" in tidelock("plan").succeeds().out
    assert plan_of(tidelock, url=standby.url("app"))["replicas"] == {"count": 0, "bytes_behind": None}


@pytest.mark.every_major
def test_what_an_index_that_is_built_concurrently_would_wait_for(database, folder, tidelock):
    database.query("CREATE TABLE t (id int); CREATE TABLE u (id int)")
    folder.add("001_a", "CREATE INDEX CONCURRENTLY i ON t (id)")
    with psycopg.connect(database.url(application_name="reader")) as other:
        other.execute("SELECT FROM t")
        assert live_findings(tidelock)["001_a", "create-index-concurrently"]["live"]["held_by"] is None
        other.rollback()
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT FROM u")
        assert '("reader"' in live_findings(tidelock)["001_a", "create-index-concurrently"]["live"]["held_by"]
        other.rollback()
        other.execute("INSERT INTO t VALUES (1)")
        assert "which holds RowExclusiveLock" in live_findings(tidelock)["001_a", "create-index-concurrently"]["live"]["held_by"]


@pytest.mark.every_major
def test_what_is_true_of_a_parent_need_not_be_true_of_its_children(database, folder, tidelock):
    database.query("""
        CREATE TABLE p (a int, b varchar(5), CONSTRAINT proof CHECK (a IS NOT NULL) NO INHERIT);
        CREATE TABLE c () INHERITS (p); CREATE INDEX ON c (lower(b)); CREATE INDEX ON c (a); INSERT INTO c SELECT NULL FROM generate_series(1, 30000); ANALYZE
    """)
    folder.add("001_a", "ALTER TABLE p ALTER a SET NOT NULL;\nALTER TABLE p ALTER b TYPE text;")
    assert [verdict for verdict, _ in notes(tidelock).values()] == ["dangerous", "dangerous"]


def test_what_is_small_only_to_the_eye_is_not_called_small(database, folder, tidelock):
    database.query("""
        CREATE TABLE aside (id int, t text); ALTER TABLE aside ALTER t SET STORAGE EXTERNAL; INSERT INTO aside SELECT i, repeat('x', 20000) FROM generate_series(1, 100) AS i;
        CREATE TABLE grown (id int); CREATE TABLE large AS SELECT i AS id FROM generate_series(1, 100000) AS i;
        CREATE MATERIALIZED VIEW sum AS SELECT sum(id) FROM large; VACUUM ANALYZE;
    """.replace("VACUUM ANALYZE;", ""))
    database.query("INSERT INTO grown VALUES (1)")
    database.query("VACUUM ANALYZE")
    database.query("INSERT INTO grown SELECT generate_series(1, 100000)")
    wait_until(lambda: database.value("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'grown'") > 50000, "the statistics to arrive")
    folder.add("001_a", "CREATE INDEX i ON aside (id);\nCREATE INDEX j ON grown (id);\nREFRESH MATERIALIZED VIEW sum;")
    assert [verdict for verdict, _ in notes(tidelock, "--no-probes").values()] == ["dangerous"] * 3


def test_only_tables_are_probed(database, folder, tidelock):
    database.query("""
        CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
        CREATE TABLE p (a int) PARTITION BY LIST (a);
        CREATE FOREIGN TABLE f PARTITION OF p FOR VALUES IN (1) SERVER files OPTIONS (program 'echo no; exit 1');
    """)
    folder.add("001_a", "ALTER TABLE p ALTER a SET NOT NULL")
    (_, note), = notes(tidelock).values()
    assert note == "what is true of it need not be true of its partitions or children"
