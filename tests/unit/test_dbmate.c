#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/dbmate_script.h"
#include "dialect/dialect.h"

static bool read(const char *script, struct text *out, struct script_wishes *wishes, struct error *err)
{
    const struct script_source source = { .path = "1_a.sql", .name = "1_a.sql" };

    *wishes = (struct script_wishes) { .transaction = SCRIPT_TRANSACTION_UNSAID };
    text_add_string(out, script);
    return dbmate_script_read(&source, out, wishes, err);
}

static void assert_runs(const char *script, const char *expected, enum script_transaction transaction)
{
    auto_text struct text text = text_init(4096);
    struct script_wishes wishes;
    struct error err = { .class = ERROR_NONE };

    if (!read(script, &text, &wishes, &err))
        fail_msg("%s: %s", script, err.message);
    assert_string_equal(text.at, expected);
    assert_int_equal(wishes.transaction, transaction);
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

static void only_the_way_there_is_left(void **state)
{
    (void)state;
    assert_runs("-- why\n\n-- migrate:up\nA;\n-- migrate:down\nB;\r\n-- b",
                "-- why\n\n-- migrate:up\nA;\n-- migrate:down\n  \r\n    ", SCRIPT_TRANSACTION_ON);
    assert_runs("\xEF\xBB\xBF--migrate:up\nA\n--migrate:down", "\xEF\xBB\xBF--migrate:up\nA\n--migrate:down",
                SCRIPT_TRANSACTION_ON);
    assert_runs("-- migrate:down\n-- migrate:up\n-- migrate:down\n",
                "-- migrate:down\n-- migrate:up\n-- migrate:down\n", SCRIPT_TRANSACTION_ON);
    assert_runs("-- migrate:up\n -- migrate:down\nA\n-- MIGRATE:DOWN\n-- migrate:downhill\n-- migrate:down\n",
                "-- migrate:up\n -- migrate:down\nA\n-- MIGRATE:DOWN\n-- migrate:downhill\n-- migrate:down\n",
                SCRIPT_TRANSACTION_ON);
}

static void several_ways_there_are_one(void **state)
{
    (void)state;
    assert_runs("-- migrate:up\nA\n-- migrate:down\nB\n-- migrate:up\nC\n-- migrate:down\nD",
                "-- migrate:up\nA\n-- migrate:down\n \n;            \nC\n-- migrate:down\n ",
                SCRIPT_TRANSACTION_ON);
    assert_runs("-- migrate:up\nA\n-- migrate:down\n-- migrate:up transaction:false\nC;D\n-- migrate:down\n",
                "-- migrate:up\nA\n-- migrate:down\n;                              \nC;D\n-- migrate:down\n",
                SCRIPT_TRANSACTION_OFF);
}

/* To dbmate, a block is one message. */
static void several_statements_are_one_transaction_all_the_same(void **state)
{
    (void)state;
    assert_runs("-- migrate:up transaction:false\nA;\n-- migrate:down\n",
                "-- migrate:up transaction:false\nA;\n-- migrate:down\n", SCRIPT_TRANSACTION_OFF);
    assert_runs("-- migrate:up transaction:false\nA; B\n-- migrate:down\n",
                "-- migrate:up transaction:false\nA; B\n-- migrate:down\n", SCRIPT_TRANSACTION_UNSAID);
    assert_runs("-- migrate:up transaction:false\n$$A; B$$;;\n-- migrate:down\n",
                "-- migrate:up transaction:false\n$$A; B$$;;\n-- migrate:down\n", SCRIPT_TRANSACTION_OFF);
}

static void options_are_words_with_one_colon(void **state)
{
    static const struct {
        const char *options;
        enum script_transaction transaction;
    } cases[] = {
        { "", SCRIPT_TRANSACTION_ON },
        { " transaction:false", SCRIPT_TRANSACTION_OFF },
        { "\ttransaction:false \r", SCRIPT_TRANSACTION_OFF },
        { " other:true transaction:false", SCRIPT_TRANSACTION_OFF },
        { " transaction:true", SCRIPT_TRANSACTION_ON },
        { " transaction:FALSE", SCRIPT_TRANSACTION_ON },
        { " transaction:false;", SCRIPT_TRANSACTION_ON },
        { " transaction: false", SCRIPT_TRANSACTION_ON },
        { " transaction:false transaction:true", SCRIPT_TRANSACTION_ON },
        { " transaction:true transaction:false", SCRIPT_TRANSACTION_OFF },
        { " transaction:false transaction:true:x", SCRIPT_TRANSACTION_OFF },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text script = text_init(4096);
        auto_text struct text text = text_init(4096);
        struct script_wishes wishes;
        struct error err;

        text_add_format(&script, "-- migrate:up%s\nA;\n-- migrate:down transaction:false\n",
                        cases[i].options);
        assert_true(read(script.at, &text, &wishes, &err));
        if (wishes.transaction != cases[i].transaction)
            fail_msg("%s", cases[i].options);
    }
}

static void what_dbmate_refuses(void **state)
{
    (void)state;
    assert_refuses("", "the script has no line \"-- migrate:up\"", 1);
    assert_refuses("A;\n", "the script has no line \"-- migrate:up\"", 1);
    assert_refuses("-- migrate:down\nA;\n", "the script has no line \"-- migrate:up\"", 1);
    assert_refuses("-- c\nA;\n\n-- migrate:up\n-- migrate:down\n",
                   "a statement comes before \"-- migrate:up\"", 2);
    assert_refuses("\n-- migrate:up\nA;\n", "\"-- migrate:up\" has no \"-- migrate:down\" behind it", 2);
    assert_refuses("-- migrate:up\n-- migrate:up\n-- migrate:down\n",
                   "\"-- migrate:up\" has no \"-- migrate:down\" behind it", 1);
    assert_refuses("-- migrate:up\n-- migrate:down\n-- migrate:down\n",
                   "there are two \"-- migrate:down\" behind one \"-- migrate:up\"", 3);
}

static void entries_are_what_dbmate_takes_them_for(void **state)
{
    static const struct {
        const char *name;
        const char *key; /* NULL = no migration */
    } cases[] = {
        { "20240101000000_a.sql", "20240101000000" },
        { "001.sql", "001" },
        { "1a.sql", "1" },
        { "1_2_b.sql", "1" },
        { "a_1.sql", NULL },
        { ".1_a.sql", NULL },
        { "1_a.SQL", NULL },
        { "1_a.sql.bak", NULL },
        { "1", NULL },
    };
    char key[KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const enum entry_kind kind = DIALECT_DBMATE.entry_kind_of(cases[i].name, false);

        if (kind != (cases[i].key == NULL ? ENTRY_OTHER : ENTRY_MIGRATION))
            fail_msg("%s", cases[i].name);
        assert_int_equal(DIALECT_DBMATE.entry_kind_of(cases[i].name, true), ENTRY_OTHER);
        if (cases[i].key == NULL)
            continue;
        DIALECT_DBMATE.key_of(cases[i].name, key);
        assert_string_equal(key, cases[i].key);
    }
}

static void names_sort_by_their_bytes(void **state)
{
    struct order_key keys[] = { DIALECT_DBMATE.order_key_of("1_a.sql"),
                                DIALECT_DBMATE.order_key_of("2_b.sql"),
                                DIALECT_DBMATE.order_key_of("10_c.sql"),
                                DIALECT_DBMATE.order_key_of("01_d.sql") };

    (void)state;
    qsort(keys, array_length(keys), sizeof *keys, DIALECT_DBMATE.compare_keys);
    assert_string_equal(keys[0].name, "01_d.sql");
    assert_string_equal(keys[1].name, "10_c.sql");
    assert_string_equal(keys[2].name, "1_a.sql");
    assert_string_equal(keys[3].name, "2_b.sql");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_way_there_is_left),
        cmocka_unit_test(several_ways_there_are_one),
        cmocka_unit_test(several_statements_are_one_transaction_all_the_same),
        cmocka_unit_test(options_are_words_with_one_colon),
        cmocka_unit_test(what_dbmate_refuses),
        cmocka_unit_test(entries_are_what_dbmate_takes_them_for),
        cmocka_unit_test(names_sort_by_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
