"""A backfill's key: its place belongs to it, its values survive every setting, and a row that moves along it is noticed."""

import pytest
from tool import wait_for_nobody
from wait import wait_until

pytestmark = pytest.mark.fault

COUNTER = """
CREATE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END';
CREATE TRIGGER count_changes BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION count_changes();
"""
SLOW = " rows=100..100 rest=5000%\n"
FAST = " rows=100..5000 rest=0\n"


@pytest.fixture
def prepare(database, folder, tidelock):
    """A table t with columns "v" and "changes"."""

    def prepare(create):
        database.query(create)
        database.query("ALTER TABLE t ADD COLUMN v int, ADD COLUMN changes int NOT NULL DEFAULT 0")
        database.query(COUNTER)
        folder.add("000_before", "SELECT 1")
        tidelock("baseline").succeeds()

    return prepare


def changes(database):
    return dict(database.query("SELECT changes, count(*) FROM t GROUP BY changes"))


def interrupt(database, folder, tidelock, script):
    """Ends it after the first batches."""
    folder.add("001_fill", script)
    running = tidelock.start("deploy")
    wait_until(lambda: database.holds("tidelock.backfill") and database.value("SELECT COALESCE(max(batches), 0) FROM tidelock.backfill") >= 3, "the first batches")
    running.signal()
    running.wait().fails(exit=143)
    wait_for_nobody(database)
    assert changes(database)[1] >= 300


TWO = "CREATE TABLE t (id int NOT NULL, rev int NOT NULL UNIQUE); INSERT INTO t SELECT i, 20001 - i FROM generate_series(1, 20000) AS i"
ORDERS = [
    (" key=rev", "CREATE UNIQUE INDEX ON t (id)", " key=id"),
    (" key=rev", "CREATE INDEX ON t (id, rev)", " key=id,rev"),
    ("", "ALTER TABLE t ADD PRIMARY KEY (id)", ""),
    (" key=rev", "ALTER TABLE t ALTER COLUMN rev TYPE bigint", " key=rev"),
    (" key=rev", "ALTER TABLE t RENAME TO o; CREATE TABLE t (LIKE o INCLUDING ALL); INSERT INTO t SELECT * FROM o; CREATE TRIGGER c BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION count_changes()", " key=rev"),
]
NAMES = ["another key", "more columns", "a primary key was added", "another type", "another table"]


@pytest.mark.parametrize(("before", "meanwhile", "after"), ORDERS, ids=NAMES)
def test_a_place_in_another_order_is_not_resumed(database, folder, tidelock, prepare, before, meanwhile, after):
    prepare(TWO)
    interrupt(database, folder, tidelock, f"-- tidelock: backfill t{before}{SLOW}UPDATE t SET v = 1;")
    done = changes(database)
    database.query(meanwhile)
    folder.replace("001_fill", f"-- tidelock: backfill t{after}{SLOW}UPDATE t SET v = 1;")
    tidelock("deploy").fails(exit=8, says=["P3009", "stopped half-way along another key: rev integer", "Name the former key with key=", "resolve --rolled-back"])
    assert changes(database) == done


@pytest.mark.parametrize(("before", "meanwhile", "after"), ORDERS, ids=NAMES)
def test_with_a_condition_it_begins_anew_in_the_other_order(database, folder, tidelock, prepare, before, meanwhile, after):
    prepare(TWO)
    interrupt(database, folder, tidelock, f"-- tidelock: backfill t{before}{SLOW}UPDATE t SET v = 1 WHERE id > 0 AND v IS NULL;")
    database.query(meanwhile)
    folder.replace("001_fill", f"-- tidelock: backfill t{after}{FAST}UPDATE t SET v = 1 WHERE id > 0 AND v IS NULL;")
    tidelock("deploy").succeeds(applied=["001_fill"], says="going over the table from its beginning")
    assert changes(database) == {1: 20000}


def test_the_former_key_resumes_where_it_stopped(database, folder, tidelock, prepare):
    prepare(TWO)
    interrupt(database, folder, tidelock, f"-- tidelock: backfill t{SLOW}UPDATE t SET v = 1;")
    database.query("ALTER TABLE t ADD PRIMARY KEY (id)")
    tidelock("deploy").fails(exit=8)
    folder.replace("001_fill", f"-- tidelock: backfill t key=rev{FAST}UPDATE t SET v = 1;")
    tidelock("deploy").succeeds(applied=["001_fill"], says="resuming: ")
    assert changes(database) == {1: 20000}


def test_a_place_without_an_order_is_that_of_an_older_version(database, folder, tidelock, prepare):
    prepare(TWO)
    interrupt(database, folder, tidelock, f"-- tidelock: backfill t{SLOW}UPDATE t SET v = 1;")
    database.query("ALTER TABLE tidelock.backfill DROP COLUMN key")
    tidelock("deploy").fails(exit=8, says="one that was not recorded")


SETTINGS = [
    "DateStyle = 'SQL, DMY'", "DateStyle = 'German'", "TimeZone = 'Asia/Kolkata'", "IntervalStyle = 'sql_standard'",
    "extra_float_digits = -10", "bytea_output = 'escape'", "standard_conforming_strings = off", "search_path = 'elsewhere'",
]  # fmt: skip
TYPES = {
    "date": "date '1900-01-01' + i * 7",
    "timestamp": "timestamp '2000-11-12' + i * interval '1 hour 1 microsecond'",
    "timestamptz": "timestamptz '2000-11-12 13:14:15+00' + i * interval '7 minutes'",
    "interval": "(i - 1000) * interval '1 day 3 hours -0.25 seconds'",
    "float8": "i / 3.0",
    "float4": "i::float4 / 7",
    "numeric": "i / 1000.0",
    "bytea": "decode(lpad(to_hex(i * 37), 8, '0'), 'hex') || '\\\\x'::bytea",
    "text": "E'\\\\''\"' || chr(300 + i)",
    "char(5)": "lpad(i::text, 5, 'x')",
    "money": "i * 1.07::money",
    "inet": "inet '10.0.0.0/8' + i",
    "date[]": "ARRAY[date '1900-01-01' + i, NULL]",
    "tstzrange": "tstzrange(timestamptz '2000-01-01 00:00+00' + i * interval '1 min', NULL)",
    "pg_catalog.regclass": "(100000 + i)::regclass",
    "positive": "i",
    "numeric(12,3)[]": "ARRAY[i / 1000.0]",
}  # fmt: skip


@pytest.mark.parametrize("type", TYPES)
def test_values_survive_other_settings(database, folder, tidelock, prepare, type):
    """Those of the first run are not those of the second."""
    rows = 2000
    database.query("CREATE DOMAIN positive AS numeric(9,2) CHECK (value > 0)")
    prepare(f"CREATE TABLE t (k {type} PRIMARY KEY); INSERT INTO t SELECT {TYPES[type]} FROM generate_series(1, {rows}) AS i; CREATE SCHEMA elsewhere; ANALYZE t")
    interrupt(database, folder, tidelock, f"-- tidelock: backfill public.t{SLOW}UPDATE public.t SET v = 1;")
    for setting in SETTINGS:
        if "DateStyle" not in setting or type != "text":
            database.query(f"ALTER DATABASE {database.name} SET {setting}")
    database.query(f"ALTER DATABASE {database.name} SET search_path = 'public'")
    folder.replace("001_fill", f"-- tidelock: backfill public.t{FAST}UPDATE public.t SET v = 1;")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert changes(database) == {1: rows}


def test_the_statement_runs_under_its_own_settings(database, folder, tidelock, prepare):
    prepare("CREATE TABLE t (k timestamptz PRIMARY KEY, said text, d date); INSERT INTO t SELECT now() + i * interval '1 s' FROM generate_series(1, 500) AS i")
    database.query(f"ALTER DATABASE {database.name} SET DateStyle = 'SQL, DMY'; ALTER DATABASE {database.name} SET TimeZone = 'Asia/Kolkata'")
    folder.add("001_fill", f"-- tidelock: backfill t{FAST}UPDATE t SET d = '02/01/2003', said = timestamptz '2000-01-01 00:00+00'::text;")
    tidelock("deploy").succeeds()
    assert database.query("SELECT DISTINCT to_char(d, 'YYYY-MM-DD'), said FROM t") == [("2003-01-02", "01/01/2000 05:30:00 IST")]


@pytest.mark.parametrize(
    "create",
    [
        "CREATE COLLATION c (provider = icu, locale = 'de'); CREATE TABLE t (k text COLLATE c PRIMARY KEY)",
        "CREATE COLLATION c (provider = icu, locale = 'en-u-ks-level2', deterministic = false); CREATE TABLE t (k text COLLATE c PRIMARY KEY)",
        "CREATE TABLE t (k text COLLATE \"en_US\" PRIMARY KEY)",
        "CREATE TABLE t (k varchar(20) PRIMARY KEY)",
        "CREATE TYPE mood AS ENUM ('z', 'a'); CREATE TABLE t (m mood, k text, PRIMARY KEY (m, k))",
        "CREATE SCHEMA apart; CREATE EXTENSION citext SCHEMA apart; CREATE TABLE t (k apart.citext PRIMARY KEY)",
        "CREATE SCHEMA apart; CREATE EXTENSION citext SCHEMA apart; CREATE TABLE t (n int, k apart.citext, PRIMARY KEY (n, k))",
    ],
    ids=["ICU", "not deterministic", "libc", "varchar", "enum", "citext", "mixed schemas"],
)
def test_every_order_is_the_one_of_the_index(database, folder, tidelock, prepare, create):
    """With citext outside the search_path, a bare ">" would compare text."""
    if '"en_US"' in create and not database.query("SELECT 1 FROM pg_collation WHERE collname = 'en_US'"):
        pytest.skip("this server has no such collation")
    if "citext" in create and not database.query("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"):
        pytest.skip("citext is not installed")
    prepare(create)
    if "(m mood" in create:
        database.query("INSERT INTO t SELECT CASE WHEN i % 2 = 0 THEN 'z' ELSE 'a' END::mood, i::text FROM generate_series(1, 2000) AS i")
    elif "(n int" in create:
        database.query("INSERT INTO t SELECT i % 7, CASE WHEN i % 3 = 0 THEN 'A' WHEN i % 3 = 1 THEN 'b' ELSE '_' END || i FROM generate_series(1, 2000) AS i")
    else:
        database.query("INSERT INTO t SELECT CASE WHEN i % 3 = 0 THEN 'A' WHEN i % 3 = 1 THEN 'b' ELSE '_' END || i FROM generate_series(1, 2000) AS i")
    interrupt(database, folder, tidelock, f"-- tidelock: backfill t{SLOW}UPDATE t SET v = 1;")
    folder.replace("001_fill", f"-- tidelock: backfill t{FAST}UPDATE t SET v = 1;")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert changes(database) == {1: 2000}


MOVES = "CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.k := NEW.k + 150; RETURN NEW; END'; CREATE TRIGGER move BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION move()"


@pytest.mark.every_major
@pytest.mark.parametrize(
    ("create", "update", "says"),
    [
        ("CREATE TABLE t (a int, k int NOT NULL)", "SET w = a IS DISTINCT FROM 7, k = k + 100", 'the statement changes "k"'),
        ("CREATE TABLE t (a int, k int NOT NULL)", "SET w = a IS NOT DISTINCT FROM 7, (k) = ROW (k + 100)", 'the statement changes "k"'),
        ("CREATE TABLE t (a int, k int NOT NULL)", "SET a = (ARRAY[1, 2])[1], k = k + 100", 'the statement changes "k"'),
        ("CREATE TABLE t (a int, k int NOT NULL)", "SET a = 1, (w, k) = (SELECT true, k + 100 FROM pg_class LIMIT 1)", 'the statement changes "k"'),
        ("CREATE TABLE t (a int, k int NOT NULL GENERATED ALWAYS AS (a * 10) STORED)", "SET a = a + 100", 'the statement changes "a", from which "k" is generated'),
        ("CREATE TABLE t (a int, k int NOT NULL); " + MOVES, "SET w = true", "a trigger, moves rows along the key"),
    ],
    ids=["distinct", "row", "brackets", "sub-select", "generated", "trigger"],
)
def test_a_key_that_moves_is_refused(database, folder, tidelock, prepare, create, update, says):
    prepare(create)
    database.query("ALTER TABLE t ADD COLUMN w bool; CREATE INDEX ON t (k)")
    columns = "(a)" if "GENERATED" in create else "(a, k)"
    database.query(f"INSERT INTO t {columns} SELECT i{'' if 'GENERATED' in create else ', i'} FROM generate_series(1, 2000) AS i")
    folder.add("001_fill", f"-- tidelock: backfill t key=k rows=100..100 rest=0\nUPDATE t {update};")
    tidelock("deploy").fails(exit=6, says=[says, "Name a key that keeps its values"])
    assert changes(database) == {0: 2000}


def test_a_key_that_moves_to_where_the_walk_has_been_is_harmless(database, folder, tidelock, prepare):
    prepare("CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 2000) AS i")
    database.query(MOVES.replace("+ 150", "- 5000"))
    folder.add("001_fill", f"-- tidelock: backfill t{FAST}UPDATE t SET v = 1;")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert changes(database) == {1: 2000}


@pytest.mark.every_major
@pytest.mark.parametrize(
    "update",
    [
        "UPDATE orders o SET v = p.n FROM options p WHERE p.id = o.id % 5 + 1",
        "UPDATE orders AS o SET v = o_1.n FROM options o_1 WHERE o_1.id = o.id % 5 + 1",
        "UPDATE ONLY (orders) SET v = (ARRAY[1, 2, 3])[2], w[1] = 5, w[2] = id",
        "UPDATE orders SET w = ARRAY[id, 1], v = id",
        "UPDATE orders SET v = options.n FROM options WHERE options.id = 1 AND options.id IS NOT NULL",
        "UPDATE orders SET v = CASE WHEN id IS DISTINCT FROM 5 THEN 1 END FROM (SELECT 1 AS \"where\") AS x WHERE x.where = 1",
        "UPDATE orders SET v = 1 WHERE false OR v IS NULL",
        "UPDATE orders SET v = 1 WHERE false",
    ],
)
def test_no_statement_is_falsely_refused(database, folder, tidelock, update):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, v int, w int[]); INSERT INTO orders SELECT i FROM generate_series(1, 20000) AS i; ANALYZE orders")
    database.query("CREATE TABLE options (id int PRIMARY KEY, n int); INSERT INTO options SELECT i, i FROM generate_series(1, 5) AS i; ANALYZE options")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", f"-- tidelock: backfill orders rest=0\n{update};")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert "WHERE false" in update[-12:] or database.value("SELECT count(*) FROM orders WHERE v IS NULL") <= 1


def test_only_an_index_that_limits_the_batch_counts(database, folder, tidelock):
    """Not one whose column has the key's name in its own."""
    database.query("CREATE TABLE orders (id int NOT NULL, paid_id int, v int); INSERT INTO orders SELECT i, i % 100000 FROM generate_series(1, 400000) AS i; CREATE INDEX by_id ON orders (id); CREATE INDEX other ON orders (paid_id); ANALYZE orders")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "-- tidelock: backfill orders key=id rows=50000..50000\nUPDATE orders SET v = 1 WHERE paid_id = 5;")
    tidelock("deploy").fails(exit=6, says=["would read all of", 'Its plan: Index Scan on "orders"'])
    database.query("CREATE INDEX together ON orders (paid_id, id)")
    tidelock("deploy").succeeds()
    assert database.value("SELECT count(*) FROM orders WHERE v = 1") == 4


def test_in_a_small_table_an_index_on_the_column_to_fill_is_no_obstacle(database, folder, tidelock):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, status int); INSERT INTO orders SELECT i FROM generate_series(1, 3000) AS i; CREATE INDEX ON orders (status); ANALYZE orders")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "-- tidelock: backfill orders\nUPDATE orders SET status = 1 WHERE status IS NULL;")
    tidelock("deploy").succeeds(applied=["001_fill"])
    assert database.value("SELECT count(*) FROM orders WHERE status = 1") == 3000


@pytest.mark.parametrize("lock", ["SHARE", "ACCESS EXCLUSIVE"])
@pytest.mark.parametrize("directive", ["", "-- tidelock: assert (SELECT count(*) >= 0 FROM t)\n-- tidelock: verify NOT EXISTS (SELECT FROM t WHERE v IS NULL)\n"], ids=["plain", "asserted"])
def test_its_own_statements_wait_for_a_lock_like_any_other(database, folder, tidelock, prepare, lock, directive):
    prepare("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 2000) AS i")
    folder.add("001_fill", f"-- tidelock: backfill t{FAST}{directive}UPDATE t SET v = 1;")
    with database.connect() as application:
        application.execute("BEGIN")
        application.execute(f"LOCK TABLE t IN {lock} MODE")
        running = tidelock.start("deploy")
        running.wait_for_line("attempt 1 was rolled back")
        application.execute("COMMIT")
        running.wait().succeeds(applied=["001_fill"])
    assert changes(database) == {1: 2000}


def test_a_lock_at_the_start_that_never_ends_is_a_clean_failure(database, folder, tidelock, prepare):
    prepare("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 2000) AS i")
    folder.add("001_fill", f"-- tidelock: backfill t{FAST}UPDATE t SET v = 1;")
    with database.connect() as application:
        application.execute("BEGIN")
        application.execute("LOCK TABLE t IN SHARE MODE")
        tidelock("deploy", "--retry-for", "2s").fails(exit=9, says=["lock timeout", "Nothing of 001_fill"])
        application.execute("COMMIT")
    tidelock("deploy").succeeds(applied=["001_fill"])


def test_a_locked_row_keeps_nobody_from_its_neighbours(database, folder, tidelock, prepare):
    """The batches that meet it give back what they hold, down to the row alone; what is before it gets done meanwhile."""
    prepare("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 2000) AS i")
    folder.add("001_fill", "-- tidelock: backfill t\nUPDATE t SET v = 1;")
    with database.connect() as application, database.connect() as neighbour:
        application.execute("BEGIN")
        application.execute("SELECT FROM t WHERE id = 90 FOR UPDATE")
        running = tidelock.start("deploy")
        wait_until(lambda: database.value("SELECT count(*) FROM t WHERE changes = 1") == 89, "the rows before it")
        running.wait_for_line("attempt 1 was rolled back")
        neighbour.execute("SET lock_timeout = 1")
        for row in (3, 89, 91, 500):
            neighbour.execute("SELECT FROM t WHERE id = %s FOR UPDATE", [row])
        application.execute("COMMIT")
        running.wait().succeeds(applied=["001_fill"])
    assert changes(database) == {1: 2000}


@pytest.mark.every_major
def test_partitions_are_watched_and_analyzed(database, folder, tidelock):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)")
    database.query("CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000); CREATE TABLE t_2 PARTITION OF t DEFAULT; INSERT INTO t SELECT i FROM generate_series(1, 3000) AS i")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", f"-- tidelock: backfill t{FAST}UPDATE t SET v = 1;")
    with database.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE t_2 IN SHARE UPDATE EXCLUSIVE MODE")
        running = tidelock.start("deploy")
        running.wait_for_line("attempt 1 was rolled back")
        # What is done is not kept waiting for what is not.
        assert database.value("SELECT count(*) FROM t WHERE v = 1") == 3000
        other.execute("COMMIT")
        running.wait().succeeds(applied=["001_fill"])
    analyzed = "SELECT count(*) FROM pg_stats WHERE tablename IN ('t', 't_1', 't_2') AND attname = 'v' AND most_common_vals::text = '{1}'"
    assert database.value(analyzed) == 3
