#include <string.h>

#include "check.h"
#include "gate/interpreter.h"

static void the_first_line_is_read_as_the_kernel_reads_it(void **state)
{
    static const struct {
        const char *head;
        enum first_line first;
        const char *interpreter;
        const char *argument;
    } cases[] = {
        { "#!/bin/sh\nexit\n", FIRST_LINE_SCRIPT, "/bin/sh", "" },
        { "#!/bin/sh", FIRST_LINE_SCRIPT, "/bin/sh", "" },
        { "#! \t/bin/sh -e  x \t\n", FIRST_LINE_SCRIPT, "/bin/sh", "-e  x" },
        { "#!/bin/sh\r\n", FIRST_LINE_SCRIPT, "/bin/sh\r", "" },
        { "#!sh\n", FIRST_LINE_SCRIPT, "sh", "" },
        { "#!\n/bin/sh\n", FIRST_LINE_INCOMPLETE, "", "" },
        { "#!  ", FIRST_LINE_INCOMPLETE, "", "" },
        { "", FIRST_LINE_EMPTY, "", "" },
        { "echo ü\n", FIRST_LINE_TEXT, "", "" },
        { " #!/bin/sh\n", FIRST_LINE_TEXT, "", "" },
        { "\xEF\xBB\xBF#!/bin/sh\n", FIRST_LINE_MARKED, "", "" },
        { "\x7F"
          "ELF\x02",
          FIRST_LINE_PROGRAM, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice interpreter;
        struct slice argument;

        assert_int_equal(interpreter_parse(slice_of(cases[i].head), &interpreter, &argument), cases[i].first);
        assert_true(slice_equals(interpreter, cases[i].interpreter));
        assert_true(slice_equals(argument, cases[i].argument));
    }
}

static void a_name_that_the_kernel_would_cut_is_none(void **state)
{
    char head[INTERPRETER_LINE_MOST];
    struct slice interpreter;
    struct slice argument;

    (void)state;
    memset(head, 'x', sizeof head);
    memcpy(head, "#!/", 3);
    assert_int_equal(interpreter_parse((struct slice) { head, sizeof head }, &interpreter, &argument),
                     FIRST_LINE_INCOMPLETE);
    head[100] = ' ';
    assert_int_equal(interpreter_parse((struct slice) { head, sizeof head }, &interpreter, &argument),
                     FIRST_LINE_SCRIPT);
    assert_int_equal(interpreter.length, 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_is_read_as_the_kernel_reads_it),
        cmocka_unit_test(a_name_that_the_kernel_would_cut_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
