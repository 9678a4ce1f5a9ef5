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
        return self.data[len(self.kind) + 4 :].decode(errors="replace")

    def __repr__(self):
        return f"{self.direction} {self.kind or 'startup'} {self.text[:60]!r}"


class HalfClosed(Exception):
    """One direction of a connection has ended, the other goes on."""


class Link:
    """What the two directions of a connection share."""

    def __init__(self, is_over, run):
        self.is_over = is_over
        self.run = run
        self.is_frozen = False

    def freeze(self):
        self.is_frozen = True

    def wait_while_frozen(self):
        if self.is_frozen:
            self.is_over.wait()
            raise OSError("thawed")


class Proxy:
    """Forwards from self.port to the server. `on_message(message)` is called before each is forwarded, or before that with the
    number `only`, and may return None or

    - "drop", "drop after": close both sides instead, or once it is forwarded
    - "cut": forward a part of it, then close both sides
    - "half-close": end its receiver's side of the stream instead; the other direction stays open
    - "delay": forward it a moment later
    - "freeze": forward nothing any more in either direction and keep the connection open, until thaw()
    - "misname": give the statement that it parses a name, as if another client had taken its place before it is bound
    - "garble": forward it as a message of a type that does not exist

    `on_cancel` is what happens to a cancel request: None forwards it, "hold" never answers, "swallow" answers and forgets it,
    "swallow the first" does so once.
    refuse() and drop() are for whoever connects from then on: no listener, or no answer to the first packet.
    """

    def __init__(self, server_port):
        self.server_port = server_port
        self.messages = []
        self.run = 0
        self.connections = 0
        self.on_message = None
        self.only = None
        self.on_cancel = None
        self.cancels = 0
        self.fillers = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.frozen = threading.Event()
        self.is_over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def next_run(self):
        """Counts messages from none again; what the connections made before this still say is forwarded and not counted."""
        with self.lock:
            self.run += 1
            self.messages.clear()

    def thaw(self):
        """Ends what is frozen."""
        self.is_over.set()
        for one in self.sockets:
            _close(one)
        self.sockets, self.is_over = [], threading.Event()
        self.frozen.clear()

    def refuse(self):
        """The blocked accept() ends, too, which close() alone would not do."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def drop(self):
        """A full queue of a listener that accepts nobody: the kernel drops whatever comes, as a firewall does."""
        self.refuse()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def close(self):
        self.listener.close()
        for filler in self.fillers:
            filler.close()
        self.is_over.set()
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
            link = Link(self.is_over, self.run)
            threading.Thread(target=self._guard, args=(self._from_client, client, server, link), daemon=True).start()
            threading.Thread(target=self._guard, args=(self._forward, server, client, link), daemon=True).start()

    def _guard(self, pump, source, target, link):
        try:
            pump(source, target, link)
        except HalfClosed:
            return
        except OSError:
            pass
        _close(source)
        _close(target)

    def _from_client(self, source, target, link):
        while True:
            head = _read(source, 4)
            body = _read(source, struct.unpack("!i", head)[0] - 4)
            code = struct.unpack("!i", body[:4])[0]
            if code in (SSL_REQUEST, GSS_REQUEST):
                source.sendall(b"N")
                continue
            if code == CANCEL_REQUEST:
                self.cancels += 1
                if self.on_cancel == "hold":
                    link.is_over.wait()
                if self.on_cancel is None or (self.on_cancel == "swallow the first" and self.cancels > 1):
                    target.sendall(head + body)
                return
            with self.lock:
                self.connections += 1
            self._send(self._pass(Message("client", "", head + body), target, link), target, link)
            break
        self._forward(source, target, link, "client")

    def _forward(self, source, target, link, direction="server"):
        """What arrived together goes on together, but for what is before a message that somebody is asked about."""
        ready = b""
        for message in _messages(source, direction):
            if message is None or self._is_asked_about_next():
                self._send(ready, target, link)
                ready = b""
            if message is not None:
                ready += self._pass(message, target, link)

    def _is_asked_about_next(self):
        return self.on_message and (self.only is None or self.only == len(self.messages))

    def _send(self, data, target, link):
        link.wait_while_frozen()
        target.sendall(data)

    def _pass(self, message, target, link):
        """What is to be sent of it; sends and ends whatever the verdict wants."""
        verdict = None
        data = message.data
        with self.lock:
            if link.run == self.run:
                is_asked = self._is_asked_about_next()
                self.messages.append(message)
                verdict = self.on_message(message) if is_asked else None
        if verdict is None:
            return data
        if verdict == "freeze":
            link.freeze()
            self.frozen.set()
        if verdict == "delay":
            link.is_over.wait(0.1)
        if verdict == "drop":
            raise OSError("dropped")
        if verdict == "half-close":
            target.shutdown(socket.SHUT_WR)
            raise HalfClosed
        if verdict == "misname":
            data = b"P" + struct.pack("!i", len(data)) + b"x" + data[5:]
        if verdict == "garble":
            data = b"!" + data[1:] if message.kind else data[:4] + b"\xff" * 4 + data[8:]
        self._send(data[: len(data) // 2] if verdict == "cut" else data, target, link)
        if verdict in ("cut", "drop after"):
            raise OSError("dropped")
        return b""

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


def _messages(source, direction):
    """All that come; None where the next has not arrived yet."""
    buffer = b""
    at = 0
    while True:
        length = struct.unpack_from("!i", buffer, at + 1)[0] if len(buffer) >= at + 5 else len(buffer)
        if len(buffer) >= at + 5 and len(buffer) > at + length:
            yield Message(direction, chr(buffer[at]), buffer[at : at + 1 + length])
            at += 1 + length
            continue
        yield None
        more = source.recv(65536)
        if not more:
            raise OSError("closed")
        buffer, at = buffer[at:] + more, 0


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
