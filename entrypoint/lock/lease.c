#include "lock/lease.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/parting.h"
#include "base/random.h"

enum {
    URL_MOST = 2048,
    BODY_MOST = 64 * 1024,
    CALL_MOST_MS = 5000,
    GIVE_BACK_MS = 2000,
    SOON_MS = 100,
    HEADERS = 4
};

/* As client-go's: 15 s, 10 s, 2 s, and in proportion. */
static int64_t renew_within_ms(const struct lease *lease)
{
    return lease->duration_ms * 2 / 3;
}

static int64_t retry_every_ms(const struct lease *lease)
{
    return lease->duration_ms * 2 / 15;
}

static int64_t call_ms(const struct lease *lease)
{
    int64_t half = renew_within_ms(lease) / 2;

    return half < CALL_MOST_MS ? half : CALL_MOST_MS;
}

static const char *now_text(char out[LEASE_TIME_SIZE])
{
    lease_time(clock_wall_seconds(), out);
    return out;
}

static void add_collection(const struct lease *lease, struct text *out)
{
    kubernetes_add_url(&lease->kubernetes, "apis/coordination.k8s.io/v1", "leases", out);
}

/* For both requests together; 0 would mean for ever. */
static int64_t ending_ms(const struct lease *lease)
{
    int64_t left = deadline_left_ms(lease->ending_until);

    return left > 0 ? left : 1;
}

/* The common parts of a request; `headers` is the caller's array. */
static bool compose(struct lease *lease, const char *method, const char **headers, struct request *out,
                    struct error *err)
{
    headers[0] = kubernetes_authorization(&lease->kubernetes, err);
    headers[1] = "Accept: application/json";
    headers[2] = "Content-Type: application/json";
    headers[3] = NULL;
    *out = (struct request) { .method = method,
                              .url = lease->url,
                              .headers = headers,
                              .ca_file = lease->kubernetes.ca_file,
                              .timeout_ms = lease->is_ending ? ending_ms(lease) : call_ms(lease),
                              .is_parting = lease->is_ending,
                              .is_direct = true };
    return headers[0] != NULL;
}

/* Remembers what was read; a change restarts its holder's time. */
static void see(struct lease *lease, struct json *object)
{
    auto_text struct text record = text_init(BODY_MOST);
    char hash[SHA256_HEX_SIZE];

    json_free(lease->object);
    lease->object = object;
    lease_add_record(object, &record);
    sha256_of(text_slice(&record), hash);
    if (strcmp(hash, lease->record) == 0)
        return;
    text_copy_cut(lease->record, sizeof lease->record, hash);
    lease->others_until = deadline_in(lease_duration_ms(object));
}

static bool is_free(const struct lease *lease)
{
    return lease_holder(lease->object)[0] == '\0' || deadline_passed(lease->others_until);
}

static bool is_mine(const struct lease *lease)
{
    return strcmp(lease_holder(lease->object), lease->identity) == 0;
}

/* Tells requests that will never be granted from those that may succeed next time. */
static enum lease_answer refused(struct lease *lease, const struct answer *answer, const char *verb,
                                 struct error *err)
{
    char reason[REASON_SIZE];

    kubernetes_reason(answer, reason);
    if (answer->status == 401)
        kubernetes_forget_token(&lease->kubernetes);
    if (answer_is_passing(answer) || answer->status < 400 || answer->status == 401 || answer->status == 408 ||
        answer->status == 409) {
        text_copy_cut(lease->said, sizeof lease->said, reason);
        return LEASE_HELD;
    }
    error_set(err, ERROR_USAGE, "the API server refused to %s the Lease \"%s\": %s", verb, lease->name,
              reason);
    if (answer->status == 403)
        error_hint(err,
                   "Bind the pod's service account to a Role with create on leases (coordination.k8s.io), "
                   "and get and update on the one named \"%s\".",
                   lease->name);
    return LEASE_UNKNOWN;
}

struct api_call {
    const char *method;
    const char *url;
    struct json *object; /* or NULL; taken over */
};

/* Sends it and waits; only a signal counts as a failure. */
static bool call(struct lease *lease, const struct api_call *what, struct answer *answer, struct error *err)
{
    const char *headers[HEADERS];
    auto_text struct text body = text_init(BODY_MOST);
    struct request request;

    if (what->object != NULL)
        json_write(what->object, false, &body);
    if (!compose(lease, what->method, headers, &request, err))
        return false;
    request.url = what->url;
    request.body = text_slice(&body);
    return http_call(&request, answer, err) || err->class != ERROR_INTERRUPTED;
}

static struct json *copy_of(const struct json *object)
{
    auto_text struct text bytes = text_init(BODY_MOST);

    json_add(object, &bytes);
    return json_read(text_slice(&bytes));
}

static void say_holder(struct lease *lease)
{
    (void)snprintf(lease->said, sizeof lease->said, "held by %s", lease_holder(lease->object));
}

/* Reads it. LEASE_FREE also when there is none yet: then `object` is NULL. */
static enum lease_answer read_object(struct lease *lease, struct error *err)
{
    auto_answer struct answer answer = { .status = 0 };
    struct json *object;

    if (!call(lease, &(const struct api_call) { "GET", lease->url, NULL }, &answer, err))
        return LEASE_UNKNOWN;
    if (answer.status == 404) {
        json_free(lease->object);
        lease->object = NULL;
        return LEASE_FREE;
    }
    if (answer.status != 200)
        return refused(lease, &answer, "read", err);
    object = json_read(text_slice(&answer.body));
    if (object == NULL) {
        text_copy_cut(lease->said, sizeof lease->said, "what the API server answers is no JSON");
        return LEASE_HELD;
    }
    see(lease, object);
    if (is_free(lease))
        return LEASE_FREE;
    say_holder(lease);
    return LEASE_HELD;
}

static void hold(struct lease *lease, struct json *object, struct deadline ours_until)
{
    see(lease, object);
    lease->is_held = true;
    lease->ours_until = ours_until;
    lease->attendant.due = deadline_in(retry_every_ms(lease));
    event_loop_attend(&lease->attendant);
}

static bool is_ours(const struct lease *lease)
{
    return lease->is_held && !lease->is_lost && !deadline_passed(lease->ours_until);
}

/* A Lease that was lost while it protected nothing can be taken again. */
static void forget(struct lease *lease)
{
    event_loop_dismiss(&lease->attendant);
    exchange_end(steal(&lease->exchange));
    lease->is_held = lease->is_lost = false;
}

enum lease_answer lease_try(struct lease *lease, struct error *err)
{
    struct deadline ours_until = deadline_in(renew_within_ms(lease));
    auto_answer struct answer answer = { .status = 0 };
    auto_text struct text url = text_init(URL_MOST);
    char now[LEASE_TIME_SIZE];
    enum lease_answer seen;
    struct json *wanted;
    struct json *object;
    long good;

    if (lease->name == NULL || is_ours(lease))
        return LEASE_TAKEN;
    forget(lease);
    seen = read_object(lease, err);
    if (seen != LEASE_FREE)
        return seen;
    good = lease->object == NULL ? 201 : 200;
    add_collection(lease, &url);
    if (lease->object == NULL) {
        wanted = lease_new(lease->kubernetes.namespace, lease->name, lease->identity,
                           lease->duration_ms / 1000, now_text(now));
    } else {
        wanted = copy_of(lease->object);
        lease_claim(wanted, lease->identity, lease->duration_ms / 1000, now_text(now));
    }
    if (!call(lease,
              &(const struct api_call) { good == 201 ? "POST" : "PUT", good == 201 ? url.at : lease->url,
                                         wanted },
              &answer, err))
        return LEASE_UNKNOWN;
    if (answer.status != good)
        return refused(lease, &answer, good == 201 ? "create" : "update", err);
    object = json_read(text_slice(&answer.body));
    if (object == NULL) {
        text_copy_cut(lease->said, sizeof lease->said, "what the API server answers is no JSON");
        return LEASE_HELD;
    }
    hold(lease, object, ours_until);
    log_info("holding the Lease %s/%s as %s", lease->kubernetes.namespace, lease->name, lease->identity);
    return LEASE_TAKEN;
}

enum lease_answer lease_look(struct lease *lease, struct error *err)
{
    return lease->name == NULL || is_ours(lease) ? LEASE_TAKEN : read_object(lease, err);
}

static void lose(struct lease *lease, const char *why)
{
    lease->is_lost = true;
    text_copy_cut(lease->said, sizeof lease->said, why);
    lease->attendant.due = deadline_never();
    exchange_end(steal(&lease->exchange));
    log_warn("the Lease %s/%s is lost: %s", lease->kubernetes.namespace, lease->name, why);
    lease->lost(lease->context);
}

static void on_answer(void *context)
{
    struct lease *lease = context;

    lease->attendant.due = deadline_in(0);
}

/* Reads what happened if `is_reading`, renews otherwise. */
static void ask(struct lease *lease, bool is_reading)
{
    const char *headers[HEADERS];
    auto_text struct text body = text_init(BODY_MOST);
    char now[LEASE_TIME_SIZE];
    struct request request;
    struct error err;

    lease->attendant.due = deadline_earlier(deadline_in(retry_every_ms(lease)), lease->ours_until);
    if (!compose(lease, is_reading ? "GET" : "PUT", headers, &request, &err)) {
        log_warn("could not renew the Lease: %s", err.message);
        return;
    }
    if (!is_reading) {
        struct json *wanted = copy_of(lease->object);

        lease_claim(wanted, lease->identity, lease->duration_ms / 1000, now_text(now));
        json_write(wanted, false, &body);
        request.body = text_slice(&body);
    }
    lease->is_reading = is_reading;
    lease->asked = deadline_in(renew_within_ms(lease));
    lease->attendant.due = lease->ours_until;
    lease->exchange = exchange_begin(&request, on_answer, lease);
}

static void warn_once(struct lease *lease, const struct answer *answer)
{
    char reason[REASON_SIZE];

    kubernetes_reason(answer, reason);
    if (!lease->has_warned)
        log_warn("could not renew the Lease %s/%s, retrying: %s", lease->kubernetes.namespace, lease->name,
                 reason);
    lease->has_warned = true;
}

static void rest(struct lease *lease, int64_t at_least_ms)
{
    int64_t ms = retry_every_ms(lease);

    lease->attendant.due =
        deadline_earlier(deadline_in(at_least_ms > ms ? at_least_ms : ms), lease->ours_until);
}

/* Judges what was read after a failed renewal: still ours, or another's. */
static void judge_reading(struct lease *lease, const struct answer *answer)
{
    struct json *object = answer->status == 200 ? json_read(text_slice(&answer->body)) : NULL;
    char why[LEASE_SAID_SIZE];

    if (answer->status == 404) {
        lose(lease, "it was deleted");
        return;
    }
    if (object == NULL) {
        warn_once(lease, answer);
        rest(lease, answer->retry_after_ms);
        return;
    }
    see(lease, object);
    if (is_mine(lease)) {
        lease->attendant.due = deadline_in(SOON_MS);
        return;
    }
    (void)snprintf(why, sizeof why, "it is held by \"%s\"", lease_holder(lease->object));
    lose(lease, why);
}

static void judge_renewal(struct lease *lease, const struct answer *answer)
{
    struct json *object = answer->status == 200 ? json_read(text_slice(&answer->body)) : NULL;

    if (object != NULL) {
        see(lease, object);
        lease->ours_until = lease->asked;
        lease->has_warned = false;
        rest(lease, 0);
        return;
    }
    /* A PUT on a deleted object creates it again, for whoever comes first. */
    if (answer->status == 201 || answer->status == 404) {
        lose(lease, "it was deleted");
        return;
    }
    if (answer->status == 409) {
        ask(lease, true);
        return;
    }
    if (answer->status == 401)
        kubernetes_forget_token(&lease->kubernetes);
    warn_once(lease, answer);
    rest(lease, answer->retry_after_ms);
}

static void turn(struct attendant *attendant)
{
    struct lease *lease = (struct lease *)(void *)attendant;

    if (lease->exchange != NULL && exchange_is_done(lease->exchange)) {
        /* The judging functions may begin the next request. */
        struct exchange *finished = steal(&lease->exchange);

        if (lease->is_reading)
            judge_reading(lease, exchange_answer(finished));
        else
            judge_renewal(lease, exchange_answer(finished));
        exchange_end(finished);
    }
    if (lease->is_lost)
        return;
    if (deadline_passed(lease->ours_until))
        lose(lease, "it could not be renewed in time");
    else if (lease->exchange == NULL && deadline_passed(lease->attendant.due))
        ask(lease, false);
}

bool lease_begin(struct lease *lease, const struct config *config, void (*lost)(void *context), void *context,
                 struct error *err)
{
    auto_text struct text url = text_init(URL_MOST);
    char pod[POD_NAME_SIZE];
    char uuid[UUID_SIZE];

    *lease = (struct lease) { .attendant = { .fd = -1, .due = deadline_never(), .turn = turn },
                              .duration_ms = config->lease_duration_ms / 1000 * 1000,
                              .lost = lost,
                              .context = context };
    if (config->lease == NULL)
        return true;
    if (strspn(config->lease, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(config->lease)) {
        error_set(err, ERROR_USAGE, "\"%s\" is not a valid name for a Lease", config->lease);
        return error_hint(err, "Use only lower-case letters, digits, \"-\" and \".\".");
    }
    if (!kubernetes_find(config, &lease->kubernetes, err))
        return error_context(err, "reading the Lease \"%s\"", config->lease);
    lease->name = config->lease;
    pod_name(pod);
    random_uuid(uuid);
    /* A restarted container must not mistake itself for the one before. */
    (void)snprintf(lease->identity, sizeof lease->identity, "%s_%s", pod, uuid);
    add_collection(lease, &url);
    text_add_format(&url, "/%s", lease->name);
    lease->url = memory_copy(url.at, url.length);
    return true;
}

bool lease_check(const struct lease *lease, struct error *err)
{
    if (lease->name == NULL || is_ours(lease))
        return true;
    error_set(err, ERROR_LEADER, "the Lease %s/%s was lost: %s", lease->kubernetes.namespace, lease->name,
              lease->is_lost ? lease->said : "it could not be renewed in time");
    return error_hint(err, "Deploy again. See who leads: kubectl -n %s describe lease %s",
                      lease->kubernetes.namespace, lease->name);
}

void lease_describe(const struct lease *lease, struct text *out)
{
    text_add_format(out, "the Lease %s/%s: %s", lease->kubernetes.namespace, lease->name, lease->said);
}

int64_t lease_pause_ms(const struct lease *lease)
{
    int64_t every = retry_every_ms(lease);

    return every + (int64_t)random_below((uint64_t)(every * 6 / 5));
}

static void give_back(struct lease *lease)
{
    auto_answer struct answer answer = { .status = 0 };
    auto_text struct text body = text_init(BODY_MOST);
    const char *headers[HEADERS];
    char now[LEASE_TIME_SIZE];
    struct request request;
    struct error err;
    bool is_sent;

    lease_give_back(lease->object, now_text(now));
    json_add(lease->object, &body);
    is_sent = compose(lease, "PUT", headers, &request, &err);
    request.body = text_slice(&body);
    if (!is_sent || !http_call(&request, &answer, &err) || answer.status != 200)
        log_info("could not release the Lease %s/%s: it will expire within %lld s",
                 lease->kubernetes.namespace, lease->name, (long long)lease->duration_ms / 1000);
}

void lease_end(struct lease *lease)
{
    bool was_renewing = lease->exchange != NULL;
    int64_t began = clock_now_ms();

    lease->is_ending = true;
    lease->ending_until = deadline_in(GIVE_BACK_MS);
    event_loop_dismiss(&lease->attendant);
    exchange_end(steal(&lease->exchange));
    if (is_ours(lease)) {
        struct error ignored;

        /* A renewal in progress may have succeeded: then its result is what must be released. */
        if (was_renewing && read_object(lease, &ignored) == LEASE_UNKNOWN)
            log_debug("could not read the Lease: %s", ignored.message);
        if (lease->object != NULL && is_mine(lease))
            give_back(lease);
    }
    lease->is_held = false;
    json_free(steal(&lease->object));
    memory_free(steal(&lease->url));
    parting_spend(clock_now_ms() - began);
}
