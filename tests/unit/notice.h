/*
 * A run to say something about, and what reads it again: for the tests of report/notice.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "check.h"
#include "report/notice.h"

/* As much as is sent at most. */
enum { BODY_MOST = 64 * 1024 };

static const double NOW = 1714557612.5;
static const struct speaker SPEAKER = { .pod = "pod-1", .namespace = "apps" };

static inline struct progress progress_of(int exit_code)
{
    struct progress progress = { .exit_code = exit_code,
                                 .started_at = NOW - 12.5,
                                 .ended_at = NOW,
                                 .is_compared = true,
                                 .due = 3,
                                 .applied = 2,
                                 .database = "shop",
                                 .current = "3_c",
                                 .latest = "2_b",
                                 .in_the_way = "process 7 (\"report\") holds it" };

    progress.migrations[VERDICT_PENDING] = 3;
    return progress;
}

static inline struct error failure(void)
{
    struct error err;

    error_set(&err, ERROR_CLEAN, "migration \"3_c\" failed: division by zero");
    error_code(&err, "P3018");
    error_holds(&err, "Nothing of 3_c.");
    error_hint(&err, "Correct it.");
    strcpy(err.sqlstate, "22012");
    strcpy(err.place.file, "c.sql");
    err.place.line = 3;
    err.place.column = 1;
    return err;
}

static inline struct json *parsed(const struct text *body)
{
    struct json *object;

    assert_false(body->has_overflowed);
    object = json_read(text_slice(body));
    assert_non_null(object);
    return object;
}

static inline void assert_member(const struct json *object, const char *key, const char *text)
{
    const char *value = json_get_text(object, key);

    if (text == NULL)
        assert_null(value);
    else
        assert_string_equal(value == NULL ? "(nothing)" : value, text);
}

/* A failure that says the secret wherever something can be said. */
static inline void indiscreet(const char *secret, struct progress *progress, struct error *err)
{
    *progress = progress_of(6);
    progress->database = progress->latest = progress->current = secret;
    strcpy(progress->in_the_way, secret);
    error_set(err, ERROR_CLEAN, "password %s refused, %s", secret, secret);
    error_holds(err, "The password %s.", secret);
    error_hint(err, "Do not say %s.", secret);
    strcpy(err->place.file, secret);
    err->place.line = err->place.column = 1;
}

#endif
