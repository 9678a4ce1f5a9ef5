#include "print.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "exits.h"
#include "reporting.h"

/* A line is cut after its secrets are blanked, so that none is cut in two. */
enum {
    LINE_MOST = 16 * 1024,
    FORMATTED_MOST = 3 * LINE_MOST,
    BLOCK_MOST = 256 * 1024,
    LABEL_COLUMNS = 12,
    JSON_MOST = 256 * 1024 * 1024
};

static enum print_to lines_to = PRINT_TO_STDOUT;
static bool is_optional;
static int refused; /* errno of the first write to stdout that failed */

void print_configure(enum print_to to)
{
    lines_to = to;
}

void print_is_optional(void)
{
    is_optional = true;
}

/* stdout drops what it could not write: only the call that failed knows why. */
void print_text(const char *text)
{
    if (fputs(text, stdout) < 0 && refused == 0)
        refused = errno;
}

static void print_whole(const char *line)
{
    print_text(line);
    print_text("\n");
}

bool print_end(struct error *err)
{
    if (fflush(stdout) != 0 && refused == 0)
        refused = errno;
    if (refused == 0)
        return true;
    if (is_optional) {
        log_warn("could not write to standard output: %s", strerror(refused));
        return true;
    }
    if (refused == EPIPE) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)raise(SIGPIPE);
    }
    error_set(err, ERROR_OUTPUT, "could not write to standard output: %s", strerror(refused));
    error_holds(err, "The command itself is done; only its output is not complete.");
    return error_hint(err, "Send the output elsewhere, or make room for it.");
}

static void print_list(const char *format, va_list arguments)
{
    auto_text struct text said = text_init(FORMATTED_MOST);
    auto_text struct text line = text_init(BLOCK_MOST);

    if (lines_to == PRINT_TO_NOBODY)
        return;
    for (; *format == '\n'; format++)
        text_add(&line, format, 1);
    text_add_format_cut_list(&said, format, arguments);
    if (lines_to == PRINT_TO_LOG) {
        log_info("%s", said.at + strspn(said.at, " "));
        return;
    }
    redact(said.at);
    text_cut(said.at, LINE_MOST);
    text_add_shown_line(&line, said.at);
    print_whole(line.at);
}

void print_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
}

void print_each(const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        print_text(*texts);
        print_text("\n");
    }
}

void print_line_of(const char *migration, const char *format, ...)
{
    va_list arguments;

    log_context(LOG_MIGRATION, migration);
    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
    log_context(LOG_MIGRATION, NULL);
}

static void print_value(struct json *value, bool is_indented, const char *end)
{
    auto_text struct text out = text_init(JSON_MOST);

    json_write(value, is_indented, &out);
    redact(out.at);
    print_text(out.at);
    print_text(end);
}

void print_json(struct json *value)
{
    print_value(value, lines_to == PRINT_TO_STDOUT, "\n");
}

void print_json_part(struct json *value)
{
    print_value(value, false, "");
}

static void add_part(struct text *block, const char *label, const char *value)
{
    if (value[0] == '\0')
        return;
    text_add_format(block, "  %-9s ", label);
    text_add_shown(block, value, LABEL_COLUMNS);
    text_add(block, "\n", 1);
}

static void add_place(struct text *block, const struct error_place *place)
{
    if (place->line == 0)
        return;
    text_add_string(block, "  at        ");
    text_add_shown(block, place->file, LABEL_COLUMNS);
    text_add_format(block, ":%zu:%zu\n", place->line, place->column);
    if (place->source[0] == '\0')
        return;
    text_add_format(block, "%*s", LABEL_COLUMNS, "");
    text_add_shown(block, place->source, LABEL_COLUMNS);
    text_add(block, "\n", 1);
    if (place->source_caret > 0)
        text_add_format(block, "            %*s^\n", (int)place->source_caret - 1, "");
}

/* In the order in which an operator asks: what, where, why, what the database holds, what next. */
static void print_block(const struct error *err, const struct exit_row *row)
{
    auto_text struct text block = text_init(BLOCK_MOST);
    const struct log_look look = log_look_of(LOG_ERROR);

    text_add_format(&block, "tidelock: %s%serror%s%s%s: ", look.color, look.sign,
                    err->code[0] == '\0' ? "" : " ", err->code, look.end);
    if (log_context_of(LOG_TENANT)[0] != '\0')
        text_add_format(&block, "%s: ", log_context_of(LOG_TENANT));
    text_add_shown(&block, err->message, LABEL_COLUMNS);
    text_add(&block, "\n", 1);
    /* No line before it has said which one it is. */
    if (!log_is_on(LOG_INFO))
        add_part(&block, "database", log_context_of(LOG_DATABASE));
    add_place(&block, &err->place);
    add_part(&block, "sqlstate", err->sqlstate);
    add_part(&block, "detail", err->detail);
    for (int i = 0; i < err->contexts; i++)
        add_part(&block, "while", err->context[i]);
    add_part(&block, "holds", err->holds);
    add_part(&block, "next", err->hint);
    text_add_format(&block, "  exit      %d: ", exit_code_of(err));
    exit_add_meaning(row, err, &block);
    text_add(&block, "\n", 1);
    redact(block.at);
    log_passing(NULL);
    (void)fputs(block.at, stderr);
}

static void print_record(const struct error *err, const struct exit_row *row)
{
    char place[sizeof err->place.file + 64] = "";
    struct log_value values[12 + REPORTING_TOTALS];
    size_t count = 0;
    const struct log_value parts[] = {
        { .name = "code", .text = err->code },
        { .name = "sqlstate", .text = err->sqlstate },
        { .name = "at", .text = place },
        { .name = "detail", .text = err->detail },
        { .name = "while", .text = err->contexts > 0 ? err->context[0] : "" },
        { .name = "holds", .text = err->holds },
        { .name = "next", .text = err->hint },
    };

    if (err->place.line > 0)
        (void)snprintf(place, sizeof place, "%s:%zu:%zu", err->place.file, err->place.line,
                       err->place.column);
    for (size_t i = 0; i < array_length(parts); i++) {
        if (parts[i].text[0] != '\0')
            values[count++] = parts[i];
    }
    values[count++] = (struct log_value) { .name = "exit_code", .number = exit_code_of(err) };
    count += reporting_add_totals(values + count);
    values[count++] = (struct log_value) { .name = "retry", .text = row->is_retry_useful ? "yes" : "no" };
    log_event(LOG_ERROR, values, count, "%s", err->message);
}

void print_failure(const struct error *err)
{
    const struct exit_row *row = exit_find(err->class);

    if (log_format_in_use() == LOG_TEXT)
        print_block(err, row);
    else
        print_record(err, row);
}
