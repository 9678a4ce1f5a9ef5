/*
 * What this binary is.
 */
#ifndef VERSION_H
#define VERSION_H

#include "report/progress.h"

struct build version_build(void);

#endif
