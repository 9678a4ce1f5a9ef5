#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "credentials/sigv4.h"

enum { URL_MOST = 8192 };

static const char EXAMPLE_SECRET[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/* The end of most requests of the suite. */
#define PLAIN_REQUEST                                                                                        \
    "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" SIGV4_EMPTY_PAYLOAD

/* AWS's "aws4" test suite: its .creq files with the signatures of its .authz files, once for those that are
 * the same request. */
static const struct {
    const char *name;
    const char *request;
    const char *signature;
} REQUESTS[] = {
    { "get-vanilla", "GET\n/\n\n" PLAIN_REQUEST,
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-header-key-duplicate",
      "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value2,value2,value1\n"
      "x-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-multiline",
      "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value1 value2 value3\n"
      "x-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd" },
    { "get-header-value-order",
      "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value4,value1,value3,value2\n"
      "x-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "get-header-value-trim",
      "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value1\nmy-header2:\"a b c\"\n"
      "x-amz-date:20150830T123600Z\n\nhost;my-header1;my-header2;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "get-unreserved",
      "GET\n/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n\n" PLAIN_REQUEST,
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
    { "get-utf8", "GET\n/%E1%88%B4\n\n" PLAIN_REQUEST,
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "get-vanilla-empty-query-key", "GET\n/\nParam1=value1\n" PLAIN_REQUEST,
      "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
    { "get-vanilla-query-order-encoded",
      "GET\n/\n%E1%88%B4=Value1&Param=Value2&Param-3=Value3\n" PLAIN_REQUEST,
      "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
    { "get-vanilla-query-order-key-case", "GET\n/\nParam1=value1&Param2=value2\n" PLAIN_REQUEST,
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-order-key", "GET\n/\nParam1=Value1&Param1=value2\n" PLAIN_REQUEST,
      "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1" },
    { "get-vanilla-query-order-value", "GET\n/\nParam1=value1&Param1=value2\n" PLAIN_REQUEST,
      "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694" },
    { "get-vanilla-query-unreserved",
      "GET\n/\n"
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFG"
      "HIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n" PLAIN_REQUEST,
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-vanilla-utf8-query", "GET\n/\n%E1%88%B4=bar\n" PLAIN_REQUEST,
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
    { "get-vanilla-with-session-token",
      "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"
      "x-amz-security-token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n\n"
      "host;x-amz-date;x-amz-security-token\n" SIGV4_EMPTY_PAYLOAD,
      "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
    { "get-slash-pointless-dot", "GET\n/example\n\n" PLAIN_REQUEST,
      "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
    { "get-slashes", "GET\n/example/\n\n" PLAIN_REQUEST,
      "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
    { "get-space", "GET\n/example%20space/\n\n" PLAIN_REQUEST,
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
    { "get-special-character", "GET\n/example/%24delete\n\n" PLAIN_REQUEST,
      "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27" },
    { "post-header-key-case", "POST\n/\n\n" PLAIN_REQUEST,
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-header-key-sort",
      "POST\n/\n\nhost:example.amazonaws.com\nmy-header1:value1\nx-amz-date:20150830T123600Z\n\n"
      "host;my-header1;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
    { "post-header-value-case",
      "POST\n/\n\nhost:example.amazonaws.com\nmy-header1:VALUE1\nx-amz-date:20150830T123600Z\n\n"
      "host;my-header1;x-amz-date\n" SIGV4_EMPTY_PAYLOAD,
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
    { "post-sts-header-before",
      "POST\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"
      "x-amz-security-token:AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW"
      "LWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2"
      "wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38x"
      "Vqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oL"
      "xBA==\n\nhost;x-amz-date;x-amz-security-token\n" SIGV4_EMPTY_PAYLOAD,
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
    { "post-vanilla-empty-query-value", "POST\n/\nParam1=value1\n" PLAIN_REQUEST,
      "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
    { "post-x-www-form-urlencoded-parameters",
      "POST\n/\n\ncontent-type:application/x-www-form-urlencoded; charset=utf8\n"
      "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n"
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
    { "post-x-www-form-urlencoded",
      "POST\n/\n\ncontent-type:application/x-www-form-urlencoded\nhost:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n"
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
};

static void the_suite_s_canonical_requests_have_its_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(REQUESTS); i++) {
        char hex[SHA256_HEX_SIZE];

        sigv4_signature(
            REQUESTS[i].request, "20150830T123600Z",
            &(const struct sigv4) { .region = "us-east-1", .service = "service", .secret = EXAMPLE_SECRET },
            hex);
        if (strcmp(hex, REQUESTS[i].signature) != 0)
            fail_msg("%s: %s", REQUESTS[i].name, hex);
    }
}

/* The suite's newer form has the same requests signed in the query (query-signature.txt): those with GET and
 * no more headers than the host. */
static const struct {
    const char *name;
    const char *path;
    const char *query;
    const char *session_token;
    const char *signature;
} PRESIGNED[] = {
    { "get-vanilla", "/", "", NULL, "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d" },
    { "get-relative-relative-unnormalized", "/example1/example2/../..", "", NULL,
      "b45db0bfd1cf15003493b733e33aa208dd981bd0e63037a6ed953f71d2118a16" },
    { "get-relative-unnormalized", "/example/..", "", NULL,
      "cbcb213b928a077e43275df47b500f1dfaa864ab3f5a18f6b95f4ff0938167ee" },
    { "get-slash-dot-slash-unnormalized", "/./", "", NULL,
      "a9b13e8f3484d9505bf1a6f347219f8f35b0fe8f128ceea597efc146a3dfe90c" },
    { "get-slash-pointless-dot-normalized", "/example", "", NULL,
      "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de" },
    { "get-slash-pointless-dot-unnormalized", "/./example", "", NULL,
      "72b11f16d9530b18204bfb71f2d6ab085894c0ed8d352730a6e76234c58b5e10" },
    { "get-slash-unnormalized", "//", "", NULL,
      "b2a9542809db687769200f56a844a03f2bd0291d6eb90232d5101c6a579446cd" },
    { "get-slashes-normalized", "/example/", "", NULL,
      "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082" },
    { "get-slashes-unnormalized", "//example//", "", NULL,
      "822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2" },
    { "get-space-normalized", "/example%20space/", "", NULL,
      "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6" },
    { "get-unreserved", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", NULL,
      "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005" },
    { "get-utf8", "/%E1%88%B4", "", NULL,
      "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44" },
    { "get-vanilla-empty-query-key", "/", "Param1=value1", NULL,
      "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de" },
    { "get-vanilla-query-order-encoded", "/", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3", NULL,
      "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787" },
    { "get-vanilla-query-order-key-case", "/", "Param1=value1&Param2=value2", NULL,
      "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5" },
    { "get-vanilla-query-unreserved", "/",
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFG"
      "HIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      NULL, "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf" },
    { "get-vanilla-utf8-query", "/", "%E1%88%B4=bar", NULL,
      "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600" },
    { "get-vanilla-with-session-token", "/", "",
      "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
      "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c" },
};

static void the_suite_s_presigned_urls_have_its_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(PRESIGNED); i++) {
        auto_text struct text out = text_init(URL_MOST);
        const struct sigv4 what = { .host = "example.amazonaws.com",
                                    .path = PRESIGNED[i].path,
                                    .query = PRESIGNED[i].query,
                                    .region = "us-east-1",
                                    .service = "service",
                                    .key_id = "AKIDEXAMPLE",
                                    .secret = EXAMPLE_SECRET,
                                    .session_token = PRESIGNED[i].session_token,
                                    .payload_hash = SIGV4_EMPTY_PAYLOAD,
                                    .lasts_seconds = 3600,
                                    .at = 1440938160 };
        const char *signature;

        sigv4_presign(&what, &out);
        signature = strstr(out.at, "&X-Amz-Signature=");
        assert_non_null(signature);
        if (strcmp(signature + strlen("&X-Amz-Signature="), PRESIGNED[i].signature) != 0)
            fail_msg("%s: %s", PRESIGNED[i].name, out.at);
    }
}

/* S3 documentation, "Authenticating requests: using query parameters", the example. */
static void the_documentation_s_presigned_url_comes_out(void **state)
{
    auto_text struct text out = text_init(URL_MOST);
    const struct sigv4 what = { .host = "examplebucket.s3.amazonaws.com",
                                .path = "/test.txt",
                                .query = "",
                                .region = "us-east-1",
                                .service = "s3",
                                .key_id = "AKIAIOSFODNN7EXAMPLE",
                                .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                .payload_hash = "UNSIGNED-PAYLOAD",
                                .lasts_seconds = 86400,
                                .at = 1369353600 };

    (void)state;
    sigv4_presign(&what, &out);
    assert_string_equal(
        out.at,
        "examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
        "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* What botocore's own tests expect of generate_db_auth_token(). */
static void an_rds_token_is_the_one_that_the_sdk_makes(void **state)
{
    auto_text struct text out = text_init(URL_MOST);
    const struct sigv4 what = { .host = "prod-instance.us-east-1.rds.amazonaws.com:3306",
                                .path = "/",
                                .query = "Action=connect&DBUser=someusername",
                                .region = "us-east-1",
                                .service = "rds-db",
                                .key_id = "akid",
                                .secret = "skid",
                                .payload_hash = SIGV4_EMPTY_PAYLOAD,
                                .lasts_seconds = 900,
                                .at = 1478540373 };

    (void)state;
    sigv4_presign(&what, &out);
    assert_string_equal(
        out.at,
        "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername&X-Amz-Algorithm="
        "AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date="
        "20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61");
}

/* … and of its DSQL tokens, which are made the same way and whose key is lent. */
static void a_lent_key_s_session_token_is_signed_as_the_sdk_does(void **state)
{
    static const struct {
        const char *query;
        const char *signature;
    } cases[] = {
        { "Action=DbConnect", "57fe03e060348aaa21405c239bf02572bbc911076e94dcd65c12ae569dd8fcf4" },
        { "Action=DbConnectAdmin", "5ac084bc7cabccc19a52a5d1b5c24b50d3ce143f43b659bd484c91aaf555e190" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text out = text_init(URL_MOST);
        const struct sigv4 what = { .host = "test.dsql.us-east-1.on.aws",
                                    .path = "/",
                                    .query = cases[i].query,
                                    .region = "us-east-1",
                                    .service = "dsql",
                                    .key_id = "ACCESS_KEY",
                                    .secret = "SECRET_KEY",
                                    .session_token = "SESSION_TOKEN",
                                    .payload_hash = SIGV4_EMPTY_PAYLOAD,
                                    .lasts_seconds = 900,
                                    .at = 1731001173 };

        sigv4_presign(&what, &out);
        assert_non_null(strstr(out.at, "&X-Amz-Security-Token=SESSION_TOKEN&X-Amz-SignedHeaders=host&"));
        assert_non_null(strstr(out.at, cases[i].signature));
    }
}

/* The signature was computed with Python's hmac and hashlib and urllib's quote(). */
static void what_is_no_plain_letter_is_escaped_before_it_is_signed(void **state)
{
    auto_text struct text out = text_init(URL_MOST);
    const struct sigv4 what = { .host = "orders.abc123.eu-central-1.rds.amazonaws.com:5432",
                                .path = "/",
                                .query = "Action=connect&DBUser=app%20owner%40eu",
                                .region = "eu-central-1",
                                .service = "rds-db",
                                .key_id = "ASIAIOSFODNN7EXAMPLE",
                                .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                .session_token = "FwoGZXIvYXdzEJr//////////wEaDPa+lent/token==ü end",
                                .payload_hash = SIGV4_EMPTY_PAYLOAD,
                                .lasts_seconds = 900,
                                .at = 1709251199 };

    (void)state;
    sigv4_presign(&what, &out);
    assert_string_equal(
        out.at,
        "orders.abc123.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app%20owner%40eu&"
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAIOSFODNN7EXAMPLE%2F20240229%2Feu-central-1"
        "%2Frds-db%2Faws4_request&X-Amz-Date=20240229T235959Z&X-Amz-Expires=900&X-Amz-Security-Token="
        "FwoGZXIvYXdzEJr%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEaDPa%2Blent%2Ftoken%3D%3D%C3%BC%20end&"
        "X-Amz-SignedHeaders=host&X-Amz-Signature="
        "823439de403c9fde3d8eb4dd446cdd5f6a48a9b2888e25ccd19086a519717751");
}

static void a_url_is_added_to_what_is_there(void **state)
{
    auto_text struct text out = text_init(URL_MOST);
    const struct sigv4 what = { .host = "h",
                                .path = "/",
                                .query = "",
                                .region = "r",
                                .service = "s",
                                .key_id = "k",
                                .secret = "s",
                                .payload_hash = SIGV4_EMPTY_PAYLOAD };

    (void)state;
    text_add_string(&out, "https://");
    sigv4_presign(&what, &out);
    assert_true(slice_starts_with(text_slice(&out), "https://h/?X-Amz-Algorithm="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_s_canonical_requests_have_its_signatures),
        cmocka_unit_test(the_suite_s_presigned_urls_have_its_signatures),
        cmocka_unit_test(the_documentation_s_presigned_url_comes_out),
        cmocka_unit_test(an_rds_token_is_the_one_that_the_sdk_makes),
        cmocka_unit_test(a_lent_key_s_session_token_is_signed_as_the_sdk_does),
        cmocka_unit_test(what_is_no_plain_letter_is_escaped_before_it_is_signed),
        cmocka_unit_test(a_url_is_added_to_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
