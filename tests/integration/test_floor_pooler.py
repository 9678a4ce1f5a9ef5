"""The floor of a migration behind PgBouncer: the first one, whose table has to be made, and the next."""

import os

import pytest
from folder import Folder
from pooler import Pooler, server_with_passwords
from servers import Database
from tool import Tool


@pytest.fixture(scope="module")
def server(servers):
    yield from server_with_passwords(servers)


@pytest.fixture
def database(server):
    database = Database(server, f"floored_{os.urandom(4).hex()}")
    server.query(f"ALTER DATABASE {database.name} OWNER TO app")
    yield database
    database.drop()


@pytest.fixture(params=["session", "transaction"])
def url(server, database, request):
    pooler = Pooler(server, request.param)
    yield pooler.url(database.name)
    pooler.remove()


def test_it_is_recorded_and_found(binary, database, folder, tidelock, tmp_path, url):
    older = Tool(binary, database, Folder(tmp_path / "older"))
    for image in (older.folder, folder):
        image.add("001_t", "CREATE TABLE t (id int)")
    folder.add("002_first", "-- tidelock: floor=1.5\nALTER TABLE t ADD COLUMN a int")
    tidelock("deploy", "--release", "1.5", url=url).succeeds(applied=["001_t", "002_first"])
    older("run", "--release", "1.4", "--", "echo", "up", url=url).fails(exit=8, says='"002_first"')
    folder.add("003_next", "-- tidelock: floor=1.6\nALTER TABLE t ADD COLUMN b int")
    tidelock("deploy", "--release", "1.6", url=url).succeeds(applied=["003_next"])
    older("run", "--release", "1.5", "--", "echo", "up", url=url).fails(exit=8, says='"003_next"')
    older("run", "--release", "1.6", "--", "echo", "up", url=url).succeeds(says="up")
    assert database.query("SELECT key, release FROM tidelock.floor ORDER BY key") == [("002_first", "1.5"), ("003_next", "1.6")]
