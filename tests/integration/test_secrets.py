"""No secret in any output, in the arguments that others see, or in the environment's errors."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from servers import Database, distribution_major, free_port
from wait import wait_until

pytestmark = pytest.mark.libraries

SECRET = "s3cr3t-pa55"


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:{secret}@127.0.0.1:1/d",
        "postgresql://u:{secret}@nowhere.invalid/d",
        "postgresql://u:{secret}@[::1/d",
        "postgresql://u:{secret}@h:port/d",
        "postgresql://u:{secret}@h/d?connect_timeout=x",
        "postgresql://u:{secret}%zz@h/d",
        "mysql://u:{secret}@h/d",
        "u:{secret}",
        "postgresql://u@127.0.0.1:1/d?password={secret}",
        "postgresql://u@127.0.0.1:1/d?pasword={secret}",
    ],
)
def test_a_url_that_does_not_work_is_never_shown(database, folder, tidelock, url, log_format):
    folder.add("001_t", "SELECT 1")
    result = tidelock("deploy", "--connect-deadline", "0", "--log-level", "debug", "--log-format", log_format, url=url.format(secret=SECRET))
    assert result.code in (2, 3)
    assert SECRET not in result.out + result.errors


COMMANDS = [["deploy"], ["status"], ["status", "--json"], ["plan"], ["wait"], ["budget"], ["resolve", "--applied", "001_t"], ["run", "--", "true"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_password_that_ends_early_is_noticed_at_once(database, folder, tidelock, log_format, command):
    """Whichever character ends it, wherever it stands, no part of it is shown as a host, a port, a database or a parameter."""
    folder.add("001_t", "SELECT 1")
    for mark, encoded in [("#", "%23"), ("?", "%3F"), ("/", "%2F"), ("@", "%40"), (":", "%3A")]:
        for password in [f"4711{mark}s3cr3t", f"{mark}s3cr3t", f"4711{mark}", f"47{mark}11=s3cr3t", f"47@11{mark}s3cr3t"]:
            command_and_options = [*command[:1], "--connect-deadline", "20s", "--log-format", log_format, *command[1:]]
            result = tidelock(*command_and_options, url=f"postgresql://app:{password}@db.invalid:5432/shop")
            result.fails(exit=2, says=["P1013", f"{mark} as {encoded}"])
            said = result.out + result.errors
            assert not any(part in said for part in ("4711", "s3cr3t", "db.invalid", "shop", "waiting")), said


@pytest.mark.parametrize("url", ["postgresql://u:{}@/d", "postgresql://u:{}@h/d?a=b?c=d", '"postgresql://u:{}@h/d"', "postgresql://u:{}@h/d ", "postgresql://u:{}@${{HOST}}/d"])
def test_nonsense_is_not_guessed_around(database, folder, tidelock, url):
    folder.add("001_t", "SELECT 1")
    result = tidelock("deploy", "--connect-deadline", "20s", url=url.format(SECRET), environment={"PGHOST": "127.0.0.1"})
    result.fails(exit=2, says="P1013")
    assert SECRET not in result.errors and "waiting" not in result.errors


@pytest.mark.parametrize(
    "words",
    [
        [f"postgresql://u:{SECRET}@h/d"],
        [f"--postgresql://u:{SECRET}@h/d"],
        ["help", f"postgresql://u:{SECRET}@h/d"],
        ["status", f"u:{SECRET}@h/d"],
        ["status", f"host=h password={SECRET}"],
        ["status", f"--postgresql://u:{SECRET}@h/d?a=b"],
        ["status", "--connect-timeout", f"postgresql://u:{SECRET}@h/d"],
        ["status", "--migrations", f"postgresql://u:{SECRET}@h/d"],
        ["status", "--config", f"postgresql://u:{SECRET}@h/d"],
        ["run", "--", f"postgresql://u:{SECRET}@h/d"],
    ],
    ids=lambda words: words[0][:8],
)
def test_a_url_in_a_wrong_place_is_not_shown(database, folder, tidelock, words):
    folder.add("001_t", "SELECT 1")
    result = tidelock(*words)
    assert result.code not in (0, 3) and SECRET not in result.out + result.errors, result.errors


@pytest.mark.parametrize("word", ["tidelock", "ready", "public", "wrong", "phase", "complete", "migrations", "000", "umami"])
def test_a_password_that_is_a_word_leaves_all_others_alone(servers, folder, tidelock, tmp_path, word):
    """Role, password, database and schema of one name, and everything stays readable."""
    server = servers.get(distribution_major())
    database = Database(server, word)
    role = f"{word}_" if word == "public" else word  # which PostgreSQL reserves
    server.query(f"CREATE ROLE \"{role}\" LOGIN SUPERUSER PASSWORD '{word}'")
    try:
        folder.add("001_t", f'CREATE TABLE t (); COMMENT ON TABLE t IS \'{word}\'; ALTER ROLE "{role}" PASSWORD \'{word}\'')
        url = f"postgresql://{role}:{word}@127.0.0.1:{server.port}/{word}?schema={word}"
        status, last_word = tmp_path / "status", tmp_path / "last"
        last_word.write_text("")
        result = tidelock("deploy", "--status-file", status, "--termination-log", last_word, url=url).succeeds(applied=["001_t"])
        assert f'"{word}"' in result.errors and "***" not in result.out + result.errors
        assert json.loads(last_word.read_text())["result"] == "complete"
        assert 'tidelock_phase{phase="complete",' in status.read_text() and "***" not in status.read_text()
        tidelock("ready", "--status-file", status).succeeds(says="complete")
        said = json.loads(tidelock("status", "--json", url=url).out)
        assert (said["database"], said["schema"]) == (word, word)
        folder.add("002_t", f"ALTER ROLE nobody PASSWORD '{word}'")
        failed = tidelock("deploy", url=url).fails(exit=6, says=["PASSWORD '***'"])
        assert f"PASSWORD '{word}'" not in failed.errors and "usage or configuration is ***" not in failed.errors
    finally:
        database.drop()
        server.query(f'DROP ROLE "{role}"')


def test_a_script_that_says_the_password_does_not_make_it_known(database, folder, tidelock):
    folder.add("001_t", f"SELECT 'nothing'; DO $$ BEGIN RAISE NOTICE '{SECRET}'; RAISE EXCEPTION '{SECRET}'; END $$")
    result = tidelock("deploy", environment={"PGPASSWORD": SECRET})
    result.fails(exit=6)
    assert SECRET not in result.out + result.errors
    assert SECRET not in database.ledger()[0].logs


@pytest.mark.fault
@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("password, said", [("correct-horse-battery-staple", "correct-horse-battery-staple"), ("it's-secret9", "it''s-secret9"), ("back\\slash'9", "back\\\\slash''9")])
def test_a_password_in_a_script_is_never_shown_in_part(database, folder, tidelock, password, said, log_format, tmp_path):
    """Nor in the form that it has in a literal, wherever the text that holds it is cut."""
    (tmp_path / "last").touch()
    folder.add("001_t", "")
    for blanks in range(0, 40, 3):
        folder.replace("001_t", f"-- tidelock: transaction=off\nSELECT {' ' * blanks}E'{said}';\nSELECT {' ' * (80 + blanks)} E'{said}', 1/0;")
        result = tidelock("deploy", "--log-format", log_format, "--termination-log", tmp_path / "last", environment={"PGPASSWORD": password})
        assert result.code in (6, 7), result.errors
        text = result.out + result.errors + (tmp_path / "last").read_text()
        assert not any(part in text for part in (password[:6], said[:6], password[-6:], json.dumps(password)[1:7])), text
        tidelock("resolve", "--rolled-back", "001_t")


def test_a_url_on_the_command_line_is_wiped(database, folder, tidelock):
    folder.add("001_t", "SELECT pg_sleep(600)")
    url = database.url().replace("postgres@", f"postgres:{SECRET}@")
    running = tidelock.start("deploy", "--database-url", url, url="")
    arguments = pathlib.Path(f"/proc/{running.process.pid}/cmdline")
    wait_until(lambda: b"deploy" in arguments.read_bytes() and SECRET.encode() not in arguments.read_bytes(), "the argument to be wiped")
    running.signal()
    result = running.wait()
    assert "on the command line" in result.errors and SECRET not in result.errors


def test_a_secret_file_is_read_and_never_shown(database, folder, tidelock, tmp_path):
    folder.add("001_t", "SELECT 1")
    secret = tmp_path / "url"
    secret.write_text(database.url().replace("postgres@", f"postgres:{SECRET}@") + "\n")
    environment = {"DATABASE_URL_FILE": str(secret)}
    tidelock("deploy", url="", environment=environment).succeeds(applied=["001_t"])
    tidelock("deploy", environment=environment).fails(exit=2, says=["both DATABASE_URL and DATABASE_URL_FILE"])
    secret.write_text("")
    tidelock("deploy", url="", environment=environment).fails(exit=2, says=["is empty", "DATABASE_URL_FILE"])
    tidelock("deploy", url="", environment={"DATABASE_URL_FILE": "/nowhere"}).fails(exit=2, says=["/nowhere", "check that the Secret exists"])


def test_no_core_file_and_no_neighbour_sees_into_it(binary):
    """What is not dumpable belongs to root in /proc, and leaves no core file (proc(5), PR_SET_DUMPABLE)."""
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)
        program = shutil.copy(binary, home)
        (pathlib.Path(home) / "migrations" / "001_t").mkdir(parents=True)
        (pathlib.Path(home) / "migrations" / "001_t" / "migration.sql").write_text("SELECT 1")
        nobody = {"user": 65534} if os.getuid() == 0 else {}
        environment = {"DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d"}
        process = subprocess.Popen([program, "deploy"], cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **nobody)
        try:
            while "waiting for the database" not in (line := process.stderr.readline()):
                assert line
            assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0
        finally:
            process.kill()
            process.communicate()
