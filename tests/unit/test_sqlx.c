#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/dialect.h"
#include "dialect/sqlx_config.h"
#include "dialect/sqlx_ledger.h"

static void a_file_is_told_by_its_name(void **state)
{
    static const struct {
        const char *name;
        enum entry_kind kind;
    } cases[] = {
        { "1_users.sql", ENTRY_MIGRATION },
        { "20240101000000_users.up.sql", ENTRY_MIGRATION },
        { "0_.sql", ENTRY_MIGRATION },
        { "9223372036854775807_last.sql", ENTRY_MIGRATION },
        { "1_users.down.sql", ENTRY_OTHER },
        { "1_users.sql.bak", ENTRY_OTHER },
        { "1-users.sql", ENTRY_OTHER },
        { "users.sql", ENTRY_OTHER },
        { "x_users.sql", ENTRY_MISNAMED },
        { "1x_users.sql", ENTRY_MISNAMED },
        { "-1_users.sql", ENTRY_MISNAMED },
        { "_users.sql", ENTRY_MISNAMED },
        { "9223372036854775808_last.sql", ENTRY_MISNAMED },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (DIALECT_SQLX.entry_kind_of(cases[i].name, false) != cases[i].kind)
            fail_msg("%s is taken for something else", cases[i].name);
    }
    assert_int_equal(DIALECT_SQLX.entry_kind_of("1_users.sql", true), ENTRY_OTHER);
}

static void what_the_ledger_calls_it_follows_from_its_name(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        const char *description;
    } cases[] = {
        { "1_users.sql", "1", "users" },
        { "0002_more_users.up.sql", "2", "more users" },
        { "00_.sql", "0", "" },
        { "3_a.sql.sql", "3", "a" },
        { "4__b_.up.sql.up.sql", "4", " b " },
    };
    char text[KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        DIALECT_SQLX.key_of(cases[i].name, text);
        assert_string_equal(text, cases[i].key);
        DIALECT_SQLX.describe(cases[i].name, text);
        assert_string_equal(text, cases[i].description);
    }
}

static enum script_transaction wish_of(const char *script)
{
    auto_text struct text text = text_init(1024);
    struct script_wishes wishes = { .is_skipped = false };
    struct error err = { .class = ERROR_NONE };

    text_add_string(&text, script);
    assert_true(
        DIALECT_SQLX.read_script(&(const struct script_source) { .name = "1_a.sql" }, &text, &wishes, &err));
    assert_string_equal(text.at, script);
    return wishes.transaction;
}

static void only_its_first_bytes_switch_the_transaction_off(void **state)
{
    (void)state;
    assert_int_equal(wish_of("-- no-transaction\nSELECT 1"), SCRIPT_TRANSACTION_OFF);
    assert_int_equal(wish_of("-- no-transactions, please"), SCRIPT_TRANSACTION_OFF);
    assert_int_equal(wish_of(" -- no-transaction\n"), SCRIPT_TRANSACTION_ON);
    assert_int_equal(wish_of("\xEF\xBB\xBF-- no-transaction\n"), SCRIPT_TRANSACTION_ON);
    assert_int_equal(wish_of("-- No-Transaction\n"), SCRIPT_TRANSACTION_ON);
    assert_int_equal(wish_of("--no-transaction\n"), SCRIPT_TRANSACTION_ON);
    assert_int_equal(wish_of(""), SCRIPT_TRANSACTION_ON);
}

static void a_checksum_is_of_the_raw_bytes(void **state)
{
    static const char stored[] =
        "1c478049b58d048bb8088efeba78737008bd14dac48c99d587b2bf5c777c626ba5201213e25b5c"
        "725d418f27a99d3e43";
    char checksum[CHECKSUM_SIZE];

    (void)state;
    DIALECT_SQLX.checksum_of(slice_of("CREATE TABLE a(x int);\n"), checksum);
    assert_string_equal(checksum, stored);
    assert_true(DIALECT_SQLX.checksum_matches(stored, slice_of("CREATE TABLE a(x int);\n")));
    assert_false(DIALECT_SQLX.checksum_matches(stored, slice_of("CREATE TABLE a(x int);\r\n")));
}

static void its_lock_is_the_database_s(void **state)
{
    struct tool_keys keys;

    (void)state;
    sqlx_keys_of(&(const struct ledger_place) { "appdb", "public", "_sqlx_migrations" }, &keys);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.keys[0], "4402498167645207530");
}

static void a_configuration_is_heard_where_it_says_more(void **state)
{
    static const struct {
        const char *text;
        enum error_class class;
    } cases[] = {
        { "", ERROR_NONE },
        { "[common]\nignored-chars = [\"a\"]\n", ERROR_NONE },
        { "[migrate]\nignored-chars = []", ERROR_NONE },
        { "[migrate]\nignored-chars = [ # none\n # at all\n]\n", ERROR_NONE },
        { "[migrate]\r\nignored-chars=[\"\\r\"]\r\n", ERROR_REFUSED },
        { "[migrate]\nignored-chars = [\n  # blanks\n  \" \"\n]\n", ERROR_REFUSED },
        { "migrate.ignored-chars = [\" \"]\n", ERROR_REFUSED },
        { "[migrate] # ours\ntable-name = \"_sqlx_migrations\" # as ever", ERROR_NONE },
        { "[migrate]\ntable-name = '\"_sqlx_migrations\"'", ERROR_NONE },
        { "[migrate]\ntable-name = \"\\\"_sqlx_migrations\\\"\"", ERROR_NONE },
        { "[migrate]\ntable-name = \"shop._sqlx_migrations\"\n", ERROR_USAGE },
        { "[migrate]\ntable-names = \"x\"\n[migrate.defaults]\ntable-name = \"x\"\n", ERROR_NONE },
        { "[migrate]\ntable-name", ERROR_NONE },
        { "[migrate]\ntable-name =", ERROR_USAGE },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err = { .class = ERROR_NONE };

        if (sqlx_config_check(&DIALECT_SQLX, "sqlx.toml", slice_of(cases[i].text), &err) !=
                (cases[i].class == ERROR_NONE) ||
            err.class != cases[i].class)
            fail_msg("%s", cases[i].text);
    }
}

static bool is_recognised(const char *one, const char *other, const char *script)
{
    const struct folder_entry entries[] = { { .name = one }, { .name = other } };

    return DIALECT_SQLX.recognises(&(const struct folder_look) {
        .entries = entries, .count = array_length(entries), .script = slice_of(script) });
}

static void a_folder_of_numbered_files_is_its_own_unless_another_tool_has_marked_them(void **state)
{
    (void)state;
    assert_true(is_recognised("1_users.sql", "README.md", "SELECT 1"));
    assert_true(is_recognised("1_users.down.sql", "1_users.up.sql", ""));
    assert_false(is_recognised("1_users.down.sql", "2_users.up.sql", ""));
    assert_false(is_recognised("README.md", "users.sql", "SELECT 1"));
    assert_false(is_recognised("1_users.sql", "V2__more.sql", "SELECT 1"));
    assert_false(is_recognised("1_users.sql", "README.md", "-- +goose Up\nSELECT 1"));
    assert_false(is_recognised("1_users.sql", "README.md", "-- migrate:up\nSELECT 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_told_by_its_name),
        cmocka_unit_test(what_the_ledger_calls_it_follows_from_its_name),
        cmocka_unit_test(only_its_first_bytes_switch_the_transaction_off),
        cmocka_unit_test(a_checksum_is_of_the_raw_bytes),
        cmocka_unit_test(its_lock_is_the_database_s),
        cmocka_unit_test(a_configuration_is_heard_where_it_says_more),
        cmocka_unit_test(a_folder_of_numbered_files_is_its_own_unless_another_tool_has_marked_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
