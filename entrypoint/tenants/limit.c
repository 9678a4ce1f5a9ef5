#include "tenants/limit.h"

#include <string.h>

enum { DIGITS_MOST = 9, PERCENT_MOST = 100 };

bool limit_read(const struct config *config, size_t count, size_t *out, struct error *err)
{
    const char *text = config->max_failures.text;
    size_t number = 0;
    size_t digits;
    bool is_percent;

    if (text == NULL) {
        *out = config->on_failure == ON_FAILURE_CONTINUE ? SIZE_MAX : 0;
        return true;
    }
    digits = strspn(text, "0123456789");
    is_percent = strcmp(text + digits, "%") == 0;
    for (size_t i = 0; i < digits && i < DIGITS_MOST; i++)
        number = number * 10 + (size_t)(text[i] - '0');
    if (digits == 0 || digits > DIGITS_MOST || (text[digits] != '\0' && !is_percent) ||
        (is_percent && number > PERCENT_MOST)) {
        error_set(err, ERROR_USAGE, "%s: \"%s\" is neither a number nor a percentage",
                  config->max_failures.origin, text);
        return error_hint(err, "Write 3, or 10%%.");
    }
    *out = is_percent ? count * number / PERCENT_MOST : number;
    return true;
}
