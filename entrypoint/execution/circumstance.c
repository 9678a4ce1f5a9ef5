#include "execution/circumstance.h"

#include <string.h>

#include "base/memory.h"
#include "execution/advice.h"
#include "execution/presence.h"
#include "postgres/denial.h"
#include "postgres/query.h"
#include "postgres/setting_source.h"
#include "sql/quote.h"
#include "sql/session_statement.h"

enum { TEXT_MOST = 1024, OBJECT_SIZE = 128 };

/* What is being found out; the texts of `facts` point here. */
struct inquiry {
    const struct execution *execution;
    struct error *err;
    struct advice_facts facts;
    struct text remedy;
    char role[OBJECT_SIZE];
    char object[OBJECT_SIZE];
    char absent[PRESENCE_NAME_SIZE];
    char value[32];
    char limit[32];
};

/* The server's message, without what was put before it. */
static const char *server_message(const struct inquiry *inquiry)
{
    static const char before[] = "\" failed: ";
    const char *found = strstr(inquiry->err->message, before);

    return found == NULL ? inquiry->err->message : found + strlen(before);
}

/* The statement that the error points at, or the whole script. */
static struct slice failed_statement(const struct execution *execution, const struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    const char *end = execution->script.at + execution->script.length;
    const char *at = execution->script.at;
    struct statement statement;
    struct error ignored;
    size_t offset;

    if (err->place.line == 0)
        return execution->script;
    for (size_t line = 1; line < err->place.line && at != NULL; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL)
        return execution->script;
    offset = (size_t)(at - execution->script.at) + utf8_offset(at, (size_t)(end - at), err->place.column - 1);
    while (script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT) {
        if (offset < statement.end)
            return execution_text(execution, &statement);
    }
    return execution->script;
}

/* Whose rights would be looked at after the rollback are those of the role that deploys. */
static bool changes_role(const struct execution *execution)
{
    static const char *const signs[] = { "set role", "set local role", "set session role",
                                         "session authorization" };

    for (size_t i = 0; i < array_length(signs); i++) {
        if (session_statement_mentions(execution->script, signs[i]))
            return true;
    }
    return false;
}

static void find_remedy(struct inquiry *inquiry)
{
    if (changes_role(inquiry->execution)) {
        inquiry->facts.known |= ADVICE_OTHER_ROLE;
        return;
    }
    denial_add_remedy(inquiry->execution->conn, inquiry->err,
                      failed_statement(inquiry->execution, inquiry->err), &inquiry->remedy);
    if (inquiry->remedy.length > 0)
        inquiry->facts.known |= ADVICE_REMEDY;
}

static void find_blocker(struct inquiry *inquiry)
{
    const struct lock_wait *wait = &inquiry->execution->lock_wait;
    const struct blockers *seen = &inquiry->execution->watch->blockers;

    blockers_add_remedy(wait->blockers.count > 0 ? &wait->blockers : seen, &inquiry->remedy);
    if (inquiry->remedy.length > 0)
        inquiry->facts.known |= ADVICE_REMEDY;
}

/* How much of what the script creates is there. */
static void find_creations(struct inquiry *inquiry)
{
    struct presence found;

    if (!presence_find(inquiry->execution, &found))
        return;
    inquiry->facts.compared = found.has_columns ? "By names, columns and their types" : "By names";
    inquiry->facts.known |= found.there == 0             ? ADVICE_NONE_THERE
                            : found.there == found.count ? ADVICE_ALL_THERE
                                                         : ADVICE_SOME_THERE;
    text_copy_cut(inquiry->absent, sizeof inquiry->absent, found.absent);
}

/* The text between `before` and the first byte of `end` after it. False if there is none. */
static bool between(const char *text, const char *before, const char *end, char out[OBJECT_SIZE])
{
    const char *found = strstr(text, before);
    size_t length;

    if (found == NULL)
        return false;
    found += strlen(before);
    length = strcspn(found, end);
    if (length == 0 || length >= OBJECT_SIZE || found[length] == '\0')
        return false;
    memcpy(out, found, length);
    out[length] = '\0';
    return true;
}

/* What is there is what an interrupted CREATE INDEX CONCURRENTLY left. */
static void find_invalid_index(struct inquiry *inquiry)
{
    static const struct query invalid = {
        .name = "invalid_index",
        .parameters = 1,
        .sql =
            "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname)"
            "  FROM pg_catalog.pg_index AS i"
            "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
            "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE c.relname OPERATOR(pg_catalog.=) $1 AND NOT i.indisvalid"
            "   AND c.relkind OPERATOR(pg_catalog.=) 'i'",
    };
    const char *parameters[] = { inquiry->object };
    auto_result struct result *rows = NULL;
    struct error ignored;

    if (!between(server_message(inquiry), "\"", "\"", inquiry->object) ||
        !query_run(inquiry->execution->conn, &invalid, parameters, &rows, &ignored) || result_rows(rows) != 1)
        return;
    text_add_string(&inquiry->remedy, result_text(rows, 0, 0));
    inquiry->facts.known |= ADVICE_INVALID | ADVICE_REMEDY;
}

static void find_history(struct inquiry *inquiry)
{
    const struct ledger *ledger = inquiry->execution->ledger;
    bool is_empty = inquiry->execution->failure.names.before == 0;

    for (size_t i = 0; is_empty && i < ledger->count; i++)
        is_empty = !ledger->rows[i].is_finished || ledger->rows[i].is_rolled_back;
    find_invalid_index(inquiry);
    inquiry->facts.known |= is_empty ? ADVICE_LEDGER_EMPTY : 0;
    inquiry->facts.known |= inquiry->execution->is_folder_behind ? ADVICE_MISSING : 0;
    find_creations(inquiry);
}

/* Which limit ended the statement: ours, one of the role or the server, or somebody's cancel. */
static void find_limit(struct inquiry *inquiry)
{
    static const struct query limit = {
        .name = "statement_timeout",
        .sql =
            "SELECT setting::bigint, source FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'statement_timeout'",
    };
    auto_result struct result *result = NULL;
    int64_t ms = inquiry->execution->settings.statement_timeout_ms;
    struct error ignored;

    if ((inquiry->facts.known & ADVICE_MIGRATION_LIMIT) != 0) {
        find_blocker(inquiry);
        return;
    }
    inquiry->facts.setter = "set by tidelock's --statement-timeout or the script's directive";
    if (ms <= 0 && query_run(inquiry->execution->conn, &limit, NULL, &result, &ignored) &&
        result_rows(result) == 1) {
        ms = result_number(result, 0, 0);
        inquiry->facts.setter = setting_source_text(result_text(result, 0, 1));
    }
    if (ms <= 0)
        return;
    inquiry->facts.limit = duration_text(ms, inquiry->limit, sizeof inquiry->limit);
    inquiry->facts.known |= ADVICE_LIMIT;
}

/* A full table of locks has the same code as memory that has run out; its hint names the setting, in every
 * language. */
static void find_lock_table(struct inquiry *inquiry)
{
    static const struct query setting = {
        .name = "max_locks",
        .sql = "SELECT pg_catalog.current_setting('max_locks_per_transaction')",
    };
    auto_result struct result *row = NULL;
    struct error ignored;

    if (strstr(inquiry->err->hint, "max_locks_per_transaction") == NULL ||
        !query_run(inquiry->execution->conn, &setting, NULL, &row, &ignored))
        return;
    inquiry->facts.known |= ADVICE_LOCK_TABLE;
    text_copy_cut(inquiry->value, sizeof inquiry->value, result_text(row, 0, 0));
}

/* The server has not got its files. */
static void find_extension_files(struct inquiry *inquiry)
{
    const char *said = server_message(inquiry);

    if (between(said, "extension \"", "\"", inquiry->object) ||
        between(said, "/extension/", ".", inquiry->object))
        inquiry->facts.known |= ADVICE_EXTENSION;
}

/* Extensions by what they define, where the names differ; a type usually has the extension's name. */
static const struct {
    const char *name; /* ends with "_" where all that begin so do */
    const char *extension;
} DEFINED[] = {
    { "uuid_generate_v1", "uuid-ossp" },
    { "uuid_generate_v1mc", "uuid-ossp" },
    { "uuid_generate_v3", "uuid-ossp" },
    { "uuid_generate_v4", "uuid-ossp" },
    { "uuid_generate_v5", "uuid-ossp" },
    { "gen_random_bytes", "pgcrypto" },
    { "gen_random_uuid", "pgcrypto" },
    { "gen_salt", "pgcrypto" },
    { "crypt", "pgcrypto" },
    { "digest", "pgcrypto" },
    { "hmac", "pgcrypto" },
    { "pgp_", "pgcrypto" },
    { "similarity", "pg_trgm" },
    { "gin_trgm_ops", "pg_trgm" },
    { "gist_trgm_ops", "pg_trgm" },
    { "geometry", "postgis" },
    { "geography", "postgis" },
    { "st_", "postgis" },
    { "vector", "vector" },
    { "halfvec", "vector" },
    { "unaccent", "unaccent" },
};

static bool is_defined_as(const char *object, const char *name)
{
    return name[strlen(name) - 1] == '_' ? slice_starts_with(slice_of(object), name)
                                         : strcmp(object, name) == 0;
}

/* A type, a function or an operator class that does not exist, because its extension was not created. */
static void find_extension(struct inquiry *inquiry)
{
    static const struct query available = {
        .name = "available_extension",
        .parameters = 1,
        .sql =
            "SELECT e.installed_version IS NULL FROM pg_catalog.pg_available_extensions AS e WHERE e.name OPERATOR(pg_catalog.=) $1",
    };
    const char *said = server_message(inquiry);
    auto_result struct result *row = NULL;
    const char *parameters[] = { inquiry->object };
    struct error ignored;

    if (!between(said, "\"", "\"", inquiry->object) && !between(said, "function ", "(", inquiry->object))
        return;
    for (size_t i = 0; i < array_length(DEFINED); i++) {
        if (is_defined_as(inquiry->object, DEFINED[i].name)) {
            text_copy_cut(inquiry->object, sizeof inquiry->object, DEFINED[i].extension);
            inquiry->facts.known |= ADVICE_EXTENSION;
            break;
        }
    }
    if (!query_run(inquiry->execution->conn, &available, parameters, &row, &ignored) || result_rows(row) == 0)
        return;
    if (result_bool(row, 0, 0))
        inquiry->facts.known |= ADVICE_EXTENSION | ADVICE_AVAILABLE;
    else
        inquiry->facts.known &= ~(unsigned)ADVICE_EXTENSION; /* it is there, so that is not the reason */
}

/* What to find out for which code. */
static const struct {
    const char *code;
    void (*find)(struct inquiry *inquiry);
} FINDERS[] = {
    { "42P07", find_history },   { "42701", find_history },         { "42710", find_history },
    { "42P06", find_history },   { "42723", find_history },         { "42P04", find_history },
    { "42501", find_remedy },    { "57014", find_limit },           { "53200", find_lock_table },
    { "55P03", find_blocker },   { "0A000", find_extension_files }, { "58P01", find_extension_files },
    { "42704", find_extension }, { "42883", find_extension },
};

static void find_role(struct inquiry *inquiry)
{
    static const struct query role = { .name = "current_role", .sql = "SELECT CURRENT_USER" };
    auto_result struct result *row = NULL;
    struct error ignored;

    if (query_run(inquiry->execution->conn, &role, NULL, &row, &ignored))
        text_copy_cut(inquiry->role, sizeof inquiry->role, result_text(row, 0, 0));
}

static void find_out(struct inquiry *inquiry)
{
    bool is_late = strcmp(inquiry->err->sqlstate, "57014") == 0 && deadline_passed(inquiry->execution->until);

    /* A cancelled statement, though the server could not be heard to say so. */
    if (is_late || inquiry->err->sqlstate[0] == '\0') {
        inquiry->facts.sqlstate = "57014";
        inquiry->facts.known |= ADVICE_MIGRATION_LIMIT;
    }
    if (connection_is_lost(inquiry->execution->conn) ||
        connection_is_in_transaction(inquiry->execution->conn))
        return;
    find_role(inquiry);
    for (size_t i = 0; i < array_length(FINDERS); i++) {
        if (strcmp(FINDERS[i].code, inquiry->err->sqlstate) == 0)
            FINDERS[i].find(inquiry);
    }
}

bool circumstance_add_advice(const struct execution *execution, struct error *err, struct text *out)
{
    struct inquiry inquiry = { .execution = execution, .err = err, .remedy = text_init(TEXT_MOST) };
    struct advice_facts *facts = &inquiry.facts;

    *facts = (struct advice_facts) { .sqlstate = err->sqlstate,
                                     .script = execution->migration->script_path,
                                     .name = execution->migration->name,
                                     .role = inquiry.role,
                                     .limit = "",
                                     .setter = "",
                                     .object = inquiry.object,
                                     .value = inquiry.value,
                                     .more_time = execution_more_time(execution),
                                     .absent = inquiry.absent };
    if (!execution->ledger->dialect->has_checksums || execution->migration->is_inverse)
        facts->known |= ADVICE_UNSEEN;
    if (execution->mode == MODE_BACKFILL && execution->failure.names.persists[0] != '\0')
        facts->known |= ADVICE_BACKFILL;
    find_out(&inquiry);
    facts->remedy = inquiry.remedy.at;
    (void)advice_add(facts, out);
    text_clear(&inquiry.remedy);
    return (facts->known & ADVICE_SOME_THERE) != 0;
}
