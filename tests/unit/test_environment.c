#include "check.h"
#include "gate/environment.h"

static void what_is_ours_alone_is_left_out(void **state)
{
    static char *const before[] = { "PATH=/bin",
                                    "DATABASE_URL=postgresql://a",
                                    "DATABASE_URL_FILE=/run/url",
                                    "DIRECT_URL=postgresql://b",
                                    "DIRECT_URL_FILE=/run/direct",
                                    "TIDELOCK_STRICT=1",
                                    "TIDELOCK_=",
                                    "no equals sign",
                                    "DIRECT_URL",
                                    "DIRECT_URL_FILES=1",
                                    "tidelock_strict=1",
                                    NULL };
    static const char *const after[] = {
        "PATH=/bin",  "DATABASE_URL=postgresql://a", "DATABASE_URL_FILE=/run/url", "no equals sign",
        "DIRECT_URL", "DIRECT_URL_FILES=1",          "tidelock_strict=1"
    };
    auto_arena struct arena *arena = arena_new();
    char **kept = environment_for_application(arena, before);

    (void)state;
    for (size_t i = 0; i < array_length(after); i++)
        assert_string_equal(kept[i], after[i]);
    assert_null(kept[array_length(after)]);
}

static void an_empty_environment_stays_empty(void **state)
{
    static char *const before[] = { NULL };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    assert_null(environment_for_application(arena, before)[0]);
}

static void a_variable_is_set_in_its_place_or_behind(void **state)
{
    static char *const before[] = { "A=1", "URL=old", "URLS=other", NULL };
    auto_arena struct arena *arena = arena_new();
    char **replaced = environment_with(arena, before, "URL", "new");
    char **added = environment_with(arena, before, "B", "");

    (void)state;
    assert_string_equal(replaced[0], "A=1");
    assert_string_equal(replaced[1], "URL=new");
    assert_string_equal(replaced[2], "URLS=other");
    assert_null(replaced[3]);
    assert_string_equal(added[1], "URL=old");
    assert_string_equal(added[3], "B=");
    assert_null(added[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_is_set_in_its_place_or_behind),
        cmocka_unit_test(what_is_ours_alone_is_left_out),
        cmocka_unit_test(an_empty_environment_stays_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
