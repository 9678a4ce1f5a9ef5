#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"
#include "sql/quote.h"

/* "public.total(*)" where there are no arguments. */
static void add_signature(const struct change *aggregate, struct text *out)
{
    text_add_string(out, aggregate->name);
    if (text_ends_with(aggregate->name, "()"))
        out->at[out->length - 1] = '*';
    if (text_ends_with(aggregate->name, "()"))
        text_add_string(out, ")");
}

/* The definition is as in CREATE AGGREGATE, but for words that stand in the catalog as letters. */
void aggregate_create(struct delta *delta, struct change *change)
{
    static const char parallel[] = "parallel = ";
    static const char *const letters[] = { "modify = ", "hypothetical", "sortop = " };
    const char *definition = change->definitions[SIDE_TO];
    const char *letter = text_find_outside(definition, parallel);
    size_t length = letter == NULL ? strlen(definition) : (size_t)(letter - definition) + strlen(parallel);
    auto_text struct text signature = text_init(SIZE_MAX);

    for (size_t i = 0; i < array_length(letters); i++) {
        if (text_find_outside(definition, letters[i]) != NULL)
            delta_refuse(delta, change, "such an aggregate cannot be written yet");
    }
    add_signature(change, &signature);
    say(delta, "CREATE AGGREGATE %s (%.*s", signature.at, (int)length, definition);
    if (letter != NULL)
        say(delta, "%s", letter[strlen(parallel)] == 's' ? "safe" : "restricted");
    say(delta, ");\n");
    grants_close(delta, change);
}

void aggregate_drop(struct delta *delta, struct change *change)
{
    auto_text struct text signature = text_init(SIZE_MAX);

    add_signature(change, &signature);
    say(delta, "DROP AGGREGATE %s;\n", signature.at);
}

/* "public.f(public.mood) a f": a function or none, when it is applied, how it works. */
void cast_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    size_t length = strlen(definition);
    char method = length > 2 ? definition[length - 1] : 'i';
    char context = length > 2 ? definition[length - 3] : 'e';

    say(delta, "CREATE CAST (%s) ", change->name);
    if (method == 'f' && length > strlen(" a f"))
        say(delta, "WITH FUNCTION %.*s", (int)(length - strlen(" a f")), definition);
    else
        say(delta, "%s", method == 'i' ? "WITH INOUT" : "WITHOUT FUNCTION");
    say(delta, "%s;\n", context == 'a' ? " AS ASSIGNMENT" : context == 'i' ? " AS IMPLICIT" : "");
}

void cast_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP CAST (%s);\n", change->name);
}

static void add_literal(struct slice value, struct text *out)
{
    auto_text struct text plain = text_init(SIZE_MAX);

    text_add(&plain, value.at, value.length);
    quote_literal(plain.at, out);
}

static struct slice next_word(const char **rest)
{
    struct slice word = { .at = *rest, .length = strcspn(*rest, " ") };

    *rest += word.length;
    *rest += strspn(*rest, " ");
    return word;
}

/* "c de_DE de_DE" of the C library, "i de" of ICU, "b C.UTF-8" of the server's own. */
void collation_create(struct delta *delta, struct change *change)
{
    const char *rest = change->definitions[SIDE_TO];
    struct slice provider = next_word(&rest);
    struct slice locale = next_word(&rest);
    bool is_library = slice_equals(provider, "c");
    struct slice type = is_library || delta->major < 15 ? next_word(&rest) : locale;
    bool is_deterministic = strcmp(rest, "not deterministic") != 0;
    auto_text struct text options = text_init(SIZE_MAX);

    if ((*rest != '\0' && is_deterministic) || locale.length == 0 ||
        (!is_library && !slice_is_same(locale, type))) {
        delta_refuse(delta, change, "such a collation cannot be written yet");
        return;
    }
    text_add_format(&options, "PROVIDER = %s, %s = ",
                    is_library                    ? "libc"
                    : slice_equals(provider, "i") ? "icu"
                                                  : "builtin",
                    is_library ? "LC_COLLATE" : "LOCALE");
    add_literal(locale, &options);
    text_add_string(&options, is_library ? ", LC_CTYPE = " : "");
    if (is_library)
        add_literal(type, &options);
    say(delta, "CREATE COLLATION %s (%s%s);\n", change->name, options.at,
        is_deterministic ? "" : ", DETERMINISTIC = false");
}

void collation_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP COLLATION %s;\n", change->name);
}

/* "parser pg_catalog.\"default\"", then a line "word with public.dict" for each dictionary of each token. */
void text_search_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice parser = line_value(definition, "parser ");
    struct slice last = { .at = "", .length = 0 };

    say(delta, "CREATE TEXT SEARCH CONFIGURATION %s (PARSER = %.*s)", change->name, (int)parser.length,
        parser.at);
    for (const char *line = strchr(definition, '\n'); line != NULL; line = strchr(line, '\n')) {
        struct slice token = { .at = line + 1, .length = strcspn(line + 1, " ") };
        const char *dictionary = token.at + token.length + strlen(" with ");

        if (slice_is_same(token, last))
            say(delta, ", ");
        else
            say(delta, ";\nALTER TEXT SEARCH CONFIGURATION %s ADD MAPPING FOR %.*s WITH ", change->name,
                (int)token.length, token.at);
        say(delta, "%.*s", (int)strcspn(dictionary, "\n"), dictionary);
        last = token;
        line++;
    }
    say(delta, ";\n");
}

void text_search_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TEXT SEARCH CONFIGURATION %s;\n", change->name);
}

/* "template pg_catalog.simple accept = 'false'" */
void dictionary_create(struct delta *delta, struct change *change)
{
    const char *template = change->definitions[SIDE_TO] + strlen("template ");
    struct slice name = name_without_arguments(template);
    const char *options = template + name.length;

    say(delta, "CREATE TEXT SEARCH DICTIONARY %s (TEMPLATE = %.*s%s%s);\n", change->name, (int)name.length,
        name.at, *options == '\0' ? "" : ",", options);
}

void dictionary_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TEXT SEARCH DICTIONARY %s;\n", change->name);
}

/* "trusted handler f inline g validator h" */
void language_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    bool is_trusted = strncmp(definition, "trusted ", strlen("trusted ")) == 0;

    say(delta, "CREATE %sLANGUAGE %s %s;\n", is_trusted ? "TRUSTED " : "", change->name,
        definition + (is_trusted ? strlen("trusted ") : 0));
}

void language_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP LANGUAGE %s;\n", change->name);
}

/* "default for LATIN1 to UTF8 from pg_catalog.iso8859_1_to_utf8" */
void conversion_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    bool is_default = strncmp(definition, "default ", strlen("default ")) == 0;
    const char *rest = definition + (is_default ? strlen("default ") : 0) + strlen("for ");
    struct slice from = next_word(&rest);
    struct slice to = { .at = "" };

    next_word(&rest);
    to = next_word(&rest);
    say(delta, "CREATE %sCONVERSION %s FOR '%.*s' TO '%.*s' %s;\n", is_default ? "DEFAULT " : "",
        change->name, (int)from.length, from.at, (int)to.length, to.at, rest);
}

void conversion_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP CONVERSION %s;\n", change->name);
}

/* "table handler f" */
void access_method_create(struct delta *delta, struct change *change)
{
    say(delta, "CREATE ACCESS METHOD %s TYPE %s;\n", change->name, change->definitions[SIDE_TO]);
}

void access_method_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP ACCESS METHOD %s;\n", change->name);
}

/* The name is "TYPE language NAME". */
void transform_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TRANSFORM FOR %s;\n", change->name);
}

void operator_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP OPERATOR %s;\n", change->name);
}

void operator_class_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP OPERATOR CLASS %s;\n", change->name);
}

void operator_family_create(struct delta *delta, struct change *change)
{
    if (*change->definitions[SIDE_TO] != '\0')
        delta_refuse(delta, change, "the members of an operator family cannot be written yet");
    say(delta, "CREATE OPERATOR FAMILY %s;\n", change->name);
}

void operator_family_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP OPERATOR FAMILY %s;\n", change->name);
}

void template_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TEXT SEARCH TEMPLATE %s;\n", change->name);
}

void parser_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TEXT SEARCH PARSER %s;\n", change->name);
}
