#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/prisma_config.h"

/* What is expected of a text: a path, NULL = nothing is said, NOT_PLAIN. */
static const char NOT_PLAIN[] = "?";

struct text_case {
    const char *text;
    const char *migrations;
    const char *schema;
};

static void check_place(const char *text, struct own_place found, const char *expected)
{
    const char *said = found.state == OWN_PLACE_PLAIN ? found.path : NULL;

    if (found.state == OWN_PLACE_NOT_PLAIN)
        said = NOT_PLAIN;
    if ((said == NULL) != (expected == NULL) || (said != NULL && strcmp(said, expected) != 0))
        fail_msg("%s\nsays %s instead of %s", text, said == NULL ? "nothing" : said,
                 expected == NULL ? "nothing" : expected);
}

static void check(struct own_config (*read)(struct arena *arena, struct slice text),
                  const struct text_case *cases, size_t count)
{
    auto_arena struct arena *arena = arena_new();

    for (size_t i = 0; i < count; i++) {
        struct own_config config = read(arena, slice_of(cases[i].text));

        check_place(cases[i].text, config.migrations, cases[i].migrations);
        check_place(cases[i].text, config.schema, cases[i].schema);
    }
}

static void a_plain_string_is_found_where_prisma_would_look(void **state)
{
    static const struct text_case cases[] = {
        { "export default { schema: \"prisma/schema\", migrations: { path: \"prisma/schema/migrations\" } }",
          "prisma/schema/migrations", "prisma/schema" },
        { "import 'dotenv/config'\nimport { defineConfig, env } from \"prisma/config\";\n\n"
          "export default defineConfig({\n  schema: 'prisma/schema.prisma',\n  migrations: {\n"
          "    path: 'db/migrations',\n    seed: `tsx ${dir}/seed.ts`,\n  },\n"
          "  datasource: { url: env('DATABASE_URL') },\n});\n",
          "db/migrations", "prisma/schema.prisma" },
        { "module.exports = { migrations: { path: 'a' } };", "a", NULL },
        { "module.exports = defineConfig({ schema: 'a', }, );", NULL, "a" },
        { "export default {\"migrations\": {'path': `a`}} satisfies PrismaConfig", "a", NULL },
        { "export default { early: true, schema: 'a', adapter: async () => { return new Pg({ schema: 'no' }) } }",
          NULL, "a" },
        { "export default { other: { migrations: { path: 'no' }, schema: 'no' }, async adapter() {} , }",
          NULL, NULL },
        { "export default { get migrations() { return { path: 'no' } }, schema: 'a' }", NOT_PLAIN, "a" },
        { "export default { list: [1, { schema: 'no' }], f(a, b) { return { schema: 'no' } } }", NULL, NULL },
        { "// export default { schema: 'no' }\n/* module.exports = { schema: 'no' } */\n"
          "const s = \"export default { schema: 'no' }\";\nexport default { /* schema: 'no', */ // schema: 'no'\n"
          "  schema /* yes */ : /* it */ 'a' // is\n}",
          NULL, "a" },
        { "export const a = 1; export { a }; export default {}", NULL, NULL },
        { "export default { schema: 'ä b', migrations: {} }", NULL, "ä b" },
    };

    (void)state;
    check(prisma_config_read, cases, array_length(cases));
}

static void whatever_else_decides_is_not_plain(void **state)
{
    static const struct text_case cases[] = {
        { "export default { migrations: { path: path.join('a', 'b') }, schema: 'a' }", NOT_PLAIN, "a" },
        { "export default { migrations: { path: 'a' + b }, schema: dir + 'a' }", NOT_PLAIN, NOT_PLAIN },
        { "export default { migrations: { path: `${dir}/a` }, schema: `a` }", NOT_PLAIN, "a" },
        { "export default { migrations: { path: 'a\\u0062' } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: '' } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path }, schema }", NOT_PLAIN, NOT_PLAIN },
        { "export default { migrations: { path: 'a', path: 'b' } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: { path: 'a', x: 1 } } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: 'a' } as const }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: 'a', ...others } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: 'a', get path() { return 'b' } } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path: 'a', ['pa' + 'th']: 'b' } }", NOT_PLAIN, NULL },
        { "export default { migrations: { path() {} } }", NOT_PLAIN, NULL },
        { "export default { migrations, schema: 'a' }", NOT_PLAIN, "a" },
        { "export default { migrations: made('a'), schema: 'a' }", NOT_PLAIN, "a" },
        { "export default { schema: 'a', ...others }", NOT_PLAIN, NOT_PLAIN },
        { "export default config", NOT_PLAIN, NOT_PLAIN },
        { "export default make({ schema: 'a' })", NOT_PLAIN, NOT_PLAIN },
        { "export default defineConfig({ schema: 'a' }, others)", NOT_PLAIN, NOT_PLAIN },
        { "export default () => ({ schema: 'a' })", NOT_PLAIN, NOT_PLAIN },
        { "exports.default = { schema: 'a' }", NOT_PLAIN, NOT_PLAIN },
        { "const r = /[\"']/; export default { schema: 'a' }", NOT_PLAIN, NOT_PLAIN },
        { "export default { schema: 'a', n: 6 / 3 }", NOT_PLAIN, NOT_PLAIN },
        { "export default { schema: 'a'", NOT_PLAIN, NOT_PLAIN },
        { "export default { schema: 'a", NOT_PLAIN, NOT_PLAIN },
        { "export default { schema: 'a\n' }", NOT_PLAIN, NOT_PLAIN },
        { "export default { schema: 'a' /* }", NOT_PLAIN, NOT_PLAIN },
        { "export default { x: `${f(\"`\")}`, schema: 'a' }", NOT_PLAIN, NOT_PLAIN },
        { "export default", NOT_PLAIN, NOT_PLAIN },
        { "", NOT_PLAIN, NOT_PLAIN },
        { "\x7F"
          "ELF",
          NOT_PLAIN, NOT_PLAIN },
    };

    (void)state;
    check(prisma_config_read, cases, array_length(cases));
}

static void a_package_may_name_the_schema(void **state)
{
    static const struct text_case cases[] = {
        { "{\"name\": \"x\", \"prisma\": {\"schema\": \"db/schema.prisma\", \"seed\": \"tsx seed.ts\"}}",
          NULL, "db/schema.prisma" },
        { "{\"prisma\": {\"seed\": \"tsx seed.ts\"}}", NULL, NULL },
        { "{\"prisma\": {\"schema\": 1}}", NULL, NOT_PLAIN },
        { "{\"prisma\": {\"schema\": null}}", NULL, NOT_PLAIN },
        { "{\"prisma\": {\"schema\": \"\"}}", NULL, NOT_PLAIN },
        { "{\"prisma\": {\"schema\": [\"a\"]}}", NULL, NOT_PLAIN },
        { "{\"prisma\": \"schema\"}", NULL, NOT_PLAIN },
        { "{\"prisma\": null}", NULL, NOT_PLAIN },
        { "{\"schema\": \"no\"}", NULL, NULL },
        { "{}", NULL, NULL },
        { "[]", NULL, NULL },
        { "{\"prisma\": {\"schema\":", NULL, NOT_PLAIN },
        { "{\"name\": \"x\", // a comment\n\"prisma\": {\"schema\": \"a\"}}", NULL, NOT_PLAIN },
        { "", NULL, NOT_PLAIN },
    };

    (void)state;
    check(prisma_config_read_package, cases, array_length(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_string_is_found_where_prisma_would_look),
        cmocka_unit_test(whatever_else_decides_is_not_plain),
        cmocka_unit_test(a_package_may_name_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
