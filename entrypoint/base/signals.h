/*
 * The signals that ask for an end (SIGTERM, SIGINT, SIGQUIT, SIGHUP) as a value: which one came, and a
 * descriptor that wakes a poll.
 *
 * PID 1 has no default actions, so handlers are installed first in main. A handler only stores the signal's
 * number and writes a byte to a pipe; everything else happens in the loops that check for it.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>

#include "base/error.h"

/* Installs the handlers, and ignores SIGPIPE and SIGXFSZ: a write that may not be done fails. SIGHUP stays
 * ignored where it was. Once, at the start of main. */
void signals_install(void);

/* Restores what the process did with these signals before signals_install(): an ignored signal stays ignored
 * through exec, and the application should find what it would have found without us. */
void signals_restore(void);

/* The first of them that came, or 0. */
int signals_pending(void);

/* Whether another one came later: whoever sent it wants no more time spent. One that follows within
 * SIGNALS_ECHO_MS is the same wish, sent twice: a terminal signals a whole group, of which npm passes it on
 * again. */
enum { SIGNALS_ECHO_MS = 200 };
bool signals_are_repeated(void);

/* A descriptor that is readable once a signal has come; for poll(). */
int signals_descriptor(void);

/* Sleeps `ms` or until a signal comes. False when one has come, before or during. */
must_use bool signals_sleep(long ms);

/* What one of these signals is called: "SIGTERM". */
const char *signals_name(int number);

/* Fills ERROR_INTERRUPTED with the pending signal. Returns false. */
bool signals_error(struct error *err);

#endif
