/*
 * What a migration tool does, as data: its folder, its order, its checksum, its ledger, its lock.
 *
 * A description is values and pure functions: it reads no file and asks no server. The other rooms know a
 * tool by its description alone; the tool's name, and its names for things, are nowhere else.
 */
#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "dialect/ledger_row.h"
#include "dialect/ledger_sql.h"
#include "dialect/order_key.h"

/* A checksum as the ledger holds it, with its NUL: that of sqlx is the longest. */
enum { CHECKSUM_SIZE = SHA384_HEX_SIZE };

/* A migration's name in the ledger, with its NUL: Flyway's script is the longest. */
enum { KEY_SIZE = 1024 };

/* The codes that the tool's users search for; empty where it has none. */
struct dialect_codes {
    const char *failed;         /* a migration failed now */
    const char *unresolved;     /* one failed before and has not been resolved */
    const char *not_empty;      /* the schema holds tables and has no ledger */
    const char *script_missing; /* a migration's script can't be read */
    const char *unknown_name;   /* the folder has no migration of that name */
    const char *no_shadow;      /* a shadow database could not be created */
    const char *not_replayed;   /* an applied migration fails there */
};

/* A place that the tool's own configuration may name. */
struct own_place {
    enum { OWN_PLACE_UNSAID, OWN_PLACE_PLAIN, OWN_PLACE_NOT_PLAIN /* only running it would tell */ } state;
    const char *path; /* OWN_PLACE_PLAIN: relative to the configuration's folder, unless it is absolute */
};

struct own_config {
    struct own_place migrations; /* the folder */
    struct own_place schema;     /* the file, or directory of files, that the folder is beside or in */
    const char *flaw;            /* why a place is not plain, as what follows "but" */
};

/* One kind of file with the tool's own configuration. */
struct own_file {
    const char *const *stems;      /* of its name, the first that the tool looks for first; ends with NULL */
    const char *const *extensions; /* likewise, for each of the stems */
    struct own_config (*read)(struct arena *arena, struct slice text); /* paths live in the arena */
};

/* What --format names. A tool may have several descriptions, for folders of different versions. */
enum format {
    FORMAT_AUTO, /* the folder tells */
    FORMAT_PRISMA,
    FORMAT_GOLANG_MIGRATE,
    FORMAT_GOOSE,
    FORMAT_DBMATE,
    FORMAT_FLYWAY,
    FORMAT_SQLX,
    FORMAT_DRIZZLE,
    FORMATS
};

/* How the folder holds migrations. */
enum folder_layout {
    LAYOUT_DIRECTORIES, /* each is a directory with a script of one name */
    LAYOUT_FILES,       /* each is a file */
    LAYOUT_TREE,        /* the same, also in directories below it; a name has its path then */
    LAYOUT_INDEX,       /* a file of the tool's says which there are, and in which order */
};

/* What an entry of the folder is. */
enum entry_kind {
    ENTRY_OTHER, /* the tool does not look at it */
    ENTRY_MIGRATION,
    ENTRY_WAY_BACK,  /* what undoes the migration of the same key; without that one, a migration itself */
    ENTRY_PROGRAM,   /* a migration that only the tool can run: refused if it is pending */
    ENTRY_FORBIDDEN, /* what the tool runs beside migrations: the folder is refused */
    ENTRY_MISNAMED,  /* what the tool refuses the folder for */
};

/* An entry of a folder whose tool is to be found out. */
struct folder_entry {
    const char *name;
    bool is_directory;
    bool has_script;   /* a directory with a file migration.sql … */
    bool has_snapshot; /* … and a file snapshot.json */
};

/* What is looked at for that: its entries, sorted by bytes, and one of its scripts. */
struct folder_look {
    const struct folder_entry *entries;
    size_t count;
    struct slice script; /* of its first file *.sql, empty if there is none */
    bool is_format_said; /* only descriptions of the format that was asked for are asked */
};

/* A migration as an index names it. */
struct indexed {
    const char *name; /* of the script, without its extension */
    const char *key;
};

/* All that it names, in its order. */
struct index {
    struct indexed *items;
    size_t count;
};

/* What a tool's own words in a script, or beside it, ask for. */
enum script_transaction {
    SCRIPT_TRANSACTION_UNSAID, /* as its statements need it */
    SCRIPT_TRANSACTION_ON,     /* the tool puts a transaction around it */
    SCRIPT_TRANSACTION_OFF,    /* the tool runs its statements one by one */
};

struct script_wishes {
    enum script_transaction transaction;
    bool is_skipped;              /* recorded, though nothing of it is run */
    char checksum[CHECKSUM_SIZE]; /* to be recorded with it */
    /* What to do where statements that cannot run in a transaction stand beside others, which the tool
     * refuses; NULL = it does not. */
    const char *mixed_hint;
};

/* The session in which scripts are applied, as far as it is known: "" = not yet. */
enum { SESSION_NAME_SIZE = 64 };
struct script_session {
    char database[SESSION_NAME_SIZE];
    char schema[SESSION_NAME_SIZE]; /* that a script finds first */
    char role[SESSION_NAME_SIZE];
    char table[SESSION_NAME_SIZE]; /* the ledger */
};

/* A script about to be read as its tool reads it. */
struct script_source {
    const char *path;      /* for errors */
    const char *name;      /* the migration's */
    struct slice settings; /* of the file beside it, where the tool has such; empty = there is none */
    const struct script_session *session;
    const char *(*variable)(const char *name); /* the environment's, NULL = unset */
    bool is_inverse;                           /* what undoes the migration is wanted */
};

/* Where a ledger is, for the keys of the tool's locks. */
struct ledger_place {
    const char *database;
    const char *schema;
    const char *table;
};

/* Where the tool looks for a ledger whose schema nobody names. */
enum ledger_search {
    SEARCH_PATH,           /* in all of the search_path */
    SEARCH_CURRENT_SCHEMA, /* in the first schema of it that exists */
    SEARCH_FIRST_SCHEMA,   /* the same; where the URL has a search_path, in the first one of that */
};

/* Advisory locks of the tool, as bigints in decimal. */
enum { TOOL_KEYS_MOST = 2, LOCK_KEY_SIZE = 24 };
struct tool_keys {
    char keys[TOOL_KEYS_MOST][LOCK_KEY_SIZE];
    size_t count;
};

/* A lock of the tool that is a row with a term, in a table of the ledger's schema. */
struct tool_lease {
    const char *table;
    const char *columns; /* those that it has among others: "{name type,…}" */
    const char *look; /* {lease} is the table: one row while it is held, by whom and until when (RFC 3339) */
};

struct dialect {
    enum format format;
    const char *tool; /* as messages call it: "Prisma" */
    struct dialect_codes codes;

    /* The folder. */
    bool (*recognises)(const struct folder_look *look); /* whether it may be the tool's */
    enum folder_layout layout;
    const char *const *places;        /* where it usually is, the likeliest first; ends with NULL */
    const char *beside_schema;        /* its name beside the tool's own file of the schema */
    const struct own_file *own_files; /* the first that exists may say where; ends with NULL stems */
    const char *folder_variable;      /* the environment's that names it for the tool, or NULL */
    const char *copy;                 /* the Dockerfile line that copies it into the image */
    const char *script_name; /* of the script in a migration's directory, or behind an index's name */
    const char *script_rule; /* what an entry must be, as the beginning of a hint */
    size_t name_most;        /* characters of a migration's name that the ledger can hold */
    enum entry_kind (*entry_kind_of)(const char *entry, bool is_directory);
    const char *program_is;   /* of an ENTRY_PROGRAM, as what follows its name: "is a migration in Go" */
    const char *forbidden_is; /* of an ENTRY_FORBIDDEN: "is a callback" */
    const char *misnamed_is;  /* of an ENTRY_MISNAMED: "does not begin with a number" */
    const char *index;        /* LAYOUT_INDEX: the file, below the folder */
    must_use bool (*read_index)(struct arena *arena, const char *path, struct slice text, struct index *out,
                                struct error *err);

    /* What the ledger calls a migration, and how it describes it: NULL where it has its name, and no
     * description. Neither is called for what an index names. */
    void (*key_of)(const char *name, char out[KEY_SIZE]);
    void (*describe)(const char *name, char out[KEY_SIZE]);

    /* A file in the folder, or beside it, that only this tool has, and that says more about it: the kind of
     * server, for example; or NULL. A missing one is not checked. */
    const char *lock_file;
    must_use bool (*check_lock_file)(const struct dialect *dialect, const char *path, struct slice text,
                                     struct error *err);

    /* The order in which migrations are applied: of names in the folder, and of keys. */
    struct order_key (*order_key_of)(const char *name); /* points to the name */
    int (*compare_keys)(const void *one, const void *other);
    bool (*is_order_certain)(const char *name); /* false: the tool itself may sort this name differently */

    /* What the tool runs of a file, in its place: bytes that are not run become blanks, so that places in
     * errors stay right. NULL = all of it. ERROR_CLEAN with the place where the tool would refuse it. */
    must_use bool (*read_script)(const struct script_source *source, struct text *script,
                                 struct script_wishes *out, struct error *err);
    const char *inverse; /* where what undoes a migration is: the name of a file beside its script, the ending
                            that takes the place of script_ending, or "" for the script itself; NULL = the
                            tool has no such */
    const char *script_ending;
    const char *settings_suffix; /* of the file beside a script with settings of it, or NULL */
    const char
        *invalid_text; /* what it does with bytes that are not UTF-8, behind its name; NULL = it fails */
    const char *transaction_hint; /* what a script needs to run without a transaction, as a hint; or NULL */

    /* What the tool refuses when folder and ledger disagree. */
    bool refuses_edited;
    bool refuses_missing; /* unless all of that is newer */
    bool refuses_out_of_order;
    const char *late_switch;           /* the environment variable with which it applies such ones, or NULL */
    bool skips_out_of_order;           /* it never applies such a one, and does not say so */
    bool needs_empty;                  /* a schema without a ledger may hold nothing */
    bool (*repeats)(const char *name); /* applied again whenever its checksum changes, which is then that of
                                          what is run; by name or key; NULL = none is */
    bool (*is_baseline)(const char *name); /* it stands for all that sort before it, where none of these is
                                              applied; by name or key; NULL = there are none such */

    /* The checksum of a script, of its bytes as they are in the file; the ledger may have none. */
    void (*checksum_of)(struct slice script, char out[CHECKSUM_SIZE]);
    bool (*checksum_matches)(const char *stored, struct slice script);

    /* The ledger. */
    const char *ledger_name;             /* of the table */
    const char *ledger_schema;           /* where it is; NULL = the session's own */
    const char *ledger_variable;         /* of the environment, which names the table, too; or NULL */
    const char *const *schema_variables; /* … the schema, the first of a list; ends with NULL; or NULL */
    enum ledger_search ledger_search;
    const char *first_schema; /* … of the URL, if it names one */
    bool takes_search_path;   /* the URL's is the session's; otherwise it is of no effect */
    const struct ledger_sql *ledger;
    const char *older_ledger_hint; /* what to do where a ledger lacks columns, as a hint; or NULL */
    bool keeps_attempts; /* it has room for what is unfinished or has failed; otherwise the journal has it */
    bool is_marker;      /* all it says is the key of the last that is applied */
    bool has_checksums;
    bool takes_url_table; /* the tool takes the ledger's name from the URL, see config/url_migrate.h */

    /* Whether a name may be recorded as applied, whether its failed rows may be marked as rolled back, and
     * whether it has rows that could be taken back: ERROR_REFUSED otherwise. */
    must_use bool (*check_applied)(const struct ledger_row *rows, size_t count, const char *name,
                                   struct error *err);
    must_use bool (*check_rolled_back)(const struct ledger_row *rows, size_t count, const char *name,
                                       struct error *err);
    must_use bool (*check_pending)(const struct ledger_row *rows, size_t count, const char *name,
                                   struct error *err);

    /* The leader lock: its key, a bigint, in decimal. Per database, not per schema. */
    const char *lock_key;
    const char *lock_switch; /* the environment variable that disables it in the tool, or NULL */
    /* The advisory locks under which the tool itself applies, where these are others; NULL = it has none. */
    void (*tool_keys_of)(const struct ledger_place *place, struct tool_keys *out);
    const char *lock_table;         /* beside these: a row in such a table, with a column lock_id; or NULL */
    const struct tool_lease *lease; /* and a row that is only looked at; NULL = it has none */
};

/* The key of the leader lock where the tool's own is another, or none: "tidelock" as eight bytes. */
#define TIDELOCK_KEY "8388346167727973227"

/* All of them; ends with NULL. The first is taken for a folder that holds nothing. */
extern const struct dialect DIALECT_PRISMA;
extern const struct dialect DIALECT_GOLANG_MIGRATE;
extern const struct dialect DIALECT_GOOSE;
extern const struct dialect DIALECT_DBMATE;
extern const struct dialect DIALECT_SQLX;
extern const struct dialect DIALECT_DRIZZLE;
extern const struct dialect DIALECT_DRIZZLE_NAMED; /* since 1.0 */
extern const struct dialect DIALECT_FLYWAY;

extern const struct dialect *const DIALECTS[];

extern const char *const FORMAT_NAMES[];

/* Whether a migration of that name or key is applied again whenever its checksum changes. */
bool dialect_repeats(const struct dialect *dialect, const char *name);

#endif
