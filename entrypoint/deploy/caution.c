#include "deploy/caution.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "deploy/live.h"
#include "deploy/live_column.h"
#include "history/script_file.h"
#include "history/shared_folder.h"
#include "postgres/aside.h"
#include "postgres/query.h"
#include "schema/forecast.h"

/* Without --refuse, what is judged must not cost a deployment much memory: so many bytes of scripts. */
enum { LINE_MOST = 1024, NAME_MOST = 1024, JUDGED_MOST = 512 * 1024 };

/* The pending migrations while they are judged. */
struct outlook {
    struct deployment *d;
    struct arena *arena; /* of all but the wishes */
    struct forecasts forecasts;
    struct live live;
    enum level threshold; /* from which level on a statement counts */
    size_t count;         /* of those */
    size_t judged;        /* bytes of scripts */
    struct danger {
        const struct migration *migration;
        const struct forecast *forecast;
        const struct prediction *prediction;
        const struct finding *finding;
    } worst;
    struct text list; /* of the first ones */
};

static bool is_table_there(const struct finding *finding)
{
    return !finding->is_live || finding->table->exists;
}

/* What counts of a statement: nobody can be disturbed who uses a table that is not there. */
static const struct finding *worst_of(const struct prediction *prediction)
{
    const struct finding *worst = NULL;

    for (size_t i = 0; i < prediction->count; i++) {
        const struct finding *finding = &prediction->findings[i];

        if (finding->because == NULL && is_table_there(finding) &&
            (worst == NULL || finding->level > worst->level))
            worst = finding;
    }
    return worst;
}

static bool is_worse(const struct finding *one, const struct finding *other)
{
    if (other == NULL || one->level != other->level)
        return other == NULL || one->level > other->level;
    if (one->rule->work != other->rule->work)
        return one->rule->work > other->rule->work;
    return one->rule->lock > other->rule->lock;
}

/* "20260105_orders:12: create-index: nobody can write to the table while the index is built" */
static void add_danger(const struct danger *danger, struct text *out)
{
    struct slice text = statement_text(danger->forecast->script, &danger->prediction->statement);

    text_add_shown_line(out, danger->migration->name);
    text_add_format(out, ":%zu: %s: ", danger->prediction->statement.line, danger->finding->rule->name);
    effect_add_filled(danger->finding->rule->reason, &danger->finding->change, text, out);
}

static void count_danger(struct outlook *outlook, const struct danger *danger)
{
    if (danger->finding == NULL || danger->finding->level < outlook->threshold)
        return;
    outlook->count++;
    if (is_worse(danger->finding, outlook->worst.finding))
        outlook->worst = *danger;
    text_add_string(&outlook->list, outlook->count == 1 ? "" : "; ");
    add_danger(danger, &outlook->list);
}

static const char *copy_name(struct outlook *outlook, const struct relation *relation)
{
    auto_text struct text name = text_init(NAME_MOST);

    live_add_name(outlook->live.ledger, relation, &name);
    return arena_copy(outlook->d->look, name.at, name.length);
}

static void add_wish(struct outlook *outlook, struct lock_wishes *wishes, const struct lock_wish *wish)
{
    struct lock_wish *items = (struct lock_wish *)wishes->items;

    items = arena_grow(outlook->d->look, items, wishes->count, &wishes->capacity, sizeof *items);
    items[wishes->count++] = *wish;
    wishes->items = items;
}

/* A weaker lock than these keeps nobody from reading and writing. */
static bool is_strong(enum table_lock lock)
{
    return lock >= TABLE_LOCK_SHARE;
}

/* Of foreign keys that are dropped, the statement does not say what they reference. */
static void note_wishes(struct outlook *outlook, size_t number, const struct finding *finding,
                        struct lock_wishes *wishes)
{
    const struct rule *rule = finding->rule;
    const struct change *change = &finding->change;
    struct lock_wish wish = { .statement = number };

    if (!finding->is_live || !finding->table->exists)
        return;
    wishes->is_long |= rule->work > WORK_INSTANT;
    if (is_strong(rule->lock)) {
        wish.relation = copy_name(outlook, &change->table);
        wish.mode = TABLE_LOCK_NAMES[rule->lock];
        if (is_strong(rule->other_lock) && change->other.name[0] == '\0')
            wish.foreign_key = arena_copy(outlook->d->look, change->object, strlen(change->object));
        add_wish(outlook, wishes, &wish);
    }
    if (is_strong(rule->other_lock) && change->other.name[0] != '\0') {
        wish = (struct lock_wish) { .statement = number,
                                    .relation = copy_name(outlook, &change->other),
                                    .mode = TABLE_LOCK_NAMES[rule->other_lock] };
        add_wish(outlook, wishes, &wish);
    }
}

/* Statements that an earlier run has done are no longer in danger. */
static size_t done_of(const struct history_item *item)
{
    return item->row == NULL ? 0 : (size_t)item->row->steps;
}

static void weigh(struct outlook *outlook, size_t index, const struct forecast *forecast)
{
    struct lock_wishes *wishes = &outlook->d->wishes[index];

    wishes->is_known = true;
    for (size_t i = done_of(&outlook->d->history.items[index]); i < forecast->count; i++) {
        const struct prediction *prediction = &forecast->predictions[i];
        const struct danger danger = { .migration = deployment_script_of(outlook->d, index),
                                       .forecast = forecast,
                                       .prediction = prediction,
                                       .finding = worst_of(prediction) };

        count_danger(outlook, &danger);
        for (size_t j = 0; j < prediction->count; j++)
            note_wishes(outlook, i, &prediction->findings[j], wishes);
    }
}

/* By its text; NULL in *out where there is too much of it. */
static bool foresee(struct outlook *outlook, size_t index, struct forecast **out, struct error *err)
{
    const struct migration *migration = deployment_script_of(outlook->d, index);
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;
    struct slice script;

    if (!migration_read(outlook->d->folder->dialect, migration, &bytes, err) ||
        !migration_prepare(outlook->d->folder, migration, &bytes, &wishes, err))
        return false;
    outlook->judged += bytes.length;
    if (outlook->judged > JUDGED_MOST && outlook->d->config->refuse == FAIL_ON_NOTHING)
        return true;
    script = script_without_bom(text_slice(&bytes));
    script.at = arena_copy(outlook->arena, script.at, script.length);
    *out = arena_alloc(outlook->arena, 1, sizeof **out);
    if (!forecast_read(&outlook->forecasts, migration->script_path, script, *out, err))
        return false;
    live_expect(&outlook->live, *out);
    return true;
}

static bool judge_all(struct outlook *outlook, struct error *err)
{
    struct deployment *d = outlook->d;
    struct forecast **forecasts = arena_alloc(outlook->arena, d->folder->count, sizeof *forecasts);

    d->wishes = arena_alloc(d->look, d->folder->count, sizeof *d->wishes);
    for (size_t i = 0; i < d->folder->count; i++) {
        if (deployment_is_due(d, i) && !foresee(outlook, i, &forecasts[i], err))
            return false;
    }
    for (size_t i = 0; i < d->folder->count; i++) {
        if (forecasts[i] == NULL)
            continue;
        if (!live_look(&outlook->live, forecasts[i], err))
            return false;
        weigh(outlook, i, forecasts[i]);
    }
    return true;
}

/* The statement and the safe way, the rest in a line each. */
static bool refuse(const struct outlook *outlook, struct error *err)
{
    const struct danger *worst = &outlook->worst;
    const struct change *change = &worst->finding->change;
    struct slice text = statement_text(worst->forecast->script, &worst->prediction->statement);
    auto_text struct text hint = text_init(sizeof err->hint);
    auto_text struct text holds = text_init(sizeof err->holds);

    error_set(err, ERROR_REFUSED, "%zu pending statement%s %s %s%s, and --refuse forbids that",
              outlook->count, text_plural(outlook->count), outlook->count == 1 ? "is" : "are",
              LEVEL_NAMES[outlook->threshold], worst->finding->level > outlook->threshold ? " or worse" : "");
    error_cause(err, CAUSE_DANGER);
    deployment_add_applied(outlook->d, &holds);
    error_holds(err, "%s", outlook->d->report->applied_count == 0 ? "Nothing was changed." : holds.at);
    error_point(err, worst->migration->script_path, worst->forecast->script.at,
                worst->forecast->script.length, worst->prediction->statement.start);
    error_detail(err, "%s", outlook->list.at);
    if (worst->finding->rule->cure != NULL) {
        text_add_string(&hint, "Safe way: ");
        effect_add_filled(worst->finding->rule->cure, change, text, &hint);
        text_add_string(&hint, hint.at[hint.length - 1] == '.' ? " " : ". ");
    }
    text_add_format(
        &hint,
        "If it is to run all the same, write before it: -- tidelock: allow %s because REASON. For "
        "all of them, and how: tidelock plan -v",
        worst->finding->rule->name);
    return error_hint(err, "%s", hint.at);
}

static void warn(const struct outlook *outlook)
{
    auto_text struct text worst = text_init(LINE_MOST);
    auto_text struct text said = text_init(2 * LINE_MOST);

    /* Of an inverse, what it would lose is refused, and a dry run shows the rest. */
    if (outlook->count == 0 || outlook->d->is_warned || outlook->d->back != NULL)
        return;
    outlook->d->is_warned = true;
    add_danger(&outlook->worst, &worst);
    text_add_format(&said,
                    "%zu pending statement%s %s dangerous while the database is in use%s: %s; the safe way: "
                    "tidelock plan -v",
                    outlook->count, text_plural(outlook->count), outlook->count == 1 ? "is" : "are",
                    outlook->count == 1 ? "" : ", worst", worst.at);
    if (shared_is_new(outlook->d->config->shared_folder, said.at))
        log_warn("%s", said.at);
    else
        log_debug("%s", said.at);
}

static bool find_empty(struct outlook *outlook, bool *is_empty, struct error *err)
{
    const struct ledger *ledger = &outlook->d->ledger;
    const char *parameters[3];
    const struct batch_item question = ledger_empty_item(ledger, parameters);
    auto_result struct result *row = NULL;

    *is_empty = !ledger->exists || ledger->beginning.is_done;
    if (*is_empty || ledger->count > 0)
        return true;
    if (!live_ask(&outlook->live, question.query, question.parameters, &row, err))
        return false;
    *is_empty = result_bool(row, 0, 0);
    return true;
}

static bool look(struct outlook *outlook, struct error *err)
{
    return find_empty(outlook, &outlook->d->is_unused, err) &&
           (outlook->d->is_unused || judge_all(outlook, err));
}

/* What cannot be looked up only matters to who asked to be refused. */
static bool take(struct outlook *outlook, struct error *err)
{
    struct deployment *d = outlook->d;
    bool is_refusing = d->config->refuse != FAIL_ON_NOTHING;

    if (!look(outlook, err)) {
        log_debug("could not look at what is pending: %s", err->message);
        return !is_refusing && !connection_is_lost(d->conn);
    }
    if (is_refusing && outlook->count > 0)
        return refuse(outlook, err);
    warn(outlook);
    return true;
}

bool caution_take(struct deployment *d, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct outlook outlook = { .d = d,
                               .arena = arena,
                               .forecasts = { .arena = arena,
                                              .levels = &d->levels,
                                              .server_version = connection_server_version(d->conn) },
                               .live = { .arena = arena,
                                         .conn = d->conn,
                                         .is_aside = !connection_is_in_transaction(d->conn),
                                         .ledger = &d->ledger,
                                         .is_brief = true },
                               .threshold =
                                   d->config->refuse == FAIL_ON_CAREFUL ? LEVEL_CAREFUL : LEVEL_DANGEROUS,
                               .list = text_init(LINE_MOST) };
    bool may_begin = take(&outlook, err);

    text_clear(&outlook.list);
    return may_begin;
}
