#include <string.h>

#include "dialect/dialect.h"
#include "history/place.h"
#include "scratch.h"

static const struct config NOTHING_SAID = { .migrations = NULL };

static void write_text(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

static void assert_found(const struct config *config, const char *path)
{
    auto_arena struct arena *arena = arena_new();
    const char *found;
    struct error err;

    if (!place_find(arena, &DIALECT_PRISMA, config, &found, &err))
        fail_msg("%s, instead of finding %s", err.message, path);
    assert_string_equal(found, path);
}

static void assert_not_found(const struct config *config, const char *message, const char *detail)
{
    auto_arena struct arena *arena = arena_new();
    const char *found;
    struct error err;

    assert_false(place_find(arena, &DIALECT_PRISMA, config, &found, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.message, message));
    assert_non_null(strstr(err.detail, detail));
    assert_non_null(strstr(err.hint, "--migrations"));
}

static void what_was_said_is_where_it_is(void **state)
{
    static const struct {
        const char *migrations;
        const char *schema;
        const char *path;
    } cases[] = {
        { "said", NULL, "said" },
        { "said", "db/schema.prisma", "said" },
        { "said", "nowhere/schema.prisma", "said" },
        { NULL, "db/schema.prisma", "db/migrations" },
        { NULL, "schema.prisma", "migrations" },
        { NULL, "db/more/schema.prisma", "db/more/migrations" },
        { NULL, "several", "several/migrations" }, /* a directory of several files */
    };

    (void)state;
    scratch_make_directory("several");
    scratch_make_directory("db");
    scratch_make_directory("db/more");
    write_text("schema.prisma", "");
    write_text("db/schema.prisma", "");
    write_text("db/more/schema.prisma", "");
    write_text("prisma.config.ts", "export default { migrations: { path: \"other\" } }");
    for (size_t i = 0; i < array_length(cases); i++) {
        const struct config config = { .migrations = cases[i].migrations, .schema_file = cases[i].schema };

        assert_found(&config, cases[i].path);
    }
}

static void a_schema_that_does_not_exist_is_an_error(void **state)
{
    static const struct config config = { .schema_file = "prisma/schema.prisma" };

    (void)state;
    scratch_make_directory("prisma");
    scratch_make_directory("prisma/migrations");
    assert_not_found(&config, "could not find the schema \"prisma/schema.prisma\"", "");
}

static void without_a_word_the_usual_folders_are_looked_for(void **state)
{
    (void)state;
    assert_not_found(&NOTHING_SAID, "prisma/migrations", "");
    scratch_make_directory("migrations");
    assert_found(&NOTHING_SAID, "migrations");
    scratch_make_directory("prisma");
    write_text("prisma/migrations", "");
    assert_found(&NOTHING_SAID, "migrations");
    assert_int_equal(unlink("prisma/migrations"), 0);
    scratch_make_directory("prisma/migrations");
    assert_found(&NOTHING_SAID, "prisma/migrations");
}

static void prismas_own_configuration_comes_before_the_usual_folders(void **state)
{
    (void)state;
    scratch_make_directory("prisma");
    scratch_make_directory("prisma/migrations");
    scratch_make_directory("db");
    scratch_make_directory("db/migrations");
    write_text("package.json", "{\"prisma\": {\"schema\": \"./db/schema.prisma\"}}");
    assert_found(&NOTHING_SAID, "./db/migrations");
    write_text("prisma.config.mjs", "export default { schema: 'db' }");
    assert_found(&NOTHING_SAID, "db/migrations");
    write_text("prisma.config.ts",
               "export default { migrations: { path: './prisma/migrations' }, schema: 'db' }");
    assert_found(&NOTHING_SAID, "./prisma/migrations");
    scratch_make_directory(".config");
    write_text(".config/prisma7.cts", "export default { migrations: { path: '../db/migrations' } }");
    assert_found(&NOTHING_SAID, ".config/../db/migrations");
    write_text("prisma7.config.js", "export default { }");
    assert_found(&NOTHING_SAID, "prisma/migrations");
}

static void a_folder_that_the_configuration_names_has_to_exist(void **state)
{
    (void)state;
    scratch_make_directory("migrations");
    write_text("package.json", "{\"prisma\": {\"schema\": \"db/schema.prisma\"}}");
    assert_not_found(&NOTHING_SAID, "\"db/migrations\", which package.json names", "");
    write_text("prisma.config.ts", "export default { migrations: { path: '/nowhere/at/all' } }");
    assert_not_found(&NOTHING_SAID, "\"/nowhere/at/all\", which prisma.config.ts names", "");
}

static void a_configuration_that_says_it_in_code_is_named(void **state)
{
    static const char *const texts[] = { "export default { migrations: { path: join('a', 'b') } }",
                                         "export default { schema: join('a', 'b') }",
                                         "module.exports = make()" };

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        write_text("prisma.config.ts", texts[i]);
        assert_not_found(&NOTHING_SAID, "prisma/migrations", "prisma.config.ts may say where it is");
    }
    assert_int_equal(unlink("prisma.config.ts"), 0);
    scratch_make_directory("prisma.config.ts"); /* one that cannot be read */
    assert_not_found(&NOTHING_SAID, "prisma/migrations", "prisma.config.ts may say where it is");
    scratch_make_directory("migrations");
    assert_found(&NOTHING_SAID, "migrations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_said_is_where_it_is, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_schema_that_does_not_exist_is_an_error, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(without_a_word_the_usual_folders_are_looked_for, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(prismas_own_configuration_comes_before_the_usual_folders,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_folder_that_the_configuration_names_has_to_exist, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(a_configuration_that_says_it_in_code_is_named, scratch_enter,
                                        scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
