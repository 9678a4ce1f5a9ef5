#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "report/pushgateway.h"

enum { URL_MOST = 8192 };

static const char ORIGIN[] = "http://push:9091";

/* What comes after the origin, which must be there. */
static void assert_path(const char *labels, const char *namespace, const char *path)
{
    auto_text struct text out = text_init(URL_MOST);
    struct error err;

    if (!pushgateway_url(ORIGIN, labels, namespace, &out, &err))
        fail_msg("%s: %s", labels, err.message);
    assert_true(slice_starts_with(text_slice(&out), ORIGIN));
    assert_string_equal(out.at + strlen(ORIGIN), path);
}

static void assert_refused(const char *labels, const char *message)
{
    auto_text struct text out = text_init(URL_MOST);
    struct error err;

    if (pushgateway_url(ORIGIN, labels, NULL, &out, &err))
        fail_msg("%s: %s", labels, out.at);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.message, message);
}

static void without_labels_the_group_is_the_job(void **state)
{
    (void)state;
    assert_path(NULL, NULL, "/metrics/job/tidelock");
    assert_path("", NULL, "/metrics/job/tidelock");
}

static void the_namespace_is_a_label_where_it_is_known(void **state)
{
    (void)state;
    assert_path(NULL, "shop", "/metrics/job/tidelock/namespace/shop");
    assert_path("team=a", "shop", "/metrics/job/tidelock/namespace/shop/team/a");
}

static void the_labels_may_name_another_namespace(void **state)
{
    (void)state;
    assert_path("namespace=other", "shop", "/metrics/job/tidelock/namespace/other");
}

static void only_a_label_of_that_very_name_is_the_namespace(void **state)
{
    (void)state;
    assert_path("namespaces=x", "shop", "/metrics/job/tidelock/namespace/shop/namespaces/x");
    assert_path("name=x", "shop", "/metrics/job/tidelock/namespace/shop/name/x");
}

static void the_job_comes_first_wherever_it_is_said(void **state)
{
    (void)state;
    assert_path("job=batch", "shop", "/metrics/job/batch/namespace/shop");
    assert_path("team=a,job=batch,tier=b", NULL, "/metrics/job/batch/team/a/tier/b");
}

static void labels_keep_their_order(void **state)
{
    (void)state;
    assert_path("z=1,a=2,_m=3", NULL, "/metrics/job/tidelock/z/1/a/2/_m/3");
}

/* The examples of the Pushgateway's documentation, "URL" (whose base64 leaves out the padding, which is
 * optional). */
static void the_documented_groups_come_out(void **state)
{
    (void)state;
    assert_path("job=directory_cleaner,path=/var/tmp", NULL,
                "/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA=");
    assert_path("job=example,first_label=,second_label=foobar", NULL,
                "/metrics/job/example/first_label@base64/=/second_label/foobar");
    assert_path("job=titan,name=Προμηθεύς", NULL,
                "/metrics/job/titan/name/%CE%A0%CF%81%CE%BF%CE%BC%CE%B7%CE%B8%CE%B5%CF%8D%CF%82");
}

/* Each with the slash that asks for base64. */
static void base64_is_padded(void **state)
{
    (void)state;
    assert_path("a=/", NULL, "/metrics/job/tidelock/a@base64/Lw==");
    assert_path("a=/f", NULL, "/metrics/job/tidelock/a@base64/L2Y=");
    assert_path("a=/fo", NULL, "/metrics/job/tidelock/a@base64/L2Zv");
    assert_path("a=/foo", NULL, "/metrics/job/tidelock/a@base64/L2Zvbw==");
}

static void base64_has_the_url_s_alphabet(void **state)
{
    (void)state;
    /* In the standard one "+" and "/" would stand here. */
    assert_path("a=/\xFB\xEF\xBE", NULL, "/metrics/job/tidelock/a@base64/L_vvvg==");
    assert_path("a=>>>/\xFF\xFF\xFF", NULL, "/metrics/job/tidelock/a@base64/Pj4-L____w==");
}

static void a_job_with_a_slash_is_encoded_too(void **state)
{
    (void)state;
    assert_path("job=shop/orders", NULL, "/metrics/job@base64/c2hvcC9vcmRlcnM=");
}

static void what_is_no_plain_letter_is_escaped(void **state)
{
    (void)state;
    assert_path("a=two words", NULL, "/metrics/job/tidelock/a/two%20words");
    assert_path("a=50%?#&\"'<>\\", NULL, "/metrics/job/tidelock/a/50%25%3F%23%26%22%27%3C%3E%5C");
    assert_path("a=\t\x01.", NULL, "/metrics/job/tidelock/a/%09%01.");
    assert_path("a=Az09-._~", NULL, "/metrics/job/tidelock/a/Az09-._~");
}

static void a_value_may_hold_an_equals_sign(void **state)
{
    (void)state;
    assert_path("a=b=c", NULL, "/metrics/job/tidelock/a/b%3Dc");
}

static void blanks_around_a_label_do_not_count(void **state)
{
    (void)state;
    assert_path(" a=1 , b=2 ", NULL, "/metrics/job/tidelock/a/1/b/2");
}

static void the_namespace_is_escaped_like_any_value(void **state)
{
    (void)state;
    assert_path(NULL, "a/b", "/metrics/job/tidelock/namespace@base64/YS9i");
    assert_path(NULL, "a b", "/metrics/job/tidelock/namespace/a%20b");
}

static void the_origin_s_last_slashes_are_not_doubled(void **state)
{
    static const char *const origins[] = { "https://push.example/gate", "https://push.example/gate/",
                                           "https://push.example/gate//" };

    (void)state;
    for (size_t i = 0; i < array_length(origins); i++) {
        auto_text struct text out = text_init(URL_MOST);
        struct error err;

        assert_true(pushgateway_url(origins[i], NULL, NULL, &out, &err));
        assert_string_equal(out.at, "https://push.example/gate/metrics/job/tidelock");
    }
}

static void what_is_no_label_is_refused_by_name(void **state)
{
    static const char *const words[] = { "team",  "=x",  "1a=x",  "a-b=x",      "a b=x",
                                         "a.b=x", "ü=x", "__a=x", "a@base64=x", "a/b=x" };

    (void)state;
    for (size_t i = 0; i < array_length(words); i++) {
        auto_text struct text message = text_init(256);

        text_add_format(&message, "\"%s\" is not a label of metrics", words[i]);
        assert_refused(words[i], message.at);
    }
}

static void a_label_that_is_not_there_is_no_label(void **state)
{
    (void)state;
    assert_refused(",a=1", "\"\" is not a label of metrics");
    assert_refused("a=1,,b=2", "\"\" is not a label of metrics");
    assert_refused(" ", "\"\" is not a label of metrics");
}

static void a_hint_says_how_labels_are_written(void **state)
{
    auto_text struct text out = text_init(URL_MOST);
    struct error err;

    (void)state;
    assert_false(pushgateway_url(ORIGIN, "team", NULL, &out, &err));
    assert_string_equal(
        err.hint, "Write name=value, separated by commas; a name consists of letters, digits and \"_\".");
}

static void sixteen_labels_are_enough(void **state)
{
    auto_text struct text labels = text_init(1024);

    (void)state;
    for (int i = 0; i < 16; i++)
        text_add_format(&labels, "%sl%d=v", i == 0 ? "" : ",", i);
    assert_path(labels.at, NULL,
                "/metrics/job/tidelock/l0/v/l1/v/l2/v/l3/v/l4/v/l5/v/l6/v/l7/v/l8/v/l9/v/l10/v/l11/v/l12/v"
                "/l13/v/l14/v/l15/v");
    text_add_string(&labels, ",l16=v");
    assert_refused(labels.at, "there can be at most 16 labels");
}

static void the_job_must_have_a_name(void **state)
{
    (void)state;
    assert_refused("job=", "the label \"job\" of a Pushgateway group cannot be empty");
    assert_refused("a=1,job= ", "the label \"job\" of a Pushgateway group cannot be empty");
}

/* Whoever reads such a path, libcurl first, takes them out, and the label before them (RFC 3986, 5.2.4). */
static void dots_that_mean_a_place_are_encoded(void **state)
{
    (void)state;
    assert_path("a=.", NULL, "/metrics/job/tidelock/a@base64/Lg==");
    assert_path("a=..,b=x", NULL, "/metrics/job/tidelock/a@base64/Li4=/b/x");
    assert_path("job=..", NULL, "/metrics/job@base64/Li4=");
    assert_path("a=...", NULL, "/metrics/job/tidelock/a/...");
}

static void a_group_that_does_not_fit_is_refused_and_not_cut(void **state)
{
    auto_text struct text out = text_init(64);
    struct error err;

    (void)state;
    assert_false(pushgateway_url(ORIGIN, "a=0123456789012345678901234567890123456789,b=x", NULL, &out, &err));
    assert_int_equal(err.class, ERROR_USAGE);
}

static void a_label_is_said_once(void **state)
{
    (void)state;
    assert_refused("a=1,a=2", "the label \"a\" is given twice");
    assert_refused("job=a,job=b", "the label \"job\" is given twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_labels_the_group_is_the_job),
        cmocka_unit_test(the_namespace_is_a_label_where_it_is_known),
        cmocka_unit_test(the_labels_may_name_another_namespace),
        cmocka_unit_test(only_a_label_of_that_very_name_is_the_namespace),
        cmocka_unit_test(the_job_comes_first_wherever_it_is_said),
        cmocka_unit_test(labels_keep_their_order),
        cmocka_unit_test(the_documented_groups_come_out),
        cmocka_unit_test(base64_is_padded),
        cmocka_unit_test(base64_has_the_url_s_alphabet),
        cmocka_unit_test(a_job_with_a_slash_is_encoded_too),
        cmocka_unit_test(what_is_no_plain_letter_is_escaped),
        cmocka_unit_test(a_value_may_hold_an_equals_sign),
        cmocka_unit_test(blanks_around_a_label_do_not_count),
        cmocka_unit_test(the_namespace_is_escaped_like_any_value),
        cmocka_unit_test(the_origin_s_last_slashes_are_not_doubled),
        cmocka_unit_test(what_is_no_label_is_refused_by_name),
        cmocka_unit_test(a_label_that_is_not_there_is_no_label),
        cmocka_unit_test(a_hint_says_how_labels_are_written),
        cmocka_unit_test(sixteen_labels_are_enough),
        cmocka_unit_test(the_job_must_have_a_name),
        cmocka_unit_test(dots_that_mean_a_place_are_encoded),
        cmocka_unit_test(a_group_that_does_not_fit_is_refused_and_not_cut),
        cmocka_unit_test(a_label_is_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
