#include <string.h>

#include "base/env.h"
#include "check.h"
#include "config/env_file.h"

enum { LONG = 70 * 1024 };

static struct {
    struct arena *arena;
    struct env_file file;
    struct error err;
} last;

static int enter(void **state)
{
    (void)state;
    last.arena = arena_new();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    arena_free(last.arena);
    return 0;
}

/* With A and an empty E in the environment. */
static bool parse(const char *text)
{
    static char a[] = "A=own";
    static char e[] = "E=";
    static char *environment[] = { a, e, NULL };

    last.err = (struct error) { .class = ERROR_NONE };
    last.file = (struct env_file) { .path = ".env", .given = environment };
    return env_file_parse(last.arena, slice_of(text), &last.file, &last.err);
}

static void a_line_sets_a_variable(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* of X; NULL = none */
    } cases[] = {
        { "X=1", "1" },
        { "X=1\n", "1" },
        { "X=1\r\nY=2\r\n", "1" },
        { "\xEF\xBB\xBFX=1", "1" },
        { "# X=2\n\n  \t\n X= 1 \n", "1" },
        { "export X=1", "1" },
        { "export\tX=1", "1" },
        { "exportX=1", NULL },
        { "export=1\nX=2", "2" },
        { "X=", NULL },
        { "X=''", NULL },
        { "X= # nothing", NULL },
        { "X=a b  # a comment", "a b" },
        { "X=a=b", "a=b" },
        { "X=it's", "it's" },
        { "X=a\\b", "a\\b" },
        { "X=postgresql://u:p%23@h:5432/d?schema=public&x=1",
          "postgresql://u:p%23@h:5432/d?schema=public&x=1" },
        { "X='a # \"b\" \\ ${A} $A'", "a # \"b\" \\ ${A} $A" },
        { "X=\"a # 'b'\" # a comment", "a # 'b'" },
        { "X='a'#b", "a" },
        { "X=\"a\\nb\\rc\"", "a\nb\rc" },
        { "X='a\r\nb'\nY=1", "a\nb" },
        { "X=\"\n\"", "\n" },
        { "X=$", "$" },
        { "X=100$ more", "100$ more" },
        { "X=${A}/${A}", "own/own" },
        { "Y=two\nX=\"${Y} ${A}\"", "two own" },
        { "A=theirs\nX=${A}", "own" },
        { "_x.y-z1=1\nX=ä", "ä" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const char *value;

        if (!parse(cases[i].text))
            fail_msg("%s: %s", cases[i].text, last.err.message);
        value = env_find(last.file.environment, "X");
        if ((value == NULL) != (cases[i].value == NULL) ||
            (value != NULL && strcmp(value, cases[i].value) != 0))
            fail_msg("%s: it is %s", cases[i].text, value == NULL ? "unset" : value);
    }
}

static void what_is_set_already_wins_unless_it_is_empty(void **state)
{
    (void)state;
    assert_true(parse("\nA=1\nE=2\nN=3\n"));
    assert_string_equal(last.file.environment[0], "A=own");
    assert_string_equal(last.file.environment[1], "E=2");
    assert_string_equal(last.file.environment[2], "N=3");
    assert_null(last.file.environment[3]);
    assert_int_equal(env_file_line(&last.file, "A"), 0);
    assert_int_equal(env_file_line(&last.file, "E"), 3);
    assert_int_equal(env_file_line(&last.file, "N"), 4);
    assert_int_equal(env_file_line(&last.file, "none"), 0);
}

static void what_is_not_understood_is_refused_at_its_line(void **state)
{
    static const struct {
        const char *text;
        size_t line;
        size_t column;
        const char *message;
    } cases[] = {
        { "X", 1, 1, "does not set a variable" },
        { "A=1\nX s3cret", 2, 1, "does not set a variable" },
        { "\n\n  X: s3cret", 3, 3, "does not set a variable" },
        { "1X=s3cret", 1, 1, "does not set a variable" },
        { "=s3cret", 1, 1, "does not set a variable" },
        { "export", 1, 1, "does not set a variable" },
        { "'X'=s3cret", 1, 1, "does not set a variable" },
        { "X =s3cret", 1, 2, "a blank between the variable and its =" },
        { "A=1\nexport X = s3cret", 2, 9, "a blank between the variable and its =" },
        { " X\t=s3cret", 1, 3, "a blank between the variable and its =" },
        { "export =s3cret", 1, 1, "does not set a variable" },
        { "X='s3cret\nY=2\n", 1, 3, "quote is not closed" },
        { "Y='a\nb'\nX=\"s3cret", 3, 3, "quote is not closed" },
        { "X='s3cret'b", 1, 11, "follows the value's closing quote" },
        { "X=\"s3cret\" 'b'", 1, 12, "follows the value's closing quote" },
        { "X=`s3cret`", 1, 3, "backquotes" },
        { "X=s3cret#b", 1, 9, "begins a comment to some tools" },
        { "X=#s3cret", 1, 3, "begins a comment to some tools" },
        { "X=\"s3cret\\t\"", 1, 10, "a backslash in double quotes" },
        { "X=\"s3cret\\\"\"", 1, 10, "a backslash in double quotes" },
        { "X=\"s3cret\\", 1, 10, "a backslash in double quotes" },
        { "X=$Y", 1, 3, "could not replace this $" },
        { "X=s3cret${Y}", 1, 9, "could not replace this $" },
        { "X=\"s3cret${E}\"\nE=1", 1, 10, "could not replace this $" },
        { "X=s3cret${A:-b}", 1, 9, "could not replace this $" },
        { "X=s3cret${}", 1, 9, "could not replace this $" },
        { "X=s3cret${", 1, 9, "could not replace this $" },
        { "X=$(s3cret)", 1, 3, "could not replace this $" },
        { "X=s3cret\x01", 1, 9, "a control character" },
        { "X='s3cret\rb'", 1, 10, "a control character" },
        { "X=s3cret\rb", 1, 9, "a control character" },
        { "X=1\nY=2\nX=s3cret", 3, 1, "set twice" },
        { "\x7F"
          "ELF",
          1, 1, "does not set a variable" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (parse(cases[i].text))
            fail_msg("taken: %s", cases[i].text);
        assert_int_equal(last.err.class, ERROR_USAGE);
        if (strstr(last.err.message, cases[i].message) == NULL || last.err.place.line != cases[i].line ||
            last.err.place.column != cases[i].column)
            fail_msg("%s: %zu:%zu: %s", cases[i].text, last.err.place.line, last.err.place.column,
                     last.err.message);
        assert_string_equal(last.err.place.file, ".env");
        assert_string_equal(last.err.place.source, "");
        assert_null(strstr(last.err.message, "s3cret"));
        assert_null(strstr(last.err.hint, "s3cret"));
    }
}

static void a_nul_byte_is_refused(void **state)
{
    static const char bytes[] = "X=a\0b";
    static char *none[] = { NULL };
    struct env_file file = { .path = ".env", .given = none };

    (void)state;
    assert_false(env_file_parse(last.arena, (struct slice) { .at = bytes, .length = sizeof bytes - 1 }, &file,
                                &last.err));
    assert_non_null(strstr(last.err.message, "a control character"));
}

static void what_is_too_much_is_refused(void **state)
{
    auto_text struct text many = text_init(1 << 20);
    auto_text struct text grown = text_init(1 << 20);

    (void)state;
    for (int i = 0; i < 1000; i++)
        text_add_format(&many, "X%d=1\n", i);
    assert_true(parse(many.at));
    text_add_string(&many, "Y=1\n");
    assert_false(parse(many.at));
    assert_non_null(strstr(last.err.message, "more than 1000 variables"));
    assert_int_equal(last.err.place.line, 1001);
    text_add_string(&grown, "X=");
    while (grown.length < LONG)
        text_add_string(&grown, "xxxxxxxx");
    assert_false(parse(grown.at));
    assert_non_null(strstr(last.err.message, "longer than 64 KiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_sets_a_variable, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_set_already_wins_unless_it_is_empty, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_refused_at_its_line, enter, leave),
        cmocka_unit_test_setup_teardown(a_nul_byte_is_refused, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_refused, enter, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
