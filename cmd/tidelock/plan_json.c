#include "deploy/live.h"
#include "plan.h"
#include "schema/measurement.h"

enum { TEXT_MOST = 65536 };

/* Made by the build from plan.schema.json. */
const char *const PLAN_SCHEMA[] = {
#include "plan.schema.json.h"
    NULL,
};

static void set_table(struct json *object, const char *key, const struct relation *relation)
{
    auto_text struct text name = text_init(TEXT_MOST);

    plan_add_table(relation, &name);
    json_set_text(object, key, name.length == 0 ? NULL : name.at);
}

static const char *lock_name(enum table_lock lock)
{
    return lock == TABLE_LOCK_NONE ? NULL : TABLE_LOCK_NAMES[lock];
}

/* A number of the table, or null. */
static void set_count(struct json *object, const char *key, bool is_known, int64_t count)
{
    if (is_known)
        json_set_number(object, key, count);
    else
        json_set_text(object, key, NULL);
}

static struct json *live_json(const struct finding *finding)
{
    const struct live_table *table = finding->table;
    bool is_known = table->exists && table->rows >= 0;
    struct json *object = json_new_object();

    json_set_bool(object, "exists", table->exists);
    set_count(object, "rows", is_known, table->rows);
    set_count(object, "bytes", is_known, table->bytes);
    set_count(object, "index_bytes", is_known, table->index_bytes);
    set_count(object, "indexes", table->exists, table->indexes);
    set_count(object, "partitions", table->exists, table->partitions);
    set_count(object, "scans_per_second", table->use.is_known, (int64_t)(table->use.reads + 0.5));
    set_count(object, "rows_written_per_second", table->use.is_known, (int64_t)(table->use.writes + 0.5));
    set_count(object, "takes_least_ms", finding->takes.most_ms > 0, finding->takes.least_ms);
    set_count(object, "takes_most_ms", finding->takes.most_ms > 0, finding->takes.most_ms);
    json_set_text(object, "held_by", finding->held_by);
    json_set_text(object, "note", finding->note);
    return object;
}

static struct json *finding_json(const struct planned_statement *statement, const struct finding *finding)
{
    auto_text struct text reason = text_init(TEXT_MOST);
    auto_text struct text cure = text_init(TEXT_MOST);
    const struct rule *rule = finding->rule;
    struct json *object = json_new_object();

    plan_add_reason(statement, finding, &reason);
    plan_add_cure(statement, finding, &cure);
    json_set_text(object, "rule", rule->name);
    json_set_text(object, "level", LEVEL_NAMES[finding->level]);
    json_set_bool(object, "level_is_configured", finding->is_level_set);
    set_table(object, "table", &finding->change.table);
    set_table(object, "other_table", &finding->change.other);
    json_set_text(object, "lock", lock_name(rule->lock));
    json_set_text(object, "other_lock", lock_name(rule->other_lock));
    json_set_text(object, "work", WORK_NAMES[rule->work]);
    json_set_text(object, "reason", reason.at);
    json_set_text(object, "cure", cure.length == 0 ? NULL : cure.at);
    json_set_bool(object, "old_code_may_fail", rule->breaks_old_code);
    json_set_bool(object, "can_be_undone", !rule->is_final);
    json_set_text(object, "allowed_because", finding->because);
    json_set_text(object, "rests_on", plan_depth(statement, finding));
    json_set_text(object, "seen", finding->seen);
    if (finding->is_live)
        json_set(object, "live", live_json(finding));
    else
        json_set_text(object, "live", NULL);
    return object;
}

static struct json *measured_relation_json(const struct measured_relation *relation)
{
    struct json *object = json_new_object();

    set_table(object, "table", &relation->name);
    json_set_text(object, "lock", lock_name(relation->lock));
    json_set_text(object, "work", WORK_NAMES[relation->work]);
    return object;
}

static struct json *measured_json(const struct measurement *measured)
{
    struct json *relations = json_new_array();
    struct json *object = json_new_object();
    struct json *said = json_new_array();

    for (size_t i = 0; i < measured->count; i++)
        json_append(relations, measured_relation_json(&measured->relations[i]));
    for (size_t i = 0; i < measured->said_count; i++)
        json_append_text(said, measured->said[i]);
    json_set_text(object, "lock", lock_name(measured->lock));
    json_set_text(object, "work", WORK_NAMES[measured->work]);
    json_set(object, "tables", relations);
    json_set(object, "said", said);
    return object;
}

static struct json *statement_json(const struct planned *migration, const struct prediction *prediction)
{
    const struct planned_statement statement = { .migration = migration, .prediction = prediction };
    struct slice text = statement_text(migration->forecast.script, &prediction->statement);
    auto_text struct text sql = text_init(TEXT_MOST);
    struct json *findings = json_new_array();
    struct json *object = json_new_object();

    text_add_valid(&sql, text.at, text.length < TEXT_MOST / 4 ? text.length : TEXT_MOST / 4);
    for (size_t i = 0; i < prediction->count; i++)
        json_append(findings, finding_json(&statement, &prediction->findings[i]));
    json_set_number(object, "line", (int64_t)prediction->statement.line);
    json_set_text(object, "sql", sql.at);
    json_set_text(object, "verdict", LEVEL_NAMES[prediction->level]);
    if (prediction->measured != NULL)
        json_set(object, "measured", measured_json(prediction->measured));
    else
        json_set_text(object, "measured", NULL);
    json_set(object, "findings", findings);
    return object;
}

static void set_floor(struct json *object, struct slice floor)
{
    auto_text struct text release = text_init(RELEASE_SIZE);

    text_add(&release, floor.at, floor.length);
    json_set_text(object, "floor", release.length == 0 ? NULL : release.at);
}

static struct json *migration_json(const struct planned *migration)
{
    struct json *statements = json_new_array();
    struct json *object = json_new_object();

    for (size_t i = 0; i < migration->forecast.count; i++)
        json_append(statements, statement_json(migration, &migration->forecast.predictions[i]));
    json_set_text(object, "name", migration->name);
    json_set_text(object, "file", migration->forecast.file);
    json_set_text(object, "mode", migration->mode);
    json_set_text(object, "verdict", LEVEL_NAMES[migration->forecast.level]);
    set_floor(object, migration->forecast.directives.floor);
    json_set_bool(object, "contract", migration->forecast.directives.contract.is_said);
    json_set(object, "statements", statements);
    return object;
}

static struct json *replicas_json(const struct live_replicas *replicas)
{
    struct json *object = json_new_object();

    json_set_number(object, "count", replicas->count);
    set_count(object, "bytes_behind", replicas->behind_bytes >= 0, replicas->behind_bytes);
    return object;
}

struct json *plan_json(const struct plan *plan)
{
    struct json *migrations = json_new_array();
    struct json *counts = json_new_object();
    struct json *root = json_new_object();

    for (size_t i = 0; i < plan->count; i++)
        json_append(migrations, migration_json(&plan->migrations[i]));
    for (int i = 0; i < LEVELS; i++)
        json_set_number(counts, LEVEL_NAMES[i], (int64_t)plan->levels[i]);
    json_set_text(root, "folder", plan->folder);
    json_set_text(root, "database", plan->database);
    json_set_bool(root, "rehearsed", plan->is_rehearsed);
    if (plan->database != NULL)
        json_set(root, "replicas", replicas_json(&plan->replicas));
    else
        json_set_text(root, "replicas", NULL);
    json_set_bool(root, "restore_point", plan->precautions.wants_restore_point);
    if (plan->precautions.backup_ms > 0)
        json_set_number(root, "require_backup_seconds", plan->precautions.backup_ms / 1000);
    else
        json_set_text(root, "require_backup_seconds", NULL);
    json_set_text(root, "verdict", LEVEL_NAMES[plan->level]);
    json_set(root, "counts", counts);
    json_set(root, "migrations", migrations);
    return root;
}
