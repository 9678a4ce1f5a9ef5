"""Many databases, and many schemas of one database, with five migrations pending in each and then with none: beside bare libpq of the same width, a
process of tidelock for each, and golang-migrate for each. Ratios of pairs that run in turn; what it takes in memory; and ten processes over one list.

    tenants.py BINARY FLOOR URL SCRATCH [--databases 1000] [--schemas 5000] [--width 4] [--rounds 3]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

STEPS = 5
LEDGER = "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64), finished_at timestamptz, migration_name varchar(255), logs text, rolled_back_at timestamptz, started_at timestamptz DEFAULT now(), applied_steps_count int)"
PEER = pathlib.Path(__file__).resolve().parents[2] / "build/peers/golang-migrate/migrate"


def script(number):
    return f'CREATE TABLE "t{number}" ("id" SERIAL NOT NULL, "name" TEXT, PRIMARY KEY ("id"));\n'


def run(command, environment=None, stdin=None):
    """Wall seconds, and what was printed."""
    started = time.perf_counter()
    done = subprocess.run(list(map(str, command)), env={"PATH": os.environ["PATH"], **(environment or {})}, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))[:300]}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return time.perf_counter() - started, done.stdout


def sql(url, text):
    run(["psql", "-Xqd", url, "-v", "ON_ERROR_STOP=1"], stdin="SET client_min_messages = error;\n" + text)


class Databases:
    name, key = "databases", "database"

    def __init__(self, bench, count):
        self.bench = bench
        self.names = [f"tenant_{number:05}" for number in range(count)]
        self.base = bench.url + "postgres?sslmode=disable"
        self.words = ["--databases", "tenant_*"]

    def fresh(self):
        sql(self.base, "".join(f"DROP DATABASE IF EXISTS {name};\nCREATE DATABASE {name};\n" for name in self.names))

    def end(self):
        sql(self.base, "".join(f"DROP DATABASE IF EXISTS {name};\n" for name in self.names))

    def url_of(self, name):
        return f"{self.bench.url}{name}?sslmode=disable"

    plain_url_of = peer_url_of = url_of


class Schemas:
    name, key = "schemas of one database", "schema"

    def __init__(self, bench, count):
        self.bench = bench
        self.names = [f"tenant_{number:05}" for number in range(count)]
        self.base = bench.url + "schemas?sslmode=disable"
        self.words = ["--schemas", "tenant_*"]
        sql(bench.url + "postgres", "DROP DATABASE IF EXISTS schemas WITH (FORCE);\nCREATE DATABASE schemas;\n")

    def fresh(self):
        sql(self.base, "".join(f"DROP SCHEMA IF EXISTS {name} CASCADE;\nCREATE SCHEMA {name};\n" for name in self.names))

    def end(self):
        sql(self.bench.url + "postgres", "DROP DATABASE schemas WITH (FORCE);\n")

    def url_of(self, name):
        return f"{self.base}&schema={name}"

    def plain_url_of(self, name):
        return f"{self.base}&options=-csearch_path%3D{name}"

    def peer_url_of(self, name):
        return f"{self.base}&search_path={name}"


class Bench:
    def __init__(self, options):
        self.binary, self.floor, self.url, self.width = options.binary, options.floor, options.url, options.width
        self.scratch = pathlib.Path(options.scratch) / "tenants"
        self.folder, self.peers, self.plain = self.scratch / "migrations", self.scratch / "peer", self.scratch / "plain"
        for number in range(STEPS):
            (self.folder / f"{20240101000000 + number}_step").mkdir(parents=True)
            (self.folder / f"{20240101000000 + number}_step" / "migration.sql").write_text(script(number))
        for folder in (self.peers, self.plain):
            folder.mkdir()
        for number in range(STEPS):
            (self.peers / f"{number + 1:06}_step.up.sql").write_text(script(number))
            (self.plain / f"{number + 1}.sql").write_text(script(number))
        (self.plain / "0.sql").write_text(LEDGER)

    def command(self, *words):
        return [self.binary, "deploy", "--migrations", self.folder, "--log-level", "warn", "--drift", "off", *words]

    def ours(self, many, *words):
        return run(self.command(*many.words, "--parallel", self.width, *words), {"DATABASE_URL": many.base})[0]

    def peak(self, many):
        """Megabytes; the second time."""
        many.fresh()
        self.ours(many)
        return int(run([self.floor, "peak", *self.command(*many.words, "--parallel", self.width)], {"DATABASE_URL": many.base})[1]) * 1024 / 1e6

    def list_of(self, many, url_of):
        path = self.scratch / "list"
        path.write_text("".join(url_of(name) + "\n" for name in many.names))
        return path

    def bare(self, many, is_pending):
        files = [self.plain / f"{number}.sql" for number in range(STEPS + 1)] if is_pending else []
        return run([self.floor, "many", self.width, self.list_of(many, many.plain_url_of), *files])[0]

    def one_each(self, many):
        return run(["xargs", "-P", self.width, "-I{}", "-a", self.list_of(many, many.url_of), "env", "DATABASE_URL={}", *self.command()])[0]

    def peer_each(self, many):
        return run(["xargs", "-P", self.width, "-I{}", "-a", self.list_of(many, many.peer_url_of), PEER, "-path", self.peers, "-database", "{}", "up"])[0]

    def pairs(self, many, rounds, other):
        """[(pending), (nothing pending)] of this one and another, in turn."""
        pending, nothing = [], []
        for _ in range(rounds):
            many.fresh()
            mine = self.ours(many)
            mine_again = self.ours(many)
            many.fresh()
            pending.append((mine, other(many, True)))
            nothing.append((mine_again, other(many, False)))
        return pending, nothing

    def together(self, many, processes=10):
        """So many processes over one list, of which each has its part of the connections; beside one that has all of them."""
        many.fresh()
        alone = self.ours(many)
        many.fresh()
        command = [str(word) for word in self.command(*many.words, "--parallel", max(1, self.width // processes), "--headroom", 0)]
        started = time.perf_counter()
        running = [subprocess.Popen(command, env={"DATABASE_URL": many.base, "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL) for _ in range(processes)]
        if any([process.wait() for process in running]):
            sys.exit("one of ten processes failed")
        return alone, time.perf_counter() - started


def report(what, pairs, is_ours_first, target):
    ratios = [one / other if is_ours_first else other / one for one, other in pairs]
    mine = statistics.median(one for one, _ in pairs)
    print(f"{what:<74} {statistics.median(ratios):6.2f} {min(ratios):6.2f}-{max(ratios):.2f}  ({mine:.2f} s)  {target}", flush=True)


def measure(bench, many, rounds):
    count = f"{len(many.names):,} {many.name}"
    for what, pairs in zip((f"{STEPS} pending", "nothing pending"), bench.pairs(many, rounds, bench.bare)):
        report(f"{count}, {what}: tidelock / bare libpq, {bench.width} wide", pairs, True, "target <= 1.10")
    print(f"{count}, nothing pending: peak memory {'':<22} {bench.peak(many):6.1f} MB  target <= 32 MB", flush=True)
    for name, other in {"a process of it for each": bench.one_each, "golang-migrate for each": bench.peer_each}.items():
        if other == bench.peer_each and not PEER.exists():
            continue
        for what, pairs in zip((f"{STEPS} pending", "nothing pending"), bench.pairs(many, 1, lambda many, _, other=other: other(many))):
            report(f"{count}, {what}: {name} / tidelock", pairs, False, "")
    alone, together = bench.together(many)
    print(f"{count}, {STEPS} pending: ten processes over one list / one {'':<12} {together / alone:6.2f}  ({together:.2f} s)", flush=True)
    many.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("binary", "floor", "url", "scratch"):
        parser.add_argument(name)
    parser.add_argument("--databases", type=int, default=50)
    parser.add_argument("--schemas", type=int, default=200)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bench = Bench(options)
    for kind, count in ((Databases, options.databases), (Schemas, options.schemas)):
        if count > 0:
            measure(bench, kind(bench, count), options.rounds)
