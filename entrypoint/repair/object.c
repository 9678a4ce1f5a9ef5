#include "repair/object.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "repair/invalid_index.h"
#include "sql/quote.h"

/* Whether both tables ($1 the partitioned one, $2 the partition) are there, whether the one is a partition of
 * the other, half detached, and that since the intent ($3). The column came with version 14. */
static const struct query PARTITION = {
    .name = "partition",
    .parameters = 3,
    .sql =
        "SELECT t.parent IS NOT NULL AND t.child IS NOT NULL, i.inhrelid IS NOT NULL,"
        "       COALESCE((pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'inhdetachpending')::boolean,"
        " false),"
        "       COALESCE(" YOUNGER_THAN_INTENT("i.xmin", "$3::bigint") ", false)"
        "  FROM (SELECT pg_catalog.to_regclass($1), pg_catalog.to_regclass($2)) AS t (parent, child)"
        "  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) t.parent"
        " AND i.inhrelid OPERATOR(pg_catalog.=) t.child",
};

/* Each returns, for the object named $1, whether it is younger than the intent ($2), and broken. */
static const struct query OBJECTS[SUBJECT_KINDS] = {
    [SUBJECT_DATABASE] = { .name = "database",
                           .parameters = 2,
                           .sql = "SELECT " YOUNGER_THAN_INTENT(
                               "d.xmin", "$2::bigint") ", d.datconnlimit OPERATOR(pg_catalog.=) -2"
                                                       "  FROM pg_catalog.pg_database AS d"
                                                       " WHERE d.datname OPERATOR(pg_catalog.=) $1" },
    [SUBJECT_TABLESPACE] = { .name = "tablespace",
                             .parameters = 2,
                             .sql = "SELECT " YOUNGER_THAN_INTENT(
                                 "t.xmin", "$2::bigint") ", false"
                                                         "  FROM pg_catalog.pg_tablespace AS t"
                                                         " WHERE t.spcname OPERATOR(pg_catalog.=) $1" },
    [SUBJECT_SUBSCRIPTION] = { .name = "subscription",
                               .parameters = 2,
                               .sql = "SELECT " YOUNGER_THAN_INTENT(
                                   "s.xmin", "$2::bigint") ", false"
                                                           "  FROM pg_catalog.pg_subscription AS s"
                                                           "  JOIN pg_catalog.pg_database AS d"
                                                           " ON d.oid OPERATOR(pg_catalog.=) s.subdbid"
                                                           " WHERE s.subname OPERATOR(pg_catalog.=) $1"
                                                           " AND d.datname OPERATOR(pg_catalog.=) "
                                                           "pg_catalog.current_database()" },
};

static enum repair_answer refuse(const struct broken *broken, struct error *err)
{
    broken_point(broken, err);
    return REPAIR_REFUSED;
}

static void add_finalize(const struct subject *subject, struct text *out)
{
    text_add_string(out, "ALTER TABLE ");
    quote_qualified(subject->parent_schema, subject->parent, out);
    text_add_string(out, " DETACH PARTITION ");
    quote_qualified(subject->schema, subject->name, out);
    text_add_string(out, " FINALIZE");
}

static bool look(const struct broken *broken, const struct subject *subject, const struct intent *intent,
                 struct result **out, struct error *err)
{
    auto_text struct text parent = text_init(QUALIFIED_NAME_SIZE);
    auto_text struct text child = text_init(QUALIFIED_NAME_SIZE);

    quote_qualified(subject->parent_schema, subject->parent, &parent);
    quote_qualified(subject->schema, subject->name, &child);
    const char *const parameters[] = { parent.at, child.at, intent->is_known ? intent->txid : NULL };
    return query_run(broken->conn, &PARTITION, parameters, out, err);
}

static enum repair_answer finalize(const struct broken *broken, const struct subject *subject,
                                   struct error *err)
{
    auto_text struct text sql = text_init(4 * QUALIFIED_NAME_SIZE);
    struct query query = { .name = "detach_finalize" };

    add_finalize(subject, &sql);
    query.sql = sql.at;
    log_warn("completing what an interrupted run began: %s", sql.at);
    return query_run(broken->conn, &query, NULL, NULL, err) ? REPAIR_DONE : REPAIR_ERROR;
}

enum repair_answer detach_before(const struct broken *broken, const struct subject *subject,
                                 const struct intent *intent, struct error *err)
{
    auto_result struct result *result = NULL;
    auto_text struct text sql = text_init(4 * QUALIFIED_NAME_SIZE);
    bool is_partition;
    bool is_pending;

    if (!look(broken, subject, intent, &result, err))
        return REPAIR_ERROR;
    is_partition = result_bool(result, 0, 1);
    is_pending = result_bool(result, 0, 2);
    if (is_pending && result_bool(result, 0, 3))
        return finalize(broken, subject, err);
    if (is_pending) {
        add_finalize(subject, &sql);
        error_set(err, ERROR_CLEAN,
                  "the partition is already half detached, and it is not certain that this migration did it");
        error_hint(err,
                   "Complete it by hand: %s; then remove the statement from the script and deploy again.",
                   sql.at);
        return refuse(broken, err);
    }
    return intent->is_known && result_bool(result, 0, 0) && !is_partition ? REPAIR_DONE : REPAIR_RUN;
}

bool detach_after(const struct broken *broken, const struct subject *subject, const struct intent *intent,
                  struct leftover *left)
{
    auto_result struct result *result = NULL;
    auto_text struct text sql = text_init(4 * QUALIFIED_NAME_SIZE);
    struct error err;

    if (!look(broken, subject, intent, &result, &err))
        return leftover_unknown(left, intent->is_known, &err);
    if (!result_bool(result, 0, 2))
        return true;
    add_finalize(subject, &sql);
    left->is_ours = result_bool(result, 0, 3);
    text_copy_cut(left->what, sizeof left->what, "a half-detached partition");
    text_copy_cut(left->remedy, sizeof left->remedy, sql.at);
    return false;
}

enum repair_answer object_before(const struct broken *broken, const struct subject *subject,
                                 const struct intent *intent, struct error *err)
{
    auto_result struct result *result = NULL;
    const char *const parameters[] = { subject->name, intent->is_known ? intent->txid : NULL };
    bool is_found;

    if (!query_run(broken->conn, &OBJECTS[subject->kind], parameters, &result, err)) {
        if (strcmp(err->sqlstate, "42501") != 0)
            return REPAIR_ERROR;
        log_debug("could not check whether the statement was done: %s", err->message);
        return REPAIR_RUN;
    }
    is_found = result_rows(result) > 0;
    if (subject->is_drop)
        return intent->is_known && !is_found ? REPAIR_DONE : REPAIR_RUN;
    if (is_found && result_bool(result, 0, 1)) {
        error_set(err, ERROR_CLEAN,
                  "the database \"%s\" exists but is invalid: a DROP DATABASE of it was interrupted",
                  subject->name);
        error_hint(err, "Complete it by hand: DROP DATABASE \"%s\"; then deploy again.", subject->name);
        return refuse(broken, err);
    }
    return is_found && result_bool(result, 0, 0) ? REPAIR_DONE : REPAIR_RUN;
}
