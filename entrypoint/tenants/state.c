#include "tenants/state.h"

const char *const TENANT_STATE_NAMES[] = {
    [TENANT_WAITING] = "waiting", [TENANT_RUNNING] = "running", [TENANT_ELSEWHERE] = "elsewhere",
    [TENANT_DONE] = "done",       [TENANT_FAILED] = "failed",   [TENANT_INTERRUPTED] = "interrupted",
};
_Static_assert(sizeof TENANT_STATE_NAMES / sizeof *TENANT_STATE_NAMES == TENANT_STATES, "name every state");

bool tenant_is_over(enum tenant_state state)
{
    return state == TENANT_DONE || state == TENANT_FAILED || state == TENANT_INTERRUPTED;
}
