"""What an application notices of a migration whose table somebody holds: tidelock beside what else people use, in one run."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from load import figures, psql, read_load, start_load

BINARY, DBMATE, URL, SCRATCH = sys.argv[1:5]
HOLD, BEFORE, AFTER = 10, 2, 4
ALTER = "ALTER TABLE orders ADD COLUMN remark text;"
# How pgroll locks: half a second, and rests that double. What strong_migrations advises: ten seconds.
PGROLL = "rest=1; until psql -Xqd {url} -v ON_ERROR_STOP=1 -c \"SET lock_timeout = '500ms'\" -f {file} 2>/dev/null; do sleep $rest; rest=$((rest * 2)); done"
STRONG = "until psql -Xqd {url} -v ON_ERROR_STOP=1 -c \"SET lock_timeout = '10s'\" -f {file} 2>/dev/null; do sleep 10; done"
LOOP = "until psql -Xqd {url} -v ON_ERROR_STOP=1 -c \"SET lock_timeout = '2s'\" -f {file} 2>/dev/null; do sleep 1; done"


def fresh():
    """A table in use, and a folder with the migration for each tool."""
    psql(URL + "postgres", "DROP DATABASE IF EXISTS traffic WITH (FORCE)")
    psql(URL + "postgres", "CREATE DATABASE traffic")
    url = URL + "traffic?sslmode=disable"
    home = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
    (home / "migrations" / "001_remark").mkdir(parents=True)
    (home / "migrations" / "001_remark" / "migration.sql").write_text("SELECT 1;\n")
    subprocess.run([BINARY, "deploy", "--migrations", home / "migrations", "--log-level", "error"], env={"DATABASE_URL": url}, check=True, stdout=subprocess.DEVNULL)
    (home / "migrations" / "002_remark").mkdir()
    (home / "migrations" / "002_remark" / "migration.sql").write_text(ALTER)
    (home / "dbmate").mkdir()
    (home / "dbmate" / "001_remark.sql").write_text(f"-- migrate:up\n{ALTER}\n-- migrate:down\n")
    psql(url, "CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL)")
    psql(url, "INSERT INTO orders SELECT i, 0 FROM generate_series(1, 10000) AS i")
    return url, home


def held(start):
    """A reader holds the table under a load of 400 transactions a second; `start` begins the migration."""
    url, home = fresh()
    script = "\\set id random(1, 10000)\nUPDATE orders SET n = n + 1 WHERE id = :id;\n"
    load = start_load(url, home, script, 8, BEFORE + HOLD + AFTER, "-R", "400")
    time.sleep(1)
    reader = subprocess.Popen(["psql", "-Xqd", url, "-c", "BEGIN", "-c", "SELECT * FROM orders LIMIT 1", "-c", f"SELECT pg_sleep({HOLD})", "-c", "COMMIT"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    migration = start(url, home)
    reader.wait()
    ended = time.monotonic()
    late = 0.0
    if migration:
        if migration.wait(timeout=120) != 0:
            sys.exit("a migration failed")
        late = time.monotonic() - ended
    load.wait()
    return (*figures(*read_load(home)), late)


def tidelock(url, home):
    command = [BINARY, "deploy", "--migrations", home / "migrations", "--log-level", "error"]
    return subprocess.Popen(command, env={"DATABASE_URL": url}, stdout=subprocess.DEVNULL)


def plain(url, home):
    return subprocess.Popen(["psql", "-Xqd", url, "-f", home / "migrations" / "002_remark" / "migration.sql"])


def loop(words):
    return lambda url, home: subprocess.Popen(["sh", "-c", words.format(url=url, file=home / "migrations" / "002_remark" / "migration.sql")])


def dbmate(url, home):
    command = [DBMATE, "--url", url, "--migrations-dir", home / "dbmate", "--no-dump-schema", "up"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": str(home)})


def crowd():
    """Sixteen clients in endless transactions of 60 ms: the table is never free, but never held for long."""

    def once(is_migrating):
        url, home = fresh()
        script = "\\set id random(1, 10000)\nBEGIN;\nSELECT * FROM orders WHERE id = :id;\n\\sleep 60 ms\nEND;\n"
        load = start_load(url, home, script, 16, 10)
        time.sleep(2)
        tries = 0
        if is_migrating:
            status = home / "status.prom"
            command = [BINARY, "deploy", "--migrations", home / "migrations", "--log-level", "error", "--status-file", status]
            if subprocess.run(command, env={"DATABASE_URL": url}, stdout=subprocess.DEVNULL).returncode != 0:
                sys.exit("a migration failed")
            tries = 1 + int(re.search(r'reason="lock_timeout".*} (\d+)', status.read_text())[1])
        load.wait()
        return figures(*read_load(home))[1], tries

    (none, _), (with_it, tries) = once(False), once(True)
    print(f"16 clients, endless 60 ms transactions: through at try {tries} (target <= 10), p99 {with_it:.0f} ms / {none:.0f} ms without = {with_it / none:.2f} (target 1.2)")


if __name__ == "__main__":
    print(f"{'a reader holds the table for 10 s, 400 transactions a second':<62} {'> 100 ms':>9} {'p99 ms':>8} {'max ms':>8} {'gap s':>6} {'after s':>8}")
    ways = {"no migration": lambda url, home: None, "tidelock (targets: 30 ms at most, 0.5 s after)": tidelock, "psql -f": plain, "psql, lock_timeout = 2s, in a loop": loop(LOOP), "pgroll's way: 500 ms, rests that double": loop(PGROLL), "strong_migrations' way: 10 s": loop(STRONG)}
    if DBMATE:
        ways["dbmate"] = dbmate
    for name, start in ways.items():
        over, p99, most, gap, late = held(start)
        print(f"  {name:<60} {over:>8.1f}% {p99:>8.1f} {most:>8.0f} {gap:>6.1f} {late:>8.2f}", flush=True)
    crowd()
