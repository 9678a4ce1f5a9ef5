#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/dialect.h"
#include "dialect/goose_script.h"
#include "dialect/goose_variable.h"

static const char *variable(const char *name)
{
    static const char *const values[][2] = { { "NAME", "users" }, { "EMPTY", "" }, { "LONG", "0123456789" } };

    for (size_t i = 0; i < array_length(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

static bool read(const char *script, struct text *out, struct script_wishes *wishes, struct error *err)
{
    const struct script_source source = { .path = "1_a.sql", .name = "1_a.sql", .variable = variable };

    *wishes = (struct script_wishes) { .transaction = SCRIPT_TRANSACTION_UNSAID };
    text_add_string(out, script);
    return goose_script_read(&source, out, wishes, err);
}

static void assert_runs(const char *script, const char *expected)
{
    auto_text struct text text = text_init(4096);
    struct script_wishes wishes;
    struct error err = { .class = ERROR_NONE };

    if (!read(script, &text, &wishes, &err))
        fail_msg("%s: %s", script, err.message);
    assert_string_equal(text.at, expected);
}

static void assert_refuses(const char *script, const char *message, int line)
{
    auto_text struct text text = text_init(4096);
    struct script_wishes wishes;
    struct error err = { .class = ERROR_NONE };

    if (read(script, &text, &wishes, &err))
        fail_msg("not refused: %s", script);
    assert_int_equal(err.class, ERROR_CLEAN);
    assert_string_equal(err.message, message);
    assert_int_equal(err.place.line, line);
    assert_true(err.hint[0] != '\0');
}

static enum script_transaction transaction_of(const char *script)
{
    auto_text struct text text = text_init(4096);
    struct script_wishes wishes;
    struct error err;

    assert_true(read(script, &text, &wishes, &err));
    return wishes.transaction;
}

static void the_way_there_stays_in_its_place(void **state)
{
    (void)state;
    assert_runs("-- why\n\n-- +goose Up\nA;\n  -- +x\nB; -- b\n-- +goose Down\nC;\nD\n",
                "-- why\n\n\nA;\n  -- +x\nB; -- b\n\n\n\n");
    assert_runs("-- +goose Up\r\nA\r\n;\r\n-- +goose Down\r\nB;\r\n", "\nA\n;\n\n\n");
    assert_runs("\xEF\xBB\xBF-- +goose Up\nA;", "\nA;");
    assert_runs("-- +goose Up", "");
    assert_runs("-- +goose Up\n\n-- nothing yet\n-- +goose Down\n", "\n\n-- nothing yet\n\n");
}

static void an_annotation_is_known_by_its_mark(void **state)
{
    (void)state;
    assert_runs("--+goose UP\nA;\n-- +goose down\nB;\n", "\nA;\n\n\n");
    assert_runs("-- \t+goose\tUp --\nA;", "\nA;");
    assert_runs("--+goose-- Up\nA;", "\nA;");
    assert_refuses("-- +GOOSE Up\nA;", "a statement comes before \"-- +goose Up\"", 2);
    assert_refuses("-- +goose Up\n-- see +goose\nA;", "goose does not know this annotation", 2);
    assert_refuses("-- +goose Up +goose\nA;", "goose does not know this annotation", 1);
    assert_refuses("-- +goose\nA;", "goose does not know this annotation", 1);
    assert_refuses("--- +goose Up\nA;", "goose does not know this annotation", 1);
    assert_refuses("-- +goose Up\n\t-- +goose Down\nA;", "an annotation of goose does not begin its line", 2);
    assert_false(goose_script_is_one(slice_of("-- goose Up\nSELECT '-- +goose Up';")));
    assert_true(goose_script_is_one(slice_of("-- a\nB\n--+goose Up")));
}

static void a_block_ends_like_a_statement(void **state)
{
    (void)state;
    assert_runs("-- +goose Up\n-- +goose StatementBegin\nA;\nB\n-- +goose StatementEnd\nC;\n",
                "\n\nA;\nB\n;\nC;\n");
    assert_runs("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\n-- +goose Down\n",
                "\n\n\n\n");
    assert_runs("-- +goose Up\nA;\n-- +goose Down\n-- +goose StatementBegin\nB\n-- +goose StatementEnd\nC;",
                "\nA;\n\n\n\n\n");
    assert_runs("-- +goose Up\n-- +goose StatementBegin\n  \n-- +goose StatementEnd\nA;", "\n\n  \n;\nA;");
    assert_refuses("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\n\nA;",
                   "goose does not run this line: the block before it is empty", 5);
    assert_refuses("-- +goose Up\n-- +goose StatementBegin\nA;\n",
                   "\"-- +goose StatementBegin\" has no StatementEnd", 4);
    assert_refuses("-- +goose Up\nA;\n-- +goose StatementEnd\n", "\"-- +goose StatementEnd\" is out of place",
                   3);
    assert_refuses("-- +goose StatementBegin\n", "\"-- +goose StatementBegin\" is out of place", 1);
}

static void the_last_statement_needs_its_semicolon(void **state)
{
    (void)state;
    assert_refuses("-- +goose Up\nA;\nB\n\nC", "the last statement does not end in a semicolon", 3);
    assert_refuses("-- +goose Up\nA\n-- +goose Down\nB;", "the last statement does not end in a semicolon",
                   2);
    assert_refuses("-- +goose Up\nA;\n \n-- end\n", "the last statement does not end in a semicolon", 4);
    assert_refuses("-- +goose Up\nA; /* end */", "the last statement does not end in a semicolon", 2);
    assert_runs("-- +goose Up\nA;\n\n-- end\n", "\nA;\n\n-- end\n");
    assert_runs("-- +goose Up\nA ; --end;no\n-- +goose Down\nB", "\nA ; --end;no\n\n");
}

static void one_way_there_and_one_back(void **state)
{
    (void)state;
    assert_refuses("A;\n-- +goose Up\n", "a statement comes before \"-- +goose Up\"", 1);
    assert_refuses("-- A;\n", "the script has no line \"-- +goose Up\"", 1);
    assert_refuses("", "the script has no line \"-- +goose Up\"", 1);
    assert_refuses("-- +goose Down\nA;\n-- +goose Up\n", "\"-- +goose Down\" is out of place", 1);
    assert_refuses("-- +goose Up\nA;\n-- +goose Up\n", "there is a second \"-- +goose Up\"", 3);
    assert_refuses("-- +goose Up\n-- +goose Down\n-- +goose Up\n", "there is a second \"-- +goose Up\"", 3);
    assert_refuses("-- +goose Up\n-- +goose Down\n-- +goose Down\n", "\"-- +goose Down\" is out of place", 3);
}

static void transactions_are_for_the_whole_script(void **state)
{
    (void)state;
    assert_int_equal(transaction_of("-- +goose Up\nA;"), SCRIPT_TRANSACTION_ON);
    assert_int_equal(transaction_of("-- +goose NO TRANSACTION\n-- +goose Up\nA;"), SCRIPT_TRANSACTION_OFF);
    assert_int_equal(transaction_of("-- +goose Up\nA;\n-- +goose Down\n-- +goose no transaction\n"),
                     SCRIPT_TRANSACTION_OFF);
}

static void variables_are_replaced_where_they_are_switched_on(void **state)
{
    (void)state;
    assert_runs("-- +goose Up\n$NAME;\n-- +goose ENVSUB ON\n-- $1\n$NAME;\n-- +goose ENVSUB OFF\n$NAME;\n",
                "\n$NAME;\n\n-- $1\nusers;\n\n$NAME;\n");
    assert_runs(
        "-- +goose ENVSUB ON\n-- +goose Up\n-- +goose StatementBegin\nAS $$$$\n$NAME\n$$$$\n-- +goose StatementEnd\n",
        "\n\n\nAS $$\nusers\n$$\n;\n");
    assert_refuses("-- +goose Up\n-- +goose ENVSUB ON\nA;\n-- +goose Down\n${OTHER?};\n",
                   "the variable OTHER is not set", 5);
    assert_refuses("-- +goose Up\n-- +goose ENVSUB ON\nA $1;\n",
                   "a dollar sign is not followed by a variable's name", 3);
}

static void the_shell_s_forms(void **state)
{
    static const char *const cases[][2] = {
        { "$NAME", "users" },
        { "${NAME}s $NAME.s", "userss users.s" },
        { "<$OTHER${OTHER}$EMPTY>", "<>" },
        { "${NAME:-a}${EMPTY:-b}${OTHER:-c}", "usersbc" },
        { "${NAME-a}${EMPTY-b}${OTHER-c}", "usersc" },
        { "${OTHER:-${NAME}${OTHER-x${EMPTY:-y}}}", "usersxy" },
        { "${NAME?no}", "users" },
        { "${LONG:3}|${LONG: -3}|${LONG:20}|${LONG:-3}", "3456789|789||0123456789" },
        { "${LONG:2:3}|${LONG:2:-3}|${LONG:2:99}|${LONG:8:-5}|${LONG: -4 : 2 }|${OTHER:1:2}",
          "234|23456|23456789||67|" },
        { "${LONG: -99:-1}|${LONG:0:-99}|${LONG:+1:+1}", "012345678||1" },
        { "\\$NAME $$NAME \\\\$NAME \\n $(NAME) 5$", "$NAME $NAME \\\\users \\n $(NAME) 5$" },
        { "a } b", "a } b" },
        { "${NAME-}}", "users}" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text text = text_init(4096);
        struct error err = { .class = ERROR_NONE };

        if (!goose_variables_replace(slice_of(cases[i][0]), variable, &text, &err))
            fail_msg("%s: %s", cases[i][0], err.message);
        assert_string_equal(text.at, cases[i][1]);
    }
}

static void what_is_no_form_of_the_shell_s(void **state)
{
    static const char *const cases[][2] = {
        { "$1", "a dollar sign is not followed by a variable's name" },
        { "${}", "a dollar sign is not followed by a variable's name" },
        { "${_A}", "a dollar sign is not followed by a variable's name" },
        { "${NAME", "a variable's braces are not as goose reads them" },
        { "${NAME+x}", "a variable's braces are not as goose reads them" },
        { "${NAME:-x", "a variable's braces are not as goose reads them" },
        { "${NAME:x}", "what follows a variable's colon is not a number" },
        { "${NAME:1:}", "what follows a variable's colon is not a number" },
        { "${NAME:99999999999999999999}", "what follows a variable's colon is not a number" },
        { "${NAME:-${1}}", "a dollar sign is not followed by a variable's name" },
        { "${OTHER?say ${NAME}}", "the variable OTHER is not set: say users" },
        { "${OTHER?}", "the variable OTHER is not set" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text text = text_init(4096);
        struct error err = { .class = ERROR_NONE };

        if (goose_variables_replace(slice_of(cases[i][0]), variable, &text, &err))
            fail_msg("not refused: %s", cases[i][0]);
        assert_string_equal(err.message, cases[i][1]);
        assert_true(err.class == ERROR_CLEAN && err.hint[0] != '\0');
    }
}

static void entries_are_what_goose_takes_them_for(void **state)
{
    static const struct {
        const char *name;
        enum entry_kind kind;
    } cases[] = {
        { "1_a.sql", ENTRY_MIGRATION },
        { "00001_.sql", ENTRY_MIGRATION },
        { "9223372036854775807_a.sql", ENTRY_MIGRATION },
        { "9223372036854775808_a.sql", ENTRY_MISNAMED },
        { "99999999999999999999_a.sql", ENTRY_MISNAMED },
        { "0_a.sql", ENTRY_MISNAMED },
        { "1.sql", ENTRY_MISNAMED },
        { "1-a.sql", ENTRY_MISNAMED },
        { "a.sql", ENTRY_MISNAMED },
        { "-1_a.sql", ENTRY_MISNAMED },
        { "1_a.SQL", ENTRY_OTHER },
        { "README.md", ENTRY_OTHER },
        { "1_a.go", ENTRY_PROGRAM },
        { "1_a_test.go", ENTRY_OTHER },
        { "main.go", ENTRY_OTHER },
        { "0_a.go", ENTRY_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (DIALECT_GOOSE.entry_kind_of(cases[i].name, false) != cases[i].kind)
            fail_msg("%s", cases[i].name);
        assert_int_equal(DIALECT_GOOSE.entry_kind_of(cases[i].name, true), ENTRY_OTHER);
    }
}

static void a_version_is_a_number(void **state)
{
    char key[KEY_SIZE];
    struct order_key keys[] = { DIALECT_GOOSE.order_key_of("10_a.sql"),
                                DIALECT_GOOSE.order_key_of("00009_b.sql"),
                                DIALECT_GOOSE.order_key_of("20240101000000_c.sql"),
                                DIALECT_GOOSE.order_key_of("2_d.sql") };

    (void)state;
    qsort(keys, array_length(keys), sizeof *keys, DIALECT_GOOSE.compare_keys);
    assert_string_equal(keys[0].name, "2_d.sql");
    assert_string_equal(keys[1].name, "00009_b.sql");
    assert_string_equal(keys[2].name, "10_a.sql");
    DIALECT_GOOSE.key_of("00009_b.sql", key);
    assert_string_equal(key, "9");
}

static void the_lock_is_the_library_s(void **state)
{
    struct tool_keys keys;

    (void)state;
    DIALECT_GOOSE.tool_keys_of(&(const struct ledger_place) { "d", "s", "t" }, &keys);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.keys[0], "4097083626");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_there_stays_in_its_place),
        cmocka_unit_test(an_annotation_is_known_by_its_mark),
        cmocka_unit_test(a_block_ends_like_a_statement),
        cmocka_unit_test(the_last_statement_needs_its_semicolon),
        cmocka_unit_test(one_way_there_and_one_back),
        cmocka_unit_test(transactions_are_for_the_whole_script),
        cmocka_unit_test(variables_are_replaced_where_they_are_switched_on),
        cmocka_unit_test(the_shell_s_forms),
        cmocka_unit_test(what_is_no_form_of_the_shell_s),
        cmocka_unit_test(entries_are_what_goose_takes_them_for),
        cmocka_unit_test(a_version_is_a_number),
        cmocka_unit_test(the_lock_is_the_library_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
