"""Servers that answer what nobody asked for: a clear error, no crash, no guess, no endless loop."""

import contextlib
import socket
import struct
import threading

import pytest
from tool import Tool

pytestmark = pytest.mark.libraries

CLOSE = object()


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def parameter(name, value):
    return message(b"S", f"{name}\0{value}\0".encode())


AUTHENTICATED = message(b"R", struct.pack("!i", 0))
READY = message(b"Z", b"I")
WELCOME = AUTHENTICATED + parameter("server_version", "15.4") + parameter("standard_conforming_strings", "on") + parameter("client_encoding", "UTF8") + READY
COLUMN = message(b"T", struct.pack("!h", 1) + b"a\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
DONE = message(b"C", b"SELECT 1\0") + READY

GREETINGS = {
    "silence": [],
    "http": [b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"],
    "garbage": [bytes(range(255, 0, -1))],
    "an error without an end": [b"E" + struct.pack("!i", 0x7FFFFFFF) + b"x" * 100000],
    "a negative length": [b"R" + struct.pack("!i", -5) + b"x" * 100],
    "nothing behind the welcome": [AUTHENTICATED],
    "closed behind the welcome": [AUTHENTICATED, CLOSE],
}

REPLIES = {
    "garbage": [bytes(range(255, 0, -1))],
    "a row without a description": [message(b"D", struct.pack("!hi", 1, 1) + b"x") + DONE],
    "closed": [CLOSE],
    "cut": [b"T\0\0", CLOSE],
    "fewer columns": [COLUMN + message(b"D", struct.pack("!hi", 1, 1) + b"x") + DONE],
    "a value of negative length": [COLUMN + message(b"D", struct.pack("!hi", 1, -77)) + READY],
    "more columns than are there": [message(b"T", struct.pack("!h", 32767) + b"a\0" * 10) + READY],
    "a row of two gigabytes": [b"D" + struct.pack("!i", 0x7FFFFFF0) + b"x" * 1000000, CLOSE],
    "nothing but ready": [READY],
    "no query": [message(b"I") + READY],
    "ready three times": [READY * 3],
    "copy in both directions": [message(b"W", struct.pack("!bh", 0, 0))],
    "an error that says nothing": [message(b"E", b"\0") + READY],
    "an error that does not end": [message(b"E", b"Mhello") + READY],
    "a fatal error": [message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mgo away\0\0"), CLOSE],
}


@contextlib.contextmanager
def liar(greeting, reply):
    """Serves every connection: the greeting, then the reply to whatever comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send(client, parts):
        for part in parts:
            if part is CLOSE:
                raise ConnectionError
            client.sendall(part)

    def serve(client):
        with client, contextlib.suppress(OSError, struct.error):
            while True:
                (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
                body = client.recv(length - 4, socket.MSG_WAITALL)
                if struct.unpack("!i", body[:4])[0] not in (80877103, 80877104):
                    break
                client.sendall(b"N")  # neither TLS nor GSSAPI
            send(client, greeting)
            while client.recv(65536):
                send(client, reply)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d?connect_timeout=1"
    finally:
        listener.close()


@pytest.fixture
def tool(binary, folder):
    folder.add("001_a", "SELECT 1")
    tool = Tool(binary, None, folder)
    yield tool
    tool.clean_up()


@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
@pytest.mark.parametrize("command", ["deploy", "status"])
def test_at_the_door(tool, command, greeting):
    with liar(greeting, []) as url:
        tool(command, "--connect-deadline", "2s", url=url).fails(exit=3, says=["P1001", "127.0.0.1"])


def test_a_password_of_a_kind_that_is_not_known_is_not_waited_for(tool):
    with liar([message(b"R", struct.pack("!i", 99))], []) as url:
        tool("deploy", "--connect-deadline", "1h", url=url).fails(exit=2, says=["P1000", "scram-sha-256"])


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("command", ["deploy", "status"])
def test_to_a_query(tool, command, reply):
    with liar([WELCOME], reply) as url:
        result = tool(command, "--connect-deadline", "2s", url=url)
    assert result.code in (2, 3) and "error" in result.errors and "Sanitizer" not in result.errors, result.errors
