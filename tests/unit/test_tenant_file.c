#include <string.h>

#include "check.h"
#include "tenants/file.h"

/* The rows of a text as one line: "name(column=value …)" each; or the error as "line:column message". */
static const char *rows_of(const char *path, const char *content, struct text *line)
{
    auto_arena struct arena *arena = arena_new();
    struct tenant_rows rows;
    struct error err;

    text_reset(line);
    if (!tenant_file_parse(arena, path, slice_of(content), &rows, &err)) {
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.place.source, "");
        assert_true(err.hint[0] != '\0');
        text_add_format(line, "%zu:%zu %s", err.place.line, err.place.column, err.message);
        return line->at;
    }
    for (size_t i = 0; i < rows.count; i++) {
        text_add_format(line, "%s%s(", i == 0 ? "" : " ", rows.items[i].values[COLUMN_NAME]);
        for (size_t j = COLUMN_NAME + 1; j < TENANT_COLUMNS; j++) {
            if (rows.items[i].values[j] != NULL)
                text_add_format(line, "[%s=%s@%u:%u]", TENANT_COLUMN_NAMES[j], rows.items[i].values[j],
                                rows.items[i].spots[j].line, rows.items[i].spots[j].column);
        }
        text_add_string(line, ")");
    }
    return line->at;
}

struct sample {
    const char *path;
    const char *content;
    const char *rows;
};

static void check_samples(const struct sample *samples, size_t count)
{
    auto_text struct text line = text_init(4096);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows_of(samples[i].path, samples[i].content, &line), samples[i].rows) != 0)
            fail_msg("%s\ngives %s\nnot   %s", samples[i].content, line.at, samples[i].rows);
    }
}

static void csv_gives_its_rows_with_their_places(void **state)
{
    static const struct sample samples[] = {
        { "x.csv", "name,url\na,postgres://h/d\n", "a([url=postgres://h/d@2:3])" },
        { "x.csv", "name,database\r\na,d\r\nb,e\r\n", "a([database=d@2:3]) b([database=e@3:3])" },
        { "x.csv", "\xEF\xBB\xBFname,schema\na,s", "a([schema=s@2:3])" },
        { "x.csv", "name,database,schema\na,d,\n", "a([database=d@2:3][schema=@2:5])" },
        { "x.csv", "Name , Schema\n a , s \n", "a([schema=s@2:6])" },
        { "x.csv", "name,schema\n\n  \na,s\n\n", "a([schema=s@4:3])" },
        { "x.csv", "name,schema\n\"a,b\",\"say \"\"x\"\"\"\n", "a,b([schema=say \"x\"@2:7])" },
        { "x.csv", "name,schema\n\"a\",\" s \"\n", "a([schema= s @2:5])" },
        { "x.csv", "name,schema\n\"a\nb\",s\nc,t\n", "a\nb([schema=s@3:4]) c([schema=t@4:3])" },
        { "x.csv", "schema,name,user,password_file\ns,\xC3\xA4,u,/p\n",
          "\xC3\xA4([schema=s@2:1][user=u@2:5][password_file=/p@2:7])" },
        { "standard input", "name,url_file\na,/f\n", "a([url_file=/f@2:3])" },
    };

    (void)state;
    check_samples(samples, array_length(samples));
}

static void bad_csv_is_refused_with_its_place(void **state)
{
    static const struct sample samples[] = {
        { "x.csv", "", "0:0 no tenants in \"x.csv\"" },
        { "x.csv", "name,url\n\n", "0:0 no tenants in \"x.csv\"" },
        { "x.csv", "acme,d\n", "1:1 unknown column \"acme\"" },
        { "x.csv", "postgres://u:p@h/d\n", "1:1 this is not the name of a column" },
        { "x.csv", "name,title\n", "1:6 unknown column \"title\"" },
        { "x.csv", "name,password\n", "1:6 unknown column \"password\"" },
        { "x.csv", "name,url,NAME\n", "1:10 two columns are called \"name\"" },
        { "x.csv", "url,schema\n", "1:1 no column is called \"name\"" },
        { "x.csv", "name;url\n", "1:1 unknown column \"name;url\"" },
        { "x.csv", "name,url\na\n", "2:1 the row has 1 value, and the header 2" },
        { "x.csv", "name,url\na,b,c\n", "2:1 the row has 3 values, and the header 2" },
        { "x.csv", "name,url\na,\"b\n\nc,d\n", "2:3 not valid CSV: a quote is never closed" },
        { "x.csv", "name,url\na,\"b\"c\n",
          "2:6 not valid CSV: a closed quote is followed by something else than a comma" },
        { "x.csv", "name,url\na,b\"c\"\n", "2:4 not valid CSV: a quote within a value that is not quoted" },
        { "x.csv", "name,url\n\xC3\xA4,\xFF\n", "2:3 the file is not UTF-8" },
        { "x.csv", ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
          "1:33 not valid CSV: more than 32 values in a row" },
    };

    (void)state;
    check_samples(samples, array_length(samples));
}

static void a_nul_byte_is_refused(void **state)
{
    auto_arena struct arena *arena = arena_new();
    static const char text[] = "name,url\na,b\0c";
    struct tenant_rows rows;
    struct error err;

    (void)state;
    assert_false(tenant_file_parse(arena, "x.csv", (struct slice) { text, sizeof text - 1 }, &rows, &err));
    assert_int_equal(err.place.line, 2);
    assert_int_equal(err.place.column, 4);
}

static void yaml_and_json_give_the_same_rows(void **state)
{
    static const struct sample samples[] = {
        { "x.yaml", "- name: a\n  url: postgres://h/d\n", "a([url=postgres://h/d@2:3])" },
        { "x.yml", "- {name: a, database: d}\n- {name: b, database: e}\n",
          "a([database=d@1:13]) b([database=e@2:13])" },
        { "x.yaml", "tenants:\n  - name: a\n    schema: s\n", "a([schema=s@3:5])" },
        { "x.json", "{\"tenants\": [{\"name\": \"a\", \"schema\": \"s\", \"user\": null}]}",
          "a([schema=s@1:28][user=@1:43])" },
        { "x.json", "[{\"name\": 17, \"database\": \"null\"}]", "17([database=null@1:15])" },
        { "standard input", "# all\n- name: a\n  schema: ~\n  database: d\n",
          "a([database=d@4:3][schema=@3:3])" },
        { "standard input", "tenants: [{name: a, schema: s}]", "a([schema=s@1:21])" },
        { "standard input", " [{name: a, schema: s}]", "a([schema=s@1:13])" },
    };

    (void)state;
    check_samples(samples, array_length(samples));
}

static void bad_yaml_is_refused_with_its_place(void **state)
{
    static const struct sample samples[] = {
        { "x.yaml", "", "0:0 no tenants in \"x.yaml\"" },
        { "x.yaml", "[]", "0:0 no tenants in \"x.yaml\"" },
        { "x.yaml", "tenants: []\n", "0:0 no tenants in \"x.yaml\"" },
        { "x.yaml", "tenants:\n", "1:9 expected a list" },
        { "x.yaml", "tenants: [{name: a}]\nmore: 1\n", "2:1 expected a list" },
        { "x.yaml", "others: [{name: a}]\n", "1:1 expected a list" },
        { "x.yaml", "a\n", "1:1 expected a list" },
        { "x.yaml", "- a\n", "1:3 expected keys with values" },
        { "x.yaml", "- - a\n", "1:3 expected keys with values" },
        { "x.yaml", "- name: [a]\n", "1:9 expected a single value" },
        { "x.yaml", "- name: a\n  name: b\n", "2:3 duplicate key" },
        { "x.yaml", "- name: a\n  shema: b\n", "2:3 unknown column \"shema\"" },
        { "x.yaml", "- &x {name: a}\n- *x\n", "2:3 expected keys with values" },
        { "x.yaml", "- {name: a}\n---\n- {name: b}\n", "2:1 a second document is not allowed" },
    };

    (void)state;
    check_samples(samples, array_length(samples));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_gives_its_rows_with_their_places),
        cmocka_unit_test(bad_csv_is_refused_with_its_place),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(yaml_and_json_give_the_same_rows),
        cmocka_unit_test(bad_yaml_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
