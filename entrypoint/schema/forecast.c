#include "schema/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "sql/allow.h"

enum { FINDINGS_MOST = 64 };

/* Names that a script has made known. */
struct named {
    struct relation *items;
    size_t count;
    size_t capacity;
};

/* A script while it is read. */
struct forecasting {
    struct forecasts *shared;
    struct forecast *out;
    struct changes changes;
    int major;                /* of the server */
    struct named created;     /* tables of the script's own */
    struct named locked;      /* that the transaction holds locked for who writes, at least */
    struct named unvalidated; /* tables to which it has added a constraint NOT VALID */
    bool is_each_alone;       /* every statement is a transaction of its own */
    bool is_in_block;         /* … of several, which the script has begun */
    bool is_backfill;         /* its UPDATE is many transactions */
    bool has_view;            /* it has made one, which may be of a table of its own */
    struct finding findings[FINDINGS_MOST];
    size_t count;
};

/* What is asked for was mostly named a moment ago. */
static bool is_named(const struct named *named, const struct relation *relation)
{
    for (size_t i = named->count; i-- > 0;) {
        if (relation_is_same(&named->items[i], relation))
            return true;
    }
    return false;
}

static void note(struct named *named, const struct relation *relation)
{
    if (relation->name[0] == '\0' || is_named(named, relation))
        return;
    named->items = memory_grow(named->items, named->count, &named->capacity, sizeof *named->items);
    named->items[named->count++] = *relation;
}

static bool is_known_type(const struct forecasts *shared, const char *name)
{
    for (size_t i = 0; i < shared->count; i++) {
        if (strcmp(shared->types[i].name, name) == 0)
            return true;
    }
    return false;
}

static void remember_type(struct forecasts *shared, const struct relation *type)
{
    shared->types =
        arena_grow(shared->arena, shared->types, shared->count, &shared->capacity, sizeof *shared->types);
    shared->types[shared->count++] = *type;
}

static bool is_proven(const struct forecasts *shared, const struct change *change)
{
    for (size_t i = 0; i < shared->proof_count; i++) {
        const struct proof *proof = &shared->proofs[i];

        if (proof->is_valid && relation_is_same(&proof->table, &change->table) &&
            strcmp(proof->column, change->object) == 0)
            return true;
    }
    return false;
}

static void remember_proof(struct forecasts *shared, const struct change *change)
{
    struct proof *proof;

    shared->proofs = arena_grow(shared->arena, shared->proofs, shared->proof_count, &shared->proof_capacity,
                                sizeof *shared->proofs);
    proof = &shared->proofs[shared->proof_count++];
    *proof = (struct proof) { .table = change->table, .is_valid = (change->traits & TRAIT_NOT_VALID) == 0 };
    memcpy(proof->constraint, change->object, sizeof proof->constraint);
    memcpy(proof->column, change->word, sizeof proof->column);
}

/* Whatever gives another meaning to names ends what was proven of the table. */
static void learn_proof(struct forecasts *shared, const struct change *change)
{
    bool is_validated = change->action == ACTION_VALIDATE_CONSTRAINT;
    bool is_dropped = change->action == ACTION_DROP_CONSTRAINT;
    bool is_renamed = change->action == ACTION_RENAME_COLUMN || change->action == ACTION_DROP_COLUMN ||
                      change->action == ACTION_RENAME_TABLE || change->action == ACTION_DROP_TABLE ||
                      change->action == ACTION_RENAME_CONSTRAINT;

    if (change->action == ACTION_ADD_CHECK && change->word[0] != '\0')
        remember_proof(shared, change);
    for (size_t i = 0; i < shared->proof_count && (is_validated || is_dropped || is_renamed); i++) {
        struct proof *proof = &shared->proofs[i];

        if (!relation_is_same(&proof->table, &change->table))
            continue;
        if (is_renamed || (is_dropped && strcmp(proof->constraint, change->object) == 0))
            *proof = (struct proof) { .is_valid = false };
        else if (is_validated && strcmp(proof->constraint, change->object) == 0)
            proof->is_valid = true;
    }
}

static void add_finding(struct forecasting *f, const struct rule *rule, const struct change *change)
{
    struct finding *finding = &f->findings[f->count];

    if (f->count == FINDINGS_MOST)
        return;
    f->count++;
    *finding = (struct finding) { .rule = rule, .change = *change, .level = rule->level };
    finding->is_level_set = rule_levels_find(f->shared->levels, rule, &finding->level);
}

/* The referenced table of a foreign key whose own table is new: only that one has users. */
static bool add_reference_of_new(struct forecasting *f, const struct change *change)
{
    struct change turned = *change;

    if (change->action != ACTION_ADD_FOREIGN_KEY || is_named(&f->created, &change->other))
        return false;
    turned.table = change->other;
    turned.other = change->table;
    add_finding(f, effect_named("create-table-foreign-key"), &turned);
    return true;
}

/* Whether it goes through rows, and not only through those that it lists. */
static bool is_going_through_rows(const struct change *change)
{
    if (change->action == ACTION_INSERT)
        return (change->traits & TRAIT_FROM_QUERY) != 0;
    return change->action == ACTION_UPDATE || change->action == ACTION_DELETE ||
           change->action == ACTION_MERGE || change->action == ACTION_CREATE_TABLE_AS;
}

/* What only the statements before it make dangerous. */
static void judge_context(struct forecasting *f, const struct change *change)
{
    struct change further = *change;

    if (change->action == ACTION_VALIDATE_CONSTRAINT && is_named(&f->unvalidated, &change->table))
        add_finding(f, &RULE_VALIDATED_TOO_SOON, change);
    if (is_going_through_rows(change) && f->locked.count > 0) {
        further.table = f->locked.items[0];
        further.other = change->table;
        add_finding(f, &RULE_ROWS_UNDER_LOCK, &further);
    }
    if (change->action == ACTION_QUERY && f->locked.count > 0 && (change->traits & TRAIT_FROM_QUERY) != 0) {
        further.other = f->locked.items[0];
        add_finding(f, &RULE_QUERY_UNDER_LOCK, &further);
    }
}

/* Whatever is done to it, nobody notices. But a type that a view shows cannot be changed. */
static bool is_of_new(const struct forecasting *f, const struct change *change)
{
    if (change->action == ACTION_CREATE_TABLE_REFERENCES && relation_is_same(&change->table, &change->other))
        return true;
    return is_named(&f->created, &change->table) && !(change->action == ACTION_COLUMN_TYPE && f->has_view);
}

static void judge(struct forecasting *f, struct change *change)
{
    const struct rule *found[RULES_OF_CHANGE_MOST];
    size_t count;

    if ((change->traits & TRAIT_OWN_TYPE) != 0 && is_known_type(f->shared, change->word))
        change->traits &= ~(unsigned)TRAIT_OWN_TYPE;
    if (is_of_new(f, change)) {
        if (!add_reference_of_new(f, change))
            add_finding(f, &RULE_NEW_TABLE, change);
        judge_context(f, change); /* its rows come from elsewhere */
        return;
    }
    if (f->is_backfill && change->action == ACTION_UPDATE)
        add_finding(f, &RULE_BACKFILL, change);
    else if (change->action == ACTION_SET_NOT_NULL && is_proven(f->shared, change))
        add_finding(f, &RULE_NOT_NULL_PROVEN, change);
    else {
        count = effect_find(change, f->major, found);
        for (size_t i = 0; i < count; i++)
            add_finding(f, found[i], change);
    }
    judge_context(f, change);
}

/* Others cannot even write there, for as long as the transaction lasts. */
static void note_locked(struct forecasting *f, const struct finding *finding)
{
    if (finding->rule->lock >= TABLE_LOCK_SHARE && !is_named(&f->created, &finding->change.table))
        note(&f->locked, &finding->change.table);
    if (finding->rule->other_lock >= TABLE_LOCK_SHARE && !is_named(&f->created, &finding->change.other))
        note(&f->locked, &finding->change.other);
}

/* What the statements after this one have to know of it. */
static void learn(struct forecasting *f, const struct change *change)
{
    if ((change->action == ACTION_CREATE_TABLE || change->action == ACTION_CREATE_TABLE_AS) &&
        (change->traits & TRAIT_IF_NOT_EXISTS) == 0)
        note(&f->created, &change->table);
    if (change->action == ACTION_CREATE_PARTITION && (change->traits & TRAIT_IF_NOT_EXISTS) == 0)
        note(&f->created, &change->other);
    if (change->action == ACTION_CREATE_TYPE)
        remember_type(f->shared, &change->other);
    f->has_view |= change->action == ACTION_CREATE_VIEW;
    learn_proof(f->shared, change);
    if (change->action == ACTION_TRANSACTION || f->is_each_alone) {
        f->locked.count = 0;
        f->unvalidated.count = 0;
        return;
    }
    if ((change->traits & TRAIT_NOT_VALID) != 0 && !is_named(&f->created, &change->table))
        note(&f->unvalidated, &change->table);
    for (size_t i = 0; i < f->count; i++)
        note_locked(f, &f->findings[i]);
}

/* Applies "allow" from the comments before a statement; one that fits nothing is a finding. */
static void apply_allowances(struct forecasting *f, struct slice comments)
{
    size_t judged = f->count;
    struct allowance allowance;
    size_t offset = 0;

    while (allow_next(comments, &offset, &allowance)) {
        struct change unused = { .action = ACTION_UNKNOWN };
        bool is_used = false;

        for (size_t i = 0; i < judged; i++) {
            if (!slice_equals(allowance.rule, f->findings[i].rule->name))
                continue;
            f->findings[i].because =
                arena_copy(f->shared->arena, allowance.because.at, allowance.because.length);
            is_used = true;
        }
        if (is_used)
            continue;
        text_copy_cut(unused.word, sizeof unused.word,
                      arena_copy(f->shared->arena, allowance.rule.at, allowance.rule.length));
        add_finding(f, &RULE_UNUSED_ALLOW, &unused);
    }
}

static enum level level_that_counts(const struct finding *finding)
{
    return finding->because != NULL ? LEVEL_SAFE : finding->level;
}

/* The worst first, otherwise in the order of the statement. */
static void sort(struct finding *findings, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct finding moved = findings[i];
        size_t at = i;

        for (; at > 0 && level_that_counts(&findings[at - 1]) < level_that_counts(&moved); at--)
            findings[at] = findings[at - 1];
        findings[at] = moved;
    }
}

void prediction_settle(struct prediction *prediction)
{
    sort(prediction->findings, prediction->count);
    prediction->level = level_that_counts(&prediction->findings[0]);
}

void forecast_settle(struct forecast *forecast)
{
    forecast->level = LEVEL_SAFE;
    for (size_t i = 0; i < forecast->count; i++) {
        prediction_settle(&forecast->predictions[i]);
        if (forecast->predictions[i].level > forecast->level)
            forecast->level = forecast->predictions[i].level;
    }
}

static void read_changes(struct forecasting *f, struct slice text)
{
    struct change unknown = { .action = ACTION_UNKNOWN };

    if (!grammar_read(text, &f->changes)) {
        add_finding(f, &RULE_NOT_UNDERSTOOD, &unknown);
        return;
    }
    for (size_t i = 0; i < f->changes.count; i++)
        judge(f, &f->changes.items[i]);
    for (size_t i = 0; i < f->changes.count; i++)
        learn(f, &f->changes.items[i]);
}

/* What the server refuses where it stands. */
static void judge_place(struct forecasting *f, const struct statement *statement)
{
    struct change refused = { .action = ACTION_UNKNOWN };

    if (statement->kind == KIND_NONTRANSACTIONAL && f->is_in_block)
        add_finding(f, &RULE_IN_TRANSACTION, &refused);
    if (statement->kind == KIND_BEGIN)
        f->is_in_block = true;
    else if (statement->kind == KIND_COMMIT || statement->kind == KIND_ROLLBACK)
        f->is_in_block = false;
}

static void predict(struct forecasting *f, const struct statement *statement, size_t previous_end,
                    bool is_last, struct prediction *out)
{
    struct slice script = f->out->script;
    size_t comments_end = is_last ? script.length : statement->start;

    f->count = 0;
    read_changes(f, statement_text(script, statement));
    judge_place(f, statement);
    apply_allowances(
        f, (struct slice) { .at = script.at + previous_end, .length = statement->start - previous_end });
    if (is_last)
        apply_allowances(
            f, (struct slice) { .at = script.at + statement->end, .length = comments_end - statement->end });
    *out = (struct prediction) { .statement = *statement, .count = f->count };
    out->findings = arena_alloc(f->shared->arena, f->count, sizeof *out->findings);
    memcpy(out->findings, f->findings, f->count * sizeof *out->findings);
}

bool forecast_read(struct forecasts *shared, const char *file, struct slice script, struct forecast *out,
                   struct error *err)
{
    int version = shared->server_version == 0 ? NEWEST_SERVER : shared->server_version;
    struct script_reader reader = script_reader_of(file, script, version, true);
    auto_free struct forecasting *f = memory_new(1, sizeof *f);
    struct statement statement;
    enum script_answer answer;
    size_t end = 0;

    *out = (struct forecast) { .file = file, .script = script };
    if (!script_summarize(reader, &out->summary, err) ||
        !directive_parse(file, script, &out->directives, err))
        return false;
    out->predictions = arena_alloc(shared->arena, out->summary.statements, sizeof *out->predictions);
    *f = (struct forecasting) { .shared = shared, .out = out, .major = shared->server_version / 10000 };
    f->is_backfill = out->directives.backfill.is_said;
    f->is_each_alone = out->directives.transaction == TRANSACTION_OFF ||
                       (out->summary.nontransactional > 0 && out->summary.begins == 0);
    while ((answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT) {
        bool is_last = out->count + 1 == out->summary.statements;

        predict(f, &statement, end, is_last, &out->predictions[out->count++]);
        end = statement.end;
    }
    changes_clear(&f->changes);
    memory_free(f->created.items);
    memory_free(f->locked.items);
    memory_free(f->unvalidated.items);
    if (answer == SCRIPT_END)
        forecast_settle(out);
    return answer == SCRIPT_END;
}
