/* Which of two releases is older, and what is no release. */
#include <string.h>

#include "base/memory.h"
#include "base/release.h"
#include "base/stamp.h"
#include "check.h"

static int compare(const char *one, const char *other)
{
    struct release a;
    struct release b;
    int order;

    assert_true(release_parse(slice_of(one), &a));
    assert_true(release_parse(slice_of(other), &b));
    order = release_compare(&a, &b);
    assert_int_equal((order > 0) - (order < 0),
                     (release_compare(&b, &a) < 0) - (release_compare(&b, &a) > 0));
    return (order > 0) - (order < 0);
}

static void they_are_in_the_order_of_semantic_versions(void **state)
{
    static const char *const ascending[] = { "1.0.0-alpha",
                                             "1.0.0-alpha.1",
                                             "1.0.0-alpha.beta",
                                             "1.0.0-beta",
                                             "1.0.0-beta.2",
                                             "1.0.0-beta.11",
                                             "1.0.0-rc.1",
                                             "1.0.0",
                                             "1.0.1",
                                             "1.2",
                                             "1.2.0.1",
                                             "1.9.10",
                                             "1.10.0",
                                             "2",
                                             "10.0.0",
                                             "2026.9.30",
                                             "2026.11.30",
                                             "2027.01.02",
                                             "99999999999999999999999.1" };

    (void)state;
    for (size_t i = 0; i < array_length(ascending); i++) {
        for (size_t j = 0; j < array_length(ascending); j++)
            assert_int_equal(compare(ascending[i], ascending[j]), (i > j) - (i < j));
    }
}

static void what_says_nothing_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(compare("v1.2.3", "1.2.3"), 0);
    assert_int_equal(compare("1.2.3+build.5", "1.2.3+a-hash"), 0);
    assert_int_equal(compare("1.2", "1.2.0.0"), 0);
    assert_int_equal(compare("2026.09.01", "2026.9.1"), 0);
    assert_int_equal(compare("1.0-rc.01", "1.0-rc.1"), 0);
}

static void what_has_no_order_is_refused(void **state)
{
    static const char *const none[] = { "",        "v",     "latest", "3f2a91c", "main",     "1.",
                                        ".1",      "1..2",  "1.2.",   "1.2-",    "1.2-a..b", "1.2+",
                                        "1.2+a b", "1.2 ",  "V1.2",   "vv1",     "1.2.x",    "2026-11-30",
                                        "5-1",     "1.2\n", "-1",     "1.2-rc_1" };
    char longest[RELEASE_SIZE + 1];
    struct release out;

    (void)state;
    for (size_t i = 0; i < array_length(none); i++)
        assert_false(release_parse(slice_of(none[i]), &out));
    memset(longest, '1', sizeof longest);
    assert_false(release_parse((struct slice) { longest, RELEASE_SIZE }, &out));
    assert_true(release_parse((struct slice) { longest, RELEASE_SIZE - 1 }, &out));
}

static void what_is_none_counts_as_older(void **state)
{
    (void)state;
    assert_true(release_is_older("1.0", "1.1"));
    assert_false(release_is_older("1.1", "1.1.0"));
    assert_false(release_is_older("1.2", "1.1"));
    assert_true(release_is_older("1.2", "3f2a91c"));
    assert_true(release_is_older("3f2a91c", "1.2"));
}

static void a_stamp_is_a_word_of_a_name(void **state)
{
    static const struct {
        const char *name;
        const char *release; /* NULL = none */
    } cases[] = {
        { "release/1.5.0", "1.5.0" },
        { "shop release/v2-rc.1", "v2-rc.1" },
        { "release/1.5 shop", "1.5" },
        { "release/latest", NULL },
        { "", NULL },
        { "prerelease/1.5", NULL },
        { "release/", NULL },
        { " shop  release/1.5.0 - 10.0.0.1:5432", "1.5.0" },
        { "Release/1.5", NULL },
    };
    char stamp[STAMP_SIZE];
    char longest[RELEASE_SIZE];
    struct slice found;

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        assert_int_equal(stamp_read(cases[i].name, &found), cases[i].release != NULL);
        if (cases[i].release != NULL)
            assert_true(slice_equals(found, cases[i].release));
    }
    stamp_of("v1.5.0-rc.1+build.7", stamp);
    assert_string_equal(stamp, "release/v1.5.0-rc.1");
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    stamp_of(longest, stamp);
    assert_int_equal(strlen(stamp), 63); /* all that the server keeps */
    assert_true(stamp_read(stamp, &found) && slice_equals(found, longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_in_the_order_of_semantic_versions),
        cmocka_unit_test(what_says_nothing_is_ignored),
        cmocka_unit_test(what_has_no_order_is_refused),
        cmocka_unit_test(what_is_none_counts_as_older),
        cmocka_unit_test(a_stamp_is_a_word_of_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
