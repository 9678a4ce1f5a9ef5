#include "postgres/denial.h"

#include <string.h>

#include "base/memory.h"
#include "postgres/query.h"
#include "sql/scan.h"

enum { WORDS_MOST = 256, REMEDY_MOST = 1024 };

/* What the messages say (source: PostgreSQL, aclchk.c, aclcheck_error(); extension.c; user.c; acl.c). The
 * first match wins. */
static const struct {
    const char *words;
    enum denial_kind kind;
} MESSAGES[] = {
    { "permission denied for table ", DENIAL_RELATION },
    { "permission denied for view ", DENIAL_RELATION },
    { "permission denied for materialized view ", DENIAL_RELATION },
    { "permission denied for foreign table ", DENIAL_RELATION },
    { "permission denied for sequence ", DENIAL_SEQUENCE },
    { "permission denied for schema ", DENIAL_SCHEMA },
    { "permission denied for database ", DENIAL_DATABASE },
    { "permission denied for function ", DENIAL_ROUTINE },
    { "permission denied for procedure ", DENIAL_ROUTINE },
    { "permission denied for aggregate ", DENIAL_ROUTINE },
    { "permission denied for type ", DENIAL_TYPE },
    { "permission denied for domain ", DENIAL_TYPE },
    { "permission denied for language ", DENIAL_LANGUAGE },
    { "permission denied for foreign-data wrapper ", DENIAL_WRAPPER },
    { "permission denied for foreign server ", DENIAL_SERVER },
    { "permission denied for tablespace ", DENIAL_TABLESPACE },
    { "permission denied to set parameter ", DENIAL_PARAMETER },
    { "permission denied to create extension ", DENIAL_EXTENSION },
    { "permission denied to create event trigger ", DENIAL_SUPERUSER },
    { "permission denied to create role", DENIAL_CREATE_ROLE },
    { "permission denied to create database", DENIAL_CREATE_DATABASE },
    { "permission denied to set role ", DENIAL_MEMBER },
    { "must be able to SET ROLE ", DENIAL_MEMBER },
    { "must be member of role ", DENIAL_MEMBER },
    { "must be a member of the role ", DENIAL_MEMBER },
    { "must be owner of table ", DENIAL_OWNER },
    { "must be owner of view ", DENIAL_OWNER },
    { "must be owner of materialized view ", DENIAL_OWNER },
    { "must be owner of foreign table ", DENIAL_OWNER },
    { "must be owner of sequence ", DENIAL_OWNER },
    { "must be owner of index ", DENIAL_OWNER },
    { "must be owner of relation ", DENIAL_OWNER },
    { "must be owner of schema ", DENIAL_OWNER_OF_SCHEMA },
    { "must be owner of extension ", DENIAL_SUPERUSER }, /* it can't be given to another one */
    { "must be owner of ", DENIAL_OWNER_OF_OTHER },
    { "must be superuser", DENIAL_SUPERUSER },
};

/* clang-format off */

/* The privileges of the array `listed` that `check` does not find, as a list; null if none is missing. */
#define MISSING(check, listed)                                                                               \
    "(SELECT pg_catalog.string_agg(p, ', ') FROM pg_catalog.unnest(" listed ") AS p WHERE NOT " check ")"
/* Those that the statement shows to be needed ($2); where it shows none, the usual ones. */
#define NEEDED(check, usual) "COALESCE(" MISSING(check, "$2::pg_catalog.text[]") ", " MISSING(check, usual) ")"
#define BY_OWNER "As its owner or a superuser: GRANT "
#define USAGE(on)                                                                                            \
    "SELECT pg_catalog.format('" BY_OWNER "USAGE ON " on " %I TO %I;', $1::pg_catalog.text, CURRENT_USER), $2::pg_catalog.text"
#define BY_SUPERUSER "Let a superuser deploy this migration once, or do by hand what the statement does."
/* Who may grant or give away what belongs to role r; a member of pg_database_owner can't be named. */
#define OWNER_NAME                                                                                           \
    "CASE WHEN r.rolname OPERATOR(pg_catalog.=) 'pg_database_owner'"                                         \
    " THEN (SELECT pg_catalog.pg_get_userbyid(b.datdba) FROM pg_catalog.pg_database AS b"                    \
    "        WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) ELSE r.rolname END"
#define BELONGS                                                                                              \
    "'It belongs to %1$I: deploy as that role (--set-role), or as a superuser: GRANT %1$I TO %2$I; or ALTER "

/* $1 is the object's name, $2 what the statement needs, as an array. Each returns the sentence, or no row. */
static const struct query REMEDIES[DENIALS] = {
    [DENIAL_RELATION] = { .name = "denied_relation", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "%s ON %I.%I TO %I;', m.privileges, n.nspname, c.relname,"
        "                         CURRENT_USER)"
        "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " CROSS JOIN LATERAL (SELECT "
        NEEDED("pg_catalog.has_table_privilege(c.oid, p)", "ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']")
        ") AS m (privileges)"
        " WHERE c.relname OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog.\"char\"[]) AND m.privileges IS NOT NULL"
        " ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname LIMIT 1" },
    [DENIAL_SEQUENCE] = { .name = "denied_sequence", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "USAGE, SELECT ON SEQUENCE %I.%I TO %I;', n.nspname, c.relname,"
        "                         CURRENT_USER), $2::pg_catalog.text"
        "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.relname OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) 'S'"
        " ORDER BY pg_catalog.has_sequence_privilege(c.oid, 'USAGE'), n.nspname LIMIT 1" },
    [DENIAL_SCHEMA] = { .name = "denied_schema", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "%s ON SCHEMA %I TO %I;', m.privileges, n.nspname, CURRENT_USER)"
        "  FROM pg_catalog.pg_namespace AS n CROSS JOIN LATERAL (SELECT "
        NEEDED("pg_catalog.has_schema_privilege(n.oid, p)", "ARRAY['CREATE']") ") AS m (privileges)"
        " WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND m.privileges IS NOT NULL" },
    [DENIAL_DATABASE] = { .name = "denied_database", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "%s ON DATABASE %I TO %I;', m.privileges, d.datname,"
        "                         CURRENT_USER)"
        "  FROM pg_catalog.pg_database AS d CROSS JOIN LATERAL (SELECT "
        NEEDED("pg_catalog.has_database_privilege(d.oid, p)", "ARRAY['CREATE']") ") AS m (privileges)"
        " WHERE d.datname OPERATOR(pg_catalog.=) $1 AND m.privileges IS NOT NULL" },
    [DENIAL_ROUTINE] = { .name = "denied_routine", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "EXECUTE ON ROUTINE %s TO %I;', p.oid::pg_catalog.regprocedure,"
        "                         CURRENT_USER), $2::pg_catalog.text"
        "  FROM pg_catalog.pg_proc AS p WHERE p.proname OPERATOR(pg_catalog.=) $1"
        " ORDER BY pg_catalog.has_function_privilege(p.oid, 'EXECUTE') LIMIT 1" },
    [DENIAL_TYPE] = { .name = "denied_type", .parameters = 2, .sql = USAGE("TYPE") },
    /* The right to an untrusted one can't be granted (documentation, "GRANT"). */
    [DENIAL_LANGUAGE] = { .name = "denied_language", .parameters = 2, .sql =
        "SELECT CASE WHEN l.lanpltrusted THEN pg_catalog.format('" BY_OWNER "USAGE ON LANGUAGE %I TO %I;', l.lanname,"
        "         CURRENT_USER) ELSE '" BY_SUPERUSER "' END, $2::pg_catalog.text"
        "  FROM pg_catalog.pg_language AS l WHERE l.lanname OPERATOR(pg_catalog.=) $1" },
    [DENIAL_WRAPPER] = { .name = "denied_wrapper", .parameters = 2, .sql = USAGE("FOREIGN DATA WRAPPER") },
    [DENIAL_SERVER] = { .name = "denied_server", .parameters = 2, .sql = USAGE("FOREIGN SERVER") },
    [DENIAL_TABLESPACE] = { .name = "denied_tablespace", .parameters = 2, .sql =
        "SELECT pg_catalog.format('" BY_OWNER "CREATE ON TABLESPACE %I TO %I;', $1::pg_catalog.text, CURRENT_USER),"
        " $2::pg_catalog.text" },
    [DENIAL_PARAMETER] = { .name = "denied_parameter", .parameters = 2, .sql =
        "SELECT pg_catalog.format('As a superuser (version 15 or later): GRANT %s ON PARAMETER %I TO %I;',"
        "         CASE WHEN pg_catalog.cardinality($2::pg_catalog.text[]) OPERATOR(pg_catalog.>) 0"
        "              THEN pg_catalog.array_to_string($2::pg_catalog.text[], ', ') ELSE 'SET' END,"
        "         $1::pg_catalog.text, CURRENT_USER)" },
    /* A trusted one needs no superuser (documentation, "CREATE EXTENSION"). */
    [DENIAL_EXTENSION] = { .name = "denied_extension", .parameters = 2, .sql =
        "SELECT CASE WHEN pg_catalog.bool_or(e.trusted) THEN pg_catalog.format("
        "         'As the database''s owner or a superuser: GRANT CREATE ON DATABASE %I TO %I;',"
        "         pg_catalog.current_database(), CURRENT_USER)"
        "       ELSE pg_catalog.format('As a superuser, in this database: CREATE EXTENSION IF NOT EXISTS %I;',"
        "         $1::pg_catalog.text) END, $2::pg_catalog.text"
        "  FROM pg_catalog.pg_available_extension_versions AS e WHERE e.name OPERATOR(pg_catalog.=) $1" },
    [DENIAL_CREATE_ROLE] = { .name = "denied_role", .parameters = 2, .sql =
        "SELECT pg_catalog.format('As a superuser: ALTER ROLE %I CREATEROLE;', CURRENT_USER), $1::pg_catalog.text,"
        " $2::pg_catalog.text" },
    [DENIAL_CREATE_DATABASE] = { .name = "denied_create", .parameters = 2, .sql =
        "SELECT pg_catalog.format('As a superuser: ALTER ROLE %I CREATEDB;', CURRENT_USER), $1::pg_catalog.text,"
        " $2::pg_catalog.text" },
    [DENIAL_MEMBER] = { .name = "denied_member", .parameters = 2, .sql =
        "SELECT pg_catalog.format('As a superuser: GRANT %I TO %I;', $1::pg_catalog.text, CURRENT_USER), $2::pg_catalog.text" },
    /* An index belongs to whom its table belongs to. */
    [DENIAL_OWNER] = { .name = "denied_owner", .parameters = 2, .sql =
        "SELECT pg_catalog.format(" BELONGS "%3$s %4$I.%5$I OWNER TO %2$I;', " OWNER_NAME ", CURRENT_USER,"
        "         CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'VIEW' WHEN c.relkind OPERATOR(pg_catalog.=) 'm' THEN 'MATERIALIZED VIEW'"
        "                        WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN 'SEQUENCE' WHEN c.relkind OPERATOR(pg_catalog.=) 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,"
        "         n.nspname, COALESCE(t.relname, c.relname)), $2::pg_catalog.text"
        "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        "  JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) c.relowner"
        "  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid"
        "  LEFT JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid"
        " WHERE c.relname OPERATOR(pg_catalog.=) $1 AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')"
        " ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname LIMIT 1" },
    [DENIAL_OWNER_OF_SCHEMA] = { .name = "denied_schema_owner", .parameters = 2, .sql =
        "SELECT pg_catalog.format(" BELONGS "SCHEMA %3$I OWNER TO %2$I;', " OWNER_NAME ", CURRENT_USER, n.nspname),"
        " $2::pg_catalog.text"
        "  FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner"
        " WHERE n.nspname OPERATOR(pg_catalog.=) $1" },
    [DENIAL_OWNER_OF_OTHER] = { .name = "denied_other_owner", .parameters = 2, .sql =
        "SELECT pg_catalog.format('Deploy as its owner (--set-role), or let the owner or a superuser type: ALTER"
        " … OWNER TO %I;', CURRENT_USER), $1::pg_catalog.text, $2::pg_catalog.text" },
    [DENIAL_SUPERUSER] = { .name = "denied_superuser", .parameters = 2, .sql =
        "SELECT '" BY_SUPERUSER "',"
        " $1::pg_catalog.text, $2::pg_catalog.text" },
};

/* clang-format on */

bool denial_parse(const char *message, enum denial_kind *kind, char name[DENIAL_NAME_SIZE])
{
    for (size_t i = 0; i < array_length(MESSAGES); i++) {
        const char *found = strstr(message, MESSAGES[i].words);
        struct slice rest;

        if (found == NULL)
            continue;
        rest = slice_of(found + strlen(MESSAGES[i].words));
        if (rest.length >= 2 && rest.at[0] == '"' && rest.at[rest.length - 1] == '"') {
            rest.at++;
            rest.length -= 2;
        }
        if (rest.length >= DENIAL_NAME_SIZE)
            return false;
        memcpy(name, rest.at, rest.length);
        name[rest.length] = '\0';
        *kind = MESSAGES[i].kind;
        return true;
    }
    return false;
}

/* What a statement with such a word may need; NULL = any statement. UPDATE and DELETE read what their
 * conditions name. */
static const struct {
    enum denial_kind kind;
    const char *word;
    const char *privilege;
} NEEDS[] = {
    { DENIAL_RELATION, "select", "SELECT" },      { DENIAL_RELATION, "update", "SELECT" },
    { DENIAL_RELATION, "delete", "SELECT" },      { DENIAL_RELATION, "insert", "INSERT" },
    { DENIAL_RELATION, "update", "UPDATE" },      { DENIAL_RELATION, "delete", "DELETE" },
    { DENIAL_RELATION, "truncate", "TRUNCATE" },  { DENIAL_RELATION, "references", "REFERENCES" },
    { DENIAL_RELATION, "trigger", "TRIGGER" },    { DENIAL_SCHEMA, NULL, "USAGE" },
    { DENIAL_SCHEMA, "create", "CREATE" },        { DENIAL_SCHEMA, "alter", "CREATE" },
    { DENIAL_DATABASE, "temp", "TEMPORARY" },     { DENIAL_DATABASE, "temporary", "TEMPORARY" },
    { DENIAL_DATABASE, "schema", "CREATE" },      { DENIAL_DATABASE, "extension", "CREATE" },
    { DENIAL_DATABASE, "publication", "CREATE" }, { DENIAL_PARAMETER, "system", "ALTER SYSTEM" },
};

static bool has_word(struct slice statement, const char *word)
{
    struct scanner scanner = scanner_of(statement, true);

    for (;;) {
        struct token token = scan_token(&scanner);

        if (token.kind == TOKEN_END || token.kind >= TOKEN_UNTERMINATED_STRING)
            return false;
        if (scanner_is_word(&scanner, token, word))
            return true;
    }
}

void denial_add_privileges(enum denial_kind kind, struct slice statement, struct text *out)
{
    const char *last = "";

    text_add_string(out, "{");
    for (size_t i = 0; i < array_length(NEEDS); i++) {
        bool is_needed = statement.length == 0 || NEEDS[i].word == NULL || has_word(statement, NEEDS[i].word);

        if (NEEDS[i].kind != kind || !is_needed || strcmp(NEEDS[i].privilege, last) == 0)
            continue;
        text_add_format(out, "%s%s", last[0] == '\0' ? "" : ",", NEEDS[i].privilege);
        last = NEEDS[i].privilege;
    }
    text_add_string(out, "}");
}

/* The right alone would let it pass with a warning, and grant nothing (documentation, "GRANT"). */
static bool passes_rights_on(struct slice statement, const struct error *err)
{
    struct scanner scanner = scanner_of(statement, true);

    return strstr(err->message, "permission denied for ") != NULL &&
           (scan_word(&scanner, "grant") || scan_word(&scanner, "revoke"));
}

void denial_add_remedy(struct connection *conn, const struct error *err, struct slice statement,
                       struct text *out)
{
    auto_text struct text privileges = text_init(WORDS_MOST);
    auto_result struct result *row = NULL;
    char name[DENIAL_NAME_SIZE];
    enum denial_kind kind;
    struct error ignored;

    if (strcmp(err->sqlstate, "42501") != 0 || connection_is_lost(conn) ||
        connection_is_in_transaction(conn) || !denial_parse(err->message, &kind, name))
        return;
    if (passes_rights_on(statement, err)) {
        text_add_string(
            out,
            "Only its owner, a superuser, or a role that has the right WITH GRANT OPTION can pass it on: "
            "deploy as one of them (--set-role).");
        return;
    }
    denial_add_privileges(kind, statement, &privileges);
    if (query_run(conn, &REMEDIES[kind], (const char *const[]) { name, privileges.at }, &row, &ignored) &&
        result_rows(row) > 0)
        text_add_string(out, result_text(row, 0, 0));
}

bool denial_explain(struct connection *conn, const char *statement, struct error *err)
{
    auto_text struct text remedy = text_init(REMEDY_MOST);

    denial_add_remedy(conn, err, slice_of(statement), &remedy);
    return remedy.length > 0 ? error_hint(err, "%s", remedy.at) : false;
}
