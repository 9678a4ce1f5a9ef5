"""Processes that share the tenants as the pods of an Indexed Job do: one is killed, and another takes its part."""

import collections

import pytest
from servers import Database
from wait import wait_until

PODS = 3
HELD = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(datname::text, %s) AND application_name LIKE 'tidelock%%' AND wait_event = 'PgSleep'"


@pytest.fixture
def tenants(database):
    """Twelve databases."""
    prefix = "pods_" + database.name[-8:] + "_"
    tenants = [Database(database.server, f"{prefix}{number}") for number in range(12)]
    for tenant in tenants:
        tenant.query("CREATE SCHEMA test; CREATE TABLE test.hold AS SELECT 1")
    yield tenants
    for tenant in tenants:
        tenant.drop()


@pytest.fixture
def slow(folder):
    """Its second migration is not done in a database until that is released."""
    folder.add("001_users", "CREATE TABLE users (id int)")
    folder.add("002_slow", "CREATE TABLE slow (); DO $$ BEGIN WHILE EXISTS (SELECT FROM test.hold) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;")


def test_a_killed_process_is_replaced_and_nothing_is_done_twice(tenants, slow, database, tidelock):
    prefix = tenants[0].name.removesuffix("0")
    # By these names, each of three parts has four of them.
    query = f"SELECT 'customer' || n AS name, '{prefix}' || n AS database FROM generate_series(0, 11) AS n"

    def start(index):
        return tidelock.start("deploy", "--tenants-query", query, "--shard", f"/{PODS}", environment={"JOB_COMPLETION_INDEX": str(index)})

    pods = [start(index) for index in range(PODS)]
    wait_until(lambda: database.value(HELD, prefix) == PODS, "each process to be at a tenant")
    pods[1].kill()
    pods[1] = start(1)
    for tenant in tenants:
        tenant.query("DELETE FROM test.hold")
    for pod in pods:
        pod.wait().succeeds()
    for tenant in tenants:
        assert collections.Counter(row.name for row in tenant.ledger() if row.finished) == {"001_users": 1, "002_slow": 1}
        assert tenant.holds("slow")
