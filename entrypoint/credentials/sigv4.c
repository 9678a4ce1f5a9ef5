#include "credentials/sigv4.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/request.h"

enum { TEXT_MOST = 64 * 1024, DATE_SIZE = 17, DAY_LENGTH = 8 };

/* The key for one day, region and service. */
static void derive_key(const char *secret, struct slice day, const char *region, const char *service,
                       unsigned char key[SHA256_BYTES])
{
    const struct slice parts[] = { day, slice_of(region), slice_of(service), slice_of("aws4_request") };
    auto_text struct text first = text_init(TEXT_MOST);
    struct slice last;

    first.is_secret = true;
    text_add_format(&first, "AWS4%s", secret);
    last = text_slice(&first);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        unsigned char next[SHA256_BYTES];

        hmac_sha256(last, parts[i], next);
        memcpy(key, next, sizeof next);
        memory_wipe(next, sizeof next);
        last = (struct slice) { .at = (const char *)key, .length = SHA256_BYTES };
    }
}

void sigv4_signature(const char *canonical, const char *date, const struct sigv4 *what,
                     char hex[SHA256_HEX_SIZE])
{
    auto_text struct text to_sign = text_init(TEXT_MOST);
    unsigned char key[SHA256_BYTES];
    unsigned char digest[SHA256_BYTES];
    char hashed[SHA256_HEX_SIZE];

    sha256_of(slice_of(canonical), hashed);
    text_add_format(&to_sign, "AWS4-HMAC-SHA256\n%s\n%.*s/%s/%s/aws4_request\n%s", date, DAY_LENGTH, date,
                    what->region, what->service, hashed);
    derive_key(what->secret, (struct slice) { .at = date, .length = DAY_LENGTH }, what->region, what->service,
               key);
    hmac_sha256((struct slice) { .at = (const char *)key, .length = sizeof key }, text_slice(&to_sign),
                digest);
    memory_wipe(key, sizeof key);
    sha256_hex(digest, hex);
}

static void add_parameter(const char *name, const char *value, struct text *out)
{
    text_add_format(out, "%s%s=", out->length == 0 ? "" : "&", name);
    http_add_escaped(slice_of(value), out);
}

/* The parameters in the order of their names, as they must be signed. */
static void compose_query(const struct sigv4 *what, const char *date, struct text *out)
{
    auto_text struct text credential = text_init(TEXT_MOST);
    char lasts[32];

    text_add_format(&credential, "%s/%.*s/%s/%s/aws4_request", what->key_id, DAY_LENGTH, date, what->region,
                    what->service);
    (void)snprintf(lasts, sizeof lasts, "%lld", (long long)what->lasts_seconds);
    text_add_string(out, what->query);
    add_parameter("X-Amz-Algorithm", "AWS4-HMAC-SHA256", out);
    add_parameter("X-Amz-Credential", credential.at, out);
    add_parameter("X-Amz-Date", date, out);
    add_parameter("X-Amz-Expires", lasts, out);
    if (what->session_token != NULL)
        add_parameter("X-Amz-Security-Token", what->session_token, out);
    add_parameter("X-Amz-SignedHeaders", "host", out);
}

void sigv4_presign(const struct sigv4 *what, struct text *out)
{
    auto_text struct text query = text_init(TEXT_MOST);
    auto_text struct text canonical = text_init(TEXT_MOST);
    char date[DATE_SIZE];
    char signature[SHA256_HEX_SIZE];

    query.is_secret = canonical.is_secret = true;
    clock_format_utc(what->at, "%Y%m%dT%H%M%SZ", date, sizeof date);
    compose_query(what, date, &query);
    text_add_format(&canonical, "GET\n%s\n%s\nhost:%s\n\nhost\n%s", what->path, query.at, what->host,
                    what->payload_hash);
    sigv4_signature(canonical.at, date, what, signature);
    text_add_format(out, "%s%s?%s&X-Amz-Signature=%s", what->host, what->path, query.at, signature);
}
