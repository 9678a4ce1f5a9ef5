"""With each of the other tools on the same folder, ledger and lock, in both directions; what the tool alone makes of it is the oracle."""

import re

import pytest

from peers import PEERS, Dbmate, Drizzle, Drizzle1, Flyway, GolangMigrate, Goose, Sqlx
from servers import Database
from tool import Tool
from wait import wait_until

SCRIPTS = [
    ("users", "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);\nINSERT INTO users VALUES (1, 'ä; b');\n"),
    ("posts", "CREATE TABLE posts (id bigserial PRIMARY KEY, author int REFERENCES users);\nCOMMENT ON TABLE posts IS '-- no; comment';\n"),
    ("count", "CREATE FUNCTION posts_of(int) RETURNS bigint LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN (SELECT count(*) FROM posts WHERE author = $1);\nEND\n$$;\n"),
    ("mood_is_new", "CREATE TYPE mood AS ENUM ('good');\nALTER TABLE posts ADD mood mood;\n"),
]


@pytest.fixture
def app(peer, tmp_path):
    return peer.folder(tmp_path / "app")


@pytest.fixture
def second(database):
    """What the tool alone makes is made here."""
    second = Database(database.server, f"{database.name[:50]}_second")
    yield second
    second.drop()


@pytest.fixture
def tidelock(binary, database, app):
    tool = Tool(binary, database, app)
    yield tool
    tool.clean_up()


@pytest.fixture(params=["auto", "named"])
def format(request, peer):
    if request.param == "auto" and peer.is_ambiguous:
        pytest.skip("its files may be another tool's")
    return [] if request.param == "auto" else ["--format", peer.name]


def add(app, first=1, last=len(SCRIPTS)):
    for number in range(first, last + 1):
        app.add(number, *SCRIPTS[number - 1])


def deploy(tidelock, *words):
    peer = tidelock.folder.peer
    if peer.is_ambiguous and not peer.has_ledger(tidelock.database):
        words = ["--format", peer.name]
    return tidelock("deploy", "--migrations", "migrations", *words)


def apply(peer, database, app, *words):
    done = peer.up(database.url(), app, *words)
    assert done.returncode == 0, done.stdout
    return done


def is_what_the_tool_makes(peer, database, second, app, tidelock, *words):
    """And nobody finds anything left to do."""
    apply(peer, second, app, *words)
    assert database.dump() == second.dump()
    before = peer.ledger(database)
    assert before == peer.ledger(second)
    assert peer.applied(apply(peer, database, app, *words)) == [] and peer.ledger(database) == before
    assert peer.is_content(database.url(), app), peer.status(database.url(), app).stdout
    deploy(tidelock).succeeds(applied=[], says="No pending")
    tidelock("status", "--exit-code", "--migrations", "migrations").succeeds(says="up to date")
    assert peer.ledger(database) == before


def test_the_tool_applies_half_and_tidelock_the_rest(peer, database, second, app, tidelock):
    add(app, last=2)
    apply(peer, database, app)
    add(app, first=3)
    deploy(tidelock).succeeds()
    is_what_the_tool_makes(peer, database, second, app, tidelock)


def test_tidelock_applies_half_and_the_tool_the_rest(peer, database, second, app, tidelock):
    add(app, last=2)
    deploy(tidelock).succeeds()
    add(app, first=3)
    apply(peer, database, app)
    is_what_the_tool_makes(peer, database, second, app, tidelock)


def test_tidelock_applies_everything(peer, database, second, app, tidelock, format):
    add(app)
    deploy(tidelock, *format).succeeds()
    is_what_the_tool_makes(peer, database, second, app, tidelock)


def test_nothing_to_do_is_one_question(peer, server, database, app, tidelock, proxy):
    """Where the tool looks only into the first schema of the search_path, the answer says which one that is."""
    add(app)
    deploy(tidelock).succeeds()
    tidelock("deploy", "--format", peer.name, "--migrations", "migrations", url=server.url(database.name, port=proxy.port)).succeeds(says="No pending")
    assert proxy.connections == 1 and proxy.round_trips() == 1


def test_a_ledger_in_a_later_schema_is_not_the_one(peer, server, database, app, tidelock):
    """Where the tool looks only into the first."""
    if peer.name not in ("goose", "sqlx", "golang-migrate"):
        pytest.skip("it has a schema of its own, wants an empty one, or is told in the URL")
    add(app)
    words = ["deploy", "--format", peer.name, "--migrations", "migrations", "--allow-unrelated"]
    tidelock(*words).succeeds()
    before = peer.ledger(database)
    database.query("CREATE SCHEMA first")
    url = server.url(database.name, options="-c search_path=first,public")
    tidelock(*words, url=url).succeeds(says="applied")
    assert database.holds(f"first.{peer.ledger_table}") and peer.ledger(database) == before
    tidelock(*words, url=url).succeeds(says="No pending")


@pytest.mark.parametrize("peer", [GolangMigrate], indirect=True)
def test_whose_folder_it_is_has_to_be_said_where_nothing_tells(peer, database, app, tidelock):
    """With ways back, sqlx would name its files alike."""
    app.add(1, *SCRIPTS[0], "DROP TABLE users")
    tidelock("deploy", "--migrations", "migrations").fails(exit=2, says=["may be golang-migrate's or sqlx's", "--format golang-migrate"])
    assert not peer.has_ledger(database)


def test_with_a_password(peer, database, app, tidelock):
    """As part of the URL, and never said."""
    add(app, last=1)
    url = database.url().replace("postgres@", "postgres:s3cret%2F@")
    said = tidelock("deploy", "--migrations", "migrations", "--format", peer.name, url=url)
    said.succeeds()
    assert "s3cret" not in said.out + said.errors and database.holds("users")


def test_nothing_to_do_writes_nothing(peer, database, app, tidelock):
    add(app)
    apply(peer, database, app)
    everything = f"SELECT * FROM {peer.ledger_table} ORDER BY {peer.ledger_order}"
    before = database.query(everything), database.dump()
    for _ in range(2):
        deploy(tidelock).succeeds(applied=[], says="No pending")
    assert (database.query(everything), database.dump()) == before
    assert not database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'tidelock'")


def test_what_fails_here_leaves_no_mark(peer, database, app, tidelock):
    add(app, last=2)
    apply(peer, database, app)
    before = peer.ledger(database)
    broken = app.add(3, "broken", "CREATE TABLE half ();\nSELECT 1/0;\n")
    deploy(tidelock).fails(exit=6, says=["division by zero", "22012"], at=broken.name)
    assert peer.ledger(database) == before and not database.holds("half")
    broken.write_text(broken.read_text().replace("1/0", "1"))
    apply(peer, database, app)
    assert len(peer.ledger(database)) == (1 if peer.name == "golang-migrate" else len(before) + 1) and database.holds("half")
    deploy(tidelock).succeeds(applied=[], says="No pending")
    tidelock("status", "--exit-code", "--migrations", "migrations").succeeds(says="up to date")


def test_what_fails_first_leaves_nothing(peer, database, app, tidelock):
    broken = app.add(1, "broken", "CREATE TABLE half ();\nSELECT 1/0;\n")
    deploy(tidelock).fails(exit=6, says="division by zero", at=broken.name)
    assert not database.holds("half")
    broken.write_text(broken.read_text().replace("1/0", "1"))
    apply(peer, database, app)
    assert database.holds("half")


MARKS = {"golang-migrate": "dirty", "flyway": "Flyway has recorded that it failed", "sqlx": "success = false"}


def leave_mark(peer, database, app):
    """The second migration, as failed; gives its script."""
    add(app, last=1)
    if peer.name == "sqlx":
        # PostgreSQL's driver of today leaves none; it refuses those that are there.
        script = app.add(2, *SCRIPTS[1])
        apply(peer, database, app)
        database.query("DROP TABLE posts")
        database.query(f"UPDATE _sqlx_migrations SET success = false WHERE version = {peer.version(2)}")
        return script
    # Flyway leaves one where a script runs without a transaction.
    script = app.add(2, "posts", "CREATE INDEX CONCURRENTLY users_idx ON users (nothing);\n")
    assert peer.up(database.url(), app, *peer.nontransactional_words).returncode == 1
    script.write_text(SCRIPTS[1][1])
    return script


@pytest.mark.parametrize("remedy", ["the tool's", "--applied", "--rolled-back"])
@pytest.mark.parametrize("peer", [GolangMigrate, Flyway, Sqlx], indirect=True)
def test_a_mark_of_the_tools_is_respected(peer, database, second, app, tidelock, remedy):
    script = leave_mark(peer, database, app)
    marked = peer.ledger(database)
    assert peer.up(database.url(), app).returncode == 1
    deploy(tidelock).fails(exit=8, says=[MARKS[peer.name], script.name.split("_")[0], "tidelock resolve --applied", "tidelock resolve --rolled-back"])
    tidelock("status", "--exit-code", "--migrations", "migrations").fails(exit=1)
    assert peer.ledger(database) == marked and not database.holds("posts")
    if remedy == "the tool's":
        peer.mend(database, app, 1)
    else:
        [name] = set(re.findall(rf'tidelock resolve {remedy} "([^"]+)"', deploy(tidelock).errors))
        tidelock("resolve", remedy, name, "--migrations", "migrations").succeeds()
    if remedy == "--applied":
        database.query(SCRIPTS[1][1])
        assert peer.applied(apply(peer, database, app)) == []
    else:
        deploy(tidelock).succeeds()
    add(app, first=3)
    deploy(tidelock).succeeds()
    is_what_the_tool_makes(peer, database, second, app, tidelock)


@pytest.mark.parametrize("peer", [Flyway, Sqlx], indirect=True)
def test_an_edited_script_is_refused_as_by_the_tool(peer, database, app, tidelock):
    add(app, last=1)
    deploy(tidelock).succeeds()
    edited = app.add(1, *SCRIPTS[0])
    edited.write_text(edited.read_text() + "-- edited\n")
    app.add(2, *SCRIPTS[1])
    assert peer.up(database.url(), app).returncode != 0
    deploy(tidelock).fails(exit=8, says=edited.name)
    assert not database.holds("posts")


def test_without_a_transaction(peer, database, second, app, tidelock):
    if not peer.has_nontransactional:
        pytest.skip(f"{peer.name} puts everything into one transaction")
    add(app, last=2)
    app.add(3, "index", "CREATE INDEX CONCURRENTLY posts_idx ON posts (author);\n", transaction=False)
    app.add(4, *SCRIPTS[2])
    deploy(tidelock).succeeds()
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'posts_idx'::regclass")
    is_what_the_tool_makes(peer, database, second, app, tidelock, *peer.nontransactional_words)


@pytest.mark.parametrize("peer", [Drizzle, Drizzle1], indirect=True)
def test_without_a_transaction_where_the_tool_can_not(peer, database, app, tidelock):
    add(app, last=2)
    app.add(3, "index", "CREATE INDEX CONCURRENTLY posts_idx ON posts (author);\n")
    assert peer.up(database.url(), app).returncode == 1
    deploy(tidelock).succeeds()
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'posts_idx'::regclass")
    before = peer.ledger(database)
    apply(peer, database, app)
    assert peer.ledger(database) == before and len(before) == 3


@pytest.mark.parametrize("round", range(5))
@pytest.mark.parametrize("peer", [GolangMigrate, Flyway], indirect=True)
def test_both_at_once_apply_everything_once(peer, database, second, app, tidelock, round):
    for number in range(1, 9):
        app.add(number, "t", f"CREATE TABLE t{number} (id int);\nSELECT pg_sleep(0.1);\n")
    if round % 2:
        ours = tidelock.start("deploy", "--migrations", "migrations", "--format", peer.name)
        theirs = peer.start_up(database.url(), app)
    else:
        theirs = peer.start_up(database.url(), app)
        wait_until(lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"), "the tool to connect", 60)
        ours = tidelock.start("deploy", "--migrations", "migrations", "--format", peer.name)
    ours.wait().succeeds()
    out, _ = theirs.communicate(timeout=180)
    assert theirs.returncode == 0, out
    is_what_the_tool_makes(peer, database, second, app, tidelock)


def is_as_the_tool_does(peer, database, second, app, tidelock, *words):
    """What it applies is applied here, with the same rows; what it refuses for the order of things is refused."""
    theirs = peer.up(second.url(), app)
    before = database.dump()
    ours = deploy(tidelock, *words)
    if theirs.returncode == 0:
        ours.succeeds()
        assert database.dump() == second.dump() and peer.ledger(database) == peer.ledger(second)
        assert peer.applied(apply(peer, database, app)) == [] and peer.ledger(database) == peer.ledger(second)
    return theirs, ours, before == database.dump()


def come_late(peer, database, second, app, tidelock):
    add(app, last=1)
    app.add(3, "third", "CREATE TABLE third ();\n")
    apply(peer, second, app)
    deploy(tidelock).succeeds()
    app.add(2, "late", "CREATE TABLE late ();\n")


@pytest.mark.parametrize("peer", [GolangMigrate, Goose, Dbmate, Flyway, Sqlx, Drizzle1], indirect=True)
def test_a_script_that_comes_late(peer, database, second, app, tidelock):
    come_late(peer, database, second, app, tidelock)
    theirs, ours, is_same = is_as_the_tool_does(peer, database, second, app, tidelock)
    if theirs.returncode != 0:
        ours.fails(exit=8, says="late")
        assert is_same


@pytest.mark.parametrize("peer", [Drizzle], indirect=True)
def test_a_script_that_would_never_be_applied(peer, database, second, app, tidelock):
    """The tool passes over one that comes late, without a word."""
    come_late(peer, database, second, app, tidelock)
    deploy(tidelock).fails(exit=8, says=["0001_late", "--no-strict"])
    apply(peer, second, app)
    assert not second.holds("late")
    deploy(tidelock, "--no-strict").succeeds()
    before = peer.ledger(database)
    apply(peer, database, app)
    assert database.holds("late") and len(before) == 3 and peer.ledger(database) == before


# They read a script alike.
ONE_DRIZZLE = [peer for peer in PEERS if peer is not Drizzle1]
PLAIN = b"CREATE TABLE odd ();\n"
ODD = {
    "bom": lambda script: b"\xef\xbb\xbf" + script,
    "empty": lambda script: b"",
    "blank": lambda script: b"\n \n",
    "bare_end": lambda script: script.replace(PLAIN, b"CREATE TABLE odd ()\n"),
    "own_transaction": lambda script: script.replace(PLAIN, b"BEGIN;\nCREATE TABLE odd ();\nCOMMIT;\n"),
    "set": lambda script: script.replace(PLAIN, b"SET search_path = pg_catalog;\nCREATE TABLE public.odd ();\n"),
}
EVERY_TOOL_TAKES = {
    "crlf": lambda script: script.replace(b"\n", b"\r\n"),
    "no_end": lambda script: script.rstrip(),
    "comment": lambda script: script.replace(PLAIN, b"-- nothing; here\nSELECT 1;\n"),
    "two_on_a_line": lambda script: script.replace(PLAIN, b"CREATE TABLE odd (); CREATE TABLE even ();\n"),
    "escape": lambda script: script.replace(PLAIN, b"CREATE TABLE odd ();\nCOMMENT ON TABLE odd IS E'\\\\a\\'; b';\n"),
    "words": lambda script: script.replace(PLAIN, b"CREATE TABLE odd ();\nCOMMENT ON TABLE odd IS 'BEGIN; COMMIT; VACUUM;';\n"),
}


def write_odd(app, number, name, change):
    script = app.add(number, name, PLAIN.decode())
    script.write_bytes(change(script.read_bytes()).replace(b"TABLE odd", f"TABLE {name}".encode()))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("peer", ONE_DRIZZLE, indirect=True)
def test_an_odd_script(peer, database, second, app, tidelock, odd):
    write_odd(app, 1, f"odd_{odd}", ODD[odd])
    app.add(2, *SCRIPTS[0])
    is_as_the_tool_does(peer, database, second, app, tidelock)


def test_odd_scripts_that_every_tool_takes(peer, database, second, app, tidelock):
    for number, (name, change) in enumerate(EVERY_TOOL_TAKES.items(), 1):
        write_odd(app, number, f"odd_{name}", change)
    theirs, *_ = is_as_the_tool_does(peer, database, second, app, tidelock)
    assert theirs.returncode == 0, theirs.stdout


def write_beside(peer, app, name):
    file = app.path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(next(iter(peer.migration(9, "x", "CREATE TABLE beside ();\n").values())))


@pytest.mark.parametrize("name", ["schema.sql", "sub/00009_below.sql", "9_other.SQL", "00009-dash.sql", "abc_9.sql"])
@pytest.mark.parametrize("peer", ONE_DRIZZLE, indirect=True)
def test_what_else_lies_in_the_folder(peer, database, second, app, tidelock, name):
    add(app, last=1)
    write_beside(peer, app, name)
    is_as_the_tool_does(peer, database, second, app, tidelock)


def test_what_every_tool_passes_over(peer, database, second, app, tidelock):
    add(app, last=1)
    for name in ["README.md", ".gitkeep", "notes.txt", "00009_copy.sql.bak", "00009_old.sql~", "sub/README.md"]:
        write_beside(peer, app, name)
    theirs, *_ = is_as_the_tool_does(peer, database, second, app, tidelock)
    assert theirs.returncode == 0, theirs.stdout


NAMES = {
    "golang-migrate": ["1_a.up.sql", "02_b.up.sql", "10_c.up.sql", "0009_d.e.up.sql", "20240101000000_f g.up.sql", "3_.up.sql", "4_only.down.sql", "5_x.up.pgsql"],
    "goose": ["1_a.sql", "02_b.sql", "10_c.sql", "0009_d.e.sql", "20240101000000_f g.sql", "3_.sql"],
    "dbmate": ["1_a.sql", "02_b.sql", "10_c.sql", "0009_d.e.sql", "20240101000000_f g.sql", "3.sql", "4x.sql"],
    "flyway": ["V1__a.sql", "V1.1__b.sql", "V1_10__c_d.sql", "V1.9__e.sql", "V01.2__f g.sql", "V2.0__h.sql", "V20240101.1__i.SQL", "R__z.sql", "R__a_b.sql", "sub/V3__j.sql", "sub/R__m.sql"],
    "sqlx": ["1_a.sql", "02_b.sql", "10_c.sql", "0009_d.e.sql", "20240101000000_f g.sql", "3_.sql", "4_h_i.up.sql", "4_h_i.down.sql"],
}


@pytest.mark.parametrize("peer", [GolangMigrate, Goose, Dbmate, Flyway, Sqlx], indirect=True)
def test_names_and_their_order(peer, database, second, app, tidelock):
    """The order shows in the columns of a table: each adds one."""
    for name in NAMES[peer.name]:
        (app.path / name).parent.mkdir(exist_ok=True)
        word = re.sub(r"\W", "_", f"n{name}").lower()
        [script] = peer.migration(1, "x", f"CREATE TABLE IF NOT EXISTS ordered ();\nALTER TABLE ordered ADD {word} int;\n").values()
        (app.path / name).write_text("" if "down" in name else script)
    theirs, *_ = is_as_the_tool_does(peer, database, second, app, tidelock, "--format", peer.name)
    assert theirs.returncode == 0, theirs.stdout


@pytest.mark.parametrize("peer", [Flyway], indirect=True)
def test_repeatable_scripts_are_applied_again_when_edited(peer, database, second, app, tidelock):
    add(app, last=1)
    view = peer.repeatable(app, "names", "CREATE OR REPLACE VIEW names AS SELECT name FROM users;\n")
    peer.repeatable(app, "ids", "CREATE OR REPLACE VIEW ids AS SELECT id FROM users;\n")
    apply(peer, second, app)
    deploy(tidelock).succeeds()
    assert peer.ledger(database) == peer.ledger(second)
    view.write_text("CREATE OR REPLACE VIEW names AS SELECT name, id FROM users;\n")
    app.add(2, *SCRIPTS[1])
    theirs, *_ = is_as_the_tool_does(peer, database, second, app, tidelock)
    assert theirs.returncode == 0 and len(peer.ledger(database)) == 5


def test_after_a_baseline_the_tool_finds_nothing_to_do(peer, database, app, tidelock):
    add(app, last=2)
    for _, script in SCRIPTS[:2]:
        database.query(script)
    tidelock("baseline", "--migrations", "migrations", "--format", peer.name).succeeds()
    assert peer.applied(apply(peer, database, app)) == [] and peer.is_content(database.url(), app)
    add(app, first=3)
    apply(peer, database, app)
    deploy(tidelock).succeeds(applied=[], says="No pending")
