#include "dialect/script_lines.h"

#include <string.h>

struct slice line_at(struct slice script, size_t offset)
{
    const char *feed = memchr(script.at + offset, '\n', script.length - offset);

    return (struct slice) { script.at + offset,
                            feed == NULL ? script.length - offset : (size_t)(feed - script.at) - offset };
}

size_t line_first(struct slice script)
{
    static const char mark[] = "\xEF\xBB\xBF";

    return slice_starts_with(script, mark) ? strlen(mark) : 0;
}

bool line_is_blank(struct slice line)
{
    return slice_trim(line).length == 0;
}

bool line_is_comment(struct slice line)
{
    return slice_starts_with(slice_trim(line), "--");
}

void line_blank(char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (at[i] != '\n' && at[i] != '\r')
            at[i] = ' ';
    }
}
