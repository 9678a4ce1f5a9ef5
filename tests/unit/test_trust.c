#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "check.h"
#include "config/trust.h"
#include "scratch.h"

static void only_a_verified_connection_without_a_ca_gets_one(void **state)
{
    static const struct {
        const char *mode;
        const char *said;
        const char *root; /* NULL = none */
    } cases[] = {
        { NULL, NULL, NULL },
        { "disable", NULL, NULL },
        { "prefer", NULL, NULL },
        { "require", NULL, NULL },
        { "require", "own.pem", "own.pem" },
        { "verify-full", "own.pem", "own.pem" },
        { "verify-ca", "own.pem", "own.pem" },
        { "verify-full", NULL, "bundle.pem" },
        { "verify-ca", NULL, "bundle.pem" },
        { "verify-full", "system", "bundle.pem" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct endpoint endpoint = { .count = 0 };
        const char *root;
        struct error err;

        if (cases[i].mode != NULL)
            endpoint_set(&endpoint, "sslmode", cases[i].mode);
        if (cases[i].said != NULL)
            endpoint_set(&endpoint, "sslrootcert", cases[i].said);
        assert_true(trust_find(&endpoint, "bundle.pem", &err));
        root = endpoint_value(&endpoint, "sslrootcert");
        assert_int_equal(root == NULL, cases[i].root == NULL);
        if (root != NULL)
            assert_string_equal(root, cases[i].root);
    }
}

/* Which holds depends on the machine: a bundle that exists, or an error that says where it was looked for. */
static void without_a_word_the_usual_places_are_tried(void **state)
{
    static const char *const none[] = { NULL, "" };

    (void)state;
    for (size_t i = 0; i < array_length(none); i++) {
        struct endpoint endpoint = { .count = 0 };
        struct error err;

        endpoint_set(&endpoint, "sslmode", "verify-full");
        if (trust_find(&endpoint, none[i], &err)) {
            assert_true(file_exists(endpoint_value(&endpoint, "sslrootcert")));
            continue;
        }
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.code, "P1011");
        assert_non_null(strstr(err.detail, "/etc/ssl/cert.pem"));
        assert_non_null(strstr(err.hint, "sslrootcert"));
    }
}

static void who_accepts_any_certificate_has_no_ca(void **state)
{
    struct endpoint endpoint = { .accepts_any_certificate = true };
    struct error err;

    (void)state;
    endpoint_set(&endpoint, "sslmode", "require");
    endpoint_set(&endpoint, "sslrootcert", "own.pem");
    assert_true(trust_find(&endpoint, "bundle.pem", &err));
    assert_false(file_exists(endpoint_value(&endpoint, "sslrootcert")));
}

/* What is looked for, what exists, and what libpq gets; NULL = an error. */
static void a_named_file_is_found_or_refused(void **state)
{
    static const struct {
        const char *keyword;
        const char *said;
        const char *found;
    } cases[] = {
        { "sslrootcert", "here.pem", "here.pem" },
        { "sslrootcert", "both.pem", "both.pem" },
        { "sslrootcert", "there.pem", "prisma/there.pem" },
        { "sslrootcert", "nowhere.pem", NULL },
        { "sslrootcert", "/nowhere.pem", NULL },
        { "sslrootcert", "/dev/null", NULL },
        { "sslrootcert", "system", "system" },
        { "sslrootcert", "", "" },
        { "sslcert", "nowhere.pem", NULL },
        { "sslkey", "nowhere.pem", NULL },
        { "sslcrl", "nowhere.pem", NULL },
        { "sslcrldir", "nowhere", NULL },
        { "sslcrldir", "prisma", "prisma" },
    };

    (void)state;
    scratch_make_directory("prisma");
    scratch_write("here.pem", "x", 1);
    scratch_write("both.pem", "x", 1);
    scratch_write("prisma/both.pem", "x", 1);
    scratch_write("prisma/there.pem", "x", 1);
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint = { .count = 0 };
        struct error err;
        bool is_found;

        endpoint_set(&endpoint, cases[i].keyword, cases[i].said);
        is_found = trust_check_files(arena, "prisma", &endpoint, &err);
        if (is_found != (cases[i].found != NULL))
            fail_msg("%s=%s", cases[i].keyword, cases[i].said);
        if (is_found) {
            assert_string_equal(endpoint_value(&endpoint, cases[i].keyword), cases[i].found);
            continue;
        }
        assert_string_equal(err.code, "P1011");
        assert_non_null(strstr(err.message, cases[i].said));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_verified_connection_without_a_ca_gets_one),
        cmocka_unit_test(without_a_word_the_usual_places_are_tried),
        cmocka_unit_test(who_accepts_any_certificate_has_no_ca),
        cmocka_unit_test_setup_teardown(a_named_file_is_found_or_refused, scratch_enter, scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
