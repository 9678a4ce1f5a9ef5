"""A web server of parcels: POST /parcels with a name gives an id, GET /parcels/ID the name, and PUT changes it."""

import http.server
import os
import queue
import signal
import threading

import parcels
import psycopg

POOL = queue.SimpleQueue()
for _ in range(4):
    POOL.put(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))


def ask(statement, **values):
    connection = POOL.get()
    try:
        cursor = connection.execute(statement, values)
        return cursor.fetchone() if cursor.description else None
    finally:
        POOL.put(connection)


class Parcels(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, row, status=200):
        body = str(row[0] if row else "").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def try_to(self, statement, is_written):
        name = self.rfile.read(int(self.headers["Content-Length"])).decode() if is_written else None
        try:
            self.answer(ask(statement, id=self.path.rpartition("/")[2], name=name))
        except psycopg.Error as error:
            self.answer([error], 500)

    def do_POST(self):
        self.try_to(parcels.ADD, True)

    def do_GET(self):
        self.try_to(parcels.READ, False)

    def do_PUT(self):
        self.try_to(parcels.READDRESS, True)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Parcels)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
