#include <string.h>

#include "check.h"
#include "gate/application_name.h"
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

static const char *value_of(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

static void the_application_s_sessions_get_its_release(void **state)
{
    static const struct {
        const char *url;
        const char *name;
        const char *url_then;
        const char *name_then;
    } cases[] = {
        { "postgresql://h/d", NULL, "postgresql://h/d?application_name=release/1.5.0", "release/1.5.0" },
        { "postgres://h/d?a=b#c", NULL, "postgres://h/d?a=b&application_name=release/1.5.0#c",
          "release/1.5.0" },
        { "postgresql://h/d?application_name=", NULL, "postgresql://h/d?application_name=", "release/1.5.0" },
        { "postgresql://h/d?application%5Fname=x", NULL, "postgresql://h/d?application%5Fname=x",
          "release/1.5.0" },
        { "postgresql://h/d?fallback_application_name=x", NULL,
          "postgresql://h/d?fallback_application_name=x", "release/1.5.0" },
        { "postgresql+asyncpg://h/d", NULL, "postgresql+asyncpg://h/d", "release/1.5.0" },
        { "jdbc:postgresql://h/d", NULL, "jdbc:postgresql://h/d", "release/1.5.0" },
        { "host=h dbname=d", NULL, "host=h dbname=d", "release/1.5.0" },
        { "postgresql://h/d", "mine", "postgresql://h/d", "mine" },
        { "postgresql://h/d", "", "postgresql://h/d?application_name=release/1.5.0", "release/1.5.0" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        static char *const nothing[] = { NULL };
        char **before = environment_with(arena, nothing, "DATABASE_URL", cases[i].url);
        char **after;

        if (cases[i].name != NULL)
            before = environment_with(arena, before, "PGAPPNAME", cases[i].name);
        after = environment_with_release(arena, before, "1.5.0+build");
        assert_string_equal(value_of(after, "DATABASE_URL"), cases[i].url_then);
        assert_string_equal(value_of(after, "PGAPPNAME"), cases[i].name_then);
        assert_ptr_equal(environment_with_release(arena, before, NULL), before);
    }
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
        cmocka_unit_test(the_application_s_sessions_get_its_release),
        cmocka_unit_test(a_variable_is_set_in_its_place_or_behind),
        cmocka_unit_test(what_is_ours_alone_is_left_out),
        cmocka_unit_test(an_empty_environment_stays_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
