"""Random keys, collations, settings, writers, kills and edits: of no row is it said that it is done when it was left out or done twice.

Each round is a backfill that counts in "v" how often it changed a row. It is interrupted, its settings, its directive and its table's
indexes change, and it is resumed until it ends. `--rounds 10000` is the long form; a round that fails names its seed, and
`--rounds SEED..SEED` runs it again.
"""

import contextlib
import hashlib
import random
import signal
import subprocess
import threading

import psycopg
from tool import wait_for_nobody

COLLATIONS = ['"C"', '"default"', '"und-x-icu"', '"de-x-icu"', "level_2"]
SETTINGS = {
    "DateStyle": ["ISO, MDY", "SQL, DMY", "German", "Postgres, MDY"],
    "TimeZone": ["UTC", "Asia/Kolkata", "America/St_Johns"],
    "IntervalStyle": ["postgres", "sql_standard", "iso_8601", "postgres_verbose"],
    "extra_float_digits": ["-15", "0", "3"],
    "bytea_output": ["hex", "escape"],
    "lc_monetary": ["C", "C.UTF-8"],
    "standard_conforming_strings": ["on", "off"],
    "array_nulls": ["on"],
}
TYPES = {
    "int": "{i}",
    "bigint": "{i} * 1000000000000",
    "smallint": "{i} % 30000",
    "numeric": "{i} / 7.0",
    "float8": "{i} / 3.0",
    "float4": "{i} / 3.0",
    "date": "date '1950-01-01' + {i}",
    "timestamp": "timestamp '1950-01-01' + {i} * interval '1 day 1 microsecond'",
    "timestamptz": "timestamptz '1950-01-01 00:00+00' + {i} * interval '1 hour 1 microsecond'",
    "interval": "({i} - 300) * interval '1 day -7 hours 0.25 seconds'",
    "uuid": "md5({i}::text)::uuid",
    "bytea": "decode(md5({i}::text), 'hex')",
    "money": "{i} * 1.07::money",
    "inet": "inet '10.0.0.0' + {i}",
    "int[]": "ARRAY[{i} % 5, {i}]",
    "mood": "CASE {i} % 3 WHEN 0 THEN 'z' WHEN 1 THEN 'a' ELSE 'm' END::mood",
    "text": "(ARRAY['a', 'B', 'ä', '_', 'Z', E'\\\\', ''''])[{i} % 7 + 1] || {i}",
    "char(12)": "(ARRAY['a', 'B', 'ä', '_', 'Z'])[{i} % 5 + 1] || {i}",
    "varchar(12)": "(ARRAY['a', 'B', 'ä', '_', 'Z'])[{i} % 5 + 1] || {i}",
}
COLLATED = {"text", "char(12)", "varchar(12)"}


class Round:
    def __init__(self, seed, database, folder, tidelock):
        self.seed = seed
        self.random = random.Random(seed)
        self.database = database
        self.folder = folder
        self.tidelock = tidelock
        self.rows = self.random.randrange(300, 1200)
        self.types = [self.random.choice(list(TYPES)) for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        self.columns = [f"k{i}" for i in range(len(self.types))]
        self.has_condition = self.random.random() < 0.4

    def column(self, name, type):
        return f"{name} {type}" + (f" COLLATE {self.random.choice(COLLATIONS)}" if type in COLLATED else "") + " NOT NULL"

    def create(self):
        choose = self.random
        self.database.query("DROP TABLE IF EXISTS t; DELETE FROM _prisma_migrations WHERE migration_name = '001_fill'")
        columns = ", ".join(self.column(name, type) for name, type in zip(self.columns, self.types))
        partitions = " PARTITION BY HASH (k0)" if choose.random() < 0.15 and self.types[0] not in ("money", "mood") else ""
        self.database.query(f"CREATE TABLE t ({columns}, other int NOT NULL, v int, w int){partitions}")
        for i in range(3) if partitions else ():
            self.database.query(f"CREATE TABLE t_{i} PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER {i})")
        values = ", ".join(TYPES[type].format(i="i") for type in self.types)
        self.database.query(f"INSERT INTO t SELECT {values}, {self.rows} - i FROM generate_series(1, {self.rows}) AS i")
        self.database.query(f"CREATE INDEX ON t ({', '.join(self.columns)}); CREATE INDEX ON t (other); CREATE INDEX ON t (other, {self.columns[0]})")
        if choose.random() < 0.5:
            self.database.query("ANALYZE t")

    def script(self, keys):
        rest = self.random.choice([0, 50, 500])
        condition = " WHERE v IS NULL" if self.has_condition else ""
        return f"-- tidelock: backfill t key={keys} rows={self.random.choice(['1..40', '20..100', '100..100'])} rest={rest}%\nUPDATE t SET v = COALESCE(v, 0) + 1{condition};\n"

    def set_anything(self, is_first):
        """What money means must stay what it was when it began."""
        for name, values in SETTINGS.items():
            if name == "lc_monetary" and not is_first and "money" in self.types:
                continue
            if self.random.random() < 0.5:
                with contextlib.suppress(psycopg.errors.InvalidParameterValue):
                    self.database.query(f"ALTER DATABASE {self.database.name} SET {name} = '{self.random.choice(values)}'")

    def write(self, stop):
        """An application that knows "v": it locks, changes, deletes and inserts."""
        choose = random.Random(self.seed)
        with self.database.connect() as session:
            session.execute("SET client_min_messages = error")
            while not stop.is_set():
                with contextlib.suppress(psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation), session.transaction():
                    session.execute("UPDATE t SET w = COALESCE(w, 0) + 1 WHERE other IN (SELECT other FROM t ORDER BY random() LIMIT 3)")
                    if choose.random() < 0.2:
                        session.execute("DELETE FROM t WHERE other IN (SELECT other FROM t ORDER BY random() LIMIT 1)")
                    session.execute("SELECT pg_sleep(%s)", [choose.random() * 0.01])

    def stop(self, running):
        """Somehow, at some moment."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(timeout=self.random.uniform(0.03, 0.4))
        how = self.random.choice(["kill", "term", "terminate"])
        if how == "kill":
            running.process.kill()
        elif how == "term":
            running.process.send_signal(signal.SIGTERM)
        else:
            self.database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock%%'")
        return running.wait()

    def wrong(self):
        """How often each count that is not 1 occurs."""
        return self.database.query("SELECT COALESCE(v, 0), count(*) FROM t WHERE v IS DISTINCT FROM 1 GROUP BY 1")

    def doubled(self):
        return self.database.value("SELECT count(*) FROM t WHERE v > 1")

    def keys_of_the_place(self):
        """Which of the keys the recorded place belongs to; None when there is none, or nothing is done."""
        if not self.database.holds("tidelock.backfill"):
            return None
        place = self.database.query("SELECT key FROM tidelock.backfill WHERE batches > 0")
        return next((keys for keys, start in self.starts.items() if place and place[0][0].startswith(start)), None)

    def run(self):
        self.create()
        own = ",".join(self.columns)
        self.starts = {"other": "other integer, of table", f"other,{self.columns[0]}": "other integer, k0 ", own: "k0 "}
        stop = threading.Event()
        writer = threading.Thread(target=self.write, args=[stop])
        writer.start()
        keys, script, scripts = own, self.script(own), {}
        try:
            for attempt in range(15):
                former = self.keys_of_the_place()
                self.folder.replace("001_fill", script)
                scripts[hashlib.sha256(script.encode()).hexdigest()] = script
                self.set_anything(attempt == 0)
                running = self.tidelock.start("deploy", "--connect-deadline", "5s")
                result = self.stop(running) if attempt < 4 else running.wait()
                wait_for_nobody(self.database)
                assert self.doubled() == 0, f"round {self.seed}: changed twice\n{result.errors}"
                if result.code == 0:
                    break
                assert result.code in (3, 8, 143, -9, -15), f"round {self.seed}: exit {result.code}\n{result.errors}"
                if result.code != 8:
                    keys = self.random.choice([own, own, *self.starts]) if attempt < 4 else self.keys_of_the_place() or keys
                    script = self.script(keys)
                elif former is None or "has been changed since" in result.errors:
                    # Killed before it recorded what it was about to do, or when only its row was still to be finished: that script alone goes on.
                    begun = scripts[self.database.value("SELECT checksum FROM _prisma_migrations WHERE migration_name = '001_fill' AND rolled_back_at IS NULL")]
                    assert "has been changed since" in result.errors and begun != script, f"round {self.seed}\n{result.errors}"
                    script = begun
                else:
                    assert "along another key" in result.errors and keys != former and not self.has_condition, f"round {self.seed}\n{result.errors}"
                    keys, script = former, self.script(former)
            else:
                raise AssertionError(f"round {self.seed}: never ended\n{result.errors}")
        finally:
            stop.set()
            writer.join()
        assert self.wrong() == [], f"round {self.seed}: {self.wrong()} although it succeeded\n{result.errors}"


def test_no_row_is_lost_or_done_twice(request, database, folder, tidelock):
    first, _, last = request.config.getoption("--rounds").rpartition("..")
    database.query("CREATE COLLATION level_2 (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    database.query("CREATE TYPE mood AS ENUM ('z', 'a', 'm')")
    folder.add("000_before", "SELECT 1")
    tidelock("baseline").succeeds()
    folder.add("001_fill", "SELECT 1")
    rounds = range(int(first or 1), int(last) + 1)
    for seed in rounds:
        Round(seed, database, folder, tidelock).run()
        tidelock.started.clear()
    request.node.user_properties.append(("cases", ("kill: random backfill", len(rounds))))
