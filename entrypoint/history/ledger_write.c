#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "dialect/attempts.h"
#include "history/ledger.h"
#include "postgres/advisory.h"
#include "postgres/aside.h"
#include "sql/quote.h"

enum { NAMED_MOST = 16 * 1024 };

static void take(const struct ledger_write *write, const char *const values[ROW_VALUES],
                 const char *parameters[ROW_VALUES])
{
    for (int i = 0; i < write->count; i++)
        parameters[i] = values[write->takes[i]];
}

/* One table and its statements. */
struct side {
    const struct ledger_sql *sql;
    const struct query *queries;
    const struct query *checks;
    const char **of_write;
    const char **of_check;
};

static size_t add_side(const struct side *side, enum ledger_statement statement,
                       const char *const values[ROW_VALUES], struct batch_item *items)
{
    const struct ledger_write *write = &side->sql->writes[statement];

    if (write->sql == NULL)
        return 0;
    take(write, values, side->of_write);
    items[0] = (struct batch_item) { .query = &side->queries[statement], .parameters = side->of_write };
    if (write->check == CHECK_NONE)
        return 1;
    take(&side->sql->checks[write->check], values, side->of_check);
    items[1] = (struct batch_item) { .query = &side->checks[write->check], .parameters = side->of_check };
    return 2;
}

void ledger_make_id(const struct ledger *ledger, const char *key, char out[UUID_SIZE])
{
    enum { GROUPS = 5, GROUP_MOST = 12 };
    static const int groups[GROUPS] = { 8, 4, 4, 4, 12 };
    auto_text struct text named = text_init(NAMED_MOST);
    char hash[SHA256_HEX_SIZE];
    const char *from = hash;
    char *to = out;

    if (ledger->dialect->keeps_attempts) {
        random_uuid(out);
        return;
    }
    text_add_format(&named, "%s.%s %s", ledger->schema == NULL ? "" : ledger->schema,
                    ledger->dialect->ledger_name, key);
    sha256_of(text_slice(&named), hash);
    for (int i = 0; i < GROUPS; i++) {
        memcpy(to, from, (size_t)groups[i]);
        to += groups[i];
        from += groups[i];
        *to++ = i + 1 < GROUPS ? '-' : '\0';
    }
}

void ledger_count_applied(struct ledger *ledger, const struct migration *migration, const char *id,
                          bool is_new)
{
    const struct dialect *dialect = ledger->dialect;

    if (dialect->is_marker) {
        ledger->size.rows = 1;
        ledger->size.finished = (size_t)strtoull(migration->key, NULL, 10);
    } else {
        ledger->size.rows += is_new || !dialect->keeps_attempts;
        ledger->size.finished++;
    }
    text_copy_cut(ledger->anchor, sizeof ledger->anchor, dialect->keeps_attempts ? id : migration->key);
}

/* What is finished stands in the tool's ledger alone; only, what has failed before it is then forgotten. */
static bool is_of_attempts(enum ledger_statement statement)
{
    return statement != LEDGER_INSERT_NEXT && statement != LEDGER_INSERT_MARKED &&
           statement != LEDGER_TAKE_BACK && statement != LEDGER_ACCEPT && statement != LEDGER_INSERT_BASELINE;
}

struct batch_item ledger_check_item(const struct ledger *ledger, enum ledger_check check,
                                    const char *const values[ROW_VALUES],
                                    struct ledger_parameters *parameters)
{
    take(&ledger->dialect->ledger->checks[check], values, parameters->of_check);
    return (struct batch_item) { .query = &ledger->checks[check], .parameters = parameters->of_check };
}

size_t ledger_add_items(const struct ledger *ledger, enum ledger_statement statement,
                        const char *const values[ROW_VALUES], struct ledger_parameters *parameters,
                        struct batch_item items[LEDGER_ITEMS_MOST])
{
    const struct side own = { ledger->dialect->ledger, ledger->queries, ledger->checks, parameters->of_write,
                              parameters->of_check };
    const struct side attempts = { &ATTEMPTS_LEDGER, ledger->attempt_queries, ledger->attempt_checks,
                                   parameters->of_attempt, parameters->of_attempt_check };
    const char *of_attempt[ROW_VALUES];
    size_t count = add_side(&own, statement, values, items);

    if (ledger->dialect->keeps_attempts || !ledger->has_attempts || !is_of_attempts(statement))
        return count;
    /* The anchor is a row of the tool's ledger. */
    memcpy(of_attempt, values, sizeof of_attempt);
    of_attempt[ROW_ANCHOR] = NULL;
    return count + add_side(&attempts, statement, of_attempt, items + count);
}

static bool is_of_ledger(const struct ledger *ledger, const struct query *query)
{
    return (query >= ledger->queries && query < ledger->queries + LEDGER_STATEMENTS) ||
           (query >= ledger->checks && query < ledger->checks + LEDGER_CHECKS) ||
           (query >= ledger->attempt_queries && query < ledger->attempt_queries + LEDGER_STATEMENTS) ||
           (query >= ledger->attempt_checks && query < ledger->attempt_checks + LEDGER_CHECKS);
}

static bool has_other_row(const struct result *row, const char *const values[ROW_VALUES])
{
    return values[ROW_BEFORE] != NULL && result_number(row, 0, 4) > 1;
}

/* Where several rows are written, or a finished one: there the row tells no more. NULL otherwise. */
static const char *describe_write(const struct ledger *ledger, const char *const values[ROW_VALUES])
{
    if (values[ROW_NAME] == NULL || !ledger->dialect->keeps_attempts)
        return "another process has written to it, or what is written to it does not stay";
    return values[ROW_STORED] == NULL
               ? NULL
               : "the row of this migration is not what it was, or what is written to it does not stay";
}

/* What became of the row, in words, from what the ledger says of it now. */
static void describe_row(const struct ledger *ledger, const struct result *row,
                         const char *const values[ROW_VALUES], bool is_doubled, struct text *out)
{
    const char *before = values[ROW_BEFORE];

    if (has_other_row(row, values))
        text_add_string(out, "it has another row for this migration now");
    else if (before == NULL && result_number(row, 0, 4) > 0)
        text_add_string(out, "another process has recorded this migration meanwhile");
    else if (before == NULL && (size_t)result_number(row, 0, 5) < ledger->size.rows)
        text_add_string(out, "rows that it held when this run began are gone");
    else if (before != NULL && !result_bool(row, 0, 0))
        text_add_string(out, "the row of this migration has been deleted");
    else if (before != NULL && (result_bool(row, 0, 2) || result_bool(row, 0, 3)))
        text_add_format(out, "somebody has marked the row of this migration as %s",
                        result_bool(row, 0, 2) ? "applied" : "rolled back");
    else if (before != NULL && strcmp(before, result_text(row, 0, 1)) != 0)
        text_add_format(out, "its row says %s statements done where this run has recorded %s",
                        result_text(row, 0, 1), before);
    else if (is_doubled)
        text_add_string(out, "another unfinished row for this migration was to be committed with it");
    else
        text_add_format(
            out,
            "what is written to %s does not stay: the script, a trigger, a rule or a row security "
            "policy undoes it",
            ledger->table);
}

/* Whoever has put it there, it would stop every later run. */
static bool hint_other_row(const struct ledger *ledger, const char *const values[ROW_VALUES],
                           struct error *err)
{
    auto_text struct text name = text_init(sizeof err->hint);
    auto_text struct text id = text_init(sizeof err->hint);

    quote_literal(values[ROW_NAME], &name);
    quote_literal(values[ROW_ID], &id);
    return error_hint(err,
                      "Delete the other row, then deploy again: DELETE FROM %s WHERE migration_name = %s AND "
                      "finished_at IS NULL AND id <> %s;",
                      ledger->table, name.at, id.at);
}

#define SEE_WHO                                                                                              \
    "Find out who changes the ledger while a deployment runs. To see what it holds now: tidelock status"

/* The row is not as it was read, or not alone. Looks why, now that the transaction is over. */
static bool explain_unwritten(struct connection *conn, const struct ledger *ledger,
                              const char *const values[ROW_VALUES], bool is_doubled, struct error *err)
{
    static const struct query rollback = { .name = "rollback", .sql = "ROLLBACK" };
    const char *const parameters[] = { values[ROW_ID], values[ROW_NAME] };
    const struct batch_item item = { .query = &ledger->row, .parameters = parameters };
    auto_text struct text what = text_init(sizeof err->message);
    auto_result struct result *row = NULL;
    struct error why = { .class = ERROR_NONE };
    bool is_read;

    if (connection_is_in_transaction(conn) && !query_run(conn, &rollback, NULL, NULL, err))
        return false;
    is_read = !ledger->dialect->keeps_attempts ||
              aside_run(conn, NULL, &(const struct batch) { .items = &item, .count = 1 }, &row, &why);
    if (is_read && describe_write(ledger, values) != NULL)
        text_add_string(&what, describe_write(ledger, values));
    else if (is_read)
        describe_row(ledger, row, values, is_doubled, &what);
    else if (strcmp(why.sqlstate, "42P01") == 0)
        text_add_string(&what, "the table is gone");
    else
        text_add_format(&what, "it could not be read again (%s)", why.message);
    error_set(err, ERROR_REFUSED, "the ledger %s " LEDGER_CHANGED ": %s", ledger->table, what.at);
    if (row != NULL && has_other_row(row, values))
        return hint_other_row(ledger, values, err);
    return error_hint(err, SEE_WHO);
}

bool ledger_batch(struct connection *conn, const struct ledger *ledger, const struct batch *batch,
                  const char *const values[ROW_VALUES], struct error *err)
{
    struct batch counted = *batch;
    const struct query *query;
    size_t failed;

    counted.failed = &failed;
    if (query_batch(conn, &counted, err))
        return true;
    if (batch->failed != NULL)
        *batch->failed = failed;
    if (failed >= batch->count || err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED)
        return false;
    query = batch->items[failed].query;
    if (advisory_is_taken_by(query))
        return advisory_failed(err);
    if (!is_of_ledger(ledger, query))
        return false;
    /* Dropped, or made anew while it was being written. */
    if (strcmp(err->sqlstate, "22012") == 0 || strcmp(err->sqlstate, "42P01") == 0)
        return explain_unwritten(conn, ledger, values, query == &ledger->checks[CHECK_ALONE], err);
    return error_context(err, "writing the ledger %s", ledger->table);
}

bool ledger_refuse_names(const struct ledger *ledger, struct error *err)
{
    error_set(err, ERROR_REFUSED,
              "the ledger %s " LEDGER_CHANGED
              ": its rows for the migrations that this run has applied are not those that it wrote",
              ledger->table);
    return error_hint(err, SEE_WHO);
}

bool ledger_write(struct connection *conn, const struct ledger *ledger, enum ledger_statement statement,
                  const char *const values[ROW_VALUES], struct error *err)
{
    struct ledger_parameters parameters;
    struct batch_item items[1 + LEDGER_ITEMS_MOST] = { { .query = &ADVISORY_TAKE,
                                                         .parameters = &ledger->lock_key } };
    size_t count = 1 + ledger_add_items(ledger, statement, values, &parameters, items + 1);

    return ledger_batch(conn, ledger,
                        &(const struct batch) { .items = items, .count = count, .cancellable = count },
                        values, err);
}

bool ledger_say_changed(const struct connection *conn, const struct ledger *ledger, struct error *err)
{
    if (err->class == ERROR_TABLE_LOCK)
        error_hint(
            err,
            "Somebody else has locked the ledger: type the same again when it is free. To see who: SELECT "
            "pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = "
            "'%s'::regclass);",
            ledger->table);
    if (!connection_is_lost(conn))
        return error_holds(err, "Nothing was changed.");
    error_holds(err, "It is not known whether the ledger was changed.");
    return error_hint(err, "See what it holds (tidelock status), or type the same again.");
}

bool ledger_record_clean_failure(struct connection *conn, const struct ledger *ledger,
                                 const char *const values[ROW_VALUES], struct error *err)
{
    char id[UUID_SIZE];
    const char *fresh[ROW_VALUES];
    struct ledger_parameters parameters;
    struct batch_item items[1 + LEDGER_ITEMS_MOST] = { { .query = &ADVISORY_TAKE,
                                                         .parameters = &ledger->lock_key } };
    auto_result struct result *repeated = NULL;
    size_t count = 1 + ledger_add_items(ledger, LEDGER_REPEAT_FAILED, values, &parameters, items + 1);

    if (count == 1)
        return true; /* nowhere: it is not worth a journal */
    if (!ledger_batch(
            conn, ledger,
            &(const struct batch) {
                .items = items, .count = count, .cancellable = count, .rows = &repeated, .rows_of = 1 },
            values, err))
        return false;
    if (result_rows(repeated) > 0)
        return true;
    random_uuid(id);
    memcpy(fresh, values, sizeof fresh);
    fresh[ROW_ID] = id;
    return ledger_write(conn, ledger, LEDGER_INSERT_FAILED, fresh, err);
}

/* The text with the table's name in it. */
static void add_sql(const char *sql, const char *table, struct text *out)
{
    text_add_filled(out, sql, "{ledger}", table);
}

void ledger_add_unchanged(const struct ledger *ledger, struct text *sql)
{
    text_add_format(sql,
                    "SELECT s.rows OPERATOR(pg_catalog.=) %zu AND s.finished OPERATOR(pg_catalog.=) %zu"
                    " AND s.rolled_back OPERATOR(pg_catalog.=) %zu FROM (",
                    ledger->size.rows, ledger->size.finished, ledger->size.rolled_back);
    add_sql(ledger->dialect->ledger->size, ledger->table, sql);
    text_add_string(sql, ") AS s");
}

void ledger_add_lock(const struct ledger *ledger, struct text *sql)
{
    text_add_format(sql, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE;", ledger->table);
}

bool ledger_exists(struct connection *conn, const struct ledger *ledger, bool *exists, struct error *err)
{
    static const struct query query = { .name = "ledger_exists",
                                        .parameters = 1,
                                        .sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL" };
    const char *const parameters[] = { ledger->table };
    auto_result struct result *result = NULL;

    if (!query_run(conn, &query, parameters, &result, err))
        return false;
    *exists = result_bool(result, 0, 0);
    return true;
}
