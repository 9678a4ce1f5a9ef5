#include "fleet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "exits.h"
#include "print.h"

enum { LINE_MOST = 2048, WORD_MOST = 512 };

struct fleet {
    const struct config *config;
    const struct fleet_words *words;
    size_t total;
    size_t ended;
    size_t failed;
};

void fleet_say(const struct tenant_run *run, size_t count, const char *format, ...)
{
    auto_text struct text word = text_init(WORD_MOST);
    va_list arguments;

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
static void show_progress(const struct fleet *fleet)
{
    char line[128];

    (void)snprintf(line, sizeof line, "%zu of %zu tenants%s", fleet->ended, fleet->total,
                   fleet->failed > 0 ? "; " : "");
    if (fleet->failed > 0)
        (void)snprintf(line + strlen(line), sizeof line - strlen(line), "%zu failed", fleet->failed);
    log_passing(line);
}

static void on_end(const struct tenant_run *run, void *context, const struct error *err)
{
    struct fleet *fleet = context;
    const struct tenant_result *result = run->result;
    const struct log_value values[] = { { .name = fleet->words->counted, .number = (int64_t)result->count },
                                        { .name = "duration_ms", .number = result->took_ms } };
    char took[32];

    if (result->state == TENANT_ELSEWHERE) {
        log_debug("left to another process: %s", err->message);
        return;
    }
    fleet->ended++;
    fleet->failed += result->state == TENANT_FAILED;
    if (result->state == TENANT_FAILED)
        print_failure(err);
    else
        log_event(LOG_DONE, values, array_length(values), "%s (%s)", result->word,
                  duration_text(result->took_ms, took, sizeof took));
    show_progress(fleet);
}

struct columns {
    int name;
    int word;
};

/* Those that need no attention are only counted, unless all are asked for. */
static bool is_shown(const struct config *config, const struct tenant_result *result)
{
    return config->wants_all || result->state != TENANT_DONE || result->count > 0;
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
               rollout->tenants->count, text_plural(rollout->tenants->count),
               rollout->counts[TENANT_DONE], hidden, rollout->counts[TENANT_FAILED],
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

bool fleet_run(const struct config *config, const struct fleet_words *words, int *exit_code,
               struct error *err)
{
    struct fleet fleet = { .config = config, .words = words };
    const struct rollout_work work = { run_one, on_end, &fleet };
    struct tenant_list tenants;
    struct rollout rollout;
    bool is_done;

    if (!tenants_read(config->arena, config, &tenants, err))
        return false;
    fleet.total = tenants.count;
    is_done = rollout_run(config, &tenants, &work, &rollout, err);
    log_passing(NULL);
    if (config->wants_json)
        print_as_json(words, &rollout);
    else
        print_table(config, &rollout);
    if (is_done && words->is_no && counts_any(&rollout))
        *exit_code = EXIT_NO;
    return is_done;
}
