"""What a deployment takes, as a ratio to bare libpq that does the same in the same run: BEGIN, the script, INSERT, COMMIT, one after the other.

With --check it fails where a ratio is more than a tenth above the one recorded here; measured again before that, as a neighbour may have been noisy.
BENCH_LOSS says how much is allowed on a machine whose ratios were not recorded. Round trips are counted in tests/integration/test_fast_path.py.
"""

import os
import pathlib
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


# The ratio to the floor that was recorded, and what is aimed at.
CASES = {
    "1,000 small migrations from empty": (small, "off", 0.75, 0.85),
    "the same, and the schema recorded": (small, "warn", 0.80, 0.85),
    "one file of 5,000 mixed statements": (mixed, "off", 1.05, 1.05),
    "one file of 50,000 rows": (rows, "off", 1.06, 1.03),
}
NO_OP = "nothing to do, 1,000 applied"
NO_OP_RATIOS = (1.55, 1.25)
ROUNDS, NO_OP_ROUNDS, TRIES = 7, 40, 3
LOSS = float(os.environ.get("BENCH_LOSS", "1.1"))


class Bench:
    def __init__(self, binary, floor, url, scratch):
        self.binary, self.floor, self.url, self.scratch = binary, floor, url, pathlib.Path(scratch)

    def run(self, *command, **environment):
        """Wall seconds of one process."""
        started = time.perf_counter()
        process = subprocess.run(command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))[:200]}: exit {process.returncode}\n{process.stderr.decode()}")
        return time.perf_counter() - started

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

    def deploy(self, folder, url, drift="off"):
        return self.run(self.binary, "deploy", "--migrations", folder, "--log-level", "warn", "--drift", drift, DATABASE_URL=url)

    def pairs(self, name, scripts, drift):
        """Seconds of ours and of the floor, in turn: a noisy neighbour troubles both."""
        folder = self.folder(name, scripts())
        paths = sorted(folder.glob("*/migration.sql"))
        first = self.folder("first", ["SELECT 1;\n"])  # which creates the ledger

        def ours():
            return self.deploy(folder, self.fresh("ours"), drift)

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
        """Of the ratios of all pairs the median, the least and the most; the medians of both."""
        pairs = list(self.no_op_pairs() if name == NO_OP else self.pairs(name, *CASES[name][:2]))
        ratios = [ours / floor for ours, floor in pairs]
        ours, floor = (statistics.median(column) for column in zip(*pairs))
        return statistics.median(ratios), min(ratios), max(ratios), ours, floor


def main(bench, is_check):
    recorded = {name: (record, target) for name, (*_, record, target) in CASES.items()} | {NO_OP: NO_OP_RATIOS}
    lost = []
    print(f"{'deployments / bare libpq':<40} {'ratio':>6} {'least':>6} {'most':>6} {'recorded':>9} {'target':>7}")
    for name, (record, target) in recorded.items():
        for _ in range(TRIES if is_check else 1):
            ratio, least, most, ours, floor = bench.measure(name)
            print(f"  {name:<38} {ratio:>6.2f} {least:>6.2f} {most:>6.2f} {record:>9.2f} {target:>7.2f}   ({ours * 1e3:.0f} ms / {floor * 1e3:.0f} ms)", flush=True)
            if ratio <= record * LOSS:
                break
        else:
            lost.append(name)
    if is_check and lost:
        sys.exit(f"slower by more than a tenth: {', '.join(lost)}")


if __name__ == "__main__":
    main(Bench(*sys.argv[1:5]), "--check" in sys.argv[5:])
