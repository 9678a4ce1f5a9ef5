/*
 * A thread for a call that blocks and knows no deadline.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/* Starts one that ends by itself, and takes no signals: these must go to the thread that polls. False if none
 * could be started. */
bool thread_start(void *(*run)(void *argument), void *argument);

#endif
