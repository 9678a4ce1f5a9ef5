"""--format auto never guesses: a tool's mark in any script decides, and no script is run there and back again."""

import pytest

GOOSE = "-- +goose Up\nCREATE TABLE {0} (id int);\n{1}-- +goose Down\nDROP TABLE {0};\n"
DBMATE = "-- migrate:up\nCREATE TABLE {0} (id int);\n\n-- migrate:down\nDROP TABLE {0};\n"


@pytest.fixture
def fill(folder):
    def write(**scripts):
        path = folder.root / "migrations"
        path.mkdir()
        for name, text in scripts.items():
            (path / (name.lstrip("_") + ".sql")).write_text(text)
        return path

    return write


def test_a_large_first_script_is_looked_into(fill, tidelock, database):
    path = fill(_001_a=GOOSE.format("a", "INSERT INTO a VALUES (1);\n" * 60000), _002_b=GOOSE.format("b", ""))
    tidelock("deploy", "--migrations", path).succeeds(says="is a folder of goose", applied=["001_a.sql", "002_b.sql"])
    assert database.value("SELECT count(*) FROM a") == 60000
    assert database.holds("b") and not database.holds("_sqlx_migrations")


@pytest.mark.parametrize("first", ["", "SELECT 1;\n", "\ufeffSELECT 1;\n"], ids=["empty", "without a mark", "byte order mark"])
@pytest.mark.parametrize("marked", [GOOSE, DBMATE], ids=["goose", "dbmate"])
def test_a_first_script_without_a_mark_decides_nothing(fill, tidelock, database, first, marked):
    path = fill(_001_a=first, _002_b=marked.format("b", ""))
    tidelock("deploy", "--migrations", path).fails(exit=6, says="001_a.sql")
    assert not database.holds("_sqlx_migrations")


def test_what_a_tool_passes_over_decides_nothing(fill, tidelock, database):
    path = fill(_002_b=DBMATE.format("b", ""))
    (path / "#old.sql").write_text("SELECT 1;")
    tidelock("deploy", "--migrations", path).succeeds(says="is a folder of dbmate", applied=["002_b.sql"])
    assert database.holds("b")


@pytest.mark.parametrize("format", ["sqlx", "flyway", "golang-migrate"])
@pytest.mark.parametrize("marked", [GOOSE, DBMATE], ids=["goose", "dbmate"])
def test_another_tool_s_way_back_is_refused_in_every_format(fill, tidelock, database, format, marked):
    name = {"sqlx": "_1_b", "flyway": "V1__b", "golang-migrate": "_1_b.up"}[format]
    path = fill(**{name: marked.format("b", "")})
    tidelock("deploy", "--format", format, "--migrations", path).fails(exit=6, says="goes back again")
    assert not database.holds("b")


def test_breakpoints_without_their_journal_are_not_sqlx_s(fill, tidelock, database):
    path = fill(_0000_a="CREATE TABLE a (id int);", _0001_b="CREATE TABLE b (id int);\n--> statement-breakpoint\nCREATE TABLE c (id int);")
    tidelock("deploy", "--migrations", path).fails(exit=2)
    assert not database.holds("a")


def test_a_file_beside_the_folder_does_not_say_what_is_in_it(fill, folder, server, tidelock, database, proxy):
    """A repository of several services may have an sqlx.toml."""
    (folder.root / "sqlx.toml").write_text("")
    path = fill(_1_a=GOOSE.format("a", ""))
    tidelock("deploy", "--migrations", path).fails(exit=2, says="may be goose's or sqlx's")
    tidelock("deploy", "--format", "goose", "--migrations", path).succeeds(applied=["1_a.sql"])
    assert database.holds("a")
    tidelock("deploy", "--migrations", path, url=server.url(database.name, port=proxy.port)).succeeds(says="whose ledger the database has")
    assert proxy.connections == 2, "one to ask, and one to deploy"


@pytest.mark.parametrize("wrong", ["goose", "sqlx", "flyway"])
def test_the_wrong_format_is_no_one_way_road(fill, tidelock, database, wrong):
    path = fill(**{"V1__g" if wrong == "flyway" else "_1_g": DBMATE.format("g", "")})
    result = tidelock("deploy", "--format", wrong, "--migrations", path).fails(exit=6)
    if wrong != "goose":
        assert "--format dbmate" in result.errors
    (path / "V1__g.sql").unlink(missing_ok=True)
    (path / "1_g.sql").write_text(DBMATE.format("g", ""))
    tidelock("deploy", "--migrations", path).succeeds(says="is a folder of dbmate", applied=["1_g.sql"])
