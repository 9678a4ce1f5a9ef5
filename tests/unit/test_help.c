#include <string.h>

#include "../../cmd/tidelock/completion.h"
#include "../../cmd/tidelock/exits.h"
#include "../../cmd/tidelock/help.h"
#include "../../cmd/tidelock/wrap.h"
#include "base/memory.h"
#include "check.h"

enum { PAGE_MOST = 256 * 1024 };

static void check_width(const char *page)
{
    for (const char *line = page; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");

        if (length > 80)
            fail_msg("%zu columns: %.*s", length, (int)length, line);
        assert_true(length == 0 || line[length - 1] != ' ');
        assert_int_equal(line[length], '\n');
    }
}

static void words_go_to_the_next_line_at_column_80(void **state)
{
    static const char nine[] = "123456789 123456789 123456789 123456789 123456789 123456789 123456789";
    auto_text struct text out = text_init(1024);

    (void)state;
    text_add_format(&out, "%s 123456789", nine);
    wrap(&out, "0 new", 79, 4);
    assert_string_equal(out.at + strlen(nine), " 1234567890\n    new\n");
    text_reset(&out);
    wrap(&out, "one", 0, 4);
    assert_string_equal(out.at, "one\n");
    text_reset(&out);
    wrap(&out, "", 0, 4);
    assert_string_equal(out.at, "\n");
}

static void help_fits_eighty_columns(void **state)
{
    auto_text struct text out = text_init(PAGE_MOST);

    (void)state;
    help_all(&out);
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        help_command(COMMANDS[i], &out);
    for (const struct option *option = OPTIONS; option->name != NULL; option++)
        help_option(option, &out);
    help_directives(&out);
    for (size_t i = 0; DIALECTS[i] != NULL; i++)
        help_tool(DIALECTS[i], &out);
    check_width(out.at);
}

static void every_command_has_a_row_of_its_own(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        const struct command *command = COMMANDS[i];

        assert_int_equal(command->options & (command->options - 1), 0);
        assert_int_equal(seen & command->options, 0);
        seen |= command->options;
        assert_ptr_equal(command_find(command->name), command);
        assert_true(command->run != NULL || command == &COMMAND_HELP);
        assert_non_null(strstr(command->example, "tidelock "));
        assert_int_equal(command->words != WORDS_NONE, (command->options & (TAKING_WORDS | FOR_HELP)) != 0);
        assert_true(command->summary[strlen(command->summary) - 1] != '.');
        assert_true(command->about[strlen(command->about) - 1] == '.');
    }
    assert_int_equal(seen, FOR_ALL | FOR_HELP);
}

static void a_command_has_ten_usual_options_at_most(void **state)
{
    (void)state;
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        size_t usual = 0;
        size_t all = 0;

        for (const struct option *option = OPTIONS; option->name != NULL; option++) {
            bool is_known = (option->commands & COMMANDS[i]->options) != 0;

            all += is_known;
            usual += is_known && (option->traits & OPTION_USUAL) != 0;
        }
        assert_true(usual <= 10 && (usual > 0 || all == 0));
    }
}

static void help_of_a_command_tells_its_own_options_and_exit_codes(void **state)
{
    auto_text struct text out = text_init(PAGE_MOST);

    (void)state;
    help_command(&COMMAND_STATUS, &out);
    assert_non_null(strstr(out.at, "Usage: tidelock status [--all] [--json] [--exit-code] [OPTION]...\n"));
    assert_non_null(strstr(out.at, "\nExample:\n  tidelock status "));
    assert_non_null(strstr(out.at, "\n  --json\n      print JSON\n"));
    assert_non_null(strstr(out.at, "\nWaiting:\n  --connect-deadline TIME\n"));
    assert_non_null(strstr(out.at, "DATABASE_URL_FILE"));
    assert_non_null(strstr(out.at, "(default 1m)"));
    assert_null(strstr(out.at, "  --strict\n"));
    assert_null(strstr(out.at, "Locks:"));
    assert_null(strstr(out.at, "TIDELOCK_JSON"));
    assert_non_null(strstr(out.at, "\n  8      "));
    assert_null(strstr(out.at, "\n  7      "));
    text_reset(&out);
    help_command(&COMMAND_HELP, &out);
    assert_non_null(
        strstr(out.at, "Usage: tidelock help [COMMAND | OPTION | TOOL | directives | exit-codes]...\n"));
    assert_null(strstr(out.at, "Common options"));
}

static void help_of_an_option_tells_all_of_it(void **state)
{
    auto_text struct text out = text_init(PAGE_MOST);

    (void)state;
    help_option(option_named("lease-duration"), &out);
    assert_string_equal(out.at,
                        "--lease-duration TIME\n\n"
                        "Let others take the Lease if it has not been renewed for TIME. Whole seconds\n"
                        "only. TIME is a number with its unit: 250ms, 5s, 10m, 1h30m; or 0.\n\n"
                        "  Environment    TIDELOCK_LEASE_DURATION\n"
                        "  tidelock.yaml  lease_duration\n"
                        "  Default        15s\n"
                        "  Range          3s to 1h\n"
                        "  Commands       deploy, run, rollback\n");
    text_reset(&out);
    help_option(option_named("webhook-on"), &out);
    assert_non_null(strstr(out.at, "  Choices        started, blocked, succeeded, failed\n"));
    text_reset(&out);
    help_option(option_named("strict"), &out);
    assert_int_equal(strncmp(out.at, "--strict[=FINDINGS], --no-strict\n\n", 34), 0);
    assert_null(strstr(out.at, "Default"));
}

static void every_exit_code_belongs_to_a_command(void **state)
{
    (void)state;
    for (const struct exit_row *row = EXITS; row->meaning != NULL; row++)
        assert_true(row->commands != 0 && (row->commands & ~(unsigned)(FOR_ALL | FOR_HELP)) == 0);
}

static void every_class_of_errors_has_its_own_text(void **state)
{
    (void)state;
    for (int class = ERROR_NONE + 1; class < ERROR_CLASSES; class ++) {
        const struct exit_row *found = exit_find((enum error_class) class);
        struct error err = { .class = (enum error_class) class, .signal = 15 };
        auto_text struct text text = text_init(1024);

        exit_add_meaning(found, &err, &text);
        if (class == ERROR_INTERRUPTED)
            assert_string_equal(text.at, "stopped by SIGTERM; the next run resumes");
        assert_int_equal(text_ends_with(text.at, "; a retry may help"),
                         found->is_retry_useful && class != ERROR_INTERRUPTED);
        /* A wrong word is not a wrong password. */
        assert_int_equal(strstr(text.at, "password") != NULL, class == ERROR_LOGIN);
        for (const struct exit_row *row = EXITS; row->meaning != NULL; row++)
            assert_int_equal(strcmp(row->meaning, found->meaning) == 0, row == found);
    }
}

static void a_refusal_says_only_the_cause_at_hand(void **state)
{
    const struct exit_row *row = exit_find(ERROR_REFUSED);

    (void)state;
    for (int cause = CAUSE_OTHER; cause < CAUSES; cause++) {
        struct error err = { .class = ERROR_REFUSED, .cause = (enum error_cause)cause };
        auto_text struct text said = text_init(1024);
        auto_text struct text wanted = text_init(1024);

        exit_add_meaning(row, &err, &said);
        text_add_format(&wanted, "a person has to decide%s%s", cause == CAUSE_OTHER ? "" : ": ",
                        ERROR_CAUSE_NAMES[cause]);
        assert_string_equal(said.at, wanted.at);
        assert_non_null(strstr(row->meaning, ERROR_CAUSE_NAMES[cause]));
    }
}

static void quotes_cannot_end_a_word_of_a_script(void **state)
{
    auto_text struct text out = text_init(1024);

    (void)state;
    completion_add_quoted("a pod's [x]: \\", "'\\''", "[]:\\", &out);
    assert_string_equal(out.at, "a pod'\\''s \\[x\\]\\: \\\\");
}

static void a_value_is_completed_by_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(completing_of(option_named("log-format")), COMPLETING_CHOICE);
    assert_int_equal(completing_of(option_named("webhook-on")), COMPLETING_CHOICES);
    assert_int_equal(completing_of(option_named("status-file")), COMPLETING_FILE);
    assert_int_equal(completing_of(option_named("migrations")), COMPLETING_FOLDER);
    assert_int_equal(completing_of(option_named("lock-timeout")), COMPLETING_NOTHING);
    assert_int_equal(completing_of(option_named("strict")), COMPLETING_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_go_to_the_next_line_at_column_80),
        cmocka_unit_test(help_fits_eighty_columns),
        cmocka_unit_test(every_command_has_a_row_of_its_own),
        cmocka_unit_test(a_command_has_ten_usual_options_at_most),
        cmocka_unit_test(help_of_a_command_tells_its_own_options_and_exit_codes),
        cmocka_unit_test(help_of_an_option_tells_all_of_it),
        cmocka_unit_test(every_exit_code_belongs_to_a_command),
        cmocka_unit_test(every_class_of_errors_has_its_own_text),
        cmocka_unit_test(a_refusal_says_only_the_cause_at_hand),
        cmocka_unit_test(quotes_cannot_end_a_word_of_a_script),
        cmocka_unit_test(a_value_is_completed_by_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
