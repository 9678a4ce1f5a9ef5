#include "fleet/conclusion.h"

#include <string.h>

#include "base/redact.h"
#include "base/signals.h"
#include "base/text.h"

/* The worst first: what a person has to look at before what passes by itself. */
static const enum error_class WORST[] = {
    ERROR_PARTIAL,     ERROR_LOST,   ERROR_REFUSED,    ERROR_CLEAN,  ERROR_HELD_UP,
    ERROR_DENIED,      ERROR_USAGE,  ERROR_OUTPUT,     ERROR_LOGIN,  ERROR_READ_ONLY,
    ERROR_UNREACHABLE, ERROR_BUDGET, ERROR_TABLE_LOCK, ERROR_LEADER,
};

/* Where the first sentence ends: a line, or what follows it, tells more. */
static size_t sentence_length(const char *text)
{
    const char *stop = strstr(text, ". ");
    size_t length = strcspn(text, "\n");

    return stop != NULL && (size_t)(stop - text) < length ? (size_t)(stop - text) : length;
}

static struct conclusion_cause *find_cause(struct conclusion *conclusion, const char *reason, size_t length)
{
    for (size_t i = 0; i < conclusion->count; i++) {
        const char *known = conclusion->causes[i].reason;

        if (strncmp(known, reason, length) == 0 && known[length] == '\0')
            return &conclusion->causes[i];
    }
    return NULL;
}

/* Half of a secret would not be recognised later on. */
static void add_cause(struct conclusion *conclusion, const struct tenant_run *run, const char *message)
{
    auto_free char *reason = memory_copy(message, strlen(message));
    struct conclusion_cause *cause;
    size_t length;

    redact(reason);
    length = sentence_length(reason);
    cause = find_cause(conclusion, reason, length);

    if (cause == NULL && conclusion->count == CONCLUSION_CAUSES) {
        conclusion->others++;
        return;
    }
    if (cause == NULL) {
        cause = &conclusion->causes[conclusion->count++];
        cause->reason = arena_copy(run->results, reason, length);
    }
    if (cause->count < CONCLUSION_NAMES)
        cause->names[cause->count] = run->tenant->name;
    cause->count++;
}

/* Some advice is a command for one database, and the database URL in use may lead to another tenant's. */
static void say_where(struct error *err)
{
    static const char *const commands[] = { "resolve", "baseline" };

    for (size_t i = 0; i < array_length(commands); i++) {
        auto_text struct text typed = text_init(64);
        auto_text struct text hint = text_init(sizeof err->hint);

        text_add_format(&typed, "tidelock %s", commands[i]);
        if (strstr(err->hint, typed.at) == NULL)
            continue;
        text_add_format(&hint, "%s%s Give %s this tenant's own --database-url.", err->hint,
                        err->hint[strlen(err->hint) - 1] == '.' ? "" : ".", commands[i]);
        error_hint(err, "%s", hint.at);
        return;
    }
}

void conclusion_note(struct conclusion *conclusion, const struct tenant_run *run, struct error *err)
{
    struct tenant_result *result = run->result;
    /* A signal is the same for all: what differs is what their databases hold. */
    const char *reason = result->state == TENANT_INTERRUPTED ? err->holds : err->message;

    result->class = err->class;
    result->reason = reason[0] == '\0' ? NULL : arena_copy(run->results, reason, strlen(reason));
    if (result->state == TENANT_FAILED)
        add_cause(conclusion, run, err->message);
    say_where(err);
}

static enum error_class worst_of(const struct rollout *rollout)
{
    size_t worst = array_length(WORST) - 1;

    for (size_t i = 0; i < rollout->tenants->count; i++) {
        for (size_t rank = 0; rank < worst && rollout->results[i].state == TENANT_FAILED; rank++) {
            if (WORST[rank] == rollout->results[i].class)
                worst = rank;
        }
    }
    return WORST[worst];
}

/* "acme, globex and 3 more: could not …" */
static void name_failures(const struct conclusion *conclusion, struct error *err)
{
    auto_text struct text said = text_init(sizeof err->detail);

    for (size_t i = 0; i < conclusion->count; i++) {
        const struct conclusion_cause *cause = &conclusion->causes[i];

        text_add_string(&said, i == 0 ? "" : "\n");
        for (size_t j = 0; j < cause->count && j < CONCLUSION_NAMES; j++)
            text_add_format(&said, "%s%s", j == 0 ? "" : ", ", cause->names[j]);
        if (cause->count > CONCLUSION_NAMES)
            text_add_format(&said, " and %zu more", cause->count - CONCLUSION_NAMES);
        text_add_format(&said, ": %s", cause->reason);
    }
    if (conclusion->others > 0)
        text_add_format(&said, "\nand %zu more for other reasons", conclusion->others);
    error_detail(err, "%s", said.at);
    err->is_detail_public = conclusion->count > 0;
}

/* Those that nothing was begun with stand last. */
static void count(const struct rollout *rollout, bool changes, struct error *err)
{
    const size_t *counts = rollout->counts;
    const size_t done = counts[TENANT_DONE];
    auto_text struct text said = text_init(sizeof err->holds);

    if (changes)
        text_add_format(&said, "%zu tenant%s done", done, done == 1 ? " is" : "s are");
    else
        text_add_format(&said, "Nothing was changed; %zu tenant%s succeeded", done, text_plural(done));
    text_add_format(&said, ", %zu failed", counts[TENANT_FAILED]);
    if (counts[TENANT_INTERRUPTED] > 0)
        text_add_format(&said, ", %zu interrupted", counts[TENANT_INTERRUPTED]);
    text_add_format(&said, ", %zu not begun.", counts[TENANT_WAITING] + counts[TENANT_ELSEWHERE]);
    error_holds(err, "%s", said.at);
}

static bool advise(const struct rollout *rollout, bool changes, struct error *err)
{
    bool has_failed = rollout->counts[TENANT_FAILED] > 0;
    const char *when = has_failed ? " when the cause is gone" : "";

    if (!changes)
        return error_hint(err, "Type the same again%s; for some of them only: --tenant NAME.", when);
    return error_hint(err, "Type the same again%s: what is done stays done.%s", when,
                      has_failed ? " One of them alone: --tenant NAME; resolve and rollback take its own "
                                   "--database-url."
                                 : "");
}

bool conclusion_draw(const struct conclusion *conclusion, const struct rollout *rollout, bool changes,
                     struct error *err)
{
    const size_t *counts = rollout->counts;
    size_t unfinished = counts[TENANT_INTERRUPTED] + counts[TENANT_WAITING] + counts[TENANT_ELSEWHERE];

    if (counts[TENANT_FAILED] + unfinished == 0)
        return true;
    /* One that came too late has stopped nobody. */
    if (signals_pending() != 0 && unfinished > 0)
        (void)signals_error(err);
    else if (rollout->tenants->count == 1)
        error_set(err, worst_of(rollout), "the tenant failed");
    else
        error_set(err, worst_of(rollout), "%zu of %zu tenants failed", counts[TENANT_FAILED],
                  rollout->tenants->count);
    name_failures(conclusion, err);
    count(rollout, changes, err);
    return advise(rollout, changes, err);
}
