"""The same folder by its own tool and by tidelock, in turn: how many times as long the tool takes."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import peers

BINARY, URL, SCRATCH = sys.argv[1:4]
COUNT, NO_OPS, FROM_EMPTY = 1000, 7, 3


def fresh(name):
    for statement in (f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"):
        subprocess.run(["psql", "-Xqd", URL + "postgres", "-c", "SET client_min_messages = error", "-c", statement], check=True, stdout=subprocess.DEVNULL)
    return URL + name


def script(number):
    if number % 4 == 0:
        return f"CREATE TABLE t{number} (id serial PRIMARY KEY, name text);\n"
    return f"ALTER TABLE t{number - number % 4} ADD COLUMN c{number} integer;\n"


def folder_of(peer):
    root = pathlib.Path(SCRATCH) / f"peer-{peer.label or peer.name}"
    folder = peer.folder(root)
    if isinstance(peer, peers.Drizzle) and not isinstance(peer, peers.Drizzle1):
        enter, peer.enter = peer.enter, lambda *_: None
        for number in range(COUNT):
            folder.add(number + 1, f"step{number}", script(number))
        peer.enter = enter
        write_journal(peer, folder)
        return folder
    for number in range(COUNT):
        folder.add(number + 1, f"step{number}", script(number))
    return folder


def write_journal(peer, folder):
    """At once: entered one by one, it would be read and written a thousand times."""
    (folder.path / "meta").mkdir()
    entries = [{"idx": n, "version": "7", "when": peer.version(n + 1), "tag": f"{n:04}_step{n}", "breakpoints": True} for n in range(COUNT)]
    (folder.path / "meta/_journal.json").write_text(json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}))


def seconds(*command, **options):
    started = time.perf_counter()
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: exit {done.returncode}\n{done.stdout[-2000:]}")
    return time.perf_counter() - started


def ours(peer, folder, url):
    command = [BINARY, "deploy", "--format", peer.name, "--migrations", folder.path, "--log-level", "warn", "--drift", "off"]
    return seconds(*command, env={"PATH": os.environ["PATH"], "DATABASE_URL": url + "?sslmode=disable"})


def theirs(peer, folder, url):
    started = time.perf_counter()
    done = peer.up(url, folder)
    if done.returncode != 0:
        sys.exit(f"{peer.name}: exit {done.returncode}\n{done.stdout[-2000:]}")
    return time.perf_counter() - started


def spread(pairs):
    ratios = [tool / mine for mine, tool in pairs]
    return f"{statistics.median(ratios):6.1f} {min(ratios):6.1f} {max(ratios):6.1f}   ({statistics.median(mine for mine, _ in pairs) * 1e3:.1f} ms / {statistics.median(tool for _, tool in pairs) * 1e3:.0f} ms)"


def measure(peer):
    folder = folder_of(peer)
    name = peer.label or peer.name
    empty = [(ours(peer, folder, fresh("ours")), theirs(peer, folder, fresh("theirs"))) for _ in range(FROM_EMPTY)]
    print(f"  {name + ': 1,000 small, from empty':<44} {spread(empty)}", flush=True)
    again = [(ours(peer, folder, URL + "theirs"), theirs(peer, folder, URL + "ours")) for _ in range(NO_OPS)]
    print(f"  {name + ': nothing to do':<44} {spread(again)}", flush=True)
    shutil.rmtree(folder.root)


print(f"{'a tool / tidelock, with its own folder':<46} {'ratio':>6} {'least':>6} {'most':>6}   (ours / theirs)")
for kind in peers.PEERS:
    if kind.is_installed():
        measure(kind())
    else:
        print(f"  {kind.name}: not installed")
