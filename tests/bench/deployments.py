"""What a deployment takes, as a ratio to bare libpq that does the same in the same run: BEGIN, the script, INSERT, COMMIT, one after the other.

With --check it fails where the ratio of processor time, the client's and the server's, is more than a tenth above the one recorded here: that of
wall time tells more, but also of the neighbours. It is measured again before that. Round trips are counted in tests/integration/test_fast_path.py.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time


def small():
    return [
        f'-- CreateTable\nCREATE TABLE "t{i}" ("id" SERIAL NOT NULL, "name" TEXT, PRIMARY KEY ("id"));\n' if i % 4 == 0 else f'-- AlterTable\nALTER TABLE "t{i - i % 4}" ADD COLUMN "c{i}" INTEGER;\n'
        for i in range(1000)
    ]


def mixed():
    table = """CREATE TABLE "m{0}" (id bigint PRIMARY KEY, name text NOT NULL, n int);
ALTER TABLE "m{0}" ADD COLUMN c int;
CREATE INDEX "m{0}_name" ON "m{0}" (name);
COMMENT ON TABLE "m{0}" IS 'table {0}';
ALTER TABLE "m{0}" ADD CHECK (n >= 0);
INSERT INTO "m{0}" VALUES (0, 'name 0', 0);
INSERT INTO "m{0}" VALUES (1, 'name 1', 1);
INSERT INTO "m{0}" VALUES (2, 'name 2', 2);
INSERT INTO "m{0}" VALUES (3, 'name 3', 3);
UPDATE "m{0}" SET c = n;
"""
    return ["".join(table.format(i) for i in range(500))]


def rows():
    line = "INSERT INTO big (id, body) VALUES ({}, 'some text; with a semicolon, and ''quotes''');\n"
    return ["CREATE TABLE big (id bigint, body text);\n" + "".join(line.format(i) for i in range(50_000))]


# The ratio of processor time that was recorded, and what is aimed at for wall time.
CASES = {
    "1,000 small migrations from empty": (small, 2.05, 0.85),
    "one file of 5,000 mixed statements": (mixed, 1.50, 1.05),
    "one file of 50,000 rows": (rows, 1.40, 1.03),
}
NO_OP = "nothing to do, 1,000 applied"
NO_OP_RATIOS = (1.60, 1.25)
ROUNDS, NO_OP_ROUNDS, TRIES = 5, 40, 3
LOSS = 1.1
TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, binary, floor, url, scratch):
        self.binary, self.floor, self.url, self.scratch = binary, floor, url, pathlib.Path(scratch)
        self.postmaster = (self.scratch / "data" / "postmaster.pid").read_text().split()[0]

    def server_seconds(self):
        """Processor time of the server's sessions so far, which count when they have ended."""
        while "127.0.0.1(" in subprocess.run(["ps", "--ppid", self.postmaster, "-o", "args="], capture_output=True, text=True).stdout:
            continue
        fields = pathlib.Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / TICKS

    def run(self, *command, **environment):
        """Wall seconds of one process, and processor seconds of it and the server."""
        server, before, started = self.server_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.run(command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))[:200]}: exit {process.returncode}\n{process.stderr.decode()}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + self.server_seconds() - server

    def fresh(self, database):
        for statement in (f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}"):
            subprocess.run(["psql", "-Xqd", self.url + "postgres", "-c", "SET client_min_messages = error", "-c", statement], check=True, stdout=subprocess.DEVNULL)
        return f"{self.url}{database}?sslmode=disable"

    def folder(self, name, scripts):
        folder = self.scratch / name.replace(" ", "_").replace(",", "")
        for number, script in enumerate(scripts if not folder.exists() else []):
            directory = folder / f"{20240101000000 + number}_step"
            directory.mkdir(parents=True)
            (directory / "migration.sql").write_text(script)
        return folder

    def deploy(self, folder, url):
        """With nobody who watches, as that begins after half a second, which is more or less work on another machine."""
        return self.run(self.binary, "deploy", "--migrations", folder, "--log-level", "warn", "--connections", "1", DATABASE_URL=url)

    def pairs(self, name, scripts):
        """Seconds of ours and of the floor, in turn: a noisy neighbour troubles both."""
        folder = self.folder(name, scripts())
        paths = sorted(folder.glob("*/migration.sql"))
        first = self.folder("first", ["SELECT 1;\n"])  # which creates the ledger

        def ours():
            return self.deploy(folder, self.fresh("ours"))

        def floor():
            url = self.fresh("floor")
            self.deploy(first, url)
            return self.run(self.floor, "apply", url, *paths)

        for number in range(ROUNDS):
            if number % 2 == 0:
                yield ours(), floor()
            else:
                other = floor()
                yield ours(), other

    def no_op_pairs(self):
        folder = self.folder("small", small())
        url = self.fresh("noop")
        self.deploy(folder, url)
        for _ in range(NO_OP_ROUNDS):
            yield self.deploy(folder, url), self.run(self.floor, "read", url)

    def measure(self, name):
        """The ratio of processor time in all; of wall time, the ratio of the medians, and of each pair the least and the most."""
        pairs = list(self.no_op_pairs() if name == NO_OP else self.pairs(name, CASES[name][0]))
        ratios = [ours[0] / floor[0] for ours, floor in pairs]
        ours, floor = zip(*pairs)
        (our_wall, our_work), (wall, work) = ([statistics.median(column[0] for column in side), sum(column[1] for column in side)] for side in (ours, floor))
        return our_work / work, our_wall / wall, min(ratios), max(ratios), f"{our_wall * 1e3:.0f} ms / {wall * 1e3:.0f} ms"


def main(bench, is_check):
    recorded = {name: (record, target) for name, (_, record, target) in CASES.items()} | {NO_OP: NO_OP_RATIOS}
    lost = []
    print(f"{'deployments / bare libpq':<40} {'cpu':>6} {'recorded':>9} {'wall':>6} {'least':>6} {'most':>6} {'target':>7}")
    for name, (record, target) in recorded.items():
        for _ in range(TRIES if is_check else 1):
            work, wall, least, most, medians = bench.measure(name)
            print(f"  {name:<38} {work:>6.2f} {record:>9.2f} {wall:>6.2f} {least:>6.2f} {most:>6.2f} {target:>7.2f}   ({medians})", flush=True)
            if work <= record * LOSS:
                break
        else:
            lost.append(name)
    if is_check and lost:
        sys.exit(f"more work by over a tenth: {', '.join(lost)}")


if __name__ == "__main__":
    main(Bench(*sys.argv[1:5]), "--check" in sys.argv[5:])
