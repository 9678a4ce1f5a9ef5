#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/dialect.h"
#include "dialect/flyway_ledger.h"
#include "dialect/flyway_name.h"
#include "dialect/flyway_script.h"

static void a_file_is_a_migration_by_its_name(void **state)
{
    static const struct {
        const char *name;
        enum entry_kind kind;
    } cases[] = {
        { "V1__a.sql", ENTRY_MIGRATION },
        { "V1.2_3__a.SQL", ENTRY_MIGRATION },
        { "V1.sql", ENTRY_MIGRATION },
        { "V1__.sql", ENTRY_MIGRATION },
        { "B2__a.sql", ENTRY_MIGRATION },
        { "R__a.sql", ENTRY_MIGRATION },
        { "V12345678901234567890123456789__a.sql", ENTRY_MIGRATION },
        { "V__a.sql", ENTRY_OTHER },
        { "V1_a.sql", ENTRY_OTHER },
        { "V1..2__a.sql", ENTRY_OTHER },
        { "V1.__a.sql", ENTRY_OTHER },
        { "v1__a.sql", ENTRY_OTHER },
        { "1__a.sql", ENTRY_OTHER },
        { "R1__a.sql", ENTRY_OTHER },
        { "README.sql", ENTRY_OTHER },
        { "R.sql", ENTRY_OTHER },
        { "baseline 1.sql", ENTRY_OTHER },
        { "U1__a.sql", ENTRY_OTHER },
        { "V1__a.sql.conf", ENTRY_OTHER },
        { "V1__a.txt", ENTRY_OTHER },
        { ".sql", ENTRY_OTHER },
        { "V2__a.java", ENTRY_PROGRAM },
        { "R__a.class", ENTRY_PROGRAM },
        { "V2__a.sh", ENTRY_PROGRAM },
        { "beforeMigrate.sql", ENTRY_FORBIDDEN },
        { "afterEachMigrate__x.sql", ENTRY_FORBIDDEN },
        { "afterMigrate.sh", ENTRY_FORBIDDEN },
        { "afterMigrated.sql", ENTRY_OTHER },
        { "beforeClean.sql", ENTRY_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (flyway_entry_kind_of(cases[i].name, false) != cases[i].kind)
            fail_msg("%s", cases[i].name);
    }
    assert_true(flyway_entry_kind_of("V1__a.sql", true) == ENTRY_OTHER);
}

static void a_key_is_the_version_without_what_does_not_count(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        const char *description;
    } cases[] = {
        { "V1__a_b.sql", "1", "a b" },
        { "x/y/V001_02.0_00__a.sql", "1.2", "a" },
        { "V0.0__a.sql", "0", "a" },
        { "V1_0_1.sql", "1.0.1", "" },
        { "V10__a__b.sql", "10", "a  b" },
        { "V1___a.sql", "1", " a" },
        { "B007__a.sql", "B7", "a" },
        { "R__a b_c.sql", "R__a_b_c", "a b c" },
        { "1.2", "1.2", "" },
        { "B1.0", "B1", "" },
        { "baseline 1.0", "B1", "" },
        { "R__a_b_c", "R__a_b_c", "a b c" },
    };
    char text[KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        flyway_key_of(cases[i].name, text);
        assert_string_equal(text, cases[i].key);
        flyway_describe(cases[i].name, text);
        assert_string_equal(text, cases[i].description);
    }
}

static void a_long_description_is_cut(void **state)
{
    char name[300] = "R__";
    char text[KEY_SIZE];

    (void)state;
    memset(name + 3, 'a', 200);
    flyway_describe(name, text);
    assert_int_equal(strlen(text), 200);
    assert_null(strchr(text, '.'));
    name[203] = 'b';
    flyway_describe(name, text);
    assert_int_equal(strlen(text), 200);
    assert_string_equal(text + 196, "a...");
    flyway_key_of(name, text);
    assert_string_equal(text + 199, "a...");
}

static void names_sort_by_version_and_repeatables_last(void **state)
{
    static const char *const sorted[] = { "V0.9__a.sql",  "z/V1__a.sql",  "V1.0.1__a.sql",
                                          "V1.2__a.sql",  "V1.10__a.sql", "V9__a.sql",
                                          "B9.0__a.sql",  "V10__a.sql",   "V99999999999999999999__a.sql",
                                          "b/R__a b.sql", "R__a_c.sql",   "R__aa.sql",
                                          "a/R__b.sql" };
    struct order_key keys[array_length(sorted)];

    (void)state;
    for (size_t i = 0; i < array_length(sorted); i++)
        keys[i] = flyway_order_key_of(sorted[(i * 5) % array_length(sorted)]);
    qsort(keys, array_length(keys), sizeof *keys, flyway_compare_keys);
    for (size_t i = 0; i < array_length(sorted); i++)
        assert_string_equal(keys[i].name, sorted[i]);
}

/* Lines end at LF, CR or both. */
static void a_checksum_is_of_lines(void **state)
{
    static const struct {
        const char *script;
        const char *checksum;
    } cases[] = {
        { "CREATE TABLE a(x int);\n", "762371854" },
        { "CREATE TABLE a(x int);", "762371854" },
        { "\xEF\xBB\xBF"
          "CREATE TABLE a(x int);\r\n",
          "762371854" },
        { "CREATE TABLE a(x int);\r\nCREATE TABLE b(y int);\r\n", "1727423612" },
        { "CREATE TABLE a(x int);\rCREATE TABLE b(y int);", "1727423612" },
        { "INSERT INTO b VALUES (2);\n", "-1018166210" },
        { "", "0" },
    };
    char checksum[CHECKSUM_SIZE];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        flyway_checksum_of(slice_of(cases[i].script), checksum);
        assert_string_equal(checksum, cases[i].checksum);
        assert_true(flyway_checksum_matches(cases[i].checksum, slice_of(cases[i].script)));
    }
    assert_false(flyway_checksum_matches("1", slice_of("")));
}

static void the_lock_s_key_is_java_s_hash_of_the_table(void **state)
{
    struct tool_keys keys;

    (void)state;
    flyway_keys_of(&(const struct ledger_place) { "appdb", "public", "flyway_schema_history" }, &keys);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.keys[0], "77433833903597");
    flyway_keys_of(&(const struct ledger_place) { "appdb", "sch\"\xC3\xA4", "\xF0\x9F\x90\x98" }, &keys);
    assert_string_equal(keys.keys[0], "77430876335640");
}

static const char *variable(const char *name)
{
    static const char *const known[][2] = { { "FLYWAY_PLACEHOLDERS_SIZE", "42" },
                                            { "FLYWAY_PLACEHOLDERS_EMPTY", "" },
                                            { "FLYWAY_PLACEHOLDERS_low", "l" } };

    for (size_t i = 0; i < array_length(known); i++) {
        if (strcmp(name, known[i][0]) == 0)
            return known[i][1];
    }
    return NULL;
}

static bool read(const char *name, const char *script, const char *settings, struct text *out,
                 struct script_wishes *wishes, struct error *err)
{
    static const struct script_session session = {
        .database = "appdb", .schema = "app", .role = "joe", .table = "history"
    };
    const struct script_source source = {
        .path = name, .name = name, .settings = slice_of(settings), .session = &session, .variable = variable
    };

    *wishes = (struct script_wishes) { .transaction = SCRIPT_TRANSACTION_UNSAID };
    text_reset(out);
    text_add_string(out, script);
    return flyway_script_read(&source, out, wishes, err);
}

static void placeholders_are_replaced_everywhere(void **state)
{
    static const struct {
        const char *script;
        const char *replaced;
    } cases[] = {
        { "SELECT ${size};", "SELECT 42;" },
        { "${SIZE}${Size}-- ${empty}|${low}", "4242-- |l" },
        { "'${flyway:defaultSchema}' ${flyway:USER} ${flyway:database} ${flyway:table}",
          "'app' joe appdb history" },
        { "${flyway:filename} ${flyway:environment}", "V1__a.sql default" },
        { "$${size} $ { ${", NULL },
        { "$${size} $ {", "$42 $ {" },
        { "${unknown}", NULL },
        { "${flyway:workingDirectory}", NULL },
        { "${size", NULL },
        { "nothing", "nothing" },
    };
    struct script_wishes wishes;
    struct error err;

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text script = text_init(1024);

        if (read("d/V1__a.sql", cases[i].script, "", &script, &wishes, &err) != (cases[i].replaced != NULL))
            fail_msg("%s", cases[i].script);
        if (cases[i].replaced != NULL)
            assert_string_equal(script.at, cases[i].replaced);
    }
}

static void an_unknown_placeholder_is_an_error_with_its_place(void **state)
{
    auto_text struct text script = text_init(1024);
    struct script_wishes wishes;
    struct error err;

    (void)state;
    assert_false(read("V1__a.sql", "SELECT 1;\n  ${nope}", "", &script, &wishes, &err));
    assert_int_equal(err.class, ERROR_CLEAN);
    assert_int_equal(err.place.line, 2);
    assert_string_equal(err.message, "nothing is known of the placeholder ${nope}");
    assert_false(read("R__a.sql", "${flyway:timestamp}", "", &script, &wishes, &err));
    assert_true(read("V1__a.sql", "${flyway:timestamp}", "", &script, &wishes, &err));
    assert_int_equal(script.length, strlen("2026-01-31 12:00:00"));
}

static void settings_beside_a_script_are_obeyed(void **state)
{
    auto_text struct text script = text_init(1024);
    struct script_wishes wishes;
    struct error err;

    (void)state;
    assert_true(read("V1__a.sql", "${x}", "# x\n\nplaceholderReplacement = FALSE\r\nencoding=utf-8", &script,
                     &wishes, &err));
    assert_string_equal(script.at, "${x}");
    assert_true(wishes.transaction == SCRIPT_TRANSACTION_UNSAID && wishes.mixed_hint != NULL);
    assert_true(read("V1__a.sql", "", "executeInTransaction=false\n", &script, &wishes, &err));
    assert_true(wishes.transaction == SCRIPT_TRANSACTION_OFF && wishes.mixed_hint == NULL);
    assert_true(read("V1__a.sql", "", "executeInTransaction=true\n", &script, &wishes, &err));
    assert_true(wishes.transaction == SCRIPT_TRANSACTION_ON);
    assert_false(read("V1__a.sql", "", "encoding=ISO-8859-1", &script, &wishes, &err));
    assert_false(read("V1__a.sql", "", "executeInTransaction=maybe", &script, &wishes, &err));
    assert_false(read("V1__a.sql", "", "shouldExecute=true", &script, &wishes, &err));
    assert_false(read("V1__a.sql", "", "other", &script, &wishes, &err));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_a_migration_by_its_name),
        cmocka_unit_test(a_key_is_the_version_without_what_does_not_count),
        cmocka_unit_test(a_long_description_is_cut),
        cmocka_unit_test(names_sort_by_version_and_repeatables_last),
        cmocka_unit_test(a_checksum_is_of_lines),
        cmocka_unit_test(the_lock_s_key_is_java_s_hash_of_the_table),
        cmocka_unit_test(placeholders_are_replaced_everywhere),
        cmocka_unit_test(an_unknown_placeholder_is_an_error_with_its_place),
        cmocka_unit_test(settings_beside_a_script_are_obeyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
