/*
 * The Kubernetes API as seen from a pod: address, certificate, namespace and a token that changes.
 */
#ifndef CREDENTIALS_KUBERNETES_H
#define CREDENTIALS_KUBERNETES_H

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "http/request.h"

/* Texts live in the configuration's arena. */
struct kubernetes {
    const struct config *config;
    const char *origin; /* "https://HOST:PORT" */
    const char *ca_file;
    const char *namespace;
    const char *authorization; /* secret: the header as read last, or NULL */
    struct deadline token_until;
};

/* Where it is (documentation, "Accessing the Kubernetes API from a Pod"). ERROR_USAGE outside a cluster, or
 * without a mounted service account. */
must_use bool kubernetes_find(const struct config *config, struct kubernetes *out, struct error *err);

/* Adds the URL of all objects of a kind in the namespace; `api` is "api/v1" or "apis/GROUP/VERSION". */
void kubernetes_add_url(const struct kubernetes *kubernetes, const char *api, const char *kind,
                        struct text *out);

/* Reads the pod's own token, as secret_read() does, and keeps it out of the output. */
must_use bool kubernetes_read_token(const struct config *config, struct text *out, struct error *err);

/* "Authorization: Bearer …", reread after a minute; NULL and ERROR_USAGE when the file cannot be read.
 * */
must_use const char *kubernetes_authorization(struct kubernetes *kubernetes, struct error *err);

/* The token was refused (401): the next call reads it again. */
void kubernetes_forget_token(struct kubernetes *kubernetes);

/* Why the server refused: the message of its Status, or the number. Into an array of 200 bytes.
 * */
enum { REASON_SIZE = 200 };
void kubernetes_reason(const struct answer *answer, char out[REASON_SIZE]);

#endif
