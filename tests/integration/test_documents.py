"""What the documents show: every command runs, every output is what the program prints.

A comment before a block says how it is tested; tests/README.md has the words. After a message has changed:

    build/python/bin/pytest tests/integration/test_documents.py --write
"""

import collections
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess

import psycopg
import pytest
from project import ROOT
from servers import Server
from wait import wait_until
from world import World

# Blocks marked "not run: REASON".
NOT_RUN = {
    "by hand": "what .ci/run does not do: too long, or a part of what it does; that the targets exist is checked here",
    "a cluster": "makes a Secret in one; tests/kubernetes makes its like",
    "a sketch": "the order of the statements in a message, with most of their words left out; tests/integration/test_together.py runs them",
    "a registry": "needs the public one, and one of the reader's own",
    "signatures": "needs a release that the public workflow has signed",
    "update": "moves the pins in the tree to whatever the registries hold today",
    "make image": "docker build of docker/Dockerfile, which tests/image/test_image.py does for both machines with the engine that it finds",
}
# Languages of a document that another test takes whole.
ELSEWHERE = {("helm/tidelock/README.md", "yaml"): "tests/chart/test_values.py", ("entrypoint/README.md", "mermaid"): "tests/lint/documents.py"}
DEMO = sorted(path for path in (ROOT / "tests/demo/migrations").iterdir() if path.is_dir())
ORDERS = """
CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL, status_new text);
INSERT INTO orders SELECT i, 'open', %s FROM generate_series(1, %d) AS i;
ANALYZE orders
"""

Block = collections.namedtuple("Block", "file how language text")


def prose_of(file):
    """Without the generated parts, which test_manual.py and the lints look after."""
    return re.sub(r"<!-- (generated|drawn): .*?<!-- end -->\n", "", file.read_text(), flags=re.S)


def blocks():
    fence = re.compile(r"^(?:<!-- ([^>\n]*) -->\n)?```(\w+)\n(.*?)^```$", re.S | re.M)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [Block(ROOT / name, *found) for name in listed.stdout.splitlines() for found in fence.findall(prose_of(ROOT / name))]


BLOCKS = blocks()


def marked(word):
    """Blocks whose comment begins with it, as parameters of a test."""
    found = [block for block in BLOCKS if block.how.startswith(word)]
    return pytest.mark.parametrize("block", found, ids=[f"{block.how.split()[-1].replace('/', '-')}-{number}" for number, block in enumerate(found)])


# ---- the stage ----


class Stage:
    """A project, its database, and a shell in which tidelock is installed."""

    def __init__(self, binary, database, folder, place):
        self.database = database
        self.folder = folder
        (place / "bin").mkdir()
        (place / "bin" / "tidelock").symlink_to(binary)
        self.environment = {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "DATABASE_URL": database.url(), "LC_ALL": "C"}

    def run(self, command, code=None):
        shell = ["bash", "-euc", command]
        done = subprocess.run(shell, cwd=self.folder.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        assert code in (None, done.returncode), done.stdout
        return self.as_shown(done.stdout)

    def as_shown(self, text):
        """With the names of the documents in place of the tests' own."""
        return text.replace(f'"{self.database.name}"', '"harbour"').replace(f"127.0.0.1:{self.database.server.port}", "db:5432")

    def deploy_demo(self, count, options="--drift off"):
        """A database at the level of the first `count` migrations of the demo. What a scene then changes by hand is no drift."""
        self.add_demo(0, count)
        self.run(f"tidelock deploy {options}", code=0)

    def add_demo(self, first, last):
        for migration in DEMO[first:last]:
            shutil.copytree(migration, self.folder.path / migration.name)


@pytest.fixture
def stage(binary, database, folder, tmp_path):
    return Stage(binary, database, folder, tmp_path)


# ---- scenes: what is there before a session begins ----


@contextlib.contextmanager
def harbour(stage):
    """Five migrations are applied, four are pending, the last of them fails."""
    stage.deploy_demo(5)
    stage.add_demo(5, 8)
    stage.folder.add("20260406120000_double_toll", '-- AlterTable\nALTER TABLE "Passage" ADD COLUMN "ratio" NUMERIC;\nUPDATE "Passage" SET "ratio" = 100.0 / "toll";\n')
    yield


@contextlib.contextmanager
def one_pending(stage):
    stage.deploy_demo(len(DEMO) - 1)
    stage.add_demo(len(DEMO) - 1, len(DEMO))
    yield


@contextlib.contextmanager
def busy_server(stage):
    """One with 100 connections, 22 of them in use, four by the application's role."""
    server = Server(stage.database.server.major, stage.database.server.binaries, settings=["max_connections=100"])
    with contextlib.ExitStack() as stack:
        stack.callback(server.remove)
        server.query("CREATE ROLE app LOGIN")
        server.query("CREATE DATABASE app OWNER app")
        for user in ["app"] * 3 + ["postgres"] * 18:
            stack.enter_context(psycopg.connect(server.url("app", user=user)))
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        wait_until(lambda: server.query(others)[0][0] == 21, "no other connection to be left")
        stage.environment["DATABASE_URL"] = server.url("app", user="app")
        yield


@contextlib.contextmanager
def nightly_report(stage):
    """It has read the table, and its transaction idles until the server ends it."""
    stage.deploy_demo(len(DEMO))
    stage.folder.add("20260511120000_passage_remarks", 'ALTER TABLE "Passage" ADD COLUMN "remarks" TEXT;\n')
    database = stage.database
    database.query('CREATE ROLE etl LOGIN; GRANT SELECT ON "Passage" TO etl')
    with contextlib.suppress(psycopg.Error), psycopg.connect(database.url().replace("postgres@", "etl@"), application_name="nightly-report", autocommit=True) as report:
        report.execute("SET idle_in_transaction_session_timeout = '6s'")
        report.execute("BEGIN")
        report.execute('SELECT FROM "Passage"')
        is_old = "SELECT now() - xact_start > '1.5s' FROM pg_stat_activity WHERE application_name = 'nightly-report' AND datname = %s"
        wait_until(lambda: database.value(is_old, database.name), "its transaction to be old")
        yield
    database.query("DROP OWNED BY etl; DROP ROLE etl")


@contextlib.contextmanager
def many_orders(stage):
    """A table in which each batch takes a moment, so that the whole takes longer than the log stays silent."""
    stage.deploy_demo(1)
    stage.database.query(ORDERS % ("NULL", 16000))
    stage.database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END'")
    stage.database.query("CREATE TRIGGER slow BEFORE UPDATE ON orders EXECUTE FUNCTION slow()")
    stage.folder.add(
        "20260512120000_order_status",
        "-- tidelock: backfill orders target=1s rows=100..200\n"
        "-- tidelock: verify NOT EXISTS (SELECT FROM orders WHERE status_new IS NULL)\n"
        "UPDATE orders SET status_new = upper(status) WHERE status_new IS NULL;\n",
    )
    yield


@contextlib.contextmanager
def hotfix(stage):
    """Somebody has changed what the deployment left."""
    stage.deploy_demo(len(DEMO) - 1, options="")
    stage.database.query('CREATE INDEX "Passage_hotfix" ON "Passage" ("toll"); ALTER TABLE "Passage" ALTER "toll" SET DEFAULT 0')
    stage.add_demo(len(DEMO) - 1, len(DEMO))
    yield


@contextlib.contextmanager
def customers(stage):
    """Each has a schema; one holds a row that the pending migration adds."""
    stage.folder.add("20260601120000_people", "CREATE TABLE people (login text PRIMARY KEY);\n")
    lines = ["name,schema"]
    for name in ["acme", "globex", "initech"]:
        stage.run(f"DATABASE_URL='{stage.database.url(schema=name)}' tidelock deploy --drift off", code=0)
        lines.append(f"{name},{name}")
    stage.database.query("INSERT INTO globex.people VALUES ('support')")
    stage.folder.add("20260608120000_support", "INSERT INTO people VALUES ('support');\n")
    (stage.folder.root / "tenants.csv").write_text("\n".join(lines) + "\n")
    yield


SCENES = {"customers": customers, "hotfix": hotfix, "harbour": harbour, "one-pending": one_pending, "busy-server": busy_server, "nightly-report": nightly_report, "many-orders": many_orders}


# ---- sessions ----


def steady(line):
    """Without what differs from run to run: durations, process ids, versions, how much a backfill had done by then."""
    line = re.sub(r"\d+(\.\d+)? (ms|s|min|h)\b", "TIME", line)
    line = re.sub(r" *TIME( (to )?TIME)*", " TIME", line)
    return re.sub(r"\d+ %|\d+ rows changed|\d+ a batch|in \d+ batches|\bpid \d+|\btry \d+|PostgreSQL [\d.]+|\d{4}-\d\d-\d\dT[\d:]+Z", "N", line)


def steadied(text):
    """How often a progress line was repeated does not matter."""
    return [line for line, _ in itertools.groupby(map(steady, text.splitlines()))]


def session(stage, text):
    """What a terminal shows when the commands of this text are typed again."""
    return "".join(f"$ {command}\n{stage.run(command)}" for command in re.findall(r"(?m)^\$ (.*)$", text))


@marked("sample: ")
def test_a_sample_is_what_the_program_prints(block, stage, request):
    with SCENES[block.how.split()[-1]](stage):
        printed = session(stage, block.text)
    if steadied(printed) != steadied(block.text) and request.config.getoption("write"):
        before = f"<!-- {block.how} -->\n```{block.language}\n"
        block.file.write_text(block.file.read_text().replace(f"{before}{block.text}```", f"{before}{printed}```", 1))
    else:
        assert steadied(block.text) == steadied(printed)


# ---- what is only run ----


def project(stage, text):
    with one_pending(stage):
        stage.run(re.sub(r"'postgresql://.*'", stage.database.url(), text), code=0)
    assert stage.database.applied()[-1] == DEMO[-1].name


def orders(stage, text):
    stage.database.query(ORDERS % ("'OPEN'", 100))
    stage.folder.add("20260101000000_before", "SELECT 1")
    stage.run("tidelock baseline", code=0)
    stage.folder.add("20260102000000_shown", text)
    stage.run("tidelock deploy", code=0)
    assert stage.database.applied()[-1] == "20260102000000_shown"


def webhook(stage, text):
    """Of a deployment that fails; what a post holds is what the manual lists."""
    with contextlib.closing(World()) as receiver, harbour(stage):
        secret = stage.folder.root / "webhook"
        secret.write_text(receiver.url)
        stage.run(text.replace("/run/secrets/webhook", str(secret)), code=6)
    sent = [request.json for request in receiver.requests]
    assert [body["event"] for body in sent] == ["started", "failed"]
    listed = re.search(r"The body is JSON.*?\n\n", (ROOT / "cmd/tidelock/README.md").read_text(), re.S)[0]
    assert {*sent[0], *sent[1]} - {"type", "attachments"} <= {*re.findall(r"`(\w+)`", listed)}


def pushgateway(stage, text):
    with contextlib.closing(World()) as receiver, one_pending(stage):
        stage.run(text.replace("http://pushgateway:9091", receiver.url), code=0)
    assert {request.path for request in receiver.requests} == {"/metrics/job/tidelock/app/shop"}


def last_record(stage, text):
    with one_pending(stage):
        shown = json.loads(stage.run(text, code=0))
    assert shown | {"applied": 1, "exit_code": 0} == shown and list(shown) == ["msg", "applied", "duration_ms", "exit_code"]


def env_file(stage, text):
    """A database of its own wins over the one that it names."""
    (stage.folder.root / "shown.env").write_text(text)
    stage.folder.path.rename(stage.folder.root / "db")
    (stage.folder.root / "db" / "migrations" / "001_t").mkdir(parents=True)
    (stage.folder.root / "db" / "migrations" / "001_t" / "migration.sql").write_text("SELECT 1")
    printed = stage.run("DB_PASSWORD=secret tidelock run --env-file shown.env -- env", code=0).splitlines()
    assert "TITLE=A # and a $ are plain here" in printed and stage.database.applied() == ["001_t"]
    printed = stage.run("unset DATABASE_URL; DB_PASSWORD=secret tidelock status --env-file shown.env --connect-deadline 0", code=3)
    assert "db:5432" in printed


def plan(stage, text):
    """Each line by itself: the first one says no, as the demo changes a type under an exclusive lock."""
    with one_pending(stage):
        stage.environment["NEW_SCRIPTS"] = str(stage.folder.path / DEMO[-1].name / "migration.sql")
        for command, code in zip(text.splitlines(), [1, 0, 0, 0], strict=True):
            stage.run(command, code=code)


def snapshot(stage, text):
    stage.environment["STAGING_URL"] = stage.database.url()
    stage.run(text, code=0)


def verify(stage, text):
    with one_pending(stage):
        for command, code in zip(text.splitlines(), [0, 1, 0], strict=True):
            stage.run(command.replace("20260105120000_init", DEMO[0].name), code=code)


def drift(stage, text):
    with hotfix(stage):
        for command, code in zip(text.splitlines(), [1, 1, 1], strict=True):
            stage.run(command, code=code)
    assert "Passage_hotfix" in (stage.folder.root / "comment.md").read_text()


def ignore(stage, text):
    stage.deploy_demo(1, options="")
    stage.database.query("CREATE TABLE events_p1 (a int UNIQUE); GRANT SELECT ON events_p1 TO pg_monitor")
    (stage.folder.root / "tidelock.yaml").write_text(text)
    stage.run("tidelock drift", code=0)


def script(stage, text):
    with one_pending(stage):
        stage.run(text, code=0)


RUNS = {"script": script, "drift": drift, "ignore": ignore, "plan": plan, "snapshot": snapshot, "verify": verify, "last record": last_record, "project": project, "orders": orders, "webhook": webhook, "pushgateway": pushgateway, "env-file": env_file}


@marked("run: ")
def test_a_block_runs(block, stage):
    RUNS[block.how.removeprefix("run: ")](stage, block.text)


# ---- what is tested elsewhere, and what is named in passing ----


def test_every_block_says_how_it_is_tested():
    for file, how, language, text in BLOCKS:
        kind, _, what = how.partition(": ") if ": " in how else how.rpartition(" ")
        known = {"sample": SCENES, "run": RUNS, "not run": NOT_RUN}.get(kind)
        elsewhere = None if how or "{{" in text else ELSEWHERE.get((str(file.relative_to(ROOT)), language))
        if elsewhere or kind in ("run by", "quotes"):
            runner = (ROOT / (elsewhere or what)).read_text()
            assert {*re.findall(r"(?m)^make .*?\b([a-z-]+)\b(?!=)", text)} <= {*re.findall(r"[a-z-]+", runner)}, (file, how)
        else:
            assert known and what in known, f"{file}: no comment that says how this is tested: {how}\n{text}"


def test_every_reason_is_needed():
    assert {block.how.removeprefix("not run: ") for block in BLOCKS if block.how.startswith("not run: ")} == set(NOT_RUN)


@marked("quotes: ")
def test_what_is_quoted_is_there(block):
    """Line by line in this order, whatever the indentation; a comment may say where we are."""
    lines = iter([line.strip() for line in (ROOT / block.how.split()[-1]).read_text().splitlines()])
    assert all(line.strip() in lines for line in block.text.splitlines() if not line.startswith("#"))


@pytest.fixture(scope="session")
def tables(binary):
    return json.loads(subprocess.run([binary, "manual", "--json"], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("document", ["README.md", "cmd/tidelock/README.md", "docker/README.md", "helm/tidelock/README.md"])
def test_commands_and_options_named_in_the_text_exist(document, tables):
    commands = {row["name"] for row in tables["commands"]}
    options = {f"--{row['name']}": row["commands"] for row in tables["options"]}
    text = re.sub(r"```.*?```", "", prose_of(ROOT / document), flags=re.S)
    named = re.findall(r"`([^`\n]+)`", text)
    for words in (code.split() for code in named if code.startswith("tidelock ")):
        command = words[2] if words[1] == "migrate" else words[1]
        assert command in commands, words
        for option in words[: words.index("--") if "--" in words else None]:
            assert not option.startswith("--") or command in options[re.sub("^--no-", "--", option.split("=")[0])], words
    if "tidelock/README" in document and "helm" not in document:
        assert {re.split("[ =]", code)[0] for code in named if re.match(r"--(?!no-)\w", code)} <= {*options}
    variables = {name for row in tables["options"] for name in (row["environment"] or "").split(", ")}
    assert {name for code in named for name in re.findall(r"\bTIDELOCK_[A-Z_]+\b", code)} <= variables


def test_every_target_of_make_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = {*re.findall(r"(?m)^([a-z-]+):(?!=)", makefile)}
    for file in {block.file for block in BLOCKS}:
        for words in re.findall(r"(?m)(?:^|`)make ((?:[a-z-]+ ?)*)", file.read_text()):
            assert {*words.split()} <= targets, (file, words)
