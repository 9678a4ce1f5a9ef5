/*
 * The statements for each kind of thing, and what they are put together from. Of this room; pure.
 */
#ifndef SCHEMA_SCRIPT_SAY_H
#define SCHEMA_SCRIPT_SAY_H

#include "schema/script_change.h"

/* Adds to the script. */
void say(struct delta *delta, const char *format, ...) printf_like(2, 3);

/* Adds a warning, to the script as a comment, too. */
void warn_of(struct delta *delta, const char *format, ...) printf_like(2, 3);

/* Whether a table is there on both sides, so that it may be in use while the script runs. */
bool is_in_use(const struct change *table);

/* What stands in the parentheses of the line "with (…)" of a definition; empty when there is none. */
struct slice options_of(const char *definition);

/* Adds "n_distinct='5', …", or the names alone. False when it is not a list of options. */
bool options_add(struct slice options, bool has_values, struct text *out);

/* Adds what a sequence's definition says beyond the usual, each part after a blank; an identity's type is
 * that of its column. */
void sequence_options_add(const char *definition, bool is_identity, struct text *out);

/* Whether the server converts values of one type to the other in an assignment, without being told how. */
bool type_has_assignment_cast(struct slice from, struct slice to);

/* Takes from everybody what a new function or type allows them, unless TO does, too. */
void grants_close(struct delta *delta, const struct change *object);

/* Whether they differ at most in what stands in parentheses: varchar(20), varchar(30). */
bool type_is_same_base(struct slice one, struct slice other);

/* Each writes the statement that its name says, or decides. */
#define STATEMENT(name) void name(struct delta *delta, struct change *change)
#define DECISION(name) enum change_action name(struct delta *delta, struct change *change)

STATEMENT(table_create);
STATEMENT(table_drop);
STATEMENT(table_alter);
DECISION(table_decide);
STATEMENT(foreign_table_create);
STATEMENT(foreign_table_drop);

STATEMENT(column_create);
STATEMENT(column_drop);
STATEMENT(column_alter);
DECISION(column_decide);
STATEMENT(default_create);
STATEMENT(default_drop);
STATEMENT(identity_create);
STATEMENT(identity_drop);
STATEMENT(identity_alter);
STATEMENT(compression_create);
STATEMENT(compression_drop);

/* Of a column that is made with its table or added: name, type and what belongs to it. */
void column_add(struct delta *delta, struct change *column, struct text *out);

/* What is written behind ADD COLUMN or CREATE TABLE: storage and the like. */
void column_settings(struct delta *delta, const struct change *column);

STATEMENT(options_create);
STATEMENT(options_drop);
STATEMENT(row_security_create);
STATEMENT(row_security_drop);
STATEMENT(row_security_alter);
STATEMENT(replica_identity_create);
STATEMENT(replica_identity_drop);
STATEMENT(cluster_create);
STATEMENT(cluster_drop);
STATEMENT(partition_create);
STATEMENT(partition_drop);

STATEMENT(constraint_create);
STATEMENT(constraint_drop);
STATEMENT(constraint_alter);
DECISION(constraint_decide);
STATEMENT(index_create);
STATEMENT(index_drop);
STATEMENT(statistics_create);
STATEMENT(statistics_drop);

STATEMENT(schema_create);
STATEMENT(schema_drop);
STATEMENT(extension_create);
STATEMENT(extension_drop);
STATEMENT(extension_alter);
DECISION(alter_decide); /* by a statement of its own */
STATEMENT(enum_create);
STATEMENT(enum_alter);
DECISION(enum_decide);
STATEMENT(domain_create);
STATEMENT(domain_drop);
STATEMENT(domain_alter);
DECISION(domain_decide);
STATEMENT(range_create);
STATEMENT(composite_create);
DECISION(composite_decide);
STATEMENT(type_drop);
DECISION(type_decide);
STATEMENT(collation_drop);
STATEMENT(sequence_create);
STATEMENT(sequence_drop);
STATEMENT(sequence_alter);
STATEMENT(sequence_owner_create);
STATEMENT(sequence_owner_drop);

STATEMENT(routine_create);
STATEMENT(routine_replace);
STATEMENT(routine_drop);
DECISION(routine_decide);
STATEMENT(view_create);
STATEMENT(view_drop);
STATEMENT(matview_create);
STATEMENT(matview_drop);
STATEMENT(trigger_create);
STATEMENT(trigger_drop);
STATEMENT(rule_create);
STATEMENT(rule_drop);
STATEMENT(policy_create);
STATEMENT(policy_drop);
STATEMENT(event_trigger_drop);
STATEMENT(event_trigger_create);
STATEMENT(publication_create);
STATEMENT(publication_drop);
STATEMENT(publication_alter);
DECISION(publication_decide);
STATEMENT(published_create);
STATEMENT(published_drop);

STATEMENT(owner_create);
STATEMENT(owner_alter);
STATEMENT(grant_create);
STATEMENT(grant_drop);
STATEMENT(grant_alter);
STATEMENT(default_grant_create);
STATEMENT(default_grant_drop);
STATEMENT(comment_create);
STATEMENT(comment_drop);

/* For what the facts do not say enough about. */
STATEMENT(unknown_create);
STATEMENT(cast_drop);
STATEMENT(operator_drop);
STATEMENT(text_search_drop);
STATEMENT(server_drop);

#undef STATEMENT
#undef DECISION

#endif
