"""Every way to a server: transport x sslmode x authentication. tidelock gets through exactly where psql does."""

import os
import subprocess

import psycopg
import pytest
from servers import Server, distribution_major
from tool import Tool

AUTHENTICATIONS = ["trust", "password", "md5", "scram-sha-256", "cert"]
SSLMODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
TRANSPORTS = ["127.0.0.1", "::1", "socket"]
EXTENSIONS = {"server": "subjectAltName=IP:127.0.0.1,IP:::1", "other": "subjectAltName=IP:192.0.2.1", "client": "keyUsage=digitalSignature"}


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
    for name, extension in EXTENSIONS.items():
        subject = "/CN=with_cert" if name == "client" else f"/CN={name}"
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        (folder / f"{name}.ext").write_text(extension + "\n")
        files = ["-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.crt", "-extfile", f"{name}.ext"]
        openssl(folder, "x509", "-req", *files, "-days", "2")
    (folder / "client.key").chmod(0o600)


def role_of(authentication):
    return "with_" + authentication.replace("-", "_")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder)
    return folder


@pytest.fixture(scope="module")
def door(servers, certified):
    """A server with a role for each authentication, on each transport; TLS is there, and wanted for certificates."""
    major = distribution_major()
    lines = ["local all postgres trust", "host all postgres 127.0.0.1/32 trust"]
    for authentication in AUTHENTICATIONS:
        role = role_of(authentication)
        kind = "hostssl" if authentication == "cert" else "host"
        lines += [f"{kind} all {role} 127.0.0.1/32 {authentication}", f"{kind} all {role} ::1/128 {authentication}"]
        if authentication != "cert":
            lines.append(f"local all {role} {authentication}")
    server = Server(major, servers.binaries[major], ["listen_addresses=127.0.0.1,::1"], hba="\n".join(lines) + "\n")
    for name in ["server.crt", "server.key", "ca.crt"]:
        (server.home / name).write_bytes((certified / name).read_bytes())
        os.chown(server.home / name, server.user.pw_uid, -1)
        (server.home / name).chmod(0o600)
    for setting, name in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key"), ("ssl_ca_file", "ca.crt")]:
        server.query(f"ALTER SYSTEM SET {setting} = '{server.home / name}'")
    server.query("ALTER SYSTEM SET ssl = on")
    server.query("SELECT pg_reload_conf()")
    for authentication in AUTHENTICATIONS:
        encryption = "md5" if authentication == "md5" else "scram-sha-256"
        server.query(f"CREATE ROLE {role_of(authentication)} LOGIN")
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"SET password_encryption = '{encryption}'")
            connection.execute(f"ALTER ROLE {role_of(authentication)} PASSWORD 'pass word%'")
    server.query("CREATE DATABASE app")
    yield server
    server.remove()


def environment_of(door, certified, transport, sslmode, authentication):
    host = str(door.home) if transport == "socket" else transport
    found = {"PGHOST": host, "PGPORT": str(door.port), "PGDATABASE": "app", "PGUSER": role_of(authentication), "PGSSLMODE": sslmode, "PGSSLROOTCERT": str(certified / "ca.crt")}
    if authentication == "cert":
        return found | {"PGSSLCERT": str(certified / "client.crt"), "PGSSLKEY": str(certified / "client.key")}
    return found | {"PGPASSWORD": "pass word%"}


@pytest.mark.parametrize("sslmode", SSLMODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_where_psql_gets_through(door, certified, binary, folder, transport, sslmode):
    folder.add("001_t", "SELECT 1")
    tool = Tool(binary, None, folder)
    reached = []
    for authentication in AUTHENTICATIONS:
        environment = environment_of(door, certified, transport, sslmode, authentication)
        peer = subprocess.run(["psql", "-XqAtc", "SELECT 1"], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True)
        result = tool("status", "--connect-deadline", "2s", url="", environment=environment)
        assert (result.code == 0) == (peer.returncode == 0), f"{authentication}: {result.errors}\npsql: {peer.stderr}"
        assert "pass word" not in result.out + result.errors
        reached += [authentication] * (result.code == 0)
    # Not all alike: a certificate wants TLS, which a socket does not have.
    without_certificate = transport == "socket" or sslmode == "disable"
    assert reached == [name for name in AUTHENTICATIONS if name != "cert" or not without_certificate]


@pytest.mark.parametrize("name", ["other", "server"])
def test_a_certificate_for_somebody_else(door, certified, binary, folder, name):
    """verify-full looks at the name, and nothing is sent to a server of another one."""
    folder.add("001_t", "SELECT 1")
    for kind in ["crt", "key"]:
        (door.home / f"server.{kind}").write_bytes((certified / f"{name}.{kind}").read_bytes())
    door.query("SELECT pg_reload_conf()")
    environment = environment_of(door, certified, "127.0.0.1", "verify-full", "scram-sha-256")
    result = Tool(binary, None, folder)("status", "--connect-deadline", "2s", url="", environment=environment)
    if name == "server":
        result.succeeds()
    else:
        result.fails(exit=2, says="127.0.0.1")
