#include "dialect/prisma_lock_file.h"

#include <string.h>

static const char ASSIGNMENT[] = "provider = ";

static struct slice skip(struct slice text, size_t length)
{
    return (struct slice) { .at = text.at + length, .length = text.length - length };
}

/* Strips any number of leading "provider = " and of double quotes at both ends, as Prisma does. */
static struct slice provider_of(struct slice line)
{
    while (slice_starts_with(line, ASSIGNMENT))
        line = skip(line, sizeof ASSIGNMENT - 1);
    while (line.length > 0 && line.at[0] == '"')
        line = skip(line, 1);
    while (line.length > 0 && line.at[line.length - 1] == '"')
        line.length--;
    return line;
}

/* Takes the first line off `text`; a CR before the LF belongs to the line's end. */
static struct slice take_line(struct slice *text)
{
    const char *feed = memchr(text->at, '\n', text->length);
    struct slice line = { .at = text->at, .length = feed == NULL ? text->length : (size_t)(feed - text->at) };

    *text = skip(*text, line.length + (feed == NULL ? 0 : 1));
    if (feed != NULL && line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    return line;
}

static bool refuse(const char *path, struct slice text, size_t offset, struct slice provider,
                   struct error *err)
{
    if (provider.at == NULL)
        error_set(err, ERROR_REFUSED, "could not find the migrations' provider in %s", path);
    else
        error_set(err, ERROR_REFUSED, "the migrations are written for \"%.*s\", not for \"postgresql\"",
                  (int)(provider.length > 100 ? 100 : provider.length), provider.at);
    error_code(err, "P3019");
    error_cause(err, CAUSE_PROVIDER);
    error_point(err, path, text.at, text.length, offset);
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "The line must read exactly: provider = \"postgresql\". Migrations for another provider cannot be "
        "applied to PostgreSQL.");
}

bool prisma_lock_file_parse(const char *path, struct slice text, struct error *err)
{
    struct slice rest = text;

    while (rest.length > 0) {
        struct slice line = take_line(&rest);
        struct slice provider = provider_of(line);

        if (!slice_starts_with(line, "provider"))
            continue;
        return slice_equals(provider, "postgresql") ||
               refuse(path, text, (size_t)(line.at - text.at), provider, err);
    }
    return refuse(path, text, 0, (struct slice) { .at = NULL }, err);
}
