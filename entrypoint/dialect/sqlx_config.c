#include "dialect/sqlx_config.h"

#include <string.h>

enum { NAME_MOST = 512 };

static struct slice take_line(struct slice *text)
{
    const char *feed = memchr(text->at, '\n', text->length);
    size_t length = feed == NULL ? text->length : (size_t)(feed - text->at);
    struct slice line = { text->at, length };

    length += feed != NULL;
    *text = (struct slice) { text->at + length, text->length - length };
    return slice_trim(line);
}

static struct slice skip(struct slice text, size_t length)
{
    return slice_trim((struct slice) { text.at + length, text.length - length });
}

/* Of "key = value" what is behind the sign; NULL where the line is of another key. */
static struct slice value_in(struct slice line, const char *key)
{
    struct slice rest;

    if (!slice_starts_with(line, key))
        return (struct slice) { .at = NULL };
    rest = skip(line, strlen(key));
    return rest.length > 0 && rest.at[0] == '=' ? skip(rest, 1) : (struct slice) { .at = NULL };
}

/* What is behind "key =" in the table "migrate", to the end of the text: an array may have several lines. */
static struct slice find(struct slice text, const char *key)
{
    struct slice rest = text;
    bool is_here = false;

    while (rest.length > 0) {
        struct slice line = take_line(&rest);
        struct slice value = { .at = NULL };

        if (line.length > 0 && line.at[0] == '[')
            is_here = slice_starts_with(line, "[migrate]");
        else if (is_here)
            value = value_in(line, key);
        else if (slice_starts_with(line, "migrate."))
            value = value_in(skip(line, strlen("migrate.")), key);
        if (value.at != NULL)
            return (struct slice) { value.at, text.length - (size_t)(value.at - text.at) };
    }
    return (struct slice) { .at = NULL };
}

static bool is_empty_array(struct slice value)
{
    if (value.length == 0 || value.at[0] != '[')
        return false;
    value = skip(value, 1);
    while (value.length > 0 && value.at[0] == '#') {
        (void)take_line(&value);
        value = skip(value, 0);
    }
    return value.length > 0 && value.at[0] == ']';
}

/* A string on one line, without the quotes of TOML and of SQL. */
static void add_name(struct slice value, struct text *out)
{
    struct slice line = take_line(&value);
    char quote = line.length == 0 ? '\0' : line.at[0];

    for (size_t i = 1; i < line.length && (line.at[i] != quote || line.at[i - 1] == '\\'); i++) {
        if (line.at[i] != '"' && line.at[i] != '\\')
            text_add(out, line.at + i, 1);
    }
}

static bool check_name(const struct dialect *dialect, const char *path, struct slice value, struct error *err)
{
    auto_text struct text said = text_init(NAME_MOST);
    auto_text struct text ours = text_init(NAME_MOST);

    add_name(value, &said);
    if (dialect->ledger_schema != NULL)
        text_add_format(&ours, "%s.", dialect->ledger_schema);
    text_add_string(&ours, dialect->ledger_name);
    if (strcmp(said.at, ours.at) == 0)
        return true;
    error_set(err, ERROR_USAGE, "%s calls the ledger \"%s\", not \"%s\"", path, said.at, ours.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Name it here, too: --ledger %s, or TIDELOCK_LEDGER.", said.at);
}

bool sqlx_config_check(const struct dialect *dialect, const char *path, struct slice text, struct error *err)
{
    struct slice ignored = find(text, "ignored-chars");
    struct slice name = find(text, "table-name");

    if (ignored.at != NULL && !is_empty_array(ignored)) {
        error_set(err, ERROR_REFUSED,
                  "%s leaves characters out of the checksums (ignored-chars), which is not known here", path);
        error_holds(err, "Nothing was changed.");
        return error_hint(err,
                          "Take ignored-chars out of it; then, for each applied migration that is called "
                          "edited: tidelock resolve --accept-edit NAME");
    }
    return name.at == NULL || check_name(dialect, path, name, err);
}
