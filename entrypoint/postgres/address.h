/*
 * Host names to addresses, in time and interruptibly.
 *
 * The C library's resolver blocks, and a signal does not stop it; musl's is strict as well: a nameserver that
 * answers the question for IPv6 with an error makes the whole lookup fail. So each name is looked up in its
 * own thread, and again for IPv4 alone if that fails. libpq gets the result as "hostaddr"; "host" stays,
 * since certificates name it (PostgreSQL documentation, "Parameter Key Words", hostaddr).
 */
#ifndef POSTGRES_ADDRESS_H
#define POSTGRES_ADDRESS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/url.h"
#include "postgres/refusal.h"

/* Makes `out` a copy of `where` with an address for every host: a host with several addresses becomes several
 * hosts, in that order. Sockets, addresses, and an endpoint that sets hostaddr or service itself, stay as
 * they are. Hosts that cannot be found are left out, as long as one can. If none can, the answer is
 * REFUSED_WITH_WORDS and `said` holds what libpq would have said; or REFUSED_BY_TIME, REFUSED_BY_SIGNAL. */
must_use enum refusal_stage address_resolve(struct arena *arena, const struct endpoint *where,
                                            struct deadline until, struct endpoint *out, struct text *said);

#endif
