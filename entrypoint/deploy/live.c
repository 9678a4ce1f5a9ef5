#include "deploy/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/live_cascade.h"
#include "deploy/live_column.h"
#include "deploy/live_object.h"
#include "deploy/live_others.h"
#include "postgres/aside.h"
#include "sql/quote.h"

/* Of names in one message: how many tables, and how much text. */
enum { TEXT_MOST = 4096, ASKED_MOST = 256, NAMES_MOST = ASKED_MOST * 4 * IDENTIFIER_SIZE };

/* The tables with the names $1 (schemas) and $2, arrays; by their names, which needs no right on the schema.
 * What a partitioned table says of its rows is that of its partitions. The last column is how many rows there
 * are by the statistics, which grow with every write. */
static const struct query TABLES = {
    .name = "plan_tables",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE root (number, oid) AS ("
        " SELECT w.number, c.oid"
        "  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))"
        "       WITH ORDINALITY AS w (schema, name, number)"
        "  JOIN pg_catalog.pg_namespace AS n ON n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) w.schema"
        "  JOIN pg_catalog.pg_class AS c ON c.relname::pg_catalog.text OPERATOR(pg_catalog.=) w.name"
        "   AND c.relnamespace OPERATOR(pg_catalog.=) n.oid"
        "), tree (number, oid) AS (SELECT number, oid FROM root"
        " UNION SELECT t.number, i.inhrelid FROM pg_catalog.pg_inherits AS i"
        " JOIN tree AS t ON t.oid OPERATOR(pg_catalog.=) i.inhparent"
        "), pages AS (SELECT pg_catalog.current_setting('block_size')::pg_catalog.int8 AS size), indexes AS ("
        " SELECT q.number, pg_catalog.sum(x.relpages) AS pages,"
        "  pg_catalog.count(*) FILTER (WHERE q.oid OPERATOR(pg_catalog.=) r.oid) AS own"
        "  FROM tree AS q JOIN root AS r ON r.number OPERATOR(pg_catalog.=) q.number"
        "  JOIN pg_catalog.pg_index AS i ON i.indrelid OPERATOR(pg_catalog.=) q.oid"
        "  JOIN pg_catalog.pg_class AS x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid GROUP BY q.number"
        ") "
        "SELECT r.number, r.oid,"
        " pg_catalog.sum(CASE WHEN c.reltuples OPERATOR(pg_catalog.>) 0"
        "   AND c.relkind OPERATOR(pg_catalog.<>) 'p' THEN c.reltuples ELSE 0 END)::pg_catalog.int8,"
        " pg_catalog.sum((c.relpages OPERATOR(pg_catalog.+) COALESCE(t.relpages, 0))"
        "                OPERATOR(pg_catalog.*) pages.size)::pg_catalog.int8,"
        " COALESCE(x.pages OPERATOR(pg_catalog.*) pages.size, 0),"
        " COALESCE(x.own, 0),"
        " pg_catalog.count(*) OPERATOR(pg_catalog.-) 1,"
        " pg_catalog.bool_and(c.relpages OPERATOR(pg_catalog.>) 0 OR c.relkind OPERATOR(pg_catalog.=) 'p'),"
        " pg_catalog.bool_and(c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,m}'::pg_catalog.\"char\"[])),"
        " pg_catalog.sum(pg_catalog.pg_stat_get_live_tuples(c.oid))::pg_catalog.int8"
        " FROM root AS r JOIN tree AS p ON p.number OPERATOR(pg_catalog.=) r.number"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) p.oid"
        "  LEFT JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) c.reltoastrelid"
        "  LEFT JOIN indexes AS x ON x.number OPERATOR(pg_catalog.=) r.number, pages"
        " GROUP BY r.number, r.oid, x.pages, x.own, pages.size",
};

bool live_ask(struct live *live, const struct query *query, const char *const *parameters,
              struct result **out, struct error *err)
{
    /* Catalogs may be locked, too: nobody waits for that for long. */
    static const struct query limits = {
        .name = "plan_limits",
        .sql =
            "SELECT pg_catalog.set_config('lock_timeout', '1s', true),"
            "       pg_catalog.set_config('statement_timeout', '5s', true)",
    };
    const struct batch_item items[] = { { .query = &limits }, { .query = query, .parameters = parameters } };

    if (!live->is_aside)
        return query_run(live->conn, query, parameters, out, err);
    return aside_ask(live->conn, &(const struct batch) { .items = items, .count = array_length(items) }, out,
                     err);
}

void live_add_name(const struct ledger *ledger, const struct relation *relation, struct text *out)
{
    quote_qualified(relation->schema[0] == '\0' ? ledger->default_schema : relation->schema, relation->name,
                    out);
}

static void take(struct live_table *table, const struct result *rows, int row)
{
    table->exists = true;
    text_copy_cut(table->oid, sizeof table->oid, result_text(rows, row, 1));
    table->rows = result_bool(rows, row, 7) ? result_number(rows, row, 2) : -1;
    table->bytes = result_number(rows, row, 3);
    table->index_bytes = result_number(rows, row, 4);
    table->indexes = result_number(rows, row, 5);
    table->partitions = result_number(rows, row, 6);
    table->is_plain = result_bool(rows, row, 8);
    table->rows_now = result_number(rows, row, 9);
}

/* Of those that are expected, as many as one message may name. */
static bool ask(struct live *live, struct error *err)
{
    auto_text struct text schemas = text_init(NAMES_MOST);
    auto_text struct text names = text_init(NAMES_MOST);
    auto_result struct result *rows = NULL;
    struct live_table **asked = &live->tables[live->asked];
    size_t count = live->count - live->asked < ASKED_MOST ? live->count - live->asked : ASKED_MOST;

    for (size_t i = 0; i < count; i++) {
        const struct relation *name = &asked[i]->name;

        text_add_string(&schemas, i == 0 ? "{" : ",");
        quote_element(name->schema[0] == '\0' ? live->ledger->default_schema : name->schema, &schemas);
        text_add_string(&names, i == 0 ? "{" : ",");
        quote_element(name->name, &names);
    }
    text_add_string(&schemas, "}");
    text_add_string(&names, "}");
    if (!live_ask(live, &TABLES, (const char *[]) { schemas.at, names.at }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const int64_t number = result_number(rows, i, 0);

        if (number >= 1 && (size_t)number <= count)
            take(asked[number - 1], rows, i);
    }
    live->asked += count;
    return true;
}

/* Its place in the list; it is added if it is not there. */
static size_t place_of(struct live *live, const struct relation *relation)
{
    struct live_table *table;

    for (size_t i = 0; i < live->count; i++) {
        if (relation_is_same(&live->tables[i]->name, relation))
            return i;
    }
    table = arena_alloc(live->arena, 1, sizeof *table);
    table->name = *relation;
    live->tables =
        arena_grow(live->arena, live->tables, live->count, &live->capacity, sizeof(struct live_table *));
    live->tables[live->count] = table;
    return live->count++;
}

struct live_table *live_table_of(struct live *live, const struct relation *relation, struct error *err)
{
    const size_t place = place_of(live, relation);

    while (place >= live->asked) {
        if (!ask(live, err))
            return NULL;
    }
    return live->tables[place];
}

static bool is_about_table(const struct finding *finding)
{
    return finding->rule->lock != TABLE_LOCK_NONE && finding->change.table.name[0] != '\0';
}

void live_expect(struct live *live, const struct forecast *forecast)
{
    for (size_t i = 0; i < forecast->count; i++) {
        const struct prediction *prediction = &forecast->predictions[i];

        for (size_t j = 0; j < prediction->count; j++) {
            if (is_about_table(&prediction->findings[j]))
                (void)place_of(live, &prediction->findings[j].change.table);
        }
    }
}

static bool is_created(const struct live *live, const struct relation *relation)
{
    for (size_t i = 0; i < live->created_count; i++) {
        if (relation_is_same(&live->created[i], relation))
            return true;
    }
    return false;
}

/* Whether a table that is there already is locked as well, so that others notice. */
static bool locks_other(const struct live *live, const struct finding *finding)
{
    return finding->rule->other_lock >= TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE &&
           !is_created(live, &finding->change.other);
}

static void judge_missing(const struct live *live, struct finding *finding)
{
    if (!is_created(live, &finding->change.table)) {
        finding->note = "the database does not have it now";
    } else if (locks_other(live, finding)) {
        finding->level = LEVEL_CAREFUL;
        finding->note =
            "an earlier pending migration creates the table, so nothing is in it yet; the other "
            "one is locked for a moment";
    } else {
        finding->level = LEVEL_SAFE;
        finding->note = "an earlier pending migration creates the table, so nobody uses it yet";
    }
}

static void note_created(struct live *live, const struct finding *finding)
{
    bool is_partition = finding->change.action == ACTION_CREATE_PARTITION;

    if (finding->change.action != ACTION_CREATE_TABLE && finding->change.action != ACTION_CREATE_TABLE_AS &&
        !is_partition)
        return;
    live->created = arena_grow(live->arena, live->created, live->created_count, &live->created_capacity,
                               sizeof *live->created);
    live->created[live->created_count++] = is_partition ? finding->change.other : finding->change.table;
}

static void note_indexed(struct live *live, const struct change *change)
{
    if (change->action != ACTION_CREATE_INDEX && change->action != ACTION_ADD_UNIQUE &&
        change->action != ACTION_ADD_PRIMARY_KEY)
        return;
    live->indexed = arena_grow(live->arena, live->indexed, live->indexed_count, &live->indexed_capacity,
                               sizeof *live->indexed);
    live->indexed[live->indexed_count++] = change->table;
}

enum { SMALL_BYTES = 1024 * 1024, SMALL_ROWS = 20000 };

bool live_is_small(const struct live_table *table)
{
    return table->exists && table->rows >= 0 && table->rows_now <= SMALL_ROWS &&
           table->bytes + table->index_bytes <= SMALL_BYTES;
}

bool live_works_on_table(const struct finding *finding)
{
    static const enum action actions[] = {
        ACTION_ADD_COLUMN,      ACTION_COLUMN_TYPE,
        ACTION_SET_NOT_NULL,    ACTION_ADD_CHECK,
        ACTION_ADD_FOREIGN_KEY, ACTION_ADD_UNIQUE,
        ACTION_ADD_PRIMARY_KEY, ACTION_ADD_EXCLUSION,
        ACTION_CREATE_INDEX,    ACTION_VALIDATE_CONSTRAINT,
        ACTION_SET_LOGGED,      ACTION_SET_ACCESS_METHOD,
        ACTION_SET_TABLESPACE,  ACTION_REINDEX,
        ACTION_CLUSTER,         ACTION_VACUUM,
    };

    for (size_t i = 0; i < array_length(actions); i++) {
        if (finding->rule->action == actions[i])
            return finding->rule->work > WORK_INSTANT;
    }
    return false;
}

void live_add_note(struct live *live, struct finding *finding, const char *note)
{
    auto_text struct text whole = text_init(TEXT_MOST);

    if (finding->note != NULL)
        text_add_format(&whole, "%s; ", finding->note);
    text_add_string(&whole, note);
    finding->note = arena_copy(live->arena, whole.at, whole.length);
}

/* What is dangerous only because it takes long is not where it doesn't. */
static void judge_small(struct live *live, struct finding *finding)
{
    const struct rule *rule = finding->rule;

    finding->is_small = live_is_small(finding->table) &&
                        (finding->change.action == ACTION_UPDATE || live_works_on_table(finding));
    if (finding->level == LEVEL_DANGEROUS && finding->is_small && !rule->breaks_old_code && !rule->is_final) {
        finding->level = LEVEL_CAREFUL;
        live_add_note(live, finding, "the table is small");
    }
}

static bool look_at(struct live *live, struct finding *finding, struct error *err)
{
    if (!is_about_table(finding))
        return live_refine_object(live, finding, err);
    finding->table = live_table_of(live, &finding->change.table, err);
    if (finding->table == NULL)
        return false;
    finding->is_live = true;
    if (!finding->table->exists) {
        judge_missing(live, finding);
        return true;
    }
    if ((!live->is_brief && !live_look_at_sessions(live, finding, err)) || !live_refine(live, finding, err) ||
        !live_follow_keys(live, finding, err))
        return false;
    judge_small(live, finding);
    return true;
}

static bool may_drop_users(enum action action)
{
    static const enum action actions[] = {
        ACTION_UNKNOWN,     ACTION_CODE,           ACTION_DROP_VIEW,      ACTION_DROP_TABLE,
        ACTION_DROP_COLUMN, ACTION_DROP_TRIGGER,   ACTION_POLICY,         ACTION_DROP_ROUTINE,
        ACTION_DROP_SCHEMA, ACTION_DROP_TYPE,      ACTION_DROP_EXTENSION, ACTION_HARMLESS,
        ACTION_CREATE_VIEW, ACTION_CREATE_ROUTINE,
    };

    for (size_t i = 0; i < array_length(actions); i++) {
        if (action == actions[i])
            return true;
    }
    return false;
}

bool live_look(struct live *live, struct forecast *forecast, struct error *err)
{
    for (size_t i = 0; i < forecast->count; i++) {
        struct prediction *prediction = &forecast->predictions[i];

        for (size_t j = 0; j < prediction->count; j++) {
            if (!look_at(live, &prediction->findings[j], err))
                return false;
        }
        for (size_t j = 0; j < prediction->count; j++) {
            live->may_have_dropped |= may_drop_users(prediction->findings[j].change.action);
            note_indexed(live, &prediction->findings[j].change);
        }
    }
    for (size_t i = 0; i < forecast->count; i++) {
        for (size_t j = 0; j < forecast->predictions[i].count; j++)
            note_created(live, &forecast->predictions[i].findings[j]);
    }
    forecast_settle(forecast);
    return true;
}
