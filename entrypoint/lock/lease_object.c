#include "lock/lease_object.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void lease_time(double seconds, char out[LEASE_TIME_SIZE])
{
    int64_t at = (int64_t)seconds;
    int micro = (int)((seconds - (double)at) * 1e6 + 0.5);
    char day[24];

    if (micro == 1000000) {
        micro = 0;
        at++;
    }
    clock_format_utc(at, "%Y-%m-%dT%H:%M:%S", day, sizeof day);
    (void)snprintf(out, LEASE_TIME_SIZE, "%s.%06dZ", day, micro);
}

static struct json *spec_of(const struct json *lease)
{
    return json_get_object(lease, "spec");
}

static const char *text_of(const struct json *lease, const char *key)
{
    const char *value = json_get_text(spec_of(lease), key);

    return value == NULL ? "" : value;
}

const char *lease_holder(const struct json *lease)
{
    return text_of(lease, "holderIdentity");
}

int64_t lease_duration_ms(const struct json *lease)
{
    int64_t seconds = json_get_number(spec_of(lease), "leaseDurationSeconds", 0);

    return seconds > 0 && seconds < INT32_MAX ? seconds * 1000 : 0;
}

void lease_add_record(const struct json *lease, struct text *out)
{
    text_add_format(out, "%s %s %s %lld %lld", lease_holder(lease), text_of(lease, "acquireTime"),
                    text_of(lease, "renewTime"),
                    (long long)json_get_number(spec_of(lease), "leaseTransitions", 0),
                    (long long)json_get_number(spec_of(lease), "leaseDurationSeconds", 0));
}

struct json *lease_new(const char *namespace, const char *name, const char *holder, int64_t duration_seconds,
                       const char *now)
{
    struct json *lease = json_new_object();
    struct json *metadata = json_new_object();
    struct json *spec = json_new_object();

    json_set_text(lease, "apiVersion", "coordination.k8s.io/v1");
    json_set_text(lease, "kind", "Lease");
    json_set_text(metadata, "namespace", namespace);
    json_set_text(metadata, "name", name);
    json_set(lease, "metadata", metadata);
    json_set_text(spec, "holderIdentity", holder);
    json_set_number(spec, "leaseDurationSeconds", duration_seconds);
    json_set_text(spec, "acquireTime", now);
    json_set_text(spec, "renewTime", now);
    json_set_number(spec, "leaseTransitions", 0);
    json_set(lease, "spec", spec);
    return lease;
}

/* A Lease made by hand may have no spec. */
static struct json *need_spec(struct json *lease)
{
    if (spec_of(lease) == NULL)
        json_set(lease, "spec", json_new_object());
    return spec_of(lease);
}

void lease_claim(struct json *lease, const char *holder, int64_t duration_seconds, const char *now)
{
    struct json *spec = need_spec(lease);

    if (strcmp(lease_holder(lease), holder) != 0) {
        int64_t transitions = json_get_number(spec, "leaseTransitions", 0);

        if (transitions < INT32_MAX)
            json_set_number(spec, "leaseTransitions", transitions + 1);
        json_set_text(spec, "acquireTime", now);
    }
    json_set_text(spec, "holderIdentity", holder);
    json_set_number(spec, "leaseDurationSeconds", duration_seconds);
    json_set_text(spec, "renewTime", now);
}

void lease_give_back(struct json *lease, const char *now)
{
    struct json *spec = need_spec(lease);

    json_set_text(spec, "holderIdentity", "");
    json_set_number(spec, "leaseDurationSeconds", 1);
    json_set_text(spec, "acquireTime", now);
    json_set_text(spec, "renewTime", now);
}
