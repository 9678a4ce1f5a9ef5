#include "base/memory.h"
#include "check.h"
#include "sql/definition.h"

static void what_only_defines_is_known(void **state)
{
    static const char *const defining[] = {
        "CREATE TABLE \"t\" (\"id\" SERIAL NOT NULL, PRIMARY KEY (\"id\"))",
        "create unlogged table if not exists a.t ()",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, n int GENERATED ALWAYS AS (id + 1) STORED)",
        "CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
        "CREATE UNIQUE INDEX i ON t (lower(name))",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE t ADD COLUMN c int",
        "ALTER TYPE mood ADD VALUE 'good'",
        "DROP TABLE IF EXISTS t",
        "COMMENT ON TABLE t IS 'as it was'",
        "/* as */ CREATE /* temp */ TABLE t ()",
    };

    (void)state;
    for (size_t i = 0; i < array_length(defining); i++) {
        if (!statement_is_definition(slice_of(defining[i])))
            fail_msg("%s", defining[i]);
    }
}

static void what_does_more_is_none(void **state)
{
    static const char *const others[] = {
        "CREATE TABLE t AS SELECT 1",
        "CREATE TABLE t (a) WITH (fillfactor = 10) AS TABLE u",
        "CREATE UNLOGGED TABLE t AS VALUES (1)",
        "CREATE TEMP TABLE t ()",
        "CREATE TEMPORARY VIEW v AS SELECT 1",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "CREATE EXTENSION postgis",
        "CREATE ROLE r",
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "SET x = 1",
        "TRUNCATE t",
        "GRANT SELECT ON t TO r",
        "LOCK TABLE t",
        "REINDEX TABLE t",
        "",
    };

    (void)state;
    for (size_t i = 0; i < array_length(others); i++) {
        if (statement_is_definition(slice_of(others[i])))
            fail_msg("%s", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_defines_is_known),
        cmocka_unit_test(what_does_more_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
