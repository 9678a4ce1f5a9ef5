"""plan: a DELETE is judged with the tables that foreign keys make it reach."""

import pytest
from test_plan import plan_of

TABLES = """
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE, previous int REFERENCES orders);
CREATE TABLE items (id int, "order" int CONSTRAINT items_order REFERENCES orders ON DELETE CASCADE);
CREATE TABLE notes (id int, customer int REFERENCES customers ON DELETE SET NULL);
CREATE INDEX ON orders (customer); CREATE INDEX ON orders (previous); CREATE INDEX ON notes (customer) WHERE id > 5;
INSERT INTO customers SELECT generate_series(1, 100);
INSERT INTO orders SELECT i, 1, NULL FROM generate_series(1, 100) AS i;
INSERT INTO items SELECT i, 1 FROM generate_series(1, 50000) AS i;
INSERT INTO notes VALUES (1, 1);
"""


@pytest.fixture
def tables(database):
    database.query(TABLES)
    database.query("VACUUM ANALYZE")


def judged(folder, tidelock, statement):
    """What is said of a DELETE or TRUNCATE: its level, and what the database adds."""
    (folder.replace if (folder.path / "001_a").exists() else folder.add)("001_a", statement)
    statements = [statement for migration in plan_of(tidelock, "--no-probes")["migrations"] for statement in migration["statements"]]
    (finding,) = [finding for statement in statements for finding in statement["findings"] if finding["rule"] in ("delete-rows", "truncate")]
    return finding["level"], finding["live"]["note"]


SEARCHED = 'each row that it deletes costs a scan of "public"."items" (about 50000 rows): no index begins with a column of the foreign key items_order; create one first'


@pytest.mark.every_major
def test_a_delete_is_judged_with_what_its_foreign_keys_reach(tables, folder, tidelock):
    verdict, note = judged(folder, tidelock, "DELETE FROM customers WHERE id = 1")
    gone = 'foreign keys delete rows of "public"."items" (about 50000 rows), "public"."orders" (about 100 rows)'
    assert (verdict, note) == ("dangerous", f'{gone}; foreign keys change rows of "public"."notes" (about 1 row); {SEARCHED}')


@pytest.mark.parametrize(
    "statement, verdict, note",
    [
        ('CREATE INDEX i ON items ("order");\nDELETE FROM orders WHERE id = 1', "careful", 'foreign keys delete rows of "public"."items" (about 50000 rows)'),
        ("DELETE FROM items WHERE id = 1", "careful", None),
        ("DELETE FROM notes WHERE id = 1", "careful", None),
        ("DELETE FROM orders WHERE id = 1", "dangerous", f'foreign keys delete rows of "public"."items" (about 50000 rows); {SEARCHED}'),
    ],
    ids=["an index that is pending", "nothing refers to it", "nor to this", "no index"],
)
def test_only_what_a_foreign_key_searches_without_an_index_is_dangerous(tables, folder, tidelock, statement, verdict, note):
    assert judged(folder, tidelock, statement) == (verdict, note)


@pytest.mark.every_major
def test_partitions_are_reached_through_their_table(database, folder, tidelock):
    """Their columns have other numbers; the copies of a foreign key count once."""
    database.query("""
        CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
        CREATE TABLE c (part int, id int REFERENCES p ON DELETE CASCADE) PARTITION BY LIST (part);
        CREATE TABLE c1 (gone int, id int, part int); ALTER TABLE c1 DROP gone; CREATE INDEX ON c1 (id); ALTER TABLE c ATTACH PARTITION c1 FOR VALUES IN (1);
        CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2);
        INSERT INTO p VALUES (1), (2); INSERT INTO c SELECT 1 + i % 2, 1 FROM generate_series(1, 60000) AS i;
    """)
    database.query("VACUUM ANALYZE")
    reached = 'foreign keys delete rows of "public"."c" (about 60000 rows)'
    searched = 'each row that it deletes costs a scan of "public"."c" (about 60000 rows): no index begins with a column of the foreign key c_id_fkey; create one first'
    assert judged(folder, tidelock, "DELETE FROM p WHERE id = 1") == ("dangerous", f"{reached}; {searched}")
    assert judged(folder, tidelock, "DELETE FROM p1 WHERE id = 1") == ("dangerous", f"{reached}; {searched}")
    database.query("CREATE INDEX ON c2 (id)")
    assert judged(folder, tidelock, "DELETE FROM p WHERE id = 1") == ("careful", reached)


@pytest.mark.every_major
def test_a_truncate_with_cascade_names_what_it_empties(tables, folder, tidelock):
    emptied = 'foreign keys empty "public"."items" (about 50000 rows), "public"."notes" (about 1 row), "public"."orders" (about 100 rows)'
    assert judged(folder, tidelock, "TRUNCATE customers CASCADE") == ("dangerous", emptied)
    assert judged(folder, tidelock, "TRUNCATE notes") == ("dangerous", None)
