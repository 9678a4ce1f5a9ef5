#include <string.h>

#include "check.h"
#include "schema/script.h"
#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

#define HEAD "tidelock snapshot 1, PostgreSQL 15\n"

/* Facts without the head and the tail of a snapshot. */
static struct facts read_text(struct arena *arena, const char *text)
{
    auto_text struct text whole = text_init(SIZE_MAX);
    struct facts facts;
    struct error err;
    size_t count = 0;

    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        count += *line != ' ';
    text_add_format(&whole, HEAD "%send of %zu fact%s\n", text, count, text_plural(count));
    if (!facts_read(arena, "file", text_slice(&whole), &facts, &err))
        fail_msg("%s: %s", err.message, text);
    return facts;
}

/* Facts, without their head, and the script that comes of them, or why there is none. */
struct row {
    const char *from;
    const char *to;
    const char *script;
    const char *reason;
};

static void check_row(const struct row *row, bool is_online)
{
    auto_arena struct arena *arena = arena_new();
    struct script_request request = { .is_online = is_online };
    struct script_result result;
    struct facts from = read_text(arena, row->from);
    struct facts to = read_text(arena, row->to);

    request.from = &from;
    request.to = &to;
    script_write(arena, &request, &result);
    assert_string_equal(result.script.at, row->script == NULL ? "" : row->script);
    assert_int_equal(result.refusal_count > 0, row->reason != NULL);
    if (row->reason != NULL)
        assert_string_equal(result.refusals[0].reason, row->reason);
    text_clear(&result.script);
}

#define T "schema public\ntable public.t\n  columns a\ncolumn public.t.a\n  integer\n"

static void each_difference_has_its_statement(void **state)
{
    static const struct row rows[] = {
        { T, T, NULL, NULL },
        { "schema public\n", T, "CREATE TABLE public.t (\n    a integer\n);\n", NULL },
        { T, "schema public\n", "-- Data is lost: the table public.t is dropped.\nDROP TABLE public.t;\n",
          NULL },
        { T, T "index public.i\n  CREATE INDEX i ON public.t USING btree (a)\n",
          "CREATE INDEX i ON public.t USING btree (a);\n", NULL },
        { T "comment table public.t\n  x\n", T, "COMMENT ON TABLE public.t IS NULL;\n", NULL },
        { T "enum public.e\n  'a', 'c'\n", T "enum public.e\n  'a', 'b', 'c', 'd'\n",
          "ALTER TYPE public.e ADD VALUE 'b' BEFORE 'c';\nALTER TYPE public.e ADD VALUE 'd';\n", NULL },
        { T "constraint public.t.k\n  CHECK ((a > 0)) NOT VALID\n",
          T "constraint public.t.k\n  CHECK ((a > 0))\n", "ALTER TABLE public.t VALIDATE CONSTRAINT k;\n",
          NULL },
        { T "grant table public.t to x\n  SELECT, UPDATE with grant option\n",
          T "grant table public.t to x\n  INSERT, UPDATE\n",
          "GRANT INSERT ON TABLE public.t TO x;\nREVOKE SELECT ON TABLE public.t FROM x;\n"
          "REVOKE GRANT OPTION FOR UPDATE ON TABLE public.t FROM x;\n",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++)
        check_row(&rows[i], false);
}

static void what_cannot_be_written_leaves_no_script(void **state)
{
    static const struct row rows[] = {
        { T "enum public.e\n  'a', 'b'\nenum public.e_old\n  'a'\n", T "enum public.e\n  'b'\n", NULL,
          "a value goes, and the name that the type would have meanwhile is taken" },
        { T "enum public.e\n  'a', 'b'\ndomain public.d\n  public.e\n",
          T "enum public.e\n  'b'\ndomain public.d\n  public.e\n", NULL,
          "it uses something that has to be dropped, and holds data" },
        { T, "schema public\ntable public.t\n  columns a\ncolumn public.t.a\n  uuid\n", NULL,
          "its type changes, and how its values become the new one has to be said: USING" },
        { T, T "setting app.x\n", NULL,
          "its value may be a secret, which no snapshot holds, or cannot be read" },
        { T, T "unheard-of x\n", NULL, "no statement is known for this kind" },
        { T, T "index public.i\n  CREATE INDEX i ON public.t USING btree (a)\n  invalid\n", NULL,
          "it is invalid, or cannot be read" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++)
        check_row(&rows[i], false);
}

static void online_locks_nothing_for_long(void **state)
{
    static const struct row rows[] = {
        { T, T "index public.i\n  CREATE UNIQUE INDEX i ON public.t USING btree (a)\n",
          "CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (a);\n", NULL },
        { T "index public.i\n  CREATE INDEX i ON public.t USING btree (a)\n", T,
          "DROP INDEX CONCURRENTLY public.i;\n", NULL },
        { "schema public\n", T "index public.i\n  CREATE INDEX i ON public.t USING btree (a)\n",
          "CREATE TABLE public.t (\n    a integer\n);\nCREATE INDEX i ON public.t USING btree (a);\n", NULL },
        { T, T "constraint public.t.k\n  CHECK ((a > 0))\n",
          "ALTER TABLE public.t ADD CONSTRAINT k CHECK ((a > 0)) NOT VALID;\n"
          "ALTER TABLE public.t VALIDATE CONSTRAINT k;\n",
          NULL },
        { T, T "constraint public.t.k\n  UNIQUE (a)\n",
          "CREATE UNIQUE INDEX CONCURRENTLY k ON public.t (a);\n"
          "ALTER TABLE public.t ADD CONSTRAINT k UNIQUE USING INDEX k;\n",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++)
        check_row(&rows[i], true);
}

static void a_name_cannot_end_a_comment_of_the_script(void **state)
{
    static const struct row row = { "schema public\ntable public.\"a\\n;DROP TABLE x\"\n  columns \n",
                                    "schema public\n",
                                    "-- Data is lost: the table public.\"a?;DROP TABLE x\" is dropped.\n"
                                    "DROP TABLE public.\"a\n;DROP TABLE x\";\n",
                                    NULL };

    (void)state;
    check_row(&row, false);
}

static void a_column_is_taken_apart(void **state)
{
    struct column_text column;

    (void)state;
    column_text_read(
        "public.\"not null (\"[] collate public.c not null storage x statistics 5 with (a=1, b=2)"
        " default ' storage '::text",
        &column);
    assert_true(slice_equals(column.type, "public.\"not null (\"[]"));
    assert_true(slice_equals(column.collation, "public.c"));
    assert_true(column.is_not_null);
    assert_true(slice_equals(column.storage, "x"));
    assert_true(slice_equals(column.statistics, "5"));
    assert_true(slice_equals(column.options, "a=1, b=2"));
    assert_string_equal(column.expression, "' storage '::text");
    column_text_read("timestamp(3) with time zone", &column);
    assert_true(slice_equals(column.type, "timestamp(3) with time zone"));
    assert_null(column.expression);
    column_text_read("bigint not null generated by default as identity", &column);
    assert_true(slice_equals(column.identity, "BY DEFAULT"));
}

static void collect(void *context, struct slice identifier, struct slice pair)
{
    struct text *out = context;

    if (pair.length > 0)
        text_add_format(out, "%.*s ", (int)pair.length, pair.at);
    else
        text_add_format(out, "(%.*s) ", (int)identifier.length, identifier.at);
}

static void mentions_are_found_in_constants_too(void **state)
{
    static const struct {
        const char *text;
        const char *mentioned;
    } rows[] = {
        { "a.b", "a.b (b) " },
        { "nextval('public.\"T_id\"'::regclass)", "(nextval) public.\"T_id\" (\"T_id\") (regclass) " },
        { "x <> '\"'::text AND p.f(y)", "(x) (text) (AND) p.f (f) (y) " },
        { "E'\\'' || a.b", "(E) a.b (b) " },
        { "1e5 + a", "(a) " },
        { "\"never ends", "(never) (ends) " },
        { "''''''''", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text found = text_init(SIZE_MAX);

        names_mentioned(slice_of(rows[i].text), collect, &found);
        assert_string_equal(found.at, rows[i].mentioned);
    }
}

static void what_is_converted_without_being_told(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        bool is_converted;
    } rows[] = {
        { "integer", "bigint", true },
        { "bigint", "numeric(10,2)", true },
        { "public.mood", "text", true },
        { "character varying(20)", "character varying(30)", true },
        { "timestamp(3) without time zone", "timestamp(6) with time zone", true },
        { "integer[]", "bigint[]", true },
        { "text", "integer", false },
        { "text", "public.mood", false },
        { "integer", "boolean", false },
        { "text", "text[]", false },
        { "uuid", "bytea", false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        bool is_converted = type_has_assignment_cast(slice_of(rows[i].from), slice_of(rows[i].to));

        if (is_converted != rows[i].is_converted)
            fail_msg("%s to %s", rows[i].from, rows[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_has_its_statement),
        cmocka_unit_test(what_cannot_be_written_leaves_no_script),
        cmocka_unit_test(online_locks_nothing_for_long),
        cmocka_unit_test(a_name_cannot_end_a_comment_of_the_script),
        cmocka_unit_test(a_column_is_taken_apart),
        cmocka_unit_test(mentions_are_found_in_constants_too),
        cmocka_unit_test(what_is_converted_without_being_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
