#include "dialect/flyway_name.h"

#include <string.h>
#include <strings.h>

/* Those that a deployment fires: others are for other commands. */
static const char *const EVENTS[] = {
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "afterEachMigrate",
    "afterEachMigrateError",
    "beforeRepeatables",
    "afterVersioned",
    "afterMigrateApplied",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateOperationFinish",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "createSchema",
    "beforeCreateSchema",
    "beforeConnect",
    "afterConnect",
};

/* Java's, and what an interpreter runs. */
static const char *const PROGRAMS[] = { ".java", ".class", ".kt",  ".sh", ".bash",
                                        ".ps1",  ".py",    ".cmd", ".bat" };

static const char SQL[] = ".sql";
static const char SEPARATOR[] = "__";
static const char COMMAND[] = "baseline ";

enum { DESCRIPTION_MOST = 200, DESCRIPTION_KEPT = 197 };

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool ends_in(struct slice name, const char *suffix)
{
    size_t length = strlen(suffix);

    return name.length >= length && strncasecmp(name.at + name.length - length, suffix, length) == 0;
}

static struct slice without_folders(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slice_of(slash == NULL ? name : slash + 1);
}

static bool strip(struct slice *name, const char *suffix)
{
    if (!ends_in(*name, suffix))
        return false;
    name->length -= strlen(suffix);
    return true;
}

static bool strip_program(struct slice *name)
{
    for (size_t i = 0; i < array_length(PROGRAMS); i++) {
        if (strip(name, PROGRAMS[i]))
            return true;
    }
    return false;
}

static struct slice behind(struct slice text, size_t bytes)
{
    return (struct slice) { text.at + bytes, text.length - bytes };
}

/* Numbers with a dot or an underscore between them. */
static bool is_version(struct slice version)
{
    bool is_expected = true;

    for (size_t i = 0; i < version.length; i++) {
        if (!is_digit(version.at[i]) && (is_expected || (version.at[i] != '.' && version.at[i] != '_')))
            return false;
        is_expected = !is_digit(version.at[i]);
    }
    return !is_expected;
}

/* At the first separator. */
static struct flyway_name split(struct slice rest)
{
    const char *at = rest.length == 0 ? NULL : memmem(rest.at, rest.length, SEPARATOR, strlen(SEPARATOR));
    size_t before = at == NULL ? rest.length : (size_t)(at - rest.at);

    return (struct flyway_name) { .version = { rest.at, before },
                                  .description =
                                      behind(rest, at == NULL ? before : before + strlen(SEPARATOR)) };
}

/* Of a name without folders and extension. */
static struct flyway_name parse(struct slice stem)
{
    struct flyway_name name = { .kind = FLYWAY_OTHER, .version = slice_of(""), .description = slice_of("") };
    struct slice rest = stem;
    enum flyway_kind kind = FLYWAY_VERSIONED;

    if (stem.length == 0)
        return name;
    if (slice_starts_with(stem, COMMAND)) {
        kind = FLYWAY_BASELINE;
        rest = behind(stem, strlen(COMMAND));
    } else if (stem.at[0] == 'V' || stem.at[0] == 'B' || stem.at[0] == 'R') {
        kind = stem.at[0] == 'V' ? FLYWAY_VERSIONED : stem.at[0] == 'B' ? FLYWAY_BASELINE : FLYWAY_REPEATABLE;
        rest = behind(stem, 1);
    }
    name = split(rest);
    if (kind == FLYWAY_REPEATABLE ? name.version.length == 0 && rest.length > 0 : is_version(name.version))
        name.kind = kind;
    return name;
}

struct flyway_name flyway_name_of(const char *name)
{
    struct slice stem = without_folders(name);

    if (!strip(&stem, SQL))
        (void)strip_program(&stem);
    return parse(stem);
}

static bool is_callback(struct slice stem)
{
    for (size_t i = 0; i < array_length(EVENTS); i++) {
        if (slice_starts_with(stem, EVENTS[i]) && split(stem).version.length == strlen(EVENTS[i]))
            return true;
    }
    return false;
}

/* A file's name begins with its letter: a key does not have to. */
static bool has_letter(struct slice stem)
{
    return stem.length > 0 && strchr("VBR", stem.at[0]) != NULL;
}

enum entry_kind flyway_entry_kind_of(const char *entry, bool is_directory)
{
    struct slice stem = slice_of(entry);
    bool is_sql = strip(&stem, SQL);

    if (is_directory || (!is_sql && !strip_program(&stem)))
        return ENTRY_OTHER;
    if (is_callback(stem))
        return ENTRY_FORBIDDEN;
    if (!has_letter(stem) || parse(stem).kind == FLYWAY_OTHER)
        return ENTRY_OTHER;
    return is_sql ? ENTRY_MIGRATION : ENTRY_PROGRAM;
}

static bool is_part_end(struct slice version, size_t at)
{
    return at == version.length || !is_digit(version.at[at]);
}

/* The next number of a version, from *at on, without leading zeros; "0" behind its end. */
static struct slice next_part(struct slice version, size_t *at)
{
    size_t start = *at;

    if (start >= version.length)
        return slice_of("0");
    while (version.at[start] == '0' && !is_part_end(version, start + 1))
        start++;
    *at = start;
    while (!is_part_end(version, *at))
        ++*at;
    const struct slice part = { version.at + start, *at - start };

    ++*at;
    return part;
}

static int compare_parts(struct slice one, struct slice other)
{
    if (one.length != other.length)
        return one.length < other.length ? -1 : 1;
    return memcmp(one.at, other.at, one.length);
}

static int compare_versions(struct slice one, struct slice other)
{
    size_t a = 0;
    size_t b = 0;
    int by_part = 0;

    while (by_part == 0 && (a < one.length || b < other.length)) {
        const struct slice left = next_part(one, &a);

        by_part = compare_parts(left, next_part(other, &b));
    }
    return by_part;
}

static int compare_bytes(struct slice one, struct slice other)
{
    size_t common = one.length < other.length ? one.length : other.length;

    for (size_t i = 0; i < common; i++) {
        const unsigned char a = one.at[i] == '_' ? ' ' : (unsigned char)one.at[i];
        const unsigned char b = other.at[i] == '_' ? ' ' : (unsigned char)other.at[i];

        if (a != b)
            return a < b ? -1 : 1;
    }
    return (one.length > other.length) - (one.length < other.length);
}

int flyway_compare_keys(const void *one, const void *other)
{
    const char *names[] = { ((const struct order_key *)one)->name, ((const struct order_key *)other)->name };
    const struct flyway_name a = flyway_name_of(names[0]);
    const struct flyway_name b = flyway_name_of(names[1]);
    const bool is_repeatable = a.kind == FLYWAY_REPEATABLE;
    int by_parts;

    if (is_repeatable != (b.kind == FLYWAY_REPEATABLE))
        return is_repeatable ? 1 : -1;
    by_parts =
        is_repeatable ? compare_bytes(a.description, b.description) : compare_versions(a.version, b.version);
    if (by_parts == 0 && a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    return by_parts != 0 ? by_parts : strcmp(names[0], names[1]);
}

struct order_key flyway_order_key_of(const char *name)
{
    return (struct order_key) { .name = name };
}

static void add_version(struct slice version, struct text *key)
{
    size_t kept = 0;

    for (size_t at = 0; at < version.length;) {
        const struct slice part = next_part(version, &at);

        if (key->length > 0 && is_digit(key->at[key->length - 1]))
            text_add_string(key, ".");
        text_add(key, part.at, part.length);
        if (kept == 0 || !slice_equals(part, "0"))
            kept = key->length;
    }
    key->length = kept;
}

/* As the ledger has it: what is too long is cut. */
static void add_description(struct slice description, char blank, struct text *out)
{
    const size_t count = utf8_count(description.at, description.length);
    const size_t kept = count <= DESCRIPTION_MOST
                            ? description.length
                            : utf8_offset(description.at, description.length, DESCRIPTION_KEPT);

    for (size_t i = 0; i < kept; i++) {
        const bool is_blank = description.at[i] == '_' || description.at[i] == ' ';

        text_add(out, is_blank ? &blank : &description.at[i], 1);
    }
    text_add_string(out, kept < description.length ? "..." : "");
}

void flyway_key_of(const char *name, char out[KEY_SIZE])
{
    const struct flyway_name parts = flyway_name_of(name);
    auto_text struct text key = text_init(4 * (size_t)KEY_SIZE);
    auto_text struct text version = text_init(4 * (size_t)KEY_SIZE);

    if (parts.kind == FLYWAY_REPEATABLE) {
        text_add_string(&key, "R__");
        add_description(parts.description, '_', &key);
    } else {
        add_version(parts.version, &version);
        text_add_string(&key, parts.kind == FLYWAY_BASELINE ? "B" : "");
        text_add(&key, version.at, version.length);
    }
    text_copy_cut(out, KEY_SIZE, key.at);
}

void flyway_describe(const char *name, char out[KEY_SIZE])
{
    auto_text struct text text = text_init(4 * (size_t)KEY_SIZE);

    add_description(flyway_name_of(name).description, ' ', &text);
    text_copy_cut(out, KEY_SIZE, text.at);
}

bool flyway_repeats(const char *name)
{
    return flyway_name_of(name).kind == FLYWAY_REPEATABLE;
}

bool flyway_is_baseline(const char *name)
{
    return flyway_name_of(name).kind == FLYWAY_BASELINE;
}
