#include "base/memory.h"
#include "check.h"
#include "history/edit.h"
#include "sql/gist.h"
#include "sql/script.h"

static void what_was_edited_is_found_by_the_checksum(void **state)
{
    static const struct {
        const char *was;
        const char *is;
        enum edit edit;
    } rows[] = {
        { "SELECT 1;\n", "SELECT 1;\n", EDIT_NONE },
        { "SELECT 1;\n", "SELECT 1;\r\n", EDIT_NONE },
        { "SELECT 1;\n", "SELECT 1;", EDIT_BLANKS },
        { "SELECT 1;", "SELECT 1;\n\n", EDIT_BLANKS },
        { "SELECT 1;\nSELECT 2;\n", "SELECT 1; \t\r\nSELECT 2;  \r\n", EDIT_BLANKS },
        { "SELECT 1;\n", "\xEF\xBB\xBFSELECT 1;\n", EDIT_BLANKS },
        { "\xEF\xBB\xBFSELECT 1;", "SELECT 1;\r\n", EDIT_BLANKS },
        { "SELECT 1;\n", "\n \nSELECT 1;\n", EDIT_BLANKS },
        { "SELECT 1;\n", "-- tidelock: retry-for=1h\nSELECT 1;\n", EDIT_COMMENTS },
        { "SELECT 1;\n", "-- why\n\n\nSELECT 1;", EDIT_COMMENTS },
        { "-- CreateTable\nSELECT 1;\n", "/* why */\n  -- so\n-- CreateTable\nSELECT 1;\n", EDIT_COMMENTS },
        { "SELECT 1;\nSELECT 2;\n", "SELECT 1; -- one\n-- two\nSELECT 2; /* end */\n", EDIT_COMMENTS },
        { "SELECT 1 ;\n", "SELECT 1;\n", EDIT_UNKNOWN },
        { "SELECT 1;\n", "SELECT 2;\n", EDIT_UNKNOWN },
        { "-- why\nSELECT 1;\n", "SELECT 1;\n", EDIT_UNKNOWN },
        { "SELECT '--';\n", "SELECT '-- x';\n", EDIT_UNKNOWN },
        { "SELECT 1;\n", "", EDIT_UNKNOWN },
        { "", "\n", EDIT_BLANKS },
        { "", "-- nothing\n", EDIT_COMMENTS },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        char stored[CHECKSUM_SIZE];
        enum edit edit;

        DIALECT_PRISMA.checksum_of(slice_of(rows[i].was), stored);
        edit = edit_find(&DIALECT_PRISMA, &(const struct edit_facts) { .checksum = stored },
                         slice_of(rows[i].is));
        if (edit != rows[i].edit)
            fail_msg("%s: %d instead of %d", rows[i].is, (int)edit, (int)rows[i].edit);
    }
}

static enum edit find(const char *checksum, const struct text *script)
{
    return edit_find(&DIALECT_PRISMA, &(const struct edit_facts) { .checksum = checksum },
                     text_slice(script));
}

static void many_comments_are_found(void **state)
{
    auto_text struct text script = text_init(4096);
    char stored[CHECKSUM_SIZE];

    (void)state;
    DIALECT_PRISMA.checksum_of(slice_of("SELECT 1;\n"), stored);
    for (int i = 0; i < 20; i++)
        text_add_format(&script, "-- %d\n", i);
    text_add_string(&script, "SELECT 1;\n");
    assert_int_equal(find(stored, &script), EDIT_COMMENTS);
}

static void a_large_script_is_only_compared_as_it_is(void **state)
{
    enum { LENGTH = 1024 * 1024 + 1 };
    auto_text struct text script = text_init(2 * (size_t)LENGTH);
    char stored[CHECKSUM_SIZE];

    (void)state;
    while (script.length < LENGTH)
        text_add_string(&script, "SELECT 1;\n");
    DIALECT_PRISMA.checksum_of(text_slice(&script), stored);
    assert_int_equal(find(stored, &script), EDIT_NONE);
    text_add_string(&script, "\n");
    assert_int_equal(find(stored, &script), EDIT_UNKNOWN);
}

/* With the gist, wherever they are. */
static void blanks_and_comments_between_tokens_are_found(void **state)
{
    static const struct {
        const char *was;
        const char *is;
        enum edit edit;
    } rows[] = {
        { "SELECT 1 ;\n", "SELECT 1;\n", EDIT_COMMENTS },
        { "-- why\nSELECT 1;\n", "SELECT 1;\n", EDIT_COMMENTS },
        { "CREATE TABLE t (a int, b int);", "CREATE TABLE t (\n    a int, -- one\n    b /* two */ int\n);\n",
          EDIT_COMMENTS },
        { "SELECT a=1,b", "SELECT a = 1, b -- so", EDIT_COMMENTS },
        { "SELECT f(a)::int", "SELECT f( a ) ::int", EDIT_COMMENTS },
        { "DO $$ BEGIN -- x\nEND $$;", "DO\n$$ BEGIN -- x\nEND $$ ;", EDIT_COMMENTS },
        { "\xEF\xBB\xBFSELECT 1 ;", "SELECT 1;", EDIT_COMMENTS },
        { "SELECT 1;\n", "SELECT 1\n", EDIT_COMMENTS },
        { "SELECT 1; SELECT 2", ";SELECT 1;; SELECT 2;", EDIT_COMMENTS },
        { "SELECT 1;\n", "SELECT 2;\n", EDIT_SQL },
        { "SELECT 1; SELECT 2;", "SELECT 1 SELECT 2;", EDIT_SQL },
        { "SELECT 1; SELECT 2;", "SELECT 1;", EDIT_SQL },
        { "SELECT '--';\n", "SELECT '-- x';\n", EDIT_SQL },
        { "SELECT 'a b';\n", "SELECT 'a  b';\n", EDIT_SQL },
        { "SELECT 1 AS \"a b\";", "SELECT 1 AS \"a  b\";", EDIT_SQL },
        { "DO $$ BEGIN -- x\nEND $$;", "DO $$ BEGIN\nEND $$;", EDIT_SQL },
        { "SELECT 1e5", "SELECT 1 e5", EDIT_SQL },
        { "SELECT a <= b", "SELECT a < = b", EDIT_SQL },
        { "SELECT a.b", "SELECT a .b", EDIT_SQL }, /* the same, which it may not know */
        { "SELECT 1, 2", "SELECT 1 2", EDIT_SQL },
        { "SELECT ab", "SELECT a b", EDIT_SQL },
        { "SELECT a/**/b", "SELECT ab", EDIT_SQL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        char stored[CHECKSUM_SIZE];
        char gist[SHA256_HEX_SIZE];
        enum edit edit;

        DIALECT_PRISMA.checksum_of(slice_of(rows[i].was), stored);
        gist_of(script_without_bom(slice_of(rows[i].was)), true, gist);
        edit = edit_find(&DIALECT_PRISMA, &(const struct edit_facts) { stored, gist, true },
                         slice_of(rows[i].is));
        if (edit != rows[i].edit)
            fail_msg("%s: %d instead of %d", rows[i].is, (int)edit, (int)rows[i].edit);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_edited_is_found_by_the_checksum),
        cmocka_unit_test(blanks_and_comments_between_tokens_are_found),
        cmocka_unit_test(many_comments_are_found),
        cmocka_unit_test(a_large_script_is_only_compared_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
