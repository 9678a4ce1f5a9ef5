/*
 * The manual page.
 */
#ifndef MANUAL_H
#define MANUAL_H

#include "base/text.h"

/* What the program is and how it is configured, in sentences. */
void manual_description(struct text *out);

/* The page in mdoc(7): made from the commands, the options, the directives, the exit codes, the variables and
 * the files. */
void manual_page(struct text *out);

#endif
