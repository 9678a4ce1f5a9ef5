#include "apply/deployment.h"

const char *const PHASE_NAMES[] = {
    [PHASE_CONNECTING] = "connecting", [PHASE_COMPARING] = "comparing", [PHASE_BUDGETING] = "budgeting",
    [PHASE_LEADING] = "leading",       [PHASE_FOLLOWING] = "following", [PHASE_PREPARING] = "preparing",
    [PHASE_APPLYING] = "applying",     [PHASE_COMPLETE] = "complete",   [PHASE_FAILED] = "failed",
};
_Static_assert(sizeof PHASE_NAMES / sizeof *PHASE_NAMES == PHASES, "name every phase");

/* What the world outside sees of the phases. */
const enum progress_phase PHASES_SHOWN[] = {
    [PHASE_CONNECTING] = PROGRESS_CONNECTING,    [PHASE_COMPARING] = PROGRESS_CONNECTING,
    [PHASE_BUDGETING] = PROGRESS_WAITING_BUDGET, [PHASE_LEADING] = PROGRESS_CONNECTING,
    [PHASE_FOLLOWING] = PROGRESS_WAITING_LEADER, [PHASE_PREPARING] = PROGRESS_APPLYING,
    [PHASE_APPLYING] = PROGRESS_APPLYING,
};
