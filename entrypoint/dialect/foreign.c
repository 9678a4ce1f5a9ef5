#include "dialect/foreign.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "sql/scan.h"

/* From the documentation of each. Words are compared without regard to case and to the blanks between them.
 */
static const struct foreign_tool {
    const char *name;
    const char *files;     /* a pattern of its scripts' names; NULL = only what is in them tells */
    const char *mark;      /* a comment in its scripts … */
    const char *back_mark; /* … and the one behind which the way back begins */
} TOOLS[] = {
    { .name = "goose", .mark = "+goose up", .back_mark = "+goose down" },
    { .name = "dbmate", .mark = "migrate:up", .back_mark = "migrate:down" },
    { .name = "sql-migrate", .mark = "+migrate up", .back_mark = "+migrate down" },
    { .name = "rambler", .mark = "rambler up", .back_mark = "rambler down" },
    { .name = "Liquibase", .mark = "liquibase formatted sql" },
    { .name = "Drizzle", .mark = "> statement-breakpoint" },
    { .name = "Flyway", .files = "[VU][0-9]*__*.sql" },
    { .name = "Flyway", .files = "R__*.sql" },
    { .name = "golang-migrate", .files = "*.up.sql" },
    { .name = "golang-migrate", .files = "*.down.sql" },
    { .name = "sqlx, Drizzle or Supabase", .files = "[0-9]*_*.sql" },
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

static struct slice without_blanks(struct slice text)
{
    while (text.length > 0 && is_blank(text.at[0])) {
        text.at++;
        text.length--;
    }
    return text;
}

/* Whether a comment ("-- …") begins with the words of a mark. */
static bool has_words(struct slice comment, const char *mark)
{
    struct slice rest;

    if (mark == NULL || comment.length < 2 || comment.at[0] != '-')
        return false;
    rest = without_blanks((struct slice) { .at = comment.at + 2, .length = comment.length - 2 });
    for (; *mark != '\0' && rest.length > 0; mark++) {
        if (*mark == ' ' ? !is_blank(rest.at[0]) : lower(rest.at[0]) != *mark)
            return false;
        rest.at++;
        rest.length--;
        if (*mark == ' ')
            rest = without_blanks(rest);
    }
    return *mark == '\0' && (rest.length == 0 || is_blank(rest.at[0]));
}

/* The tool whose mark, or mark of the way back, is the first in a comment of the text; NULL = none. */
static const struct foreign_tool *find_mark(struct slice text, bool is_back, size_t *offset)
{
    struct scanner scanner = scanner_of(text, true);
    struct token token;

    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        for (size_t i = 0; token.kind == TOKEN_COMMENT && i < array_length(TOOLS); i++) {
            if (has_words(scanner_text(&scanner, token), is_back ? TOOLS[i].back_mark : TOOLS[i].mark)) {
                *offset = token.start;
                return &TOOLS[i];
            }
        }
    }
    return NULL;
}

const char *foreign_tool_of(const char *file, struct slice text)
{
    size_t offset;
    const struct foreign_tool *marked = find_mark(text, false, &offset);
    const char *said = marked == NULL ? NULL : marked->name;

    for (size_t i = 0; said == NULL && i < array_length(TOOLS); i++) {
        if (TOOLS[i].files != NULL && fnmatch(TOOLS[i].files, file, 0) == 0)
            said = TOOLS[i].name;
    }
    return said;
}

/* Saves reading most scripts token by token. */
static bool may_have_mark(struct slice script)
{
    const char *end = script.at + script.length;

    for (const char *at = script.at; (at = memchr(at, '-', (size_t)(end - at))) != NULL; at++) {
        struct slice comment = { .at = at, .length = (size_t)(end - at) };

        for (size_t i = 0; i < array_length(TOOLS) && comment.length > 2 && at[1] == '-'; i++) {
            if (has_words(comment, TOOLS[i].back_mark))
                return true;
        }
    }
    return false;
}

bool foreign_find_way_back(struct slice script, const char **tool, size_t *offset)
{
    const struct foreign_tool *marked = may_have_mark(script) ? find_mark(script, true, offset) : NULL;

    if (marked != NULL)
        *tool = marked->name;
    return marked != NULL;
}
