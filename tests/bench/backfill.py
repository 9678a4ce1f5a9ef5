"""A backfill of five million rows under load: what the application notices, how fast it is, and kill -9 in its middle, in one run."""

import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from load import figures, psql, read_load, start_load

BINARY, URL, SCRATCH = sys.argv[1:4]
ROWS = 5_000_000
UPDATE = "UPDATE orders SET status_new = upper(status);"
LOAD = f"\\set id random(1, {ROWS})\nUPDATE orders SET n = n + 1 WHERE id = :id;\n"
WITHOUT = 30
TARGET = 10  # milliseconds, the default


def value(url, statement):
    return subprocess.run(["psql", "-XAtqd", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def prepare():
    """The table, once: each run works on a copy."""
    psql(URL + "postgres", "CREATE DATABASE filled")
    psql(URL + "filled", "CREATE TABLE orders (id bigint PRIMARY KEY, n int NOT NULL, changes int NOT NULL, status text NOT NULL, status_new text)")
    psql(URL + "filled", f"INSERT INTO orders SELECT i, 0, 0, 'open' FROM generate_series(1, {ROWS}) AS i")
    psql(URL + "filled", "VACUUM ANALYZE orders")


def fresh():
    psql(URL + "postgres", "DROP DATABASE IF EXISTS backfill WITH (FORCE)")
    psql(URL + "postgres", "CREATE DATABASE backfill TEMPLATE filled")
    psql(URL + "postgres", "CHECKPOINT")
    home = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
    (home / "migrations" / "001_before").mkdir(parents=True)
    (home / "migrations" / "001_before" / "migration.sql").write_text("SELECT 1;\n")
    url = URL + "backfill?sslmode=disable"
    subprocess.run([BINARY, "baseline", "--migrations", home / "migrations", "--log-level", "error"], env={"DATABASE_URL": url}, check=True, stdout=subprocess.DEVNULL)
    (home / "migrations" / "002_fill").mkdir()
    (home / "migrations" / "002_fill" / "migration.sql").write_text(f"-- tidelock: backfill orders\n{UPDATE}\n")
    return url, home


def deploy(url, home):
    return subprocess.Popen([BINARY, "deploy", "--migrations", home / "migrations", "--log-level", "error"], env={"DATABASE_URL": url}, stdout=subprocess.DEVNULL)


# How pgroll backfills: the next 1,000 rows in the order of the key, locked and updated by one statement, one after the other.
PGROLL = """
CREATE PROCEDURE backfill() LANGUAGE plpgsql AS $$
DECLARE at bigint := 0; rows int;
BEGIN
  LOOP
    WITH batch AS (SELECT id FROM orders WHERE id > at ORDER BY id LIMIT 1000 FOR NO KEY UPDATE),
         done AS (UPDATE orders SET status_new = upper(status) FROM batch WHERE orders.id = batch.id RETURNING orders.id)
    SELECT max(id), count(*) INTO at, rows FROM done;
    COMMIT;
    EXIT WHEN rows = 0;
  END LOOP;
END $$;
"""


def pgroll(url, home):
    psql(url, PGROLL)
    return subprocess.Popen(["psql", "-Xqd", url, "-c", "CALL backfill()"])


def plain(url, home):
    return subprocess.Popen(["psql", "-Xqd", url, "-c", UPDATE])


def under_load(start):
    """What the load noticed while it ran, and the rows in a second."""
    url, home = fresh()
    load = start_load(url, home, LOAD, 8, 600 if start else WITHOUT, "-R", "400")
    rate = 0.0
    if start:
        began = time.monotonic()
        if start(url, home).wait() != 0:
            sys.exit("a backfill failed")
        rate = ROWS / (time.monotonic() - began)
        load.send_signal(signal.SIGALRM)  # its own time-out: what it has begun is finished and written
    load.wait()
    if start and value(url, "SELECT count(*) FROM orders WHERE status_new IS DISTINCT FROM upper(status)") != "0":
        sys.exit("rows are missing")
    return (*figures(*read_load(home)), rate)


def beside_a_locked_row():
    """The longest that rows near one that somebody keeps locked are not to be had, in batches' targets."""
    url, home = fresh()
    script = "\\set id random(1, 80)\nUPDATE orders SET n = n + 1 WHERE id = :id;\n"
    holder = subprocess.Popen(["psql", "-Xqd", url, "-c", "BEGIN", "-c", "UPDATE orders SET n = 0 WHERE id = 90", "-c", "SELECT pg_sleep(10)", "-c", "COMMIT"], stdout=subprocess.DEVNULL)
    load = start_load(url, home, script, 1, 8, "-R", "200")
    running = deploy(url, home)
    load.wait()
    holder.wait()
    running.kill()
    running.wait()
    most = figures(*read_load(home))[2]
    print(f"beside a row that is locked for 10 s, others wait {most:.0f} ms at most = {most / TARGET:.1f} targets (target 3)")


def killed():
    """Ten times, at random moments; the rows count for themselves how often they were changed."""
    url, home = fresh()
    psql(url, "CREATE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END'")
    psql(url, "CREATE TRIGGER count_changes BEFORE UPDATE OF status_new ON orders FOR EACH ROW EXECUTE FUNCTION count_changes()")
    load = start_load(url, home, LOAD, 8, 900, "-R", "100")
    choose = random.Random()
    interrupted = 0
    for _ in range(10):
        running = deploy(url, home)
        try:
            running.wait(timeout=choose.uniform(0.5, 3))
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            interrupted += 1
    if deploy(url, home).wait() != 0:
        sys.exit("the last run failed")
    load.terminate()
    load.wait()
    once = value(url, "SELECT count(*) FROM orders WHERE changes = 1 AND status_new = 'OPEN'")
    print(f"killed {interrupted} times: {once} of {ROWS} rows were changed exactly once")
    return int(once) == ROWS


if __name__ == "__main__":
    prepare()
    print(f"{'a backfill of 5 million rows, 400 transactions a second on its table':<70} {'> 100 ms':>9} {'p99 ms':>8} {'max ms':>8} {'rows/s':>8}")
    measured = {}
    for name, start in {"no backfill": None, "tidelock": deploy, "batches of 1,000 (pgroll's way)": pgroll, "one UPDATE (psql)": plain}.items():
        over, p99, most, _, rate = measured[name] = under_load(start)
        print(f"  {name:<68} {over:>8.1f}% {p99:>8.1f} {most:>8.0f} {rate:>8.0f}", flush=True)
    print(f"  p99 / none: {measured['tidelock'][1] / measured['no backfill'][1]:.2f} (target 1.5); rows/s / one UPDATE: {measured['tidelock'][4] / measured['one UPDATE (psql)'][4]:.2f} (target 0.5)")
    beside_a_locked_row()
    if not killed():
        sys.exit(1)
