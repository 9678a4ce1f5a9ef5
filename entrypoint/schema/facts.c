#include "schema/facts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "tidelock snapshot 1, PostgreSQL "
#define TAIL "end of "
#define INDENT "  "
/* Of a line that ends in a carriage return, which git and editors add to lines and take from them. */
#define RETURN_INDENT " \\"

void facts_add(struct arena *arena, struct facts *facts, const struct fact *fact)
{
    facts->items = arena_grow(arena, facts->items, facts->count, &facts->capacity, sizeof *facts->items);
    facts->items[facts->count++] =
        (struct fact) { .kind = arena_copy(arena, fact->kind, strlen(fact->kind)),
                        .name = arena_copy(arena, fact->name, strlen(fact->name)),
                        .definition = arena_copy(arena, fact->definition, strlen(fact->definition)) };
}

static int compare(const void *one, const void *other)
{
    const struct fact *left = one;
    const struct fact *right = other;
    int order = strcmp(left->kind, right->kind);

    if (order == 0)
        order = strcmp(left->name, right->name);
    return order == 0 ? strcmp(left->definition, right->definition) : order;
}

void facts_sort(struct facts *facts)
{
    if (facts->count > 0)
        qsort(facts->items, facts->count, sizeof *facts->items, compare);
}

/* A name on one line. */
static void add_name(const char *name, struct text *out)
{
    for (; *name != '\0'; name++) {
        if (*name == '\n')
            text_add_string(out, "\\n");
        else if (*name == '\r')
            text_add_string(out, "\\r");
        else if (*name == '\\')
            text_add_string(out, "\\\\");
        else
            text_add(out, name, 1);
    }
}

static void add_definition(const char *definition, struct text *out)
{
    while (*definition != '\0') {
        size_t length = strcspn(definition, "\n");
        bool has_return = length > 0 && definition[length - 1] == '\r';

        text_add_string(out, has_return ? RETURN_INDENT : INDENT);
        text_add(out, definition, length - has_return);
        text_add_string(out, "\n");
        definition += length;
        if (*definition == '\n' && *++definition == '\0')
            text_add_string(out, INDENT "\n");
    }
}

static void add_fact(const struct fact *fact, struct text *out)
{
    text_add_string(out, fact->kind);
    text_add_string(out, " ");
    add_name(fact->name, out);
    text_add_string(out, "\n");
    add_definition(fact->definition, out);
}

void facts_write(const struct facts *facts, struct text *out)
{
    text_add_format(out, HEAD "%d\n", facts->major);
    for (size_t i = 0; i < facts->count; i++)
        add_fact(&facts->items[i], out);
    text_add_format(out, TAIL "%zu fact%s\n", facts->count, text_plural(facts->count));
}

void facts_digest(const struct facts *facts, char hex[SHA256_HEX_SIZE])
{
    auto_text struct text whole = text_init(SIZE_MAX);

    for (size_t i = 0; i < facts->count; i++)
        add_fact(&facts->items[i], &whole);
    sha256_of(text_slice(&whole), hex);
}

/* The text while it is read. */
struct lines {
    const char *file;
    struct slice whole;
    size_t offset;
    bool have_returns; /* each ends in a carriage return and a line feed */
};

static struct slice left_of(const struct lines *lines)
{
    return (struct slice) { .at = lines->whole.at + lines->offset,
                            .length = lines->whole.length - lines->offset };
}

static bool next_line(struct lines *lines, struct slice *line)
{
    const char *end;

    if (lines->offset >= lines->whole.length)
        return false;
    *line = left_of(lines);
    end = memchr(line->at, '\n', line->length);
    if (end != NULL)
        line->length = (size_t)(end - line->at);
    lines->offset += line->length + (end != NULL);
    if (lines->have_returns && line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool refuse(const struct lines *lines, size_t offset, const char *what, struct error *err)
{
    error_set(err, ERROR_USAGE, "%s", what);
    error_point(err, lines->file, lines->whole.at, lines->whole.length, offset);
    return error_hint(err, "Write it anew: tidelock snapshot > %s", lines->file);
}

/* Takes the digits at the beginning of a line; false if there are none, or too many. */
static bool take_number(struct slice *line, size_t *out)
{
    enum { DIGITS_MOST = 10 };
    size_t digits = 0;

    *out = 0;
    for (; digits < line->length && line->at[digits] >= '0' && line->at[digits] <= '9'; digits++) {
        if (digits == DIGITS_MOST)
            return false;
        *out = *out * 10 + (size_t)(line->at[digits] - '0');
    }
    line->at += digits;
    line->length -= digits;
    return digits > 0;
}

static bool read_head(struct lines *lines, int *major, struct error *err)
{
    size_t number;
    struct slice line;
    size_t bad;

    if (!next_line(lines, &line))
        return refuse(lines, 0, "the file is empty", err);
    lines->have_returns = line.length > 0 && line.at[line.length - 1] == '\r';
    line.length -= lines->have_returns;
    if (!slice_starts_with(line, HEAD))
        return refuse(lines, 0, "this is no snapshot that this version can read", err);
    line.at += strlen(HEAD);
    line.length -= strlen(HEAD);
    if (!take_number(&line, &number) || line.length > 0 || number > INT16_MAX)
        return refuse(lines, strlen(HEAD), "this is no version of PostgreSQL", err);
    *major = (int)number;
    if (!utf8_is_valid(lines->whole.at, lines->whole.length, &bad))
        return refuse(lines, bad, "this is not valid UTF-8", err);
    return true;
}

/* The last line says how many there are: a file that was cut off has none. */
static bool read_tail(struct lines *lines, size_t count, struct error *err)
{
    size_t begin = lines->offset;
    struct slice line;
    size_t number;

    if (!next_line(lines, &line))
        return refuse(lines, begin, "the file is cut off: its last line is missing", err);
    line.at += strlen(TAIL);
    line.length -= strlen(TAIL);
    if (!take_number(&line, &number) || !slice_equals(line, number == 1 ? " fact" : " facts"))
        return refuse(lines, begin, "the last line is damaged", err);
    if (number != count)
        return refuse(lines, begin, "the file holds more or fewer facts than its last line says", err);
    if (lines->offset < lines->whole.length)
        return refuse(lines, lines->offset, "this is behind the end of the snapshot", err);
    return true;
}

static void read_name(struct slice written, struct text *out)
{
    for (size_t i = 0; i < written.length; i++) {
        bool is_escape = written.at[i] == '\\' && i + 1 < written.length;
        char byte = written.at[i += is_escape];

        if (is_escape && byte == 'n')
            text_add_string(out, "\n");
        else if (is_escape && byte == 'r')
            text_add_string(out, "\r");
        else
            text_add(out, &byte, 1);
    }
}

static void read_definition(struct lines *lines, struct text *out)
{
    for (bool is_first = true;; is_first = false) {
        bool has_return = slice_starts_with(left_of(lines), RETURN_INDENT);
        struct slice line;

        if ((!has_return && !slice_starts_with(left_of(lines), INDENT)) || !next_line(lines, &line))
            return;
        text_add_string(out, is_first ? "" : "\n");
        text_add(out, line.at + strlen(INDENT), line.length - strlen(INDENT));
        text_add_string(out, has_return ? "\r" : "");
    }
}

static bool read_fact(struct arena *arena, struct lines *lines, struct facts *out, struct error *err)
{
    auto_text struct text definition = text_init(SIZE_MAX);
    auto_text struct text kind = text_init(SIZE_MAX);
    auto_text struct text name = text_init(SIZE_MAX);
    size_t begin = lines->offset;
    struct slice line;
    const char *space;

    if (!next_line(lines, &line))
        return true;
    space = memchr(line.at, ' ', line.length);
    if (space == NULL || space == line.at)
        return refuse(lines, begin, "this line is not of a snapshot: it says no kind and name", err);
    text_add(&kind, line.at, (size_t)(space - line.at));
    read_name((struct slice) { .at = space + 1, .length = line.length - (size_t)(space + 1 - line.at) },
              &name);
    read_definition(lines, &definition);
    facts_add(arena, out, &(struct fact) { .kind = kind.at, .name = name.at, .definition = definition.at });
    return true;
}

static bool check_names(const char *file, const struct facts *facts, struct error *err)
{
    for (size_t i = 1; i < facts->count; i++) {
        const struct fact *fact = &facts->items[i];

        if (strcmp(fact->kind, fact[-1].kind) != 0 || strcmp(fact->name, fact[-1].name) != 0)
            continue;
        error_set(err, ERROR_USAGE, "file \"%s\" holds two definitions of %s %s", file, fact->kind,
                  fact->name);
        return error_hint(err, "Write it anew: tidelock snapshot > %s", file);
    }
    return true;
}

bool facts_read(struct arena *arena, const char *file, struct slice text, struct facts *out,
                struct error *err)
{
    struct lines lines = { .file = file, .whole = text };
    const char *nul = memchr(text.at, '\0', text.length);

    *out = (struct facts) { .major = 0 };
    if (nul != NULL)
        return refuse(&lines, (size_t)(nul - text.at), "a snapshot holds no zero bytes", err);
    if (!read_head(&lines, &out->major, err))
        return false;
    while (lines.offset < text.length && !slice_starts_with(left_of(&lines), TAIL)) {
        if (!read_fact(arena, &lines, out, err))
            return false;
    }
    if (!read_tail(&lines, out->count, err))
        return false;
    facts_sort(out);
    return check_names(file, out, err);
}
