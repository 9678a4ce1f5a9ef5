#include "wrap.h"

#include <string.h>

enum { COLUMNS = 80 };

void wrap(struct text *out, const char *words, size_t column, size_t indent)
{
    bool is_first = true;

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        if (!is_first && column + 1 + length > COLUMNS) {
            text_add_format(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            text_add_string(out, " ");
            column++;
        }
        text_add(out, words, length);
        column += length;
        words += length + strspn(words + length, " ");
        is_first = false;
    }
    text_add_string(out, "\n");
}
