/*
 * The option table. Flags, environment variables, keys of tidelock.yaml, help, the manual page, shell
 * completion and the reference are made from it.
 *
 * The three spellings are derived: lock-timeout is --lock-timeout, TIDELOCK_LOCK_TIMEOUT and lock_timeout:.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum option_type {
    OPTION_TEXT,     /* const char * */
    OPTION_NAMES,    /* struct names; repeatable, and several words may follow it. A flag only */
    OPTION_DURATION, /* int64_t, milliseconds */
    OPTION_NUMBER,   /* int64_t */
    OPTION_FLAG,     /* bool */
    OPTION_CHOICE,   /* int, an index into `choices` */
    OPTION_CHOICES,  /* unsigned, a bit for each of the comma-separated `choices` */
    OPTION_SWITCHES, /* the same; as a flag, all of them or none. A value follows "=" */
    OPTION_ADDRESS,  /* const char *, an http:// or https:// URL; a password in it is a secret */
    OPTION_LABELS,   /* struct labels */
    OPTION_RELEASE,  /* const char *, see base/release.h */
    OPTION_SOURCED,  /* struct sourced: whoever uses it checks it */
};

/* Which commands accept an option. */
enum option_commands {
    FOR_DEPLOY = 1 << 0,
    FOR_RUN = 1 << 1,
    FOR_WAIT = 1 << 2,
    FOR_READY = 1 << 3,
    FOR_STATUS = 1 << 4,
    FOR_RESOLVE = 1 << 5,
    FOR_BASELINE = 1 << 6,
    FOR_BUDGET = 1 << 7,
    FOR_INSTALL = 1 << 8,
    FOR_VERSION = 1 << 9,
    FOR_COMPLETION = 1 << 10,
    FOR_MANUAL = 1 << 11,
    FOR_HELP = 1 << 12, /* it has no options: all its words are topics */
    FOR_PLAN = 1 << 13,
    FOR_SNAPSHOT = 1 << 14,
    FOR_DIFF = 1 << 15,
    FOR_VERIFY = 1 << 16,
    FOR_DRIFT = 1 << 17,
    FOR_ROLLBACK = 1 << 18,
    FOR_APPLIERS = FOR_DEPLOY | FOR_RUN,
    FOR_CHANGERS = FOR_APPLIERS | FOR_ROLLBACK, /* they run scripts */
    FOR_GATES = FOR_APPLIERS | FOR_WAIT,        /* what an application's start waits for */
    FOR_LEADERS = FOR_CHANGERS | FOR_RESOLVE | FOR_BASELINE,
    FOR_DATABASE = FOR_LEADERS | FOR_WAIT | FOR_STATUS | FOR_BUDGET | FOR_PLAN | FOR_SNAPSHOT | FOR_DIFF |
                   FOR_VERIFY | FOR_DRIFT,
    FOR_FOLDER = FOR_LEADERS | FOR_WAIT | FOR_STATUS | FOR_PLAN | FOR_DIFF | FOR_VERIFY | FOR_DRIFT,
    FOR_TENANTS = FOR_GATES | FOR_STATUS | FOR_PLAN | FOR_DRIFT, /* they can do it for many databases */
    FOR_EDITS = FOR_RESOLVE | FOR_BASELINE | FOR_ROLLBACK,       /* they change one database, never many */
    FOR_ALL = FOR_DATABASE | FOR_READY | FOR_INSTALL | FOR_VERSION | FOR_COMPLETION | FOR_MANUAL,
    TAKING_WORDS =
        FOR_RUN | FOR_INSTALL | FOR_COMPLETION | FOR_DIFF, /* they take words beside their options */
};

/* The headings under which the reference and help list options, in this order. */
enum option_group {
    GROUP_COMMAND, /* what one or a few commands are asked to do */
    GROUP_DATABASE,
    GROUP_TENANTS,
    GROUP_FOLDER,
    GROUP_WAITING,
    GROUP_LOCKS,
    GROUP_REPORTING,
    GROUP_KUBERNETES,
    GROUP_PASSWORDS,
    GROUP_GENERAL,
    OPTION_GROUPS,
};

extern const char *const OPTION_GROUP_NAMES[];

enum option_traits {
    OPTION_PLAIN = 0,
    OPTION_SECRET = 1 << 0, /* blanked in all output; a flag's value is wiped from the process's arguments */
    OPTION_URL = 1 << 1,    /* a database URL: the password in it is a secret of its own */
    OPTION_FLAG_ONLY = 1 << 2, /* neither environment nor file */
    OPTION_NOT_IN_FILE = 1 << 3,
    OPTION_SHARED =
        1 << 4,            /* the application uses it, too: its foreign variable stays in CMD's environment */
    OPTION_USUAL = 1 << 5, /* help lists it first; a command has ten of these at most */
};

struct option {
    const char *name;
    enum option_group group;
    enum option_type type;
    unsigned commands;
    size_t field;         /* offsetof in struct config */
    size_t file_field;    /* NAME_FILE in the environment may name a file with the value; where that name is
                             stored */
    const char *standard; /* the default as text; NULL = none */
    const char *standard_for_person; /* … of "status" on a terminal, where somebody waits; NULL = the same */
    int64_t least;                   /* OPTION_DURATION (milliseconds), OPTION_NUMBER */
    int64_t most;
    const char *const *choices; /* OPTION_CHOICE, OPTION_CHOICES, OPTION_SWITCHES */
    size_t choice_count;
    const char *also; /* as a flag, it stands for this option where the value is one of that; or NULL */
    const char *environment; /* a foreign variable that means the same ("DATABASE_URL"), or NULL */
    unsigned traits;
    const char *word;  /* OPTION_SECRET: a value that is none, or NULL */
    const char *value; /* what help calls the value; a FILE and a DIR are completed as such */
    const char *help;  /* what it does, in at most 72 bytes: lower case, no full stop */
    const char *more;  /* further sentences; NULL = none */
};

/* The rows of a group stand together. Ends with a NULL name. */
extern const struct option OPTIONS[];

enum { OPTIONS_MOST = 128, OPTION_NAME_MOST = 64 };

/* "TIDELOCK_LOCK_TIMEOUT" and "lock_timeout", into an array of OPTION_NAME_MOST bytes. */
void option_variable(const struct option *option, char *out);
void option_key(const struct option *option, char *out);

/* The default of a command, or NULL. */
const char *option_standard(const struct option *option, unsigned command);

/* The row of a name, or NULL. */
const struct option *option_named(const char *name);

/* Whether a value of it has to be kept out of all output. */
bool option_is_secret(const struct option *option, const char *value);

/* Whether its name alone is enough: it takes no word after it, and "--no-NAME" is its opposite. */
bool option_is_flag(const struct option *option);

/* What to say about an option; each adds nothing if there is nothing to say. */
void option_add_usage(const struct option *option, struct text *out); /* "--lock-timeout TIME" */
void option_add_variables(const struct option *option,
                          struct text *out);                        /* all that set it, comma-separated */
void option_add_key(const struct option *option, struct text *out); /* "lock_timeout" */
void option_add_standard(const struct option *option, struct text *out);
void option_add_range(const struct option *option, struct text *out); /* "100ms to 24h" */
void option_add_choices(const struct option *option, const char *between, struct text *out);

/* Help and more, in sentences. */
void option_add_text(const struct option *option, struct text *out);

#endif
