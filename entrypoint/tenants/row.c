#include "tenants/row.h"

#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "config/secret.h"

enum { IDENTIFIER_MOST = 63 };

const char *const TENANT_COLUMN_NAMES[] = {
    [COLUMN_NAME] = "name",
    [COLUMN_URL] = "url",
    [COLUMN_DATABASE] = "database",
    [COLUMN_SCHEMA] = "schema",
    [COLUMN_URL_FILE] = "url_file",
    [COLUMN_USER] = "user",
    [COLUMN_PASSWORD_FILE] = "password_file",
};
_Static_assert(sizeof TENANT_COLUMN_NAMES / sizeof *TENANT_COLUMN_NAMES == TENANT_COLUMNS,
               "name every column");

bool row_point(const char *source, struct spot spot, struct error *err)
{
    if (spot.line == 0)
        return error_context(err, "reading %s", source);
    text_copy_cut(err->place.file, sizeof err->place.file, source);
    err->place.line = spot.line;
    err->place.column = spot.column;
    return false;
}

struct tenant_row *row_add(struct arena *arena, struct tenant_rows *rows, struct spot begin,
                           struct error *err)
{
    struct tenant_row *row;

    if (rows->count == TENANTS_MOST) {
        error_set(err, ERROR_USAGE, "there are more than %d tenants", TENANTS_MOST);
        error_hint(err, "Divide the list, and deploy to its parts one after the other.");
        row_point(rows->source, begin, err);
        return NULL;
    }
    rows->items = arena_grow(arena, rows->items, rows->count, &rows->capacity, sizeof *rows->items);
    row = &rows->items[rows->count++];
    *row = (struct tenant_row) { .begin = begin };
    return row;
}

static bool refuse_column(const char *name, size_t count, struct error *err)
{
    const char *nearest = names_nearest(TENANT_COLUMN_NAMES, count, name);
    size_t length = strlen(name);

    if (secret_may_be_in(name) || length == 0 || length > TENANT_NAME_MOST ||
        !utf8_is_valid(name, length, NULL))
        error_set(err, ERROR_USAGE, "this is not the name of a column");
    else
        error_set(err, ERROR_USAGE, "unknown column \"%s\"", name);
    if (strcasecmp(name, "password") == 0)
        return error_hint(err,
                          "Write the password into the url, or name a file that holds it: "
                          "password_file.");
    if (nearest != NULL)
        return error_hint(err, "Did you mean \"%s\"?", nearest);
    if (count == COLUMNS_OF_QUERY)
        return error_hint(err, "The columns are name, and database, schema or url.");
    return error_hint(err, TENANT_COLUMNS_HINT);
}

bool row_column(const char *name, size_t count, enum tenant_column *out, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(name, TENANT_COLUMN_NAMES[i]) == 0) {
            *out = (enum tenant_column)i;
            return true;
        }
    }
    return refuse_column(name, count, err);
}

static const char *value_of(const struct tenant_row *row, enum tenant_column column)
{
    const char *value = row->values[column];

    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool is_printable(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return false;
    }
    return utf8_is_valid(text, strlen(text), NULL);
}

/* What is wrong with a name, or NULL. */
static const char *fault_of(const char *name, size_t most)
{
    size_t length = strlen(name);

    if (length > most)
        return "is longer than 63 bytes";
    if (!is_printable(name))
        return "contains a control character";
    return name[0] == ' ' || name[length - 1] == ' ' ? "begins or ends with a blank" : NULL;
}

static bool refuse_value(const struct tenant_rows *rows, const struct tenant_row *row,
                         enum tenant_column column, const char *fault, struct error *err)
{
    const char *name = row->values[COLUMN_NAME];

    if (column == COLUMN_NAME)
        error_set(err, ERROR_USAGE, "the name of a tenant %s", fault);
    else
        error_set(err, ERROR_USAGE, "the %s of tenant \"%s\" %s", TENANT_COLUMN_NAMES[column], name, fault);
    error_hint(err, row->begin.line > 0
                        ? "Correct the list; nothing was begun."
                        : "Rename it, or keep it out with a narrower pattern or query; nothing was begun.");
    return row_point(rows->source, row->values[column] == NULL ? row->begin : row->spots[column], err);
}

/* The name will be shown. */
static bool check_name(const struct tenant_rows *rows, const struct tenant_row *row, struct error *err)
{
    const char *name = value_of(row, COLUMN_NAME);
    const char *fault = name == NULL ? "is missing" : fault_of(name, TENANT_NAME_MOST);

    if (fault == NULL && (strstr(name, "://") != NULL || strcasestr(name, "password=") != NULL))
        fault = "is a URL, which may hold a password";
    return fault == NULL || refuse_value(rows, row, COLUMN_NAME, fault, err);
}

static bool check_identifiers(const struct tenant_rows *rows, const struct tenant_row *row, struct error *err)
{
    static const enum tenant_column identifiers[] = { COLUMN_DATABASE, COLUMN_SCHEMA, COLUMN_USER };
    const char *schema = value_of(row, COLUMN_SCHEMA);

    for (size_t i = 0; i < array_length(identifiers); i++) {
        const char *value = value_of(row, identifiers[i]);
        const char *fault = value == NULL ? NULL : fault_of(value, IDENTIFIER_MOST);

        if (fault != NULL)
            return refuse_value(rows, row, identifiers[i], fault, err);
    }
    if (schema != NULL && (strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0))
        return refuse_value(rows, row, COLUMN_SCHEMA, "is one of the server's own", err);
    return true;
}

static bool check_address(const struct tenant_rows *rows, const struct tenant_row *row, struct error *err)
{
    bool has_url = value_of(row, COLUMN_URL) != NULL;
    bool has_url_file = value_of(row, COLUMN_URL_FILE) != NULL;

    if (has_url && has_url_file) {
        error_set(err, ERROR_USAGE, "tenant \"%s\" has both a url and a url_file", row->values[COLUMN_NAME]);
        error_hint(err, "Remove one of them.");
        return row_point(rows->source, row->begin, err);
    }
    if (has_url || has_url_file || value_of(row, COLUMN_DATABASE) != NULL ||
        value_of(row, COLUMN_SCHEMA) != NULL)
        return true;
    error_set(err, ERROR_USAGE, "tenant \"%s\" has neither a url nor a database nor a schema",
              row->values[COLUMN_NAME]);
    error_hint(err, "Say where it is: one of them is enough.");
    return row_point(rows->source, row->begin, err);
}

/* The content of the file that a column names, in the arena. NULL on failure. */
static const char *read_secret(struct arena *arena, const struct tenant_rows *rows,
                               const struct tenant_row *row, enum tenant_column column, struct error *err)
{
    const char *path = row->values[column];
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);

    if (strstr(path, "://") != NULL) {
        refuse_value(rows, row, column, "is a URL, not the name of a file", err);
        return NULL;
    }
    if (!secret_read(TENANT_COLUMN_NAMES[column], path, &secret, err)) {
        error_context(err, "for tenant \"%s\"", row->values[COLUMN_NAME]);
        row_point(rows->source, row->spots[column], err);
        return NULL;
    }
    return arena_copy(arena, secret.at, secret.length);
}

bool row_tenant(struct arena *arena, const struct tenant_rows *rows, size_t index, struct tenant *out,
                struct error *err)
{
    const struct tenant_row *row = &rows->items[index];

    if (!check_name(rows, row, err) || !check_identifiers(rows, row, err) || !check_address(rows, row, err))
        return false;
    *out = (struct tenant) { .name = row->values[COLUMN_NAME],
                             .url = value_of(row, COLUMN_URL),
                             .url_file = value_of(row, COLUMN_URL_FILE),
                             .database = value_of(row, COLUMN_DATABASE),
                             .schema = value_of(row, COLUMN_SCHEMA),
                             .user = value_of(row, COLUMN_USER),
                             .password_file = value_of(row, COLUMN_PASSWORD_FILE),
                             .is_there = row->is_there };
    if (out->url_file != NULL && (out->url = read_secret(arena, rows, row, COLUMN_URL_FILE, err)) == NULL)
        return false;
    return out->password_file == NULL ||
           (out->password = read_secret(arena, rows, row, COLUMN_PASSWORD_FILE, err)) != NULL;
}
