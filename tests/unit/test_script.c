#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/script_properties.h"
#include "base/file.h"
#include "base/memory.h"
#include "check.h"
#include "sql/script.h"

enum { CASES_MOST = 1000, CASE_FILE_MOST = 1 << 20, OUTPUT_MOST = 1 << 20 };

/* One case of a *.case file; tests/unit/cases/README says how they look. */
struct script_case {
    char *claim;
    int version;
    bool has_standard_strings;
    struct text script;
    struct text expected;
};

/* The next line of `rest`, without its line feed; false when there is none. */
static bool take_line(struct slice *rest, struct slice *line)
{
    const char *feed = rest->length == 0 ? NULL : memchr(rest->at, '\n', rest->length);
    size_t length = feed == NULL ? rest->length : (size_t)(feed - rest->at);

    if (rest->length == 0)
        return false;
    *line = (struct slice) { .at = rest->at, .length = length };
    rest->at += feed == NULL ? length : length + 1;
    rest->length -= feed == NULL ? length : length + 1;
    return true;
}

/* Adds a line of a script, where ⟪0D⟫ stands for bytes in hexadecimal. */
static void add_decoded(struct slice line, struct text *out)
{
    static const char open[] = "⟪";
    static const char close[] = "⟫";

    while (line.length > 0) {
        size_t taken = 1;

        if (slice_starts_with(line, open)) {
            taken = sizeof open - 1;
            while (!slice_starts_with((struct slice) { line.at + taken, line.length - taken }, close)) {
                char pair[3] = { line.at[taken], line.at[taken + 1], '\0' };
                char byte = (char)strtol(pair, NULL, 16);

                text_add(out, &byte, 1);
                taken += 2;
            }
            taken += sizeof close - 1;
        } else {
            text_add(out, line.at, 1);
        }
        line.at += taken;
        line.length -= taken;
    }
}

static void read_options(struct slice options, struct script_case *out)
{
    char text[100] = "";
    const char *version;

    memcpy(text, options.at, options.length < sizeof text ? options.length : sizeof text - 1);
    version = strstr(text, "version=");
    if (version != NULL)
        out->version = atoi(version + strlen("version="));
    out->has_standard_strings = strstr(text, "strings=off") == NULL;
}

static void read_case(const char *claim, struct slice body, struct script_case *out)
{
    struct slice line;
    bool is_script = true;
    bool is_first = true;

    *out = (struct script_case) { .claim = memory_copy(claim, strlen(claim)),
                                  .version = 150004,
                                  .has_standard_strings = true,
                                  .script = text_init(CASE_FILE_MOST),
                                  .expected = text_init(CASE_FILE_MOST) };
    while (take_line(&body, &line)) {
        if (slice_starts_with(line, ":::: ")) {
            read_options(line, out);
        } else if (slice_equals(line, "====>")) {
            is_script = false;
        } else if (!is_script && line.length > 0) {
            text_add(&out->expected, line.at, line.length);
            text_add_string(&out->expected, "\n");
        } else if (is_script) {
            if (!is_first)
                text_add_string(&out->script, "\n");
            add_decoded(line, &out->script);
            is_first = false;
        }
    }
    assert_false(is_script);
}

static size_t read_cases(const char *path, struct script_case *cases, size_t count)
{
    auto_text struct text file = text_init(CASE_FILE_MOST);
    struct error err;
    char *at;

    assert_true(file_read(path, &file, &err));
    for (at = strstr(file.at, "==== "); at != NULL;) {
        char *end_of_claim = strchr(at, '\n');
        char *next = strstr(at, "\n==== ");
        struct slice body = { .at = end_of_claim + 1,
                              .length =
                                  (next == NULL ? strlen(end_of_claim + 1) : (size_t)(next - end_of_claim)) };

        *end_of_claim = '\0';
        assert_true(count < CASES_MOST);
        read_case(at + strlen("==== "), body, &cases[count++]);
        at = next == NULL ? NULL : next + 1;
    }
    return count;
}

/* Adds the text of a statement on one line, in the way that cases are written. */
static void add_encoded(struct slice text, struct text *out)
{
    for (size_t i = 0; i < text.length;) {
        size_t length = utf8_length(text.at + i, text.length - i);
        bool is_hidden = length == 0 || (unsigned char)text.at[i] < ' ' ||
                         (length > 1 && (strncmp(text.at + i, "\xC2\xA0", 2) == 0 ||
                                         strncmp(text.at + i, "\xEF\xBB\xBF", 3) == 0));

        length = length == 0 ? 1 : length;
        if (text.at[i] == '\n') {
            text_add_string(out, "⏎");
        } else if (is_hidden) {
            text_add_string(out, "⟪");
            for (size_t j = 0; j < length; j++)
                text_add_format(out, "%02X", (unsigned char)text.at[i + j]);
            text_add_string(out, "⟫");
        } else {
            text_add(out, text.at + i, length);
        }
        i += length;
    }
}

static void describe(const struct script_case *test, struct text *out)
{
    struct slice bytes = { .at = test->script.at, .length = test->script.length };
    struct script_reader reader =
        script_reader_of("case.sql", bytes, test->version, test->has_standard_strings);
    struct statement statement;
    struct error err;
    enum script_answer answer;

    while ((answer = script_next(&reader, &statement, &err)) == SCRIPT_STATEMENT) {
        text_add_format(out, "%zu %s ", statement.line, STATEMENT_KIND_NAMES[statement.kind]);
        add_encoded(
            (struct slice) { .at = bytes.at + statement.start, .length = statement.end - statement.start },
            out);
        text_add_string(out, "\n");
    }
    if (answer == SCRIPT_ERROR) {
        assert_int_equal(err.class, ERROR_CLEAN);
        assert_string_equal(err.place.file, "case.sql");
        text_add_format(out, "! %zu:%zu %s\n", err.place.line, err.place.column, err.message);
    }
}

static void run_case(void **state)
{
    const struct script_case *test = *state;
    struct slice bytes = { .at = test->script.at, .length = test->script.length };
    auto_text struct text found = text_init(OUTPUT_MOST);

    describe(test, &found);
    assert_string_equal(found.at, test->expected.at);
    assert_true(statements_tile(bytes, test->has_standard_strings));
    for (size_t cut = 0; cut <= bytes.length; cut++)
        assert_true(prefix_is_stable(bytes, cut, test->has_standard_strings));
}

static struct script_summary summary_of(const char *script)
{
    struct script_summary summary;
    struct error err;

    assert_true(script_summarize(script_reader_of("s.sql", slice_of(script), 150004, true), &summary, &err));
    return summary;
}

static void a_summary_counts_each_kind_and_keeps_the_first(void **state)
{
    static const char script[] =
        "CREATE TABLE t ();\nBEGIN; SAVEPOINT a; COMMIT;\nVACUUM t; ROLLBACK;"
        " CREATE INDEX CONCURRENTLY ON t (a); BEGIN; PREPARE TRANSACTION 'x';";
    struct script_summary summary = summary_of(script);

    (void)state;
    assert_int_equal(summary.statements, 9);
    assert_int_equal(summary.begins, 2);
    assert_int_equal(summary.commits, 1);
    assert_int_equal(summary.rollbacks, 1);
    assert_int_equal(summary.savepoints, 1);
    assert_int_equal(summary.prepares, 1);
    assert_int_equal(summary.nontransactional, 2);
    assert_false(summary.has_nontransactional_in_block);
    assert_false(summary.ends_inside_transaction);
    assert_int_equal(summary.first_control.kind, KIND_BEGIN);
    assert_int_equal(summary.first_control.line, 2);
    assert_int_equal(summary.first_nontransactional.nontransactional, NONTRANSACTIONAL_VACUUM);
    assert_int_equal(summary.first_nontransactional.line, 3);
}

static void a_begin_without_its_commit_is_found(void **state)
{
    struct script_summary summary = summary_of("BEGIN; COMMIT; SELECT 1; BEGIN; BEGIN; SELECT 2;");

    (void)state;
    assert_true(summary.ends_inside_transaction);
    assert_int_equal(summary.open_begin_offset, 25);
}

static void a_chain_leaves_a_transaction_open(void **state)
{
    struct script_summary summary = summary_of("BEGIN; COMMIT AND CHAIN; SELECT 1;");

    (void)state;
    assert_true(summary.ends_inside_transaction);
    assert_int_equal(summary.open_begin_offset, 7);
    assert_int_equal(summary.chains, 1);
    assert_int_equal(summary.commits, 0);
}

static void a_statement_that_runs_alone_is_noticed_inside_a_transaction(void **state)
{
    (void)state;
    assert_true(summary_of("BEGIN; VACUUM; COMMIT").has_nontransactional_in_block);
    assert_false(summary_of("BEGIN; COMMIT; VACUUM").has_nontransactional_in_block);
}

static void a_summary_of_nothing_is_empty(void **state)
{
    struct script_summary summary = summary_of("-- nothing\n;");

    (void)state;
    assert_int_equal(summary.statements, 0);
    assert_int_equal(summary.first_control.end, 0);
}

static void a_script_that_cannot_be_read_has_no_summary(void **state)
{
    struct script_summary summary = { .statements = 77 };
    struct error err;

    (void)state;
    assert_false(script_summarize(script_reader_of("s.sql", slice_of("SELECT 1; SELECT 'x"), 150004, true),
                                  &summary, &err));
    assert_int_equal(summary.statements, 77);
    assert_string_equal(err.place.file, "s.sql");
    assert_int_equal(err.place.column, 18);
    assert_string_equal(err.place.source, "SELECT 1; SELECT 'x");
}

static void only_a_mark_at_the_start_is_taken_off(void **state)
{
    (void)state;
    assert_int_equal(script_without_bom(slice_of("\xEF\xBB\xBFx")).length, 1);
    assert_int_equal(script_without_bom(slice_of("x\xEF\xBB\xBF")).length, 4);
    assert_int_equal(script_without_bom(slice_of("\xEF\xBB")).length, 2);
    assert_int_equal(script_without_bom(slice_of("")).length, 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_summary_counts_each_kind_and_keeps_the_first),
    cmocka_unit_test(a_begin_without_its_commit_is_found),
    cmocka_unit_test(a_chain_leaves_a_transaction_open),
    cmocka_unit_test(a_statement_that_runs_alone_is_noticed_inside_a_transaction),
    cmocka_unit_test(a_summary_of_nothing_is_empty),
    cmocka_unit_test(a_script_that_cannot_be_read_has_no_summary),
    cmocka_unit_test(only_a_mark_at_the_start_is_taken_off),
};

int main(void)
{
    static struct script_case cases[CASES_MOST];
    static struct CMUnitTest tests[CASES_MOST + array_length(TESTS)];
    size_t count = 0;
    glob_t files;
    int failures;

    if (glob("tests/unit/cases/*.case", 0, NULL, &files) != 0) {
        (void)fprintf(stderr, "no cases: run from the top of the checkout\n");
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < files.gl_pathc; i++)
        count = read_cases(files.gl_pathv[i], cases, count);
    globfree(&files);
    for (size_t i = 0; i < count; i++)
        tests[i] =
            (struct CMUnitTest) { .name = cases[i].claim, .test_func = run_case, .initial_state = &cases[i] };
    memcpy(tests + count, TESTS, sizeof TESTS);
    failures = _cmocka_run_group_tests("script", tests, count + array_length(TESTS), NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        memory_free(cases[i].claim);
        text_clear(&cases[i].script);
        text_clear(&cases[i].expected);
    }
    return failures;
}
