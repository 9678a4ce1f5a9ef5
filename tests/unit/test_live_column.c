#include "base/memory.h"
#include "check.h"
#include "deploy/live_column.h"

static void a_type_only_widens_within_its_family(void **state)
{
    static const struct {
        const char *now;
        const char *then;
        bool expected;
    } rows[] = {
        { "character varying(20)", "varchar(20)", true },
        { "character varying(20)", "VARCHAR (40)", true },
        { "character varying(20)", "varchar", true },
        { "character varying(20)", "text", true },
        { "text", "character varying", true },
        { "numeric(8,2)", "decimal(12, 2)", true },
        { "numeric(8,2)", "numeric", true },
        { "bit varying(8)", "varbit(9)", true },
        { "timestamp(3) without time zone", "TIMESTAMP(6)", true },
        { "timestamp(3) without time zone", "timestamp", true },
        { "timestamp without time zone", "timestamp (6) without time zone", true },
        { "timestamp(3) with time zone", "timestamptz(6)", true },
        { "time(3) with time zone", "timetz", true },
        { "interval(3)", "interval", true },
        { "timestamp(3) without time zone", "timestamp(2)", false },
        { "timestamp without time zone", "timestamp(3)", false },
        { "timestamp(3) without time zone", "timestamptz(3)", false },
        { "timestamp(3) without time zone", "timestamp(6) with time zone", false },
        { "timestamp(3) without time zone", "date", false },
        { "timestamp(3) without time zone[]", "timestamp(6)[]", false },
        { "interval(3)", "interval year", false },
        { "time without time zone", "timestamp", false },
        { "character varying(20)", "varchar(19)", false },
        { "text", "varchar(20)", false },
        { "numeric(8,2)", "numeric(8)", false },
        { "numeric(8,2)", "numeric(12,3)", false },
        { "numeric", "numeric(12,2)", false },
        { "integer", "bigint", false },
        { "text", "numeric", false },
        { "text", "text[]", false },
        { "character varying(20)[]", "text", false },
        { "character varying(20)", "varchar(40) COLLATE \"C\"", false },
        { "character varying(20)", "varcharx", false },
        { "character varying(20)", "", false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        if (type_only_widens(rows[i].now, rows[i].then) != rows[i].expected)
            fail_msg("%s to %s", rows[i].now, rows[i].then);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_only_widens_within_its_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
