"""Folders of dbmate: its blocks, its ledger, and the tool itself before and after tidelock."""

import pytest
from peers import Dbmate
from tool import wait_for_session

TWO = ["20240101000001_users.sql", "20240101000002_posts.sql"]


@pytest.fixture
def folder(tmp_path):
    return Dbmate().folder(tmp_path / "app")


@pytest.fixture
def dbmate():
    if not Dbmate.is_installed():
        pytest.skip("dbmate could not be installed")
    peer = Dbmate()
    yield peer
    peer.clean_up()


@pytest.fixture
def two(folder):
    folder.add(1, "users", "CREATE TABLE users (id int);", "DROP TABLE users;")
    folder.add(2, "posts", "CREATE TABLE posts (id int);", "DROP TABLE posts;")
    return folder


def versions(database):
    return [row[0] for row in database.query("SELECT version FROM schema_migrations ORDER BY version")]


def write(folder, name, script):
    (folder.path / name).write_text(script)
    return folder.path / name


def test_a_fresh_database(database, two, tidelock):
    tidelock("deploy").succeeds(applied=TWO, says='"migrations" is a folder of dbmate')
    assert database.holds("users") and database.holds("posts")
    assert versions(database) == ["20240101000001", "20240101000002"]
    tidelock("deploy").succeeds(applied=[], says="No pending migrations")
    tidelock("status", "--exit-code").succeeds()
