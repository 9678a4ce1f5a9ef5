#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "deploy/live.h"
#include "plan.h"
#include "print.h"
#include "print_precautions.h"
#include "schema/measurement.h"
#include "sql/quote.h"

enum { LINE_MOST = 16384, PLACE_MOST = 1024, SHOWN_SQL = 120, DURATION_SIZE = 32, SHORT_MS = 100 };

void plan_add_table(const struct relation *relation, struct text *out)
{
    if (relation->name[0] != '\0')
        quote_qualified(relation->schema, relation->name, out);
}

static void add_filled(const char *template, const struct planned_statement *statement,
                       const struct finding *finding, struct text *out)
{
    struct slice text =
        statement_text(statement->migration->forecast.script, &statement->prediction->statement);

    effect_add_filled(template, &finding->change, text, out);
}

void plan_add_reason(const struct planned_statement *statement, const struct finding *finding,
                     struct text *out)
{
    add_filled(finding->rule->reason, statement, finding, out);
}

void plan_add_cure(const struct planned_statement *statement, const struct finding *finding, struct text *out)
{
    if (finding->rule->cure != NULL)
        add_filled(finding->rule->cure, statement, finding, out);
}

/* "633 MB" */
static void add_bytes(int64_t bytes, struct text *out)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    int64_t count = bytes / 1024;
    size_t unit = 0;

    for (; count >= 10000 && unit + 1 < array_length(units); unit++)
        count /= 1024;
    text_add_format(out, "%lld %s", (long long)count, units[unit]);
}

static void add_size(const struct live_table *table, struct text *out)
{
    if (table->rows < 0) {
        text_add_string(out, "its size is not known before it is analyzed");
        return;
    }
    text_add_format(out, "about %lld row%s in ", (long long)table->rows, text_plural((size_t)table->rows));
    add_bytes(table->bytes, out);
    if (table->indexes > 0) {
        text_add_format(out, ", %lld index%s in ", (long long)table->indexes,
                        table->indexes == 1 ? "" : "es");
        add_bytes(table->index_bytes, out);
    }
    if (table->partitions > 0)
        text_add_format(out, ", %lld partition%s", (long long)table->partitions,
                        text_plural((size_t)table->partitions));
}

static void add_duration(struct duration_range takes, struct text *out)
{
    char least[DURATION_SIZE];
    char most[DURATION_SIZE];

    if (takes.most_ms == 0)
        return;
    duration_text(takes.most_ms, most, sizeof most);
    if (takes.most_ms < SHORT_MS)
        text_add_format(out, "; takes less than %s", duration_text(SHORT_MS, most, sizeof most));
    else
        text_add_format(out, "; takes %s to %s", duration_text(takes.least_ms, least, sizeof least), most);
}

/* The old files stay until COMMIT. */
static void add_disk(const struct finding *finding, struct text *out)
{
    const struct live_table *table = finding->table;

    if (finding->rule->work != WORK_REWRITE || finding->level == LEVEL_SAFE || table->rows < 0 ||
        live_is_small(table))
        return;
    text_add_string(out, "; needs another ");
    add_bytes(table->bytes + table->index_bytes, out);
    text_add_string(out, " of disk meanwhile");
}

static void add_use(const struct live_use *use, struct text *out)
{
    if (use->is_known)
        text_add_format(out, "; %.0f scan%s and %.0f row%s written a second", use->reads,
                        text_plural((size_t)(use->reads + 0.5)), use->writes,
                        text_plural((size_t)(use->writes + 0.5)));
}

void plan_add_live(const struct finding *finding, struct text *out)
{
    if (!finding->is_live)
        return;
    text_add_string(out, "; live: ");
    if (finding->note != NULL)
        text_add_string(out, finding->note);
    if (finding->note != NULL && finding->table->exists)
        text_add_string(out, "; ");
    if (finding->table->exists) {
        add_size(finding->table, out);
        add_use(&finding->table->use, out);
    }
    add_duration(finding->takes, out);
    add_disk(finding, out);
    if (finding->held_by != NULL)
        text_add_format(out, "; it would wait for %s", finding->held_by);
}

void plan_add_rehearsed(const struct planned_statement *statement, const struct finding *finding,
                        struct text *out)
{
    const struct measurement *measured = statement->prediction->measured;

    if (finding->seen != NULL)
        text_add_format(out, "; rehearsed: %s", finding->seen);
    else if (measured != NULL) {
        text_add_string(out, "; rehearsed: ");
        measurement_add(measured, out);
    }
}

const char *plan_depth(const struct planned_statement *statement, const struct finding *finding)
{
    if (finding->seen != NULL || statement->prediction->measured != NULL)
        return "rehearsed";
    return finding->is_live ? "live" : "text";
}

/* "20260105_orders:12" */
static void add_place(const struct planned_statement *statement, struct text *out)
{
    text_add_shown_line(out, statement->migration->name);
    text_add_format(out, ":%zu", statement->prediction->statement.line);
}

/* "AccessExclusiveLock on "orders", rewrite: "; nothing where nothing is locked. */
static void add_effect(const struct finding *finding, struct text *out)
{
    const struct rule *rule = finding->rule;

    if (rule->lock == TABLE_LOCK_NONE)
        return;
    text_add_string(out, TABLE_LOCK_NAMES[rule->lock]);
    if (finding->change.table.name[0] != '\0')
        text_add_string(out, " on ");
    plan_add_table(&finding->change.table, out);
    text_add_format(out, ", %s: ", WORK_NAMES[rule->work]);
}

/* Widths of the columns. */
struct columns {
    int place;
    int rule;
};

static int wider(int width, const char *text)
{
    int count = (int)utf8_count(text, strlen(text));

    return count > width ? count : width;
}

static struct columns measure(const struct plan *plan)
{
    struct columns columns = { .place = 0 };

    for (size_t i = 0; i < plan->statement_count; i++) {
        auto_text struct text place = text_init(PLACE_MOST);

        add_place(&plan->statements[i], &place);
        columns.place = wider(columns.place, place.at);
        columns.rule = wider(columns.rule, plan->statements[i].prediction->findings[0].rule->name);
    }
    return columns;
}

static void print_part(const char *label, const struct text *text)
{
    auto_text struct text shown = text_init(LINE_MOST);

    text_add_shown_line(&shown, text->at);
    if (shown.length > 0)
        print_line("           %-9s %s", label, shown.at);
}

static void print_plain_part(const char *label, const char *words)
{
    if (words != NULL && words[0] != '\0')
        print_line("           %-9s %s", label, words);
}

static void print_finding(const struct planned_statement *statement, const struct finding *finding)
{
    auto_text struct text why = text_init(LINE_MOST);
    auto_text struct text how = text_init(LINE_MOST);
    auto_text struct text because = text_init(LINE_MOST);

    text_add_format(&why, "%s (%s%s): ", finding->rule->name, LEVEL_NAMES[finding->level],
                    finding->is_level_set ? ", as configured" : "");
    add_effect(finding, &why);
    plan_add_reason(statement, finding, &why);
    plan_add_live(finding, &why);
    plan_add_rehearsed(statement, finding, &why);
    plan_add_cure(statement, finding, &how);
    text_add_string(&because, finding->because == NULL ? "" : finding->because);
    print_part("why", &why);
    print_plain_part("meanwhile", TABLE_LOCK_WAITS[finding->rule->lock]);
    print_plain_part("old code", finding->rule->breaks_old_code ? "may fail" : "");
    print_plain_part("undo", finding->rule->is_final ? "cannot be undone" : "");
    print_part("allowed", &because);
    print_part("how", &how);
}

/* The beginning of the statement, on one line. */
static void print_sql(const struct planned_statement *statement)
{
    struct slice text =
        statement_text(statement->migration->forecast.script, &statement->prediction->statement);
    auto_text struct text sql = text_init(LINE_MOST);
    char shown[SHOWN_SQL];

    text_add_valid(&sql, text.at, text.length < LINE_MOST / 4 ? text.length : LINE_MOST / 4);
    for (size_t i = 0; i < sql.length; i++) {
        if (sql.at[i] == '\n' || sql.at[i] == '\r')
            sql.at[i] = ' ';
    }
    text_copy_cut(shown, sizeof shown, sql.at);
    text_reset(&sql);
    text_add_string(&sql, shown);
    print_part("sql", &sql);
}

static void print_statement(const struct planned_statement *statement, struct columns columns,
                            bool is_verbose)
{
    const struct prediction *prediction = statement->prediction;
    const struct finding *worst = &prediction->findings[0];
    auto_text struct text place = text_init(PLACE_MOST);
    auto_text struct text effect = text_init(LINE_MOST);
    auto_text struct text shown = text_init(LINE_MOST);

    add_place(statement, &place);
    add_effect(worst, &effect);
    plan_add_reason(statement, worst, &effect);
    plan_add_live(worst, &effect);
    plan_add_rehearsed(statement, worst, &effect);
    text_add_shown_line(&shown, effect.at);
    print_line("%-9s  %s%*s  %-*s  %s%s%s", LEVEL_NAMES[prediction->level], place.at,
               columns.place - (int)utf8_count(place.at, place.length), "", columns.rule, worst->rule->name,
               shown.at, worst->because == NULL ? "" : " (allowed)",
               worst->is_level_set ? " (level as configured)" : "");
    if (!is_verbose)
        return;
    print_sql(statement);
    print_plain_part("mode", statement->migration->mode == NULL ? "a deployment refuses the script"
                                                                : statement->migration->mode);
    for (size_t i = 0; i < prediction->count; i++)
        print_finding(statement, &prediction->findings[i]);
}

static const char *sources(const struct plan *plan)
{
    if (plan->is_rehearsed)
        return "their text, (live) the database and (rehearsed) a shadow of it";
    return plan->database == NULL ? "their text" : "their text and (live) the database";
}

void plan_add_summary(const struct plan *plan, struct text *out)
{
    text_add_format(
        out, "%zu statement%s in %zu %smigration%s, by %s: %zu dangerous, %zu unknown, %zu careful, %zu safe",
        plan->statement_count, text_plural(plan->statement_count), plan->count,
        plan->database == NULL ? "" : "pending ", text_plural(plan->count), sources(plan),
        plan->levels[LEVEL_DANGEROUS], plan->levels[LEVEL_UNKNOWN], plan->levels[LEVEL_CAREFUL],
        plan->levels[LEVEL_SAFE]);
}

/* Index builds and rewrites are written a second time by each of them. */
static void print_replicas(const struct live_replicas *replicas)
{
    auto_text struct text line = text_init(LINE_MOST);

    if (replicas->count == 0)
        return;
    text_add_format(&line, "%lld replica%s replay%s what this server writes", (long long)replicas->count,
                    text_plural((size_t)replicas->count), replicas->count == 1 ? "s" : "");
    if (replicas->behind_bytes >= 0) {
        text_add_string(&line, "; the slowest is behind by ");
        add_bytes(replicas->behind_bytes, &line);
    } else
        text_add_string(&line, "; how far behind they are, this role cannot see");
    print_line("%s", line.at);
}

/* Which releases each migration lets run. */
static void print_floors(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned *migration = &plan->migrations[i];
        const struct slice floor = migration->forecast.directives.floor;

        if (floor.length > 0)
            print_line_of(migration->name, "%s lets only release %.*s or a newer one run%s.", migration->name,
                          (int)floor.length, floor.at,
                          migration->forecast.directives.contract.is_said
                              ? ", and waits for the sessions of older ones"
                              : "");
    }
}

void plan_print(const struct plan *plan, bool is_verbose)
{
    auto_text struct text summary = text_init(LINE_MOST);
    struct columns columns = measure(plan);

    plan_add_summary(plan, &summary);
    print_line("%s", summary.at);
    if (plan->level > LEVEL_SAFE)
        print_replicas(&plan->replicas);
    for (size_t i = 0; i < plan->statement_count; i++)
        print_statement(&plan->statements[i], columns, is_verbose);
    print_floors(plan);
    print_precautions(&plan->precautions);
    if (plan->level > LEVEL_SAFE && !is_verbose)
        print_line("\nFor the safe way, statement by statement: tidelock plan -v");
}
