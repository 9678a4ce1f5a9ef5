"""Folders of Drizzle, before 1.0 and since then, deployed with Drizzle's own ledger."""

import datetime
import hashlib
import json
import pathlib

import pytest

from peers import Drizzle, Drizzle1
from tool import wait_for_nobody, wait_for_session

LEDGER = "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)"
ROWS = "SELECT hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id"
NAMED_ROWS = "SELECT name, hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id"
COLUMNS = "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'drizzle' ORDER BY ordinal_position"


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def millis(name):
    time = datetime.datetime.strptime(name[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp()) * 1000


class Journal:
    """Before 1.0."""

    def __init__(self, root):
        self.root = root
        self.path = root / "drizzle"
        (self.path / "meta").mkdir(parents=True)
        self.entries = []
        self.dialect = "postgresql"

    def add(self, tag, when, script):
        file = self.path / f"{tag}.sql"
        file.write_text(script)
        self.entries.append({"idx": len(self.entries), "version": "7", "when": when, "tag": tag, "breakpoints": True})
        self.write()
        return file

    def write(self):
        (self.path / "meta" / "_journal.json").write_text(json.dumps({"version": "7", "dialect": self.dialect, "entries": self.entries}))


class Named:
    """Since 1.0."""

    def __init__(self, root):
        self.root = root
        self.path = root / "drizzle"
        self.path.mkdir()

    def add(self, name, script):
        file = self.path / name / "migration.sql"
        file.parent.mkdir()
        file.write_text(script)
        (file.parent / "snapshot.json").write_text("{}")
        return file


@pytest.fixture
def journal(folder):
    return Journal(folder.root)


@pytest.fixture
def named(folder):
    return Named(folder.root)


@pytest.fixture
def run(tidelock):
    return lambda command, *words, **options: tidelock(command, "--migrations", "drizzle", *words, **options)


@pytest.fixture
def real():
    """Drizzle itself, as a program calls it; gives what it printed, which must have been nothing."""

    def migrate(kind, database, folder):
        if not kind.is_installed():
            pytest.skip("Drizzle could not be installed")
        return kind().migrate(database.url(), folder)

    return migrate


@pytest.mark.every_major
def test_a_journal_is_deployed_with_drizzle_s_ledger(database, journal, run):
    one = journal.add("0000_users", 1704067200000, "CREATE TABLE users (id int);\n--> statement-breakpoint\nCREATE TABLE more (id int);")
    two = journal.add("0001_bare", 1704067201000, "CREATE TABLE a (id int)\n--> statement-breakpoint\nCREATE TABLE b (id int)\n--> statement-breakpoint\n")
    (journal.path / "9999_loose.sql").write_text("SELECT 1/0")
    run("deploy").succeeds(applied=["0000_users", "0001_bare"], says='"drizzle" is a folder of Drizzle')
    assert database.query(ROWS) == [(sha256(one), 1704067200000), (sha256(two), 1704067201000)]
    assert database.query(COLUMNS) == [
        ("id", "integer", "NO", "nextval('drizzle.__drizzle_migrations_id_seq'::regclass)"),
        ("hash", "text", "NO", None),
        ("created_at", "bigint", "YES", None),
    ]
    assert all(database.holds(f"public.{table}") for table in ["users", "more", "a", "b"])
    run("deploy").succeeds(applied=[])


@pytest.mark.every_major
def test_directories_are_deployed_with_the_ledger_of_1_0(database, named, run):
    two = named.add("20240102000000_more", "CREATE TABLE more (id int)\n--> statement-breakpoint\nCREATE INDEX more_id ON more (id);")
    one = named.add("20240101000000_users", "CREATE TABLE users (id int);")
    (named.path / "notes").mkdir()
    run("deploy").succeeds(applied=["20240101000000_users", "20240102000000_more"], says='"drizzle" is a folder of Drizzle')
    assert database.query(NAMED_ROWS) == [(file.parent.name, sha256(file), millis(file.parent.name)) for file in [one, two]]
    assert database.query(COLUMNS)[3:] == [("name", "text", "YES", None), ("applied_at", "timestamp with time zone", "YES", "now()")]
    run("deploy").succeeds(applied=[])
    named.add("20240101120000_between", "CREATE TABLE between_them (id int)")
    run("deploy").succeeds(applied=["20240101120000_between"])


def test_what_drizzle_would_skip_is_refused(database, journal, run):
    journal.add("0000_users", 3000, "CREATE TABLE users (id int)")
    run("deploy").succeeds(applied=["0000_users"])
    journal.add("0001_late", 2000, "CREATE TABLE late (id int)")
    run("deploy").fails(exit=8, says=["Drizzle would skip that", "0001_late is older than the last one applied"])
    assert not database.holds("late")
    run("deploy", "--no-strict").succeeds(applied=["0001_late"])


def test_the_journal_s_order_is_that_of_the_run_and_its_times_say_what_is_older(database, journal, run):
    journal.add("0000_users", 3000, "CREATE TABLE users (id int)")
    journal.add("0001_more", 2000, "ALTER TABLE users ADD COLUMN name text")
    run("deploy").succeeds(applied=["0000_users", "0001_more"])
    assert [created_at for _, created_at in database.query(ROWS)] == [3000, 2000]
    journal.entries.insert(1, journal.entries.pop())
    journal.add("0002_last", 4000, "CREATE TABLE last (id int)")
    journal.entries.insert(0, journal.entries.pop())
    journal.write()
    run("deploy").succeeds(applied=["0002_last"])


def test_what_drizzle_has_applied_is_not_applied_again(database, journal, run):
    one = journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    journal.add("0001_more", 2000, "CREATE TABLE more (id int)")
    database.query(LEDGER)
    database.query("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, 1000)", sha256(one))
    run("status", "--exit-code").fails(exit=1)
    run("deploy").succeeds(applied=["0001_more"])
    assert not database.holds("users")
    run("status", "--exit-code").succeeds()
    run("wait").succeeds()
    run("plan").succeeds()


def test_an_edited_one_is_told_and_can_be_accepted(database, journal, run):
    file = journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    run("deploy").succeeds(applied=["0000_users"])
    file.write_text("CREATE TABLE users (id int) -- the shop's")
    journal.add("0001_more", 2000, "CREATE TABLE more (id int)")
    run("deploy").succeeds(applied=["0001_more"], says="0000_users was edited after it was applied")
    run("resolve", "--accept-edit", "0000_users").succeeds()
    assert database.query(ROWS)[0] == (sha256(file), 1000)
    run("status").succeeds(says="0 edited")


def test_a_failure_leaves_no_row_and_what_was_before_it(database, journal, run):
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    file = journal.add("0001_bad", 2000, "CREATE TABLE more (id int)\n--> statement-breakpoint\nSELECT 1/0")
    run("deploy").fails(exit=6, says="division by zero", at="drizzle/0001_bad.sql:3")
    assert database.holds("users") and not database.holds("more")
    assert [created_at for _, created_at in database.query(ROWS)] == [1000]
    file.write_text("CREATE TABLE more (id int)")
    run("deploy").succeeds(applied=["0001_bad"])


@pytest.mark.parametrize("kind", [Journal, Named])
def test_one_that_was_killed_halfway_is_resumed(database, folder, run, tidelock, kind):
    migrations = kind(folder.root)
    script = "CREATE TABLE users (id int);\nCREATE INDEX CONCURRENTLY ON users (id);\nSELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM gate) THEN 0 ELSE 300 END);"
    name = "20240101000000_users"
    migrations.add(*[name, 1000] if kind is Journal else [name], script)
    database.query("CREATE TABLE gate (id int)")
    running = tidelock.start("deploy", "--migrations", "drizzle")
    session = wait_for_session(database, "pg_sleep")
    running.kill()
    database.query("SELECT pg_terminate_backend(%s)", session)
    wait_for_nobody(database)
    assert database.query(ROWS) == []
    database.query("INSERT INTO gate VALUES (1)")
    run("deploy").succeeds(applied=[name], says="resuming at statement 3 of 3")
    assert len(database.query(ROWS)) == 1


@pytest.mark.parametrize("kind", [Journal, Named])
def test_baseline_and_resolve_record(database, folder, run, kind):
    migrations = kind(folder.root)
    names = ["20240101000000_users", "20240101000001_more"]
    files = [migrations.add(*[name, millis(name)] if kind is Journal else [name], f"CREATE TABLE t{name[-4:]} (id int)") for name in names]
    database.query("CREATE TABLE users (id int)")
    run("baseline", "--to", names[0]).succeeds()
    run("resolve", "--applied", names[1]).succeeds()
    assert database.query(ROWS) == [(sha256(file), millis(name)) for file, name in zip(files, names)]
    run("deploy").succeeds(applied=[])
    run("resolve", "--applied", names[1]).fails(exit=8, says="is already recorded as applied")
    run("resolve", "--rolled-back", names[1]).fails(exit=8, says="has not failed")


def test_the_ledger_may_stand_elsewhere(database, journal, run):
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    database.query("CREATE SCHEMA shop")
    run("deploy", "--ledger", "public.migrations", url=database.url() + "&schema=shop" if "?" in database.url() else database.url() + "?schema=shop").succeeds(applied=["0000_users"])
    assert database.query("SELECT created_at FROM public.migrations") == [(1000,)]
    assert database.holds("shop.users")


def test_a_ledger_from_before_1_0_is_not_converted(database, named, run):
    named.add("20240101000000_users", "CREATE TABLE users (id int);")
    database.query(LEDGER)
    result = run("deploy")
    result.fails(exit=8, says=["does not have the columns of Drizzle's ledger\n", 'column "name" does not exist', "drizzle-kit migrate"])
    assert "ledger_read" not in result.errors
    assert not database.holds("users")


BROKEN = {
    "no JSON": ("{", "the journal is not JSON"),
    "no entries": ("{}", 'the journal has no "entries"'),
    "no tag": ('{"entries": [{"when": 1}]}', 'entry 0 of the journal has no "tag"'),
    "a path": ('{"entries": [{"when": 1, "tag": "../a"}]}', 'entry 0 of the journal has no "tag"'),
    "no time": ('{"entries": [{"tag": "0000_users"}]}', 'has no "when"'),
    "one time twice": ('{"entries": [{"tag": "0000_a", "when": 1}, {"tag": "0001_b", "when": 2}, {"tag": "0002_c", "when": 1}]}', '"0000_a" and "0002_c", when 1'),
    "one file twice": ('{"entries": [{"tag": "0000_a", "when": 1}, {"tag": "0000_a", "when": 2}]}', "can't be told apart"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_journal_is_refused(database, journal, run, what):
    text, says = BROKEN[what]
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    (journal.path / "meta" / "_journal.json").write_text(text)
    run("deploy").fails(exit=2, says=[says, "meta/_journal.json", "Nothing was changed"])
    assert not database.holds("users")


def test_a_journal_for_another_kind_of_server_is_refused(database, journal, run):
    journal.dialect = "sqlite"
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    run("deploy").fails(exit=8, says=['written for "sqlite"'])


def test_a_folder_without_its_journal_is_refused(database, journal, run):
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)")
    (journal.path / "meta" / "_journal.json").unlink()
    run("deploy", "--format", "drizzle").fails(exit=2, says=["meta/_journal.json", "copy it into the image"])


def test_a_script_that_the_journal_names_is_missed(database, journal, run):
    journal.add("0000_users", 1000, "CREATE TABLE users (id int)").unlink()
    run("deploy").fails(exit=8, says=["0000_users.sql", "restore the file"])


def test_prisma_s_folders_stay_prisma_s(database, named, run):
    (named.add("20240101000000_users", "CREATE TABLE users (id int)").parent / "snapshot.json").unlink()
    run("deploy").succeeds(applied=["20240101000000_users"])
    assert [row[0] for row in database.ledger()] == ["20240101000000_users"]
    database.query("DROP TABLE _prisma_migrations, users")
    run("deploy", "--format", "drizzle").succeeds(applied=["20240101000000_users"])
    assert [row[0] for row in database.query(NAMED_ROWS)] == ["20240101000000_users"]


def test_the_example_is_deployed(database, tidelock):
    example = pathlib.Path(__file__).resolve().parents[2] / "docker/examples/drizzle"
    tidelock("deploy", cwd=example).succeeds(applied=["0000_tickets", "0001_closed_at"])


def test_drizzle_and_tidelock_take_turns(database, journal, run, real):
    journal.add("0000_users", 1704067200123, "CREATE TABLE users (id int);\n--> statement-breakpoint\nCREATE TABLE more (id int);\r\n")
    assert real(Drizzle, database, journal).stdout == ""
    journal.add("0001_bare", 1704067201456, "CREATE TABLE a (id int)\n--> statement-breakpoint\nCREATE TABLE b (id int)")
    run("deploy").succeeds(applied=["0001_bare"])
    ours = database.query(ROWS)
    journal.add("0002_last", 1704067202789, "CREATE TABLE last (id int)")
    assert real(Drizzle, database, journal).stdout == ""
    run("status", "--exit-code").succeeds(says="0 edited")
    database.query("DROP SCHEMA drizzle CASCADE; DROP TABLE users, more, a, b, last")
    assert real(Drizzle, database, journal).stdout == ""
    assert database.query(ROWS)[:2] == ours


def test_drizzle_1_0_and_tidelock_take_turns(database, named, run, real):
    named.add("20240101000000_users", "CREATE TABLE users (id int);")
    assert real(Drizzle1, database, named).stdout == ""
    named.add("20240229235959_leap", "CREATE TABLE leap (id int);\n--> statement-breakpoint\nCREATE TABLE more (id int)")
    named.add("20231231000000_before", "CREATE TABLE before (id int)")
    run("deploy").succeeds(applied=["20231231000000_before", "20240229235959_leap"])
    ours = database.query(NAMED_ROWS)
    named.add("20240301000000_last", "CREATE TABLE last (id int)")
    assert real(Drizzle1, database, named).stdout == ""
    run("status", "--exit-code").succeeds(says="0 edited")
    database.query("DROP SCHEMA drizzle CASCADE; DROP TABLE users, leap, more, before, last")
    assert real(Drizzle1, database, named).stdout == ""
    assert sorted(database.query(NAMED_ROWS))[:3] == sorted(ours)


def test_drizzle_1_0_converts_what_tidelock_has_written(database, journal, run, real):
    script = "CREATE TABLE users (id int);"
    journal.add("0000_users", millis("20240101000000") + 123, script)
    run("deploy").succeeds(applied=["0000_users"])
    (journal.path / "meta" / "_journal.json").unlink()
    (journal.path / "meta").rmdir()
    (journal.path / "0000_users.sql").unlink()
    newer = journal.path / "20240101000000_users"
    newer.mkdir()
    (newer / "migration.sql").write_text(script)
    (newer / "snapshot.json").write_text("{}")
    run("deploy").fails(exit=8, says="drizzle-kit migrate")
    assert real(Drizzle1, database, journal).stdout == ""
    run("deploy").succeeds(applied=[])
    run("status", "--exit-code").succeeds(says="1 applied, 0 pending, 0 failed, 0 edited")
