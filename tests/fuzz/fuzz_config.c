/* Any bytes as tidelock.yaml, as a .env and, each line, as a flag and an environment: understood or refused
 * with a message, never half. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "config/env_file.h"
#include "config/load.h"
#include "config/options.h"
#include "config/yaml.h"

enum { WORDS_MOST = 8 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What is read has keys and values that the text holds, each key once, with lines in order. */
static void require_pairs_of(struct slice text, const struct yaml_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        require(pairs->items[i].key != NULL && pairs->items[i].value != NULL);
        require(pairs->items[i].line >= 1 && pairs->items[i].line <= text.length + 1);
        for (size_t j = 0; j < i; j++)
            require(strcmp(pairs->items[i].key, pairs->items[j].key) != 0);
    }
}

static void try_yaml(struct slice text)
{
    auto_arena struct arena *arena = arena_new();
    struct yaml_pairs pairs;
    struct error err = { .class = ERROR_NONE };

    if (yaml_read(arena, "any.yaml", text, &pairs, &err))
        require_pairs_of(text, &pairs);
    else
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
}

/* What is read is in the environment, each variable once. */
static void try_env_file(struct slice text)
{
    static char own[] = "A=1";
    char *entries[] = { own, NULL };
    auto_arena struct arena *arena = arena_new();
    struct env_file file = { .path = "any.env", .given = entries };
    struct error err = { .class = ERROR_NONE };

    if (!env_file_parse(arena, text, &file, &err)) {
        require(err.class == ERROR_USAGE && err.message[0] != '\0' && err.place.source[0] == '\0');
        return;
    }
    require(file.environment[0] == own);
    for (size_t i = 0, used = 0; i < file.count; i++) {
        used += file.variables[i].is_used;
        require(file.variables[i].line >= 1 && file.variables[i].line <= text.length + 1);
        require(!file.variables[i].is_used || strchr(file.environment[used], '=') != NULL);
    }
}

/* Lines as words of a command line and, beginning with "E", as entries of the environment. */
static void try_words(char *lines)
{
    auto_arena struct arena *arena = arena_new();
    char *words[WORDS_MOST + 1] = { NULL };
    char *entries[WORDS_MOST + 1] = { NULL };
    struct config config;
    struct error err = { .class = ERROR_NONE };
    int word_count = 0;
    int entry_count = 0;

    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        /* A named file could be any of this machine. */
        if (strstr(line, "_FILE") != NULL || strstr(line, "config") != NULL ||
            strstr(line, "CONFIG") != NULL || strstr(line, "env-file") != NULL)
            continue;
        if (line[0] == 'E' && entry_count < WORDS_MOST)
            entries[entry_count++] = line + 1;
        else if (line[0] != 'E' && word_count < WORDS_MOST)
            words[word_count++] = line;
    }
    if (config_load(arena, FOR_DEPLOY, &(const struct command_line) { word_count, words, entries }, &config,
                    &err))
        require(config.is_help ||
                (config.connections >= 1 && config.retry_for_ms >= 0 && config.max_blocked >= 0));
    else
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
    redact_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };
    char *lines = malloc(size + 1);

    require(lines != NULL);
    if (size > 0)
        memcpy(lines, data, size);
    lines[size] = '\0';
    try_yaml(text);
    try_env_file(text);
    try_words(lines);
    free(lines);
    return 0;
}
