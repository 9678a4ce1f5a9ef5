#include <string.h>

#include "base/text.h"
#include "dialect/prisma_checksum.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "scratch.h"

enum { NAMES_MOST = 8, LINE_MOST = 512 };

/* Splits "1_a 2_b" into names; the folder holds them in this order. */
static size_t split_words(const char *line, char *copy, const char **words)
{
    size_t count = 0;

    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < NAMES_MOST);
        words[count++] = word;
    }
    return count;
}

/* A row from "A:1_a": applied, failed, interrupted, rolled back, or both finished and rolled back. */
static struct ledger_row row_of(const char *word)
{
    return (struct ledger_row) {
        .name = word + 2,
        .is_finished = word[0] == 'A' || word[0] == 'B',
        .is_rolled_back = word[0] == 'R' || word[0] == 'B',
        .logs = word[0] == 'I' ? LEDGER_RUNNING : "it failed",
    };
}

static void describe(const struct folder *folder, const struct history *history, char *line)
{
    auto_text struct text text = text_init(LINE_MOST - 1);

    for (size_t i = 0; i < folder->count; i++)
        text_add_format(&text, "%s%s %s%s%s", i == 0 ? "" : ", ", folder->items[i].name,
                        VERDICT_NAMES[history->items[i].verdict],
                        history->items[i].was_rolled_back ? " again" : "",
                        history->items[i].is_out_of_order ? " late" : "");
    for (size_t i = 0; i < history->missing_count; i++)
        text_add_format(&text, "%s%s missing", text.length == 0 ? "" : ", ", history->missing[i]->name);
    if (history->missing_count > 0)
        text_add_string(&text, history->is_ahead ? " ahead" : " gone");
    for (size_t i = 0; i < history->failed_count; i++)
        text_add_format(&text, "; %s failed", history->failed[i]->name);
    for (size_t i = 0; i < history->stray_count; i++)
        text_add_format(&text, "; %s stray", history->strays[i]->name);
    strcpy(line, text.at);
}

static void compare(const char *names, const char *rows, char *line)
{
    auto_arena struct arena *arena = arena_new();
    char name_copy[LINE_MOST];
    char row_copy[LINE_MOST];
    const char *words[NAMES_MOST];
    struct migration items[NAMES_MOST] = { { .name = NULL } };
    struct ledger_row ledger[NAMES_MOST];
    struct folder folder = { .dialect = &DIALECT_PRISMA, .path = "m", .items = items };
    struct history history;
    size_t row_count;
    size_t sum = 0;

    folder.count = split_words(names, name_copy, words);
    for (size_t i = 0; i < folder.count; i++)
        items[i].name = items[i].key = words[i];
    row_count = split_words(rows, row_copy, words);
    for (size_t i = 0; i < row_count; i++)
        ledger[i] = row_of(words[i]);
    history_compare(arena, &folder, ledger, row_count, &history);
    describe(&folder, &history, line);
    for (size_t i = 0; i < VERDICTS; i++)
        sum += history.counts[i];
    assert_int_equal(sum, folder.count + history.missing_count);
    for (size_t i = 0; i < folder.count; i++)
        assert_int_equal(history.items[i].row == NULL, history.items[i].verdict == VERDICT_PENDING);
}

static void the_folder_and_the_ledger_tell_what_each_migration_is(void **state)
{
    static const struct {
        const char *folder;
        const char *ledger;
        const char *history;
    } cases[] = {
        { "", "", "" },
        { "1_a 2_b", "", "1_a pending, 2_b pending" },
        { "1_a 2_b", "A:1_a", "1_a applied, 2_b pending" },
        { "1_a 2_b", "A:1_a A:2_b", "1_a applied, 2_b applied" },
        { "1_a 2_b", "A:2_b", "1_a pending late, 2_b applied" },
        { "1_a 2_b 3_c", "A:2_b", "1_a pending late, 2_b applied, 3_c pending" },
        { "1_a", "F:1_a", "1_a failed; 1_a failed" },
        { "1_a", "I:1_a", "1_a interrupted; 1_a failed" },
        { "1_a", "I:1_a F:1_a", "1_a failed; 1_a failed; 1_a failed" },
        { "1_a", "A:1_a I:1_a", "1_a interrupted; 1_a failed" },
        { "1_a", "I:1_a A:1_a", "1_a interrupted; 1_a failed" },
        { "1_a", "R:1_a", "1_a pending again" },
        { "1_a", "B:1_a", "1_a pending again" },
        { "1_a", "R:1_a A:1_a", "1_a applied again" },
        { "1_a", "A:1_a R:1_a", "1_a applied again" },
        { "1_a", "R:1_a F:1_a", "1_a failed again; 1_a failed" },
        { "1_a", "A:1_a F:1_a", "1_a failed; 1_a failed" },
        { "1_a", "F:1_a A:1_a", "1_a failed; 1_a failed" },
        { "1_a", "F:1_a F:1_a", "1_a failed; 1_a failed; 1_a failed" },
        { "1_a 2_b", "A:1_a F:2_b", "1_a applied, 2_b failed; 2_b failed" },
        { "1_a 2_b", "F:2_b", "1_a pending, 2_b failed; 2_b failed" },
        { "2_b", "A:1_a A:2_b", "2_b applied, 1_a missing gone" },
        { "2_b 3_c", "A:1_a A:2_b", "2_b applied, 3_c pending, 1_a missing gone" },
        { "3_c", "A:1_a", "3_c pending, 1_a missing gone" },
        { "", "A:2_b A:1_a A:2_b", "2_b missing, 1_a missing ahead" },
        { "1_a", "A:1_a R:9_z", "1_a applied" },
        { "1_a", "A:1_a B:9_z", "1_a applied" },
        { "1_a", "A:1_a F:9_z", "1_a applied; 9_z failed; 9_z stray" },
        { "", "F:1_a F:2_b", "; 1_a failed; 2_b failed; 1_a stray; 2_b stray" },
        { "1_a", "A:1_a F:9_z F:0_o F:9_z",
          "1_a applied; 9_z failed; 0_o failed; 9_z failed; 9_z stray; 0_o stray" },
        { "0_s", "A:1_a A:2_b A:0_s", "0_s applied, 1_a missing, 2_b missing gone" },
        { "2_b", "A:2_b A:3_c A:4_d", "2_b applied, 3_c missing, 4_d missing ahead" },
        { "2_b", "A:2_b A:3_c A:1_a", "2_b applied, 3_c missing, 1_a missing gone" },
        { "0_squashed 3_c", "A:1_a A:2_b",
          "0_squashed pending late, 3_c pending, 1_a missing, 2_b missing gone" },
        { "0_squash", "A:1_a A:2_b", "0_squash pending late, 1_a missing, 2_b missing gone" },
        { "0_squash", "R:0_squash A:1_a", "0_squash pending again late, 1_a missing gone" },
        { "1_a 2_b", "A:1_a A:3_c", "1_a applied, 2_b pending late, 3_c missing gone" },
        { "1_a 2_b", "A:2_b A:3_c", "1_a pending late, 2_b applied, 3_c missing ahead" },
        { "1_a 1_A", "A:1_A", "1_a pending late, 1_A applied" },
    };
    char line[LINE_MOST];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        compare(cases[i].folder, cases[i].ledger, line);
        if (strcmp(line, cases[i].history) != 0)
            fail_msg("%s | %s: %s", cases[i].folder, cases[i].ledger, line);
    }
}

static void the_last_common_name_stands_before_the_first_pending_one(void **state)
{
    static const struct {
        const char *states[3]; /* of 1_a, 2_b and 3_c; NULL = no row */
        const char *last;      /* NULL = none */
    } cases[] = {
        { { "A:1_a", "A:2_b", "A:3_c" }, "3_c" }, { { "A:1_a", "A:2_b", NULL }, "2_b" },
        { { "A:1_a", NULL, NULL }, "1_a" },       { { "A:1_a", NULL, "A:3_c" }, "1_a" },
        { { NULL, "A:2_b", "A:3_c" }, NULL },     { { NULL, NULL, NULL }, NULL },
        { { "A:1_a", "F:2_b", NULL }, "2_b" },    { { "A:1_a", "R:2_b", "A:3_c" }, "1_a" },
    };
    struct migration items[] = { { .name = "1_a", .key = "1_a" },
                                 { .name = "2_b", .key = "2_b" },
                                 { .name = "3_c", .key = "3_c" } };
    const struct folder folder = { .dialect = &DIALECT_PRISMA, .items = items, .count = array_length(items) };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct ledger_row rows[array_length(cases[0].states)];
        struct history history;
        size_t count = 0;

        for (size_t j = 0; j < array_length(cases[i].states); j++) {
            if (cases[i].states[j] != NULL)
                rows[count++] = row_of(cases[i].states[j]);
        }
        history_compare(arena, &folder, rows, count, &history);
        assert_int_equal(history.last_common == NULL, cases[i].last == NULL);
        if (cases[i].last != NULL)
            assert_string_equal(history.last_common, cases[i].last);
    }
}

static void what_is_due_ends_where_it_is_said(void **state)
{
    static const struct {
        const char *rows[3];
        size_t beyond;
        size_t due;
    } cases[] = {
        { { NULL }, 0, 3 },
        { { NULL }, 1, 2 },
        { { "A:1_a" }, 2, 0 },
        { { "A:1_a" }, 1, 1 },
        { { "F:1_a" }, 2, 1 },
        { { "A:1_a", "F:3_c" }, 1, 1 },
        { { "A:1_a", "A:2_b", "F:3_c" }, 1, 0 },
        { { "A:3_c" }, 1, 2 },
        { { "R:1_a", "A:2_b" }, 1, 1 },
    };
    struct migration items[] = { { .name = "1_a", .key = "1_a" },
                                 { .name = "2_b", .key = "2_b" },
                                 { .name = "3_c", .key = "3_c" } };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        const struct folder folder = { .dialect = &DIALECT_PRISMA,
                                       .items = items,
                                       .count = array_length(items),
                                       .beyond = cases[i].beyond };
        struct ledger_row rows[array_length(cases[0].rows)];
        struct history history;
        size_t count = 0;
        size_t due = 0;

        while (count < array_length(rows) && cases[i].rows[count] != NULL) {
            rows[count] = row_of(cases[i].rows[count]);
            count++;
        }
        history_compare(arena, &folder, rows, count, &history);
        assert_int_equal(history.due_count, cases[i].due);
        for (size_t j = 0; j < folder.count; j++) {
            due += history.items[j].is_due;
            assert_true(!history.items[j].is_due || j < folder.count - folder.beyond);
        }
        assert_int_equal(due, cases[i].due);
    }
}

static void an_empty_folder_has_no_last_common_name(void **state)
{
    auto_arena struct arena *arena = arena_new();
    const struct folder folder = { .dialect = &DIALECT_PRISMA, .count = 0 };
    const struct ledger_row row = row_of("A:1_a");
    struct history history;

    (void)state;
    history_compare(arena, &folder, &row, 1, &history);
    assert_null(history.last_common);
}

static void the_latest_applied_row_decides(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct migration migration = { .name = "1_a", .key = "1_a" };
    const struct folder folder = { .dialect = &DIALECT_PRISMA, .items = &migration, .count = 1 };
    const struct ledger_row rows[] = { row_of("A:1_a"), row_of("A:1_a"), row_of("R:1_a") };
    struct history history;

    (void)state;
    history_compare(arena, &folder, rows, array_length(rows), &history);
    assert_ptr_equal(history.items[0].row, &rows[1]);
}

/* What the edit check makes of a migration with this script (NULL = none) and one row with the checksum. Only
 * the counts of the history are left: the rest of it ends with the arena. */
static bool check_edited(const char *script, const char *checksum, const char *state, struct history *history,
                         struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct migration migration = { .name = "1_a", .key = "1_a", .script_path = "script.sql" };
    const struct folder folder = { .dialect = &DIALECT_PRISMA, .items = &migration, .count = 1 };
    struct ledger_row row = row_of(state);

    row.checksum = checksum;
    (void)remove("script.sql");
    if (script != NULL)
        scratch_write("script.sql", script, strlen(script));
    history_compare(arena, &folder, &row, 1, history);
    if (!history_check_edited(history, &folder, 0, err))
        return false;
    *history = (struct history) {
        .counts = { [VERDICT_EDITED] = history->counts[VERDICT_EDITED],
                    [VERDICT_APPLIED] = history->counts[VERDICT_APPLIED] },
    };
    return true;
}

static void an_applied_script_with_other_bytes_is_edited(void **state)
{
    char checksum[SHA256_HEX_SIZE];
    struct history history;
    struct error err;

    (void)state;
    prisma_checksum_of(slice_of("SELECT 1;\n"), checksum);
    assert_true(check_edited("SELECT 1;\n", checksum, "A:1_a", &history, &err));
    assert_int_equal(history.counts[VERDICT_APPLIED], 1);
    assert_true(check_edited("SELECT 1;\r\n", checksum, "A:1_a", &history, &err));
    assert_int_equal(history.counts[VERDICT_APPLIED], 1);
    assert_true(check_edited("SELECT 2;\n", checksum, "A:1_a", &history, &err));
    assert_int_equal(history.counts[VERDICT_APPLIED], 0);
    assert_int_equal(history.counts[VERDICT_EDITED], 1);
    assert_true(check_edited("SELECT 1;\n", "", "A:1_a", &history, &err));
    assert_int_equal(history.counts[VERDICT_EDITED], 1);
}

static void what_is_not_applied_is_not_read(void **state)
{
    struct history history;
    struct error err;

    (void)state;
    assert_true(check_edited(NULL, "x", "R:1_a", &history, &err));
    assert_true(check_edited(NULL, "x", "F:1_a", &history, &err));
    assert_int_equal(history.counts[VERDICT_EDITED], 0);
}

static void an_applied_script_that_is_gone_is_an_error(void **state)
{
    struct history history;
    struct error err;

    (void)state;
    assert_false(check_edited(NULL, "x", "A:1_a", &history, &err));
    assert_int_equal(err.class, ERROR_REFUSED);
    assert_string_equal(err.code, "P3015");
    assert_non_null(strstr(err.message, "script.sql"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_and_the_ledger_tell_what_each_migration_is),
        cmocka_unit_test(the_last_common_name_stands_before_the_first_pending_one),
        cmocka_unit_test(what_is_due_ends_where_it_is_said),
        cmocka_unit_test(an_empty_folder_has_no_last_common_name),
        cmocka_unit_test(the_latest_applied_row_decides),
        cmocka_unit_test_setup_teardown(an_applied_script_with_other_bytes_is_edited, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(what_is_not_applied_is_not_read, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(an_applied_script_that_is_gone_is_an_error, scratch_enter,
                                        scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
