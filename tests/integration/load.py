"""Clients of docker/examples/rename-column, and its pods: what a rolling update looks like from outside."""

import collections
import contextlib
import http.client
import random
import sys
import threading
import time

from servers import free_port
from wait import wait_until


class Pod:
    """A container, started as its ENTRYPOINT does: `tidelock run` with these words, which becomes the server."""

    def __init__(self, tidelock, image, release, words):
        self.port = free_port()
        environment = {"TIDELOCK_RELEASE": str(release), "PORT": str(self.port)}
        words = [sys.executable if word == "python3" else word for word in words]
        self.running = tidelock.start("run", *words, cwd=image, environment=environment)

    def is_ready(self):
        with contextlib.suppress(ConnectionRefusedError), contextlib.closing(self.connect()) as connection:
            connection.connect()
            return True
        return False

    def wait(self):
        """Until it takes requests; or has failed."""
        wait_until(lambda: self.running.process.poll() is not None or self.is_ready(), "the server to listen")
        if self.running.process.poll() is not None:
            self.running.wait().succeeds()
        return self

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def stop(self):
        self.running.signal()
        self.running.wait().succeeds()


class Load:
    """Clients that add a parcel, read it, change its name and read it again, each time through any of the pods that serve; and must
    always get what was written last."""

    def __init__(self, clients=4):
        self.pods = []
        self.step = None
        self.took = collections.defaultdict(list)
        self.failures = []
        self.rounds = [0] * clients
        self.is_over = False
        self.threads = [threading.Thread(target=self._work, args=[number]) for number in range(clients)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            if thread.ident:
                thread.join()

    def serve(self, *pods):
        """From now on these do; returns when no request to another is under way."""
        self.pods = pods
        for thread in self.threads:
            if not thread.ident:
                thread.start()
        self.go_on(1)

    def go_on(self, rounds):
        """Until each client has made so many more."""
        aim = [done + rounds for done in self.rounds]
        wait_until(lambda: all(done >= wanted for done, wanted in zip(self.rounds, aim, strict=True)), "the clients to go on")

    def _ask(self, connections, method, path, name=None):
        pod = random.choice(connections.pods)
        began = time.monotonic()
        connections[pod].request(method, path, name)
        answer = connections[pod].getresponse()
        text = answer.read().decode()
        self.took[self.step].append(time.monotonic() - began)
        if answer.status != 200:
            raise http.client.HTTPException(f"{method} {path}: {answer.status} {text}")
        return text

    def _round(self, connections, name):
        path = f"/parcels/{self._ask(connections, 'POST', '/parcels', name)}"
        for wanted in [name, f"{name}, too"]:
            if wanted != name:
                self._ask(connections, "PUT", path, wanted)
            found = self._ask(connections, "GET", path)
            if found != wanted:
                raise http.client.HTTPException(f"GET {path}: {found!r}, and not {wanted!r}")

    def _work(self, number):
        connections = Connections()
        while not self.is_over:
            connections.use(self.pods)
            try:
                self._round(connections, f"{number} {self.rounds[number]}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{self.step}: {error!r}")
                connections.use([])
            self.rounds[number] += 1
        connections.use([])


class Connections(dict):
    """Of a client: one to each pod, kept open."""

    def use(self, pods):
        self.pods = pods
        for pod in [*self.keys() - set(pods)]:
            self.pop(pod).close()
        for pod in set(pods) - self.keys():
            self[pod] = pod.connect()
