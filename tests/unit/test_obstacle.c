#include "check.h"
#include "execution/obstacle.h"

static enum obstacle obstacle_in(const char *script, size_t number, const char *sqlstate)
{
    return obstacle_of(script_reader_of("a.sql", slice_of(script), 150000, true), number, sqlstate);
}

static void an_obstacle_is_told_from_code_and_statement(void **state)
{
    static const struct {
        const char *script;
        size_t number;
        const char *sqlstate;
        enum obstacle obstacle;
    } cases[] = {
        { "A; REINDEX TABLE p", 1, "25001", OBSTACLE_REFUSED },
        { "CLUSTER p USING i", 0, "25001", OBSTACLE_REFUSED },
        { "DROP SUBSCRIPTION s", 0, "25001", OBSTACLE_REFUSED },
        { "BEGIN; REINDEX TABLE p; COMMIT", 1, "25001", OBSTACLE_REFUSED_IN_BLOCK },
        { "BEGIN; A; COMMIT; REINDEX TABLE p", 3, "25001", OBSTACLE_REFUSED },
        { "A; SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE", 1, "25001", OBSTACLE_LATE_SETTING },
        { "A; SET transaction_deferrable = on", 1, "25001", OBSTACLE_LATE_SETTING },
        { "SELECT vacuums()", 0, "25001", OBSTACLE_NONE },
        { "DO 'BEGIN EXECUTE ''VACUUM''; END'", 0, "25001", OBSTACLE_NONE },
        { "A; /* x */ call p()", 1, "2D000", OBSTACLE_REFUSED },
        { "do $$ BEGIN COMMIT; END $$", 0, "2D000", OBSTACLE_REFUSED },
        { "BEGIN; CALL p(); COMMIT", 1, "2D000", OBSTACLE_REFUSED_IN_BLOCK },
        { "SELECT commits()", 0, "2D000", OBSTACLE_NONE },
        { "ALTER TYPE t ADD VALUE 'b'; A", 1, "55P04", OBSTACLE_VALUE },
        { "BEGIN; ALTER TYPE t ADD VALUE 'b'; A; COMMIT", 2, "55P04", OBSTACLE_VALUE_IN_BLOCK },
        { "DO 'x'; A", 1, "55P04", OBSTACLE_VALUE_HIDDEN },
        { "SAVEPOINT s; ALTER TYPE t ADD VALUE 'b'; A; ROLLBACK TO s", 2, "55P04", OBSTACLE_VALUE_HIDDEN },
        { "SET LOCAL x = 1; ALTER TYPE t ADD VALUE 'b'; A", 2, "55P04", OBSTACLE_VALUE_HIDDEN },
        { "BEGIN; SET LOCAL x = 1; COMMIT; ALTER TYPE t ADD VALUE 'b'; A", 4, "55P04", OBSTACLE_VALUE },
        { "ALTER TYPE t ADD VALUE 'b'; COMMIT; A", 2, "55P04", OBSTACLE_VALUE_HIDDEN },
        { "CALL p()", 0, "22012", OBSTACLE_NONE },
        { "CALL p()", 0, "", OBSTACLE_NONE },
        { "CALL p()", 1, "2D000", OBSTACLE_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum obstacle obstacle = obstacle_in(cases[i].script, cases[i].number, cases[i].sqlstate);

        if (obstacle != cases[i].obstacle)
            fail_msg("%s: %d", cases[i].script, (int)obstacle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_obstacle_is_told_from_code_and_statement) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
