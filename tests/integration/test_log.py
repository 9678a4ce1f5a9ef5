"""Log lines: for people, or for machines by option; results alone on stdout."""

import json
import pty
import os
import subprocess


def test_json_lines_are_json_with_fields(database, folder, tidelock):
    folder.add("001_a", "DO $$ BEGIN RAISE NOTICE 'said so'; RAISE WARNING 'careful'; END $$")
    folder.add("002_b", "SELECT 1/0")
    result = tidelock("deploy", "--log-format", "json").fails(exit=6)
    records = [json.loads(line) for line in result.errors.splitlines()]
    assert [record["level"] for record in records] == ["info", "warn", "info", "error"]
    assert records[0]["msg"] == "server: said so" and records[0]["migration"] == "001_a" and records[0]["database"] == database.name
    assert records[2]["duration_ms"] >= 0 and records[2]["mode"] == "atomic"
    assert records[3]["code"] == "P3018" and records[3]["sqlstate"] == "22012" and records[3]["exit_code"] == 6
    assert records[3]["at"].endswith("002_b/migration.sql:1:1")


def test_logfmt_is_one_line_an_event(database, folder, tidelock):
    folder.add("001_a", "SELECT 1/0 -- \"quoted\"")
    result = tidelock("deploy", "--log-format", "logfmt").fails(exit=6)
    [line] = result.errors.splitlines()
    assert line.startswith("ts=") and " level=error " in line and ' sqlstate=22012 ' in line and " exit_code=6" in line


def test_colour_only_on_a_terminal_and_never_with_no_color(binary, database, folder, tidelock):
    folder.add("001_a", "SELECT 1/0")
    assert "\033[" not in tidelock("deploy").fails(exit=6).errors
    for no_color, has_color in [("", True), ("1", False)]:
        ours, theirs = pty.openpty()
        environment = {"DATABASE_URL": database.url(), "NO_COLOR": no_color, "TERM": "xterm"}
        process = subprocess.Popen([binary, "deploy"], cwd=folder.root, env=environment, stderr=theirs, stdout=subprocess.DEVNULL)
        os.close(theirs)
        text = b""
        try:
            while True:
                more = os.read(ours, 65536)
                if not more:
                    break
                text += more
        except OSError:
            pass
        os.close(ours)
        process.wait()
        assert (b"\033[" in text) == has_color, text


def test_usage_errors_name_what_was_probably_meant(database, folder, tidelock):
    folder.add("001_a", "SELECT 1")
    tidelock("depoly").fails(exit=2, says="tidelock deploy")
    tidelock("deploy", "--lock-timeot", "5s").fails(exit=2, says="--lock-timeout")
    tidelock("deploy", "--lock-timeout", "5").fails(exit=2, says=["--lock-timeout", "duration"])
    tidelock("deploy", "--json").fails(exit=2, says="this command has no option --json")
    tidelock("deploy", environment={"TIDELOCK_LOG_FORMAT": "xml"}).fails(exit=2, says=["TIDELOCK_LOG_FORMAT", "logfmt"])
    tidelock("deploy", environment={"TIDELOCK_STRCT": "1", "TIDELOCK_PORT": "tcp://10.0.0.1:80"}).succeeds(says="TIDELOCK_STRICT")
    (folder.root / "tidelock.yaml").write_text("migrations: prisma/migrations\nlock_timout: 5s\n")
    tidelock("deploy").fails(exit=2, says=["tidelock.yaml:2", "lock_timeout"])
    (folder.root / "tidelock.yaml").unlink()
    tidelock().fails(exit=2, says="tidelock deploy")
    tidelock("deploy", "--migrations", "nowhere").fails(exit=2, says="nowhere")
