"""diff --script: SQL that turns one schema into another, or a list of what stands in the way and no SQL."""

import subprocess

import pytest
from servers import Database
from test_snapshot import BEFORE, changes_of
from test_verify import shadow  # noqa: F401


def state(tidelock, database, file):
    """A snapshot of the database, as a file."""
    file.write_text(tidelock("snapshot", url=database.url()).succeeds().out)
    return file


def run(database, script):
    """Applies it as a person would."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database.url()], input=script.encode(), capture_output=True)
    assert done.returncode == 0, f"{done.stderr.decode()}\n{script}"


@pytest.fixture
def other(database):
    """A second, empty database."""
    other = Database(database.server, database.name[:50] + "_other")
    yield other
    other.drop()


# What cannot be written, and why. There is no other way for it, or not yet.
REFUSED = {
    "ALTER TABLE t DISABLE TRIGGER ALL": "constraint-triggers public.t.kin: its facts do not say all",
    "ALTER SERVER elsewhere VERSION '9'": "server elsewhere: a server with a type or version",
    "ALTER SERVER elsewhere OPTIONS (ADD token 'geheim')": "server elsewhere: a server with a type or version",
    "CREATE USER MAPPING FOR pg_monitor SERVER elsewhere": "user-mapping elsewhere for pg_monitor: its facts do not say all",
    "CREATE USER MAPPING FOR public SERVER elsewhere OPTIONS (password 'geheim')": "user-mapping elsewhere for public: its facts do not say all",
    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM postgres": "default-grant postgres S  to nobody: it cannot be written yet",
    "ALTER OPERATOR <<< (mood, mood) SET (restrict = scalarltsel)": "operator public.<<<(public.mood,public.mood): its facts do not say all",
    "ALTER OPERATOR FAMILY fam USING btree ADD": "operator-family public.fam using btree: the members of an operator family",
    "CREATE OPERATOR CLASS opc": "operator-family public.fam using btree: the members of an operator family",
    "CREATE TEXT SEARCH TEMPLATE": "text-search-template public.temp: its facts do not say all",
    "CREATE TEXT SEARCH PARSER": "text-search-parser public.parse: its facts do not say all",
    "CREATE TRANSFORM": "transform integer language lingo: its facts do not say all",
    "SET allow_system_table_mods = on; INSERT INTO pg_seclabel": "security-label sepgsql table public.t: its facts do not say all",
    "CREATE TYPE raw": "base-type public.raw: its facts do not say all",
}
REFUSED_BACK = {
    "ALTER TYPE mood ADD VALUE 'fine' BEFORE 'ok'": "domain public.feeling: it uses something that has to be dropped",
    "ALTER TABLE t ALTER CONSTRAINT kin NOT ENFORCED": "constraint-triggers public.t.kin: its facts do not say all",
}


WRITABLE = BEFORE.replace(", password 'geheim'", "").replace("CREATE OPERATOR <<<", "-- ")


def reason_of(change, reasons):
    return next((reason for begin, reason in reasons.items() if change.startswith(begin)), None)


@pytest.mark.every_major(13, 18)
def test_every_change_is_scripted_forward_and_back(database, other, major, tidelock, tmp_path):
    for here in (database, other):
        here.query(BEFORE)
    before, after = tmp_path / "before", tmp_path / "after"
    state(tidelock, database, before)
    with database.one_connection(), other.one_connection():
        for change in changes_of(major):
            database.query(change)
            state(tidelock, database, after)
            for way, start, end in (("there", before, after), ("back", after, before)):
                result = tidelock("diff", "--script", start, end)
                reason = reason_of(change, REFUSED if way == "there" else REFUSED_BACK)
                if reason:
                    assert result.fails(exit=8, says=reason).out == "", change
                    break
                run(other, result.succeeds().out)
                tidelock("diff", "--exit-code", end, other.url()).succeeds(says="no difference")
            # Each is made on top of those before.
            left = tidelock("diff", "--script", other.url(), after)
            run(other, change if left.code != 0 else left.out)
            before.write_text(after.read_text())


@pytest.mark.every_major
def test_everything_is_made_in_an_empty_database(database, other, major, tidelock, tmp_path):
    database.query(WRITABLE)
    with database.one_connection():
        for change in changes_of(major):
            if not reason_of(change, REFUSED) and "<<<" not in change and "lingo" not in change:
                database.query(change)
    there = state(tidelock, database, tmp_path / "there")
    run(other, tidelock("diff", "--script", "empty", there).succeeds().out)
    tidelock("diff", "--exit-code", there, other.url()).succeeds(says="no difference")
    run(other, tidelock("diff", "--script", other.url(), "empty").succeeds().out)
    assert other.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


# FROM and TO; each is turned into the other.
PAIRS = {
    "views on views, on a column of another type": (
        "CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; GRANT SELECT ON w TO pg_monitor; COMMENT ON VIEW v IS 'x'; COMMENT ON COLUMN v.a IS 'y'",
        "CREATE TABLE t (a bigint, b int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; GRANT SELECT ON w TO pg_monitor; COMMENT ON VIEW v IS 'x'; COMMENT ON COLUMN v.a IS 'y'",
    ),
    "an index and a trigger on what is made anew": (
        "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX m_a ON m (a); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER r INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION g()",
        "CREATE TABLE t (a bigint); CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX m_a ON m (a); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER r INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION g()",
    ),
    "a policy and a trigger on a column of another type": (
        "CREATE TABLE t (a int); CREATE POLICY p ON t FOR SELECT TO pg_monitor USING (a > 0); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER r BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION g(); ALTER TABLE t ENABLE ALWAYS TRIGGER r",
        "CREATE TABLE t (a bigint); CREATE POLICY p ON t FOR ALL TO pg_monitor, public USING (a > 0) WITH CHECK (a > 1); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER r BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION g()",
    ),
    "partitions with keys and indexes": (
        "CREATE TABLE p (id int, at date) PARTITION BY RANGE (at)",
        "CREATE TABLE p (id int, at date, note text DEFAULT 'x', PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE INDEX p_note ON p (note); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY LIST (id); CREATE TABLE p2a PARTITION OF p2 FOR VALUES IN (1, 2); CREATE TABLE q (id int, at date, FOREIGN KEY (id, at) REFERENCES p)",
    ),
    "a column, a key and an index of partitions that are there": (
        "CREATE TABLE p (id int, at date) PARTITION BY RANGE (at); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        "CREATE TABLE p (id int, at date) PARTITION BY RANGE (at); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); ALTER TABLE p ADD note text DEFAULT 'x'; ALTER TABLE p ADD CONSTRAINT ck CHECK (id > 0); ALTER TABLE p ADD PRIMARY KEY (id, at); CREATE INDEX p_note ON p (note)",
    ),
    "inheritance": (
        "CREATE TABLE a (x int)",
        "CREATE TABLE a (x int); CREATE TABLE b (y int CHECK (y > 0)); CREATE TABLE c (z int) INHERITS (a, b)",
    ),
    "a serial becomes an identity": (
        "CREATE TABLE t (id serial PRIMARY KEY, n bigserial)",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 5 CACHE 3) PRIMARY KEY, n bigint NOT NULL)",
    ),
    "a serial column": ("CREATE TABLE t (a int)", "CREATE TABLE t (a int, id serial PRIMARY KEY, n bigserial)"),
    "generated columns": (
        "CREATE TABLE t (a int, c int, b int GENERATED ALWAYS AS (a + 1) STORED)",
        "CREATE TABLE t (a int, c int, b int)",
    ),
    "a function with another result, and what uses it": (
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'; CREATE TABLE t (a int DEFAULT f(1), CHECK (f(a) > 0)); CREATE INDEX i ON t (f(a)); CREATE VIEW v AS SELECT f(a) FROM t",
        "CREATE FUNCTION f(a int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a::bigint'; CREATE TABLE t (a int DEFAULT f(1), CHECK (f(a) > 0)); CREATE INDEX i ON t (f(a)); CREATE VIEW v AS SELECT f(a) FROM t",
    ),
    "a circle of a table, its rows as an argument, and its check": (
        "SELECT",
        "SET check_function_bodies = off; CREATE TABLE t (a int); CREATE FUNCTION f(r t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT r.a'; ALTER TABLE t ADD CHECK (f(t.*) > 0); CREATE FUNCTION before() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM later()'; CREATE FUNCTION later() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t'",
    ),
    "foreign keys in a circle, to itself, and to a unique index": (
        "SELECT",
        "CREATE TABLE a (id int PRIMARY KEY, b int, up int REFERENCES a); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, u int); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED; CREATE UNIQUE INDEX b_u ON b (u); CREATE TABLE c (u int REFERENCES b (u))",
    ),
    "a table becomes a view, and a view a table": (
        "CREATE TABLE s (a int); CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM s",
        "CREATE TABLE s (a int); CREATE VIEW t AS SELECT a FROM s; CREATE TABLE v (a int)",
    ),
    "an enum that loses a value": (
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c'); COMMENT ON TYPE mood IS 'x'; CREATE TABLE t (m mood NOT NULL DEFAULT 'a', n mood[] DEFAULT '{a}', CHECK (m <> 'a')); CREATE INDEX i ON t (n) WHERE m = 'b'; CREATE INDEX j ON t (m); CREATE VIEW v AS SELECT m FROM t WHERE m = 'a'; CREATE FUNCTION f(m mood) RETURNS mood LANGUAGE sql AS 'SELECT m'",
        "CREATE TYPE mood AS ENUM ('b', 'a'); COMMENT ON TYPE mood IS 'x'; CREATE TABLE t (m mood NOT NULL DEFAULT 'a', n mood[] DEFAULT '{a}', CHECK (m <> 'a')); CREATE INDEX i ON t (n) WHERE m = 'b'; CREATE INDEX j ON t (m); CREATE VIEW v AS SELECT m FROM t WHERE m = 'a'; CREATE FUNCTION f(m mood) RETURNS mood LANGUAGE sql AS 'SELECT m'",
    ),
    "types of types": (
        "SELECT",
        "CREATE TYPE a AS ENUM ('x'); CREATE TYPE b AS (one a, many a[]); CREATE DOMAIN d AS b CHECK ((VALUE).one IS NOT NULL); CREATE TABLE t (c b, e d, f a[] DEFAULT '{x}'); CREATE TYPE r AS RANGE (SUBTYPE = date)",
    ),
    "schemas, and a table of each that refers to the other": (
        "SELECT",
        "CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t (id int PRIMARY KEY); CREATE TABLE two.t (id int REFERENCES one.t); CREATE VIEW one.v AS SELECT t.id FROM two.t; GRANT USAGE ON SCHEMA one TO pg_monitor",
    ),
    "settings of tables and columns": (
        "CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a int, b text) WITH (fillfactor = 50, autovacuum_enabled = off); CREATE INDEX i ON t (a) WITH (fillfactor = 60); ALTER TABLE t ALTER b SET STORAGE PLAIN; ALTER TABLE t ALTER a SET STATISTICS 5; CREATE VIEW v WITH (security_barrier, check_option = local) AS SELECT a FROM t WHERE a > 0",
    ),
    "a routine that only its owner may run": (
        "SELECT",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = 'a', 'b' AS 'SELECT 1'; REVOKE ALL ON FUNCTION f() FROM public; GRANT EXECUTE ON FUNCTION f() TO pg_monitor; CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END'; COMMENT ON PROCEDURE p(int) IS 'p'",
    ),
    "names and texts that want to break out": (
        "SELECT",
        '''CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."t""; DROP TABLE x; --" ("c\n--" int DEFAULT 5, "select" text DEFAULT E'it''s \\\\ ; -- /* $$', "*/" int, CHECK ("select" <> ' NOT VALID " public.x'));
        COMMENT ON TABLE "a.b"."t""; DROP TABLE x; --" IS E'a''b\\\\c\n; DROP TABLE x'; CREATE INDEX "i\n ON ONLY x" ON "a.b"."t""; DROP TABLE x; --" ("c\n--");
        CREATE TYPE "default (" AS ENUM ('a, b', 'c''d', ', '); CREATE TABLE u ("x not null" "default (" NOT NULL DEFAULT 'a, b', "y collate z" text COLLATE "C"); CREATE VIEW "v "" w" AS SELECT "c\n--" AS "a;b", 'public.nothing' AS "columns " FROM "a.b"."t""; DROP TABLE x; --"''',
    ),
}

# The way back would have to be told how values of one type become the other.
ONE_WAY = {
    "an enum becomes text, and text a check": (
        "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m mood NOT NULL DEFAULT 'a', n text)",
        "CREATE TABLE t (m text NOT NULL DEFAULT 'a', n varchar(30) CHECK (n <> ''))",
    ),
    "a key of another type on both sides": (
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a)",
        "CREATE TABLE a (id text PRIMARY KEY); CREATE TABLE b (a text REFERENCES a)",
    ),
}


@pytest.mark.every_major
@pytest.mark.parametrize("pair", ONE_WAY)
def test_one_is_turned_into_the_other(pair, database, other, tidelock, tmp_path):
    database.query(ONE_WAY[pair][0])
    other.query(ONE_WAY[pair][1])
    end = state(tidelock, other, tmp_path / "to")
    run(database, tidelock("diff", "--script", database.url(), end).succeeds().out)
    tidelock("diff", "--exit-code", end, database.url()).succeeds(says="no difference")
    tidelock("diff", "--script", end, other.url()).succeeds()


@pytest.mark.every_major
@pytest.mark.parametrize("pair", PAIRS)
def test_one_is_turned_into_the_other_and_back(pair, database, other, tidelock, tmp_path):
    files = []
    for here, script, name in zip((database, other), PAIRS[pair], ("from", "to")):
        here.query(script)
        files.append(state(tidelock, here, tmp_path / name))
    for start, end in (files, reversed(files)):
        run(database, tidelock("diff", "--script", start, end).succeeds().out)
        tidelock("diff", "--exit-code", end, database.url()).succeeds(says="no difference")


def test_there_is_a_whole_script_or_none(database, other, tidelock):
    database.query("CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m text, n text)")
    other.query("CREATE TYPE mood AS ENUM ('b'); CREATE TABLE t (m int, n uuid); CREATE INDEX i ON t (m)")
    result = tidelock("diff", "--script", database.url(), other.url()).fails(exit=8, says=["column public.t.m: its type changes", "column public.t.n", "2 differences cannot be expressed"])
    assert result.out == ""
    kept = tidelock("diff", "--script", "--ignore", "column *,enum *", database.url(), other.url()).succeeds()
    assert kept.out == "CREATE INDEX i ON public.t USING btree (m);\n"


def test_another_order_of_columns_is_said(database, other, tidelock):
    database.query("CREATE TABLE t (a int, c int)")
    other.query("CREATE TABLE t (a int, b int, c int)")
    result = tidelock("diff", "--script", database.url(), other.url()).succeeds(says="the columns of public.t will be in another order")
    assert result.out.startswith("-- the columns of public.t") and result.out.endswith("ALTER TABLE public.t ADD COLUMN b integer;\n")


def test_what_may_have_been_renamed_is_said(database, other, tidelock):
    database.query("CREATE TABLE t (a int, b text)")
    other.query("CREATE TABLE t (a int, c text)")
    assert tidelock("diff", "--script", database.url(), other.url()).succeeds().out == (
        "-- Data is lost: the column public.t.b is dropped.\n"
        "-- If it was renamed to c, write ALTER TABLE … RENAME COLUMN instead of dropping and adding it.\n"
        "ALTER TABLE public.t DROP COLUMN b;\n"
        "ALTER TABLE public.t ADD COLUMN c text;\n"
    )


@pytest.mark.every_major
def test_online_gives_the_same(database, other, tidelock, tmp_path):
    database.query("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int, c int); CREATE INDEX gone ON t (c); INSERT INTO t VALUES (1, 1, 1); INSERT INTO p VALUES (1)")
    other.query("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES p, c int NOT NULL UNIQUE CHECK (c > 0)); CREATE INDEX i ON t (c)")
    end = state(tidelock, other, tmp_path / "to")
    script = tidelock("diff", "--script", "--online", database.url(), end).succeeds().out
    assert script.count("CONCURRENTLY") == 4 and script.count("NOT VALID") == 4
    run(database, script)
    tidelock("diff", "--exit-code", end, database.url()).succeeds(says="no difference")


def test_it_is_a_migration(database, folder, other, tidelock, tmp_path):
    """What was changed by hand, and a baseline's first script, deployed by tidelock itself."""
    other.query(WRITABLE)
    there = state(tidelock, other, tmp_path / "there")
    folder.add("0_init", tidelock("diff", "--script", "empty", there).succeeds().out)
    tidelock("deploy").succeeds(applied=["0_init"])
    other.query("ALTER TYPE mood ADD VALUE 'fine'; ALTER TABLE t ADD extra text DEFAULT 'x'; CREATE INDEX hotfix ON t (extra)")
    folder.add("1_hotfix", tidelock("diff", "--script", "database", other.url()).succeeds().out)
    tidelock("deploy").succeeds(applied=["1_hotfix"])
    tidelock("diff", "--exit-code", "database", other.url()).succeeds(says="no difference")


def test_what_belongs_to_the_database_as_a_whole_is_not_the_migrations(database, folder, tidelock):
    folder.add("001_a", "CREATE TABLE t (a int)")
    tidelock("deploy").succeeds()
    database.query(f'''ALTER DATABASE "{database.name}" SET work_mem = '5MB'; REVOKE CONNECT ON DATABASE "{database.name}" FROM public''')
    assert tidelock("diff", "--script", "--shadow", "create", "migrations", "database").succeeds().out == ""
    made = tidelock("diff", "--script", "--shadow", "create", "empty", "migrations").succeeds().out
    assert made == "CREATE TABLE public.t (\n    a integer\n);\n"
    made = tidelock("diff", "--script", "--ignore", "grant,owner", "empty", "database").succeeds().out
    assert made == made.replace("REVOKE", "") and "work_mem" in made


def test_words_that_do_not_fit_together_are_refused(tidelock):
    tidelock("diff", "--script", "--json", "empty", "empty").fails(exit=2, says="--script writes SQL")
    tidelock("diff", "--online", "empty", "empty").fails(exit=2, says="--online is for --script")


def test_prismas_spelling_writes_the_same(database, other, tidelock):
    database.query("CREATE TABLE t (a int)")
    assert tidelock("migrate", "diff", "--from-url", other.url(), "--to-url", database.url(), "--script").succeeds().out == "CREATE TABLE public.t (\n    a integer\n);\n"


@pytest.mark.every_major
def test_a_partition_goes_alone(database, shadow, tidelock):  # noqa: F811
    made = "CREATE TABLE ev (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE INDEX ON ev (at); CREATE TABLE r (id int, at date, FOREIGN KEY (id, at) REFERENCES ev);"
    made += " CREATE VIEW v AS SELECT id, at FROM ev GROUP BY id, at; CREATE TABLE ev_p1 PARTITION OF ev FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
    for one in database, shadow:
        one.query(made)
    shadow.query("ALTER TABLE ev DETACH PARTITION ev_p1; DROP TABLE ev_p1")
    script = tidelock("diff", "--script", "--online", database.url(), shadow.url()).succeeds().out
    assert script == "-- Data is lost: the table public.ev_p1 is dropped.\nALTER TABLE public.ev DETACH PARTITION public.ev_p1;\nDROP TABLE public.ev_p1;\n"
    database.query(script)
    tidelock("diff", "--exit-code", database.url(), shadow.url()).succeeds(says="no difference")
