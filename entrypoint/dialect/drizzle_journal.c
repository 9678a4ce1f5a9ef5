#include "dialect/drizzle_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { WHEN_SIZE = 24 };

static bool refuse(const char *path, struct error *err)
{
    error_context(err, "reading %s", path);
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "Let drizzle-kit write it: drizzle-kit generate. To see what is wrong with it: "
                      "drizzle-kit check");
}

static bool read_entry(struct arena *arena, const struct json *entry, size_t number, struct indexed *out,
                       struct error *err)
{
    const char *tag = json_get_text(entry, "tag");
    int64_t when = json_get_number(entry, "when", -1);
    char key[WHEN_SIZE];

    if (tag == NULL || tag[0] == '\0' || strchr(tag, '/') != NULL)
        return error_set(err, ERROR_USAGE, "entry %zu of the journal has no \"tag\" that is a file's name",
                         number);
    if (when < 0)
        return error_set(err, ERROR_USAGE,
                         "entry %zu of the journal, \"%s\", has no \"when\" in milliseconds", number, tag);
    (void)snprintf(key, sizeof key, "%" PRId64, when);
    *out = (struct indexed) { .name = arena_copy(arena, tag, strlen(tag)),
                              .key = arena_copy(arena, key, strlen(key)) };
    return true;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(((const struct indexed *)one)->name, ((const struct indexed *)other)->name);
}

static int compare_keys(const void *one, const void *other)
{
    return strcmp(((const struct indexed *)one)->key, ((const struct indexed *)other)->key);
}

/* Two that would be one migration to the ledger, or one file twice. */
static bool check_distinct(struct arena *arena, const struct indexed *entries, size_t count,
                           int (*compare)(const void *, const void *), struct error *err)
{
    struct indexed *sorted = arena_alloc(arena, count, sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = entries[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count; i++) {
        if (compare(&sorted[i - 1], &sorted[i]) == 0)
            return error_set(err, ERROR_USAGE,
                             "two entries of the journal can't be told apart: \"%s\" and \"%s\", when %s",
                             sorted[i - 1].name, sorted[i].name, sorted[i].key);
    }
    return true;
}

static bool read_entries(struct arena *arena, const struct json *entries, struct index *out,
                         struct error *err)
{
    const struct json *entry;
    size_t capacity = 0;

    *out = (struct index) { .count = 0 };
    while ((entry = json_item(entries, out->count)) != NULL) {
        out->items = arena_grow(arena, out->items, out->count, &capacity, sizeof *out->items);
        if (!read_entry(arena, entry, out->count, &out->items[out->count], err))
            return false;
        out->count++;
    }
    return check_distinct(arena, out->items, out->count, compare_names, err) &&
           check_distinct(arena, out->items, out->count, compare_keys, err);
}

bool drizzle_journal_read(struct arena *arena, const char *path, struct slice text, struct index *out,
                          struct error *err)
{
    auto_json struct json *journal = json_read(text);
    const struct json *entries = json_get_array(journal, "entries");

    if (entries == NULL) {
        error_set(err, ERROR_USAGE,
                  journal == NULL ? "the journal is not JSON" : "the journal has no \"entries\"");
        return refuse(path, err);
    }
    return read_entries(arena, entries, out, err) || refuse(path, err);
}

bool drizzle_journal_check(const char *path, struct slice text, struct error *err)
{
    auto_json struct json *journal = json_read(text);
    const char *dialect = json_get_text(journal, "dialect");

    /* Until 0.21 it was called "pg". */
    if (dialect == NULL || strcmp(dialect, "postgresql") == 0 || strcmp(dialect, "pg") == 0)
        return true;
    error_set(err, ERROR_REFUSED, "the migrations are written for \"%.100s\", not for \"postgresql\"",
              dialect);
    error_cause(err, CAUSE_PROVIDER);
    error_context(err, "reading %s", path);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Migrations for another kind of server cannot be applied to PostgreSQL.");
}
