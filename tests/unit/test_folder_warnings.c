#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "check.h"
#include "history/folder.h"
#include "scratch.h"

enum { LOG_MOST = 65536, NOBODY = 65534 };

/* Reads the folder "m", which must succeed, and gives what was logged meanwhile. */
static const char *log_of_reading(struct text *log)
{
    auto_arena struct arena *arena = arena_new();
    int before = dup(STDERR_FILENO);
    int file = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct folder folder;
    struct error err;
    bool is_read;

    assert_true(before >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    is_read =
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    assert_int_equal(close(before) + close(file), 0);
    assert_true(is_read);
    text_reset(log);
    assert_true(file_read("log", log, &err));
    return log->at;
}

static void make_migrations(const char *const *names, size_t count)
{
    scratch_make_directory("m");
    for (size_t i = 0; i < count; i++) {
        char path[300];

        (void)snprintf(path, sizeof path, "m/%s", names[i]);
        scratch_make_directory(path);
    }
}

static void a_linked_directory_is_warned_of_and_a_linked_file_is_not(void **state)
{
    auto_text struct text log = text_init(LOG_MOST);

    (void)state;
    make_migrations((const char *const[]) { "1_a" }, 1);
    scratch_write("m/README", "x", 1);
    assert_int_equal(symlink("README", "m/linked_file"), 0);
    assert_int_equal(symlink("nowhere", "m/dangling"), 0);
    assert_string_equal(log_of_reading(&log), "");
    assert_int_equal(symlink("1_a", "m/2_b"), 0);
    assert_non_null(strstr(log_of_reading(&log), "\"m/2_b\" is a symbolic link"));
}

static void names_that_prisma_may_sort_otherwise_are_warned_of_once(void **state)
{
    auto_text struct text log = text_init(LOG_MOST);
    const char *first;

    (void)state;
    make_migrations((const char *const[]) { "日本", "本日", "ж", "a" }, 4);
    first = strstr(log_of_reading(&log), "Prisma may sort");
    assert_non_null(first);
    assert_null(strstr(first + 1, "Prisma may sort"));
}

static void foreign_letters_behind_time_stamps_are_nothing_to_warn_of(void **state)
{
    auto_text struct text log = text_init(LOG_MOST);

    (void)state;
    make_migrations((const char *const[]) { "20240101000000_日本", "20240101000001_本", "20240102000000_a" },
                    3);
    assert_string_equal(log_of_reading(&log), "");
}

/* As root permissions don't count: then it is tried as nobody. */
static void a_folder_that_may_not_be_read_is_an_error(void **state)
{
    auto_arena struct arena *arena = arena_new();
    bool is_root = geteuid() == 0;
    struct folder folder;
    struct error err;
    bool is_read;

    (void)state;
    assert_int_equal(chmod(".", 0755), 0);
    make_migrations((const char *const[]) { "1_a" }, 1);
    assert_int_equal(chmod("m", 0), 0);
    if (is_root)
        assert_int_equal(seteuid(NOBODY), 0);
    is_read =
        folder_read(&DIALECT_PRISMA, &(struct directory) { .arena = arena, .path = "m" }, &folder, &err);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod("m", 0755), 0);
    assert_false(is_read);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.message, "Permission denied"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_linked_directory_is_warned_of_and_a_linked_file_is_not,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(names_that_prisma_may_sort_otherwise_are_warned_of_once,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(foreign_letters_behind_time_stamps_are_nothing_to_warn_of,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_folder_that_may_not_be_read_is_an_error, scratch_enter,
                                        scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
