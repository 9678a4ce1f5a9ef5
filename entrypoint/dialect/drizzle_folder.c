#include "dialect/drizzle_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TIME_DIGITS = 14 };

bool drizzle_folder_has_time(const char *name)
{
    return strspn(name, "0123456789") >= TIME_DIGITS;
}

static int64_t number_at(const char *digits, int count)
{
    int64_t number = 0;

    for (int i = 0; i < count; i++)
        number = 10 * number + (digits[i] - '0');
    return number;
}

/* Of the proleptic Gregorian calendar, since 1970-01-01; months count from 0, and go on into later years. */
static int64_t days_before_month(int64_t year, int64_t month)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    const int64_t days_until_1970 = 719162;

    year += month / 12;
    month %= 12;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 + before[month] + (is_leap && month > 1) -
           days_until_1970;
}

void drizzle_folder_millis(const char *name, char out[KEY_SIZE])
{
    int64_t year = number_at(name, 4);
    int64_t day = number_at(name + 6, 2);
    int64_t minutes = number_at(name + 8, 2) * 60 + number_at(name + 10, 2);
    int64_t seconds = minutes * 60 + number_at(name + 12, 2);

    if (year < 100)
        year += 1900;
    /* Month 0 is the December before: that of a year later, less twelve months. */
    int64_t days = days_before_month(year - 1, number_at(name + 4, 2) + 11) + day - 1;

    (void)snprintf(out, KEY_SIZE, "%" PRId64, (days * 24 * 60 * 60 + seconds) * 1000);
}
