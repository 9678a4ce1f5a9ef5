#include <string.h>

#include "check.h"
#include "config/yaml.h"

/* The pairs of a text as one line: "key=value@line" each; or the error as "line:column message". */
static const char *pairs_of(const char *yaml, struct text *line)
{
    auto_arena struct arena *arena = arena_new();
    struct yaml_pairs pairs;
    struct error err;

    text_reset(line);
    if (!yaml_read(arena, "x.yaml", slice_of(yaml), &pairs, &err)) {
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.place.file, "x.yaml");
        assert_string_equal(err.place.source, "");
        assert_true(err.hint[0] != '\0');
        text_add_format(line, "%zu:%zu %s", err.place.line, err.place.column, err.message);
        return line->at;
    }
    for (size_t i = 0; i < pairs.count; i++)
        text_add_format(line, "%s%s=%s@%zu", i == 0 ? "" : " ", pairs.items[i].key, pairs.items[i].value,
                        pairs.items[i].line);
    return line->at;
}

static void a_flat_list_gives_its_pairs_with_their_lines(void **state)
{
    static const struct {
        const char *yaml;
        const char *pairs;
    } cases[] = {
        { "a: 1\nb: two\n", "a=1@1 b=two@2" },
        { "# why\n\na: '1'  # how\r\nb: \"t\\two\"\n", "a=1@3 b=t\two@4" },
        { "---\na: x y\n...\n", "a=x y@2" },
        { "a:\nb: ''\n", "a=@1 b=@2" },
        { "{a: 1, b: 2}", "a=1@1 b=2@1" },
        { "\xEF\xBB\xBF"
          "a: 1",
          "a=1@1" },
        { "a: >-\n  x\n  y\n", "a=x y@1" },
        { "a: true\n", "a=true@1" },
        { "a: postgres://u:p@h/d?x=1\n", "a=postgres://u:p@h/d?x=1@1" },
        { "", "" },
        { "# nothing\n", "" },
        { "---\n", "" },
        { "{}", "" },
    };
    auto_text struct text line = text_init(4096);

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++)
        assert_string_equal(pairs_of(cases[i].yaml, &line), cases[i].pairs);
}

static void what_is_no_flat_list_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *yaml;
        const char *error;
    } cases[] = {
        { "a: 1\na: 2\n", "2:1 duplicate key" },
        { "a:\n  b: 1\n", "2:3 expected a single value" },
        { "a: [1, 2]\n", "1:4 expected a single value" },
        { "[a]: 1\n", "1:1 expected a single value" },
        { "- a\n", "1:1 expected options with values" },
        { "just text\n", "1:1 expected options with values" },
        { "a: &x 1\n", "1:4 anchors and tags" },
        { "a: !!str 1\n", "1:4 anchors and tags" },
        { "a: &x 1\nb: *x\n", "1:4 anchors and tags" },
        { "a: 1\n---\nb: 2\n", "2:1 a second document" },
        { "a: \"x\\0y\"\n", "1:4 the value contains a NUL byte" },
        { "a: 'x\n", "not valid YAML" },
        { "a: 1\n\tb: 2\n", "not valid YAML" },
        { "a: b: c\n", "not valid YAML" },
        { "a: \xff\n", "not valid YAML" },
    };
    auto_text struct text line = text_init(4096);

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (strstr(pairs_of(cases[i].yaml, &line), cases[i].error) == NULL)
            fail_msg("%s\ngives %s", cases[i].yaml, line.at);
    }
}

static void a_file_of_too_many_keys_or_too_deep_is_refused(void **state)
{
    auto_text struct text yaml = text_init(64 * 1024);
    auto_text struct text line = text_init(4096);

    (void)state;
    for (int i = 0; i < 200; i++)
        text_add_format(&yaml, "k%d: x\n", i);
    assert_non_null(strstr(pairs_of(yaml.at, &line), "129:1 more keys"));
    text_reset(&yaml);
    for (int i = 0; i < 10000; i++)
        text_add_string(&yaml, "[");
    assert_true(pairs_of(yaml.at, &line)[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_list_gives_its_pairs_with_their_lines),
        cmocka_unit_test(what_is_no_flat_list_is_refused_with_its_place),
        cmocka_unit_test(a_file_of_too_many_keys_or_too_deep_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
