#!/usr/bin/env python3
"""How often `diff --script` works: for each migration of real folders, the script made from the states before and after it is applied to the
state before, and must give the digest of the state after. Says how many did, what was refused, and what failed.

    tests/trial/script.py BINARY FOLDER...      with an empty server's URL in SERVER (postgresql://…, no database); EVERY=5: every fifth pair
"""

import collections
import os
import pathlib
import re
import subprocess
import sys

BINARY, SERVER, EVERY = sys.argv[1], os.environ["SERVER"].rstrip("/"), int(os.environ.get("EVERY", "1"))


def psql(database, script):
    return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", f"{SERVER}/{database}"], input=script.encode(), capture_output=True)


def tidelock(*words):
    return subprocess.run([BINARY, *words], capture_output=True, cwd="/", env={"PATH": os.environ["PATH"]})


def snapshot(database, file):
    done = tidelock("snapshot", "--database-url", f"{SERVER}/{database}")
    assert done.returncode == 0, done.stderr.decode()
    file.write_bytes(done.stdout)


def create(database, template="template0"):
    for statement in (f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} TEMPLATE {template}"):
        assert psql("postgres", statement).returncode == 0


def reasons(text):
    return [re.sub(r"^tidelock: error: (\S+) .*?: ", r"\1: ", line) for line in text.splitlines() if line.startswith("tidelock: error: ") and "no script can" not in line]


def compare(before, after, database):
    """What came of it: "same", "refused", "failed" or "differs", and why."""
    made = tidelock("diff", "--script", str(before), str(after))
    if made.returncode != 0:
        return "refused", reasons(made.stderr.decode())
    done = psql(database, made.stdout.decode())
    if done.returncode != 0:
        return "failed", [done.stderr.decode().strip() + "\n" + made.stdout.decode()]
    left = tidelock("diff", "--exit-code", str(after), f"{SERVER}/{database}")
    if left.returncode == 0:
        return "same", []
    return "differs in order" if b"order" in made.stdout else "differs", [left.stdout.decode() + made.stdout.decode()]


def trial(folder, work):
    """Of one folder: how many of each outcome; prints those that are not right."""
    outcomes = collections.Counter()
    create("live")
    create("made")
    before, after = work / "before", work / "after"
    snapshot("live", before)
    scripts = sorted(folder.glob("*/migration.sql")) or sorted(folder.glob("*.sql"))
    for number, script in enumerate(scripts):
        if psql("live", script.read_text(errors="replace")).returncode != 0:
            outcomes["not replayed"] += 1
        if number % EVERY != EVERY - 1 and script is not scripts[-1]:
            continue
        snapshot("live", after)
        outcome, why = compare(before, after, "made")
        outcomes[outcome] += 1
        for reason in why:
            print(f"  {outcome} {script.parent.name}: {reason}")
        if outcome != "same":
            create("made", "live")
        before.write_bytes(after.read_bytes())
    create("made")
    first, _ = compare("empty", after, "made")
    outcomes[f"whole {first}"] += 1
    if first in ("failed", "differs", "refused"):
        print(f"  whole {first}: {_}")
    return outcomes


def main():
    work = pathlib.Path(os.environ.get("WORK", "."))
    total = collections.Counter()
    for name in sys.argv[2:]:
        outcomes = trial(pathlib.Path(name), work)
        total += outcomes
        print(f"{name}: " + ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items())), flush=True)
    print("all: " + ", ".join(f"{count} {what}" for what, count in sorted(total.items())))


if __name__ == "__main__":
    main()
