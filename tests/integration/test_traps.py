"""Nothing of ours can be made to run somebody else's code: a database in which everything has been planted that our statements could pick up."""

import re
import uuid

import psycopg
import pytest
from folder import Folder
from pooler import HBA, PASSWORD, Pooler
from servers import Database, Server, distribution_major
from tool import Tool
from traps import Traps, quiet

# The scripts name nothing that could be a trap: what they do is not ours.
SCRIPTS = {
    "001_atomic": "CREATE TABLE public.t (id integer PRIMARY KEY, n integer); INSERT INTO public.t SELECT i FROM pg_catalog.generate_series(1, 300) AS s (i)",
    "002_self_managed": "BEGIN; CREATE TABLE public.u (id integer); COMMIT;\nINSERT INTO public.u VALUES (1), (1);\nBEGIN; CREATE TABLE public.v (); COMMIT;",
    "003_stepwise": "CREATE TEMP TABLE _prisma_migrations (); CREATE TEMP VIEW pg_class AS SELECT 1 AS oid; CREATE DOMAIN pg_temp.text AS pg_catalog.int4;\n"
    "SET search_path = trap, public, pg_catalog;\nCREATE INDEX CONCURRENTLY t_n ON public.t (n);\nREINDEX INDEX CONCURRENTLY public.t_n;\nDROP INDEX CONCURRENTLY public.t_n",
    "004_backfill": "-- tidelock: backfill public.t key=id rows=100..100 rest=0%\nUPDATE public.t SET n = 1 WHERE n IS NULL",
}


class Scene:
    """A role that migrates, whose search_path has the traps before the server's own schema."""

    def __init__(self, database, planter):
        self.database = database
        self.victim = f"victim_{database.name[-8:]}"
        self.stranger = f"stranger_{database.name[-8:]}"
        quiet(
            database,
            f"CREATE ROLE {self.victim} LOGIN SUPERUSER; CREATE ROLE {self.stranger} LOGIN; CREATE SCHEMA trap AUTHORIZATION {self.stranger};"
            f"GRANT ALL ON SCHEMA public TO {self.stranger}; ALTER ROLE {self.victim} SET search_path = trap, public, pg_catalog",
        )
        if planter == "owner":
            quiet(database, f'ALTER DATABASE "{database.name}" OWNER TO {self.stranger}')
        self.traps = [] if planter is None else [Traps(database, self.stranger, "trap"), Traps(database, self.stranger, "public", is_whole=False)]

    def url(self, user=None):
        return self.database.server.url(self.database.name, user=user or self.victim, schema="public")

    def check(self):
        assert not [traps.schema for traps in self.traps if traps.sprung()]

    def remove(self):
        self.database.drop()
        self.database.server.query(f"DROP ROLE {self.victim}; DROP ROLE {self.stranger}")


def everything(scene, folder, tidelock):
    """Every command, and deployments that fail, repair, resume, wait and clear their way; what they say, but for times and ids."""
    said = []

    def run(*words, **more):
        result = tidelock(*words, url=scene.url(), **more)
        scene.check()
        text = re.sub(r"(?<=duration_ms\": )\d+|\b\d+(\.\d+)? ?(µs|us|ms|s|min)\b|[0-9a-f]{8}-[0-9a-f-]{27}|pid \d+|\d\d:\d\d:\d\d\S*|\d{4}-\d\d-\d\d", "…", result.out)
        # How much a table is used is what the server's statistics had heard of by then.
        text = re.sub(r"; \d+ scans? and \d+ rows? written a second", "", text)
        # The budget counts the sessions of all that runs on the server.
        said.append((words, result.code, "" if words == ("budget",) else text.replace(scene.database.name, "…")))
        return result

    for name, script in SCRIPTS.items():
        folder.add(name, script)
    run("deploy").succeeds(applied=list(SCRIPTS))
    run("deploy").succeeds()
    folder.add("005_fails", "CREATE TABLE public.once (); CREATE TABLE public.once ()")
    run("deploy").fails(exit=6)
    run("deploy").fails(exit=6)
    run("status", "--exit-code").fails(exit=1)
    folder.replace("005_fails", "CREATE TABLE public.once ()")
    run("deploy").succeeds(applied=["005_fails"])
    folder.add("006_invalid", "CREATE TABLE public.half ();\nCREATE UNIQUE INDEX CONCURRENTLY u_id ON public.u (id);\nCREATE TABLE public.rest ();")
    run("deploy").fails(exit=7)
    quiet(scene.database, "CREATE UNIQUE INDEX other ON public.t (id)")
    quiet(scene.database, "DELETE FROM public.u")
    run("deploy").succeeds(applied=["006_invalid"])
    folder.add("007_wrong", "CREATE TABLE public.first ();\nCREATE INDEX CONCURRENTLY w ON public.t (id);\nCREATE TABLE public.t ();")
    run("deploy").fails(exit=7)
    run("resolve", "--rolled-back", "007_wrong").succeeds()
    run("resolve", "--applied", "007_wrong").succeeds()
    folder.add("008_locked", "ALTER TABLE public.t ADD COLUMN m integer")
    quiet(scene.database, f"GRANT SELECT ON public.t TO {scene.stranger}")
    holder = psycopg.connect(scene.url(scene.stranger).replace("schema=public", "options=-csearch_path%3Dpg_catalog"))
    holder.execute("SELECT pg_catalog.count(*) FROM public.t")
    run("deploy", "--terminate-idle-in-transaction", "1s", "--lock-timeout", "100ms", "--retry-for", "60s").succeeds(applied=["008_locked"])
    holder.close()
    with psycopg.connect(scene.database.url(options="-csearch_path=pg_catalog"), autocommit=True) as leader:
        folder.add("009_waits", "CREATE TABLE public.late ()")
        leader.execute("SELECT pg_catalog.pg_advisory_lock(72707369)")
        run("deploy", "--leader-timeout", "1s").fails(exit=4)
        run("wait", "--leader-timeout", "1s").fails(exit=4)
    folder.add(
        "010_planned",
        "ALTER TABLE public.t ALTER n SET NOT NULL; ALTER TABLE public.t ADD CONSTRAINT kin FOREIGN KEY (n) REFERENCES public.t;"
        "CREATE UNIQUE INDEX CONCURRENTLY t_unique ON public.t (n); ALTER TABLE public.t ADD COLUMN o integer NOT NULL",
    )
    quiet(scene.database, "ANALYZE public.t")
    run("plan", "-v").succeeds()
    run("deploy", "--refuse", "careful").fails(exit=8)
    tidelock("snapshot", url=scene.url()).succeeds()
    scene.check()
    run("baseline", "--all").succeeds()
    run("wait", "--leader-timeout", "10s").succeeds()
    run("status", "--json").succeeds()
    run("budget")
    run("run", "--", "true").succeeds()
    return said


@pytest.fixture
def scene(server):
    made = []

    def make(planter):
        database = Database(server, f"traps_{len(made)}_{uuid.uuid4().hex[:8]}")
        made.append(Scene(database, planter))
        return made[-1]

    yield make
    for scene in made:
        scene.remove()


@pytest.mark.every_major
@pytest.mark.fault
def test_nothing_planted_is_ever_run(scene, folder, tidelock, binary, tmp_path):
    """And everything is said and done as in a database where nothing was planted."""
    trapped = scene("stranger")
    clean = scene(None)
    there = everything(trapped, folder, tidelock)
    untouched = Folder(tmp_path / "clean")
    assert there == everything(clean, untouched, Tool(binary, clean.database, untouched))


@pytest.mark.fault
def test_nor_what_the_owner_of_the_database_planted(scene, folder, tidelock):
    everything(scene("owner"), folder, tidelock)


@pytest.mark.every_major
def test_a_trap_is_one(scene):
    """Statements as most people write them spring them all: operators, functions, relations, types."""
    scene = scene("stranger")
    statements = ["SELECT now()", "SELECT 'a'::varchar = 'a'", "SELECT 'a'::text || 'b'::text", "SELECT count(*) FROM pg_class", "SELECT 1 IN (1, 2)", "SELECT '1'::text"]
    statements += ["SELECT CASE 1 WHEN 1 THEN 2 END", "SELECT NULLIF(1, 2)", "SELECT 1 IS DISTINCT FROM 2", "SELECT 1 BETWEEN 0 AND 2", "SELECT 'a'::name LIKE 'b'::name"]
    for statement in statements:
        with psycopg.connect(scene.url().replace("schema=public", ""), autocommit=True) as connection, pytest.raises(psycopg.Error, match="a trap"):
            connection.execute(statement)
    assert scene.traps[0].sprung()


@pytest.mark.fault
def test_nothing_planted_is_run_behind_a_pooler(servers, folder, binary):
    server = Server(distribution_major(), servers.binaries[distribution_major()], hba=HBA)
    pooler = None
    try:
        server.query(f"CREATE ROLE app LOGIN SUPERUSER PASSWORD '{PASSWORD}'; CREATE ROLE stranger; ALTER ROLE app SET search_path = trap, public, pg_catalog")
        pooler = Pooler(server, "transaction")
        database = Database(server, "shop")
        quiet(database, "CREATE SCHEMA trap AUTHORIZATION stranger")
        traps = Traps(database, "stranger", "trap")
        tool = Tool(binary, None, folder)
        folder.add("001_a", "CREATE TABLE public.a ()")
        folder.add("002_b", "CREATE TABLE public.b (); CREATE TABLE public.a ()")
        tool("deploy", url=pooler.url("shop", schema="public")).fails(exit=6, says="already exists")
        folder.replace("002_b", "CREATE TABLE public.b ()")
        tool("deploy", url=pooler.url("shop", schema="public")).succeeds(applied=["002_b"])
        assert not traps.sprung()
    finally:
        if pooler:
            pooler.remove()
        server.remove()
