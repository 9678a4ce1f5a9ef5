"""An application's load, by pgbench, and what it noticed."""

import subprocess


def psql(url, statement):
    subprocess.run(["psql", "-Xqd", url, "-c", statement], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_load(url, home, script, clients, seconds, *words):
    (home / "script").write_text(script)
    command = ["pgbench", "-n", "-c", clients, "-j", 2, "-T", seconds, "-f", home / "script", "-l", f"--log-prefix={home}/log", *words, url]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read_load(home):
    """Latencies in ms, from when each transaction was due, and the longest time without a commit in s."""
    took, ends = [], []
    for file in home.glob("log*"):
        for line in file.read_text().splitlines():
            fields = line.split()
            if len(fields) < 6:  # it was ended while it wrote
                continue
            took.append(int(fields[2]) / 1000)
            ends.append(int(fields[4]) + int(fields[5]) / 1e6)
    took.sort()
    ends.sort()
    gap = max(later - sooner for sooner, later in zip(ends, ends[1:]))
    return took, gap


def figures(took, gap):
    over = 100 * sum(one > 100 for one in took) / len(took)
    return over, took[len(took) * 99 // 100], took[-1], gap
