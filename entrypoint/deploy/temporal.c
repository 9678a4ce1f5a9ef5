#include "deploy/temporal.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Without a precision it is the finest one. */
enum { FINEST = 6 };

struct temporal {
    const char *family; /* NULL: it is none, or written in a way that is not known */
    long precision;
};

/* Reads "(3)" at *at, which moves behind it. */
static long read_precision(const char **at)
{
    char *end;
    long precision;

    *at += strspn(*at, " ");
    if (**at != '(')
        return FINEST;
    precision = strtol(*at + 1, &end, 10);
    end += strspn(end, " ");
    *at = *end == ')' ? end + 1 : end;
    return precision;
}

static struct temporal temporal_of(const char *type)
{
    static const struct {
        const char *name;
        const char *end; /* behind the precision */
        const char *family;
    } spellings[] = {
        { "timestamptz", "", "timestamptz" },
        { "timestamp", "with time zone", "timestamptz" },
        { "timestamp", "without time zone", "timestamp" },
        { "timestamp", "", "timestamp" },
        { "timetz", "", "timetz" },
        { "time", "with time zone", "timetz" },
        { "time", "without time zone", "time" },
        { "time", "", "time" },
        { "interval", "", "interval" },
    };

    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const char *at = type + strlen(spellings[i].name);
        long precision;

        if (strncasecmp(type, spellings[i].name, strlen(spellings[i].name)) != 0)
            continue;
        precision = read_precision(&at);
        if (slice_equals_ignoring_case(slice_trim(slice_of(at)), spellings[i].end))
            return (struct temporal) { .family = spellings[i].family, .precision = precision };
    }
    return (struct temporal) { .family = NULL };
}

bool temporal_only_widens(const char *now, const char *then)
{
    const struct temporal before = temporal_of(now);
    const struct temporal after = temporal_of(then);

    return before.family != NULL && after.family != NULL && strcmp(before.family, after.family) == 0 &&
           after.precision >= before.precision;
}
