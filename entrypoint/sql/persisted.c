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

/* The next that lasts among those before number `done`. */
static bool next(struct slice script, struct script_reader *reader, size_t *at, size_t done,
                 struct statement *out)
{
    struct error ignored;

    while (*at < done && script_next(reader, out, &ignored) == SCRIPT_STATEMENT) {
        ++*at;
        if (!statement_ends_with_session(script, out))
            return true;
    }
    return false;
}

size_t persisted_add(struct slice script, struct script_reader reader, size_t done, struct text *out)
{
    struct script_reader again = reader;
    struct statement statement;
    size_t count = 0;
    size_t at = 0;

    while (next(script, &reader, &at, done, &statement))
        count++;
    at = 0;
    for (size_t i = 0; next(script, &again, &at, done, &statement); i++) {
        if (count > LISTED_MOST && i == LISTED_MOST / 2)
            text_add_format(out, "; … (%zu more)", count - LISTED_MOST);
        if (count <= LISTED_MOST || i < LISTED_MOST / 2 || i >= count - LISTED_MOST / 2)
            list_one(script, &statement, out);
    }
    return count;
}
