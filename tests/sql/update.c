/*
 * Reads statements from standard input, each ended by a NUL, and prints for each what our parser of UPDATE
 * sees and what libpg_query's sees, three lines of JSON: ours (or null), theirs (or null), and theirs of the
 * statement with "tidelock_range" added to its condition by ours (or null).
 */
#include <pg_query.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "sql/update_statement.h"

enum { INPUT_MOST = 64 << 20, CHUNK = 65536 };

static void read_all(struct text *out)
{
    char chunk[CHUNK];
    ssize_t got;

    while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
        text_add(out, chunk, (size_t)got);
}

static void print_theirs(const char *sql)
{
    PgQueryParseResult result = pg_query_parse(sql);

    (void)printf("%s\n", result.error == NULL ? result.parse_tree : "null");
    pg_query_free_parse_result(result);
}

static void print_ours(const struct update_statement *update)
{
    auto_text struct text line = text_init(INPUT_MOST);
    struct json *seen = json_new_object();
    struct json *columns = json_new_array();

    json_set_text(seen, "schema", update->schema);
    json_set_text(seen, "table", update->table);
    json_set_text(seen, "alias", update->alias);
    json_set_bool(seen, "only", update->is_only);
    json_set_bool(seen, "where", update->has_where);
    for (size_t i = 0; i < update->column_count; i++)
        json_append_text(columns, update->columns[i]);
    json_set(seen, "columns", columns);
    json_write(seen, false, &line);
    (void)printf("%s\n", line.at);
}

static void compare(const char *sql)
{
    auto_text struct text with_range = text_init(INPUT_MOST);
    struct update_statement update;
    struct error err;

    if (!update_statement_parse(slice_of(sql), true, &update, &err)) {
        (void)printf("null\n");
        print_theirs(sql);
        (void)printf("null\n");
        return;
    }
    print_ours(&update);
    print_theirs(sql);
    update_statement_add(slice_of(sql), &update, "tidelock_range", &with_range);
    print_theirs(with_range.at);
}

int main(void)
{
    auto_text struct text input = text_init(INPUT_MOST);

    read_all(&input);
    for (size_t at = 0; at < input.length; at += strlen(input.at + at) + 1)
        compare(input.at + at);
    return 0;
}
