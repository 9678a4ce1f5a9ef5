"""Every way to a server: transport x sslmode x authentication. tidelock gets through exactly where psql does."""

import os
import subprocess

import psycopg
import pytest
from certificates import Authority
from servers import Server, distribution_major
from tool import Tool

pytestmark = pytest.mark.libraries

AUTHENTICATIONS = ["trust", "password", "md5", "scram-sha-256", "cert"]
SSLMODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
TRANSPORTS = ["127.0.0.1", "::1", "socket"]


def role_of(authentication):
    return "with_" + authentication.replace("-", "_")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    authority.issue("server", "server", "subjectAltName=IP:127.0.0.1,IP:::1")
    authority.issue("other", "other", "subjectAltName=IP:192.0.2.1")
    authority.issue("client", "with_cert", "keyUsage=digitalSignature")
    return authority


@pytest.fixture(scope="module")
def door(servers, authority):
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
    authority.install(server, "server")
    for authentication in AUTHENTICATIONS:
        encryption = "md5" if authentication == "md5" else "scram-sha-256"
        server.query(f"CREATE ROLE {role_of(authentication)} LOGIN")
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"SET password_encryption = '{encryption}'")
            connection.execute(f"ALTER ROLE {role_of(authentication)} PASSWORD 'pass word%'")
    server.query("CREATE DATABASE app")
    yield server
    server.remove()


def environment_of(door, authority, transport, sslmode, authentication):
    host = str(door.home) if transport == "socket" else transport
    found = {"PGHOST": host, "PGPORT": str(door.port), "PGDATABASE": "app", "PGUSER": role_of(authentication), "PGSSLMODE": sslmode, "PGSSLROOTCERT": str(authority.folder / "ca.crt")}
    if authentication == "cert":
        return found | {"PGSSLCERT": str(authority.folder / "client.crt"), "PGSSLKEY": str(authority.folder / "client.key")}
    return found | {"PGPASSWORD": "pass word%"}


@pytest.mark.parametrize("sslmode", SSLMODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_where_psql_gets_through(door, authority, binary, folder, transport, sslmode):
    folder.add("001_t", "SELECT 1")
    tool = Tool(binary, None, folder)
    reached = []
    for authentication in AUTHENTICATIONS:
        environment = environment_of(door, authority, transport, sslmode, authentication)
        peer = subprocess.run(["psql", "-XqAtc", "SELECT 1"], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True)
        result = tool("status", "--connect-deadline", "2s", url="", environment=environment)
        assert (result.code == 0) == (peer.returncode == 0), f"{authentication}: {result.errors}\npsql: {peer.stderr}"
        assert "pass word" not in result.out + result.errors
        reached += [authentication] * (result.code == 0)
    # Not all alike: a certificate wants TLS, which a socket does not have.
    without_certificate = transport == "socket" or sslmode == "disable"
    assert reached == [name for name in AUTHENTICATIONS if name != "cert" or not without_certificate]


@pytest.mark.parametrize("name", ["other", "server"])
def test_a_certificate_for_somebody_else(door, authority, binary, folder, name):
    """verify-full looks at the name, and nothing is sent to a server of another one."""
    folder.add("001_t", "SELECT 1")
    authority.install(door, name)
    environment = environment_of(door, authority, "127.0.0.1", "verify-full", "scram-sha-256")
    result = Tool(binary, None, folder)("status", "--connect-deadline", "2s", url="", environment=environment)
    if name == "server":
        result.succeeds()
    else:
        result.fails(exit=2, says="127.0.0.1")


@pytest.mark.fault
@pytest.mark.parametrize("name", ["sslcert", "sslrootcert", "PGSSLROOTCERT"])
def test_who_names_a_ca_gets_a_verified_connection_or_an_error(door, authority, servers, binary, folder, tmp_path, name):
    folder.add("001_t", "SELECT 1")
    authority.install(door, "server")
    (tmp_path / "wrong").mkdir()
    wrong = Authority(tmp_path / "wrong").folder / "ca.crt"
    tool = Tool(binary, None, folder)

    def status(url, ca, parameters=""):
        if name.isupper():
            return tool("status", url=url + parameters, environment={name: str(ca)})
        return tool("status", url=f"{url}{parameters}&{name}={ca}")

    url = f"postgresql://postgres@127.0.0.1:{door.port}/app?connect_timeout=5"
    status(url, authority.folder / "ca.crt").succeeds()
    status(url, wrong).fails(exit=2, says=["P1011", "certificate verify failed", "sslmode=disable"])
    status(url, wrong, "&sslmode=disable").succeeds()
    plain = servers.get(distribution_major())
    status(f"postgresql://postgres@127.0.0.1:{plain.port}/postgres?connect_timeout=5", wrong).fails(exit=2, says=["P1011", "does not support SSL", "sslmode=disable"])


@pytest.mark.fault
@pytest.mark.parametrize("name", ["sslcert", "sslrootcert", "sslkey", "sslcrl"])
def test_a_file_without_a_name_is_not_passed_over(door, binary, folder, name):
    folder.add("001_t", "SELECT 1")
    url = f"postgresql://postgres@127.0.0.1:{door.port}/app?sslmode=require&{name}="
    Tool(binary, None, folder)("status", url=url).fails(exit=2, says=["P1013", f'"{name}" is empty', f"{name}=FILE"])
