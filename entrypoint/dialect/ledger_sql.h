/*
 * The SQL of a dialect's ledger, and which values each statement takes.
 *
 * {ledger} in a text is the table, with its schema, quoted; {name} in `create` its name, to stand in quotes.
 * Every other value is a parameter, as text. A statement lists the values that it takes in the order of its
 * $1, $2, …: the caller passes what is known of the row, and need not know which of it this tool stores.
 */
#ifndef DIALECT_LEDGER_SQL_H
#define DIALECT_LEDGER_SQL_H

/* A ledger that keeps no attempts has only LEDGER_INSERT_APPLIED, _NEXT, _MARKED, _BASELINE, _FINISH,
 * _ACCEPT, _TAKE_BACK, _ROLL_BACK and _REVERT, of what its tool can say; the others, and what is unfinished,
 * are written to the journal's attempts, a table of the shape that all of these are for (attempts.h). Its
 * keys are its ids.
 */

/* What is known of a row to be written. */
enum row_value {
    ROW_ID,
    ROW_CHECKSUM,
    ROW_NAME, /* its key, see dialect.h */
    ROW_FILE, /* its name in the folder */
    ROW_DESCRIPTION,
    ROW_BACK,    /* the key of the one before it; NULL = it is the first */
    ROW_STARTED, /* seconds since 1970, the server's */
    ROW_LOGS,
    ROW_STEPS,  /* statements done */
    ROW_BEFORE, /* … as the row says until then */
    ROW_ANCHOR, /* the id of a row that must still be there, or NULL */
    ROW_STORED, /* the checksum that the row has until then */
    ROW_AFTER, /* the id, or the key, of the row in the same message right before it, or NULL: it is the first
                  of them */
    ROW_NAMES, /* those of all rows in the message, as an array … */
    ROW_COUNT, /* … of which so many are there */
    ROW_VALUES
};

/* The statements that write. Every time is the server's clock at that moment, not its transaction's start.
 *
 * Each writes only if the ledger is as it was read, and fails (division by zero) where it writes nothing, or
 * is followed by its check, which does: an INSERT if the name has no row but rolled-back ones and the anchor
 * is still there, an UPDATE of one row if that is unfinished and says as many steps as are known. The last
 * three change what is finished. */
enum ledger_statement {
    LEDGER_INSERT_APPLIED,  /* id, checksum, name, started; its check: anchor */
    LEDGER_INSERT_NEXT,     /* the same, of several in one message, started when the one before was finished,
                               which must still be there: id, checksum, name, after */
    LEDGER_INSERT_STARTED,  /* id, checksum, name, logs, anchor */
    LEDGER_INSERT_STOPPED,  /* id, checksum, name, logs, steps: a row that was lost, as it has to be */
    LEDGER_INSERT_MARKED,   /* id, checksum, name: as "resolve --applied" does */
    LEDGER_INSERT_FAILED,   /* id, checksum, name, started, logs: failed and rolled back in one */
    LEDGER_REPEAT_FAILED,   /* checksum, name, logs: the same failure again; returns the rows it found */
    LEDGER_RESUME,          /* id, checksum, logs, before */
    LEDGER_PROGRESS,        /* id, steps, before */
    LEDGER_COMMIT,          /* the same, with what was done, in its transaction */
    LEDGER_FINISH,          /* id, before */
    LEDGER_STOP,            /* id, logs, before: failed halfway */
    LEDGER_ROLL_BACK,       /* name: marks its failed rows as rolled back; returns them */
    LEDGER_ROLL_BACK_ROW,   /* id, logs, before: this row failed and left nothing behind */
    LEDGER_TAKE_BACK,       /* name, logs: its rows that were finished without a step are rolled back, and are
                               not finished any more */
    LEDGER_ACCEPT,          /* id, checksum, stored: another checksum for an applied row */
    LEDGER_INSERT_BASELINE, /* name: a row that stands for all up to this one, in a ledger without any */
    LEDGER_REVERT, /* id, name, back, logs: its inverse has run: it is pending again, for its tool, too */
    LEDGER_STATEMENTS
};

/* What has to be true of the row once it is written, whatever triggers and rules the table has. */
enum ledger_check {
    CHECK_NONE,
    CHECK_APPLIED, /* id, checksum, name: it is there, finished and not rolled back, and alone as below */
    CHECK_ADDED,   /* id, checksum, name, anchor: the same, no other row of that name is there but rolled-back
                      ones, and the anchor is */
    CHECK_OPEN,    /* id, checksum, name: it is there, unfinished */
    CHECK_ALONE,   /* id, name: no other unfinished row has that name, which the next run would meet */
    CHECK_WRITTEN, /* id, checksum, name: it is there, finished and not rolled back */
    CHECK_NAMES,   /* names, count: so many rows of these names are there but rolled-back ones */
    CHECK_PLAIN,   /* nothing makes more rows than are written (triggers, rules), or hides some */
    CHECK_PENDING, /* name: it has no row but rolled-back ones */
    CHECK_BASELINE, /* name: the row that stands for it is there */
    CHECK_REVERTED, /* name, back: it counts as pending */
    LEDGER_CHECKS
};

struct ledger_write {
    const char *name; /* in errors and debug logs */
    const char *sql;
    int count; /* how many values it takes */
    enum row_value takes[ROW_VALUES];
    enum ledger_check check; /* what follows it */
};

/* The columns that the reading texts return. Start, steps and logs are set for unfinished rows, the last two
 * not at all, unless details are read. */
enum ledger_column {
    COLUMN_NAME,
    COLUMN_FINISHED,    /* boolean */
    COLUMN_ROLLED_BACK, /* boolean */
    COLUMN_CHECKSUM,
    COLUMN_ID,
    COLUMN_STARTED, /* as text, RFC 3339 */
    COLUMN_STEPS,
    COLUMN_LOGS,
    COLUMN_FINISHED_AT, /* as text, RFC 3339 */
    COLUMN_TOOK         /* milliseconds */
};

/* None of the reading ones but `row` takes a value. A ledger that keeps no attempts has no `row`. */
struct ledger_sql {
    const char *create;
    const char *names;     /* all columns, the checksum NULL; oldest first */
    const char *checksums; /* all columns; oldest first */
    const char *details;   /* the same, with everything about every row */
    const char *size;      /* "rows", "finished" and "rolled_back": how many. Any write changes one */
    const char
        *row; /* of id $1 and name $2, one row: whether there is one of that id, its steps, whether it
                 is finished, and rolled back; how many of that name are not rolled back, and rows in all */
    const struct ledger_write *writes; /* LEDGER_STATEMENTS of them; a NULL sql = it has no such */
    const struct ledger_write *checks; /* LEDGER_CHECKS of them */
};

#endif
