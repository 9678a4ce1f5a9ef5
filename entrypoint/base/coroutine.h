/*
 * A coroutine: a call with a stack of its own, which stops in the middle and goes on later. All run in one
 * thread, one at a time; only base/event_loop.c knows them.
 */
#ifndef BASE_COROUTINE_H
#define BASE_COROUTINE_H

#include <stdbool.h>

struct coroutine;

/* One that will call run(context). Must be freed, whether it has run or not; not while it is stopped in the
 * middle. NULL if there is no memory for its stack. */
struct coroutine *coroutine_new(void (*run)(void *context), void *context);
void coroutine_free(struct coroutine *coroutine);

/* Lets it begin, or go on, until it stops or ends; false = it has ended. Only from outside any coroutine. */
bool coroutine_resume(struct coroutine *coroutine);

/* Stops the one that runs: coroutine_resume() returns. */
void coroutine_stop(void);

#endif
