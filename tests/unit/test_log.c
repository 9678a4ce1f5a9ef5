#include <string.h>

#include "base/log.h"
#include "check.h"

static void every_secret_is_blanked_wherever_it_stands(void **state)
{
    char text[] = "user:hunter2@host and hunter2hunter2, not hunter";

    (void)state;
    redact_register("hunter2", 7);
    redact(text);
    assert_string_equal(text, "user:***@host and ******, not hunter");
    redact_clear();
}

static void a_secret_inside_a_longer_one_leaves_no_tail(void **state)
{
    char text[] = "postgresql://u:secret@h/db secret";

    (void)state;
    redact_register("secret", 6);
    redact_register("postgresql://u:secret@h/db", 26);
    redact(text);
    assert_string_equal(text, "*** ***");
    redact_clear();
}

static void what_is_too_short_is_not_blanked(void **state)
{
    char text[] = "a b ab abc";

    (void)state;
    redact_register("ab", 2);
    redact(text);
    assert_string_equal(text, "a b ab abc");
    redact_register("abc", 3);
    redact(text);
    assert_string_equal(text, "a b ab ***");
    redact_clear();
}

static void a_secret_that_is_stars_does_not_loop(void **state)
{
    char text[] = "*** ****";

    (void)state;
    redact_register("***", 3);
    redact(text);
    assert_string_equal(text, "*** ****");
    redact_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_is_blanked_wherever_it_stands),
        cmocka_unit_test(a_secret_inside_a_longer_one_leaves_no_tail),
        cmocka_unit_test(what_is_too_short_is_not_blanked),
        cmocka_unit_test(a_secret_that_is_stars_does_not_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
