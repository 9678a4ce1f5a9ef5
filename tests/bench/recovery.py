"""kill -9 at random moments of statements that refuse a transaction, on two million rows: the rerun leaves one valid index and nothing else."""

import pathlib
import random
import subprocess
import sys
import tempfile
import time

from load import psql

BINARY, URL, SCRATCH = sys.argv[1:4]
ROWS, KILLS = 2_000_000, 10
LEFT = """SELECT count(*) FROM pg_index WHERE NOT indisvalid OR indexrelid::regclass::text ~ '_cc(new|old)'"""
PENDING = "SELECT count(*) FROM pg_inherits WHERE (to_jsonb(pg_inherits) ->> 'inhdetachpending')::boolean"
STATEMENTS = {
    "CREATE INDEX CONCURRENTLY": ("DROP INDEX IF EXISTS made", "CREATE INDEX CONCURRENTLY made ON big (b, a)", "SELECT to_regclass('made') IS NOT NULL"),
    "REINDEX CONCURRENTLY": ("CREATE INDEX IF NOT EXISTS kept ON big (b)", "REINDEX INDEX CONCURRENTLY kept", "SELECT to_regclass('kept') IS NOT NULL"),
    "DROP INDEX CONCURRENTLY": ("CREATE INDEX IF NOT EXISTS gone ON big (a)", "DROP INDEX CONCURRENTLY gone", "SELECT to_regclass('gone') IS NULL"),
    "DETACH CONCURRENTLY": ("ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (0) TO (10)", "ALTER TABLE parted DETACH PARTITION part CONCURRENTLY", "SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'part'::regclass)"),
}


def value(url, statement):
    return subprocess.run(["psql", "-XAtqd", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def deploy(url, folder):
    return subprocess.Popen([BINARY, "deploy", "--migrations", folder, "--log-level", "error"], env={"DATABASE_URL": url}, stdout=subprocess.DEVNULL)


def measure(url, folder, name):
    """One that is left alone tells how long it takes; then as many that are killed somewhere in that time."""
    before, statement, proof = STATEMENTS[name]
    choose = random.Random()
    left = killed = 0
    lasts = 0.0
    for number in range(KILLS + 1):
        psql(url, before)
        directory = folder / f"{name.split()[0].lower()}_{number:02}"
        directory.mkdir()
        (directory / "migration.sql").write_text(statement)
        began = time.monotonic()
        running = deploy(url, folder)
        if number > 0:
            try:
                running.wait(timeout=choose.uniform(0, lasts))
            except subprocess.TimeoutExpired:
                running.kill()
                killed += 1
        running.wait()
        lasts = lasts or time.monotonic() - began
        while value(url, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%'") != "0":
            time.sleep(0.1)
        left += value(url, LEFT) != "0" or value(url, PENDING) != "0"
        if deploy(url, folder).wait() != 0 or value(url, LEFT) != "0" or value(url, PENDING) != "0" or value(url, proof) != "t":
            sys.exit(f"{name}: not recovered")
    print(f"{name:<28} {killed} times killed, {left} times with something left behind: {KILLS} of {KILLS} complete after the rerun", flush=True)


if __name__ == "__main__":
    psql(URL + "postgres", "CREATE DATABASE recovery")
    url = URL + "recovery?sslmode=disable"
    psql(url, f"CREATE TABLE big AS SELECT i AS a, md5(i::text) AS b FROM generate_series(1, {ROWS}) AS i")
    psql(url, "CREATE TABLE parted (id int) PARTITION BY RANGE (id)")
    psql(url, "CREATE TABLE part (id int)")
    folder = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
    (folder / "000_before").mkdir()
    (folder / "000_before" / "migration.sql").write_text("SELECT 1;\n")
    subprocess.run([BINARY, "baseline", "--migrations", folder, "--log-level", "error"], env={"DATABASE_URL": url}, check=True, stdout=subprocess.DEVNULL)
    for name in STATEMENTS:
        measure(url, folder, name)
