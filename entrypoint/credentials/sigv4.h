/*
 * AWS Signature Version 4 in a URL's query: what makes an RDS token. Pure. (AWS documentation,
 * "Authenticating requests: using query parameters".)
 */
#ifndef CREDENTIALS_SIGV4_H
#define CREDENTIALS_SIGV4_H

#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"

struct sigv4 {
    const char *host;  /* with its port, as in the Host header */
    const char *path;  /* already escaped */
    const char *query; /* the query, "Action=connect&DBUser=x": escaped, sorts before "X-Amz-"; or "" */
    const char *region;
    const char *service;
    const char *key_id;
    const char *secret;
    const char *session_token; /* of temporary keys; or NULL */
    const char *payload_hash;
    int64_t lasts_seconds;
    int64_t at; /* seconds since 1970 */
};

/* SHA-256 of nothing. */
#define SIGV4_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Adds "HOST/PATH?QUERY", signed, without a scheme. */
void sigv4_presign(const struct sigv4 *what, struct text *out);

/* The signature of a canonical request; the tests check it against AWS's published examples. `date` is
 * "YYYYMMDDTHHMMSSZ"; of `what` only region, service and secret count. */
void sigv4_signature(const char *canonical, const char *date, const struct sigv4 *what,
                     char hex[SHA256_HEX_SIZE]);

#endif
