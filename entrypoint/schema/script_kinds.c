#include "schema/script_say.h"

/* A kind whose facts do not say enough to make one, and how it is dropped. */
void unknown_create(struct delta *delta, struct change *change)
{
    delta_refuse(delta, change, "its facts do not say all that is needed to create it");
}

static void drop_as(struct delta *delta, const struct change *change, const char *what)
{
    say(delta, "DROP %s %s;\n", what, change->name);
}

void cast_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP CAST (%s);\n", change->name);
}

void operator_drop(struct delta *delta, struct change *change)
{
    delta_refuse(delta, change, "how an operator is dropped cannot be written yet");
}

void text_search_drop(struct delta *delta, struct change *change)
{
    drop_as(delta, change, "TEXT SEARCH CONFIGURATION");
}

void server_drop(struct delta *delta, struct change *change)
{
    drop_as(delta, change, "SERVER");
}

#define OF_TABLE (KIND_PIECE | KIND_IS_DEAF)

/* In the order in which they are made. */
const struct change_kind CHANGE_KINDS[] = {
    { "schema", 0, KIND_OTHER_OBJECT | KIND_IS_LATE | KIND_IS_FIRM, schema_create, schema_drop, NULL, NULL },
    { "extension", 1, KIND_IS_LATE | KIND_IS_FIRM | KIND_IS_DEAF, extension_create, extension_drop,
      extension_alter, alter_decide },
    { "server", 1, KIND_IS_LATE | KIND_IS_FIRM | KIND_IS_DEAF, unknown_create, server_drop, NULL, NULL },
    { "collation", 2, KIND_OTHER_OBJECT | KIND_IS_LATE | KIND_IS_FIRM, unknown_create, collation_drop, NULL,
      type_decide },
    { "enum", 3, KIND_TYPE | KIND_IS_LATE | KIND_IS_FIRM | KIND_IS_DEAF, enum_create, type_drop, enum_alter,
      enum_decide },
    { "domain", 3, KIND_TYPE | KIND_IS_LATE | KIND_IS_FIRM, domain_create, domain_drop, domain_alter,
      domain_decide },
    { "range", 3, KIND_TYPE | KIND_IS_LATE | KIND_IS_FIRM, range_create, type_drop, NULL, type_decide },
    { "composite", 3, KIND_TYPE | KIND_IS_LATE | KIND_IS_FIRM, composite_create, type_drop, NULL,
      composite_decide },
    { "sequence", 4, KIND_RELATION | KIND_IS_DEAF | KIND_IS_FIRM, sequence_create, sequence_drop,
      sequence_alter, alter_decide },
    { "table", 5, KIND_RELATION | KIND_IS_FIRM, table_create, table_drop, table_alter, table_decide },
    { "foreign-table", 5, KIND_RELATION | KIND_IS_FIRM, foreign_table_create, foreign_table_drop, NULL,
      table_decide },
    { "column", 6, KIND_PART | KIND_IS_FIRM, column_create, column_drop, column_alter, column_decide },
    { "compression", 7, KIND_OF_COLUMN | KIND_IS_DEAF, compression_create, compression_drop, NULL, NULL },
    { "options", 7, OF_TABLE, options_create, options_drop, NULL, NULL },
    { "default", 8, KIND_OF_COLUMN, default_create, default_drop, NULL, NULL },
    { "identity", 8, KIND_OF_COLUMN | KIND_IS_DEAF, identity_create, identity_drop, identity_alter,
      alter_decide },
    { "constraint", 9, KIND_PART, constraint_create, constraint_drop, constraint_alter, constraint_decide },
    { "index", 10, KIND_ON_RELATION, index_create, index_drop, NULL, NULL },
    { "sequence-owner", 11, KIND_PIECE | KIND_IS_DEAF, sequence_owner_create, sequence_owner_drop, NULL,
      NULL },
    { "sequence-identity", 11, KIND_PIECE | KIND_IS_DEAF, NULL, NULL, NULL, NULL },
    { "view", 12, KIND_RELATION | KIND_IS_FRAGILE, view_create, view_drop, NULL, NULL },
    { "function", 13, KIND_ROUTINE | KIND_IS_FRAGILE, routine_create, routine_drop, routine_replace,
      routine_decide },
    { "procedure", 13, KIND_ROUTINE | KIND_IS_FRAGILE, routine_create, routine_drop, routine_replace,
      routine_decide },
    { "aggregate", 13, KIND_ROUTINE, unknown_create, routine_drop, NULL, NULL },
    { "cast", 13, KIND_IS_DEAF, unknown_create, cast_drop, NULL, NULL },
    { "operator", 13, KIND_IS_DEAF, unknown_create, operator_drop, NULL, NULL },
    { "text-search", 13, KIND_IS_DEAF, unknown_create, text_search_drop, NULL, NULL },
    { "materialized-view", 14, KIND_RELATION | KIND_IS_FRAGILE, matview_create, matview_drop, NULL, NULL },
    { "statistics", 15, KIND_ON_RELATION, statistics_create, statistics_drop, NULL, NULL },
    { "foreign-key", 16, KIND_PART, constraint_create, constraint_drop, constraint_alter, constraint_decide },
    { "partition", 17, KIND_PIECE, partition_create, partition_drop, NULL, NULL },
    { "trigger", 18, KIND_PART | KIND_IS_FRAGILE, trigger_create, trigger_drop, NULL, NULL },
    { "rule", 18, KIND_PART | KIND_IS_FRAGILE, rule_create, rule_drop, NULL, NULL },
    { "policy", 18, KIND_PART | KIND_IS_FRAGILE, policy_create, policy_drop, NULL, NULL },
    { "row-security", 19, OF_TABLE, row_security_create, row_security_drop, row_security_alter,
      alter_decide },
    { "replica-identity", 19, OF_TABLE, replica_identity_create, replica_identity_drop, NULL, NULL },
    { "cluster", 19, OF_TABLE, cluster_create, cluster_drop, NULL, NULL },
    { "event-trigger", 20, 0, event_trigger_create, event_trigger_drop, NULL, NULL },
    { "publication", 20, KIND_IS_DEAF, publication_create, publication_drop, publication_alter,
      publication_decide },
    { "published", 21, KIND_IS_FRAGILE, published_create, published_drop, NULL, NULL },
    { "subscription", 21, KIND_IS_DEAF, unknown_create, unknown_create, NULL, NULL },
    { "owner", 22, KIND_ACCESS | KIND_IS_DEAF, owner_create, NULL, owner_alter, alter_decide },
    { "grant", 23, KIND_ACCESS | KIND_IS_DEAF, grant_create, grant_drop, grant_alter, alter_decide },
    { "default-grant", 24, KIND_IS_DEAF, default_grant_create, default_grant_drop, NULL, NULL },
    { "comment", 25, KIND_ACCESS | KIND_IS_DEAF, comment_create, comment_drop, NULL, NULL },
    { "setting", 26, KIND_IS_DEAF, unknown_create, unknown_create, NULL, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};
