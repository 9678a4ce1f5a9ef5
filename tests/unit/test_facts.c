#include <string.h>

#include "check.h"
#include "schema/diff.h"
#include "schema/facts.h"

static struct facts read_text(struct arena *arena, const char *text)
{
    struct facts facts;
    struct error err;

    if (!facts_read(arena, "file", slice_of(text), &facts, &err))
        fail_msg("%s: %s", err.message, text);
    return facts;
}

static void what_is_written_is_read_back(void **state)
{
    static const struct fact items[] = {
        { "column", "public.t.a", "integer not null" },
        { "function", "public.f()", "one\n\n  two\n" },
        { "function", "public.g()", "\n" },
        { "schema", "a\nb\\n", "" },
    };
    auto_arena struct arena *arena = arena_new();
    auto_text struct text text = text_init(SIZE_MAX);
    struct facts written = { .major = 15 };
    struct facts facts;

    (void)state;
    for (size_t i = 0; i < array_length(items); i++)
        facts_add(arena, &written, &items[i]);
    facts_write(&written, &text);
    facts = read_text(arena, text.at);
    assert_int_equal(facts.major, 15);
    assert_int_equal(facts.count, array_length(items));
    for (size_t i = 0; i < facts.count; i++) {
        assert_string_equal(facts.items[i].kind, items[i].kind);
        assert_string_equal(facts.items[i].name, items[i].name);
        assert_string_equal(facts.items[i].definition, items[i].definition);
    }
}

static void what_is_no_snapshot_is_refused(void **state)
{
    static const char *const texts[] = { "", "other\n", "tidelock snapshot 1, PostgreSQL 15\nword\n",
                                         "tidelock snapshot 1, PostgreSQL 15\n  indented\n" };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        struct facts facts;
        struct error err;

        if (facts_read(arena, "file", slice_of(texts[i]), &facts, &err))
            fail_msg("accepted: %s", texts[i]);
        assert_int_equal(err.class, ERROR_USAGE);
    }
}

static void only_what_differs_is_a_difference(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct facts from = read_text(arena, "tidelock snapshot 1, PostgreSQL 15\na x\n  1\nb y\n  1\nc z\n");
    struct facts to = read_text(arena, "tidelock snapshot 1, PostgreSQL 15\nb y\n  2\nc z\nd x\n");
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
        struct facts facts = read_text(arena,
                                       "tidelock snapshot 1, PostgreSQL 15\ngrant t to x\n"
                                       "index public.i\nindex public.tmp_1\n");

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
