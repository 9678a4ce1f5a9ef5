"""The status file, the ready file and the termination message: what a run tells the world outside."""

import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from metrics import PROMTOOL, samples
from servers import free_port
from tool import wait_for_session
from wait import wait_until

PHASES = ["connecting", "waiting_budget", "waiting_leader", "waiting_lock", "applying", "complete", "failed", "interrupted"]


@pytest.fixture
def status(tmp_path):
    return tmp_path / "status.prom"


def phase(file):
    values = samples(file)
    shown = {name: values[f'tidelock_phase{{phase="{name}"}}'] for name in PHASES}
    (current,) = [name for name, value in shown.items() if value == 1]
    assert sorted(shown.values()) == [0] * (len(PHASES) - 1) + [1]
    return current


def in_phase(file, name):
    return file.exists() and phase(file) == name


@pytest.mark.skipif(not PROMTOOL.exists(), reason="promtool can't be had")
def test_promtool_finds_fault_with_what_is_wrong():
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input="a_total{ 1\n", capture_output=True, text=True)
    assert checked.returncode != 0


WAYS = {
    "connecting": {"server": "away"},
    "waiting_budget": {"words": ["--headroom", "10000"]},
    "waiting_leader": {"server": "led"},
    "waiting_lock": {"script": "DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '55P03'; END $$"},
    "applying": {"script": "SELECT pg_sleep(600)"},
    "complete": {"script": "SELECT 1"},
    "failed": {"script": "SELECT 1/0"},
    "interrupted": {"script": "SELECT pg_sleep(600)", "ends": True},
}


@pytest.mark.parametrize("name", PHASES)
def test_each_phase_is_shown_and_valid(tidelock, folder, database, status, name):
    """`samples` has promtool look at it; a signal ends each phase that waits for something."""
    way = WAYS[name]
    folder.add("001_t", way.get("script", "SELECT 1"))
    with database.connect() as leader:
        if way.get("server") == "led":
            leader.execute("SELECT pg_advisory_lock(72707369)")
        url = f"postgresql://u@127.0.0.1:{free_port()}/d" if way.get("server") == "away" else None
        running = tidelock.start("deploy", "--status-file", status, *way.get("words", []), url=url)
        if way.get("ends"):
            wait_for_session(database, "pg_sleep")
            running.signal()
        wait_until(lambda: in_phase(status, name), f"the phase {name}")
        running.signal()
        code = running.wait().code
    assert code == {"complete": 0, "failed": 6}.get(name, 128 + signal.SIGTERM)
    assert phase(status) == (name if code in (0, 6) else "interrupted")


def test_a_deployment_that_is_done(tidelock, folder, database, status):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_t", "CREATE TABLE u ()")
    tidelock("deploy", "--status-file", status).succeeds()
    values = samples(status)
    assert phase(status) == "complete" and values["tidelock_ready"] == 1 and values["tidelock_exit_code"] == 0
    assert values['tidelock_migrations{state="applied"}'] == 2 and values['tidelock_migrations{state="pending"}'] == 0
    assert values["tidelock_migrations_applied_total"] == 2 and values["tidelock_leader"] == 0
    assert values['tidelock_migration_duration_seconds{migration="002_t"}'] == values["tidelock_last_migration_duration_seconds"]
    assert values['tidelock_migration_duration_seconds{migration="001_t"}'] > 0
    assert values["tidelock_run_start_timestamp_seconds"] <= values["tidelock_run_end_timestamp_seconds"]
    assert status.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in status.parent.iterdir() if file.name.startswith("status")] == ["status.prom"]


def test_while_it_applies_it_is_live(tidelock, folder, database, status):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_slow", "SELECT pg_sleep(600)")
    running = tidelock.start("deploy", "--status-file", status)
    wait_for_session(database, "pg_sleep")
    wait_until(lambda: "tidelock_current_migration_info" in status.read_text() and "002_slow" in status.read_text(), "the migration to be named")
    values = samples(status)
    assert phase(status) == "applying" and values["tidelock_ready"] == 0 and values["tidelock_leader"] == 1
    assert values['tidelock_current_migration_info{migration="002_slow",mode="atomic"}'] == 1
    assert values["tidelock_connections"] == 1 and values["tidelock_connections_budget"] == 2 and "tidelock_exit_code" not in values
    used, reserved, free = (values[f'tidelock_server_connections{{kind="{kind}"}}'] for kind in ("used", "reserved", "free"))
    assert used >= 1 and reserved == 3 and used + reserved + free == 60
    written = values["tidelock_status_update_timestamp_seconds"]
    wait_until(lambda: samples(status)["tidelock_status_update_timestamp_seconds"] > written, "the next beat")
    assert "not complete: applying" in tidelock("ready", "--status-file", status).out
    running.signal()
    running.wait()
    assert phase(status) == "interrupted" and samples(status)["tidelock_exit_code"] == 128 + signal.SIGTERM


def test_a_deployment_that_failed(tidelock, folder, database, status):
    folder.add("001_bad", "SELECT 1/0")
    tidelock("deploy", "--status-file", status).fails(exit=6)
    values = samples(status)
    assert phase(status) == "failed" and values["tidelock_ready"] == 0 and values["tidelock_exit_code"] == 6
    assert values['tidelock_migrations{state="pending"}'] == 1


def test_a_follower(tidelock, folder, database, status):
    folder.add("001_t", "CREATE TABLE t ()")
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        running = tidelock.start("deploy", "--status-file", status)
        wait_until(lambda: in_phase(status, "waiting_leader"), "it to follow")
        assert samples(status)["tidelock_leader"] == 0
    running.wait().succeeds()
    assert samples(status)["tidelock_leader_lock_wait_seconds_total"] == samples(status)["tidelock_lock_wait_seconds_total"] > 0


def test_while_the_server_is_not_there(tidelock, folder, database, status):
    folder.add("001_t", "SELECT 1")
    from servers import free_port

    running = tidelock.start("deploy", "--status-file", status, url=f"postgresql://u@127.0.0.1:{free_port()}/d")
    wait_until(lambda: in_phase(status, "connecting") and samples(status)['tidelock_retries_total{reason="connect"}'] > 1, "retries to be counted")
    running.signal()
    running.wait()


def test_nobody_ever_reads_half_a_file(tidelock, folder, database, status):
    for number in range(60):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} ()")
    torn, reads, done = [], [0], threading.Event()

    def read():
        while not done.is_set():
            try:
                text = status.read_text()
            except FileNotFoundError:
                continue
            reads[0] += 1
            if not text.endswith("\n") or "tidelock_connections{" not in text:
                torn.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    tidelock("deploy", "--status-file", status).succeeds()
    done.set()
    reader.join()
    assert reads[0] and not torn


@pytest.mark.parametrize("where", ["/nowhere/status.prom", "/proc/status.prom"])
def test_what_cannot_be_written_is_warned_of_once_and_stops_nothing(tidelock, folder, database, where):
    folder.add("001_t", "CREATE TABLE t ()")
    folder.add("002_t", "CREATE TABLE u ()")
    result = tidelock("deploy", "--status-file", where).succeeds(applied=["001_t", "002_t"])
    assert result.errors.count("continuing without the status file") == 1


def test_a_full_disk_stops_nothing(tidelock, folder, database, tmp_path):
    folder.add("001_t", "CREATE TABLE t ()")
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "none", full], capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        (full / "filler").write_bytes(b"x" * 4096)
        tidelock("deploy", "--status-file", full / "status.prom", "--ready-file", full / "ready").succeeds(applied=["001_t"], says="No space left")
        assert os.listdir(full) == ["filler"]
    finally:
        subprocess.run(["umount", full], check=True)


def test_run_leaves_a_final_file_behind(tidelock, folder, database, status):
    folder.add("001_t", "CREATE TABLE t ()")
    assert tidelock("run", "--status-file", status, "--", "cat", status).succeeds().out == status.read_text()
    assert phase(status) == "complete"
    tidelock("run", "--status-file", status, "--", "no-such-command").fails(exit=127)
    assert phase(status) == "failed" and samples(status)["tidelock_exit_code"] == 127


@pytest.fixture
def exporter(tmp_path):
    """A real node exporter that reads the files of its folder, and nothing else; called, it shows what it serves."""
    program = PROMTOOL.parents[3] / "node-exporter" / "usr" / "bin" / "prometheus-node-exporter"
    if not program.exists():
        pytest.skip("the node exporter can't be had")
    port = free_port()
    words = ["--collector.disable-defaults", "--web.disable-exporter-metrics", "--collector.textfile"]
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    process = subprocess.Popen(
        [program, *words, f"--collector.textfile.directory={textfiles}", f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def read():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def is_up():
        try:
            return read()
        except OSError:
            return None

    read.folder = textfiles
    try:
        wait_until(is_up, "the node exporter")
        yield read
    finally:
        process.kill()
        process.wait()


def test_status_files_of_two_databases_share_a_folder(tidelock, folder, database, exporter):
    """One is done, the other is away: it never learns from the server what it is called."""
    folder.add("001_t", "SELECT 1")
    tidelock("deploy", "--status-file", exporter.folder / "one.prom").succeeds()
    away = f"postgresql://u@127.0.0.1:{free_port()}/billing?schema=invoices"
    tidelock("deploy", "--status-file", exporter.folder / "two.prom", "--connect-deadline", "0", url=away).fails(exit=3)
    shown = exporter()
    assert "node_textfile_scrape_error 0" in shown, shown
    assert re.search(rf'^tidelock_phase{{database="{database.name}",phase="complete",schema="public"}} 1$', shown, re.M), shown
    assert re.search(r'^tidelock_phase{database="billing",phase="failed",schema="invoices"} 1$', shown, re.M), shown
    assert len(re.findall(r"^tidelock_exit_code{", shown, re.M)) == 2


def test_labels_of_ones_own_keep_files_of_the_same_database_apart(tidelock, folder, database, exporter):
    folder.add("001_t", "SELECT 1")
    for name in ["blue", "green"]:
        tidelock("deploy", "--status-file", exporter.folder / f"{name}.prom", "--metrics-labels", f"side={name}, owner=a b").succeeds()
    shown = exporter()
    for name in ["blue", "green"]:
        assert f'tidelock_ready{{database="{database.name}",owner="a b",schema="public",side="{name}"}} 1' in shown
    # Without them, one of two is lost.
    for name in ["third", "fourth"]:
        tidelock("deploy", "--status-file", exporter.folder / f"{name}.prom").succeeds()
    assert len(re.findall("^tidelock_ready{", exporter(), re.M)) < 4


@pytest.mark.parametrize(
    "labels, says",
    [
        ("team", '--metrics-labels: "team" is not a label of metrics'),
        ("a-b=c", '--metrics-labels: "a-b=c" is not a label of metrics'),
        ("__a=b", '--metrics-labels: "__a=b" is not a label of metrics'),
        ("a=1,a=2", '--metrics-labels: the label "a" is given twice'),
        (",".join(f"l{number}=x" for number in range(17)), "--metrics-labels: there can be at most 16 labels"),
        ("a=" + "x" * 1024, "--metrics-labels: the labels are longer than 1024 bytes"),
    ],
    ids=["no-value", "no-name", "reserved", "twice", "many", "long"],
)
def test_what_is_no_label_is_refused(tidelock, folder, status, labels, says):
    folder.add("001_t", "SELECT 1")
    tidelock("deploy", "--status-file", status, "--metrics-labels", labels, url="postgresql://u@127.0.0.1:1/d").fails(exit=2, says=says)
    assert not status.exists()


def test_a_label_that_is_given_takes_the_place_of_ours(tidelock, folder, database, status):
    folder.add("001_t", "SELECT 1")
    tidelock("deploy", environment={"TIDELOCK_STATUS_FILE": str(status), "TIDELOCK_METRICS_LABELS": "database=shop,schema=,phase=blue"}).succeeds()
    text = status.read_text()
    assert 'tidelock_ready{database="shop",schema="",phase="blue"} 1\n' in text
    assert 'tidelock_phase{phase="complete",database="shop",schema=""} 1\n' in text
    tidelock("ready", "--status-file", status).succeeds()


def test_several_writers_tear_nothing(tidelock, folder, database, status):
    """In containers that share a volume, each writer has the same pid."""
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("no namespace can be made here")
    for number in range(20):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} ()")
    torn, reads, done = [], [0], threading.Event()

    def read():
        while not done.is_set():
            text = status.read_text() if status.exists() else ""
            reads[0] += text != ""
            if text and (not text.endswith("\n") or "tidelock_connections{" not in text):
                torn.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    words = ["unshare", "--pid", "--fork", "--kill-child", tidelock.binary, "deploy", "--status-file", status]
    environment = {"DATABASE_URL": database.url(), "PATH": os.environ["PATH"]}
    writers = [subprocess.Popen(words, env=environment, cwd=folder.root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(6)]
    said = [writer.communicate(timeout=120)[1] for writer in writers]
    done.set()
    reader.join()
    assert [writer.returncode for writer in writers] == [0] * 6 and not [text for text in said if "could not write" in text]
    assert reads[0] and not torn and [file.name for file in status.parent.iterdir() if file.name.startswith("status")] == ["status.prom"]


# ---- ready ----


def test_ready_says_why_not(tidelock, folder, database, status):
    folder.add("001_t", "SELECT 1")
    assert tidelock("ready", "--status-file", status).code == 1
    assert "missing" in tidelock("ready", "--status-file", status).out
    status.write_text("half a fi")
    assert "malformed" in tidelock("ready", "--status-file", status).out
    status.write_text('tidelock_ready 0\ntidelock_phase{phase="applying"} 1\ntidelock_status_update_timestamp_seconds 1700000000\n')
    result = tidelock("ready", "--status-file", status)
    assert result.code == 1 and "stale" in result.out and "its writer is gone" in result.out
    tidelock("deploy", "--status-file", status).succeeds()
    assert tidelock("ready", environment={"TIDELOCK_STATUS_FILE": str(status)}).succeeds().out == "complete\n"
    assert "unreadable" in tidelock("ready", "--status-file", status.parent).out
    tidelock("ready").fails(exit=2, says="ready needs the status file")


def test_ready_needs_no_database(tidelock, folder, status):
    assert tidelock("ready", "--status-file", status, url="").code == 1


def test_the_ready_file_is_there_when_and_only_when_it_is_complete(tidelock, folder, database, tmp_path):
    ready = tmp_path / "ready"
    ready.write_text("of an earlier run")
    folder.add("001_bad", "SELECT 1/0")
    tidelock("deploy", "--ready-file", ready).fails(exit=6)
    assert not ready.exists()
    folder.replace("001_bad", "SELECT 1")
    tidelock("deploy", "--ready-file", ready).succeeds()
    assert ready.read_bytes() == b""


def test_the_ready_file_goes_when_the_command_does_not_start(tidelock, folder, database, tmp_path):
    (folder.root / "broken").write_text("\x7fELF no program")
    (folder.root / "broken").chmod(0o755)
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("run", "--ready-file", tmp_path / "ready", "--", "./broken").fails(exit=126)
    assert not (tmp_path / "ready").exists()


# ---- the termination message ----


@pytest.fixture
def termination_log(tmp_path):
    file = tmp_path / "termination-log"
    file.touch()
    return file


def test_the_termination_log_of_a_success(tidelock, folder, database, termination_log):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", "--termination-log", termination_log).succeeds()
    assert json.loads(termination_log.read_text()) == {"result": "complete", "exit_code": 0, "applied": 1, "pending": 0}


def test_the_termination_log_of_a_failure(tidelock, folder, database, termination_log):
    inode = termination_log.stat().st_ino
    termination_log.write_text("x" * 4000)
    folder.add("001_bad", "SELECT 1;\nSELECT 1/0")
    tidelock("deploy", "--termination-log", termination_log).fails(exit=6)
    said = termination_log.read_text()
    word = json.loads(said)
    assert len(said.encode()) <= 1024 and said.count("\n") == 1 and termination_log.stat().st_ino == inode
    assert word["exit_code"] == 6 and word["code"] == "P3018" and word["sqlstate"] == "22012" and "001_bad" in word["message"]
    assert word["at"].endswith("001_bad/migration.sql:2:1") and word["holds"].startswith("Nothing of 001_bad") and "deploy again" in word["next"]


def test_the_termination_log_of_a_run_that_did_not_begin(tidelock, folder, database, termination_log):
    tidelock("deploy", "--termination-log", termination_log, "--migrations", "nowhere").fails(exit=2)
    assert "nowhere" in json.loads(termination_log.read_text())["message"]


@pytest.mark.parametrize("before", ["", "what an earlier run said"])
def test_a_run_leaves_no_word_that_speaks_for_the_command(tidelock, folder, database, termination_log, before):
    termination_log.write_text(before)
    folder.add("001_t", "CREATE TABLE t ()")
    assert tidelock("run", "--termination-log", termination_log, "--", "sh", "-c", "exit 1").code == 1
    assert termination_log.read_text() == ""
    tidelock("run", "--termination-log", termination_log, "--", "no-such-command").fails(exit=127)
    assert json.loads(termination_log.read_text())["exit_code"] == 127


def test_a_termination_log_without_a_place(tidelock, folder, database, tmp_path):
    folder.add("001_t", "SELECT 1")
    tidelock("deploy").succeeds()
    result = tidelock("deploy", "--termination-log", tmp_path / "absent").succeeds()
    assert "absent" in result.errors and not (tmp_path / "absent").exists()


def test_no_password_in_any_of_them(tidelock, folder, database, status, termination_log):
    url = database.url().replace("postgres@", "nobody:s3cretpw@")
    tidelock("deploy", "--status-file", status, "--termination-log", termination_log, url=url).fails(exit=2)
    assert "s3cretpw" not in status.read_text() + termination_log.read_text() and "nobody" not in status.read_text()
