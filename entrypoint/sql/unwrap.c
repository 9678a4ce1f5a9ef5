#include "sql/unwrap.h"

#include <string.h>

#include "sql/script.h"

enum { ANY_SERVER = 0, WORDS_MOST = 2 /* START TRANSACTION, COMMIT WORK; more are options */ };

static bool is_plain(struct slice script, const struct statement *statement)
{
    struct scanner scanner = scanner_of(statement_text(script, statement), true);
    size_t words = 0;

    while (scan_token(&scanner).kind != TOKEN_END)
        words++;
    return words <= WORDS_MOST;
}

static bool is_about_transactions(enum statement_kind kind)
{
    return kind >= KIND_BEGIN && kind <= KIND_PREPARE_TRANSACTION;
}

/* Finds both ends; false if there is anything else of that kind. */
static bool find_ends(struct slice bytes, struct statement *first, struct statement *last)
{
    struct script_reader reader = script_reader_of("", bytes, ANY_SERVER, true);
    enum script_answer answer;
    struct error ignored;

    if (script_next(&reader, first, &ignored) != SCRIPT_STATEMENT || first->kind != KIND_BEGIN)
        return false;
    *last = *first;
    while (answer = script_next(&reader, last, &ignored), answer == SCRIPT_STATEMENT) {
        if (is_about_transactions(last->kind))
            break;
    }
    return answer == SCRIPT_STATEMENT && last->kind == KIND_COMMIT &&
           script_next(&reader, &(struct statement) { .start = 0 }, &ignored) == SCRIPT_END &&
           is_plain(bytes, first) && is_plain(bytes, last);
}

void script_unwrap(struct text *script)
{
    struct statement first;
    struct statement last;

    if (!find_ends(text_slice(script), &first, &last))
        return;
    memset(script->at + first.start, ' ', first.end - first.start);
    memset(script->at + last.start, ' ', last.end - last.start);
}
