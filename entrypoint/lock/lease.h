/*
 * A Kubernetes Lease that the leader holds in addition to the leader lock.
 *
 * It keeps waiting processes away from the database: they ask the API server. It is never the only lock: a
 * process that was frozen until after its Lease expired continues to write until the database refuses, and
 * the leader lock lives in the session that writes. Times of other machines are never compared; what matters
 * is whether the content of the Lease changes.
 */
#ifndef LOCK_LEASE_H
#define LOCK_LEASE_H

#include "base/event_loop.h"
#include "base/hash.h"
#include "base/pod.h"
#include "credentials/kubernetes.h"
#include "lock/lease_object.h"

enum lease_answer {
    LEASE_TAKEN,
    LEASE_FREE,    /* nobody holds it (only lease_look()) */
    LEASE_HELD,    /* by another, or that cannot be determined now: lease_describe() */
    LEASE_UNKNOWN, /* and a retry does not help: `err` */
};

enum { LEASE_IDENTITY_SIZE = POD_NAME_SIZE + 48, LEASE_SAID_SIZE = 512 };

struct lease {
    struct attendant attendant; /* the first member: renews it from every wait */
    struct kubernetes kubernetes;
    const char *name; /* NULL = not requested, and all of this does nothing */
    char *url;        /* of the object */
    char identity[LEASE_IDENTITY_SIZE];
    int64_t duration_ms;
    struct json *object; /* as last read */
    bool is_held;
    bool is_lost;
    bool is_ending;
    struct deadline ending_until;
    char said[LEASE_SAID_SIZE]; /* who holds it, or why that is not known; or why it was lost */

    char record[SHA256_HEX_SIZE]; /* the hash of its content when it last changed … */
    struct deadline others_until; /* … and until when its holder may be alive */

    struct exchange *exchange; /* the renewal in progress */
    bool is_reading;           /* … which first reads what happened */
    struct deadline asked;     /* when it was sent, and the Lease ends for us if nothing comes */
    struct deadline ours_until;
    bool has_warned;
    void (*lost)(void *context); /* called once, from some wait, when it is lost */
    void *context;
};

/* If the configuration names none, the other functions do nothing and the answer is LEASE_TAKEN. ERROR_USAGE
 * outside a cluster. It must stay where it is until lease_end(). */
must_use bool lease_begin(struct lease *lease, const struct config *config, void (*lost)(void *context),
                          void *context, struct error *err);

/* Tries to take it: at most two requests, each a few seconds. From LEASE_TAKEN on it is renewed from every
 * wait. */
must_use enum lease_answer lease_try(struct lease *lease, struct error *err);

/* Only looks: one request. */
must_use enum lease_answer lease_look(struct lease *lease, struct error *err);

/* Whether it is held, by our own clock; checked before every COMMIT. ERROR_LEADER if not. */
must_use bool lease_check(const struct lease *lease, struct error *err);

/* "Lease NAMESPACE/NAME, held by …" */
void lease_describe(const struct lease *lease, struct text *out);

/* How long a waiting process pauses between two looks. */
int64_t lease_pause_ms(const struct lease *lease);

/* Releases it, within two seconds, if it is held. */
void lease_end(struct lease *lease);

#endif
