#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"

/* Types of one family are converted to each other in an assignment (documentation, "CREATE CAST", and the
 * server's pg_cast). */
static const char *const FAMILIES[][8] = {
    { "smallint", "integer", "bigint", "numeric", "real", "double precision" },
    { "text", "character varying", "character", "name" },
    { "date", "timestamp without time zone", "timestamp with time zone" },
    { "time without time zone", "time with time zone" },
    { "json", "jsonb" },
    { "inet", "cidr" },
    { "bit", "bit varying" },
};

/* Without what stands in parentheses and brackets: "timestamp without time zone" of "timestamp(3) without
 * time zone". */
static void add_base(struct slice type, struct text *out, size_t *dimensions)
{
    static const char array[] = "[]";
    struct slice rest = type;

    *dimensions = 0;
    while (rest.length > 0) {
        size_t skipped = slice_starts_with(rest, array) ? strlen(array) : parenthesis_length(rest);
        size_t name = *rest.at == '"' ? identifier_length(rest) : 0;
        size_t taken = skipped > 0 ? skipped : name > 0 ? name : 1;

        *dimensions += slice_starts_with(rest, array);
        if (skipped == 0)
            text_add(out, rest.at, taken);
        rest.at += taken;
        rest.length -= taken;
    }
}

static bool has_member(const char *const *family, const char *type)
{
    for (size_t i = 0; i < array_length(FAMILIES[0]) && family[i] != NULL; i++) {
        if (strcmp(family[i], type) == 0)
            return true;
    }
    return false;
}

bool type_is_same_base(struct slice one, struct slice other)
{
    auto_text struct text left = text_init(SIZE_MAX);
    auto_text struct text right = text_init(SIZE_MAX);
    size_t left_dimensions;
    size_t right_dimensions;

    add_base(one, &left, &left_dimensions);
    add_base(other, &right, &right_dimensions);
    return left_dimensions == right_dimensions && strcmp(left.at, right.at) == 0;
}

bool type_has_assignment_cast(struct slice from, struct slice to)
{
    auto_text struct text one = text_init(SIZE_MAX);
    auto_text struct text other = text_init(SIZE_MAX);
    size_t one_dimensions;
    size_t other_dimensions;

    add_base(from, &one, &one_dimensions);
    add_base(to, &other, &other_dimensions);
    /* Everything can be written as text. */
    if (other_dimensions == 0 && has_member(FAMILIES[1], other.at) && strcmp(other.at, "name") != 0)
        return true;
    if (one_dimensions != other_dimensions)
        return false;
    if (strcmp(one.at, other.at) == 0)
        return true;
    for (size_t i = 0; i < array_length(FAMILIES); i++) {
        if (has_member(FAMILIES[i], one.at) && has_member(FAMILIES[i], other.at))
            return true;
    }
    return false;
}
