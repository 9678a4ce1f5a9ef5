#include "base/memory.h"
#include "check.h"
#include "schema/effect.h"

static const struct change DETACH = { .action = ACTION_DETACH_PARTITION };

static void the_version_decides_between_rows_of_one_name(void **state)
{
    const struct rule *found[RULES_OF_CHANGE_MOST];

    (void)state;
    assert_int_equal(effect_find(&DETACH, 13, found), 1);
    assert_int_equal(found[0]->other_lock, TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE);
    assert_int_equal(effect_find(&DETACH, 14, found), 1);
    assert_int_equal(found[0]->other_lock, TABLE_LOCK_ACCESS_EXCLUSIVE);
}

static void without_a_version_the_worse_row_counts(void **state)
{
    const struct rule *found[RULES_OF_CHANGE_MOST];

    (void)state;
    assert_int_equal(effect_find(&DETACH, 0, found), 1);
    assert_int_equal(found[0]->other_lock, TABLE_LOCK_ACCESS_EXCLUSIVE);
}

static void a_statement_that_the_server_does_not_have_is_not_known(void **state)
{
    const struct change merge = { .action = ACTION_MERGE };
    const struct rule *found[RULES_OF_CHANGE_MOST];

    (void)state;
    assert_int_equal(effect_find(&merge, 14, found), 1);
    assert_int_equal(found[0]->level, LEVEL_UNKNOWN);
    assert_int_equal(effect_find(&merge, 15, found), 1);
    assert_string_equal(found[0]->name, "merge-rows");
}

static void every_action_has_a_rule(void **state)
{
    (void)state;
    for (int action = 0; action < ACTIONS; action++) {
        const struct rule *rule = RULES;

        while (rule->name != NULL && (int)rule->action != action)
            rule++;
        if (rule->name == NULL)
            fail_msg("no rule for action %d", action);
    }
}

static void names_and_texts_of_the_statement_fill_a_sentence(void **state)
{
    static const char sql[] = "CREATE  INDEX\n i ON t (a)";
    const struct change change = {
        .table = { .schema = "s", .name = "T\"" }, .object = "c", .word = "f", .start = 15, .end = 16
    };
    auto_text struct text out = text_init(1024);

    (void)state;
    effect_add_filled("{table} {other} {object} {constraint} {word} {definition}; {concurrently}", &change,
                      slice_of(sql), &out);
    assert_string_equal(out.at,
                        "\"s\".\"T\"\"\" … \"c\" \"c_not_null\" f i; "
                        "CREATE INDEX CONCURRENTLY i ON t (a)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_decides_between_rows_of_one_name),
        cmocka_unit_test(without_a_version_the_worse_row_counts),
        cmocka_unit_test(a_statement_that_the_server_does_not_have_is_not_known),
        cmocka_unit_test(every_action_has_a_rule),
        cmocka_unit_test(names_and_texts_of_the_statement_fill_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
