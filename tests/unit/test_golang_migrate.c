#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "dialect/golang_migrate_ledger.h"
#include "dialect/golang_migrate_name.h"
#include "history/folder.h"
#include "scratch.h"

static void the_last_word_between_dots_is_the_direction(void **state)
{
    static const struct {
        const char *name;
        enum direction direction;
    } cases[] = {
        { "1_a.up.sql", DIRECTION_UP },
        { "0001_a.down.sql", DIRECTION_DOWN },
        { "0_.up.", DIRECTION_UP },
        { "1_a.up.down.sql", DIRECTION_DOWN },
        { "1_a.down.up.sql", DIRECTION_UP },
        { "1_.up.up.up", DIRECTION_UP },
        { "1_a b.UP.sql", DIRECTION_NONE },
        { "1_a.up", DIRECTION_NONE },
        { "1_up.sql", DIRECTION_NONE },
        { "1.up.sql", DIRECTION_NONE },
        { "_a.up.sql", DIRECTION_NONE },
        { "a1_a.up.sql", DIRECTION_NONE },
        { "-1_a.up.sql", DIRECTION_NONE },
        { "1_a\nb.up.sql", DIRECTION_NONE },
        { "18446744073709551615_a.up.sql", DIRECTION_UP },
        { "18446744073709551616_a.up.sql", DIRECTION_NONE },
        { "0000000000000000000000001_a.up.sql", DIRECTION_UP },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (golang_migrate_direction_of(cases[i].name) != cases[i].direction)
            fail_msg("%s", cases[i].name);
    }
}

/* The tool's own pattern, of names that are put together from its parts. */
static void a_name_is_one_where_the_tool_s_pattern_fits(void **state)
{
    static const char *const parts[] = { "1", "07", "_", ".up", ".down", ".", "sql", "a", "up", "\n" };
    enum { LENGTH = 6 };
    regex_t pattern;
    size_t names = 1;

    (void)state;
    assert_int_equal(regcomp(&pattern, "^[0-9]+_[^\n]*\\.(down|up)\\.[^\n]*$", REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < LENGTH; i++)
        names *= array_length(parts);
    for (size_t number = 0; number < names; number += 7) {
        char name[LENGTH * 8] = "";
        char *end = name;
        bool fits;

        for (size_t i = 0, rest = number; i < LENGTH; i++, rest /= array_length(parts))
            end = stpcpy(end, parts[rest % array_length(parts)]);
        fits = regexec(&pattern, name, 0, NULL, 0) == 0;
        if ((golang_migrate_direction_of(name) != DIRECTION_NONE) != fits)
            fail_msg("%s", name);
    }
    regfree(&pattern);
}

static int order(const char *one, const char *other)
{
    const struct order_key a = golang_migrate_order_key_of(one);
    const struct order_key b = golang_migrate_order_key_of(other);

    return DIALECT_GOLANG_MIGRATE.compare_keys(&a, &b);
}

static void versions_are_numbers_and_nothing_comes_before_the_first(void **state)
{
    (void)state;
    assert_true(order("2_b.up.sql", "10_a.up.sql") < 0);
    assert_true(order("010_a.up.sql", "9") > 0);
    assert_true(order("-1", "0_a.up.sql") < 0);
    assert_true(order("0", "1_a.up.sql") < 0);
    assert_true(order("9223372036854775807", "18446744073709551615_a.up.sql") < 0);
}

static void both_locks_of_the_tool_are_known(void **state)
{
    struct tool_keys keys;

    (void)state;
    golang_migrate_keys_of(&(const struct ledger_place) { "appdb", "public", "schema_migrations" }, &keys);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.keys[0], "2964150615");
    assert_string_equal(keys.keys[1], "4014298803");
}

/* What is run of a script of that name; or the error. */
static const char *run_of(const char *name, const char *script, struct text *out)
{
    const struct script_source source = { .path = "1.sql", .name = name };
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err;

    text_reset(out);
    text_add_string(out, script);
    if (!DIALECT_GOLANG_MIGRATE.read_script(&source, out, &wishes, &err)) {
        text_reset(out);
        text_add_string(out, err.message);
    }
    assert_int_equal(wishes.transaction, SCRIPT_TRANSACTION_UNSAID);
    return out->at;
}

static void nothing_is_run_of_what_only_goes_back(void **state)
{
    auto_text struct text script = text_init(4096);

    (void)state;
    assert_string_equal(run_of("1_a.up.sql", "BEGIN; SELECT 1; COMMIT;", &script),
                        "BEGIN; SELECT 1; COMMIT;");
    assert_string_equal(run_of("1_a.down.sql", "DROP TABLE a", &script), "");
    assert_string_equal(run_of("9223372036854775807_a.up.sql", "SELECT 1", &script), "SELECT 1");
    assert_non_null(
        strstr(run_of("9223372036854775808_a.up.sql", "SELECT 1", &script), "greatest of a bigint"));
}

/* The migrations of the folder "m" and the files that undo them; or the error. */
static const char *migrations_in(struct text *out)
{
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;

    text_reset(out);
    if (!folder_read(&DIALECT_GOLANG_MIGRATE, &(struct directory) { .arena = arena, .path = "m" }, &folder,
                     &err)) {
        text_add_string(out, err.message);
        return out->at;
    }
    for (size_t i = 0; i < folder.count; i++) {
        const struct migration *migration = &folder.items[i];

        text_add_format(out, "%s%s<%s", i == 0 ? "" : " ", migration->name,
                        migration->way_back == NULL ? "" : migration->way_back);
        assert_string_equal(migration->back == NULL ? "" : migration->back,
                            i == 0 ? "" : folder.items[i - 1].key);
    }
    return out->at;
}

static void a_way_back_is_a_migration_only_where_it_is_alone(void **state)
{
    auto_text struct text names = text_init(4096);

    (void)state;
    scratch_make_directory("m");
    scratch_write("m/2_b.up.sql", "x", 1);
    scratch_write("m/2_a.down.sql", "x", 1);
    scratch_write("m/10_d.up.sql", "x", 1);
    scratch_write("m/10_e.down.sql", "x", 1);
    scratch_write("m/3_c.down.sql", "x", 1);
    scratch_write("m/4_.txt", "x", 1);
    assert_string_equal(migrations_in(&names),
                        "2_b.up.sql<2_a.down.sql 3_c.down.sql<3_c.down.sql 10_d.up.sql<10_e.down.sql");
    scratch_write("m/02_c.down.sql", "x", 1);
    assert_non_null(strstr(migrations_in(&names),
                           "\"02_c.down.sql\" and \"2_a.down.sql\" in m have the same version, 2"));
    assert_int_equal(remove("m/02_c.down.sql"), 0);
    scratch_write("m/2_c.down.sql", "x", 1);
    assert_non_null(
        strstr(migrations_in(&names), "\"2_a.down.sql\" and \"2_c.down.sql\" in m have the same version, 2"));
    assert_int_equal(remove("m/2_c.down.sql"), 0);
    scratch_write("m/02_c.up.sql", "x", 1);
    assert_non_null(
        strstr(migrations_in(&names), "\"02_c.up.sql\" and \"2_b.up.sql\" in m have the same version, 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_between_dots_is_the_direction),
        cmocka_unit_test(a_name_is_one_where_the_tool_s_pattern_fits),
        cmocka_unit_test(versions_are_numbers_and_nothing_comes_before_the_first),
        cmocka_unit_test(both_locks_of_the_tool_are_known),
        cmocka_unit_test(nothing_is_run_of_what_only_goes_back),
        cmocka_unit_test_setup_teardown(a_way_back_is_a_migration_only_where_it_is_alone, scratch_enter,
                                        scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
