#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "config/password_source.h"
#include "scratch.h"
#include "tenants/file.h"
#include "tenants/limit.h"
#include "tenants/list.h"
#include "tenants/question.h"
#include "tenants/shard.h"

#define BASE "postgres://base:word@db:5433/main?sslmode=require"

static struct arena *arena;
static struct config config;
static struct tenant_list list;
static struct error err;

static int enter(void **state)
{
    arena = arena_new();
    config = (struct config) { .arena = arena, .database_url = BASE, .tenants = "x.csv" };
    err = (struct error) { .class = ERROR_NONE };
    (void)unsetenv("JOB_COMPLETION_INDEX");
    return scratch_enter(state);
}

static int leave(void **state)
{
    arena_free(arena);
    redact_clear();
    return scratch_leave(state);
}

/* What becomes of a file. */
static bool take(const char *content)
{
    struct tenant_rows rows;

    assert_true(tenant_file_parse(arena, "x.csv", slice_of(content), &rows, &err));
    return tenants_take(arena, &config, &rows, &list, &err);
}

static void check_refused(const char *content, const char *message)
{
    char said[sizeof err.message + 32];

    assert_false(take(content));
    assert_int_equal(err.class, ERROR_USAGE);
    (void)snprintf(said, sizeof said, "%zu:%zu %s", err.place.line, err.place.column, err.message);
    if (strcmp(said, message) != 0)
        fail_msg("%s\ngives %s\nnot   %s", content, said, message);
}

/* "user:password@host/database schema" of a tenant. */
static const char *where(size_t index)
{
    static char said[256];
    struct config own = tenant_config(&config, &list.items[index]);
    struct endpoint endpoint;
    const char *password;

    if (!endpoint_find(arena, &own, &endpoint, &err))
        fail_msg("%s", err.message);
    password = endpoint_value(&endpoint, "password");
    (void)snprintf(said, sizeof said, "%s:%s@%s/%s %s", endpoint_value(&endpoint, "user"),
                   password == NULL ? "" : password, endpoint.label, endpoint_value(&endpoint, "dbname"),
                   endpoint.schema == NULL ? "" : endpoint.schema);
    return said;
}

static void what_a_row_leaves_out_the_base_says(void **state)
{
    (void)state;
    scratch_write("secret", "else\n", 5);
    scratch_write("url", "postgres://v:q@there/e\n", 23);
    assert_true(
        take("name,url,url_file,database,schema,user,password_file\n"
             "a,,,one,,,\n"
             "b,,,,two,,\n"
             "c,,,a b/%41,Sch\xC3\xB6n,,\n"
             "d,,,one,one,other,secret\n"
             "e,postgres://u:p@here/d?schema=s,,,,,\n"
             "f,postgres://u:p@here/d?schema=s,,,t,,\n"
             "g,,url,,,,\n"
             "h,postgres://u@here/e,,,,,secret\n"));
    assert_int_equal(list.count, 8);
    assert_string_equal(where(0), "base:word@db:5433/one ");
    assert_string_equal(where(1), "base:word@db:5433/main two");
    assert_string_equal(where(2), "base:word@db:5433/a b/%41 Sch\xC3\xB6n");
    assert_string_equal(where(3), "other:else@db:5433/one one");
    assert_string_equal(where(4), "u:p@here:5432/d s");
    assert_string_equal(where(5), "u:p@here:5432/d t");
    assert_string_equal(where(6), "v:q@there:5432/e ");
    assert_string_equal(where(7), "u:else@here:5432/e ");
}

static void the_direct_url_is_the_base_if_there_is_one(void **state)
{
    (void)state;
    config.direct_url = "postgres://d@direct/main";
    assert_true(take("name,url,schema\na,,s\nb,postgres://u@here/d,\n"));
    assert_string_equal(where(0), "d:@direct:5432/main s");
    assert_string_equal(where(1), "u:@here:5432/d ");
}

static void a_file_is_reread_only_for_whom_it_speaks(void **state)
{
    (void)state;
    scratch_write("secret", "else\n", 5);
    scratch_write("url", "postgres://v:q@there/e\n", 23);
    config.database_url_file = "base-url";
    config.password_from = PASSWORD_VAULT;
    assert_true(
        take("name,url_file,database,user,password_file\na,,d,,\nb,,d2,u,\nc,,d3,,secret\nd,url,,,\n"));
    assert_string_equal(tenant_config(&config, &list.items[0]).database_url_file, "base-url");
    assert_null(tenant_config(&config, &list.items[1]).database_url_file);
    assert_null(tenant_config(&config, &list.items[2]).database_url_file);
    assert_string_equal(tenant_config(&config, &list.items[2]).password_file, "secret");
    assert_int_equal(tenant_config(&config, &list.items[2]).password_from, PASSWORD_NOWHERE);
    assert_string_equal(tenant_config(&config, &list.items[3]).database_url_file, "url");
    assert_int_equal(tenant_config(&config, &list.items[3]).password_from, PASSWORD_VAULT);
}

static void a_bad_row_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *content;
        const char *message;
    } cases[] = {
        { "name,schema\n,s\n", "2:1 the name of a tenant is missing" },
        { "schema,name\ns,\n", "2:3 the name of a tenant is missing" },
        { "name,schema\n0123456789012345678901234567890123456789012345678901234567890123,s\n",
          "2:1 the name of a tenant is longer than 63 bytes" },
        { "name,schema\n\"a\nb\",s\n", "2:1 the name of a tenant contains a control character" },
        { "name,schema\n\" a\",s\n", "2:1 the name of a tenant begins or ends with a blank" },
        { "name,url\npostgres://u:p@h/d,a\n",
          "2:1 the name of a tenant is a URL, which may hold a password" },
        { "name,schema\na,pg_x\n", "2:3 the schema of tenant \"a\" is one of the server's own" },
        { "name,database\na,\"d\ne\"\n", "2:3 the database of tenant \"a\" contains a control character" },
        { "name,schema\na,\n", "2:1 tenant \"a\" has neither a url nor a database nor a schema" },
        { "name,url,url_file\na,postgres://h/d,/f\n", "2:1 tenant \"a\" has both a url and a url_file" },
        { "name,url_file\na,postgres://u:p@h/d\n",
          "2:3 the url_file of tenant \"a\" is a URL, not the name of a file" },
        { "name,url_file\na,nowhere\n", "2:3 could not read file \"nowhere\": No such file or directory" },
        { "name,url\nb,postgres://h/d\na,mysql://u:p@h/d\n",
          "3:1 the database URL is invalid: it does not begin with postgresql:// or postgres://" },
        { "name,schema\na,s\nb,t\na,u\nb,v\n", "4:1 two tenants are called \"a\"" },
        { "name,schema\na,s\nb,t\nc,s\n", "4:1 tenants \"a\" and \"c\" are the same database and schema" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++)
        check_refused(cases[i].content, cases[i].message);
    assert_string_equal(err.detail, "They are in lines 2 and 4.");
}

static void the_same_place_is_known_however_it_is_written(void **state)
{
    static const struct {
        const char *rows;
        bool is_same;
    } cases[] = {
        { "a,,main,\nb,,,public\n", true },
        { "a,,main,\nb,postgres://x:y@DB:5433/main,,\n", true },
        { "a,,main,s\nb,postgres://db:5433/main?schema=s,,\n", true },
        { "a,postgres://h/d,,\nb,postgres://h:5432/d,,\n", true },
        { "a,,main,\nb,postgres://x:y@db/main,,\n", false },
        { "a,,main,s\nb,,main,S\n", false },
        { "a,,main,s\nb,,other,s\n", false },
        { "a,postgres://h/d?search_path=x,,\nb,postgres://h/d?search_path=y,,\n", false },
    };
    char content[256];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        (void)snprintf(content, sizeof content, "name,url,database,schema\n%s", cases[i].rows);
        if (take(content) == cases[i].is_same)
            fail_msg("%s", cases[i].rows);
    }
}

static void without_a_base_only_whole_urls_will_do(void **state)
{
    (void)state;
    config.database_url = NULL;
    assert_true(take("name,url\na,postgres://u@h/d\n"));
    check_refused("name,schema\na,s\n", "2:1 no database is set");
}

/* Rows of a query. */
static bool ask(const char *url)
{
    struct tenant_row row = { .values = { [COLUMN_NAME] = "a", [COLUMN_URL] = url } };
    const struct tenant_rows rows = { .source = "--tenants-query", .items = &row, .count = 1 };

    config.tenants = NULL;
    return tenants_take(arena, &config, &rows, &list, &err);
}

static void who_has_no_list_is_not_told_to_correct_one(void **state)
{
    struct tenant_row row = { .values = { [COLUMN_NAME] = "a\nb", [COLUMN_DATABASE] = "a\nb" } };
    const struct tenant_rows rows = { .source = "--databases", .items = &row, .count = 1 };

    (void)state;
    assert_false(tenants_take(arena, &config, &rows, &list, &err));
    assert_string_equal(err.message, "the name of a tenant contains a control character");
    assert_string_equal(err.hint,
                        "Rename it, or keep it out with a narrower pattern or query; nothing was begun.");
}

static void a_query_cannot_send_the_password_elsewhere(void **state)
{
    (void)state;
    config.password = "word";
    assert_true(ask("postgres://u@db:5433/tenant?sslmode=require"));
    assert_true(ask("postgres://u:own@elsewhere/tenant"));
    assert_false(ask("postgres://u@elsewhere/tenant"));
    assert_string_equal(err.message,
                        "the URL of tenant \"a\" leads to another server than the database URL, "
                        "and holds no password");
    config.password = NULL;
    assert_true(ask("postgres://u@elsewhere/tenant"));
    config.password_from = PASSWORD_VAULT;
    assert_false(ask("postgres://u@elsewhere/tenant"));
}

static void a_query_cannot_send_the_password_in_clear(void **state)
{
    (void)state;
    config.password = "word";
    assert_true(ask("postgres://u@db:5433/tenant?sslmode=require"));
    assert_true(ask("postgres://u:own@db:5433/tenant?sslmode=disable"));
    assert_false(ask("postgres://u@db:5433/tenant?sslmode=disable"));
    assert_string_equal(err.message,
                        "the URL of tenant \"a\" says sslmode=disable, the database URL "
                        "sslmode=require, and it holds no password");
    assert_false(ask("postgres://u@db:5433/tenant"));
}

static void the_canary_comes_first(void **state)
{
    static const char tenants[] = "name,schema\na,s\nb,t\nc,u\n";

    (void)state;
    assert_true(take(tenants));
    assert_int_equal(list.canaries, 0);
    config.canary = "c";
    assert_true(take(tenants));
    assert_int_equal(list.canaries, 1);
    assert_string_equal(list.items[0].name, "c");
    assert_string_equal(list.items[1].name, "a");
    assert_string_equal(list.items[2].name, "b");
    config.canary = "2";
    assert_true(take(tenants));
    assert_int_equal(list.canaries, 2);
    assert_string_equal(list.items[0].name, "a");
    config.canary = "17";
    assert_true(take(tenants));
    assert_int_equal(list.canaries, 3);
    config.canary = "c";
    config.chosen = (struct names) { .items = (const char *[]) { "b" }, .count = 1 };
    assert_true(take(tenants));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.canaries, 0);
    config.chosen = (struct names) { .items = (const char *[]) { "b", "c" }, .count = 2 };
    assert_true(take(tenants));
    assert_int_equal(list.canaries, 1);
    assert_string_equal(list.items[0].name, "c");
    config.chosen.count = 0;
    config.canary = "0";
    check_refused(tenants, "0:0 --canary is neither the name of a tenant nor a number");
    config.canary = "c";
    config.shard = (struct sourced) { "1/2", "--shard" };
    check_refused(tenants, "0:0 --canary names a tenant, and the other parts of --shard cannot wait for it");
}

static void each_tenant_is_in_one_part(void **state)
{
    auto_text struct text content = text_init(64 * 1024);
    char part[16];
    size_t all = 0;

    (void)state;
    text_add_string(&content, "name,schema\n");
    for (int i = 0; i < 1000; i++)
        text_add_format(&content, "tenant-%d,s%d\n", i, i);
    for (int i = 1; i <= 4; i++) {
        (void)snprintf(part, sizeof part, "%d/4", i);
        config.shard = (struct sourced) { part, "--shard" };
        assert_true(take(content.at));
        assert_in_range(list.count, 200, 300);
        all += list.count;
    }
    assert_int_equal(all, 1000);
}

static void a_part_is_a_number_of_parts_or_the_jobs(void **state)
{
    static const struct {
        const char *said;
        const char *index;
        unsigned number; /* 0 = refused */
        unsigned count;
    } cases[] = {
        { NULL, NULL, 1, 1 },         { NULL, "3", 1, 1 },    { "1/1", NULL, 1, 1 },
        { "2/3", NULL, 2, 3 },        { "2/3", "0", 2, 3 },   { "/3", "0", 1, 3 },
        { "/3", "2", 3, 3 },          { "/3", "3", 0, 0 },    { "/3", "", 0, 0 },
        { "/3", NULL, 0, 0 },         { "0/3", NULL, 0, 0 },  { "4/3", NULL, 0, 0 },
        { "3", NULL, 0, 0 },          { "1/0", NULL, 0, 0 },  { "1/10001", NULL, 0, 0 },
        { "1/99999999", NULL, 0, 0 }, { "-1/3", NULL, 0, 0 }, { "1/3x", NULL, 0, 0 },
        { "/", "0", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const struct sourced said = { cases[i].said, "--shard" };
        struct shard shard = { 0, 0 };

        if (shard_read(&said, cases[i].index, &shard, &err) != (cases[i].number > 0) ||
            shard.number != cases[i].number || shard.count != cases[i].count)
            fail_msg("%s with %s", cases[i].said, cases[i].index);
    }
}

static void one_part_more_moves_its_share_and_nobody_else(void **state)
{
    enum { TENANTS = 5000 };
    size_t moved = 0;
    char name[32];

    (void)state;
    for (int i = 0; i < TENANTS; i++) {
        unsigned before;
        unsigned after;

        (void)snprintf(name, sizeof name, "tenant_%d", i);
        before = shard_of(name, 9);
        after = shard_of(name, 10);
        assert_true(before == after || after == 10);
        moved += before != after;
    }
    assert_in_range(moved, TENANTS / 10 - 100, TENANTS / 10 + 100);
}

/* Another version of tidelock has to divide them in the same way: a rolling deployment may have both. */
static void the_parts_are_those_of_every_version(void **state)
{
    static const char *const names[] = { "acme", "globex", "initech", "umbrella", "\xC3\xA4" };
    char parts[array_length(names) + 1] = "";

    (void)state;
    for (size_t i = 0; i < array_length(names); i++)
        parts[i] = (char)('0' + shard_of(names[i], 8));
    assert_string_equal(parts, "77176");
}

static void so_many_may_fail(void **state)
{
    static const struct {
        const char *said;
        int answer;
        size_t failures; /* of 50; 999 = refused */
    } cases[] = {
        { NULL, ON_FAILURE_STOP, 0 },
        { NULL, ON_FAILURE_CONTINUE, SIZE_MAX },
        { "3", ON_FAILURE_STOP, 3 },
        { "0", ON_FAILURE_CONTINUE, 0 },
        { "10%", ON_FAILURE_STOP, 5 },
        { "5%", ON_FAILURE_STOP, 2 },
        { "0%", ON_FAILURE_STOP, 0 },
        { "100%", ON_FAILURE_STOP, 50 },
        { "101%", ON_FAILURE_STOP, 999 },
        { "-1", ON_FAILURE_STOP, 999 },
        { "%", ON_FAILURE_STOP, 999 },
        { "3 %", ON_FAILURE_STOP, 999 },
        { "1234567890", ON_FAILURE_STOP, 999 },
        { "", ON_FAILURE_STOP, 999 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        size_t failures = 999;

        config.max_failures = (struct sourced) { cases[i].said, "--max-failures" };
        config.on_failure = cases[i].answer;
        if (limit_read(&config, 50, &failures, &err) != (cases[i].failures != 999) ||
            failures != cases[i].failures)
            fail_msg("%s: %zu", cases[i].said, failures);
    }
}

static void one_list_is_wanted_and_no_other(void **state)
{
    (void)state;
    assert_true(tenants_are_asked_for(&config));
    config.databases = "*";
    assert_false(tenants_read(arena, &config, &list, &err));
    assert_string_equal(err.message, "several lists of tenants");
    config.databases = config.tenants = NULL;
    assert_false(tenants_are_asked_for(&config));
    config.shard = (struct sourced) { "1/2", "--shard" };
    assert_true(tenants_are_asked_for(&config));
    assert_false(tenants_read(arena, &config, &list, &err));
    assert_string_equal(err.message, "nothing says which tenants there are");
    config.tenants = "x.csv";
    config.replicas_at = "postgres://h/d";
    assert_false(tenants_read(arena, &config, &list, &err));
    assert_string_equal(err.message,
                        "--replica names the standby of one database, and there are many tenants");
}

static void a_pattern_fits_as_in_a_shell(void **state)
{
    (void)state;
    assert_true(question_fits("tenant_*", "tenant_a"));
    assert_true(question_fits("tenant_*", "tenant_"));
    assert_false(question_fits("tenant_*", "Tenant_a"));
    assert_false(question_fits("tenant_?", "tenant_ab"));
    assert_true(question_fits("*", ".hidden/a"));
    assert_true(question_fits("t[0-9]", "t7"));
    assert_false(question_fits("tenant_%", "tenant_a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_row_leaves_out_the_base_says, enter, leave),
        cmocka_unit_test_setup_teardown(the_direct_url_is_the_base_if_there_is_one, enter, leave),
        cmocka_unit_test_setup_teardown(a_file_is_reread_only_for_whom_it_speaks, enter, leave),
        cmocka_unit_test_setup_teardown(a_bad_row_is_refused_with_its_place, enter, leave),
        cmocka_unit_test_setup_teardown(the_same_place_is_known_however_it_is_written, enter, leave),
        cmocka_unit_test_setup_teardown(without_a_base_only_whole_urls_will_do, enter, leave),
        cmocka_unit_test_setup_teardown(who_has_no_list_is_not_told_to_correct_one, enter, leave),
        cmocka_unit_test_setup_teardown(a_query_cannot_send_the_password_elsewhere, enter, leave),
        cmocka_unit_test_setup_teardown(a_query_cannot_send_the_password_in_clear, enter, leave),
        cmocka_unit_test_setup_teardown(the_canary_comes_first, enter, leave),
        cmocka_unit_test_setup_teardown(each_tenant_is_in_one_part, enter, leave),
        cmocka_unit_test_setup_teardown(a_part_is_a_number_of_parts_or_the_jobs, enter, leave),
        cmocka_unit_test_setup_teardown(one_part_more_moves_its_share_and_nobody_else, enter, leave),
        cmocka_unit_test_setup_teardown(the_parts_are_those_of_every_version, enter, leave),
        cmocka_unit_test_setup_teardown(so_many_may_fail, enter, leave),
        cmocka_unit_test_setup_teardown(one_list_is_wanted_and_no_other, enter, leave),
        cmocka_unit_test_setup_teardown(a_pattern_fits_as_in_a_shell, enter, leave),
    };

    log_configure(LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
