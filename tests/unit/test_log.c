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
    char text[] = "postgresql://u:s3cret@h/db s3cret";

    (void)state;
    redact_register("s3cret", 6);
    redact_register("postgresql://u:s3cret@h/db", 26);
    redact(text);
    assert_string_equal(text, "*** ***");
    redact_clear();
}

static void what_is_too_short_is_not_blanked(void **state)
{
    char text[] = "a b ab ab1";

    (void)state;
    redact_register("ab", 2);
    redact(text);
    assert_string_equal(text, "a b ab ab1");
    redact_register("ab1", 3);
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

/* A word of the program (or a number, or a public name) is hidden where it is the value, and nowhere else. */
static void a_common_word_is_hidden_as_a_value_alone(void **state)
{
    static const struct {
        const char *text;
        const char *redacted;
    } cases[] = {
        { "tidelock_build_info{version=\"1\"} 1", "tidelock_build_info{version=\"1\"} 1" },
        { "to \"tidelock\", schema \"tidelock\"", "to \"tidelock\", schema \"tidelock\"" },
        { "\"database\": \"tidelock\", \"user\": \"tidelock\"",
          "\"database\": \"tidelock\", \"user\": \"tidelock\"" },
        { "postgresql://tidelock:tidelock@h/tidelock", "postgresql://tidelock:***@h/tidelock" },
        { "host=h password=tidelock user=tidelock", "host=h password=*** user=tidelock" },
        { "ALTER ROLE tidelock PASSWORD 'tidelock'", "ALTER ROLE tidelock PASSWORD '***'" },
        { "\"password\": \"tidelock\"", "\"password\": \"***\"" },
        { "password tidelock", "password tidelock" },
        { "seconds 5.000", "seconds 5.000" },
        { "for user \"umami1\" in umami1_db", "for user \"umami1\" in umami1_db" },
        { "PGPASSWORD=umami1", "PGPASSWORD=***" },
    };

    (void)state;
    redact_register("tidelock", 8);
    redact_register("000", 3);
    redact_register("umami1", 6);
    redact_spare("umami1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];

        (void)strcpy(text, cases[i].text);
        redact(text);
        assert_string_equal(text, cases[i].redacted);
    }
    redact_clear();
}

/* The word is made here, so that it is none of the program's constants. */
static void a_word_of_nobody_is_hidden_but_not_inside_another(void **state)
{
    char word[] = "hfifjn";
    char text[] = "xxxxxx, 'xxxxxx' and axxxxxx";

    (void)state;
    for (size_t i = 0; word[i] != '\0'; i++)
        word[i]--;
    for (char *at = text; (at = strstr(at, "xxxxxx")) != NULL;)
        memcpy(at, word, strlen(word));
    redact_register(word, strlen(word));
    redact(text);
    assert_memory_equal(text, "***, '***' and a", 16);
    assert_string_equal(text + 16, word);
    redact_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_is_blanked_wherever_it_stands),
        cmocka_unit_test(a_secret_inside_a_longer_one_leaves_no_tail),
        cmocka_unit_test(what_is_too_short_is_not_blanked),
        cmocka_unit_test(a_common_word_is_hidden_as_a_value_alone),
        cmocka_unit_test(a_word_of_nobody_is_hidden_but_not_inside_another),
        cmocka_unit_test(a_secret_that_is_stars_does_not_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
