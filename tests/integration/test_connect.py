"""Reaching the database: what is waited for, what is said at once."""

import socket
import subprocess
import threading

import psycopg
import pytest
from proxy import Proxy
from servers import Server, distribution_major, free_port
from wait import wait_until

pytestmark = pytest.mark.libraries

HBA = """
local all postgres trust
host all postgres 127.0.0.1/32 trust
hostssl all only_tls 127.0.0.1/32 scram-sha-256
hostnossl all only_tls 127.0.0.1/32 reject
host all absent,barred 127.0.0.1/32 trust
host all secret,+rotating 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def secure(servers):
    """A server with passwords and TLS, its certificate signed for "localhost" by nobody."""
    major = distribution_major()
    server = Server(major, servers.binaries[major], hba=HBA)
    server.stop("fast")
    for name in ("server.key", "server.crt"):
        (server.data / name).unlink(missing_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", server.data / "server.key", "-out", server.data / "server.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(["chown", f"{server.user.pw_uid}", server.data / "server.key", server.data / "server.crt"], check=True)
    (server.data / "server.key").chmod(0o600)
    server.settings.append("ssl=on")
    server.start()
    server.query("CREATE ROLE secret LOGIN PASSWORD 'p@ss:w/rd%'")
    server.query("CREATE ROLE rotating")
    server.query("CREATE ROLE barred")
    server.query("CREATE ROLE only_tls LOGIN PASSWORD 'hunter22'")
    server.query("CREATE DATABASE app OWNER secret")
    yield server
    server.remove()


@pytest.fixture
def tool(binary, folder):
    from tool import Tool

    folder.add("001_t", "SELECT 1")
    tool = Tool(binary, None, folder)
    yield tool
    tool.clean_up()


def test_a_refused_connection_is_retried_until_the_deadline(tool):
    url = f"postgresql://u:s3cretpw@127.0.0.1:{free_port()}/d"
    tool("deploy", "--connect-deadline", "1s", url=url).fails(exit=3, says=["P1001", "waiting for the database", "Connection refused"])


def test_a_host_that_is_not_known_is_retried(tool):
    tool("deploy", "--connect-deadline", "1s", url="postgresql://u@nowhere.invalid/d").fails(exit=3, says=["P1001", "waiting for the database", "nowhere.invalid"])


def test_a_server_that_does_not_answer_is_given_up_after_the_timeout(tool):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d"
        tool("deploy", "--connect-timeout", "200ms", "--connect-deadline", "500ms", url=url).fails(exit=3, says=["P1001", "no answer within 200 ms"])


def test_garbage_instead_of_a_server_is_no_crash(tool):
    with socket.create_server(("127.0.0.1", 0)) as liar:

        def lie():
            while True:
                try:
                    client, _ = liar.accept()
                except OSError:
                    return
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)
                client.close()

        threading.Thread(target=lie, daemon=True).start()
        url = f"postgresql://u:s3cretpw@127.0.0.1:{liar.getsockname()[1]}/d"
        result = tool("deploy", "--connect-deadline", "300ms", url=url)
        assert result.code in (2, 3) and "s3cretpw" not in result.errors


def test_it_waits_for_a_server_that_is_starting(servers, tool):
    major = distribution_major()
    server = Server(major, servers.binaries[major])
    try:
        server.query("CREATE DATABASE app")
        server.stop("fast")
        running = tool.start("deploy", url=server.url("app"))
        running.wait_for_line("waiting for the database")
        server.start()
        running.wait().succeeds(applied=["001_t"])
    finally:
        server.remove()


def test_a_server_that_restarts_in_the_middle_is_come_back_to(servers, tool):
    major = distribution_major()
    server = Server(major, servers.binaries[major])
    try:
        server.query("CREATE DATABASE app")
        tool.folder.add("002_slow", "CREATE TABLE slow (); SELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'restarted') THEN 0 ELSE 600 END);")
        running = tool.start("deploy", url=server.url("app"))
        wait_until(lambda: server.query("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND query LIKE '%%pg_sleep%%'"), "the migration")
        server.query("CREATE ROLE restarted")
        server.stop("immediate")
        server.start()
        running.wait().succeeds(applied=["001_t", "002_slow"], says="reconnecting")
        assert server.query("SELECT count(*) FROM _prisma_migrations", database="app") == [(2,)]
    finally:
        server.remove()


@pytest.mark.parametrize(
    "login, name, says",
    [
        ("secret:wr0ng-one", "app", "P1000"),
        ("secret", "app", "P1000"),
        ("nobody", "app", "P1010"),
        ("absent", "app", ["P1010", 'CREATE ROLE "absent" LOGIN PASSWORD']),
        ("barred", "app", ["P1010", 'ALTER ROLE "barred" LOGIN;']),
        ("postgres", "missing", "P1003"),
    ],
)
def test_what_waiting_cannot_heal_is_said_at_once(secure, tool, login, name, says):
    result = tool("deploy", url=f"postgresql://{login}@127.0.0.1:{secure.port}/{name}")
    result.fails(exit=2, says=says)
    assert "waiting" not in result.errors and "wr0ng-one" not in result.errors
    assert ("pg_hba.conf" in result.errors) == (login == "nobody")


@pytest.mark.fault
@pytest.mark.parametrize("parameter", ["keepalives=x", "keepalives_idle=x", "keepalives_interval=1.5", "keepalives_count=3x", "tcp_user_timeout=5s"])
def test_what_libpq_takes_for_no_number_is_said_at_once(secure, tool, parameter):
    result = tool("deploy", url=f"postgresql://postgres@127.0.0.1:{secure.port}/app?{parameter}")
    result.fails(exit=2, says=["P1013", parameter.partition("=")[0], "whole number"])
    assert "waiting" not in result.errors


def test_a_percent_encoded_password(secure, tool):
    url = f"postgresql://secret:p%40ss%3Aw%2Frd%25@127.0.0.1:{secure.port}/app"
    tool("deploy", url=url).succeeds()


@pytest.mark.parametrize(
    "parameters, says",
    [
        ("sslmode=disable", None),
        ("sslmode=require", None),
        ("sslmode=require&sslaccept=accept_invalid_certs", None),
        ("sslmode=require&sslaccept=strict&sslcert={ca}", None),
        ("sslmode=verify-full&sslrootcert={ca}", None),
        ("sslmode=verify-full", "certificate verify failed"),
        ("sslmode=require&sslaccept=strict", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ("sslmode=require&sslcert=/nowhere.pem", "/nowhere.pem"),
        ("sslmode=require&sslcert=nowhere.pem", "beside the schema"),
        ("sslmode=prefer&sslcert=nowhere.pem", "nowhere.pem"),
        ("sslmode=require&sslrootcert={ca}&sslcrl=nowhere.pem", "nowhere.pem"),
        ("sslmode=require&sslcert={other}", "certificate verify failed"),
        ("sslmode=require&sslcert={other}&sslaccept=accept_invalid_certs", None),
        ("sslmode=require&sslrootcert={other}&sslaccept=accept_invalid_certs", None),
        ("sslmode=no-verify", None),
        ("sslmode=no-verify&sslrootcert={other}", None),
        ("ssl=true&uselibpqcompat=true", None),
        ("ssl=true&sslrootcert={other}", "certificate verify failed"),
    ],
)
def test_tls_is_verified_when_asked_for(secure, tool, authority, parameters, says):
    ca = secure.data / "server.crt"
    ca.chmod(0o644)
    secure.data.chmod(0o750)
    url = f"postgresql://postgres@localhost:{secure.port}/app?" + parameters.format(ca=ca, other=authority.folder / "ca.crt")
    result = tool("status", url=url)
    result.fails(exit=2, says=["P1011", says]) if says else result.succeeds()
    assert ("not verified" in result.errors) == ("no-verify" in parameters)


def test_a_ca_beside_the_schema_is_found_as_by_prisma(secure, tool, authority):
    url = f"postgresql://postgres@localhost:{secure.port}/app?sslmode=require&sslcert=ca.pem"
    (tool.folder.root / "prisma" / "ca.pem").write_bytes((authority.folder / "ca.crt").read_bytes())
    tool("status", url=url).fails(exit=2, says=["P1011", "certificate verify failed"])
    (tool.folder.root / "prisma" / "ca.pem").write_bytes((secure.data / "server.crt").read_bytes())
    for strict in ("", "&sslaccept=strict"):
        tool("status", url=url + strict).succeeds()
    tool("status", "--migrations", tool.folder.path, url=url).succeeds()


@pytest.mark.parametrize("mode", ["enable", "true", "required", "REQUIRE", "verify_full", ""])
def test_a_mode_that_is_none_is_not_guessed(secure, tool, mode):
    result = tool("deploy", url=f"postgresql://postgres@localhost:{secure.port}/app?sslmode={mode}")
    result.fails(exit=2, says=["P1013", "sslmode", "disable, allow, prefer, require, verify-ca, verify-full, no-verify"])


def test_what_the_environment_asks_of_tls_holds_where_the_url_is_silent(secure, tool):
    url = f"postgresql://postgres@localhost:{secure.port}/app"
    for environment in ({"PGSSLMODE": "verify-full"}, {"PGSSLMODE": "require", "PGSSLROOTCERT": "/nowhere.pem"}):
        tool("status", url=url, environment=environment).fails(exit=2, says="P1011")
        tool("status", url=url + "?sslmode=no-verify", environment={"PGSSLMODE": "verify-full"}).succeeds()


@pytest.mark.parametrize(
    "login, parameters",
    [
        ("postgres", "channel_binding=require"),
        ("postgres", "channel_binding=require&sslmode=disable"),
        ("secret:p%40ss%3Aw%2Frd%25", "channel_binding=require&sslmode=disable"),
        ("postgres", "gssencmode=require"),
    ],
)
def test_what_can_never_work_is_not_waited_for(secure, tool, servers, login, parameters):
    for port in (secure.port, servers.get(distribution_major()).port):
        result = tool("deploy", url=f"postgresql://{login}@127.0.0.1:{port}/app?{parameters}")
        assert result.code == 2 and "waiting" not in result.errors, result.errors
    tool("deploy", url=f"postgresql://secret:p%40ss%3Aw%2Frd%25@127.0.0.1:{secure.port}/app?channel_binding=require").succeeds()


def test_tls_to_the_wrong_name_or_without_tls_is_refused(secure, tool, servers):
    url = f"postgresql://postgres@127.0.0.1:{secure.port}/app?sslmode=verify-full&sslrootcert={secure.data / 'server.crt'}"
    tool("status", url=url).fails(exit=2, says="P1011")
    plain = servers.get(distribution_major())
    tool("status", url=plain.url("postgres", sslmode="require")).fails(exit=2, says=["P1011", "does not support SSL"])


def test_all_connections_taken_is_waited_for(servers, tool):
    major = distribution_major()
    server = Server(major, servers.binaries[major], settings=["max_connections=5", "superuser_reserved_connections=1"])
    try:
        server.query("CREATE ROLE app LOGIN")
        server.query("CREATE DATABASE app OWNER app")
        import psycopg

        taken = []
        while True:
            try:
                taken.append(psycopg.connect(server.url("postgres", user="app")))
            except psycopg.OperationalError:
                break
        url = server.url("app", user="app")
        tool("deploy", "--budget-wait", "500ms", url=url).fails(exit=5, says="53300")
        running = tool.start("deploy", url=url)
        running.wait_for_line("waiting for the database")
        for connection in taken:
            connection.close()
        running.wait().succeeds()
    finally:
        server.remove()


def test_a_unix_socket_and_libpqs_own_variables(secure, tool):
    secure.query("CREATE DATABASE by_socket")
    tool("deploy", url=f"postgresql://postgres@localhost:{secure.port}/by_socket?host={secure.home}").succeeds()
    environment = {"PGHOST": str(secure.home), "PGPORT": str(secure.port), "PGDATABASE": "by_socket", "PGUSER": "postgres"}
    tool("status", environment=environment).succeeds()


def test_the_machines_openssl_configuration_has_no_say(secure, tool, tmp_path):
    """libpq asks OpenSSL to read it; a host's openssl.cnf must not decide what this program can do."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text("openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = old\n[old]\nMinProtocol = TLSv1\nMaxProtocol = TLSv1\n")
    url = f"postgresql://secret:p%40ss%3Aw%2Frd%25@127.0.0.1:{secure.port}/app?sslmode=require"
    environment = {"OPENSSL_CONF": str(configuration)}
    refused = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}", "-starttls", "postgres"], env=environment, capture_output=True, input=b"")
    assert b"Cipher is (NONE)" in refused.stdout or refused.returncode != 0
    tool("status", url=url, environment=environment).succeeds()


def test_a_name_is_looked_up_and_the_certificate_still_checked(secure, tool):
    url = f"postgresql://secret:p%40ss%3Aw%2Frd%25@localhost:{secure.port}/app?sslmode=verify-full&sslrootcert={secure.data / 'server.crt'}"
    tool("status", url=url).succeeds()


def rotated(secure, tmp_path):
    """A role of its own, the file that holds its URL, and a function that rotates its password."""
    role = f"rotated_{tmp_path.name}"
    file = tmp_path / "url"
    secure.query(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'first-pw' IN ROLE rotating; GRANT ALL ON DATABASE app TO \"{role}\"")
    secure.query(f'CREATE SCHEMA "{role}" AUTHORIZATION "{role}"', database="app")

    def rotate(password, port=None):
        file.write_text(f"postgresql://{role}:{password}@127.0.0.1:{port or secure.port}/app?schema={role}\n")
        secure.query(f"ALTER ROLE \"{role}\" PASSWORD '{password}'")

    return file, rotate


def test_a_password_that_rotates_while_it_waits(secure, tool, tmp_path):
    file, rotate = rotated(secure, tmp_path)
    rotate("first-pw")
    with psycopg.connect(secure.url("app"), autocommit=True) as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tool.start("deploy", environment={"DATABASE_URL_FILE": str(file)})
        running.wait_for_line("waiting for the leader")
        rotate("second-pw")
        running.wait_for_line("have changed")
    result = running.wait().succeeds(applied=["001_t"])
    assert "-pw" not in result.errors


def test_a_password_in_a_file_beside_the_url(secure, tool, tmp_path):
    """PGPASSWORD_FILE serves a URL without a password, needs no percent-encoding, rotates like a URL's, and yields to the URL's own."""
    file, rotate = rotated(secure, tmp_path)
    rotate("first-pw")
    url = file.read_text().strip()
    bare = url.replace(":first-pw@", "@")
    file.write_text("first-pw\n")
    environment = {"PGPASSWORD_FILE": str(file)}
    with psycopg.connect(secure.url("app"), autocommit=True) as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tool.start("deploy", url=bare, environment=environment)
        running.wait_for_line("waiting for the leader")
        rotate("p%40:/ pw")
        file.write_text("p%40:/ pw\n")
    result = running.wait().succeeds(applied=["001_t"], says="have changed")
    assert "-pw" not in result.errors and "p%40" not in result.errors
    tool("status", url=bare, environment={"PGPASSWORD": "p%40:/ pw"}).succeeds()
    tool("status", url=url, environment=environment).fails(exit=2, says="P1000")
    tool("status", url=bare, environment={**environment, "PGPASSWORD": "x"}).fails(exit=2, says="both PGPASSWORD and PGPASSWORD_FILE")


def test_a_password_that_rotates_while_it_connects(secure, tool, tmp_path):
    file, rotate = rotated(secure, tmp_path)
    proxy = Proxy(secure.port)
    rotate("first-pw", port=proxy.port)
    rotations = []

    def on_message(message):
        if message.kind == "" and b"user" in message.data and not rotations:
            rotations.append(rotate("second-pw", port=proxy.port))

    proxy.on_message = on_message
    try:
        tool("deploy", environment={"DATABASE_URL_FILE": str(file)}).succeeds(applied=["001_t"], says="have changed")
    finally:
        proxy.close()
    assert rotations


def test_a_rotated_file_that_is_broken_is_a_warning(secure, tool, tmp_path):
    file, rotate = rotated(secure, tmp_path)
    rotate("first-pw")
    with psycopg.connect(secure.url("app"), autocommit=True) as leader:
        leader.execute("SELECT pg_advisory_lock(72707369)")
        running = tool.start("deploy", environment={"DATABASE_URL_FILE": str(file)})
        running.wait_for_line("waiting for the leader")
        file.write_text("http://third-pw\n")
    result = running.wait().succeeds(applied=["001_t"], says="could not reread the credentials")
    assert "-pw" not in result.errors
