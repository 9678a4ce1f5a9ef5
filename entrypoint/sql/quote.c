#include "sql/quote.h"

#include <string.h>

/* Adds `value` with each byte that occurs in `doubled` written twice. */
static void add_doubled(const char *value, const char *doubled, struct text *out)
{
    while (*value != '\0') {
        size_t length = strcspn(value, doubled);

        text_add(out, value, length);
        value += length;
        if (*value != '\0') {
            text_add(out, value, 1);
            text_add(out, value, 1);
            value++;
        }
    }
}

void quote_identifier(const char *name, struct text *out)
{
    text_add_string(out, "\"");
    add_doubled(name, "\"", out);
    text_add_string(out, "\"");
}

void quote_qualified(const char *schema, const char *name, struct text *out)
{
    if (schema != NULL && schema[0] != '\0') {
        quote_identifier(schema, out);
        text_add_string(out, ".");
    }
    quote_identifier(name, out);
}

void quote_element(const char *value, struct text *out)
{
    text_add_string(out, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            text_add_string(out, "\\");
        text_add(out, value, 1);
    }
    text_add_string(out, "\"");
}

void quote_literal(const char *value, struct text *out)
{
    text_add_string(out, strchr(value, '\\') == NULL ? "'" : " E'");
    add_doubled(value, "'\\", out);
    text_add_string(out, "'");
}
