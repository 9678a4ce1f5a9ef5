#include "schema/script_say.h"

#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_split.h"
#include "sql/quote.h"

void say(struct delta *delta, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_add_format_list(&delta->result->script, format, arguments);
    va_end(arguments);
}

void warn_of(struct delta *delta, const char *format, ...)
{
    struct script_result *result = delta->result;
    auto_text struct text warning = text_init(SIZE_MAX);
    va_list arguments;

    va_start(arguments, format);
    text_add_format_list(&warning, format, arguments);
    va_end(arguments);
    result->warnings = arena_grow(delta->arena, result->warnings, result->warning_count,
                                  &result->warning_capacity, sizeof *result->warnings);
    result->warnings[result->warning_count++] = arena_copy(delta->arena, warning.at, warning.length);
    delta_note(delta, "%s", warning.at);
}

bool is_in_use(const struct change *table)
{
    return table != NULL && table->definitions[SIDE_FROM] != NULL && !change_is_creating(table);
}

struct slice options_of(const char *definition)
{
    return list_of(definition, "with ");
}

struct slice list_of(const char *definition, const char *begin)
{
    const char *line = line_find(definition, begin);
    size_t length = line == NULL ? 0 : parenthesis_length(slice_of(line));

    if (length < 2)
        return (struct slice) { .at = "", .length = 0 };
    return (struct slice) { .at = line + 1, .length = length - 2 };
}

static bool is_option_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", name.at[i]) == NULL)
            return false;
    }
    return name.length > 0;
}

bool options_add(struct slice options, bool has_values, struct text *out)
{
    auto_text struct text list = text_init(SIZE_MAX);

    text_add(&list, options.at, options.length);
    for (const char *at = list.at; *at != '\0';) {
        size_t length = strcspn(at, ",");
        size_t name = strcspn(at, "=");

        if (name >= length || !is_option_name((struct slice) { .at = at, .length = name }))
            return false;
        text_add_format(out, "%s%.*s", out->length > 0 ? ", " : "", (int)name, at);
        if (has_values) {
            auto_text struct text value = text_init(SIZE_MAX);

            text_add(&value, at + name + 1, length - name - 1);
            text_add_string(out, " = ");
            quote_literal(value.at, out);
        }
        at += length;
        at += strspn(at, ", ");
    }
    return true;
}

/* What a sequence is unless something else is said, for the type that it is of. */
static const char *usual_end(const char *definition)
{
    static const struct {
        const char *type;
        const char *end;
    } usual[] = {
        { "as smallint", " start 1 increment 1 minvalue 1 maxvalue 32767 cache 1" },
        { "as integer", " start 1 increment 1 minvalue 1 maxvalue 2147483647 cache 1" },
        { "as bigint", " start 1 increment 1 minvalue 1 maxvalue 9223372036854775807 cache 1" },
    };

    for (size_t i = 0; i < array_length(usual); i++) {
        if (strncmp(definition, usual[i].type, strlen(usual[i].type)) == 0)
            return usual[i].end;
    }
    return "";
}

void sequence_options_add(const char *definition, bool is_identity, struct text *out)
{
    const char *end = strstr(definition, " start ");
    size_t type_length = end == NULL ? strlen(definition) : (size_t)(end - definition);
    bool is_usual = end != NULL && strcmp(end, usual_end(definition)) == 0;
    auto_text struct text options = text_init(SIZE_MAX);

    if (!is_identity && strncmp(definition, "as bigint", type_length) != 0)
        text_add_format(&options, " %.*s", (int)type_length, definition);
    if (!is_usual && end != NULL)
        text_add_string(&options, end);
    for (size_t i = 0; i < options.length; i++) {
        if (options.at[i] >= 'a' && options.at[i] <= 'z')
            options.at[i] = (char)(options.at[i] - 'a' + 'A');
    }
    text_add_string(out, options.at);
}
