#include "sql/creation.h"

#include "base/memory.h"
#include "sql/scan.h"

const char *const CREATION_NAMES[] = {
    [CREATION_RELATION] = "relation", [CREATION_COLUMN] = "column",       [CREATION_TYPE] = "type",
    [CREATION_SCHEMA] = "schema",     [CREATION_EXTENSION] = "extension",
};
_Static_assert(sizeof CREATION_NAMES / sizeof *CREATION_NAMES == CREATION_KINDS, "name every kind");

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
    return name_scan(scanner, out->schema, out->name);
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
    return name_scan_part(scanner, out->column);
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
