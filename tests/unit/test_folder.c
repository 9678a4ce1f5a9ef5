#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "history/folder.h"
#include "scratch.h"

/* The names in the folder "m", separated by commas; or the error. */
static const char *names_in(struct text *names)
{
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;

    text_reset(names);
    if (!folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err)) {
        text_add_format(names, "error: %s", err.message);
        return names->at;
    }
    for (size_t i = 0; i < folder.count; i++)
        text_add_format(names, "%s%s", i == 0 ? "" : ",", folder.items[i].name);
    return names->at;
}

static void each_directory_is_a_migration_and_nothing_else_is(void **state)
{
    auto_text struct text names = text_init(4096);

    (void)state;
    scratch_make_directory("m");
    assert_string_equal(names_in(&names), "");
    scratch_make_directory("m/20240102_b");
    scratch_make_directory("m/20240101_a");
    scratch_make_directory("m/20240101_a/nested");
    scratch_make_directory("m/.hidden");
    scratch_make_directory("elsewhere");
    scratch_write("m/README.md", "x", 1);
    scratch_write("m/0_file.sql", "x", 1);
    scratch_write("m/migration_lock.toml", "x", 1);
    assert_int_equal(symlink("../elsewhere", "m/linked_directory"), 0);
    assert_int_equal(symlink("README.md", "m/linked_file"), 0);
    assert_int_equal(symlink("nowhere", "m/dangling"), 0);
    assert_int_equal(mkfifo("m/pipe", 0600), 0);
    assert_string_equal(names_in(&names), ".hidden,20240101_a,20240102_b");
}

static void the_folder_itself_may_be_a_link(void **state)
{
    auto_text struct text names = text_init(4096);

    (void)state;
    scratch_make_directory("real");
    scratch_make_directory("real/1_a");
    assert_int_equal(symlink("real", "m"), 0);
    assert_string_equal(names_in(&names), "1_a");
}

/* As kubelet mounts it: links into ..data, a link to the directory of the newest state. */
static void a_mounted_config_map_is_read_behind_its_links(void **state)
{
    auto_text struct text names = text_init(4096);

    (void)state;
    scratch_make_directory("m");
    scratch_make_directory("m/..2026_11_21_10_00_00.123456789");
    scratch_make_directory("m/..2026_11_21_10_00_00.123456789/1_a");
    scratch_make_directory("m/..2026_11_21_10_00_00.123456789/2_b");
    assert_int_equal(symlink("..2026_11_21_10_00_00.123456789", "m/..data"), 0);
    assert_int_equal(symlink("..data/1_a", "m/1_a"), 0);
    assert_int_equal(symlink("..data/2_b", "m/2_b"), 0);
    assert_string_equal(names_in(&names), "1_a,2_b");
}

static void names_need_no_time_stamp(void **state)
{
    static const char *const order[] = {
        "0_x",         "0-x",   "1_init", "10_c",   "2_b", "20240101000000_a", "20240101000000_B", "a b",
        "back\\slash", "dq\"x", "é1",     "q'uote", "ü"
    };
    auto_text struct text names = text_init(4096);
    auto_text struct text wanted = text_init(4096);

    (void)state;
    scratch_make_directory("m");
    for (size_t i = array_length(order); i-- > 0;) {
        char path[64];

        (void)snprintf(path, sizeof path, "m/%s", order[i]);
        scratch_make_directory(path);
    }
    for (size_t i = 0; i < array_length(order); i++)
        text_add_format(&wanted, "%s%s", i == 0 ? "" : ",", order[i]);
    assert_string_equal(names_in(&names), wanted.at);
}

static void a_name_may_be_as_long_as_a_directory_s(void **state)
{
    auto_text struct text names = text_init(4096);
    char path[2 + 255 + 1] = "m/";

    (void)state;
    memset(path + 2, 'x', 255);
    scratch_make_directory("m");
    scratch_make_directory(path);
    assert_string_equal(names_in(&names), path + 2);
}

static void a_name_that_no_ledger_can_hold_is_refused(void **state)
{
    static const struct {
        const char *path;
        const char *shown;
    } cases[] = {
        { "m/bad\xff", "\"bad\\xff\"" },         { "m/new\nline", "\"new\\x0aline\"" },
        { "m/esc\x1b[31m", "\"esc\\x1b[31m\"" }, { "m/del\x7f", "\"del\\x7f\"" },
        { "m/c1\xc2\x85", "\"c1\\xc2\\x85\"" },
    };

    (void)state;
    scratch_make_directory("m");
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct folder folder;
        struct error err;

        scratch_make_directory(cases[i].path);
        assert_false(
            folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
        assert_int_equal(err.class, ERROR_REFUSED);
        assert_non_null(strstr(err.message, cases[i].shown));
        assert_non_null(strstr(err.hint, "Rename"));
        assert_int_equal(rmdir(cases[i].path), 0);
    }
}

static void ten_thousand_migrations_are_read_in_order(void **state)
{
    enum { MANY = 10000 };
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;
    char path[64];

    (void)state;
    scratch_make_directory("m");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(path, sizeof path, "m/%014d_step", i * 7919 % MANY);
        scratch_make_directory(path);
    }
    assert_true(
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
    assert_int_equal(folder.count, MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(path, sizeof path, "%014d_step", i);
        assert_string_equal(folder.items[i].name, path);
    }
}

static void a_migration_is_found_by_its_bytes(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;

    (void)state;
    scratch_make_directory("m");
    scratch_make_directory("m/1_a");
    assert_true(
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
    assert_string_equal(folder.path, "m");
    assert_string_equal(folder_find(&folder, "1_a")->script_path, "m/1_a/migration.sql");
    assert_null(folder_find(&folder, "1_A"));
    assert_null(folder_find(&folder, "1_"));
    assert_null(folder_find(&folder, ""));
}

static void a_folder_is_limited_to_a_name(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;

    (void)state;
    scratch_make_directory("m");
    scratch_make_directory("m/1_a");
    scratch_make_directory("m/2_b");
    assert_true(
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
    assert_null(folder_limit_name(&folder));
    assert_true(folder_limit(&folder, "1_a", &err));
    assert_int_equal(folder.beyond, 1);
    assert_string_equal(folder_limit_name(&folder), "1_a");
    assert_true(folder_limit(&folder, "2_b", &err));
    assert_null(folder_limit_name(&folder));
    assert_false(folder_limit(&folder, "2_", &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.hint, "2_b"));
}

static void a_folder_that_is_not_there_is_not_an_empty_one(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct folder folder;
    struct error err;

    (void)state;
    assert_false(
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.message, "\"m\""));
    assert_non_null(strstr(err.hint, "--migrations"));
    scratch_write("m", "", 0);
    assert_false(
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err));
    assert_int_equal(err.class, ERROR_USAGE);
}

static void a_folder_without_a_lock_file_is_not_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("none");
    assert_true(folder_check(&DIALECT_PRISMA, "none", &err));
}

static void a_lock_file_that_cannot_be_read_is_not_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("odd");
    scratch_make_directory("odd/migration_lock.toml");
    assert_true(folder_check(&DIALECT_PRISMA, "odd", &err));
}

static void the_lock_file_of_the_folder_is_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("right");
    scratch_write("right/migration_lock.toml", "provider = \"postgresql\"\n", 24);
    assert_true(folder_check(&DIALECT_PRISMA, "right", &err));
    scratch_make_directory("wrong");
    scratch_write("wrong/migration_lock.toml", "provider = \"mysql\"\n", 19);
    assert_false(folder_check(&DIALECT_PRISMA, "wrong", &err));
    assert_string_equal(err.place.file, "wrong/migration_lock.toml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_directory_is_a_migration_and_nothing_else_is, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(the_folder_itself_may_be_a_link, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_mounted_config_map_is_read_behind_its_links, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(names_need_no_time_stamp, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_name_may_be_as_long_as_a_directory_s, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_name_that_no_ledger_can_hold_is_refused, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(ten_thousand_migrations_are_read_in_order, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(a_migration_is_found_by_its_bytes, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_folder_is_limited_to_a_name, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_not_an_empty_one, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(a_folder_without_a_lock_file_is_not_checked, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(a_lock_file_that_cannot_be_read_is_not_checked, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(the_lock_file_of_the_folder_is_checked, scratch_enter, scratch_leave),
    };

    log_configure(LOG_ERROR, LOG_TEXT); /* warnings are wanted here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
