#include "report/notice.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "report/failure_json.h"

enum { LINE_MOST = 4096, DETAIL_MOST = 4096, EVENT_MESSAGE_SIZE = 1024, SUBJECT_MOST = 239, TIME_SIZE = 32 };

static const struct {
    const char *color;  /* Slack's and Mattermost's, in hexadecimal */
    const char *style;  /* of an Adaptive Card's text */
    const char *type;   /* an Event's: Normal or Warning */
    const char *reason; /* … and why, in one word */
} LOOKS[] = {
    [NOTICE_STARTED] = { "#439fe0", "accent", "Normal", "MigrationsStarted" },
    [NOTICE_BLOCKED] = { "#daa038", "warning", "Warning", "MigrationBlocked" },
    [NOTICE_SUCCEEDED] = { "#2eb886", "good", "Normal", "MigrationsApplied" },
    [NOTICE_FAILED] = { "#a30200", "attention", "Warning", "MigrationFailed" },
};
_Static_assert(sizeof LOOKS / sizeof *LOOKS == NOTICES, "looks for every notice");

/* Text from a server or a script must not notify anybody: Slack treats "<!channel>" and "<@ID>" as people. */
static void call_nobody(struct text *text)
{
    for (char *at = strchr(text->at, '<'); at != NULL; at = strchr(at + 1, '<'))
        *at = at[1] == '!' || at[1] == '@' || at[1] == '#' ? '(' : '<';
}

static void add_database(const struct progress *progress, struct text *out)
{
    if (progress->database != NULL)
        text_add_format(out, " on \"%s\"", progress->database);
}

void notice_line(enum notice notice, const struct progress *progress, const struct error *err,
                 struct text *out)
{
    double seconds =
        (progress->ended_at > 0 ? progress->ended_at : clock_wall_seconds()) - progress->started_at;
    char took[32];

    text_add_string(out, "tidelock: ");
    switch (notice) {
    case NOTICE_STARTED:
        text_add_format(out, "%s %zu migration%s", progress->goes_back ? "rolling back" : "applying",
                        progress->due, text_plural(progress->due));
        break;
    case NOTICE_BLOCKED:
        text_add_format(out, "%s is blocked", progress->current == NULL ? "a migration" : progress->current);
        break;
    case NOTICE_SUCCEEDED:
        text_add_format(out, "%s %zu migration%s in %s", progress->goes_back ? "rolled back" : "applied",
                        progress->applied, text_plural(progress->applied),
                        duration_text((int64_t)(seconds * 1000), took, sizeof took));
        break;
    case NOTICE_FAILED:
    case NOTICES:
        text_add_format(out, "the %s failed (exit %d)", progress->goes_back ? "rollback" : "deployment",
                        progress->exit_code);
        break;
    }
    add_database(progress, out);
    if (notice == NOTICE_BLOCKED && progress->in_the_way[0] != '\0')
        text_add_format(out, ": %s", progress->in_the_way);
    if (notice == NOTICE_FAILED && err != NULL)
        text_add_format(out, ": %s", err->message);
    redact_text(out);
    call_nobody(out);
}

/* Details in addition to the line. */
static void add_detail(const struct error *err, struct text *out)
{
    if (err == NULL)
        return;
    if (err->place.line > 0)
        text_add_format(out, "At %s:%zu:%zu.\n", err->place.file, err->place.line, err->place.column);
    if (err->is_detail_public)
        text_add_format(out, "%s\n", err->detail);
    if (err->holds[0] != '\0')
        text_add_format(out, "The database now: %s\n", err->holds);
    if (err->hint[0] != '\0')
        text_add_format(out, "Next: %s\n", err->hint);
    redact_text(out);
    call_nobody(out);
}

static void format_time(double seconds, char out[TIME_SIZE])
{
    clock_format_utc((int64_t)seconds, "%Y-%m-%dT%H:%M:%SZ", out, TIME_SIZE);
}

/* A headline if there is a `color`, else plain. */
static struct json *text_block(const char *text, const char *color)
{
    struct json *block = json_new_object();

    json_set_text(block, "type", "TextBlock");
    json_set_text(block, "text", text);
    json_set_bool(block, "wrap", true);
    if (color != NULL) {
        json_set_text(block, "weight", "Bolder");
        json_set_text(block, "color", color);
    }
    return block;
}

/* One attachment in which each service finds its own part. */
static struct json *attachment(enum notice notice, const char *line, const char *detail)
{
    struct json *object = json_new_object();
    struct json *card = json_new_object();
    struct json *body = json_new_array();

    json_set_text(object, "color", LOOKS[notice].color);
    json_set_text(object, "fallback", line);
    json_set_text(object, "text", detail);
    json_set_text(object, "contentType", "application/vnd.microsoft.card.adaptive");
    json_set_text(card, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json_set_text(card, "type", "AdaptiveCard");
    json_set_text(card, "version", "1.2");
    json_append(body, text_block(line, LOOKS[notice].style));
    if (detail[0] != '\0')
        json_append(body, text_block(detail, NULL));
    json_set(card, "body", body);
    json_set(object, "content", card);
    return object;
}

void notice_webhook(const struct occurrence *what, struct text *out)
{
    const struct progress *progress = what->progress;
    auto_text struct text line = text_init(LINE_MOST);
    auto_text struct text detail = text_init(DETAIL_MOST);
    struct json *object = json_new_object();
    struct json *attachments = json_new_array();
    char time[TIME_SIZE];

    notice_line(what->notice, what->progress, what->err, &line);
    add_detail(what->err, &detail);
    format_time(what->now, time);
    json_set_text(object, "text", line.at);
    json_append(attachments, attachment(what->notice, line.at, detail.at));
    json_set(object, "attachments", attachments);
    json_set_text(object, "event", NOTICE_NAMES[what->notice]);
    json_set_text(object, "time", time);
    failure_json_set_text(object, "database", progress->database, FAILURE_JSON_MOST);
    failure_json_set_text(object, "pod", what->speaker->pod, FAILURE_JSON_MOST);
    failure_json_set_text(object, "namespace", what->speaker->namespace, FAILURE_JSON_MOST);
    failure_json_set_text(object, "migration", progress->latest, FAILURE_JSON_MOST);
    if (what->notice == NOTICE_SUCCEEDED || what->notice == NOTICE_FAILED)
        json_set_number(object, "exit_code", progress->exit_code);
    json_set_number(object, progress->goes_back ? "rolled_back" : "applied", (int64_t)progress->applied);
    if (progress->is_compared)
        json_set_number(object, "pending", (int64_t)progress_pending(progress));
    json_set_number(object, "duration_ms", (int64_t)((what->now - progress->started_at) * 1000));
    if (what->notice == NOTICE_BLOCKED)
        failure_json_set_text(object, "in_the_way", progress->in_the_way, FAILURE_JSON_MOST);
    failure_json_set(object, what->err, FAILURE_JSON_MOST);
    json_write(object, false, out);
}

static struct json *subject_json(const struct event_subject *subject)
{
    struct json *object = json_new_object();

    json_set_text(object, "apiVersion", subject->api_version);
    json_set_text(object, "kind", subject->kind);
    json_set_text(object, "name", subject->name);
    json_set_text(object, "namespace", subject->namespace);
    if (subject->uid != NULL)
        json_set_text(object, "uid", subject->uid);
    return object;
}

/* The subject's name and something that differs; at most 253 characters, and its parts end in a letter or
 * digit (Kubernetes documentation, "Object Names and IDs"). */
static struct json *event_metadata(const struct event_subject *subject)
{
    struct json *metadata = json_new_object();
    auto_text struct text name = text_init(SUBJECT_MOST + UUID_SIZE);
    size_t length = strlen(subject->name);
    char uuid[UUID_SIZE];

    if (length > SUBJECT_MOST)
        length = SUBJECT_MOST;
    while (length > 0 && (subject->name[length - 1] == '-' || subject->name[length - 1] == '.'))
        length--;
    random_uuid(uuid);
    text_add_format(&name, "%.*s.%.13s", (int)length, subject->name, uuid);
    json_set_text(metadata, "name", name.at);
    json_set_text(metadata, "namespace", subject->namespace);
    return metadata;
}

void notice_event(const struct occurrence *what, const struct event_subject *subject, struct text *out)
{
    auto_text struct text message = text_init(LINE_MOST + DETAIL_MOST);
    auto_text struct text detail = text_init(DETAIL_MOST);
    struct json *event = json_new_object();
    struct json *source = json_new_object();
    auto_text struct text valid = text_init((size_t)3 * (LINE_MOST + DETAIL_MOST));
    char cut[EVENT_MESSAGE_SIZE];
    char time[TIME_SIZE];

    notice_line(what->notice, what->progress, what->err, &message);
    add_detail(what->err, &detail);
    if (detail.length > 0)
        text_add_format(&message, "\n%s", detail.at);
    text_add_valid(&valid, message.at, message.length);
    text_copy_cut(cut, sizeof cut, valid.at);
    format_time(what->now, time);
    json_set_text(event, "apiVersion", "v1");
    json_set_text(event, "kind", "Event");
    json_set(event, "metadata", event_metadata(subject));
    json_set(event, "involvedObject", subject_json(subject));
    json_set_text(event, "type", LOOKS[what->notice].type);
    json_set_text(event, "reason", LOOKS[what->notice].reason);
    json_set_text(event, "message", cut);
    json_set_text(event, "firstTimestamp", time);
    json_set_text(event, "lastTimestamp", time);
    json_set_number(event, "count", 1);
    json_set_text(source, "component", "tidelock");
    json_set(event, "source", source);
    json_set_text(event, "reportingComponent", "tidelock");
    json_set_text(event, "reportingInstance", what->speaker->pod == NULL ? "tidelock" : what->speaker->pod);
    json_write(event, false, out);
}
