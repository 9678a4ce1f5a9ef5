#include "tenants/shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static const char INDEX_VARIABLE[] = "JOB_COMPLETION_INDEX";

/* Up to five digits, all of `text`. */
static bool read_number(struct slice text, unsigned *out)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        number = number * 10 + (unsigned)(text.at[i] - '0');
    }
    *out = number;
    return text.length > 0 && text.length <= 5;
}

static bool refuse(const struct sourced *said, const char *why, struct error *err)
{
    error_set(err, ERROR_USAGE, "%s: %s", said->origin, why);
    return error_hint(err,
                      "Write 1/4 for the first of four parts. In an Indexed Job of Kubernetes, write /4.");
}

static bool read_index(const struct sourced *said, const char *index, struct shard *out, struct error *err)
{
    if (index == NULL) {
        error_set(err, ERROR_USAGE, "%s does not say which part, and %s is not set", said->origin,
                  INDEX_VARIABLE);
        return error_hint(err,
                          "Kubernetes sets it in a Job with completionMode: Indexed. Elsewhere, write 1/%u.",
                          out->count);
    }
    if (!read_number(slice_of(index), &out->number) || out->number >= out->count) {
        error_set(err, ERROR_USAGE, "%s is not a number below %u, which %s says", INDEX_VARIABLE, out->count,
                  said->origin);
        return error_hint(err, "The Job's completions and the number of parts must be the same.");
    }
    out->number++;
    return true;
}

bool shard_read(const struct sourced *said, const char *index, struct shard *out, struct error *err)
{
    const char *slash = said->text == NULL ? NULL : strchr(said->text, '/');
    struct shard shard = { .number = 1, .count = 1 };

    if (said->text != NULL) {
        if (slash == NULL || !read_number(slice_of(slash + 1), &shard.count) || shard.count < 1 ||
            shard.count > SHARDS_MOST)
            return refuse(said, "it is not I/N with at most 10000 parts", err);
        if (slash == said->text) {
            if (!read_index(said, index, &shard, err))
                return false;
        } else if (!read_number((struct slice) { .at = said->text, .length = (size_t)(slash - said->text) },
                                &shard.number) ||
                   shard.number < 1 || shard.number > shard.count)
            return refuse(said, "the part is not a number from 1 to the number of parts", err);
    }
    *out = shard;
    return true;
}

/* Spreads every bit of a number over all others: any two numbers give unlike results. */
static uint64_t spread(uint64_t number)
{
    number = (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
    number = (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return number ^ number >> 32;
}

/* The part with the highest number for this name (rendezvous hashing). */
unsigned shard_of(const char *name, unsigned count)
{
    enum { DIGITS = 16 };
    char hex[SHA256_HEX_SIZE];
    uint64_t hash;
    uint64_t highest = 0;
    unsigned found = 1;

    sha256_of(slice_of(name), hex);
    hex[DIGITS] = '\0';
    hash = strtoull(hex, NULL, 16);
    for (unsigned i = 1; i <= count; i++) {
        uint64_t number = spread(hash ^ spread(i));

        if (number > highest) {
            highest = number;
            found = i;
        }
    }
    return found;
}
