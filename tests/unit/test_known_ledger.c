#include <string.h>

#include "check.h"
#include "dialect/known_ledger.h"

#define GOLANG_MIGRATE "version:N dirty:B"
#define DBMATE "version:S"

static const char *tool_of(const char *schema, const char *table, const char *columns, bool has_beside)
{
    const struct table_look look = { schema, table, columns, has_beside };
    const struct known_ledger *found = known_ledger_find(&look);

    return found == NULL ? "nobody" : found->tool;
}

static void three_tools_call_theirs_alike(void **state)
{
    (void)state;
    assert_string_equal(tool_of("public", "schema_migrations", GOLANG_MIGRATE, false), "golang-migrate");
    assert_string_equal(tool_of("public", "schema_migrations", "dirty:B version:N", true), "golang-migrate");
    assert_string_equal(tool_of("public", "schema_migrations", DBMATE, false), "dbmate");
    assert_string_equal(tool_of("public", "schema_migrations", DBMATE, true), "Rails");
    assert_string_equal(tool_of("public", "schema_migrations", "version:N inserted_at:D", false), "Ecto");
    assert_string_equal(
        tool_of("supabase_migrations", "schema_migrations", "version:S statements:A name:S", false),
        "Supabase");
}

static void another_shape_is_nobody_s(void **state)
{
    (void)state;
    assert_string_equal(tool_of("public", "schema_migrations", "version:S dirty:B", false), "nobody");
    assert_string_equal(tool_of("public", "schema_migrations", "version:N", false), "nobody");
    assert_string_equal(tool_of("public", "schema_migrations", "", false), "nobody");
    assert_string_equal(tool_of("public", "schema_migrations", "versions:N dirty:B", false), "nobody");
    assert_string_equal(tool_of("public", "migrations", "id:N name:S", false), "nobody");
    assert_string_equal(tool_of("public", "__drizzle_migrations", "id:N hash:S created_at:N", false),
                        "nobody");
}

static void more_columns_do_not_matter(void **state)
{
    (void)state;
    assert_string_equal(tool_of("public", "schema_migrations", "id:N version:N dirty:B note:S", false),
                        "golang-migrate");
    assert_string_equal(tool_of("public", "schema_migrations", "version:S applied_at:D", false), "dbmate");
}

static bool fits(enum format format, const char *columns)
{
    return known_ledger_fits_format(format, &(const struct table_look) { "public", "any", columns, false });
}

static void a_name_says_nothing(void **state)
{
    (void)state;
    assert_true(fits(FORMAT_GOLANG_MIGRATE, GOLANG_MIGRATE) && !fits(FORMAT_GOLANG_MIGRATE, DBMATE));
    assert_true(fits(FORMAT_DBMATE, DBMATE) && !fits(FORMAT_DBMATE, GOLANG_MIGRATE));
    assert_false(fits(FORMAT_GOOSE, GOLANG_MIGRATE) || fits(FORMAT_GOOSE, ""));
    assert_true(fits(FORMAT_GOOSE, "id:N version_id:N is_applied:B tstamp:D"));
}

/* Each dialect's own ledger is known, so that it can't be taken for another's. */
static void every_dialect_s_ledger_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        bool is_known = false;

        for (const struct known_ledger *known = KNOWN_LEDGERS; known->tool != NULL; known++)
            is_known |=
                known->format == DIALECTS[i]->format && strcmp(known->table, DIALECTS[i]->ledger_name) == 0;
        assert_true(is_known);
    }
    assert_false(known_ledger_is_checked(FORMAT_PRISMA));
    assert_true(known_ledger_is_checked(FORMAT_GOOSE) && known_ledger_is_checked(FORMAT_DBMATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_tools_call_theirs_alike),   cmocka_unit_test(another_shape_is_nobody_s),
        cmocka_unit_test(more_columns_do_not_matter),      cmocka_unit_test(a_name_says_nothing),
        cmocka_unit_test(every_dialect_s_ledger_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
