#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/drizzle_folder.h"
#include "dialect/drizzle_journal.h"
#include "dialect/drizzle_script.h"

static void a_journal_says_which_there_are_and_in_which_order(void **state)
{
    static const char text[] =
        "{\"version\": \"7\", \"dialect\": \"postgresql\", \"entries\": ["
        "{\"idx\": 0, \"version\": \"7\", \"when\": 1704067202000, \"tag\": \"0000_b\", \"breakpoints\": true},"
        "{\"idx\": 1, \"version\": \"7\", \"when\": 7, \"tag\": \"0001_a\", \"breakpoints\": false}]}";
    auto_arena struct arena *arena = arena_new();
    struct error err = { .class = ERROR_NONE };
    struct index found;

    (void)state;
    assert_true(drizzle_journal_read(arena, "j", slice_of(text), &found, &err));
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0].name, "0000_b");
    assert_string_equal(found.items[0].key, "1704067202000");
    assert_string_equal(found.items[1].name, "0001_a");
    assert_string_equal(found.items[1].key, "7");
    assert_true(drizzle_journal_read(arena, "j", slice_of("{\"entries\": []}"), &found, &err));
    assert_int_equal(found.count, 0);
}

static void what_is_no_journal_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"entries\": {}}",
        "{\"entries\": [1]}",
        "{\"entries\": [{\"tag\": \"a\"}]}",
        "{\"entries\": [{\"tag\": \"a\", \"when\": \"1\"}]}",
        "{\"entries\": [{\"tag\": \"a\", \"when\": -1}]}",
        "{\"entries\": [{\"tag\": \"\", \"when\": 1}]}",
        "{\"entries\": [{\"tag\": \"a/b\", \"when\": 1}]}",
        "{\"entries\": [{\"tag\": 1, \"when\": 1}]}",
        "{\"entries\": [{\"tag\": \"a\", \"when\": 1}, {\"tag\": \"b\", \"when\": 1}]}",
        "{\"entries\": [{\"tag\": \"a\", \"when\": 1}, {\"tag\": \"b\", \"when\": 2}, {\"tag\": \"a\", \"when\": 3}]}",
    };

    (void)state;
    for (size_t i = 0; i < array_length(bad); i++) {
        auto_arena struct arena *arena = arena_new();
        struct error err = { .class = ERROR_NONE };
        struct index found;

        if (drizzle_journal_read(arena, "j", slice_of(bad[i]), &found, &err))
            fail_msg("read: %s", bad[i]);
        assert_int_equal(err.class, ERROR_USAGE);
    }
}

static void a_journal_is_for_one_kind_of_server(void **state)
{
    static const struct {
        const char *text;
        bool is_right;
    } cases[] = {
        { "{\"dialect\": \"postgresql\"}", true },
        { "{\"dialect\": \"pg\"}", true },
        { "{\"dialect\": \"sqlite\"}", false },
        { "{\"dialect\": \"mysql\"}", false },
        { "{}", true },
        { "{", true },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err = { .class = ERROR_NONE };

        assert_int_equal(drizzle_journal_check("j", slice_of(cases[i].text), &err), cases[i].is_right);
        assert_int_equal(err.cause, cases[i].is_right ? CAUSE_OTHER : CAUSE_PROVIDER);
    }
}

static void a_mark_ends_a_statement_that_nothing_else_ends(void **state)
{
#define MARK "--> statement-breakpoint"
#define BLANK "                        "
#define ENDED ";                       "
    static const struct {
        const char *script;
        const char *read;
    } cases[] = {
        { "SELECT 1;\n" MARK "\nSELECT 2;", "SELECT 1;\n" BLANK "\nSELECT 2;" },
        { "SELECT 1\n" MARK "\nSELECT 2", "SELECT 1\n" ENDED "\nSELECT 2" },
        { "SELECT 1;" MARK "SELECT 2", "SELECT 1;" BLANK "SELECT 2" },
        { "SELECT 1 -- one\n" MARK "\n" MARK "\nSELECT 2",
          "SELECT 1 -- one\n" ENDED "\n" BLANK "\nSELECT 2" },
        { MARK "\nSELECT 1", BLANK "\nSELECT 1" },
        { "SELECT 1 -- " MARK " + 1", "SELECT 1 ;  " BLANK " + 1" },
        { "SELECT '\n" MARK "\n'", "SELECT '\n" MARK "\n'" },
        { "DO $$\n" MARK "\n$$", "DO $$\n" MARK "\n$$" },
        { "/* " MARK " */ SELECT 1", "/* " MARK " */ SELECT 1" },
        { "SELECT 1 --> statement-break\n", "SELECT 1 --> statement-break\n" },
        { "SELECT 'x\n" MARK, "SELECT 'x\n" MARK },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text text = text_init(1024);
        struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
        struct error err = { .class = ERROR_NONE };

        text_add_string(&text, cases[i].script);
        assert_true(drizzle_script_read(&(const struct script_source) { .name = "a" }, &text, &wishes, &err));
        assert_string_equal(text.at, cases[i].read);
        assert_int_equal(wishes.transaction, SCRIPT_TRANSACTION_UNSAID);
    }
}

/* Each as Date.UTC() of Node 20 gives it for the parts of the name. */
static void the_time_of_a_name_is_that_of_javascript(void **state)
{
    static const struct {
        const char *name;
        const char *millis;
    } cases[] = {
        { "19700101000000_a", "0" },
        { "20240101000000_a", "1704067200000" },
        { "20240229235959_a", "1709251199000" },
        { "20000301000000_a", "951868800000" },
        { "21000301123456_a", "4107587696000" },
        { "19691231235959_a", "-1000" },
        { "20241301000000_a", "1735689600000" },
        { "20240230256199_a", "1709344959000" },
        { "20240001000000_a", "1701388800000" },
        { "20240100000000_a", "1703980800000" },
        { "00700101000000_a", "0" },
        { "99991231235959", "253402300799000" },
    };
    char millis[KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        assert_true(drizzle_folder_has_time(cases[i].name));
        drizzle_folder_millis(cases[i].name, millis);
        assert_string_equal(millis, cases[i].millis);
    }
    assert_false(drizzle_folder_has_time("2024010100000_a"));
    assert_false(drizzle_folder_has_time("meta"));
}

static void prisma_s_directories_have_no_snapshots(void **state)
{
    const struct folder_entry prisma = { .name = "20240101000000_a",
                                         .is_directory = true,
                                         .has_script = true };
    struct folder_entry drizzle = prisma;
    struct folder_look look = { .entries = &prisma, .count = 1, .script = slice_of("") };

    (void)state;
    drizzle.has_snapshot = true;
    assert_true(DIALECT_PRISMA.recognises(&look));
    assert_false(DIALECT_DRIZZLE_NAMED.recognises(&look));
    assert_false(DIALECT_DRIZZLE.recognises(&look));
    look.is_format_said = true;
    assert_true(DIALECT_DRIZZLE_NAMED.recognises(&look));
    look = (struct folder_look) { .entries = &drizzle, .count = 1, .script = slice_of("") };
    assert_false(DIALECT_PRISMA.recognises(&look));
    assert_true(DIALECT_DRIZZLE_NAMED.recognises(&look));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_says_which_there_are_and_in_which_order),
        cmocka_unit_test(what_is_no_journal_is_refused),
        cmocka_unit_test(a_journal_is_for_one_kind_of_server),
        cmocka_unit_test(a_mark_ends_a_statement_that_nothing_else_ends),
        cmocka_unit_test(the_time_of_a_name_is_that_of_javascript),
        cmocka_unit_test(prisma_s_directories_have_no_snapshots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
