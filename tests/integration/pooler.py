"""A real PgBouncer in front of a real server; clients and server alike are asked for SCRAM passwords."""

import pathlib
import shutil
import subprocess
import tempfile
import urllib.parse

import psycopg
from servers import Server, distribution_major, free_port, server_user
from wait import wait_until

HBA = """
local all postgres trust
host all postgres 127.0.0.1/32 trust
host all app 127.0.0.1/32 scram-sha-256
"""
PASSWORD = "p@ss:w/rd%"


def server_with_passwords(servers):
    """For a fixture: the server that poolers stand in front of, with the role that they let in."""
    server = Server(distribution_major(), servers.binaries[distribution_major()], hba=HBA)
    server.query("SET password_encryption = 'scram-sha-256'")
    server.query(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
    yield server
    server.remove()


class Pooler:
    def __init__(self, server, mode, **settings):
        self.port = free_port()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tidelock-pooler-"))
        self.home.chmod(0o755)
        (self.home / "users").write_text(f'"app" "{PASSWORD}"\n')
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self.home / "users",
            "pool_mode": mode,
            **settings,
        }
        text = f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())
        (self.home / "pgbouncer.ini").write_text(text)
        self.log = (self.home / "log").open("wb")
        self.process = subprocess.Popen(["pgbouncer", self.home / "pgbouncer.ini"], user=server_user().pw_uid, stdout=self.log, stderr=self.log)
        wait_until(self._is_up, "PgBouncer to start")

    def _is_up(self):
        assert self.process.poll() is None, (self.home / "log").read_text()
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database, port=None, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return f"postgresql://app:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:{port or self.port}/{database}{query}"

    def remove(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home)
