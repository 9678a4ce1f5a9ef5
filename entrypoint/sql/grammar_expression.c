#include "sql/grammar_tree.h"

static const char *const VOLATILE_FUNCTIONS[] = {
    "clock_timestamp",  "currval",
    "gen_random_bytes", "gen_random_uuid",
    "gen_salt",         "lastval",
    "nextval",          "pg_sleep",
    "random",           "random_normal",
    "setval",           "timeofday",
    "uuid_generate_v1", "uuid_generate_v1mc",
    "uuid_generate_v4", "uuid_generate_v7",
    "uuidv4",           "uuidv7",
};

/* Stable or immutable: evaluated once for all rows. */
static const char *const STEADY_FUNCTIONS[] = {
    "abs",
    "age",
    "array_agg",
    "array_fill",
    "array_length",
    "avg",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "concat",
    "concat_ws",
    "count",
    "current_database",
    "current_schema",
    "current_setting",
    "date_part",
    "date_trunc",
    "decode",
    "digest",
    "encode",
    "exists",
    "floor",
    "format",
    "generate_series",
    "get_byte",
    "initcap",
    "int4range",
    "json_agg",
    "json_build_array",
    "json_build_object",
    "jsonb_agg",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_array_length",
    "jsonb_set",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_timestamp",
    "max",
    "md5",
    "min",
    "now",
    "octet_length",
    "position",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rpad",
    "rtrim",
    "sha256",
    "split_part",
    "statement_timestamp",
    "string_agg",
    "string_to_array",
    "substr",
    "substring",
    "sum",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsvector",
    "transaction_timestamp",
    "trim",
    "trunc",
    "txid_current",
    "unnest",
    "upper",
    "uuid_nil",
    "version",
};

static const char *const KNOWN_TYPES[] = {
    "bigint",         "bit",         "bool",           "boolean",        "box",
    "bpchar",         "bytea",       "char",           "cidr",           "circle",
    "citext",         "date",        "daterange",      "datemultirange", "float4",
    "float8",         "geography",   "geometry",       "halfvec",        "hstore",
    "inet",           "int",         "int2",           "int4",           "int4range",
    "int4multirange", "int8",        "int8range",      "int8multirange", "integer",
    "interval",       "json",        "jsonb",          "jsonpath",       "line",
    "lseg",           "ltree",       "macaddr",        "macaddr8",       "money",
    "name",           "numeric",     "numrange",       "nummultirange",  "oid",
    "path",           "pg_lsn",      "point",          "polygon",        "regclass",
    "regtype",        "smallint",    "sparsevec",      "text",           "time",
    "timestamp",      "timestamptz", "timetz",         "tsquery",        "tsrange",
    "tsmultirange",   "tstzrange",   "tstzmultirange", "tsvector",       "txid_snapshot",
    "uuid",           "varbit",      "varchar",        "vector",         "xml",
};

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

bool type_is_known(const TypeName *type)
{
    struct relation name = relation_of_names(type == NULL ? NIL : type->names);

    return strcmp(name.schema, "pg_catalog") == 0 || is_in(KNOWN_TYPES, array_length(KNOWN_TYPES), name.name);
}

/* Deeper expressions are not looked into: the stack has an end. */
enum { DEPTH_MOST = 2000 };

struct functions {
    unsigned traits;
    char *word;
    int depth;
};

static bool look(Node *node, void *context)
{
    struct functions *found = context;
    struct relation name;
    bool is_over;

    if (node == NULL)
        return false;
    if (found->depth == DEPTH_MOST) {
        found->traits |= TRAIT_OWN_FUNCTION;
        return true;
    }
    /* WITH … AS (DELETE …): what a query says that is none. */
    if (IsA(node, InsertStmt) || IsA(node, UpdateStmt) || IsA(node, DeleteStmt) || IsA(node, MergeStmt)) {
        found->traits |= TRAIT_OWN_FUNCTION;
        return false;
    }
    if (IsA(node, FuncCall)) {
        name = relation_of_names(((FuncCall *)node)->funcname);
        if (is_in(VOLATILE_FUNCTIONS, array_length(VOLATILE_FUNCTIONS), name.name)) {
            found->traits |= TRAIT_VOLATILE;
            identifier_copy(found->word, name.name);
        } else if (!is_in(STEADY_FUNCTIONS, array_length(STEADY_FUNCTIONS), name.name)) {
            found->traits |= TRAIT_OWN_FUNCTION;
            if ((found->traits & TRAIT_VOLATILE) == 0)
                identifier_copy(found->word, name.name);
        }
    }
    found->depth++;
    is_over = raw_expression_tree_walker(node, look, context);
    found->depth--;
    return is_over;
}

unsigned expression_traits(Node *expression, char word[IDENTIFIER_SIZE])
{
    struct functions found = { .word = word };

    (void)look(expression, &found);
    return found.traits;
}
