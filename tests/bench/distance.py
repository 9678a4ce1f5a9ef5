"""Network distance: a proxy that holds each byte back and keeps them in order, and what a run then takes, in round trips."""

import asyncio
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import peers

BINARY, URL, SCRATCH = sys.argv[1:4]
DELAYS_MS = (1, 5, 20)
PENDING = 100


class Distance:
    """Forwards to the server, each chunk after half of a round trip: what is sent at once arrives at once."""

    def __init__(self, server_port, round_trip_ms):
        self.server_port, self.delay = server_port, round_trip_ms / 2000
        self.loop = asyncio.new_event_loop()
        self.is_ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self.is_ready.wait()

    def _run(self):
        async def listen():
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self.is_ready.set()
            await server.serve_forever()

        self.loop.run_until_complete(listen())

    async def _accept(self, reader, writer):
        away_reader, away_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        await asyncio.gather(self._forward(reader, away_writer), self._forward(away_reader, writer))

    async def _forward(self, reader, writer):
        while chunk := await reader.read(1 << 20):
            self.loop.call_later(self.delay, writer.write, chunk)
        self.loop.call_later(self.delay, writer.close)


def fresh(name):
    for statement in (f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"):
        subprocess.run(["psql", "-Xqd", URL + "postgres", "-c", "SET client_min_messages = error", "-c", statement], check=True, stdout=subprocess.DEVNULL)


def ours(folder, url):
    started = time.perf_counter()
    command = [BINARY, "deploy", "--migrations", folder.path, "--log-level", "warn", "--drift", "off"]
    subprocess.run(list(map(str, command)), check=True, env={"PATH": os.environ["PATH"], "DATABASE_URL": url + "?sslmode=disable"}, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def theirs(peer, folder, url):
    started = time.perf_counter()
    if (done := peer.up(url, folder)).returncode != 0:
        sys.exit(f"{peer.name}: {done.stdout[-2000:]}")
    return time.perf_counter() - started


def main():
    server_port = int(URL.split(":")[2].split("/")[0])
    peer = peers.GolangMigrate()
    folder = peer.folder(pathlib.Path(SCRATCH) / "distance")
    for number in range(1, PENDING + 1):
        folder.add(number, f"step{number}", f"CREATE TABLE t{number} (id int);\n")
    runners = {"tidelock": ours}
    if peer.is_installed():
        runners["golang-migrate"] = lambda folder, url: theirs(peer, folder, url)
    print(f"{'network distance':<44} {'100 pending':>16} {'nothing to do':>16}   in round trips")
    for delay in DELAYS_MS:
        away = Distance(server_port, delay)
        for name, run in runners.items():
            fresh("distance")
            url = URL.replace(f":{server_port}", f":{away.port}") + "distance"
            took = [run(folder, url), run(folder, url)]
            print(f"  {f'{name}, {delay} ms':<42} {took[0] * 1e3 / delay:>16.0f} {took[1] * 1e3 / delay:>16.1f}", flush=True)


main()
