#include "report/outside.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/variable.h"
#include "report/metrics.h"
#include "report/pushgateway.h"

enum {
    METRICS_MOST = 64 * 1024,
    BODY_MOST = 64 * 1024,
    URL_MOST = 8192,
    HURRIED_MS = 1000, /* when a signal has come */
    STEP_MS = 50,
    PUSH_EVERY_MS = 15 * 1000,
    BLOCKED_LONG_MS = 30 * 1000,
    BLOCKED_GAP_MS = 5000, /* so long a run that tries again still counts as blocked */
    REDIRECTS = 3
};

static const char *keep(const struct outside *outside, const struct text *text)
{
    return arena_copy(outside->config->arena, text->at, text->length);
}

static void leave_out(const char *what, const struct error *err)
{
    log_warn("%s is left out: %s", what, err->message);
}

static void open_push(struct outside *outside)
{
    auto_text struct text url = text_init(URL_MOST);
    struct error err;

    if (outside->config->pushgateway == NULL)
        return;
    if (!pushgateway_url(outside->config->pushgateway, outside->config->pushgateway_labels,
                         outside->speaker.namespace, &url, &err)) {
        leave_out("the Pushgateway", &err);
        return;
    }
    channel_open(&outside->push, &(struct channel_traits) { .name = "the Pushgateway",
                                                            .method = "PUT",
                                                            .url = keep(outside, &url),
                                                            .content_type = "text/plain; version=0.0.4",
                                                            .budget_ms = OUTSIDE_BUDGET_MS,
                                                            .redirects = REDIRECTS,
                                                            .is_newest_enough = true });
}

static void open_webhook(struct outside *outside)
{
    if (outside->config->webhook == NULL)
        return;
    channel_open(&outside->webhook, &(struct channel_traits) { .name = "the webhook",
                                                               .method = "POST",
                                                               .url = outside->config->webhook,
                                                               .content_type = "application/json",
                                                               .budget_ms = OUTSIDE_BUDGET_MS,
                                                               .redirects = REDIRECTS });
}

/* The Job outlives its pods, so what is said about it can still be read when they are gone. */
static void find_subject(struct outside *outside)
{
    const char *job = variable_value("JOB_NAME");
    char pod[POD_NAME_SIZE];

    cluster_pod_name(pod);
    outside->subject = (struct event_subject) {
        .api_version = job == NULL ? "v1" : "batch/v1",
        .kind = job == NULL ? "Pod" : "Job",
        .name = job == NULL ? arena_copy(outside->config->arena, pod, strlen(pod)) : job,
        .namespace = outside->cluster.namespace,
        .uid = variable_value(job == NULL ? "POD_UID" : "JOB_UID"),
    };
}

static void open_events(struct outside *outside)
{
    auto_text struct text url = text_init(URL_MOST);
    struct error err;

    if (!outside->config->wants_events)
        return;
    if (!cluster_find(outside->config, &outside->cluster, &err)) {
        leave_out("writing Events", &err);
        return;
    }
    find_subject(outside);
    cluster_add_url(&outside->cluster, "api/v1", "events", &url);
    channel_open(&outside->events, &(struct channel_traits) { .name = "Kubernetes (an Event)",
                                                              .method = "POST",
                                                              .url = keep(outside, &url),
                                                              .content_type = "application/json",
                                                              .ca_file = outside->cluster.ca_file,
                                                              .budget_ms = OUTSIDE_BUDGET_MS,
                                                              .is_direct = true,
                                                              .may_be_denied = true });
}

static void push(struct outside *outside)
{
    auto_text struct text metrics = text_init(METRICS_MOST);

    if (outside->push.traits.url == NULL)
        return;
    outside->progress->written_at = clock_wall_seconds();
    metrics_write(outside->progress, &metrics);
    redact_text(&metrics);
    outside->push_again = deadline_in(PUSH_EVERY_MS);
    channel_send(&outside->push, text_slice(&metrics), NULL);
}

static void post(struct outside *outside, enum notice notice, const struct error *err)
{
    const char *key = outside->config->webhook_key;
    auto_text struct text body = text_init(BODY_MOST);
    auto_text struct text header = text_init(256);
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX_SIZE];

    if (outside->webhook.traits.url == NULL || (outside->config->webhook_on & 1u << notice) == 0)
        return;
    notice_webhook(notice, outside->progress, err, &outside->speaker, clock_wall_seconds(), &body);
    if (key != NULL) {
        hmac_sha256(slice_of(key), text_slice(&body), digest);
        sha256_hex(digest, hex);
        text_add_format(&header, "X-Tidelock-Signature-256: sha256=%s", hex);
    }
    channel_send(&outside->webhook, text_slice(&body), key == NULL ? NULL : header.at);
}

static void write_event(struct outside *outside, enum notice notice, const struct error *err)
{
    auto_text struct text body = text_init(BODY_MOST);
    const char *authorization;
    struct error why;

    if (outside->events.traits.url == NULL || notice == NOTICE_STARTED)
        return;
    authorization = cluster_authorization(&outside->cluster, &why);
    if (authorization == NULL) {
        leave_out("writing Events", &why);
        return;
    }
    notice_event(notice, outside->progress, err, &outside->subject, &outside->speaker, clock_wall_seconds(),
                 &body);
    channel_send(&outside->events, text_slice(&body), authorization);
}

static void tell(struct outside *outside, enum notice notice, const struct error *err)
{
    post(outside, notice, err);
    write_event(outside, notice, err);
}

static void on_changed(void *context)
{
    struct outside *outside = context;
    enum progress_phase phase = outside->progress->phase;

    if (progress_is_final(phase))
        return;
    outside->has_followed |= phase == PROGRESS_WAITING_LEADER;
    if (phase == PROGRESS_APPLYING && !outside->has_led) {
        outside->has_led = true;
        tell(outside, NOTICE_STARTED, NULL);
    }
    if (outside->has_led)
        push(outside);
}

void outside_begin(struct outside *outside, const struct config *config, struct progress *progress)
{
    *outside = (struct outside) {
        .config = config,
        .progress = progress,
        .speaker = { .pod = variable_value("POD_NAME"), .namespace = variable_value("POD_NAMESPACE") },
        .seen_blocked_until = deadline_in(0),
    };
    open_push(outside);
    open_webhook(outside);
    open_events(outside);
    progress->changed = on_changed;
    progress->context = outside;
}

static void look_for_block(struct outside *outside)
{
    const struct progress *progress = outside->progress;
    bool is_blocked = progress->phase == PROGRESS_WAITING_LOCK || progress->blocked_by > 0;

    if (!is_blocked || progress->current == NULL)
        return;
    if (deadline_passed(outside->seen_blocked_until))
        outside->say_blocked_at = deadline_in(BLOCKED_LONG_MS);
    outside->seen_blocked_until = deadline_in(BLOCKED_GAP_MS);
    if (!deadline_passed(outside->say_blocked_at) || outside->blocked == progress->current)
        return;
    outside->blocked = progress->current;
    tell(outside, NOTICE_BLOCKED, NULL);
}

void outside_look(struct outside *outside)
{
    if (outside->has_led && deadline_passed(outside->push_again))
        push(outside);
    look_for_block(outside);
}

static bool is_busy(const struct outside *outside)
{
    return channel_is_busy(&outside->push) || channel_is_busy(&outside->webhook) ||
           channel_is_busy(&outside->events);
}

static void tell_end(struct outside *outside, const struct error *err)
{
    bool is_interrupted = err != NULL && err->class == ERROR_INTERRUPTED;

    /* Another process leads, and speaks; or nothing had begun when it was told to stop. */
    if (!outside->has_led && (outside->has_followed || is_interrupted))
        return;
    push(outside);
    if (err != NULL)
        tell(outside, NOTICE_FAILED, err);
    else if (outside->progress->applied > 0)
        tell(outside, NOTICE_SUCCEEDED, NULL);
}

void outside_end(struct outside *outside, const struct error *err)
{
    bool is_hurried = err != NULL && err->class == ERROR_INTERRUPTED;
    struct deadline until = deadline_in(is_hurried ? HURRIED_MS : OUTSIDE_BUDGET_MS);

    outside->progress->changed = NULL;
    tell_end(outside, err);
    while (is_busy(outside) && !deadline_passed(until))
        http_wait(STEP_MS);
    channel_close(&outside->push);
    channel_close(&outside->webhook);
    channel_close(&outside->events);
}
