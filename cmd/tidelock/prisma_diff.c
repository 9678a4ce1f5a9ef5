#include "prisma_diff.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { FILE_MOST = 1024 * 1024 };

/* What may follow --from- and --to-. */
static const struct {
    const char *name;
    bool has_value;
    const char *word;   /* of diff; NULL = the value itself */
    const char *option; /* that takes the value, or NULL */
    bool is_file; /* which has to be there, though only its datasource counts: the configured database */
    bool is_refused;
} SIDES[] = {
    { .name = "empty", .word = "empty" },
    { .name = "url", .has_value = true },
    { .name = "migrations", .has_value = true, .word = "migrations", .option = "--migrations" },
    { .name = "config-datasource", .word = "database" },
    { .name = "schema-datasource", .has_value = true, .word = "database", .is_file = true },
    { .name = "schema-datamodel", .is_refused = true },
    { .name = "schema", .is_refused = true },
    { .name = "local-d1", .is_refused = true },
};

struct rewriting {
    int count;
    char **words;
    int at;
    char *sides[2]; /* from, to */
    bool has_folder;
    char **out;
    int out_count;
};

static bool refuse(const char *word, struct error *err)
{
    error_set(err, ERROR_USAGE, "%.*s cannot be compared here", (int)strcspn(word, "="), word);
    return error_hint(
        err,
        "What reads Prisma's schema language stays with Prisma: npx prisma migrate diff. "
        "Here --from-… and --to-… take url, migrations, config-datasource, schema-datasource and empty.");
}

/* The value of the option at hand, or NULL. */
static char *value_of(struct rewriting *rewriting)
{
    char *equals = strchr(rewriting->words[rewriting->at], '=');

    if (equals != NULL)
        return equals + 1;
    return rewriting->at + 1 < rewriting->count ? rewriting->words[++rewriting->at] : NULL;
}

/* The schema file itself is not understood: its datasource has to be the configured database. */
static bool check_datasource(const char *path, struct error *err)
{
    auto_text struct text text = text_init(FILE_MOST);

    if (!file_read(path, &text, err))
        return false;
    if (strstr(text.at, "env(\"DATABASE_URL\")") != NULL)
        return true;
    error_set(err, ERROR_USAGE, "the datasource in %s is not env(\"DATABASE_URL\")", path);
    return error_hint(err, "Name the database: --from-url URL or --to-url URL.");
}

static bool take_side(struct arena *arena, struct rewriting *rewriting, size_t side, const char *name,
                      struct error *err)
{
    const char *typed = rewriting->words[rewriting->at];
    struct slice word = { .at = name, .length = strcspn(name, "=") };
    char *value = NULL;
    size_t i = 0;

    while (i < array_length(SIDES) && !slice_equals(word, SIDES[i].name))
        i++;
    if (i == array_length(SIDES) || SIDES[i].is_refused)
        return refuse(typed, err);
    if (rewriting->sides[side] != NULL)
        return error_set(err, ERROR_USAGE,
                         "%s is one schema too many: one --from-… and one --to-… are compared",
                         SIDES[i].name);
    if (SIDES[i].option != NULL && rewriting->has_folder)
        return error_set(err, ERROR_USAGE, "one folder of migrations can be replayed, not two");
    rewriting->has_folder |= SIDES[i].option != NULL;
    if (SIDES[i].has_value) {
        value = value_of(rewriting);
        if (value == NULL)
            return error_set(err, ERROR_USAGE, "%s needs a value", typed);
    }
    if (SIDES[i].is_file && value != NULL && !check_datasource(value, err))
        return false;
    if (SIDES[i].option != NULL) {
        rewriting->out[rewriting->out_count++] = arena_copy(arena, SIDES[i].option, strlen(SIDES[i].option));
        rewriting->out[rewriting->out_count++] = value;
    }
    rewriting->sides[side] =
        SIDES[i].word == NULL ? value : arena_copy(arena, SIDES[i].word, strlen(SIDES[i].word));
    return true;
}

static bool take_shadow(struct arena *arena, struct rewriting *rewriting, struct error *err)
{
    static const char option[] = "--shadow";
    char *value = value_of(rewriting);

    if (value == NULL)
        return error_set(err, ERROR_USAGE, "--shadow-database-url needs a value");
    rewriting->out[rewriting->out_count++] = arena_copy(arena, option, strlen(option));
    rewriting->out[rewriting->out_count++] = value;
    return true;
}

static bool take_word(struct arena *arena, struct rewriting *rewriting, struct error *err)
{
    char *word = rewriting->words[rewriting->at];
    bool is_output =
        strcmp(word, "-o") == 0 || slice_equals((struct slice) { word, strcspn(word, "=") }, "--output");

    if (strncmp(word, "--from-", strlen("--from-")) == 0)
        return take_side(arena, rewriting, 0, word + strlen("--from-"), err);
    if (strncmp(word, "--to-", strlen("--to-")) == 0)
        return take_side(arena, rewriting, 1, word + strlen("--to-"), err);
    if (slice_equals((struct slice) { word, strcspn(word, "=") }, "--shadow-database-url"))
        return take_shadow(arena, rewriting, err);
    if (is_output) {
        error_set(err, ERROR_USAGE, "there is no %.*s here", (int)strcspn(word, "="), word);
        return error_hint(err, "The result is on standard output: tidelock migrate diff … > FILE");
    }
    rewriting->out[rewriting->out_count++] = word;
    return true;
}

bool prisma_diff_rewrite(struct arena *arena, int *count, char ***words, struct error *err)
{
    struct rewriting rewriting = { .count = *count, .words = *words };

    /* A word becomes two at most; then come the sides. */
    rewriting.out = arena_alloc(arena, 2 * (size_t)*count + 3, sizeof *rewriting.out);
    for (; rewriting.at < *count; rewriting.at++) {
        if (!take_word(arena, &rewriting, err))
            return false;
    }
    for (size_t side = 0; side < array_length(rewriting.sides); side++) {
        if (rewriting.sides[side] != NULL)
            rewriting.out[rewriting.out_count++] = rewriting.sides[side];
    }
    *count = rewriting.out_count;
    *words = rewriting.out;
    return true;
}
