"""The connection budget: counted as the server counts, waited for, never taken from the application."""

import contextlib
import json
import re
import subprocess
import sys
import threading
import urllib.parse

import psycopg
import pytest
from canary import Canary
from servers import Server, distribution_major
from wait import wait_until


@pytest.fixture
def small(servers):
    """A server with few connections: 12, of them 3 for superusers."""
    server = Server(distribution_major(), servers.binaries[distribution_major()], settings=["max_connections=12"])
    server.query("CREATE ROLE app LOGIN")
    server.query("CREATE DATABASE app OWNER app")
    yield server
    server.remove()


@pytest.fixture
def tool(binary, folder):
    from tool import Tool

    tool = Tool(binary, None, folder)
    yield tool
    tool.clean_up()


def budget(tool, url, *words):
    return json.loads(tool("budget", "--json", *words, url=url).succeeds().out)


def fill(url, stack):
    """As many connections as the server lets in."""
    count = 0
    while True:
        try:
            stack.enter_context(psycopg.connect(url))
        except psycopg.OperationalError as refused:
            assert "slots" in str(refused) or "too many connections" in str(refused), refused
            return count
        count += 1


@pytest.mark.parametrize("major", range(13, 19))
@pytest.mark.parametrize("limit", [None, "role", "database"])
def test_what_it_predicts_is_what_can_be_opened(servers, major, tool, limit):
    settings = ["max_connections=14", "superuser_reserved_connections=2", *(["reserved_connections=3"] if major >= 16 else [])]
    if major not in servers.binaries:
        pytest.skip(f"PostgreSQL {major} could not be installed")
    server = Server(major, servers.binaries[major], settings=settings)
    try:
        server.query("CREATE ROLE app LOGIN")
        server.query("CREATE DATABASE app OWNER app")
        if limit:
            server.query(f"ALTER {limit.upper()} app CONNECTION LIMIT 5")
        url = server.url("app", user="app")
        with contextlib.ExitStack() as stack:
            stack.enter_context(psycopg.connect(url))
            said = budget(tool, url)
            # Its own connection is counted as used, and is given back.
            wait_until(lambda: server.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%'") == [(0,)], "its session to end")
            assert fill(url, stack) == said["free"] + 1, said
        assert said["reserved_connections"] == (3 if major >= 16 else 0) and said["superuser_reserved_connections"] == 2
    finally:
        server.remove()


@contextlib.contextmanager
def parallel_query(url, workers):
    """Runs a query with so many parallel workers while the block lasts."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ["max_parallel_workers_per_gather", "max_parallel_workers"]:
            connection.execute(f"SET {setting} = {workers}")
        for setting in ["parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"]:
            connection.execute(f"SET {setting} = 0")

        def scan():
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                connection.execute("SELECT count(*) FROM many WHERE pg_sleep(0.01) IS NOT NULL")

        thread = threading.Thread(target=scan)
        thread.start()
        try:
            yield connection
        finally:
            connection.cancel()
            thread.join()


@pytest.mark.fault
@pytest.mark.parametrize("major", range(13, 19))
def test_workers_and_walsenders_of_others_are_no_clients(servers, major, tool):
    """Whether their kind may be seen (pg_monitor) or not; before 17 nothing tells another role's parallel worker from a client."""
    if major not in servers.binaries:
        pytest.skip(f"PostgreSQL {major} could not be installed")
    settings = ["max_connections=14", "superuser_reserved_connections=2", "wal_level=logical"]
    server = Server(major, servers.binaries[major], settings=settings)
    try:
        for role in ["other REPLICATION", "app", "monitor IN ROLE pg_monitor"]:
            server.query(f"CREATE ROLE {role.replace(' ', ' LOGIN ', 1) if ' ' in role else role + ' LOGIN'}")
        server.query("CREATE DATABASE app CONNECTION LIMIT 5")
        server.query("CREATE TABLE many AS SELECT i FROM generate_series(1, 100000) AS i")
        server.query("GRANT SELECT ON many TO other")
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(psycopg.connect(server.url("app", user="other", replication="database"), autocommit=True))
            stack.enter_context(parallel_query(server.url("postgres", user="other"), 3))
            workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"
            wait_until(lambda: server.query(workers) == [(3,)], "the parallel workers to start")
            hidden = budget(tool, server.url("app", user="app"))
            shown = budget(tool, server.url("app", user="monitor"))
            assert shown["database_used"] <= 2 and shown["used_hidden"] == 0, shown
            assert hidden["database_used"] <= 2, hidden
            unknown = 4 if major < 17 else 0  # the leader and its workers
            assert hidden["used_hidden"] == unknown, hidden
            said = tool("budget", url=server.url("app", user="app")).succeeds().out
            assert ('GRANT pg_monitor TO "app"' in said) == (major < 17), said
            wait_until(lambda: server.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%'") == [(0,)], "its session to end")
            assert fill(server.url("app", user="app"), stack) == 5
    finally:
        server.remove()


@pytest.mark.fault
@pytest.mark.parametrize("limit", ["role", "database"])
def test_what_a_role_holds_elsewhere_is_no_share_of_this_database(small, tool, limit):
    small.query(f"ALTER {limit.upper()} app CONNECTION LIMIT 5")
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(psycopg.connect(small.url("postgres", user="app")))
        url = small.url("app", user="app")
        share = budget(tool, url, "--headroom", "0")["connection_limit"]
        wait_until(lambda: small.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%'") == [(0,)], "its session to end")
        # Two are kept for tidelock.
        assert fill(url, stack) == share + 2


@pytest.mark.parametrize("major", [16, 17, 18])
def test_who_may_use_reserved_connections_is_told_so(servers, major, tool):
    if major not in servers.binaries:
        pytest.skip(f"PostgreSQL {major} could not be installed")
    server = Server(major, servers.binaries[major], settings=["max_connections=10", "reserved_connections=2"])
    try:
        server.query("CREATE ROLE app LOGIN")
        url = server.url("postgres", user="app")
        before = budget(tool, url)
        server.query("GRANT pg_use_reserved_connections TO app")
        after = budget(tool, url)
        # The session of the first answer may still be there.
        assert after["free"] + after["used"] == before["free"] + before["used"] + 2 and after["may_use_reserved"] and not before["may_use_reserved"]
        assert "ALTER SYSTEM SET reserved_connections" not in tool("budget", url=url).out
    finally:
        server.remove()


def test_the_table_says_what_each_replica_may_have(tool, small):
    wait_until(lambda: small.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%'") == [(0,)], "the sessions of others to end")
    out = tool("budget", "--replicas", "3", url=small.url("app", user="app")).succeeds().out
    assert "max_connections                       12" in out and 'For 3 replicas connecting as "app"' in out
    assert "connection_limit of each               2" in out  # 12 - 3 for superusers - 1 of ours - 1 of headroom
    assert 'ALTER ROLE "app" CONNECTION LIMIT' in out


def sums(out):
    """The blocks of numbers that "budget" prints, each {what: number}."""
    return [{what: int(number) for what, number in re.findall(r"(?m)^  (\S.*?) +([-+]?\d+)(?:   .*)?$", block)} for block in out.split("\n\n")]


@pytest.mark.parametrize("who", ["ordinary", "limited role", "limited database", "superuser"])
def test_what_is_printed_adds_up(servers, tool, who):
    major = distribution_major()
    server = Server(major, servers.binaries[major], settings=["max_connections=20", "superuser_reserved_connections=2", "autovacuum=off"])
    try:
        server.query("CREATE ROLE app LOGIN")
        server.query("CREATE DATABASE app OWNER app")
        if who.startswith("limited"):
            server.query(f"ALTER {who.split()[1].upper()} app CONNECTION LIMIT 7")
        url = server.url("app", user="postgres" if who == "superuser" else "app")
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(psycopg.connect(server.url("app", user="app")))
            out = tool("budget", "--replicas", "2", url=url).succeeds().out
        server_side, role, share = sums(out)[:3]
        ordinary, left, everybody = server_side.pop("left for ordinary roles"), role["left for it"], share.pop("for all replicas")
        assert sum(server_side.values()) == ordinary, out
        bounds = [role.get(f"limit of the {what}") for what in ("role", "database")]
        bounds = [bound - 4 for bound in bounds if bound is not None]  # three, and its own
        assert left == min([ordinary + role.get("reserved ones that it may use", 0), *bounds]), out
        each = share.pop("connection_limit of each")
        assert share["left for it"] == left and sum(share.values()) == everybody and each == everybody // 2, out
        assert "not fit" not in out
    finally:
        server.remove()


def test_replicas_that_do_not_fit_are_told_so(tool, small):
    url = small.url("app", user="app")
    out = tool("budget", "--replicas", "7", url=url).succeeds().out
    assert "connection_limit of each               0" in out and "\n7 replicas do not fit: there are 6 connections for them.\n" in out
    assert not budget(tool, url, "--replicas", "7")["fits"] and budget(tool, url, "--replicas", "6")["fits"]


def test_superusers_are_told_that_no_limit_binds_them(tool, small):
    assert "The server does not limit a superuser" in tool("budget", url=small.url("app")).succeeds().out


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "999999999999999999999"])
def test_a_wrong_number_is_refused(tool, small, value):
    tool("budget", f"--replicas={value}", url=small.url("app")).fails(exit=2, says=["not a number in the allowed range", "from 1 to"])


def test_a_full_server_is_waited_for(tool, small, folder):
    folder.add("001_t", "CREATE TABLE t ()")
    url = small.url("app", user="app")
    with contextlib.ExitStack() as stack:
        fill(url, stack)
        running = tool.start("deploy", url=url)
        running.wait_for_line("waiting for the database")
    running.wait().succeeds(applied=["001_t"])


def test_a_server_that_stays_full_is_given_up(tool, small, folder):
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    url = small.url("app", user="app")
    with contextlib.ExitStack() as stack:
        fill(url, stack)
        tool("deploy", "--budget-wait", "500ms", "--connect-deadline", "1h", url=url).fails(exit=5, says="53300")


def test_it_does_not_begin_while_the_application_would_have_too_little(tool, small, folder):
    folder.add("001_t", "CREATE TABLE t ()")
    url = small.url("app", user="app")
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(psycopg.connect(url))
        last = psycopg.connect(url)
        tool("deploy", "--headroom", "2", "--budget-wait", "300ms", url=url).fails(
            exit=5, says=["only 1 of 12 connections left for the application", "tidelock budget", "Nothing was changed"]
        )
        running = tool.start("deploy", "--headroom", "2", url=url)
        running.wait_for_line("waiting for free connections: 1 left for the application, 2 must stay free")
        last.close()
        running.wait().succeeds(applied=["001_t"])


def test_with_nothing_pending_no_room_is_needed(tool, small, folder):
    folder.add("001_t", "CREATE TABLE t ()")
    url = small.url("app", user="app")
    tool("deploy", url=url).succeeds()
    tool("deploy", "--headroom", "10000", "--budget-wait", "0", url=url).succeeds(says="No pending")


def test_the_application_is_never_refused_because_of_us(tool, small, folder):
    """All slots but three are taken: one for us, one for a new connection, one that the server still counts while it ends."""
    for number in range(20):
        folder.add(f"{number:03}_t", f"CREATE TABLE t{number} (); SELECT pg_sleep(0.02)")
    folder.add("020_heard", Canary.UNTIL_HEARD)
    url = small.url("app", user="app")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(psycopg.connect(url))
        canary = Canary(small, "app")
        try:
            tool("deploy", url=url).succeeds()
        finally:
            canary.stop()
    assert canary.opened > 20 and not canary.refused


def test_run_hands_the_application_its_share(tool, small, folder):
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    url = small.url("app", user="app") + "?application_name=mine&connection_limit=99"
    result = tool("run", "--share-connections", "--replicas", "3", "--", "sh", "-c", 'echo "$DATABASE_URL"', url=url).succeeds()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(result.out.strip()).query)
    assert query == {"application_name": ["mine"], "connection_limit": ["2"]}
    crowded = tool("run", "--share-connections", "--replicas", "100", "--", "sh", "-c", 'echo "$DATABASE_URL"', url=url).succeeds(says="a connection for each of 100")
    assert crowded.out.strip().endswith("connection_limit=1")
    untouched = tool("run", "--", "sh", "-c", 'echo "$DATABASE_URL"', url=url).succeeds()
    assert untouched.out.strip() == url


@pytest.mark.fault
@pytest.mark.parametrize(
    "query",
    ["connection_limit=1&connection_limit=99", "schema=public&connection%5Flimit=99", "schema=public&&connection_limit=5"],
)
def test_the_share_is_what_every_reader_of_the_url_finds(tool, small, folder, query):
    """Some take the first of two, some the last."""
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    url = small.url("app", user="app") + "?" + query
    result = tool("run", "--share-connections", "--", "sh", "-c", 'echo "$DATABASE_URL"', url=url).succeeds()
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(result.out.strip()).query, keep_blank_values=True)
    assert said == {"connection_limit": ["6"], **({"schema": ["public"]} if "schema" in query else {})}


@pytest.mark.fault
def test_a_url_with_a_fragment_gets_its_share_before_it(tool, small, folder):
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    result = tool("run", "--share-connections", "--", "sh", "-c", 'echo "$DATABASE_URL"', url=small.url("app", user="app") + "#note").succeeds()
    assert result.out.strip() == small.url("app", user="app") + "?connection_limit=6#note"


@pytest.mark.fault
def test_the_variable_that_counts_is_the_one_that_gets_the_share(binary, small, folder):
    """An environment may hold a name twice; the first that is not empty counts."""
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    url = small.url("app", user="app")
    starter = (
        "import ctypes, os, sys\n"
        "strings = lambda words: (ctypes.c_char_p * (len(words) + 1))(*[word.encode() for word in words], None)\n"
        "words = sys.argv[1].split('\\x1f')\n"
        "ctypes.CDLL(None).execve(words[0].encode(), strings(words), strings(['DATABASE_URL=', 'DATABASE_URL=' + sys.argv[2], 'PATH=/usr/bin:/bin']))\n"
    )
    words = [binary, "run", "--share-connections", "--migrations", str(folder.path), "--", "sh", "-c", 'echo "$DATABASE_URL"']
    result = subprocess.run([sys.executable, "-c", starter, "\x1f".join(words), url], capture_output=True, text=True)
    assert result.stdout.strip() == url + "?connection_limit=6", result


def test_a_share_needs_a_url_to_write_it_into(tool, small, folder):
    environment = {"PGHOST": "127.0.0.1", "PGPORT": str(small.port), "PGUSER": "app", "PGDATABASE": "app"}
    tool("run", "--share-connections", "--", "true", url="", environment=environment).fails(exit=2, says="needs DATABASE_URL")


def test_a_storm_is_not_made_of_refusals(tool, small, folder):
    """How often a full server is asked within two seconds."""
    folder.add("001_t", "CREATE TABLE IF NOT EXISTS t ()")
    url = small.url("app", user="app")
    with contextlib.ExitStack() as stack:
        fill(url, stack)
        before = small.log.read_text(errors="replace").count("FATAL")
        tool("deploy", "--budget-wait", "2s", url=url).fails(exit=5)
        # Pauses of at least 50, 100, 200, 400, 800 ms fit into two seconds, and no sixth.
        assert small.log.read_text(errors="replace").count("FATAL") - before <= 6
