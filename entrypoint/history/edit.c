#include "history/edit.h"

#include <string.h>

#include "base/hash.h"
#include "sql/gist.h"
#include "sql/scan.h"
#include "sql/script.h"

enum {
    TRIED_BYTES_MOST = 1024 * 1024,
    LEADING_MOST = 8, /* comments at the start that are left out, one more each time */
    ALL_COMMENTS = LEADING_MOST + 1,
    VARIANTS = 24, /* of struct blanks */
};

static const char BOM[] = "\xEF\xBB\xBF";

enum script_end { END_KEPT, END_WITHOUT_FEED, END_WITH_FEED };

/* How blanks may have been before. */
struct blanks {
    bool is_trimmed;      /* no blanks at the ends of lines */
    bool is_head_trimmed; /* none before the first line with something on it */
    bool has_bom;
    enum script_end end;
};

static struct blanks blanks_of(unsigned number)
{
    return (struct blanks) { .is_trimmed = (number & 1) != 0,
                             .is_head_trimmed = (number & 2) != 0,
                             .has_bom = (number & 4) != 0,
                             .end = (enum script_end)(number / 8) };
}

static struct slice without_blanks_at_end(struct slice text)
{
    while (text.length > 0 && strchr(" \t\r\n\v\f", text.at[text.length - 1]) != NULL)
        text.length--;
    return text;
}

static struct slice without_empty_head(struct slice text)
{
    const char *feed;

    while ((feed = memchr(text.at, '\n', text.length)) != NULL &&
           slice_trim((struct slice) { text.at, (size_t)(feed - text.at) }).length == 0) {
        text.length -= (size_t)(feed + 1 - text.at);
        text.at = feed + 1;
    }
    return text;
}

/* Line ends are the dialect's to compare: "\n" stands for all of them. */
static void add_lines(struct slice text, bool is_trimmed, struct text *out)
{
    const char *feed;

    while (is_trimmed && (feed = memchr(text.at, '\n', text.length)) != NULL) {
        struct slice line = without_blanks_at_end((struct slice) { text.at, (size_t)(feed - text.at) });

        text_add(out, line.at, line.length);
        text_add_string(out, "\n");
        text.length -= (size_t)(feed + 1 - text.at);
        text.at = feed + 1;
    }
    if (is_trimmed)
        text = without_blanks_at_end(text);
    text_add(out, text.at, text.length);
}

static bool matches(const struct dialect *dialect, const char *stored, struct slice script,
                    const struct blanks *blanks)
{
    auto_text struct text variant = text_init(2 * (size_t)TRIED_BYTES_MOST);

    if (blanks->is_head_trimmed)
        script = without_empty_head(script);
    if (blanks->end != END_KEPT)
        script = without_blanks_at_end(script);
    text_add_string(&variant, blanks->has_bom ? BOM : "");
    add_lines(script, blanks->is_trimmed, &variant);
    text_add_string(&variant, blanks->end == END_WITH_FEED ? "\n" : "");
    return dialect->checksum_matches(stored, text_slice(&variant));
}

/* Where the comment at `start` and the blanks before it begin. */
static size_t blanks_before(struct slice script, size_t start)
{
    while (start > 0 && (script.at[start - 1] == ' ' || script.at[start - 1] == '\t'))
        start--;
    return start;
}

/* Where the script goes on without a comment; its line goes with it if nothing else is on that. */
static size_t end_of_left_out(struct slice script, size_t begin, size_t end)
{
    size_t next = end;

    if (begin > 0 && script.at[begin - 1] != '\n')
        return end;
    while (next < script.length && strchr(" \t\r", script.at[next]) != NULL)
        next++;
    return next < script.length && script.at[next] == '\n' ? next + 1 : end;
}

/* Adds it without its first `count` comments, or without all. False if it has fewer. */
static bool add_without_comments(struct slice script, unsigned count, struct text *out)
{
    struct scanner scanner = scanner_of(script, true);
    struct token token;
    size_t copied = 0;
    unsigned found = 0;

    scanner.gives_comments = true;
    while ((found < count || count == ALL_COMMENTS) &&
           (token = scan_token(&scanner), token.kind != TOKEN_END)) {
        size_t begin = blanks_before(script, token.start);

        if (token.kind != TOKEN_COMMENT)
            continue;
        if (begin > copied)
            text_add(out, script.at + copied, begin - copied);
        copied = end_of_left_out(script, begin, token.end);
        found++;
    }
    text_add(out, script.at + copied, script.length - copied);
    return count == ALL_COMMENTS ? found > LEADING_MOST : found == count;
}

/* By trials with the script as it is now. */
static enum edit guess(const struct dialect *dialect, const char *stored, struct slice script)
{
    if (script.length > TRIED_BYTES_MOST)
        return EDIT_UNKNOWN;
    for (unsigned comments = 0; comments <= ALL_COMMENTS; comments++) {
        auto_text struct text rest = text_init(TRIED_BYTES_MOST);

        if (!add_without_comments(script, comments, &rest))
            continue;
        for (unsigned number = 0; number < VARIANTS; number++) {
            const struct blanks blanks = blanks_of(number);

            if (matches(dialect, stored, text_slice(&rest), &blanks))
                return comments == 0 ? EDIT_BLANKS : EDIT_COMMENTS;
        }
    }
    return EDIT_UNKNOWN;
}

enum edit edit_find(const struct dialect *dialect, const struct edit_facts *was, struct slice script)
{
    struct slice text = script_without_bom(script);
    char gist[SHA256_HEX_SIZE];
    enum edit edit;

    if (dialect->checksum_matches(was->checksum, script))
        return EDIT_NONE;
    edit = guess(dialect, was->checksum, text);
    if (edit != EDIT_UNKNOWN || was->gist == NULL)
        return edit;
    gist_of(text, was->has_standard_strings, gist);
    return strcmp(gist, was->gist) == 0 ? EDIT_COMMENTS : EDIT_SQL;
}
