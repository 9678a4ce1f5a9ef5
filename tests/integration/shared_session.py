"""Things that hand several clients one session of the server, and keep only their transactions apart."""

import pathlib
import socket
import struct
import subprocess
import threading

from proxy import _read
from servers import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PGLITE = ROOT / "build/npm/pglite"
SERVE = """
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
const server = new PGLiteSocketServer({ db: await PGlite.create(), port: Number(process.argv[1]), host: "127.0.0.1", maxConnections: 20 });
await server.start();
console.log("up");
"""


class Pglite:
    """The real one. Its only database has all clients."""

    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["node", "--input-type=module", "-e", SERVE, str(self.port)], cwd=PGLITE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout.readline() == "up\n"

    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def close(self):
        self.process.kill()
        self.process.wait()


class SharedSession:
    """Says to every client what the server said at the only start-up, process id and all."""

    def __init__(self, server, database):
        self.turn = threading.Lock()
        self.server = socket.create_connection(("127.0.0.1", server.port))
        body = struct.pack("!i", 196608) + b"user\0postgres\0database\0" + database.encode() + b"\0\0"
        self.server.sendall(struct.pack("!i", len(body) + 4) + body)
        self.greeting = b"".join(self._answers())
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.database = database
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{self.database}?sslmode=disable"

    def _message(self, source):
        head = _read(source, 5)
        return head + _read(source, struct.unpack("!i", head[1:])[0] - 4)

    def _answers(self):
        while True:
            message = self._message(self.server)
            yield message
            if message[:1] == b"Z":
                self.is_idle = message[5:] == b"I"
                return

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        is_ours = False
        try:
            _read(client, struct.unpack("!i", _read(client, 4))[0] - 4)
            client.sendall(self.greeting)
            while (message := self._message(client))[:1] != b"X":
                if not is_ours:
                    self.turn.acquire()
                    is_ours = True
                self.server.sendall(message)
                if message[:1] in (b"Q", b"S"):
                    for answer in self._answers():
                        client.sendall(answer)
                    if self.is_idle:
                        is_ours = False
                        self.turn.release()
        except OSError:
            pass
        finally:
            if is_ours:
                self.turn.release()
            client.close()

    def close(self):
        self.listener.close()
        self.server.close()
