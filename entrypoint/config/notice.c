#include "config/notice.h"

const char *const NOTICE_NAMES[] = {
    [NOTICE_STARTED] = "started",
    [NOTICE_BLOCKED] = "blocked",
    [NOTICE_SUCCEEDED] = "succeeded",
    [NOTICE_FAILED] = "failed",
};
_Static_assert(sizeof NOTICE_NAMES / sizeof *NOTICE_NAMES == NOTICES, "name every notice");
