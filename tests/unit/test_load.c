#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "config/load.h"
#include "config/options.h"
#include "scratch.h"

enum { WORDS_MOST = 16, LINE_MOST = 1024 };

/* What a load was given and what became of it. */
static struct {
    struct arena *arena;
    char argument_line[LINE_MOST];
    char environment_line[LINE_MOST];
    char *arguments[WORDS_MOST];
    struct config config;
    struct error err;
} last;

static int enter(void **state)
{
    last.arena = arena_new();
    return scratch_enter(state);
}

static int leave(void **state)
{
    arena_free(last.arena);
    redact_clear();
    log_configure(LOG_ERROR, LOG_TEXT);
    return scratch_leave(state);
}

static int split_words(const char *line, char *copy, char **words)
{
    int count = 0;

    assert_true(strlen(line) < LINE_MOST);
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MOST - 1);
        words[count++] = word;
    }
    words[count] = NULL;
    return count;
}

/* Loads with words separated by blanks; `file` becomes tidelock.yaml, NULL means that there is none. */
static bool load(unsigned command, const char *arguments, const char *environment, const char *file)
{
    char *variables[WORDS_MOST];
    int count = split_words(arguments, last.argument_line, last.arguments);

    (void)split_words(environment, last.environment_line, variables);
    (void)remove("tidelock.yaml");
    if (file != NULL)
        scratch_write("tidelock.yaml", file, strlen(file));
    last.err = (struct error) { .class = ERROR_NONE };
    return config_load(last.arena, command, &(const struct command_line) { count, last.arguments, variables },
                       &last.config, &last.err);
}

/* The same, with what it writes to stderr in `said`. */
static bool load_and_listen(const char *environment, char *said, size_t size)
{
    int before = dup(STDERR_FILENO);
    int file = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t length;
    bool is_good;

    assert_true(before >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    is_good = load(FOR_DEPLOY, "", environment, NULL);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    length = pread(file, said, size - 1, 0);
    assert_true(length >= 0);
    said[length] = '\0';
    assert_int_equal(close(file) + close(before), 0);
    return is_good;
}

static void without_a_word_the_defaults_hold(void **state)
{
    (void)state;
    assert_true(load(FOR_DEPLOY, "", "", NULL));
    assert_null(last.config.database_url);
    assert_null(last.config.migrations);
    assert_int_equal(last.config.connect_deadline_ms, 60000);
    assert_int_equal(last.config.connect_timeout_ms, 5000);
    assert_int_equal(last.config.leader_timeout_ms, 600000);
    assert_int_equal(last.config.lock_timeout_ms, 0);
    assert_int_equal(last.config.statement_timeout_ms, 0);
    assert_int_equal(last.config.strict, 0);
    assert_false(last.config.is_help);
    assert_int_equal(last.config.log_format, LOG_TEXT);
    assert_int_equal(last.config.log_level, LOG_INFO);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
    static const struct {
        const char *arguments;
        const char *environment;
        const char *file;
        int64_t lock_timeout_ms;
    } cases[] = {
        { "", "", "lock_timeout: 1s\n", 1000 },
        { "", "TIDELOCK_LOCK_TIMEOUT=2s", NULL, 2000 },
        { "", "TIDELOCK_LOCK_TIMEOUT=2s", "lock_timeout: 1s\n", 2000 },
        { "--lock-timeout 3s", "", NULL, 3000 },
        { "--lock-timeout=3s", "TIDELOCK_LOCK_TIMEOUT=2s", NULL, 3000 },
        { "--lock-timeout 3s", "TIDELOCK_LOCK_TIMEOUT=2s", "lock_timeout: 1s\n", 3000 },
        { "--lock-timeout 0", "TIDELOCK_LOCK_TIMEOUT=2s", "lock_timeout: 1s\n", 0 },
        { "", "TIDELOCK_LOCK_TIMEOUT=", "lock_timeout: 1s\n", 1000 },
        { "", "TIDELOCK_LOCK_TIMEOUT=", "lock_timeout:\n", 0 },
        { "", "", "", 0 },
        { "", "LOCK_TIMEOUT=2s XTIDELOCK_LOCK_TIMEOUT=2s", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (!load(FOR_DEPLOY, cases[i].arguments, cases[i].environment, cases[i].file))
            fail_msg("case %zu: %s", i, last.err.message);
        assert_int_equal(last.config.lock_timeout_ms, cases[i].lock_timeout_ms);
    }
}

static void a_flag_can_be_given_denied_and_spelt_out(void **state)
{
    static const struct {
        const char *arguments;
        const char *environment;
        bool is_strict;
    } cases[] = {
        { "--strict", "", true },
        { "--no-strict", "", false },
        { "--no-strict", "TIDELOCK_STRICT=true", false },
        { "--strict", "TIDELOCK_STRICT=false", true },
        { "--strict=false", "TIDELOCK_STRICT=true", false },
        { "--strict=yes", "", true },
        { "--strict=edited,missing", "TIDELOCK_STRICT=false", true },
        { "", "TIDELOCK_STRICT=1", true },
        { "", "TIDELOCK_STRICT=", false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (!load(FOR_DEPLOY, cases[i].arguments, cases[i].environment, NULL))
            fail_msg("case %zu: %s", i, last.err.message);
        assert_int_equal(last.config.strict != 0, cases[i].is_strict);
    }
}

static void the_database_has_several_names(void **state)
{
    static const struct {
        const char *arguments;
        const char *environment;
        const char *url;
    } cases[] = {
        { "", "DATABASE_URL=postgres://one/d", "postgres://one/d" },
        { "", "TIDELOCK_DATABASE_URL=postgres://two/d", "postgres://two/d" },
        { "", "DATABASE_URL=postgres://one/d TIDELOCK_DATABASE_URL=postgres://two/d", "postgres://two/d" },
        { "", "DATABASE_URL_FILE=secret", "postgres://u:from-file@h/d" },
        { "", "TIDELOCK_DATABASE_URL_FILE=secret", "postgres://u:from-file@h/d" },
        { "", "TIDELOCK_DATABASE_URL_FILE=secret DATABASE_URL=postgres://one/d",
          "postgres://u:from-file@h/d" },
        { "", "DATABASE_URL= DATABASE_URL_FILE=secret", "postgres://u:from-file@h/d" },
        { "", "DATABASE_URL=postgres://one/d DATABASE_URL_FILE=", "postgres://one/d" },
        { "--database-url postgres://flag/d", "DATABASE_URL=postgres://one/d", "postgres://flag/d" },
        { "--database-url postgres://flag/d", "DATABASE_URL_FILE=nowhere", "postgres://flag/d" },
    };

    (void)state;
    scratch_write("secret", "postgres://u:from-file@h/d\n", strlen("postgres://u:from-file@h/d\n"));
    for (size_t i = 0; i < array_length(cases); i++) {
        if (!load(FOR_DEPLOY, cases[i].arguments, cases[i].environment, NULL))
            fail_msg("case %zu: %s", i, last.err.message);
        assert_string_equal(last.config.database_url, cases[i].url);
        assert_null(last.config.direct_url);
    }
    assert_true(load(FOR_DEPLOY, "", "DIRECT_URL_FILE=secret", NULL));
    assert_string_equal(last.config.direct_url, "postgres://u:from-file@h/d");
}

static void what_is_wrong_is_named_with_its_origin(void **state)
{
    static const struct {
        unsigned command;
        const char *arguments;
        const char *environment;
        const char *file;
        const char *message;
        const char *hint;
    } cases[] = {
        { FOR_DEPLOY, "--lock-timeuot 5s", "", NULL, "unknown option --lock-timeuot",
          "Did you mean --lock-timeout?" },
        { FOR_DEPLOY, "--srtict", "", NULL, "unknown option --srtict", "Did you mean --strict?" },
        { FOR_DEPLOY, "--qqqqqqqqqqqqqq=x", "", NULL, "unknown option --qqqqqqqqqqqqqq", "--help" },
        { FOR_DEPLOY, "-- now", "", NULL, "unexpected argument \"now\"", "--help" },
        { FOR_RUN, "--json -- now", "", NULL, "this command has no option --json", "--help" },
        { FOR_RUN, "-x now", "", NULL, "unexpected argument \"-x\"", "--help" },
        { FOR_BUDGET, "--strict", "", NULL, "this command has no option --strict", "--help" },
        { FOR_DEPLOY, "--json", "", NULL, "this command has no option --json", "--help" },
        { FOR_DEPLOY, "--no-lock-timeout", "", NULL, "unknown option --no-lock-timeout", "" },
        { FOR_DEPLOY, "--no-strict=false", "", NULL, "--no-strict takes no value", "--strict" },
        { FOR_DEPLOY, "--strict=", "", NULL, "--strict has an empty value", "remove it" },
        { FOR_DEPLOY, "--migrations=", "", NULL, "--migrations has an empty value", "remove it" },
        { FOR_DEPLOY, "--migrations", "", NULL, "--migrations needs a value: DIR", "--migrations DIR" },
        { FOR_DEPLOY, "--strict --strict", "", NULL, "--strict is given twice", "Remove one" },
        { FOR_DEPLOY, "--strict --no-strict", "", NULL, "--no-strict is given twice", "Remove one" },
        { FOR_DEPLOY, "--lock-timeout 1s --lock-timeout=1s", "", NULL, "--lock-timeout is given twice",
          "Remove one" },
        { FOR_DEPLOY, "now", "", NULL, "unexpected argument \"now\"", "--help" },
        { FOR_DEPLOY, "-x", "", NULL, "unexpected argument \"-x\"", "--help" },
        { FOR_DEPLOY, "postgres://u:s3cret@h/d", "", NULL, "unexpected argument", "DATABASE_URL" },
        { FOR_DEPLOY, "u:s3cret@h/d", "", NULL, "unexpected argument", "DATABASE_URL" },
        { FOR_DEPLOY, "password=s3cret", "", NULL, "unexpected argument", "DATABASE_URL" },
        { FOR_DEPLOY, "-postgres://u:s3cret@h/d", "", NULL, "unexpected argument", "DATABASE_URL" },
        { FOR_DEPLOY, "--postgres://u:s3cret@h/d?a=b", "", NULL, "unexpected argument", "DATABASE_URL" },
        { FOR_DEPLOY, "--lock-timeout postgres://u:s3cret@h", "", NULL,
          "--lock-timeout: its value is not a duration", "unit" },
        { FOR_DEPLOY, "", "TIDELOCK_EVENTS=postgres://u:s3cret@h", NULL,
          "TIDELOCK_EVENTS: its value is not true or false", "true or false" },
        { FOR_DEPLOY, "", "", "postgres://u:s3cret@h/d: x\n", "unknown key", "manual" },
        { FOR_DEPLOY, "--lock-timeout 5", "", NULL, "--lock-timeout: \"5\" is not a duration", "unit" },
        { FOR_DEPLOY, "", "TIDELOCK_LOCK_TIMEOUT=5", NULL, "TIDELOCK_LOCK_TIMEOUT: \"5\" is not a duration",
          "unit" },
        { FOR_DEPLOY, "", "TIDELOCK_EVENTS=maybe", NULL, "TIDELOCK_EVENTS: \"maybe\" is not true or false",
          "" },
        { FOR_DEPLOY, "", "", "\nlock_timeout: 5\n", "tidelock.yaml:2: \"5\" is not a duration", "unit" },
        { FOR_STATUS, "", "", "events: maybe\n", "tidelock.yaml:1: \"maybe\" is not true or false", "" },
        { FOR_DEPLOY, "", "", "a_b: 1\n", "tidelock.yaml:1: unknown key \"a_b\"", "tidelock manual" },
        { FOR_DEPLOY, "", "", "# x\nlock-timeout: 5s\n", "tidelock.yaml:2: unknown key \"lock-timeout\"",
          "Did you mean \"lock_timeout\"?" },
        { FOR_DEPLOY, "", "", "config: x.yaml\n", "tidelock.yaml:1: unknown key \"config\"", "" },
        { FOR_STATUS, "", "", "json: true\n", "tidelock.yaml:1: unknown key \"json\"", "" },
        { FOR_DEPLOY, "", "", "a: 'x\n", "not valid YAML", "Quote" },
        { FOR_DEPLOY, "--config nowhere.yaml", "", NULL, "nowhere.yaml", "--config FILE" },
        { FOR_DEPLOY, "", "DATABASE_URL=postgres://u:s3cret@h/d DATABASE_URL_FILE=secret", NULL,
          "both DATABASE_URL and DATABASE_URL_FILE are set", "Unset one" },
        { FOR_DEPLOY, "", "TIDELOCK_DIRECT_URL=x TIDELOCK_DIRECT_URL_FILE=secret", NULL,
          "both TIDELOCK_DIRECT_URL and TIDELOCK_DIRECT_URL_FILE are set", "Unset one" },
        { FOR_DEPLOY, "", "DATABASE_URL_FILE=nowhere", NULL, "could not read file \"nowhere\"", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        if (load(cases[i].command, cases[i].arguments, cases[i].environment, cases[i].file))
            fail_msg("case %zu was taken", i);
        assert_int_equal(last.err.class, ERROR_USAGE);
        if (strstr(last.err.message, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, last.err.message);
        if (strstr(last.err.hint, cases[i].hint) == NULL)
            fail_msg("case %zu: hint %s", i, last.err.hint);
        assert_null(strstr(last.err.message, "s3cret"));
    }
}

static void a_file_of_another_name_is_read_when_it_is_named(void **state)
{
    (void)state;
    scratch_write("x.yaml", "lock_timeout: 9s\n", strlen("lock_timeout: 9s\n"));
    assert_true(load(FOR_DEPLOY, "--config x.yaml", "", "lock_timeout: 1s\n"));
    assert_int_equal(last.config.lock_timeout_ms, 9000);
    assert_true(load(FOR_DEPLOY, "", "TIDELOCK_CONFIG=x.yaml", NULL));
    assert_int_equal(last.config.lock_timeout_ms, 9000);
    assert_false(load(FOR_DEPLOY, "--config=x.yaml --lock-timeout", "", NULL));
    scratch_write("x.yaml", "nothing: 1\n", strlen("nothing: 1\n"));
    assert_false(load(FOR_DEPLOY, "--config=x.yaml", "", NULL));
    assert_non_null(strstr(last.err.message, "x.yaml:1:"));
}

static void one_file_and_one_environment_serve_every_command(void **state)
{
    (void)state;
    assert_true(load(FOR_BUDGET, "", "TIDELOCK_STRICT=maybe", "strict: true\nlock_timeout: 5s\n"));
    assert_true(load(FOR_STATUS, "--json --exit-code", "TIDELOCK_LOG_FORMAT=json", "log_level: warn\n"));
    assert_true(last.config.wants_json && last.config.wants_exit_code);
    assert_int_equal(last.config.log_format, LOG_JSON);
    assert_int_equal(last.config.log_level, LOG_WARN);
    assert_true(load(FOR_RESOLVE, "--applied 20240101_a", "TIDELOCK_LOG_LEVEL=error", NULL));
    assert_int_equal(last.config.applied.count, 1);
    assert_string_equal(last.config.applied.items[0], "20240101_a");
    assert_int_equal(last.config.rolled_back.count, 0);
}

static void several_names_follow_an_option_that_takes_names(void **state)
{
    static const char *const names[] = { "a", "b", "-c", "d" };

    (void)state;
    assert_true(load(FOR_RESOLVE, "--applied a b --log-level error --applied=-c --applied d", "", NULL));
    assert_int_equal(last.config.applied.count, array_length(names));
    for (size_t i = 0; i < array_length(names); i++)
        assert_string_equal(last.config.applied.items[i], names[i]);
    assert_int_equal(last.config.log_level, LOG_ERROR);
    assert_false(load(FOR_RESOLVE, "--applied a b --applied a", "", NULL));
    assert_string_equal(last.err.message, "--applied names \"a\" twice");
    assert_false(load(FOR_RESOLVE, "--applied", "", NULL));
    assert_string_equal(last.err.message, "--applied needs a value: NAME");
    assert_false(load(FOR_BASELINE, "--to a b", "", NULL));
}

static void what_only_a_flag_may_say_is_not_taken_from_the_environment(void **state)
{
    (void)state;
    assert_true(load(FOR_STATUS, "", "TIDELOCK_JSON=true TIDELOCK_HELP=true TIDELOCK_LOG_LEVEL=error", NULL));
    assert_false(last.config.wants_json);
    assert_false(last.config.is_help);
}

static void help_is_answered_whatever_else_is_wrong(void **state)
{
    (void)state;
    assert_true(load(FOR_DEPLOY, "--help", "TIDELOCK_STRICT=maybe", "nothing: 1\n"));
    assert_true(last.config.is_help);
    assert_true(load(FOR_BASELINE, "-h", "", NULL));
    assert_true(last.config.is_help);
}

static void a_secret_among_the_arguments_is_wiped(void **state)
{
    (void)state;
    assert_true(load(FOR_DEPLOY, "--database-url postgres://u:s3cret@h/d --strict", "", NULL));
    assert_string_equal(last.config.database_url, "postgres://u:s3cret@h/d");
    assert_string_equal(last.arguments[0], "--database-url");
    assert_string_equal(last.arguments[1], "");
    assert_string_equal(last.arguments[1] + strlen("postgres"), "");
    assert_true(load(FOR_DEPLOY, "--direct-url=postgres://u:s3cret@h/d", "", NULL));
    assert_string_equal(last.arguments[0], "--direct-url=");
    for (size_t i = 0; i + 6 <= sizeof last.argument_line; i++)
        assert_memory_not_equal(last.argument_line + i, "s3cret", 6);
}

static void every_secret_is_blanked_from_then_on(void **state)
{
    static const struct {
        const char *arguments;
        const char *environment;
        const char *file;
    } cases[] = {
        { "--database-url postgres://u:p%40sswort@h/d", "", NULL },
        { "", "DATABASE_URL=postgres://u:p%40sswort@h/d", NULL },
        { "", "DIRECT_URL_FILE=secret", NULL },
        { "", "", "database_url: postgres://u:p%40sswort@h/d\n" },
        { "--database-url postgres://other/d", "DATABASE_URL=postgres://u:p%40sswort@h/d", NULL },
        { "", "PGPASSWORD=p@sswort", NULL },
    };

    (void)state;
    scratch_write("secret", "postgres://u:p%40sswort@h/d\n", strlen("postgres://u:p%40sswort@h/d\n"));
    for (size_t i = 0; i < array_length(cases); i++) {
        char text[] = "it said p@sswort here";

        redact_clear();
        assert_true(load(FOR_DEPLOY, cases[i].arguments, cases[i].environment, cases[i].file));
        redact(text);
        if (strcmp(text, "it said *** here") != 0)
            fail_msg("case %zu: %s", i, text);
    }
}

static void a_misspelt_variable_is_warned_of(void **state)
{
    static const struct {
        const char *environment;
        const char *said; /* "" = nothing */
    } cases[] = {
        { "TIDELOCK_STRCIT=true", "variable TIDELOCK_STRCIT is ignored; did you mean TIDELOCK_STRICT" },
        { "TIDELOCK_QQQQQQQQQQQQQQ=1", "variable TIDELOCK_QQQQQQQQQQQQQQ is ignored" },
        { "TIDELOCK_LOCK_TIMEOUT_FILE=x", "variable TIDELOCK_LOCK_TIMEOUT_FILE is ignored" },
        { "TIDELOCK_JSON=1", "variable TIDELOCK_JSON is ignored" },
        { "TIDELOCK_STRICT=true", "" },
        { "TIDELOCK_DATABASE_URL_FILE= TIDELOCK_DIRECT_URL=", "" },
        { "TIDELOCK_SERVICE_HOST=10.0.0.1 TIDELOCK_SERVICE_PORT=80 TIDELOCK_SERVICE_PORT_HTTP=80", "" },
        { "TIDELOCK_PORT=tcp://10.0.0.1:80 TIDELOCK_PORT_80_TCP_ADDR=10.0.0.1", "" },
        { "PATH=/bin STRICT=1", "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        char said[LINE_MOST];

        assert_true(load_and_listen(cases[i].environment, said, sizeof said));
        if (cases[i].said[0] == '\0' ? said[0] != '\0' : strstr(said, cases[i].said) == NULL)
            fail_msg("%s: %s", cases[i].environment, said);
    }
}

static void clear_libpq_variables(void)
{
    static const char *const names[] = { "PGHOST", "PGHOSTADDR",    "PGDATABASE", "PGSERVICE",
                                         "PGUSER", "PGSSLROOTCERT", "PGPORT" };

    for (size_t i = 0; i < array_length(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
}

static void the_direct_url_is_the_database_where_it_is_given(void **state)
{
    struct config config = { .database_url = "postgres://pooler/d",
                             .direct_url = "postgres://u:g3heim@direct/d" };
    char text[] = "g3heim";
    struct endpoint endpoint;

    (void)state;
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint.label, "direct:5432");
    redact(text);
    assert_string_equal(text, "***");
    config.direct_url = NULL;
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint.label, "pooler:5432");
    config.direct_url = "nonsense";
    assert_false(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(last.err.context[0], "reading DIRECT_URL");
}

static void without_a_url_the_variables_of_libpq_must_say_where(void **state)
{
    struct config config = { .database_url = NULL };
    struct endpoint endpoint;

    (void)state;
    clear_libpq_variables();
    assert_false(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_int_equal(last.err.class, ERROR_USAGE);
    assert_non_null(strstr(last.err.hint, "DATABASE_URL"));
    assert_int_equal(setenv("PGHOST", "", 1), 0);
    assert_false(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_int_equal(setenv("PGHOST", "db", 1), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_int_equal(endpoint.count, 1);
    assert_string_equal(endpoint_value(&endpoint, "host"), "db");
    assert_string_equal(endpoint.label, "db:5432");
    assert_int_equal(setenv("PGPORT", "6000", 1), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint.label, "db:6000");
    assert_int_equal(setenv("PGHOST", "a,b", 1), 0);
    assert_int_equal(setenv("PGPORT", "1,2", 1), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint.label, "a:1, b:2");
    clear_libpq_variables();
}

static void the_variables_of_libpq_stand_behind_the_url(void **state)
{
    struct config config = { .database_url = "postgresql://me@here/d?sslmode=require" };
    struct endpoint endpoint;

    (void)state;
    clear_libpq_variables();
    assert_int_equal(setenv("PGHOST", "there", 1), 0);
    assert_int_equal(setenv("PGUSER", "you", 1), 0);
    assert_int_equal(setenv("PGSSLROOTCERT", "/proc/self/exe", 1), 0);
    assert_int_equal(setenv("PGSSLMODE", "disable", 1), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint_value(&endpoint, "host"), "here");
    assert_string_equal(endpoint_value(&endpoint, "user"), "me");
    assert_string_equal(endpoint_value(&endpoint, "sslrootcert"), "/proc/self/exe");
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "require");
    config.database_url = "postgresql://me@here/d";
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "disable");
    assert_int_equal(setenv("PGCHANNELBINDING", "require", 1), 0);
    assert_false(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_int_equal(unsetenv("PGCHANNELBINDING"), 0);
    assert_int_equal(setenv("PGSSLMODE", "enable", 1), 0);
    assert_false(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_non_null(strstr(last.err.message, "PGSSLMODE"));
    assert_int_equal(unsetenv("PGSSLMODE"), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_string_equal(endpoint_value(&endpoint, "sslmode"), "verify-ca");
    assert_int_equal(setenv("PGSERVICE", "shore", 1), 0);
    assert_true(endpoint_find(last.arena, &config, &endpoint, &last.err));
    assert_null(endpoint_value(&endpoint, "sslrootcert"));
    assert_int_equal(unsetenv("PGSSLROOTCERT"), 0);
    clear_libpq_variables();
}

static void what_follows_the_options_belongs_to_the_command(void **state)
{
    static const struct {
        const char *arguments;
        int count;
        const char *first;
    } cases[] = {
        { "", 0, NULL },
        { "--", 0, NULL },
        { "--strict -- node --version", 2, "node" },
        { "--strict node --strict", 2, "node" },
        { "-- -- x", 2, "--" },
        { "-- --strict", 1, "--strict" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        assert_true(load(FOR_RUN, cases[i].arguments, "", NULL));
        assert_int_equal(last.config.word_count, cases[i].count);
        if (cases[i].first == NULL)
            assert_null(last.config.words[0]);
        else
            assert_string_equal(last.config.words[0], cases[i].first);
    }
}

static void a_command_without_a_database_reads_no_file(void **state)
{
    (void)state;
    assert_true(load(FOR_VERSION, "--json", "", "no: option\n"));
    assert_true(last.config.wants_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_word_the_defaults_hold, enter, leave),
        cmocka_unit_test_setup_teardown(a_flag_wins_over_the_environment_and_that_over_the_file, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(a_flag_can_be_given_denied_and_spelt_out, enter, leave),
        cmocka_unit_test_setup_teardown(the_database_has_several_names, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named_with_its_origin, enter, leave),
        cmocka_unit_test_setup_teardown(a_file_of_another_name_is_read_when_it_is_named, enter, leave),
        cmocka_unit_test_setup_teardown(one_file_and_one_environment_serve_every_command, enter, leave),
        cmocka_unit_test_setup_teardown(several_names_follow_an_option_that_takes_names, enter, leave),
        cmocka_unit_test_setup_teardown(what_only_a_flag_may_say_is_not_taken_from_the_environment, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(help_is_answered_whatever_else_is_wrong, enter, leave),
        cmocka_unit_test_setup_teardown(a_secret_among_the_arguments_is_wiped, enter, leave),
        cmocka_unit_test_setup_teardown(every_secret_is_blanked_from_then_on, enter, leave),
        cmocka_unit_test_setup_teardown(a_misspelt_variable_is_warned_of, enter, leave),
        cmocka_unit_test_setup_teardown(the_direct_url_is_the_database_where_it_is_given, enter, leave),
        cmocka_unit_test_setup_teardown(the_variables_of_libpq_stand_behind_the_url, enter, leave),
        cmocka_unit_test_setup_teardown(what_follows_the_options_belongs_to_the_command, enter, leave),
        cmocka_unit_test_setup_teardown(a_command_without_a_database_reads_no_file, enter, leave),
        cmocka_unit_test_setup_teardown(without_a_url_the_variables_of_libpq_must_say_where, enter, leave),
    };

    log_configure(LOG_ERROR, LOG_TEXT); /* warnings are wanted here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
