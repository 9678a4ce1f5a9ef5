#include <string.h>

#include "check.h"
#include "schema/rule_levels.h"

static void levels_are_read_in_pairs(void **state)
{
    struct rule_levels levels;
    struct error err;
    enum level level = LEVEL_UNKNOWN;

    (void)state;
    assert_true(rule_levels_read(NULL, "here", &levels, &err));
    assert_false(rule_levels_find(&levels, effect_named("create-index"), &level));
    assert_true(rule_levels_read(" create-index = safe,drop-column=careful", "here", &levels, &err));
    assert_true(rule_levels_find(&levels, effect_named("create-index"), &level));
    assert_int_equal(level, LEVEL_SAFE);
    assert_true(rule_levels_find(&levels, effect_named("drop-column"), &level));
    assert_int_equal(level, LEVEL_CAREFUL);
    assert_false(rule_levels_find(&levels, effect_named("drop-table"), &level));
}

static void rows_that_differ_by_version_have_one_level(void **state)
{
    const struct rule *first = effect_named("detach-partition");
    struct rule_levels levels;
    struct error err;
    enum level level;

    (void)state;
    assert_true(rule_levels_read("detach-partition=safe", "here", &levels, &err));
    assert_string_equal(first[1].name, first->name);
    assert_true(rule_levels_find(&levels, &first[1], &level));
}

static void what_cannot_be_read_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *hint;
    } rows[] = {
        { "crate-index=safe", "here: \"crate-index\" is no rule", "\"create-index\"" },
        { "something else=safe", "here: \"something else\" is no rule", "plan --rules" },
        { "create-index", "here: \"\" is no level", "create-index=safe" },
        { "create-index=unknown", "here: \"unknown\" is no level", "=careful" },
        { "create-index=safe,create-index=safe", "here names \"create-index\" twice", "Remove" },
        { "create-index=safe,", "here: \"\" is no rule", "plan --rules" },
    };
    struct rule_levels levels;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(rule_levels_read(rows[i].text, "here", &levels, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.message, rows[i].message);
        assert_non_null(strstr(err.hint, rows[i].hint));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_read_in_pairs),
        cmocka_unit_test(rows_that_differ_by_version_have_one_level),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
