#include "http/request.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "http/engine.h"

enum { CONNECT_MOST_MS = 5000 };

/* For TLS 1.2, only ciphers with forward secrecy and authentication; TLS 1.3 has no others. */
static const char CIPHERS[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static const char *introduction = "tidelock";

static void on_finished(void *private, CURLcode code);

struct exchange {
    CURL *easy;
    struct curl_slist *headers;
    struct answer answer;
    struct deadline until;
    char said[CURL_ERROR_SIZE];
    char *url;
    void (*done)(void *context);
    void *context;
    size_t answer_most;
    int redirects;
    int redirects_most;
    bool is_done;
    bool is_ipv4_only; /* the second attempt: IPv4 alone */
};

void http_introduce(const char *agent)
{
    introduction = agent;
}

void http_origin(const char *url, struct text *out)
{
    bool is_plain = strncmp(url, "http://", 7) == 0;
    const char *host = url + (is_plain ? 7 : 8);
    const char *at;
    size_t length;

    if (!is_plain && strncmp(url, "https://", 8) != 0) {
        text_add_string(out, "an invalid URL");
        return;
    }
    length = strcspn(host, "/?#");
    at = memrchr(host, '@', length);
    text_add(out, url, (size_t)(host - url));
    if (at != NULL) {
        length -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    text_add(out, host, length);
}

void http_add_escaped(struct slice bytes, struct text *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < bytes.length; i++) {
        if (memchr(plain, bytes.at[i], sizeof plain - 1) != NULL)
            text_add(out, bytes.at + i, 1);
        else
            text_add_format(out, "%%%02X", (unsigned char)bytes.at[i]);
    }
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;

    text_add(&exchange->answer.body, bytes, length);
    return exchange->answer.body.has_overflowed ? 0 : length;
}

/* On one line, without the server's line ends. */
static void say_why(struct exchange *exchange, CURLcode code)
{
    const char *said = exchange->said[0] != '\0' ? exchange->said : curl_easy_strerror(code);
    auto_text struct text why = text_init(2048);

    http_origin(exchange->url, &why);
    text_add_string(&why, ": ");
    if (exchange->answer.body.has_overflowed)
        text_add_format(&why, "the response is larger than %zu bytes", exchange->answer.body.most);
    else
        text_add_shown(&why, said, 0);
    text_copy_cut(exchange->answer.why, sizeof exchange->answer.why, why.at);
}

/* The host of a URL, or NULL if it cannot be read; to be freed with curl_free(). */
static char *host_of(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;

    if (parts == NULL)
        memory_exhausted();
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
        (void)curl_url_get(parts, CURLUPART_HOST, &host, 0);
    curl_url_cleanup(parts);
    return host;
}

/* libcurl sends the login of a URL as a header, which servers like to repeat. */
static void register_login(const char *url)
{
    CURLU *parts = curl_url();
    char *user = NULL;
    char *password = NULL;

    if (parts == NULL)
        memory_exhausted();
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        (void)curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE);
        (void)curl_url_get(parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
    }
    if (user != NULL || password != NULL)
        redact_register_login(slice_of(user == NULL ? "" : user), slice_of(password == NULL ? "" : password));
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(parts);
}

/* A token in a header, and whatever is in the body, is for the host that was asked, and for nobody on the
 * way. */
static bool is_same_host_over_https(const char *asked, const char *target)
{
    char *from = host_of(asked);
    char *to = host_of(target);
    bool is_same = from != NULL && to != NULL && strcasecmp(from, to) == 0;

    curl_free(from);
    curl_free(to);
    return is_same && strncasecmp(target, "https://", 8) == 0;
}

/* Sends the request again to where the answer points, if that may be followed; else there is no answer. */
static bool follow(struct exchange *exchange)
{
    auto_text struct text why = text_init(2048);
    char *target = NULL;

    if (exchange->redirects_most == 0 ||
        curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &target) != CURLE_OK || target == NULL)
        return false;
    if (exchange->redirects < exchange->redirects_most && is_same_host_over_https(exchange->url, target) &&
        !deadline_passed(exchange->until)) {
        exchange->redirects++;
        text_clear(&exchange->answer.body);
        exchange->answer.body = text_init(exchange->answer_most);
        exchange->answer.body.is_secret = true;
        (void)curl_easy_setopt(exchange->easy, CURLOPT_URL, target);
        (void)curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS,
                               (long)deadline_left_ms(exchange->until) + 1);
        engine_add(exchange->easy, on_finished);
        return true;
    }
    http_origin(exchange->url, &why);
    text_add_string(&why, exchange->redirects < exchange->redirects_most
                              ? ": redirects to another host or to http, which is not followed"
                              : ": redirects too often");
    text_copy_cut(exchange->answer.why, sizeof exchange->answer.why, why.at);
    return false;
}

static void on_finished(void *private, CURLcode code)
{
    struct exchange *exchange = private;
    curl_off_t seconds = 0;

    engine_remove(exchange->easy);
    /* musl asks for IPv4 and IPv6, and a name server that answers badly for IPv6 makes the whole lookup
     * fail. */
    if (code == CURLE_COULDNT_RESOLVE_HOST && !exchange->is_ipv4_only && !deadline_passed(exchange->until)) {
        exchange->is_ipv4_only = true;
        (void)curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
        (void)curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS,
                               (long)deadline_left_ms(exchange->until) + 1);
        engine_add(exchange->easy, on_finished);
        return;
    }
    if (code == CURLE_OK && follow(exchange))
        return;
    if (code == CURLE_OK && exchange->answer.why[0] == '\0') {
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->answer.status);
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &seconds);
        exchange->answer.retry_after_ms = seconds > 0 && seconds < 24 * 60 * 60 ? seconds * 1000 : 0;
    } else if (code != CURLE_OK) {
        say_why(exchange, code);
    }
    exchange->is_done = true;
    if (exchange->done != NULL)
        exchange->done(exchange->context);
}

static void add_header(struct exchange *exchange, const char *header)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, header);

    if (longer == NULL)
        memory_exhausted();
    exchange->headers = longer;
}

static void prepare_security(CURL *easy, const struct request *request)
{
    /* libcurl would take all headers but two to any host it is redirected to: follow() decides. */
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, CIPHERS);
    (void)curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file == NULL ? "" : request->ca_file);
    (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (request->is_direct)
        (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    if (request->aws_scope != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, request->aws_scope);
        (void)curl_easy_setopt(easy, CURLOPT_USERPWD, request->aws_key);
    }
}

static void prepare(struct exchange *exchange, const struct request *request)
{
    CURL *easy = exchange->easy;
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 1; /* 0 would mean no limit */
    int64_t connect_ms = timeout_ms < CONNECT_MOST_MS ? timeout_ms : CONNECT_MOST_MS;

    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, introduction);
    if (strcmp(request->method, "GET") != 0) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.length);
        (void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                               request->body.at == NULL ? "" : request->body.at);
    }
    /* libcurl before 8.3 would sign headers that it does not send, and AWS refuses that. */
    if (request->aws_scope == NULL)
        add_header(exchange, "Expect:");
    for (const char *const *header = request->headers; header != NULL && *header != NULL; header++)
        add_header(exchange, *header);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    prepare_security(easy, request);
    /* No signal of ours interrupts a lookup, and cancelling one does not wait for its thread. */
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->said);
}

struct exchange *exchange_begin(const struct request *request, void (*done)(void *context), void *context)
{
    struct exchange *exchange = memory_new(1, sizeof *exchange);
    size_t most = request->answer_most == 0 ? (size_t)ANSWER_STANDARD_MOST : request->answer_most;

    register_login(request->url);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL)
        memory_exhausted();
    exchange->answer.body = text_init(most);
    exchange->answer.body.is_secret = true;
    exchange->answer_most = most;
    exchange->redirects_most = request->redirects;
    exchange->until = deadline_in(request->timeout_ms);
    exchange->url = memory_copy(request->url, strlen(request->url));
    exchange->done = done;
    exchange->context = context;
    prepare(exchange, request);
    engine_add(exchange->easy, on_finished);
    return exchange;
}

bool exchange_is_done(const struct exchange *exchange)
{
    return exchange->is_done;
}

const struct answer *exchange_answer(const struct exchange *exchange)
{
    return &exchange->answer;
}

void exchange_end(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    if (!exchange->is_done)
        engine_remove(exchange->easy);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    answer_clear(&exchange->answer);
    memory_wipe(exchange->url, strlen(exchange->url));
    memory_free(exchange->url);
    memory_free(exchange);
}

void answer_clear(struct answer *answer)
{
    text_clear(&answer->body);
}

bool answer_is_good(const struct answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

bool answer_is_passing(const struct answer *answer)
{
    return answer->status == 0 || answer->status == 429 || answer->status >= 500;
}

void answer_add_said(const struct answer *answer, size_t most, struct text *out)
{
    auto_text struct text whole = text_init(answer->body.most);
    auto_free char *cut = memory_new(most, 1);

    text_add(&whole, answer->body.at, answer->body.length);
    redact_text(&whole); /* before it is cut: half a secret would not be recognised */
    text_copy_cut(cut, most, whole.at);
    for (char *at = cut; *at != '\0'; at++)
        *at = *at == '\n' || *at == '\r' ? ' ' : *at;
    text_add_shown(out, cut, 0);
}

bool http_call(const struct request *request, struct answer *out, struct error *err)
{
    struct exchange *exchange = exchange_begin(request, NULL, NULL);
    bool is_answered;

    while (!exchange->is_done && (request->is_parting ? !signals_are_repeated() : signals_pending() == 0)) {
        struct pollfd watched[2] = { { .fd = engine_descriptor(), .events = POLLIN },
                                     { .fd = request->is_parting ? -1 : signals_descriptor(),
                                       .events = POLLIN } };

        (void)event_loop_poll(watched, 2, engine_patience_ms());
        if (!exchange->is_done)
            engine_turn();
    }
    is_answered = exchange->is_done && exchange->answer.status != 0;
    if (!exchange->is_done)
        signals_error(err);
    else if (!is_answered)
        error_set(err, ERROR_UNREACHABLE, "%s", exchange->answer.why);
    *out = exchange->answer;
    exchange->answer.body = text_init(1);
    exchange_end(exchange);
    return is_answered;
}

void http_wait(int64_t ms)
{
    struct pollfd watched = { .fd = engine_descriptor(), .events = POLLIN };
    int64_t patience = engine_patience_ms();

    (void)event_loop_poll(&watched, 1, patience < ms ? patience : ms);
    engine_turn();
}

void http_close(void)
{
    engine_close();
}
