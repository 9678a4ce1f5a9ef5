#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/config.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, HELP_COLUMNS = 80, HELP_INDENT = 6 };

#define FIELD(name) offsetof(struct config, name)

const struct option OPTIONS[] = {
    { .name = "database-url",
      .type = OPTION_TEXT,
      .commands = FOR_DATABASE,
      .field = FIELD(database_url),
      .environment = "DATABASE_URL",
      .file_field = FIELD(database_url_file),
      .traits = OPTION_SECRET | OPTION_URL | OPTION_SHARED,
      .value = "URL",
      .help = "the database to bring to this image's level; without it PGHOST, PGDATABASE and the other "
              "variables of libpq say where it is" },
    { .name = "direct-url",
      .type = OPTION_TEXT,
      .commands = FOR_DATABASE,
      .field = FIELD(direct_url),
      .environment = "DIRECT_URL",
      .file_field = FIELD(direct_url_file),
      .traits = OPTION_SECRET | OPTION_URL,
      .value = "URL",
      .help = "the same database without a pooler; where given, migrations use it instead" },
    { .name = "password",
      .type = OPTION_TEXT,
      .commands = FOR_DATABASE,
      .field = FIELD(password),
      .environment = "PGPASSWORD",
      .file_field = FIELD(password_file),
      .traits = OPTION_SECRET | OPTION_SHARED,
      .value = "PASSWORD",
      .help = "the password, as it is, for a URL that holds none" },
    { .name = "migrations",
      .type = OPTION_TEXT,
      .commands = FOR_FOLDER,
      .field = FIELD(migrations),
      .value = "DIR",
      .help = "the folder of migrations; otherwise prisma/migrations, then migrations, is looked for" },
    { .name = "schema",
      .type = OPTION_TEXT,
      .commands = FOR_FOLDER,
      .field = FIELD(schema_file),
      .value = "FILE",
      .help = "Prisma's schema: the folder is \"migrations\" beside it" },
    { .name = "config",
      .type = OPTION_TEXT,
      .commands = FOR_DATABASE,
      .field = FIELD(config_file),
      .traits = OPTION_NOT_IN_FILE,
      .value = "FILE",
      .help = "the configuration file; otherwise tidelock.yaml is read where it exists" },
    { .name = "connect-deadline",
      .type = OPTION_DURATION,
      .commands = FOR_DATABASE,
      .field = FIELD(connect_deadline_ms),
      .standard = "1m",
      .most = DAY_MS,
      .value = "TIME",
      .help = "keep trying to reach the database for TIME" },
    { .name = "connect-timeout",
      .type = OPTION_DURATION,
      .commands = FOR_DATABASE,
      .field = FIELD(connect_timeout_ms),
      .standard = "5s",
      .least = 100,
      .most = DAY_MS,
      .value = "TIME",
      .help = "give up one try to connect after TIME" },
    { .name = "leader-timeout",
      .type = OPTION_DURATION,
      .commands = FOR_LEADERS | FOR_WAIT,
      .field = FIELD(leader_timeout_ms),
      .standard = "10m",
      .most = DAY_MS,
      .value = "TIME",
      .help = "wait at most TIME for another process that leads" },
    { .name = "connections",
      .type = OPTION_NUMBER,
      .commands = FOR_LEADERS | FOR_BUDGET,
      .field = FIELD(connections),
      .standard = "2",
      .least = 1,
      .most = 2,
      .value = "N",
      .help = "hold at most N connections at once; with 1, what a pooler does can't be tried, and one that "
              "is found counts as one in transaction mode" },
    { .name = "headroom",
      .type = OPTION_NUMBER,
      .commands = FOR_APPLIERS | FOR_BUDGET,
      .field = FIELD(headroom),
      .standard = "1",
      .most = 10000,
      .value = "N",
      .help = "begin to apply only while N connections stay free for the application" },
    { .name = "budget-wait",
      .type = OPTION_DURATION,
      .commands = FOR_DATABASE,
      .field = FIELD(budget_wait_ms),
      .standard = "5m",
      .most = DAY_MS,
      .value = "TIME",
      .help = "wait at most TIME for room when the server has no connection left" },
    { .name = "lock-timeout",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(lock_timeout_ms),
      .standard = "0",
      .most = DAY_MS,
      .value = "TIME",
      .help = "let a statement wait at most TIME for a table lock before its transaction is rolled back and "
              "tried again; 0 begins with 50ms and grows to 1s" },
    { .name = "retry-for",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(retry_for_ms),
      .standard = "10m",
      .most = DAY_MS,
      .value = "TIME",
      .help = "go on trying for TIME to get a table lock that others hold; 0 tries once" },
    { .name = "max-blocked",
      .type = OPTION_NUMBER,
      .commands = FOR_APPLIERS,
      .field = FIELD(max_blocked),
      .standard = "100",
      .most = 100000,
      .value = "N",
      .help =
          "roll back and try again when more than N sessions wait behind a migration; 0 allows any number" },
    { .name = "max-blocked-for",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(max_blocked_for_ms),
      .standard = "10s",
      .most = DAY_MS,
      .value = "TIME",
      .help = "roll back and try again when sessions wait behind a migration for longer; 0 allows any time" },
    { .name = "terminate-idle-in-transaction",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(terminate_idle_ms),
      .standard = "0",
      .most = DAY_MS,
      .value = "TIME",
      .help = "end a session that is in the way and has been idle in its transaction for TIME; 0 ends none" },
    { .name = "cancel-blockers",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(cancel_blockers_ms),
      .standard = "0",
      .most = DAY_MS,
      .value = "TIME",
      .help =
          "cancel the statement of a session that is in the way and whose transaction is older than TIME, "
          "and end the session after twice that if it is still there; 0 cancels none" },
    { .name = "statement-timeout",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(statement_timeout_ms),
      .standard = "0",
      .most = DAY_MS,
      .value = "TIME",
      .help = "let a statement run at most TIME; 0 leaves it to the role's own setting" },
    { .name = "migration-timeout",
      .type = OPTION_DURATION,
      .commands = FOR_APPLIERS,
      .field = FIELD(migration_timeout_ms),
      .standard = "0",
      .most = DAY_MS,
      .value = "TIME",
      .help =
          "cancel a migration that takes longer than TIME, rests between its tries included; 0 allows any "
          "time" },
    { .name = "strict",
      .type = OPTION_FLAG,
      .commands = FOR_APPLIERS,
      .field = FIELD(is_strict),
      .help = "refuse to deploy when applied migrations were edited or are missing from the folder, or "
              "pending ones are older than applied ones" },
    { .name = "applied",
      .type = OPTION_TEXT,
      .commands = FOR_RESOLVE,
      .field = FIELD(resolve_applied),
      .traits = OPTION_FLAG_ONLY,
      .value = "NAME",
      .help = "record this migration as applied" },
    { .name = "rolled-back",
      .type = OPTION_TEXT,
      .commands = FOR_RESOLVE,
      .field = FIELD(resolve_rolled_back),
      .traits = OPTION_FLAG_ONLY,
      .value = "NAME",
      .help = "record this failed migration as rolled back" },
    { .name = "to",
      .type = OPTION_TEXT,
      .commands = FOR_BASELINE,
      .field = FIELD(baseline_to),
      .traits = OPTION_FLAG_ONLY,
      .value = "NAME",
      .help = "the last migration that the schema holds; otherwise all" },
    { .name = "wait",
      .type = OPTION_FLAG,
      .commands = FOR_RUN,
      .field = FIELD(is_waiting),
      .traits = OPTION_FLAG_ONLY,
      .help = "wait until the database holds all migrations instead of deploying them" },
    { .name = "keep-env",
      .type = OPTION_FLAG,
      .commands = FOR_RUN,
      .field = FIELD(is_environment_kept),
      .help = "leave DIRECT_URL, TIDELOCK_... and what the _FILE variables name in the environment of CMD" },
    { .name = "share-connections",
      .type = OPTION_FLAG,
      .commands = FOR_RUN,
      .field = FIELD(is_sharing),
      .help = "give CMD its share of the server's connections: connection_limit in its DATABASE_URL, for one "
              "of --replicas" },
    { .name = "replicas",
      .type = OPTION_NUMBER,
      .commands = FOR_RUN | FOR_BUDGET,
      .field = FIELD(replicas),
      .standard = "1",
      .least = 1,
      .most = 100000,
      .value = "N",
      .help = "how many copies of the application share the server's connections" },
    { .name = "json",
      .type = OPTION_FLAG,
      .commands = FOR_STATUS | FOR_BUDGET | FOR_VERSION,
      .field = FIELD(wants_json),
      .traits = OPTION_FLAG_ONLY,
      .help = "print JSON" },
    { .name = "exit-code",
      .type = OPTION_FLAG,
      .commands = FOR_STATUS,
      .field = FIELD(wants_exit_code),
      .traits = OPTION_FLAG_ONLY,
      .help = "exit 1 when something is pending or failed" },
    { .name = "status-file",
      .type = OPTION_TEXT,
      .commands = FOR_GATES | FOR_READY,
      .field = FIELD(status_file),
      .value = "FILE",
      .help = "keep the state of the run in FILE, as Prometheus metrics; \"ready\" reads it" },
    { .name = "ready-file",
      .type = OPTION_TEXT,
      .commands = FOR_GATES,
      .field = FIELD(ready_file),
      .value = "FILE",
      .help = "create the empty FILE once the database holds all migrations; removed when the run begins" },
    { .name = "stale-after",
      .type = OPTION_DURATION,
      .commands = FOR_READY,
      .field = FIELD(stale_after_ms),
      .standard = "30s",
      .least = 2000,
      .most = DAY_MS,
      .value = "TIME",
      .help = "take the writer of the status file for gone when the file is older than TIME" },
    { .name = "termination-log",
      .type = OPTION_TEXT,
      .commands = FOR_GATES,
      .field = FIELD(termination_log),
      .value = "FILE",
      .help = "write how the run ended to FILE, which must exist, as one line of JSON; otherwise to "
              "/dev/termination-log, where Kubernetes puts one" },
    { .name = "log-format",
      .type = OPTION_CHOICE,
      .commands = FOR_ALL,
      .field = FIELD(log_format),
      .standard = "text",
      .choices = LOG_FORMAT_NAMES,
      .choice_count = LOG_FORMATS,
      .value = "FORMAT",
      .help = "how log lines look, on stderr" },
    { .name = "log-level",
      .type = OPTION_CHOICE,
      .commands = FOR_ALL,
      .field = FIELD(log_level),
      .standard = "info",
      .choices = LOG_LEVEL_NAMES,
      .choice_count = LOG_LEVELS,
      .value = "LEVEL",
      .help = "how much is logged" },
    { .name = "help",
      .type = OPTION_FLAG,
      .commands = FOR_ALL,
      .field = FIELD(is_help),
      .traits = OPTION_FLAG_ONLY,
      .help = "print this text" },
    { .name = NULL },
};

static void spell(const char *prefix, const char *name, bool is_upper, char *out)
{
    size_t used = strlen(prefix);

    memcpy(out, prefix, used);
    for (; *name != '\0' && used < OPTION_NAME_MOST - 1; name++) {
        if (*name == '-')
            out[used++] = '_';
        else
            out[used++] = (char)(is_upper ? *name - 'a' + 'A' : *name);
    }
    out[used] = '\0';
}

void option_variable(const struct option *option, char *out)
{
    spell("TIDELOCK_", option->name, true, out);
}

void option_key(const struct option *option, char *out)
{
    spell("", option->name, false, out);
}

const struct option *option_named(const char *name)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

/* Words of `help` in lines of a paragraph. */
static void wrap(const char *help, struct text *out)
{
    size_t column = 0;

    while (*help != '\0') {
        size_t length = strcspn(help, " ");

        if (column == 0 || column + 1 + length > HELP_COLUMNS) {
            text_add_format(out, "%s%*s", column == 0 ? "" : "\n", HELP_INDENT, "");
            column = HELP_INDENT;
        } else {
            text_add(out, " ", 1);
            column++;
        }
        text_add(out, help, length);
        column += length;
        help += length + (help[length] == ' ' ? 1 : 0);
    }
}

/* The foreign name where there is one: that is the one people know. */
static void add_variable(const struct option *option, struct text *out)
{
    char variable[OPTION_NAME_MOST];

    option_variable(option, variable);
    text_add_string(out, option->environment != NULL ? option->environment : variable);
    if (option->file_field != 0)
        text_add_format(out, ", %s_FILE", option->environment != NULL ? option->environment : variable);
}

static void add_choices(const struct option *option, const char *between, struct text *out)
{
    for (size_t i = 0; i < option->choice_count; i++)
        text_add_format(out, "%s%s", i == 0 ? "" : between, option->choices[i]);
}

static void add_paragraph(const struct option *option, struct text *out)
{
    auto_text struct text about = text_init(4096);

    text_add_format(out, "  --%s%s%s\n", option->name, option->value == NULL ? "" : " ",
                    option->value == NULL ? "" : option->value);
    text_add_string(&about, option->help);
    if (option->choice_count > 0) {
        text_add_string(&about, ": ");
        add_choices(option, ", ", &about);
    }
    if (option->standard != NULL)
        text_add_format(&about, " (default %s)", option->standard);
    if ((option->traits & OPTION_FLAG_ONLY) == 0) {
        text_add_string(&about, " [");
        add_variable(option, &about);
        text_add_string(&about, "]");
    }
    wrap(about.at, out);
    text_add_string(out, "\n");
}

void options_help(unsigned command, struct text *out)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->commands & command) != 0)
            add_paragraph(option, out);
    }
}

static const struct {
    unsigned command;
    const char *name;
} COMMAND_NAMES[] = {
    { FOR_DEPLOY, "deploy" },     { FOR_RUN, "run" },       { FOR_WAIT, "wait" },
    { FOR_READY, "ready" },       { FOR_STATUS, "status" }, { FOR_RESOLVE, "resolve" },
    { FOR_BASELINE, "baseline" }, { FOR_BUDGET, "budget" }, { FOR_INSTALL, "install" },
    { FOR_VERSION, "version" },
};

static void add_commands(const struct option *option, struct text *out)
{
    bool has_any = false;

    if (option->commands == FOR_ALL) {
        text_add_string(out, "all");
        return;
    }
    if (option->commands == FOR_DATABASE || option->commands == FOR_FOLDER) {
        text_add_string(out, option->commands == FOR_DATABASE ? "all that use the database"
                                                              : "all that use the folder");
        return;
    }
    for (size_t i = 0; i < array_length(COMMAND_NAMES); i++) {
        if ((option->commands & COMMAND_NAMES[i].command) == 0)
            continue;
        text_add_format(out, "%s%s", has_any ? ", " : "", COMMAND_NAMES[i].name);
        has_any = true;
    }
}

void options_reference(struct text *out)
{
    text_add_string(out,
                    "| flag | environment | key in tidelock.yaml | default | commands | |\n"
                    "| --- | --- | --- | --- | --- | --- |\n");
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        char key[OPTION_NAME_MOST];
        bool has_variable = (option->traits & OPTION_FLAG_ONLY) == 0;
        bool has_key = has_variable && (option->traits & OPTION_NOT_IN_FILE) == 0;

        option_key(option, key);
        text_add_format(out, "| `--%s%s%s` | ", option->name, option->value == NULL ? "" : " ",
                        option->value == NULL ? "" : option->value);
        if (has_variable)
            add_variable(option, out);
        text_add_format(out, " | %s | %s | ", has_key ? key : "",
                        option->standard == NULL ? "" : option->standard);
        add_commands(option, out);
        text_add_format(out, " | %s", option->help);
        if (option->choice_count > 0) {
            text_add_string(out, ": ");
            add_choices(option, ", ", out);
        }
        text_add_string(out, " |\n");
    }
}
