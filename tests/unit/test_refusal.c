#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "postgres/refusal.h"

static const struct endpoint WHERE = { .label = "db:5432" };

#define FAILED "connection to server at \"db\" (10.0.0.1), port 5432 failed: "

static void the_words_tell_the_class_and_whether_to_try_again(void **state)
{
    static const struct {
        const char *said;
        enum error_class class;
        bool is_worth_retrying;
        const char *code;
        const char *sqlstate;
    } cases[] = {
        /* the server refuses */
        { FAILED "FATAL:  28P01: password authentication failed for user \"u\"\nLOCATION:  auth_failed, "
                 "auth.c:331\n",
          ERROR_LOGIN, false, "P1000", "28P01" },
        { FAILED "FATAL:  28000: no pg_hba.conf entry for host \"10.0.0.2\"\n", ERROR_LOGIN, false, "P1010",
          "28000" },
        { FAILED "FATAL:  3D000: database \"d\" does not exist\n", ERROR_LOGIN, false, "P1003", "3D000" },
        { FAILED "FATAL:  53300: sorry, too many clients already\n", ERROR_BUDGET, true, "", "53300" },
        { FAILED "FATAL:  57P03: the database system is starting up\n", ERROR_UNREACHABLE, true, "",
          "57P03" },
        { FAILED "FATAL:  57P01: terminating connection\n", ERROR_UNREACHABLE, true, "P1017", "57P01" },
        { FAILED "FATAL:  08P01: server login has been failing\n", ERROR_UNREACHABLE, true, "", "08P01" },
        { FAILED "FATAL:  42704: unrecognized parameter\n", ERROR_USAGE, false, "", "42704" },
        { FAILED "FATAL:  57P03: starting up\n" FAILED "FATAL:  28P01: wrong password\n", ERROR_LOGIN, false,
          "P1000", "28P01" },
        /* nobody answers */
        { FAILED
          "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
          ERROR_UNREACHABLE, true, "P1001", "" },
        { "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory\n",
          ERROR_UNREACHABLE, true, "P1001", "" },
        { FAILED "server closed the connection unexpectedly\n", ERROR_UNREACHABLE, true, "P1001", "" },
        { "could not translate host name \"db\" to address: Name or service not known\n", ERROR_UNREACHABLE,
          true, "P1001", "" },
        { FAILED "session is read-only\n", ERROR_READ_ONLY, true, "P1001", "" },
        { FAILED "server is in hot standby mode\n", ERROR_READ_ONLY, true, "P1001", "" },
        /* TLS and passwords, which no waiting mends */
        { FAILED "fe_sendauth: no password supplied\n", ERROR_LOGIN, false, "P1000", "" },
        { FAILED "server does not support SSL, but SSL was required\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "SSL error: certificate verify failed\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "server certificate for \"a\" does not match host name \"db\"\n", ERROR_USAGE, false,
          "P1011", "" },
        { FAILED "root certificate file \"ca.pem\" does not exist\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "could not read certificate file \"c.pem\": no start line\n", ERROR_USAGE, false, "P1011",
          "" },
        { FAILED "private key file \"k.pem\" has group or world access\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "SSL error: tlsv1 alert protocol version\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "channel binding required, but SSL not in use\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "channel binding required but not supported by server's authentication request\n",
          ERROR_USAGE, false, "P1011", "" },
        { FAILED "channel binding is required, but server did not offer an authentication method that "
                 "supports channel binding\n",
          ERROR_USAGE, false, "P1011", "" },
        { FAILED "authentication method 99 not supported\n", ERROR_LOGIN, false, "P1000", "" },
        { FAILED "GSSAPI authentication not supported\n", ERROR_LOGIN, false, "P1000", "" },
        { FAILED "authentication method requirement \"scram-sha-256\" failed: server requested a cleartext "
                 "password\n",
          ERROR_LOGIN, false, "P1000", "" },
        { FAILED "invalid integer value \"5s\" for connection option \"tcp_user_timeout\"\n", ERROR_USAGE,
          false, "P1013", "" },
        { FAILED "GSSAPI encryption required but was impossible\n", ERROR_USAGE, false, "P1011", "" },
        { FAILED "server doesn't support GSSAPI encryption, but it was required\n", ERROR_USAGE, false,
          "P1011", "" },
        /* libpq did not even try */
        { "invalid sslmode value: \"maybe\"\n", ERROR_USAGE, false, "P1013", "" },
        { "invalid connection option \"sslnegotiation\"\n", ERROR_USAGE, false, "P1013", "" },
        { "invalid port number: \"0\"\n", ERROR_USAGE, false, "P1013", "" },
        { "", ERROR_USAGE, false, "P1013", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err;
        bool is_worth_retrying = refusal_explain(&WHERE, REFUSED_WITH_WORDS, cases[i].said, 5000, &err);

        if (is_worth_retrying != cases[i].is_worth_retrying || err.class != cases[i].class)
            fail_msg("%s: class %d", cases[i].said, err.class);
        assert_string_equal(err.code, cases[i].code);
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
        assert_non_null(strstr(err.message, "db:5432"));
    }
}

static void the_message_is_one_line_without_the_code(void **state)
{
    struct error err;

    (void)state;
    (void)refusal_explain(&WHERE, REFUSED_WITH_WORDS,
                          FAILED
                          "FATAL:  28P01: password authentication failed for user \"u\"\n"
                          "LOCATION:  auth_failed, auth.c:331\n",
                          5000, &err);
    assert_string_equal(
        err.message,
        "the database at db:5432 refused the connection: password authentication failed for user \"u\"");
    assert_true(err.hint[0] != '\0');
    (void)refusal_explain(&WHERE, REFUSED_WITH_WORDS, FAILED "Connection refused\n\tIs it running?\n", 5000,
                          &err);
    assert_string_equal(err.message, "could not connect to db:5432: " FAILED "Connection refused");
    assert_true(err.hint[0] != '\0');
}

static void a_user_that_cannot_log_in_is_named_with_what_lets_it(void **state)
{
    static const struct {
        const char *said;
        const char *remedy;
    } cases[] = {
        { "role \"shop\" does not exist", "CREATE ROLE \"shop\" LOGIN PASSWORD '…';" },
        { "role \"a\"b\" does not exist", "CREATE ROLE \"a\"\"b\" LOGIN PASSWORD '…';" },
        { "role \"shop\" is not permitted to log in", "ALTER ROLE \"shop\" LOGIN;" },
        { "no pg_hba.conf entry for host \"10.0.0.2\", user \"u\"", "pg_hba.conf" },
        { "role \"\" does not exist", "pg_hba.conf" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text said = text_init(256);
        struct error err;

        text_add_format(&said, FAILED "FATAL:  28000: %s\nLOCATION:  InitializeSessionUserId\n",
                        cases[i].said);
        assert_false(refusal_explain(&WHERE, REFUSED_WITH_WORDS, said.at, 5000, &err));
        assert_int_equal(err.class, ERROR_LOGIN);
        if (strstr(err.hint, cases[i].remedy) == NULL)
            fail_msg("%s: %s", cases[i].said, err.hint);
    }
}

static void a_parameter_that_this_libpq_does_not_know_is_named(void **state)
{
    struct error err;

    (void)state;
    assert_false(
        refusal_explain(&WHERE, REFUSED_WITH_WORDS, "invalid connection option \"new_one\"\n", 5000, &err));
    assert_non_null(strstr(err.message, "with which this tidelock was built, does not know \"new_one\""));
}

static void words_that_look_like_a_code_are_none(void **state)
{
    static const char *const said[] = {
        FAILED "FATAL:  28p01: lower case\n", FAILED "FATAL:  28P0: too short\n",
        FAILED "FATAL:  28P011: too long\n",  FAILED "FATAL:  28P01 no colon\n",
        FAILED "FATAL: 28P01: one blank\n",   FAILED "FATAL:  ",
    };

    (void)state;
    for (size_t i = 0; i < array_length(said); i++) {
        struct error err;

        assert_true(refusal_explain(&WHERE, REFUSED_WITH_WORDS, said[i], 5000, &err));
        assert_string_equal(err.sqlstate, "");
        assert_int_equal(err.class, ERROR_UNREACHABLE);
    }
}

static void silence_is_told_with_the_time_it_took(void **state)
{
    struct error err;

    (void)state;
    assert_true(refusal_explain(&WHERE, REFUSED_BY_TIME, "", 250, &err));
    assert_int_equal(err.class, ERROR_UNREACHABLE);
    assert_string_equal(err.code, "P1001");
    assert_string_equal(err.message, "could not connect to db:5432: no answer within 250 ms");
    assert_non_null(strstr(err.hint, "--connect-timeout"));
}

static void a_signal_ends_the_trying(void **state)
{
    struct error err;

    (void)state;
    assert_false(refusal_explain(&WHERE, REFUSED_BY_SIGNAL, "", 5000, &err));
    assert_int_equal(err.class, ERROR_INTERRUPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_tell_the_class_and_whether_to_try_again),
        cmocka_unit_test(the_message_is_one_line_without_the_code),
        cmocka_unit_test(a_user_that_cannot_log_in_is_named_with_what_lets_it),
        cmocka_unit_test(a_parameter_that_this_libpq_does_not_know_is_named),
        cmocka_unit_test(words_that_look_like_a_code_are_none),
        cmocka_unit_test(silence_is_told_with_the_time_it_took),
        cmocka_unit_test(a_signal_ends_the_trying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
