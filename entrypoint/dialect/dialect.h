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

/* A checksum as the ledger holds it, with its NUL. */
enum { CHECKSUM_SIZE = SHA256_HEX_SIZE };

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

struct dialect {
    const char *tool; /* as messages call it: "Prisma" */
    struct dialect_codes codes;

    /* The folder. */
    const char *const *places;        /* where it usually is, the likeliest first; ends with NULL */
    const char *beside_schema;        /* its name beside the tool's own file of the schema */
    const struct own_file *own_files; /* the first that exists may say where; ends with NULL stems */
    const char *copy;                 /* the Dockerfile line that copies it into the image */
    const char *script_name;          /* of the script in a migration's directory */
    const char *script_rule;          /* what an entry must be, as the beginning of a hint */
    size_t name_most;                 /* characters of a migration's name that the ledger can hold */
    bool (*is_migration)(const char *entry, bool is_directory);

    /* A file in the folder that says which kind of server it is for; a missing one is not checked. */
    const char *lock_file;
    must_use bool (*check_lock_file)(const char *path, struct slice text, struct error *err);

    /* The order in which migrations are applied. */
    struct order_key (*order_key_of)(const char *name); /* points to the name */
    int (*compare_keys)(const void *one, const void *other);
    bool (*is_order_certain)(const char *name); /* false: the tool itself may sort this name differently */

    /* The checksum of a script, of its bytes as they are in the file. */
    void (*checksum_of)(struct slice script, char out[CHECKSUM_SIZE]);
    bool (*checksum_matches)(const char *stored, struct slice script);

    /* The ledger. */
    const char *ledger_name; /* of the table, one that needs no quotes */
    const struct ledger_sql *ledger;

    /* Whether a name may be recorded as applied, whether its failed rows may be marked as rolled back, and
     * whether it has rows that could be taken back: ERROR_REFUSED otherwise. */
    must_use bool (*check_applied)(const struct ledger_row *rows, size_t count, const char *name,
                                   struct error *err);
    must_use bool (*check_rolled_back)(const struct ledger_row *rows, size_t count, const char *name,
                                       struct error *err);
    must_use bool (*check_pending)(const struct ledger_row *rows, size_t count, const char *name,
                                   struct error *err);

    /* The advisory lock under which the tool applies: its key, a bigint, in decimal. Per database, not per
     * schema. */
    const char *lock_key;
    const char *lock_switch; /* the environment variable that disables it in the tool */
};

extern const struct dialect DIALECT_PRISMA;

#endif
