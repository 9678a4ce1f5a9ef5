#include "tenants/file.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/yaml.h"
#include "tenants/csv.h"

enum { TENANT_FILE_MOST = 64 * 1024 * 1024 };

#define HEADER_HINT "Its first line names the columns: name,url or name,database or name,schema."
#define YAML_HINT "Write a list: - {name: acme, database: acme}, one line for each tenant."

/* ---- CSV ---- */

/* The columns, in the file's order. */
struct header {
    enum tenant_column columns[CSV_FIELDS_MOST];
    size_t count;
};

static bool read_header(const char *path, const struct csv_record *record, struct header *out,
                        struct error *err)
{
    unsigned seen = 0;

    for (size_t i = 0; i < record->count; i++) {
        enum tenant_column column;

        if (!row_column(record->values[i], TENANT_COLUMNS, &column, err)) {
            if (seen == 0)
                error_hint(err, HEADER_HINT);
            return row_point(path, record->spots[i], err);
        }
        if ((seen & 1u << column) != 0) {
            error_set(err, ERROR_USAGE, "two columns are called \"%s\"", TENANT_COLUMN_NAMES[column]);
            error_hint(err, "Remove one of them.");
            return row_point(path, record->spots[i], err);
        }
        seen |= 1u << column;
        out->columns[i] = column;
    }
    out->count = record->count;
    if ((seen & 1u << COLUMN_NAME) != 0)
        return true;
    error_set(err, ERROR_USAGE, "no column is called \"name\"");
    error_hint(err, HEADER_HINT);
    return row_point(path, record->spots[0], err);
}

static bool take_record(struct arena *arena, const struct csv_record *record, const struct header *header,
                        struct tenant_rows *out, struct error *err)
{
    struct tenant_row *row = row_add(arena, out, record->spots[0], err);

    if (row == NULL)
        return false;
    if (record->count != header->count) {
        error_set(err, ERROR_USAGE, "the row has %zu value%s, and the header %zu", record->count,
                  text_plural(record->count), header->count);
        error_hint(err, "Write a comma for each value that is left out, and quotes around one with a comma.");
        return row_point(out->source, row->begin, err);
    }
    for (size_t i = 0; i < record->count; i++) {
        row->values[header->columns[i]] = record->values[i];
        row->spots[header->columns[i]] = record->spots[i];
    }
    return true;
}

static bool parse_csv(struct arena *arena, struct slice text, struct tenant_rows *out, struct error *err)
{
    struct csv csv = { .path = out->source, .text = text };
    struct csv_record record;
    struct header header = { .count = 0 };
    enum csv_answer answer = csv_next(&csv, arena, &record, err);

    if (answer != CSV_RECORD)
        return answer == CSV_END;
    if (!read_header(out->source, &record, &header, err))
        return false;
    while ((answer = csv_next(&csv, arena, &record, err)) == CSV_RECORD) {
        if (!take_record(arena, &record, &header, out, err))
            return false;
    }
    return answer == CSV_END;
}

/* ---- YAML ---- */

static bool take_pairs(struct arena *arena, const struct yaml_pairs *pairs, struct tenant_rows *out,
                       struct error *err)
{
    const struct yaml_pair *first = pairs->items;
    struct tenant_row *row =
        row_add(arena, out, (struct spot) { (unsigned)first->line, (unsigned)first->column }, err);

    for (size_t i = 0; row != NULL && i < pairs->count; i++) {
        const struct yaml_pair *pair = &pairs->items[i];
        const struct spot spot = { (unsigned)pair->line, (unsigned)pair->column };
        enum tenant_column column;

        if (!row_column(pair->key, TENANT_COLUMNS, &column, err))
            return row_point(out->source, spot, err);
        row->values[column] = pair->value;
        row->spots[column] = spot;
    }
    return row != NULL;
}

static bool parse_yaml(struct arena *arena, struct slice text, struct tenant_rows *out, struct error *err)
{
    const struct yaml_list_request request = {
        .path = out->source, .text = text, .heading = "tenants", .hint = YAML_HINT, .most = TENANTS_MOST
    };
    struct yaml_list list;

    if (!yaml_read_list(arena, &request, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        if (!take_pairs(arena, &list.items[i], out, err))
            return false;
    }
    return true;
}

/* ---- the file ---- */

/* A header of CSV begins with none of these. */
static bool begins_like_yaml(struct slice text)
{
    const struct slice begin = slice_trim(text);

    return begin.length > 0 && (strchr("-[{#", begin.at[0]) != NULL || slice_starts_with(begin, "tenants:"));
}

static bool is_yaml(const char *path, struct slice text)
{
    if (text_ends_with(path, ".yaml") || text_ends_with(path, ".yml") || text_ends_with(path, ".json"))
        return true;
    return !text_ends_with(path, ".csv") && begins_like_yaml(text);
}

static bool check_bytes(const char *path, struct slice text, struct error *err)
{
    const char *nul = text.length == 0 ? NULL : memchr(text.at, '\0', text.length);
    size_t bad = nul == NULL ? 0 : (size_t)(nul - text.at);

    if (nul == NULL && utf8_is_valid(text.at, text.length, &bad))
        return true;
    error_set(err, ERROR_USAGE, "the file is not UTF-8");
    error_point(err, path, text.at, text.length, bad);
    err->place.source[0] = '\0';
    return error_hint(err, "Save it as UTF-8.");
}

bool tenant_file_parse(struct arena *arena, const char *path, struct slice text, struct tenant_rows *out,
                       struct error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    bool is_good;

    *out = (struct tenant_rows) { .source = path };
    if (!check_bytes(path, text, err))
        return false;
    if (slice_starts_with(text, mark))
        text = (struct slice) { .at = text.at + strlen(mark), .length = text.length - strlen(mark) };
    is_good = is_yaml(path, text) ? parse_yaml(arena, text, out, err) : parse_csv(arena, text, out, err);
    if (!is_good || out->count > 0)
        return is_good;
    error_set(err, ERROR_USAGE, "no tenants in \"%s\"", path);
    return error_hint(err, HEADER_HINT " Each further line is a tenant.");
}

bool tenant_file_read(struct arena *arena, const char *path, struct tenant_rows *out, struct error *err)
{
    const bool is_input = strcmp(path, "-") == 0;
    auto_text struct text text = text_init(TENANT_FILE_MOST);

    text.is_secret = true;
    if (is_input && isatty(STDIN_FILENO) == 1) {
        error_set(err, ERROR_USAGE, "--tenants - reads standard input, which is a terminal");
        return error_hint(err, "Pipe the list into it, or name a file.");
    }
    if (!file_read_stream(is_input ? "/dev/stdin" : path, &text, err))
        return error_context(err, "reading the list of tenants");
    return tenant_file_parse(arena, is_input ? "standard input" : path, text_slice(&text), out, err);
}
