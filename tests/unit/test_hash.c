#include <string.h>

#include "base/hash.h"
#include "check.h"

static struct text repeated(char byte, size_t count)
{
    struct text text = text_init(count);

    for (size_t i = 0; i < count; i++)
        text_add(&text, &byte, 1);
    return text;
}

static void hmac_hex(struct slice key, struct slice message, char hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_BYTES];

    hmac_sha256(key, message, digest);
    sha256_hex(digest, hex);
}

/* RFC 4231, 4.2: test case 1. */
static void a_key_shorter_than_a_digest_signs(void **state)
{
    auto_text struct text key = repeated('\x0b', 20);
    char hex[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(text_slice(&key), slice_of("Hi There"), hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

/* Test case 2. */
static void words_sign_words(void **state)
{
    char hex[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(slice_of("Jefe"), slice_of("what do ya want for nothing?"), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Test case 3. */
static void bytes_that_are_no_text_sign(void **state)
{
    auto_text struct text key = repeated('\xaa', 20);
    auto_text struct text message = repeated('\xdd', 50);
    char hex[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(text_slice(&key), text_slice(&message), hex);
    assert_string_equal(hex, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

/* Test case 4. */
static void every_byte_of_a_key_counts(void **state)
{
    auto_text struct text message = repeated('\xcd', 50);
    char key[25];
    char hex[SHA256_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (char)(i + 1);
    hmac_hex((struct slice) { key, sizeof key }, text_slice(&message), hex);
    assert_string_equal(hex, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

/* Test case 6. */
static void a_key_longer_than_a_block_is_hashed_first(void **state)
{
    auto_text struct text key = repeated('\xaa', 131);
    char hex[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(text_slice(&key), slice_of("Test Using Larger Than Block-Size Key - Hash Key First"), hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* Test case 7. */
static void a_long_key_signs_a_long_message(void **state)
{
    static const char message[] =
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
        "be hashed before being used by the HMAC algorithm.";
    auto_text struct text key = repeated('\xaa', 131);
    char hex[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(text_slice(&key), slice_of(message), hex);
    assert_string_equal(hex, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* HMAC with a key of no bytes is that with a key of zeros. */
static void no_key_and_no_message_sign(void **state)
{
    auto_text struct text zeros = repeated('\0', 64);
    char hex[SHA256_HEX_SIZE];
    char same[SHA256_HEX_SIZE];

    (void)state;
    hmac_hex(slice_of(""), slice_of(""), hex);
    hmac_hex(text_slice(&zeros), slice_of(""), same);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_string_equal(hex, same);
}

/* FIPS 180-2, B.2. */
static void a_hash_does_not_care_how_its_bytes_came(void **state)
{
    static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX_SIZE];

    (void)state;
    for (size_t step = 1; step < sizeof message; step++) {
        struct sha256 hash;

        sha256_begin(&hash);
        for (size_t at = 0; at < sizeof message - 1; at += step)
            sha256_add(&hash, message + at, step < sizeof message - 1 - at ? step : sizeof message - 1 - at);
        sha256_end(&hash, digest);
        sha256_hex(digest, hex);
        assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

/* FIPS 180-2, appendix D.1; the check value that CRC-32/ISO-HDLC is catalogued with. */
static void other_hashes_are_those_of_their_standards(void **state)
{
    char hex[SHA384_HEX_SIZE];

    (void)state;
    sha384_of(slice_of("abc"), hex);
    assert_string_equal(hex,
                        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc23"
                        "58baeca134c825a7");
    assert_int_equal(crc32_of(slice_of("123456789")), 0xCBF43926);
    assert_int_equal(crc32_of(slice_of("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_shorter_than_a_digest_signs),
        cmocka_unit_test(words_sign_words),
        cmocka_unit_test(bytes_that_are_no_text_sign),
        cmocka_unit_test(every_byte_of_a_key_counts),
        cmocka_unit_test(a_key_longer_than_a_block_is_hashed_first),
        cmocka_unit_test(a_long_key_signs_a_long_message),
        cmocka_unit_test(no_key_and_no_message_sign),
        cmocka_unit_test(a_hash_does_not_care_how_its_bytes_came),
        cmocka_unit_test(other_hashes_are_those_of_their_standards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
