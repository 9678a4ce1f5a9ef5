"""Through a real PgBouncer: a leader needs a session of its own, and says so."""

import subprocess

import pytest
from servers import free_port
from wait import wait_until


@pytest.fixture(params=["session", "transaction"])
def pooler(server, database, request, tmp_path):
    port = free_port()
    (tmp_path / "users.txt").write_text('"postgres" ""\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\n"
        f"auth_type=trust\nauth_file={tmp_path}/users.txt\npool_mode={request.param}\n"
        f"ignore_startup_parameters=extra_float_digits\nlogfile={tmp_path}/log\n"
    )
    for path in [tmp_path, *tmp_path.parents]:
        if str(path).startswith("/tmp/"):
            path.chmod(0o777)
    command = ["pgbouncer", "-q", tmp_path / "pgbouncer.ini"]
    process = subprocess.Popen(command, user=server.user.pw_uid, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up():
        try:
            server.query("SELECT 1") and subprocess.run(["psql", "-Xqd", server.url(database.name, port=port, user="postgres"), "-c", "SELECT 1"], check=True, capture_output=True)
        except subprocess.CalledProcessError:
            return False
        return True

    wait_until(is_up, "PgBouncer to start")
    yield request.param, port
    process.kill()
    process.wait()


def test_what_is_said_and_done(server, database, folder, tidelock, pooler):
    mode, port = pooler
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", "BEGIN; CREATE TABLE b (); COMMIT; CREATE INDEX CONCURRENTLY ON a ((1));")
    pooled = server.url(database.name, port=port, pgbouncer="true")
    tidelock("deploy", url=pooled).fails(exit=2, says=["pgbouncer=true", "DIRECT_URL"])
    tidelock("status", url=pooled).succeeds()
    assert not database.holds("_prisma_migrations")
    tidelock("deploy", url=pooled, environment={"DIRECT_URL": database.url()}).succeeds(applied=["001_a", "002_b"])
    tidelock("deploy", url=pooled).succeeds(says="No pending")
    folder.add("003_c", "CREATE TABLE c ()")
    result = tidelock("deploy", url=server.url(database.name, port=port))
    if mode == "session":
        result.succeeds(applied=["003_c"])
    assert "something between here and the server answers for it" in result.errors
