/*
 * The SQL of a dialect's ledger, and which values each statement takes.
 *
 * {ledger} in a text is the table, with its schema, quoted. Every other value is a parameter, as text. A
 * statement lists the values that it takes in the order of its $1, $2, …: the caller passes what is known of
 * the row, and need not know which of it this tool stores.
 */
#ifndef DIALECT_LEDGER_SQL_H
#define DIALECT_LEDGER_SQL_H

/* What is known of a row to be written. */
enum row_value {
    ROW_ID,
    ROW_CHECKSUM,
    ROW_NAME,
    ROW_STARTED, /* seconds since 1970, the server's */
    ROW_LOGS,
    ROW_STEPS, /* statements done */
    ROW_VALUES
};

/* The statements that write. Every time is the server's clock at that moment, not its transaction's start. */
enum ledger_statement {
    LEDGER_INSERT_APPLIED, /* id, checksum, name, started */
    LEDGER_INSERT_STARTED, /* id, checksum, name, logs */
    LEDGER_INSERT_MARKED,  /* id, checksum, name: as "resolve --applied" does */
    LEDGER_INSERT_FAILED,  /* id, checksum, name, started, logs: failed and rolled back in one */
    LEDGER_REPEAT_FAILED,  /* checksum, name, logs: the same failure again; returns the rows it found */
    LEDGER_RESUME,         /* id, checksum, logs */
    LEDGER_PROGRESS,       /* id, steps */
    LEDGER_FINISH,         /* id */
    LEDGER_STOP,           /* id, logs: failed halfway */
    LEDGER_ROLL_BACK,      /* name: marks its failed rows as rolled back; returns them */
    LEDGER_ROLL_BACK_ROW,  /* id, logs: this row failed and left nothing behind */
    LEDGER_STATEMENTS
};

struct ledger_write {
    const char *name; /* in errors and debug logs */
    const char *sql;
    int count; /* how many values it takes */
    enum row_value takes[ROW_VALUES];
};

/* The columns that the reading texts return. The last four are set for unfinished rows only. */
enum ledger_column {
    COLUMN_NAME,
    COLUMN_FINISHED,    /* boolean */
    COLUMN_ROLLED_BACK, /* boolean */
    COLUMN_CHECKSUM,
    COLUMN_ID,
    COLUMN_STARTED, /* as text, UTC */
    COLUMN_STEPS,
    COLUMN_LOGS
};

/* None of them takes a value. */
struct ledger_sql {
    const char *create;
    const char *glance;    /* the first three columns, in any order of rows */
    const char *names;     /* all columns, the checksum NULL; oldest first */
    const char *checksums; /* all columns; oldest first */
    const char *size;      /* "rows", "finished" and "rolled_back": how many. Any write changes one */
    struct ledger_write writes[LEDGER_STATEMENTS];
};

#endif
