#include "base/memory.h"
#include "check.h"
#include "sql/persisted.h"

static void what_lasts_is_listed(void **state)
{
    static const struct {
        const char *script;
        size_t done;
        size_t count;
        const char *list;
    } cases[] = {
        { "CREATE TABLE a ();\nCREATE TABLE b ();", 1, 1, " line 1: CREATE TABLE a ()" },
        { "SET a.b = 1;\nCREATE TEMP TABLE a ();\nCREATE TABLE b ();", 3, 1, " line 3: CREATE TABLE b ()" },
        { "BEGIN;\nCREATE TABLE a ();\nSAVEPOINT s;\nCOMMIT;\nSELECT 1/0;", 4, 1,
          " line 2: CREATE TABLE a ()" },
        { "BEGIN;\nCREATE TABLE a ();\nROLLBACK;\nCREATE TABLE b ();", 4, 1, " line 4: CREATE TABLE b ()" },
        { "BEGIN;\nCREATE TABLE a ();\nROLLBACK AND CHAIN;\nCREATE TABLE b ();\nCOMMIT;", 5, 1,
          " line 4: CREATE TABLE b ()" },
        { "BEGIN;\nCREATE TABLE a ();\nCOMMIT AND CHAIN;\nCREATE TABLE b ();\nROLLBACK;", 5, 1,
          " line 2: CREATE TABLE a ()" },
        { "BEGIN;\nROLLBACK;", 2, 0, "" },
        { "ALTER ROLE a PASSWORD 'S3CRET';", 1, 1, " line 1: ALTER ROLE a PASSWORD " },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const struct slice script = slice_of(cases[i].script);
        const struct script_reader reader = script_reader_of("a.sql", script, 150000, true);
        auto_text struct text list = text_init(1024);

        assert_int_equal(persisted_add(script, reader, cases[i].done, &list), cases[i].count);
        assert_string_equal(list.at, cases[i].list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lasts_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
