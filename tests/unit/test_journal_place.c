#include <string.h>

#include "base/text.h"
#include "check.h"
#include "history/journal_place.h"

enum { ONE = 1, TABLES = 3 };

#define ABSENT                                                                                               \
    {                                                                                                        \
        .exists = false                                                                                      \
    }
#define READY                                                                                                \
    {                                                                                                        \
        .exists = true, .is_trusted = true, .is_usable = true, .tables = TABLES                              \
    }
#define EMPTY                                                                                                \
    {                                                                                                        \
        .exists = true, .is_trusted = true, .is_usable = true, .may_create = true                            \
    }
#define CLOSED                                                                                               \
    {                                                                                                        \
        .exists = true, .is_trusted = true, .is_usable = true                                                \
    }
#define STRANGE                                                                                              \
    {                                                                                                        \
        .exists = true, .is_usable = true, .tables = TABLES, .may_create = true                              \
    }
#define DENIED                                                                                               \
    {                                                                                                        \
        .exists = true, .is_trusted = true, .tables = TABLES, .may_create = true                             \
    }

static void a_ledgers_own_comes_first_and_none_of_a_strangers_is_used(void **state)
{
    static const struct {
        struct journal_place places[PLACES]; /* its own, the shared one */
        bool may_create;
        int expected;
    } cases[] = {
        { { ABSENT, ABSENT }, true, PLACE_SHARED }, { { ABSENT, ABSENT }, false, PLACES },
        { { ABSENT, READY }, false, PLACE_SHARED }, { { ABSENT, EMPTY }, false, PLACE_SHARED },
        { { ABSENT, CLOSED }, true, PLACE_OWN },    { { ABSENT, CLOSED }, false, PLACES },
        { { ABSENT, STRANGE }, true, PLACE_OWN },   { { ABSENT, STRANGE }, false, PLACES },
        { { ABSENT, DENIED }, true, PLACE_OWN },    { { READY, READY }, true, PLACE_OWN },
        { { EMPTY, READY }, true, PLACE_OWN },      { { READY, STRANGE }, false, PLACE_OWN },
        { { STRANGE, READY }, true, PLACE_SHARED }, { { STRANGE, ABSENT }, true, PLACE_SHARED },
        { { STRANGE, STRANGE }, true, PLACES },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(journal_choose(cases[i].places, TABLES, cases[i].may_create), cases[i].expected);
}

#define PARTIAL                                                                                              \
    {                                                                                                        \
        .exists = true, .is_trusted = true, .is_usable = true, .tables = ONE                                 \
    }

static void it_needs_only_the_tables_that_it_is_for(void **state)
{
    static const struct journal_place none[PLACES] = { ABSENT, CLOSED };
    static const struct journal_place some[PLACES] = { ABSENT, PARTIAL };
    static const struct journal_place open[PLACES] = { EMPTY, PARTIAL };

    (void)state;
    assert_int_equal(journal_choose(some, ONE, false), PLACE_SHARED);
    assert_int_equal(journal_choose(some, 0, false), PLACE_SHARED);
    assert_int_equal(journal_choose(some, TABLES, false), PLACES);
    assert_int_equal(journal_choose(some, TABLES, true), PLACE_OWN);
    assert_int_equal(journal_choose(none, 0, false), PLACES);
    assert_int_equal(journal_choose(open, TABLES, false), PLACE_OWN);
}

static void its_name_is_that_of_the_ledgers_schema(void **state)
{
    char name[IDENTIFIER_SIZE];

    (void)state;
    journal_own_schema("shop", name);
    assert_string_equal(name, "tidelock_shop");
    journal_own_schema("123456789012345678901234567890123456789012345678901234", name);
    assert_string_equal(name, "tidelock_123456789012345678901234567890123456789012345678901234");
}

static void a_long_name_is_cut_between_characters_and_stays_its_own(void **state)
{
    static const char one[] = "a long name of a schema, as long as the server allows it, no 1";
    static const char other[] = "a long name of a schema, as long as the server allows it, no 2";
    static const char accented[] = "éééééééééééééééééééééééééééééé1";
    char name[IDENTIFIER_SIZE];
    char second[IDENTIFIER_SIZE];

    (void)state;
    journal_own_schema(one, name);
    journal_own_schema(other, second);
    assert_int_equal(strlen(name), IDENTIFIER_SIZE - 1);
    assert_memory_equal(name, "tidelock_a long name of a schema, as long as the serv", 50);
    assert_string_not_equal(name, second);
    journal_own_schema(accented, name);
    assert_true(strlen(name) < IDENTIFIER_SIZE);
    assert_true(utf8_is_valid(name, strlen(name), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ledgers_own_comes_first_and_none_of_a_strangers_is_used),
        cmocka_unit_test(it_needs_only_the_tables_that_it_is_for),
        cmocka_unit_test(its_name_is_that_of_the_ledgers_schema),
        cmocka_unit_test(a_long_name_is_cut_between_characters_and_stays_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
