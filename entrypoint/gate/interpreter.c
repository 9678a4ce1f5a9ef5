#include "gate/interpreter.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/exec.h"

enum { INTERPRETERS_MOST = 5 }; /* an interpreter may be a script; the kernel follows so many */

static const char *const FAULTS[] = {
    [FIRST_LINE_EMPTY] = "it is an empty file",
    [FIRST_LINE_MARKED] = "a byte order mark comes before its \"#!\"",
    [FIRST_LINE_TEXT] = "it is a text whose first line names no interpreter",
    [FIRST_LINE_INCOMPLETE] = "its first line (#!) names no interpreter, or one whose name is too long",
};
_Static_assert(sizeof FAULTS / sizeof *FAULTS == FIRST_LINES, "a word for every fault");

static bool is_text(struct slice head)
{
    for (size_t i = 0; i < head.length; i++) {
        unsigned char byte = (unsigned char)head.at[i];

        if ((byte < ' ' && (byte < '\t' || byte > '\r')) || byte == 0x7F)
            return false;
    }
    return true;
}

static size_t count_blanks(struct slice line)
{
    size_t count = 0;

    while (count < line.length && (line.at[count] == ' ' || line.at[count] == '\t'))
        count++;
    return count;
}

static struct slice skip(struct slice line, size_t count)
{
    return (struct slice) { line.at + count, line.length - count };
}

/* Linux, fs/binfmt_script.c: the name ends at a blank or a NUL; the rest, without the blanks around it, is
 * one argument. */
static enum first_line parse_line(struct slice line, bool has_end, struct slice *interpreter,
                                  struct slice *argument)
{
    size_t length = 0;

    line = skip(line, count_blanks(line));
    while (length < line.length && strchr(" \t", line.at[length]) == NULL)
        length++;
    if (length == 0 || line.at[0] == '\0' || (length == line.length && !has_end))
        return FIRST_LINE_INCOMPLETE;
    *interpreter = (struct slice) { line.at, strnlen(line.at, length) };
    *argument = skip(line, length);
    *argument = skip(*argument, count_blanks(*argument));
    while (argument->length > 0 && strchr(" \t", argument->at[argument->length - 1]) != NULL)
        argument->length--;
    return FIRST_LINE_SCRIPT;
}

enum first_line interpreter_parse(struct slice head, struct slice *interpreter, struct slice *argument)
{
    const char *end = head.length == 0 ? NULL : memchr(head.at, '\n', head.length);
    struct slice line = { head.at, end == NULL ? head.length : (size_t)(end - head.at) };

    *interpreter = *argument = (struct slice) { .at = "" };
    if (head.length == 0)
        return FIRST_LINE_EMPTY;
    if (slice_starts_with(head, "\xEF\xBB\xBF#!"))
        return FIRST_LINE_MARKED;
    if (slice_starts_with(head, "#!"))
        return parse_line(skip(line, 2), end != NULL || head.length < INTERPRETER_LINE_MOST, interpreter,
                          argument);
    return is_text(head) ? FIRST_LINE_TEXT : FIRST_LINE_PROGRAM;
}

/* The first bytes; false when we may not read what we may execute. */
static bool read_head(const char *file, char *head, size_t *length)
{
    int descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = descriptor < 0 ? -1 : read(descriptor, head, INTERPRETER_LINE_MOST);

    if (descriptor >= 0)
        (void)close(descriptor);
    *length = got < 0 ? 0 : (size_t)got;
    return got >= 0;
}

static bool check_file(const char *file, const char *interpreter, struct error *err)
{
    struct stat status;
    bool is_there = stat(interpreter, &status) == 0;

    if (is_there && S_ISREG(status.st_mode) && access(interpreter, X_OK) == 0)
        return true;
    if (is_there)
        error_set(err, ERROR_NOT_EXECUTABLE,
                  "could not execute \"%s\": its interpreter \"%s\" may not be executed", file, interpreter);
    else
        error_set(err, ERROR_NOT_FOUND,
                  "could not execute \"%s\": the interpreter that it names, \"%s\", is missing", file,
                  interpreter);
    if (strchr(interpreter, '\r') != NULL)
        return error_hint(err, "Its first line ends in a carriage return: save it with Unix line ends (LF).");
    return error_hint(err, "Correct its first line (#!), or install that interpreter in the image.");
}

/* What env is to look for in PATH; empty when that cannot be known without being env. */
static struct slice word_of_env(struct slice interpreter, struct slice argument)
{
    static const struct slice unknown = { .at = "" };
    bool is_split = slice_starts_with(argument, "-S");
    size_t length = 0;

    if (interpreter.length < 4 || memcmp(interpreter.at + interpreter.length - 4, "/env", 4) != 0)
        return unknown;
    if (is_split)
        argument = slice_trim(skip(argument, 2));
    while (length < argument.length && !(is_split && strchr(" \t", argument.at[length]) != NULL)) {
        if (strchr("=\"'\\$", argument.at[length++]) != NULL)
            return unknown;
    }
    return length == 0 || argument.at[0] == '-' ? unknown : (struct slice) { argument.at, length };
}

static bool check_env(struct arena *arena, const char *file, struct slice word, struct error *err)
{
    const char *name = arena_copy(arena, word.at, word.length);

    if (word.length == 0 || exec_find(arena, name, err) != NULL)
        return true;
    error_message(err, "could not execute \"%s\": the interpreter that it names, \"%s\", is not in PATH",
                  file, name);
    if (strchr(name, '\r') != NULL)
        return error_hint(err, "Its first line ends in a carriage return: save it with Unix line ends (LF).");
    return error_hint(err, "Correct its first line (#!), or install that interpreter in the image.");
}

bool interpreter_check(struct arena *arena, const char *file, struct error *err)
{
    for (int i = 0; i < INTERPRETERS_MOST; i++) {
        char head[INTERPRETER_LINE_MOST];
        struct slice interpreter;
        struct slice argument;
        struct slice word;
        size_t length;
        enum first_line first;

        if (!read_head(file, head, &length))
            return true;
        first = interpreter_parse((struct slice) { head, length }, &interpreter, &argument);
        if (first == FIRST_LINE_PROGRAM)
            return true;
        if (first != FIRST_LINE_SCRIPT) {
            error_set(err, ERROR_NOT_EXECUTABLE, "could not execute \"%s\": %s", file, FAULTS[first]);
            return error_hint(err, "Begin it with a line such as #!/bin/sh, without anything before it.");
        }
        word = word_of_env(interpreter, argument);
        if (!check_file(file, arena_copy(arena, interpreter.at, interpreter.length), err) ||
            !check_env(arena, file, word, err))
            return false;
        file = arena_copy(arena, interpreter.at, interpreter.length);
    }
    return true;
}
