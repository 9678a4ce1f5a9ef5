"""Runs tidelock and the floor in turn and prints ratios beside their targets."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

import deployments

BINARY, STATIC, TOOLS, URL, SCRATCH = sys.argv[1:6]
FLOOR = f"{TOOLS}/floor"


def run(*command, **environment):
    """Wall seconds of one process, and what it printed."""
    started = time.perf_counter()
    process = subprocess.run(
        command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)[:200]}: exit {process.returncode}\n{process.stderr.decode()}")
    return time.perf_counter() - started, process.stdout.decode()


def sql(database, *statements):
    for statement in statements:
        subprocess.run(["psql", "-Xqd", URL + database, "-c", statement], check=True, stdout=subprocess.DEVNULL)


def fresh(database):
    sql("postgres", f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database}")
    return f"{URL}{database}?sslmode=disable"


def make_folder(name, scripts):
    folder = pathlib.Path(SCRATCH) / name
    for number, script in enumerate(scripts):
        directory = folder / f"{20240101000000 + number}_step"
        directory.mkdir(parents=True)
        (directory / "migration.sql").write_text(script)
    return str(folder)


def small_scripts(count):
    return [
        f'-- CreateTable\nCREATE TABLE "t{i}" ("id" SERIAL NOT NULL, "name" TEXT, PRIMARY KEY ("id"));\n'
        if i % 4 == 0
        else f'-- AlterTable\nALTER TABLE "t{i - i % 4}" ADD COLUMN "c{i}" INTEGER;\n'
        for i in range(count)
    ]


def report(what, figure, target):
    print(f"{what:<62} {figure:<24} target {target}", flush=True)


def alternating(rounds, ours, floor):
    """Medians of both, run in turn, so that a noisy neighbour troubles both."""
    pairs = [(ours(), floor()) for _ in range(rounds)]
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)


def deploy(folder, url):
    return run(BINARY, "deploy", "--migrations", folder, "--log-level", "warn", DATABASE_URL=url)[0]


def peak(binary, folder, url, drift="off"):
    """Peak resident memory of a deployment, in bytes."""
    command = (FLOOR, "peak", binary, "deploy", "--migrations", folder, "--log-level", "warn", "--drift", drift)
    return int(run(*command, DATABASE_URL=url)[1]) * 1024


def no_op():
    url = fresh("noop")
    folder = make_folder("noop", small_scripts(1000))
    deploy(folder, url)
    report("no-op deploy, 1,000 applied: peak resident memory", f"{peak(BINARY, folder, url) / 1e6:.1f} MB", "<= 12 MB")


def memory():
    """Of the release binary, where there is much of something."""
    line = f"INSERT INTO big (id, body) VALUES (1, '{'x' * 950}');\n"
    script = "CREATE TABLE big (id bigint, body text);\n" + line * 500_000
    more = peak(STATIC, make_folder("large", [script]), fresh("large")) - len(script)
    fresh("large")
    report(f"static: one script of {len(script) / 1e6:.0f} MB: peak memory beyond it", f"{more / 1e6:.1f} MB", "<= 16 MB")

    (mixed,) = deployments.mixed()
    report("static: one file of 5,000 mixed statements: peak memory", f"{peak(STATIC, make_folder('mixed', [mixed]), fresh('mixed'), 'warn') / 1e6:.1f} MB", "<= 5 MB")

    folder, url = make_folder("many", small_scripts(10_000)), fresh("many")
    report("static: 10,000 migrations from empty: peak memory", f"{peak(STATIC, folder, url) / 1e6:.1f} MB", "<= 16 MB")
    report("static: the same, nothing to do: peak memory", f"{peak(STATIC, folder, url) / 1e6:.1f} MB", "<= 16 MB")

    folder, url = make_folder("one", ["SELECT 1;\n"]), fresh("rows")
    deploy(folder, url)
    sql(
        "rows",
        "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)"
        " SELECT gen_random_uuid(), repeat(md5(i::text), 2), now(), '2020' || lpad(i::text, 10, '0') || '_step', now(), 1 FROM generate_series(1, 100000) AS i",
    )
    report("static: 100,000 rows in the ledger, nothing to do: peak memory", f"{peak(STATIC, folder, url) / 1e6:.1f} MB", "<= 70 MB")


def median_us(*command, **environment):
    return float(run(FLOOR, "time", "200", *command, **environment)[1])


def static():
    """The release binary, beside programs that can't be any smaller."""
    mine, theirs = alternating(5, lambda: median_us(STATIC, "version"), lambda: median_us("/bin/true"))
    report("static: start-up (version) / /bin/true", f"{mine / theirs:.2f}  ({mine / 1e3:.2f} ms)", "<= 2.00")

    folder = make_folder("static", small_scripts(1000))
    url = fresh("static")
    deploy(folder, url)
    command = (STATIC, "deploy", "--migrations", folder, "--log-level", "warn")
    port = URL.split(":")[2].split("/")[0]
    mine, theirs = alternating(5, lambda: median_us(*command, DATABASE_URL=url), lambda: median_us(f"{TOOLS}/bare", port, "static"))
    report("static: no-op deploy, 1,000 applied / bare protocol", f"{mine / theirs:.2f}  ({mine / 1e3:.1f} ms)", "<= 1.30")

    secure = (URL + "static").replace("postgres@127.0.0.1", "secret:tide@localhost")
    certificate = f"{SCRATCH}/data/server.crt"
    memory = int(run(FLOOR, "peak", *command, DATABASE_URL=f"{secure}?sslmode=verify-full&sslrootcert={certificate}")[1]) * 1024
    report("static: peak memory of that over TLS 1.3 with SCRAM", f"{memory / 1e6:.1f} MB", "<= 5 MB")
    report("static: size", f"{os.path.getsize(STATIC) / 1e6:.2f} MB", "<= 5.5 MB")


def gate():
    """What an application's start pays when there is nothing to apply, and what its probes cost."""
    folder = make_folder("gate", small_scripts(100))
    url = fresh("gate")
    deploy(folder, url)
    port = URL.split(":")[2].split("/")[0]
    command = (STATIC, "run", "--migrations", folder, "--log-level", "warn", "--", "/bin/true")
    mine, theirs = alternating(5, lambda: median_us(*command, DATABASE_URL=url), lambda: median_us(f"{TOOLS}/bare", port, "gate"))
    plain = median_us("/bin/true")
    report("static: run -- true, nothing to do, beyond bare protocol + true", f"{(mine - theirs - plain) / 1e3:.2f} ms", "<= 10 ms")

    status = f"{SCRATCH}/status.prom"
    run(STATIC, "deploy", "--migrations", folder, "--log-level", "warn", "--status-file", status, DATABASE_URL=url)
    mine, theirs = alternating(5, lambda: median_us(STATIC, "ready", "--status-file", status), lambda: median_us("/bin/true"))
    report("static: ready / /bin/true", f"{mine / theirs:.2f}  ({mine / 1e3:.2f} ms)", "<= 2 ms")


def fleet(replicas):
    """All at once, on 27 connections: a server with max_connections = 30."""
    scripts = ["CREATE TABLE applied (number int)"] + [f"INSERT INTO applied VALUES ({i}); SELECT pg_sleep(0.05)" for i in range(20)]
    folder = make_folder(f"fleet{replicas}", scripts)

    def start(count):
        fresh("fleet")
        sql("fleet", "DROP ROLE IF EXISTS fleet", "CREATE ROLE fleet LOGIN CONNECTION LIMIT 27", "GRANT ALL ON SCHEMA public TO fleet")
        url = (URL + "fleet?sslmode=disable").replace("postgres@", "fleet@")
        command = [STATIC, "deploy", "--migrations", folder, "--log-level", "error"]
        started = time.perf_counter()
        processes = [subprocess.Popen(command, env={"DATABASE_URL": url}, stdout=subprocess.DEVNULL) for _ in range(count)]
        if any([process.wait() for process in processes]):
            sys.exit(f"a fleet of {count}: one failed")
        return time.perf_counter() - started

    alone, together = start(1), start(replicas)
    sql("fleet", "DROP OWNED BY fleet")
    limit = 1.5 * alone + 1 if replicas <= 50 else 2 * alone + 3
    report(f"{replicas} replicas at once, the last one done", f"{together:.1f} s  (alone {alone:.1f} s)", f"<= {limit:.1f} s")


if __name__ == "__main__":
    static()
    gate()
    fleet(50)
    fleet(200)
    no_op()
    memory()
    print(run(f"{TOOLS}/scanner")[1], end="")
