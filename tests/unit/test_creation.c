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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_statement_creates_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
