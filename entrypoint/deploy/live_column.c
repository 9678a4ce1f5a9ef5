#include "deploy/live_column.h"

#include <stdlib.h>
#include <string.h>

#include "deploy/temporal.h"
#include "postgres/query.h"

enum { TEXT_MOST = 4096 };

/* A CHECK k that is exactly "column IS NOT NULL" of a: one node of the tree. */
#define IS_PROOF                                                                                             \
    " k.conrelid OPERATOR(pg_catalog.=) a.attrelid AND k.contype OPERATOR(pg_catalog.=) 'c'"                 \
    " AND k.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum] AND k.conbin::pg_catalog.text"                     \
    "     OPERATOR(pg_catalog.~) '^[{]NULLTEST :arg [{]VAR [^{}]*[}] :nulltesttype 1 '"

static const struct query COLUMN = {
    .name = "plan_column",
    .parameters = 2,
    .sql =
        "SELECT a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k"
        "   WHERE k.conrelid OPERATOR(pg_catalog.=) a.attrelid AND k.contype OPERATOR(pg_catalog.=) 'n'"
        "   AND k.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum] AND NOT k.convalidated),"
        " EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE" IS_PROOF
        " AND k.convalidated),"
        " pg_catalog.format_type(a.atttypid, a.atttypmod),"
        " EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid OPERATOR(pg_catalog.=) a.attrelid"
        "   AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)),"
        " EXISTS (SELECT FROM pg_catalog.pg_constraint AS k"
        "   WHERE k.contype OPERATOR(pg_catalog.=) ANY ('{c,f,x}'::pg_catalog.\"char\"[])"
        "   AND (k.conrelid OPERATOR(pg_catalog.=) a.attrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)"
        "    OR k.confrelid OPERATOR(pg_catalog.=) a.attrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.confkey))),"
        " (SELECT pg_catalog.min(k.conname::pg_catalog.text) FROM pg_catalog.pg_constraint AS k"
        "   WHERE" IS_PROOF
        " AND NOT k.convalidated)"
        " FROM pg_catalog.pg_attribute AS a"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2 AND NOT a.attisdropped",
};

/* What the type of a column cannot be changed under: a view or another rule, a trigger, a policy, a function,
 * the condition of a publication. A view is a rule, and known by its own name. */
static const struct query USER = {
    .name = "plan_column_user",
    .parameters = 2,
    .sql =
        "SELECT CASE WHEN w.oid IS NULL THEN pg_catalog.pg_describe_object(d.classid, d.objid, 0)"
        "  ELSE pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, w.ev_class, 0) END"
        "  FROM pg_catalog.pg_attribute AS a"
        "  JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=)"
        "       'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) a.attrelid"
        "   AND d.refobjsubid OPERATOR(pg_catalog.=) a.attnum::pg_catalog.int4"
        "   AND d.classid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.pg_rewrite'::pg_catalog.regclass,"
        "       'pg_catalog.pg_trigger'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass,"
        "       'pg_catalog.pg_proc'::pg_catalog.regclass,"
        "       'pg_catalog.pg_publication_rel'::pg_catalog.regclass]::pg_catalog.oid[])"
        "  LEFT JOIN pg_catalog.pg_rewrite AS w ON d.classid OPERATOR(pg_catalog.=)"
        "       'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid OPERATOR(pg_catalog.=) d.objid"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2 AND NOT a.attisdropped"
        " ORDER BY w.oid IS NULL, d.objid LIMIT 1",
};

/* Of whatever schema: with several of a name, the worst counts. */
static const struct query FUNCTION = {
    .name = "plan_function",
    .parameters = 1,
    .sql =
        "SELECT pg_catalog.bool_or(p.provolatile OPERATOR(pg_catalog.=) 'v') FROM pg_catalog.pg_proc AS p"
        " WHERE p.proname::pg_catalog.text OPERATOR(pg_catalog.=) $1",
};

static const struct query TYPE = {
    .name = "plan_type",
    .parameters = 1,
    .sql =
        "SELECT pg_catalog.bool_or(t.typtype OPERATOR(pg_catalog.=) 'd') FROM pg_catalog.pg_type AS t"
        " WHERE t.typname::pg_catalog.text OPERATOR(pg_catalog.=) $1",
};

static const struct query CONSTRAINT = {
    .name = "plan_constraint",
    .parameters = 2,
    .sql =
        "SELECT k.contype FROM pg_catalog.pg_constraint AS k"
        " WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND k.conname::pg_catalog.text OPERATOR(pg_catalog.=) $2",
};

/* "character varying(20)" as its family, and the numbers behind it; -1 = no limit. */
struct measured_type {
    const char *family;
    long most;
    long scale;
};

static struct measured_type measured_of(const char *type)
{
    static const struct {
        const char *spelling;
        const char *family;
    } families[] = {
        { "character varying", "text" }, { "varchar", "text" },    { "text", "text" },
        { "numeric", "numeric" },        { "decimal", "numeric" }, { "bit varying", "varbit" },
        { "varbit", "varbit" },
    };
    struct measured_type measured = { .family = NULL, .most = -1, .scale = 0 };

    for (size_t i = 0; i < array_length(families); i++) {
        size_t length = strlen(families[i].spelling);
        const char *rest = type + length;
        char *end;

        if (strncasecmp(type, families[i].spelling, length) != 0)
            continue;
        rest += strspn(rest, " ");
        if (*rest != '(' && *rest != '\0')
            continue;
        measured.family = families[i].family;
        if (*rest == '(') {
            measured.most = strtol(rest + 1, &end, 10);
            end += strspn(end, " ");
            measured.scale = *end == ',' ? strtol(end + 1, &end, 10) : 0;
            if (end[strspn(end, " ")] != ')' || end[strspn(end, " ") + 1] != '\0')
                measured.family = NULL;
        }
        return measured;
    }
    return measured;
}

bool type_only_widens(const char *now, const char *then)
{
    struct measured_type before = measured_of(now);
    struct measured_type after = measured_of(then);

    if (temporal_only_widens(now, then))
        return true;
    if (before.family == NULL || after.family == NULL || strcmp(before.family, after.family) != 0)
        return false;
    if (after.most < 0)
        return true;
    return before.most >= 0 && after.most >= before.most && after.scale == before.scale;
}

static void settle(struct finding *finding, enum level level, const char *note)
{
    if (!finding->is_level_set || level < finding->level)
        finding->level = level;
    finding->note = note;
}

static void judge_type(struct arena *arena, struct finding *finding, const char *now, bool is_watched)
{
    auto_text struct text note = text_init(TEXT_MOST);

    if (type_only_widens(now, finding->change.word) && !is_watched) {
        settle(finding, LEVEL_SAFE, NULL);
        text_add_format(&note, "it is %s now, and the new type only allows more: nothing is read", now);
    } else
        text_add_format(&note, "it is %s now", now);
    finding->note = arena_copy(arena, note.at, note.length);
}

/* Whether a pending statement before this one validates it. */
static bool is_validated(const struct live *live, const struct relation *table, const char *constraint)
{
    for (size_t i = 0; i < live->validated_count; i++) {
        if (relation_is_same(&live->validated[i].table, table) &&
            strcmp(live->validated[i].constraint, constraint) == 0)
            return live->validated[i].is_valid;
    }
    return false;
}

static void note_constraint(struct live *live, const struct change *change)
{
    struct proof *proof;

    for (size_t i = 0; i < live->validated_count; i++) {
        proof = &live->validated[i];
        if (relation_is_same(&proof->table, &change->table) && strcmp(proof->constraint, change->object) == 0)
            proof->is_valid = change->action == ACTION_VALIDATE_CONSTRAINT;
    }
    if (change->action != ACTION_VALIDATE_CONSTRAINT)
        return;
    live->validated = arena_grow(live->arena, live->validated, live->validated_count,
                                 &live->validated_capacity, sizeof *live->validated);
    proof = &live->validated[live->validated_count++];
    *proof = (struct proof) { .table = change->table, .is_valid = true };
    memcpy(proof->constraint, change->object, sizeof proof->constraint);
}

static void judge_column(struct live *live, const struct result *rows, struct finding *finding)
{
    if (finding->change.action == ACTION_COLUMN_TYPE)
        judge_type(live->arena, finding, result_text(rows, 0, 2),
                   result_bool(rows, 0, 3) || result_bool(rows, 0, 4));
    else if (result_bool(rows, 0, 0))
        settle(finding, LEVEL_SAFE, "the column is NOT NULL already");
    else if (result_bool(rows, 0, 1))
        settle(finding, LEVEL_SAFE, "a valid CHECK proves it: nothing is scanned");
    else if (is_validated(live, &finding->change.table, result_text(rows, 0, 5)))
        settle(finding, LEVEL_SAFE, "a CHECK that is validated before proves it: nothing is scanned");
    else
        finding->note = "no valid CHECK proves it";
}

static void judge_word(const struct result *rows, struct finding *finding)
{
    bool is_function = (finding->rule->with & TRAIT_OWN_FUNCTION) != 0;

    if (result_is_null(rows, 0, 0))
        return;
    if (result_bool(rows, 0, 0))
        settle(finding, LEVEL_DANGEROUS, is_function ? "it is volatile" : "it is a domain");
    else
        settle(finding, LEVEL_SAFE,
               is_function ? "it is not volatile: nothing is rewritten"
                           : "it is no domain: nothing is rewritten");
}

static void judge_constraint(const struct result *rows, struct finding *finding)
{
    const char *kind = result_text(rows, 0, 0);

    if (kind[0] == 'c')
        settle(finding, LEVEL_SAFE, "it is a CHECK: only the catalog changes");
    else if (kind[0] == 'f')
        finding->note = "it is a foreign key";
}

/* Which question a finding needs; NULL = none. */
static const struct query *question_of(const struct finding *finding)
{
    const struct rule *rule = finding->rule;

    if (rule->action == ACTION_ADD_COLUMN && (rule->with & TRAIT_OWN_FUNCTION) != 0)
        return &FUNCTION;
    if (rule->action == ACTION_ADD_COLUMN && (rule->with & TRAIT_OWN_TYPE) != 0)
        return &TYPE;
    if (rule->action == ACTION_DROP_CONSTRAINT)
        return &CONSTRAINT;
    if (rule->action == ACTION_SET_NOT_NULL ||
        (rule->action == ACTION_COLUMN_TYPE && (rule->without & TRAIT_USING) != 0))
        return &COLUMN;
    return NULL;
}

/* What used it may be gone by then. */
static bool look_for_user(struct live *live, struct finding *finding, struct error *err)
{
    auto_text struct text note = text_init(TEXT_MOST);
    auto_result struct result *rows = NULL;

    if (!live_ask(live, &USER, (const char *[]) { finding->table->oid, finding->change.object }, &rows, err))
        return false;
    if (result_rows(rows) == 0)
        return true;
    text_add_format(&note, "%s uses the column now%s", result_text(rows, 0, 0),
                    live->may_have_dropped ? "" : ", so it would fail");
    live_add_note(live, finding, note.at);
    if (!live->may_have_dropped) {
        finding->level = LEVEL_DANGEROUS;
        finding->is_refuted = true;
    }
    return true;
}

static bool ask(struct live *live, struct finding *finding, struct error *err)
{
    const struct query *question = question_of(finding);
    auto_result struct result *rows = NULL;
    bool is_of_table = question == &COLUMN || question == &CONSTRAINT;

    if (finding->rule->action == ACTION_VALIDATE_CONSTRAINT ||
        finding->rule->action == ACTION_DROP_CONSTRAINT)
        note_constraint(live, &finding->change);
    if (question == NULL)
        return true;
    if (!live_ask(live, question,
                  is_of_table ? (const char *[]) { finding->table->oid, finding->change.object }
                              : (const char *[]) { finding->change.word },
                  &rows, err))
        return false;
    if (result_rows(rows) == 0)
        return true;
    if (question == &COLUMN && finding->table->partitions > 0)
        finding->note = "what is true of it need not be true of its partitions or children";
    else if (question == &COLUMN)
        judge_column(live, rows, finding);
    else if (question == &CONSTRAINT)
        judge_constraint(rows, finding);
    else
        judge_word(rows, finding);
    return true;
}

bool live_refine(struct live *live, struct finding *finding, struct error *err)
{
    return ask(live, finding, err) &&
           (finding->rule->action != ACTION_COLUMN_TYPE || look_for_user(live, finding, err));
}
