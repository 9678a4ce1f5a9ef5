#include "sql/subject.h"

#include "base/memory.h"
#include "sql/pattern.h"
#include "sql/scan.h"

static bool scan_kind(struct scanner *scanner, const enum subject_kind *kinds, size_t count,
                      enum subject_kind *out)
{
    static const char *const words[] = {
        [SUBJECT_INDEX] = "index",           [SUBJECT_TABLE] = "table",
        [SUBJECT_SCHEMA] = "schema",         [SUBJECT_DATABASE] = "database",
        [SUBJECT_TABLESPACE] = "tablespace", [SUBJECT_SUBSCRIPTION] = "subscription",
    };

    for (size_t i = 0; i < count; i++) {
        if (scan_word(scanner, words[kinds[i]])) {
            *out = kinds[i];
            return true;
        }
    }
    return false;
}

/* Skips "( … )", if it comes next. */
static bool scan_options(struct scanner *scanner)
{
    struct scanner ahead = *scanner;
    struct token token = scan_token(&ahead);

    if (token.kind != TOKEN_OPEN)
        return true;
    for (int depth = 1; depth > 0;) {
        token = scan_token(&ahead);
        if (token.kind == TOKEN_END)
            return false;
        depth += token.kind == TOKEN_OPEN ? 1 : token.kind == TOKEN_CLOSE ? -1 : 0;
    }
    *scanner = ahead;
    return true;
}

static bool read_reindex(struct scanner *scanner, struct subject *out)
{
    static const enum subject_kind kinds[] = { SUBJECT_INDEX, SUBJECT_TABLE, SUBJECT_SCHEMA,
                                               SUBJECT_DATABASE };
    struct scanner options = *scanner;

    if (!scan_options(scanner) || !scan_kind(scanner, kinds, array_length(kinds), &out->kind))
        return false;
    out->is_concurrent =
        scan_word(scanner, "concurrently") || option_find("concurrently", options) == OPTION_ON;
    return name_scan(scanner, out->schema, out->name) || out->kind == SUBJECT_DATABASE;
}

static bool read_object(struct scanner *scanner, struct subject *out)
{
    static const enum subject_kind kinds[] = { SUBJECT_DATABASE, SUBJECT_TABLESPACE, SUBJECT_SUBSCRIPTION };

    if (!scan_kind(scanner, kinds, array_length(kinds), &out->kind))
        return false;
    (void)name_scan_guard(scanner, false);
    return name_scan_part(scanner, out->name);
}

static bool read_detach(struct scanner *scanner, struct subject *out)
{
    out->kind = SUBJECT_PARTITION;
    if (!scan_word(scanner, "alter") || !scan_word(scanner, "table"))
        return false;
    (void)name_scan_guard(scanner, false);
    (void)scan_word(scanner, "only");
    if (!name_scan(scanner, out->parent_schema, out->parent))
        return false;
    while (!scan_word(scanner, "detach")) {
        if (scan_token(scanner).kind != TOKEN_OTHER) /* "t *" */
            return false;
    }
    return scan_word(scanner, "partition") && name_scan(scanner, out->schema, out->name);
}

bool subject_parse(struct slice statement, struct subject *out)
{
    struct scanner scanner = scanner_of(statement, true);
    struct subject found = { .is_create = scan_word(&scanner, "create") };
    bool is_read;

    found.is_drop = !found.is_create && scan_word(&scanner, "drop");
    if (found.is_create || found.is_drop)
        is_read = read_object(&scanner, &found);
    else
        is_read =
            scan_word(&scanner, "reindex") ? read_reindex(&scanner, &found) : read_detach(&scanner, &found);
    if (is_read)
        *out = found;
    return is_read;
}
