/*
 * What this binary is.
 */
#ifndef VERSION_H
#define VERSION_H

#include "report/progress.h"

/* "tidelock/1.2.3": the User-Agent of HTTP requests. */
extern const char VERSION_AGENT[];

struct build version_build(void);

#endif
