"""The same faults in folders of other tools, whose ledgers have no room for what is unfinished: the rerun completes, nothing is applied twice,
and the tool's own ledger says so."""

import pytest
from test_every_message import ATOMIC, BEFORE, BRIEF, FAULTS, SLOW, STEPWISE, TOGETHER, contents, disturb, explain
from tool import wait_for_nobody

pytestmark = pytest.mark.libraries


class Dialect:
    """How its files are called, what is put around a script, and what its ledger says of applied ones."""

    def __init__(self, file, around, ledger, applied, keeps_last=False):
        self.file = file
        self.around = around
        self.ledger = ledger
        self.applied = applied
        self.keeps_last = keeps_last

    def write(self, path, number, script, mode):
        (path / self.file.format(number)).write_text(self.around[mode].format(script))


DIALECTS = {
    "goose": Dialect(
        "{:05}_a.sql",
        {"atomic": "-- +goose Up\n{}\n-- +goose Down\nSELECT 1/0;\n", "stepwise": "-- +goose NO TRANSACTION\n-- +goose Up\n{}\n-- +goose Down\nSELECT 1/0;\n"},
        "goose_db_version",
        "SELECT version_id::text FROM {}.goose_db_version WHERE version_id > 0 AND is_applied ORDER BY id",
    ),
    "dbmate": Dialect(
        "{}_a.sql",
        {"atomic": "-- migrate:up\n{}\n-- migrate:down\nSELECT 1/0;\n", "stepwise": "-- migrate:up transaction:false\n{}\n-- migrate:down\nSELECT 1/0;\n"},
        "schema_migrations",
        "SELECT version FROM {}.schema_migrations ORDER BY version",
    ),
    "golang-migrate": Dialect("{}_a.up.sql", {"atomic": "{}"}, "schema_migrations", "SELECT version::text FROM {}.schema_migrations WHERE NOT dirty", keeps_last=True),
    "flyway": Dialect("V{}__a.sql", {"atomic": "{}"}, "flyway_schema_history", "SELECT version FROM {}.flyway_schema_history WHERE success ORDER BY installed_rank"),
    "sqlx": Dialect(
        "{}_a.sql", {"atomic": "{}", "stepwise": "-- no-transaction\n{}"}, "_sqlx_migrations", "SELECT version::text FROM {}._sqlx_migrations WHERE success ORDER BY version"
    ),
}
MODES = {"atomic": ("atomic", [ATOMIC], 1), "stepwise": ("stepwise", [STEPWISE], 110000), "together": ("atomic", [f"{script};" for script in TOGETHER], 0), "brief": ("atomic", [f"{BRIEF};"], 0)}
CASES = [(tool, mode) for tool, dialect in DIALECTS.items() for mode in MODES if MODES[mode][0] in dialect.around]


def check(database, dialect, schema, count, total):
    applied = [str(number) for number in range(1, count + 1)]
    with database.one_connection():
        assert [row[0] for row in database.query(dialect.applied.format(schema))] == applied[-1 if dialect.keeps_last else 0 :]
        assert database.value(f"SELECT n FROM {schema}.counter") == total
        assert contents(database, schema) == contents(database, "undisturbed")
        assert not database.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
        for table in ["intent", "backfill", f'"{schema}.{dialect.ledger}"']:
            if database.holds(f"tidelock.{table}"):
                assert database.value(f"SELECT count(*) FROM tidelock.{table}") == 0, table


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tool, mode", CASES)
def test_a_deployment(database, folder, tidelock, tool, mode, fault, proxy, some):
    dialect = DIALECTS[tool]
    how, scripts, total = MODES[mode]
    words = ["deploy", "--drift", "off", "--format", tool, "--migrations", "migrations"]
    path = folder.root / "migrations"
    path.mkdir()
    dialect.write(path, 1, BEFORE, "atomic")
    for number, script in enumerate(scripts):
        dialect.write(path, number + 2, script, how)
    tidelock(*words, url=database.server.url(database.name, port=proxy.port, schema="undisturbed")).succeeds()
    messages = len(proxy.messages)
    assert messages > 20

    for at in some(f"{fault}: {tool} {mode}", messages, slow=SLOW.get(fault, 1)):
        schema = f"s{at}"
        proxy.next_run()
        disturb(proxy, tidelock, database.server.url(database.name, port=proxy.port, schema=schema), at, fault, *words)
        wait_for_nobody(database)
        result = tidelock(*words, url=database.url(schema=schema))
        assert result.code == 0, explain(proxy, fault, at, result)
        check(database, dialect, schema, len(scripts) + 1, total)
