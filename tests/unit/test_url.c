#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "check.h"
#include "config/url.h"
#include "config/url_parameter.h"
#include "config/url_tls.h"

/* The parameter that libpq gets for a URL that is good. */
static void check_value(const char *url, const char *keyword, const char *wanted)
{
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error err = { 0 };
    const char *value;

    if (!url_parse(arena, url, &endpoint, &err))
        fail_msg("%s: %s", url, err.message);
    value = endpoint_value(&endpoint, keyword);
    if (wanted == NULL && value != NULL)
        fail_msg("%s: %s is %s", url, keyword, value);
    if (wanted != NULL && (value == NULL || strcmp(value, wanted) != 0))
        fail_msg("%s: %s is %s, not %s", url, keyword, value == NULL ? "not set" : value, wanted);
}

struct value_case {
    const char *url;
    const char *keyword;
    const char *value; /* NULL = not set */
};

static void check_values(const struct value_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_value(cases[i].url, cases[i].keyword, cases[i].value);
}

static void the_parts_of_a_url_become_parameters_of_libpq(void **state)
{
    static const struct value_case cases[] = {
        { "postgresql://u:p@h:6000/d", "user", "u" },   { "postgresql://u:p@h:6000/d", "password", "p" },
        { "postgresql://u:p@h:6000/d", "host", "h" },   { "postgresql://u:p@h:6000/d", "port", "6000" },
        { "postgresql://u:p@h:6000/d", "dbname", "d" }, { "postgres://h/d", "host", "h" },
        { "postgres://h/d", "port", "5432" },           { "postgres://h/d", "user", NULL },
        { "postgres://h/d", "password", NULL },         { "postgres://u:@h/d", "password", "" },
        { "postgres://u@h:/d", "port", "5432" },        { "postgres://u@h", "dbname", "postgres" },
        { "postgres://u@h/", "dbname", NULL },          { "postgres://u@h?schema=s", "dbname", "postgres" },
        { "postgres://u@h/d#part", "dbname", "d" },     { "postgres://u@h/d", "sslmode", "prefer" },
    };

    (void)state;
    check_values(cases, array_length(cases));
}

static void user_and_password_are_decoded_and_the_database_is_not(void **state)
{
    static const struct value_case cases[] = {
        { "postgresql://a%20b:p%40ss@h/my%20db", "user", "a b" },
        { "postgresql://a%20b:p%40ss@h/my%20db", "password", "p@ss" },
        { "postgresql://a%20b:p%40ss@h/my%20db", "dbname", "my%20db" },
        { "postgresql://u:a+b@h/d", "password", "a+b" },
        { "postgresql://u:a%2fb%2Fc@h/d", "password", "a/b/c" },
        { "postgresql://u@corp:p@h/d", "user", "u@corp" },
        { "postgresql://u@corp:p@h/d", "password", "p" },
        { "postgresql://u:p%40%3a%23%3F%2f@h/d", "password", "p@:#?/" },
        { "postgresql://u:p@%2Fvar%2Frun/d", "host", "/var/run" },
    };

    (void)state;
    check_values(cases, array_length(cases));
}

static void several_hosts_and_addresses_are_taken_apart(void **state)
{
    static const struct value_case cases[] = {
        { "postgres://u@a:1,b,c:3/d", "host", "a,b,c" },
        { "postgres://u@a:1,b,c:3/d", "port", "1,5432,3" },
        { "postgres://u@[::1]/d", "host", "::1" },
        { "postgres://u@[::1]/d", "port", "5432" },
        { "postgres://u@[fe80::2]:6000,h/d", "host", "fe80::2,h" },
        { "postgres://u@[fe80::2]:6000,h/d", "port", "6000,5432" },
        { "postgres://u@a,b/d?target_session_attrs=read-write", "target_session_attrs", "read-write" },
        { "postgres://u@a/d?host=/run/postgresql", "host", "/run/postgresql" },
        { "postgres://u@a/d?host=b&port=7", "port", "7" },
        { "postgres:///d?host=/run/postgresql", "host", "/run/postgresql" },
        { "postgres:///d?host=/run/postgresql&user=u@corp", "user", "u@corp" },
        { "postgres:///d?hostaddr=10.0.0.1", "hostaddr", "10.0.0.1" },
        { "postgres://u@b%C3%BCcher.example/d", "host", "b\303\274cher.example" },
    };

    (void)state;
    check_values(cases, array_length(cases));
}

static void the_query_part_is_a_form(void **state)
{
    static const struct value_case cases[] = {
        { "postgres://h/d?options=-c+statement_timeout%3D1s", "options", "-c statement_timeout=1s" },
        { "postgres://h/d?application_name=a&application_name=b", "application_name", "b" },
        { "postgres://h/d?&&application_name=a&", "application_name", "a" },
        { "postgres://h/d?application_name", "application_name", "" },
        { "postgres://h/d?application_name=a=b", "application_name", "a=b" },
        { "postgres://h/d?channel_binding=require", "channel_binding", "require" },
        { "postgres://h/d?keepalives_idle=30", "keepalives_idle", "30" },
    };

    (void)state;
    check_values(cases, array_length(cases));
}

static void tls_means_what_its_author_meant(void **state)
{
    static const struct value_case cases[] = {
        { "postgres://h/d?sslmode=require", "sslmode", "require" },
        { "postgres://h/d?sslmode=disable", "sslmode", "disable" },
        { "postgres://h/d?sslmode=verify-full", "sslmode", "verify-full" },
        { "postgres://h/d?sslmode=verify-ca&sslaccept=strict", "sslmode", "verify-ca" },
        { "postgres://h/d?sslaccept=strict", "sslmode", "verify-full" },
        { "postgres://h/d?sslaccept=strict&sslmode=require", "sslmode", "verify-full" },
        { "postgres://h/d?sslmode=require&sslaccept=anything", "sslmode", "verify-full" },
        { "postgres://h/d?sslaccept=accept_invalid_certs&sslmode=require", "sslmode", "require" },
        { "postgres://h/d?sslaccept=strict&sslmode=disable", "sslmode", "disable" },
        { "postgres://h/d?sslmode=verify-full", "sslrootcert", NULL },
        { "postgres://h/d?sslrootcert=system", "sslmode", "verify-full" },
        /* node-postgres */
        { "postgres://h/d?sslmode=no-verify", "sslmode", "require" },
        { "postgres://h/d?ssl=true", "sslmode", "require" },
        { "postgres://h/d?ssl=1&uselibpqcompat=true", "sslmode", "require" },
        { "postgres://h/d?ssl=true&sslmode=verify-full", "sslmode", "verify-full" },
        { "postgres://h/d?ssl=no-verify", "sslmode", "require" },
        { "postgres://h/d?ssl=false", "sslmode", "disable" },
        { "postgres://h/d?ssl=0&sslmode=disable", "sslmode", "disable" },
        /* Alone, sslcert is Prisma's: the CA. */
        { "postgres://h/d?sslcert=ca.pem", "sslrootcert", "ca.pem" },
        { "postgres://h/d?sslcert=ca.pem", "sslcert", NULL },
        { "postgres://h/d?sslcert=ca.pem&sslrootcert=root.pem", "sslrootcert", "root.pem" },
        /* Who names it wants the server verified. */
        { "postgres://h/d?sslcert=ca.pem", "sslmode", "verify-ca" },
        { "postgres://h/d?sslrootcert=ca.pem", "sslmode", "verify-ca" },
        { "postgres://h/d?sslrootcert=ca.pem&sslmode=disable", "sslmode", "disable" },
        { "postgres://h/d?sslrootcert=ca.pem&sslmode=prefer", "sslmode", "prefer" },
        { "postgres://h/d?sslcert=ca.pem&sslaccept=strict", "sslmode", "verify-full" },
        { "postgres://h/d?sslcert=ca.pem&sslaccept=accept_invalid_certs", "sslmode", "prefer" },
        { "postgres://h/d?sslcert=ca.pem&ssl=true", "sslmode", "require" },
        { "postgres://h/d?sslcert=ca.pem&sslkey=k.pem&sslaccept=strict", "sslrootcert", "ca.pem" },
        /* With a key it is libpq's: the client's own. */
        { "postgres://h/d?sslkey=k.pem&sslcert=c.pem", "sslcert", "c.pem" },
        { "postgres://h/d?sslkey=k.pem&sslcert=c.pem", "sslkey", "k.pem" },
        { "postgres://h/d?sslkey=k.pem&sslcert=c.pem", "sslrootcert", NULL },
        { "postgres://h/d?sslkey=k.pem&sslcert=c.pem&sslpassword=x", "sslpassword", "x" },
    };

    (void)state;
    check_values(cases, array_length(cases));
}

static void only_who_accepts_any_certificate_gets_no_verification(void **state)
{
    static const struct {
        const char *url;
        bool accepts;
    } cases[] = {
        { "postgres://h/d", false },
        { "postgres://h/d?sslmode=require", false },
        { "postgres://h/d?sslmode=require&sslcert=ca.pem", false },
        { "postgres://h/d?sslmode=require&sslcert=ca.pem&sslaccept=strict", false },
        { "postgres://h/d?sslmode=require&sslcert=ca.pem&sslaccept=other", false },
        { "postgres://h/d?sslmode=require&sslcert=ca.pem&sslaccept=accept_invalid_certs", true },
        { "postgres://h/d?sslmode=require&sslrootcert=ca.pem&sslaccept=accept_invalid_certs", true },
        { "postgres://h/d?sslmode=no-verify", true },
        { "postgres://h/d?sslmode=no-verify&sslrootcert=ca.pem", true },
        { "postgres://h/d?ssl=no-verify", true },
        { "postgres://h/d?ssl=true", false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint;
        struct error err;

        assert_true(url_parse(arena, cases[i].url, &endpoint, &err));
        if (endpoint.accepts_any_certificate != cases[i].accepts)
            fail_msg("%s", cases[i].url);
    }
}

static void a_mode_from_elsewhere_is_read_in_the_same_way(void **state)
{
    struct endpoint endpoint = { .is_sslmode_standard = true };
    struct error err;

    (void)state;
    assert_true(url_set_tls_mode("no-verify", "PGSSLMODE", &endpoint, &err));
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "require");
    assert_true(endpoint.accepts_any_certificate);
    assert_false(endpoint.is_sslmode_standard);
    assert_false(url_set_tls_mode("Verify_Full", "PGSSLMODE", &endpoint, &err));
    assert_non_null(strstr(err.message, "PGSSLMODE"));
    assert_non_null(strstr(err.hint, "Did you mean verify-full?"));
    assert_null(strstr(err.message, "Verify_Full"));
}

static void a_mode_that_is_said_anywhere_stands_before_that_of_a_named_ca(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint = { .count = 0 };
    struct error err;

    (void)state;
    endpoint_set(&endpoint, "sslrootcert", "ca.pem");
    url_verify_by_ca(&endpoint);
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "verify-ca");
    assert_true(endpoint.is_sslmode_standard);
    assert_true(url_parse(arena, "postgres://h/d?sslcert=ca.pem", &endpoint, &err));
    assert_true(endpoint.is_sslmode_standard);
    assert_true(url_set_tls_mode("prefer", "PGSSLMODE", &endpoint, &err));
    url_verify_by_ca(&endpoint);
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "prefer");
}

static void a_channel_binding_needs_tls(void **state)
{
    static const struct {
        const char *url;
        bool is_possible;
    } cases[] = {
        { "postgres://h/d?channel_binding=require&sslmode=disable", false },
        { "postgres://h/d?channel_binding=require&ssl=false", false },
        { "postgres://h/d?channel_binding=prefer&sslmode=disable", true },
        { "postgres://h/d?channel_binding=require", true },
        { "postgres://h/d?sslmode=disable", true },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint;
        struct error err;

        assert_true(url_parse(arena, cases[i].url, &endpoint, &err));
        assert_int_equal(url_check_binding(&endpoint, &err), cases[i].is_possible);
    }
}

static void what_is_ours_does_not_reach_libpq(void **state)
{
    static const char *const ours[] = { "schema", "pgbouncer", "connect_timeout", "connection_limit",
                                        "sslaccept" };
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error err;

    (void)state;
    assert_true(url_parse(arena,
                          "postgres://h/d?schema=a&schema=My+Sch&pgbouncer=true&connect_timeout=7"
                          "&connection_limit=1&pool_timeout=10&single_use_connections=x&sslaccept=strict",
                          &endpoint, &err));
    assert_string_equal(endpoint.schema, "My Sch");
    assert_true(endpoint.is_pooler);
    assert_int_equal(endpoint.connect_timeout_ms, 7000);
    for (size_t i = 0; i < array_length(ours); i++)
        assert_null(endpoint_value(&endpoint, ours[i]));
}

static void what_is_not_said_has_a_meaning_of_its_own(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error err;

    (void)state;
    assert_true(url_parse(arena, "postgres://h/d?schema=", &endpoint, &err));
    assert_null(endpoint.schema);
    assert_false(endpoint.is_pooler);
    assert_int_equal(endpoint.connect_timeout_ms, -1);
    assert_true(url_parse(arena, "postgres://h/d?connect_timeout=0&pgbouncer=false", &endpoint, &err));
    assert_int_equal(endpoint.connect_timeout_ms, 0);
    assert_false(endpoint.is_pooler);
}

static void a_parameter_that_nobody_knows_is_ignored(void **state)
{
    (void)state;
    check_value("postgres://h/d?pool_size=5", "pool_size", NULL);
    check_value("postgres://h/d?Schema=x&foo=1", "dbname", "d");
}

static void the_label_names_the_server_and_nothing_else(void **state)
{
    static const struct {
        const char *url;
        const char *label;
    } cases[] = {
        { "postgres://u:secret@h/d", "h:5432" },
        { "postgres://u:secret@h:1/d", "h:1" },
        { "postgres://u:secret@[::1]:2/d", "[::1]:2" },
        { "postgres://u:secret@a:1,b:2/d", "a:1, b:2" },
        { "postgres://u:secret@a,[::1]:2/d", "a:5432, [::1]:2" },
        { "postgres://u:secret@a,b/d?port=7", "a:7, b:7" },
        { "postgres://u:secret@/d?hostaddr=127.0.0.1", "127.0.0.1:5432" },
        { "postgres://u:secret@h/d?host=/run", "/run:5432" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint;
        struct error err;

        assert_true(url_parse(arena, cases[i].url, &endpoint, &err));
        assert_string_equal(endpoint.label, cases[i].label);
    }
}

static void what_cannot_be_meant_is_refused_and_the_password_not_quoted(void **state)
{
    static const struct {
        const char *url;
        const char *says;
    } cases[] = {
        { "", "postgresql://" },
        { "mysql://u:s3cret@h/d", "postgresql://" },
        { "h:5432/s3cret", "postgresql://" },
        { "POSTGRES://u:s3cret@h/d", "postgresql://" },
        { "prisma://x/?api_key=s3cret", "Prisma's service" },
        { "prisma+postgres://x/?api_key=s3cret", "Prisma's service" },
        { "postgres://u:s3cret@h:x/d", "port" },
        { "postgres://u:s3cret@h:0/d", "port" },
        { "postgres://u:s3cret@h:65536/d", "port" },
        { "postgres://u:s3cret@h:99999999999999999999/d", "port" },
        { "postgres://u:s3cret@h:-1/d", "port" },
        { "postgres://u:4711#s3cret@h/d", "percent-encoded" },
        { "postgres://u:#s3cret@h/d", "percent-encoded" },
        { "postgres://u:s3cret#@h/d", "percent-encoded" },
        { "postgres://u:4711?s3cret@h/d", "percent-encoded" },
        { "postgres://u:?s3cret=x@h/d", "percent-encoded" },
        { "postgres://u:4711?schema=s3cret@h/d", "percent-encoded" },
        { "postgres://u:4711/s3cret@h/d", "percent-encoded" },
        { "postgres://u:a@s3cret@h/d", "percent-encoded" },
        { "postgres://u:a@s3cret?b@h/d", "percent-encoded" },
        { "postgres://u:a@s3cret/b@h/d", "percent-encoded" },
        { "postgres://u:a@s3cret#b@h/d", "percent-encoded" },
        { "postgres://u:a:s3cret@h/d", "percent-encoded" },
        { "postgres://u/x:s3cret@h/d", "percent-encoded" },
        { "postgres://u:p@h/s3cret@d", "percent-encoded" },
        { "postgres://u:4711?s3cret", "no value" },
        { "postgres://u:p@h/d?password=a&s3cret", "no value" },
        { "postgres://u:#s3cret", "colon" },
        { "postgres://u:?a=s3cret", "colon" },
        { "postgres://u:p@h/d?schema=a?s3cret=b", "second" },
        { "postgres://u:p@h/d?password=a#s3cret", "#" },
        { "postgres://u:s3cret@/d", "host is empty" },
        { "postgres://u:s3cret@:6000/d", "host is empty" },
        { "postgres:///s3cret", "host is empty" },
        { "postgres://", "host is empty" },
        { "postgres://u:s3cret@a,,b/d", "host is empty" },
        { "postgres://u:s3cret@a,/d", "host is empty" },
        { "postgres://u:s3cret@h/d?host=", "host is empty" },
        { "\"postgres://u:s3cret@h/d\"", "quote" },
        { "'postgres://u:s3cret@h/d'", "quote" },
        { "postgres://u:s3cret@h/d\"", "quote" },
        { "postgres://u:s3cret@h/\"d\"?schema=a", "quote" },
        { "postgres://u:s3cret@\"h\"/d", "host" },
        { " postgres://u:s3cret@h/d", "blank" },
        { "postgres://u:s3cret@h/d ", "blank" },
        { "postgres://u:s3cret pass@h/d", "blank" },
        { "postgres://u:${s3cret}@h/d", "variable" },
        { "postgres://u:s3cret@${HOST}/d", "variable" },
        { "postgres://u:$(s3cret)@h/d", "variable" },
        { "postgres://u:{{s3cret}}@h/d", "variable" },
        { "postgres://u:s3cret@$HOST/d", "host" },
        { "postgres://u:s3cret@<host>/d", "host" },
        { "postgres://u:s3cret@h%0a/d", "host" },
        { "postgres://h/d?host=s3cret@x", "host" },
        { "postgres://h/d?sslmode=s3cret", "sslmode" },
        { "postgres://h/d?sslmode=", "sslmode" },
        { "postgres://h/d?sslmode=REQUIRE", "sslmode" },
        { "postgres://h/d?ssl=s3cret", "ssl" },
        { "postgres://h/d?ssl=true&sslmode=disable", "contradict" },
        { "postgres://h/d?ssl=true&sslmode=prefer", "contradict" },
        { "postgres://h/d?ssl=false&sslmode=require", "contradict" },
        { "postgres://h/d?sslmode=no-verify&sslaccept=strict", "contradict" },
        { "postgres://h/d?sslmode=verify-full&sslaccept=accept_invalid_certs", "contradict" },
        { "postgres://h/d?sslmode=require&sslrootcert=system", "system" },
        { "postgres://h/d?sslmode=require&sslcert=", "\"sslcert\" is empty" },
        { "postgres://h/d?sslmode=require&sslrootcert=", "\"sslrootcert\" is empty" },
        { "postgres://h/d?sslcert=ca.pem&sslkey=", "\"sslkey\" is empty" },
        { "postgres://h/d?sslcrl=", "\"sslcrl\" is empty" },
        { "postgres://h/d?schema=pg_temp", "\"schema\"" },
        { "postgres://h/d?schema=information_schema", "\"schema\"" },
        { "postgres://h/d?sslmod=require", "TLS" },
        { "postgres://h/d?SSLMODE=require", "TLS" },
        { "postgres://h/d?tls=true", "TLS" },
        { "postgres://u:s3cret%@h/d", "percent-encoding" },
        { "postgres://u:s3cret%4@h/d", "percent-encoding" },
        { "postgres://u:s3cret%zz@h/d", "percent-encoding" },
        { "postgres://u:s3cret%00@h/d", "percent-encoding" },
        { "postgres://u:s3cret@h%/d", "percent-encoding" },
        { "postgres://h/d?password=s3cret%", "percent-encoding" },
        { "postgres://u:s3cret@[::1/d", "bracket" },
        { "postgres://u:s3cret@[::1]x/d", "bracket" },
        { "postgres://u:s3cret@h/d?connect_timeout=x", "connect_timeout" },
        { "postgres://u:s3cret@h/d?connect_timeout=", "connect_timeout" },
        { "postgres://u:s3cret@h/d?connection_limit=1.5", "connection_limit" },
        { "postgres://u:s3cret@h/d?pool_timeout=-1", "pool_timeout" },
        { "postgres://u:s3cret@h/d?pgbouncer=1", "pgbouncer" },
        { "postgres://u:s3cret@h/d?sslidentity=me.p12&sslpassword=s3cret", "PKCS#12" },
        { "postgres://u:s3cret@h/d?client_encoding=latin1", "client_encoding" },
        { "postgres://u:s3cret@h/d?replication=true", "replication" },
        { "postgres://u:s3cret\n@h/d", "control character" },
        { "postgres://u:s3cret@h/d\r", "control character" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint;
        struct error err;

        if (url_parse(arena, cases[i].url, &endpoint, &err))
            fail_msg("%s was taken", cases[i].url);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.code, "P1013");
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].url, err.message);
        assert_true(err.hint[0] != '\0');
        assert_null(strstr(err.message, "s3cret"));
        assert_null(strstr(err.detail, "s3cret"));
        assert_null(strstr(err.hint, "s3cret"));
    }
}

static void it_is_said_how_to_write_what_ends_a_password(void **state)
{
    static const struct {
        const char *url;
        const char *hint;
    } cases[] = {
        { "postgres://u:a#b@h/d", "Write # as %23 where" },
        { "postgres://u:a?b@h/d", "Write ? as %3F where" },
        { "postgres://u:a/b@h/d", "Write / as %2F where" },
        { "postgres://u:a@b@h/d", "Write @ as %40 where" },
        { "postgres://u:a:b@h/d", "Write : as %3A where" },
        { "postgres://u:a@b/c:d@h/d", "Write / as %2F, @ as %40, : as %3A where" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct endpoint endpoint;
        struct error err;

        assert_false(url_parse(arena, cases[i].url, &endpoint, &err));
        if (strstr(err.hint, cases[i].hint) == NULL)
            fail_msg("%s: %s", cases[i].url, err.hint);
    }
}

static void a_url_beyond_its_bound_is_refused(void **state)
{
    auto_arena struct arena *arena = arena_new();
    auto_text struct text url = text_init(32 * 1024);
    struct endpoint endpoint;
    struct error err;

    (void)state;
    text_add_string(&url, "postgres://h/");
    while (url.length < 16 * 1024)
        text_add(&url, "d", 1);
    assert_true(url_parse(arena, url.at, &endpoint, &err));
    text_add(&url, "d", 1);
    assert_false(url_parse(arena, url.at, &endpoint, &err));
    assert_non_null(strstr(err.message, "16 KiB"));
}

static void the_password_is_found_for_the_redactor(void **state)
{
    static const struct {
        const char *url;
        const char *raw;
        const char *decoded;
    } cases[] = {
        { "postgres://u:p%40ss@h/d", "p%40ss", "p@ss" },
        { "postgres://u@h/d", "", "" },
        { "postgres://h/d?x=a:b@c", "", "" },
        { "postgres://u:bad%@h/d", "bad%", "" },
        { "not a url", "", "" },
        { "", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        struct slice raw;
        struct slice decoded;

        url_password(arena, cases[i].url, &raw, &decoded);
        assert_true(slice_equals(raw, cases[i].raw));
        assert_true(slice_equals(decoded, cases[i].decoded));
    }
}

static void a_parameter_is_replaced_and_not_doubled(void **state)
{
    struct endpoint endpoint = { .count = 0 };

    (void)state;
    endpoint_set(&endpoint, "host", "a");
    endpoint_set(&endpoint, "host", "b");
    assert_int_equal(endpoint.count, 1);
    assert_string_equal(endpoint_value(&endpoint, "host"), "b");
    assert_null(endpoint_value(&endpoint, "port"));
}

static void a_parameter_is_set_in_its_place_or_behind(void **state)
{
    static const struct {
        const char *url;
        const char *wanted;
    } cases[] = {
        { "postgresql://u:p@h/d", "postgresql://u:p@h/d?connection_limit=7" },
        { "postgresql://u:p@h/d?schema=a", "postgresql://u:p@h/d?schema=a&connection_limit=7" },
        { "postgresql://u:p@h/d?connection_limit=3", "postgresql://u:p@h/d?connection_limit=7" },
        { "postgresql://h/d?a=1&connection_limit=3&b=2", "postgresql://h/d?a=1&connection_limit=7&b=2" },
        { "postgresql://h/d?my_connection_limit=3",
          "postgresql://h/d?my_connection_limit=3&connection_limit=7" },
        { "postgresql://h/d?connection_limit=1&a=&connection_limit=99",
          "postgresql://h/d?connection_limit=7&a=" },
        { "postgresql://h/d?connection%5Flimit=1&b", "postgresql://h/d?connection_limit=7&b" },
        { "postgresql://h/d?connection_limit&x=%zz", "postgresql://h/d?connection_limit=7&x=%zz" },
        { "postgresql://h/d#frag", "postgresql://h/d?connection_limit=7#frag" },
        { "postgresql://h/d?schema=a#f?connection_limit=1",
          "postgresql://h/d?schema=a&connection_limit=7#f?connection_limit=1" },
        { "postgresql://h/d?", "postgresql://h/d?connection_limit=7" },
    };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++)
        assert_string_equal(url_with_parameter(arena, cases[i].url, "connection_limit=7"), cases[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_is_set_in_its_place_or_behind),
        cmocka_unit_test(the_parts_of_a_url_become_parameters_of_libpq),
        cmocka_unit_test(user_and_password_are_decoded_and_the_database_is_not),
        cmocka_unit_test(several_hosts_and_addresses_are_taken_apart),
        cmocka_unit_test(the_query_part_is_a_form),
        cmocka_unit_test(tls_means_what_its_author_meant),
        cmocka_unit_test(only_who_accepts_any_certificate_gets_no_verification),
        cmocka_unit_test(a_mode_from_elsewhere_is_read_in_the_same_way),
        cmocka_unit_test(a_mode_that_is_said_anywhere_stands_before_that_of_a_named_ca),
        cmocka_unit_test(a_channel_binding_needs_tls),
        cmocka_unit_test(what_is_ours_does_not_reach_libpq),
        cmocka_unit_test(what_is_not_said_has_a_meaning_of_its_own),
        cmocka_unit_test(a_parameter_that_nobody_knows_is_ignored),
        cmocka_unit_test(the_label_names_the_server_and_nothing_else),
        cmocka_unit_test(what_cannot_be_meant_is_refused_and_the_password_not_quoted),
        cmocka_unit_test(it_is_said_how_to_write_what_ends_a_password),
        cmocka_unit_test(a_url_beyond_its_bound_is_refused),
        cmocka_unit_test(the_password_is_found_for_the_redactor),
        cmocka_unit_test(a_parameter_is_replaced_and_not_doubled),
    };

    log_configure(LOG_ERROR, LOG_TEXT); /* warnings are wanted here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
