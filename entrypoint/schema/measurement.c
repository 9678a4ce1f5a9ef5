#include "schema/measurement.h"

#include <string.h>

#include "sql/quote.h"

enum { TEXT_MOST = 16384, SHOWN_RELATIONS = 8 };

/* The weakest lock for which anybody waits who only reads or writes rows, or another who changes a schema. */
static const enum table_lock LOCK_NOTICED = TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE;

enum level measurement_level(const struct measurement *measurement)
{
    if (measurement->work > WORK_INSTANT)
        return measurement->held >= TABLE_LOCK_SHARE ? LEVEL_DANGEROUS : LEVEL_CAREFUL;
    return measurement->held == TABLE_LOCK_NONE ? LEVEL_SAFE : LEVEL_CAREFUL;
}

/* What the rules claim of the statement, taken together. */
struct claim {
    enum table_lock lock;
    enum work work;
    bool is_unknown;
    bool empties; /* tables get new, empty files: nothing is rewritten */
};

static struct claim claim_of(const struct prediction *prediction)
{
    struct claim claim = { .lock = TABLE_LOCK_NONE };

    for (size_t i = 0; i < prediction->count; i++) {
        const struct rule *rule = prediction->findings[i].rule;

        if (rule->lock > claim.lock)
            claim.lock = rule->lock;
        if (rule->other_lock > claim.lock)
            claim.lock = rule->other_lock;
        if (rule->work > claim.work)
            claim.work = rule->work;
        /* What is in a schema, no text says. */
        claim.is_unknown |= rule->level == LEVEL_UNKNOWN || rule->action == ACTION_DROP_SCHEMA;
        claim.empties |= rule->action == ACTION_TRUNCATE;
    }
    return claim;
}

static bool exceeds(const struct measurement *measurement, const struct claim *claim)
{
    return (measurement->lock >= LOCK_NOTICED && measurement->lock > claim->lock) ||
           measurement->work > claim->work;
}

/* Nothing that others have to wait for is safe, whatever made it seem so. */
static bool is_too_calm(const struct prediction *prediction, const struct measurement *measurement)
{
    for (size_t i = 0; i < prediction->count; i++) {
        if (prediction->findings[i].level > LEVEL_SAFE)
            return false;
    }
    return measurement_level(measurement) == LEVEL_DANGEROUS;
}

/* What only a database could tell of it. */
static void settle(struct finding *finding, const struct measurement *measurement)
{
    if (finding->rule->level == LEVEL_UNKNOWN) {
        finding->level = measurement_level(measurement);
        /* With rows, and in another database, code may do more. */
        if (finding->rule->action == ACTION_CODE && finding->level < LEVEL_CAREFUL)
            finding->level = LEVEL_CAREFUL;
    }
    if (!finding->rule->varies || finding->is_refuted)
        return;
    if (measurement->work == WORK_INSTANT) {
        finding->level = LEVEL_SAFE;
        finding->takes = (struct duration_range) { .most_ms = 0 };
    } else if (!finding->is_small)
        finding->level = LEVEL_DANGEROUS;
    else if (finding->level < LEVEL_CAREFUL)
        finding->level = LEVEL_CAREFUL;
}

void prediction_add(struct arena *arena, struct prediction *prediction, const struct rule *rule,
                    const char *seen)
{
    struct finding *findings = arena_alloc(arena, prediction->count + 1, sizeof *findings);

    if (prediction->count > 0)
        memcpy(findings, prediction->findings, prediction->count * sizeof *findings);
    findings[prediction->count++] = (struct finding) { .rule = rule, .level = rule->level, .seen = seen };
    prediction->findings = findings;
}

static const char *difference(struct arena *arena, const struct claim *claim,
                              const struct measurement *measurement)
{
    auto_text struct text text = text_init(TEXT_MOST);

    text_add_format(&text, "claimed: %s%s%s; measured: ", TABLE_LOCK_NAMES[claim->lock],
                    claim->lock == TABLE_LOCK_NONE ? "" : ", ", WORK_NAMES[claim->work]);
    measurement_add(measurement, &text);
    return arena_copy(arena, text.at, text.length);
}

void measurement_judge(struct arena *arena, struct prediction *prediction,
                       const struct measurement *measurement)
{
    struct claim claim = claim_of(prediction);

    prediction->measured = measurement;
    for (size_t i = 0; i < prediction->count; i++)
        settle(&prediction->findings[i], measurement);
    if (claim.is_unknown || claim.empties ||
        !(exceeds(measurement, &claim) || is_too_calm(prediction, measurement)))
        return;
    prediction_add(arena, prediction, &RULE_DIFFERS, difference(arena, &claim, measurement));
    prediction->findings[prediction->count - 1].level = measurement_level(measurement);
}

void measurement_add(const struct measurement *measurement, struct text *out)
{
    size_t shown = measurement->count < SHOWN_RELATIONS ? measurement->count : SHOWN_RELATIONS;

    if (shown == 0)
        text_add_string(out, "no table that was there before");
    for (size_t i = 0; i < shown; i++) {
        const struct measured_relation *relation = &measurement->relations[i];

        text_add_format(out, "%s%s on ", i == 0 ? "" : ", ",
                        relation->lock == TABLE_LOCK_NONE ? "no new lock" : TABLE_LOCK_NAMES[relation->lock]);
        quote_qualified(relation->name.schema, relation->name.name, out);
        if (relation->work > WORK_INSTANT)
            text_add_format(out, " (%s)", WORK_NAMES[relation->work]);
    }
    if (shown < measurement->count)
        text_add_format(out, " and %zu more", measurement->count - shown);
}
