#include "dialect/flyway_script.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/hash.h"
#include "dialect/flyway_name.h"

enum { NAME_MOST = 128, VALUE_SIZE = 64 };

static const char BOM[] = "\xEF\xBB\xBF";
static const char OWN[] = "flyway:";

/* ---- settings ---- */

struct settings {
    const struct script_source *source;
    enum script_transaction transaction;
    bool has_placeholders;
};

static bool refuse_setting(const struct settings *settings, struct slice line, const char *why,
                           struct error *err)
{
    const struct slice *all = &settings->source->settings;

    error_set(err, ERROR_CLEAN, "the settings in %s.conf %s", settings->source->path, why);
    error_point(err, settings->source->path, all->at, all->length, (size_t)(line.at - all->at));
    return error_hint(err,
                      "Correct that file: tidelock knows executeInTransaction, placeholderReplacement "
                      "(true or false) and encoding=UTF-8.");
}

static bool read_switch(const struct settings *settings, struct slice line, struct slice value, bool *out,
                        struct error *err)
{
    *out = slice_equals_ignoring_case(value, "true");
    return *out || slice_equals_ignoring_case(value, "false") ||
           refuse_setting(settings, line, "have a value that is neither true nor false", err);
}

static bool read_setting(struct settings *settings, struct slice line, struct error *err)
{
    const char *sign = memchr(line.at, '=', line.length);
    size_t before = sign == NULL ? line.length : (size_t)(sign - line.at);
    struct slice key = slice_trim((struct slice) { line.at, before });
    struct slice value =
        sign == NULL ? slice_of("") : slice_trim((struct slice) { sign + 1, line.length - before - 1 });
    bool is_on;

    if (slice_equals(key, "encoding"))
        return slice_equals_ignoring_case(value, "UTF-8") || slice_equals_ignoring_case(value, "UTF8") ||
               refuse_setting(settings, line, "ask for an encoding other than UTF-8", err);
    if (slice_equals(key, "placeholderReplacement"))
        return read_switch(settings, line, value, &settings->has_placeholders, err);
    if (!slice_equals(key, "executeInTransaction"))
        return refuse_setting(settings, line,
                              slice_equals(key, "shouldExecute")
                                  ? "have shouldExecute, which belongs to Flyway's paid editions"
                                  : "say what is not known",
                              err);
    if (!read_switch(settings, line, value, &is_on, err))
        return false;
    settings->transaction = is_on ? SCRIPT_TRANSACTION_ON : SCRIPT_TRANSACTION_OFF;
    return true;
}

static bool read_settings(struct settings *settings, struct error *err)
{
    struct slice rest = settings->source->settings;

    while (rest.length > 0) {
        const char *feed = memchr(rest.at, '\n', rest.length);
        size_t length = feed == NULL ? rest.length : (size_t)(feed - rest.at);
        struct slice line = slice_trim((struct slice) { rest.at, length });

        if (line.length > 0 && line.at[0] != '#' && line.at[0] != '!' && !read_setting(settings, line, err))
            return false;
        length += feed != NULL;
        rest = (struct slice) { rest.at + length, rest.length - length };
    }
    return true;
}

/* What the environment says: NULL = nothing. */
static const char *said(const struct script_source *source, const char *name)
{
    const char *value = source->variable(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool is_said_to_be(const struct script_source *source, const char *name, const char *value)
{
    const char *all = said(source, name);

    return all != NULL && strcasecmp(all, value) == 0;
}

/* ---- placeholders ---- */

/* A script in which they are replaced. */
struct replacing {
    const struct script_source *source;
    struct slice script;
    const char *prefix;
    const char *suffix;
    struct text *out;
    char now[VALUE_SIZE];
};

static const char *now(struct replacing *replacing)
{
    const time_t seconds = time(NULL);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL ||
        strftime(replacing->now, sizeof replacing->now, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return NULL;
    return replacing->now;
}

static const char *file_name(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash == NULL ? name : slash + 1;
}

/* Of Flyway's own, behind their common prefix; NULL = it is not known. */
static const char *own_value(struct replacing *replacing, const char *name)
{
    const struct script_source *source = replacing->source;
    const struct {
        const char *name;
        const char *value;
    } known[] = {
        { "defaultSchema", source->session->schema },
        { "user", source->session->role },
        { "database", source->session->database },
        { "table", source->session->table },
        { "filename", file_name(source->name) },
        { "environment", "default" },
        { "timestamp", now(replacing) },
    };

    for (size_t i = 0; i < array_length(known); i++) {
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].value == NULL || known[i].value[0] == '\0' ? NULL : known[i].value;
    }
    return NULL;
}

/* Of the user's: as it is written, or in the letters that variables usually have. */
static const char *value_of(struct replacing *replacing, const char *name)
{
    auto_text struct text variable = text_init(2 * (size_t)NAME_MOST);
    const char *value;

    if (strncasecmp(name, OWN, strlen(OWN)) == 0)
        return own_value(replacing, name + strlen(OWN));
    text_add_format(&variable, "FLYWAY_PLACEHOLDERS_%s", name);
    value = replacing->source->variable(variable.at);
    for (char *at = variable.at; *at != '\0'; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - ('a' - 'A')) : *at;
    return value != NULL ? value : replacing->source->variable(variable.at);
}

static bool refuse(const struct replacing *replacing, size_t offset, const char *name, struct error *err)
{
    char capitals[128] = "";

    error_set(err, ERROR_CLEAN, "nothing is known of the placeholder %s%s%s", replacing->prefix, name,
              replacing->suffix);
    error_point(err, replacing->source->path, replacing->script.at, replacing->script.length, offset);
    if (strncasecmp(name, OWN, strlen(OWN)) == 0)
        return error_hint(err, "Write its value into the script: only Flyway knows it.");
    for (size_t i = 0; i + 1 < sizeof capitals && name[i] != '\0'; i++)
        capitals[i] = (char)toupper((unsigned char)name[i]);
    return error_hint(err, "Set FLYWAY_PLACEHOLDERS_%s, or put placeholderReplacement=false into %s.conf.",
                      capitals, file_name(replacing->source->name));
}

/* A repeatable with the time in it is another one at each start. */
static bool refuse_time(const struct replacing *replacing, size_t offset, struct error *err)
{
    error_set(err, ERROR_CLEAN,
              "a repeatable migration with ${flyway:timestamp} would be applied at every start");
    error_point(err, replacing->source->path, replacing->script.at, replacing->script.length, offset);
    return error_hint(err, "Take it out, and change the script when it is to be applied again.");
}

/* The placeholder that begins at `*at`, which is moved behind it. */
static bool replace(struct replacing *replacing, size_t *at, struct error *err)
{
    const struct slice script = replacing->script;
    const size_t offset = *at;
    const size_t start = offset + strlen(replacing->prefix);
    const char *end =
        memmem(script.at + start, script.length - start, replacing->suffix, strlen(replacing->suffix));
    const size_t length = end == NULL ? script.length - start : (size_t)(end - script.at) - start;
    char name[NAME_MOST];
    const char *value;

    (void)snprintf(name, sizeof name, "%.*s", (int)(length < NAME_MOST ? length : NAME_MOST),
                   script.at + start);
    name[strcspn(name, "\r\n")] = '\0';
    value = end == NULL || length >= NAME_MOST ? NULL : value_of(replacing, name);
    if (value == NULL)
        return refuse(replacing, offset, name, err);
    if (strcasecmp(name, "flyway:timestamp") == 0 && flyway_repeats(replacing->source->name))
        return refuse_time(replacing, offset, err);
    text_add_string(replacing->out, value);
    *at = start + length + strlen(replacing->suffix);
    return true;
}

static bool replace_all(struct replacing *replacing, struct error *err)
{
    const struct slice script = replacing->script;
    size_t at = 0;

    for (;;) {
        const char *next =
            memmem(script.at + at, script.length - at, replacing->prefix, strlen(replacing->prefix));

        if (next == NULL)
            break;
        text_add(replacing->out, script.at + at, (size_t)(next - script.at) - at);
        at = (size_t)(next - script.at);
        if (!replace(replacing, &at, err))
            return false;
    }
    text_add(replacing->out, script.at + at, script.length - at);
    if (!replacing->out->has_overflowed)
        return true;
    error_set(err, ERROR_CLEAN, "the script is too large once its placeholders are replaced");
    return error_hint(err, "Split the migration in two.");
}

static bool replace_placeholders(const struct script_source *source, struct text *script, struct error *err)
{
    const char *prefix = said(source, "FLYWAY_PLACEHOLDER_PREFIX");
    const char *suffix = said(source, "FLYWAY_PLACEHOLDER_SUFFIX");
    auto_text struct text replaced = text_init(script->most);
    struct replacing replacing = { .source = source,
                                   .script = text_slice(script),
                                   .prefix = prefix == NULL ? "${" : prefix,
                                   .suffix = suffix == NULL ? "}" : suffix,
                                   .out = &replaced };

    if (memmem(script->at, script->length, replacing.prefix, strlen(replacing.prefix)) == NULL)
        return true;
    if (!replace_all(&replacing, err))
        return false;
    text_reset(script);
    text_add(script, replaced.at, replaced.length);
    return true;
}

bool flyway_script_read(const struct script_source *source, struct text *script, struct script_wishes *out,
                        struct error *err)
{
    struct settings settings = {
        .source = source,
        .transaction = is_said_to_be(source, "FLYWAY_EXECUTE_IN_TRANSACTION", "false")
                           ? SCRIPT_TRANSACTION_OFF
                           : SCRIPT_TRANSACTION_UNSAID,
        .has_placeholders = !is_said_to_be(source, "FLYWAY_PLACEHOLDER_REPLACEMENT", "false"),
    };

    if (!read_settings(&settings, err))
        return false;
    out->transaction = settings.transaction;
    if (settings.transaction == SCRIPT_TRANSACTION_UNSAID && !is_said_to_be(source, "FLYWAY_MIXED", "true"))
        out->mixed_hint = "Move it into a migration of its own, or set FLYWAY_MIXED=true.";
    return !settings.has_placeholders || replace_placeholders(source, script, err);
}

/* ---- checksums ---- */

void flyway_checksum_of(struct slice script, char out[CHECKSUM_SIZE])
{
    auto_text struct text lines = text_init(script.length + 1);

    if (slice_starts_with(script, BOM))
        script = (struct slice) { script.at + strlen(BOM), script.length - strlen(BOM) };
    for (size_t at = 0; at < script.length;) {
        size_t end = at;

        while (end < script.length && script.at[end] != '\n' && script.at[end] != '\r')
            end++;
        text_add(&lines, script.at + at, end - at);
        at = end + 1;
    }
    (void)snprintf(out, CHECKSUM_SIZE, "%" PRId32, (int32_t)crc32_of(text_slice(&lines)));
}

bool flyway_checksum_matches(const char *stored, struct slice script)
{
    char checksum[CHECKSUM_SIZE];

    flyway_checksum_of(script, checksum);
    return stored == NULL || strcmp(stored, checksum) == 0;
}
