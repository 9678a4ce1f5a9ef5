/*
 * What is the same, new, gone or different between two schemas, piece by piece, and what needs what. Of this
 * room; pure.
 */
#ifndef SCHEMA_SCRIPT_CHANGE_H
#define SCHEMA_SCRIPT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/text.h"
#include "schema/facts.h"
#include "schema/script.h"

enum side { SIDE_FROM, SIDE_TO, SIDES };

enum change_action {
    CHANGE_NONE,
    CHANGE_CREATE,
    CHANGE_DROP,
    CHANGE_ALTER,
    CHANGE_RECREATE, /* dropped and created */
    CHANGE_ACTIONS
};

struct change;
struct delta;

/* What a kind of fact is, and the statements for it. A NULL function: nothing is to be done. */
struct change_kind {
    const char *name;
    int rank;        /* what has a lower one is created before, if nothing else decides */
    unsigned traits; /* enum kind_trait */
    void (*create)(struct delta *delta, struct change *change);
    void (*drop)(struct delta *delta, struct change *change);
    void (*alter)(struct delta *delta, struct change *change);
    /* What to do about another definition; NULL = CHANGE_RECREATE. */
    enum change_action (*decide)(struct delta *delta, struct change *change);
    /* After all the rest, of what has been made anew. */
    void (*finish)(struct delta *delta, struct change *change);
};

enum kind_trait {
    KIND_RELATION = 1 << 0,
    KIND_TYPE = 1 << 1,
    KIND_ROUTINE = 1 << 2,
    KIND_OTHER_OBJECT = 1 << 3, /* others may mention it, too */
    KIND_PART = 1 << 4,         /* of the relation or domain that its name begins with */
    KIND_PIECE = 1 << 5,        /* of the object that has the same name */
    KIND_OF_COLUMN = 1 << 6,    /* a piece of the column that has the same name */
    KIND_ON_RELATION = 1 << 7,  /* of the first relation that its definition mentions */
    KIND_ACCESS = 1 << 8,       /* its name is that of an object behind the object's type */
    KIND_IS_LATE = 1 << 9,      /* dropped after the rest has changed: columns may have been of that type */
    KIND_IS_FIRM = 1 << 10,     /* never dropped to be created again: it holds data */
    KIND_IS_FRAGILE = 1 << 11,  /* in the way when the type of a column changes that it uses */
    KIND_OF_INDEX = 1 << 13,    /* a piece of the index or constraint that has the same name */
    KIND_IS_DEAF = 1 << 12,     /* what its definition mentions says nothing */
    KIND_PROVIDES = KIND_RELATION | KIND_TYPE | KIND_ROUTINE | KIND_OTHER_OBJECT,
};

/* Ends with a NULL name. */
extern const struct change_kind CHANGE_KINDS[];

struct change_list {
    struct change **items;
    size_t count;
    size_t capacity;
};

struct change {
    const struct change_kind *kind;
    const char *name;
    const char *definitions[SIDES]; /* NULL = is not there */
    enum change_action action;
    struct change *parents[SIDES];   /* what it is a part of */
    struct change *sequences[SIDES]; /* of an identity: its sequence; of its sequence: the column */
    struct change_list children;     /* whose parent it is, on either side */
    struct change_list needs[SIDES]; /* what has to be there before */
    struct change_list users;        /* what needs it in FROM */
    const void *seen;                /* the needs to which it has been added last */
    bool is_visited[SIDES];
    bool is_retyped;   /* a column: of another type */
    bool is_converted; /* … and its values by way of their names */
    bool is_rekeyed;   /* … whose values another type's cannot refer to */
    bool is_written;   /* is in the database as TO wants it, once the script has come so far */
    bool is_dropped;   /* … is gone */
};

/* The objects by the name that others mention them by. */
struct provider {
    struct slice name;
    struct change *change;
};

/* The whole of it. */
struct delta {
    struct arena *arena;
    const struct script_request *request;
    struct script_result *result;
    int major;
    const char *usual_owner; /* who owns most of TO; NULL = nobody */
    struct change *changes;  /* by kind and name */
    size_t count;
    struct provider *providers; /* by name */
    size_t provider_count;
};

/* Pairs what both sides have, and finds out what belongs to what. Kinds that are not known are refused. */
void changes_find(struct delta *delta, const struct facts *from, const struct facts *to);

/* Finds out what needs what, on both sides. */
void needs_find(struct delta *delta);

/* Decides what is done about each. */
void changes_decide(struct delta *delta);

/* Writes the statements in an order that works. */
void changes_write(struct delta *delta);

void change_list_add(struct arena *arena, struct change_list *list, struct change *change);

/* By kind and whole name; NULL = there is none. */
struct change *change_find(const struct delta *delta, const char *kind, struct slice name);

/* The first object that is mentioned by that name, and how many follow one another. */
struct provider *provider_find(const struct delta *delta, struct slice name, size_t *count);

/* The one with such a trait that is there on that side, or NULL. */
struct change *object_find(const struct delta *delta, struct slice name, unsigned traits, enum side side);

/* Whether it is a new object or one that is made anew; NULL is none. */
bool change_is_creating(const struct change *change);
bool change_is_dropping(const struct change *change);

/* Whether a relation hangs on another one there as a partition or child; that one, or NULL. Of several
 * parents, the first. */
struct change *table_parent(const struct delta *delta, const struct change *table, enum side side);

/* The object whose owner, grants or comment it is about, or NULL. */
struct change *access_object(const struct delta *delta, const struct change *change, enum side side);

/* Says why no script can be made. */
void delta_refuse(struct delta *delta, const struct change *change, const char *reason);

/* Adds a line of comment to the script; what names it holds cannot end it. */
void delta_note(struct delta *delta, const char *format, ...) printf_like(2, 3);

#endif
