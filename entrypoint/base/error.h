/*
 * An error is a value: what failed, where, why, what the database holds now, and what to type next.
 *
 * It lives on the stack of whoever can print it and owns nothing, so it cannot leak, creating it cannot fail,
 * and it may be copied by assignment. A zeroed one means "no error". Text that doesn't fit is cut with an
 * ellipsis. The place that knows writes the message and the hint; each caller that knows more adds one line
 * of context. Everything here that returns bool returns false, so that failing takes one line.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#define must_use __attribute__((warn_unused_result))
#define printf_like(template, first) __attribute__((format(printf, template, first)))

/* What kind of failure; cmd/tidelock/exits.c turns it into an exit code. */
enum error_class {
    ERROR_NONE,
    ERROR_USAGE,          /* an option, a file or the environment is wrong */
    ERROR_OUTPUT,         /* what was to be printed could not be written */
    ERROR_LOGIN,          /* the server, or who provides the password, refused us */
    ERROR_UNREACHABLE,    /* the server could not be reached before the deadline */
    ERROR_READ_ONLY,      /* the server, or the session, does not accept writes */
    ERROR_LEADER,         /* the leader lock was not obtained before the deadline, or was lost */
    ERROR_LOST,           /* the connection broke in the middle of something */
    ERROR_BUDGET,         /* no connection was free before the deadline */
    ERROR_CLEAN,          /* a migration failed and left nothing behind */
    ERROR_PARTIAL,        /* a migration failed and left something behind */
    ERROR_REFUSED,        /* a person has to decide: see enum error_cause */
    ERROR_DENIED,         /* the role lacks a right, or the server refused a query of ours */
    ERROR_TABLE_LOCK,     /* a table lock was not obtained; nothing changed */
    ERROR_HELD_UP,        /* the same, but something persists, behind which the next run resumes */
    ERROR_INTERRUPTED,    /* a signal asked us to stop */
    ERROR_NOT_EXECUTABLE, /* the application could not be executed */
    ERROR_NOT_FOUND,      /* the application was not found */
    ERROR_CLASSES
};

/* Of ERROR_REFUSED: what has to be decided. */
enum error_cause {
    CAUSE_OTHER,
    CAUSE_UNRESOLVED, /* a migration that failed or was interrupted */
    CAUSE_NO_LEDGER,  /* the schema holds tables, but no ledger */
    CAUSE_STRANGER,   /* whose the ledger is */
    CAUSE_PROVIDER,   /* the migrations are for another kind of server */
    CAUSE_UNRELATED,  /* the database holds other migrations */
    CAUSE_NO_SCRIPT,
    CAUSE_STRICT,
    CAUSE_DANGER,   /* what pending statements would do */
    CAUSE_DRIFT,    /* the schema was changed by no migration */
    CAUSE_FLOOR,    /* a release that is too old for the schema */
    CAUSE_SESSIONS, /* sessions of releases that are */
    CAUSE_BACKUP,   /* there is no recent backup */
    CAUSE_BEHIND,   /* the database lacks what was applied */
    CAUSES
};

extern const char *const ERROR_CAUSE_NAMES[];

/* A place in a file the user wrote. `line` and `column` count from 1, 0 = not known; columns count
 * characters. */
struct error_place {
    char file[512];
    size_t line;
    size_t column;
    char source[256];    /* that line of the file, or the part of a long line around the place */
    size_t source_caret; /* the character of `source` that the caret points at, from 1; 0 = no caret */
};

enum { ERROR_CONTEXTS = 4 };

struct error {
    enum error_class class;
    enum error_cause cause;
    int signal;       /* ERROR_INTERRUPTED: which one */
    char code[8];     /* the code that Prisma's users search for ("P1001"), or empty */
    char sqlstate[6]; /* the server's code, or empty */
    size_t position;  /* where in the text of the failed query, in characters from 1 as the server counts; 0 =
                         not known */
    struct error_place place;
    char message[1024]; /* "could not …": lower case, no full stop */
    char detail[1024];
    bool is_detail_public; /* for who reads neither log nor database, too: no row of a table is in it */
    char holds[1024];      /* what the database holds now */
    char hint[1024];       /* one or two sentences: what to type next */
    int contexts;
    char context[ERROR_CONTEXTS][256]; /* innermost first: "applying 20240101_users, statement 3" */
};

/* Starts the error over with a class and a message. Returns false. */
bool error_set(struct error *err, enum error_class class, const char *format, ...) printf_like(3, 4);

/* Each sets one part and returns false; error_set() must come first. */
bool error_message(struct error *err, const char *format, ...)
    printf_like(2, 3); /* may quote the old message */
bool error_code(struct error *err, const char *code);
bool error_cause(struct error *err, enum error_cause cause);
bool error_detail(struct error *err, const char *format, ...) printf_like(2, 3);
bool error_holds(struct error *err, const char *format, ...) printf_like(2, 3);
bool error_hint(struct error *err, const char *format, ...) printf_like(2, 3);

/* Adds a line of context ("connecting to \"db\""); beyond ERROR_CONTEXTS the outermost are dropped. Returns
 * false. */
bool error_context(struct error *err, const char *format, ...) printf_like(2, 3);

/* Points the error at `offset` (bytes) of a file whose bytes are `text[0..length)`: fills line, column and
 * the source line with its caret. An offset past the end points at the end. Returns false. */
bool error_point(struct error *err, const char *file, const char *text, size_t length, size_t offset);

#endif
