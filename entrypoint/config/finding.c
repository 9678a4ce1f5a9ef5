#include "config/finding.h"

const char *const FINDING_NAMES[] = {
    [FINDING_EDITED] = "edited",
    [FINDING_MISSING] = "missing",
    [FINDING_OUT_OF_ORDER] = "out-of-order",
};
_Static_assert(sizeof FINDING_NAMES / sizeof *FINDING_NAMES == FINDINGS, "name every finding");
