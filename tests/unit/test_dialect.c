#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/dialect.h"

/* What must hold for every description, whichever tool's it is. */
static bool is_said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void nothing_of_a_description_is_missing(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const struct dialect *dialect = DIALECTS[i];

        assert_true(is_said(dialect->tool) && is_said(dialect->places[0]) && is_said(dialect->beside_schema));
        assert_true(is_said(dialect->copy) && dialect->script_name != NULL && is_said(dialect->script_rule));
        assert_true(dialect->format != FORMAT_AUTO && dialect->name_most > 0);
        assert_true(dialect->recognises != NULL && dialect->own_files != NULL);
        assert_true(dialect->layout == LAYOUT_INDEX ? dialect->read_index != NULL
                                                    : dialect->entry_kind_of != NULL);
        assert_true(dialect->lock_file == NULL || dialect->check_lock_file != NULL);
        assert_true(dialect->keeps_attempts || dialect->key_of != NULL || dialect->layout == LAYOUT_INDEX);
        assert_true(dialect->order_key_of != NULL && dialect->compare_keys != NULL);
        assert_true(dialect->is_order_certain != NULL && dialect->checksum_of != NULL);
        assert_true(dialect->checksum_matches != NULL);
        assert_true(dialect->check_applied != NULL && dialect->check_rolled_back != NULL);
        assert_true(dialect->check_pending != NULL);
    }
}

/* An error has room for seven characters. */
static void codes_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const struct dialect_codes *codes = &DIALECTS[i]->codes;
        const char *const all[] = { codes->failed, codes->unresolved, codes->not_empty, codes->script_missing,
                                    codes->unknown_name };

        for (size_t j = 0; j < array_length(all); j++) {
            struct error err = { .class = ERROR_NONE };

            error_code(&err, all[j]);
            assert_string_equal(err.code, all[j]);
        }
    }
}

/* It goes into SQL as it is where no parameter can be. */
static void a_lock_key_is_a_bigint_in_decimal(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const char *key = DIALECTS[i]->lock_key;
        char *end;

        assert_int_equal(strspn(key, "-0123456789"), strlen(key));
        errno = 0;
        (void)strtoll(key, &end, 10);
        assert_true(errno == 0 && end != key && *end == '\0');
    }
}

static void a_ledger_s_name_needs_no_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const char *name = DIALECTS[i]->ledger_name;

        assert_true(is_said(name) && (name[0] < '0' || name[0] > '9'));
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
    }
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static void what_reads_names_the_table_and_takes_no_value(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const struct ledger_sql *ledger = DIALECTS[i]->ledger;
        const char *const texts[] = { ledger->create, ledger->names, ledger->checksums, ledger->details,
                                      ledger->size };

        for (size_t j = 0; j < array_length(texts); j++) {
            assert_true(occurrences(texts[j], "{ledger}") > 0);
            assert_int_equal(occurrences(texts[j], "$"), 0);
            /* Some tools begin their ledger with a row. */
            assert_true(j == 0 || occurrences(texts[j], ";") == 0);
        }
        assert_non_null(strstr(ledger->size, " AS rows"));
        assert_non_null(strstr(ledger->size, " AS finished"));
        assert_non_null(strstr(ledger->size, " AS rolled_back"));
    }
}

/* Each of $1, $2, … stands in the text, none beyond them, and no value is taken twice. */
static void check_write(const struct ledger_write *write)
{
    unsigned taken = 0;
    char number[16];

    if (write->sql == NULL)
        return;
    if (write->name == NULL || occurrences(write->sql, "{ledger}") == 0 || strchr(write->sql, ';') != NULL)
        fail_msg("statement %s", write->name);
    for (int i = 0; i < write->count; i++) {
        (void)snprintf(number, sizeof number, "$%d", i + 1);
        if (strstr(write->sql, number) == NULL || write->takes[i] >= ROW_VALUES)
            fail_msg("%s lacks %s", write->name, number);
        if ((taken & 1u << write->takes[i]) != 0)
            fail_msg("%s takes a value twice", write->name);
        taken |= 1u << write->takes[i];
    }
    (void)snprintf(number, sizeof number, "$%d", write->count + 1);
    if (strstr(write->sql, number) != NULL)
        fail_msg("%s has %s, but takes only %d values", write->name, number, write->count);
}

static void what_writes_takes_as_many_values_as_its_text_has(void **state)
{
    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        for (size_t j = 0; j < LEDGER_STATEMENTS; j++)
            check_write(&DIALECTS[i]->ledger->writes[j]);
        for (size_t j = CHECK_NONE + 1; j < LEDGER_CHECKS; j++)
            check_write(&DIALECTS[i]->ledger->checks[j]);
    }
}

/* What is applied can be recorded by every tool; the rest of it, where it has no statement for it, is an
 * attempt. */
static void what_is_applied_can_be_recorded(void **state)
{
    static const enum ledger_statement needed[] = { LEDGER_INSERT_APPLIED, LEDGER_INSERT_MARKED,
                                                    LEDGER_FINISH };

    (void)state;
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        const struct ledger_sql *ledger = DIALECTS[i]->ledger;

        for (size_t j = 0; j < array_length(needed); j++) {
            const struct ledger_write *write = &ledger->writes[needed[j]];

            assert_non_null(write->sql);
            assert_true(write->check != CHECK_NONE && ledger->checks[write->check].sql != NULL);
        }
        assert_true(DIALECTS[i]->keeps_attempts == (ledger->row != NULL));
    }
}

static void prisma_keeps_what_others_know_it_by(void **state)
{
    char checksum[CHECKSUM_SIZE];

    (void)state;
    assert_string_equal(DIALECT_PRISMA.ledger_name, "_prisma_migrations");
    assert_string_equal(DIALECT_PRISMA.lock_key, "72707369");
    assert_true(DIALECT_PRISMA.entry_kind_of(".hidden", true) == ENTRY_MIGRATION);
    assert_true(DIALECT_PRISMA.entry_kind_of("1_a.sql", false) == ENTRY_OTHER);
    DIALECT_PRISMA.checksum_of(slice_of("SELECT 1;\n"), checksum);
    assert_true(DIALECT_PRISMA.checksum_matches(checksum, slice_of("SELECT 1;\r\n")));
    assert_false(DIALECT_PRISMA.checksum_matches(checksum, slice_of("SELECT 2;\n")));
}

static void names_sort_by_their_keys(void **state)
{
    struct order_key keys[] = { DIALECT_PRISMA.order_key_of("20240102_b"),
                                DIALECT_PRISMA.order_key_of("2024_ä"),
                                DIALECT_PRISMA.order_key_of("20240101_a") };

    (void)state;
    qsort(keys, array_length(keys), sizeof *keys, DIALECT_PRISMA.compare_keys);
    assert_string_equal(keys[0].name, "2024_ä");
    assert_string_equal(keys[1].name, "20240101_a");
    assert_string_equal(keys[2].name, "20240102_b");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_description_is_missing),
        cmocka_unit_test(codes_are_whole),
        cmocka_unit_test(a_lock_key_is_a_bigint_in_decimal),
        cmocka_unit_test(a_ledger_s_name_needs_no_quotes),
        cmocka_unit_test(what_reads_names_the_table_and_takes_no_value),
        cmocka_unit_test(what_writes_takes_as_many_values_as_its_text_has),
        cmocka_unit_test(what_is_applied_can_be_recorded),
        cmocka_unit_test(prisma_keeps_what_others_know_it_by),
        cmocka_unit_test(names_sort_by_their_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
