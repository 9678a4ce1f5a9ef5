/*
 * What a statement changes, as PostgreSQL's own parser (libpg_query, the grammar of 17) reads it.
 *
 * The only room for that parser: what comes out are values of ours. Nothing that deploys may need it: the
 * first call sets up its memory, and nothing runs before that.
 */
#ifndef SQL_GRAMMAR_H
#define SQL_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "sql/name.h"

enum action {
    ACTION_UNKNOWN, /* nobody has written down what it does */
    ACTION_HARMLESS,
    ACTION_DATABASE_WIDE,
    ACTION_SESSION,
    ACTION_TRANSACTION,
    ACTION_QUERY,
    ACTION_INSERT,
    ACTION_UPDATE,
    ACTION_DELETE,
    ACTION_MERGE,
    ACTION_CODE, /* DO, CALL, a query that calls a function or has another statement in it: it does whatever
                    that does */
    ACTION_LOCK_TABLE,
    ACTION_CREATE_TABLE,
    ACTION_CREATE_TABLE_REFERENCES,
    ACTION_CREATE_PARTITION,
    ACTION_CREATE_TABLE_AS,
    ACTION_DROP_TABLE,
    ACTION_TRUNCATE,
    ACTION_RENAME_TABLE,
    ACTION_RENAME_OBJECT, /* a type, a schema, a routine */
    ACTION_SET_SCHEMA,
    ACTION_SET_LOGGED,
    ACTION_SET_TABLESPACE,
    ACTION_SET_ACCESS_METHOD,
    ACTION_SET_OPTIONS,
    ACTION_SET_OWNER,
    ACTION_CHANGE_OWNER, /* of what is no table */
    ACTION_REPLICA_IDENTITY,
    ACTION_ROW_SECURITY,
    ACTION_SWITCH_TRIGGER,
    ACTION_ATTACH_PARTITION,
    ACTION_DETACH_PARTITION,
    ACTION_ADD_COLUMN,
    ACTION_DROP_COLUMN,
    ACTION_RENAME_COLUMN,
    ACTION_COLUMN_TYPE,
    ACTION_SET_NOT_NULL,
    ACTION_DROP_NOT_NULL,
    ACTION_COLUMN_DEFAULT,
    ACTION_COLUMN_STORAGE,
    ACTION_COLUMN_STATISTICS,
    ACTION_COLUMN_IDENTITY,
    ACTION_ADD_CHECK,
    ACTION_ADD_FOREIGN_KEY,
    ACTION_ADD_UNIQUE,
    ACTION_ADD_PRIMARY_KEY,
    ACTION_ADD_EXCLUSION,
    ACTION_VALIDATE_CONSTRAINT,
    ACTION_ALTER_CONSTRAINT,
    ACTION_DROP_CONSTRAINT,
    ACTION_RENAME_CONSTRAINT,
    ACTION_CREATE_INDEX,
    ACTION_DROP_INDEX,
    ACTION_REINDEX,
    ACTION_RENAME_INDEX,
    ACTION_VACUUM,
    ACTION_ANALYZE,
    ACTION_CLUSTER,
    ACTION_REFRESH,
    ACTION_CREATE_VIEW,
    ACTION_DROP_VIEW,
    ACTION_CREATE_TRIGGER,
    ACTION_DROP_TRIGGER,
    ACTION_RULE,
    ACTION_POLICY,
    ACTION_COMMENT,
    ACTION_STATISTICS_OBJECT,
    ACTION_CREATE_TYPE,
    ACTION_CREATE_DOMAIN,
    ACTION_DOMAIN_CHECK,
    ACTION_DOMAIN_NOT_NULL,
    ACTION_DOMAIN_VALIDATE,
    ACTION_DOMAIN_OTHER,
    ACTION_ENUM_VALUE,
    ACTION_DROP_TYPE,
    ACTION_CREATE_SEQUENCE,
    ACTION_ALTER_SEQUENCE,
    ACTION_DROP_SEQUENCE,
    ACTION_CREATE_ROUTINE,
    ACTION_DROP_ROUTINE,
    ACTION_CREATE_EXTENSION,
    ACTION_ALTER_EXTENSION,
    ACTION_DROP_EXTENSION,
    ACTION_DROP_SCHEMA,
    ACTION_GRANT,
    ACTIONS
};

/* How it does that, a bit each. */
enum trait {
    TRAIT_VOLATILE = 1 << 0,     /* a default that has another value for every row */
    TRAIT_OWN_FUNCTION = 1 << 1, /* a default with a function of which only the server knows whether it is */
    TRAIT_DEFAULT = 1 << 2,      /* any default but NULL */
    TRAIT_NOT_NULL = 1 << 3,     /* … without a default */
    TRAIT_CHECK = 1 << 4,        /* the next ones: of a column that is added */
    TRAIT_UNIQUE = 1 << 5,       /* also of an index */
    TRAIT_REFERENCES = 1 << 6,
    TRAIT_STORED = 1 << 7,
    TRAIT_IDENTITY = 1 << 8,
    TRAIT_SERIAL = 1 << 9,
    TRAIT_OWN_TYPE = 1 << 10, /* a type that is none of PostgreSQL's */
    TRAIT_NOT_VALID = 1 << 11,
    TRAIT_USING_INDEX = 1 << 12,
    TRAIT_CONCURRENTLY = 1 << 13,
    TRAIT_NO_WHERE = 1 << 14,
    TRAIT_FULL = 1 << 15,
    TRAIT_REPLACE = 1 << 16,
    TRAIT_IF_NOT_EXISTS = 1 << 17,
    TRAIT_FINALIZE = 1 << 18,
    TRAIT_FROM_QUERY = 1 << 19,
    TRAIT_USING = 1 << 20, /* a type change with an expression of its own */
    TRAIT_RENAME = 1 << 21,
    TRAIT_WRITES_WAIT = 1 << 22,  /* LOCK TABLE in a mode that lets others read … */
    TRAIT_NOBODY_WAITS = 1 << 23, /* … or write, too */
    TRAIT_JSON = 1 << 24,         /* a column of type json */
    TRAIT_CASCADE = 1 << 25,
};

/* A name as it was written; an empty schema was not given. */
struct relation {
    char schema[IDENTIFIER_SIZE];
    char name[IDENTIFIER_SIZE];
};

/* Whether both are written alike. */
bool relation_is_same(const struct relation *one, const struct relation *other);

enum { KEY_COLUMNS_MOST = 4 };

/* Columns that belong together, in their order. */
struct key {
    char columns[KEY_COLUMNS_MOST][IDENTIFIER_SIZE];
    size_t count; /* 0 = there are none, too many, or more than plain columns */
};

/* One of the things that a statement does: ALTER TABLE may do many. */
struct change {
    enum action action;
    unsigned traits;
    struct relation table;        /* what is changed: a table, a view, a sequence, … or empty */
    struct relation other;        /* what else is concerned: a referenced table, a parent, the new name */
    struct relation type;         /* that a column gets in place of its own */
    char object[IDENTIFIER_SIZE]; /* the column, constraint, index or type */
    char word[IDENTIFIER_SIZE];   /* the function or type that decided a trait; a new type, if it is short;
                                     the column that a CHECK requires */
    struct key key;               /* what has to be unique, or refers to another table, or is assigned */
    struct key other_key;         /* what a foreign key refers to; none = the primary key */
    size_t start;                 /* in the statement, of the definition of the column or constraint … */
    size_t end;                   /* … and its end; both 0 = there is none */
};

struct changes {
    struct change *items; /* whoever calls owns it: changes_clear() */
    size_t count;
    size_t capacity;
    char problem[256]; /* what the parser said when it did not understand */
};

#define auto_changes __attribute__((cleanup(changes_clear)))

/* Reads one statement, which has no NUL byte. False when the grammar does not know it. `out` starts zeroed
 * and is filled anew. At least one change comes of every statement that is understood. */
must_use bool grammar_read(struct slice statement, struct changes *out);

void changes_clear(struct changes *changes);

#endif
