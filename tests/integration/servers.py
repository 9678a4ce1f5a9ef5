"""Real PostgreSQL servers, one for each major version that is installed; started when first used, stopped for sure."""

import collections
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.parse

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]


def installed():
    """{major: directory of binaries}: the distribution's, and what tests/deps brought from npm."""
    found = {}
    for binary in [*ROOT.glob("build/npm/postgresql-*/native/bin/postgres"), *pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")]:
        version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
        found[int(re.search(r"(\d+)\.", version)[1])] = binary.parent
    return dict(sorted(found.items()))


def distribution_major():
    versions = [int(path.parent.parent.name) for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(versions)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_user():
    """PostgreSQL refuses to run as root."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def room_for_data():
    """Where a server's files go: into memory where that holds plenty, since there CREATE DATABASE is several times as fast."""
    memory = pathlib.Path("/dev/shm")
    is_roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 8 * 1024**3
    return memory if is_roomy else None


class Server:
    def __init__(self, major, binaries, settings=(), hba=None, primary=None, backup=None):
        """A new one, a streaming replica of `primary`, or what is restored from a `backup`."""
        self.major = major
        self.binaries = binaries
        self.settings = list(settings)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"tidelock-{major}-", dir=room_for_data()))
        self.data = self.home / "data"
        self.log = self.home / "log"
        self.user = server_user()
        os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.home.chmod(0o755)
        if primary:
            self._run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-d", primary.url("postgres"))
        elif backup:
            subprocess.run(["cp", "-a", backup, self.data], check=True)
        else:
            self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        if hba:
            (self.data / "pg_hba.conf").write_text(hba)
        self.port = free_port()
        self.process = None
        self.start()

    def _run(self, program, *arguments):
        return subprocess.run(
            [self.binaries / program, *arguments],
            check=True,
            capture_output=True,
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
            cwd=self.home,
        )

    def start(self):
        settings = ["fsync=off", "listen_addresses=127.0.0.1", "log_statement=all", "max_connections=60", "max_wal_size=256MB", *self.settings]
        options = [option for setting in settings for option in ("-c", setting)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.home, *options],
                stdout=log,
                stderr=log,
                user=self.user.pw_uid,
                group=self.user.pw_gid,
                extra_groups=[],
                cwd=self.home,
                start_new_session=True,
            )
        from wait import wait_until

        wait_until(self._is_up, f"PostgreSQL {self.major} to start")

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL {self.major} did not start:\n{self.log.read_text()[-2000:]}")
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode="immediate"):
        if self.process and self.process.poll() is None:
            self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
        self.process = None

    def back_up(self):
        """A base backup, in a folder of its own that goes with the server."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="backup-", dir=self.home))
        os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self._run("pg_basebackup", "-D", folder, "-c", "fast", "-d", self.url("postgres"))
        return folder

    def remove(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, database, user="postgres", port=None, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}{query}"

    def query(self, statement, *parameters, database="postgres"):
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return ask(connection, statement, parameters)


def ask(connection, statement, parameters):
    cursor = connection.execute(statement, parameters or None)
    return cursor.fetchall() if cursor.description else []


class Servers:
    """All servers of this test process."""

    def __init__(self):
        self.binaries = installed()
        self.running = {}

    def get(self, major):
        if major not in self.running:
            self.running[major] = Server(major, self.binaries[major])
        return self.running[major]

    def remove(self):
        for server in self.running.values():
            server.remove()


Row = collections.namedtuple("Row", "name finished rolled_back steps logs checksum id started_at finished_at")


class Database:
    """A database of its own for a test; or one that is there already."""

    def __init__(self, server, name, is_there=False):
        self.server = server
        self.name = name
        self.connection = None
        if not is_there:
            server.query(f'CREATE DATABASE "{name}"')

    def drop(self):
        self.server.query(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def url(self, **parameters):
        return self.server.url(self.name, **parameters)

    def connect(self):
        # Without prepared statements: those fail when a migration changes the shape of what they return.
        return psycopg.connect(self.url(), autocommit=True, prepare_threshold=None)

    @contextlib.contextmanager
    def one_connection(self):
        """For many questions: each goes over the same connection, which costs a fifth of one of its own."""
        with self.connect() as connection:
            self.connection = connection
            try:
                yield
            finally:
                self.connection = None

    def query(self, statement, *parameters):
        if self.connection:
            return ask(self.connection, statement, parameters)
        return self.server.query(statement, *parameters, database=self.name)

    def value(self, statement, *parameters):
        return self.query(statement, *parameters)[0][0]

    def holds(self, relation):
        return self.value("SELECT to_regclass(%s) IS NOT NULL", relation)

    def ledger(self, schema="public"):
        rows = self.query(
            "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, applied_steps_count, logs, checksum, id,"
            f' started_at, finished_at FROM "{schema}"._prisma_migrations ORDER BY started_at'
        )
        return [Row(*row) for row in rows]

    def applied(self):
        return [row.name for row in self.ledger() if row.finished and not row.rolled_back]

    def dump(self):
        """The schema as pg_dump sees it, without our own tables."""
        command = [self.server.binaries / "pg_dump", "-s", "-T", "_prisma_migrations", "-N", "tidelock", "-d", self.url()]
        if not command[0].exists():
            command[0] = "pg_dump"
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--")))

    def sessions(self):
        """What an observer sees of the database now; for failure messages."""
        return self.query("SELECT pid, application_name, state, wait_event, left(query, 80) FROM pg_stat_activity WHERE datname = %s", self.name)
