/*
 * Names and values as SQL text, for the few places where parameters are not possible.
 */
#ifndef SQL_QUOTE_H
#define SQL_QUOTE_H

#include "base/text.h"

/* Adds `name` in double quotes, always, so that keywords and capital letters are safe. */
void quote_identifier(const char *name, struct text *out);

/* Adds "schema"."name", or "name" when the schema is NULL or empty. */
void quote_qualified(const char *schema, const char *name, struct text *out);

/* Adds `value` as a string constant that means the same whether standard_conforming_strings is on or off. A
 * value with a backslash becomes E'…' with a space before it, so that the E cannot join a preceding word. */
void quote_literal(const char *value, struct text *out);

/* Adds it as an element of an array's text, in double quotes. */
void quote_element(const char *value, struct text *out);

#endif
