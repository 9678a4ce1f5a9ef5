/* Any bytes as what comes from outside into what goes out again: a Lease, the labels of a Pushgateway group,
 * the texts of a notice. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "lock/lease_object.h"
#include "report/notice.h"
#include "report/pushgateway.h"

enum { OUT_MOST = 1024 * 1024, EVENT_MESSAGE_MOST = 1024 };

static const char HOLDER[] = "pod-1_7f";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_object(const struct json *value)
{
    auto_text struct text out = text_init(OUT_MOST);

    json_add(value, &out);
    return out.at[0] == '{';
}

/* What is in it after it has been to the API server and back. */
static struct json *sent_and_read(struct json *lease)
{
    auto_text struct text out = text_init(OUT_MOST);
    struct json *again;

    json_write(lease, false, &out);
    again = json_read(text_slice(&out));
    require(again != NULL);
    return again;
}

static void try_lease(struct slice bytes)
{
    struct json *lease = json_read(bytes);
    auto_text struct text before = text_init(OUT_MOST);
    auto_text struct text after = text_init(OUT_MOST);

    if (lease == NULL)
        return;
    require(lease_duration_ms(lease) >= 0);
    lease_claim(lease, HOLDER, 15, "2024-05-01T10:00:07.250000Z");
    lease = sent_and_read(lease);
    if (is_object(lease)) {
        require(strcmp(lease_holder(lease), HOLDER) == 0 && lease_duration_ms(lease) == 15000);
        lease_add_record(lease, &before);
        lease_claim(lease, HOLDER, 15, "2024-05-01T10:00:09.000000Z");
        lease_add_record(lease, &after);
        require(strcmp(before.at, after.at) != 0);
    }
    lease_give_back(lease, "2024-05-01T10:00:10.000000Z");
    lease = sent_and_read(lease);
    require(lease_holder(lease)[0] == '\0');
    json_free(lease);
}

static void require_url(const char *path)
{
    size_t slashes = 0;

    for (const char *at = path; *at != '\0'; at++) {
        require((unsigned char)*at > ' ' && (unsigned char)*at < 0x7F && strchr("\"'\\<>?#", *at) == NULL);
        slashes += *at == '/';
    }
    require(strncmp(path, "/metrics/job", strlen("/metrics/job")) == 0 && strstr(path, "//") == NULL &&
            strstr(path, "/./") == NULL && strstr(path, "/../") == NULL);
    /* "metrics", and then names with their values. */
    require(slashes % 2 == 1 && slashes >= 3 && path[strlen(path) - 1] != '/');
}

static void try_labels(const char *labels, const char *namespace)
{
    static const char origin[] = "https://push.example:9091/gate";
    auto_text struct text out = text_init(OUT_MOST);
    struct error err = { .class = ERROR_NONE };

    if (pushgateway_url(origin, labels, namespace, &out, &err)) {
        require(slice_starts_with(text_slice(&out), origin));
        require_url(out.at + strlen(origin));
    } else {
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
    }
}

static void try_event(enum notice notice, const struct progress *progress, const struct error *err,
                      const struct speaker *speaker)
{
    static const struct event_subject subject = {
        .api_version = "batch/v1", .kind = "Job", .name = "migrate", .namespace = "apps"
    };
    auto_text struct text out = text_init(OUT_MOST);
    auto_json struct json *event = NULL;
    const char *message;

    notice_event(&(const struct occurrence) { notice, progress, err, speaker, 1e9 }, &subject, &out);
    event = json_read(text_slice(&out));
    message = json_get_text(event, "message");
    require(message != NULL && message[0] != '\0');
    require(strlen(message) <= EVENT_MESSAGE_MOST);
}

/* The first text is the error's message, the second what stands everywhere else. */
static void try_notice(enum notice notice, const char *message, const char *other)
{
    struct progress progress = {
        .started_at = 1e9, .ended_at = 1e9, .database = other, .current = other, .latest = other
    };
    const struct speaker speaker = { .pod = other, .namespace = other };
    auto_text struct text out = text_init(OUT_MOST);
    auto_json struct json *body = NULL;
    struct error err;

    error_set(&err, ERROR_PARTIAL, "%s", message);
    if (other != NULL) {
        error_holds(&err, "%s", other);
        error_hint(&err, "%s", other);
        text_copy_cut(err.place.file, sizeof err.place.file, other);
        text_copy_cut(progress.in_the_way, sizeof progress.in_the_way, other);
        err.place.line = 1;
    }
    notice_webhook(&(const struct occurrence) { notice, &progress, notice == NOTICE_FAILED ? &err : NULL,
                                                &speaker, 1e9 },
                   &out);
    body = json_read(text_slice(&out));
    require(json_get_text(body, "text") != NULL && json_get_text(body, "event") != NULL);
    try_event(notice, &progress, notice == NOTICE_FAILED ? &err : NULL, &speaker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena struct arena *arena = arena_new();
    const char *first;
    const char *second;

    if (size == 0)
        return 0;
    /* Two texts with a NUL between, or one. */
    first = arena_copy(arena, (const char *)data + 1, size - 1);
    second = strlen(first) == size - 1 ? NULL : first + strlen(first) + 1;
    switch (data[0] % 6) {
    case 0:
        try_lease((struct slice) { .at = (const char *)data + 1, .length = size - 1 });
        break;
    case 1:
        try_labels(first, second);
        break;
    default:
        try_notice((enum notice)(data[0] % 6 - 2), first, second);
        break;
    }
    return 0;
}
