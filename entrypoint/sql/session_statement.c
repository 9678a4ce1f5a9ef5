#include "sql/session_statement.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "sql/scan.h"

/* Its first two bytes rule most places out. */
static inline bool begins_with(struct slice text, const char *word)
{
    size_t length = strlen(word);

    return text.length >= length && (text.at[0] | 0x20) == word[0] && (text.at[1] | 0x20) == word[1] &&
           strncasecmp(text.at, word, length) == 0;
}

bool session_statement_mentions(struct slice statement, const char *word)
{
    size_t length = strlen(word);

    /* Scripts may be large: the first byte, whatever its case (bit 5 of a letter), rules nearly every place
     * out. */
    for (size_t i = 0; i + length <= statement.length; i++) {
        if ((statement.at[i] | 0x20) == (word[0] | 0x20) && strncasecmp(statement.at + i, word, length) == 0)
            return true;
    }
    return false;
}

/* [pg_catalog.] set_config ( '…' , '…' , true|false ) */
static bool scan_set_config(struct scanner *scanner)
{
    static const enum token_kind arguments[] = { TOKEN_OPEN, TOKEN_STRING, TOKEN_OTHER, TOKEN_STRING,
                                                 TOKEN_OTHER };

    if (scan_word(scanner, "pg_catalog") && scan_token(scanner).kind != TOKEN_DOT)
        return false;
    if (!scan_word(scanner, "set_config"))
        return false;
    for (size_t i = 0; i < array_length(arguments); i++) {
        if (scan_token(scanner).kind != arguments[i])
            return false;
    }
    return (scan_word(scanner, "true") || scan_word(scanner, "false")) &&
           scan_token(scanner).kind == TOKEN_CLOSE && scan_token(scanner).kind == TOKEN_END;
}

bool session_statement_is_repeatable(struct slice statement, bool has_standard_strings)
{
    struct scanner scanner = scanner_of(statement, has_standard_strings);

    if (scan_word(&scanner, "set") || scan_word(&scanner, "reset"))
        return true;
    return scan_word(&scanner, "select") && scan_set_config(&scanner);
}

static bool mentions_any(struct slice statement, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (session_statement_mentions(statement, words[i]))
            return true;
    }
    return false;
}

/* Passes over the word. */
static bool begins_with_any(struct scanner *scanner, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (scan_word(scanner, words[i]))
            return true;
    }
    return false;
}

bool session_statement_ends_with_transaction(struct slice statement)
{
    static const char *const signs[] = { "set_config", "set local", "on commit", "xact_lock" };
    static const char *const firsts[] = { "savepoint", "release", "rollback", "declare", "lock" };
    struct scanner scanner = scanner_of(statement, true);

    if (mentions_any(statement, signs, array_length(signs)) ||
        begins_with_any(&scanner, firsts, array_length(firsts)))
        return true;
    return scan_word(&scanner, "set") &&
           (scan_word(&scanner, "local") || scan_word(&scanner, "transaction") ||
            scan_word(&scanner, "constraints"));
}

bool session_statement_is_lasting(struct slice statement)
{
    static const char *const signs[] = { "set_config", "with hold", "advisory_lock" };
    static const char *const firsts[] = { "reset", "discard", "prepare", "listen" };
    struct scanner scanner = scanner_of(statement, true);

    if (mentions_any(statement, signs, array_length(signs)) ||
        begins_with_any(&scanner, firsts, array_length(firsts)))
        return true;
    if (scan_word(&scanner, "set"))
        return !scan_word(&scanner, "local") && !scan_word(&scanner, "transaction") &&
               !scan_word(&scanner, "constraints");
    if (!scan_word(&scanner, "create"))
        return false;
    if (scan_word(&scanner, "or") && !scan_word(&scanner, "replace"))
        return false;
    return scan_word(&scanner, "temp") || scan_word(&scanner, "temporary");
}

bool session_statement_is_reset(struct slice statement)
{
    return session_statement_mentions(statement, "reset") || session_statement_mentions(statement, "discard");
}

static void note_sign(struct slice text, struct session_signs *signs)
{
    signs->is_advisory |= begins_with(text, "advisory");
    signs->is_reset |= begins_with(text, "discard") || begins_with(text, "reset");
}

/* A letter's bit, whatever its case. */
#define LETTER(letter) (1u << ((letter)&31))

/* Scripts may be large, and most places in them are ruled out: of the four first pairs of letters of each of
 * these words, one is at a multiple of four. */
struct session_signs session_signs_of(struct slice text)
{
    enum { PAIRS = 4 };
    static const uint32_t followers[32] = {
        ['a' & 31] = LETTER('d'),
        ['c' & 31] = LETTER('a'),
        ['d' & 31] = LETTER('v') | LETTER('i'),
        ['e' & 31] = LETTER('s') | LETTER('t'),
        ['i' & 31] = LETTER('s'),
        ['r' & 31] = LETTER('e'),
        ['s' & 31] = LETTER('c') | LETTER('e'),
        ['v' & 31] = LETTER('i'),
    };
    struct session_signs signs = { .is_advisory = false };

    for (size_t i = 0; i + 1 < text.length; i += PAIRS) {
        if ((followers[text.at[i] & 31] & LETTER(text.at[i + 1])) == 0)
            continue;
        for (size_t start = i < PAIRS ? 0 : i + 1 - PAIRS; start <= i; start++)
            note_sign((struct slice) { text.at + start, text.length - start }, &signs);
    }
    return signs;
}
