#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "sql/creation.h"

static void what_a_statement_creates_is_read(void **state)
{
    static const struct {
        const char *statement;
        const char *created; /* NULL = nothing that can be looked for */
    } cases[] = {
        { "CREATE TABLE a (id int)", "relation .a." },
        { "create unlogged table if not exists s.\"A b\" ()", "relation s.A b." },
        { "CREATE TEMP TABLE a ()", NULL },
        { "CREATE OR REPLACE VIEW v AS SELECT 1", "relation .v." },
        { "CREATE MATERIALIZED VIEW v AS SELECT 1", "relation .v." },
        { "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (n)", "relation .i." },
        { "CREATE INDEX ON t (n)", NULL },
        { "CREATE INDEX CONCURRENTLY ON t (n)", NULL },
        { "CREATE SEQUENCE q", "relation .q." },
        { "CREATE TYPE c AS ENUM ('a')", "type .c." },
        { "CREATE DOMAIN d AS int", "type .d." },
        { "CREATE SCHEMA s", "schema .s." },
        { "CREATE SCHEMA AUTHORIZATION r", NULL },
        { "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"", "extension .uuid-ossp." },
        { "ALTER TABLE ONLY s.t ADD COLUMN IF NOT EXISTS n int", "column s.t.n" },
        { "ALTER TABLE t ADD CONSTRAINT c CHECK (true)", NULL },
        { "ALTER TABLE t DROP COLUMN n", NULL },
        { "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", NULL },
        { "CREATE ROLE r", NULL },
        { "INSERT INTO t VALUES (1)", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text created = text_init(512);
        struct creation creation;

        if (creation_parse(slice_of(cases[i].statement), &creation))
            text_add_format(&created, "%s %s.%s.%s", CREATION_NAMES[creation.kind], creation.schema,
                            creation.name, creation.column);
        assert_string_equal(created.at, cases[i].created == NULL ? "" : cases[i].created);
    }
}

static void the_columns_of_a_table_are_read(void **state)
{
    static const struct {
        const char *statement;
        const char *columns;
    } cases[] = {
        { "CREATE TABLE a ()", "" },
        { "CREATE TABLE a (id int)", "id:int;" },
        { "CREATE TABLE s.a (\"Id\" SERIAL NOT NULL, name varchar ( 10 ) DEFAULT 'a,b)', /* c */ at TIMESTAMP(3) "
          "WITH TIME ZONE, n numeric(10, 2)[] CHECK (n > f(1, 2)), CONSTRAINT a_pkey PRIMARY KEY (\"Id\"), "
          "unique (n, name), x \"Mood\" REFERENCES b (c, d))",
          "Id:SERIAL;name:varchar ( 10 );at:TIMESTAMP(3) WITH TIME ZONE;n:numeric(10, 2)[];x:\"Mood\";" },
        { "CREATE TABLE a (LIKE b INCLUDING ALL, n int GENERATED ALWAYS AS IDENTITY)", "n:int;" },
        { "CREATE TABLE a (x, y) AS SELECT 1, 2", "x:;y:;" },
        { "CREATE TABLE a AS SELECT (1)", "" },
        { "CREATE TABLE a PARTITION OF b FOR VALUES FROM (1) TO (2)", "" },
        { "CREATE VIEW v (a) AS SELECT 1", "" },
        { "CREATE TABLE a (id int", "id:int;" },
        { "CREATE TABLE a (id numeric(", "id:numeric(;" },
        { "CREATE TABLE a (,", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text columns = text_init(512);
        struct creation table;
        struct creation column;

        assert_true(creation_parse(slice_of(cases[i].statement), &table));
        while (creation_next_column(&table, &column))
            text_add_format(&columns, "%s:%.*s;", column.column, (int)column.type.length, column.type.at);
        assert_string_equal(columns.at, cases[i].columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_statement_creates_is_read),
        cmocka_unit_test(the_columns_of_a_table_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
