#include "sql/persisted.h"

#include <string.h>

#include "base/memory.h"
#include "sql/scan.h"
#include "sql/segment.h"
#include "sql/session_statement.h"

enum { LISTED_MOST = 8, LISTED_BYTES = 64 };

/* CREATE [GLOBAL | LOCAL] TEMP | TEMPORARY TABLE, without a query. */
static bool is_temporary_table(struct slice text)
{
    struct scanner scanner = scanner_of(text, true);

    if (!scan_word(&scanner, "create"))
        return false;
    (void)(scan_word(&scanner, "global") || scan_word(&scanner, "local"));
    return (scan_word(&scanner, "temp") || scan_word(&scanner, "temporary")) &&
           scan_word(&scanner, "table") && !session_statement_mentions(text, "select") &&
           !session_statement_mentions(text, "execute") && !session_statement_mentions(text, "values");
}

bool statement_ends_with_session(struct slice script, const struct statement *statement)
{
    return statement_is_setting(script, statement) || is_temporary_table(statement_text(script, statement));
}

static void list_one(struct slice script, const struct statement *statement, struct text *out)
{
    struct slice text = statement_text(script, statement);
    size_t length = strcspn(text.at, "\r\n");
    auto_free char *line = memory_copy(text.at, length < text.length ? length : text.length);
    char shown[LISTED_BYTES];

    /* ALTER ROLE … PASSWORD 'secret' */
    if (session_statement_mentions(text, "password"))
        line[strcspn(line, "'$")] = '\0';
    text_copy_cut(shown, sizeof shown, line);
    text_add_format(out, "%s line %zu: %s", out->length == 0 ? "" : ";", statement->line, shown);
}

/* Whether the transaction that begins here is rolled back by the script itself. */
static bool is_undone_from(struct script_reader reader)
{
    struct statement statement;
    struct error ignored;

    while (script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT) {
        if (statement.kind == KIND_COMMIT || statement.kind == KIND_COMMIT_CHAIN ||
            statement.kind == KIND_PREPARE_TRANSACTION)
            return false;
        if (statement.kind == KIND_ROLLBACK || statement.kind == KIND_ROLLBACK_CHAIN)
            return true;
    }
    return false;
}

/* The statements of a script, up to number `done`. */
struct walk {
    struct slice script;
    struct script_reader reader;
    size_t at;
    size_t done;
    bool is_undone; /* the transaction at hand will be */
};

/* Of transaction control nothing lasts but what it encloses. */
static bool lasts(struct walk *walk, const struct statement *statement)
{
    switch (statement->kind) {
    case KIND_BEGIN:
    case KIND_COMMIT_CHAIN:
    case KIND_ROLLBACK_CHAIN:
        walk->is_undone = is_undone_from(walk->reader);
        return false;
    case KIND_COMMIT:
    case KIND_ROLLBACK:
        walk->is_undone = false;
        return false;
    case KIND_SAVEPOINT:
        return false;
    default:
        return !walk->is_undone && !statement_ends_with_session(walk->script, statement);
    }
}

static bool next(struct walk *walk, struct statement *out)
{
    struct error ignored;

    while (walk->at < walk->done && script_next(&walk->reader, out, &ignored) == SCRIPT_STATEMENT) {
        walk->at++;
        if (lasts(walk, out))
            return true;
    }
    return false;
}

size_t persisted_add(struct slice script, struct script_reader reader, size_t done, struct text *out)
{
    struct walk walk = { .script = script, .reader = reader, .done = done };
    struct walk again = walk;
    struct statement statement;
    size_t count = 0;

    while (next(&walk, &statement))
        count++;
    for (size_t i = 0; next(&again, &statement); i++) {
        if (count > LISTED_MOST && i == LISTED_MOST / 2)
            text_add_format(out, "; … (%zu more)", count - LISTED_MOST);
        if (count <= LISTED_MOST || i < LISTED_MOST / 2 || i >= count - LISTED_MOST / 2)
            list_one(script, &statement, out);
    }
    return count;
}
