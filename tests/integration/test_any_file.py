"""A name that a user gives may stand for anything: a pipe, a device, a full or read-only volume. It is a warning or an error, at once."""

import os
import pathlib
import resource
import shutil
import stat
import subprocess
import threading

import pytest

pytestmark = pytest.mark.libraries


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@pytest.fixture
def device(tmp_path):
    """A device that swallows everything, under a name that may be lost."""
    try:
        os.mknod(tmp_path / "device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        (tmp_path / "device").open("w").close()
    except PermissionError:
        pytest.skip("no device can be made here")
    return tmp_path / "device"


OUTPUTS = ["--status-file", "--ready-file", "--termination-log"]


def test_ready_does_not_wait_for_a_writer(tidelock, folder, fifo):
    result = tidelock.start("ready", "--status-file", fifo, url="").wait(10)
    assert result.code == 1 and "unreadable" in result.out and "not a file but a named pipe" in result.out


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("command", ["deploy", "run", "wait"])
def test_a_pipe_that_nobody_reads_is_a_warning(tidelock, folder, database, fifo, option, command):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy").succeeds()
    words = ["--", "echo", "started"] if command == "run" else []
    result = tidelock.start(command, option, fifo, *words).wait(20).succeeds()
    assert "fifo" in result.errors and stat.S_ISFIFO(fifo.stat().st_mode) and (command != "run" or result.out == "started\n")


def test_a_pipe_that_somebody_reads_gets_the_termination_message(tidelock, folder, database, fifo):
    folder.add("001_t", "CREATE TABLE t ()")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    tidelock("deploy", "--termination-log", fifo).succeeds()
    assert b'"result":"complete"' in os.read(reader, 4096)
    os.close(reader)


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_device_stays_a_device(tidelock, folder, database, device, option):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", option, device).succeeds(applied=["001_t"])
    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize("option", ["--status-file", "--ready-file"])
def test_a_link_to_a_device_stays(tidelock, folder, database, tmp_path, option):
    (tmp_path / "link").symlink_to("/dev/null")
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", option, tmp_path / "link").succeeds()
    assert os.readlink(tmp_path / "link") == "/dev/null"


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_full_device_is_a_warning(tidelock, folder, database, option):
    folder.add("001_t", "CREATE TABLE t ()")
    assert "/dev/full" in tidelock("run", option, "/dev/full", "--", "echo", "started").succeeds(says="started").errors or option == "--termination-log"
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("most", [0, 100])
def test_a_limit_on_file_size_stops_nothing(tidelock, folder, database, tmp_path, most):
    folder.add("001_t", "CREATE TABLE t ()")
    (tmp_path / "word").touch()
    words = ["run", "--status-file", tmp_path / "status", "--ready-file", tmp_path / "ready", "--termination-log", tmp_path / "word", "--", "sh", "-c", "ulimit -f"]
    result = subprocess.run(
        [tidelock.binary, *words], env={"DATABASE_URL": database.url(), "PATH": os.environ["PATH"]}, cwd=folder.root, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert result.returncode == 0 and result.stdout.strip().isdigit() and result.stderr.count("File too large") == 1
    assert database.holds("t") and not (tmp_path / "status").exists()


def test_a_volume_that_turned_read_only_stops_nothing(tidelock, folder, database, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", volume], capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        (volume / "word").touch()
        (volume / "ready").touch()
        subprocess.run(["mount", "-o", "remount,ro", volume], check=True)
        folder.add("001_t", "CREATE TABLE t ()")
        words = ["--status-file", volume / "status", "--ready-file", volume / "ready", "--termination-log", volume / "word"]
        result = tidelock("run", *words, "--", "echo", "started").succeeds(says="Read-only file system")
        assert result.out == "started\n"
    finally:
        subprocess.run(["umount", volume], check=True)


def test_a_secret_may_come_through_a_pipe(tidelock, folder, database, fifo):
    folder.add("001_t", "CREATE TABLE t ()")
    running = tidelock.start("deploy", url="", environment={"DATABASE_URL_FILE": str(fifo)})
    writer = threading.Thread(target=lambda: fifo.write_text(database.url() + "\n"))
    writer.start()
    running.wait(30).succeeds(applied=["001_t"])
    writer.join()


@pytest.mark.parametrize("name", ["DATABASE_URL_FILE", "PGPASSWORD_FILE"])
def test_a_secret_that_never_comes_ends_with_a_signal(tidelock, folder, database, fifo, name):
    running = tidelock.start("deploy", url=None if name == "PGPASSWORD_FILE" else "", environment={name: str(fifo)})
    descriptor = os.open(fifo, os.O_WRONLY)  # waits for the reader
    running.signal()
    assert running.wait(10).code == 143
    os.close(descriptor)


@pytest.mark.parametrize("name, code", [("001_t/migration.sql", 8), ("migration_lock.toml", 0), ("tidelock.yaml", 2)])
def test_what_is_read_is_a_file(tidelock, folder, database, name, code):
    folder.add("001_t", "CREATE TABLE t ()")
    file = folder.root / name if name == "tidelock.yaml" else folder.path / name
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    result = tidelock.start("deploy").wait(30)
    assert result.code == code and file.name in result.errors


def test_the_configuration_may_come_through_a_pipe(tidelock, folder, database):
    shutil.copytree(folder.path, folder.root / "other")
    (folder.root / "other" / "001_t").mkdir()
    (folder.root / "other" / "001_t" / "migration.sql").write_text("CREATE TABLE t ()")
    script = f"exec {tidelock.binary} deploy --config <(echo 'migrations: other')"
    subprocess.run(["bash", "-c", script], cwd=folder.root, env={"DATABASE_URL": database.url(), "PATH": os.environ["PATH"]}, check=True)
    assert database.holds("t") and pathlib.Path(folder.root / "other").is_dir()


READ_BY_LIBRARIES = {
    "PGSERVICEFILE": ("", {"PGSERVICE": "shop"}),
    "PGPASSFILE": (None, {}),
    "passfile": (None, {}),
    **{f"PGSSL{name}": (None, {}) for name in ["ROOTCERT", "CERT", "KEY", "CRL"]},
    **{f"PGSSL{name}, service": ("", {"PGSERVICE": "shop"}) for name in ["ROOTCERT", "CERT", "KEY", "CRL"]},
    "SSL_CERT_FILE": ("verify", {}),
}


@pytest.mark.fault
@pytest.mark.parametrize("name", READ_BY_LIBRARIES)
@pytest.mark.parametrize("command", ["status", "deploy", "wait"])
def test_what_a_library_would_wait_for_is_refused(tidelock, folder, database, fifo, name, command):
    """Deaf to signals, as it reads by itself."""
    folder.add("001_t", "CREATE TABLE t ()")
    url, environment = READ_BY_LIBRARIES[name]
    parameters = {"sslmode": "verify-ca"} if url == "verify" else {"passfile": fifo} if name == "passfile" else {}
    url = url if url == "" else database.server.url(database.name, **parameters)
    result = tidelock.start(command, url=url, environment={**environment, name.split(",")[0]: str(fifo)}).wait(20)
    result.fails(exit=2, says=str(fifo))


@pytest.mark.fault
def test_the_ca_of_a_webhook_that_a_library_would_wait_for(tidelock, folder, database, fifo):
    folder.add("001_t", "CREATE TABLE t ()")
    environment = {"TIDELOCK_WEBHOOK": "https://127.0.0.1:9/x", "SSL_CERT_FILE": str(fifo)}
    result = tidelock.start("deploy", environment=environment).wait(20).succeeds(applied=["001_t"])
    assert "not a file but a named pipe" in result.errors


@pytest.mark.fault
def test_a_password_file_that_is_none_by_intention(tidelock, folder, database):
    folder.add("001_t", "CREATE TABLE t ()")
    tidelock("deploy", environment={"PGPASSFILE": "/dev/null"}).succeeds(applied=["001_t"])
