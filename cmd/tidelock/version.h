/*
 * What this binary is.
 */
#ifndef VERSION_H
#define VERSION_H

#include "report/progress.h"

/* "tidelock/1.2.3": who asks, in requests over HTTP. */
extern const char VERSION_AGENT[];

struct build version_build(void);

#endif
