/* Any bytes as a list of tenants, in CSV and in YAML: read, or refused with a message and a place; and as
 * CSV, what is read gives the same when it is written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tenants/csv.h"
#include "tenants/file.h"
#include "tenants/list.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_refusal(const struct error *err)
{
    require(err->class == ERROR_USAGE && err->message[0] != '\0' && err->hint[0] != '\0');
    require(err->place.source[0] == '\0');
}

/* Everything that it takes is there once, and of one of its rows. */
static void try_list(struct arena *arena, const struct tenant_rows *rows)
{
    const struct config config = { .arena = arena, .tenants = "any", .database_url = "postgres://u@h/d" };
    struct tenant_list list;
    struct error err = { .class = ERROR_NONE };

    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].values[COLUMN_URL_FILE] != NULL ||
            rows->items[i].values[COLUMN_PASSWORD_FILE] != NULL)
            return; /* no file of this machine is read */
    }
    if (!tenants_take(arena, &config, rows, &list, &err)) {
        require(err.class == ERROR_USAGE && err.message[0] != '\0' && err.place.source[0] == '\0');
        return;
    }
    require(list.count == rows->count);
    for (size_t i = 0; i < list.count; i++) {
        require(strcmp(list.items[i].name, rows->items[i].values[COLUMN_NAME]) == 0);
        for (size_t j = 0; j < i; j++)
            require(strcmp(list.items[i].name, list.items[j].name) != 0);
    }
}

static void try_file(const char *path, struct slice text)
{
    auto_arena struct arena *arena = arena_new();
    struct error err = { .class = ERROR_NONE };
    struct tenant_rows rows;

    if (!tenant_file_parse(arena, path, text, &rows, &err)) {
        require_refusal(&err);
        return;
    }
    require(rows.count > 0);
    try_list(arena, &rows);
}

static void add_quoted(const char *value, struct text *out)
{
    text_add_string(out, "\"");
    for (; *value != '\0'; value++)
        text_add_format(out, *value == '"' ? "\"\"" : "%c", *value);
    text_add_string(out, "\"");
}

static void require_same(const struct csv_record *one, const struct csv_record *other)
{
    require(one->count == other->count);
    for (size_t i = 0; i < one->count; i++)
        require(strcmp(one->values[i], other->values[i]) == 0);
}

static void try_csv(struct slice text)
{
    auto_arena struct arena *arena = arena_new();
    struct csv csv = { .path = "any.csv", .text = text };
    struct csv_record record;
    struct error err = { .class = ERROR_NONE };
    enum csv_answer answer;

    while ((answer = csv_next(&csv, arena, &record, &err)) == CSV_RECORD) {
        auto_text struct text written = text_init(2 * text.length + 4 * (size_t)CSV_FIELDS_MOST);
        struct csv again = { .path = "again.csv" };
        struct csv_record read;

        for (size_t i = 0; i < record.count; i++) {
            text_add_string(&written, i == 0 ? "" : ",");
            add_quoted(record.values[i], &written);
        }
        again.text = text_slice(&written);
        require(csv_next(&again, arena, &read, &err) == CSV_RECORD);
        require_same(&record, &read);
        require(csv_next(&again, arena, &read, &err) == CSV_END);
    }
    if (answer == CSV_BAD)
        require_refusal(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };

    log_configure(LOG_ERROR, LOG_TEXT);
    try_file("any.csv", text);
    try_file("any.yaml", text);
    if (memchr(data, '\0', size) == NULL && utf8_is_valid(text.at, size, NULL))
        try_csv(text);
    return 0;
}
