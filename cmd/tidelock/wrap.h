/*
 * Text in lines of at most 80 columns.
 */
#ifndef WRAP_H
#define WRAP_H

#include "base/text.h"

/* Adds the words of an ASCII text and a line feed. The first line continues `out` at `column`; further lines
 * are indented by `indent` spaces. */
void wrap(struct text *out, const char *words, size_t column, size_t indent);

#endif
