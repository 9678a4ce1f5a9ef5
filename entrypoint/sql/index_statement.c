#include "sql/index_statement.h"

#include "sql/scan.h"

static bool read_create(struct scanner *scanner, struct index_statement *out)
{
    out->is_unique = scan_word(scanner, "unique");
    if (!scan_word(scanner, "index"))
        return false;
    out->is_concurrent = scan_word(scanner, "concurrently");
    out->has_guard = name_scan_guard(scanner, true);
    if (!scan_word(scanner, "on") && (!name_scan_part(scanner, out->name) || !scan_word(scanner, "on")))
        return false;
    (void)scan_word(scanner, "only");
    if (!name_scan(scanner, out->table_schema, out->table))
        return false;
    out->rest = scanner->offset;
    return true;
}

static bool read_drop(struct scanner *scanner, struct index_statement *out)
{
    struct token next;

    out->is_drop = true;
    if (!scan_word(scanner, "index"))
        return false;
    out->is_concurrent = scan_word(scanner, "concurrently");
    out->has_guard = name_scan_guard(scanner, false);
    if (!name_scan(scanner, out->schema, out->name))
        return false;
    next = scan_token(scanner);
    return next.kind == TOKEN_END || next.kind == TOKEN_WORD || next.kind == TOKEN_SEMICOLON;
}

bool index_statement_parse(struct slice statement, struct index_statement *out)
{
    struct scanner scanner = scanner_of(statement, true);
    struct index_statement found = { .is_drop = false };

    if (scan_word(&scanner, "create") ? !read_create(&scanner, &found)
                                      : !scan_word(&scanner, "drop") || !read_drop(&scanner, &found))
        return false;
    *out = found;
    return true;
}
