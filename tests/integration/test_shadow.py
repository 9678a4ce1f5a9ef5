"""plan --shadow: pending scripts run where the history was replayed, and what they did there is told."""

import re
import signal

import psycopg
import pytest
from test_plan import plan_of
from tool import wait_for_session
from wait import wait_until

HISTORY = """
CREATE TABLE orders (id int PRIMARY KEY, note text, amount int, CONSTRAINT noted CHECK (note IS NOT NULL));
CREATE TABLE customers (id int PRIMARY KEY);
CREATE FUNCTION own() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE orders ADD COLUMN f uuid DEFAULT gen_random_uuid(); END';
"""
SHADOWS = "SELECT datname FROM pg_database WHERE datname ~ '^tidelock_shadow_[0-9]+$'"
CREATE = ("--shadow", "create")
SLEEP = "SELECT pg_sleep(600)"


@pytest.fixture
def history(database, folder, tidelock):
    folder.add("001_history", HISTORY)
    tidelock("deploy").succeeds(applied=["001_history"])


@pytest.fixture
def shadow(server, database):
    """An empty database to give."""
    name = f"{database.name[:50]}_empty"
    server.query(f'CREATE DATABASE "{name}"')
    yield type(database)(server, name, is_there=True)
    server.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def content_of(shadow):
    return shadow.query("SELECT relname FROM pg_class WHERE oid >= 16384 UNION ALL SELECT nspname FROM pg_namespace WHERE oid >= 16384 UNION ALL SELECT proname FROM pg_proc WHERE oid >= 16384")


def statements_of(tidelock, *words, **options):
    return [statement for migration in plan_of(tidelock, *(words or CREATE), **options)["migrations"] for statement in migration["statements"]]


def verdicts_of(tidelock):
    return [statement["verdict"] for statement in statements_of(tidelock)]


@pytest.mark.every_major
def test_what_the_text_cannot_know_is_measured(database, folder, tidelock, history, major):
    folder.add("002_do", "DO $$ BEGIN ALTER TABLE orders ADD COLUMN d uuid DEFAULT gen_random_uuid(); END $$;")
    folder.add("003_call", "SELECT own();")
    folder.add("004_new", "DO $$ BEGIN CREATE TABLE fresh (); END $$;")
    newer = "ALTER TABLE customers ADD COLUMN v int GENERATED ALWAYS AS (id) VIRTUAL;"  # no grammar of 17 knows it
    folder.add("005_newer", newer if major >= 18 else "DO $$ BEGIN LOCK TABLE customers; END $$;")
    do, call, fresh, newer = statements_of(tidelock)
    assert [statement["verdict"] for statement in (do, call, fresh, newer)] == ["dangerous", "dangerous", "careful", "careful"]
    assert do["measured"]["lock"] == call["measured"]["lock"] == "AccessExclusiveLock"
    assert do["measured"]["work"] == call["measured"]["work"] == "rewrite"
    assert 'rewriting table "orders"' in do["measured"]["said"]
    assert do["findings"][0]["rests_on"] == "rehearsed"
    assert fresh["measured"] == {"lock": None, "work": "instant", "tables": [], "said": []}
    assert not database.server.query(SHADOWS)
    assert database.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0") == 3


def test_the_line_says_what_was_measured(folder, tidelock, history):
    folder.add("002_index", "CREATE INDEX i ON orders (note);")
    out = tidelock("plan", *CREATE).succeeds(says="by their text, (live) the database and (rehearsed) a shadow of it: 1 dangerous").out
    assert '; rehearsed: ShareLock on "public"."orders" (index build)\n' in out
    row = tidelock("plan", *CREATE, "--output", "markdown").succeeds().out.splitlines()[-1]
    assert "rehearsed: ShareLock" in row


def test_what_only_the_schema_decides_is_decided_by_it(folder, tidelock, history):
    folder.add("002_proven", "ALTER TABLE orders ALTER note SET NOT NULL;")
    folder.add("003_check", "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount IS NOT NULL) NOT VALID;")
    folder.add("004_validate", "ALTER TABLE orders VALIDATE CONSTRAINT c;")
    folder.add("005_proven", "ALTER TABLE orders ALTER amount SET NOT NULL;")
    folder.add("006_type", "ALTER TABLE orders ALTER amount TYPE bigint;")
    assert verdicts_of(tidelock) == ["safe", "safe", "safe", "safe", "dangerous"]


def test_code_behind_a_statement_that_looks_harmless_shows_the_rule_wrong(folder, tidelock, history):
    trigger = "CREATE FUNCTION lock_all() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE customers; RETURN NEW; END';"
    folder.add("002_trigger", f"{trigger}\nCREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION lock_all();")
    folder.add("003_insert", "INSERT INTO orders VALUES (1, 'a', 1);")
    insert = statements_of(tidelock)[-1]
    worst, rule = insert["findings"]
    assert (worst["rule"], rule["rule"], insert["verdict"]) == ("rule-differs", "insert", "careful")
    assert worst["seen"] == 'claimed: RowExclusiveLock, instant; measured: AccessExclusiveLock on "public"."customers", RowExclusiveLock on "public"."orders"'


def test_a_statement_that_fails_there_is_dangerous_and_ends_the_rehearsal(folder, tidelock, history):
    folder.add("002_wrong", "ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders DROP COLUMN missing;")
    folder.add("003_later", "ALTER TABLE orders ADD COLUMN b int;")
    first, second, third = statements_of(tidelock)
    assert second["verdict"] == "dangerous"
    (failed,) = [finding for finding in second["findings"] if finding["rule"] == "rehearsal-failed"]
    assert failed["seen"] == 'column "missing" of relation "orders" does not exist'
    assert [statement["measured"] is None for statement in (first, second, third)] == [False, True, True]


@pytest.mark.every_major
def test_each_script_runs_in_its_own_shape(folder, tidelock, history):
    folder.add("002_alone", "CREATE INDEX CONCURRENTLY i ON orders (note);")
    folder.add("003_blocks", "BEGIN;\nALTER TABLE orders ADD COLUMN a int;\nCOMMIT;\nBEGIN;\nALTER TABLE orders ADD COLUMN b int;\nCOMMIT;")
    folder.add("004_value", "CREATE TYPE mood AS ENUM ('a');\nALTER TYPE mood ADD VALUE 'b';")
    folder.add("005_use", "ALTER TYPE mood ADD VALUE 'c';\nALTER TABLE orders ADD COLUMN m mood DEFAULT 'c';")
    folder.add("006_backfill", "-- tidelock: backfill orders\nUPDATE orders SET a = 1 WHERE a IS NULL;")
    folder.add("007_asserted", "-- tidelock: assert (SELECT count(*) > 0 FROM orders)\nALTER TABLE orders ADD COLUMN c int;")
    plan = plan_of(tidelock, *CREATE)
    rules = {finding["rule"] for migration in plan["migrations"] for statement in migration["statements"] for finding in statement["findings"]}
    assert not rules & {"rehearsal-failed", "rule-differs"}
    measured = {migration["name"]: [statement["measured"] and statement["measured"]["lock"] for statement in migration["statements"]] for migration in plan["migrations"]}
    (alone,) = plan["migrations"][0]["statements"]
    assert alone["measured"] is None and alone["findings"][0]["rests_on"] == "live"
    assert measured["003_blocks"][1] == measured["003_blocks"][4] == "AccessExclusiveLock"
    assert measured["005_use"] == [None, "AccessExclusiveLock"]
    assert measured["007_asserted"] == ["AccessExclusiveLock"]


def test_the_live_database_is_not_locked_and_not_written(database, folder, tidelock, history):
    folder.add("002_alter", "ALTER TABLE orders ADD COLUMN a int;")
    before = database.dump()
    with psycopg.connect(database.url()) as other:
        other.execute("LOCK TABLE orders, customers")
        tidelock("plan", *CREATE).succeeds(says="(rehearsed) a shadow of it")
    assert database.dump() == before and database.applied() == ["001_history"]


@pytest.mark.every_major
def test_a_given_database_is_emptied_again(shadow, folder, tidelock, history):
    folder.add(
        "002_all",
        """CREATE SCHEMA other; CREATE TABLE other.t (id serial PRIMARY KEY); CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY);
        CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN d AS mood; CREATE VIEW v AS SELECT * FROM n; CREATE TABLE p (a int PRIMARY KEY) PARTITION BY LIST (a);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE AGGREGATE s (int) (sfunc = int4pl, stype = int); CREATE SEQUENCE q;
        CREATE PUBLICATION published; CREATE COLLATION c (locale = 'C'); CREATE TYPE pair AS (a int, b mood);
        CREATE PROCEDURE do_it(mood) LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION as_number(mood) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE CAST (mood AS int) WITH FUNCTION as_number(mood);""",
    )
    tidelock("plan", "--shadow", shadow.url()).succeeds(says="(rehearsed) a shadow of it")
    assert content_of(shadow) == []
    folder.add("003_wrong", "SELECT 1/0;")
    tidelock("plan", "--shadow", shadow.url()).succeeds(says="rehearsal-failed")
    assert content_of(shadow) == []


PUBLIC = """SELECT nspowner::regrole::text, obj_description(oid, 'pg_namespace'), ARRAY(SELECT acl::text FROM unnest(nspacl) AS acl ORDER BY 1)
    FROM pg_namespace WHERE nspname = 'public'"""
CHANGE_PUBLIC = """GRANT ALL ON SCHEMA public TO pg_read_all_stats; REVOKE ALL ON SCHEMA public FROM public; REVOKE CREATE ON SCHEMA public FROM postgres;
    ALTER SCHEMA public OWNER TO pg_monitor; COMMENT ON SCHEMA public IS 'another';"""


@pytest.fixture
def public(shadow):
    """The schema `public` of the shadow, as no other: what PUBLIC says of it."""
    role = f"\"{shadow.name}'s\""
    shadow.query(f"CREATE ROLE {role}")
    shadow.query(f"""COMMENT ON SCHEMA public IS E'as it was,\\n''so'' "far"'; GRANT CREATE ON SCHEMA public TO {role} WITH GRANT OPTION""")
    yield shadow.query(PUBLIC)
    shadow.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.every_major
@pytest.mark.parametrize("again", ["", "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"], ids=["changed", "made again"])
def test_the_schema_public_of_a_given_database_stays_as_it_was(database, shadow, public, folder, tidelock, again):
    search = "CREATE TEXT SEARCH TEMPLATE public.temp (lexize = dsimple_lexize); CREATE TEXT SEARCH DICTIONARY public.dict (template = public.temp);"
    parser = "CREATE TEXT SEARCH PARSER public.parse (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);"
    folder.add("001_public", f"{again} {CHANGE_PUBLIC} {search} {parser}")
    tidelock("verify", "--shadow", shadow.url(), url=database.url(schema="apart")).succeeds()
    assert shadow.query(PUBLIC) == public
    assert not shadow.query("SELECT tmplname FROM pg_ts_template WHERE oid >= 16384 UNION ALL SELECT prsname FROM pg_ts_parser WHERE oid >= 16384")


def test_a_live_session_may_be_idle_during_a_rehearsal(database, folder, tidelock, history):
    folder.add("002_slow", "SELECT pg_sleep(2);")
    with database.one_connection():
        database.query("""DO $$ BEGIN IF current_setting('idle_session_timeout', true) IS NOT NULL THEN
            EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = 1000', current_database()); END IF; END $$""")
        tidelock("plan", *CREATE).succeeds(says="(rehearsed) a shadow of it")
    assert not database.server.query(SHADOWS)


def test_a_database_that_is_not_empty_is_refused_and_kept(shadow, folder, tidelock, history):
    folder.add("002_a", "SELECT 1;")
    shadow.query("CREATE TABLE precious ()")
    tidelock("plan", "--shadow", shadow.url()).fails(exit=8, says="is not empty: it holds table precious")
    assert shadow.holds("precious")


def test_the_live_database_itself_is_refused(database, folder, tidelock, history):
    folder.add("002_a", "SELECT 1;")
    tidelock("plan", "--shadow", database.url(application_name="elsewhere")).fails(exit=8, says="the shadow database is the live database itself")
    assert database.holds("orders")


def test_two_do_not_share_one(shadow, folder, tidelock, history):
    folder.add("002_sleep", f"CREATE TABLE t ();\n{SLEEP};")
    running = tidelock.start("plan", "--shadow", shadow.url())
    wait_for_session(shadow, "pg_sleep")
    tidelock("plan", "--shadow", shadow.url()).fails(exit=8, says="another process works in the shadow database")
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=128 + signal.SIGTERM)


@pytest.mark.parametrize("is_given", [True, False], ids=["given", "created"])
def test_a_signal_leaves_nothing(shadow, server, folder, tidelock, history, is_given):
    folder.add("002_sleep", f"CREATE TABLE t ();\n{SLEEP};")
    running = tidelock.start("plan", "--shadow", shadow.url() if is_given else "create")
    wait_until(lambda: server.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"), "it sleeps")
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=128 + signal.SIGTERM)
    assert not server.query(SHADOWS) and content_of(shadow) == []


def kill_in_shadow(server, folder, tidelock, where):
    """The next run finds what this one leaves."""
    sleeping = folder.add("002_sleep", f"CREATE TABLE t ();\n{CHANGE_PUBLIC}\nCOMMIT;\n{SLEEP};")
    running = tidelock.start("plan", "--shadow", where)
    find = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"
    ((pid,),) = wait_until(lambda: server.query(find), "it sleeps")
    running.kill()
    server.query("SELECT pg_terminate_backend(%s)", pid)
    wait_until(lambda: not server.query(find), "its session is gone")
    sleeping.write_text("SELECT 1;")


@pytest.mark.parametrize("is_given", [True, False], ids=["given", "created"])
def test_what_a_killed_run_left_is_removed_by_the_next(shadow, server, public, folder, tidelock, history, is_given):
    where = shadow.url() if is_given else "create"
    kill_in_shadow(server, folder, tidelock, where)
    assert content_of(shadow) if is_given else server.query(SHADOWS)
    tidelock("plan", "--shadow", where).succeeds(says="run that was killed had left")
    assert not server.query(SHADOWS) and content_of(shadow) == [] and shadow.query(PUBLIC) == public


def test_what_another_roles_mark_says_of_public_is_not_believed(shadow, server, folder, tidelock, history):
    kill_in_shadow(server, folder, tidelock, shadow.url())
    shadow.query("ALTER SCHEMA public OWNER TO postgres; ALTER SCHEMA tidelock_shadow OWNER TO pg_monitor")
    tidelock("plan", "--shadow", shadow.url()).succeeds(says="run that was killed had left")
    assert shadow.query(PUBLIC)[0][:2] == ("postgres", "another")


def test_a_shadow_that_is_in_use_or_not_ours_is_left_alone(server, database, folder, tidelock, history):
    folder.add("002_sleep", f"{SLEEP};")
    server.query("CREATE DATABASE tidelock_shadow_1")
    running = tidelock.start("plan", *CREATE)
    wait_until(lambda: server.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"), "it sleeps")
    folder.replace("002_sleep", "SELECT 1;")
    tidelock("plan", *CREATE).succeeds()
    assert len(server.query(SHADOWS)) == 2
    running.signal(signal.SIGTERM)
    running.wait().fails(exit=128 + signal.SIGTERM)
    server.query("DROP DATABASE tidelock_shadow_1")
    assert not server.query(SHADOWS)


def test_a_session_that_ends_says_nothing_of_deploying(server, folder, tidelock, history):
    folder.add("002_sleep", f"CREATE TABLE t ();\n{SLEEP};")
    running = tidelock.start("plan", *CREATE)
    find = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"
    ((pid,),) = wait_until(lambda: server.query(find), "it sleeps")
    server.query("SELECT pg_terminate_backend(%s)", pid)
    result = running.wait().fails(exit=3, says=["P1017", "while     applying 002_sleep", "holds     The live database was only read.", "next      Type the same again."])
    assert not re.search("(?i)deploy", result.errors)


def test_a_script_that_drops_the_ledgers_schema_fails_where_it_does(folder, tidelock, history):
    folder.add("002_drop", "SELECT 1;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;")
    query, drop, create = statements_of(tidelock)
    assert "rehearsal-failed" in [finding["rule"] for finding in drop["findings"]]
    assert not {"rehearsal-failed", "rule-differs"} & {finding["rule"] for statement in (query, create) for finding in statement["findings"]}
    assert "rule-differs" not in [finding["rule"] for finding in drop["findings"]]
    tidelock("deploy").fails(exit=6, says="The script itself drops the schema of the ledger, in line 2: take that out of ")


def test_a_role_that_may_not_create_one_is_told_the_two_ways_out(database, folder, tidelock, history):
    folder.add("002_a", "SELECT 1;")
    role = f"plain_of_{database.name}"[:63]
    database.query(f'CREATE ROLE "{role}" LOGIN; GRANT SELECT ON _prisma_migrations TO "{role}"')
    result = tidelock("plan", *CREATE, url=database.url(user=role))
    result.fails(exit=8, says=["P3014", "the role may not create databases", "ALTER ROLE", "--shadow URL"])
    database.query(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def test_a_history_that_does_not_replay_is_told_with_its_place(database, folder, tidelock, history):
    file = folder.add("002_more", "SELECT 1;\nCREATE TABLE late ();")
    tidelock("deploy").succeeds()
    file.write_text("SELECT 1;\nALTER TABLE nowhere ADD COLUMN a int;")
    folder.add("003_a", "SELECT 1;")
    tidelock("plan", *CREATE).fails(exit=8, says=["P3006", 'migration "002_more" does not replay in the shadow database: relation "nowhere" does not exist', "held the 1 migration before it"], at=f"{file.relative_to(folder.root)}:2")
    assert not database.server.query(SHADOWS)


@pytest.mark.parametrize(("statement", "says"), [("CREATE EXTENSION missing_one", "Install the extension"), ("GRANT SELECT ON orders TO missing_one", "create the role")])
def test_what_the_server_lacks_is_named(database, folder, tidelock, history, statement, says):
    file = folder.add("002_more", "SELECT 1;")
    tidelock("deploy").succeeds()
    file.write_text(f"{statement};")
    folder.add("003_a", "SELECT 1;")
    tidelock("plan", *CREATE).fails(exit=8, says=["missing_one", says])


SHARED = ["CREATE ROLE shadowy", "ALTER DATABASE postgres SET work_mem = 65", "GRANT CONNECT ON DATABASE postgres TO PUBLIC", "ALTER ROLE postgres SET work_mem = 65"]


@pytest.mark.every_major
@pytest.mark.parametrize("statement", SHARED)
def test_what_all_databases_share_stays_as_it_is(server, folder, tidelock, history, statement):
    folder.add("002_shared", f"ALTER TABLE orders ADD COLUMN a int;\nDO $$ BEGIN EXECUTE '{statement}'; EXCEPTION WHEN division_by_zero THEN NULL; END $$;")
    first, second = statements_of(tidelock)
    (refused,) = [finding for finding in second["findings"] if finding["rule"] == "not-rehearsed"]
    assert refused["seen"] == "it changes what all databases of the live server share"
    assert not server.query("SELECT 1 FROM pg_roles WHERE rolname = 'shadowy' UNION ALL SELECT 1 FROM pg_db_role_setting WHERE 'work_mem=65' = ANY (setconfig)")


def test_history_that_changes_what_all_databases_share_needs_a_server_of_its_own(servers, server, shadow, folder, tidelock):
    script = "CREATE ROLE shadowy;\nCREATE TABLE t ();"
    file = folder.add("001_role", script)
    tidelock("deploy").succeeds()
    folder.add("002_drop", "DROP TABLE t;\nDROP ROLE shadowy;")
    for where in ("create", shadow.url()):
        tidelock("plan", "--shadow", where).fails(exit=8, says=["P3006", 'role "shadowy" already exists', "--shadow URL"])
        file.write_text(script.replace("CREATE ROLE shadowy", "ALTER ROLE shadowy NOLOGIN"))
        tidelock("plan", "--shadow", where).fails(exit=8, says=["P3006", "it changes what all databases of the live server share", "--shadow URL"])
        file.write_text(script)
    assert server.query("SELECT 1 FROM pg_roles WHERE rolname = 'shadowy'") and content_of(shadow) == []
    other = servers.get(max(set(servers.binaries) - {server.major}))
    tidelock("plan", "--shadow", other.url("postgres")).succeeds(says="(rehearsed) a shadow of it")
    server.query("DROP ROLE shadowy")


def test_a_database_is_never_made_in_a_rehearsal(server, folder, tidelock, history):
    folder.add("002_database", "CREATE DATABASE shadowy;")
    (statement,) = statements_of(tidelock)
    assert "not-rehearsed" in [finding["rule"] for finding in statement["findings"]]
    assert not server.query("SELECT 1 FROM pg_database WHERE datname = 'shadowy'")


def test_the_url_is_a_secret_and_may_come_from_a_file(shadow, folder, tidelock, history, tmp_path):
    folder.add("002_a", "SELECT 1;")
    url = shadow.url().replace("postgres@", "postgres:hunter2@")
    (tmp_path / "url").write_text(url + "_no")
    result = tidelock("plan", "--log-level", "debug", environment={"TIDELOCK_SHADOW_FILE": str(tmp_path / "url")})
    result.fails(exit=2, says="connecting to the shadow database")
    assert "hunter2" not in result.out + result.errors
    tidelock("plan", environment={"TIDELOCK_SHADOW": url}).succeeds(says="(rehearsed) a shadow of it")


def test_what_is_not_pending_in_a_database_is_not_rehearsed(folder, tidelock):
    folder.add("001_a", "SELECT 1;")
    tidelock("plan", "--offline", *CREATE).fails(exit=2, says="--shadow and --offline exclude each other")


KEEPING = {
    "001_do": "DO $$ BEGIN EXECUTE 'CREATE ROLE shadowy_kept'; COMMIT; END $$;",
    "002_call": "-- tidelock: transaction=off\nCALL keep();",
    "003_subscription": "CREATE SUBSCRIPTION kept CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);",
    "004_hidden": "DO $$ BEGIN EXECUTE 'CREATE SUBSCRIPTION kept CONNECTION ''dbname=nowhere'' PUBLICATION p WITH (connect = false, slot_name = NONE)'; END $$;",
}


@pytest.mark.parametrize("name", KEEPING)
def test_what_would_stay_on_the_live_server_is_not_rehearsed(server, folder, tidelock, history, name):
    folder.add("002_table", "CREATE TABLE subscriptions (id int);")
    folder.add(name.replace("00", "01"), KEEPING[name])
    table, kept = statements_of(tidelock)
    assert [finding["rule"] for finding in table["findings"]] == ["create-table"] and table["measured"]
    assert "not-rehearsed" in [finding["rule"] for finding in kept["findings"]]
    assert not server.query("SELECT rolname FROM pg_roles WHERE rolname = 'shadowy_kept' UNION ALL SELECT subname FROM pg_subscription WHERE subname = 'kept'")
    assert not server.query(SHADOWS)
