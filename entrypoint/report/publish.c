#include "report/publish.h"

#include <string.h>

#include "base/env.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parting.h"
#include "base/pod.h"
#include "base/signals.h"
#include "report/metrics.h"
#include "report/pushgateway.h"

enum {
    BODY_MOST = 64 * 1024,
    URL_MOST = 8192,
    HURRIED_MS = 1000, /* when a signal has come */
    STEP_MS = 50,
    PUSH_EVERY_MS = 15 * 1000,
    BLOCKED_LONG_MS = 30 * 1000,
    BLOCKED_GAP_MS = 5000, /* for this long, a run that retries still counts as blocked */
    REDIRECTS = 3
};

static const char *keep(const struct publisher *publisher, const struct text *text)
{
    return arena_copy(publisher->config->arena, text->at, text->length);
}

static void leave_out(const char *what, const struct error *err)
{
    log_warn("continuing without %s: %s", what, err->message);
}

static void open_push(struct publisher *publisher)
{
    auto_text struct text url = text_init(URL_MOST);
    struct error err;

    if (publisher->config->pushgateway == NULL)
        return;
    if (!pushgateway_url(publisher->config->pushgateway, publisher->config->pushgateway_labels,
                         publisher->speaker.namespace, &url, &err)) {
        leave_out("the Pushgateway", &err);
        return;
    }
    outbox_open(&publisher->push, &(struct outbox_traits) { .name = "the Pushgateway",
                                                            .method = "PUT",
                                                            .url = keep(publisher, &url),
                                                            .content_type = "text/plain; version=0.0.4",
                                                            .budget_ms = PUBLISH_BUDGET_MS,
                                                            .redirects = REDIRECTS,
                                                            .is_newest_enough = true });
}

static void open_webhook(struct publisher *publisher)
{
    if (publisher->config->webhook == NULL)
        return;
    outbox_open(&publisher->webhook, &(struct outbox_traits) { .name = "the webhook",
                                                               .method = "POST",
                                                               .url = publisher->config->webhook,
                                                               .content_type = "application/json",
                                                               .budget_ms = PUBLISH_BUDGET_MS,
                                                               .redirects = REDIRECTS });
}

/* The Job outlives its pods, so Events about it can still be read when they are gone. */
static void find_subject(struct publisher *publisher)
{
    const char *job = env_value("JOB_NAME");
    char pod[POD_NAME_SIZE];

    pod_name(pod);
    publisher->subject = (struct event_subject) {
        .api_version = job == NULL ? "v1" : "batch/v1",
        .kind = job == NULL ? "Pod" : "Job",
        .name = job == NULL ? arena_copy(publisher->config->arena, pod, strlen(pod)) : job,
        .namespace = publisher->kubernetes.namespace,
        .uid = env_value(job == NULL ? "POD_UID" : "JOB_UID"),
    };
}

static void open_events(struct publisher *publisher)
{
    auto_text struct text url = text_init(URL_MOST);
    struct error err;

    if (!publisher->config->wants_events)
        return;
    if (!kubernetes_find(publisher->config, &publisher->kubernetes, &err)) {
        leave_out("Events", &err);
        return;
    }
    find_subject(publisher);
    kubernetes_add_url(&publisher->kubernetes, "api/v1", "events", &url);
    outbox_open(&publisher->events, &(struct outbox_traits) { .name = "Kubernetes with an Event",
                                                              .method = "POST",
                                                              .url = keep(publisher, &url),
                                                              .content_type = "application/json",
                                                              .ca_file = publisher->kubernetes.ca_file,
                                                              .budget_ms = PUBLISH_BUDGET_MS,
                                                              .is_direct = true,
                                                              .may_be_denied = true });
}

static void push(struct publisher *publisher)
{
    auto_text struct text metrics = text_init(METRICS_BYTES_MOST);

    if (publisher->push.traits.url == NULL)
        return;
    publisher->progress->written_at = clock_wall_seconds();
    metrics_write(publisher->progress, &metrics);
    redact_text(&metrics);
    publisher->push_again = deadline_in(PUSH_EVERY_MS);
    outbox_send(&publisher->push, text_slice(&metrics), NULL);
}

static void post(struct publisher *publisher, enum notice notice, const struct error *err)
{
    const char *key = publisher->config->webhook_key;
    auto_text struct text body = text_init(BODY_MOST);
    auto_text struct text header = text_init(256);
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX_SIZE];

    if (publisher->webhook.traits.url == NULL || (publisher->config->webhook_on & 1u << notice) == 0)
        return;
    notice_webhook(&(const struct occurrence) { notice, publisher->progress, err, &publisher->speaker,
                                                clock_wall_seconds() },
                   &body);
    if (key != NULL) {
        hmac_sha256(slice_of(key), text_slice(&body), digest);
        sha256_hex(digest, hex);
        text_add_format(&header, "X-Tidelock-Signature-256: sha256=%s", hex);
    }
    outbox_send(&publisher->webhook, text_slice(&body), key == NULL ? NULL : header.at);
}

static void write_event(struct publisher *publisher, enum notice notice, const struct error *err)
{
    auto_text struct text body = text_init(BODY_MOST);
    const char *authorization;
    struct error why;

    if (publisher->events.traits.url == NULL || notice == NOTICE_STARTED)
        return;
    authorization = kubernetes_authorization(&publisher->kubernetes, &why);
    if (authorization == NULL) {
        leave_out("Events", &why);
        return;
    }
    notice_event(&(const struct occurrence) { notice, publisher->progress, err, &publisher->speaker,
                                              clock_wall_seconds() },
                 &publisher->subject, &body);
    outbox_send(&publisher->events, text_slice(&body), authorization);
}

static void tell(struct publisher *publisher, enum notice notice, const struct error *err)
{
    post(publisher, notice, err);
    write_event(publisher, notice, err);
}

static void on_changed(void *context)
{
    struct publisher *publisher = context;
    enum progress_phase phase = publisher->progress->phase;

    if (progress_is_final(phase))
        return;
    publisher->has_followed |= phase == PROGRESS_WAITING_LEADER;
    if (phase == PROGRESS_APPLYING && !publisher->has_led) {
        publisher->has_led = true;
        tell(publisher, NOTICE_STARTED, NULL);
    }
    if (publisher->has_led)
        push(publisher);
}

void publish_begin(struct publisher *publisher, const struct config *config, struct progress *progress)
{
    *publisher = (struct publisher) {
        .config = config,
        .progress = progress,
        .speaker = { .pod = env_value("POD_NAME"), .namespace = env_value("POD_NAMESPACE") },
        .seen_blocked_until = deadline_in(0),
    };
    open_push(publisher);
    open_webhook(publisher);
    open_events(publisher);
    progress->changed = on_changed;
    progress->context = publisher;
}

static void look_for_block(struct publisher *publisher)
{
    const struct progress *progress = publisher->progress;
    bool is_blocked = progress->phase == PROGRESS_WAITING_LOCK || progress->blocked_by > 0;

    if (!is_blocked || progress->current == NULL)
        return;
    if (deadline_passed(publisher->seen_blocked_until))
        publisher->say_blocked_at = deadline_in(BLOCKED_LONG_MS);
    publisher->seen_blocked_until = deadline_in(BLOCKED_GAP_MS);
    if (!deadline_passed(publisher->say_blocked_at) || publisher->blocked == progress->current)
        return;
    publisher->blocked = progress->current;
    tell(publisher, NOTICE_BLOCKED, NULL);
}

void publish_look(struct publisher *publisher)
{
    if (publisher->has_led && deadline_passed(publisher->push_again))
        push(publisher);
    look_for_block(publisher);
}

static bool is_busy(const struct publisher *publisher)
{
    return outbox_is_busy(&publisher->push) || outbox_is_busy(&publisher->webhook) ||
           outbox_is_busy(&publisher->events);
}

static void tell_end(struct publisher *publisher, const struct error *err)
{
    bool is_interrupted = err != NULL && err->class == ERROR_INTERRUPTED;

    /* Another process leads, and publishes; or this one was stopped before anything had begun. */
    if (!publisher->has_led && (publisher->has_followed || is_interrupted))
        return;
    push(publisher);
    if (err != NULL)
        tell(publisher, NOTICE_FAILED, err);
    else if (publisher->progress->applied > 0)
        tell(publisher, NOTICE_SUCCEEDED, NULL);
}

void publish_last_word(struct publisher *publisher, const struct error *err)
{
    int64_t most = err != NULL && err->class == ERROR_INTERRUPTED ? HURRIED_MS : PUBLISH_BUDGET_MS;
    int64_t left = parting_left_ms();

    publisher->progress->changed = NULL;
    publisher->until = deadline_in(left < most ? left : most);
    tell_end(publisher, err);
}

void publish_end(struct publisher *publisher)
{
    while (is_busy(publisher) && !deadline_passed(publisher->until) && !signals_are_repeated())
        http_wait(STEP_MS);
    outbox_close(&publisher->push);
    outbox_close(&publisher->webhook);
    outbox_close(&publisher->events);
}
