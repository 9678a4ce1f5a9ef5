#include "report/channel.h"

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

/* The first has been sent, or given up. */
static void drop_first(struct channel *channel)
{
    struct message *first = channel->first;

    exchange_end(steal(&channel->exchange));
    channel->first = first->next;
    channel->count--;
    channel->tries = 0;
    channel->attendant.due = channel->first == NULL ? deadline_never() : deadline_in(0);
    message_free(first);
}

static void give_up(struct channel *channel, const char *why)
{
    if (!channel->has_warned)
        log_warn("%s could not be told: %s; the deployment goes on without", channel->traits.name, why);
    else
        log_debug("%s could not be told: %s", channel->traits.name, why);
    channel->has_warned = true;
    drop_first(channel);
}

static void on_answer(void *context)
{
    struct channel *channel = context;

    channel->attendant.due = deadline_in(0);
}

static void try_once(struct channel *channel)
{
    const struct channel_traits *traits = &channel->traits;
    const struct message *message = channel->first;
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
        give_up(channel, err.message);
        return;
    }
    (void)snprintf(content_type, sizeof content_type, "Content-Type: %s", traits->content_type);
    channel->tries++;
    channel->attendant.due = message->until;
    channel->exchange = exchange_begin(&request, on_answer, channel);
}

/* What a person needs to know of an answer that is no success. */
static void describe(const struct answer *answer, struct text *out)
{
    if (answer->status == 0) {
        text_add_string(out, answer->why);
        return;
    }
    text_add_format(out, "it answered %ld%s", answer->status, answer->body.length == 0 ? "" : ": ");
    answer_add_said(answer, SAID_MOST, out);
}

static void judge(struct channel *channel)
{
    const struct answer *answer = exchange_answer(channel->exchange);
    int64_t pause = backoff_pause_ms(channel->tries, PAUSE_MOST_MS);
    auto_text struct text why = text_init(1024);

    if (answer_is_good(answer)) {
        drop_first(channel);
        return;
    }
    describe(answer, &why);
    if (answer->status == 403 && channel->traits.may_be_denied) {
        log_debug("%s could not be told: %s", channel->traits.name, why.at);
        drop_first(channel);
        return;
    }
    if (answer->retry_after_ms > pause)
        pause = answer->retry_after_ms;
    if (!answer_is_passing(answer) || deadline_left_ms(channel->first->until) <= pause) {
        give_up(channel, why.at);
        return;
    }
    exchange_end(steal(&channel->exchange));
    channel->attendant.due = deadline_in(pause);
}

static void turn(struct attendant *attendant)
{
    struct channel *channel = (struct channel *)(void *)attendant;

    if (channel->first == NULL)
        channel->attendant.due = deadline_never();
    else if (channel->exchange == NULL)
        try_once(channel);
    else if (exchange_is_done(channel->exchange))
        judge(channel);
    else if (deadline_passed(channel->first->until))
        give_up(channel, "no answer came in time");
}

void channel_open(struct channel *channel, const struct channel_traits *traits)
{
    *channel = (struct channel) { .attendant = { .fd = -1, .due = deadline_never(), .turn = turn },
                                  .traits = *traits };
    heartbeat_attend(&channel->attendant);
}

static struct message **end_of(struct channel *channel)
{
    struct message **at = &channel->first;

    while (*at != NULL)
        at = &(*at)->next;
    return at;
}

/* What waits behind the one that is being sent. */
static void forget_waiting(struct channel *channel)
{
    struct message **behind = channel->first == NULL ? &channel->first : &channel->first->next;

    while (*behind != NULL) {
        struct message *old = *behind;

        *behind = old->next;
        channel->count--;
        message_free(old);
    }
}

void channel_send(struct channel *channel, struct slice body, const char *header)
{
    struct message *message;

    if (channel->traits.url == NULL)
        return;
    if (channel->traits.is_newest_enough || channel->count >= MESSAGES_MOST)
        forget_waiting(channel);
    message = memory_new(1, sizeof *message);
    message->until = deadline_in(channel->traits.budget_ms);
    message->header = header == NULL ? NULL : memory_copy(header, strlen(header));
    message->body = memory_copy(body.at, body.length);
    message->length = body.length;
    *end_of(channel) = message;
    if (channel->count++ == 0)
        channel->attendant.due = deadline_in(0);
}

bool channel_is_busy(const struct channel *channel)
{
    return channel->first != NULL;
}

void channel_close(struct channel *channel)
{
    if (channel->traits.url == NULL)
        return;
    heartbeat_dismiss(&channel->attendant);
    forget_waiting(channel);
    if (channel->first != NULL)
        give_up(channel, "no answer came in time");
    channel->traits.url = NULL;
}
