"""A proxy that knows PostgreSQL's message boundaries, so that a test can cut, hold or count at exactly one of them."""

import socket
import struct
import threading

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class Message:
    def __init__(self, direction, kind, data):
        self.direction = direction  # "client" or "server": who sent it
        self.kind = kind  # the type byte; "" for the start-up packet
        self.data = data

    @property
    def text(self):
        return self.data[5:].decode(errors="replace")

    def __repr__(self):
        return f"{self.direction} {self.kind or 'startup'} {self.text[:60]!r}"


class Proxy:
    """Forwards from self.port to the server. `on_message(message)` is called before each is forwarded and may return
    "drop" (close both sides instead), "drop after" (forward, then close), or None."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.messages = []
        self.connections = 0
        self.on_message = None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for one in self.sockets:
            _close(one)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                _close(client)
                continue
            self.sockets += [client, server]
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._guard, args=(self._from_client, client, server), daemon=True).start()
            threading.Thread(target=self._guard, args=(self._from_server, server, client), daemon=True).start()

    def _guard(self, pump, source, target):
        try:
            pump(source, target)
        except OSError:
            pass
        finally:
            _close(source)
            _close(target)

    def _from_client(self, source, target):
        while True:
            head = _read(source, 4)
            body = _read(source, struct.unpack("!i", head)[0] - 4)
            code = struct.unpack("!i", body[:4])[0]
            if code in (SSL_REQUEST, GSS_REQUEST):
                source.sendall(b"N")
                continue
            if code == CANCEL_REQUEST:
                target.sendall(head + body)
                return
            with self.lock:
                self.connections += 1
            self._pass(Message("client", "", b"\0" + head + body), target, head + body)
            break
        self._forward("client", source, target)

    def _from_server(self, source, target):
        self._forward("server", source, target)

    def _forward(self, direction, source, target):
        while True:
            kind = _read(source, 1)
            head = _read(source, 4)
            body = _read(source, struct.unpack("!i", head)[0] - 4)
            data = kind + head + body
            self._pass(Message(direction, kind.decode("latin-1"), data), target, data)

    def _pass(self, message, target, data):
        with self.lock:
            self.messages.append(message)
            verdict = self.on_message(message) if self.on_message else None
        if verdict == "drop":
            raise OSError("dropped")
        target.sendall(data)
        if verdict == "drop after":
            raise OSError("dropped")

    def round_trips(self):
        """How often the client spoke after the server had finished answering; the start-up exchange does not count."""
        trips = 0
        is_ready = False
        for message in list(self.messages):
            if message.direction == "server" and message.kind == "Z":
                is_ready = True
            elif message.direction == "client":
                trips += is_ready and message.kind not in ("", "X")
                is_ready = False
        return trips


def _read(source, length):
    data = b""
    while len(data) < length:
        more = source.recv(length - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def _close(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()
