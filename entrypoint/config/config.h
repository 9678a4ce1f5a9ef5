/*
 * The configuration, merged from flags, environment, file and defaults.
 *
 * Filled by config_load() from the option table (config/options.c); everything in it lives in the arena
 * passed there. Durations are milliseconds.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/labels.h"

struct handover;
struct shared_folder;

/* What an option was given, in that order; nothing twice. */
struct names {
    const char **items;
    size_t count;
};

/* From which verdict on `plan` exits with 1, and a deployment does not begin. */
enum fail_on { FAIL_ON_NOTHING, FAIL_ON_CAREFUL, FAIL_ON_DANGEROUS, FAIL_ONS };

/* A value that is looked at only where it is used, and where it came from, for messages. */
struct sourced {
    const char *text; /* NULL = not given */
    const char *origin;
};

/* How `plan` writes what it finds. */
enum plan_format {
    PLAN_FORMAT_TEXT,
    PLAN_FORMAT_SARIF,
    PLAN_FORMAT_GITHUB,
    PLAN_FORMAT_GITLAB,
    PLAN_FORMAT_MARKDOWN,
    PLAN_FORMATS
};

/* What a deployment does about drift. */
enum drift_answer { DRIFT_WARN, DRIFT_FAIL, DRIFT_OFF, DRIFT_ANSWERS };

/* What a deployment to many does when one of them fails. */
enum on_failure { ON_FAILURE_STOP, ON_FAILURE_CONTINUE, ON_FAILURES };

/* What is between several URLs in one value. */
#define CONFIG_BLANKS " \t\r\n"

/* A shadow database of our own. */
#define SHADOW_CREATE "create"

/* Connections that a server was counted to have left for the application, and until when that may be
 * believed. */
struct known_room {
    struct deadline until;
    int left;
};

struct config {
    struct arena *arena;           /* where all of it lives */
    const char *database_url;      /* secret; NULL = only PG* variables say where the database is */
    const char *direct_url;        /* secret; if given, migrations use it instead of database_url */
    const char *database_url_file; /* the file that it came from, or NULL */
    const char *direct_url_file;
    const char *password; /* secret: for a URL without one */
    const char *password_file;
    bool is_password_first; /* … and in place of one that the URL holds */
    const char *database;   /* these three, of a tenant, replace what the URL says; NULL = as it says */
    const char *schema;
    const char *user;
    struct shared_folder *shared_folder; /* of a tenant: what all have alike; NULL = it is alone … */
    struct handover *handover;           /* … and where its session comes from, and goes to */
    struct known_room room;    /* of a tenant: on its server, when whoever runs it has counted there */
    const char *tenants;       /* of these four, one at most may be given: a file, or "-" */
    const char *tenants_query; /* SQL */
    const char *databases;     /* a pattern, as the next */
    const char *schemas;
    struct names chosen;   /* only these of them */
    bool makes_missing;    /* their databases and schemas, where they are not there */
    const char *made_from; /* the template; NULL = the server's own */
    const char *made_for;  /* the owner; NULL = not said */
    struct sourced shard;
    int64_t parallel;
    const char *canary;
    int on_failure; /* enum on_failure */
    struct sourced max_failures;
    int password_from;       /* enum password_source */
    const char *secret_name; /* which secret to ask for; NULL = not given */
    const char *vault_role;  /* NULL = not said */
    const char *vault_auth;  /* where Vault's Kubernetes authentication is mounted */
    const char *set_role;    /* NULL = the user's own */
    const char *migrations;  /* the folder; NULL = not given, the usual places are tried */
    int format;              /* enum format */
    const char *ledger;      /* [SCHEMA.]TABLE; NULL = as the tool calls it */
    const char *schema_file; /* Prisma's --schema: the folder is "migrations" beside it */
    const char *config_file; /* NULL = not given, ./tidelock.yaml is read if it exists */
    const char *env_file;    /* NULL = not given */
    char **environment;      /* the process's, and what env_file adds; NULL = env_file is not given */

    int64_t connect_deadline_ms; /* keep trying to reach the server this long */
    int64_t connect_timeout_ms;  /* a single attempt */
    int64_t leader_timeout_ms;
    int64_t lock_timeout_ms; /* 0 = chosen by struct retry */
    int64_t retry_for_ms;
    int64_t max_blocked;        /* sessions blocked by us; 0 = any number */
    int64_t max_blocked_for_ms; /* 0 = any time */
    int64_t terminate_idle_ms;  /* 0 = never, as the next */
    int64_t cancel_blockers_ms;
    int64_t statement_timeout_ms; /* 0 = none */
    int64_t migration_timeout_ms; /* 0 = none */
    unsigned strict;              /* a bit for each enum finding that is refused … */
    bool is_strict_said;          /* … whatever the folder's tool refuses */
    bool is_unrelated_allowed;
    const char *release;        /* of the application in this image; NULL = not known */
    int refuse;                 /* enum fail_on: from which verdict on nothing is applied */
    struct sourced rule_levels; /* RULE=LEVEL, with commas in between */
    int drift;                  /* enum drift_answer */
    int64_t require_backup_ms;  /* 0 = none is asked for */
    const char *backup_check;   /* SQL; NULL = the archiver is asked */
    bool wants_restore_point;

    struct names applied; /* resolve: of the migrations to be resolved, only one of these is given */
    struct names rolled_back;
    struct names pending;
    struct names accept_edit;
    const char *replicas_at; /* secret: URLs, with blanks between them; NULL = none is waited for */
    const char *replicas_at_file;
    struct names allow_loss; /* rollback: [SCHEMA.]TABLE or [SCHEMA.]TABLE.COLUMN */
    const char *to;          /* the last migration that is asked for; NULL = all of them */
    bool wants_json;
    bool wants_json_schema;
    bool wants_all;
    bool is_dry_run;
    bool wants_exit_code;
    const char *against;       /* verify: what to compare with, or NULL */
    bool tries_inverses;       /* verify */
    bool wants_script;         /* diff: the SQL, instead of the differences */
    bool is_script_online;     /* … that does not lock tables for long */
    const char *ignored_facts; /* patterns of what is left out where schemas are compared, or NULL */
    bool is_offline;           /* plan: nothing is looked up in the database */
    bool reads_rows;           /* plan: not only catalogs are looked at */
    bool wants_rules;          /* plan: the table of rules, and nothing else */
    bool is_verbose;           /* plan: why and how */
    struct names files;        /* plan: these scripts instead of the folder's */
    int fail_on;               /* plan: enum fail_on */
    int plan_format;           /* enum plan_format */
    const char *shadow_file;
    const char *shadow;           /* plan: secret, a URL; or SHADOW_CREATE; NULL = nothing is rehearsed */
    const char *status_file;      /* NULL = none is kept */
    struct labels metrics_labels; /* of every metric, beside database and schema */
    const char *ready_file;       /* NULL = none */
    const char *termination_log;  /* NULL = Kubernetes' own, if there is one */
    int64_t stale_after_ms;
    bool is_waiting;     /* run: wait instead of deploying */
    int64_t connections; /* that one run may have at once */
    int64_t headroom;    /* connections that stay free for the application */
    int64_t budget_wait_ms;
    int64_t replicas;
    bool is_sharing;          /* run: CMD's URL gets its connection_limit */
    bool is_environment_kept; /* run: CMD's environment has ours, too */
    char **words;             /* what follows the options: CMD and its arguments; ends with NULL */
    int word_count;

    const char *lease; /* the Kubernetes Lease that the leader also holds; NULL = none */
    int64_t lease_duration_ms;
    const char *service_account; /* the folder with the pod's token */
    bool wants_events;
    const char *pushgateway;        /* NULL = none */
    const char *pushgateway_labels; /* of the group, "name=value,…" */
    const char *webhook;            /* secret; NULL = none */
    const char *webhook_file;
    const char *webhook_key; /* secret; NULL = not signed */
    const char *webhook_key_file;
    unsigned webhook_on; /* a bit for each enum notice */

    int log_format; /* enum log_format */
    int log_level;  /* enum log_level */
    bool is_quiet;  /* log_level is then LOG_WARN at most */
    bool is_help;   /* --help was given: nothing else has been checked */
};

#endif
