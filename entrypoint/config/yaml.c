#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { PAIRS_MOST = 128, LIST_PAIRS_MOST = 16 };

struct reader {
    yaml_parser_t parser;
    const char *path;
    struct slice text;
    struct arena *arena; /* of keys and values */
    const char *hint;
    size_t pairs_most;
    bool has_null;      /* "~" and "null" are no texts */
    unsigned documents; /* begun so far */
    bool is_over;
};

static bool refuse(const struct reader *reader, const yaml_mark_t *mark, const char *why, struct error *err)
{
    error_set(err, ERROR_USAGE, "%s", why);
    error_point(err, reader->path, reader->text.at, reader->text.length, mark->index);
    err->place.source[0] = '\0'; /* the line may hold a password */
    return error_hint(err, "%s", reader->hint);
}

static bool next(struct reader *reader, yaml_event_t *event, struct error *err)
{
    const yaml_parser_t *parser = &reader->parser;

    if (yaml_parser_parse(&reader->parser, event) == 1)
        return true;
    error_set(err, ERROR_USAGE, "not valid YAML: %s",
              parser->problem == NULL ? "out of memory" : parser->problem);
    error_point(err, reader->path, reader->text.at, reader->text.length,
                parser->problem_mark.index > 0 ? parser->problem_mark.index : parser->problem_offset);
    err->place.source[0] = '\0';
    return error_hint(err, "Quote values that contain special characters.");
}

static bool is_null(const yaml_event_t *event)
{
    static const char *const nulls[] = { "~", "null", "Null", "NULL" };
    const char *text = (const char *)event->data.scalar.value;

    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(text, nulls[i]) == 0)
            return true;
    }
    return false;
}

/* The next event must be a plain scalar without anchor or tag; its text is copied. NULL and `err` otherwise.
 */
static const char *take_scalar(struct reader *reader, struct arena *arena, const yaml_event_t *event,
                               struct error *err)
{
    const char *text;

    if (event->type != YAML_SCALAR_EVENT) {
        refuse(reader, &event->start_mark, "expected a single value", err);
        return NULL;
    }
    text = (const char *)event->data.scalar.value;
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        refuse(reader, &event->start_mark, "anchors and tags are not supported", err);
        return NULL;
    }
    if (strlen(text) != event->data.scalar.length) {
        refuse(reader, &event->start_mark, "the value contains a NUL byte", err);
        return NULL;
    }
    if (reader->has_null && is_null(event))
        text = "";
    return arena_copy(arena, text, strlen(text));
}

static bool add_pair(struct reader *reader, const yaml_event_t *event, const char *key,
                     struct yaml_pairs *out, struct error *err)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i].key, key) == 0)
            return refuse(reader, &event->start_mark, "duplicate key", err);
    }
    if (out->count == reader->pairs_most)
        return refuse(reader, &event->start_mark, "more keys than there are options", err);
    out->items[out->count++] = (struct yaml_pair) { .key = key,
                                                    .line = event->start_mark.line + 1,
                                                    .column = event->start_mark.column + 1 };
    return true;
}

/* Keys and values in turn until the mapping ends. */
static bool read_mapping(struct reader *reader, struct arena *arena, struct yaml_pairs *out,
                         struct error *err)
{
    for (bool is_key = true;; is_key = !is_key) {
        yaml_event_t event;
        const char *text;
        bool is_good;

        if (!next(reader, &event, err))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        text = take_scalar(reader, arena, &event, err);
        is_good = text != NULL && (!is_key || add_pair(reader, &event, text, out, err));
        if (is_good && !is_key)
            out->items[out->count - 1].value = text;
        yaml_event_delete(&event);
        if (!is_good)
            return false;
    }
}

/* One event at the level of the whole file. */
static bool read_top(struct reader *reader, struct yaml_pairs *out, struct error *err)
{
    yaml_event_t event;
    bool is_good = true;

    if (!next(reader, &event, err))
        return false;
    switch (event.type) {
    case YAML_STREAM_END_EVENT:
        reader->is_over = true;
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (++reader->documents > 1)
            is_good = refuse(reader, &event.start_mark, "a second document is not allowed", err);
        break;
    case YAML_MAPPING_START_EVENT:
        is_good = read_mapping(reader, reader->arena, out, err);
        break;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    default:
        /* "~" or nothing at all is the empty document */
        is_good = event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
        if (!is_good)
            is_good = refuse(reader, &event.start_mark, "expected options with values", err);
    }
    yaml_event_delete(&event);
    return is_good;
}

static void begin(struct reader *reader)
{
    if (yaml_parser_initialize(&reader->parser) != 1)
        abort(); /* only when out of memory */
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text.at,
                                 reader->text.length);
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
}

bool yaml_read(struct arena *arena, const char *path, struct slice text, struct yaml_pairs *out,
               struct error *err)
{
    struct reader reader = {
        .path = path,
        .text = text,
        .arena = arena,
        .hint = "The file is a flat list of options, one per line, such as \"lock_timeout: 5s\".",
        .pairs_most = PAIRS_MOST,
    };
    bool is_good = true;

    *out = (struct yaml_pairs) { .items = arena_alloc(arena, PAIRS_MOST, sizeof *out->items) };
    begin(&reader);
    while (is_good && !reader.is_over)
        is_good = read_top(&reader, out, err);
    yaml_parser_delete(&reader.parser);
    return is_good;
}

/* ---- a list of mappings ---- */

/* Where a list is read. `event` is the one at hand. */
struct list_reader {
    struct reader reader;
    const struct yaml_list_request *request;
    struct yaml_list *out;
    size_t capacity;
    struct yaml_pair pairs[LIST_PAIRS_MOST];
};

/* The mapping that has begun. */
static bool add_mapping(struct list_reader *list, const yaml_event_t *event, struct error *err)
{
    struct arena *arena = list->reader.arena;
    struct yaml_list *out = list->out;
    struct yaml_pairs read = { .items = list->pairs };
    struct yaml_pairs *added;

    if (event->type != YAML_MAPPING_START_EVENT)
        return refuse(&list->reader, &event->start_mark, "expected keys with values", err);
    if (out->count == list->request->most)
        return refuse(&list->reader, &event->start_mark, "the list is too long", err);
    if (!read_mapping(&list->reader, arena, &read, err))
        return false;
    out->items = arena_grow(arena, out->items, out->count, &list->capacity, sizeof *out->items);
    added = &out->items[out->count++];
    *added = (struct yaml_pairs) { .items = arena_alloc(arena, read.count + 1, sizeof *added->items),
                                   .count = read.count };
    memcpy(added->items, read.items, read.count * sizeof *added->items);
    return true;
}

static bool read_items(struct list_reader *list, struct error *err)
{
    for (;;) {
        yaml_event_t event;
        bool is_end;
        bool is_good;

        if (!next(&list->reader, &event, err))
            return false;
        is_end = event.type == YAML_SEQUENCE_END_EVENT;
        is_good = is_end || add_mapping(list, &event, err);
        yaml_event_delete(&event);
        if (is_end || !is_good)
            return is_good;
    }
}

/* "heading:" has to be the only key, and a list its value. */
static bool read_heading(struct list_reader *list, struct error *err)
{
    static const yaml_event_type_t wanted[] = { YAML_SCALAR_EVENT, YAML_SEQUENCE_START_EVENT,
                                                YAML_MAPPING_END_EVENT };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        yaml_event_t event;
        bool is_good;

        if (!next(&list->reader, &event, err))
            return false;
        is_good = event.type == wanted[i] &&
                  (i > 0 || strcmp((const char *)event.data.scalar.value, list->request->heading) == 0);
        if (!is_good)
            refuse(&list->reader, &event.start_mark, "expected a list", err);
        is_good = is_good && (event.type != YAML_SEQUENCE_START_EVENT || read_items(list, err));
        yaml_event_delete(&event);
        if (!is_good)
            return false;
    }
    return true;
}

static bool read_list_top(struct list_reader *list, struct error *err)
{
    struct reader *reader = &list->reader;
    yaml_event_t event;
    bool is_good = true;

    if (!next(reader, &event, err))
        return false;
    if (event.type == YAML_STREAM_END_EVENT)
        reader->is_over = true;
    else if (event.type == YAML_DOCUMENT_START_EVENT && ++reader->documents > 1)
        is_good = refuse(reader, &event.start_mark, "a second document is not allowed", err);
    else if (event.type == YAML_SEQUENCE_START_EVENT)
        is_good = read_items(list, err);
    else if (event.type == YAML_MAPPING_START_EVENT)
        is_good = read_heading(list, err);
    else if (event.type == YAML_ALIAS_EVENT ||
             (event.type == YAML_SCALAR_EVENT && event.data.scalar.length > 0))
        is_good = refuse(reader, &event.start_mark, "expected a list", err);
    yaml_event_delete(&event);
    return is_good;
}

bool yaml_read_list(struct arena *arena, const struct yaml_list_request *request, struct yaml_list *out,
                    struct error *err)
{
    struct list_reader list = {
        .reader = { .path = request->path,
                    .text = request->text,
                    .arena = arena,
                    .hint = request->hint,
                    .pairs_most = LIST_PAIRS_MOST,
                    .has_null = true },
        .request = request,
        .out = out,
    };
    bool is_good = true;

    *out = (struct yaml_list) { .count = 0 };
    begin(&list.reader);
    while (is_good && !list.reader.is_over)
        is_good = read_list_top(&list, err);
    yaml_parser_delete(&list.reader.parser);
    return is_good;
}
