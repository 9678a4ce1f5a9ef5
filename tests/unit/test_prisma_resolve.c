#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/prisma_resolve.h"

static const struct ledger_row APPLIED = { .name = "m", .is_finished = true };
static const struct ledger_row FAILED = { .name = "m" };
static const struct ledger_row ROLLED_BACK = { .name = "m", .is_rolled_back = true };
static const struct ledger_row BOTH = { .name = "m", .is_finished = true, .is_rolled_back = true };
static const struct ledger_row OTHER = { .name = "other", .is_finished = true };

struct resolve_case {
    const struct ledger_row *rows[3];
    const char *code; /* NULL = legal */
};

static size_t collect(const struct resolve_case *given, struct ledger_row *rows)
{
    size_t count = 0;

    while (count < array_length(given->rows) && given->rows[count] != NULL) {
        rows[count] = *given->rows[count];
        count++;
    }
    return count;
}

static void check(const struct resolve_case *cases, size_t count,
                  bool (*judge)(const struct ledger_row *, size_t, const char *, struct error *))
{
    for (size_t i = 0; i < count; i++) {
        struct ledger_row rows[array_length(cases->rows)];
        size_t row_count = collect(&cases[i], rows);
        struct error err = { 0 };

        if (judge(rows, row_count, "m", &err) != (cases[i].code == NULL))
            fail_msg("case %zu: %s", i, err.message);
        if (cases[i].code == NULL)
            continue;
        assert_int_equal(err.class, ERROR_REFUSED);
        assert_string_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.message, "\"m\""));
        assert_non_null(strstr(err.holds, "Nothing was changed."));
        assert_true(err.hint[0] != '\0');
    }
}

static void what_is_finished_cannot_be_recorded_as_applied_again(void **state)
{
    static const struct resolve_case cases[] = {
        { { NULL }, NULL },
        { { &OTHER }, NULL },
        { { &FAILED }, NULL },
        { { &ROLLED_BACK }, NULL },
        { { &FAILED, &FAILED }, NULL },
        { { &APPLIED }, "P3008" },
        { { &ROLLED_BACK, &APPLIED }, "P3008" },
        { { &FAILED, &APPLIED }, "P3008" },
        { { &BOTH }, "P3008" },
    };

    (void)state;
    check(cases, array_length(cases), prisma_resolve_check_applied);
}

static void only_what_failed_can_be_rolled_back(void **state)
{
    static const struct resolve_case cases[] = {
        { { NULL }, "P3011" },
        { { &OTHER }, "P3011" },
        { { &APPLIED }, "P3012" },
        { { &BOTH }, "P3012" },
        { { &OTHER, &APPLIED, &APPLIED }, "P3012" },
        { { &FAILED }, NULL },
        { { &ROLLED_BACK }, NULL },
        { { &APPLIED, &FAILED }, NULL },
        { { &OTHER, &FAILED }, NULL },
    };

    (void)state;
    check(cases, array_length(cases), prisma_resolve_check_rolled_back);
}

static void only_what_is_recorded_can_be_taken_back(void **state)
{
    static const struct resolve_case cases[] = {
        { { NULL }, "P3011" },           { { &OTHER }, "P3011" }, { { &FAILED }, NULL },
        { { &APPLIED, &FAILED }, NULL }, { { &APPLIED }, NULL },  { { &ROLLED_BACK, &APPLIED }, NULL },
        { { &ROLLED_BACK }, NULL },      { { &BOTH }, NULL },
    };

    (void)state;
    check(cases, array_length(cases), prisma_resolve_check_pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_finished_cannot_be_recorded_as_applied_again),
        cmocka_unit_test(only_what_failed_can_be_rolled_back),
        cmocka_unit_test(only_what_is_recorded_can_be_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
