"""The same faults while migrations are undone: whatever stops it, schema and ledger agree, typing the same again goes all the way back, nothing
is undone twice, and what holds rows is never lost."""

import pytest
from test_every_message import FAULTS, SLOW, contents, disturb, explain
from test_every_message_of_other_tools import DIALECTS
from tool import wait_for_nobody

pytestmark = pytest.mark.libraries

# Each adds to the counter, and its inverse takes that away again, so that one that ran twice shows.
STEPS = [
    ("CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)", "DROP TABLE counter"),
    ("CREATE TABLE one (id int, note text); UPDATE counter SET n = n + 1", "UPDATE counter SET n = n - 1; DROP TABLE one"),
    ("CREATE TYPE mood AS ENUM ('x'); ALTER TABLE one ADD COLUMN m mood; UPDATE counter SET n = n + 10", "UPDATE counter SET n = n - 10; ALTER TABLE one DROP COLUMN m; DROP TYPE mood"),
    ("CREATE INDEX ON one (note); UPDATE counter SET n = n + 100", "DROP INDEX one_note_idx; UPDATE counter SET n = n - 100"),
]
TOTALS = [0, 1, 11, 111]
APPLIED = {
    "prisma": "SELECT migration_name FROM {}._prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1",
    **{tool: DIALECTS[tool].applied for tool in ["goose", "dbmate", "golang-migrate", "sqlx"]},
}
# There are hundreds of messages, and most of them are the same for each tool.
MANY = {"prisma": 2}
DOWN = {"goose": "-- +goose Up\n{};\n-- +goose Down\n{};\n", "dbmate": "-- migrate:up\n{};\n-- migrate:down\n{};\n"}


def write(folder, tool):
    """The words that say where they are."""
    if tool == "prisma":
        for number, (up, down) in enumerate(STEPS, 1):
            file = folder.add(f"{number}", up)
            (file.parent / "down.sql").write_text(down)
        return []
    path = folder.root / "migrations"
    path.mkdir()
    for number, (up, down) in enumerate(STEPS, 1):
        if tool in ("sqlx", "golang-migrate"):
            (path / f"{number}_a.up.sql").write_text(up)
            (path / f"{number}_a.down.sql").write_text(down)
        else:
            (path / DIALECTS[tool].file.format(number)).write_text(DOWN[tool].format(up, down))
    return ["--format", tool, "--migrations", "migrations"]


def applied(database, tool, schema):
    """How many are, which are always the first ones; the counter says the same, and so does the schema."""
    rows = [row[0] for row in database.query(APPLIED[tool].format(schema))]
    count = int(rows[-1])
    assert rows == [str(number) for number in range(count if tool == "golang-migrate" else 1, count + 1)]
    assert database.value(f"SELECT n FROM {schema}.counter") == TOTALS[count - 1], (tool, count)
    assert database.holds(f"{schema}.one") == (count > 1)
    assert database.holds(f"{schema}.one_note_idx") == (count > 3)
    return count


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tool", APPLIED)
def test_a_rollback(database, folder, tidelock, tool, fault, proxy, some):
    words = ["--drift", "off", *write(folder, tool)]
    first = {"prisma": "1", "goose": "00001_a.sql", "dbmate": "1_a.sql"}.get(tool, "1_a.up.sql")
    back = ["rollback", "--to", first, "--allow-loss", "counter", *words]

    def deploy(schema):
        tidelock("deploy", *words, url=database.url(schema=schema)).succeeds()
        return database.server.url(database.name, port=proxy.port, schema=schema)

    url = deploy("undisturbed")
    proxy.next_run()
    tidelock(*back, url=url).succeeds()
    messages = len(proxy.messages)
    assert messages > 20 and applied(database, tool, "undisturbed") == 1

    for at in some(f"{fault}: rollback {tool}", messages, slow=SLOW.get(fault, 1) * MANY.get(tool, 5)):
        schema = f"s{at}"
        url = deploy(schema)
        proxy.next_run()
        disturb(proxy, tidelock, url, at, fault, *back)
        wait_for_nobody(database)
        with database.one_connection():
            applied(database, tool, schema)
        result = tidelock(*back, url=database.url(schema=schema))
        assert result.code == 0, explain(proxy, fault, at, result)
        with database.one_connection():
            assert applied(database, tool, schema) == 1
            assert contents(database, schema) == contents(database, "undisturbed")
        tidelock("deploy", *words, url=database.url(schema=schema)).succeeds()
        with database.one_connection():
            assert applied(database, tool, schema) == len(STEPS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rollback_that_would_lose_rows(database, folder, tidelock, fault, proxy, some, monkeypatch):
    """Behind a DO, nothing can be told before it runs: the row is found under the lock."""
    words = ["--drift", "off", *write(folder, "prisma")]
    (folder.path / "4" / "down.sql").write_text("DO $$BEGIN END$$; ALTER TABLE one DROP COLUMN note; DROP INDEX IF EXISTS one_note_idx; UPDATE counter SET n = n - 100")
    back = ["rollback", "--allow-loss", "counter", *words]
    monkeypatch.setitem(FAULTS, fault, (FAULTS[fault][0], {8 if code == 0 else code for code in FAULTS[fault][1]}))

    def deploy(schema):
        tidelock("deploy", *words, url=database.url(schema=schema)).succeeds()
        database.query(f"INSERT INTO {schema}.one (id, note) VALUES (1, 'kept')")
        return database.server.url(database.name, port=proxy.port, schema=schema)

    url = deploy("undisturbed")
    proxy.next_run()
    tidelock(*back, url=url).fails(exit=8, says='drops column "one.note", which holds 1 value')
    messages = len(proxy.messages)
    assert messages > 20

    for at in some(f"{fault}: rollback refused", messages, slow=SLOW.get(fault, 1) * 2):
        schema = f"s{at}"
        url = deploy(schema)
        proxy.next_run()
        disturb(proxy, tidelock, url, at, fault, *back)
        wait_for_nobody(database)
        with database.one_connection():
            assert applied(database, "prisma", schema) == len(STEPS)
            assert database.value(f"SELECT note FROM {schema}.one") == "kept"
