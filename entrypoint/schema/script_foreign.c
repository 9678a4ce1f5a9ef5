#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"
#include "sql/quote.h"

/* The next of "host=there, password": its name, and its value; false at the end. */
static bool next_option(struct slice *rest, struct slice *name, struct slice *value)
{
    static const char comma[] = ", ";
    size_t length = 0;
    const char *equals;

    if (rest->length == 0)
        return false;
    while (length < rest->length &&
           !(rest->at[length] == ',' && length + 1 < rest->length && rest->at[length + 1] == ' '))
        length++;
    equals = memchr(rest->at, '=', length);
    *name =
        (struct slice) { .at = rest->at, .length = equals == NULL ? length : (size_t)(equals - rest->at) };
    *value = (struct slice) { .at = NULL };
    if (equals != NULL)
        *value = (struct slice) { .at = equals + 1, .length = length - name->length - 1 };
    length += length < rest->length ? strlen(comma) : 0;
    rest->at += length;
    rest->length -= length;
    return true;
}

static void add_option(const char *verb, struct slice name, struct slice value, struct text *out)
{
    auto_text struct text plain = text_init(SIZE_MAX);
    auto_text struct text quoted = text_init(SIZE_MAX);

    text_add(&plain, name.at, name.length);
    quote_identifier(plain.at, &quoted);
    text_add_format(out, "%s%s%s", out->length > 0 ? ", " : "", verb, quoted.at);
    if (value.at == NULL)
        return;
    text_reset(&plain);
    text_add(&plain, value.at, value.length);
    text_add_string(out, " ");
    quote_literal(plain.at, out);
}

/* Whether a list has that option, and its value. */
static bool option_find(struct slice list, struct slice wanted, struct slice *value)
{
    struct slice name;

    while (next_option(&list, &name, value)) {
        if (slice_is_same(name, wanted))
            return true;
    }
    return false;
}

bool foreign_options_add(struct slice options, struct text *out)
{
    return foreign_options_change((struct slice) { .at = "", .length = 0 }, options, out);
}

bool foreign_options_change(struct slice was, struct slice is, struct text *out)
{
    bool is_new = was.length == 0;
    struct slice old_value;
    struct slice value;
    struct slice name;

    for (struct slice rest = is; next_option(&rest, &name, &value);) {
        bool is_there = option_find(was, name, &old_value);

        if (is_there && (value.at == NULL) == (old_value.at == NULL) &&
            (value.at == NULL || slice_is_same(value, old_value)))
            continue;
        if (value.at == NULL)
            return false;
        add_option(is_there ? "SET " : is_new ? "" : "ADD ", name, value, out);
    }
    for (struct slice rest = was; next_option(&rest, &name, &old_value);) {
        if (!option_find(is, name, &value))
            add_option("DROP ", name, (struct slice) { .at = NULL }, out);
    }
    return true;
}

/* Of "WRAPPER options (…)", or with a type or version, which is not taken apart. */
static bool read_server(const char *definition, struct slice *wrapper, struct slice *options)
{
    size_t length = identifier_length(slice_of(definition));
    const char *rest = definition + length;

    *wrapper = (struct slice) { .at = definition, .length = length };
    *options = (struct slice) { .at = "", .length = 0 };
    if (strncmp(rest, " options (", strlen(" options (")) == 0)
        *options = list_of(rest + 1, "options ");
    else if (*rest != '\0')
        return false;
    return length > 0;
}

void server_create(struct delta *delta, struct change *change)
{
    auto_text struct text list = text_init(SIZE_MAX);
    struct slice wrapper;
    struct slice options;

    if (!read_server(change->definitions[SIDE_TO], &wrapper, &options)) {
        delta_refuse(delta, change, "a server with a type or version cannot be written yet");
        return;
    }
    if (!foreign_options_add(options, &list))
        delta_refuse(delta, change, FOREIGN_SECRET);
    say(delta, "CREATE SERVER %s FOREIGN DATA WRAPPER %.*s", change->name, (int)wrapper.length, wrapper.at);
    if (list.length > 0)
        say(delta, " OPTIONS (%s)", list.at);
    say(delta, ";\n");
}

void server_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP SERVER %s;\n", change->name);
}

void server_alter(struct delta *delta, struct change *change)
{
    auto_text struct text list = text_init(SIZE_MAX);
    struct slice wrappers[SIDES];
    struct slice options[SIDES];

    for (enum side side = SIDE_FROM; side < SIDES; side++) {
        if (!read_server(change->definitions[side], &wrappers[side], &options[side])) {
            delta_refuse(delta, change, "a server with a type or version cannot be written yet");
            return;
        }
    }
    if (!slice_is_same(wrappers[SIDE_FROM], wrappers[SIDE_TO]) ||
        !foreign_options_change(options[SIDE_FROM], options[SIDE_TO], &list))
        delta_refuse(delta, change, FOREIGN_SECRET);
    say(delta, "ALTER SERVER %s OPTIONS (%s);\n", change->name, list.at);
}

void wrapper_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice handler = line_value(definition, "handler ");
    struct slice validator = line_value(definition, "validator ");
    auto_text struct text list = text_init(SIZE_MAX);

    if (!foreign_options_add(list_of(definition, "options "), &list))
        delta_refuse(delta, change, FOREIGN_SECRET);
    say(delta, "CREATE FOREIGN DATA WRAPPER %s", change->name);
    if (handler.length > 0)
        say(delta, " HANDLER %.*s", (int)handler.length, handler.at);
    if (validator.length > 0)
        say(delta, " VALIDATOR %.*s", (int)validator.length, validator.at);
    if (list.length > 0)
        say(delta, " OPTIONS (%s)", list.at);
    say(delta, ";\n");
}

void wrapper_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP FOREIGN DATA WRAPPER %s;\n", change->name);
}

void wrapper_alter(struct delta *delta, struct change *change)
{
    const char *was = change->definitions[SIDE_FROM];
    const char *is = change->definitions[SIDE_TO];
    auto_text struct text list = text_init(SIZE_MAX);

    if (!slice_is_same(line_value(was, "handler "), line_value(is, "handler ")) ||
        !slice_is_same(line_value(was, "validator "), line_value(is, "validator ")))
        delta_refuse(delta, change, "another handler or validator cannot be written yet");
    if (!foreign_options_change(list_of(was, "options "), list_of(is, "options "), &list))
        delta_refuse(delta, change, FOREIGN_SECRET);
    say(delta, "ALTER FOREIGN DATA WRAPPER %s OPTIONS (%s);\n", change->name, list.at);
}

/* The name is "SERVER for ROLE". */
void user_mapping_drop(struct delta *delta, struct change *change)
{
    struct slice server = name_without_arguments(change->name);

    say(delta, "DROP USER MAPPING FOR %s SERVER %.*s;\n", change->name + server.length + strlen(" for "),
        (int)server.length, server.at);
}
