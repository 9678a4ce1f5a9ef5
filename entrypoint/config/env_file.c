#include "config/env_file.h"

#include <string.h>

#include "base/env.h"
#include "base/file.h"

enum { FILE_MOST = 1024 * 1024, VALUE_MOST = 64 * 1024, VARIABLES_MOST = 1000 };

static const char FORM[] = "Write NAME=VALUE, one a line. A comment begins with #.";
static const char QUOTE_IT[] = "Put the value in single quotes: nothing is special in them.";

struct reader {
    struct arena *arena;
    struct slice text;
    size_t at;
    size_t line;       /* of `at`, from 1 */
    struct text value; /* of the variable at hand */
    struct env_file *file;
    size_t entries; /* in file->environment */
};

/* The line is not shown: it may hold a password. */
static bool refuse(const struct reader *reader, size_t at, const char *why, const char *hint,
                   struct error *err)
{
    error_set(err, ERROR_USAGE, "%s", why);
    error_point(err, reader->file->path, reader->text.at, reader->text.length, at);
    err->place.source[0] = '\0';
    return error_hint(err, "%s", hint);
}

static bool is_over(const struct reader *reader)
{
    return reader->at == reader->text.length;
}

/* The byte at hand; NUL behind the last, as no file may hold one. */
static char peek(const struct reader *reader)
{
    return is_over(reader) ? '\0' : reader->text.at[reader->at];
}

static void step(struct reader *reader)
{
    reader->line += peek(reader) == '\n';
    reader->at++;
}

/* Whether a line ends here as it does on Windows. */
static bool is_crlf(const struct reader *reader)
{
    return peek(reader) == '\r' &&
           (reader->at + 1 == reader->text.length || reader->text.at[reader->at + 1] == '\n');
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(peek(reader)) || is_crlf(reader))
        step(reader);
}

static void skip_line(struct reader *reader)
{
    while (!is_over(reader) && peek(reader) != '\n')
        step(reader);
}

static bool is_name_begin(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_in_name(char byte)
{
    return is_name_begin(byte) || (byte >= '0' && byte <= '9') || byte == '.' || byte == '-';
}

static struct slice read_name(struct reader *reader)
{
    struct slice name = { .at = reader->text.at + reader->at };

    if (is_name_begin(peek(reader))) {
        while (is_in_name(peek(reader)))
            step(reader);
    }
    name.length = (size_t)(reader->text.at + reader->at - name.at);
    return name;
}

/* "${NAME}", of a variable that is set already. */
static bool expand(struct reader *reader, struct error *err)
{
    size_t begin = reader->at;
    struct slice name;
    const char *value = NULL;

    step(reader);
    if (peek(reader) != '{' && peek(reader) != '(' && !is_name_begin(peek(reader))) {
        text_add_string(&reader->value, "$");
        return true;
    }
    if (peek(reader) == '{') {
        step(reader);
        name = read_name(reader);
        if (name.length > 0 && peek(reader) == '}')
            value = env_find(reader->file->environment, arena_copy(reader->arena, name.at, name.length));
    }
    if (value == NULL)
        return refuse(
            reader, begin, "could not replace this $ by the value of a variable",
            "Only ${NAME} is replaced, of a variable that is set before. In single quotes, $ stands for "
            "itself.",
            err);
    step(reader);
    text_add_string(&reader->value, value);
    return true;
}

/* One byte of a value as it is. */
static bool take_byte(struct reader *reader, struct error *err)
{
    char byte = peek(reader);

    if (((unsigned char)byte < ' ' && byte != '\t' && byte != '\n') || byte == 0x7F)
        return refuse(reader, reader->at, "the value contains a control character", FORM, err);
    text_add(&reader->value, &byte, 1);
    step(reader);
    return true;
}

/* Those of the escapes that mean the same to all. */
static bool unescape(struct reader *reader, struct error *err)
{
    char next = reader->at + 1 < reader->text.length ? reader->text.at[reader->at + 1] : '\0';

    if (next != 'n' && next != 'r')
        return refuse(reader, reader->at,
                      "a backslash in double quotes means different things to different tools", QUOTE_IT,
                      err);
    text_add_string(&reader->value, next == 'n' ? "\n" : "\r");
    step(reader);
    step(reader);
    return true;
}

static bool read_quoted(struct reader *reader, struct error *err)
{
    size_t begin = reader->at;
    char quote = peek(reader);

    for (step(reader); peek(reader) != quote;) {
        bool is_good;

        if (is_over(reader))
            return refuse(reader, begin, "the value's quote is not closed", QUOTE_IT, err);
        if (quote == '"' && peek(reader) == '$') {
            is_good = expand(reader, err);
        } else if (quote == '"' && peek(reader) == '\\') {
            is_good = unescape(reader, err);
        } else {
            if (is_crlf(reader))
                step(reader);
            is_good = take_byte(reader, err);
        }
        if (!is_good)
            return false;
    }
    step(reader);
    skip_blanks(reader);
    if (is_over(reader) || peek(reader) == '\n' || peek(reader) == '#')
        return true;
    return refuse(reader, reader->at, "something follows the value's closing quote", QUOTE_IT, err);
}

/* To the end of the line, or to a comment. */
static bool read_unquoted(struct reader *reader, struct error *err)
{
    for (;;) {
        size_t begin = reader->at;

        skip_blanks(reader);
        if (is_over(reader) || peek(reader) == '\n')
            return true;
        if (peek(reader) == '#' && is_blank(reader->text.at[reader->at - 1]))
            return true;
        if (peek(reader) == '#')
            return refuse(reader, reader->at, "this # begins a comment to some tools, and does not to others",
                          QUOTE_IT, err);
        text_add(&reader->value, reader->text.at + begin, reader->at - begin);
        if (!(peek(reader) == '$' ? expand(reader, err) : take_byte(reader, err)))
            return false;
    }
}

static bool read_value(struct reader *reader, struct error *err)
{
    size_t begin = reader->at;
    bool is_read;

    text_reset(&reader->value);
    skip_blanks(reader);
    if (peek(reader) == '`')
        return refuse(reader, reader->at, "backquotes mean different things to different tools", QUOTE_IT,
                      err);
    if (peek(reader) == '"' || peek(reader) == '\'')
        is_read = read_quoted(reader, err);
    else
        is_read = read_unquoted(reader, err);
    if (is_read && reader->value.has_overflowed)
        return refuse(reader, begin, "the value is longer than 64 KiB", FORM, err);
    return is_read;
}

/* Adds the latest variable to the environment, unless that has it. */
static void set(struct reader *reader, const char *name)
{
    char **environment = reader->file->environment;
    size_t length = strlen(name);
    size_t i = 0;
    char *entry;

    if (reader->value.length == 0 || env_find(environment, name) != NULL)
        return;
    entry = arena_alloc(reader->arena, length + 1 + reader->value.length + 1, 1);
    (void)stpcpy(stpcpy(stpcpy(entry, name), "="), reader->value.at);
    while (i < reader->entries &&
           (strncmp(environment[i], name, length) != 0 || environment[i][length] != '='))
        i++;
    reader->entries += i == reader->entries;
    environment[i] = entry;
    reader->file->variables[reader->file->count - 1].is_used = true;
}

static bool is_set(const struct env_file *file, const char *name)
{
    size_t i = 0;

    while (i < file->count && strcmp(file->variables[i].name, name) != 0)
        i++;
    return i < file->count;
}

/* At its name. */
static bool read_variable(struct reader *reader, struct error *err)
{
    size_t begin = reader->at;
    size_t line = reader->line;
    struct slice word = read_name(reader);
    const char *name;
    size_t end;

    if (slice_equals(word, "export") && is_blank(peek(reader))) {
        skip_blanks(reader);
        word = read_name(reader);
    }
    end = reader->at;
    skip_blanks(reader);
    if (word.length > 0 && peek(reader) == '=' && reader->at > end)
        return refuse(reader, end, "there is a blank between the variable and its =",
                      "Remove it: a shell would take the name for a command, and docker refuses it.", err);
    if (word.length == 0 || peek(reader) != '=')
        return refuse(reader, begin, "this line does not set a variable", FORM, err);
    name = arena_copy(reader->arena, word.at, word.length);
    if (is_set(reader->file, name))
        return refuse(reader, begin, "this variable is set twice", "Remove one of the two lines.", err);
    if (reader->file->count == VARIABLES_MOST)
        return refuse(reader, begin, "the file sets more than 1000 variables", FORM, err);
    reader->file->variables[reader->file->count++] =
        (struct env_file_variable) { .name = name, .line = line };
    step(reader);
    if (!read_value(reader, err))
        return false;
    set(reader, name);
    return true;
}

static bool read_lines(struct reader *reader, struct error *err)
{
    /* What some editors begin a file with. */
    if (slice_starts_with(reader->text, "\xEF\xBB\xBF"))
        reader->at = 3;
    while (!is_over(reader)) {
        skip_blanks(reader);
        if (peek(reader) == '#')
            skip_line(reader);
        else if (peek(reader) == '\n')
            step(reader);
        else if (!is_over(reader) && !read_variable(reader, err))
            return false;
    }
    return true;
}

bool env_file_parse(struct arena *arena, struct slice text, struct env_file *file, struct error *err)
{
    struct reader reader = {
        .arena = arena, .text = text, .line = 1, .value = text_init(VALUE_MOST), .file = file
    };
    bool is_good;

    while (file->given[reader.entries] != NULL)
        reader.entries++;
    file->environment = arena_alloc(arena, reader.entries + VARIABLES_MOST + 1, sizeof *file->environment);
    memcpy(file->environment, file->given, reader.entries * sizeof *file->given);
    file->variables = arena_alloc(arena, VARIABLES_MOST, sizeof *file->variables);
    file->count = 0;
    reader.value.is_secret = true;
    is_good = read_lines(&reader, err);
    text_clear(&reader.value);
    return is_good;
}

bool env_file_read(struct arena *arena, const char *path, char *const *environment, struct env_file *out,
                   struct error *err)
{
    auto_text struct text text = text_init(FILE_MOST);

    text.is_secret = true;
    if (!file_read_stream(path, &text, err))
        return error_hint(err, "Correct the name given with --env-file FILE, or remove the option.");
    *out = (struct env_file) { .path = path, .given = environment };
    return env_file_parse(arena, text_slice(&text), out, err);
}

size_t env_file_line(const struct env_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (file->variables[i].is_used && strcmp(file->variables[i].name, name) == 0)
            return file->variables[i].line;
    }
    return 0;
}
