#include "dialect/flyway_ledger.h"

#include <inttypes.h>
#include <stdio.h>

#include "dialect/tool_ledger.h"

/* clang-format off */

#define IS(one, other) one " OPERATOR(pg_catalog.=) " other
#define AND_THEN(one, other) "(" one " OPERATOR(pg_catalog.||) " other ")"

/* A version with no zeros before its numbers, and none at its end. */
#define NORMAL                                                                                               \
    "pg_catalog.regexp_replace(pg_catalog.regexp_replace(version, '(^|[.])0+(?=[0-9])', E'\\\\1', 'g'),"      \
    " E'([.]0)+\\\\Z', '')"

/* What a row is called here (flyway_name.h). */
#define KEY                                                                                                  \
    "CASE WHEN version IS NULL THEN " AND_THEN("'R__'", "pg_catalog.replace(description, ' ', '_')")         \
    " WHEN " IS("type", "'BASELINE'") " THEN " AND_THEN("'baseline '", NORMAL)                               \
    " WHEN type OPERATOR(pg_catalog.=) ANY ('{SQL_BASELINE,JDBC_BASELINE,SQL_STATE_SCRIPT,JDBC_STATE_SCRIPT}'::pg_catalog.text[])" \
    " THEN " AND_THEN("'B'", NORMAL) " ELSE " NORMAL " END"

#define TAKES_BACK(type) "(" IS(type, "'DELETE'") " OR pg_catalog.starts_with(" type ", 'UNDO'))"

/* The rows that count: not the one that says that Flyway made the schema, and none that another has taken
 * back. */
#define ROWS                                                                                                 \
    " FROM (SELECT f.installed_rank, " KEY " AS key, f.checksum::pg_catalog.text AS checksum, f.success,"    \
    " f.installed_on::timestamp with time zone AS installed_on, f.execution_time FROM {ledger} AS f"         \
    "  WHERE f.type OPERATOR(pg_catalog.<>) 'SCHEMA' AND NOT " TAKES_BACK("f.type")                          \
    " AND NOT EXISTS (SELECT FROM {ledger} AS d WHERE d.success AND " TAKES_BACK("d.type")                   \
    " AND d.installed_rank OPERATOR(pg_catalog.>) f.installed_rank AND (" IS("d.version", "f.version")       \
    " OR (d.version IS NULL AND f.version IS NULL AND " IS("d.description", "f.description") ")))) AS r"

/* The last condition of a marked one is nobody's failure: Flyway writes such a row only for what it did not
 * run in a transaction. */
#define READ(at, took)                                                                                       \
    "SELECT key, success, false, checksum, key,"                                                             \
    " CASE WHEN NOT success THEN " TOOL_RFC_3339("installed_on") " END, 0,"                                  \
    " CASE WHEN NOT success THEN 'Flyway has recorded that it failed.' END, " at ", " took                   \
    ROWS " ORDER BY installed_rank"

#define READ_PLAIN READ("NULL", "NULL")

/* Of the file $2, whose key is $1. */
#define IS_REPEATABLE "pg_catalog.starts_with($1::pg_catalog.text, 'R')"
#define FILE_NAME "pg_catalog.regexp_replace($2::pg_catalog.text, '^.*/', '')"
#define VERSION                                                                                              \
    "CASE WHEN NOT " IS_REPEATABLE " THEN pg_catalog.replace(pg_catalog.split_part(pg_catalog.regexp_replace(" \
    "pg_catalog.substr(" FILE_NAME ", 2), '[.][^.0-9][^.]*$', ''), '__', 1), '_', '.') END"

#define INSERT_WITH(more)                                                                                    \
    "INSERT INTO {ledger} (installed_rank, version, description, type, script, checksum, installed_by,"      \
    " execution_time, success" more ") SELECT COALESCE(pg_catalog.max(installed_rank), 0) OPERATOR(pg_catalog.+) 1, "
#define INSERT INSERT_WITH("")

#define VALUES_OF_SCRIPT(took)                                                                               \
    VERSION ", $3::pg_catalog.text, CASE WHEN pg_catalog.starts_with($1::pg_catalog.text, 'B')"       \
    " THEN 'SQL_BASELINE' ELSE 'SQL' END, $2::pg_catalog.text, $4::pg_catalog.int4, CURRENT_USER, " took     \
    ", true"
#define SCRIPT(took) INSERT VALUES_OF_SCRIPT(took) " FROM {ledger}"

#define TOOK(started)                                                                                        \
    "GREATEST(0, ((EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.float8 OPERATOR(pg_catalog.-) "          \
    started "::pg_catalog.float8) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int4)"

/* Since the newest row was written, or, where $5 is NULL, the message began. */
#define TOOK_NEXT                                                                                            \
    "GREATEST(0, (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"                    \
    " CASE WHEN $5::pg_catalog.text IS NULL THEN pg_catalog.now()"                                           \
    " ELSE pg_catalog.max(installed_on)::timestamp with time zone END)"                                      \
    " OPERATOR(pg_catalog.*) 1000)::pg_catalog.int4)"

#define COUNT(condition) "pg_catalog.count(*) FILTER (WHERE " condition ")"

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", SCRIPT(TOOK("$5")),
        5, { ROW_NAME, ROW_FILE, ROW_DESCRIPTION, ROW_CHECKSUM, ROW_STARTED }, CHECK_ADDED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next", 
        INSERT_WITH(", installed_on") VALUES_OF_SCRIPT(TOOK_NEXT) ", pg_catalog.clock_timestamp() FROM {ledger}",
        5, { ROW_NAME, ROW_FILE, ROW_DESCRIPTION, ROW_CHECKSUM, ROW_AFTER }, CHECK_ADDED },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked", SCRIPT("0"),
        4, { ROW_NAME, ROW_FILE, ROW_DESCRIPTION, ROW_CHECKSUM }, CHECK_ADDED },
    /* As its command baseline does. */
    [LEDGER_INSERT_BASELINE] = { "ledger_insert_baseline",
        INSERT VERSION ", '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, CURRENT_USER, 0, true FROM {ledger}",
        2, { ROW_NAME, ROW_FILE }, CHECK_BASELINE },
    [LEDGER_FINISH] = { "ledger_finish_applied", SCRIPT(TOOK("$5")),
        5, { ROW_NAME, ROW_FILE, ROW_DESCRIPTION, ROW_CHECKSUM, ROW_STARTED }, CHECK_ADDED },
    /* As its command repair does. */
    [LEDGER_ROLL_BACK] = { "ledger_roll_back",
        "DELETE FROM {ledger} WHERE NOT success AND " IS("(" KEY ")", "$1::pg_catalog.text") " RETURNING installed_rank",
        1, { ROW_NAME }, CHECK_NONE },
    [LEDGER_ACCEPT] = { "ledger_accept",
        "UPDATE {ledger} SET checksum = $2::pg_catalog.int4 WHERE installed_rank OPERATOR(pg_catalog.=)"
        " (SELECT pg_catalog.max(r.installed_rank)" ROWS " WHERE r.success AND " IS("r.key", "$1::pg_catalog.text") ")"
        " AND checksum OPERATOR(pg_catalog.=) $3::pg_catalog.int4",
        3, { ROW_NAME, ROW_CHECKSUM, ROW_STORED }, CHECK_APPLIED },
};

/* The row of the command baseline for such a key. */
#define STANDING_FOR(key) AND_THEN("'baseline '", "pg_catalog.ltrim(" key "::pg_catalog.text, 'B')")

#define IS_KEY IS("key", "$1::pg_catalog.text")

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    /* The newest row is its own, and, unless it is a repeatable, the only one. */
    [CHECK_ADDED] = { .name = "ledger_check_added",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) ("
               "(pg_catalog.array_agg(key ORDER BY installed_rank DESC))[1] OPERATOR(pg_catalog.=) $1::pg_catalog.text"
               " AND " COUNT(IS_KEY " AND success AND " IS("checksum", "$3::pg_catalog.text")) " OPERATOR(pg_catalog.>) 0"
               " AND (" IS_REPEATABLE " OR " COUNT(IS_KEY) " OPERATOR(pg_catalog.=) 1)"
               " AND ($2::pg_catalog.text IS NULL OR " COUNT(IS("key", "$2::pg_catalog.text") " OR " IS("key", STANDING_FOR("$2"))) " OPERATOR(pg_catalog.>) 0)"
               ")::pg_catalog.int4" ROWS,
        .count = 3, .takes = { ROW_NAME, ROW_ANCHOR, ROW_CHECKSUM } },
    [CHECK_APPLIED] = { .name = "ledger_check_applied",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) ("
               "(pg_catalog.array_agg(checksum ORDER BY installed_rank DESC))[1] OPERATOR(pg_catalog.=) $2::pg_catalog.text"
               " AND pg_catalog.bool_and(success))::pg_catalog.int4" ROWS " WHERE " IS_KEY,
        .count = 2, .takes = { ROW_NAME, ROW_CHECKSUM } },
    [CHECK_BASELINE] = { .name = "ledger_check_baseline",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (" COUNT("success AND "
               IS("key", STANDING_FOR("$1")))
               " OPERATOR(pg_catalog.=) 1)::pg_catalog.int4" ROWS,
        .count = 1, .takes = { ROW_NAME } },
};

const struct ledger_sql FLYWAY_LEDGER = {
    .create =
        "CREATE TABLE {ledger} (\"installed_rank\" INT NOT NULL, \"version\" VARCHAR(50),"
        " \"description\" VARCHAR(200) NOT NULL, \"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT NULL,"
        " \"checksum\" INTEGER, \"installed_by\" VARCHAR(100) NOT NULL,"
        " \"installed_on\" TIMESTAMP NOT NULL DEFAULT pg_catalog.now(), \"execution_time\" INTEGER NOT NULL,"
        " \"success\" BOOLEAN NOT NULL);"
        "ALTER TABLE {ledger} ADD CONSTRAINT \"{name}_pk\" PRIMARY KEY (\"installed_rank\");"
        "CREATE INDEX \"{name}_s_idx\" ON {ledger} (\"success\")",
    .names = READ_PLAIN,
    .checksums = READ_PLAIN,
    .details = READ(TOOL_RFC_3339("installed_on"), "execution_time"),
    .size = "SELECT pg_catalog.count(*) AS rows, " COUNT("success") " AS finished, 0 AS rolled_back" ROWS,
    .writes = WRITES,
    .checks = CHECKS,
};

/* clang-format on */

/* Of UTF-16, whose letters beyond the first plane are two. */
static void add_letter(uint32_t *hash, uint32_t letter)
{
    enum { FACTOR = 31, PLANE = 0x10000, HIGH = 0xD800, LOW = 0xDC00, HALF_BITS = 10, HALF = 0x3FF };

    if (letter < PLANE) {
        *hash = FACTOR * *hash + letter;
        return;
    }
    *hash = FACTOR * *hash + HIGH + ((letter - PLANE) >> HALF_BITS);
    *hash = FACTOR * *hash + LOW + ((letter - PLANE) & HALF);
}

static uint32_t letter_at(const char *at, size_t length)
{
    static const unsigned char heads[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    enum { TAIL = 0x3F, TAIL_BITS = 6 };
    uint32_t letter = (unsigned char)at[0] & heads[length];

    for (size_t i = 1; i < length; i++)
        letter = letter << TAIL_BITS | ((unsigned char)at[i] & TAIL);
    return letter;
}

static uint32_t java_hash(struct slice text)
{
    uint32_t hash = 0;

    for (size_t at = 0; at < text.length;) {
        const size_t length = utf8_length(text.at + at, text.length - at);

        add_letter(&hash, length == 0 ? (unsigned char)text.at[at] : letter_at(text.at + at, length));
        at += length == 0 ? 1 : length;
    }
    return hash;
}

static void add_quoted(const char *name, struct text *out)
{
    text_add_string(out, "\"");
    for (; *name != '\0'; name++)
        text_add(out, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    text_add_string(out, "\"");
}

void flyway_keys_of(const struct ledger_place *place, struct tool_keys *out)
{
    static const int64_t base = 77431708279161; /* "Flyway" */
    auto_text struct text table = text_init(KEY_SIZE);

    add_quoted(place->schema, &table);
    text_add_string(&table, ".");
    add_quoted(place->table, &table);
    (void)snprintf(out->keys[0], LOCK_KEY_SIZE, "%" PRId64, base + (int32_t)java_hash(text_slice(&table)));
    out->count = 1;
}
