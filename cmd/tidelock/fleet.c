#include "fleet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "exits.h"
#include "print.h"
#include "reporting.h"

enum { LINE_MOST = 2048, WORD_MOST = 512 };

struct fleet {
    const struct fleet_words *words;
    struct rollout rollout;
    struct progress *progress; /* or NULL */
    bool has_begun;
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

    text_add_format(&line, "%zu of %zu tenants, %zu at work", counts[TENANT_DONE] + counts[TENANT_FAILED],
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
    else if (result->state == TENANT_FAILED)
        print_failure(err);
    else if (result->state == TENANT_ELSEWHERE)
        log_debug("left to another process: %s", err->message);
    if (result->state == TENANT_DONE || result->state == TENANT_FAILED)
        report(fleet, run);
    show_progress(&fleet->rollout);
}

struct columns {
    int name;
    int word;
};

/* Those that need no attention are only counted, unless all are asked for. */
static bool is_shown(const struct config *config, const struct tenant_result *result)
{
    return config->wants_all || result->state != TENANT_DONE || result->count > 0 ||
           result->creation != CREATION_NONE;
}

static const char *word_of(const struct tenant_result *result)
{
    if (result->state == TENANT_DONE)
        return result->word;
    return TENANT_STATE_NAMES[result->state];
}

static struct columns measure(const struct config *config, const struct rollout *rollout)
{
    struct columns columns = { .name = (int)strlen("TENANT"), .word = (int)strlen("STATE") };

    for (size_t i = 0; i < rollout->tenants->count; i++) {
        const char *name = rollout->tenants->items[i].name;
        const char *word = word_of(&rollout->results[i]);
        int width = (int)utf8_count(name, strlen(name));

        if (!is_shown(config, &rollout->results[i]))
            continue;
        columns.name = width > columns.name ? width : columns.name;
        columns.word = (int)strlen(word) > columns.word ? (int)strlen(word) : columns.word;
    }
    return columns;
}

static void print_tenant(const struct tenant *tenant, const struct tenant_result *result,
                         struct columns columns)
{
    int padding = columns.name - (int)utf8_count(tenant->name, strlen(tenant->name));
    char took[32] = "-";

    if (result->took_ms > 0 || result->state == TENANT_DONE)
        (void)duration_text(result->took_ms, took, sizeof took);
    print_line("%s%*s  %-*s  %8s%s%s", tenant->name, padding, "", columns.word, word_of(result), took,
               result->reason == NULL ? "" : "  ", result->reason == NULL ? "" : result->reason);
}

static void print_table(const struct config *config, const struct rollout *rollout)
{
    struct columns columns = measure(config, rollout);
    bool has_header = false;
    size_t hidden = 0;

    for (size_t i = 0; i < rollout->tenants->count; i++) {
        if (!is_shown(config, &rollout->results[i])) {
            hidden++;
            continue;
        }
        if (!has_header)
            print_line("%-*s  %-*s  %8s", columns.name, "TENANT", columns.word, "STATE", "TOOK");
        has_header = true;
        print_tenant(&rollout->tenants->items[i], &rollout->results[i], columns);
    }
    if (has_header)
        print_text("\n");
    print_line("%zu tenant%s: %zu done, of which %zu had nothing to do; %zu failed, %zu not begun",
               rollout->tenants->count, text_plural(rollout->tenants->count), rollout->counts[TENANT_DONE],
               hidden, rollout->counts[TENANT_FAILED],
               rollout->counts[TENANT_WAITING] + rollout->counts[TENANT_ELSEWHERE]);
}

static struct json *tenant_json(const struct fleet_words *words, const struct tenant *tenant,
                                const struct tenant_result *result)
{
    struct json *object = json_new_object();

    json_set_text(object, "tenant", tenant->name);
    json_set_text(object, "state", TENANT_STATE_NAMES[result->state]);
    json_set_number(object, words->counted, (int64_t)result->count);
    json_set_number(object, "duration_ms", result->took_ms);
    json_set_text(object, "said", result->word);
    json_set_text(object, "reason", result->reason);
    if (result->state == TENANT_FAILED)
        json_set_number(object, "exit_code", exit_find(result->class)->code);
    return object;
}

static void print_as_json(const struct fleet_words *words, const struct rollout *rollout)
{
    struct json *object = json_new_object();
    struct json *list = json_new_array();

    for (size_t i = 0; i < rollout->tenants->count; i++)
        json_append(list, tenant_json(words, &rollout->tenants->items[i], &rollout->results[i]));
    json_set_number(object, "done", (int64_t)rollout->counts[TENANT_DONE]);
    json_set_number(object, "failed", (int64_t)rollout->counts[TENANT_FAILED]);
    json_set_number(object, "not_begun",
                    (int64_t)(rollout->counts[TENANT_WAITING] + rollout->counts[TENANT_ELSEWHERE]));
    json_set(object, "tenants", list);
    print_json(object);
}

static bool counts_any(const struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->tenants->count; i++) {
        if (rollout->results[i].count > 0)
            return true;
    }
    return false;
}

static void print_result(const struct config *config, const struct fleet *fleet)
{
    log_passing(NULL);
    if (config->wants_json)
        print_as_json(fleet->words, &fleet->rollout);
    else
        print_table(config, &fleet->rollout);
}

bool fleet_run(const struct config *config, const struct fleet_words *words, struct progress *progress,
               int *exit_code, struct error *err)
{
    struct fleet fleet = { .words = words, .progress = progress };
    const struct rollout_work work = { words->leads, run_one, on_change, &fleet };
    struct tenant_list tenants;
    bool is_done;

    if (!tenants_read(config->arena, config, &tenants, err))
        return false;
    is_done = rollout_run(config, &tenants, &work, &fleet.rollout, err);
    if (fleet.has_begun || tenants.count == 0)
        print_result(config, &fleet);
    if (is_done && words->is_no && counts_any(&fleet.rollout))
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
