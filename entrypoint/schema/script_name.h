/*
 * Names in what the server wrote: identifiers as it quotes them, and where a text mentions which. Pure.
 *
 * The server writes with an empty search_path, so whatever people made is mentioned as schema.name.
 */
#ifndef SCHEMA_SCRIPT_NAME_H
#define SCHEMA_SCRIPT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Bytes of the identifier that the text begins with, its quotes included; 0 = it begins with none. */
size_t identifier_length(struct slice text);

/* Whether it consists of that many identifiers with dots in between. */
bool name_has_parts(const char *name, size_t count);

/* "public.t" of "public.t.c"; empty when there is one part. What stands in parentheses is no part. */
struct slice name_qualifier(const char *name);

/* "c" of "public.t.c" */
const char *name_last(const char *name);

/* "public.f" of "public.f(a integer)" */
struct slice name_without_arguments(const char *name);

/* Bytes up to the end of a parenthesis that the text begins with; 0 = it begins with none, or never ends. */
size_t parenthesis_length(struct slice text);

/* Where `wanted` stands in the text outside of quotes and parentheses; NULL = nowhere. */
const char *text_find_outside(const char *text, const char *wanted);

/* Called for each identifier of a text: `pair` is the one together with the next ("public.t"), or empty. */
typedef void name_mention(void *context, struct slice identifier, struct slice pair);

/* Goes through the identifiers of a text, those in string constants too: 'public.t_id_seq'::regclass. */
void names_mentioned(struct slice text, name_mention *mention, void *context);

/* Whether the text has that identifier in it. */
bool text_mentions(const char *text, const char *identifier);

#endif
