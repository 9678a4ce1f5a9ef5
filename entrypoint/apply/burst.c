#include "apply/burst.h"

#include <stdio.h>
#include <string.h>

#include "apply/migrate.h"
#include "apply/transaction_end.h"
#include "apply/transaction_start.h"
#include "base/memory.h"
#include "base/signals.h"
#include "execution/floor.h"
#include "history/script_file.h"
#include "postgres/pooler.h"
#include "postgres/query.h"
#include "sql/definition.h"
#include "sql/quote.h"
#include "sql/session_statement.h"

enum {
    SCRIPT_MOST = 16 * 1024,
    SCRIPTS_MOST = 64 * 1024,   /* together */
    MESSAGE_MOST = 1024 * 1024, /* ours is a few kB for each */
};

static bool has_directives(const struct directives *said)
{
    return said->transaction != TRANSACTION_AUTO || said->assertion_count > 0 || said->lock_timeout_ms >= 0 ||
           said->retry_for_ms >= 0 || said->statement_timeout_ms >= 0 || said->migration_timeout_ms >= 0;
}

static bool only_defines(const struct execution *execution)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    enum script_answer answer;
    struct error ignored;

    while ((answer = script_next(&reader, &statement, &ignored)) == SCRIPT_STATEMENT) {
        if (!statement_is_definition(execution_text(execution, &statement)))
            return false;
    }
    return answer == SCRIPT_END;
}

/* What its tool does otherwise than to run it in a transaction, once. */
static bool is_special(const struct execution *execution)
{
    return execution->wishes_of_tool.transaction == SCRIPT_TRANSACTION_OFF ||
           execution->wishes_of_tool.is_skipped ||
           dialect_repeats(execution->ledger->dialect, execution->migration->name);
}

/* A cancel request may hit any COMMIT of the message, and must not end its wait for a standby. An audit
 * writes all of the message for each of its statements. */
bool burst_takes(const struct execution *execution)
{
    struct session_signs signs;

    if (execution->script.length > SCRIPT_MOST || is_special(execution))
        return false;
    signs = session_signs_of(execution->script);
    return execution->mode == MODE_ATOMIC && execution->unfinished == NULL && execution->observer == NULL &&
           execution->timeout_ms == 0 && execution->lease->name == NULL &&
           !execution->ledger->waits_for_standby && !execution->ledger->is_audited &&
           execution->summary.statements > 0 && execution->summary.guarded_indexes == 0 &&
           !has_directives(&execution->directives) && !execution_has_floor(execution) && !signs.is_advisory &&
           !signs.is_reset && only_defines(execution);
}

struct burst *burst_new(void)
{
    struct burst *burst = memory_new(1, sizeof *burst);

    burst->items = memory_new(BURST_MOST, sizeof *burst->items);
    burst->held = text_init(POOLER_LOOK_MOST);
    return burst;
}

void burst_free(struct burst *burst)
{
    if (burst == NULL)
        return;
    for (size_t i = 0; i < burst->count; i++)
        text_clear(&burst->items[i].bytes);
    memory_free(burst->items);
    text_clear(&burst->held);
    memory_free(burst);
}

bool burst_add(struct burst *burst, const struct execution *execution)
{
    struct burst_item *item = &burst->items[burst->count];
    struct error ignored;

    if (burst->count == BURST_MOST || burst->bytes > SCRIPTS_MOST)
        return false;
    *item = (struct burst_item) { .execution = *execution, .bytes = text_init(SCRIPT_BYTES_MOST) };
    item->execution.is_session_used |= burst->count > 0;
    if (migration_load(&item->execution, &item->bytes, &ignored) && burst_takes(&item->execution)) {
        ledger_make_id(execution->ledger, execution->migration->key, item->execution.id);
        burst->bytes += item->bytes.length;
        burst->count++;
        return true;
    }
    text_clear(&item->bytes);
    return false;
}

/* Statements of ours, from byte `start` of the message on: a semicolon ends each, and others are quoted. To
 * read them as a script is read would take longer than all else that is done for the message. */
static size_t count_statements(const struct text *sql, size_t start)
{
    const char *at = sql->at + start;
    size_t count = 0;

    while (at != NULL && *(at += strcspn(at, ";'\"")) != '\0') {
        if (*at == ';')
            count++;
        else
            at = strchr(at + 1, *at);
        at = at == NULL ? NULL : at + 1;
    }
    return count;
}

/* Of the names of all of them, in one pass, with the first and with the last: other rows of such a name would
 * make a later run stop. Where the ledger has come to do more than it is told, that says nothing: then the
 * rest goes alone. */
static void add_names_check(const struct burst *burst, size_t there, struct text *sql)
{
    const struct ledger *ledger = burst->items[0].execution.ledger;
    auto_text struct text names = text_init(MESSAGE_MOST);
    char number[24];
    const char *const row[ROW_VALUES] = { [ROW_COUNT] = number };
    const char *values[ROW_VALUES];
    struct ledger_parameters none;
    struct ledger_parameters parameters;
    const struct batch_item plain = ledger_check_item(ledger, CHECK_PLAIN, row, &none);
    struct batch_item item;

    (void)snprintf(number, sizeof number, "%zu", there);
    for (size_t i = 0; i < burst->count; i++) {
        text_add_string(&names, i == 0 ? "{" : ",");
        quote_element(burst->items[i].execution.migration->name, &names);
    }
    text_add_string(&names, "}");
    memcpy(values, row, sizeof values);
    values[ROW_NAMES] = names.at;
    item = ledger_check_item(ledger, CHECK_NAMES, values, &parameters);
    batch_item_add(&plain, sql);
    batch_item_add(&item, sql);
}

static void add_regain(struct burst *burst, size_t number, struct text *sql)
{
    struct execution *execution = &burst->items[number].execution;
    const struct session_settings limits = {
        .lock_timeout_ms = retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE),
        .statement_timeout_ms = -1,
        .can_check_connection = execution->settings.can_check_connection,
    };
    struct batch_item items[REGAIN_MOST];

    /* The next transaction takes the key again, for the session, too. */
    if (!execution->is_pooled && number + 1 < burst->count) {
        session_regain_add(&limits, connection_server_version(execution->conn), sql);
        return;
    }
    for (size_t i = 0, count = execution_add_regain(execution, items); i < count; i++)
        batch_item_add(&items[i], sql);
}

/* A message that is being written. */
struct message {
    struct text sql;
    struct ledger ledger; /* as it is when that is done */
    size_t statements;    /* in it … */
    size_t characters;    /* … up to … */
    size_t counted;       /* … this byte */
};

static void count_up(struct message *message, size_t statements)
{
    message->statements += statements;
    message->characters +=
        utf8_count(message->sql.at + message->counted, message->sql.length - message->counted);
    message->counted = message->sql.length;
}

/* Whether what is looked at with each of them is less than for one that comes alone … */
static bool is_checked_less(const struct ledger *ledger)
{
    return ledger->checks[CHECK_NAMES].sql != NULL;
}

/* … so that the names of all have to be looked at together. */
static bool checks_names(const struct burst *burst)
{
    return burst->count > 1 && is_checked_less(burst->items[0].execution.ledger);
}

static void add_closing(struct burst *burst, size_t number, struct message *message)
{
    struct execution *execution = &burst->items[number].execution;
    struct ledger *ledger = &message->ledger;
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                          [ROW_CHECKSUM] = execution->checksum,
                                          ROW_OF_MIGRATION(execution->migration),
                                          [ROW_ANCHOR] = ledger->anchor[0] == '\0' ? NULL : ledger->anchor,
                                          [ROW_AFTER] = number == 0 ? NULL : ledger->anchor };
    struct batch_item items[LEDGER_ITEMS_MOST + 1];
    struct ledger_parameters parameters;
    struct ledger_parameters more;
    size_t count = ledger_add_items(ledger, LEDGER_INSERT_NEXT, row, &parameters, items);

    if (number == 0 && is_checked_less(ledger))
        items[count++] = ledger_check_item(ledger, CHECK_ADDED, row, &more);
    add_regain(burst, number, &message->sql);
    for (size_t i = 0; i < count; i++)
        batch_item_add(&items[i], &message->sql);
    if (checks_names(burst) && (number == 0 || number + 1 == burst->count))
        add_names_check(burst, number + 1, &message->sql);
    text_add_string(&message->sql, "COMMIT;");
    ledger_count_applied(ledger, execution->migration, execution->id, true);
}

/* In a session that others use as well: what it holds, and that nobody has led since the transaction before,
 * which nothing but the ledger can tell. */
static void add_unshared(struct message *message)
{
    pooler_add_note(&message->sql);
    text_add_string(&message->sql, "SELECT 1 OPERATOR(pg_catalog./) (");
    ledger_add_unchanged(&message->ledger, &message->sql);
    text_add_string(&message->sql, ")::pg_catalog.int4;");
}

/* The transaction of one of them. */
static void add_transaction(struct burst *burst, size_t number, struct message *message)
{
    static const struct transaction_head none = { .statements = 0 };
    struct burst_item *item = &burst->items[number];
    struct execution *execution = &item->execution;
    struct transaction_head head =
        transaction_head_of(execution_reader(execution), 0, execution->script.length);

    transaction_start_add(execution, &none, &message->sql);
    transaction_start_add_time(execution, &message->sql);
    count_up(message, count_statements(&message->sql, message->counted));
    item->facts = message->statements - 1;
    if (execution->is_pooled)
        add_unshared(message);
    count_up(message, count_statements(&message->sql, message->counted));
    item->script = message->statements;
    item->before = message->characters;
    text_add(&message->sql, execution->script.at + head.rest, execution->script.length - head.rest);
    text_add_string(&message->sql, "\n;");
    count_up(message, execution->summary.statements);
    item->end = message->statements;
    batch_item_add(&(const struct batch_item) { .query = &SESSION_CONSTRAINTS }, &message->sql);
    if (execution->is_pooled)
        pooler_add_check(&message->sql);
    add_closing(burst, number, message);
    count_up(message, count_statements(&message->sql, message->counted));
    item->commit = message->statements - 1;
}

static void next(struct burst *burst)
{
    struct execution *execution = &burst->items[burst->done].execution;

    burst->on_next(burst->context, execution);
    migration_show(execution);
    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    execution_expect(execution, WAIT_TABLE);
}

/* See query_listener. */
static bool listen(void *context, size_t number, const char *tag, const struct result *rows)
{
    struct burst *burst = context;
    struct burst_item *item = &burst->items[burst->done];

    if (burst->done == burst->count)
        return false;
    if (number == item->facts && rows != NULL) {
        item->has_begun = true;
        text_copy_cut(item->started, sizeof item->started, result_text(rows, 0, 0));
    }
    if (item->execution.is_pooled && number == item->facts + 1 && rows != NULL) {
        text_reset(&burst->held);
        text_add_string(&burst->held, result_text(rows, 0, 0));
    }
    if (number < item->commit)
        return number != item->facts || item->has_begun;
    if (strcmp(tag, "COMMIT") != 0)
        return false;
    burst->done++;
    burst->on_applied(burst->context, &item->execution);
    if (burst->done < burst->count)
        next(burst);
    return true;
}

/* The script itself has failed: that is for whoever applies it to handle. Everything else is tried again. */
static bool is_of_script(const struct burst_item *item, size_t completed)
{
    return item->has_begun && completed >= item->script && completed <= item->end;
}

static void hand_over(struct burst *burst, const struct burst_item *item, size_t completed,
                      const struct error *err)
{
    burst->early =
        (struct early_failure) { .completed = completed - item->script, .held = burst->held.at, .err = *err };
    burst->early.lock_timeout_ms = item->execution.lock_wait.lock_timeout_ms;
    text_copy_cut(burst->early.started, sizeof burst->early.started, item->started);
    memcpy(burst->early.checksum, item->execution.checksum, sizeof burst->early.checksum);
    burst->early.err.position -=
        burst->early.err.position > item->before ? item->before : burst->early.err.position;
}

/* What the server was about when it ended the session was rolled back, unless that was the COMMIT. Behind a
 * pooler, whoever says so need not be the server. */
static bool is_in_doubt(const struct burst *burst, const struct transactions *transactions)
{
    const struct execution *first = &burst->items[0].execution;

    return connection_is_lost(first->conn) && burst->done < burst->count &&
           (first->is_pooled || !transactions->has_ended ||
            transactions->completed >= burst->items[burst->done].commit);
}

static bool send(struct burst *burst, size_t *completed, struct error *err)
{
    struct message message = { .sql = text_init(MESSAGE_MOST), .ledger = *burst->items[0].execution.ledger };
    struct transactions transactions = { .listener = listen, .context = burst };
    bool is_done;

    for (size_t i = 0; i < burst->count; i++) {
        add_transaction(burst, i, &message);
        burst->items[i].execution.script = slice_of("");
    }
    transactions.sql = message.sql.at;
    transactions.statements = message.statements;
    next(burst);
    is_done = query_transactions(burst->items[0].execution.conn, &transactions, err);
    text_clear(&message.sql);
    *completed = transactions.completed;
    burst->is_in_doubt = is_in_doubt(burst, &transactions);
    return is_done;
}

/* What is applied next can be cancelled by a signal, unless there has been one. */
static void roll_back(struct burst *burst)
{
    struct execution *execution = &burst->items[0].execution;

    transaction_roll_back(execution, &burst->held);
    connection_shield(execution->conn, signals_pending() != 0);
}

bool burst_apply(struct burst *burst, const struct early_failure **early, struct error *err)
{
    const struct execution *first = &burst->items[0].execution;
    const struct burst_item *item;
    size_t completed;
    bool is_done = send(burst, &completed, err);

    *early = NULL;
    watch_stop(first->watch);
    first->watch->policy = NULL;
    first->beacon->is_unknown |= !is_done;
    /* Whatever has come after the last COMMIT: the next query will tell. */
    if (burst->done == burst->count)
        return true;
    item = &burst->items[burst->done];
    if (burst->is_in_doubt)
        return error_context(err, "applying %s", item->execution.migration->name);
    if (connection_is_lost(first->conn))
        return false;
    if (is_of_script(item, completed)) {
        hand_over(burst, item, completed, err);
        *early = &burst->early;
        return false;
    }
    roll_back(burst);
    burst->is_refused = checks_names(burst) && burst->done + 1 == burst->count &&
                        completed + 1 == item->commit && strcmp(err->sqlstate, "22012") == 0;
    return burst->is_refused && ledger_refuse_names(first->ledger, err);
}
