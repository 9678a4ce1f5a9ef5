/*
 * Talking to everything that is not PostgreSQL: one HTTP request, one answer. The only room that knows
 * libcurl.
 *
 * Nothing here waits unless it says so: requests in progress are driven from every wait of the process, by
 * the event loop. TLS 1.2 or newer with the server's name verified; http only where the URL says http; a
 * redirect is followed to the same host over https only, since what is sent may be secret.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* The User-Agent, "NAME/VERSION"; the text must stay valid. */
void http_introduce(const char *agent);

/* A request. All of it is copied, or needed only until the function that takes it returns. */
struct request {
    const char *method; /* "GET", "PUT", … */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; or NULL */
    struct slice body;          /* sent with everything but GET */
    const char *ca_file;        /* the certificates to trust; required for https */
    int64_t timeout_ms;         /* for all of it, at least 1 */
    size_t answer_most;         /* bytes of body; 0 = ANSWER_STANDARD_MOST */
    int redirects;              /* how many are followed; 0: a redirect is an answer like any other */
    bool is_direct;             /* no proxy, whatever http_proxy and the like say */
    bool is_parting;            /* http_call() continues after a signal: for what must be sent at the end */
    const char *aws_scope;      /* "aws:amz:REGION:SERVICE" to sign it with AWS Signature 4; or NULL */
    const char *aws_key;        /* … with "ID:SECRET" */
};

enum { ANSWER_STANDARD_MOST = 256 * 1024 };

/* The answer. */
struct answer {
    long status;            /* 0 = no answer, see `why` */
    struct text body;       /* wiped when it is freed */
    int64_t retry_after_ms; /* what the server asks for; 0 = nothing */
    char why[256];          /* for people; never a URL's path, which may be secret */
};

/* A request in progress. */
struct exchange;

/* Starts it; `done(context)` is called once, from a later wait (never from within this call), when there is
 * an answer or there will be none. exchange_end() cancels or frees it. */
struct exchange *exchange_begin(const struct request *request, void (*done)(void *context), void *context)
    __attribute__((returns_nonnull));
bool exchange_is_done(const struct exchange *exchange);
const struct answer *exchange_answer(const struct exchange *exchange);
void exchange_end(struct exchange *exchange);

/* Sends it and waits for the answer, which is the caller's to clear. False and ERROR_UNREACHABLE when none
 * came, ERROR_INTERRUPTED when a signal did. */
must_use bool http_call(const struct request *request, struct answer *out, struct error *err);

void answer_clear(struct answer *answer);
#define auto_answer __attribute__((cleanup(answer_clear)))

/* 2xx; and whether a retry may succeed: no answer, 429, 5xx. */
bool answer_is_good(const struct answer *answer);
bool answer_is_passing(const struct answer *answer);

/* Adds the beginning of the body, at most `most` bytes with the ellipsis, on one line and without secrets: a
 * server may repeat those that it was sent. */
void answer_add_said(const struct answer *answer, size_t most, struct text *out);

/* "https://host:port" of a URL, for messages: nothing in it is secret. */
void http_origin(const char *url, struct text *out);

/* Adds bytes as one part of a URL: all but letters, digits and -._~ as %XX (RFC 3986, 2.3). */
void http_add_escaped(struct slice bytes, struct text *out);

/* Waits until a request in progress has advanced, for at most `ms`. */
void http_wait(int64_t ms);

/* Frees everything, including requests in progress. */
void http_close(void);

#endif
