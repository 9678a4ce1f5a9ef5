/*
 * Names and values as SQL text, for the few places that cannot take parameters.
 */
#ifndef SQL_QUOTE_H
#define SQL_QUOTE_H

#include "base/text.h"

/* Adds `name` between double quotes, always quoted, so that no keyword and no capital letter is misread. */
void quote_identifier(const char *name, struct text *out);

/* Adds "schema"."name", or "name" when the schema is NULL or empty. */
void quote_qualified(const char *schema, const char *name, struct text *out);

/* Adds `value` as a string constant that means the same whether standard_conforming_strings is on or off. A
 * value with a backslash comes as E'…' with a blank before it, so that no word in front can swallow the E. */
void quote_literal(const char *value, struct text *out);

#endif
