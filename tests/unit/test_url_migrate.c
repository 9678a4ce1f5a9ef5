#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "check.h"
#include "config/endpoint.h"
#include "config/url.h"

static const char *said(const char *text)
{
    return text == NULL ? "-" : text;
}

/* "schema|table|search_path" of a URL with this query; or why it is refused. */
static const char *heard(struct arena *arena, const char *query)
{
    auto_text struct text url = text_init(4096);
    auto_text struct text out = text_init(4096);
    struct endpoint endpoint;
    struct error err;

    text_add_format(&url, "postgres://u@h/d?%s", query);
    if (url_parse(arena, url.at, &endpoint, &err))
        text_add_format(&out, "%s|%s|%s", said(endpoint.ledger_schema), said(endpoint.ledger_table),
                        said(endpoint.search_path));
    else
        text_add_string(&out, err.message);
    return arena_copy(arena, out.at, out.length);
}

static void the_table_is_taken_as_the_tool_takes_it(void **state)
{
    static const struct {
        const char *query;
        const char *heard;
    } cases[] = {
        { "", "-|-|-" },
        { "x-migrations-table=", "-|-|-" },
        { "x-migrations-table-quoted=true", "-|-|-" },
        { "x-migrations-table=t", "-|t|-" },
        { "x-migrations-table=s.t", "-|s.t|-" },
        { "x-migrations-table=\"t\"", "-|\"t\"|-" },
        { "x-migrations-table=\"t\"&x-migrations-table-quoted=", "-|\"t\"|-" },
        { "x-migrations-table=\"t\"&x-migrations-table-quoted=0", "-|\"t\"|-" },
        { "x-migrations-table=%22t%22&x-migrations-table-quoted=1", "-|t|-" },
        { "x-migrations-table-quoted=T&x-migrations-table=\"S\".\"T%20t\"", "S|T t|-" },
        { "search_path=a,b&x-multi-statement=true&x-lock-strategy=table&x-lock-table=l", "-|-|a,b" },
    };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++)
        assert_string_equal(heard(arena, cases[i].query), cases[i].heard);
}

static void a_table_that_is_not_quoted_as_is_said_is_refused(void **state)
{
    static const char *const tables[] = {
        "t", "\"t", "t\"", "\"\"", "\"s\".\"\"", "\"s\".t", "\"s\"\"t\"", "\"s\".\"t\".\"u\"", "\"s\".", "\"",
    };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(tables); i++) {
        auto_text struct text query = text_init(256);

        text_add_format(&query, "x-migrations-table=%s&x-migrations-table-quoted=true", tables[i]);
        if (strstr(heard(arena, query.at), "x-migrations-table is not quoted") == NULL)
            fail_msg("%s: %s", tables[i], heard(arena, query.at));
    }
    assert_non_null(strstr(heard(arena, "x-migrations-table-quoted=yes"), "must be true or false"));
}

static void the_search_path_is_set_beside_other_options(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error err;

    (void)state;
    assert_true(url_parse(arena, "postgres://u@h/d", &endpoint, &err));
    endpoint_take_search_path(arena, &endpoint);
    assert_null(endpoint_value(&endpoint, "options"));
    assert_true(url_parse(arena, "pgx5://u@h/d?search_path=a,%20%22b%5Cc%22", &endpoint, &err));
    endpoint_take_search_path(arena, &endpoint);
    assert_string_equal(endpoint_value(&endpoint, "options"), " -c search_path=a,\\ \"b\\\\c\"");
    assert_true(url_parse(arena, "pgx://u@h/d?search_path=a&options=-cwork_mem%3D1MB", &endpoint, &err));
    endpoint_take_search_path(arena, &endpoint);
    assert_string_equal(endpoint_value(&endpoint, "options"), "-cwork_mem=1MB -c search_path=a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_taken_as_the_tool_takes_it),
        cmocka_unit_test(a_table_that_is_not_quoted_as_is_said_is_refused),
        cmocka_unit_test(the_search_path_is_set_beside_other_options),
    };

    log_configure(LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
