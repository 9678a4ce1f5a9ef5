#include "tenants/csv.h"

#include <string.h>

static bool is_over(const struct csv *csv)
{
    return csv->at >= csv->text.length;
}

/* '\0' at the end: the text has none. */
static char byte_at(const struct csv *csv, size_t at)
{
    return at < csv->text.length ? csv->text.at[at] : '\0';
}

static bool is_line_end(const struct csv *csv)
{
    char byte = byte_at(csv, csv->at);

    return byte == '\n' || (byte == '\r' && byte_at(csv, csv->at + 1) == '\n');
}

static void begin_line(struct csv *csv)
{
    csv->lines_before++;
    csv->line_begin = csv->at;
}

static void skip_line_end(struct csv *csv)
{
    csv->at += byte_at(csv, csv->at) == '\r' ? 2 : 1;
    begin_line(csv);
}

static void skip_blanks(struct csv *csv)
{
    while (byte_at(csv, csv->at) == ' ' || byte_at(csv, csv->at) == '\t')
        csv->at++;
}

static void skip_empty_lines(struct csv *csv)
{
    size_t begin = csv->at;

    for (skip_blanks(csv); is_line_end(csv); skip_blanks(csv)) {
        skip_line_end(csv);
        begin = csv->at;
    }
    if (!is_over(csv))
        csv->at = begin;
}

static struct spot spot_here(const struct csv *csv)
{
    size_t column = utf8_count(csv->text.at + csv->line_begin, csv->at - csv->line_begin);

    return (struct spot) { .line = (unsigned)csv->lines_before + 1, .column = (unsigned)column + 1 };
}

static bool refuse(const struct csv *csv, struct spot spot, const char *why, const char *hint,
                   struct error *err)
{
    error_set(err, ERROR_USAGE, "not valid CSV: %s", why);
    error_hint(err, "%s", hint);
    return row_point(csv->path, spot, err);
}

static bool read_quoted(struct csv *csv, struct arena *arena, const char **value, struct error *err)
{
    const struct spot begin = spot_here(csv);
    auto_text struct text out = text_init(csv->text.length);

    out.is_secret = true;
    for (csv->at++; byte_at(csv, csv->at) != '"' || byte_at(csv, csv->at + 1) == '"'; csv->at++) {
        if (is_over(csv))
            return refuse(csv, begin, "a quote is never closed",
                          "Close it; write a quote that belongs to the value as two.", err);
        csv->at += byte_at(csv, csv->at) == '"';
        text_add(&out, csv->text.at + csv->at, 1);
        if (byte_at(csv, csv->at) == '\n') {
            csv->lines_before++;
            csv->line_begin = csv->at + 1;
        }
    }
    csv->at++;
    skip_blanks(csv);
    if (!is_over(csv) && byte_at(csv, csv->at) != ',' && !is_line_end(csv))
        return refuse(csv, spot_here(csv), "a closed quote is followed by something else than a comma",
                      "Write a quote that belongs to the value as two.", err);
    *value = arena_copy(arena, out.at, out.length);
    return true;
}

static bool read_plain(struct csv *csv, struct arena *arena, const char **value, struct error *err)
{
    const size_t begin = csv->at;
    struct slice read;

    for (; !is_over(csv) && byte_at(csv, csv->at) != ',' && !is_line_end(csv); csv->at++) {
        if (byte_at(csv, csv->at) == '"')
            return refuse(csv, spot_here(csv), "a quote within a value that is not quoted",
                          "Put the whole value in quotes, and write a quote that belongs to it as two.", err);
    }
    read = slice_trim((struct slice) { .at = csv->text.at + begin, .length = csv->at - begin });
    *value = arena_copy(arena, read.at, read.length);
    return true;
}

static bool read_field(struct csv *csv, struct arena *arena, struct csv_record *out, struct error *err)
{
    const char **value = &out->values[out->count];

    skip_blanks(csv);
    if (out->count == CSV_FIELDS_MOST)
        return refuse(csv, spot_here(csv), "more than 32 values in a row", TENANT_COLUMNS_HINT, err);
    out->spots[out->count++] = spot_here(csv);
    return byte_at(csv, csv->at) == '"' ? read_quoted(csv, arena, value, err)
                                        : read_plain(csv, arena, value, err);
}

enum csv_answer csv_next(struct csv *csv, struct arena *arena, struct csv_record *out, struct error *err)
{
    bool has_more = true;

    skip_empty_lines(csv);
    if (is_over(csv))
        return CSV_END;
    out->count = 0;
    while (has_more) {
        if (!read_field(csv, arena, out, err))
            return CSV_BAD;
        has_more = byte_at(csv, csv->at) == ',';
        csv->at += has_more;
    }
    if (!is_over(csv))
        skip_line_end(csv);
    return CSV_RECORD;
}
