#include "sql/definition.h"

#include "base/memory.h"
#include "sql/pattern.h"

static const char *const DEFINITIONS[] = {
    "CREATE [UNLOGGED] TABLE",
    "CREATE [UNIQUE] INDEX",
    "CREATE TYPE|SEQUENCE|DOMAIN|VIEW|SCHEMA|FUNCTION|TRIGGER|POLICY",
    "CREATE OR REPLACE VIEW|FUNCTION",
    "ALTER TABLE|TYPE|SEQUENCE|DOMAIN|VIEW|INDEX",
    "DROP TABLE|TYPE|SEQUENCE|DOMAIN|VIEW|INDEX|FUNCTION|TRIGGER|POLICY",
    "COMMENT ON",
};

/* CREATE TABLE … AS runs a query; within parentheses, GENERATED … AS does not. */
static bool is_of_query(struct scanner scanner)
{
    struct token token = scan_token(&scanner);

    for (int depth = 0; token.kind != TOKEN_END; token = scan_token(&scanner)) {
        depth += (token.kind == TOKEN_OPEN) - (token.kind == TOKEN_CLOSE);
        if (depth == 0 && scanner_is_word(&scanner, token, "as"))
            return true;
    }
    return false;
}

bool statement_is_definition(struct slice statement)
{
    struct scanner scanner = scanner_of(statement, true);
    struct head head = head_of(scanner);

    for (size_t i = 0; i < array_length(DEFINITIONS); i++) {
        if (pattern_matches(DEFINITIONS[i], &head))
            return i > 0 || !is_of_query(scanner);
    }
    return false;
}
