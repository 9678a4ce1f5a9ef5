#include <string.h>

#include "check.h"
#include "schema/diff.h"
#include "schema/facts.h"

#define HEAD "tidelock snapshot 1, PostgreSQL 15"

static struct facts read_text(struct arena *arena, const char *text)
{
    struct facts facts;
    struct error err;

    if (!facts_read(arena, "file", slice_of(text), &facts, &err))
        fail_msg("%s: %s", err.message, text);
    return facts;
}

/* The same as a file of which an editor has ended each line with a carriage return. */
static void add_returns(const struct text *text, struct text *out)
{
    for (size_t i = 0; i < text->length; i++)
        text_add_string(out, text->at[i] == '\n' ? "\r\n" : (char[]) { text->at[i], '\0' });
}

static void what_is_written_is_read_back(void **state)
{
    static const struct fact items[] = {
        { "column", "public.t.a", "integer not null" },
        { "function", "public.f()", "one\n\n  two\n" },
        { "function", "public.g()", "\n" },
        { "function", "public.h()", "\r\n  two\r\nthree\r" },
        { "schema", "a\nb\\n\r", "" },
    };
    auto_arena struct arena *arena = arena_new();
    auto_text struct text text = text_init(SIZE_MAX);
    auto_text struct text with_returns = text_init(SIZE_MAX);
    struct facts written = { .major = 15 };

    (void)state;
    for (size_t i = 0; i < array_length(items); i++)
        facts_add(arena, &written, &items[i]);
    facts_write(&written, &text);
    add_returns(&text, &with_returns);
    for (int way = 0; way < 2; way++) {
        struct facts facts = read_text(arena, way == 0 ? text.at : with_returns.at);

        assert_int_equal(facts.major, 15);
        assert_int_equal(facts.count, array_length(items));
        for (size_t i = 0; i < facts.count; i++) {
            assert_string_equal(facts.items[i].kind, items[i].kind);
            assert_string_equal(facts.items[i].name, items[i].name);
            assert_string_equal(facts.items[i].definition, items[i].definition);
        }
    }
}

static void what_is_no_snapshot_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        unsigned line; /* 0 = the whole file */
    } rows[] = {
        { "", "the file is empty", 1 },
        { "other\n", "this is no snapshot that this version can read", 1 },
        { "tidelock snapshot 9, PostgreSQL 15\nend of 0 facts\n",
          "this is no snapshot that this version can read", 1 },
        { HEAD "aggregate a\nend of 0 facts\n", "this is no version of PostgreSQL", 1 },
        { "tidelock snapshot 1, PostgreSQL \nend of 0 facts\n", "this is no version of PostgreSQL", 1 },
        { HEAD "\nword\nend of 1 fact\n", "this line is not of a snapshot: it says no kind and name", 2 },
        { HEAD "\n  indented\nend of 1 fact\n", "this line is not of a snapshot: it says no kind and name",
          2 },
        { HEAD "\na b\n", "the file is cut off: its last line is missing", 3 },
        { HEAD "\na b\n  c", "the file is cut off: its last line is missing", 3 },
        { HEAD "\na b\nend of 1 fa", "the last line is damaged", 3 },
        { HEAD "\na b\nend of 2 facts\n", "the file holds more or fewer facts than its last line says", 3 },
        { HEAD "\na b\nend of 1 fact\nc d\n", "this is behind the end of the snapshot", 4 },
        { HEAD "\na b\n  \xff\nend of 1 fact\n", "this is not valid UTF-8", 3 },
        { HEAD "\na b\nc d\na b\n  e\nend of 3 facts\n", "file \"file\" holds two definitions of a b", 0 },
    };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct facts facts;
        struct error err = { .class = ERROR_NONE };

        if (facts_read(arena, "file", slice_of(rows[i].text), &facts, &err))
            fail_msg("accepted: %s", rows[i].text);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.message, rows[i].message);
        assert_int_equal(err.place.line, rows[i].line);
    }
}

static void only_what_differs_is_a_difference(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct facts from = read_text(arena, HEAD "\na x\n  1\nb y\n  1\nc z\nend of 3 facts\n");
    struct facts to = read_text(arena, HEAD "\nb y\n  2\nc z\nd x\nend of 3 facts\n");
    struct diff diff;

    (void)state;
    diff_facts(arena, &from, &to, &diff);
    assert_int_equal(diff.count, 3);
    assert_string_equal(diff.items[0].from->kind, "a");
    assert_null(diff.items[0].to);
    assert_string_equal(diff.items[1].from->definition, "1");
    assert_string_equal(diff.items[1].to->definition, "2");
    assert_null(diff.items[2].from);
    diff_facts(arena, &from, &from, &diff);
    assert_int_equal(diff.count, 0);
}

static void a_pattern_is_a_kind_or_a_kind_and_a_name(void **state)
{
    static const struct {
        const char *patterns;
        size_t left;
    } rows[] = {
        { NULL, 3 },           { "", 3 },        { "grant", 2 },        { "index public.tmp_*", 2 },
        { "grant, index", 0 }, { "index *", 1 }, { "grant t to y", 3 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_arena struct arena *arena = arena_new();
        struct facts facts = read_text(arena, HEAD
                                       "\ngrant t to x\n"
                                       "index public.i\nindex public.tmp_1\nend of 3 facts\n");

        facts_ignore(&facts, rows[i].patterns);
        assert_int_equal(facts.count, rows[i].left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_no_snapshot_is_refused),
        cmocka_unit_test(only_what_differs_is_a_difference),
        cmocka_unit_test(a_pattern_is_a_kind_or_a_kind_and_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
