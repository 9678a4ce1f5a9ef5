#include "deploy/loss_weigh.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/loss_type.h"
#include "deploy/loss_update.h"
#include "postgres/query.h"
#include "sql/grammar.h"
#include "sql/quote.h"

/* More are not counted: whoever holds the lock is in the way of others meanwhile. */
enum { COUNTED_MOST = 100000, SQL_MOST = 16 * 1024, NAME_MOST = 4 * IDENTIFIER_SIZE, KEY_OF_TABLE_SIZE = 24 };

/* What is lost with a table, or with a column of it. */
static const struct loss {
    enum action action;
    enum loss_of { OF_TABLE, OF_COLUMN, OF_VALUES, OF_SCHEMA } of;
    const char *verb;
} LOSSES[] = {
    { ACTION_DROP_TABLE, OF_TABLE, "drops table" },
    { ACTION_TRUNCATE, OF_TABLE, "empties table" },
    { ACTION_DROP_COLUMN, OF_COLUMN, "drops column" },
    { ACTION_COLUMN_TYPE, OF_VALUES, "changes the type of column" },
    { ACTION_DROP_SCHEMA, OF_SCHEMA, "drops table" },
};

/* The table $1, as a script writes it, and its column $2: whether both are there, and hold rows; if that is
 * of an enum and is to be of another, $3, which; its type, and whether $3 is the same by another name. */
static const struct query LOOK = {
    .name = "loss_look",
    .parameters = 3,
    .sql =
        "SELECT c.oid, n.nspname, c.relname, c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"
        " AND ($2::pg_catalog.text OPERATOR(pg_catalog.=) '' OR a.attnum IS NOT NULL),"
        " pg_catalog.row_security_active(c.oid),"
        " pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed',"
        " (SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typtype OPERATOR(pg_catalog.=) 'e'"
        "   AND t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regtype($3)"
        "   AND EXISTS (SELECT FROM pg_catalog.pg_type AS o WHERE o.oid OPERATOR(pg_catalog.=) a.atttypid"
        "     AND o.typtype OPERATOR(pg_catalog.=) 'e')),"
        " pg_catalog.format_type(a.atttypid, a.atttypmod),"
        " EXISTS (SELECT FROM pg_catalog.pg_cast AS k WHERE k.castsource OPERATOR(pg_catalog.=) a.atttypid"
        "   AND k.casttarget OPERATOR(pg_catalog.=) pg_catalog.to_regtype($3)"
        "   AND k.castmethod OPERATOR(pg_catalog.=) 'b')"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT a.attisdropped"
        "  AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
};
enum {
    LOOK_OID,
    LOOK_SCHEMA,
    LOOK_TABLE,
    LOOK_HOLDS,
    LOOK_HIDES,
    LOOK_IS_COMMITTED,
    LOOK_ENUM,
    LOOK_TYPE,
    LOOK_IS_ALIKE
};

/* The table of oid $1 and its partitions, or their columns $2, as keys, with $3 in front. */
static const struct query KEYS = {
    .name = "loss_keys",
    .parameters = 3,
    .sql = "WITH RECURSIVE " INHERITANCE_TREE("SELECT $1::pg_catalog.oid")
        " SELECT COALESCE(pg_catalog.string_agg(pg_catalog.concat($3::pg_catalog.text, t.oid, '.', COALESCE(a.attnum, 0)), ','), '')"
        " FROM tree AS t LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) t.oid"
        "  AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2",
};

static const struct query OID = {
    .name = "loss_oid",
    .parameters = 1,
    .sql =
        "SELECT c.oid FROM pg_catalog.pg_class AS c"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
};

static const struct query TABLES_OF_SCHEMA = {
    .name = "loss_tables",
    .parameters = 1,
    .sql =
        "SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) $1"
        " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"
        " AND NOT c.relispartition ORDER BY c.relname",
};

bool loss_is_named(const struct loss_guard *guard, const char *name)
{
    for (size_t i = 0; i < guard->allowed->count; i++) {
        if (strcmp(guard->allowed->items[i], name) == 0)
            return guard->is_met[i] = true;
    }
    return false;
}

/* "table", "schema.table"; the same with a column. */
static void add_name(const struct victim *victim, bool is_full, struct text *out)
{
    text_add_format(out, "%s%s%s%s%s", is_full ? victim->schema : "", is_full ? "." : "", victim->table,
                    victim->column[0] == '\0' ? "" : ".", victim->column);
}

bool loss_is_allowed(const struct loss_guard *guard, const struct victim *victim)
{
    auto_text struct text brief = text_init(NAME_MOST);
    auto_text struct text full = text_init(NAME_MOST);

    add_name(victim, false, &brief);
    add_name(victim, true, &full);
    return loss_is_named(guard, brief.at) || loss_is_named(guard, full.at);
}

const char *loss_add_command(const struct loss_guard *guard, const char *name, struct text *out)
{
    text_add_string(out, "tidelock rollback ");
    if (guard->is_all)
        text_add_string(out, "--all ");
    if (guard->to != NULL)
        text_add_format(out, "--to \"%s\" ", guard->to);
    text_add_string(out, "--allow-loss");
    for (size_t i = 0; i < guard->allowed->count; i++)
        text_add_format(out, " \"%s\"", guard->allowed->items[i]);
    text_add_format(out, " \"%s\"", name);
    return out->at;
}

bool loss_refuse(const struct loss_guard *guard, const struct victim *victim, const char *what,
                 const char *lost, struct error *err)
{
    const struct execution *execution = guard->execution;
    auto_text struct text name = text_init(NAME_MOST);
    auto_text struct text command = text_init(sizeof err->hint);

    add_name(victim, strcmp(victim->schema, execution->ledger->schema) != 0, &name);
    error_set(err, ERROR_REFUSED, "the inverse of migration \"%s\" %s \"%s\"%s", execution->migration->name,
              what, name.at, lost);
    return error_hint(
        err,
        "Keep what it holds elsewhere first, or go forward: write a migration that undoes this one. To "
        "lose it: %s",
        loss_add_command(guard, name.at, &command));
}

bool loss_is_listed(const struct text *keys, const char *key)
{
    size_t length = strlen(key);
    const char *at = keys->at;

    while ((at = strstr(at, key)) != NULL) {
        if ((at[-1] == '{' || at[-1] == ',') && (at[length] == '}' || at[length] == ','))
            return true;
        at += length;
    }
    return false;
}

bool loss_is_old(const struct loss_guard *guard, const char *oid)
{
    char key[KEY_OF_TABLE_SIZE];

    (void)snprintf(key, sizeof key, "%s.0", oid);
    return loss_is_listed(&guard->keys, key);
}

/* One kind of loss by a statement. */
struct weighing {
    struct loss_guard *guard;
    struct connection *conn;
    const struct loss *loss;
    bool is_locking;
    struct slice statement;
};

/* What is said of it here need not be found out afterwards. */
static bool settle(const struct weighing *weighing, const char *oid, const char *column, const char *in_front,
                   struct error *err)
{
    struct loss_guard *guard = weighing->guard;
    auto_result struct result *row = NULL;

    if (!query_run(weighing->conn, &KEYS, (const char *[]) { oid, column, in_front }, &row, err))
        return false;
    text_add_format(&guard->settled, "%s%s", guard->settled.length > 1 ? "," : "", result_text(row, 0, 0));
    return true;
}

/* What is counted of a table. */
struct counting {
    bool is_locking;  /* then nobody adds any afterwards; as the statement would, it waits for who uses the
                         table */
    const char *name; /* as the script has it, quoted */
    const char *column;
    const char *new_enum; /* the oid of the type that is to be the column's, or "" */
    const struct victim *victim;
    const struct change *change;
};

static bool count_lost(struct connection *conn, const struct counting *what, int64_t *count,
                       struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_text struct text column = text_init(NAME_MOST);
    auto_result struct result *row = NULL;

    quote_identifier(what->column, &column);
    if (what->is_locking)
        text_add_format(&sql, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE; ", what->name);
    text_add_format(&sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM %s WHERE true", what->name);
    /* IS NOT NULL would pass over rows with a NULL in them. */
    if (what->column[0] != '\0')
        text_add_format(&sql, " AND pg_catalog.num_nulls(%s) OPERATOR(pg_catalog.=) 0", column.at);
    if (what->new_enum[0] != '\0')
        text_add_format(
            &sql,
            " AND %s::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (SELECT e.enumlabel::pg_catalog.text"
            " FROM pg_catalog.pg_enum AS e WHERE e.enumtypid OPERATOR(pg_catalog.=) %s)",
            column.at, what->new_enum);
    text_add_format(&sql, " LIMIT %d) AS s", COUNTED_MOST + 1);
    if (!query_several(conn, &(const struct query) { .name = "loss_count", .sql = sql.at }, &row, 1, err))
        return false;
    *count = result_number(row, 0, 0);
    return true;
}

static bool refuse_count(const struct weighing *weighing, const struct counting *what, int64_t count,
                         const char *which, struct error *err)
{
    char lost[96];

    (void)snprintf(lost, sizeof lost, ", which holds %s%lld %s%s%s", count > COUNTED_MOST ? "more than " : "",
                   (long long)(count > COUNTED_MOST ? COUNTED_MOST : count),
                   what->column[0] == '\0' ? "row" : "value", count == 1 ? "" : "s", which);
    return loss_refuse(weighing->guard, what->victim, weighing->loss->verb, lost, err);
}

/* Whether its rows can be counted at all. */
static bool check_countable(const struct weighing *weighing, const struct victim *victim,
                            const struct result *row, struct error *err)
{
    const char *verb = weighing->loss->verb;

    if (result_bool(row, 0, LOOK_HIDES))
        return loss_refuse(weighing->guard, victim, verb, ", whose rows row security hides from this role",
                           err);
    return result_bool(row, 0, LOOK_IS_COMMITTED) ||
           loss_refuse(weighing->guard, victim, verb,
                       ", whose rows cannot be counted: the transaction is not READ COMMITTED", err);
}

/* Of what is lost with a table or column, or does not go into another enum. */
static bool weigh_rows(const struct weighing *weighing, const struct counting *what, const struct result *row,
                       struct error *err)
{
    const char *which = weighing->loss->of == OF_VALUES ? " that the new type does not have" : "";
    int64_t count;

    return check_countable(weighing, what->victim, row, err) &&
           count_lost(weighing->conn, what, &count, err) &&
           (count == 0 || refuse_count(weighing, what, count, which, err));
}

/* Of what another type does not keep. One that is the same by another name keeps it all, however many rows
 * there are to read. */
static bool weigh_type(const struct weighing *weighing, const struct counting *what, const struct result *row,
                       struct error *err)
{
    const struct change *change = what->change;
    struct slice definition = { weighing->statement.at + change->start, change->end - change->start };
    auto_text struct text column = text_init(NAME_MOST);
    int64_t count;
    int64_t changed;

    if (result_bool(row, 0, LOOK_IS_ALIKE) && (change->traits & TRAIT_USING) == 0 &&
        memchr(definition.at, '(', definition.length) == NULL)
        return true;
    quote_identifier(what->column, &column);
    if (!check_countable(weighing, what->victim, row, err) || !count_lost(weighing->conn, what, &count, err))
        return false;
    if (count == 0)
        return true;
    if (!loss_count_retyped(
            weighing->conn,
            &(const struct retyping) { what->name, column.at, result_text(row, 0, LOOK_TYPE), definition },
            COUNTED_MOST, &changed, err))
        return false;
    if (changed < 0)
        return refuse_count(weighing, what, count, " that the new type may not keep", err);
    return changed == 0 || refuse_count(weighing, what, changed, " that the new type does not keep", err);
}

static bool weigh(const struct weighing *weighing, const struct change *change, struct error *err)
{
    const struct loss *loss = weighing->loss;
    auto_text struct text name = text_init(NAME_MOST);
    auto_text struct text type = text_init(NAME_MOST);
    auto_result struct result *row = NULL;
    struct victim victim = { .column = loss->of == OF_COLUMN || loss->of == OF_VALUES ? change->object : "" };
    struct counting what = {
        .is_locking = weighing->is_locking, .column = victim.column, .victim = &victim, .change = change
    };

    quote_qualified(change->table.schema, change->table.name, &name);
    quote_qualified(change->type.schema, change->type.name, &type);
    what.name = name.at;
    if (!query_run(weighing->conn, &LOOK,
                   (const char *[]) { name.at, what.column, loss->of == OF_VALUES ? type.at : NULL }, &row,
                   err))
        return false;
    if (result_rows(row) == 0 || !result_bool(row, 0, LOOK_HOLDS))
        return true;
    if (what.is_locking && !loss_is_old(weighing->guard, result_text(row, 0, LOOK_OID)))
        return true;
    victim.schema = result_text(row, 0, LOOK_SCHEMA);
    victim.table = result_text(row, 0, LOOK_TABLE);
    what.new_enum = result_text(row, 0, LOOK_ENUM);
    if (what.is_locking &&
        !settle(weighing, result_text(row, 0, LOOK_OID), what.column, loss->of == OF_VALUES ? "t" : "", err))
        return false;
    if (loss_is_allowed(weighing->guard, &victim))
        return true;
    return loss->of == OF_VALUES && what.new_enum[0] == '\0' ? weigh_type(weighing, &what, row, err)
                                                             : weigh_rows(weighing, &what, row, err);
}

static bool weigh_schema(const struct weighing *weighing, const struct change *change, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(weighing->conn, &TABLES_OF_SCHEMA, (const char *[]) { change->table.name }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        struct change of_table = *change;

        text_copy_cut(of_table.table.schema, sizeof of_table.table.schema, change->table.name);
        text_copy_cut(of_table.table.name, sizeof of_table.table.name, result_text(rows, i, 0));
        if (!weigh(weighing, &of_table, err))
            return false;
    }
    return true;
}

/* The text of statement `number` of the script, and its line. */
static struct slice statement_of(const struct execution *execution, size_t number, size_t *line)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement = { .start = 0 };
    struct error ignored;

    do {
        if (script_next(&reader, &statement, &ignored) != SCRIPT_STATEMENT)
            return slice_of("");
    } while (number-- > 0);
    *line = statement.line;
    return execution_text(execution, &statement);
}

/* After these, names mean what they meant before, and no row is another. */
static bool leaves_the_rest(enum action action)
{
    static const enum action actions[] = {
        ACTION_HARMLESS,       ACTION_DROP_TABLE,     ACTION_DROP_COLUMN,  ACTION_DROP_VIEW,
        ACTION_DROP_INDEX,     ACTION_DROP_TRIGGER,   ACTION_DROP_ROUTINE, ACTION_DROP_TYPE,
        ACTION_DROP_SEQUENCE,  ACTION_DROP_NOT_NULL,  ACTION_ADD_COLUMN,   ACTION_DROP_CONSTRAINT,
        ACTION_DROP_EXTENSION, ACTION_DROP_SCHEMA,    ACTION_COMMENT,      ACTION_GRANT,
        ACTION_POLICY,         ACTION_COLUMN_DEFAULT, ACTION_CREATE_INDEX, ACTION_ADD_FOREIGN_KEY,
        ACTION_QUERY,          ACTION_SET_NOT_NULL,   ACTION_ADD_CHECK,    ACTION_VALIDATE_CONSTRAINT,
    };

    for (size_t i = 0; i < array_length(actions); i++) {
        if (action == actions[i])
            return true;
    }
    return false;
}

/* After these, the rows are in another file. */
static bool rewrites(enum action action)
{
    return action == ACTION_COLUMN_TYPE || action == ACTION_ADD_COLUMN || action == ACTION_SET_LOGGED ||
           action == ACTION_SET_TABLESPACE || action == ACTION_SET_ACCESS_METHOD || action == ACTION_CLUSTER;
}

/* That it is seen to do so needs no explanation afterwards. */
static bool expect_rewrite(const struct weighing *weighing, const struct change *change, struct error *err)
{
    auto_text struct text name = text_init(NAME_MOST);
    auto_result struct result *row = NULL;

    if (!weighing->is_locking || !rewrites(change->action))
        return true;
    quote_qualified(change->table.schema, change->table.name, &name);
    return query_run(weighing->conn, &OID, (const char *[]) { name.at }, &row, err) &&
           (result_rows(row) == 0 || settle(weighing, result_text(row, 0, 0), "", "f", err));
}

static bool weigh_change(struct weighing *weighing, const struct change *change, struct error *err)
{
    if ((change->action == ACTION_UPDATE && weighing->is_locking &&
         !loss_read_update(weighing->guard, weighing->conn, change, err)) ||
        !expect_rewrite(weighing, change, err))
        return false;
    for (size_t i = 0; i < array_length(LOSSES); i++) {
        weighing->loss = &LOSSES[i];
        if (change->action == LOSSES[i].action &&
            !(LOSSES[i].of == OF_SCHEMA ? weigh_schema : weigh)(weighing, change, err))
            return false;
    }
    weighing->guard->is_blind |= !leaves_the_rest(change->action);
    return true;
}

bool loss_weigh(struct loss_guard *guard, struct connection *conn, size_t number, bool is_locking,
                struct error *err)
{
    struct weighing weighing = { .guard = guard, .conn = conn, .is_locking = is_locking };
    auto_changes struct changes changes = { .count = 0 };

    weighing.statement = statement_of(guard->execution, number, &guard->line);
    guard->statement = weighing.statement;
    if (!is_locking && guard->is_blind)
        return true;
    if (!grammar_read(weighing.statement, &changes)) {
        guard->is_blind = true;
        return true;
    }
    for (size_t i = 0; i < changes.count; i++) {
        if (!weigh_change(&weighing, &changes.items[i], err))
            return false;
    }
    return true;
}
