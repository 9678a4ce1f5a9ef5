#include "schema/facts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "tidelock snapshot 1, PostgreSQL "
#define INDENT "  "

enum { FACT_BYTES_MOST = 16 * 1024 * 1024 };

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

        text_add_string(out, INDENT);
        text_add(out, definition, length);
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
};

static bool next_line(struct lines *lines, struct slice *line)
{
    const char *end;

    if (lines->offset >= lines->whole.length)
        return false;
    line->at = lines->whole.at + lines->offset;
    end = memchr(line->at, '\n', lines->whole.length - lines->offset);
    line->length = end == NULL ? lines->whole.length - lines->offset : (size_t)(end - line->at);
    lines->offset += line->length + 1;
    return true;
}

static bool is_indented(const struct lines *lines)
{
    return slice_starts_with((struct slice) { .at = lines->whole.at + lines->offset,
                                              .length = lines->whole.length - lines->offset },
                             INDENT);
}

static bool refuse(const struct lines *lines, size_t offset, const char *what, struct error *err)
{
    error_set(err, ERROR_USAGE, "%s", what);
    error_point(err, lines->file, lines->whole.at, lines->whole.length, offset);
    return error_hint(err, "Write it anew: tidelock snapshot > %s", lines->file);
}

static void read_name(struct slice written, struct text *out)
{
    for (size_t i = 0; i < written.length; i++) {
        bool is_escape = written.at[i] == '\\' && i + 1 < written.length;

        if (is_escape && written.at[++i] == 'n')
            text_add_string(out, "\n");
        else
            text_add(out, &written.at[i], 1);
    }
}

static bool read_fact(struct arena *arena, struct lines *lines, struct facts *out, struct error *err)
{
    auto_text struct text definition = text_init(FACT_BYTES_MOST);
    auto_text struct text kind = text_init(FACT_BYTES_MOST);
    auto_text struct text name = text_init(FACT_BYTES_MOST);
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
    for (bool is_first = true; is_indented(lines) && next_line(lines, &line); is_first = false) {
        text_add_string(&definition, is_first ? "" : "\n");
        text_add(&definition, line.at + strlen(INDENT), line.length - strlen(INDENT));
    }
    facts_add(arena, out, &(struct fact) { .kind = kind.at, .name = name.at, .definition = definition.at });
    return true;
}

bool facts_read(struct arena *arena, const char *file, struct slice text, struct facts *out,
                struct error *err)
{
    struct lines lines = { .file = file, .whole = text };
    struct slice head;

    *out = (struct facts) { .major = 0 };
    if (memchr(text.at, '\0', text.length) != NULL || !next_line(&lines, &head) ||
        !slice_starts_with(head, HEAD))
        return refuse(&lines, 0, "this is no snapshot that this version can read", err);
    out->major = (int)strtol(head.at + strlen(HEAD), NULL, 10);
    while (lines.offset < text.length) {
        if (!read_fact(arena, &lines, out, err))
            return false;
    }
    facts_sort(out);
    return true;
}
