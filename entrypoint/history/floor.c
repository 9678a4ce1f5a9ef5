#include "history/floor.h"

#include <stdio.h>
#include <string.h>

#include "history/guard.h"
#include "history/journal_place.h"
#include "history/owner.h"
#include "postgres/aside.h"
#include "sql/directive.h"
#include "sql/quote.h"

enum { SQL_MOST = 16 * 1024 };

/* Where there are floors. ts_stat() runs the text that it is given, which must return a tsvector; each row is
 * one lexeme, which may have 2046 bytes. With NULL it runs nothing, and returns no row. The name of the
 * schema comes last, since nothing forbids a line break in it.
 *
 * Believed are journals of those we trust, and one that belongs to the ledger's owner and runs no code when
 * it is read: the statements that follow in the same message find out whether that owner is to be believed.
 */
#define FLOORS_QUESTION                                                                                                        \
    "SELECT pg_catalog.array_to_tsvector(ARRAY[pg_catalog.concat_ws(pg_catalog.chr(10), t.is_readable,"                        \
    " COALESCE(w.word, pg_catalog.repeat(pg_catalog.chr(10), 2)), t.nspname)])"                                                \
    " FROM (SELECT n.nspname, pg_catalog.has_schema_privilege(n.oid, 'USAGE')"                                                 \
    "         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT c.relrowsecurity AS is_readable"                     \
    "    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"                                                      \
    "      ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"                                                                     \
    "   WHERE c.relname OPERATOR(pg_catalog.=) '" FLOOR_TABLE                                                                  \
    "'"                                                                                                                        \
    "     AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.~~) '" JOURNAL_SHARED                                             \
    "%'"                                                                                                                       \
    "     AND c.relkind OPERATOR(pg_catalog.=) 'r'"                                                                            \
    "     AND (" OWNER_IS_TRUSTED("n.nspowner") " AND " OWNER_IS_TRUSTED(                                                      \
        "c.relowner") "       OR " IS_PLAIN_AND_OF_SCHEMA_OWNER                                                                \
                      "          AND c.relowner OPERATOR(pg_catalog.=) (SELECT l.relowner FROM pg_catalog.pg_class AS l"       \
                      "               WHERE l.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({literal})))) AS t"            \
                      " LEFT JOIN LATERAL pg_catalog.ts_stat(CASE WHEN t.is_readable THEN pg_catalog.format("                  \
                      "   'SELECT pg_catalog.array_to_tsvector(ARRAY[pg_catalog.concat_ws(pg_catalog.chr(10),"                 \
                      " pg_catalog.split_part(f.release, pg_catalog.chr(10), 1),"                                              \
                      " pg_catalog.split_part(f.ledger_id, pg_catalog.chr(10), 1),"                                            \
                      " pg_catalog.split_part(pg_catalog.\"left\"(f.key, 400), pg_catalog.chr(10), 1))]) FROM %I." FLOOR_TABLE \
                      " AS f', t.nspname) END)"                                                                                \
                      " AS w ON true"

/* Most databases have no such table. The text above is not even planned there, which would take longer than
 * all else that a start with nothing to do asks. */
#define FLOORS_QUESTION_IF_ANY                                                                               \
    "SELECT w.word FROM pg_catalog.ts_stat(CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS c"           \
    " WHERE c.relname OPERATOR(pg_catalog.=) '" FLOOR_TABLE "') THEN {question} END) AS w;"

static const struct query LOOK = {
    .name = "floor_look",
    .parameters = 1,
    .sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL",
};

static const struct query CREATE = {
    .name = "floor_create",
    .is_in_journal = true,
    .sql = "CREATE TABLE IF NOT EXISTS {journal}." FLOOR_TABLE
           " ("
           " ledger_id pg_catalog.text PRIMARY KEY, key pg_catalog.text NOT NULL,"
           " release pg_catalog.text NOT NULL,"
           " recorded_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp())",
};

static const struct query WRITE = {
    .name = "floor_write",
    .is_in_journal = true,
    .parameters = 3,
    .sql = "INSERT INTO {journal}." FLOOR_TABLE
           " AS f (ledger_id, key, release) VALUES ($1, $2, $3)"
           " ON CONFLICT (ledger_id) DO UPDATE SET key = EXCLUDED.key, release = EXCLUDED.release,"
           "    recorded_at = pg_catalog.clock_timestamp()",
};

void floors_add_question(const char *literal, struct text *sql)
{
    auto_text struct text question = text_init(SQL_MOST);
    auto_text struct text quoted = text_init(SQL_MOST);

    text_add_filled(&question, FLOORS_QUESTION, "{literal}", literal);
    quote_literal(question.at, &quoted);
    text_add_filled(sql, FLOORS_QUESTION_IF_ANY, "{question}", quoted.at);
}

/* Other services may have journals, too. */
static bool is_place_of(const char *schema, const char *ledger_schema)
{
    char own[IDENTIFIER_SIZE];

    if (ledger_schema == NULL)
        return false;
    journal_own_schema(ledger_schema, own);
    return strcmp(schema, JOURNAL_SHARED) == 0 || strcmp(schema, own) == 0;
}

/* The lines of a row, in this order. */
enum { LINE_IS_READABLE, LINE_RELEASE, LINE_ID, LINE_KEY, LINE_SCHEMA, LINES };

/* The last one has all that is left. */
static void split(struct arena *arena, const char *row, const char *lines[LINES])
{
    for (int i = 0; i < LINES; i++) {
        const size_t length = i == LINES - 1 ? strlen(row) : strcspn(row, "\n");

        lines[i] = arena_copy(arena, row, length);
        row += length + (row[length] == '\n');
    }
}

struct floors floors_take(struct arena *arena, const struct result *rows, const char *ledger_schema)
{
    int count = result_rows(rows);
    struct floors floors = { .items = arena_alloc(arena, (size_t)count, sizeof *floors.items) };

    for (int i = 0; i < count; i++) {
        const char *lines[LINES];

        split(arena, result_text(rows, i, 0), lines);
        if (lines[LINE_IS_READABLE][0] != 't' && is_place_of(lines[LINE_SCHEMA], ledger_schema))
            floors.hidden = lines[LINE_SCHEMA];
        if (lines[LINE_ID][0] != '\0')
            floors.items[floors.count++] = (struct floor) { .schema = lines[LINE_SCHEMA],
                                                            .release = lines[LINE_RELEASE],
                                                            .ledger_id = lines[LINE_ID],
                                                            .key = lines[LINE_KEY] };
    }
    return floors;
}

const struct floor *floors_find(const struct floors *floors, const char *ledger_id)
{
    for (size_t i = 0; i < floors->count; i++) {
        if (strcmp(floors->items[i].ledger_id, ledger_id) == 0)
            return &floors->items[i];
    }
    return NULL;
}

bool floor_take(const char *file, struct slice script, struct floor_record *out, struct error *err)
{
    auto_text struct text release = text_init(RELEASE_SIZE);
    struct directives said;

    if (!directive_parse(file, script, &said, err))
        return false;
    text_add(&release, said.floor.at, said.floor.length);
    text_copy_cut(out->release, sizeof out->release, release.at);
    return true;
}

bool floor_prepare(const struct journal *journal, struct floor_record *record, struct error *err)
{
    auto_text struct text table = text_init((size_t)4 * IDENTIFIER_SIZE);
    auto_result struct result *found = NULL;

    record->creating_count = 0;
    if (record->release[0] == '\0')
        return true;
    if (!journal_locate(
            &(const struct journal) { .conn = journal->conn, .ledger_schema = journal->ledger_schema },
            record->creating, &record->creating_count, err))
        return false;
    text_add_format(&table, "%s." FLOOR_TABLE, connection_journal(journal->conn));
    const char *const parameters[] = { table.at };
    const struct batch_item item = { .query = &LOOK, .parameters = parameters };

    if (!aside_run(journal->conn, NULL, &(const struct batch) { .items = &item, .count = 1 }, &found, err))
        return false;
    if (!result_bool(found, 0, 0))
        record->creating[record->creating_count++] = (struct batch_item) { .query = &CREATE };
    return true;
}

static size_t add_removal(struct floor_record *record, const struct floor *floor, struct batch_item *items)
{
    auto_text struct text sql = text_init(sizeof record->removal);

    text_add_string(&sql, "DELETE FROM ");
    quote_identifier(floor->schema, &sql);
    text_add_string(&sql, "." FLOOR_TABLE " WHERE ledger_id OPERATOR(pg_catalog.=) $1");
    text_copy_cut(record->removal, sizeof record->removal, sql.at);
    record->removing = (struct query) { .name = "floor_remove", .sql = record->removal, .parameters = 1 };
    items[0] = (struct batch_item) { .query = &record->removing, .parameters = record->parameters };
    return 1;
}

size_t floor_add_items(struct floor_record *record, const struct floors *recorded, const char *ledger_id,
                       const char *key, struct batch_item items[FLOOR_ITEMS_MOST])
{
    const struct floor *floor = floors_find(recorded, ledger_id);
    size_t count = 0;

    text_copy_cut(record->ledger_id, sizeof record->ledger_id, ledger_id);
    record->parameters[0] = record->ledger_id;
    record->parameters[1] = key;
    record->parameters[2] = record->release;
    if (record->release[0] == '\0')
        return floor == NULL ? 0 : add_removal(record, floor, items);
    for (size_t i = 0; i < record->creating_count; i++)
        items[count++] = record->creating[i];
    items[count++] = (struct batch_item) { .query = &WRITE, .parameters = record->parameters };
    return count;
}
