"""The migration tools whose folders tidelock deploys with their own ledger and lock: each as it really is, behind one interface."""

import json
import os
import pathlib
import re
import subprocess
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "peers"


class PeerFolder:
    """Migrations in one tool's spelling; `root` is the project, `path` the folder of the scripts."""

    def __init__(self, peer, root):
        self.peer = peer
        self.root = root
        self.path = root / "migrations"
        self.path.mkdir(parents=True)

    def add(self, number, description, up, down=None, transaction=True):
        """Adds a migration; gives the path of its script."""
        files = self.peer.migration(number, description, up, down, transaction)
        for name, text in files.items():
            (self.path / name).parent.mkdir(exist_ok=True)
            (self.path / name).write_text(text)
        self.peer.enter(self, number, description)
        return self.path / next(iter(files))


class Peer:
    name = None  # as --format spells it
    label = None  # in a test's name
    program = None  # below build/peers
    is_ambiguous = False  # its files may be another tool's: only the ledger tells
    has_lock = False  # so that two of it may run at once
    has_status = True
    has_checksum = False
    has_nontransactional = True
    nontransactional_words = []  # without which a script outside a transaction hangs
    ledger_columns = None  # those that hold no time
    ledger_table = None
    ledger_order = None
    says_applied = None  # a migration's name, in what `up` prints

    def __init__(self):
        self.started = []

    @classmethod
    def is_installed(cls):
        return (HOME / cls.program).exists()

    def folder(self, root):
        return PeerFolder(self, root)

    def migration(self, number, description, up, down=None, transaction=True):
        """{file name: content}, the script first."""
        raise NotImplementedError

    def version(self, number):
        """What the ledger calls the migration with this number."""
        return number

    def enter(self, folder, number, description):
        """Where the folder has a table of contents."""

    def start(self, folder, *command, environment=None):
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=folder.root,
            env={"PATH": os.environ["PATH"], "HOME": str(folder.root), "NO_COLOR": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, folder, *command, **options):
        return finished(self.start(folder, *command, **options))

    def command(self, url, folder, *words):
        """The tool's command line with its folder and database."""
        raise NotImplementedError

    def start_up(self, url, folder, *words):
        return self.start(folder, *self.command(url, folder, "up", *words))

    def up(self, url, folder, *words):
        return finished(self.start_up(url, folder, *words))

    def status(self, url, folder):
        return self.run(folder, *self.command(url, folder, "status"))

    def is_content(self, url, folder):
        """Whether its status names nothing that is pending, failed or changed."""
        status = self.status(url, folder)
        return status.returncode == 0 and not re.search(r"(?i)pending|failed|missing|different", status.stdout)

    def down(self, url, folder):
        """Takes the newest back."""
        return self.run(folder, *self.command(url, folder, "down"))

    def applied(self, done):
        """What `up` says that it applied."""
        return re.findall(self.says_applied, done.stdout)

    def mend(self, database, folder, last):
        """Takes the mark of what failed off, by the tool's own means; `last` is the last migration that holds."""
        raise NotImplementedError(f"{self.name} leaves none")

    def has_ledger(self, database):
        return database.holds(self.ledger_table)

    def ledger(self, database):
        return database.query(f"SELECT {self.ledger_columns} FROM {self.ledger_table} ORDER BY {self.ledger_order}")

    def clean_up(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()


def finished(process, seconds=180):
    out, _ = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(process.args, process.returncode, out)


def plain(url):
    """Go's and Rust's drivers want TLS, or have none, unless they are told."""
    return url + ("&" if "?" in url else "?") + "sslmode=disable"


class GolangMigrate(Peer):
    """A script is one query: outside a transaction it may hold one statement."""

    name = "golang-migrate"
    program = "golang-migrate/migrate"
    is_ambiguous = True
    has_lock = True
    ledger_columns = "version, dirty"
    ledger_table = "schema_migrations"
    ledger_order = "version"
    says_applied = r"(?m)^(\d+)/u "

    def migration(self, number, description, up, down=None, transaction=True):
        stem = f"{number:06}_{description}"
        return {f"{stem}.up.sql": up, **({} if down is None else {f"{stem}.down.sql": down})}

    def command(self, url, folder, *words):
        words = ["down", "1"] if words == ("down",) else ["version"] if words == ("status",) else words
        return [HOME / self.program, "-path", folder.path, "-database", plain(url), *words]

    def is_content(self, url, folder):
        """It has no more than the version, and whether that one is dirty."""
        newest = max(int(file.name.split("_")[0]) for file in folder.path.glob("*.up.sql"))
        return self.status(url, folder).stdout.split() == [str(newest)]

    def force(self, url, folder, number):
        return self.run(folder, *self.command(url, folder, "force", str(number)))

    def mend(self, database, folder, last):
        assert self.force(database.url(), folder, last).returncode == 0


class Goose(Peer):
    name = "goose"
    program = "goose/goose"
    ledger_columns = "id, version_id, is_applied"
    ledger_table = "goose_db_version"
    ledger_order = "id"
    says_applied = r"OK\s+(\S+\.sql)"

    def migration(self, number, description, up, down=None, transaction=True):
        head = "" if transaction else "-- +goose NO TRANSACTION\n"
        tail = "" if down is None else f"\n-- +goose Down\n{self.block(down)}"
        return {f"{number:05}_{description}.sql": f"{head}-- +goose Up\n{self.block(up)}{tail}"}

    @staticmethod
    def block(script):
        """It cuts at each line that ends with a semicolon, and wants the last one."""
        if "$$" in script:
            return f"-- +goose StatementBegin\n{script}\n-- +goose StatementEnd\n"
        return script.rstrip().rstrip(";") + ";\n"

    def command(self, url, folder, *words):
        return [HOME / self.program, "-dir", folder.path, "postgres", plain(url), *words]


class Dbmate(Peer):
    name = "dbmate"
    ledger_columns = "version"
    ledger_table = "schema_migrations"
    ledger_order = "version"
    says_applied = r"Applied: (\S+\.sql)"

    @classmethod
    def is_installed(cls):
        return (ROOT / "build/npm/dbmate/bin/dbmate").exists()

    def version(self, number):
        return f"{20240101000000 + number}"

    def migration(self, number, description, up, down=None, transaction=True):
        options = "" if transaction else " transaction:false"
        return {f"{self.version(number)}_{description}.sql": f"-- migrate:up{options}\n{up}\n\n-- migrate:down\n{down or ''}\n"}

    def command(self, url, folder, *words):
        return [ROOT / "build/npm/dbmate/bin/dbmate", "--url", plain(url), "--migrations-dir", folder.path, "--no-dump-schema", *words]

    def is_content(self, url, folder):
        return self.run(folder, *self.command(url, folder, "status", "--exit-code")).returncode == 0


class Flyway(Peer):
    """It sees by itself which script can't run in a transaction, and then waits for its own lock unless that is a session's."""

    name = "flyway"
    program = "flyway/wanted"
    has_lock = True
    has_checksum = True
    nontransactional_words = ["-postgresql.transactional.lock=false"]
    ledger_columns = "installed_rank, version, description, type, script, checksum, success"
    ledger_table = "flyway_schema_history"
    ledger_order = "installed_rank"
    says_applied = r'Migrating schema "\w+" (?:to version "(\S+) - |with repeatable migration "(.*)")'

    def version(self, number):
        return str(number)

    def migration(self, number, description, up, down=None, transaction=True):
        return {f"V{number}__{description}.sql": up}

    def repeatable(self, folder, description, script):
        file = folder.path / f"R__{description}.sql"
        file.write_text(script)
        return file

    def command(self, url, folder, *words):
        verb = {"up": "migrate", "status": "info"}.get(words[0], words[0])
        place = urllib.parse.urlsplit(url)
        jdbc = f"jdbc:postgresql://{place.hostname}:{place.port}{place.path}?{place.query}"
        login = [f"-user={place.username}", *([f"-password={place.password}"] if place.password else [])]
        java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{HOME}/flyway/lib/*", "org.flywaydb.commandline.Main"]
        return [*java, f"-url={jdbc}", *login, f"-locations=filesystem:{folder.path}", verb, *words[1:]]

    def applied(self, done):
        return [version or description for version, description in super().applied(done)]

    def down(self, url, folder):
        raise NotImplementedError("to undo is not in its community edition")

    def baseline(self, url, folder, number):
        return self.run(folder, *self.command(url, folder, "baseline", f"-baselineVersion={number}"))

    def repair(self, url, folder):
        return self.run(folder, *self.command(url, folder, "repair"))

    def mend(self, database, folder, last):
        assert self.repair(database.url(), folder).returncode == 0

    def validate(self, url, folder):
        return self.run(folder, *self.command(url, folder, "validate"))


class Sqlx(Peer):
    name = "sqlx"
    program = "sqlx/bin/sqlx"
    has_checksum = True
    ledger_columns = "version, description, success, encode(checksum, 'hex')"
    ledger_table = "_sqlx_migrations"
    ledger_order = "version"
    says_applied = r"(?m)^Applied (\d+)/"

    def version(self, number):
        return 20240101000000 + number

    def migration(self, number, description, up, down=None, transaction=True):
        stem = f"{self.version(number)}_{description}"
        script = up if transaction else f"-- no-transaction\n{up}"
        return {f"{stem}.sql": script} if down is None else {f"{stem}.up.sql": script, f"{stem}.down.sql": down}

    def command(self, url, folder, *words):
        verb = {"up": "run", "status": "info", "down": "revert"}.get(words[0], words[0])
        return [HOME / self.program, "migrate", verb, "--source", folder.path, "--database-url", plain(url), *words[1:]]

    def is_content(self, url, folder):
        """Each line is VERSION/STATE DESCRIPTION."""
        return {line.split("/")[1].split()[0] for line in self.status(url, folder).stdout.splitlines()} == {"installed"}

    def mend(self, database, folder, last):
        """By hand: it has no command for that."""
        database.query("DELETE FROM _sqlx_migrations WHERE NOT success")


class Drizzle(Peer):
    """drizzle-kit, which says neither what it applied nor what is pending; everything goes into one transaction."""

    name = "drizzle"
    program = "drizzle/wanted"
    has_status = False
    has_nontransactional = False
    ledger_columns = "id, hash, created_at"
    ledger_table = "drizzle.__drizzle_migrations"
    ledger_order = "id"

    def version(self, number):
        return 1704067200000 + 1000 * number

    def migration(self, number, description, up, down=None, transaction=True):
        parts = [up] if "$$" in up else up.strip().split(";\n")
        return {f"{number - 1:04}_{description}.sql": ";\n--> statement-breakpoint\n".join(parts)}

    def enter(self, folder, number, description):
        journal = folder.path / "meta" / "_journal.json"
        journal.parent.mkdir(exist_ok=True)
        entries = json.loads(journal.read_text())["entries"] if journal.exists() else []
        tag = f"{number - 1:04}_{description}"
        entries.append({"idx": number - 1, "version": "7", "when": self.version(number), "tag": tag, "breakpoints": True})
        journal.write_text(json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}, indent=2))

    def start_up(self, url, folder, *words):
        config = folder.root / "drizzle.config.mjs"
        config.write_text("export default { dialect: 'postgresql', out: './migrations', dbCredentials: { url: process.env.DATABASE_URL } }\n")
        kit = (HOME / self.program).parent / "node_modules/drizzle-kit/bin.cjs"
        return self.start(folder, "node", kit, "migrate", f"--config={config.name}", *words, environment={"DATABASE_URL": url})

    def migrate(self, url, folder):
        """As a program does with drizzle-orm."""
        program = (
            "import { drizzle } from 'drizzle-orm/node-postgres'; import { migrate } from 'drizzle-orm/node-postgres/migrator';"
            " import pg from 'pg'; const pool = new pg.Pool({ connectionString: process.argv[1], max: 1 });"
            " await migrate(drizzle({ client: pool }), { migrationsFolder: process.argv[2] }); await pool.end();"
        )
        command = ["node", "--input-type=module", "-e", program, url, str(folder.path)]
        return subprocess.run(command, cwd=(HOME / self.program).parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180)

    def is_content(self, url, folder):
        return True

    def down(self, url, folder):
        raise NotImplementedError("it has no way back")

    def applied(self, done):
        return []


class Drizzle1(Drizzle):
    """From 1.0 on: a folder for each migration, with what the schema was then; no journal, names in the ledger."""

    label = "drizzle-1"
    program = "drizzle-1/wanted"
    ledger_columns = "id, hash, created_at, name"

    def migration(self, number, description, up, down=None, transaction=True):
        [script] = super().migration(number, description, up).values()
        folder = f"{20240101000000 + number}_{description}"
        own, before = (f"00000000-0000-0000-0000-{n:012}" for n in (number, number - 1))
        snapshot = {"version": "8", "dialect": "postgres", "id": own, "prevIds": [before], "ddl": [], "renames": []}
        return {f"{folder}/migration.sql": script, f"{folder}/snapshot.json": json.dumps(snapshot, indent=2)}

    def enter(self, folder, number, description):
        """There is none."""


PEERS = [GolangMigrate, Goose, Dbmate, Flyway, Sqlx, Drizzle, Drizzle1]
