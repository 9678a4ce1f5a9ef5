#include "sql/allow.h"

#include <string.h>

#include "sql/directive_mark.h"
#include "sql/scan.h"

static struct slice take_word(struct slice *words)
{
    struct slice word = { .at = words->at, .length = 0 };

    while (word.length < words->length && strchr(" \t\v\f\r", words->at[word.length]) == NULL)
        word.length++;
    *words =
        slice_trim((struct slice) { .at = words->at + word.length, .length = words->length - word.length });
    return word;
}

bool allow_parse(struct slice words, struct allowance *out, const char **at, struct error *err)
{
    struct slice rest = slice_trim(words);
    struct slice rule = take_word(&rest);
    struct slice because = take_word(&rest);

    if (rule.length > 0 && slice_equals(because, "because") && rest.length > 0) {
        *out = (struct allowance) { .rule = rule, .because = rest };
        return true;
    }
    *at = words.at;
    error_set(err, ERROR_CLEAN, "directive \"allow\" needs a rule and a reason");
    return error_hint(err, "Write -- tidelock: allow RULE because REASON, on the line before the statement.");
}

/* What follows "allow" in a comment; false when it is none. */
static bool find_words(struct slice comment, struct slice *words)
{
    const struct directive_mark mark = directive_mark_of(comment);

    *words = mark.words;
    return mark.is_directive && slice_equals(take_word(words), "allow");
}

bool allow_is(struct slice comment)
{
    struct slice words;

    return find_words(comment, &words);
}

bool allow_next(struct slice bytes, size_t *offset, struct allowance *out)
{
    struct scanner scanner = scanner_of(bytes, true);
    struct token token;

    scanner.offset = *offset;
    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        struct error ignored;
        struct slice words;
        const char *at;

        *offset = token.end;
        if (token.kind == TOKEN_COMMENT && find_words(scanner_text(&scanner, token), &words) &&
            allow_parse(words, out, &at, &ignored))
            return true;
    }
    return false;
}
