"""The leader is on another host, and the network between it and the server ends."""

import os
import shutil
import signal
import subprocess

import pytest
from network import Host
from servers import Server, distribution_major
from wait import wait_until

pytestmark = pytest.mark.libraries

HBA = """
local all all trust
host all all 127.0.0.1/32 trust
host all all 10.0.0.0/8 trust
"""


@pytest.fixture
def host():
    if os.getuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    try:
        host = Host()
    except subprocess.CalledProcessError as refused:
        pytest.skip(f"no network namespaces here: {refused.stderr.strip()}")
    yield host
    host.remove()


@pytest.fixture
def server(servers):
    server = Server(distribution_major(), servers.binaries[distribution_major()], settings=["listen_addresses=*"], hba=HBA)
    server.query("CREATE DATABASE app")
    yield server
    server.remove()


@pytest.fixture
def tool(binary, folder):
    from tool import Tool

    tool = Tool(binary, None, folder)
    yield tool
    tool.clean_up()


@pytest.mark.parametrize("state", ["active", "idle in transaction"])
def test_the_leaders_cable_is_cut(server, host, tool, folder, state):
    """What the server does not do about it by itself takes ten minutes, or hours."""
    folder.add("001_a", "CREATE TABLE a ()")
    folder.add("002_b", f"CREATE TABLE b (); SELECT CASE WHEN inet_client_addr() = '{host.address}' THEN pg_sleep({600 if state == 'active' else 1}) END")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"postgresql://postgres@{host.gateway}:{server.port}/app"}
    away = subprocess.Popen(host.command(tool.binary, "deploy"), cwd=folder.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        sleeping = f"SELECT 1 FROM pg_stat_activity WHERE client_addr = '{host.address}' AND query LIKE '%pg_sleep%' AND state = '{state}'"
        if state != "active":
            wait_until(lambda: server.query(sleeping.replace(state, "active")), "the leader to be at its second migration")
            away.send_signal(signal.SIGSTOP)
        wait_until(lambda: server.query(sleeping), f"the leader to be {state}")
        followers = [tool.start("deploy", url=server.url("app")) for _ in range(2)]
        followers[0].wait_for_line(f"from {host.address}")
        host.cut()
        results = [follower.wait() for follower in followers]
        assert sorted(result.succeeds().errors.count("applied 002_b") for result in results) == [0, 1]
        assert server.query("SELECT count(*) FROM _prisma_migrations", database="app") == [(2,)]
        host.plug_in()
        away.send_signal(signal.SIGCONT)
        out, errors = away.communicate(timeout=120)
        assert away.returncode == 0, errors
        assert "applied 002_b" not in errors and server.query("SELECT count(*) FROM _prisma_migrations", database="app") == [(2,)]
    finally:
        away.kill()
        away.communicate()
