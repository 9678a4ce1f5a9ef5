/*
 * A script as a sequence of statements, read one at a time.
 *
 * Reading keeps nothing and allocates nothing: it needs the same memory for any number of statements. The
 * bytes must outlive the reader. They are not checked for valid UTF-8.
 *
 * A statement ends at a semicolon outside parentheses and outside the body of an SQL-standard function (BEGIN
 * ATOMIC … END). The whole script is read with one setting of standard_conforming_strings, as a server reads
 * what it gets in one message: a SET in the script itself changes nothing here.
 */
#ifndef SQL_SCRIPT_H
#define SQL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/kind.h"
#include "sql/scan.h"

/* Never KIND_PSQL or KIND_COPY_STDIN: those are errors. */
struct statement {
    size_t start; /* byte offsets into the script: of the first token … */
    size_t end;   /* … and just past the last, without the semicolon */
    size_t line;  /* of start, from 1; lines end at LF */
    enum statement_kind kind;
    enum nontransactional nontransactional;
    bool is_data;          /* see statement_is_data() */
    bool is_guarded_index; /* see statement_is_guarded_index() */
};

/* Its text: a slice of `script`, whose offsets it has. Pure. */
struct slice statement_text(struct slice script, const struct statement *statement);

/* A place in a script; copy it to come back. Callers read `file` and `bytes` and leave the rest alone. */
struct script_reader {
    const char *file;
    struct slice bytes;
    struct scanner scanner; /* its text ends before the first NUL byte */
    int server_version;
    size_t line; /* of the offset `counted` */
    size_t counted;
};

enum script_answer { SCRIPT_STATEMENT, SCRIPT_END, SCRIPT_ERROR };

/* A reader at the start of `bytes`. `file` is the name for error messages and must outlive the reader,
 * `server_version` as libpq's PQserverVersion() has it (150004), `has_standard_strings` the session's
 * standard_conforming_strings. */
struct script_reader script_reader_of(const char *file, struct slice bytes, int server_version,
                                      bool has_standard_strings);

/* The next statement that is not empty. On SCRIPT_ERROR `err` is ERROR_CLEAN and points at where the problem
 * begins: something unterminated, a psql command, COPY … FROM STDIN, a NUL byte. Nothing after it can be
 * read. */
must_use enum script_answer script_next(struct script_reader *reader, struct statement *out,
                                        struct error *err);

/* What the statements of a script are, taken together. */
struct script_summary {
    size_t statements; /* all of them */
    size_t begins;
    size_t commits; /* without AND CHAIN, like rollbacks */
    size_t rollbacks;
    size_t chains;                      /* COMMIT AND CHAIN, ROLLBACK AND CHAIN */
    size_t prepares;                    /* PREPARE TRANSACTION */
    size_t savepoints;                  /* SAVEPOINT, RELEASE, ROLLBACK TO */
    size_t nontransactional;            /* statements that refuse a transaction block */
    size_t data;                        /* statements that write rows */
    size_t guarded_indexes;             /* CREATE INDEX IF NOT EXISTS */
    bool has_nontransactional_in_block; /* one of those follows a BEGIN: it can only fail */
    bool has_stray_rollback;            /* a ROLLBACK outside a transaction of the script's own … */
    size_t stray_rollback;              /* … and its offset */
    bool has_stray_savepoint;           /* SAVEPOINT, RELEASE, ROLLBACK TO outside of one … */
    size_t stray_savepoint;
    bool ends_inside_transaction;   /* a transaction is begun and not ended */
    size_t open_begin_offset;       /* if so: the offset of what began it */
    struct statement first_control; /* the first begin, commit, rollback, chain or prepare; if there is one */
    struct statement first_nontransactional; /* the first of those, if there is one */
};

/* Reads the whole of it once. Errors as of script_next(). */
must_use bool script_summarize(struct script_reader reader, struct script_summary *out, struct error *err);

/* `bytes` without a UTF-8 byte order mark at the start, which the server would not understand. A reader
 * treats the mark as a blank: its offsets count from the bytes it was given. */
struct slice script_without_bom(struct slice bytes);

#endif
