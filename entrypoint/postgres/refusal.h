/*
 * Why a connection was refused, from libpq's message. Pure.
 *
 * libpq reports a refused connection only as text. With PQERRORS_VERBOSE a server's refusal carries its
 * SQLSTATE in that text; what libpq itself found (name lookup, socket, TLS, a bad parameter) shows in a few
 * stable English phrases (no locale is ever set, so they are never translated).
 */
#ifndef POSTGRES_REFUSAL_H
#define POSTGRES_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/url.h"

enum refusal_stage { REFUSED_NOT, REFUSED_WITH_WORDS, REFUSED_BY_TIME, REFUSED_BY_SIGNAL };

/* Fills `err` with message, code and hint; `said` is libpq's text and `timeout_ms` how long was waited.
 * Returns whether the same connection may succeed a moment later. */
bool refusal_explain(const struct endpoint *where, enum refusal_stage stage, const char *said,
                     int64_t timeout_ms, struct error *err);

#endif
