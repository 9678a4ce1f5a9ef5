#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

/* A message is cut after its secrets are blanked, so that none is cut in two. What is shown for a byte may be
 * longer. */
enum {
    MESSAGE_MOST = 16 * 1024,
    FORMATTED_MOST = 3 * MESSAGE_MOST,
    LINE_MOST = 16 * MESSAGE_MOST,
    FIELDS_MOST = 24
};

const char *const LOG_LEVEL_NAMES[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};
_Static_assert(sizeof LOG_LEVEL_NAMES / sizeof *LOG_LEVEL_NAMES == LOG_LEVELS, "name every level");

const char *const LOG_FORMAT_NAMES[] = {
    [LOG_TEXT] = "text",
    [LOG_LOGFMT] = "logfmt",
    [LOG_JSON] = "json",
};
_Static_assert(sizeof LOG_FORMAT_NAMES / sizeof *LOG_FORMAT_NAMES == LOG_FORMATS, "name every format");

static const char *const FIELD_NAMES[] = {
    [LOG_TENANT] = "tenant",
    [LOG_DATABASE] = "database",
    [LOG_MIGRATION] = "migration",
    [LOG_PHASE] = "phase",
};
_Static_assert(sizeof FIELD_NAMES / sizeof *FIELD_NAMES == LOG_FIELDS, "name every field");

/* How a line begins in text: with a word for what needs attention; on a terminal with a sign and in colour.
 */
static const struct {
    const char *color;
    const char *sign;
    const char *word;
} LOOKS[LOG_KINDS] = {
    [LOG_ERROR] = { "\033[1;31m", "✗ ", "error: " },
    [LOG_WARN] = { "\033[1;33m", "! ", "warning: " },
    [LOG_INFO] = { "", "", "" },
    [LOG_DEBUG] = { "\033[2m", "", "debug: " },
    [LOG_DONE] = { "\033[32m", "✓ ", "" },
    [LOG_WAIT] = { "\033[33m", "… ", "" },
};

static struct log_scope of_process;

static struct {
    enum log_level most;
    enum log_format format;
    struct log_scope *scope;
    bool is_passing; /* a passing line is on the terminal */
} state = { .most = LOG_INFO, .format = LOG_TEXT, .scope = &of_process };

void log_configure(enum log_level most, enum log_format format)
{
    state.most = most;
    state.format = format;
}

bool log_is_on(enum log_level level)
{
    if (state.scope->is_brief && (level == LOG_INFO || level == LOG_DONE))
        level = LOG_DEBUG;
    return (level < LOG_LEVELS ? level : LOG_INFO) <= state.most;
}

enum log_format log_format_in_use(void)
{
    return state.format;
}

/* The kind of terminal that stderr is, or NULL. */
static const char *terminal(void)
{
    const char *kind = getenv("TERM");

    return kind == NULL || strcmp(kind, "dumb") == 0 || isatty(STDERR_FILENO) == 0 ? NULL : kind;
}

struct log_look log_look_of(enum log_level level)
{
    const char *no_color = getenv("NO_COLOR");
    bool is_shown = terminal() != NULL;
    bool has_color = is_shown && (no_color == NULL || no_color[0] == '\0') && LOOKS[level].color[0] != '\0';

    return (struct log_look) { .color = has_color ? LOOKS[level].color : "",
                               .sign = is_shown ? LOOKS[level].sign : "",
                               .end = has_color ? "\033[0m" : "" };
}

void log_context(enum log_field field, const char *value)
{
    text_copy_cut(state.scope->fields[field], LOG_CONTEXT_MOST, value == NULL ? "" : value);
}

const char *log_context_of(enum log_field field)
{
    return state.scope->fields[field];
}

void log_scope_enter(struct log_scope *scope)
{
    state.scope = scope == NULL ? &of_process : scope;
}

void log_be_brief(bool is_brief)
{
    state.scope->is_brief = is_brief;
}

/* Wall clock, RFC 3339 with milliseconds, UTC: what log collectors sort by. */
static void time_stamp(char *out, size_t size)
{
    struct timeval now;
    struct tm utc;
    char seconds[32];

    (void)gettimeofday(&now, NULL);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out, size, "%s.%03dZ", seconds, (int)(now.tv_usec / 1000));
}

static void write_line(struct text *line)
{
    size_t done = 0;

    text_add(line, "\n", 1);
    while (done < line->length) {
        ssize_t wrote = write(STDERR_FILENO, line->at + done, line->length - done);

        if (wrote <= 0)
            return; /* stderr is closed: there is nowhere left to report to */
        done += (size_t)wrote;
    }
}

/* What the environment says that the terminal does not. */
static size_t said_columns(void)
{
    enum { USUAL = 80, MOST = 1000 };
    const char *said = getenv("COLUMNS");
    long columns = said == NULL ? 0 : strtol(said, NULL, 10);

    return columns > 1 && columns <= MOST ? (size_t)columns : USUAL;
}

size_t log_passing_width(void)
{
    struct winsize size;

    if (state.format != LOG_TEXT || !log_is_on(LOG_INFO) || terminal() == NULL)
        return 0;
    /* A character in the last column would move a terminal to the next line. */
    return (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : said_columns()) -
           1;
}

void log_passing(const char *line)
{
    auto_text struct text text = text_init(LINE_MOST);
    auto_text struct text whole = text_init(LINE_MOST);
    auto_text struct text shown = text_init(LINE_MOST);

    if (line == NULL ? !state.is_passing : log_passing_width() == 0)
        return;
    text_add_string(&whole, line == NULL ? "" : line);
    redact(whole.at);
    text_add_shown_line(&shown, whole.at);
    text_add_string(&text, "\r\033[K");
    text_add(&text, shown.at, utf8_offset(shown.at, shown.length, log_passing_width()));
    state.is_passing = line != NULL;
    if (write(STDERR_FILENO, text.at, text.length) < 0)
        state.is_passing = false;
}

static void write_text(enum log_level level, const char *message)
{
    auto_text struct text line = text_init(LINE_MOST);
    const struct log_look look = log_look_of(level);

    log_passing(NULL);
    text_add_format(&line, "tidelock: %s%s%s%s", look.color, look.sign, LOOKS[level].word, look.end);
    if (state.scope->fields[LOG_TENANT][0] != '\0')
        text_add_format(&line, "%s: ", state.scope->fields[LOG_TENANT]);
    text_add_shown(&line, message, (int)strlen("tidelock: "));
    write_line(&line);
}

static bool logfmt_needs_quotes(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == '"' || *at == '=' || *at == '\\')
            return true;
    }
    return value[0] == '\0';
}

static void logfmt_add(struct text *line, const char *name, const char *raw)
{
    auto_text struct text shown = text_init(LINE_MOST);
    const char *value;

    text_add_shown(&shown, raw, 0);
    value = shown.at;
    text_add_format(line, "%s%s=", line->length == 0 ? "" : " ", name);
    if (!logfmt_needs_quotes(value)) {
        text_add_string(line, value);
        return;
    }
    text_add(line, "\"", 1);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            text_add_string(line, "\\n");
        else if (*at == '"' || *at == '\\')
            text_add_format(line, "\\%c", *at);
        else
            text_add(line, at, 1);
    }
    text_add(line, "\"", 1);
}

static void write_logfmt(const struct log_value *values, size_t count)
{
    auto_text struct text line = text_init(LINE_MOST);

    for (size_t i = 0; i < count; i++) {
        if (values[i].text != NULL)
            logfmt_add(&line, values[i].name, values[i].text);
        else
            text_add_format(&line, " %s=%lld", values[i].name, (long long)values[i].number);
    }
    write_line(&line);
}

static void write_json(const struct log_value *values, size_t count)
{
    auto_text struct text line = text_init(LINE_MOST);
    struct json *record = json_new_object();

    for (size_t i = 0; i < count; i++) {
        if (values[i].text != NULL)
            json_set_text(record, values[i].name, values[i].text);
        else
            json_set_number(record, values[i].name, values[i].number);
    }
    json_write(record, false, &line);
    write_line(&line);
}

/* Time, level and message, then what the context holds, then the event's own fields. */
static size_t gather_fields(struct log_value *all, const struct log_value *own, size_t count)
{
    size_t used = 0;

    for (int field = 0; field < LOG_FIELDS; field++) {
        if (state.scope->fields[field][0] != '\0')
            all[used++] =
                (struct log_value) { .name = FIELD_NAMES[field], .text = state.scope->fields[field] };
    }
    for (size_t i = 0; i < count && used < FIELDS_MOST; i++)
        all[used++] = own[i];
    return used;
}

static void write_event(enum log_level level, char *message, const struct log_value *own, size_t count)
{
    struct log_value all[FIELDS_MOST + 3];
    char *copies[FIELDS_MOST + 3];
    char stamp[40];
    size_t used;

    redact(message);
    text_cut(message, MESSAGE_MOST);
    if (state.format == LOG_TEXT) {
        write_text(level, message);
        return;
    }
    time_stamp(stamp, sizeof stamp);
    all[0] = (struct log_value) { .name = "time", .text = stamp };
    all[1] = (struct log_value) { .name = "level",
                                  .text = LOG_LEVEL_NAMES[level < LOG_LEVELS ? level : LOG_INFO] };
    all[2] = (struct log_value) { .name = "msg", .text = message };
    used = 3 + gather_fields(all + 3, own, count);
    for (size_t i = 3; i < used; i++) {
        copies[i] = all[i].text == NULL ? NULL : memory_copy(all[i].text, strlen(all[i].text));
        if (copies[i] != NULL)
            redact(copies[i]);
        all[i].text = copies[i];
    }
    if (state.format == LOG_JSON)
        write_json(all, used);
    else
        write_logfmt(all, used);
    for (size_t i = 3; i < used; i++)
        memory_free(copies[i]);
}

static void log_list(enum log_level level, const struct log_value *values, size_t count, const char *format,
                     va_list arguments)
{
    auto_text struct text message = text_init(FORMATTED_MOST);

    if (!log_is_on(level))
        return;
    text_add_format_cut_list(&message, format, arguments);
    write_event(level, message.at, values, count);
}

void log_event(enum log_level level, const struct log_value *values, size_t count, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(level, values, count, format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(LOG_ERROR, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(LOG_WARN, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(LOG_INFO, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_wait(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(LOG_WAIT, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_list(LOG_DEBUG, NULL, 0, format, arguments);
    va_end(arguments);
}
