#include "report/outbox.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/trust.h"

enum { MESSAGES_MOST = 8, TRY_MOST_MS = 5000, PAUSE_MOST_MS = 3000, SAID_MOST = 120 };

struct message {
    struct message *next;
    struct deadline until; /* nothing is sent after this */
    char *header;          /* or NULL */
    size_t length;
    char *body;
};

static void message_free(struct message *message)
{
    if (message->header != NULL)
        memory_wipe(message->header, strlen(message->header));
    memory_free(message->header);
    memory_free(message->body);
    memory_free(message);
}

/* Removes the first message, which was sent or given up. */
static void drop_first(struct outbox *outbox)
{
    struct message *first = outbox->first;

    exchange_end(steal(&outbox->exchange));
    outbox->first = first->next;
    outbox->count--;
    outbox->tries = 0;
    outbox->attendant.due = outbox->first == NULL ? deadline_never() : deadline_in(0);
    message_free(first);
}

static void give_up(struct outbox *outbox, const char *why)
{
    if (!outbox->has_warned)
        log_warn("could not notify %s: %s; continuing without it", outbox->traits.name, why);
    else
        log_debug("%s could not be told: %s", outbox->traits.name, why);
    outbox->has_warned = true;
    drop_first(outbox);
}

static void on_answer(void *context)
{
    struct outbox *outbox = context;

    outbox->attendant.due = deadline_in(0);
}

static void try_once(struct outbox *outbox)
{
    const struct outbox_traits *traits = &outbox->traits;
    const struct message *message = outbox->first;
    int64_t left = deadline_left_ms(message->until);
    char content_type[128];
    const char *headers[] = { content_type, message->header, NULL };
    struct request request = { .method = traits->method,
                               .url = traits->url,
                               .headers = headers,
                               .body = { message->body, message->length },
                               .ca_file = traits->ca_file,
                               .timeout_ms = left < TRY_MOST_MS ? left : TRY_MOST_MS,
                               .redirects = traits->redirects,
                               .is_direct = traits->is_direct };
    struct error err;

    if (!trust_complete(&request, &err)) {
        give_up(outbox, err.message);
        return;
    }
    (void)snprintf(content_type, sizeof content_type, "Content-Type: %s", traits->content_type);
    outbox->tries++;
    outbox->attendant.due = message->until;
    outbox->exchange = exchange_begin(&request, on_answer, outbox);
}

/* What a person needs to know about a failed request. */
static void describe(const struct answer *answer, struct text *out)
{
    if (answer->status == 0) {
        text_add_string(out, answer->why);
        return;
    }
    text_add_format(out, "it answered with status %ld%s", answer->status,
                    answer->body.length == 0 ? "" : ": ");
    answer_add_said(answer, SAID_MOST, out);
}

static void judge(struct outbox *outbox)
{
    const struct answer *answer = exchange_answer(outbox->exchange);
    int64_t pause = backoff_pause_ms(outbox->tries, PAUSE_MOST_MS);
    auto_text struct text why = text_init(1024);

    if (answer_is_good(answer)) {
        drop_first(outbox);
        return;
    }
    describe(answer, &why);
    if (answer->status == 403 && outbox->traits.may_be_denied) {
        log_debug("%s could not be told: %s", outbox->traits.name, why.at);
        drop_first(outbox);
        return;
    }
    if (answer->retry_after_ms > pause)
        pause = answer->retry_after_ms;
    if (!answer_is_passing(answer) || deadline_left_ms(outbox->first->until) <= pause) {
        give_up(outbox, why.at);
        return;
    }
    exchange_end(steal(&outbox->exchange));
    outbox->attendant.due = deadline_in(pause);
}

static void turn(struct attendant *attendant)
{
    struct outbox *outbox = (struct outbox *)(void *)attendant;

    if (outbox->first == NULL)
        outbox->attendant.due = deadline_never();
    else if (outbox->exchange == NULL)
        try_once(outbox);
    else if (exchange_is_done(outbox->exchange))
        judge(outbox);
    else if (deadline_passed(outbox->first->until))
        give_up(outbox, "no answer came in time");
}

void outbox_open(struct outbox *outbox, const struct outbox_traits *traits)
{
    *outbox = (struct outbox) { .attendant = { .fd = -1, .due = deadline_never(), .turn = turn },
                                .traits = *traits };
    event_loop_attend(&outbox->attendant);
}

static struct message **end_of(struct outbox *outbox)
{
    struct message **at = &outbox->first;

    while (*at != NULL)
        at = &(*at)->next;
    return at;
}

/* Drops the messages after the one being sent. */
static void forget_waiting(struct outbox *outbox)
{
    struct message **behind = outbox->first == NULL ? &outbox->first : &outbox->first->next;

    while (*behind != NULL) {
        struct message *old = *behind;

        *behind = old->next;
        outbox->count--;
        message_free(old);
    }
}

void outbox_send(struct outbox *outbox, struct slice body, const char *header)
{
    struct message *message;

    if (outbox->traits.url == NULL)
        return;
    if (outbox->traits.is_newest_enough || outbox->count >= MESSAGES_MOST)
        forget_waiting(outbox);
    message = memory_new(1, sizeof *message);
    message->until = deadline_in(outbox->traits.budget_ms);
    message->header = header == NULL ? NULL : memory_copy(header, strlen(header));
    message->body = memory_copy(body.at, body.length);
    message->length = body.length;
    *end_of(outbox) = message;
    if (outbox->count++ == 0)
        outbox->attendant.due = deadline_in(0);
}

bool outbox_is_busy(const struct outbox *outbox)
{
    return outbox->first != NULL;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox->traits.url == NULL)
        return;
    event_loop_dismiss(&outbox->attendant);
    forget_waiting(outbox);
    if (outbox->first != NULL)
        give_up(outbox, "no answer came in time");
    outbox->traits.url = NULL;
}
