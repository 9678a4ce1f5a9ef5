/*
 * What has become of a tenant.
 */
#ifndef TENANTS_STATE_H
#define TENANTS_STATE_H

#include <stdbool.h>

enum tenant_state {
    TENANT_WAITING, /* not begun */
    TENANT_RUNNING,
    TENANT_ELSEWHERE, /* another process is at work on it: to be looked at again */
    TENANT_DONE,
    TENANT_FAILED,
    TENANT_INTERRUPTED, /* a signal has ended the work on it */
    TENANT_STATES
};

extern const char *const TENANT_STATE_NAMES[];

/* Whether nothing more becomes of it in this run. */
bool tenant_is_over(enum tenant_state state);

#endif
