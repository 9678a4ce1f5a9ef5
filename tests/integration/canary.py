"""An application that would notice if a migration took its connections."""

import threading

import psycopg
from wait import wait_until


class Canary:
    """An application that opens a connection again and again, one at a time, and must never be refused.

    The server lets go of a connection some time after it was closed, so the next one waits until the server lists it no more.
    A migration of UNTIL_HEARD ends when it has opened more than twenty.
    """

    UNTIL_HEARD = "DO $$ BEGIN WHILE NOT pg_try_advisory_xact_lock(20) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"

    def __init__(self, server, user):
        self.server = server
        self.user = user
        self.opened = 0
        self.refused = []
        self.is_over = False
        self.thread = threading.Thread(target=self._sing)
        self.is_listening = threading.Event()
        self.thread.start()
        assert self.is_listening.wait(60)

    def _sing(self):
        with psycopg.connect(self.server.url("app"), autocommit=True) as watching:
            watching.execute("SELECT pg_advisory_lock(20)")
            self.is_listening.set()
            while not self.is_over:
                try:
                    with psycopg.connect(self.server.url("app", user=self.user)) as connection:
                        pid = connection.info.backend_pid
                    self.opened += 1
                    if self.opened == 21:
                        watching.execute("SELECT pg_advisory_unlock(20)")
                    ended = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"
                    wait_until(lambda pid=pid: watching.execute(ended, [pid]).fetchone()[0], "the server ended the connection")
                except psycopg.OperationalError as error:
                    self.refused.append(str(error))

    def stop(self):
        self.is_over = True
        self.thread.join()
