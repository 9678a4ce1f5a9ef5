#include "dialect/drizzle_script.h"

#include <string.h>

#include "sql/scan.h"

static const char MARK[] = "--> statement-breakpoint";

/* Of a comment to the end of its line, the length up to the end of the first mark in it; 0 = it has none. */
static size_t find_mark(struct slice comment)
{
    const char *found;

    if (!slice_starts_with(comment, "--"))
        return 0;
    found = memmem(comment.at, comment.length, MARK, sizeof MARK - 1);
    return found == NULL ? 0 : (size_t)(found - comment.at) + sizeof MARK - 1;
}

/* Drizzle parts the text wherever the mark is. One inside a string or a function's body is left as it is
 * here: there, it would only break the statement. */
bool drizzle_script_read(const struct script_source *source, struct text *script, struct script_wishes *out,
                         struct error *err)
{
    struct scanner scanner = scanner_of(text_slice(script), true);
    struct token token;
    bool is_open = false; /* a statement has begun and not ended */

    (void)source;
    (void)out;
    (void)err;
    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        size_t length = token.kind == TOKEN_COMMENT ? find_mark(scanner_text(&scanner, token)) : 0;

        if (token.kind != TOKEN_COMMENT)
            is_open = token.kind != TOKEN_SEMICOLON;
        if (length == 0)
            continue;
        memset(script->at + token.start, ' ', length);
        if (is_open)
            script->at[token.start] = ';';
        is_open = false;
        scanner.offset = token.start + length;
    }
    return true;
}
