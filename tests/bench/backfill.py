"""A backfill of five million rows: how fast it is, what an application notices, and kill -9 in its middle, in one run.

Speeds are shares of what one UPDATE of all rows does, measured one after the other, again and again. A fourth argument is another
number of rows.
"""

import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from load import figures, psql, read_load, start_load

BINARY, URL, SCRATCH = sys.argv[1:4]
ROWS = int(sys.argv[4]) if len(sys.argv) > 4 else 5_000_000
FEW = 200_000  # where a row is locked: none of the ways ends before that
ROUNDS = 3
HOLD = 10
UPDATE = "UPDATE orders SET status_new = upper(status);"
LOAD = f"\\set id random(1, {ROWS})\nUPDATE orders SET n = n + 1 WHERE id = :id;\n"
WITHOUT = 30
TARGET = 10  # milliseconds, the default


def value(url, statement):
    return subprocess.run(["psql", "-XAtqd", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def prepare(name, rows):
    """The table, once: each run works on a copy."""
    psql(URL + "postgres", f"CREATE DATABASE {name}")
    psql(URL + name, "CREATE TABLE orders (id bigint PRIMARY KEY, n int NOT NULL, changes int NOT NULL, status text NOT NULL, status_new text)")
    psql(URL + name, f"INSERT INTO orders SELECT i, 0, 0, 'open' FROM generate_series(1, {rows}) AS i")
    psql(URL + name, "VACUUM ANALYZE orders")


def fresh(template="filled"):
    psql(URL + "postgres", "DROP DATABASE IF EXISTS backfill WITH (FORCE)")
    psql(URL + "postgres", f"CREATE DATABASE backfill TEMPLATE {template}")
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


# How others do it, one batch after the other. pgroll: the next rows in the order of the key, locked and updated by one statement. The
# same with SKIP LOCKED, as many scripts have it. Rails' in_batches, with the size and the pause that strong_migrations advises.
LOCKING = """
    WITH batch AS (SELECT id FROM orders WHERE id > at ORDER BY id LIMIT 1000 FOR NO KEY UPDATE{skip}),
         done AS (UPDATE orders SET status_new = upper(status) FROM batch WHERE orders.id = batch.id RETURNING orders.id)
    SELECT max(id) INTO at FROM done"""
IN_BATCHES = """
    SELECT max(id) INTO until FROM (SELECT id FROM orders WHERE id > at ORDER BY id LIMIT 10000) AS batch;
    UPDATE orders SET status_new = upper(status) WHERE id > at AND id <= until;
    COMMIT;
    PERFORM pg_sleep(0.01);
    at := until"""
PROCEDURE = """
CREATE PROCEDURE backfill() LANGUAGE plpgsql AS $$
DECLARE at bigint := 0; until bigint;
BEGIN
  LOOP{batch};
    COMMIT;
    EXIT WHEN at IS NULL;
  END LOOP;
END $$;
"""


def script(batch):
    def start(url, home):
        psql(url, PROCEDURE.format(batch=batch))
        return subprocess.Popen(["psql", "-Xqd", url, "-c", "CALL backfill()"])

    return start


def plain(url, home):
    return subprocess.Popen(["psql", "-Xqd", url, "-c", UPDATE])


WAYS = {
    "tidelock": deploy,
    "batches of 1,000 (pgroll's way)": script(LOCKING.format(skip="")),
    "batches of 1,000, SKIP LOCKED": script(LOCKING.format(skip=" SKIP LOCKED")),
    "batches of 10,000, 10 ms between (strong_migrations' way)": script(IN_BATCHES),
    "one UPDATE (psql)": plain,
}
UNIT = "one UPDATE (psql)"


def left_out(url):
    return int(value(url, "SELECT count(*) FROM orders WHERE status_new IS NULL"))


def timed(start, url, home):
    """The rows in a second."""
    began = time.monotonic()
    if start(url, home).wait() != 0:
        sys.exit("a backfill failed")
    rate = ROWS / (time.monotonic() - began)
    if start is deploy and left_out(url) > 0:
        sys.exit("rows are missing")
    return rate


def idle():
    """Each way's rows/s as a share of those of one UPDATE in the same round."""
    shares = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        rates = {name: timed(start, *fresh()) for name, start in WAYS.items()}
        for name, rate in rates.items():
            shares[name].append(rate / rates[UNIT])
    print(f"{f'a backfill of {ROWS:,} rows, nobody else there, {ROUNDS} rounds: rows/s / one UPDATE':<80} {'median':>8} {'least':>8} {'most':>8}")
    for name, share in shares.items():
        print(f"  {name:<78} {statistics.median(share):>8.2f} {min(share):>8.2f} {max(share):>8.2f}", flush=True)


def under_load(start):
    """What the load noticed while it ran, the rows in a second, and those that were left out."""
    url, home = fresh()
    load = start_load(url, home, LOAD, 8, 600 if start else WITHOUT, "-R", "400")
    rate = 0.0
    if start:
        rate = timed(start, url, home)
        load.send_signal(signal.SIGALRM)  # its own time-out: what it has begun is finished and written
    load.wait()
    return (*figures(*read_load(home)), rate, left_out(url))


def loaded():
    none = under_load(None)
    measured = {name: under_load(start) for name, start in WAYS.items()}
    print(f"{f'{ROWS:,} rows, 400 transactions a second on the table (targets: p99 1.5, rows/s 0.5)':<80} {'p99':>8} {'longest':>8} {'rows/s':>8} {'left out':>9}")
    print(f"{'  as shares of: no backfill, a target of 10 ms (limit 3), one UPDATE':<80}")
    for name, (_, p99, most, _, rate, missing) in measured.items():
        print(f"  {name:<78} {p99 / none[1]:>8.2f} {most / TARGET:>8.1f} {rate / measured[UNIT][4]:>8.2f} {missing:>9}", flush=True)
    print(f"  {'no backfill':<78} {1:>8.2f} {none[2] / TARGET:>8.1f}")


def beside_a_locked_row(start):
    """The longest that rows near one that somebody keeps locked are not to be had, in targets; what is done meanwhile, and in the end."""
    url, home = fresh("few")
    near = "\\set id random(1, 80)\nUPDATE orders SET n = n + 1 WHERE id = :id;\n"
    holding = ["-c", "BEGIN", "-c", "UPDATE orders SET n = 0 WHERE id = 90", "-c", f"SELECT pg_sleep({HOLD})", "-c", "COMMIT"]
    holder = subprocess.Popen(["psql", "-Xqd", url, *holding], stdout=subprocess.DEVNULL)
    load = start_load(url, home, near, 1, HOLD + 3, "-R", "200")
    running = start(url, home) if start else None
    time.sleep(HOLD - 2)
    meanwhile = int(value(url, "SELECT count(status_new) FROM orders")) / FEW
    for process in filter(None, (holder, running, load)):
        process.wait()
    return figures(*read_load(home))[2], meanwhile, left_out(url)


def beside_locked_rows():
    none = beside_a_locked_row(None)[0]
    print(f"{f'beside a row that is locked for {HOLD} s: how long its neighbours are, in targets (limit 3)':<80} {'longest':>8} {'/ none':>8} {'done':>8} {'left out':>9}")
    for name, start in WAYS.items():
        most, meanwhile, missing = beside_a_locked_row(start)
        print(f"  {name:<78} {most / TARGET:>8.1f} {most / none:>8.1f} {100 * meanwhile:>6.0f} % {missing:>9}", flush=True)


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
    prepare("filled", ROWS)
    prepare("few", FEW)
    idle()
    loaded()
    beside_locked_rows()
    if not killed():
        sys.exit(1)
