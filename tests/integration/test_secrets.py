"""No secret in any output, in the arguments that others see, or in the environment's errors."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from servers import free_port
from wait import wait_until

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


def test_a_script_that_says_the_password_does_not_make_it_known(database, folder, tidelock):
    folder.add("001_t", f"SELECT 'nothing'; DO $$ BEGIN RAISE NOTICE '{SECRET}'; RAISE EXCEPTION '{SECRET}'; END $$")
    result = tidelock("deploy", environment={"PGPASSWORD": SECRET})
    result.fails(exit=6)
    assert SECRET not in result.out + result.errors
    assert SECRET not in database.ledger()[0].logs


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
        (pathlib.Path(home) / "migrations").mkdir(mode=0o755)
        nobody = {"user": 65534} if os.getuid() == 0 else {}
        environment = {"DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d"}
        process = subprocess.Popen([program, "deploy"], cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **nobody)
        try:
            assert "waiting for the database" in process.stderr.readline()
            assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0
        finally:
            process.kill()
            process.communicate()
