"""verify, and diff with what the folder makes: the history replayed in a shadow, and compared."""

import re

import pytest
from servers import Database
from test_snapshot import differences


@pytest.fixture
def shadow(database):
    """A second, empty database."""
    other = Database(database.server, database.name[:50] + "_shadow")
    yield other
    other.drop()


HISTORY = {
    "001_a": "CREATE TABLE t (a int);",
    "002_enum": "CREATE TYPE mood AS ENUM ('sad');",
    "003_value": "ALTER TYPE mood ADD VALUE 'ok';",
    "004_use": "ALTER TABLE t ADD COLUMN m mood DEFAULT 'ok';",
    "005_concurrently": "CREATE INDEX CONCURRENTLY i ON t (a);",
}


def write(folder, history):
    for name, script in history.items():
        folder.add(name, script)


@pytest.mark.every_major
def test_a_history_replays_from_empty(database, folder, shadow, tidelock):
    write(folder, HISTORY)
    result = tidelock("verify", "--shadow", shadow.url()).succeeds(says="the history replays from an empty database\n")
    assert re.findall(r"(?m)^replayed (\S+) \(.*s\)$", result.out) == list(HISTORY)
    assert not shadow.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") and not database.holds("t")


def test_without_a_live_database_an_empty_one_is_enough(folder, shadow, binary):
    from tool import Tool

    write(folder, HISTORY)
    Tool(binary, None, folder)("verify", "--shadow", shadow.url()).succeeds(says="the history replays")


def test_a_script_that_does_not_replay_is_said_with_its_place(folder, shadow, tidelock):
    write(folder, {"001_a": "CREATE TABLE t (a int);", "002_b": "ALTER TABLE t ADD b int;\nCREATE INDEX ON missing (a);"})
    tidelock("verify", "--shadow", shadow.url()).fails(exit=8, says=["P3006", 'relation "missing" does not exist'], at="002_b/migration.sql:2")


def test_what_was_changed_by_hand_is_different(database, folder, shadow, tidelock):
    write(folder, HISTORY)
    tidelock("deploy").succeeds()
    tidelock("verify", "--shadow", shadow.url(), "--against", "database").succeeds(says="no difference between migrations and database")
    database.query("CREATE INDEX hotfix ON t (m); ALTER TABLE t ALTER a SET NOT NULL")
    result = tidelock("verify", "--shadow", "create", "--against", "database").fails(exit=1)
    assert "+ index public.hotfix\n" in result.out and "~ column public.t.a\n    - integer\n    + integer not null\n" in result.out
    assert differences(tidelock, "migrations", "database", options=["--shadow", shadow.url(), "--ignore", "owner,grant"]) == ["~ column public.t.a", "+ index public.hotfix"]


def test_the_state_at_an_earlier_migration(database, folder, shadow, tidelock):
    write(folder, HISTORY)
    tidelock("deploy", "--to", "002_enum").succeeds()
    options = ["--shadow", shadow.url()]
    assert differences(tidelock, "migrations@002_enum", "database", options=options) == []
    assert differences(tidelock, "migrations@003_value", "migrations@004_use", options=options) == ["+ column public.t.m", "~ table public.t"]
    tidelock("diff", *options, "migrations@nowhere", "empty").fails(exit=2, says="nowhere")


def test_without_a_shadow_it_says_what_to_give(folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("verify").fails(exit=2, says=["none is given", "--shadow create"])
    tidelock("diff", "migrations", "empty").fails(exit=2, says="--shadow create")


@pytest.mark.every_major
def test_nothing_of_a_foreign_server_stays_in_a_given_shadow(folder, shadow, tidelock):
    shadow.query("CREATE EXTENSION file_fdw")
    write(folder, {
        "001_a": "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE USER MAPPING FOR PUBLIC SERVER files;",
        "002_b": "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler; CREATE CONVERSION other FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;",
    })  # fmt: skip
    for _ in range(2):
        tidelock("verify", "--shadow", shadow.url()).succeeds(says="the history replays")
    assert not shadow.query("SELECT srvname FROM pg_foreign_server UNION ALL SELECT conname FROM pg_conversion WHERE connamespace = 'public'::regnamespace")


def test_no_script_depends_on_the_session_of_one_before(folder, shadow, tidelock):
    """As in a deployment, which may begin with any of them."""
    write(
        folder,
        {
            "001_a": "CREATE SCHEMA other; SET search_path = other; SET ROLE pg_monitor; CREATE TEMP TABLE gone (a int); SET statement_timeout = '1s'",
            "002_b": "CREATE TABLE t (a int); SELECT pg_sleep(1.1)",
        },
    )
    tidelock("verify", "--shadow", shadow.url()).succeeds(says="the history replays")
    assert "+ table public.t" in differences(tidelock, "empty", "migrations", options=["--shadow", shadow.url()])
    folder.add("003_c", "ALTER TABLE gone ADD b int")
    tidelock("verify", "--shadow", shadow.url()).fails(exit=8, says='relation "gone" does not exist')


def test_what_belongs_to_the_database_as_a_whole_is_not_the_migrations_to_make(database, folder, shadow, tidelock):
    write(folder, HISTORY)
    tidelock("deploy").succeeds()
    database.query(f'REVOKE TEMPORARY ON DATABASE "{database.name}" FROM public; ALTER DATABASE "{database.name}" SET work_mem = \'5MB\'')
    tidelock("verify", "--shadow", "create", "--against", "database").succeeds(says="no difference")
    tidelock("drift", "--shadow", shadow.url()).succeeds(says="no difference")
    assert differences(tidelock, shadow.url(), "database", options=["--ignore", "owner,column,enum,table,index,grant type *,grant table *"]) == ["~ grant database to public", "+ setting work_mem"]
