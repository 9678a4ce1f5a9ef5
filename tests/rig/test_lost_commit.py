"""When the answer to COMMIT is lost, the ledger and the server say what became of it; it is never guessed."""

import pytest


@pytest.mark.every_major
@pytest.mark.parametrize("is_committed", [True, False])
def test_an_atomic_migration(server, database, folder, tidelock, proxy, is_committed):
    folder.add("001_a", "CREATE TABLE a (); CREATE TABLE counter AS SELECT 1 AS n")
    folder.add("002_b", "UPDATE counter SET n = n + 1")
    named = []

    def cut_at_its_commit(message):
        """The first one behind the row of the ledger that names it; once."""
        wanted = ("server", "C", "COMMIT") if is_committed else ("client", "Q", "COMMIT")
        if message.direction == "client" and "002_b" in message.text:
            named.append(message)
        if named and named[0] and (message.direction, message.kind) == wanted[:2] and wanted[2] in message.text:
            named[0] = None
            return "drop"
        return None

    proxy.on_message = cut_at_its_commit
    result = tidelock("deploy", url=server.url(database.name, port=proxy.port))
    result.succeeds(says=f"the answer to COMMIT of 002_b was lost: it was {'committed' if is_committed else 'rolled back'}")
    assert database.value("SELECT n FROM counter") == 2
    assert database.applied() == ["001_a", "002_b"] and len(database.ledger()) == 2


def test_a_connection_that_always_breaks_is_given_up_with_the_truth(server, database, folder, tidelock, proxy):
    folder.add("001_a", "CREATE TABLE a ()")
    proxy.on_message = lambda message: "drop" if message.direction == "client" and "CREATE TABLE a" in message.text else None
    result = tidelock("deploy", url=server.url(database.name, port=proxy.port))
    result.fails(exit=3, says=["P1017", "applying 001_a"])
    assert not database.holds("a") and database.ledger() == []
