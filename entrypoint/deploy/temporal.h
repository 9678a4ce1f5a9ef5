/*
 * Types of dates and times that differ in their precision alone. Pure.
 */
#ifndef DEPLOY_TEMPORAL_H
#define DEPLOY_TEMPORAL_H

#include <stdbool.h>

/* Whether the second type holds every value of the first one as it is, so that no row has to be read: both
 * are the same but for the precision ("timestamp(3) without time zone", "timestamptz (6)"). */
bool temporal_only_widens(const char *now, const char *then);

#endif
