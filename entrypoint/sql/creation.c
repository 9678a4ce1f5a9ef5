#include "sql/creation.h"

#include <string.h>

#include "base/memory.h"

const char *const CREATION_NAMES[] = {
    [CREATION_RELATION] = "relation", [CREATION_COLUMN] = "column",       [CREATION_TYPE] = "type",
    [CREATION_SCHEMA] = "schema",     [CREATION_EXTENSION] = "extension",
};
_Static_assert(sizeof CREATION_NAMES / sizeof *CREATION_NAMES == CREATION_KINDS, "name every kind");

static bool is_one_of(const struct scanner *scanner, struct token token, const char *const *words,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (scanner_is_word(scanner, token, words[i]))
            return true;
    }
    return false;
}

static bool is_comma(const struct scanner *scanner, struct token token)
{
    return token.kind == TOKEN_OTHER && scanner->at[token.start] == ',';
}

/* What follows the type of a column. */
static bool ends_type(const struct scanner *scanner, struct token token)
{
    static const char *const words[] = { "not",        "null",       "default", "primary",
                                         "unique",     "references", "check",   "generated",
                                         "constraint", "collate",    "storage", "compression" };

    return token.kind == TOKEN_END || token.kind == TOKEN_SEMICOLON || token.kind == TOKEN_CLOSE ||
           is_comma(scanner, token) || is_one_of(scanner, token, words, array_length(words));
}

/* The token at hand, or all of what stands in its parentheses: its end. */
static size_t pass(struct scanner *scanner)
{
    size_t depth = 0;
    struct token token;

    do {
        token = scan_token(scanner);
        depth += token.kind == TOKEN_OPEN;
        depth -= token.kind == TOKEN_CLOSE && depth > 0;
    } while (depth > 0 && token.kind != TOKEN_END);
    return token.end;
}

static struct token peek(struct scanner scanner)
{
    return scan_token(&scanner);
}

static struct slice read_type(struct scanner *scanner)
{
    size_t start = peek(*scanner).start;
    size_t end = start;

    while (!ends_type(scanner, peek(*scanner)))
        end = pass(scanner);
    return (struct slice) { .at = scanner->at + start, .length = end - start };
}

/* To behind the comma that follows; false if there is none. */
static bool skip_rest(struct scanner *scanner)
{
    struct token token;

    while (token = peek(*scanner), token.kind != TOKEN_END && token.kind != TOKEN_CLOSE) {
        (void)pass(scanner);
        if (is_comma(scanner, token))
            return true;
    }
    return false;
}

/* The words between CREATE and the kind that change nothing here. */
static void skip_adjectives(struct scanner *scanner)
{
    static const char *const words[] = { "or",        "replace", "unlogged", "materialized",
                                         "recursive", "unique",  "foreign" };

    for (size_t i = 0; i < array_length(words); i++)
        (void)scan_word(scanner, words[i]);
}

static bool read_create(struct scanner *scanner, struct creation *out)
{
    static const struct {
        const char *word;
        enum creation_kind kind;
    } kinds[] = {
        { "table", CREATION_RELATION },      { "view", CREATION_RELATION }, { "sequence", CREATION_RELATION },
        { "index", CREATION_RELATION },      { "type", CREATION_TYPE },     { "domain", CREATION_TYPE },
        { "extension", CREATION_EXTENSION }, { "schema", CREATION_SCHEMA },
    };
    size_t i = 0;

    skip_adjectives(scanner);
    while (i < array_length(kinds) && !scan_word(scanner, kinds[i].word))
        i++;
    if (i == array_length(kinds))
        return false;
    out->kind = kinds[i].kind;
    (void)scan_word(scanner, "concurrently");
    (void)name_scan_guard(scanner, true);
    if (scan_word(scanner, "on") || scan_word(scanner, "authorization"))
        return false;
    if (!name_scan(scanner, out->schema, out->name))
        return false;
    out->has_columns = i == 0 && peek(*scanner).kind == TOKEN_OPEN;
    if (out->has_columns)
        (void)scan_token(scanner);
    out->columns = *scanner;
    return true;
}

static bool read_column(struct scanner *scanner, struct creation *out)
{
    out->kind = CREATION_COLUMN;
    (void)name_scan_guard(scanner, false);
    (void)scan_word(scanner, "only");
    if (!name_scan(scanner, out->schema, out->name) || !scan_word(scanner, "add"))
        return false;
    if (!scan_word(scanner, "column"))
        return false;
    (void)name_scan_guard(scanner, true);
    if (!name_scan_part(scanner, out->column))
        return false;
    out->type = read_type(scanner);
    return true;
}

bool creation_next_column(struct creation *table, struct creation *out)
{
    static const char *const others[] = { "constraint", "primary", "unique", "check",
                                          "foreign",    "exclude", "like" };

    while (table->has_columns) {
        struct creation found = { .kind = CREATION_COLUMN };
        bool is_column = !is_one_of(&table->columns, peek(table->columns), others, array_length(others)) &&
                         name_scan_part(&table->columns, found.column);

        if (is_column)
            found.type = read_type(&table->columns);
        table->has_columns = skip_rest(&table->columns);
        if (!is_column)
            continue;
        (void)stpcpy(found.schema, table->schema);
        (void)stpcpy(found.name, table->name);
        *out = found;
        return true;
    }
    return false;
}

bool creation_parse(struct slice statement, struct creation *out)
{
    struct scanner scanner = scanner_of(statement, true);
    struct creation found = { .name = "" };
    bool is_read;

    if (scan_word(&scanner, "create"))
        is_read = read_create(&scanner, &found);
    else
        is_read =
            scan_word(&scanner, "alter") && scan_word(&scanner, "table") && read_column(&scanner, &found);
    if (is_read)
        *out = found;
    return is_read;
}
