#include "config/value.h"

#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/release.h"
#include "config/secret.h"

const char DURATION_FORM[] = "a number with its unit: 250ms, 5s, 10m, 1h30m; or 0";

static const struct {
    const char *text;
    bool value;
} TRUTHS[] = { { "true", true },   { "1", true },  { "yes", true }, { "on", true },
               { "false", false }, { "0", false }, { "no", false }, { "off", false } };

static void *field_of(const struct option *option, struct config *config)
{
    return (char *)config + option->field;
}

static bool refuse(const char *origin, const char *text, const char *wanted, struct error *err)
{
    if (secret_may_be_in(text))
        return error_set(err, ERROR_USAGE, "%s: its value is not %s", origin, wanted);
    return error_set(err, ERROR_USAGE, "%s: \"%s\" is not %s", origin, text, wanted);
}

static bool add_name(struct arena *arena, const char *text, const char *origin, struct names *names,
                     struct error *err)
{
    const char **items = arena_alloc(arena, names->count + 1, sizeof *items);

    for (size_t i = 0; i < names->count; i++) {
        items[i] = names->items[i];
        if (strcmp(items[i], text) != 0)
            continue;
        error_set(err, ERROR_USAGE, "%s names \"%s\" twice", origin, text);
        return error_hint(err, "Remove one of them.");
    }
    items[names->count++] = arena_copy(arena, text, strlen(text));
    names->items = items;
    return true;
}

static bool set_duration(const struct option *option, const char *text, const char *origin, int64_t *out,
                         struct error *err)
{
    int64_t ms;
    char least[32];
    char most[32];

    if (!duration_parse(slice_of(text), &ms)) {
        refuse(origin, text, "a duration", err);
        return error_hint(err, "Write %s.", DURATION_FORM);
    }
    if (ms < option->least || ms > option->most) {
        refuse(origin, text, "in the allowed range", err);
        return error_hint(err, "Use a value from %s to %s.",
                          duration_text(option->least, least, sizeof least),
                          duration_text(option->most, most, sizeof most));
    }
    *out = ms;
    return true;
}

static bool set_number(const struct option *option, const char *text, const char *origin, int64_t *out,
                       struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number = 0;

    for (size_t i = 0; i < digits && number <= option->most; i++)
        number = number * 10 + (text[i] - '0');
    if (digits == 0 || text[digits] != '\0' || number < option->least || number > option->most) {
        refuse(origin, text, "a number in the allowed range", err);
        return error_hint(err, "Use a number from %lld to %lld.", (long long)option->least,
                          (long long)option->most);
    }
    *out = number;
    return true;
}

static bool read_truth(const char *text, bool *out)
{
    for (size_t i = 0; i < array_length(TRUTHS); i++) {
        if (slice_equals_ignoring_case(slice_of(text), TRUTHS[i].text)) {
            *out = TRUTHS[i].value;
            return true;
        }
    }
    return false;
}

static bool set_flag(const char *text, const char *origin, bool *out, struct error *err)
{
    if (read_truth(text, out))
        return true;
    refuse(origin, text, "true or false", err);
    return error_hint(err, "Write true or false.");
}

static bool refuse_choice(const struct option *option, const char *text, const char *origin,
                          struct error *err)
{
    auto_text struct text all = text_init(512);

    for (size_t i = 0; i < option->choice_count; i++)
        text_add_format(&all, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    refuse(origin, text, "one of the allowed values", err);
    return error_hint(err, "Use one of: %s.", all.at);
}

static bool set_choice(const struct option *option, const char *text, const char *origin, int *out,
                       struct error *err)
{
    int found = names_find(option->choices, option->choice_count, slice_of(text));

    if (found < 0)
        return refuse_choice(option, text, origin, err);
    *out = found;
    return true;
}

static bool set_choices(const struct option *option, const char *text, const char *origin, unsigned *out,
                        struct error *err)
{
    unsigned all = 0;

    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        int found = names_find(option->choices, option->choice_count,
                               slice_trim((struct slice) { .at = at, .length = length }));

        if (found < 0)
            return refuse_choice(option, text, origin, err);
        all |= 1u << found;
        at += length;
        if (*at == '\0')
            break;
    }
    *out = all;
    return true;
}

static bool set_switches(const struct option *option, const char *text, const char *origin, unsigned *out,
                         struct error *err)
{
    bool is_all;

    if (!read_truth(text, &is_all))
        return set_choices(option, text, origin, out, err);
    *out = is_all ? (1u << option->choice_count) - 1 : 0;
    return true;
}

/* A scheme, then a host, which follows the user and password if there are any. */
static bool is_address(const char *text)
{
    size_t scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;
    size_t length = strcspn(text + scheme, "/?#");
    const char *at = memrchr(text + scheme, '@', length);
    const char *host = at == NULL ? text + scheme : at + 1;

    for (const char *byte = text; *byte != '\0'; byte++) {
        if ((unsigned char)*byte <= ' ' || *byte == 0x7F)
            return false;
    }
    return scheme > 0 && host < text + scheme + length && *host != ':';
}

/* The text is not quoted: what follows the host may be a secret. */
static bool set_address(struct arena *arena, const char *text, const char *origin, const char **out,
                        struct error *err)
{
    if (is_address(text)) {
        *out = arena_copy(arena, text, strlen(text));
        return true;
    }
    error_set(err, ERROR_USAGE, "%s is not an https:// or http:// URL", origin);
    return error_hint(err, "Write https://HOST/PATH.");
}

static bool set_release(struct arena *arena, const char *text, const char *origin, const char **out,
                        struct error *err)
{
    struct release ignored;

    if (release_parse(slice_of(text), &ignored)) {
        *out = arena_copy(arena, text, strlen(text));
        return true;
    }
    refuse(origin, text, "a release that can be compared with others", err);
    return error_hint(err, "%s", RELEASE_HINT);
}

static bool set_labels(struct arena *arena, const char *text, const char *origin, struct labels *out,
                       struct error *err)
{
    return labels_parse(arena_copy(arena, text, strlen(text)), out, err) ||
           error_message(err, "%s: %s", origin, err->message);
}

bool value_set(const struct option *option, const char *text, const char *origin, struct config *config,
               struct error *err)
{
    switch (option->type) {
    case OPTION_TEXT:
        *(const char **)field_of(option, config) = arena_copy(config->arena, text, strlen(text));
        return true;
    case OPTION_NAMES:
        return add_name(config->arena, text, origin, field_of(option, config), err);
    case OPTION_DURATION:
        return set_duration(option, text, origin, field_of(option, config), err);
    case OPTION_NUMBER:
        return set_number(option, text, origin, field_of(option, config), err);
    case OPTION_FLAG:
        return set_flag(text, origin, field_of(option, config), err);
    case OPTION_CHOICES:
        return set_choices(option, text, origin, field_of(option, config), err);
    case OPTION_SWITCHES:
        return set_switches(option, text, origin, field_of(option, config), err);
    case OPTION_ADDRESS:
        return set_address(config->arena, text, origin, field_of(option, config), err);
    case OPTION_LABELS:
        return set_labels(config->arena, text, origin, field_of(option, config), err);
    case OPTION_RELEASE:
        return set_release(config->arena, text, origin, field_of(option, config), err);
    case OPTION_SOURCED:
        *(struct sourced *)field_of(option, config) =
            (struct sourced) { .text = arena_copy(config->arena, text, strlen(text)),
                               .origin = arena_copy(config->arena, origin, strlen(origin)) };
        return true;
    case OPTION_CHOICE:
        break;
    }
    return set_choice(option, text, origin, field_of(option, config), err);
}
