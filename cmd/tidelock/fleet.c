#include "fleet.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "exits.h"
#include "fleet_json.h"
#include "print.h"
#include "reporting.h"

/* A longer word, as that of a refusal, moves only what stands behind it. */
enum {
    LINE_MOST = 2048,
    WORD_MOST = 512,
    WORD_COLUMNS = 64,
    REASON_COLUMNS = 80,
    DETAILS_MOST = 256 * 1024 * 1024
};

struct fleet {
    const struct fleet_words *words;
    struct rollout rollout;
    struct progress *progress; /* or NULL */
    struct fleet_json json;
    bool wants_json; /* only commands that change nothing have it */
    bool has_begun;
    struct error said;   /* the latest failure that was told in full … */
    const char *said_of; /* … of that tenant; NULL = none was */
};

void fleet_say(const struct tenant_run *run, size_t count, const char *format, ...)
{
    auto_text struct text word = text_init(WORD_MOST);
    va_list arguments;

    if (run->result->creation == CREATION_DONE)
        text_add_string(&word, "created, ");
    va_start(arguments, format);
    text_add_format_cut_list(&word, format, arguments);
    va_end(arguments);
    run->result->count = count;
    run->result->word = arena_copy(run->results, word.at, word.length);
    fleet_judge(run, count == 0, count > 0);
}

void fleet_judge(const struct tenant_run *run, bool is_fine, bool is_no)
{
    run->result->is_fine = is_fine && run->result->creation == CREATION_NONE;
    run->result->is_no = is_no;
}

void fleet_attach(const struct tenant_run *run, struct json *value)
{
    auto_text struct text text = text_init(DETAILS_MOST);

    json_write(value, false, &text);
    memory_free(run->result->details);
    run->result->details = memory_copy(text.at, text.length);
}

static bool run_one(const struct tenant_run *run, void *context, struct error *err)
{
    const struct fleet *fleet = context;

    return fleet->words->run(run, err);
}

/* One line that stays on a terminal while others come and go above it. */
static void show_progress(const struct rollout *rollout)
{
    const size_t *counts = rollout->counts;
    auto_text struct text line = text_init(LINE_MOST);

    text_add_format(&line, "%zu of %zu tenants, %zu at work",
                    counts[TENANT_DONE] + counts[TENANT_FAILED] + counts[TENANT_INTERRUPTED],
                    rollout->tenants->count, counts[TENANT_RUNNING]);
    if (counts[TENANT_FAILED] > 0)
        text_add_format(&line, ", %zu failed", counts[TENANT_FAILED]);
    log_passing(line.at);
}

static void report(const struct fleet *fleet, const struct tenant_run *run)
{
    struct progress *progress = fleet->progress;
    const struct tenant_result *result = run->result;

    if (progress == NULL)
        return;
    progress->applied += result->count;
    progress->changed_tenants += result->count > 0;
    if (result->state == TENANT_FAILED && progress->failed_tenant_count < FAILED_TENANTS_MOST)
        progress->failed_tenants[progress->failed_tenant_count++] = run->tenant->name;
}

static void begin(struct fleet *fleet)
{
    if (fleet->progress != NULL && !fleet->has_begun) {
        fleet->progress->tenants = fleet->rollout.counts;
        progress_enter(fleet->progress, PROGRESS_APPLYING);
    }
    fleet->has_begun = true;
}

static bool is_alike(const struct error *one, const struct error *other)
{
    return one->class == other->class && one->place.line == other->place.line &&
           strcmp(one->message, other->message) == 0 && strcmp(one->detail, other->detail) == 0 &&
           strcmp(one->holds, other->holds) == 0 && strcmp(one->hint, other->hint) == 0;
}

/* What keeps all of them from it, such as a fault of the folder, is told to a person once. */
static void tell_failure(struct fleet *fleet, const struct tenant_run *run, const struct error *err)
{
    if (log_format_in_use() == LOG_TEXT && fleet->said_of != NULL && is_alike(err, &fleet->said)) {
        log_error("the same as %s: %s", fleet->said_of, err->message);
        return;
    }
    print_failure(err);
    fleet->said = *err;
    fleet->said_of = run->tenant->name;
}

static void on_change(const struct tenant_run *run, void *context, const struct error *err)
{
    struct fleet *fleet = context;
    const struct tenant_result *result = run->result;
    const struct log_value values[] = { { .name = fleet->words->counted, .number = (int64_t)result->count },
                                        { .name = "duration_ms", .number = result->took_ms } };
    char took[32];

    begin(fleet);
    if (result->state == TENANT_DONE)
        log_event(LOG_DONE, values, array_length(values), "%s (%s)", result->word,
                  duration_text(result->took_ms, took, sizeof took));
    else if (result->state == TENANT_FAILED || result->state == TENANT_INTERRUPTED)
        tell_failure(fleet, run, err);
    else if (result->state == TENANT_ELSEWHERE)
        log_debug("left to another process: %s", err->message);
    if (tenant_is_over(result->state))
        report(fleet, run);
    if (fleet->wants_json)
        fleet_json_write(&fleet->json);
    show_progress(&fleet->rollout);
}

struct columns {
    int name;
    int word;
};

static bool is_fine(const struct tenant_result *result)
{
    return result->state == TENANT_DONE && result->is_fine;
}

/* Those that need no attention, or were not begun, are only counted, unless all are asked for. */
static bool is_shown(const struct config *config, const struct tenant_result *result)
{
    return config->wants_all || (result->state != TENANT_WAITING && !is_fine(result));
}

static const char *word_of(const struct tenant_result *result)
{
    if (result->state == TENANT_DONE)
        return result->word;
    return result->state == TENANT_WAITING ? "not begun" : TENANT_STATE_NAMES[result->state];
}

static int widest(int columns, const char *text, int most)
{
    int width = (int)utf8_count(text, strlen(text));

    width = width < most ? width : most;
    return width > columns ? width : columns;
}

static struct columns measure(const struct config *config, const struct rollout *rollout)
{
    struct columns columns = { .name = (int)strlen("TENANT"), .word = (int)strlen("STATE") };

    for (size_t i = 0; i < rollout->tenants->count; i++) {
        if (!is_shown(config, &rollout->results[i]))
            continue;
        columns.name = widest(columns.name, rollout->tenants->items[i].name, INT_MAX);
        columns.word = widest(columns.word, word_of(&rollout->results[i]), WORD_COLUMNS);
    }
    return columns;
}

/* The log has all of it. Half of a secret would not be recognised later on. */
static void add_short(const char *reason, struct text *out)
{
    auto_free char *whole = memory_copy(reason, strlen(reason));
    size_t length;
    size_t end;

    redact(whole);
    length = strcspn(whole, "\n");
    end = utf8_offset(whole, length, REASON_COLUMNS);
    text_add_string(out, "  ");
    text_add(out, whole, end);
    if (end < length)
        text_add_string(out, "…");
}

static void print_tenant(const struct tenant *tenant, const struct tenant_result *result,
                         struct columns columns)
{
    int padding = columns.name - (int)utf8_count(tenant->name, strlen(tenant->name));
    auto_text struct text reason = text_init(LINE_MOST);
    char took[32] = "-";

    if (result->took_ms > 0 || result->state == TENANT_DONE)
        (void)duration_text(result->took_ms, took, sizeof took);
    if (result->reason != NULL)
        add_short(result->reason, &reason);
    print_line("%s%*s  %-*s  %8s%s", tenant->name, padding, "", columns.word, word_of(result), took,
               reason.at);
}

enum { RANKS = 3 };

/* What failed stands first, then what was stopped. */
static int rank_of(const struct tenant_result *result)
{
    return result->state == TENANT_FAILED ? 0 : result->state == TENANT_INTERRUPTED ? 1 : 2;
}

/* Those of one rank; `printed` counts all. */
static void print_tenants(const struct config *config, const struct rollout *rollout, int rank,
                          size_t *printed)
{
    struct columns columns = measure(config, rollout);

    for (size_t i = 0; i < rollout->tenants->count; i++) {
        const struct tenant_result *result = &rollout->results[i];

        if (!is_shown(config, result) || rank_of(result) != rank)
            continue;
        if ((*printed)++ == 0)
            print_line("%-*s  %-*s  %8s", columns.name, "TENANT", columns.word, "STATE", "TOOK");
        print_tenant(&rollout->tenants->items[i], result, columns);
    }
}

static void print_counts(const struct fleet_words *words, const struct rollout *rollout)
{
    const size_t *counts = rollout->counts;
    size_t count = rollout->tenants->count;
    size_t left = counts[TENANT_WAITING] + counts[TENANT_ELSEWHERE];
    auto_text struct text line = text_init(LINE_MOST);
    size_t fine = 0;
    size_t others = 0;

    for (size_t i = 0; i < count; i++) {
        others += rollout->results[i].is_by_another;
        fine += is_fine(&rollout->results[i]) && !rollout->results[i].is_by_another;
    }
    text_add_format(&line, "%zu tenant%s: ", count, text_plural(count));
    if (words->fine == NULL)
        text_add_format(&line, "%zu done, of which %zu had nothing to do", counts[TENANT_DONE], fine);
    if (others > 0)
        text_add_format(&line, " and %zu were done by another process", others);
    if (words->fine != NULL)
        text_add_format(&line, "%zu %s", fine, words->fine);
    if (words->other != NULL)
        text_add_format(&line, ", %zu %s", counts[TENANT_DONE] - fine, words->other);
    /* What is looked at may hold a failed migration, and that is another matter. */
    text_add_format(&line, "; %zu %s", counts[TENANT_FAILED],
                    words->other == NULL ? "failed" : "could not be checked");
    if (counts[TENANT_INTERRUPTED] > 0)
        text_add_format(&line, ", %zu interrupted", counts[TENANT_INTERRUPTED]);
    if (words->fine == NULL || left > 0)
        text_add_format(&line, ", %zu not begun", left);
    print_line("%s", line.at);
}

static void print_table(const struct config *config, const struct fleet *fleet)
{
    size_t printed = 0;

    for (int rank = 0; rank < RANKS; rank++)
        print_tenants(config, &fleet->rollout, rank, &printed);
    if (printed > 0)
        print_text("\n");
    print_counts(fleet->words, &fleet->rollout);
}

static bool is_any_no(const struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->tenants->count; i++) {
        if (rollout->results[i].is_no)
            return true;
    }
    return false;
}

/* Where the log is for machines, each tenant's record has what the table says. */
static void print_result(const struct config *config, struct fleet *fleet)
{
    log_passing(NULL);
    if (fleet->wants_json)
        fleet_json_end(&fleet->json);
    else if (log_format_in_use() == LOG_TEXT)
        print_table(config, fleet);
}

bool fleet_run(const struct config *config, const struct fleet_words *words, struct progress *progress,
               int *exit_code, struct error *err)
{
    struct fleet fleet = { .words = words, .progress = progress, .wants_json = config->wants_json };
    const struct rollout_work work = { words->leads, run_one, on_change, &fleet };
    struct tenant_list tenants;
    bool is_done;

    if (!tenants_read(config->arena, config, &tenants, err))
        return false;
    fleet.json = (struct fleet_json) { .words = words, .rollout = &fleet.rollout };
    is_done = rollout_run(config, &tenants, &work, &fleet.rollout, err);
    if (fleet.has_begun || tenants.count == 0)
        print_result(config, &fleet);
    if (is_done && words->is_no && is_any_no(&fleet.rollout))
        *exit_code = EXIT_NO;
    return is_done;
}

bool fleet_run_reported(const struct config *config, const struct fleet_words *words, struct error *err)
{
    struct reporting reporting;
    int ignored;
    bool is_done;

    reporting_begin(&reporting, config, NULL);
    reporting.is_result_printed = true;
    is_done = fleet_run(config, words, &reporting.progress, &ignored, err);
    reporting_end(&reporting, is_done ? NULL : err);
    return is_done;
}
