#include <string.h>

#include "base/memory.h"
#include "execution/failure_text.h"
#include "history/compare.h"
#include "history/inverse.h"
#include "history/script_file.h"
#include "scratch.h"

enum { SCRIPT_MOST = 1024 };

static void where_each_tool_has_it(void **state)
{
    static const struct {
        const struct dialect *dialect;
        const char *script;
        const char *inverse; /* NULL = it has none */
    } rows[] = {
        { &DIALECT_PRISMA, "1_a/migration.sql", "1_a/down.sql" },
        { &DIALECT_PRISMA, "2_b/migration.sql", NULL },
        { &DIALECT_GOOSE, "00001_a.sql", "00001_a.sql" },
        { &DIALECT_DBMATE, "00001_a.sql", "00001_a.sql" },
        { &DIALECT_GOLANG_MIGRATE, "1_a.up.sql", "1_a.down.sql" },
        { &DIALECT_SQLX, "1_a.up.sql", "1_a.down.sql" },
        { &DIALECT_SQLX, "00001_a.sql", NULL },
    };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    scratch_make_directory("1_a");
    scratch_make_directory("2_b");
    scratch_write("1_a/down.sql", "", 0);
    scratch_write("00001_a.sql", "", 0);
    scratch_write("1_a.down.sql", "", 0);
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct migration migration = { .name = "1_a", .script_path = rows[i].script };
        struct migration inverse;
        struct error err;
        bool is_found = inverse_of(arena, rows[i].dialect, &migration, &inverse, &err);

        assert_int_equal(is_found, rows[i].inverse != NULL);
        if (!is_found) {
            assert_int_equal(err.class, ERROR_REFUSED);
            assert_non_null(strstr(err.message, "migration \"1_a\" has no inverse: "));
            continue;
        }
        assert_string_equal(inverse.script_path, rows[i].inverse);
        assert_string_equal(inverse.name, "1_a");
        assert_true(inverse.is_inverse);
    }
}

static void tools_without_any_are_refused(void **state)
{
    struct error err;

    (void)state;
    assert_true(inverse_check(&DIALECT_PRISMA, &err));
    assert_false(inverse_check(&DIALECT_FLYWAY, &err));
    assert_int_equal(err.class, ERROR_REFUSED);
    assert_string_equal(err.message, "folders of Flyway hold nothing that undoes a migration");
}

/* Each line stays in its place. */
static void of_a_script_with_both_only_the_way_back_is_run(void **state)
{
    static const struct {
        const struct dialect *dialect;
        const char *script;
        const char *inverse;
    } rows[] = {
        { &DIALECT_GOOSE, "-- +goose Up\nup;\n-- +goose Down\ndown;\n", "\n\n\ndown;\n" },
        { &DIALECT_GOOSE, "-- +goose Up\nup;\n", "\n\n" },
        { &DIALECT_DBMATE, "-- migrate:up\nup;\n-- migrate:down\ndown;\n",
          "-- migrate:up\n   \n-- migrate:down\ndown;\n" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct script_source source = { .path = "1.sql", .name = "1.sql", .is_inverse = true };
        auto_text struct text script = text_init(SCRIPT_MOST);
        struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
        struct error err;

        text_add_string(&script, rows[i].script);
        assert_true(rows[i].dialect->read_script(&source, &script, &wishes, &err));
        assert_string_equal(script.at, rows[i].inverse);
    }
}

static void several_ways_back_are_refused(void **state)
{
    const struct script_source source = { .path = "1.sql", .name = "1.sql", .is_inverse = true };
    auto_text struct text script = text_init(SCRIPT_MOST);
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err;

    (void)state;
    text_add_string(&script,
                    "-- migrate:up\na;\n-- migrate:down\nb;\n-- migrate:up\nc;\n-- migrate:down\nd;\n");
    assert_false(DIALECT_DBMATE.read_script(&source, &script, &wishes, &err));
    assert_string_equal(err.message, "the script has several ways back");
}

static void what_is_applied_from_a_number_on_is_due(void **state)
{
    struct history_item items[] = {
        { .verdict = VERDICT_APPLIED },
        { .verdict = VERDICT_EDITED, .is_due = true },
        { .verdict = VERDICT_PENDING, .is_due = true },
        { .verdict = VERDICT_APPLIED },
    };
    const struct folder folder = { .count = array_length(items) };
    struct history history = { .items = items, .due_count = 1 };

    (void)state;
    history_aim_back(&history, &folder, 1);
    assert_int_equal(history.due_count, 2);
    assert_false(items[0].is_due);
    assert_true(items[1].is_due);
    assert_false(items[2].is_due);
    assert_true(items[3].is_due);
    history_aim_back(&history, &folder, folder.count);
    assert_int_equal(history.due_count, 0);
}

static void what_is_said_of_one_that_fails(void **state)
{
    static const struct {
        struct failure_facts facts;
        enum error_class class;
        const char *holds;
        const char *hint;
    } rows[] = {
        { { .class = ERROR_CLEAN, .sqlstate = "42P01", .has_begun = true, .is_connected = true },
          ERROR_CLEAN,
          "1_a is still applied. Already rolled back by this run: 2 migrations.",
          "Correct 1_a/down.sql and type the same again." },
        { { .class = ERROR_REFUSED,
            .sqlstate = "",
            .has_begun = true,
            .is_connected = true,
            .has_hint = true },
          ERROR_REFUSED,
          "1_a is still applied. Already rolled back by this run: 2 migrations.",
          "" },
        { { .class = ERROR_INTERRUPTED, .sqlstate = "57014", .has_begun = true, .is_connected = true },
          ERROR_INTERRUPTED,
          "1_a is still applied. Already rolled back by this run: 2 migrations.",
          "Type the same again." },
        { { .class = ERROR_LOST, .sqlstate = "", .has_begun = true, .is_in_doubt = true },
          ERROR_LOST,
          "It is not known yet whether 1_a was rolled back. Already rolled back by this run: 2 migrations.",
          "To see what the database holds: tidelock status." },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct failure failure = { .facts = rows[i].facts,
                                   .names = { .migration = "1_a", .script = "1_a/down.sql", .before = 2 } };
        struct error err = { .class = rows[i].facts.class };

        failure.facts.is_inverse = true;
        failure_describe(&failure, &err);
        assert_int_equal(err.class, rows[i].class);
        assert_string_equal(err.holds, rows[i].holds);
        assert_string_equal(err.hint, rows[i].hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_each_tool_has_it, scratch_enter, scratch_leave),
        cmocka_unit_test(tools_without_any_are_refused),
        cmocka_unit_test(of_a_script_with_both_only_the_way_back_is_run),
        cmocka_unit_test(several_ways_back_are_refused),
        cmocka_unit_test(what_is_applied_from_a_number_on_is_due),
        cmocka_unit_test(what_is_said_of_one_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
